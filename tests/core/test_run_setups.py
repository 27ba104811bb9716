"""Setups and teardowns: what was set up is torn down, and work runs only on what was set up."""

from __future__ import annotations

import pytest

from batuta.core.plan import StepSpec
from batuta.core.retry import Retry
from tests.core.run_driver import Driver, aligned, mapped, step


def _scope(*more: StepSpec, **fields: bool) -> tuple[StepSpec, ...]:
    options = {"fails_run": False, **fields}
    return (
        step("up", is_setup=True),
        step("work", "up"),
        *more,
        step("down", "up", "work", rule="all_done_setup_success", is_teardown=True, **options),
    )


def test_a_teardown_runs_after_the_work_even_if_that_failed() -> None:
    driver = Driver(*_scope())
    driver.succeed("up")
    assert driver.states("work", "down") == ["queued", "waiting"]
    driver.fail("work")
    assert driver.state("down") == "queued"
    driver.succeed("down")
    assert driver.result == "failed"


@pytest.mark.parametrize(("end", "state"), [("fail", "upstream_failed"), ("skip", "skipped")])
def test_nothing_is_torn_down_that_was_not_set_up(end: str, state: str) -> None:
    driver = Driver(*_scope())
    getattr(driver, end)("up")
    assert driver.states("work", "down") == [state, state]


@pytest.mark.parametrize("outcome", ["any", "leaves"])
@pytest.mark.parametrize(("fails_run", "result"), [(False, "succeeded"), (True, "failed")])
def test_a_failed_teardown_fails_the_run_only_if_asked(outcome: str, fails_run: bool, result: str) -> None:
    driver = Driver(*_scope(fails_run=fails_run), outcome=outcome)  # type: ignore[arg-type]
    driver.succeed("up", "work")
    driver.fail("down")
    assert driver.result == result


def test_work_above_a_teardown_counts_as_a_leaf() -> None:
    driver = Driver(*_scope(), outcome="leaves")
    driver.succeed("up")
    driver.fail("work")
    driver.succeed("down")
    assert driver.result == "failed"


def test_work_does_not_run_without_its_setup_whatever_its_rule() -> None:
    more = step("more", "work", rule="all_done"), step("alert", "work", rule="one_failed")
    steps = (step("up", is_setup=True), step("work", "up"), *more)
    down = step("down", "up", "more", "alert", rule="all_done_setup_success", is_teardown=True)
    driver = Driver(*steps, down, step("outside", "work", rule="all_done"))
    driver.fail("up")
    assert driver.states("work", "more", "alert", "down") == ["upstream_failed"] * 4
    assert driver.task("more").reason == "up did not set up what it needs"
    assert driver.state("outside") == "queued"


def test_work_waits_for_its_setup_whatever_its_rule() -> None:
    driver = Driver(
        step("up", is_setup=True),
        step("between", "up"),
        step("eager", "between", rule="always"),
        step("down", "up", "eager", rule="all_done_setup_success", is_teardown=True),
    )
    assert driver.going() == {"up"}
    driver.succeed("up")
    assert driver.going() == {"between", "eager"}


def test_mapped_scopes_are_judged_index_by_index() -> None:
    over = mapped(3)
    driver = Driver(
        step("up", expansion=over, is_setup=True),
        step("work", aligned("up"), expansion=over, rule="all_done"),
        step("down", aligned("up"), aligned("work"), expansion=over, rule="all_done_setup_success", is_teardown=True),
    )
    driver.fail("up[0]")
    driver.skip("up[1]")
    driver.succeed("up[2]")
    assert driver.of("work") == ["upstream_failed", "skipped", "queued"]
    driver.succeed("work[2]")
    assert driver.of("down") == ["upstream_failed", "skipped", "queued"]


def test_one_of_several_setups_is_enough_to_tear_down() -> None:
    driver = Driver(
        step("a", is_setup=True),
        step("b", is_setup=True),
        step("down", "a", "b", rule="all_done_setup_success", is_teardown=True),
    )
    driver.fail("a")
    driver.succeed("b")
    assert driver.state("down") == "queued"


@pytest.mark.parametrize("hard", [False, True])
def test_a_cancelled_run_is_torn_down(hard: bool) -> None:
    driver = Driver(*_scope(step("later", "work")))
    driver.succeed("up")
    driver.begin("work")
    driver.cancel(hard=hard)
    assert driver.states("later", "down") == ["cancelled", "waiting"]
    driver.stopped("work")
    assert driver.going() == {"down"}
    driver.succeed("down")
    assert driver.result == "cancelled"


def test_a_setup_that_succeeds_in_its_last_moment_is_torn_down() -> None:
    driver = Driver(*_scope())
    driver.cancel()
    assert driver.result == "cancelling"
    driver.succeed("up")
    assert driver.states("work", "down") == ["cancelled", "queued"]


def test_a_setup_that_was_stopped_is_not() -> None:
    driver = Driver(*_scope())
    driver.cancel()
    driver.stopped("up")
    assert driver.state("down") == "upstream_failed"
    assert driver.result == "cancelled"


def test_teardowns_are_tried_again_in_a_cancelled_run() -> None:
    steps = _scope()
    down = step("down", "up", rule="all_done_setup_success", is_teardown=True, retry=Retry(attempts_max=2, delay_s=5))
    driver = Driver(*steps[:2], down)
    driver.succeed("up")
    driver.cancel()
    driver.stopped("work")
    driver.fail("down")
    driver.fire("down")
    driver.lose("down")
    assert driver.going() == {"down"}


def test_a_hard_cancel_ends_a_teardown_that_runs_or_waits_for_a_time() -> None:
    driver = Driver(*_scope())
    driver.succeed("up", "work")
    driver.cancel()
    assert driver.wished(object) == []
    driver.begin("down")
    assert driver.cancel(hard=True)
    driver.stopped("down")
    assert driver.result == "cancelled"

    driver = Driver(*_scope())
    driver.succeed("up", "work")
    driver.defer("down")
    driver.cancel()
    assert driver.state("down") == "deferred"
    driver.cancel(hard=True)
    assert driver.state("down") == "cancelled"


def test_what_is_below_a_teardown_is_cancelled_like_the_rest() -> None:
    driver = Driver(*_scope(), step("after", "down"))
    driver.succeed("up")
    driver.cancel()
    driver.stopped("work")
    driver.succeed("down")
    assert driver.state("after") == "cancelled"


def test_failing_fast_tears_down() -> None:
    driver = Driver(*_scope(step("other"), step("never", "work")), fail_fast=True)
    driver.succeed("up")
    driver.fail("other")
    assert driver.states("never", "down") == ["skipped", "waiting"]
    driver.stopped("work")
    assert driver.state("down") == "queued"
    driver.fail("down")
    assert driver.result == "failed"
