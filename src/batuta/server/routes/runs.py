"""`/runs`: listing, looking at, launching, stopping and repeating runs."""

from __future__ import annotations

from functools import partial
from typing import Annotated as A
from typing import Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody

from batuta.core.environments import TAG, environment_of
from batuta.core.errors import RequestError
from batuta.core.run_mark import refuse_mark
from batuta.core.states import RUN_FINAL, RunState
from batuta.core.values import Handle
from batuta.server.access import Principal
from batuta.server.asset_states import rows_of
from batuta.server.backend import Backend
from batuta.server.launching import Launcher
from batuta.server.links import run_links
from batuta.server.paging import ByNumber, Cursor, Limit, by_number
from batuta.server.pictures import steps_of_run
from batuta.server.problems import Conflict
from batuta.server.routes.base import IdempotencyKey, RunId, Text, moment, operator, pairs, query, seconds_at, viewer
from batuta.server.shapes.base import at_or_none
from batuta.server.shapes.jobs import SourceCode
from batuta.server.shapes.runs import (
    Accepted,
    Answer,
    AssetMade,
    Cancel,
    Launch,
    LaunchCheck,
    Launched,
    Mark,
    Question,
    Retry,
    RunDetail,
    RunKind,
    RunPage,
    run_of,
    task_key,
)
from batuta.server.source_code import place_then, source_then
from batuta.store.reports import RunFilter
from batuta.store.rows import MaterializationRow, RunRow, TaskRunRow

CHILDREN_SHOWN = 200
_handle = msgspec.json.Decoder(Handle).decode


