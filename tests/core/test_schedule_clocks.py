"""Every change of every clock from 2020 to 2030, against an oracle that reads the clock minute by minute.

The oracle knows nothing of the arithmetic under test: it walks over the UTC minutes around a change, asks `zoneinfo`
what the clock shows, and fires by the rules as they are documented. Zones whose clocks changed alike are one case.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import pytest

from batuta.core import timetables
from batuta.core.schedule_specs import Cron, Interval, Rrule, Timing

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
AROUND = timedelta(hours=6)  # no clock was put by more than three hours in these years
PARTS = 8


class Change(NamedTuple):
    """The first UTC minute with the new offset, and by how much the clock was put."""

    at: datetime
    by: timedelta


@cache
def changes(zone: str) -> tuple[Change, ...]:
    """Found by reading the clock, not from the zone's tables."""
    tz = ZoneInfo(zone)
    found = []
    at, step = FIRST, timedelta(days=1)
    while at < END:
        if offset(at, tz) != offset(at + step, tz):
            low, high = at, at + step
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) // 2
                middle -= timedelta(seconds=middle.second, microseconds=middle.microsecond)
                low, high = (middle, high) if offset(middle, tz) == offset(low, tz) else (low, middle)
            found.append(Change(high, offset(high, tz) - offset(low, tz)))
        at += step
    return tuple(found)


def offset(at: datetime, tz: ZoneInfo) -> timedelta:
    found = at.astimezone(tz).utcoffset()
    assert found is not None
    return found


@cache
def zones() -> tuple[str, ...]:
    """One zone of each kind of clock."""
    kinds: dict[object, str] = {}
    for name in sorted(available_timezones() - {"localtime", "posixrules", "Factory"}):
        if name.startswith(("posix/", "right/")):
            continue
        kinds.setdefault((offset(FIRST, ZoneInfo(name)), changes(name)), name)
    return tuple(name for name in kinds.values() if changes(name))


class Times(NamedTuple):
    """A cron of plain lists: None is `*`."""

    minutes: frozenset[int] | None
    hours: frozenset[int] | None
    day: tuple[int, int] | None = None  # month and day

    @property
    def text(self) -> str:
        month, day = self.day or ("*", "*")
        return f"{_list(self.minutes)} {_list(self.hours)} {day} {month} *"

    @property
    def real_time(self) -> bool:
        return self.minutes is None or self.hours is None

    def match(self, wall: datetime) -> bool:
        return (
            (self.minutes is None or wall.minute in self.minutes)
            and (self.hours is None or wall.hour in self.hours)
            and self.day in (None, (wall.month, wall.day))
        )


def _list(values: frozenset[int] | None) -> str:
    return "*" if values is None else ",".join(map(str, sorted(values)))


def oracle(times: Times, walls: list[datetime], minutes: list[datetime]) -> list[datetime]:
    """The UTC minutes at which it fires; of the first minute only the clock is read."""
    fired = []
    seen = {walls[0]}
    minute = timedelta(minutes=1)
    for before, wall, at in zip(walls, walls[1:], minutes[1:], strict=False):
        if times.real_time:
            fires = times.match(wall)
        else:
            fires = wall not in seen and times.match(wall)
            skipped = before + minute
            while skipped < wall:
                fires = fires or times.match(skipped)
                skipped += minute
        seen.add(wall)
        if fires:
            fired.append(at)
    return fired


def samples(zone: str, change: Change) -> Iterator[Times]:
    """Crons that fire just before, in, at the ends of and after what is skipped or happens twice."""
    wall = change.at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    edges = [wall - abs(change.by), wall, wall + abs(change.by)]
    for edge in dict.fromkeys(edges):
        for apart in (-1, 0, 17):
            near = edge + timedelta(minutes=apart)
            yield Times(frozenset({near.minute}), frozenset({near.hour}))
    inside = edges[0] + timedelta(minutes=7)
    hours = frozenset(edge.hour for edge in edges)
    yield Times(frozenset({inside.minute}), frozenset({inside.hour}), (inside.month, inside.day))
    yield Times(frozenset({0, 15, 30, 45}), hours)
    yield Times(frozenset({inside.minute, 59}), None)
    yield Times(None, hours)
    yield Times(None, frozenset({inside.hour}), (inside.month, inside.day))


