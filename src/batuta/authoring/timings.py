"""Timings and calendars as people write them: `schedules.every(minutes=5)`, `schedules.business_days("ES")`.

Surprising rule: a date as an end means the end of that day, a date as a start its midnight, on the schedule's clock.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from batuta.authoring.places import user_place
from batuta.core.calendars import BUSINESS_DAYS
from batuta.core.errors import DefinitionError, nearest
from batuta.core.schedule_specs import Calendar, CatchUp, Cron, Interval, OnExcluded, Rrule
from batuta.core.timezones import YEAR_MAX, YEAR_MIN, to_datetime, to_seconds, zone

__all__ = ["Calendar", "CatchUp", "Cron", "Interval", "Rrule", "business_days", "calendar", "cron", "every", "rrule"]

Moment = datetime | date | str
"""A time or day; as text in ISO form."""

RRULE_START = "2000-01-03T00:00:00"
"""From where a recurrence is counted if nobody says: a Monday's midnight."""
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def cron(*expressions: str, timezone: str = "UTC") -> Cron:
    """Whenever one of the expressions says so."""
    return Cron(tuple(expressions), timezone)


def every(
    *,
    days: float = 0,
    hours: float = 0,
    minutes: float = 0,
    seconds: float = 0,
    anchor: Moment | None = None,
    timezone: str = "UTC",
) -> Interval:
    """An interval of real time, counted from `anchor` (else from 1970-01-01T00:00 UTC). Raises DefinitionError."""
    where = str(user_place())
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    begin = 0 if anchor is None else int(instant(anchor, timezone, where))
    return Interval(whole_seconds(length, where), begin, timezone)


def rrule(rule: str, start: Moment | None = None, *, timezone: str = "UTC") -> Rrule:
    """A recurrence of RFC 5545, such as `FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=18;BYMINUTE=0`; lines of RDATE and EXDATE too.

    `start` (DTSTART) is where its periods are counted from, on the clock of `timezone`. Raises DefinitionError where
    the rule counts and there is none.
    """
    where = str(user_place())
    if start is None:
        if re.search("(?:INTERVAL|COUNT)=(?!1(?:;|$))", str(rule), re.IGNORECASE | re.MULTILINE):
            what = f"rrule {rule!r} counts from a start that is not given"
            raise DefinitionError(what, where=where, hint='give start="2026-01-05T09:00"')
        return Rrule(rule, RRULE_START, timezone)
    at = to_datetime(int(instant(start, timezone, where)), timezone)
    return Rrule(rule, at.replace(tzinfo=None).isoformat(), timezone)


def calendar(
    *,
    weekdays: Sequence[int | str] = (1, 2, 3, 4, 5, 6, 7),
    exclude: Sequence[date | str] = (),
    include: Sequence[date | str] = (),
    holidays: str | Sequence[str] = (),
    on_excluded: OnExcluded = "skip",
) -> Calendar:
    """The days on which a schedule fires.

    `weekdays`: 1 (Monday) to 7, or names. `exclude`, `include`: dates, `12-24` for every year, ranges such as
    `2026-08-01..2026-08-15`. `holidays`: countries (`ES`), parts of one (`ES-MD`), exchanges (`XNYS`), from the package
    `holidays`. `on_excluded`: "skip" such a time, or move it to the "next" or "previous" day that is not excluded.
    Raises DefinitionError.
    """
    where = str(user_place())
    return Calendar(
        tuple(_weekday(day, where) for day in ([weekdays] if isinstance(weekdays, str) else weekdays)),
        _dates(exclude),
        _dates(include),
        (holidays,) if isinstance(holidays, str) else tuple(holidays),
        on_excluded,
    )


def business_days(*holidays: str, on_excluded: OnExcluded = "skip") -> Calendar:
    """Monday to Friday but for the holidays of these countries, parts of countries, or exchanges."""
    return Calendar(BUSINESS_DAYS, holidays=tuple(holidays), on_excluded=on_excluded)


def whole_seconds(length: timedelta, where: str) -> int:
    """The length of an interval. Raises DefinitionError."""
    if length < timedelta(seconds=1) or length % timedelta(seconds=1):
        hint = "give 1 second or more, in whole seconds"
        raise DefinitionError(f"the interval is {length.total_seconds():g} s", where=where, hint=hint)
    return length // timedelta(seconds=1)


def instant(when: Moment, timezone: str, where: str, *, end: bool = False) -> float:
    """Seconds since 1970 UTC; without an offset of its own it is on the clock of the zone. Raises DefinitionError."""
    tz = zone(timezone, where)
    moment = _parsed(when, where) if isinstance(when, str) else when
    if isinstance(moment, datetime):
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=tz)
        _check_year(moment, where)
        return float(to_seconds(moment))
    if isinstance(moment, date):
        _check_year(moment, where)
        midnight = datetime(moment.year, moment.month, moment.day, tzinfo=tz)
        return to_seconds(midnight + timedelta(days=1)) - 1.0 if end else float(to_seconds(midnight))
    raise DefinitionError(f"{when!r} is not a time", where=where, hint="give a date, a datetime, or ISO text")


def _parsed(text: str, where: str) -> datetime | date:
    try:
        if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
        return datetime.fromisoformat(text)
    except ValueError:
        hint = "write it like 2026-01-31 or 2026-01-31T09:00"
        raise DefinitionError(f"{text!r} is not a time", where=where, hint=hint) from None


def _check_year(when: date, where: str) -> None:
    if not YEAR_MIN <= when.year < YEAR_MAX:
        hint = f"give {YEAR_MIN} to {YEAR_MAX - 1}"
        raise DefinitionError(f"the year of {when.isoformat()} is out of range", where=where, hint=hint)


def _weekday(day: Any, where: str) -> int:
    if isinstance(day, str):
        for number, name in enumerate(_WEEKDAYS, start=1):
            if day.lower() in (name, name[:3]):
                return number
        hint = nearest(day.lower(), _WEEKDAYS) or "write 1 to 7, or monday to sunday"
        raise DefinitionError(f"calendar: there is no weekday {day!r}", where=where, hint=hint)
    return int(day)


def _dates(items: Sequence[date | str] | date | str) -> tuple[str, ...]:
    items = [items] if isinstance(items, (str, date)) else items
    return tuple(item.isoformat()[:10] if isinstance(item, date) else str(item) for item in items)
