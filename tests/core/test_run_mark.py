"""A person's word on how something ended: what goes on because of it, and what stands."""

from __future__ import annotations

import pytest

from batuta.core import events as ev
from batuta.core.errors import RequestError
from batuta.core.run_mark import refuse_mark
from tests.core.run_driver import Driver, mapped, step


def mark(driver: Driver, state: ev.Mark, *keys: str, note: str = "") -> list[ev.Command]:
    tasks = tuple(driver.task(key).no for key in keys) if keys else None
    return driver.tell(ev.MarkAsked(at=driver.clock, state=state, by="ann", tasks=tasks, note=note))


def test_what_a_failure_held_back_goes_on_and_what_has_run_stands() -> None:
    driver = Driver(
        step("a"),
        step("b", "a"),
        step("c", "b"),
        step("after", "a", rule="all_done"),
        step("other"),
        step("d", "other"),
    )
    driver.fail("a")
    driver.succeed("after")
    driver.fail("other")
    assert driver.result == "failed"
    assert mark(driver, "succeeded", "a", note="by hand") == [ev.Dispatch(driver.task("b").no, 1)]
    assert driver.task("a").reason == "marked as succeeded by ann: by hand"
    assert driver.task("a").error is None
    assert driver.states("after", "other", "d") == ["succeeded", "failed", "upstream_failed"]
    driver.succeed("b", "c")
    assert driver.result == "failed", "the other one has failed still"
    mark(driver, "skipped", "other")
    assert driver.states("other", "d") == ["skipped", "skipped"]
    assert driver.result == "succeeded"


def test_a_success_that_is_called_a_failure_fails_the_run_and_takes_nothing_back() -> None:
    driver = Driver(step("a"), step("b", "a"))
    driver.succeed("a", "b")
    mark(driver, "failed", "a")
    assert (driver.result, driver.state("b")) == ("failed", "succeeded")
    error = driver.task("a").error
    assert error is not None
    assert error.message == "marked as failed by ann"


@pytest.mark.parametrize("end", ["succeed", "fail", "stopped", "lose", "defer"])
def test_an_attempt_that_goes_on_is_stopped_and_ends_as_it_is_marked(end: str) -> None:
    driver = Driver(step("a"), step("b", "a"))
    driver.begin("a")
    assert mark(driver, "succeeded", "a") == [ev.Stop(0, 1, False)]
    assert driver.states("a", "b") == ["running", "waiting"], "there is one attempt at a time"
    getattr(driver, end)("a")
    assert driver.states("a", "b") == ["succeeded", "queued"]


def test_what_waits_ends_at_once() -> None:
    driver = Driver(step("a"), step("ask", kind="input"), step("b", "a", "ask"), step("c", "b"))
    driver.defer("a")
    mark(driver, "succeeded", "a", "ask")
    assert driver.states("a", "ask", "b") == ["succeeded", "succeeded", "queued"]
    assert driver.run.shown_state == "running"
    mark(driver, "skipped", "c")
    driver.succeed("b")
    assert driver.result == "succeeded"


def test_setups_around_what_goes_on_run_again() -> None:
    driver = Driver(
        step("up", is_setup=True),
        step("bad", "up"),
        step("work", "bad", "up"),
        step("down", "up", "work", rule="all_done_setup_success", is_teardown=True),
    )
    driver.succeed("up")
    driver.fail("bad")
    driver.succeed("down")
    assert driver.result == "failed"
    mark(driver, "succeeded", "bad")
    assert driver.going() == {"up"}
    driver.succeed("up")
    assert (driver.going(), driver.state("bad")) == ({"work"}, "succeeded")
    driver.succeed("work", "down")
    assert driver.result == "succeeded"


def test_what_is_torn_down_in_a_run_under_way_does_not_go_on() -> None:
    driver = Driver(
        step("up", is_setup=True),
        step("bad", "up"),
        step("work", "bad", "up"),
        step("down", "up", "work", rule="all_done_setup_success", is_teardown=True),
        step("long"),
    )
    driver.succeed("up")
    driver.fail("bad")
    assert driver.going() == {"down", "long"}
    mark(driver, "succeeded", "bad")
    assert driver.states("bad", "work") == ["succeeded", "upstream_failed"]


