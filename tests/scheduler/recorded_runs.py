"""Runs as an engine would have recorded them, for what only reads them."""

from __future__ import annotations

from typing import Any

import msgspec

from batuta.core import events as ev
from batuta.core import plan as plans
from batuta.core.plan import Plan, StepSpec
from batuta.core.states import RunState
from batuta.core.values import ErrorInfo
from batuta.store import Store
from batuta.store.rows import Batch, EventRow, NewRun, RunRow, RunUpdate, TaskRunRow

ERROR = ErrorInfo(
    type="ValueError",
    message="no rates for 2026-01-31\nsecond line",
    file="pipelines/nightly.py",
    line=17,
    hint="ask ann",
)


def new_run(store: Store, job: str = "nightly", *, at: float, writes: tuple[str, ...] = (), **fields: Any) -> RunRow:
    """A run of one step, queued."""
    plan = plans.encode(Plan(job=job, kind="dag", steps=(StepSpec(key="load", writes=writes),)))
    new = NewRun(job=job, kind="dag", plan_hash=plans.content_hash(plan), created_at=at, **fields)
    return store.create_run(new, plan, owner="me", lease_s=1e9, now=at)


def record(
    store: Store, run: RunRow, *events: ev.Event, state: str, error: ErrorInfo | None = None, **task: Any
) -> None:
    """Append events to a run, with its state and that of its task run from then on."""
    row = store.run(run.id)
    assert row is not None
    numbered = list(enumerate(events, row.seq + 1))
    rows = [
        EventRow(run.id, seq, ev.kind_of(event), event.at, getattr(event, "task", None), ev.encode(event))
        for seq, event in numbered
    ]
    final = state in ("failed", "succeeded", "cancelled")
    at = events[-1].at
    update = RunUpdate(
        id=run.id,
        epoch=row.epoch,
        seq=numbered[-1][0],
        state=state,
        started_at=row.started_at or events[0].at,
        finished_at=at if final else None,
        error=error.headline() if error else "",
    )
    values: dict[str, Any] = {"state": state, "attempt": 1, "started_at": events[0].at, "finished_at": at, **task}
    made = TaskRunRow(
        run_id=run.id,
        no=0,
        step="load",
        task="pipeline:load",
        kind="task",
        index=-1,
        label="",
        worker="",
        reason="",
        error=msgspec.json.encode(error) if error else None,
        output=None,
        logged=False,
        **values,
    )
    store.commit(Batch(runs=[update], events=rows, task_runs=[made]))


def fail(store: Store, run: RunRow, *, at: float, error: ErrorInfo = ERROR) -> RunRow:
    """The run fails."""
    events = (
        ev.RunStarted(at=at - 2),
        ev.AttemptFailed(at=at - 1, task=0, attempt=1, error=error, started_at=at - 2),
        ev.RunFinished(at=at, state=RunState.FAILED),
    )
    record(store, run, *events, state="failed", error=error)
    return run


def succeed(store: Store, run: RunRow, *, at: float, took_s: float = 1.0) -> RunRow:
    """The run succeeds."""
    events = (
        ev.RunStarted(at=at - took_s),
        ev.AttemptSucceeded(at=at, task=0, attempt=1, started_at=at - took_s),
        ev.RunFinished(at=at, state=RunState.SUCCEEDED),
    )
    record(store, run, *events, state="succeeded")
    return run
