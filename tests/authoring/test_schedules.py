"""Schedules as they are written: on jobs and by themselves, collected by name, and what is wrong with them told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from batuta import DAG, DefinitionError, DuplicateKeyError, Schedule, flow, partitions, timetable
from batuta.authoring.collected import Found, evaluate_timetable
from batuta.authoring.timings import business_days, calendar, cron, every, rrule
from batuta.core.definitions import Definitions
from batuta.core.errors import BatutaError, UnknownDependencyError
from batuta.core.schedule_specs import (
    Calendar,
    CatchUp,
    Cron,
    Custom,
    Interval,
    Rrule,
    ScheduleSpec,
    TickPartition,
)
from batuta.runtime.load import load_location

Load = Callable[[str], Definitions]
HEAD = """
from datetime import datetime, timedelta
from batuta import DAG, Schedule, asset, flow, partitions, task, timetable
from batuta.schedules import business_days, every
"""


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Definitions of a file with the given text."""

    def loaded(text: str) -> Definitions:
        file = tmp_path / f"shop{len(list(tmp_path.iterdir()))}.py"
        file.write_text(HEAD + text)
        return load_location(str(file)).definitions()

    return loaded


def by_name(definitions: Definitions) -> dict[str, ScheduleSpec]:
    assert definitions.problems == ()
    return {spec.name: spec for spec in definitions.schedules}


MADRID, EVEN = "Europe/Madrid", "FREQ=DAILY;INTERVAL=2"
MIDNIGHT = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("when", "timing"),
    [
        ("0 2 * * *", Cron(("0 2 * * *",), MADRID)),
        ("@daily", Cron(("@daily",), MADRID)),
        (["0 2 * * *", "0 14 * * *"], Cron(("0 2 * * *", "0 14 * * *"), MADRID)),
        (cron("0 2 * * *", "30 3 * * *"), Cron(("0 2 * * *", "30 3 * * *"), MADRID)),
        (timedelta(minutes=5), Interval(300, 0, MADRID)),
        (every(hours=1, minutes=30), Interval(5400, 0, MADRID)),
        (every(days=1, anchor="2026-01-01"), Interval(86400, MIDNIGHT, MADRID)),
        ("FREQ=DAILY;BYHOUR=9", Rrule("FREQ=DAILY;BYHOUR=9", "2000-01-03T00:00:00", MADRID)),
        (rrule(EVEN, "2026-01-05T09:00"), Rrule(EVEN, "2026-01-05T09:00:00", MADRID)),
    ],
)  # fmt: skip
def test_what_schedules_take(when: Any, timing: Any) -> None:
    assert Schedule(when, job="nightly", timezone=MADRID).spec().timing == timing

    @flow(schedule=when, timezone=MADRID)
    def nightly() -> None: ...

    dag = DAG("nightly", schedule=when, timezone=MADRID)
    for job in (nightly, dag):
        (schedule,) = job.schedules
        spec = schedule.spec(job=job.name, timezone=MADRID)
        assert (spec.name, spec.job, spec.timing) == ("nightly", "nightly", timing)


def test_everything_that_can_be_said() -> None:
    schedule = Schedule(
        "0 2 * * *",
        job="nightly",
        name="early",
        timezone=MADRID,
        calendar=business_days("ES", on_excluded="next"),
        start="2026-01-01",
        end=date(2026, 12, 31),
        jitter_s=timedelta(minutes=2),
        catch_up=CatchUp("all", runs_max=3),
        overlap="skip",
        enabled=False,
        params={"day": "{interval_start:%Y-%m-%d}"},
        config={"x": 1},
        tags=["finance"],
        priority=5,
        partition=-1,
        partitions=partitions.daily("2026-01-01"),
        description="Before the office opens.",
    )
    spec = schedule.spec()
    assert spec == ScheduleSpec(
        name="early",
        timing=Cron(("0 2 * * *",), MADRID),
        job="nightly",
        calendar=Calendar((1, 2, 3, 4, 5), holidays=("ES",), on_excluded="next"),
        jitter_s=120.0,
        start_at=datetime.fromisoformat("2026-01-01T00:00+01:00").timestamp(),
        end_at=datetime.fromisoformat("2026-12-31T23:59:59+01:00").timestamp(),
        catch_up=CatchUp("all", runs_max=3),
        overlap="skip",
        enabled=False,
        params={"day": "{interval_start:%Y-%m-%d}"},
        config={"x": 1},
        tags={"finance": ""},
        priority=5,
        partition=TickPartition(partitions.daily("2026-01-01"), offset=-1),
        description="Before the office opens.",
        place=schedule.place,
    )
    assert schedule.place.file == __file__


