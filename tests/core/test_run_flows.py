"""Flows: task runs asked for while the body runs, and asked for again when it is run again."""

from __future__ import annotations

import pytest

from batuta.core import events as ev
from batuta.core.plan import StepSpec
from batuta.core.retry import Retry
from tests.core.run_driver import Driver, mapped, step


def _flow(retry: Retry | None = None, fail_fast: bool = False) -> Driver:
    body = StepSpec("flow", kind="flow", retry=retry or Retry())
    return Driver(body, kind="flow", outcome="body", fail_fast=fail_fast)


def test_what_the_body_asks_for_is_dispatched() -> None:
    driver = _flow()
    driver.ask(("a",), ("b", "a"))
    assert driver.wished(ev.Dispatch) == ["a"]
    driver.succeed("a")
    assert driver.wished(ev.Dispatch) == ["b"]
    driver.ask(("c", "a", "b"))
    driver.succeed("b", "c", "flow")
    assert driver.result == "succeeded"
    assert driver.task("c").fingerprint == "c"


def test_a_call_may_wait_for_one_that_has_ended() -> None:
    driver = _flow()
    driver.ask(("good",), ("bad",))
    driver.succeed("good")
    driver.fail("bad")
    driver.ask(("after_good", "good"), ("after_bad", "bad"), ("after_both", "good", "bad"))
    assert driver.states("after_good", "after_bad", "after_both") == ["queued", "upstream_failed", "upstream_failed"]


def test_the_run_ends_as_its_body_does_when_all_has_ended() -> None:
    driver = _flow()
    driver.ask(("a",), ("b",))
    driver.fail("a")
    driver.succeed("flow")
    assert driver.result == "running"
    driver.succeed("b")
    assert driver.result == "succeeded", "the body has coped with the failure"


@pytest.mark.parametrize(("end", "result"), [("fail", "failed"), ("stopped", "cancelled"), ("skip", "succeeded")])
def test_a_body_that_does_not_succeed_takes_the_rest_with_it(end: str, result: str) -> None:
    driver = _flow()
    driver.ask(("a",), ("b", "a"))
    getattr(driver, end)("flow")
    assert driver.wished(ev.Stop) == ["a"]
    assert driver.state("b") == "cancelled"
    assert driver.result == "running"
    driver.stopped("a")
    assert driver.result == result


def test_a_body_that_is_tried_again_finds_what_it_had_asked_for() -> None:
    driver = _flow(Retry(attempts_max=3, delay_s=5.0))
    driver.ask(("done",), ("failed",), ("below", "failed"), ("busy",))
    driver.succeed("done")
    driver.fail("failed")
    driver.fail("flow")
    assert driver.states("flow", "busy") == ["retrying", "queued"]
    driver.fire("flow")
    driver.ask(("done",), ("failed",), ("below", "failed"), ("busy",))
    assert driver.wished(ev.Dispatch) == ["failed"], "what succeeded stands, what goes on goes on"
    assert driver.states("done", "failed", "below", "busy") == ["succeeded", "queued", "waiting", "queued"]
    driver.succeed("failed", "below", "busy", "flow")
    assert driver.result == "succeeded"


def test_asked_again_one_by_one_each_finds_the_upstreams_of_this_try() -> None:
    driver = _flow(Retry(attempts_max=2))
    driver.ask(("a",))
    driver.ask(("b", "a"))
    driver.fail("a")
    driver.fail("flow")
    driver.ask(("a",))
    assert driver.states("a", "b") == ["queued", "upstream_failed"]
    driver.ask(("b", "a"))
    assert driver.states("a", "b") == ["queued", "waiting"]
    driver.succeed("a")
    assert driver.state("b") == "queued"


def test_a_new_call_in_the_same_request_waits_for_the_one_that_runs_again() -> None:
    driver = _flow(Retry(attempts_max=2))
    driver.ask(("a",))
    driver.fail("a")
    driver.fail("flow")
    driver.ask(("new", "a"), ("a",))
    assert driver.states("a", "new") == ["queued", "waiting"]


def test_within_a_try_a_recorded_failure_stands() -> None:
    driver = _flow()
    driver.ask(("a",))
    driver.fail("a")
    assert driver.ask(("a",)) == [], "heard twice"
    driver.lose("flow")
    assert driver.ask(("a",)) == [], "a body whose worker was lost takes the same way again"
    assert driver.state("a") == "failed"


