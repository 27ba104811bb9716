"""The logical times of one schedule: those of its timing on the days of its calendar, between its start and its end.

Surprising rule: moved times are found by the day they are moved to. All that lands on one day is sorted and counted
once, so that a Saturday's and a Sunday's run that are moved to a Monday with a run of its own are one run.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from functools import lru_cache
from typing import NamedTuple

from batuta.core import calendars, timetables
from batuta.core.cron_times import around
from batuta.core.errors import DefinitionError
from batuta.core.schedule_specs import Calendar, ScheduleSpec, Skipped, Timing
from batuta.core.timetables import Following

DAY_S = 86400
COUNT_MAX = 100
"""Times that are left out are counted up to so many."""
MOVED_MAX = 10_000
_EXCLUDED_DAYS_MAX = 3000
"""How many days in a row that would have fired may be excluded before it is given up."""
_REASONS_SHOWN = 3


class Tick(NamedTuple):
    """A logical time, and the excluded time that was moved there, if it was."""

    at: int
    moved_from: int | None = None


class Times:
    """The logical times of `spec`. `custom` speaks for a timetable of the user's."""

    def __init__(self, spec: ScheduleSpec, custom: Following | None = None) -> None:
        self.timing = spec.timing
        self.calendar = spec.calendar
        self.custom = custom
        self.first = None if spec.start_at is None else math.ceil(spec.start_at)
        self.last = None if spec.end_at is None else math.floor(spec.end_at)
        self._moving = spec.calendar is not None and spec.calendar.on_excluded != "skip"

    def following(self, after: int) -> Tick | None:
        """The first logical time after `after` within start and end."""
        if self.first is not None and after < self.first:
            after = self.first - 1
        found = self._moved_after(after) if self._moving else self._kept_after(after)
        return None if found is None or (self.last is not None and found.at > self.last) else found

    def preceding(self, before: int) -> int | None:
        """The last logical time before `before`, also where it is before the start; data intervals begin there."""
        if self.last is not None and before > self.last:
            before = self.last + 1
        return self._moved_before(before) if self._moving else self._kept_before(before)

    def left_out(self, after: int, until: int) -> Skipped | None:
        """What the calendar excludes after `after`, up to and with `until`, that is not moved either."""
        if self.calendar is None:
            return None
        if self.first is not None and after < self.first:
            after = self.first - 1
        until = until if self.last is None else min(until, self.last)
        return self._excluded(self.calendar, after, until)

    # ---- without moving ----

    def _kept_after(self, after: int) -> Tick | None:
        at = self._raw_after(after)
        for _ in range(_EXCLUDED_DAYS_MAX):
            if at is None or self.calendar is None:
                break
            day = self._day(at)
            if not calendars.excluded(self.calendar, day):
                break
            at = self._raw_after(self._midnight(day + 1) - 1)
        else:
            return None
        return None if at is None else Tick(at)

    def _kept_before(self, before: int) -> int | None:
        at = self._raw_before(before)
        for _ in range(_EXCLUDED_DAYS_MAX):
            if at is None or self.calendar is None:
                return at
            day = self._day(at)
            if not calendars.excluded(self.calendar, day):
                return at
            at = self._raw_before(self._midnight(day))
        return None

    def _excluded(self, calendar: Calendar, after: int, until: int) -> Skipped | None:
        reasons: dict[str, None] = {}
        count, first, last = 0, None, None
        at = self._raw_after(after)
        while at is not None and at <= until:
            day = self._day(at)
            if calendars.target(calendar, day) is not None:
                break_at = self._midnight(day + 1) - 1
            else:
                reasons[calendars.excluded(calendar, day)] = None
                break_at = min(self._midnight(day + 1) - 1, until)
                first = at if first is None else first
                while at is not None and at <= break_at and count <= COUNT_MAX:
                    count, last, at = count + 1, at, self._raw_after(at)
                if count > COUNT_MAX:
                    last = self._raw_before(break_at + 1)
            at = self._raw_after(break_at)
        if first is None or last is None:
            return None
        shown = list(reasons)[:_REASONS_SHOWN]
        reason = ", ".join(shown) + (" and more" if len(reasons) > len(shown) else "")
        return Skipped(float(first), float(last), None if count > COUNT_MAX else count, "excluded", reason)

    # ---- with moving ----

    def _moved_after(self, after: int) -> Tick | None:
        assert self.calendar is not None
        day = start = self._day(after + 1)
        if self.calendar.on_excluded == "next":
            while start - day < calendars.MOVE_MAX_DAYS and calendars.excluded(self.calendar, day - 1):
                day -= 1
        for _ in range(_EXCLUDED_DAYS_MAX):
            at = self._raw_after(self._midnight(day) - 1)
            if at is None:
                return None
            day = self._day(at)
            to = calendars.target(self.calendar, day)
            if to is not None:
                ticks = self._landing(to)
                place = bisect_right(ticks, after, key=_at)
                if place < len(ticks):
                    return ticks[place]
                day = max(day, calendars.sources(self.calendar, to)[1])
            day += 1
        return None

    def _moved_before(self, before: int) -> int | None:
        assert self.calendar is not None
        day = start = self._day(before - 1)
        if self.calendar.on_excluded == "previous":
            while day - start < calendars.MOVE_MAX_DAYS and calendars.excluded(self.calendar, day + 1):
                day += 1
        for _ in range(_EXCLUDED_DAYS_MAX):
            at = self._raw_before(self._midnight(day + 1))
            if at is None:
                return None
            day = self._day(at)
            to = calendars.target(self.calendar, day)
            if to is not None:
                ticks = self._landing(to)
                place = bisect_left(ticks, before, key=_at)
                if place:
                    return ticks[place - 1].at
                day = min(day, calendars.sources(self.calendar, to)[0])
            day -= 1
        return None

    def _landing(self, day: int) -> tuple[Tick, ...]:
        assert self.calendar is not None
        if self.custom is None:
            return _landing_on(self.timing, self.calendar, day)
        return _land(self.timing, self.calendar, day, self.custom)

    # ---- the timing itself ----

    def _raw_after(self, after: int) -> int | None:
        return timetables.following(self.timing, after, self.custom)

    def _raw_before(self, before: int) -> int | None:
        return timetables.preceding(self.timing, before, self.custom)

    def _day(self, at: int) -> int:
        return around(self.timing.timezone, at)[0].wall(at) // DAY_S

    def _midnight(self, day: int) -> int:
        return around(self.timing.timezone, day * DAY_S)[0].instant(day * DAY_S)


def _at(tick: Tick) -> int:
    return tick.at


@lru_cache(maxsize=1024)
def _landing_on(timing: Timing, calendar: Calendar, day: int) -> tuple[Tick, ...]:
    return _land(timing, calendar, day, None)


def _land(timing: Timing, calendar: Calendar, day: int, custom: Following | None) -> tuple[Tick, ...]:
    """All that fires on `day`, its own times and those that are moved there, in order."""
    near = around(timing.timezone, day * DAY_S)[0]
    first, last = calendars.sources(calendar, day)
    end = near.instant((last + 1) * DAY_S)
    found: dict[int, int | None] = {}
    at = timetables.following(timing, near.instant(first * DAY_S) - 1, custom)
    while at is not None and at < end:
        source, time = divmod(near.wall(at), DAY_S)
        if source == day:
            found[at] = None
        else:
            found.setdefault(near.instant(day * DAY_S + time), at)
        if len(found) > MOVED_MAX:
            what = f"more than {MOVED_MAX:,} times of {timetables.text_of(timing)!r} are moved to one day"
            raise DefinitionError(what, hint="use on_excluded='skip' for what fires that often")
        at = timetables.following(timing, at, custom)
    return tuple(Tick(at, source) for at, source in sorted(found.items()))
