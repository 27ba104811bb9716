"""Running a finished run again: what stands, what waits anew."""

from __future__ import annotations

from batuta.core import events as ev
from batuta.core.retry import Retry
from tests.core.run_driver import Driver, aligned, labels, mapped, step


def test_what_failed_runs_again_and_what_succeeded_stands() -> None:
    driver = Driver(step("a"), step("b", "a", retry=Retry(attempts_max=2)), step("c", "b"), step("d", "a"))
    driver.succeed("a", "d")
    driver.fail("b")
    driver.fail("b")
    assert driver.result == "failed"
    assert driver.restart() == [ev.Dispatch(1, 3)]
    assert driver.result == "running"
    assert driver.states("a", "b", "c", "d") == ["succeeded", "queued", "waiting", "succeeded"]
    assert driver.task("b").failures == 0, "with a fresh retry budget"
    driver.succeed("b", "c")
    assert driver.result == "succeeded"


def test_a_cancelled_run_goes_on() -> None:
    driver = Driver(step("a"), step("b", "a"), step("m", "b", expansion=mapped("b")))
    driver.cancel()
    driver.stopped("a")
    assert driver.restart() == [ev.Dispatch(0, 2)]
    assert driver.run.cancelled_by == ""
    driver.succeed("a")
    driver.succeed("b", length=2)
    driver.succeed("m[0]", "m[1]")
    assert driver.result == "succeeded"


def test_what_was_skipped_by_failing_fast_runs_on_restart() -> None:
    driver = Driver(step("a"), step("b"), step("elsewhere", "b"), step("m", "b", expansion=mapped(2)), fail_fast=True)
    driver.fail("a")
    driver.succeed("b")
    assert driver.states("elsewhere", "m") == ["skipped", "skipped"]
    driver.restart()
    assert driver.going() == {"a", "elsewhere", "m[0]", "m[1]"}


def test_decisions_stand() -> None:
    driver = Driver(
        step("bad"), step("branch"), step("chosen", "branch", "bad"), step("other", "branch", "bad"), step("idle")
    )
    driver.succeed("branch", follow=("chosen",))
    driver.skip("idle")
    driver.fail("bad")
    assert driver.states("chosen", "other") == ["upstream_failed", "skipped"]
    driver.restart()
    driver.succeed("bad")
    assert driver.states("chosen", "other", "idle") == ["queued", "skipped", "skipped"]


def test_a_short_circuit_stands_for_what_waits_anew() -> None:
    driver = Driver(step("bad"), step("gate"), step("a", "gate"), step("b", "a", "bad", rule="all_done"))
    driver.succeed("gate", cut=True)
    driver.fail("bad")
    driver.restart()
    driver.succeed("bad")
    assert driver.states("a", "b") == ["skipped", "skipped"]
    assert driver.result == "succeeded"


def test_skips_that_a_failure_caused_are_weighed_anew() -> None:
    driver = Driver(step("bad"), step("instead", "bad", rule="all_skipped"), step("below", "instead"))
    driver.fail("bad")
    assert driver.states("instead", "below") == ["skipped", "skipped"]
    driver.restart()
    assert driver.states("instead", "below") == ["waiting", "waiting"]
    driver.skip("bad")
    assert driver.states("instead", "below") == ["queued", "waiting"]


def test_a_named_task_run_runs_again_with_all_below() -> None:
    driver = Driver(step("a"), step("b", "a"), step("c", "b"), step("d", "a"))
    driver.succeed("a", "b", "c", "d")
    driver.restart("b")
    assert driver.states("a", "b", "c", "d") == ["succeeded", "queued", "waiting", "succeeded"]


def test_a_named_index_runs_again_with_what_is_below_that_index() -> None:
    driver = Driver(
        step("a", expansion=labels("x", "y")),
        step("b", aligned("a"), expansion=labels("x", "y")),
        step("sum", "b"),
    )
    driver.succeed("a[x]", "a[y]", "b[x]", "b[y]", "sum")
    driver.restart("a[y]")
    assert driver.of("a") == ["succeeded", "queued"]
    assert driver.of("b") == ["succeeded", "waiting"]
    assert driver.state("sum") == "waiting"


def test_a_restart_of_nothing_ends_as_before() -> None:
    driver = Driver(step("a"))
    driver.succeed("a")
    assert driver.restart() == [ev.Finish(driver.run.state)]
    assert driver.result == "succeeded"


def test_a_run_that_goes_on_cannot_be_restarted() -> None:
    driver = Driver(step("a"), step("b"))
    driver.fail("a")
    assert driver.restart() == []
    assert driver.state("a") == "failed"


def test_a_mapped_step_whose_source_failed_is_expanded_on_restart() -> None:
    driver = Driver(step("src"), step("m", "src", expansion=mapped("src")), step("end", "m"))
    driver.fail("src")
    driver.restart()
    driver.succeed("src", length=2)
    assert driver.of("m") == ["queued", "queued"]
    driver.succeed("m[0]", "m[1]", "end")
    assert driver.result == "succeeded"


