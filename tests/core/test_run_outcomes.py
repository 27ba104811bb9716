"""How a run ends, given how its task runs did."""

from __future__ import annotations

import pytest

from batuta.core.plan import Outcome
from tests.core.run_driver import Driver, mapped, step


@pytest.mark.parametrize(("outcome", "result"), [("any", "failed"), ("leaves", "succeeded")])
def test_a_failure_that_a_leaf_copes_with(outcome: Outcome, result: str) -> None:
    driver = Driver(step("a"), step("repair", "a", rule="all_done"), outcome=outcome)
    driver.fail("a")
    driver.succeed("repair")
    assert driver.result == result


def test_a_leaf_that_was_held_back_fails_the_run() -> None:
    driver = Driver(step("a"), step("b", "a"), step("alert", "a", rule="one_failed"), outcome="leaves")
    driver.fail("a")
    driver.succeed("alert")
    assert driver.result == "failed"


@pytest.mark.parametrize("outcome", ["any", "leaves"])
def test_skips_fail_nothing(outcome: Outcome) -> None:
    driver = Driver(step("a"), step("b", "a"), outcome=outcome)
    driver.skip("a")
    assert driver.result == "succeeded"


@pytest.mark.parametrize("outcome", ["any", "leaves"])
def test_a_step_may_be_allowed_to_fail(outcome: Outcome) -> None:
    driver = Driver(step("a", fails_run=False), step("b"), outcome=outcome)
    driver.fail("a")
    driver.succeed("b")
    assert driver.result == "succeeded"


@pytest.mark.parametrize("outcome", ["any", "leaves"])
def test_one_of_many_mapped_task_runs_fails_the_run(outcome: Outcome) -> None:
    driver = Driver(step("m", expansion=mapped(3)), outcome=outcome)
    driver.succeed("m[0]", "m[2]")
    driver.fail("m[1]")
    assert driver.result == "failed"


def test_a_run_of_teardowns_alone_can_fail() -> None:
    driver = Driver(step("down", is_teardown=True), outcome="leaves")
    driver.fail("down")
    assert driver.result == "failed"


def test_a_cancelled_task_run_fails_a_run_that_nobody_cancelled() -> None:
    driver = Driver(step("a"))
    driver.stopped("a")
    assert driver.result == "failed"