def test_a_mapped_step_without_a_source_cannot_be_expanded() -> None:
    driver = Driver(step("many"), step("each", "many", expansion=mapped("many")))
    driver.fail("many")
    mark(driver, "succeeded", "many")
    assert driver.of("each") == ["failed"]
    error = driver.task("each").error
    assert error is not None
    assert "cannot be expanded" in error.message


def test_one_of_many_and_its_source_keep_their_number() -> None:
    driver = Driver(step("many"), step("each", "many", expansion=mapped("many")))
    driver.succeed("many", length=3)
    driver.succeed("each[0]", "each[2]")
    driver.fail("each[1]")
    mark(driver, "succeeded", "each[1]", "many")
    assert (driver.of("each"), driver.result) == (["succeeded"] * 3, "succeeded")


def test_a_run_as_a_whole() -> None:
    driver = Driver(step("a"), step("b", "a"))
    driver.fail("a")
    assert mark(driver, "succeeded") == [ev.Finish(driver.run.state)]
    assert (driver.result, driver.states("a", "b")) == ("succeeded", ["failed", "upstream_failed"])
    driver.restart()
    driver.fail("a")
    assert driver.result == "failed", "what a person said is over with a restart"


def test_a_run_under_way_is_stopped_first() -> None:
    driver = Driver(step("a"), step("b", "a"))
    driver.begin("a")
    assert mark(driver, "failed") == [ev.Stop(0, 1, False)]
    assert driver.result == "cancelling"
    driver.stopped("a")
    assert (driver.result, driver.states("a", "b")) == ("failed", ["cancelled", "cancelled"])
    assert driver.task("b").reason == "marked as failed by ann"


def test_failing_fast_counts_marks() -> None:
    driver = Driver(step("a"), step("b"), step("c", "b"), fail_fast=True)
    driver.defer("a")
    mark(driver, "failed", "a")
    driver.succeed("b")
    assert (driver.result, driver.state("c")) == ("failed", "skipped")


def test_a_flow_finds_its_calls_as_they_are_marked() -> None:
    driver = Driver(step("flow", kind="flow"), kind="flow", outcome="body")
    driver.ask(("one",), ("two",))
    driver.succeed("one")
    driver.fail("two", retryable=False)
    driver.fail("flow", retryable=False)
    assert driver.result == "failed"
    assert mark(driver, "skipped", "two") == [ev.Dispatch(0, 2)]
    driver.ask(("one",), ("two",))
    assert driver.states("one", "two") == ["succeeded", "skipped"], "neither runs again"
    driver.succeed("flow")
    assert driver.result == "succeeded"


def test_a_flow_whose_body_is_marked_is_over() -> None:
    driver = Driver(step("flow", kind="flow"), kind="flow", outcome="body")
    driver.ask(("one",))
    driver.begin("one")
    driver.fail("flow", retryable=False)
    driver.stopped("one")
    assert driver.result == "failed"
    assert mark(driver, "succeeded", "flow", "one") == [ev.Finish(driver.run.state)]
    assert driver.result == "succeeded"


def test_what_is_no_such_thing_changes_nothing() -> None:
    driver = Driver(step("a"))
    driver.succeed("a")
    for tasks in ((7,), (-1,), ()):
        assert driver.tell(ev.MarkAsked(at=1.0, state="failed", tasks=tasks)) == []
    assert mark(driver, "succeeded", "a") == []
    assert mark(driver, "skipped") == []
    assert driver.result == "succeeded"
    early = Driver(step("a"), start=False)
    assert early.tell(ev.MarkAsked(at=1.0, state="failed", tasks=None)) == []


def test_marks_that_mean_nothing_are_refused() -> None:
    for state, as_, tasks, told in (
        ("queued", "failed", None, "has not begun"),
        ("failed", "skipped", None, "never skipped"),
        ("failed", "failed", None, "has failed already"),
        ("failed", "failed", [], "no task run is named"),
    ):
        with pytest.raises(RequestError, match=told):
            refuse_mark(state, as_, tasks, 7)  # type: ignore[arg-type]
    refuse_mark("failed", "succeeded", None, 7)
    refuse_mark("succeeded", "skipped", ["a"], 7)
