"""Which ready task runs may start now: by priority, within pools and limits. First come first served among equals.

An entry that a limit holds back is parked under that limit and looked at again only when it has room, so a full pool
costs nothing. Entries in different lanes wait for different room: one that has none never holds up the others.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Entry:
    """A ready attempt. `limits` are (name, slots, maximum): all must have room; maximum None means the pool's own.

    `ready_at` is when it became ready, by the caller's clock.
    """

    run_id: int
    task: int
    attempt: int
    priority: int = 0
    limits: tuple[tuple[str, int, int | None], ...] = ()
    lane: str = ""
    gone: bool = False
    ready_at: float = 0.0


_Heap = list[tuple[int, int, Entry]]
"""(negative priority, order of arrival, entry)."""


@dataclass(slots=True)
class _Limit:
    maximum: int | None
    own: bool = False  # of one run, rather than a pool
    used: int = 0
    parked: _Heap = field(default_factory=list)

    def fits(self, slots: int, promised: int = 0) -> bool:
        """Whether so many more may be taken; what is wider than the whole limit fits where nothing else is.

        A limit of 0 is closed: nothing fits.
        """
        used = self.used + promised
        return self.maximum is None or (not used and self.maximum > 0) or used + slots <= self.maximum


class Admission:
    """The queue of ready attempts and the counts of what runs."""

    def __init__(self, pools: dict[str, int] | None = None) -> None:
        self._pools = dict(pools or {})
        self._limits: dict[str, _Limit] = {}
        self._lanes: dict[str, _Heap] = {}
        self._order = 0
        self._woken = False

    def __len__(self) -> int:
        return sum(len(lane) for lane in self._lanes.values())

    def add(self, entry: Entry) -> None:
        """An attempt is ready."""
        self._order += 1
        self._queue((-entry.priority, self._order, entry))

    def take(self, has_room: Callable[[Entry], bool]) -> Iterator[Entry]:
        """Attempts that may start now, each counted as running; each lane stops where `has_room` says no."""
        self._woken = True
        while self._woken:  # what one lane gives up may be for an entry of another
            self._woken = False
            for lane in list(self._lanes.values()):
                yield from self._take_from(lane, has_room)

    def _take_from(self, lane: _Heap, has_room: Callable[[Entry], bool]) -> Iterator[Entry]:
        while lane:
            entry = lane[0][2]
            if entry.gone:
                heapq.heappop(lane)
                self._wake(entry)
                continue
            full = self._full(entry)
            if full is not None:
                heapq.heappush(full.parked, heapq.heappop(lane))
                self._wake(entry)
                continue
            if not has_room(entry):
                return
            heapq.heappop(lane)
            for name, slots, _maximum in entry.limits:
                self._limits[name].used += slots
            yield entry

    def release(self, entry: Entry) -> None:
        """A started attempt has ended (or was given back): its slots are free."""
        for name, slots, _maximum in entry.limits:
            self._limits[name].used -= slots
        self._wake(entry)

    def set_pools(self, pools: Mapping[str, int]) -> None:
        """The pools have other slots from now on; who waits for one that has become wider is looked at again."""
        self._pools = dict(pools)
        for name, limit in self._limits.items():
            if not limit.own:
                limit.maximum = self._pools.get(name)
                for item in limit.parked:
                    self._queue(item)
                limit.parked.clear()

    def narrow(self, entry: Entry) -> None:
        """Others have filled a pool that the entry needs: start nothing more in its pools until `set_pools`."""
        for name, _slots, maximum in entry.limits:
            if maximum is None:
                self._limits[name].maximum = self._limits[name].used

    def used(self) -> dict[str, int]:
        """Slots in use by limit."""
        return {name: limit.used for name, limit in self._limits.items() if limit.used}

    def _queue(self, item: tuple[int, int, Entry]) -> None:
        heapq.heappush(self._lanes.setdefault(item[2].lane, []), item)

    def _wake(self, entry: Entry) -> None:
        """The room that the entry does not take is for those parked next: as many as it may suffice for."""
        for name, _slots, maximum in entry.limits:
            limit = self._limits.get(name)
            if limit is None:
                continue
            promised = 0
            while limit.parked and limit.fits(_slots_of(limit.parked[0][2], name), promised):
                item = heapq.heappop(limit.parked)
                promised += _slots_of(item[2], name)
                self._queue(item)
                self._woken = True
            if maximum is not None and not limit.used and not limit.parked:
                del self._limits[name]  # of one run, which may never need it again

    def _full(self, entry: Entry) -> _Limit | None:
        for name, slots, maximum in entry.limits:
            limit = self._limits.get(name)
            if limit is None:
                limit = self._limits[name] = _Limit(
                    self._pools.get(name) if maximum is None else maximum, maximum is not None
                )
            if not limit.fits(slots):
                return limit
        return None


def _slots_of(entry: Entry, name: str) -> int:
    return sum(slots for limit, slots, _maximum in entry.limits if limit == name)