class Runs(Controller):
    """See the module."""

    path = "/runs"
    tags = ("runs",)

    @get("/", operation_id="listRuns", summary="List runs", sync_to_thread=True, opt=viewer())
    def list_runs(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        states: A[list[RunState] | None, query("Only in these states.", "state")] = None,
        jobs: A[list[str] | None, query("Only of these jobs.", "job")] = None,
        kinds: A[list[RunKind] | None, query("Only of these kinds.", "kind")] = None,
        triggers: A[list[str] | None, query("Only started by these: schedule, manual, ...", "trigger")] = None,
        locations: A[list[str] | None, query("Only of these code locations.", "location")] = None,
        origin: A[str | None, query("Only started by the schedule, sensor or automation of this name.")] = None,
        run_tags: A[list[str] | None, query("Only with all these tags: `key=value`.", "tag")] = None,
        partition: A[str | None, query("Only of this partition.")] = None,
        environment: A[str | None, query("Only in this environment.", max_length=100)] = None,
        parent: A[int | None, query("Only started by this run.", ge=1, le=2**63 - 1)] = None,
        backfill: A[int | None, query("Only of this backfill.", ge=1, le=2**63 - 1)] = None,
        roots: A[bool, query("Without runs that other runs started.")] = False,
        since: A[str | None, moment("Only created at this time or later.")] = None,
        until: A[str | None, moment("Only created before this time.")] = None,
        text: Text = "",
        sort: ByNumber = "-id",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> RunPage:
        """A page of runs that fit all filters. `text` is looked for in the job's name, the parameters and the error."""
        wanted = RunFilter(
            states=tuple(str(one) for one in states or ()),
            jobs=tuple(jobs or ()),
            kinds=tuple(kinds or ()),
            triggers=tuple(triggers or ()),
            locations=who.narrowed(list(backend.catalog.locations), locations or None),
            origin=origin,
            tags={**pairs(run_tags, "tag"), **({TAG: environment} if environment else {})},
            partition=partition,
            parent_run=parent,
            backfill_id=backfill,
            roots_only=roots,
            since=seconds_at(since, "since"),
            until=seconds_at(until, "until"),
            text=text,
        )
        page, following = by_number(
            backend.store, "runs", sort, cursor, limit, partial(backend.store.reports.runs, wanted)
        )
        return RunPage(items=[run_of(row) for row in page], next=following)

    @get(
        "/{run_id:int}/source",
        operation_id="getRunSource",
        summary="The code that a run ran",
        sync_to_thread=True,
        opt=viewer(),
    )
    def source(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        run_id: RunId,
        asset: A[str, query("Of this asset; by default of the job, or of the first asset of the run.")] = "",
    ) -> SourceCode:
        """The file in which a run's job, or an asset of it, was defined in the version that ran."""
        row = seen(backend, who, run_id)
        if not asset and row.kind == "assets":
            asset = next((key for step in steps_of_run(backend, row) for key in step.writes), "")
        return source_then(backend, row, place_then(backend, row, job=row.job, asset=asset))

    @post(
        "/",
        operation_id="launchRun",
        responses={200: ResponseSpec(Launched, description="It was asked for before.", generate_examples=False)},
        summary="Launch a run",
        sync_to_thread=True,
        opt=operator(),
    )
    def launch(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        launcher: NamedDependency[Launcher],
        data: JSONBody[Launch],
        key: IdempotencyKey = None,
    ) -> Response[Launched]:
        """Queue a run of a job, or of a selection of assets. 201 where it is new, 200 where its key was used before."""
        row, is_new = launcher.launch(data, who, key)
        where = {"Location": f"/api/v1/runs/{row.id}"}
        return Response(Launched(run=run_of(row), new=is_new), status_code=201 if is_new else 200, headers=where)

    @post(
        "/check",
        operation_id="checkLaunch",
        summary="Check a launch",
        status_code=200,
        sync_to_thread=True,
        opt=operator(),
    )
    def check_launch(
        self,
        who: NamedDependency[Principal],
        launcher: NamedDependency[Launcher],
        data: JSONBody[Launch],
    ) -> LaunchCheck:
        """Whether a run can be launched like that, and what is wrong with its parameters; nothing is started."""
        return launcher.check(data, who)

    @get("/{run_id:int}", operation_id="getRun", summary="Show a run", sync_to_thread=True, opt=viewer())
    def get_run(self, backend: NamedDependency[Backend], who: NamedDependency[Principal], run_id: RunId) -> RunDetail:
        """A run with counts of its task runs, what it made, what it asks, and what may be asked of it."""
        row = seen(backend, who, run_id)
        store = backend.store
        if environment_of(row.config):
            made, checks = store.environments.made_by(run_id), store.environments.judged_by(run_id)
        else:
            made, checks = store.materializations(run_id=run_id), store.check_results(run_id=run_id)
        paused = store.task_runs(run_id, states="paused")
        body = store.task_run(run_id, 0) if row.kind == "flow" else None
        children = store.runs(parent_run=run_id, limit=CHILDREN_SHOWN)
        return RunDetail(
            run=run_of(row),
            counts=store.task_counts([run_id]).get(run_id, {}),
            steps=len(backend.plan(row.plan_hash).steps),
            assets=_assets_made(made),
            checks_passed=sum(check.passed for check in checks),
            checks_failed=sum(not check.passed for check in checks),
            children=[run_of(child) for child in children],
            questions=[_question(task) for task in paused],
            returned=_preview(body),
            actions=_actions(row, bool(paused)) if who.may("operator", row.location) else [],
            links=run_links(backend.links, row),
        )

    @post(
        "/{run_id:int}/cancel",
        operation_id="cancelRun",
        status_code=202,
        summary="Stop a run",
        sync_to_thread=True,
        opt=operator(),
    )
    def cancel(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], run_id: RunId, data: JSONBody[Cancel]
    ) -> Response[Accepted]:
        """Ask a run to stop, wherever it is executed. What is running is asked to end; teardowns are still run."""
        row = seen(backend, who, run_id)
        who.need("operator", row.location, "stop runs")
        if RunState(row.state) in RUN_FINAL:
            raise Conflict(f"run {run_id} has {row.state} already")
        return _asked(backend, who, row, "cancel", {"hard": data.hard})

    @post(
        "/{run_id:int}/retry",
        operation_id="retryRun",
        status_code=202,
        summary="Run again",
        sync_to_thread=True,
        opt=operator(),
    )
    def retry(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], run_id: RunId, data: JSONBody[Retry]
    ) -> Response[Accepted]:
        """Run again what failed in a finished run and what that held back, or what is named and all below it."""
        row = seen(backend, who, run_id)
        who.need("operator", row.location, "repeat runs")
        if RunState(row.state) not in RUN_FINAL:
            raise Conflict(f"run {run_id} is {row.state}", hint="a run can be repeated once it has ended")
        if data.tasks is not None:
            _check_names(backend, row, data.tasks)
        return _asked(backend, who, row, "retry", {"tasks": data.tasks})

    @post(
        "/{run_id:int}/mark",
        operation_id="markRun",
        status_code=202,
        summary="Say how something ended",
        sync_to_thread=True,
        opt=operator(),
    )
    def mark(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], run_id: RunId, data: JSONBody[Mark]
    ) -> Response[Accepted]:
        """Say how task runs have ended, or the run as a whole. What a task run held back that is marked as succeeded or
        skipped goes on; what is running is stopped first; what is downstream and has run stands."""
        row = seen(backend, who, run_id)
        who.need("operator", row.location, "mark runs")
        try:
            refuse_mark(row.state, data.state, data.tasks, run_id)
        except RequestError as error:
            raise Conflict(error.what, hint=error.hint) from None
        if data.tasks is not None:
            _check_names(backend, row, data.tasks)
        return _asked(backend, who, row, "mark", {"state": data.state, "tasks": data.tasks, "note": data.note})

    @post(
        "/{run_id:int}/resume",
        operation_id="resumeRun",
        status_code=202,
        summary="Go on with a run",
        sync_to_thread=True,
        opt=operator(),
    )
    def resume(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], run_id: RunId
    ) -> Response[Accepted]:
        """Have a run go on that nobody executes any more. What is done is not done again."""
        row = seen(backend, who, run_id)
        who.need("operator", row.location, "go on with runs")
        if RunState(row.state) in RUN_FINAL:
            raise Conflict(f"run {run_id} has {row.state}", hint="to run what failed again: POST .../retry")
        if row.owner and row.lease_until > backend.clock():
            raise Conflict(f"run {run_id} is being executed by {row.owner}")
        return _asked(backend, who, row, "resume", {})

    @post(
        "/{run_id:int}/answer",
        operation_id="answerRun",
        status_code=202,
        summary="Answer a run",
        sync_to_thread=True,
        opt=operator(),
    )
    def answer(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], run_id: RunId, data: JSONBody[Answer]
    ) -> Response[Accepted]:
        """Answer the question that a paused task run asks."""
        from batuta.engine.workspace import answer_value

        row = seen(backend, who, run_id)
        who.need("operator", row.location, "answer runs")
        open_questions = {key for task in backend.store.task_runs(run_id, states="paused") for key in _names(task)}
        if data.task not in open_questions:
            asked = ", ".join(sorted(open_questions)) or "nothing"
            raise Conflict(f"run {run_id} has no open question {data.task!r}", hint=f"it asks: {asked}")
        value = msgspec.to_builtins(answer_value(data.value), builtin_types=())
        return _asked(backend, who, row, "input", {"key": data.task, "value": value})


