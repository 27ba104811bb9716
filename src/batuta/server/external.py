"""What runs elsewhere, as the server keeps it: read from the store, renewed in part where something was heard."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from batuta.core.external_jobs import ExternalDataset, ExternalJob
from batuta.core.external_lineage import External, Naming, World
from batuta.core.lineage import Lineage
from batuta.engine.external import Rules, naming_of, places_of
from batuta.server.asset_states import AssetStates
from batuta.server.catalog import Catalog
from batuta.store.external import Heard, Known
from batuta.store.store import Store

LOOK_S = 0.25
OVERLAP_S = 300.0
"""By so much clocks of those who write may differ."""


class ExternalKeeper:
    """Gives what is known now. Safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._heard: Heard | None = None
        self._jobs: Known[ExternalJob] = {}
        self._datasets: Known[ExternalDataset] = {}
        self._world = World()
        self._looked_at = 0.0
        self._naming: Naming | None = None
        self._named_by: tuple[Rules, dict[tuple[str, str], str]] | None = None
        self._states: AssetStates | None = None
        self._external: External | None = None
        self._lineage: tuple[Catalog, External, Lineage] | None = None

    def current(self, rules: Rules, states: Callable[[], AssetStates]) -> External:
        """What is known, at most `LOOK_S` old. `states` tells where our assets stand."""
        with self._lock:
            self._look()
            naming, known = self._current_naming(rules, states() if self._world.datasets else None), self._external
            if known is None or known.world is not self._world or known.naming is not naming:
                known = self._external = External(self._world, naming, known)
            return known

    def lineage(self, catalog: Catalog, external: External) -> Lineage:
        """The graph of the catalog with what runs elsewhere."""
        with self._lock:
            known = self._lineage
            if known is None or known[0] is not catalog or known[1] is not external:
                known = self._lineage = (catalog, external, external.with_lineage(catalog.lineage))
            return known[2]

    def _current_naming(self, rules: Rules, states: AssetStates | None) -> Naming:
        """The rule by which datasets are assets; the same as long as no asset stands elsewhere."""
        if self._naming is None or self._states is not states or self._named_by is None or self._named_by[0] != rules:
            made = () if states is None else [one.last for one in states.states.values() if one.last is not None]
            by = rules, places_of(made)
            self._states = states
            if self._naming is None or self._named_by != by:
                self._naming, self._named_by = naming_of(*by), by
        return self._naming

    def _look(self) -> None:
        if self._heard is not None and time.monotonic() - self._looked_at < LOOK_S:
            return
        self._looked_at = time.monotonic()
        store = self._store.external
        heard = store.heard()
        if heard == self._heard:
            return
        before, self._heard = self._heard, heard
        since = (0.0, 0.0) if before is None else (before.jobs[0] - OVERLAP_S, before.datasets[0] - OVERLAP_S)
        jobs = {**self._world.jobs, **store.jobs_since(since[0], self._jobs)}
        datasets = {**self._world.datasets, **store.datasets_since(since[1], self._datasets)}
        if len(jobs) != heard.jobs[1]:  # some were forgotten
            jobs = store.jobs_since(known=self._jobs)
            self._jobs = {key: self._jobs[key] for key in jobs}
        if len(datasets) != heard.datasets[1]:
            datasets = store.datasets_since(known=self._datasets)
            self._datasets = {key: self._datasets[key] for key in datasets}
        self._world = World(jobs, datasets, store.edges())
