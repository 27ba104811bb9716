"""The partitions that exist, numbered, and what a subset of an upstream's means for a downstream: `subsets` with keys.

Equal definitions share one `Space`. The surprising rule: a space changes in place when time goes on or keys are added;
`Spaces.refresh` says which did and how the bits of subsets made before have to move.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import product

import msgspec

from batuta.core import partition_time, subsets
from batuta.core.partition_keys import keys, last_key, split_key
from batuta.core.partition_mapping import Aligned, Every, PartitionMapping, edges
from batuta.core.partition_types import (
    DynamicKeys,
    DynamicPartitions,
    MultiPartitions,
    Partitions,
    TimePartitions,
)
from batuta.core.timezones import to_seconds

NEVER = float("inf")
Moved = Callable[[int], int]
"""Where the bits of a subset are after a change of its space."""

_WHOLE = b"null"
_encoder = msgspec.json.Encoder(order="deterministic")


class Space:
    """The existing partitions of one definition (None: the one of an asset without partitions, called "")."""

    __slots__ = ("_at", "_bits", "_dynamic_keys", "definition", "full", "keys", "name", "place", "version")

    def __init__(self, name: bytes, definition: Partitions | None, now: datetime, dynamic_keys: DynamicKeys) -> None:
        self.name = name
        self.definition = definition
        self.version = 0
        self._bits: dict[object, int] = {}
        self.keys: Sequence[str] = ()
        self.place: dict[str, int] = {}
        self.full = 0
        self.take(now, dynamic_keys)

    def take(self, now: datetime, dynamic_keys: DynamicKeys) -> Moved | None:
        """Become what exists at `now`; None where nothing changed."""
        self._at, self._dynamic_keys = now, dynamic_keys
        found = [""] if self.definition is None else keys(self.definition, now, dynamic_keys)
        if found == self.keys:
            return None
        before, self.keys = self.keys, found
        self.place = {key: i for i, key in enumerate(found)}
        self.full = subsets.full(len(found))
        self.version += 1
        self._bits.clear()
        if list(before) == found[: len(before)]:
            return _unmoved
        place = self.place
        return lambda bits: subsets.of(place[before[i]] for i in subsets.places(bits) if before[i] in place)

    def bits(self, wanted: Sequence[str]) -> int:
        """The subset of these keys; those that do not exist are left out."""
        place = self.place
        return subsets.of(place[key] for key in wanted if key in place)

    def keys_of(self, bits: int) -> list[str]:
        """The keys of a subset, in order."""
        return [self.keys[i] for i in subsets.places(bits)]

    def latest(self, count: int) -> int:
        """The last `count` partitions of time, in every time dimension; all where there is no time."""
        if isinstance(self.definition, TimePartitions):
            return self.full & ~subsets.full(max(len(self.keys) - count, 0))
        if not isinstance(self.definition, MultiPartitions):
            return self.full
        found = self._bits.get(count)
        if found is None:
            dimensions = [self.definition.dimensions[name] for name in sorted(self.definition.dimensions)]
            sizes = [len(keys(each, self._at, self._dynamic_keys)) for each in dimensions]
            first = [
                max(size - count, 0) if isinstance(each, TimePartitions) else 0
                for each, size in zip(dimensions, sizes, strict=True)
            ]
            places = enumerate(product(*map(range, sizes)))
            found = subsets.of(i for i, at in places if all(a >= low for a, low in zip(at, first, strict=True)))
            self._bits[count] = found
        return found

    @property
    def timed(self) -> TimePartitions | None:
        """The definition, or the only dimension of it, that is by time."""
        if isinstance(self.definition, TimePartitions):
            return self.definition
        if isinstance(self.definition, MultiPartitions):
            found = [each for each in self.definition.dimensions.values() if isinstance(each, TimePartitions)]
            return found[0] if len(found) == 1 else None
        return None

    def newest_at(self, moment: datetime) -> int:
        """What existed at `moment` and is the newest of that; nothing where there was none. Only where it is timed."""
        timed = self.timed
        last = None if timed is None else last_key(timed, moment)
        if last is None:
            return subsets.NOTHING
        if timed is self.definition:
            return self.bits([last])
        assert isinstance(self.definition, MultiPartitions)
        found = self._bits.get(last)
        if found is None:
            name = next(name for name, each in self.definition.dimensions.items() if each is timed)
            found = subsets.of(i for i, key in enumerate(self.keys) if split_key(key)[name] == last)
            self._bits[last] = found
        return found


def _unmoved(bits: int) -> int:
    return bits


class Link:
    """Which partitions of a downstream space need which of an upstream one."""

    __slots__ = ("_down", "_needing", "_up", "every", "rows")

    def __init__(self, up: Space, down: Space, mapping: PartitionMapping | None, now: datetime, dyn: DynamicKeys):
        self._up, self._down = up, down
        self._needing: list[list[int]] | None = None
        self.rows: Sequence[Sequence[int]] | None = None
        """The places upstream of each place downstream; None where all need `every` one, or each its like."""
        self.every = False
        own = () if down.definition is None else down.keys
        found = edges(mapping, up.definition, up.keys, down.definition, own, now, dyn)
        match found:
            case Aligned():
                pass
            case Every():
                self.every = True
            case _:
                self.rows = found.indices

    def any(self, bits: int) -> int:
        """The downstream partitions that need one of these."""
        if not bits:
            return subsets.NOTHING
        if self.every:
            return self._down.full
        if self.rows is None:
            return bits & self._down.full
        if self._needing is None:
            self._needing = [[] for _ in self._up.keys]
            for place, row in enumerate(self.rows):
                for up in row:
                    self._needing[up].append(place)
        found: set[int] = set()
        for up in subsets.places(bits):
            found.update(self._needing[up])
        return subsets.of(found)

    def all(self, bits: int) -> int:
        """The downstream partitions all of whose needs are among these."""
        return self._down.full & ~self.any(self._up.full & ~bits)

    def needs(self, place: int) -> Sequence[int]:
        """The upstream places that a downstream place needs."""
        if self.every:
            return range(len(self._up.keys))
        return (place,) if self.rows is None else self.rows[place]


class Spaces:
    """All spaces in use, and the links between them, at one moment."""

    def __init__(self, now: datetime, dynamic_keys: DynamicKeys) -> None:
        self.now = now
        self.dynamic_keys = dynamic_keys
        self._spaces: dict[bytes, Space] = {}
        self._links: dict[tuple[bytes, bytes, bytes], tuple[int, int, Link]] = {}
        self._changes_at = NEVER

    @property
    def changes_at(self) -> float:
        """When other partitions exist, through time alone (seconds since the epoch)."""
        return self._changes_at

    def of(self, definition: Partitions | None) -> Space:
        """The space of a definition."""
        name = _WHOLE if definition is None else _encoder.encode(definition)
        found = self._spaces.get(name)
        if found is None:
            found = self._spaces[name] = Space(name, definition, self.now, self.dynamic_keys)
            self._changes_at = min(self._changes_at, changes_at(definition, self.now))
        return found

    def link(self, up: Space, down: Space, mapping: PartitionMapping | None, name: bytes) -> Link:
        """The link between two spaces; `name` is the encoded mapping."""
        key = (up.name, down.name, name)
        kept = self._links.get(key)
        if kept is not None and kept[0] == up.version and kept[1] == down.version:
            return kept[2]
        made = Link(up, down, mapping, self.now, self.dynamic_keys)
        self._links[key] = up.version, down.version, made
        return made

    def refresh(self, now: datetime, dynamic_keys: DynamicKeys | None) -> dict[bytes, Moved]:
        """Go on to `now`; the spaces that changed, by name, with how their bits move. Dynamic keys None: unchanged."""
        self.now = now
        other_keys = dynamic_keys is not None and dynamic_keys != self.dynamic_keys
        if dynamic_keys is not None:
            self.dynamic_keys = dynamic_keys
        if now.timestamp() < self._changes_at and not other_keys:
            return {}
        changed: dict[bytes, Moved] = {}
        for name, space in self._spaces.items():
            moved = space.take(now, self.dynamic_keys)
            if moved is not None:
                changed[name] = moved
        self._changes_at = min((changes_at(one.definition, now) for one in self._spaces.values()), default=NEVER)
        return changed


def changes_at(definition: Partitions | None, now: datetime) -> float:
    """When time alone may change what exists (seconds since the epoch)."""
    match definition:
        case TimePartitions():
            instant = to_seconds(now)
            return partition_time.cells(definition, instant, instant + 1).bounds[1]
        case MultiPartitions():
            return min((changes_at(each, now) for each in definition.dimensions.values()), default=NEVER)
        case _:
            return NEVER


def mapping_name(mapping: PartitionMapping | None) -> bytes:
    """By what `Spaces.link` knows a mapping."""
    return b"" if mapping is None else _encoder.encode(mapping)


def may_move(definition: Partitions | None) -> bool:
    """Whether the place of a key may be another later, so that keys are to be kept, not places."""
    return isinstance(definition, MultiPartitions | DynamicPartitions)
