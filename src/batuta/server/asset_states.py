"""How all assets are: how many partitions are fresh, stale or missing, and why; computed once and kept until something
changes.

Computing it takes time that grows with the partitions, so it is done again only when an asset was made, a check gave
its verdict, the definitions changed, or a time partition has come into being.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from batuta.core.definitions import AssetSpec
from batuta.core.errors import BatutaError
from batuta.core.partitions import keys
from batuta.core.staleness import NO_KEYS, Freshness, Pair
from batuta.engine.materialize import Assets
from batuta.server.catalog import Catalog
from batuta.store.rows import CheckRow, MaterializationRow
from batuta.store.store import Store

MINUTE_S = 60.0
AT_ONCE_S = 0.2
"""What takes longer is computed beside, while the last state is given."""
REST = 4.0
"""How many times as long as it takes nothing is computed after that, so that most of a core is left for answers."""

logger = logging.getLogger("batuta.server")


@dataclass
class AssetState:
    """One asset: what is defined, how much of it is made, and when it was made last."""

    spec: AssetSpec
    location: str
    partitions: int | None = None
    counts: dict[str, int] = field(default_factory=dict)  # fresh, stale, missing
    last: MaterializationRow | None = None
    reasons: dict[str, int] = field(default_factory=dict)
    checks: int = 0
    checks_passed: int = 0
    checks_failed: int = 0

    @property
    def state(self) -> str:
        """external, fresh, stale, missing; of partitions the one that asks for most."""
        if self.spec.external:
            return "external"
        if self.counts.get("missing", 0) and not self.counts.get("fresh", 0) and not self.counts.get("stale", 0):
            return "missing"
        return "stale" if self.counts.get("stale", 0) or self.counts.get("missing", 0) else "fresh"


@dataclass
class AssetStates:
    """All assets at one time."""

    version: object  # of the catalog
    assets: Assets
    states: dict[str, AssetState]
    freshness: dict[Pair, Freshness]
    verdicts: dict[tuple[str, str, str], CheckRow]
    now: datetime
    dynamic_keys: dict[str, list[str]]
    verdicts_of: dict[tuple[str, str], list[CheckRow]] = field(default_factory=dict)
    """The last verdicts by asset and check, one per partition."""
    failed_of: dict[str, dict[str, int]] = field(default_factory=dict)
    """By asset and partition, how many checks do not pass."""
    shown: dict[str, Any] = field(default_factory=dict)
    """What was made of it for lists, kept with it."""

    def partition_keys(self, spec: AssetSpec) -> list[str]:
        """The partitions of an asset that exist now."""
        return [] if spec.partitions is None else list(keys(spec.partitions, self.now, self.dynamic_keys))


class AssetStatesKeeper:
    """Gives the states of now. Safe to use from many threads."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._key: object = None
        self._took_s = 0.0
        self._renewed_at = 0.0
        self._existing: tuple[object, int, tuple[int, ...]] = ((), -1, ())
        self._found: AssetStates | None = None

    def current(self, catalog: Catalog) -> AssetStates:
        """The states of all assets of the catalog."""
        now = self._clock()
        key = self._key_of(catalog, now)
        found = self._found
        if found is not None and key == self._key:
            return found
        if found is not None and self._took_s > AT_ONCE_S and found.version == catalog.version:
            self._renew_soon(catalog)
            return found
        with self._lock:
            if self._found is None or key != self._key:
                self._renew(catalog, now, key)
            assert self._found is not None
            return self._found

    def _key_of(self, catalog: Catalog, now: float) -> object:
        """What the states depend on: what was made and checked, what is defined, which time partitions there are."""
        _, made, verdict = self._store.reports.newest_ids()
        minute = int(now // MINUTE_S)
        if self._existing[:2] != (catalog.version, minute):
            moment = datetime.fromtimestamp(now, UTC)
            times, others = catalog.growing_partitions
            counts = tuple(len(keys(one, moment, NO_KEYS)) for one in times)
            self._existing = (catalog.version, minute, (*counts, minute) if others else counts)
        return catalog.version, made, verdict, self._existing[2]

    def _renew(self, catalog: Catalog, now: float, key: object) -> None:
        began = time.perf_counter()
        self._found, self._key = self._computed(catalog, now), key
        self._renewed_at = time.perf_counter()
        self._took_s = self._renewed_at - began

    def _renew_soon(self, catalog: Catalog) -> None:
        """In a thread, one at a time: what took long to compute is given as it was until then."""
        if time.perf_counter() - self._renewed_at < REST * self._took_s or not self._lock.acquire(blocking=False):
            return

        def renew() -> None:
            try:
                now = self._clock()
                self._renew(catalog, now, self._key_of(catalog, now))
            except BatutaError as error:
                logger.warning("how assets are could not be computed: %s", error)
            finally:
                self._lock.release()

        threading.Thread(target=renew, name="batuta-asset-states", daemon=True).start()

    def _computed(self, catalog: Catalog, now: float) -> AssetStates:
        assets = Assets(catalog.joined, self._store)
        made = self._store.asset_states()
        verdicts = self._store.checks_current()
        freshness = assets.freshness()
        moment = datetime.fromtimestamp(now, UTC)
        found = AssetStates(catalog.version, assets, {}, freshness, verdicts, moment, dict(assets.dynamic_keys()))
        for spec in catalog.definitions.assets:
            state = found.states[spec.key] = AssetState(spec, catalog.location_of[spec.key])
            state.checks = len(assets.index.checks_of.get(spec.key, ()))
        _count_partitions(found)
        _add_freshness(found)
        for (asset, _), row in made.items():
            one = found.states.get(asset)
            if one is not None and (one.last is None or one.last.at < row.at):
                one.last = row
        _add_verdicts(found)
        return found


def _count_partitions(found: AssetStates) -> None:
    counted: dict[int, int] = {}
    for state in found.states.values():
        partitions = state.spec.partitions
        if partitions is not None:
            if id(partitions) not in counted:
                counted[id(partitions)] = len(found.partition_keys(state.spec))
            state.partitions = counted[id(partitions)]


def _add_freshness(found: AssetStates) -> None:
    for (asset, _), one in found.freshness.items():
        state = found.states.get(asset)
        if state is not None:
            state.counts[one.state] = state.counts.get(one.state, 0) + 1
            if not one.is_fresh:
                text = "; ".join(one.reasons)
                state.reasons[text] = state.reasons.get(text, 0) + 1


def _add_verdicts(found: AssetStates) -> None:
    passed: dict[tuple[str, str], bool] = {}
    for (asset, check, partition), verdict in found.verdicts.items():
        found.verdicts_of.setdefault((asset, check), []).append(verdict)
        passed[asset, check] = passed.get((asset, check), True) and verdict.passed
        if not verdict.passed:
            failed = found.failed_of.setdefault(asset, {})
            failed[partition] = failed.get(partition, 0) + 1
    for (asset, _), good in passed.items():
        state = found.states.get(asset)
        if state is not None:
            state.checks_passed += good
            state.checks_failed += not good


_metadata = msgspec.json.Decoder(dict[str, object])


def rows_of(made: MaterializationRow | None) -> int | None:
    """How many rows a materialization says that it has."""
    if made is None:
        return None
    rows = _metadata.decode(made.metadata or b"{}").get("rows")
    return rows if isinstance(rows, int) else None
