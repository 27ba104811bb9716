"""On which days a schedule fires: weekdays, dates, holidays; and to which day an excluded time is moved.

Days are days of the schedule's own zone. Surprising rule: a date in `include` fires whatever else is said of it, a
holiday on a Sunday too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from batuta.core.errors import DefinitionError, nearest
from batuta.core.schedule_specs import Calendar

BUSINESS_DAYS = (1, 2, 3, 4, 5)
MOVE_MAX_DAYS = 31
"""How far a time is moved; where every day is excluded for longer, it is left out."""
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LANGUAGE = "en_US"  # the usual one depends on the version of Python and the locale
_YEARLY = re.compile("[0-9]{2}-[0-9]{2}")


def validate(calendar: Calendar, where: str | None = None) -> None:
    """Raise DefinitionError for a weekday, date or country that does not exist, and where no day is left."""
    wrong = [day for day in calendar.weekdays if day not in range(1, 8)]
    if wrong:
        hint = "a weekday is 1 (Monday) to 7 (Sunday)"
        raise DefinitionError(f"calendar: there is no weekday {wrong[0]!r}", where=where, hint=hint)
    if calendar.on_excluded not in ("skip", "next", "previous"):
        what = f"calendar: on_excluded is {calendar.on_excluded!r}"
        raise DefinitionError(what, where=where, hint="it is 'skip', 'next' or 'previous'")
    try:
        _Dates(calendar.exclude)
        _Dates(calendar.include)
        for region in calendar.holidays:
            _holidays(region, 2026)
    except DefinitionError as error:
        raise DefinitionError(error.what, where=where, hint=error.hint) from None
    if not calendar.weekdays and not calendar.include:
        hint = "name weekdays, or dates to include"
        raise DefinitionError("calendar: it leaves no day to fire on", where=where, hint=hint)


def excluded(calendar: Calendar | None, day: int) -> str:
    """Why `day` (days since 1970) is left out: "Saturday", "holiday: Epiphany (ES)"; "" where it is not."""
    return "" if calendar is None else _reason(calendar, day)


@lru_cache(maxsize=32768)
def _reason(calendar: Calendar, day: int) -> str:
    when = date.fromordinal(day + _EPOCH_ORDINAL)
    if when in _dates(calendar.include):
        return ""
    if when.isoweekday() not in calendar.weekdays:
        return _WEEKDAYS[when.weekday()]
    if when in _dates(calendar.exclude):
        return "excluded date"
    for region in calendar.holidays:
        name = _holidays(region, when.year).get(when)
        if name is not None:
            return f"holiday: {name} ({region})"
    return ""


def target(calendar: Calendar, day: int) -> int | None:
    """The day on which times of `day` fire: itself, the day they are moved to, or None where they are left out."""
    if not _reason(calendar, day):
        return day
    if calendar.on_excluded == "skip":
        return None
    step = 1 if calendar.on_excluded == "next" else -1
    for distance in range(1, MOVE_MAX_DAYS + 1):
        if not _reason(calendar, day + step * distance):
            return day + step * distance
    return None


def sources(calendar: Calendar, day: int) -> tuple[int, int]:
    """The first and the last day whose times fire on `day`, which is not excluded itself."""
    first = last = day
    if calendar.on_excluded == "next":
        while day - first < MOVE_MAX_DAYS and _reason(calendar, first - 1):
            first -= 1
    elif calendar.on_excluded == "previous":
        while last - day < MOVE_MAX_DAYS and _reason(calendar, last + 1):
            last += 1
    return first, last


class _Dates:
    """Dates, yearly dates and ranges, as written."""

    def __init__(self, items: tuple[str, ...]) -> None:
        self.yearly: set[tuple[int, int]] = set()
        self.ranges: list[tuple[date, date]] = []
        for item in items:
            first, dots, last = str(item).partition("..")
            if _YEARLY.fullmatch(first) and not dots:
                leap = _date(f"2000-{first}", item)
                self.yearly.add((leap.month, leap.day))
                continue
            begin, end = _date(first, item), _date(last if dots else first, item)
            if end < begin:
                raise DefinitionError(f"calendar: {item!r} ends before it begins", hint="write first..last")
            self.ranges.append((begin, end))

    def __contains__(self, when: date) -> bool:
        return (when.month, when.day) in self.yearly or any(first <= when <= last for first, last in self.ranges)


@lru_cache(maxsize=1024)
def _dates(items: tuple[str, ...]) -> _Dates:
    return _Dates(items)


def _date(text: str, item: object) -> date:
    try:
        if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    hint = "write 2026-12-24, 12-24 for every year, or 2026-08-01..2026-08-15"
    raise DefinitionError(f"calendar: {item!r} is not a date", hint=hint)


@lru_cache(maxsize=1024)
def _holidays(region: str, year: int) -> Mapping[date, str]:
    """The holidays of a country, a part of one or an exchange in one year."""
    try:
        import holidays
    except ImportError:
        what = f"calendar: holidays of {region!r} need the package holidays"
        raise DefinitionError(what, hint='pip install "batuta[holidays]"') from None
    years = range(year - 1, year + 2)  # New Year's Day may be observed in the year before
    country, _, part = region.partition("-")
    if country not in (known := holidays.list_supported_countries(include_aliases=True)):
        if region in holidays.list_supported_financial():
            return _in_year(holidays.financial_holidays(region, years=years, language=_LANGUAGE), year)
        everything = [*known, *holidays.list_supported_financial()]
        hint = nearest(region, everything) or "give a country ('ES'), a part of it ('ES-MD') or an exchange ('XNYS')"
        raise DefinitionError(f"calendar: no holidays are known of {region!r}", hint=hint)
    try:
        return _in_year(holidays.country_holidays(country, subdiv=part or None, years=years, language=_LANGUAGE), year)
    except NotImplementedError:
        hint = nearest(part, known[country]) or f"parts of {country} are {', '.join(known[country]) or 'not known'}"
        raise DefinitionError(f"calendar: {country} has no part {part!r}", hint=hint) from None


def _in_year(found: Mapping[date, Any], year: int) -> Mapping[date, str]:
    return {when: str(name) for when, name in found.items() if when.year == year}
