"""Properties of the run state machine under any sequence of events, sensible or not."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from batuta.core import events as ev
from batuta.core.run import Run
from batuta.core.states import RUN_FINAL, RunState, TaskState
from batuta.core.triggers import Signal, Wait
from batuta.core.values import ErrorInfo, Handle
from tests.core.run_driver import step
from tests.simulation import oracle
from tests.simulation.plans import random_plan

_at = st.floats(0, 1e4)
_task = st.integers(-1, 12)
_attempt = st.integers(0, 4)
_output = st.one_of(st.none(), st.builds(Handle, length=st.integers(0, 3)))
_names = st.lists(st.sampled_from(("s0", "s1", "s2", "s3", "g", "g.h", "nowhere")), max_size=3).map(tuple)


def _events(kind: Any, **fields: Any) -> st.SearchStrategy[ev.Event]:
    return st.builds(kind, at=_at, **fields)


_any_event = st.one_of(
    _events(ev.RunStarted),
    _events(ev.AttemptStarted, task=_task, attempt=_attempt),
    _events(
        ev.AttemptSucceeded,
        task=_task,
        attempt=_attempt,
        output=_output,
        follow=st.one_of(st.none(), _names),
        cut=st.booleans(),
    ),
    _events(ev.AttemptFailed, task=_task, attempt=_attempt, error=st.just(ErrorInfo()), retryable=st.booleans()),
    _events(ev.AttemptSkipped, task=_task, attempt=_attempt),
    _events(ev.AttemptDeferred, task=_task, attempt=_attempt, until=_at),
    _events(
        ev.AttemptDeferred,
        task=_task,
        attempt=_attempt,
        until=st.sampled_from((0.0, 50.0)),
        wait=st.builds(Wait, st.just(Signal("go")), st.booleans()),
    ),
    _events(
        ev.TriggerFired,
        task=_task,
        attempt=_attempt,
        value=_output,
        error=st.one_of(st.none(), st.just(ErrorInfo(message="x"))),
    ),
    _events(ev.AttemptCancelled, task=_task, attempt=_attempt),
    _events(ev.AttemptLost, task=_task, attempt=_attempt, counted=st.booleans()),
    _events(ev.TimerFired, task=_task, attempt=_attempt),
    _events(ev.InputGiven, task=_task, value=st.just(Handle())),
    _events(ev.CancelAsked, hard=st.booleans()),
    _events(ev.RestartAsked, tasks=st.one_of(st.none(), st.lists(_task, max_size=3).map(tuple))),
    _events(ev.TasksDropped, tasks=st.lists(_task, max_size=3).map(tuple), attempt=_attempt),
    _events(
        ev.TasksRequested,
        spec=st.just(step("t")),
        calls=st.lists(st.sampled_from(("c0", "c1", "c2")), max_size=2, unique=True).map(
            lambda keys: tuple(ev.Call(key) for key in keys)
        ),
        attempt=_attempt,
    ),
    _events(ev.CheckEvaluated, task=_task, asset=st.just("a"), check=st.just("c"), passed=st.booleans()),
    _events(ev.RunFinished, state=st.sampled_from(RunState)),
)
_plans = st.integers(0, 100_000).map(lambda seed: random_plan(Random(seed))[0])


@settings(max_examples=300)
@given(_plans, st.lists(_any_event, max_size=60))
def test_no_event_breaks_a_run(plan: Any, events: list[ev.Event]) -> None:
    run = Run(plan)
    run.advance(ev.RunStarted(at=0.0))
    for event in events:
        run.advance(event)
        run.check()
    oracle.same_after_replay(plan, 0, [ev.RunStarted(at=0.0), *events], run)


@settings(max_examples=300)
@given(_plans, st.randoms(use_true_random=False))
def test_a_run_in_which_everything_succeeds_ends(plan: Any, random: Random) -> None:
    """Whatever the graph: nothing waits for ever, and what is outstanding is just what was dispatched."""
    run = Run(msgspec.structs.replace(plan, fail_fast=False))
    dispatched = {}
    commands = run.advance(ev.RunStarted(at=0.0))
    while run.state not in RUN_FINAL:
        for command in commands:
            assert isinstance(command, ev.Dispatch)
            dispatched[command.task] = command.attempt
        assert {(wish.task, wish.attempt) for wish in run.outstanding() if isinstance(wish, ev.Dispatch)} == set(
            dispatched.items()
        )
        paused = [task.no for task in run.graph.runs if task.state is TaskState.PAUSED]
        no = random.choice([*dispatched, *paused])
        if no in paused:
            commands = run.advance(ev.InputGiven(at=1.0, task=no, value=Handle(length=1)))
        else:
            attempt = dispatched.pop(no)
            length = random.randint(0, 3)
            commands = run.advance(ev.AttemptSucceeded(at=1.0, task=no, attempt=attempt, output=Handle(length=length)))
    assert not dispatched
    assert commands == [ev.Finish(run.state)]


@given(_any_event)
def test_events_survive_being_written(event: ev.Event) -> None:
    assert ev.decode(ev.encode(event)) == event
    assert ev.kind_of(event).replace("_", "") == type(event).__name__.lower()
