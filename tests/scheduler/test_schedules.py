"""The duty of schedules on a clock of the test's own: what is due is run once, whatever happened in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from batuta.core.schedule_specs import CatchUp, Cron, Interval, ScheduleSpec
from batuta.scheduler.schedules import OFF, ScheduleDuty, upcoming
from batuta.scheduler.service import Service
from batuta.store.errors import LeadLost
from batuta.store.rows import Leader
from batuta.store.store import Store
from tests.engine.projects import until, write_project
from tests.scheduler.conftest import Open, ended

MIDNIGHT = 1_767_225_600.0  # 2026-01-01
DAY_S = 86_400.0


class Clocked:
    """A service whose schedules are evaluated when the test says, at the time that it says."""

    def __init__(self, service: Service, specs: list[ScheduleSpec]) -> None:
        self.service = service
        self.version = service.locations.get("project").version()
        service.duties["schedules"].stop()
        self.define(*specs)
        self.duty = ScheduleDuty(service)
        self.lead: Leader | None = self.take_lead("me")

    def define(self, *specs: ScheduleSpec) -> None:
        self.version.definitions = msgspec.structs.replace(self.version.definitions, schedules=tuple(specs))

    def take_lead(self, owner: str) -> Leader | None:
        return self.service.store.take_lead("clocked", owner, DAY_S * 1000, MIDNIGHT)

    def at(self, now: float) -> float | None:
        """Evaluate at that time; when it wants to be asked again."""
        return self.duty.run_once(now, self.lead)

    def starts(self, name: str) -> list[float | None]:
        """The logical times of its runs, in order of creation."""
        runs = self.service.store.runs(limit=1000)
        return [run.logical_at for run in reversed(runs) if run.trigger == "schedule" and run.origin == name]

    def reasons(self, outcome: str) -> list[str]:
        return [tick.reason for tick in self.service.store.ticks(outcome=outcome, limit=1000)]


Make = Callable[..., Clocked]


@pytest.fixture
def clocked(on_store: str, open_service: Open) -> Make:
    return lambda *specs: Clocked(open_service(), list(specs))


def daily(name: str = "daily", **more: Any) -> ScheduleSpec:
    return ScheduleSpec(name, Cron(("0 6 * * *",)), **{"job": "fixed", **more})


def test_each_time_is_run_once_and_says_when_next(clocked: Make) -> None:
    clock = clocked(daily())
    assert clock.at(MIDNIGHT) == MIDNIGHT + 6 * 3600
    assert clock.starts("daily") == []
    due = MIDNIGHT + 6 * 3600
    assert clock.at(due) == due + DAY_S
    assert clock.at(due + 1) == due + DAY_S
    assert clock.starts("daily") == [due]
    run = clock.service.store.runs(limit=1)[0]
    assert (run.interval_start, run.interval_end) == (due - DAY_S, due)
    (tick,) = clock.service.store.ticks(outcome="launched")
    assert (tick.runs, tick.logical_at) == ([run.id], due)


def test_what_passed_while_nobody_looked_is_caught_up_as_it_says(clocked: Make) -> None:
    clock = clocked(daily("all", catch_up=CatchUp("all")), daily("latest"), daily("none", catch_up=CatchUp("none")))
    clock.at(MIDNIGHT)
    clock.duty = ScheduleDuty(clock.service)  # another scheduler, three and a half days later
    clock.at(MIDNIGHT + 3.5 * DAY_S)
    times = [MIDNIGHT + 6 * 3600 + day * DAY_S for day in range(4)]
    assert clock.starts("all") == times
    assert clock.starts("latest") == times[-1:]
    assert clock.starts("none") == []
    assert any("catch_up is 'none'" in reason for reason in clock.reasons("skipped"))
    late = [tick.data.get("late_s") for tick in clock.service.store.ticks(name="latest", outcome="launched")]
    assert late == [6 * 3600.0]


def test_nothing_is_caught_up_of_the_time_that_it_was_off(clocked: Make) -> None:
    clock = clocked(daily(catch_up=CatchUp("all")))
    clock.at(MIDNIGHT)
    store = clock.service.store
    store.switch("schedule", "project", "daily", False, now=MIDNIGHT + 1)
    clock.duty.definitions_changed()
    assert clock.at(MIDNIGHT + 2) is None
    assert store.tickers("schedule")[0].state == OFF
    clock.at(MIDNIGHT + 2 * DAY_S)
    store.switch("schedule", "project", "daily", True, now=MIDNIGHT + 3 * DAY_S)
    clock.duty.definitions_changed()
    clock.at(MIDNIGHT + 3 * DAY_S + 1)
    clock.at(MIDNIGHT + 4 * DAY_S)
    assert clock.starts("daily") == [MIDNIGHT + 3 * DAY_S + 6 * 3600]


def test_overlap_skip_leaves_out_what_comes_too_early(clocked: Make) -> None:
    spec = ScheduleSpec("often", Interval(60), job="fixed", overlap="skip", catch_up=CatchUp("all"))
    clock = clocked(spec)
    clock.service.queue.draining = True  # nothing is started, so nothing ends
    clock.at(MIDNIGHT)
    clock.at(MIDNIGHT + 60)
    clock.at(MIDNIGHT + 180)
    assert clock.starts("often") == [MIDNIGHT + 60]
    assert clock.reasons("skipped") == ["run 1 is not finished, and overlap is 'skip'"] * 2


def test_overlap_cancel_running_ends_the_run_before(clocked: Make) -> None:
    clock = clocked(ScheduleSpec("often", Interval(60), job="fixed", overlap="cancel_running"))
    clock.service.queue.draining = True
    clock.at(MIDNIGHT)
    clock.at(MIDNIGHT + 60)
    clock.at(MIDNIGHT + 120)
    assert ended(clock.service, 1).state == "cancelled"
    assert [run.state for run in clock.service.store.runs(limit=1)] == ["queued"]


def test_wrong_parameters_are_a_failed_tick_and_stop_nothing(clocked: Make) -> None:
    wrong = [daily("wrong", params={"nope": 1}), daily("gone", job="nowhere")]
    wrong.append(daily("large", job="one", params={"name": "x" * 300_000}))
    clock = clocked(*wrong, daily("right"))
    clock.at(MIDNIGHT)
    due = MIDNIGHT + 6 * 3600
    assert clock.at(due) == due + DAY_S
    assert clock.starts("right") == [due]
    assert len(clock.reasons("failed")) == 3
    assert any("at most 262,144 are kept" in reason for reason in clock.reasons("failed"))
    assert any("there is no job 'nowhere'" in reason for reason in clock.reasons("failed"))


def test_a_location_that_cannot_be_asked_is_asked_again(clocked: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = clocked(daily("daily", job="one", params={"name": "x"}))
    clock.at(MIDNIGHT)
    due = MIDNIGHT + 6 * 3600
    host = clock.version.host
    assert host is not None
    host.kill()  # its evaluators are gone with it; it is started again by itself
    again = clock.at(due)
    while not clock.starts("daily"):
        assert again is not None
        assert again > due
        again = clock.at(again)
    assert clock.starts("daily") == [due]


def test_a_former_leader_starts_nothing(clocked: Make) -> None:
    clock = clocked(daily())
    clock.at(MIDNIGHT)
    clock.service.store.give_up_lead("clocked", "me")
    clock.take_lead("you")
    with pytest.raises(LeadLost):
        clock.at(MIDNIGHT + 6 * 3600)
    assert clock.starts("daily") == []
    clock.lead = clock.service.store.leader("clocked")
    clock.at(MIDNIGHT + 6 * 3600 + 1)
    assert clock.starts("daily") == [MIDNIGHT + 6 * 3600]


def test_runs_of_a_schedule_are_executed_one_after_the_other(clocked: Make, trace: Path) -> None:
    clock = clocked(ScheduleSpec("often", Interval(60), job="fixed", catch_up=CatchUp("all")))
    most = 0

    def watch(*_: object) -> None:
        nonlocal most
        most = max(most, len(clock.service.engine.run_ids))

    clock.service.add_observer(watch)
    clock.at(MIDNIGHT)
    clock.at(MIDNIGHT + 600)
    ids = [run.id for run in clock.service.store.runs(limit=100)]
    assert len(ids) == 10
    assert {ended(clock.service, run_id).state for run_id in ids} == {"succeeded"}
    assert most == 1


def test_the_next_starts_are_known(clocked: Make) -> None:
    clock = clocked(daily("early"), ScheduleSpec("never", Cron(("0 6 * * *",)), job="fixed", enabled=False))
    clock.at(MIDNIGHT)
    found = upcoming(clock.duty.entries.values(), lambda: MIDNIGHT, 5)
    assert [(at, entry.spec.name) for at, entry in found] == [(MIDNIGHT + 6 * 3600, "early")]


def test_a_timetable_is_asked_where_the_code_is(tmp_path: Path, trace: Path, open_service: Open) -> None:
    text = """
