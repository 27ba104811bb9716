"""Time partitions as cells: consecutive windows with a key each, found by integer arithmetic on the wall clock.

Keys: hourly `2025-01-31T05`, daily `2025-01-31`, weekly `2025-01-27` (the week's first day), monthly `2025-01`.
A key names where its window begins; `minute`, `hour` and `day` of the definition are not repeated in it.
Surprising rule: a change of UTC offset always ends an hourly window, and where that gives two windows one name both get
the offset appended (`2025-11-02T01-0400`, `2025-11-02T01-0500`). An hour or a day that the clock skipped has no key.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from batuta.core.errors import DefinitionError, PartitionError
from batuta.core.partition_types import TimePartitions
from batuta.core.timezones import YEAR_MAX, YEAR_MIN, Spans, spans, to_seconds

HOUR_S, DAY_S = 3600, 86400
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_MONDAY = -3  # the Monday before 1970-01-01, in days
_EARLIEST = (date(YEAR_MIN, 1, 1).toordinal() - 366 - _EPOCH_ORDINAL) * DAY_S
_LATEST = (date(YEAR_MAX, 1, 1).toordinal() + 366 - _EPOCH_ORDINAL) * DAY_S
_HOURS = [f"T{hour:02d}" for hour in range(24)]
_LENGTH_MAX_S = {"hourly": HOUR_S, "daily": 2 * DAY_S, "weekly": 8 * DAY_S, "monthly": 32 * DAY_S}
# Compiled when first needed: import time counts.
_PATTERNS = {
    "hourly": "([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2})(?:([+-])([0-9]{2})([0-9]{2})([0-9]{2})?)?",
    "daily": "([0-9]{4}-[0-9]{2}-[0-9]{2})",
    "weekly": "([0-9]{4}-[0-9]{2}-[0-9]{2})",
    "monthly": "([0-9]{4}-[0-9]{2})",
}
_LOOKS = {
    "hourly": "like '2025-01-31T05'",
    "daily": "like '2025-01-31'",
    "weekly": "the first day of the week, like '2025-01-27'",
    "monthly": "like '2025-01'",
}


class Cells(NamedTuple):
    """Consecutive windows: the i-th has the key `keys[i]` and lasts from `bounds[i]` to `bounds[i + 1]` (seconds)."""

    keys: list[str]
    bounds: list[int]


def cells(definition: TimePartitions, low: int, high: int) -> Cells:
    """All windows that share a moment with [low, high), whether they are within start and end or not."""
    low = min(max(low, _EARLIEST), _LATEST - 1)
    high = max(min(high, _LATEST), low + 1)
    zone_spans = _spans(definition, low, high)
    if definition.cadence == "hourly":
        return _hour_cells(definition, zone_spans, low, high)
    return _calendar_cells(definition, zone_spans, low, high)


def same_grid(one: TimePartitions, other: TimePartitions) -> bool:
    """Whether both cut time at the same places, so that equal keys mean equal windows."""
    return _grid(one) == _grid(other)


def _grid(definition: TimePartitions) -> tuple[object, ...]:
    return definition.cadence, definition.timezone, definition.hour, definition.minute, definition.day


def _spans(definition: TimePartitions, low: int, high: int) -> Spans:
    return spans(definition.timezone, _year(low) - 1, _year(high) + 1)


def _year(instant: int) -> int:
    return 1970 + instant // 31_556_952


def _hour_cells(definition: TimePartitions, zone_spans: Spans, low: int, high: int) -> Cells:
    keys: list[str] = []
    bounds: list[int] = []
    end = low
    for i in range(zone_spans.index(low), zone_spans.index(high - 1) + 1):
        begin, until = _stretch(zone_spans, i)
        shift = zone_spans.offsets[i] - 60 * definition.minute
        first = (max(begin, low) + shift) // HOUR_S
        last = (min(until, high) - 1 + shift) // HOUR_S
        bounds.append(max(begin, first * HOUR_S - shift))
        bounds.extend(range((first + 1) * HOUR_S - shift, (last + 1) * HOUR_S - shift, HOUR_S))
        end = min(until, (last + 1) * HOUR_S - shift)
        at = len(keys) - first
        keys.extend(_hour_labels(first, last))
        for hour in _twice(zone_spans, i, definition.minute):
            if first <= hour <= last:
                keys[at + hour] += _suffix(zone_spans.offsets[i])
    return Cells(keys, [*bounds, end])


def _stretch(zone_spans: Spans, i: int) -> tuple[int, int]:
    return zone_spans.starts[i], zone_spans.starts[i + 1] if i + 1 < len(zone_spans.starts) else _LATEST + DAY_S


def _hour_labels(first: int, last: int) -> list[str]:
    labels: list[str] = []
    for day in range(first // 24, last // 24 + 1):
        prefix = _day_label(day)
        hours = _HOURS[max(first - 24 * day, 0) : last - 24 * day + 1]
        labels.extend([prefix + hour for hour in hours])
    return labels


def _twice(zone_spans: Spans, i: int, minute: int) -> set[int]:
    """The wall hours of stretch `i` that the stretch before or after it has too."""
    found: set[int] = set()
    for edge in (i, i + 1):
        if 0 < edge < len(zone_spans.starts):
            at = zone_spans.starts[edge]
            first_after = (at + zone_spans.offsets[edge] - 60 * minute) // HOUR_S
            last_before = (at - 1 + zone_spans.offsets[edge - 1] - 60 * minute) // HOUR_S
            found.update(range(first_after, last_before + 1))
    return found


def _suffix(offset: int) -> str:
    minutes, seconds = divmod(abs(offset), 60)
    text = f"{'-' if offset < 0 else '+'}{minutes // 60:02d}{minutes % 60:02d}"
    return f"{text}{seconds:02d}" if seconds else text


def _day_label(day: int) -> str:
    return date.fromordinal(day + _EPOCH_ORDINAL).isoformat()


def _calendar_cells(definition: TimePartitions, zone_spans: Spans, low: int, high: int) -> Cells:
    late = definition.hour * HOUR_S + definition.minute * 60
    first = _unit_of(definition, (zone_spans.wall(low) - late) // DAY_S) - 1
    last = _unit_of(definition, (zone_spans.wall(high - 1) - late) // DAY_S) + 1
    days = [_day_of(definition, unit) for unit in range(first, last + 2)]
    at = [zone_spans.instant(day * DAY_S + late) for day in days]
    kept = [i for i in range(len(at) - 1) if at[i] < at[i + 1] and at[i] < high and at[i + 1] > low]
    width = 7 if definition.cadence == "monthly" else 10
    return Cells([_day_label(days[i])[:width] for i in kept], [at[i] for i in kept] + [at[kept[-1] + 1]])


def _unit_of(definition: TimePartitions, day: int) -> int:
    """The number of the day, week or month that `day` (days since 1970) is in."""
    if definition.cadence == "daily":
        return day
    if definition.cadence == "weekly":
        return (day - _MONDAY - definition.day + 1) // 7
    when = date.fromordinal(day + _EPOCH_ORDINAL)
    return when.year * 12 + when.month - 1 - (when.day < definition.day)


def _day_of(definition: TimePartitions, unit: int) -> int:
    """The first day of the unit, in days since 1970."""
    if definition.cadence == "daily":
        return unit
    if definition.cadence == "weekly":
        return unit * 7 + _MONDAY + definition.day - 1
    return date(unit // 12, unit % 12 + 1, definition.day).toordinal() - _EPOCH_ORDINAL


@lru_cache(maxsize=1024)
def instant_of(text: str, definition: TimePartitions) -> int:
    """An ISO date or datetime as an instant, read on the definition's clock unless it has an offset of its own."""
    try:
        when = datetime.fromisoformat(f"{text}-01" if re.fullmatch("[0-9]{4}-[0-9]{2}", text) else text)
    except (ValueError, TypeError):
        raise DefinitionError(f"{text!r} is not an ISO date", hint="write it like '2025-01-31'") from None
    if not YEAR_MIN <= when.year <= YEAR_MAX:
        raise DefinitionError(f"the year of {text!r} is not within {YEAR_MIN} to {YEAR_MAX}")
    if when.tzinfo is not None:
        return to_seconds(when)
    wall = (when.toordinal() - _EPOCH_ORDINAL) * DAY_S + when.hour * HOUR_S + when.minute * 60 + when.second
    return _spans(definition, wall, wall).instant(wall)


