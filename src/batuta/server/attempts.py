"""The attempts of a task run, read off its events: the row of a task run knows only the last one."""

from __future__ import annotations

from batuta.core import events as ev
from batuta.server.backend import Backend
from batuta.server.shapes.base import at_or_none
from batuta.server.shapes.runs import Attempt, error_of
from batuta.store.rows import TaskRunRow

EVENTS_MAX = 5_000
_ENDS = (
    ev.AttemptSucceeded,
    ev.AttemptFailed,
    ev.AttemptSkipped,
    ev.AttemptDeferred,
    ev.AttemptCancelled,
    ev.AttemptLost,
)


def attempts_of(backend: Backend, task: TaskRunRow) -> list[Attempt]:
    """First to last."""
    found: dict[int, Attempt] = {}
    workers: dict[int, tuple[float, str]] = {}
    for row in backend.store.reports.events(task.run_id, task=task.no, limit=EVENTS_MAX):
        event = ev.decode(row.data)
        if isinstance(event, ev.AttemptStarted):
            workers[event.attempt] = (event.at, event.worker)
        elif isinstance(event, _ENDS):
            found[event.attempt] = _ended(event, *workers.get(event.attempt, (0.0, "")))
    if task.attempt > 0 and task.attempt not in found and task.state == "running":
        began, worker = workers.get(task.attempt, (task.started_at or 0.0, ""))
        found[task.attempt] = Attempt(
            attempt=task.attempt,
            started_at=at_or_none(began or None),
            ended_at=None,
            outcome="running",
            error=None,
            reason="",
            worker=worker,
            logged=task.logged,
        )
    return [found[number] for number in sorted(found)]


_End = (
    ev.AttemptSucceeded
    | ev.AttemptFailed
    | ev.AttemptSkipped
    | ev.AttemptDeferred
    | ev.AttemptCancelled
    | ev.AttemptLost
)


def _ended(event: _End, began: float, worker: str) -> Attempt:
    return Attempt(
        attempt=event.attempt,
        started_at=at_or_none(event.started_at or began or None),
        ended_at=at_or_none(event.at),
        outcome=ev.kind_of(event).removeprefix("attempt_"),
        error=error_of(event.error) if isinstance(event, ev.AttemptFailed) else None,
        reason=event.reason if isinstance(event, ev.AttemptSkipped | ev.AttemptLost) else "",
        worker=worker,
        logged=event.logged,
    )
