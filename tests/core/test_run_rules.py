"""Rules of runs as a whole: keys, deadlines, a run that failed because it took too long; priorities along the graph."""

from __future__ import annotations

import time

import pytest

from batuta.core import events as ev
from batuta.core.errors import DefinitionError, RequestError
from batuta.core.plan import Edge, Plan, StepSpec
from batuta.core.priority_weights import weighted
from batuta.core.run import Run
from batuta.core.run_rules import RunRules, concurrency_key, overdue_at, validate
from batuta.core.states import RunState


def test_rules_are_checked() -> None:
    assert validate(RunRules(runs_max=1, timeout_s=2.0), "here") == RunRules(runs_max=1, timeout_s=2.0)
    for wrong in (RunRules(runs_max=0), RunRules(timeout_s=0.0)):
        with pytest.raises(DefinitionError, match="here"):
            validate(wrong, "here")


def test_a_key_is_made_of_parameters() -> None:
    rules = RunRules(concurrency_key="customer-{customer}")
    assert concurrency_key(rules, {"customer": 7}, "job") == "customer-7"
    assert concurrency_key(RunRules(), {}, "job") == ""
    with pytest.raises(RequestError, match="needs parameter 'customer'"):
        concurrency_key(rules, {"day": 1}, "job")


def test_whichever_comes_first_ends_a_run() -> None:
    assert overdue_at(100.0, None, None)[0] is None
    assert overdue_at(100.0, 60.0, None) == (160.0, "it did not end within 60 s")
    assert overdue_at(100.0, 60.0, 150.0) == (150.0, "its deadline has passed")
    assert overdue_at(100.0, 60.0, 170.0)[0] == 160.0


def test_a_run_that_took_too_long_has_failed() -> None:
    run = Run(Plan("job", "dag", (StepSpec("a"), StepSpec("b", upstream=(Edge("a"),))), "leaves"))
    (dispatch,) = run.advance(ev.RunStarted(at=0.0))
    assert isinstance(dispatch, ev.Dispatch)
    (stop,) = run.advance(ev.CancelAsked(at=1.0, failed_for="too long"))
    assert isinstance(stop, ev.Stop)
    (finish,) = run.advance(ev.AttemptCancelled(at=2.0, task=0, attempt=dispatch.attempt))
    assert finish == ev.Finish(RunState.FAILED)
    assert run.task(1).reason == "too long"
    run.advance(ev.RestartAsked(at=3.0))
    run.advance(ev.CancelAsked(at=4.0, by="ann"))
    assert run.advance(ev.AttemptCancelled(at=5.0, task=0, attempt=run.task(0).attempt)) == [
        ev.Finish(RunState.CANCELLED)
    ]


def test_a_run_that_never_began_may_have_failed() -> None:
    run = Run(Plan("job", "dag", (StepSpec("a"),), "leaves"))
    assert run.advance(ev.CancelAsked(at=1.0, failed_for="too late")) == [ev.Finish(RunState.FAILED)]


def chain() -> tuple[StepSpec, ...]:
    """a -> b -> d, a -> c -> d, e alone."""
    return (
        StepSpec("a"),
        StepSpec("b", upstream=(Edge("a"),)),
        StepSpec("c", upstream=(Edge("a"),), priority=2),
        StepSpec("d", upstream=(Edge("b"), Edge("c"))),
        StepSpec("e"),
    )


def test_priorities_follow_the_graph() -> None:
    def priorities(by: str) -> dict[str, int]:
        return {step.key: step.priority for step in weighted(chain(), by)}  # type: ignore[arg-type]

    assert priorities("own") == {"a": 0, "b": 0, "c": 2, "d": 0, "e": 0}
    assert priorities("downstream") == {"a": 5, "b": 1, "c": 3, "d": 0, "e": 0}
    assert priorities("upstream") == {"a": 0, "b": 1, "c": 3, "d": 5, "e": 0}


def test_many_steps_are_weighted_quickly() -> None:
    steps = [StepSpec("0")] + [StepSpec(f"{i}", upstream=(Edge(f"{i - 1}"),)) for i in range(1, 5_000)]
    began = time.process_time()
    assert weighted(steps, "downstream")[0].priority == 4_999
    assert time.process_time() - began < 5.0