def nothing() -> None: ...


def test_calendars_take_names_and_dates() -> None:
    made = calendar(weekdays=["monday", "Fri", 7], exclude=[date(2026, 12, 24), "08-01"], holidays="ES")
    assert made == Calendar((1, 5, 7), ("2026-12-24", "08-01"), (), ("ES",))
    with pytest.raises(DefinitionError, match="'sunday'"):
        calendar(weekdays=["sonday"])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Schedule("61 * * * *", job="x"), "the minute cannot be '61'"),
        (lambda: Schedule("0 2 * * *", job="x", timezone="Europe/Madird"), "Europe/Madrid"),
        (lambda: Schedule(cron("@daily", timezone="Asia/Tokyo"), job="x", timezone=MADRID), "say the time zone once"),
        (lambda: Schedule(300, job="x"), "300 is not a timing"),  # type: ignore[arg-type]
        (lambda: Schedule([], job="x"), "[] is not a timing"),
        (lambda: Schedule("@daily", job="x", assets="layer:gold"), "not both"),
        (lambda: Schedule("@daily", job=3), "3 is not a job"),
        (lambda: Schedule("@daily", job="x", name="a b"), "cannot be called 'a b'"),
        (lambda: Schedule("@daily", job="x", start="soon"), "'soon' is not a time"),
        (lambda: Schedule("@daily", job="x", start="2026-02-01", end="2026-01-01"), "ends before it starts"),
        (lambda: Schedule("@daily", job="x", catch_up="some"), "catch_up is 'some'"),
        (lambda: Schedule("@daily", job="x", partition=1.5), "partition is 1.5"),  # type: ignore[arg-type]
        (lambda: Schedule("@daily", job="x", calendar=calendar(exclude=["soon"])), "'soon' is not a date"),
        (lambda: Schedule(timedelta(seconds=0.5), job="x"), "the interval is 0.5 s"),
        (lambda: every(minutes=0), "the interval is 0 s"),
        (lambda: rrule("FREQ=DAILY;INTERVAL=2"), "counts from a start that is not given"),
        (lambda: Schedule("FREQ=DAYLY", job="x"), "'DAILY'"),
        (lambda: flow(schedule="* * *")(nothing), "3 fields"),
        (lambda: flow(schedule=Schedule("@daily", assets="layer:gold"))(nothing), "leave out job= and assets="),
        (lambda: DAG("x", schedule=Schedule("@daily", job="y")), "leave out job= and assets="),
        (lambda: timetable(3), "needs a function"),  # type: ignore[call-overload]
    ],
)
def test_wrong_ones_are_told_with_place_and_hint(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        make()
    assert said in str(caught.value)
    if "needs a function" not in said:
        assert (caught.value.where or "").startswith(__file__)
        assert caught.value.hint


# ---- collected ----


def test_schedules_are_found_wherever_they_are_written(load: Load) -> None:
    definitions = load("""
@flow(schedule="0 2 * * *", timezone="Europe/Madrid")
def nightly(): ...

@flow(schedule=[Schedule("0 9 * * *", name="am"), Schedule("0 17 * * *", name="pm")])
def twice(): ...

with DAG("settle", schedule=timedelta(hours=6), start="2026-01-01T03:00", timezone="Europe/Madrid"):
    pass

Schedule("@hourly", job=nightly, name="without-a-variable")
named = Schedule("@hourly", job="settle", name="with-a-variable")
several = [Schedule("@weekly", job=twice, name=f"weekly-{i}") for i in range(2)]
for i in range(2):
    Schedule("@monthly", job=nightly, name=f"monthly-{i}")
""")
    found = by_name(definitions)
    assert {name: spec.job for name, spec in found.items()} == {
        "nightly": "nightly", "am": "twice", "pm": "twice", "settle": "settle", "without-a-variable": "nightly",
        "with-a-variable": "settle", "weekly-0": "twice", "weekly-1": "twice", "monthly-0": "nightly",
        "monthly-1": "nightly",
    }  # fmt: skip
    start = datetime.fromisoformat("2026-01-01T03:00+01:00").timestamp()
    assert found["settle"].start_at == start
    assert found["settle"].timing == Interval(21600, int(start), MADRID)
    assert {job.name: job.schedule for job in definitions.jobs} == {
        "nightly": "0 2 * * * | @hourly | @monthly",
        "twice": "0 9 * * * | 0 17 * * * | @weekly",
        "settle": "@hourly | every 6 hours",
    }


def test_one_schedule_serves_several_jobs(load: Load) -> None:
    found = by_name(
        load("""
nights = Schedule("0 2 * * *", calendar=business_days(), catch_up="all")

@flow(schedule=nights, timezone="Europe/Madrid")
def one(): ...

@flow(schedule=nights)
def two(): ...
""")
    )
    assert {name: spec.timing.timezone for name, spec in found.items()} == {"one": MADRID, "two": "UTC"}
    assert all(spec.calendar == business_days() for spec in found.values())


def test_two_schedules_of_one_name_are_refused_with_both_places(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(
            f"{HEAD}\n@flow\ndef {name}(): ...\nSchedule('@daily', job={name}, name='x')\n"
        )
    with pytest.raises(DuplicateKeyError) as caught:
        load_location(str(tmp_path))
    assert "two schedules are called 'x'" in caught.value.what
    assert "one.py:8" in caught.value.what
    assert "two.py:8" in (caught.value.where or "")


def test_a_schedule_of_what_is_not_there_is_a_problem_and_the_others_go_on(load: Load) -> None:
    definitions = load("""
@flow(schedule="@daily")
def nightly(): ...

Schedule("@daily", job="nigtly", name="misspelt")
Schedule("@daily")
Schedule("@daily", assets="layer:gold", name="nothing")
""")
    assert [spec.name for spec in definitions.schedules] == ["nightly"]
    told = {problem.message: problem for problem in definitions.problems}
    assert told["schedule 'misspelt': there is no job 'nigtly'"].hint == "did you mean 'nightly'?"
    assert told["schedule 'misspelt': there is no job 'nigtly'"].place.line == 9
    assert "the schedule starts nothing" in told
    assert any(message.startswith("schedule 'nothing'") for message in told)


def test_a_wrong_schedule_is_a_problem_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(f"{HEAD}\n@flow(schedule='@daily')\ndef good(): ...\n")
    (tmp_path / "bad.py").write_text(f"{HEAD}\n@flow(schedule='0 25 * * *')\ndef bad(): ...\n")
    definitions = load_location(str(tmp_path)).definitions()
    assert [spec.name for spec in definitions.schedules] == ["good"]
    (problem,) = definitions.problems
    assert "the hour cannot be '25'" in problem.message
    assert (Path(problem.place.file).name, problem.place.line) == ("bad.py", 6)


ASSETS = """
@asset(layer="gold", partitions=partitions.daily("2026-01-01"))
def sales(): return 1

@asset(layer="gold", partitions=partitions.monthly("2026-01"))
def totals(sales): return 1

@asset(layer="gold")
def summary(): return 1

multi = partitions.multi(day=partitions.daily("2026-01-01"), region=partitions.static(["eu"]))

@asset(layer="silver", partitions=multi)
def regions(): return 1

@asset(layer="bronze", partitions=partitions.static(["eu", "us"]))
def raw(): return 1
"""


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ('assets="sales"', TickPartition(partitions.daily("2026-01-01"))),
        ('assets="layer:gold"', TickPartition(partitions.daily("2026-01-01"))),
        ('assets=[totals, summary], name="x"', TickPartition(partitions.monthly("2026-01"))),
        ('assets="totals", partition=1', TickPartition(partitions.monthly("2026-01"), offset=1)),
        ('assets="summary"', None),
        ('assets="raw"', None),
        ('assets="raw", partition="eu"', TickPartition(key="eu")),
        ('assets="sales", partitions=partitions.hourly("2026-01-01")', TickPartition(partitions.hourly("2026-01-01"))),
    ],
)
def test_a_selection_makes_the_last_window_of_its_finest_partitions(load: Load, given: str, rule: Any) -> None:
    (spec,) = by_name(load(f'{ASSETS}\nSchedule("@daily", {given})\n')).values()
    assert spec.partition == rule
    assert spec.job == ""
    assert spec.selection