@lru_cache(maxsize=1024)
def limits(definition: TimePartitions) -> tuple[int, int]:
    """The first and the last boundary between windows that `start` and `end` allow, whatever time it is now."""
    begin = instant_of(definition.start, definition)
    first = cells(definition, begin, begin + 1).bounds
    low = first[0] if first[0] >= begin else first[1]
    if definition.end is None:
        return low, _LATEST
    end = instant_of(definition.end, definition)
    return low, cells(definition, end, end + 1).bounds[0]


def extent(definition: TimePartitions, now: int) -> tuple[int, int]:
    """From where to where the partitions reach that exist at `now`; equal where there is none yet."""
    low, high = limits(definition)
    ended = shift(definition, cells(definition, now, now + 1).bounds[0], definition.end_offset)
    return low, max(low, min(high, ended))


def shift(definition: TimePartitions, bound: int, count: int) -> int:
    """The boundary `count` windows after the boundary `bound` (before it, where negative)."""
    reach = (abs(count) + 1) * _LENGTH_MAX_S[definition.cadence]
    if count >= 0:
        bounds = cells(definition, bound, bound + reach).bounds
        return bounds[min(count, len(bounds) - 1)]
    bounds = cells(definition, bound - reach, bound).bounds
    return bounds[max(len(bounds) - 1 + count, 0)]


