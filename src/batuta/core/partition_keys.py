"""Partition keys: which exist, whether one does, what it covers, and how those of several dimensions are written.

A key of a multi-dimensional definition is `day=2025-01-31|region=eu`: dimensions by name, `%`, `|` and `=` inside a
name or value written as `%25`, `%7C` and `%3D`.
Surprising rule: whether a time partition exists depends on `now`, as its window must have ended (see `TimePartitions`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import NamedTuple

from batuta.core import partition_time
from batuta.core.errors import PartitionError, nearest
from batuta.core.partition_types import (
    DynamicKeys,
    DynamicPartitions,
    MultiPartitions,
    Partitions,
    SinglePartitions,
    StaticPartitions,
    TimePartitions,
)
from batuta.core.similar import similar
from batuta.core.timezones import to_datetime, to_seconds

NO_KEYS: DynamicKeys = {}
_SHOWN_MAX = 8


class Window(NamedTuple):
    """From `start` (included) to `end` (not included), on the clock of the definition's zone."""

    start: datetime
    end: datetime


def escape(text: str) -> str:
    """`text` as it stands inside a key of several dimensions."""
    return text.replace("%", "%25").replace("|", "%7C").replace("=", "%3D")


def unescape(text: str) -> str:
    """The inverse of `escape`."""
    return text.replace("%3D", "=").replace("%7C", "|").replace("%25", "%")


def join_key(parts: Mapping[str, str]) -> str:
    """The key of several dimensions from the key in each: `{"day": ..., "region": ...}`."""
    return "|".join(f"{escape(name)}={escape(parts[name])}" for name in sorted(parts))


def split_key(key: str, where: str | None = None) -> dict[str, str]:
    """The inverse of `join_key`, in any order of dimensions; PartitionError where it is not written like one."""
    parts: dict[str, str] = {}
    for clause in key.split("|"):
        name, equals, value = clause.partition("=")
        name = unescape(name.strip())
        if not equals or name in parts:
            problem = f"names {name!r} twice" if equals else f"has no '=' in {clause!r}"
            raise PartitionError(
                f"partition {key!r} {problem}", where=where, hint="write it like 'day=2025-01-31|region=eu'"
            )
        parts[name] = unescape(value)
    return parts


def keys(definition: Partitions, now: datetime, dynamic_keys: DynamicKeys = NO_KEYS) -> list[str]:
    """All partitions that exist at `now` (aware), in order; the last dimension of a multi varies fastest."""
    match definition:
        case TimePartitions():
            return partition_time.existing(definition, to_seconds(now)).keys
        case StaticPartitions():
            return list(definition.keys)
        case DynamicPartitions():
            return list(dynamic_keys.get(definition.name, ()))
        case MultiPartitions():
            per_dimension = [
                [f"{escape(name)}={escape(key)}" for key in keys(definition.dimensions[name], now, dynamic_keys)]
                for name in sorted(definition.dimensions)
            ]
            return ["|".join(parts) for parts in product(*per_dimension)]


def ends(definition: SinglePartitions, now: datetime, dynamic_keys: DynamicKeys = NO_KEYS) -> tuple[str, str] | None:
    """The first and the last partition that exist at `now`, or None where there is none; cheap however many exist."""
    if not isinstance(definition, TimePartitions):
        known = keys(definition, now, dynamic_keys)
        return (known[0], known[-1]) if known else None
    low, high = partition_time.extent(definition, to_seconds(now))
    if low == high:
        return None
    first, last = (partition_time.cells(definition, at, at + 1).keys[0] for at in (low, high - 1))
    return first, last


def last_key(definition: Partitions, now: datetime, dynamic_keys: DynamicKeys = NO_KEYS) -> str | None:
    """The last partition at `now`; of several dimensions the combination of their last ones."""
    if not isinstance(definition, MultiPartitions):
        found = ends(definition, now, dynamic_keys)
        return found[1] if found else None
    parts = {name: last_key(each, now, dynamic_keys) for name, each in definition.dimensions.items()}
    complete = {name: key for name, key in parts.items() if key is not None}
    return join_key(complete) if len(complete) == len(parts) else None


def contains(definition: Partitions, key: str, now: datetime, dynamic_keys: DynamicKeys = NO_KEYS) -> bool:
    """Whether the partition exists at `now`; False for a key that is not even well formed."""
    try:
        return check_key(definition, key, now, dynamic_keys) == key
    except PartitionError:
        return False