def test_a_selection_of_several_dimensions(load: Load) -> None:
    multi = partitions.multi(day=partitions.daily("2026-01-01"), region=partitions.static(["eu"]))
    (spec,) = by_name(load(f'{ASSETS}\nSchedule("@daily", assets=regions, partition={{"region": "eu"}})\n')).values()
    assert spec.partition == TickPartition(multi, fixed={"region": "eu"})
    definitions = load(f'{ASSETS}\nSchedule("@daily", assets=regions, partition={{"regoin": "eu"}})\n')
    (problem,) = definitions.problems
    assert "no dimension 'regoin'" in problem.message
    assert "'region'" in problem.hint
    definitions = load(f'{ASSETS}\nSchedule("@daily", assets=raw, partition=1)\n')
    assert "no partitions of time" in definitions.problems[0].message


def test_names_follow_what_is_started(load: Load) -> None:
    assert Schedule("@daily", assets="layer:gold").spec().name == "layer-gold"
    assert Schedule("@daily", assets=["gold.a", "gold.b"]).spec().name == "gold.a-gold.b"

    @flow
    def load_rates() -> None: ...

    assert Schedule("@daily", job=load_rates).spec().name == "load-rates"


def test_options_and_schedules_of_a_flow_are_apart() -> None:
    @flow(schedule="@daily", retries=2)
    def nightly() -> None: ...

    assert nightly.with_options(name="by-hand").schedules == ()
    assert nightly.options.retry.attempts_max == 3
    assert len(nightly.with_options(name="weekly", schedule="@weekly").schedules) == 1


