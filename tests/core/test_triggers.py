"""Waiting for triggers: how task runs go on, end, fail and are cancelled; triggers as data."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core import events as ev
from batuta.core import triggers
from batuta.core.retry import Retry
from batuta.core.run import Run
from batuta.core.triggers import AssetMade, At, FileArrives, HttpAnswers, RowArrives, RunEnds, Signal, Trigger, Wait
from batuta.core.values import ErrorInfo, Handle
from tests.core.run_driver import Driver, step

GO = Wait(Signal("go"))
FOUND = Handle(preview="found")


def defer(driver: Driver, key: str, wait: Wait = GO, until: float = 0.0, state: Handle | None = None) -> None:
    task = driver.task(key)
    event = ev.AttemptDeferred(at=driver.clock, task=task.no, attempt=task.attempt, until=until, state=state, wait=wait)
    driver.tell(event)


def fire(driver: Driver, key: str, value: Handle | None = FOUND, error: ErrorInfo | None = None) -> None:
    task = driver.task(key)
    driver.tell(ev.TriggerFired(at=driver.clock, task=task.no, attempt=task.attempt, value=value, error=error))


def test_what_was_waited_for_is_there_when_it_goes_on() -> None:
    driver = Driver(step("a"))
    defer(driver, "a", state=Handle(preview="page 7"))
    assert driver.last == [ev.Watch(0, 1, GO)]
    assert driver.task("a").reason == "waits for the signal go"
    fire(driver, "a")
    assert driver.last == [ev.Dispatch(0, 2)]
    task = driver.task("a")
    assert (task.output, task.fired, task.tries, task.reason) == (Handle(preview="page 7"), FOUND, 1, "")
    driver.lose("a")
    assert task.fired == FOUND, "a lost attempt goes on with what was found"
    defer(driver, "a", state=Handle(preview="page 8"))
    assert task.fired is None


def test_a_wait_with_a_limit_ends_with_nothing_found() -> None:
    driver = Driver(step("a"))
    defer(driver, "a", until=150.0)
    assert driver.last == [ev.Watch(0, 1, GO), ev.SetTimer(0, 1, 150.0)]
    assert driver.run.outstanding() == driver.last
    driver.fire("a")
    assert driver.last == [ev.Dispatch(0, 2)]
    assert driver.task("a").fired is None
    assert driver.run.outstanding() == [ev.Dispatch(0, 2)]


def test_no_timer_ends_a_wait_without_a_limit() -> None:
    driver = Driver(step("a"))
    defer(driver, "a")
    assert driver.tell(ev.TimerFired(at=1e9, task=0, attempt=1)) == []
    assert driver.state("a") == "deferred"


def test_what_was_found_can_be_the_output() -> None:
    driver = Driver(step("a"), step("b", "a"))
    defer(driver, "a", Wait(Signal("go"), finishes=True))
    fire(driver, "a")
    assert (driver.state("a"), driver.task("a").output) == ("succeeded", FOUND)
    assert driver.last == [ev.Dispatch(1, 1)]


def test_what_cannot_be_looked_for_is_a_failure_and_is_retried() -> None:
    driver = Driver(step("a", retry=Retry(attempts_max=2)))
    for _ in range(2):
        defer(driver, "a")
        fire(driver, "a", None, ErrorInfo(message="no such library"))
    assert driver.state("a") == "failed"
    assert driver.task("a").error == ErrorInfo(message="no such library")
    assert driver.task("a").attempt == 2


def test_a_late_trigger_changes_nothing() -> None:
    driver = Driver(step("a"))
    defer(driver, "a", until=150.0)
    driver.fire("a")
    late = ev.TriggerFired(at=160.0, task=0, attempt=1, value=FOUND)
    assert driver.tell(late) == []
    driver.defer("a", 10.0)  # this time for a moment only
    assert driver.tell(msgspec.structs.replace(late, attempt=2)) == []
    assert driver.state("a") == "deferred"


def test_a_waiting_task_run_is_cancelled() -> None:
    driver = Driver(step("a"))
    defer(driver, "a")
    assert driver.cancel() == [ev.Finish(driver.run.state)]
    assert (driver.state("a"), driver.task("a").wait) == ("cancelled", None)


def test_a_new_engine_goes_on_waiting() -> None:
    driver = Driver(step("a"), step("b"))
    defer(driver, "a", state=Handle(preview="page 7"))
    defer(driver, "b", Wait(At(500.0), finishes=True))
    replayed = Run(driver.run.plan)
    for event in driver.log:
        replayed.advance(ev.decode(ev.encode(event)))
    assert replayed.outstanding() == [ev.Watch(0, 1, GO), ev.Watch(1, 1, Wait(At(500.0), finishes=True))]


# ---- triggers as data

_names = st.text(min_size=1, max_size=20)
_times = st.none() | st.floats(0, 1e10)
_triggers = st.one_of(
    st.builds(At, st.floats(0, 1e10)),
    st.builds(FileArrives, _names.map(lambda name: f"/{name}"), st.integers(0, 9), st.floats(0.05, 1e5)),
    st.builds(HttpAnswers, _names.map(lambda name: f"http://{name}"), contains=_names),
    st.builds(
        RowArrives,
        st.just("select 1"),
        st.sampled_from(["warehouse", "sqlite:////a.db", "postgresql://host/name"]),
        st.none() | st.dictionaries(_names, st.integers(0, 9)) | st.lists(_names),
    ),
    st.builds(RunEnds, st.integers(1, 1 << 60)),
    st.builds(AssetMade, _names, st.none() | _names, _times),
    st.builds(Signal, _names, _times),
)


@given(_triggers, _triggers)
def test_triggers_are_the_same_where_their_bytes_are(one: Trigger, other: Trigger) -> None:
    assert triggers.decode(triggers.encode(one)) == one
    assert (triggers.encode(one) == triggers.encode(other)) == (one == other)
    assert triggers.wrong(one) == ""
    assert triggers.describe(one).startswith("waits for")


@pytest.mark.parametrize(
    ("trigger", "said"),
    [
        (FileArrives("in.csv"), "not absolute"),
        (FileArrives("/in.csv", poll_s=0.0), "poll_s"),
        (FileArrives("/in.csv", poll_s=float("nan")), "poll_s"),
        (HttpAnswers("ftp://x"), "http://"),
        (HttpAnswers("http://x", timeout_s=0), "timeout_s"),
        (RowArrives(" ", "warehouse"), "no SQL"),
        (RowArrives("select 1", ""), "no connection"),
        (RowArrives("select 1", "postgresql://ann:secret@host/name"), "no password: name a connection"),
        (RowArrives("select 1", "postgresql://host/name?password=secret"), "no password: name a connection"),
        (RowArrives("select 1", "://"), "is no kind"),
        (RowArrives("select 1", "warehouse", poll_s=0.0), "poll_s"),
        (AssetMade(""), "no asset"),
        (Signal(""), "1 to 200"),
        (Signal("x" * 201), "1 to 200"),
    ],
)
def test_wrong_triggers_are_told(trigger: Trigger, said: str) -> None:
    assert said in triggers.wrong(trigger)


def test_urls_are_shown_without_what_may_be_secret() -> None:
    text = triggers.describe(HttpAnswers("https://ann:secret@example.org/a/b?token=secret#secret"))
    assert text == "waits for an answer of https://example.org/a/b"
    assert triggers.describe(RowArrives("select 1", "warehouse")) == "waits for a row of warehouse"
    assert (
        triggers.describe(RowArrives("select 1", "postgresql://ann@host/a")) == "waits for a row of postgresql://host/a"
    )
