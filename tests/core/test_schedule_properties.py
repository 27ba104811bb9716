"""What holds of any schedule: each logical time once, however it is asked; never outside its bounds or its calendar."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from batuta.core import schedules
from batuta.core.calendars import excluded
from batuta.core.schedule_specs import Calendar, CatchUp, Cron, Custom, Fire, Interval, Rrule, ScheduleSpec, Timing
from batuta.core.schedules import due, fires, next_fire_at
from batuta.core.timezones import spans

ZONES = ["UTC", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "Antarctica/Troll"]
BEGIN = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
CRONS = ["0 2 * * *", "30 1 * * *", "*/20 * * * *", "0 */3 * * MON-FRI", "15 0 1 * *", "0 12 L * *", "30 0 4,16 * * *"]
RULES = [
    "FREQ=DAILY;BYHOUR=1,2;BYMINUTE=30",
    "FREQ=HOURLY;BYMINUTE=0,45",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=DAILY;COUNT=40",
]


def unhurried(after: float) -> float:
    """A timetable of the user's: steps of three and of five hours in turn."""
    cycle, rest = divmod(after - BEGIN, 8 * 3600)
    return BEGIN + cycle * 8 * 3600 + (3 * 3600 if rest < 3 * 3600 else 8 * 3600)


@st.composite
def timings(draw: st.DrawFn) -> Timing:
    zone = draw(st.sampled_from(ZONES))
    kind = draw(st.sampled_from(["cron", "crons", "interval", "rrule", "custom"]))
    match kind:
        case "cron":
            return Cron((draw(st.sampled_from(CRONS)),), zone)
        case "crons":
            return Cron(tuple(draw(st.lists(st.sampled_from(CRONS), min_size=2, max_size=3))), zone)
        case "interval":
            return Interval(draw(st.integers(600, 200_000)), draw(st.integers(0, 10**6)), zone)
        case "rrule":
            return Rrule(draw(st.sampled_from(RULES)), "2024-01-01T01:30:00", zone)
    return Custom("unhurried", zone)


@st.composite
def specs(draw: st.DrawFn, jitter_max_s: float = 20_000.0) -> ScheduleSpec:
    calendar = draw(
        st.none()
        | st.builds(
            Calendar,
            weekdays=st.sampled_from([(1, 2, 3, 4, 5), (1, 3, 7), (2, 3, 4, 5, 6, 7)]),
            exclude=st.sampled_from([(), ("2024-03-10",), ("12-25", "2024-10-20..2024-11-04")]),
            include=st.sampled_from([(), ("2024-11-03",)]),
            on_excluded=st.sampled_from(["skip", "next", "previous"]),
        )
    )
    start = draw(st.none() | st.integers(BEGIN, BEGIN + 200 * 86400).map(float))
    end = draw(st.none() | st.integers(BEGIN + 200 * 86400, BEGIN + 400 * 86400).map(float))
    return ScheduleSpec(
        draw(st.sampled_from(["nightly", "hourly"])),
        draw(timings()),
        job="job",
        calendar=calendar,
        jitter_s=draw(st.sampled_from([0.0, 0.0, 30.0, jitter_max_s])),
        start_at=start,
        end_at=end,
        catch_up=CatchUp("all"),
    )


@st.composite
def moments(draw: st.DrawFn, spec: ScheduleSpec, count: int) -> list[float]:
    """Times at which it is asked, in order, within some days, mostly near a change of the clock."""
    changes = spans(spec.timing.timezone, 2024, 2024).starts
    begin = draw(st.sampled_from(changes)) + draw(st.integers(-300_000, 100_000))
    asked = draw(st.lists(st.floats(0, 500_000, allow_nan=False), min_size=count, max_size=count))
    return [begin + one for one in sorted(asked)]


def asked(spec: ScheduleSpec, cursor: float, now: float) -> tuple[list[Fire], int, float]:
    """The runs and the number of excluded times up to `now`, asked as often as there is more; and the cursor.

    Where there are too many excluded times to be counted, -1000 is their number."""
    found: list[Fire] = []
    out = 0
    while True:
        answer = due(spec, cursor, now, unhurried)
        found += answer.fires
        out += sum(-1000 if skipped.count is None else skipped.count for skipped in answer.skipped)
        assert answer.cursor >= cursor
        cursor = answer.cursor
        if answer.wake_at is None or answer.wake_at > now:
            return found, out, cursor


