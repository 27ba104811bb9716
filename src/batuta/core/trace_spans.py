"""A finished run as spans: the run, its task runs, their attempts where there were several.

Attributes are those of OpenTelemetry's conventions for pipelines (`cicd.pipeline...`), code and exceptions, and
`batuta....` for the rest. Surprising: a run that was restarted is exported after each of its ends, each time with what
has happened since the one before; all of it is one trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from batuta.core import events as ev
from batuta.core import trace_ids
from batuta.core.values import ErrorInfo

MESSAGE_CHARS_MAX = 4_000
RESULTS = {"succeeded": "success", "failed": "failure", "cancelled": "cancellation", "skipped": "skip", "lost": "error"}


class SpanEvent(msgspec.Struct, frozen=True):
    """Something that happened within a span."""

    name: str
    at: float
    attributes: dict[str, Any] = {}


class Span(msgspec.Struct, frozen=True):
    """One span. `parent` "" has none; `links` are (trace, span) of other traces."""

    trace: str
    id: str
    parent: str
    name: str
    started_at: float
    ended_at: float
    attributes: dict[str, Any] = {}
    events: tuple[SpanEvent, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    failed: bool = False
    message: str = ""


class Told(msgspec.Struct, frozen=True):
    """What is known of a run beside its events; `steps` are the keys of its task runs by number."""

    run_id: int
    job: str
    kind: str
    state: str
    created_at: float
    trigger: str = ""
    origin: str = ""
    location: str = ""
    partition: str = ""
    logical_at: float | None = None
    tags: Mapping[str, str] = {}
    parent: tuple[int, int] | None = None
    steps: Mapping[int, str] = {}
    error: str = ""


class _Try(msgspec.Struct):
    attempt: int
    started_at: float
    ended_at: float
    outcome: str
    error: ErrorInfo | None = None
    reason: str = ""


def spans_of(scope: str, run: Told, events: Iterable[ev.Event]) -> Iterator[Span]:
    """The spans of a run from its last start to its last end: tasks first, the run itself last."""
    trace = trace_ids.trace_id(scope, run.run_id)
    part, started_at, ended_at = 0, run.created_at, run.created_at
    tries: dict[int, list[_Try]] = {}
    for event in events:
        match event:
            case ev.RunStarted():
                started_at = event.at
            case ev.RestartAsked():
                part, started_at, tries = part + 1, event.at, {}
            case ev.RunFinished():
                ended_at = event.at
            case (
                ev.AttemptSucceeded()
                | ev.AttemptFailed()
                | ev.AttemptSkipped()
                | ev.AttemptCancelled()
                | ev.AttemptLost()
                | ev.AttemptDeferred()
            ):
                tries.setdefault(event.task, []).append(_try_of(event))
    root = trace_ids.run_span(trace, part)
    body = tries.get(0, []) if run.kind == "flow" else []
    for task, made in tries.items():
        # What a flow's body calls stands below the body.
        parent = _span_of(trace, 0, body, part) if body and task != 0 else root
        yield from _task_spans(run, trace, parent, task, made, part)
    yield _run_span(scope, run, trace, root, started_at, max(ended_at, started_at))


def _span_of(trace: str, task: int, made: list[_Try], part: int) -> str:
    if len(made) == 1:
        return trace_ids.attempt_span(trace, task, made[0].attempt)
    return trace_ids.task_span(trace, task, part)


def _run_span(scope: str, run: Told, trace: str, root: str, started_at: float, ended_at: float) -> Span:
    attributes = {
        "cicd.pipeline.name": run.job,
        "cicd.pipeline.run.id": str(run.run_id),
        "cicd.pipeline.result": RESULTS.get(run.state, run.state),
        "cicd.pipeline.action.name": "RUN",
        "batuta.job.kind": run.kind,
        "batuta.location": run.location,
        "batuta.trigger": run.trigger,
        "batuta.origin": run.origin,
        "batuta.partition": run.partition,
        "batuta.logical_at": run.logical_at,
        "batuta.queued_s": max(started_at - run.created_at, 0.0),
        **{f"batuta.tag.{key}": value for key, value in run.tags.items()},
    }
    links: tuple[tuple[str, str], ...] = ()
    if run.parent is not None:
        above = trace_ids.trace_id(scope, run.parent[0])
        links = ((above, trace_ids.attempt_span(above, run.parent[1], 1)),)
    return Span(
        trace=trace,
        id=root,
        parent="",
        name=f"RUN {run.job}",
        started_at=started_at,
        ended_at=ended_at,
        attributes=_said(attributes),
        links=links,
        failed=run.state == "failed",
        message=run.error if run.state == "failed" else "",
    )


def _task_spans(run: Told, trace: str, parent: str, task: int, made: list[_Try], part: int) -> Iterator[Span]:
    last = made[-1]
    common = {
        "cicd.pipeline.name": run.job,
        "cicd.pipeline.run.id": str(run.run_id),
        "cicd.pipeline.task.name": run.steps.get(task, str(task)),
        "cicd.pipeline.task.run.id": f"{run.run_id}.{task}",
    }
    own = _span_of(trace, task, made, part)
    several = len(made) > 1
    events = tuple(_event_of(one) for one in made if one.error is not None or one.reason) if not several else ()
    yield Span(
        trace=trace,
        id=own,
        parent=parent,
        name=run.steps.get(task, str(task)),
        started_at=made[0].started_at,
        ended_at=max(last.ended_at, made[0].started_at),
        attributes=_said(
            {**common, "cicd.pipeline.task.run.result": _result(last), "batuta.attempts": len(made), **_code_of(last)}
        ),
        events=events,
        failed=last.outcome in ("failed", "lost"),
        message=_message(last),
    )
    for one in made if several else ():
        yield Span(
            trace=trace,
            id=trace_ids.attempt_span(trace, task, one.attempt),
            parent=own,
            name=f"{run.steps.get(task, str(task))} attempt {one.attempt}",
            started_at=one.started_at,
            ended_at=one.ended_at,
            attributes=_said(
                {
                    **common,
                    "cicd.pipeline.task.run.result": _result(one),
                    "batuta.attempt": one.attempt,
                    **_code_of(one),
                }
            ),
            events=(_event_of(one),) if one.error is not None or one.reason else (),
            failed=one.outcome in ("failed", "lost"),
            message=_message(one),
        )


def _try_of(event: Any) -> _Try:
    outcome = ev.kind_of(event).removeprefix("attempt_")
    error = getattr(event, "error", None)
    started_at = event.started_at or event.at
    return _Try(event.attempt, min(started_at, event.at), event.at, outcome, error, getattr(event, "reason", ""))


def _result(one: _Try) -> str:
    if one.error is not None and one.error.kind == "timeout":
        return "timeout"
    return RESULTS.get(one.outcome, one.outcome)


def _message(one: _Try) -> str:
    return one.error.headline() if one.error is not None else one.reason if one.outcome == "lost" else ""


def _code_of(one: _Try) -> dict[str, Any]:
    if one.error is None:
        return {}
    return {
        "error.type": one.error.type or one.error.kind,
        "code.file.path": one.error.file,
        "code.line.number": one.error.line or None,
    }


def _event_of(one: _Try) -> SpanEvent:
    if one.error is None:
        return SpanEvent(one.outcome, one.ended_at, _said({"batuta.reason": one.reason}))
    attributes = {
        "exception.type": one.error.type or one.error.kind,
        "exception.message": one.error.message[:MESSAGE_CHARS_MAX],
        "exception.stacktrace": one.error.traceback[-MESSAGE_CHARS_MAX:],
    }
    return SpanEvent("exception", one.ended_at, _said(attributes))


def _said(attributes: dict[str, Any]) -> dict[str, Any]:
    """Without those that say nothing."""
    return {name: value for name, value in attributes.items() if value is not None and value != ""}