def seen(backend: Backend, who: Principal, run_id: int) -> RunRow:
    """A run that whoever asks may look at. Raises NotFound, Forbidden."""
    row = backend.run(run_id)
    who.need("viewer", row.location, "look at that run")
    return row


def _asked(backend: Backend, who: Principal, row: RunRow, kind: str, data: dict[str, Any]) -> Response[Accepted]:
    backend.store.request(row.id, kind, data, by=who.name, now=backend.clock())
    if kind == "resume":  # the others are in the audit log once an engine has recorded them
        backend.note(who.name, kind, "run", str(row.id))
    backend.wake()
    asked = "answer" if kind == "input" else kind
    return Response(Accepted(run=row.id, asked=asked), status_code=202)


def _check_names(backend: Backend, row: RunRow, names: list[str]) -> None:
    if not names:
        raise Conflict("no task run is named", hint="leave `tasks` out to run again what failed")
    for name in names:
        if backend.store.task_run(row.id, name) is None and not backend.store.task_runs(row.id, step=name, limit=1):
            raise Conflict(f"run {row.id} has no task run {name!r}", hint=f"GET /api/v1/runs/{row.id}/tasks lists them")


def _names(task: TaskRunRow) -> tuple[str, str]:
    return task_key(task.step, task.index, task.label), task.step


def _question(task: TaskRunRow) -> Question:
    return Question(
        task=task_key(task.step, task.index, task.label),
        no=task.no,
        text=task.task,
        asked_at=at_or_none(task.started_at),
    )


def _preview(body: TaskRunRow | None) -> str:
    if body is None or body.state != "succeeded" or body.output is None:
        return ""
    return _handle(body.output).preview


def _assets_made(made: list[MaterializationRow]) -> list[AssetMade]:
    by_asset: dict[str, list[MaterializationRow]] = {}
    for row in made:
        by_asset.setdefault(row.asset, []).append(row)
    found = []
    for asset, rows in by_asset.items():
        counts = [count for count in map(rows_of, rows) if count is not None]
        total = sum(counts) if counts else None
        partitions = len({row.partition for row in rows})
        found.append(AssetMade(asset=asset, partitions=partitions, rows=total, task=rows[0].task))
    return found


def _actions(row: RunRow, asks: bool) -> list[str]:
    if RunState(row.state) in RUN_FINAL:
        return ["retry", "mark"]
    begun = row.state != RunState.QUEUED
    return ["cancel", "resume", *(["mark"] if begun else []), *(["answer"] if asks else [])]
