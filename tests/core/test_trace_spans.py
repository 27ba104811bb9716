"""Finished runs as spans: one tree, numbers that everybody can work out, every attempt told once."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from batuta.core import events as ev
from batuta.core import trace_ids
from batuta.core.states import RunState
from batuta.core.trace_spans import Span, Told, spans_of
from batuta.core.values import ErrorInfo

ERROR = ErrorInfo(type="ValueError", message="no rates", file="jobs.py", line=7, traceback="Traceback ...")
TRACE = trace_ids.trace_id("store", 7)


def told(**fields: Any) -> Told:
    values: dict[str, Any] = {"run_id": 7, "job": "nightly", "kind": "dag", "state": "failed", "created_at": 1.0}
    return Told(**{**values, "steps": {0: "load", 1: "check[3]"}, **fields})


def failed(task: int, attempt: int, at: float) -> ev.Event:
    return ev.AttemptFailed(at=at, task=task, attempt=attempt, error=ERROR, started_at=at - 1)


def succeeded(task: int, attempt: int, at: float) -> ev.Event:
    return ev.AttemptSucceeded(at=at, task=task, attempt=attempt, started_at=at - 1)


def by_name(spans: list[Span]) -> dict[str, Span]:
    assert len({span.id for span in spans}) == len(spans)
    return {span.name: span for span in spans}


def test_a_run_is_a_trace_and_its_task_runs_are_spans() -> None:
    events = [ev.RunStarted(at=2.0), failed(0, 1, 4.0), succeeded(0, 2, 6.0), failed(1, 1, 8.0)]
    events.append(ev.RunFinished(at=9.0, state=RunState.FAILED))
    run = told(trigger="schedule", origin="daily", tags={"team": "data"}, parent=(3, 2), error="no rates")
    found = by_name(list(spans_of("store", run, events)))
    assert set(found) == {"RUN nightly", "load", "load attempt 1", "load attempt 2", "check[3]"}
    root = found["RUN nightly"]
    assert (root.trace, root.parent, root.started_at, root.ended_at, root.failed) == (TRACE, "", 2.0, 9.0, True)
    assert root.attributes == {
        "cicd.pipeline.name": "nightly",
        "cicd.pipeline.run.id": "7",
        "cicd.pipeline.result": "failure",
        "cicd.pipeline.action.name": "RUN",
        "batuta.job.kind": "dag",
        "batuta.trigger": "schedule",
        "batuta.origin": "daily",
        "batuta.queued_s": 1.0,
        "batuta.tag.team": "data",
    }
    above = trace_ids.trace_id("store", 3)
    assert root.links == ((above, trace_ids.attempt_span(above, 2, 1)),)
    load = found["load"]
    assert (load.parent, load.started_at, load.ended_at, load.failed, load.events) == (root.id, 3.0, 6.0, False, ())
    assert load.attributes["batuta.attempts"] == 2
    first = found["load attempt 1"]
    assert (first.parent, first.id) == (load.id, trace_ids.attempt_span(TRACE, 0, 1))
    check = found["check[3]"]
    assert check.id == trace_ids.attempt_span(TRACE, 1, 1)
    assert check.attributes["cicd.pipeline.task.run.id"] == "7.1"
    assert (check.attributes["code.file.path"], check.attributes["code.line.number"]) == ("jobs.py", 7)
    assert check.message == "ValueError: no rates (jobs.py:7)"
    [event] = check.events
    assert (event.name, event.attributes["exception.type"]) == ("exception", "ValueError")


def test_what_a_flow_calls_stands_below_its_body() -> None:
    events = [ev.RunStarted(at=1.0), succeeded(1, 1, 3.0), succeeded(0, 1, 4.0)]
    events.append(ev.RunFinished(at=5.0, state=RunState.SUCCEEDED))
    found = by_name(list(spans_of("store", told(kind="flow", state="succeeded"), events)))
    assert found["check[3]"].parent == found["load"].id
    assert found["load"].parent == found["RUN nightly"].id


def test_a_restarted_run_tells_of_what_came_since_in_the_same_trace() -> None:
    before = [ev.RunStarted(at=2.0), succeeded(0, 1, 3.0), failed(1, 1, 4.0)]
    before.append(ev.RunFinished(at=5.0, state=RunState.FAILED))
    after = [ev.RestartAsked(at=10.0), succeeded(1, 2, 12.0), ev.RunFinished(at=13.0, state=RunState.SUCCEEDED)]
    first = list(spans_of("store", told(), before))
    second = list(spans_of("store", told(state="succeeded"), [*before, *after]))
    assert {span.trace for span in first + second} == {TRACE}
    assert len({span.id for span in first + second}) == 5
    assert [span.name for span in second] == ["check[3]", "RUN nightly"]
    assert second[1].started_at == 10.0


def test_steps_know_their_place_before_anything_is_exported() -> None:
    version, trace, span, flags = trace_ids.traceparent(TRACE, 1, 1).split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert (len(trace), len(span)) == (32, 16)
    assert span == trace_ids.attempt_span(TRACE, 1, 1)
    assert trace_ids.trace_id("other store", 7) != TRACE


ENDS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["ok", "bad", "lost", "skip", "wait"])), max_size=30)


@given(ends=ENDS)
def test_it_is_one_tree_with_every_attempt_once(ends: list[tuple[int, str]]) -> None:
    attempts: dict[int, int] = {}
    events: list[ev.Event] = [ev.RunStarted(at=1.0)]
    for at, (task, how) in zip(itertools.count(2.0), ends, strict=False):
        attempt = attempts[task] = attempts.get(task, 0) + 1
        events.append(
            {
                "ok": succeeded(task, attempt, at),
                "bad": failed(task, attempt, at),
                "lost": ev.AttemptLost(at=at, task=task, attempt=attempt, reason="gone"),
                "skip": ev.AttemptSkipped(at=at, task=task, attempt=attempt, reason="none"),
                "wait": ev.AttemptDeferred(at=at, task=task, attempt=attempt, until=at),
            }[how]
        )
    events.append(ev.RunFinished(at=99.0, state=RunState.FAILED))
    spans = list(spans_of("store", told(), events))
    ids = {span.id for span in spans}
    assert len(ids) == len(spans)
    assert [span for span in spans if not span.parent] == [spans[-1]]
    assert all(span.parent in ids for span in spans[:-1])
    for task, count in attempts.items():
        for attempt in range(1, count + 1):
            assert trace_ids.attempt_span(TRACE, task, attempt) in ids
    assert all(span.started_at <= span.ended_at for span in spans)
