"""Which partitions of each selected asset a run makes, from what was asked for.

Surprising rule: an asset for which nothing was asked, or to which the text does not apply (a day, of monthly
partitions), gets what follows from its neighbours over the partition mappings; only where it has none, all there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from batuta.core.asset_index import AssetIndex
from batuta.core.definitions import AssetDep, AssetSpec
from batuta.core.errors import PartitionError, RequestError, nearest
from batuta.core.partition_mapping import Aligned, Every, edges
from batuta.core.partitions import DynamicKeys, keys, select

Choice = str | Sequence[str]
"""A text like `2025-01..2025-03`, or partition keys."""
Asked = Choice | Mapping[str, Choice] | None
"""One choice for all partitioned assets, or a choice for each of some of them; None: all partitions there are."""

PARTITIONS_MAX = 100_000
"""So many partitions of one asset a run may make."""


def choose_partitions(
    index: AssetIndex, selected: Sequence[str], asked: Asked, now: datetime, dynamic_keys: DynamicKeys
) -> dict[str, list[str]]:
    """The partitions of each partitioned asset of `selected` (which is in topological order); a list may be empty.

    Raises PartitionError for a choice that is none, RequestError for an asset that is not there to choose of.
    """
    return _Chooser(index, selected, now, dynamic_keys).choose(asked)


class _Chooser:
    def __init__(self, index: AssetIndex, selected: Sequence[str], now: datetime, dynamic_keys: DynamicKeys) -> None:
        self.index = index
        self.specs = {key: index.assets[key] for key in selected if index.assets[key].partitions is not None}
        self.selected = selected
        self.now = now
        self.dynamic_keys = dynamic_keys
        self.existing: dict[int, list[str]] = {}  # by the definition's identity, which many assets share
        self.chosen: dict[str, list[str]] = {}

    def choose(self, asked: Asked) -> dict[str, list[str]]:
        refused: dict[str, PartitionError] = {}
        if isinstance(asked, Mapping):
            self._take_each(asked)
        elif asked is not None:
            refused = self._take_where_it_applies(asked)
        if self.chosen:
            self._follow()
        for key, spec in self.specs.items():
            if key not in self.chosen:
                if key in refused:
                    raise refused[key]
                self.chosen[key] = self._all(spec)
        for key, found in self.chosen.items():
            if len(found) > PARTITIONS_MAX:
                raise PartitionError(
                    f"{len(found)} partitions of {key!r} are more than the {PARTITIONS_MAX} that one run may make",
                    hint="ask for a range of them, and for the next one afterwards",
                )
        return self.chosen

    def _all(self, spec: AssetSpec) -> list[str]:
        assert spec.partitions is not None
        found = self.existing.get(id(spec.partitions))
        if found is None:
            found = self.existing[id(spec.partitions)] = keys(spec.partitions, self.now, self.dynamic_keys)
        return found

    def _take_each(self, asked: Mapping[str, Choice]) -> None:
        for key, choice in asked.items():
            spec = self.specs.get(key)
            if spec is None:
                known = key in self.selected
                hint = nearest(key, self.specs) or f"partitioned are: {', '.join(self.specs) or 'none'}"
                raise RequestError(
                    f"asset {key!r} has no partitions" if known else f"asset {key!r} is not among those to be made",
                    hint=hint,
                )
            assert spec.partitions is not None
            self.chosen[key] = select(spec.partitions, choice, self.now, self.dynamic_keys, f"asset {key!r}")

    def _take_where_it_applies(self, choice: Choice) -> dict[str, PartitionError]:
        """Choose it for all; returns the errors of those to which it does not apply."""
        if not self.specs:
            raise RequestError(
                f"partitions {choice!r} were asked for, but no selected asset has any", hint="leave them out"
            )
        refused: dict[str, PartitionError] = {}
        done: dict[int, list[str]] = {}
        for key, spec in self.specs.items():
            assert spec.partitions is not None
            try:
                if id(spec.partitions) not in done:
                    where = f"asset {key!r}"
                    done[id(spec.partitions)] = select(spec.partitions, choice, self.now, self.dynamic_keys, where)
                self.chosen[key] = done[id(spec.partitions)]
            except PartitionError as error:
                refused[key] = error
        if not self.chosen:
            raise next(iter(refused.values()))
        return refused

    def _follow(self) -> None:
        """Give those without a choice what their neighbours' choice asks for: first downstream, then upstream."""
        order = list(self.specs)
        while len(self.chosen) < len(order):
            before = len(self.chosen)
            for key in order:
                if key not in self.chosen:
                    self._from_above(key)
            for key in reversed(order):
                for dep in self.specs[key].deps if key in self.chosen else ():
                    if dep.asset in self.specs and dep.asset not in self.chosen:
                        self._from_below(dep.asset)
            if len(self.chosen) == before:
                return

    def _from_above(self, key: str) -> None:
        """The partitions that need some of those chosen upstream."""
        spec = self.specs[key]
        wanted: set[str] = set()
        known = [dep for dep in spec.deps if dep.asset in self.chosen]
        candidates = self._all(spec) if known else []
        for dep in known:
            wanted.update(self._met(dep, spec, self.chosen[dep.asset], candidates)[1])
        if known:
            self.chosen[key] = [one for one in candidates if one in wanted]

    def _from_below(self, key: str) -> None:
        """The partitions that those chosen downstream need."""
        candidates = self._all(self.specs[key])
        wanted: set[str] = set()
        for below, chosen in self.chosen.items():
            spec = self.specs[below]
            for dep in spec.deps:
                if dep.asset == key:
                    wanted.update(self._met(dep, spec, candidates, chosen)[0])
        self.chosen[key] = [one for one in candidates if one in wanted]

    def _met(
        self, dep: AssetDep, spec: AssetSpec, ups: Sequence[str], downs: Sequence[str]
    ) -> tuple[Sequence[str], Sequence[str]]:
        """Those of `ups` and of `downs` that have an edge to the other side."""
        if not ups or not downs:
            return (), ()
        upstream = self.specs[dep.asset].partitions
        found = edges(dep.mapping, upstream, ups, spec.partitions, downs, self.now, self.dynamic_keys)
        if isinstance(found, Aligned | Every):
            return ups, downs
        used = {up for row in found.indices for up in row}
        return [ups[up] for up in sorted(used)], [downs[i] for i, row in enumerate(found.indices) if row]
