"""Which assets (partitions) are missing or stale, and why: from definitions and records, without looking at data.

An asset is stale where its code, what it reads, or the data version of something that it read has changed since it was
made, or where something upstream will be made again. The surprising rule: versions are compared, not times, so an
upstream that was made again with the same content makes nothing stale.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from batuta.core.asset_index import AssetIndex
from batuta.core.asset_partitions import Asked, choose_partitions
from batuta.core.definitions import AssetDep, AssetSpec, Definitions
from batuta.core.partition_mapping import Aligned, Every, edges
from batuta.core.partitions import DynamicKeys, keys

NO_KEYS: DynamicKeys = {}
NO_LIMITS: Mapping[str, Collection[str]] = {}

State = Literal["fresh", "missing", "stale"]
Pair = tuple[str, str]
"""An asset and its partition; "" where it has none."""


class Made(Protocol):
    """What is recorded of the last time that an asset (partition) was made."""

    @property
    def data_version(self) -> str: ...
    @property
    def code_version(self) -> str: ...
    @property
    def inputs(self) -> Mapping[str, str]: ...


class Recorded(msgspec.Struct, frozen=True):
    """A `Made`. `inputs` are the data versions that it was made from, by asset[/partition]."""

    data_version: str = ""
    code_version: str = ""
    inputs: Mapping[str, str] = {}


class Freshness(msgspec.Struct, frozen=True):
    """The state of one asset (partition) and the reasons for it."""

    state: State
    reasons: tuple[str, ...] = ()

    @property
    def is_fresh(self) -> bool:
        return self.state == "fresh"


_PASSED_ON = (" is stale", " is missing")


def is_passed_on(reason: str) -> bool:
    """Whether a reason says only that something upstream will be made again."""
    return reason.endswith(_PASSED_ON)


FRESH = Freshness("fresh")
MISSING = Freshness("missing", ("never made",))


def staleness(
    definitions: Definitions | AssetIndex,
    recorded: Mapping[Pair, Made],
    *,
    now: datetime,
    dynamic_keys: DynamicKeys = NO_KEYS,
    assets: Iterable[str] | None = None,
) -> dict[Pair, Freshness]:
    """The state of every existing partition of `assets` (None: all) and of what is above them; not of external ones.

    What is not fresh makes everything below it stale. Linear in the partitions, the edges between them, and the
    recorded inputs.
    """
    index = definitions if isinstance(definitions, AssetIndex) else AssetIndex(definitions)
    wanted = None if assets is None else list(assets)
    if wanted is not None:
        wanted += index.graph.ancestors(wanted)
    return _Survey(index, recorded, now, dynamic_keys, None).run(wanted)


def to_make(
    definitions: Definitions | AssetIndex,
    recorded: Mapping[Pair, Made],
    selected: Collection[str],
    *,
    now: datetime,
    dynamic_keys: DynamicKeys = NO_KEYS,
    partitions: Asked = None,
) -> dict[Pair, Freshness]:
    """What a run over the assets `selected` has to make, and why: what `plan_assets(only=...)` takes.

    Only what this run makes can make others stale: an upstream that is out of date but not selected, or of which other
    `partitions` were asked for, is read as it is. Raises PartitionError, RequestError.
    """
    index = definitions if isinstance(definitions, AssetIndex) else AssetIndex(definitions)
    chosen = set(selected)
    limits: dict[str, frozenset[str]] = {}
    if partitions is not None:
        made = sorted((key for key in chosen if not index.assets[key].external), key=index.rank.__getitem__)
        asked = choose_partitions(index, made, partitions, now, dynamic_keys)
        limits = {key: frozenset(found) for key, found in asked.items()}
    survey = _Survey(index, recorded, now, dynamic_keys, chosen, limits).run(chosen)
    return {
        (asset, partition): state
        for (asset, partition), state in survey.items()
        if asset in chosen and not state.is_fresh and (asset not in limits or partition in limits[asset])
    }


class Verdict(Protocol):
    """What is recorded of the last evaluation of a check; `at` is in seconds since the epoch."""

    @property
    def at(self) -> float: ...
    @property
    def passed(self) -> bool: ...
    @property
    def outcome(self) -> str: ...


def unproven_checks(
    definitions: Definitions | AssetIndex,
    made_at: Mapping[Pair, float],
    verdicts: Mapping[tuple[str, str, str], Verdict],
) -> set[tuple[str, str]]:
    """The (check, partition) pairs of blocking checks that have not passed since their asset was last made.

    `made_at`: when (seconds since the epoch); of an external asset that is not recorded, only what failed counts.
    `verdicts`: by asset, name of the check, partition. What reads such an asset has to wait for the check: a run that
    was killed, or in which it failed, may have left data that nobody has found good.
    """
    index = definitions if isinstance(definitions, AssetIndex) else AssetIndex(definitions)
    blocking = [check for check in index.checks.values() if check.blocking and not check.before and not check.at_write]
    if not blocking:
        return set()
    partitions: dict[str, list[str]] = {}
    for asset, partition in made_at:
        partitions.setdefault(asset, []).append(partition)
    found = {
        (f"{asset}:{name}", partition)
        for (asset, name, partition), verdict in verdicts.items()
        if not verdict.passed and verdict.outcome != "warned" and f"{asset}:{name}" in index.checks
    }
    for check in blocking:
        for partition in partitions.get(check.asset, ()):
            last = verdicts.get((check.asset, check.name, partition))
            if last is None or last.at < made_at[check.asset, partition]:
                found.add((check.key, partition))
    proving = {check.key for check in blocking}
    return {(key, partition) for key, partition in found if key in proving}


class _Survey:
    """One pass over the assets in topological order. `within`: what will be made where it is not fresh; None: all.

    `limits`: of these assets no other partitions are made.
    """

    def __init__(
        self,
        index: AssetIndex,
        recorded: Mapping[Pair, Made],
        now: datetime,
        dynamic_keys: DynamicKeys,
        within: Collection[str] | None,
        limits: Mapping[str, Collection[str]] = NO_LIMITS,
    ) -> None:
        self.index = index
        self.recorded = recorded
        self.now = now
        self.dynamic_keys = dynamic_keys
        self.within = within
        self.limits = limits
        self.found: dict[Pair, Freshness] = {}
        self.remade: dict[str, set[str]] = {}  # partitions that will be made again, by asset
        self.existing: dict[int, list[str]] = {}  # by the definition's identity
        self.currents: dict[str, dict[str, str]] = {}  # see `_current`
        self.mades: dict[str, dict[str, str]] = {}  # the same without what was never made
        self.rows: dict[tuple[int, int, int], Rows] = {}

    def run(self, assets: Iterable[str] | None) -> dict[Pair, Freshness]:
        for spec in self._order(assets):
            together = self.index.together.get(spec.step)
            if together is None:
                self._survey(spec)
            elif spec.key not in self.remade:
                for one in together:
                    self._survey(one)
                self._remake_together(together)
        return self.found

    def _order(self, assets: Iterable[str] | None) -> list[AssetSpec]:
        """The assets to look at, steps upstream first."""
        specs = self.index.assets
        order: Sequence[str]
        if assets is None:
            order = self.index.step_order
        else:
            rank = self.index.step_rank
            order = sorted(set(assets), key=rank.__getitem__)
        return [spec for spec in map(specs.__getitem__, order) if not spec.external]

    def _keys(self, spec: AssetSpec) -> Sequence[str]:
        """The existing partitions of an asset; one that is "" where it has none."""
        if spec.partitions is None:
            return _WHOLE
        found = self.existing.get(id(spec.partitions))
        if found is None:
            found = self.existing[id(spec.partitions)] = keys(spec.partitions, self.now, self.dynamic_keys)
        return found

    def _survey(self, spec: AssetSpec) -> None:
        """Find the state of every partition of one asset."""
        own = self._keys(spec)
        key, recorded = spec.key, self.recorded
        made = [recorded.get((key, partition)) for partition in own]
        reasons: dict[int, list[str]] = {}
        known = frozenset([dep.asset for dep in spec.deps])
        for i, one in enumerate(made):
            if one is not None:
                if one.code_version != spec.code_version and one.code_version and spec.code_version:
                    reasons[i] = ["code changed"]
                if not known.issuperset(one.inputs):
                    _compare_reads(known, one.inputs, reasons, i)
        for dep in spec.deps:
            if spec.partitions is None and self.index.assets[dep.asset].partitions is None:
                if made[0] is not None:
                    self._compare_whole(dep.asset, made[0], reasons)
            else:
                self._compare(spec, dep, own, made, reasons)
        remade = self.remade.setdefault(key, set())
        passes_on = self.within is None or key in self.within
        limit = self.limits.get(key)
        for i, partition in enumerate(own):
            if made[i] is None:
                state = MISSING
            elif i in reasons:
                state = Freshness("stale", tuple(reasons[i]))
            else:
                self.found[key, partition] = FRESH
                continue
            self.found[key, partition] = state
            if passes_on and (limit is None or partition in limit):
                remade.add(partition)

    def _compare_whole(self, asset: str, made: Made, reasons: dict[int, list[str]]) -> None:
        """What a dependency says where neither side has partitions."""
        up = self.recorded.get((asset, ""))
        if up is not None and up.data_version and made.inputs.get(asset) != up.data_version:
            reasons.setdefault(0, []).append(f"upstream {asset} changed")
        if self.remade.get(asset):
            reasons.setdefault(0, []).append(f"upstream {asset} {self._why(asset, _WHOLE)}")

    def _compare(
        self,
        spec: AssetSpec,
        dep: AssetDep,
        own: Sequence[str],
        made: Sequence[Made | None],
        reasons: dict[int, list[str]],
    ) -> None:
        """Add what one dependency says about each partition."""
        up = self.index.assets[dep.asset]
        current = self._current(up)
        remade = self.remade.get(dep.asset) or _NOBODY
        rows = self._rows(dep, up, spec, own)
        labels = None if rows is None else list(current)
        ups = self._keys(up) if remade else _WHOLE
        for i, one in enumerate(made):
            if one is None:
                continue
            if rows is None or labels is None:
                wanted: Mapping[str, str] = self.mades[dep.asset]
                again: Collection[str] = remade
            else:
                row = rows[i] if rows is not _ALIGNED else (i,)
                wanted = {labels[up_at]: current[labels[up_at]] for up_at in row}
                again = [ups[up_at] for up_at in row if ups[up_at] in remade] if remade else ()
            if changed := _changed(wanted, one.inputs):
                reasons.setdefault(i, []).append(f"upstream {_told(dep.asset, changed, own[i])} changed")
            if again:
                told = _told(dep.asset, again, own[i])
                reasons.setdefault(i, []).append(f"upstream {told} {self._why(dep.asset, again)}")

    def _current(self, spec: AssetSpec) -> dict[str, str]:
        """The data version of each existing partition of an asset, by how inputs name it; "" where never made."""
        found = self.currents.get(spec.key)
        if found is None:
            key, found = spec.key, {}
            for partition in self._keys(spec):
                one = self.recorded.get((key, partition))
                found[f"{key}/{partition}" if partition else key] = one.data_version if one is not None else ""
            self.currents[key] = found
            self.mades[key] = {label: version for label, version in found.items() if version}
        return found

    def _rows(self, dep: AssetDep, up: AssetSpec, spec: AssetSpec, own: Sequence[str]) -> Rows:
        """Which upstream partitions (by index) each own one needs; None: each needs all."""
        if up.partitions is None:
            return None
        memo = (id(dep.mapping), id(up.partitions), id(spec.partitions))
        if memo not in self.rows:
            downs = own if spec.partitions is not None else ()
            found = edges(
                dep.mapping, up.partitions, self._keys(up), spec.partitions, downs, self.now, self.dynamic_keys
            )
            match found:
                case Aligned():
                    self.rows[memo] = _ALIGNED
                case Every():
                    self.rows[memo] = None
                case _:
                    self.rows[memo] = found.indices
        return self.rows[memo]

    def _why(self, asset: str, partitions: Collection[str]) -> str:
        states = {self.found[asset, partition].state for partition in partitions}
        return "is missing" if states == {"missing"} else "is stale"

    def _remake_together(self, together: Sequence[AssetSpec]) -> None:
        """Where a step makes one of its assets again, it makes the others too."""
        if self.within is None:
            return
        for one in together:
            for partition in sorted(self.remade[one.key]):
                for other in together:
                    if partition not in self.remade[other.key]:
                        self.remade[other.key].add(partition)
                        if self.found.get((other.key, partition), FRESH).is_fresh:
                            state = Freshness("stale", (f"made together with {one.key}",))
                            self.found[other.key, partition] = state


Rows = Sequence[Sequence[int]] | None
_WHOLE = ("",)
_ALIGNED: Sequence[Sequence[int]] = [()]
_NOBODY: frozenset[str] = frozenset()


def _compare_reads(known: frozenset[str], inputs: Mapping[str, str], reasons: dict[int, list[str]], i: int) -> None:
    """An input that the asset does not depend on any more makes it stale."""
    for asset in sorted({label.partition("/")[0] for label in inputs} - known):
        reasons.setdefault(i, []).append(f"does not depend on {asset} any more")


def _changed(wanted: Mapping[str, str], inputs: Mapping[str, str]) -> list[str]:
    """The partitions whose data version is another than the one that was read."""
    if wanted.items() <= inputs.items():
        return []
    return [
        label.partition("/")[2] for label, version in wanted.items() if version and inputs.get(label, "") != version
    ]


def _told(asset: str, partitions: Collection[str], own: str) -> str:
    """`silver.rates`, `silver.rates[2025-01]`, or how many partitions of it."""
    if len(partitions) > 1:
        return f"{asset} ({len(partitions)} partitions)"
    only = next(iter(partitions))
    return f"{asset}[{only}]" if only and only != own else asset