def check_key(
    definition: Partitions,
    key: str,
    now: datetime,
    dynamic_keys: DynamicKeys = NO_KEYS,
    where: str | None = None,
) -> str:
    """The key as it is stored (dimensions by name); PartitionError saying why where the partition does not exist."""
    if isinstance(definition, MultiPartitions):
        parts = split_key(key, where)
        check_dimensions(definition, parts, key, where)
        return join_key(
            {
                name: check_key(definition.dimensions[name], part, now, dynamic_keys, f"{where or key}, {name}")
                for name, part in parts.items()
            }
        )
    if isinstance(definition, TimePartitions):
        start, end = partition_time.find(definition, key, where)
        low, high = partition_time.extent(definition, to_seconds(now))
        if not (low <= start and end <= high):
            raise _absent(definition, key, now, where, early=start < low)
    elif key not in (known := keys(definition, now, dynamic_keys)):
        what = f"partition {key!r} does not exist"
        if isinstance(definition, DynamicPartitions):
            what += f" in dynamic partitions {definition.name!r}"
        raise PartitionError(what, where=where, hint=similar(key, known) or listing(known))
    return key


def check_dimensions(
    definition: MultiPartitions, parts: Mapping[str, str], text: str, where: str | None, *, all_needed: bool = True
) -> None:
    """PartitionError where `parts` names other dimensions than the definition has, or not all that are needed."""
    known = sorted(definition.dimensions)
    for name in parts:
        if name not in definition.dimensions:
            hint = nearest(name, known) or f"its dimensions are {', '.join(known)}"
            raise PartitionError(f"{text!r} names an unknown dimension {name!r}", where=where, hint=hint)
    missing = [name for name in known if name not in parts]
    if missing and all_needed:
        hint = f"name all of {', '.join(known)}, like '{'|'.join(f'{name}=...' for name in known)}'"
        raise PartitionError(f"partition {text!r} lacks {', '.join(missing)}", where=where, hint=hint)


def _absent(definition: TimePartitions, key: str, now: datetime, where: str | None, *, early: bool) -> PartitionError:
    found = ends(definition, now)
    if found is None:
        return PartitionError(
            f"partition {key!r} does not exist: there is none yet", where=where, hint=reach(definition, now)
        )
    if early:
        what = f"partition {key!r} does not exist: the first one is {found[0]!r}"
        return PartitionError(what, where=where, hint=reach(definition, now))
    begin, end = partition_time.find(definition, key)
    if end > partition_time.limits(definition)[1]:
        what = f"partition {key!r} does not exist: the last one is {found[1]!r}"
        return PartitionError(what, where=where, hint=reach(definition, now))
    hint = f"{reach(definition, now)}; this one ends at {_shown(end, definition)}"
    if definition.end_offset == 0 and begin <= to_seconds(now):
        hint += " (end_offset=1 in the definition adds the window that is still open)"
    return PartitionError(f"partition {key!r} does not exist yet", where=where, hint=hint)


def _shown(instant: int, definition: TimePartitions) -> str:
    return to_datetime(instant, definition.timezone).isoformat(timespec="minutes")


def reach(definition: SinglePartitions, now: datetime, dynamic_keys: DynamicKeys = NO_KEYS) -> str:
    """Which partitions exist, in words, for hints."""
    if not isinstance(definition, TimePartitions):
        return listing(keys(definition, now, dynamic_keys))
    found = ends(definition, now)
    if found:
        return f"{definition.cadence} partitions run from {found[0]!r} to {found[1]!r}"
    low = partition_time.limits(definition)[0]
    first = partition_time.cells(definition, low, low + 1)
    return f"the first one, {first.keys[0]!r}, ends at {_shown(first.bounds[1], definition)}"


def listing(known: Sequence[str]) -> str:
    """The keys in words, for hints; the first few of many."""
    if not known:
        return "there are no partitions; add one first"
    shown = ", ".join(map(repr, known[:_SHOWN_MAX]))
    return f"there are {shown}" + (f" and {len(known) - _SHOWN_MAX} more" if len(known) > _SHOWN_MAX else "")


def window(definition: Partitions, key: str, where: str | None = None) -> Window:
    """The time that a partition covers, whether it exists yet or not.

    Of several dimensions that of the one that is time. PartitionError where the key is malformed or there is no (or
    more than one) time dimension.
    """
    if isinstance(definition, MultiPartitions):
        timed = [name for name, each in definition.dimensions.items() if isinstance(each, TimePartitions)]
        parts = split_key(key, where)
        check_dimensions(definition, parts, key, where)
        if len(timed) == 1:
            return window(definition.dimensions[timed[0]], parts[timed[0]], where)
        what = f"partition {key!r} has {len(timed) or 'no'} time dimensions"
        raise PartitionError(what, where=where, hint="ask for the window of one dimension")
    if not isinstance(definition, TimePartitions):
        raise PartitionError(f"partition {key!r} has no window: it is not a partition of time", where=where)
    start, end = partition_time.find(definition, key, where)
    return Window(to_datetime(start, definition.timezone), to_datetime(end, definition.timezone))


def key_at(definition: TimePartitions, when: datetime) -> str:
    """The key of the window that `when` (aware) is in, whether that partition exists or not."""
    instant = to_seconds(when)
    return partition_time.cells(definition, instant, instant + 1).keys[0]