def test_a_superseded_body_asks_in_vain() -> None:
    driver = _flow()
    driver.lose("flow")
    assert driver.ask(("a",), attempt=1) == []
    assert driver.run.find("a") is None
    driver.ask(("b",))
    assert driver.tell(ev.TasksDropped(at=1.0, tasks=(1,), attempt=1)) == []
    assert driver.state("b") == "queued"
    driver.succeed("flow")
    assert driver.ask(("late",), attempt=2) == []


def test_what_is_not_asked_for_again_is_dropped() -> None:
    driver = _flow(Retry(attempts_max=2))
    driver.ask(("kept",), ("gone",), ("below", "gone"), ("on",))
    driver.begin("on")
    driver.fail("flow")
    driver.ask(("kept",))
    gone, on = driver.task("gone").no, driver.task("on").no
    driver.tell(ev.TasksDropped(at=1.0, tasks=(gone, on), attempt=2))
    assert driver.wished(ev.Stop) == ["on"]
    assert driver.states("gone", "below") == ["cancelled", "upstream_failed"]
    driver.succeed("kept", "flow")
    driver.stopped("on")
    assert driver.result == "succeeded"


def test_what_was_dropped_runs_if_it_is_asked_for_after_all() -> None:
    driver = _flow()
    driver.ask(("a",))
    driver.lose("flow")
    driver.tell(ev.TasksDropped(at=1.0, tasks=(1,), attempt=2))
    assert driver.state("a") == "cancelled"
    driver.ask(("a",))
    assert driver.state("a") == "queued"


def test_calls_of_a_cancelled_flow_end_at_once() -> None:
    driver = _flow()
    driver.cancel()
    driver.ask(("a",), ("b", "a"))
    assert driver.states("a", "b") == ["cancelled", "cancelled"]
    driver.stopped("flow")
    assert driver.result == "cancelled"


def test_a_restarted_flow_replays_its_body_and_asks_for_the_rest() -> None:
    driver = _flow()
    driver.ask(("good",), ("bad",), ("unneeded",))
    driver.succeed("good")
    driver.fail("bad")
    driver.fail("unneeded")
    driver.fail("flow")
    assert driver.result == "failed"
    driver.restart()
    assert driver.going() == {"flow"}, "its code may have changed: only it knows what it needs"
    driver.ask(("good",), ("bad",))
    assert driver.wished(ev.Dispatch) == ["bad"]
    driver.succeed("bad", "flow")
    assert driver.result == "succeeded"
    assert driver.state("unneeded") == "failed"


def test_a_named_call_runs_again_just_once() -> None:
    driver = _flow()
    driver.ask(("a",), ("b", "a"))
    driver.succeed("a", "b", "flow")
    driver.restart("a")
    assert driver.going() == {"flow", "a"}
    driver.fail("a")
    assert driver.ask(("a",), ("b", "a")) == [], "it has run in this try"
    assert driver.states("a", "b") == ["failed", "upstream_failed"]


def test_inputs_may_be_asked_for() -> None:
    driver = _flow()
    driver.ask(("approve",), kind="input")
    assert str(driver.run.shown_state) == "paused"
    driver.answer("approve")
    driver.succeed("flow")
    assert driver.result == "succeeded"


def test_a_call_that_waits_for_what_the_flow_never_called_fails() -> None:
    driver = _flow()
    driver.ask(("a", "b"), ("b",))
    assert driver.states("a", "b") == ["failed", "queued"]
    error = driver.task("a").error
    assert error is not None
    assert "'b', which this flow has not called" in error.message


def test_each_call_is_one_task_run() -> None:
    driver = _flow()
    driver.ask(("m",), expansion=mapped(2))
    assert driver.of("m") == ["queued"]


def test_a_flow_may_fail_fast() -> None:
    driver = _flow(fail_fast=True)
    driver.ask(("a",), ("b",))
    driver.fail("a")
    assert driver.wished(ev.Stop) == ["flow", "b"]
    driver.stopped("b")
    driver.fail("flow")
    assert driver.result == "failed"


def test_only_flows_have_bodies() -> None:
    assert _flow().run.body is not None
    assert Driver(step("a")).run.body is None
