"""Recurrences of RFC 5545 in a zone: python-dateutil expands the rules, the clock's changes are ours.

Rules are expanded on the wall clock and turned into instants here, because dateutil emits times that a day does not
have. A rule of days or longer fires when the clock has jumped over its time, and the first time where it happens twice;
an hourly or minutely rule fires as often as the clock shows its time. Surprising rule: `start` counts the periods and
gives the parts that the rule leaves out, but fires only if the rule has it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, Protocol

from batuta.core.errors import DefinitionError, nearest
from batuta.core.schedule_specs import Rrule
from batuta.core.timezones import YEAR_MAX, YEAR_MIN, spans, zone

DAY_S = 86400
COUNT_MAX = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_MARGIN_S = 2 * DAY_S  # more than any zone is away from UTC
_HORIZON_S = 50 * 366 * DAY_S
_STEP_S = {"MINUTELY": 60, "HOURLY": 3600, "DAILY": DAY_S, "WEEKLY": 7 * DAY_S, "MONTHLY": 0, "YEARLY": 0}
"""The length of a period where all are alike."""
_BLOCK_S = {"MINUTELY": DAY_S, "HOURLY": 8 * DAY_S, "DAILY": 64 * DAY_S}
"""How much is expanded at once; a year of what is not so frequent."""
_DAYS = "MO TU WE TH FR SA SU"
_RANGES = {
    "BYSECOND": (0, 59),
    "BYMINUTE": (0, 59),
    "BYHOUR": (0, 23),
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366),
}
_PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *_RANGES)


class _Rule(NamedTuple):
    """One RRULE line, checked. `until` is a wall time."""

    freq: str
    interval: int
    text: str
    until: int | None
    counted: bool

    @property
    def real_time(self) -> bool:
        return self.freq in ("MINUTELY", "HOURLY")


class _Expander(Protocol):
    """What we use of dateutil's rules."""

    def between(self, after: datetime, before: datetime) -> list[datetime]: ...

    def __iter__(self) -> Iterator[datetime]: ...


class _Recurrence(NamedTuple):
    rules: tuple[_Rule, ...]
    start: datetime
    begin: int
    """No instant is earlier."""
    dates: tuple[int, ...]
    without: frozenset[int]
    block_s: int
    last: int | None
    """The wall time after which there is nothing, where that is known."""


def validate(rule: Rrule, where: str | None = None) -> None:
    """Raise DefinitionError saying which part is wrong and what it may hold; also where it would never fire."""
    zone(rule.timezone, where)
    try:
        never = following(rule, _parsed(rule).begin) is None
    except DefinitionError as error:
        raise DefinitionError(error.what, where=where, hint=error.hint) from None
    if never:
        raise DefinitionError(f"rrule {rule.rule!r} never fires", where=where, hint="all that it has is excluded")


def following(rule: Rrule, after: int) -> int | None:
    """The first instant after `after` (seconds since 1970 UTC); None where there is none."""
    parsed = _parsed(rule)
    block = max(after, parsed.begin) // parsed.block_s
    end = max(after, parsed.begin) + _HORIZON_S
    if parsed.last is not None:
        end = min(end, parsed.last + _MARGIN_S)
    while block * parsed.block_s <= end:
        instants = _instants(rule, block)
        place = bisect_right(instants, after)
        if place < len(instants):
            return instants[place]
        block += 1
    return None


def preceding(rule: Rrule, before: int) -> int | None:
    """The last instant before `before`; None where there is none."""
    parsed = _parsed(rule)
    if parsed.last is not None:
        before = min(before, parsed.last + _MARGIN_S)
    block = (before - 1) // parsed.block_s
    while (block + 1) * parsed.block_s > parsed.begin:
        instants = _instants(rule, block)
        place = bisect_left(instants, before)
        if place:
            return instants[place - 1]
        block -= 1
    return None


@lru_cache(maxsize=512)
def _instants(rule: Rrule, block: int) -> tuple[int, ...]:
    """All instants of one block of time, in order."""
    parsed = _parsed(rule)
    begin, end = block * parsed.block_s, (block + 1) * parsed.block_s
    year = 1970 + begin // (365 * DAY_S)
    near = spans(rule.timezone, year - 2, year + 2)
    low, high = begin - _MARGIN_S, end + _MARGIN_S
    found = {near.instant(wall) for wall in parsed.dates if low <= wall < high and wall not in parsed.without}
    for one in parsed.rules:
        walls = [wall for wall in _walls(rule, one, low, high) if wall not in parsed.without]
        if one.real_time:
            for i in range(near.index(begin), near.index(end - 1) + 1):
                until = near.starts[i + 1] if i + 1 < len(near.starts) else end
                shown = (wall - near.offsets[i] for wall in walls)
                found.update(at for at in shown if near.starts[i] <= at < until)
        else:
            found.update(near.instant(wall) for wall in walls)
    return tuple(sorted(at for at in found if begin <= at < end))


