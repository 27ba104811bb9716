"""Plans that cannot be run are refused, and keys of task runs are as people write them."""

from __future__ import annotations

import pytest

from batuta.core.errors import CycleError, InvariantError
from tests.core.run_driver import Driver, aligned, labels, mapped, step


def test_a_circle_is_refused_and_shown() -> None:
    with pytest.raises(CycleError, match=r"b, c|c, b"):
        Driver(step("a"), step("b", "a", "c"), step("c", "b"))


def test_a_step_that_waits_for_itself_is_refused() -> None:
    with pytest.raises(CycleError):
        Driver(step("a", "a"))
    with pytest.raises(CycleError):
        Driver(step("a", expansion=mapped("a")))


def test_a_plan_need_not_be_in_order() -> None:
    driver = Driver(step("c", "b"), step("b", "a"), step("a"))
    driver.succeed("a", "b", "c")
    assert driver.result == "succeeded"


def test_unknown_upstreams_and_doubled_keys_are_refused() -> None:
    with pytest.raises(InvariantError, match="'a' waits for 'nobody'"):
        Driver(step("a", "nobody"))
    with pytest.raises(InvariantError, match="'a' waits for 'nobody'"):
        Driver(step("a", expansion=mapped("nobody")))
    with pytest.raises(InvariantError, match="two steps"):
        Driver(step("a"), step("a"))


def test_aligned_single_steps_are_like_any_others() -> None:
    driver = Driver(step("a"), step("b", aligned("a")))
    driver.fail("a")
    driver.restart()
    driver.succeed("a", "b")
    assert driver.result == "succeeded"


def test_the_same_upstream_may_be_named_twice() -> None:
    driver = Driver(step("a"), step("b", "a", "a"))
    driver.succeed("a", "b")
    assert driver.result == "succeeded"


def test_keys() -> None:
    driver = Driver(step("a"), step("m", expansion=mapped(2)), step("p", expansion=labels("2026-01-31")))
    assert [task.key for task in driver.run.graph.runs] == ["a", "p[2026-01-31]", "m[0]", "m[1]"]
    assert driver.run.find("a") is driver.run.task(0)
    assert driver.run.find("nobody") is None


def test_a_broken_invariant_tells_its_story() -> None:
    driver = Driver(step("a"))
    driver.begin("a")
    driver.run.graph.by_key["a"].open = 5
    with pytest.raises(InvariantError, match="counts 5 open task runs") as caught:
        driver.run.check()
    assert "AttemptStarted" in str(caught.value)