from datetime import timedelta
from batuta import Schedule, timetable

@task
def step() -> None: ...

with DAG("fixed"): step()

@timetable
def each_tenth(after):
    return after.replace(second=0, microsecond=0) - timedelta(minutes=after.minute % 10) + timedelta(minutes=10)

@timetable
def never_answers(after):
    raise ValueError("not today")

tenth = Schedule(each_tenth, job="fixed", name="tenth")
broken = Schedule(never_answers, job="fixed", name="broken")
"""
    service = open_service(write_project(tmp_path / "custom", text))
    service.duties["timetables"].stop()
    duty = ScheduleDuty(service, custom=True)
    now = service.clock()
    due = (now // 600 + 1) * 600
    lead = service.store.take_lead("clocked", "me", DAY_S, now)
    duty.run_once(now, lead)
    duty.run_once(due, lead)
    assert [(run.origin, run.logical_at) for run in service.store.runs(limit=10)] == [("tenth", due)]
    (failed, *_) = service.store.ticks(name="broken")
    assert "not today" in failed.reason
    assert service.store.tickers("schedule", "custom")[0].failures > 0


def test_what_another_process_turns_off_is_off(clocked: Make) -> None:
    clock = clocked(daily())
    clock.at(MIDNIGHT)
    clock.service.store.switch("schedule", "project", "daily", False, now=MIDNIGHT - 5)  # its clock is behind
    clock.duty.store_changed()
    clock.at(MIDNIGHT + 1)
    clock.at(MIDNIGHT + DAY_S)
    assert clock.starts("daily") == []


DAILY = """
from batuta import Schedule

@flow(schedule=Schedule("0 6 * * *"))
def early() -> None: ...
"""


def test_a_service_hears_what_another_process_switches(on_store: str, tmp_path: Path, open_service: Open) -> None:
    service = open_service(write_project(tmp_path / "scheduled", DAILY))
    entries = service.schedules

    def is_on() -> bool | None:
        entry = entries.entries.get(("scheduled", "early"))
        return None if entry is None else entry.is_on

    until(is_on, "it is not evaluated")
    until(lambda: service.store.tickers("schedule"), "it is not recorded")
    with Store.open(on_store) as other:
        other.switch("schedule", "scheduled", "early", False, now=time.time())
        until(lambda: is_on() is False, "nobody hears that it is turned off")
        other.switch("schedule", "scheduled", "early", True, now=time.time())
        until(lambda: is_on() is True, "nobody hears that it is turned on again")