def _walls(rule: Rrule, one: _Rule, low: int, high: int) -> Iterable[int]:
    """The wall times of one line from `low` to before `high`."""
    if one.counted:
        every = _counted(rule, one)
        return every[bisect_left(every, low) : bisect_left(every, high)]
    if one.until is not None and low > one.until:
        return ()
    start = _without_periods(one, _parsed(rule).start, low)
    found = _expander(one, start).between(_time(low - 1), _time(high))
    return [_wall(time) for time in found]


def _without_periods(one: _Rule, start: datetime, low: int) -> datetime:
    """A later start that counts alike: dateutil expands from the start on, and whole periods can be left out."""
    step = _STEP_S[one.freq]
    if step:
        periods = (low - _wall(start)) // (step * one.interval) - 1
        return start + timedelta(seconds=max(periods, 0) * step * one.interval)
    if start.day > 28:  # as the day that the rule leaves out, it would be another one
        return start
    months = 12 * one.interval if one.freq == "YEARLY" else one.interval
    until = _time(low)
    periods = (12 * (until.year - start.year) + until.month - start.month) // months - 1
    month = 12 * start.year + start.month - 1 + max(periods, 0) * months
    return start.replace(year=month // 12, month=month % 12 + 1)


@lru_cache(maxsize=512)
def _counted(rule: Rrule, one: _Rule) -> tuple[int, ...]:
    return tuple(_wall(time) for time in _expander(one, _parsed(rule).start))


def _expander(one: _Rule, start: datetime) -> _Expander:
    try:
        from dateutil.rrule import rrulestr  # type: ignore[import-untyped]
    except ImportError:
        hint = 'pip install "batuta[rrule]"'
        raise DefinitionError("recurrence rules need the package python-dateutil", hint=hint) from None
    try:
        made: _Expander = rrulestr(one.text, dtstart=start)
    except (ValueError, TypeError) as error:
        raise DefinitionError(f"rrule {one.text!r}: {error}", hint="see RFC 5545, 3.3.10") from None
    return made


@lru_cache(maxsize=2048)
def _parsed(rule: Rrule) -> _Recurrence:
    start = _local(rule.start, rule.timezone, "start")
    rules: list[_Rule] = []
    dates: list[int] = []
    without: list[int] = []
    for name, value in _lines(rule.rule):
        if name == "RRULE":
            rules.append(_rule(value, start, rule.timezone))
        else:
            walls = [_wall(_local(text, rule.timezone, name)) for text in value.split(",")]
            (dates if name == "RDATE" else without).extend(walls)
    if not rules and not dates:
        raise DefinitionError("the rrule is empty", hint="write it like 'FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9'")
    return _Recurrence(
        tuple(rules),
        start,
        min([_wall(start), *dates]) - _MARGIN_S,
        tuple(sorted(dates)),
        frozenset(without),
        min((_BLOCK_S.get(one.freq, 366 * DAY_S) for one in rules), default=366 * DAY_S),
        _last(rules, dates, start),
    )


def _last(rules: Iterable[_Rule], dates: Iterable[int], start: datetime) -> int | None:
    ends = list(dates)
    for one in rules:
        if one.counted:
            ends.extend(_wall(time) for time in _expander(one, start))
        elif one.until is None:
            return None
        else:
            ends.append(one.until)
    return max(ends, default=_wall(start))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        if not line.strip():
            continue
        head, colon, value = line.strip().rpartition(":")
        name = head.partition(";")[0].upper() if colon else "RRULE"
        if name == "DTSTART":
            raise DefinitionError("the rrule holds a DTSTART", hint="give start=, on the clock of timezone=")
        if name not in ("RRULE", "RDATE", "EXDATE"):
            hint = nearest(name, ("RRULE", "RDATE", "EXDATE")) or "lines begin with RRULE:, RDATE: or EXDATE:"
            raise DefinitionError(f"the rrule has a line {name!r}", hint=hint)
        yield name, value.strip()


def _rule(text: str, start: datetime, timezone: str) -> _Rule:
    parts: dict[str, str] = {}
    for part in text.rstrip(";").upper().split(";"):
        name, equals, value = part.strip().partition("=")
        if name not in _PARTS or not equals:
            hint = nearest(name, _PARTS) or f"parts are {', '.join(_PARTS)}"
            raise DefinitionError(f"rrule {text!r}: there is no part {part.strip()!r}", hint=hint)
        if name in parts:
            raise DefinitionError(f"rrule {text!r} has {name} twice", hint="give a list: BYDAY=MO,FR")
        parts[name] = value
    freq = parts.get("FREQ", "")
    if freq not in _STEP_S:
        what = f"rrule {text!r}: FREQ is {freq!r}" if freq else f"rrule {text!r} has no FREQ"
        near = "SECONDLY is not supported: use an interval" if freq == "SECONDLY" else nearest(freq, _STEP_S)
        raise DefinitionError(what, hint=near or f"it is one of {', '.join(_STEP_S)}")
    for name, (low, high) in _RANGES.items():
        for item in parts[name].split(",") if name in parts else ():
            _number(text, name, item, low, high)
    _check_days(text, freq, parts)
    interval = _number(text, "INTERVAL", parts.get("INTERVAL", "1"), 1, 10_000)
    if "COUNT" in parts:
        _number(text, "COUNT", parts["COUNT"], 1, COUNT_MAX)
        if "UNTIL" in parts:
            raise DefinitionError(f"rrule {text!r} has both COUNT and UNTIL", hint="leave one of them out")
    until = None
    if "UNTIL" in parts:
        limit = parts["UNTIL"] if "T" in parts["UNTIL"] else f"{parts['UNTIL']}T235959"
        until = _wall(_local(limit, timezone, "UNTIL"))
        parts["UNTIL"] = _time(until).strftime("%Y%m%dT%H%M%S")
    clean = ";".join(f"{name}={value}" for name, value in parts.items())
    made = _Rule(freq, interval, clean, until, "COUNT" in parts)
    if _never_meet(parts) or next(iter(_expander(made, start)), None) is None:
        hint = "its parts never meet, or it ends before it starts; note that February has no 30th"
        raise DefinitionError(f"rrule {text!r} never fires", hint=hint)
    return made


def _never_meet(parts: dict[str, str]) -> bool:
    """Whether no month has such a day: dateutil would look for one until the year 9999, which takes seconds."""
    days = [int(item) for item in parts.get("BYMONTHDAY", "").split(",") if item]
    months = [int(item) for item in parts.get("BYMONTH", "").split(",") if item] or [1]
    longest = max(29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31 for month in months)
    return bool(days) and min(map(abs, days)) > longest


def _number(text: str, name: str, item: str, low: int, high: int) -> int:
    number = int(item) if re.fullmatch("[+-]?[0-9]{1,5}", item) else None
    if number is None or not low <= number <= high or (low < 0 and number == 0):
        shown = f"{low} to {high}" if low >= 0 else f"1 to {high}, or -1 to {low} counted from the end"
        raise DefinitionError(f"rrule {text!r}: {name} cannot be {item!r}", hint=f"it is {shown}")
    return number


def _check_days(text: str, freq: str, parts: dict[str, str]) -> None:
    """BYDAY and WKST: names of days, with an ordinal only where a month or year is counted."""
    if "WKST" in parts and parts["WKST"] not in _DAYS.split():
        raise DefinitionError(f"rrule {text!r}: WKST cannot be {parts['WKST']!r}", hint=f"it is one of {_DAYS}")
    monthly = freq == "MONTHLY" or (freq == "YEARLY" and "BYMONTH" in parts)
    for item in parts["BYDAY"].split(",") if "BYDAY" in parts else ():
        match = re.fullmatch(f"([+-]?[0-9]{{1,2}})?({_DAYS.replace(' ', '|')})", item)
        number = int(match[1]) if match and match[1] else None
        if match is None or number == 0:
            hint = f"it is {_DAYS}, or 1FR (the first), -1FR (the last Friday)"
            raise DefinitionError(f"rrule {text!r}: BYDAY cannot be {item!r}", hint=hint)
        if number is not None and (freq not in ("MONTHLY", "YEARLY") or abs(number) > (5 if monthly else 53)):
            hint = "an ordinal counts days of a month (1 to 5) or year (1 to 53)"
            raise DefinitionError(f"rrule {text!r}: BYDAY cannot be {item!r} here", hint=hint)


def _local(text: str, timezone: str, what: str) -> datetime:
    """A date-time as the zone's clock shows it; UTC (`...Z`) or with an offset is converted."""
    try:
        when = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        hint = "write it like 2026-01-31T09:00 or 20260131T090000"
        raise DefinitionError(f"rrule: {what} {text!r} is not a date-time", hint=hint) from None
    if not YEAR_MIN <= when.year < YEAR_MAX:
        raise DefinitionError(f"rrule: {what} is in the year {when.year}", hint=f"give {YEAR_MIN} to {YEAR_MAX - 1}")
    local = when if when.tzinfo is None else when.astimezone(zone(timezone))
    return local.replace(tzinfo=None, microsecond=0, fold=0)


def _wall(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(seconds=1)


def _time(wall: int) -> datetime:
    return _EPOCH + timedelta(seconds=wall)
