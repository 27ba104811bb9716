"""`/runs/{run_id}/...`: what is within a run: task runs, events, pictures, logs."""

from __future__ import annotations

from typing import Annotated as A
from typing import Any, Literal

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Stream

from batuta.core.states import TaskState
from batuta.server.access import Principal
from batuta.server.attempts import attempts_of
from batuta.server.backend import Backend
from batuta.server.links import task_links
from batuta.server.log_access import (
    RUN_ORDER,
    LogFilter,
    attempt_of,
    batched,
    download_headers,
    log_path,
    log_range,
    log_tail,
    log_text,
    logged_tasks,
    run_text,
    search_run,
)
from batuta.server.paging import Cursor, Limit, cursor_of, cut, number_at, position
from batuta.server.pictures import BARS_MAX, critical_numbers, folded, gantt_of, graph_of, step_of, steps_of_run
from batuta.server.problems import NotFound
from batuta.server.routes.base import RunId, TaskNo, Text, query, viewer
from batuta.server.routes.runs import seen
from batuta.server.shapes.assets import CheckResult, Materialization, check_result_of, materialization_of
from batuta.server.shapes.graphs import Gantt, JobGraph
from batuta.server.shapes.runs import (
    LogRange,
    RunEventPage,
    RunLogPage,
    TaskRunDetail,
    TaskRunPage,
    event_of,
    task_key,
    task_run_of,
)
from batuta.server.shapes.values import TaskValues
from batuta.server.values import values_of
from batuta.store.rows import TaskRunRow

Level = Literal["debug", "info", "warning", "error", "critical"]
SORTED_MAX = 20_000
LINES_MAX = 5_000
PLAIN = "text/plain"
TEXT = {200: ResponseSpec(str, description="The text.", media_type="text/plain", generate_examples=False)}