def fired(timing: Timing, minutes: list[datetime]) -> list[datetime]:
    """What fires after the first of the minutes, up to the last, forwards; the same must come out backwards."""
    low, high = seconds(minutes[0]), seconds(minutes[-1])
    forwards = []
    at = timetables.following(timing, low)
    while at is not None and at <= high:
        forwards.append(at)
        at = timetables.following(timing, at)
    backwards = []
    at = timetables.preceding(timing, high + 1)
    while at is not None and at > low:
        backwards.append(at)
        at = timetables.preceding(timing, at)
    assert backwards[::-1] == forwards, f"{timing} backwards"
    return [EPOCH + timedelta(seconds=at) for at in forwards]


def seconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(seconds=1)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_change_of_every_clock(part: int) -> None:
    for zone in zones()[part::PARTS]:
        tz = ZoneInfo(zone)
        for change in changes(zone):
            count = 2 * AROUND // timedelta(minutes=1)
            minutes = [change.at - AROUND + timedelta(minutes=i) for i in range(count)]
            walls = [at.astimezone(tz).replace(tzinfo=None) for at in minutes]
            for times in samples(zone, change):
                expected = oracle(times, walls, minutes)
                assert fired(Cron((times.text,), zone), minutes) == expected, f"{times.text} in {zone}, {change}"
            _check_rules(zone, change, walls, minutes)
            half_hours = [at for at in minutes[1:] if at.minute in (0, 30)]
            assert fired(Interval(1800, timezone=zone), minutes) == half_hours


def _check_rules(zone: str, change: Change, walls: list[datetime], minutes: list[datetime]) -> None:
    """The same times as recurrences: a daily one is like a fixed cron, an hourly one goes by the clock's hours."""
    start, until = walls[0] - timedelta(days=1), walls[-1] + timedelta(days=1)
    hours = frozenset(wall.hour for wall in walls)
    daily = Times(frozenset({0, 10, 30, 50}), hours)
    hourly = Times(frozenset({10, 45}), None)
    for times, parts in (
        (daily, f"FREQ=DAILY;BYHOUR={_list(daily.hours)};BYMINUTE={_list(daily.minutes)}"),
        (hourly, f"FREQ=HOURLY;BYMINUTE={_list(hourly.minutes)}"),
    ):
        rule = Rrule(f"{parts};BYSECOND=0;UNTIL={until:%Y%m%dT%H%M%S}", start.isoformat(), zone)
        assert fired(rule, minutes) == oracle(times, walls, minutes), f"{rule}, {change}"


def test_the_oracle_sees_the_clocks_of_the_world() -> None:
    """A test of the test: known changes are among the cases, the oracle knows what the rules say of them."""
    assert len(zones()) >= 40
    assert sum(len(changes(zone)) for zone in zones()) >= 700
    new_york = {change.at: change.by for change in changes("America/New_York")}
    assert new_york[datetime(2025, 3, 9, 7, tzinfo=UTC)] == timedelta(hours=1)
    assert new_york[datetime(2025, 11, 2, 6, tzinfo=UTC)] == timedelta(hours=-1)
    minutes = [datetime(2025, 3, 9, 6, tzinfo=UTC) + timedelta(minutes=i) for i in range(180)]
    walls = [at.astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None) for at in minutes]
    half_past_two = Times(frozenset({30}), frozenset({2}))
    assert oracle(half_past_two, walls, minutes) == [datetime(2025, 3, 9, 7, tzinfo=UTC)]
