"""What runs elsewhere, as the server keeps it: read from the store, renewed in part where something was heard."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from batuta.core.external_lineage import External, World
from batuta.core.lineage import Lineage
from batuta.engine.external import Rules, external_of, places_of
from batuta.server.asset_states import AssetStates
from batuta.server.catalog import Catalog
from batuta.store.external import Heard
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
        self._world = World()
        self._looked_at = 0.0
        self._external: External | None = None
        self._of: tuple[World, Rules, AssetStates | None] | None = None
        """What that was made of."""
        self._lineage: tuple[object, External, Lineage] | None = None

    def current(self, rules: Rules, states: Callable[[], AssetStates]) -> External:
        """What is known, at most `LOOK_S` old. `states` tells where our assets stand."""
        with self._lock:
            self._look()
            found = states() if self._world.datasets else None
            of, world = self._of, self._world
            if self._external is None or of is None or of[0] is not world or of[1] != rules or of[2] is not found:
                made = [] if found is None else [one.last for one in found.states.values() if one.last is not None]
                self._external, self._of = external_of(world, rules, places_of(made)), (world, rules, found)
            return self._external

    def lineage(self, catalog: Catalog, external: External) -> Lineage:
        """The graph of the catalog with what runs elsewhere."""
        with self._lock:
            known = self._lineage
            if known is None or known[0] is not catalog or known[1] is not external:
                known = self._lineage = (catalog, external, external.with_lineage(catalog.lineage))
            return known[2]

    def _look(self) -> None:
        if self._heard is not None and time.monotonic() - self._looked_at < LOOK_S:
            return
        self._looked_at = time.monotonic()
        heard = self._store.external.heard()
        if heard == self._heard:
            return
        before, self._heard = self._heard, heard
        jobs, datasets = self._world.jobs, self._world.datasets
        since = (0.0, 0.0) if before is None else (before.jobs[0] - OVERLAP_S, before.datasets[0] - OVERLAP_S)
        jobs = {**jobs, **self._store.external.jobs_since(since[0])}
        datasets = {**datasets, **self._store.external.datasets_since(since[1])}
        if len(jobs) != heard.jobs[1]:  # some were forgotten
            jobs = self._store.external.jobs_since()
        if len(datasets) != heard.datasets[1]:
            datasets = self._store.external.datasets_since()
        self._world = World(jobs, datasets, self._store.external.edges())