class Tasks(Controller):
    """See the module."""

    path = "/runs/{run_id:int}"
    tags = ("tasks",)

    @get("/tasks", operation_id="listTaskRuns", summary="List task runs", sync_to_thread=True, opt=viewer())
    def list_tasks(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        run_id: RunId,
        states: A[list[TaskState] | None, query("Only in these states.", "state")] = None,
        steps: A[list[str] | None, query("Only of these steps.", "step")] = None,
        kinds: A[list[str] | None, query("Only of these kinds.", "kind")] = None,
        text: Text = "",
        sort: A[
            Literal["no", "-duration", "-started"],
            query("By number, or the longest, or the last begun first (of the first 20,000)."),
        ] = "no",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> TaskRunPage:
        """A page of a run's task runs. `text` is looked for in step, partition and error."""
        seen(backend, who, run_id)
        order = f"tasks {sort}"
        start = number_at(cursor, order)
        by_no = sort == "no"
        rows = backend.store.reports.task_list(
            run_id,
            states=[str(one) for one in states or ()],
            steps=steps or (),
            kinds=kinds or (),
            text=text,
            after_no=start if by_no and start is not None else -1,
            limit=limit + 1 if by_no else SORTED_MAX,
        )
        if not by_no:
            rows.sort(key=lambda row: -(_took(row) if sort == "-duration" else row.started_at or 0.0))
            begin = start or 0
            more = len(rows) > begin + limit
            page = rows[begin : begin + limit]
            following = cursor_of(order, begin + limit) if more else None
        else:
            page, following = cut(rows, limit, order, lambda row: row.no)
        return TaskRunPage(items=[task_run_of(row) for row in page], next=following)

    @get("/tasks/{no:int}", operation_id="getTaskRun", summary="Show a task run", sync_to_thread=True, opt=viewer())
    def get_task(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], run_id: RunId, no: TaskNo
    ) -> TaskRunDetail:
        """A task run with its attempts and its neighbours."""
        row = seen(backend, who, run_id)
        task = _task(backend, run_id, no)
        steps = steps_of_run(backend, row)
        own = next((step for step in steps if step.key == task.step), None)
        return TaskRunDetail(
            task=task_run_of(task),
            attempts=attempts_of(backend, task),
            upstream=[edge.step for edge in own.upstream] if own is not None else [],
            downstream=[step.key for step in steps if any(edge.step == task.step for edge in step.upstream)],
            reads=list(own.reads) if own is not None else [],
            writes=list(own.writes) if own is not None else [],
            links=task_links(backend.links, row, task),
        )

    @get(
        "/tasks/{no:int}/values",
        operation_id="getTaskValues",
        summary="Inputs and output",
        sync_to_thread=True,
        opt=viewer(),
    )
    def values(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], run_id: RunId, no: TaskNo
    ) -> TaskValues:
        """What a task run was given and what it returned, as far as it is recorded as data; else a short text of it."""
        row = seen(backend, who, run_id)
        task = _task(backend, run_id, no)
        own = None if row.kind == "flow" else step_of(backend, row, task.step)
        return values_of(backend, row, task, own)

    @get("/tasks/{no:int}/logs", operation_id="readLog", summary="Read a log", sync_to_thread=True, opt=viewer())
    def read_log(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        run_id: RunId,
        no: TaskNo,
        attempt: A[int | None, query("Which attempt; by default the last.", ge=1, le=1_000_000)] = None,
        offset: A[int, query("Where to begin; `next` of the range before reads on.", ge=0, le=2**53)] = 0,
        tail: A[int | None, query("Instead: the last so many records.", ge=1, le=LINES_MAX)] = None,
        limit: A[int, query("At most so many records.", ge=1, le=LINES_MAX)] = 1000,
        level: A[Level | None, query("Only records of at least this level.")] = None,
        text: Text = "",
    ) -> LogRange:
        """A range of what an attempt logged, or its end. One that said nothing has no records."""
        seen(backend, who, run_id)
        task = _task(backend, run_id, no)
        number = attempt_of(task, attempt)
        path = log_path(backend.logs_path(), task, number)
        wanted = LogFilter(level=level, text=text)
        if tail is not None:
            return log_tail(path, task, number, wanted, tail)
        return log_range(path, task, number, wanted, offset, limit)

    @get(
        "/tasks/{no:int}/logs/download",
        operation_id="downloadLog",
        summary="Save a log",
        sync_to_thread=True,
        opt=viewer(),
        responses=TEXT,
    )
    def download_log(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        run_id: RunId,
        no: TaskNo,
        attempt: A[int | None, query("Which attempt; by default the last.", ge=1, le=1_000_000)] = None,
        level: A[Level | None, query("Only records of at least this level.")] = None,
        text: Text = "",
    ) -> Response[Any]:
        """What an attempt logged, as text."""
        seen(backend, who, run_id)
        task = _task(backend, run_id, no)
        number = attempt_of(task, attempt)
        lines = log_text(log_path(backend.logs_path(), task, number), LogFilter(level=level, text=text))
        key = task_key(task.step, task.index, task.label)
        return Stream(batched(lines), media_type=PLAIN, headers=download_headers(f"run-{run_id}-{key}-{number}"))

    @get("/logs", operation_id="searchRunLogs", summary="Search all logs", sync_to_thread=True, opt=viewer())
    def search_logs(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        run_id: RunId,
        level: A[Level | None, query("Only records of at least this level.")] = None,
        text: Text = "",
        cursor: Cursor = None,
        limit: Limit = 200,
    ) -> RunLogPage:
        """Records of the last attempts of all task runs, by task run. A page looks through some megabytes: it may be
        short, or empty, and still have a `next`."""
        seen(backend, who, run_id)
        found = position(cursor, RUN_ORDER, int, int) or (0, 0)
        return search_run(backend, run_id, LogFilter(level=level, text=text), (found[0], max(found[1], 0)), limit)

    @get(
        "/logs/download",
        operation_id="downloadRunLogs",
        summary="Save all logs",
        sync_to_thread=True,
        opt=viewer(),
        responses=TEXT,
    )
    def download_logs(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        run_id: RunId,
        level: A[Level | None, query("Only records of at least this level.")] = None,
        text: Text = "",
    ) -> Response[Any]:
        """What the last attempts of all task runs logged, one after the other, as text."""
        seen(backend, who, run_id)
        lines = run_text(backend.logs_path(), logged_tasks(backend, run_id), LogFilter(level=level, text=text))
        return Stream(batched(lines), media_type=PLAIN, headers=download_headers(f"run-{run_id}"))

    @get("/events", operation_id="listRunEvents", summary="List events", sync_to_thread=True, opt=viewer())
    def list_events(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        run_id: RunId,
        kinds: A[list[str] | None, query("Only of these kinds.", "kind")] = None,
        task: A[int | None, query("Only of the task run with this number.", ge=0, le=2**31 - 1)] = None,
        text: A[str, query("Only those in whose data this text is, as it is recorded (JSON).", max_length=200)] = "",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> RunEventPage:
        """A page of what was recorded of a run, in its order."""
        seen(backend, who, run_id)
        order = "events"
        rows = backend.store.reports.events(
            run_id, kinds=kinds or (), task=task, text=text, after_seq=number_at(cursor, order) or 0, limit=limit + 1
        )
        page, following = cut(rows, limit, order, lambda row: row.seq)
        return RunEventPage(items=[event_of(row) for row in page], next=following)

    @get("/graph", operation_id="getRunGraph", summary="The graph of a run", sync_to_thread=True, opt=viewer())
    def graph(self, backend: NamedDependency[Backend], who: NamedDependency[Principal], run_id: RunId) -> JobGraph:
        """The steps of a run with what became of them; of a flow those that it has called so far.

        Where a flow has made more than 300 calls, all calls of a task are one node (`folded`)."""
        row = seen(backend, who, run_id)
        steps = steps_of_run(backend, row)
        bars = backend.store.reports.task_bars(run_id, limit=BARS_MAX)
        hot = set(critical_numbers(steps, bars))
        critical = {bar[1] for bar in bars if bar[0] in hot}
        grid = backend.store.reports.task_grid([run_id])
        shown, task_of = folded(steps) if row.kind == "flow" else (steps, {})
        return graph_of(shown, complete=row.kind != "flow", grid=grid, critical=critical, task_of=task_of)

    @get(
        "/gantt",
        operation_id="getRunGantt",
        summary="The task runs of a run in time",
        sync_to_thread=True,
        opt=viewer(),
    )
    def gantt(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], run_id: RunId, cursor: Cursor = None
    ) -> Gantt:
        """When each task run began and ended, as columns, and the path that the run's duration hangs on."""
        return gantt_of(backend, seen(backend, who, run_id), cursor)

    @get(
        "/materializations",
        operation_id="listRunMaterializations",
        summary="What a run made",
        sync_to_thread=True,
        opt=viewer(),
    )
    def materializations(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        run_id: RunId,
        asset: A[str | None, query("Only of this asset.")] = None,
    ) -> list[Materialization]:
        """The assets that a run made, with their metadata, in its order; at most 10,000."""
        seen(backend, who, run_id)
        rows = backend.store.materializations(asset, run_id=run_id)
        return [materialization_of(row) for row in rows[:10_000]]

    @get("/checks", operation_id="listRunChecks", summary="What a run checked", sync_to_thread=True, opt=viewer())
    def checks(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], run_id: RunId
    ) -> list[CheckResult]:
        """The verdicts of the checks that a run evaluated, in its order; at most 10,000."""
        seen(backend, who, run_id)
        return [check_result_of(row) for row in backend.store.check_results(run_id=run_id)[:10_000]]


def _task(backend: Backend, run_id: int, no: int) -> TaskRunRow:
    found = backend.store.task_run(run_id, no)
    if found is None:
        raise NotFound(f"run {run_id} has no task run {no} yet", hint=f"GET /api/v1/runs/{run_id}/tasks lists them")
    return found


def _took(row: TaskRunRow) -> float:
    return 0.0 if row.started_at is None or row.finished_at is None else row.finished_at - row.started_at
