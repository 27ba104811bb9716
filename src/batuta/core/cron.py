"""Cron expressions: checked with an error per field, and the times at which they fire in a zone.

Five fields (minute hour day month weekday), six (second first), or `@hourly`, `@daily`, `@midnight`, `@weekly`,
`@monthly`, `@yearly`, `@annually`. The arithmetic is that of `cron_times`, which follows Debian's cron: a time that the
clock skips fires when the clock has jumped, one that happens twice fires the first time only; with `*` at the start of
minute or hour (or six fields) it is real time that counts. Surprising rule: day and weekday are joined by OR unless one
begins with `*`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice

from batuta.core import cron_times
from batuta.core.errors import DefinitionError, nearest
from batuta.core.timezones import to_seconds, validate_zone, zone

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_FIELDS = ("second", "minute", "hour", "day of month", "month", "day of week")
_ALLOWED = {
    "second": "0-59",
    "minute": "0-59",
    "hour": "0-23",
    "day of month": "1-31, L (the last day) or LW (the last weekday)",
    "month": "1-12 or JAN-DEC",
    "day of week": "0-7 (0 and 7 are Sunday) or SUN-SAT, 5L (the last Friday), 1#2 (the second Monday)",
}
_NAMES = {
    "month": ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    "day of week": ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
}
_LENGTH_MAX = 1000
_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # any will do: an expression fires within decades of it or never


def validate_cron(expression: str, timezone: str = "UTC", where: str | None = None) -> None:
    """Raise DefinitionError saying which field is wrong and what it may hold; also where it would never fire."""
    validate_zone(timezone, where)
    _validate_fields(expression, where)
    if next(times(expression, timezone, _SOME_TIME), None) is None:
        hint = "the day of month, month and day of week never meet; note that February has no 30th"
        raise DefinitionError(f"cron {expression!r} never fires", where=where, hint=hint)


def next_times(expression: str, timezone: str, after: datetime, count: int = 1) -> list[datetime]:
    """The next `count` times after `after` (aware, itself not included), on the clock of the zone; fewer if it ends."""
    return list(islice(times(expression, timezone, after), count))


def times(expression: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """All times after `after` (aware, itself not included), each later than the one before, on the zone's clock."""
    at = to_seconds(after)  # refuses a naive time
    tz = zone(timezone)
    table = compiled(expression)
    while table is not None:
        found = cron_times.following(table, timezone, at)
        if found is None:
            return
        at = found
        yield datetime.fromtimestamp(at, UTC).astimezone(tz)


@lru_cache(maxsize=4096)
def compiled(expression: str) -> cron_times.CronTable | None:
    """What `cron_times` computes with; None where no month has such a day. DefinitionError for a wrong field."""
    from cronsim import CronSim, CronSimError

    text = _expanded(expression)
    fields = text.split()
    try:
        parsed = CronSim(text, _SOME_TIME)
    except CronSimError:
        _validate_fields(expression)
        return None
    real_time = len(fields) == 6 or fields[0].startswith("*") or fields[1].startswith("*")
    return cron_times.CronTable(parsed, real_time=real_time)


def describe(expression: str) -> str:
    """The expression in English: `0 6 * * MON-FRI` is "At 06:00 on Monday through Friday"."""
    from cronsim import CronSim

    _validate_fields(expression)
    return CronSim(_expanded(expression), _SOME_TIME).explain()


def _expanded(expression: str, where: str | None = None) -> str:
    """The expression in five or six fields; DefinitionError where it has another number of them."""
    text = str(expression).strip()
    if text.startswith("@"):
        if text.lower() not in ALIASES:
            hint = nearest(text.lower(), ALIASES) or f"there are {', '.join(ALIASES)}; every 5 minutes is '*/5 * * * *'"
            raise DefinitionError(f"unknown cron alias {text!r}", where=where, hint=hint)
        return ALIASES[text.lower()]
    if len(text) > _LENGTH_MAX:
        raise DefinitionError(f"a cron expression of {len(text)} characters", where=where, hint="use several schedules")
    count = len(text.split())
    if count not in (5, 6):
        what = f"cron {text!r} has {count} field{'s' if count != 1 else ''}, not 5 or 6"
        hint = "write: minute hour day-of-month month day-of-week, e.g. '0 6 * * MON-FRI', or an alias like @daily"
        raise DefinitionError(what, where=where, hint=hint)
    return text


def _validate_fields(expression: str, where: str | None = None) -> None:
    fields = _expanded(expression, where).split()
    for name, field in zip(_FIELDS[-len(fields) :], fields, strict=True):
        for item in field.split(","):
            if not _is_right(name, item):
                what = f"cron {expression!r}: the {name} cannot be {item!r}"
                raise DefinitionError(what, where=where, hint=_field_hint(name, item.upper()))


def _is_right(name: str, item: str) -> bool:
    """Whether `item` alone can stand in the field."""
    from cronsim import CronSim, CronSimError

    if not item:
        return False
    fields = ["*"] * len(_FIELDS)
    fields[_FIELDS.index(name)] = item
    try:
        CronSim(" ".join(fields), _SOME_TIME)
    except CronSimError:
        return False
    return True


def _field_hint(name: str, item: str) -> str:
    if item == "?":
        return "write * for any"
    if not item:
        return "there is a comma too many"
    names = _NAMES.get(name, [])
    for word in re.findall("[A-Z]{2,}", item):
        close = [known for known in names if word.startswith(known)]
        if close and word == f"{close[0]}L":
            return f"write {names.index(close[0])}L for the last one of a month"
        if close and word not in names:
            return f"write {close[0]} for {word}"
    if upside_down := re.fullmatch("([0-9]+|[A-Z]{3})-([0-9]+|[A-Z]{3})", item):
        numbers = [_number(name, names, part) for part in upside_down.groups()]
        if None not in numbers and (numbers[0] or 0) > (numbers[1] or 0):
            return _upward(name, numbers[0] or 0, numbers[1] or 0)
    example = "a list 1,2, a range 1-5, a step */5" if name in ("second", "minute", "hour") else "a list, range or step"
    return f"a {name} is {_ALLOWED[name]}; * is any; also {example}"


def _number(name: str, names: list[str], part: str) -> int | None:
    if part in names:
        return names.index(part) + (name == "month")
    return int(part) if part.isdigit() and _is_right(name, part) else None


def _upward(name: str, low: int, high: int) -> str:
    """What to write for a range that runs over the end of the field."""
    if name == "day of week" and high == 0:
        return f"a range runs upward; write {low}-7"
    first = 0 if name in ("second", "minute", "hour", "day of week") else 1
    last = {"hour": 23, "day of month": 31, "month": 12, "day of week": 6}.get(name, 59)
    return f"a range runs upward; write {low}-{last},{first}-{high}"