@given(specs(), st.data())
def test_it_does_not_matter_when_it_is_asked(spec: ScheduleSpec, data: st.DataObject) -> None:
    times = data.draw(moments(spec, data.draw(st.integers(3, 8))))
    at_once, out_at_once, _ = asked(spec, times[0], times[-1])
    found: list[Fire] = []
    out, cursor = 0, times[0]
    for now in times[1:]:
        some, left_out, cursor = asked(spec, cursor, now)
        assert all(fire.fire_at <= now for fire in some)
        found += some
        out += left_out
    assert found == at_once
    assert out == out_at_once or out_at_once < 0
    logical = [fire.logical_at for fire in found]
    assert logical == sorted(set(logical))
    assert asked(spec, cursor, times[-1])[0] == []


@given(specs(), st.data())
def test_asked_when_it_says_it_starts_each_run_in_time(spec: ScheduleSpec, data: st.DataObject) -> None:
    begin, end = data.draw(moments(spec, 2))
    found: list[Fire] = []
    cursor, now = begin, begin
    for _ in range(60):
        wake_at = next_fire_at(spec, cursor, unhurried)
        if wake_at is None or wake_at > end:
            break
        now = max(now, wake_at)
        answer = due(spec, cursor, now, unhurried)
        assert answer.fires
        found += answer.fires
        cursor = answer.cursor
    else:
        return
    assert found == asked(spec, begin, end)[0]


@given(specs(), st.data())
def test_logical_times_are_within_bounds_and_on_the_days_of_the_calendar(
    spec: ScheduleSpec, data: st.DataObject
) -> None:
    begin, end = data.draw(moments(spec, 2))
    found, _, _ = asked(spec, begin, end)
    clock = spans(spec.timing.timezone, 2023, 2025)
    for fire in found:
        assert begin < fire.logical_at <= fire.fire_at <= end
        assert fire.logical_at == int(fire.logical_at)
        assert spec.start_at is None or fire.logical_at >= spec.start_at
        assert spec.end_at is None or fire.logical_at <= spec.end_at
        assert fire.fire_at == fire.logical_at + schedules.jitter(spec, int(fire.logical_at))
        assert excluded(spec.calendar, clock.wall(int(fire.logical_at)) // 86400) == ""


@given(specs(), st.data())
def test_intervals_join(spec: ScheduleSpec, data: st.DataObject) -> None:
    """The period of a run ends where that of the next one begins; the first one's does not depend on the cursor."""
    begin, end = data.draw(moments(spec, 2))
    found, _, _ = asked(spec, begin, end)
    for earlier, later in pairwise(found):
        assert earlier.interval_end == earlier.logical_at == later.interval_start
    for fire in found[:3]:
        alone = due(spec, fire.logical_at - 1, fire.fire_at, unhurried).fires
        assert alone[:1] == (fire,)


@given(specs(jitter_max_s=0.0), st.data())
def test_what_is_to_come_is_what_comes(spec: ScheduleSpec, data: st.DataObject) -> None:
    begin, end = data.draw(moments(spec, 2))
    found, _, _ = asked(spec, begin, end)
    foreseen = [one for one in islice(fires(spec, begin, unhurried), 3 * len(found) + 3) if isinstance(one, Fire)]
    assert [one for one in foreseen if one.logical_at <= end][: len(found)] == found


@given(specs(), st.data(), st.sampled_from(["latest", "none"]), st.sampled_from([None, 1, 3]))
@settings(max_examples=60)
def test_what_is_not_caught_up_is_a_part_of_all(
    spec: ScheduleSpec, data: st.DataObject, policy: str, runs_max: int | None
) -> None:
    from msgspec.structs import replace

    begin, end = data.draw(moments(spec, 2))
    everything, _, cursor = asked(spec, begin, end)
    some = replace(spec, catch_up=CatchUp(policy, runs_max=runs_max))  # type: ignore[arg-type]
    answer = due(some, begin, end, unhurried)
    assert [fire for fire in answer.fires if fire not in everything] == []
    if policy == "latest":
        assert list(answer.fires) == everything[-1:]
    elif runs_max is not None:
        assert len(answer.fires) <= runs_max
    assert answer.cursor == cursor
    missed = sum(skipped.count or 0 for skipped in answer.skipped if skipped.cause == "catch_up")
    if len(everything) < 100:
        assert missed + len(answer.fires) == len(everything)
