"""Single task runs: attempts, retries, deferral, losses, answers of people, and the fence against late messages."""

from __future__ import annotations

import pytest

from batuta.core import events as ev
from batuta.core.retry import Retry
from batuta.core.run import LOST_MAX
from batuta.core.values import ErrorInfo, Handle
from tests.core.run_driver import Driver, step

_RETRY = Retry(attempts_max=3, delay_s=10.0)


def test_a_chain_runs_to_its_end() -> None:
    driver = Driver(step("a"), step("b", "a"))
    assert driver.last == [ev.Dispatch(0, 1)]
    driver.begin("a")
    assert driver.state("a") == "running"
    driver.succeed("a", length=2)
    assert driver.last == [ev.Dispatch(1, 1)]
    assert driver.task("a").output == Handle(length=2)
    driver.succeed("b")
    assert driver.last == [ev.Finish(driver.run.state)]
    assert driver.result == "succeeded"


def test_an_attempt_may_end_without_a_word_of_its_start() -> None:
    driver = Driver(step("a"))
    driver.succeed("a", started_at=42.0)
    assert driver.task("a").started_at == 42.0


def test_a_failure_is_tried_again_after_its_delay() -> None:
    driver = Driver(step("a", retry=_RETRY), step("b", "a"))
    driver.fail("a")
    assert driver.last == [ev.SetTimer(0, 1, 110.0)]
    assert driver.states("a", "b") == ["retrying", "waiting"]
    driver.fire("a")
    assert driver.last == [ev.Dispatch(0, 2)]
    driver.succeed("a")
    assert driver.states("a", "b") == ["succeeded", "queued"]
    assert driver.task("a").error is None


def test_the_last_failure_is_final() -> None:
    driver = Driver(step("a", retry=_RETRY), step("b", "a"))
    for _ in range(2):
        driver.fail("a")
        driver.fire("a")
    driver.fail("a")
    assert driver.states("a", "b") == ["failed", "upstream_failed"]
    assert driver.task("a").failures == driver.task("a").tries == 3


def test_without_delay_the_next_try_begins_at_once() -> None:
    driver = Driver(step("a", retry=Retry(attempts_max=2)))
    driver.fail("a")
    assert driver.last == [ev.Dispatch(0, 2)]


def test_delays_grow_and_are_spread_by_the_seed() -> None:
    retry = Retry(attempts_max=9, delay_s=4.0, backoff="exponential", jitter=0.25)
    waits = []
    for seed in (1, 1, 2):
        driver = Driver(step("a", retry=retry), seed=seed)
        driver.fail("a")
        first = driver.task("a").until - driver.clock
        driver.fire("a")
        driver.fail("a")
        waits.append((first, driver.task("a").until - driver.clock))
    assert waits[0] == waits[1] != waits[2]
    assert all(3.0 <= first <= 5.0 and 6.0 <= second <= 10.0 for first, second in waits)


def test_what_is_not_retryable_is_not_tried_again() -> None:
    driver = Driver(step("a", retry=_RETRY))
    driver.fail("a", retryable=False)
    assert driver.state("a") == "failed"


def test_a_skip_by_the_task_itself_has_its_reason() -> None:
    driver = Driver(step("a"), step("b", "a"))
    driver.skip("a")
    assert driver.states("a", "b") == ["skipped", "skipped"]
    assert driver.task("a").reason == "nothing new"


def test_a_deferred_task_run_goes_on_with_what_it_remembers() -> None:
    driver = Driver(step("a", retry=_RETRY))
    driver.defer("a", 30.0, Handle(preview="page 7"))
    assert driver.last == [ev.SetTimer(0, 1, 130.0)]
    driver.fire("a")
    assert driver.last == [ev.Dispatch(0, 2)]
    task = driver.task("a")
    assert (task.output, task.tries, task.attempt) == (Handle(preview="page 7"), 1, 2)
    driver.lose("a")
    assert task.output == Handle(preview="page 7")
    driver.fail("a")
    assert task.output is None, "a new try begins from the start"


def test_deferrals_do_not_use_up_tries() -> None:
    driver = Driver(step("a", retry=Retry(attempts_max=2)))
    for _ in range(10):
        driver.defer("a")
        driver.fire("a")
    driver.fail("a")
    assert driver.state("a") == "queued"


def test_a_timer_that_fires_early_is_set_again() -> None:
    driver = Driver(step("a"))
    driver.defer("a", 30.0)
    driver.fire("a", early_s=0.5)
    assert driver.state("a") == "deferred"
    assert driver.last == [ev.SetTimer(0, 1, 130.0)]


def test_a_lost_worker_costs_no_try_but_not_for_ever() -> None:
    driver = Driver(step("a", retry=_RETRY))
    for loss in range(LOST_MAX):
        driver.lose("a")
        assert driver.last == [ev.Dispatch(0, loss + 2)]
    driver.lose("a")
    task = driver.task("a")
    assert driver.state("a") == "failed"
    assert task.error is not None
    assert (task.error.kind, task.error.message) == ("killed", f"its process was lost {LOST_MAX + 1} times: killed")
    assert task.tries == 1


def test_losses_that_are_our_own_are_not_counted() -> None:
    driver = Driver(step("a"))
    for _ in range(LOST_MAX + 5):
        driver.lose("a", counted=False)
    assert driver.state("a") == "queued"


