"""When a cron expression fires in a zone: integer arithmetic on the wall clock, some microseconds a question.

The fields are parsed by cronsim, and the days matched by it. Debian's rules hold where the clock changes: a fixed time
that the clock skips fires when the clock has jumped, one that happens twice fires the first time only. Surprising rule:
with `*` at the start of minute or hour, or with six fields, it is real time that counts: whatever the clock shows fires
as often as the clock shows it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date
from typing import TYPE_CHECKING

from batuta.core.timezones import YEAR_MAX, YEAR_MIN, Spans, spans

if TYPE_CHECKING:
    from cronsim import CronSim

DAY_S = 86400
_YEAR_S = 31_556_952
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_HORIZON_DAYS = 50 * 366
"""How far an expression is looked for: leap days on one weekday can be 40 years apart."""


def around(zone_name: str, instant: int) -> tuple[Spans, int, int]:
    """The stretches of the zone near `instant`, and from when to when they are complete."""
    year = min(max(1970 + instant // _YEAR_S, YEAR_MIN), YEAR_MAX)
    middle = (year - 1970) * _YEAR_S
    return spans(zone_name, year - 1, year + 1), middle - _YEAR_S // 2, middle + _YEAR_S * 3 // 2


class CronTable:
    """One parsed expression: on which days, and at which times of the day on the wall clock."""

    __slots__ = ("_match", "_minutes", "_months", "_seconds", "real_time")

    def __init__(self, parsed: CronSim, *, real_time: bool) -> None:
        self._match = parsed.match_day
        self._months = frozenset(parsed.months)
        self._minutes = sorted(60 * hour + minute for hour in parsed.hours for minute in parsed.minutes)
        self._seconds = sorted(parsed.seconds)
        self.real_time = real_time

    def wall_from(self, wall: int) -> int | None:
        """The first matching wall time at or after `wall`; None where there is none within decades."""
        day, time = divmod(wall, DAY_S)
        if self._on(day):
            found = self._time_from(time)
            if found is not None:
                return day * DAY_S + found
        later = self._day(day + 1, 1)
        return None if later is None else later * DAY_S + self._minutes[0] * 60 + self._seconds[0]

    def wall_until(self, wall: int) -> int | None:
        """The last matching wall time at or before `wall`; None where there is none within decades."""
        day, time = divmod(wall, DAY_S)
        if self._on(day):
            found = self._time_until(time)
            if found is not None:
                return day * DAY_S + found
        earlier = self._day(day - 1, -1)
        return None if earlier is None else earlier * DAY_S + self._minutes[-1] * 60 + self._seconds[-1]

    def _on(self, day: int) -> bool:
        when = date.fromordinal(day + _EPOCH_ORDINAL)
        return when.month in self._months and self._match(when)

    def _day(self, day: int, step: int) -> int | None:
        """The nearest matching day from `day` on, in the direction of `step`."""
        end = day + step * _HORIZON_DAYS
        low, high = (YEAR_MIN - 1970) * 365, (YEAR_MAX - 1970) * 365
        while (end - day) * step > 0 and low < day < high:
            when = date.fromordinal(day + _EPOCH_ORDINAL)
            if when.month in self._months:
                if self._match(when):
                    return day
                day += step
            elif step > 0:
                day = date(when.year + when.month // 12, when.month % 12 + 1, 1).toordinal() - _EPOCH_ORDINAL
            else:
                day -= when.day
        return None

    def _time_from(self, time: int) -> int | None:
        minute, second = divmod(time, 60)
        at = bisect_left(self._minutes, minute)
        if at < len(self._minutes) and self._minutes[at] == minute:
            place = bisect_left(self._seconds, second)
            if place < len(self._seconds):
                return minute * 60 + self._seconds[place]
            at += 1
        return self._minutes[at] * 60 + self._seconds[0] if at < len(self._minutes) else None

    def _time_until(self, time: int) -> int | None:
        minute, second = divmod(time, 60)
        at = bisect_right(self._minutes, minute) - 1
        if at >= 0 and self._minutes[at] == minute:
            place = bisect_right(self._seconds, second) - 1
            if place >= 0:
                return minute * 60 + self._seconds[place]
            at -= 1
        return self._minutes[at] * 60 + self._seconds[-1] if at >= 0 else None


def following(table: CronTable, zone_name: str, after: int) -> int | None:
    """The first instant after `after` (seconds since 1970 UTC) at which it fires; None where it never does again."""
    if table.real_time:
        return _following_real(table, zone_name, after)
    near, _, _ = around(zone_name, after)
    wall = table.wall_from(near.wall(after) + 1)
    while wall is not None:
        at = around(zone_name, wall)[0].instant(wall)
        if at > after:
            return at
        wall = table.wall_from(wall + 1)
    return None


def preceding(table: CronTable, zone_name: str, before: int) -> int | None:
    """The last instant before `before` at which it fired; None where it never did."""
    if table.real_time:
        return _preceding_real(table, zone_name, before)
    near, _, _ = around(zone_name, before)
    last = near.index(before - 1)
    # Where the clock went back, the last wall times of the stretch before are later than those that followed.
    shown = near.wall(before - 1)
    wall = table.wall_until(shown if last == 0 else max(shown, near.starts[last] + near.offsets[last - 1] - 1))
    while wall is not None:
        at = around(zone_name, wall)[0].instant(wall)
        if at < before:
            return at
        wall = table.wall_until(wall - 1)
    return None


def _following_real(table: CronTable, zone_name: str, after: int) -> int | None:
    """Look at each stretch of one offset for a wall time that it shows."""
    at = after + 1
    while True:
        near, _, known_until = around(zone_name, at)
        i = near.index(at)
        offset = near.offsets[i]
        wall = table.wall_from(at + offset)
        if wall is None:
            return None
        found = wall - offset
        changes = i + 1 < len(near.starts) and near.starts[i + 1] < known_until
        end = near.starts[i + 1] if changes else known_until
        if found < end:
            return found
        # What the next stretch shows again of the time before `at` has not been looked for yet.
        shown_again = changes and end + near.offsets[i + 1] < at + offset
        at = end if shown_again else max(end, found - 2 * DAY_S)  # no clock is ever put by more than a day


def _preceding_real(table: CronTable, zone_name: str, before: int) -> int | None:
    at = before - 1
    while True:
        near, known_from, _ = around(zone_name, at)
        i = near.index(at)
        offset = near.offsets[i]
        wall = table.wall_until(at + offset)
        if wall is None:
            return None
        found = wall - offset
        changed = i > 0 and near.starts[i] > known_from
        begin = near.starts[i] if changed else known_from
        if found >= begin:
            return found
        shown_before = changed and begin - 1 + near.offsets[i - 1] > at + offset
        at = begin - 1 if shown_before else min(begin - 1, found + 2 * DAY_S)
