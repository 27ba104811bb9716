"""Runs that stop early: cancelled softly or hard, or failing fast."""

from __future__ import annotations

from batuta.core import events as ev
from batuta.core.retry import Retry
from tests.core.run_driver import Driver, mapped, step


def test_cancel_ends_what_waits_and_asks_what_runs_to_stop() -> None:
    driver = Driver(
        step("runs"),
        step("waits", "runs"),
        step("retries", retry=Retry(attempts_max=2, delay_s=9.0)),
        step("ask", kind="input"),
        step("m", "runs", expansion=mapped("runs")),
    )
    driver.fail("retries")
    driver.begin("runs")
    assert driver.cancel() == [ev.Stop(0, 1, False)]
    assert driver.states("waits", "retries", "ask", "m") == ["cancelled"] * 4
    assert driver.task("waits").reason == "cancelled by ann"
    assert driver.task("retries").error is not None
    assert driver.run.cancelled_by == "ann"
    assert driver.result == "cancelling"
    driver.stopped("runs")
    assert driver.result == "cancelled"


def test_a_run_waits_for_attempts_that_may_be_going_on_unseen() -> None:
    driver = Driver(step("quick"))
    driver.cancel()
    assert (driver.state("quick"), driver.result) == ("queued", "cancelling")
    driver.stopped("quick")
    assert driver.result == "cancelled"


def test_an_attempt_that_is_asked_to_stop_may_end_otherwise() -> None:
    driver = Driver(step("a"), step("b"), step("c"), step("d", retry=Retry(attempts_max=5)), step("e"), step("f", "a"))
    driver.cancel()
    driver.succeed("a")
    driver.skip("b")
    driver.lose("c")
    driver.fail("d")
    driver.defer("e")
    assert driver.states("a", "b", "c", "d", "e", "f") == [
        "succeeded",
        "skipped",
        "cancelled",
        "failed",
        "cancelled",
        "cancelled",
    ]
    assert driver.result == "cancelled"


def test_hard_follows_soft_once() -> None:
    driver = Driver(step("a"))
    driver.cancel()
    assert driver.cancel() == []
    assert driver.cancel(hard=True) == [ev.Stop(0, 1, True)]
    assert driver.cancel() == driver.cancel(hard=True) == []
    assert driver.run.outstanding() == [ev.Stop(0, 1, True)]


def test_a_run_cancelled_before_its_start_runs_nothing() -> None:
    down = step("down", rule="all_done_setup_success", is_teardown=True)
    driver = Driver(step("a"), step("b", "a"), step("m", expansion=mapped(2)), down, start=False)
    assert driver.cancel() == [ev.Finish(driver.run.state)]
    assert driver.result == "cancelled"
    assert driver.states("a", "b", "m", "down") == ["cancelled"] * 4
    assert driver.tell(ev.RunStarted(at=1.0)) == []


def test_cancelling_what_is_over_changes_nothing() -> None:
    driver = Driver(step("a"))
    driver.succeed("a")
    assert driver.cancel() == []
    assert driver.result == "succeeded"
    assert driver.run.cancelled_by == ""


def test_failing_fast_skips_the_rest() -> None:
    driver = Driver(step("a"), step("b"), step("after_a", "a"), step("after_b", "b"), fail_fast=True)
    driver.fail("a")
    assert driver.wished(ev.Stop) == ["b"]
    assert driver.states("after_a", "after_b") == ["upstream_failed", "skipped"]
    assert driver.task("after_b").reason == "a failed, and the run is to fail fast"
    driver.stopped("b")
    assert driver.result == "failed"


def test_what_a_failure_makes_ready_does_not_start_when_failing_fast() -> None:
    driver = Driver(step("a"), step("alert", "a", rule="one_failed"), fail_fast=True)
    driver.fail("a")
    assert driver.state("alert") == "skipped"
    assert driver.result == "failed"


def test_only_final_failures_that_fail_the_run_stop_it() -> None:
    minor = step("minor", fails_run=False, retry=Retry(attempts_max=2))
    driver = Driver(minor, step("b"), step("c", "b"), fail_fast=True)
    driver.fail("minor")
    driver.fail("minor")
    assert driver.states("minor", "b") == ["failed", "queued"]
    driver.succeed("b", "c")
    assert driver.result == "succeeded"


def test_cancelling_a_run_that_fails_fast_makes_it_cancelled() -> None:
    driver = Driver(step("a"), step("b"), fail_fast=True)
    driver.fail("a")
    driver.cancel(hard=True)
    assert driver.last == [ev.Stop(1, 1, True)]
    driver.stopped("b")
    assert driver.result == "cancelled"


def test_a_single_task_run_may_be_cancelled_in_a_run_that_goes_on() -> None:
    driver = Driver(step("a"), step("b", "a"), step("c"))
    driver.stopped("a")
    assert driver.states("a", "b", "c") == ["cancelled", "upstream_failed", "queued"]