def test_a_person_answers() -> None:
    driver = Driver(step("a"), step("ask", "a", kind="input"), step("b", "ask"), step("long"))
    assert str(driver.run.shown_state) == "running"
    driver.succeed("a")
    assert driver.last == []
    assert driver.state("ask") == "paused"
    assert str(driver.run.shown_state) == "paused"
    driver.answer("ask", Handle(preview="yes"))
    assert driver.states("ask", "b") == ["succeeded", "queued"]
    assert driver.task("ask").output == Handle(preview="yes")
    assert str(driver.run.shown_state) == "running"
    driver.answer("ask", Handle(preview="no"))
    assert driver.task("ask").output == Handle(preview="yes")


def test_a_run_is_not_shown_paused_once_it_is_cancelled() -> None:
    driver = Driver(step("ask", kind="input"), step("long"))
    driver.cancel()
    assert str(driver.run.shown_state) == "cancelling"


_LATE = [
    ev.AttemptStarted(at=1.0, task=0, attempt=1),
    ev.AttemptSucceeded(at=1.0, task=0, attempt=1),
    ev.AttemptFailed(at=1.0, task=0, attempt=1, error=ErrorInfo()),
    ev.AttemptSkipped(at=1.0, task=0, attempt=1),
    ev.AttemptDeferred(at=1.0, task=0, attempt=1, until=2.0),
    ev.AttemptLost(at=1.0, task=0, attempt=1),
    ev.AttemptCancelled(at=1.0, task=0, attempt=1),
    ev.TimerFired(at=999.0, task=0, attempt=1),
]


@pytest.mark.parametrize("late", _LATE, ids=lambda event: type(event).__name__)
@pytest.mark.parametrize("then", ["again", "deferred and on", "ended"])
def test_a_superseded_attempt_changes_nothing(late: ev.Event, then: str) -> None:
    driver = Driver(step("a", retry=_RETRY), step("b", "a"))
    if then == "again":
        driver.lose("a")
    elif then == "deferred and on":
        driver.defer("a")
        driver.fire("a")
    else:
        driver.succeed("a")
    before = driver.states("a", "b"), driver.task("a").attempt, driver.task("a").output
    assert driver.tell(late) == []
    assert (driver.states("a", "b"), driver.task("a").attempt, driver.task("a").output) == before


@pytest.mark.parametrize("no", [-1, 7])
def test_task_runs_that_never_were_change_nothing(no: int) -> None:
    driver = Driver(step("a"))
    events: list[ev.Event] = [
        ev.AttemptSucceeded(at=1.0, task=no, attempt=1),
        ev.TimerFired(at=1.0, task=no, attempt=1),
        ev.InputGiven(at=1.0, task=no, value=Handle()),
        ev.TasksDropped(at=1.0, tasks=(no,)),
        ev.TasksDropped(at=1.0, tasks=(0,), asker=no),
        ev.TasksRequested(at=1.0, spec=step("x"), calls=(ev.Call("x"),), asker=no),
    ]
    for event in events:
        assert driver.tell(event) == []
    assert driver.going() == {"a"}
    assert len(driver.run.graph.runs) == 1


def test_nothing_happens_before_the_start() -> None:
    driver = Driver(step("a"), start=False)
    assert driver.tell(ev.AttemptSucceeded(at=1.0, task=0, attempt=0)) == []
    assert driver.tell(ev.TasksRequested(at=1.0, spec=step("x"), calls=(ev.Call("x"),))) == []
    assert driver.result == "queued"
    assert driver.run.outstanding() == []
    driver.tell(ev.RunStarted(at=2.0))
    assert driver.tell(ev.RunStarted(at=3.0)) == []
    assert driver.going() == {"a"}


def test_what_should_be_going_on_can_be_asked_for() -> None:
    driver = Driver(step("a"), step("b"), step("c", retry=_RETRY), step("d"), step("ask", kind="input"))
    driver.begin("b")
    driver.fail("c")
    driver.defer("d", 5.0)
    timers = [ev.SetTimer(2, 1, 110.0), ev.SetTimer(3, 1, 105.0)]
    assert driver.run.outstanding() == [ev.Dispatch(0, 1), ev.Dispatch(1, 1), *timers]
    driver.cancel()
    assert driver.run.outstanding() == [ev.Stop(0, 1, False), ev.Stop(1, 1, False)]
    driver.stopped("a", "b")
    assert driver.run.outstanding() == [ev.Finish(driver.run.state)]


def test_changed_names_every_task_run_whose_state_changed() -> None:
    driver = Driver(step("a"), step("b", "a"), step("c", "b"))
    changed = {task.key: str(task.state) for task in driver.run.changed}
    assert changed == {"a": "queued", "b": "waiting", "c": "waiting"}
    driver.run.changed.clear()
    driver.begin("a")
    assert [task.key for task in driver.run.changed] == ["a"]
    driver.run.changed.clear()
    driver.lose("a")
    assert [task.key for task in driver.run.changed] == ["a"]
    driver.run.changed.clear()
    driver.fail("a")
    assert [task.key for task in driver.run.changed] == ["a", "b", "c"]


def test_an_empty_plan_is_done_at_once() -> None:
    assert Driver().result == "succeeded"