# ---- timetables ----

FRIDAYS = """
@timetable
def closing_time(after):
    at = after.replace(hour=18, minute=0, second=0)
    while at <= after or at.weekday() != 4:
        at += timedelta(days=1)
    return at

@timetable(name="over")
def never(after):
    return None

@timetable
def broken(after):
    return {}[after.year]

@timetable
def backwards(after):
    return after - timedelta(hours=1)

@timetable
def naive(after):
    return datetime(2030, 1, 1)

@timetable
def half_past_two(after):
    at = after.replace(hour=2, minute=30, second=0)
    return at if at > after else at + timedelta(days=1)

@flow(schedule=closing_time, timezone="Europe/Madrid")
def close(): ...
"""


def test_timetables_are_evaluated_by_name(tmp_path: Path) -> None:
    file = tmp_path / "fridays.py"
    file.write_text(HEAD + FRIDAYS)
    location = load_location(str(file))
    (spec,) = location.definitions().schedules
    assert spec.timing == Custom("closing-time", MADRID)

    def asked(name: str, after: str) -> str | None:
        found = evaluate_timetable(location.found, name, datetime.fromisoformat(after).timestamp(), MADRID)
        return None if found is None else datetime.fromtimestamp(found, UTC).isoformat(timespec="minutes")

    assert asked("closing-time", "2026-03-20T17:00:00.5+00:00") == "2026-03-27T17:00+00:00"
    assert asked("closing-time", "2026-03-27T17:00+00:00") == "2026-04-03T16:00+00:00"
    assert asked("over", "2026-01-01T00:00+00:00") is None
    # the clock jumps from 2 to 3 on this day
    assert asked("half-past-two", "2026-03-28T12:00+00:00") == "2026-03-29T01:00+00:00"
    for name, said in (
        ("broken", "KeyError: 2026"),
        ("backwards", "not later than"),
        ("naive", "not a time with a zone"),
        ("closing", "did you mean 'closing-time'"),
    ):
        with pytest.raises(BatutaError) as caught:
            asked(name, "2026-01-01T00:00+00:00")
        assert said in str(caught.value)
        assert caught.value.hint


def test_a_timetable_is_still_the_function() -> None:
    @timetable
    def tomorrow(after: datetime) -> datetime:
        """The same time tomorrow."""
        return after + timedelta(days=1)

    assert tomorrow(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2026, 1, 2, tzinfo=UTC)
    assert (tomorrow.name, tomorrow.__doc__) == ("tomorrow", "The same time tomorrow.")


def test_two_timetables_of_one_name_are_refused() -> None:
    found = Found()
    first, second = timetable(lambda after: None), timetable(lambda after: None)
    found.add(first)
    found.add(first)
    with pytest.raises(DuplicateKeyError, match="two timetables are called"):
        found.add(second)
    with pytest.raises(UnknownDependencyError):
        evaluate_timetable(Found(), "x", 0.0)