def test_a_source_that_runs_again_may_have_fewer_items_and_then_more() -> None:
    driver = Driver(step("src"), step("m", "src", expansion=mapped("src")), step("end", "m"))
    driver.succeed("src", length=3)
    driver.succeed("m[0]", "m[1]", "m[2]", "end")
    numbers = [task.no for task in driver.run.graph.by_key["m"].runs]

    driver.restart("src")
    assert driver.state("end") == "waiting"
    driver.succeed("src", length=1)
    assert driver.of("m") == ["queued"]
    dropped = [driver.run.task(no) for no in numbers[1:]]
    assert [(str(task.state), task.dropped) for task in dropped] == [("skipped", True)] * 2
    driver.succeed("m[0]")
    assert driver.state("end") == "queued", "what was dropped holds nobody back"
    driver.succeed("end")

    driver.restart("src")
    driver.succeed("src", length=4)
    assert driver.of("m") == ["queued"] * 4
    assert [task.no for task in driver.run.graph.by_key["m"].runs][:3] == numbers
    assert [task.attempt for task in driver.run.graph.by_key["m"].runs] == [3, 2, 2, 1]


def test_items_of_a_source_that_failed_in_part_are_caught_up_on() -> None:
    driver = Driver(step("m", expansion=mapped(3)), step("n", "m", rule="all_done", expansion=mapped("m")))
    driver.succeed("m[0]", "m[2]")
    driver.fail("m[1]")
    driver.succeed("n[0]", "n[2]")
    assert driver.of("n") == ["succeeded", "upstream_failed", "succeeded"]
    driver.restart()
    driver.succeed("m[1]")
    assert driver.of("n") == ["succeeded", "queued", "succeeded"]


def test_setups_and_teardowns_around_what_runs_again_run_again() -> None:
    driver = Driver(
        step("up", is_setup=True),
        step("good", "up"),
        step("bad", "up"),
        step("down", "up", "good", "bad", rule="all_done_setup_success", is_teardown=True),
        step("apart_up", is_setup=True),
        step("apart_down", "apart_up", rule="all_done_setup_success", is_teardown=True),
    )
    driver.succeed("up", "good", "apart_up", "apart_down")
    driver.fail("bad")
    driver.succeed("down")
    assert driver.result == "failed"
    driver.restart()
    assert driver.states("up", "good", "bad", "down") == ["queued", "succeeded", "waiting", "waiting"]
    assert driver.states("apart_up", "apart_down") == ["succeeded", "succeeded"]
    driver.succeed("up", "bad", "down")
    assert driver.result == "succeeded"


def test_a_teardown_that_failed_runs_again_without_its_setup() -> None:
    driver = Driver(
        step("up", is_setup=True),
        step("work", "up"),
        step("down", "up", "work", rule="all_done_setup_success", is_teardown=True),
    )
    driver.succeed("up", "work")
    driver.fail("down")
    driver.restart()
    assert driver.states("up", "work", "down") == ["succeeded", "succeeded", "queued"]


def test_a_mapped_scope_runs_again_index_by_index() -> None:
    over = mapped(2)
    rule = "all_done_setup_success"
    driver = Driver(
        step("up", expansion=over, is_setup=True),
        step("work", aligned("up"), expansion=over),
        step("down", aligned("up"), aligned("work"), expansion=over, rule=rule, is_teardown=True),
    )
    driver.succeed("up[0]", "up[1]", "work[0]", "down[0]")
    driver.fail("work[1]")
    driver.succeed("down[1]")
    driver.restart()
    assert driver.of("up") == ["succeeded", "queued"]
    assert driver.of("work") == ["succeeded", "waiting"]
    assert driver.of("down") == ["succeeded", "waiting"]


def test_a_setup_that_finds_fewer_items_leaves_the_rest_out() -> None:
    over = mapped("up")
    driver = Driver(
        step("up", is_setup=True),
        step("work", "up", expansion=over),
        step("down", "up", "work", rule="all_done_setup_success", is_teardown=True),
    )
    driver.succeed("up", length=3)
    driver.succeed("work[0]")
    driver.fail("work[1]", "work[2]")
    driver.succeed("down")
    driver.restart()
    driver.succeed("up", length=2)
    assert driver.of("work") == ["succeeded", "queued", "skipped"]
    assert driver.task("work[2]").reason == "up has no item 2 any more"


def test_aligned_steps_keep_their_size_together() -> None:
    over = mapped("up")
    driver = Driver(
        step("up", is_setup=True),
        step("a", "up", expansion=over),
        step("b", aligned("a"), expansion=over),
        step("down", "up", "b", rule="all_done_setup_success", is_teardown=True),
    )
    driver.succeed("up", length=2)
    driver.succeed("a[0]", "a[1]")
    driver.fail("b[0]", "b[1]")
    driver.succeed("down")
    driver.restart()
    driver.succeed("up", length=5)
    assert driver.of("a") == ["succeeded", "succeeded"], "it has succeeded, and stands"
    assert driver.of("b") == ["queued", "queued"]


def test_a_restart_may_fail_and_be_restarted_again() -> None:
    driver = Driver(step("a"), step("b", "a"))
    for attempt in range(1, 4):
        assert driver.last == [ev.Dispatch(0, attempt)]
        driver.fail("a")
        assert driver.result == "failed"
        driver.restart()
    driver.succeed("a", "b")
    assert driver.result == "succeeded"