def existing(definition: TimePartitions, now: int) -> Cells:
    """All partitions that exist at `now`."""
    low, high = extent(definition, now)
    return cells(definition, low, high) if low < high else Cells([], [low])


def find(definition: TimePartitions, key: str, where: str | None = None) -> tuple[int, int]:
    """Begin and end of the window called `key`, existing or not; PartitionError where no window can have that name."""
    match = re.fullmatch(_PATTERNS[definition.cadence], key)
    try:
        wall = _wall_of(definition, match.groups()) if match else None
    except ValueError:
        wall = None
    if match is None or wall is None or not _EARLIEST <= wall <= _LATEST:
        what = f"{key!r} is not the key of {definition.cadence} partitions"
        raise PartitionError(what, where=where, hint=f"these keys are {_LOOKS[definition.cadence]}")
    if definition.cadence == "hourly" and match.group(3):
        hours, minutes, seconds = (int(part or 0) for part in match.group(4, 5, 6))
        at = wall - (hours * HOUR_S + minutes * 60 + seconds) * (-1 if match.group(3) == "-" else 1)
    else:
        at = _spans(definition, wall, wall).instant(wall)
    near = cells(definition, at, at + HOUR_S + 1)
    if key not in near.keys:
        raise _unnamed(definition, key, at, near, where)
    i = near.keys.index(key)
    return near.bounds[i], near.bounds[i + 1]


def _wall_of(definition: TimePartitions, parts: tuple[str | None, ...]) -> int:
    """Wall seconds at which the window with a key of these parts begins; ValueError for an impossible date or hour."""
    hour, minute, day = definition.hour, definition.minute, parts[0] or ""
    if definition.cadence == "hourly":
        hour = int(parts[1] or 0)
        if hour > 23:
            raise ValueError(hour)
    elif definition.cadence == "monthly":
        day = f"{day}-{definition.day:02d}"
    return (date.fromisoformat(day).toordinal() - _EPOCH_ORDINAL) * DAY_S + hour * HOUR_S + minute * 60


def _unnamed(definition: TimePartitions, key: str, at: int, near: Cells, where: str | None) -> PartitionError:
    twins = [other for other in near.keys if other.startswith(key)]
    if definition.cadence == "hourly" and twins:
        around = cells(definition, at - DAY_S, at + DAY_S).keys
        twins = [other for other in around if other.startswith(key)]
        what = f"partition {key!r} is ambiguous: that hour happens twice in {definition.timezone}"
        return PartitionError(what, where=where, hint=f"name one of {', '.join(map(repr, twins))}")
    what = f"partition {key!r} does not exist in {definition.timezone}"
    if definition.cadence == "weekly" and date.fromisoformat(key).isoweekday() != definition.day:
        return PartitionError(f"{key!r} is not the first day of a week", where=where, hint=f"it is in {near.keys[0]!r}")
    if definition.cadence == "hourly" and len(key) > len("2025-01-31T05"):
        return PartitionError(what, where=where, hint=f"did you mean {near.keys[0]!r}?")
    return PartitionError(what, where=where, hint=f"the clock skipped it; the next one is {near.keys[0]!r}")


def locate(definition: TimePartitions, keys: Sequence[str], before: int = 0, after: int = 0) -> tuple[Cells, list[int]]:
    """A stretch of windows that has all `keys`, with `before` and `after` more around it, and each key's place."""
    if not keys:
        return Cells([], [0]), []
    margin = 2 * DAY_S + _LENGTH_MAX_S[definition.cadence]
    low = find(definition, min(keys))[0] - margin - before * _LENGTH_MAX_S[definition.cadence]
    high = find(definition, max(keys))[1] + margin + after * _LENGTH_MAX_S[definition.cadence]
    stretch = cells(definition, low, high)
    place = {key: i for i, key in enumerate(stretch.keys)}
    try:
        return stretch, [place[key] for key in keys]
    except KeyError as missing:
        find(definition, missing.args[0])
        raise
