"""Branches and short circuits: what is left out, and what stays."""

from __future__ import annotations

import pytest

from batuta.core.plan import Edge
from batuta.core.retry import Retry
from tests.core.run_driver import Driver, aligned, labels, mapped, step


def test_a_branch_skips_what_it_does_not_follow() -> None:
    driver = Driver(step("branch"), step("a", "branch"), step("b", "branch"), step("below_b", "b"))
    driver.succeed("branch", follow=("a",))
    assert driver.states("a", "b", "below_b") == ["queued", "skipped", "skipped"]
    assert driver.task("b").reason == "branch did not choose it"


def test_following_nothing_skips_all_and_no_decision_skips_none() -> None:
    steps = step("branch"), step("a", "branch"), step("b", "branch")
    nothing, undecided = Driver(*steps), Driver(*steps)
    nothing.succeed("branch", follow=())
    undecided.succeed("branch")
    assert nothing.states("a", "b") == ["skipped", "skipped"]
    assert undecided.states("a", "b") == ["queued", "queued"]


def test_a_followed_step_that_leads_to_another_keeps_it() -> None:
    driver = Driver(step("branch"), step("a", "branch"), step("join", "branch", "a"), step("c", "branch"))
    driver.succeed("branch", follow=("a",))
    assert driver.states("a", "join", "c") == ["queued", "waiting", "skipped"]
    driver.succeed("a")
    assert driver.state("join") == "queued"


@pytest.mark.parametrize(
    ("rule", "state"),
    [("none_failed_min_one_success", "queued"), ("none_failed", "queued"), ("all_success", "skipped")],
)
def test_a_join_below_both_ways_goes_by_its_rule(rule: str, state: str) -> None:
    driver = Driver(step("branch"), step("a", "branch"), step("b", "branch"), step("join", "a", "b", rule=rule))
    driver.succeed("branch", follow=("a",))
    driver.succeed("a")
    assert driver.state("join") == state


def test_groups_may_be_followed_nested_ones_too() -> None:
    driver = Driver(
        step("branch"),
        step("g.a", "branch", group="g"),
        step("g.h.b", "branch", group="g.h"),
        step("gone", "branch", group="gh"),
    )
    driver.succeed("branch", follow=("g",))
    assert driver.states("g.a", "g.h.b", "gone") == ["queued", "queued", "skipped"]


def test_a_parent_group_without_steps_of_its_own_may_be_followed() -> None:
    driver = Driver(step("branch"), step("g.h.b", "branch", group="g.h"), step("c", "branch"))
    driver.succeed("branch", follow=("g",))
    assert driver.states("g.h.b", "c") == ["queued", "skipped"]


def test_an_unknown_name_fails_the_branch_and_suggests_one() -> None:
    driver = Driver(step("branch", retry=_twice()), step("load", "branch"), step("store", "branch"))
    driver.succeed("branch", follow=("laod",))
    assert driver.states("branch", "load", "store") == ["failed", "upstream_failed", "upstream_failed"]
    error = driver.task("branch").error
    assert error is not None
    assert "'laod'" in error.message
    assert "'load'" in error.hint
    assert driver.result == "failed"


def _twice() -> Retry:
    return Retry(attempts_max=2)


def test_a_short_circuit_skips_everything_below_whatever_the_rule() -> None:
    driver = Driver(step("stop"), step("a", "stop"), step("b", "a", rule="all_done"), step("other"))
    driver.succeed("stop", cut=True)
    assert driver.states("a", "b", "other") == ["skipped", "skipped", "queued"]


def test_what_already_runs_is_not_taken_back() -> None:
    driver = Driver(step("stop"), step("eager", "stop", rule="always"))
    driver.succeed("stop", cut=True)
    assert driver.going() == {"eager"}


def test_teardowns_are_not_left_out() -> None:
    steps = (
        step("setup", is_setup=True),
        step("stop", "setup"),
        step("work", "stop"),
        step("down", "setup", "stop", "work", rule="all_done_setup_success", is_teardown=True),
    )
    for decision in ({"cut": True}, {"follow": ()}):
        driver = Driver(*steps)
        driver.succeed("setup")
        driver.succeed("stop", **decision)
        assert driver.states("work", "down") == ["skipped", "queued"]


def test_a_branch_in_a_mapped_group_decides_for_its_own_index() -> None:
    over = mapped(3)
    driver = Driver(
        step("branch", expansion=over),
        step("a", aligned("branch"), expansion=over),
        step("below", aligned("a"), expansion=over),
    )
    driver.succeed("branch[0]", cut=True)
    driver.succeed("branch[1]", follow=())
    driver.succeed("branch[2]", follow=("a",))
    assert driver.of("a") == ["skipped", "skipped", "queued"]
    assert driver.of("below") == ["skipped", "skipped", "waiting"]


def test_a_mapped_step_that_waits_to_be_expanded_remembers_what_was_left_out() -> None:
    over = mapped(2)
    driver = Driver(step("late"), step("branch", expansion=over), step("a", aligned("branch"), "late", expansion=over))
    driver.succeed("branch[1]", cut=True)
    driver.succeed("branch[0]", "late")
    assert driver.of("a") == ["queued", "skipped"]


def test_a_mapped_step_that_is_not_followed_is_one_skipped_task_run() -> None:
    driver = Driver(step("branch"), step("m", "branch", expansion=mapped(5)), step("a", "branch"))
    driver.succeed("branch", follow=("a",))
    assert driver.of("m") == ["skipped"]


def test_a_partition_that_decides_leaves_out_what_is_listed_below_it() -> None:
    driver = Driver(
        step("days", expansion=labels("mon", "tue", "wed")),
        step("pairs", Edge("days", ((0, 1), (1, 2))), expansion=labels("x", "y")),
    )
    driver.succeed("days[mon]", follow=())
    assert driver.of("pairs") == ["skipped", "waiting"]
