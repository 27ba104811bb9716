"""The times of a timing: crons, intervals, recurrences, and timetables that are functions of the user's.

All are whole seconds since 1970 UTC. Surprising rule: a timetable is a function of the time after which it is asked,
so what came before a time is found by asking from earlier and earlier on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta

from batuta.core import cron, cron_times, rrules
from batuta.core.errors import DefinitionError
from batuta.core.schedule_specs import Cron, Custom, Interval, Rrule, Timing
from batuta.core.timezones import YEAR_MAX, YEAR_MIN, zone

Following = Callable[[float], float | None]
"""What a timetable of the user's says: the first time after the given one, None where there is none."""

CRONS_MAX = 100
_BACK_MAX_S = 3 * 366 * 86400
_AHEAD_MAX = 100_000


def validate(timing: Timing, where: str | None = None) -> None:
    """Raise DefinitionError saying what is wrong with it, and where it would never fire."""
    match timing:
        case Cron():
            if not timing.expressions:
                raise DefinitionError("there is no cron expression", where=where, hint="give one, like '0 6 * * *'")
            if len(timing.expressions) > CRONS_MAX:
                what = f"{len(timing.expressions)} cron expressions in one schedule"
                raise DefinitionError(what, where=where, hint=f"{CRONS_MAX} are the most; write ranges and lists")
            for expression in timing.expressions:
                cron.validate_cron(expression, timing.timezone, where)
        case Interval():
            zone(timing.timezone, where)
            if timing.every_s < 1:
                what = f"the interval is {timing.every_s} s"
                raise DefinitionError(what, where=where, hint="give 1 second or more, in whole seconds")
        case Rrule():
            rrules.validate(timing, where)
        case Custom():
            zone(timing.timezone, where)


def following(timing: Timing, after: int, custom: Following | None = None) -> int | None:
    """The first time after `after`; None where there is none. `custom` speaks for a timetable."""
    match timing:
        case Cron():
            found = [_after(expression, timing.timezone, after) for expression in timing.expressions]
            return min((at for at in found if at is not None), default=None)
        case Interval():
            return after + timing.every_s - (after - timing.anchor) % timing.every_s
        case Rrule():
            return rrules.following(timing, after)
        case Custom():
            return _ask(timing, custom, after)


def preceding(timing: Timing, before: int, custom: Following | None = None) -> int | None:
    """The last time before `before`; None where there is none (of a timetable: within three years)."""
    match timing:
        case Cron():
            found = [_before(expression, timing.timezone, before) for expression in timing.expressions]
            return max((at for at in found if at is not None), default=None)
        case Interval():
            return before - 1 - (before - 1 - timing.anchor) % timing.every_s
        case Rrule():
            return rrules.preceding(timing, before)
        case Custom():
            return _back(timing, custom, before)


def _after(expression: str, timezone: str, after: int) -> int | None:
    table = cron.compiled(expression)
    return None if table is None else cron_times.following(table, timezone, after)


def _before(expression: str, timezone: str, before: int) -> int | None:
    table = cron.compiled(expression)
    return None if table is None else cron_times.preceding(table, timezone, before)


def _ask(timing: Custom, custom: Following | None, after: int) -> int | None:
    if custom is None:
        hint = "its function is in the code location, which is not at hand here"
        raise DefinitionError(f"timetable {timing.timetable!r} cannot be evaluated", hint=hint)
    answer = custom(float(after))
    if answer is None:
        return None
    at = math.floor(answer)
    if at <= after:
        what = f"timetable {timing.timetable!r} gives a time that is not later than the one it was asked for"
        raise DefinitionError(what, hint="return the first time after `after`, in whole seconds, or None")
    return at if (YEAR_MIN - 1970) * 365 * 86400 < at < (YEAR_MAX - 1970) * 365 * 86400 else None


def _back(timing: Custom, custom: Following | None, before: int) -> int | None:
    reach = 60
    while reach <= _BACK_MAX_S:
        at = _ask(timing, custom, before - reach)
        if at is not None and at < before:
            for _ in range(_AHEAD_MAX):
                later = _ask(timing, custom, at)
                if later is None or later >= before:
                    break
                at = later
            return at
        reach *= 4
    return None


def text_of(timing: Timing) -> str:
    """The timing in a few characters, for tables: `0 6 * * *`, `every 5 minutes`, `FREQ=DAILY`."""
    match timing:
        case Cron():
            return " | ".join(timing.expressions)
        case Interval():
            return f"every {_span(timing.every_s)}"
        case Rrule():
            return "; ".join(line.removeprefix("RRULE:") for line in timing.rule.split())
        case Custom():
            return f"timetable {timing.timetable}"


def describe(timing: Timing) -> str:
    """The timing in English."""
    match timing:
        case Cron():
            return "; ".join(cron.describe(expression) for expression in timing.expressions)
        case Interval():
            return f"Every {_span(timing.every_s)}"
        case Rrule():
            return f"By the rule {text_of(timing)}, counted from {timing.start}"
        case Custom():
            return f"By the timetable {timing.timetable!r}"


def _span(seconds: int) -> str:
    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % length == 0:
            count = seconds // length
            return unit if count == 1 else f"{count} {unit}s"
    return f"{seconds} seconds" if seconds < 60 else str(timedelta(seconds=seconds))
