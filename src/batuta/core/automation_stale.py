"""What is stale, kept up as assets are made: the rules of `core.staleness` as subsets, looking only at what changed.

Versions are compared, not times, as there. What is missing or stale makes what reads it stale, so a change may reach
far down; it is followed only as far, and for those partitions, as something changes.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from batuta.core import subsets
from batuta.core.automation_facts import Facts, Made
from batuta.core.automation_watch import Dep, Watch


class StaleSets:
    """The stale partitions of every asset that is made here."""

    def __init__(self, facts: Facts, watch: Watch) -> None:
        self._facts = facts
        self._watch = watch
        self.stale: dict[str, int] = {}
        self._bad: dict[str, int] = {}  # missing or stale, as those below were told

    def start(self) -> None:
        """Look at everything."""
        self.stale, self._bad = {}, {}
        self.follow({}, dict.fromkeys(self._facts.index.assets))

    def follow(self, made: Mapping[str, int], moved: Mapping[str, object]) -> set[str]:
        """Look again at what was `made` (by asset), at all partitions of what has `moved`, and at all that this
        reaches. Returns the assets whose stale partitions changed."""
        facts = self._facts
        rank, space = facts.index.rank, facts.space
        look = {key: made.get(key, 0) for key in [*made, *moved] if key in rank}
        for key in moved:
            look[key] = space[key].full
        heap = [(rank[key], key) for key in look]
        heapq.heapify(heap)
        changed: set[str] = set()
        while heap:
            _, key = heapq.heappop(heap)
            news = made.get(key, 0) | self._look(key, look[key], changed)
            if not news and key not in moved:
                continue
            for below in self._watch.below(key):
                reached = space[below].full if key in moved else self._reached(key, below, news)
                if reached and below not in look:
                    heapq.heappush(heap, (rank[below], below))
                if reached:
                    look[below] = look.get(below, 0) | reached
        return changed

    def _look(self, asset: str, candidates: int, changed: set[str]) -> int:
        """Find the state of these partitions; those that became good or bad."""
        facts = self._facts
        if facts.index.assets[asset].external:
            return subsets.NOTHING
        before = self.stale.get(asset, 0)
        found = (before & facts.space[asset].full & ~candidates) | self._stale(asset, candidates)
        if found != before:
            self.stale[asset] = found
            changed.add(asset)
        bad = found | facts.missing(asset)
        news = bad ^ self._bad.get(asset, 0)
        self._bad[asset] = bad
        return news

    def _reached(self, asset: str, below: str, bits: int) -> int:
        found = subsets.NOTHING
        for dep in self._watch.deps(below):
            if dep.asset == asset:
                found |= self._watch.link(dep).any(bits)
        return found

    def _stale(self, asset: str, candidates: int) -> int:
        """Which of `candidates` are stale."""
        facts = self._facts
        candidates &= facts.made_bits.get(asset, 0)
        bits = subsets.NOTHING
        deps = self._watch.deps(asset)
        for dep in deps:
            if bad := self._bad.get(dep.asset, 0):
                bits |= self._watch.link(dep).any(bad)
        bits &= candidates
        version = facts.index.assets[asset].code_version
        known = {dep.asset for dep in deps}
        keys, recorded = facts.space[asset].keys, facts.made.get(asset, {})
        found: list[int] = []
        for place in subsets.places(candidates & ~bits):
            one = recorded[keys[place]]
            if (
                (version and one.code_version not in ("", version))
                or not all(label.partition("/")[0] in known for label in one.inputs)
                or any(self._read_another(dep, one, place) for dep in deps)
            ):
                found.append(place)
        return bits | subsets.of(found)

    def _read_another(self, dep: Dep, one: Made, place: int) -> bool:
        """Whether it was made from another version of an upstream partition than there is now."""
        ups = self._facts.made.get(dep.asset)
        if not ups:
            return False
        keys: Sequence[str] = self._facts.space[dep.asset].keys
        for up in self._watch.link(dep).needs(place):
            key = keys[up]
            version = ups[key].data_version if key in ups else ""
            if version and one.inputs.get(f"{dep.asset}/{key}" if key else dep.asset, "") != version:
                return True
        return False
