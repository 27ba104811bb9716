"""What is due: catch-up policies, jitter, calendars, bounds, partitions, parameters."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest

from batuta.core import partitions, schedules
from batuta.core.errors import DefinitionError
from batuta.core.schedule_specs import (
    Calendar,
    CatchUp,
    Cron,
    Custom,
    Due,
    Fire,
    Interval,
    Rrule,
    ScheduleSpec,
    Skipped,
    TickPartition,
)
from batuta.core.schedules import due, fires, next_fire_at

DAILY = Cron(("0 2 * * *",))
MINUTELY = Cron(("* * * * *",))
HOUR, DAY = 3600.0, 86400.0
ALL = CatchUp("all")
WEEKDAYS = Calendar(weekdays=(1, 2, 3, 4, 5))


def at(text: str) -> float:
    """An instant in UTC, unless the text has an offset."""
    when = datetime.fromisoformat(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def spec(timing: Any = DAILY, **more: Any) -> ScheduleSpec:
    return ScheduleSpec("nightly", timing, job="nightly", **more)


def days(found: Due) -> list[str]:
    return [datetime.fromtimestamp(fire.logical_at, UTC).strftime("%m-%d") for fire in found.fires]


def left_out(found: Due) -> list[tuple[str, int | None]]:
    return [(skipped.cause, skipped.count) for skipped in found.skipped]


NOW = at("2026-03-02T02:00:00.250")  # a Monday


def test_a_time_is_due_once_and_with_the_period_before_it() -> None:
    first = due(spec(), NOW - HOUR, NOW)
    assert first.fires == (
        Fire(at("2026-03-02T02:00"), at("2026-03-02T02:00"), at("2026-03-01T02:00"), at("2026-03-02T02:00")),
    )
    assert (first.skipped, first.cursor, first.wake_at) == ((), NOW, at("2026-03-03T02:00"))
    again = due(spec(), first.cursor, NOW + 1)
    assert (again.fires, again.wake_at) == ((), first.wake_at)


def test_before_its_time_nothing_is_due() -> None:
    found = due(spec(), NOW - HOUR, NOW - 2)
    assert (found.fires, found.cursor, found.wake_at) == ((), NOW - 2, at("2026-03-02T02:00"))


def test_a_clock_that_is_put_back_makes_nothing_due_again() -> None:
    cursor = due(spec(MINUTELY), NOW - 60, NOW).cursor
    for now in (NOW - HOUR, NOW - 60, NOW - 1):
        found = due(spec(MINUTELY), cursor, now)
        assert (found.fires, found.cursor) == ((), cursor)


def test_a_new_schedule_begins_now() -> None:
    found = due(spec(catch_up=ALL), None, NOW)
    assert (found.fires, found.cursor, found.wake_at) == ((), NOW, at("2026-03-03T02:00"))


def test_a_new_schedule_that_catches_up_begins_with_its_start() -> None:
    found = due(spec(catch_up=ALL, start_at=at("2026-02-27T02:00")), None, NOW)
    assert days(found) == ["02-27", "02-28", "03-01", "03-02"]
    assert due(spec(catch_up=CatchUp("latest"), start_at=at("2026-02-27T02:00")), None, NOW).fires == ()
    future = due(spec(catch_up=ALL, start_at=at("2026-03-05T02:00")), None, NOW)
    assert (future.fires, future.wake_at) == ((), at("2026-03-05T02:00"))


@pytest.mark.parametrize(
    ("policy", "ran", "missed"),
    [
        (ALL, ["02-26", "02-27", "02-28", "03-01", "03-02"], []),
        (CatchUp("all", runs_max=2), ["03-01", "03-02"], [("catch_up", 3)]),
        (CatchUp("all", age_max_s=1.5 * DAY), ["03-01", "03-02"], [("catch_up", 3)]),
        (CatchUp("all", runs_max=1, age_max_s=1.5 * DAY), ["03-02"], [("catch_up", 4)]),
        (CatchUp("latest"), ["03-02"], [("catch_up", 4)]),
        (CatchUp("latest", age_max_s=HOUR), ["03-02"], [("catch_up", 4)]),
        (CatchUp("none"), ["03-02"], [("catch_up", 4)]),
        (CatchUp("none", age_max_s=2.5 * DAY), ["02-28", "03-01", "03-02"], [("catch_up", 2)]),
    ],
)
def test_catch_up_on_time(policy: CatchUp, ran: list[str], missed: list[tuple[str, int]]) -> None:
    found = due(spec(catch_up=policy), NOW - 4.5 * DAY, NOW)
    assert days(found) == ran
    assert left_out(found) == missed
    assert due(spec(catch_up=policy), found.cursor, NOW).fires == ()


def test_catch_up_after_an_outage_over_the_last_time() -> None:
    """Five hours after the last of four missed times."""
    now = NOW + 5 * HOUR
    assert days(due(spec(catch_up=CatchUp("latest")), now - 4 * DAY, now)) == ["03-02"]
    none = due(spec(catch_up=CatchUp("none")), now - 4 * DAY, now)
    assert (none.fires, left_out(none)) == ((), [("catch_up", 4)])
    assert none.skipped[0].logical_from == at("2026-02-27T02:00")
    assert none.skipped[0].logical_to == at("2026-03-02T02:00")
    assert "catch_up is 'none' with age_max_s=60" in none.skipped[0].reason
    old = due(spec(catch_up=CatchUp("latest", age_max_s=HOUR)), now - 4 * DAY, now)
    assert (old.fires, left_out(old)) == ((), [("catch_up", 4)])


def test_one_late_run_within_its_age_is_run() -> None:
    assert days(due(spec(catch_up=CatchUp("none")), NOW - DAY / 2, NOW + 59)) == ["03-02"]
    assert days(due(spec(catch_up=CatchUp("none")), NOW - DAY / 2, NOW + 61)) == []


def test_a_year_of_minutes_is_answered_in_portions_and_nothing_is_lost() -> None:
    found = due(spec(MINUTELY, catch_up=ALL), NOW - 365 * DAY, NOW)
    assert len(found.fires) == schedules.BATCH_MAX
    assert found.cursor == found.fires[-1].logical_at
    assert found.wake_at == NOW
    following = due(spec(MINUTELY, catch_up=ALL), found.cursor, NOW)
    assert following.fires[0].logical_at == found.fires[-1].logical_at + 60
    assert following.fires[0].interval_start == found.fires[-1].logical_at


def test_a_year_of_minutes_of_which_the_last_counts() -> None:
    found = due(spec(MINUTELY), NOW - 365 * DAY, NOW)
    assert [fire.logical_at for fire in found.fires] == [at("2026-03-02T02:00")]
    assert left_out(found) == [("catch_up", None)]
    many = due(spec(MINUTELY, catch_up=CatchUp("all", runs_max=2500)), NOW - 365 * DAY, NOW)
    assert len(many.fires) == schedules.BATCH_MAX
    assert many.fires[0].logical_at == at("2026-03-02T02:00") - 2499 * 60


# ---- jitter ----


def test_jitter_moves_the_start_and_not_the_logical_time() -> None:
    jittery = spec(MINUTELY, jitter_s=20.0, catch_up=ALL)
    cursor = at("2026-03-02T02:00")
    seen: list[Fire] = []
    while len(seen) < 50:
        wake_at = next_fire_at(jittery, cursor)
        assert wake_at is not None
        early, found = due(jittery, cursor, wake_at - 0.001), due(jittery, cursor, wake_at)
        assert (early.fires, early.wake_at) == ((), wake_at)
        assert [fire.fire_at for fire in found.fires] == [wake_at]
        seen += found.fires
        cursor = found.cursor
    apart = [fire.fire_at - fire.logical_at for fire in seen]
    assert all(0 <= one <= 20 for one in apart)
    assert len(set(apart)) > 40
    assert [fire.logical_at for fire in seen] == [at("2026-03-02T02:01") + 60 * i for i in range(50)]


def test_jitter_longer_than_the_period_keeps_the_order() -> None:
    jittery = spec(MINUTELY, jitter_s=600.0, catch_up=ALL)
    cursor, now, seen = at("2026-03-02T02:00"), at("2026-03-02T02:00"), []
    while now < at("2026-03-02T04:00"):
        found = due(jittery, cursor, now)
        assert all(fire.fire_at <= now for fire in found.fires)
        seen += [fire.logical_at for fire in found.fires]
        cursor, now = found.cursor, now + 7
    assert seen == [at("2026-03-02T02:01") + 60 * i for i in range(len(seen))]
    assert len(seen) > 100


def test_the_latest_is_the_last_that_jitter_does_not_hold_back() -> None:
    jittery = spec(MINUTELY, jitter_s=600.0)
    for now in range(int(NOW), int(NOW) + 3600, 97):
        everything = due(spec(MINUTELY, jitter_s=600.0, catch_up=ALL), NOW - 5 * HOUR, now)
        latest = due(jittery, NOW - 5 * HOUR, now)
        assert latest.fires == everything.fires[-1:]
        assert (latest.cursor, latest.wake_at) == (everything.cursor, everything.wake_at)


def test_jitter_depends_on_the_name_and_the_time_alone() -> None:
    one = spec(jitter_s=300.0)
    assert schedules.jitter(one, 1_772_416_800) == schedules.jitter(spec(MINUTELY, jitter_s=300.0), 1_772_416_800)
    assert schedules.jitter(one, 1_772_416_800) == 117.614
    other = ScheduleSpec("other", DAILY, job="nightly", jitter_s=300.0)
    assert schedules.jitter(one, 1_772_416_800) != schedules.jitter(other, 1_772_416_800)


# ---- start and end ----


def test_start_and_end_are_both_included() -> None:
    bounded = spec(catch_up=ALL, start_at=at("2026-02-27T02:00"), end_at=at("2026-03-01T02:00"))
    found = due(bounded, at("2026-01-01"), NOW)
    assert days(found) == ["02-27", "02-28", "03-01"]
    assert found.wake_at is None
    assert found.fires[0].interval_start == at("2026-02-26T02:00")
    assert next_fire_at(bounded, found.cursor) is None
    assert due(bounded, found.cursor, NOW + 400 * DAY).fires == ()


# ---- calendars ----


def test_excluded_times_are_told_and_their_period_goes_to_the_next_run() -> None:
    found = due(spec(calendar=WEEKDAYS, catch_up=ALL), at("2026-02-27T03:00"), NOW)
    assert days(found) == ["03-02"]
    assert found.fires[0].interval_start == at("2026-02-27T02:00")
    assert found.skipped == (
        Skipped(at("2026-02-28T02:00"), at("2026-03-01T02:00"), 2, "excluded", "Saturday, Sunday"),
    )


def test_very_many_excluded_times_are_not_counted() -> None:
    found = due(spec(MINUTELY, calendar=WEEKDAYS), at("2026-02-27T23:59"), at("2026-03-02T00:00"))
    assert [(one.logical_from, one.logical_to, one.count) for one in found.skipped] == [
        (at("2026-02-28T00:00"), at("2026-03-01T23:59"), None),
    ]


def test_excluded_times_are_told_once_however_often_it_is_asked() -> None:
    hourly = spec(Cron(("0 * * * *",)), calendar=WEEKDAYS, catch_up=ALL)
    cursor, told, now = at("2026-02-27T22:30"), 0, at("2026-02-27T22:45")
    while now < at("2026-03-02T01:00"):
        found = due(hourly, cursor, now)
        told += sum(skipped.count or 0 for skipped in found.skipped)
        cursor, now = found.cursor, now + 4000
    assert told == 48


@pytest.mark.parametrize(
    ("on_excluded", "expected"),
    [
        # Saturday 01-31 and Sunday 02-01 are moved to one day, where they are one run; so are 02-28 and 03-01
        ("next", ["02-02T05:00 from 01-31", "02-03T05:00", "03-02T05:00 from 02-28"]),
        ("previous", ["01-30T05:00 from 01-31", "02-03T05:00", "02-27T05:00 from 02-28"]),
        ("skip", ["02-03T05:00"]),
    ],
)  # fmt: skip
def test_excluded_times_are_moved(on_excluded: Any, expected: list[str]) -> None:
    timing = Cron(("0 5 31 1 *", "0 5 1 2 *", "0 5 3 2 *", "0 5 28 2 *", "0 5 1 3 *"))
    moving = spec(timing, calendar=Calendar(weekdays=(1, 2, 3, 4, 5), on_excluded=on_excluded), catch_up=ALL)
    found = due(moving, at("2026-01-20"), at("2026-03-04"))
    shown = []
    for fire in found.fires:
        text = datetime.fromtimestamp(fire.logical_at, UTC).strftime("%m-%dT%H:%M")
        if fire.moved_from is not None:
            text += datetime.fromtimestamp(fire.moved_from, UTC).strftime(" from %m-%d")
        shown.append(text)
    assert shown == expected
    for earlier, later in zip(found.fires, found.fires[1:], strict=False):
        assert later.interval_start == earlier.logical_at


def test_a_calendar_without_days_ends_the_schedule() -> None:
    only = spec(calendar=Calendar(weekdays=(), include=("2026-03-05",)))
    assert next_fire_at(only, NOW) == at("2026-03-05T02:00")
    assert next_fire_at(only, at("2026-03-06")) is None


# ---- other timings ----


def test_several_crons_that_meet_are_one_time() -> None:
    several = spec(Cron(("0 2 * * *", "0 */2 * * *", "30 1 * * *")), catch_up=ALL)
    found = due(several, at("2026-03-02T00:00"), at("2026-03-02T04:00"))
    assert [(fire.logical_at - at("2026-03-02T00:00")) / HOUR for fire in found.fires] == [1.5, 2, 4]


def test_intervals_count_from_their_anchor() -> None:
    every = spec(Interval(7 * 3600, anchor=int(at("2026-03-01T05:00"))), catch_up=ALL)
    found = due(every, at("2026-02-28T20:00"), at("2026-03-01T12:00"))
    assert [(fire.logical_at - at("2026-03-01T05:00")) / HOUR for fire in found.fires] == [-7, 0, 7]
    assert found.fires[0].interval_start == at("2026-03-01T05:00") - 14 * HOUR


def test_a_recurrence_begins_with_its_first_time() -> None:
    rule = spec(Rrule("FREQ=WEEKLY;BYDAY=MO,FR;COUNT=3", "2026-02-23T09:00", "Europe/Madrid"), catch_up=ALL)
    found = due(rule, at("2026-01-01"), at("2026-03-10"))
    assert [fire.logical_at for fire in found.fires] == [
        at("2026-02-23T08:00"), at("2026-02-27T08:00"), at("2026-03-02T08:00"),
    ]  # fmt: skip
    assert found.fires[0].interval_start == found.fires[0].interval_end
    assert found.wake_at is None


def test_a_timetable_is_asked_for_what_follows() -> None:
    def fridays(after: float) -> float | None:
        """18:00 UTC on Fridays of 2026."""
        friday = at("2026-01-02T18:00")
        following = friday + ((after - friday) // (7 * DAY) + 1) * 7 * DAY
        return following if following < at("2027-01-01") else None

    custom = spec(Custom("fridays"), catch_up=ALL)
    found = due(custom, at("2026-02-20T18:00"), NOW, fridays)
    assert days(found) == ["02-27"]
    assert found.fires[0].interval_start == at("2026-02-20T18:00")
    assert found.wake_at == at("2026-03-06T18:00")
    assert next_fire_at(custom, at("2026-12-30"), fridays) is None
    with pytest.raises(DefinitionError, match="cannot be evaluated"):
        due(custom, NOW, NOW + 1)
    with pytest.raises(DefinitionError, match="not later than the one"):
        due(custom, NOW, NOW + 1, lambda after: after)


# ---- what the run is given ----


def test_parameters_have_the_values_of_the_time() -> None:
    params = {
        "day": "{interval_start:%Y-%m-%d}",
        "all": ["{logical_time}", {"until": "{interval_end:%H:%M}"}],
        "jinja": "{{ interval_start }}",
        "other": "{x} {}",
        "count": 3,
    }
    madrid = Cron(("0 2 * * *",), "Europe/Madrid")
    found = due(spec(madrid, params=params), NOW - DAY, NOW)
    assert found.fires[0].params == {
        "day": "2026-03-01",
        "all": ["2026-03-02T02:00:00+01:00", {"until": "02:00"}],
        "jinja": "{{ interval_start }}",
        "other": "{x} {}",
        "count": 3,
    }


BY_DAY = partitions.daily("2026-03-01")


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        (TickPartition(BY_DAY), "2026-03-01"),
        (TickPartition(BY_DAY, offset=1), "2026-03-02"),
        (TickPartition(partitions.monthly("2025-01"), offset=-1), "2026-01"),
        (TickPartition(partitions.hourly("2026-01-01")), "2026-03-02T01"),
        (TickPartition(key="eu"), "eu"),
        (TickPartition(partitions.multi(day=BY_DAY, region=partitions.static(["eu", "us"]))), "day=2026-03-01"),
        (
            TickPartition(partitions.multi(day=BY_DAY, region=partitions.static(["eu", "us"])), fixed={"region": "us"}),
            "day=2026-03-01|region=us",
        ),
    ],
)
def test_the_partition_is_the_last_that_has_ended(rule: TickPartition, key: str) -> None:
    assert due(spec(partition=rule), NOW - HOUR, NOW).fires[0].partition == key


def test_a_time_without_a_partition_is_told() -> None:
    found = due(spec(partition=TickPartition(BY_DAY, offset=-1), catch_up=ALL), NOW - 1.5 * DAY, NOW + DAY)
    assert days(found) == ["03-03"]
    assert [(skipped.cause, "before the first" in skipped.reason) for skipped in found.skipped] == [
        ("partition", True), ("partition", True),
    ]  # fmt: skip


def test_what_is_to_come_is_what_will_be_due() -> None:
    shown = list(islice(fires(spec(calendar=WEEKDAYS, jitter_s=60.0), at("2026-02-27T03:00")), 4))
    assert [type(one).__name__ for one in shown] == ["Skipped", "Fire", "Fire", "Fire"]
    found = due(spec(calendar=WEEKDAYS, jitter_s=60.0, catch_up=ALL), at("2026-02-27T03:00"), at("2026-03-04T03:00"))
    assert shown == [*found.skipped, *found.fires]


# ---- what is refused ----


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"timing": Cron(("61 * * * *",))}, "minute"),
        ({"timing": Cron(())}, "no cron"),
        ({"timing": Cron(("@daily",) * 101)}, "101 cron"),
        ({"timing": Cron(("@daily",), "Europe/Madird")}, "Europe/Madrid"),
        ({"timing": Interval(0)}, "interval is 0"),
        ({"timing": Rrule("FREQ=DAILY;BYHOUR=25", "2026-01-01")}, "BYHOUR"),
        ({"timing": Custom("x", "Mars/Olympus")}, "time zone"),
        ({"job": ""}, "starts nothing"),
        ({"selection": "layer:gold"}, "not both"),
        ({"jitter_s": -1.0}, "jitter_s is -1"),
        ({"jitter_s": 1e6}, "jitter_s"),
        ({"start_at": 2.0, "end_at": 1.0}, "ends before"),
        ({"catch_up": CatchUp("some")}, "catch_up is 'some'"),  # type: ignore[arg-type]
        ({"catch_up": CatchUp("all", runs_max=0)}, "runs_max is 0"),
        ({"catch_up": CatchUp("all", age_max_s=-1)}, "age_max_s is -1"),
        ({"overlap": "skipp"}, "'skip'"),
        ({"calendar": Calendar(weekdays=(8,))}, "weekday 8"),
        ({"calendar": Calendar(exclude=("2026-02-30",))}, "'2026-02-30' is not a date"),
    ],
)
def test_wrong_schedules_are_told_with_place_and_hint(wrong: dict[str, Any], said: str) -> None:
    fields: dict[str, Any] = {"name": "nightly", "timing": DAILY, "job": "nightly", **wrong}
    with pytest.raises(DefinitionError) as caught:
        schedules.validate(ScheduleSpec(**fields), "shop.py:3")
    assert said in str(caught.value)
    assert caught.value.where == "shop.py:3"
    assert caught.value.hint
