"""Runs, task runs, events and logs as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated as A
from typing import Any, Literal

import msgspec

from batuta.core.environments import environment_of
from batuta.core.states import RunState, TaskState
from batuta.core.values import ErrorInfo, Handle
from batuta.runtime.log_read import LogLine
from batuta.server.shapes.base import Given, Link, Shape, at, at_or_none, doc
from batuta.store.rows import EventRow, RunRow, TaskRunRow

RunKind = Literal["flow", "dag", "assets", "task"]
_decode = msgspec.json.Decoder().decode
_error = msgspec.json.Decoder(ErrorInfo).decode
_handle = msgspec.json.Decoder(Handle).decode


class Run(Shape):
    """One execution of a job."""

    id: A[int, doc("Its number; a later run has a larger one.", 42)]
    job: A[str, doc("The job that it executes.", "nightly")]
    kind: A[str, doc("What the job is: `flow`, `dag`, `assets` or `task`.", "dag")]
    location: A[str, doc("The code location of the job.", "shop")]
    version: A[str, doc("Content hash of the definitions that it was started from; empty if not known.")]
    state: A[RunState, doc("Where it stands.", "running")]
    trigger: A[
        str,
        doc("What started it: manual, api, script, parent, backfill, schedule, sensor or automation.", "schedule"),
    ]
    origin: A[str, doc("The name of the schedule, sensor or automation that started it.", "every-night")]
    params: A[dict[str, Any], doc("Its parameters.", {"day": "2026-01-31"})]
    tags: A[dict[str, str], doc("Its tags.", {"team": "growth"})]
    partition: A[str, doc("The partition that it makes, if it is about one.", "2026-01-31")]
    environment: A[str, doc("The environment that it makes it in; empty: production.", "dev_anna")]
    logical_at: A[datetime | None, doc("The time that it is about, as opposed to when it ran.")]
    interval_start: A[datetime | None, doc("From when on its data is.")]
    interval_end: A[datetime | None, doc("Until when its data is.")]
    parent_run: A[int | None, doc("The run that started it.")]
    backfill: A[int | None, doc("The backfill that it belongs to.")]
    priority: A[int, doc("The larger, the earlier it leaves the queue.", 0)]
    concurrency_key: A[str, doc("Runs that share a key share a limit.")]
    created_at: A[datetime, doc("When it was asked for.")]
    started_at: A[datetime | None, doc("When it began.")]
    finished_at: A[datetime | None, doc("When it ended.")]
    duration_s: A[float | None, doc("Seconds from begin to end; of one that has not ended, null.", 3.2)]
    deadline_at: A[datetime | None, doc("When it is stopped if it has not ended.")]
    error: A[str, doc("Why it failed, in one line.")]
    owner: A[str, doc("The process that executes it: `host:pid:start`; empty while it waits in the queue.")]


class RunPage(Shape):
    """A page of runs."""

    items: A[list[Run], doc("The runs of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class AssetMade(Shape):
    """An asset that a run made."""

    asset: A[str, doc("Its key.", "gold.revenue")]
    partitions: A[int, doc("How many partitions of it; 1 of an asset without any.", 1)]
    rows: A[int | None, doc("Rows in all, where that is known.", 1200)]
    task: A[int, doc("The number of the (first) task run that made it.", 3)]


class Question(Shape):
    """A question that a run asks a person."""

    task: A[str, doc("The task run that asks: what `answer` names.", "approve")]
    no: A[int, doc("Its number.", 4)]
    text: A[str, doc("The question.", "Publish the figures?")]
    asked_at: A[datetime | None, doc("Since when it waits.")]


class RunDetail(Shape):
    """A run with what became of it."""

    run: A[Run, doc("The run.")]
    counts: A[dict[str, int], doc("How many of its task runs are in each state.", {"succeeded": 11, "failed": 1})]
    steps: A[int, doc("How many steps its plan has.", 12)]
    assets: A[list[AssetMade], doc("The assets that it made.")]
    checks_passed: A[int, doc("How many checks passed.", 5)]
    checks_failed: A[int, doc("How many checks failed.", 0)]
    children: A[list[Run], doc("The runs that it started.")]
    questions: A[list[Question], doc("What it asks a person.")]
    returned: A[str, doc("A preview of what a flow returned.")]
    actions: A[list[str], doc("What may be asked of it now: cancel, retry, resume, answer, mark.", ["cancel"])]
    links: A[list[Link], doc("What plugins link it to.")]


class TaskError(Shape):
    """Why an attempt failed."""

    kind: A[str, doc("error, timeout, crash, killed, type, result or replay.", "error")]
    type: A[str, doc("The exception's type.", "ValueError")]
    message: A[str, doc("What it says.", "no rates for 2026-01-31")]
    file: A[str, doc("Where it was raised.", "pipelines/rates.py")]
    line: A[int, doc("In which line.", 41)]
    traceback: A[str, doc("The traceback, the user's frames first.")]
    hint: A[str, doc("What to do, where that is known.")]


class Value(Shape):
    """A recorded value: never itself, only what can be told of it."""

    preview: A[str, doc("A short text of it.", "[1, 2, 3]")]
    size: A[int, doc("Bytes.", 120)]
    length: A[int | None, doc("Items of a list, tuple or dict.", 3)]
    stored: A[Literal["inline", "file", "none"], doc("Where it is: with its record, in a file, or nowhere.", "inline")]


class TaskRun(Shape):
    """One execution of a task in a run."""

    run: A[int, doc("The run's number.", 42)]
    no: A[int, doc("Its number within the run.", 3)]
    key: A[str, doc("Its name within the run: `step`, `step[3]` or `step[2026-01-31]`.", "load[3]")]
    step: A[str, doc("The step that it executes.", "load")]
    code: A[str, doc("The code that it runs, or the question it asks.", "pipelines.shop:load")]
    kind: A[str, doc("task, operator, asset, check, flow, subflow or input.", "task")]
    index: A[int | None, doc("Its place where the step is mapped.", 3)]
    partition: A[str, doc("Its partition, if it has one.")]
    state: A[TaskState, doc("Where it stands.", "succeeded")]
    attempt: A[int, doc("The number of its last attempt.", 1)]
    started_at: A[datetime | None, doc("When its last attempt began.")]
    finished_at: A[datetime | None, doc("When it ended.")]
    duration_s: A[float | None, doc("Seconds that its last attempt took.", 0.8)]
    reason: A[str, doc("Why it is in its state, where that is worth saying.")]
    error: A[TaskError | None, doc("Why it failed.")]
    output: A[Value | None, doc("What it returned; of a deferred one, what it remembers.")]
    logged: A[bool, doc("Whether its last attempt left a log.")]


class TaskRunPage(Shape):
    """A page of task runs."""

    items: A[list[TaskRun], doc("The task runs of this page, by number.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class Attempt(Shape):
    """One try of a task run, from the events of its run."""

    attempt: A[int, doc("Its number.", 1)]
    started_at: A[datetime | None, doc("When it began.")]
    ended_at: A[datetime | None, doc("When it ended; null while it runs.")]
    outcome: A[str, doc("succeeded, failed, skipped, deferred, cancelled, lost, or running.", "failed")]
    error: A[TaskError | None, doc("Why it failed.")]
    reason: A[str, doc("Why it was skipped or lost.")]
    worker: A[str, doc("The worker that ran it, where that was recorded.")]
    logged: A[bool, doc("Whether it left a log.")]


class TaskRunDetail(Shape):
    """A task run with all its attempts and what it stands between."""

    task: A[TaskRun, doc("The task run.")]
    attempts: A[list[Attempt], doc("Its attempts, first to last.")]
    upstream: A[list[str], doc("The steps that it waits for.", ["extract"])]
    downstream: A[list[str], doc("The steps that wait for it.", ["report"])]
    reads: A[list[str], doc("The assets that its step reads.")]
    writes: A[list[str], doc("The assets that its step writes.")]
    links: A[list[Link], doc("What plugins link it to.")]


class RunEvent(Shape):
    """A fact that was recorded of a run."""

    id: A[int, doc("Its place among the events of all runs: what `Last-Event-ID` means.", 1234)]
    run: A[int, doc("The run's number.", 42)]
    seq: A[int, doc("Its place among the events of its run.", 7)]
    kind: A[str, doc("What happened, in the past participle.", "attempt_succeeded")]
    at: A[datetime, doc("When.")]
    task: A[int | None, doc("The number of the task run that it is about.", 3)]
    data: A[dict[str, Any], doc("The rest of the event.")]


class RunEventPage(Shape):
    """A page of a run's events."""

    items: A[list[RunEvent], doc("The events of this page, in their order.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class LogEntry(Shape):
    """A record of a log. ANSI sequences in its text are kept."""

    at: A[datetime, doc("When it was written.")]
    level: A[str, doc("DEBUG, INFO, WARNING, ERROR, CRITICAL; OUT and ERR for what was written to a stream.", "INFO")]
    source: A[str, doc("The logger's name, or stdout, stderr, fd.", "etl.load")]
    text: A[str, doc("What was written; it may have several lines.", "1,200 rows")]
    offset: A[int, doc("Where in the log it begins.", 0)]
    end: A[int, doc("Where the next one begins.", 52)]


class LogRange(Shape):
    """A part of the log of an attempt."""

    task: A[str, doc("The task run's key.", "load[3]")]
    attempt: A[int, doc("The attempt whose log it is.", 1)]
    lines: A[list[LogEntry], doc("The records.")]
    next: A[int, doc("The `offset` to read on from.", 52)]
    size: A[int, doc("How long the log is now, counted in offsets.", 52)]
    finished: A[bool, doc("Whether the attempt is over: nothing more will come.")]


class RunLogLine(Shape):
    """A record of the log of some task run of a run."""

    task: A[str, doc("The task run's key.", "load[3]")]
    no: A[int, doc("Its number.", 3)]
    attempt: A[int, doc("The attempt: the last one.", 1)]
    line: A[LogEntry, doc("The record.")]


class RunLogPage(Shape):
    """A page of records of all task runs of a run."""

    items: A[list[RunLogLine], doc("The records of this page: by task run, then in their order.")]
    next: A[
        str | None,
        doc("The `cursor` of the next page; null on the last. A page may be short, or empty, with more to come."),
    ]


class Launch(Given):
    """What is to be run: a job, or a selection of assets."""

    job: A[str, doc("The job's name; empty: the selection of assets is made.", "nightly")] = ""
    location: A[str, doc("Its code location; needed only where several define a job of that name.", "shop")] = ""
    selection: A[str, doc("The assets to make, where no job is named.", "layer:gold")] = ""
    mode: A[
        Literal["all", "stale", "missing"],
        doc("Of a selection: everything, what is stale or missing, or only what was never made.", "stale"),
    ] = "all"
    partitions: A[
        str, doc("The partitions to make: a key, a list `a,b`, or a range `a..b`.", "2026-01-01..2026-01-31")
    ] = ""
    params: A[dict[str, Any], doc("Parameters, as the job's schema says.", {"day": "2026-01-31"})] = msgspec.field(
        default_factory=dict
    )
    tags: A[dict[str, str], doc("Tags of the run.", {"ticket": "OPS-7"})] = msgspec.field(default_factory=dict)
    environment: A[
        str, doc("The environment to do it in, which is made if it is not there; empty: production.", "dev_anna")
    ] = ""
    priority: A[int, doc("The larger, the earlier it leaves the queue.", 0, ge=-1_000_000, le=1_000_000)] = 0
    logical_at: A[datetime | None, doc("The time that the run is about.")] = None


class Launched(Shape):
    """A run that was asked for."""

    run: A[Run, doc("The run.")]
    new: A[bool, doc("False where the same `Idempotency-Key` had asked for it before.")]


class LaunchCheck(Shape):
    """Whether something can be launched as it is asked for; nothing was started."""

    ok: A[bool, doc("Whether it can.")]
    params: A[dict[str, Any], doc("The parameters, completed by their defaults, where they are right.")]
    errors: A[dict[str, str], doc("What is wrong, by parameter.", {"day": "'yesterday' is no date"})]
    problem: A[str, doc("What else is wrong; empty if nothing is.", "nothing to make of 'orders'")]
    hint: A[str, doc("What to do about that.")]
    checked_by: A[
        Literal["code", "schema"], doc("Whether the code itself has checked the parameters, or their schema alone.")
    ]
    task_runs: A[int | None, doc("How many task runs it would have; null where only the run will tell.", 12)]


class Cancel(Given):
    """How a run is to be stopped."""

    hard: A[bool, doc("End what is running at once, teardowns too.", False)] = False


class Retry(Given):
    """What of a finished run is to be run again."""

    tasks: A[
        list[A[str, doc("A task run or step.", "load[3]", min_length=1, max_length=1000)]] | None,
        doc("Task runs or steps, which run again with all that is downstream of them; null: what failed."),
    ] = None


class Mark(Given):
    """How a person says that something has ended."""

    state: A[Literal["succeeded", "failed", "skipped"], doc("How; a run as a whole is never skipped.", "succeeded")]
    tasks: A[
        list[A[str, doc("A task run or step.", "load[3]", min_length=1, max_length=1000)]] | None,
        doc("Task runs, or steps with all their task runs; null: the run as a whole."),
    ] = None
    note: A[str, doc("Why, for the record.", "loaded by hand", max_length=1000)] = ""


class Answer(Given):
    """A person's answer to a question of a run."""

    task: A[str, doc("The task run that asks.", "approve", min_length=1, max_length=1000)]
    value: A[str, doc("The answer.", "yes", max_length=100_000)]


class Accepted(Shape):
    """Something was asked of a run; whoever executes it hears of it within a second."""

    run: A[int, doc("The run's number.", 42)]
    asked: A[str, doc("What was asked.", "cancel")]


def run_of(row: RunRow) -> Run:
    """A run's row as it is shown."""
    ended = row.finished_at is not None and row.started_at is not None
    return Run(
        id=row.id,
        job=row.job,
        kind=row.kind,
        location=row.location,
        version=row.version,
        state=RunState(row.state),
        trigger=row.trigger,
        origin=row.origin,
        params=row.params,
        tags=row.tags,
        partition=row.partition,
        environment=environment_of(row.config),
        logical_at=at_or_none(row.logical_at),
        interval_start=at_or_none(row.interval_start),
        interval_end=at_or_none(row.interval_end),
        parent_run=row.parent_run,
        backfill=row.backfill_id,
        priority=row.priority,
        concurrency_key=row.concurrency_key,
        created_at=at(row.created_at),
        started_at=at_or_none(row.started_at),
        finished_at=at_or_none(row.finished_at),
        duration_s=row.finished_at - row.started_at if ended else None,  # type: ignore[operator]
        deadline_at=at_or_none(row.deadline_at),
        error=row.error,
        owner=row.owner,
    )


def task_key(step: str, index: int, label: str) -> str:
    """`step`, `step[3]`, `step[2026-01-31]`."""
    if label:
        return f"{step}[{label}]"
    return f"{step}[{index}]" if index >= 0 else step


def error_of(info: ErrorInfo) -> TaskError:
    """A recorded failure as it is shown."""
    return TaskError(
        kind=info.kind,
        type=info.type,
        message=info.message,
        file=info.file,
        line=info.line,
        traceback=info.traceback,
        hint=info.hint,
    )


def value_of(data: bytes) -> Value:
    """A recorded value as it is shown."""
    handle = _handle(data)
    stored: Literal["inline", "file", "none"] = (
        "file" if handle.path else "none" if handle.codec == "gone" else "inline"
    )
    return Value(preview=handle.preview, size=handle.size, length=handle.length, stored=stored)


def task_run_of(row: TaskRunRow) -> TaskRun:
    """A task run's row as it is shown."""
    took = None if row.started_at is None or row.finished_at is None else row.finished_at - row.started_at
    return TaskRun(
        run=row.run_id,
        no=row.no,
        key=task_key(row.step, row.index, row.label),
        step=row.step,
        code=row.task.partition("{")[0] if row.task.startswith("pickle:") else row.task,
        kind=row.kind,
        index=row.index if row.index >= 0 else None,
        partition=row.label,
        state=TaskState(row.state),
        attempt=row.attempt,
        started_at=at_or_none(row.started_at),
        finished_at=at_or_none(row.finished_at),
        duration_s=took,
        reason=row.reason,
        error=None if row.error is None else error_of(_error(row.error)),
        output=None if row.output is None else value_of(row.output),
        logged=row.logged,
    )


_NOT_SHOWN = ("type", "at", "task", "run_id")


def event_of(row: EventRow) -> RunEvent:
    """An event as it is shown: without the bytes of values and of pickled exceptions."""
    data = {name: _without_bytes(value) for name, value in _decode(row.data).items() if name not in _NOT_SHOWN}
    return RunEvent(id=row.id, run=row.run_id, seq=row.seq, kind=row.kind, at=at(row.at), task=row.task, data=data)


def _without_bytes(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_bytes(each) for name, each in value.items() if name not in ("data", "pickled")}
    return value


def log_entry(line: LogLine) -> LogEntry:
    """A log's record as it is shown."""
    return LogEntry(at=line.at, level=line.level, source=line.source, text=line.text, offset=line.offset, end=line.end)


def run_log_line(task: TaskRunRow, attempt: int, line: LogLine) -> RunLogLine:
    """A record with whose it is."""
    return RunLogLine(
        task=task_key(task.step, task.index, task.label), no=task.no, attempt=attempt, line=log_entry(line)
    )
