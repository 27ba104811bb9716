"""From plans and rows to pictures: the graph of a job or run, its Gantt chart, the grid of a job's runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from batuta.core.critical_path import Timed, critical_path
from batuta.core.definitions import Definitions, JobSpec
from batuta.core.events import Call
from batuta.core.plan import Edge, StepSpec
from batuta.core.states import RunState
from batuta.server.backend import Backend
from batuta.server.paging import cursor_of, number_at
from batuta.server.shapes.base import at, at_or_none
from batuta.server.shapes.graphs import Gantt, GraphEdge, GraphNode, Grid, GridCell, GridRun, JobGraph
from batuta.store.database import Row
from batuta.store.rows import RunRow

BARS_MAX = 20_000
FOLD_OVER = 300
"""Of a flow with more steps than that, all calls of a task are one node of its graph."""
_NUMBER = re.compile(r"-\d+$")
URGENCY = (
    "failed",
    "upstream_failed",
    "cancelled",
    "paused",
    "retrying",
    "running",
    "deferred",
    "queued",
    "waiting",
    "skipped",
    "succeeded",
)


def worst(counts: Mapping[str, int]) -> str:
    """The state that asks for most."""
    return min(counts, key=lambda state: URGENCY.index(state) if state in URGENCY else 0)


# ---- steps ----


class _Request(msgspec.Struct):
    """What of a recorded `tasks_requested` tells about steps."""

    spec: StepSpec
    calls: list[dict[str, Any]]


class _Calls(msgspec.Struct):
    """The calls of a recorded `tasks_requested` alone."""

    calls: list[Call]


_request = msgspec.json.Decoder(_Request).decode
_calls = msgspec.json.Decoder(_Calls).decode


def steps_of_run(backend: Backend, row: RunRow) -> tuple[StepSpec, ...]:
    """The steps of a run: those of its plan, and those that a flow has called so far."""
    plan = backend.plan(row.plan_hash)
    if plan.kind != "flow":
        return plan.steps
    steps = {step.key: step for step in plan.steps}
    after = 0
    while rows := backend.store.reports.events(row.id, kinds=["tasks_requested"], after_seq=after, limit=1000):
        for event in rows:
            request = _request(event.data)
            for call in request.calls:
                _add_call(steps, request.spec, call)
        after = rows[-1].seq
    return tuple(steps.values())


def step_of(backend: Backend, row: RunRow, key: str) -> StepSpec | None:
    """A step of a run's plan."""
    return next((step for step in backend.plan(row.plan_hash).steps if step.key == key), None)


def call_of(backend: Backend, run_id: int, key: str) -> Call | None:
    """What a flow asked for with the call of that key."""
    wanted = f'"key":{msgspec.json.encode(key).decode()}'
    for event in backend.store.reports.events(run_id, kinds=["tasks_requested"], text=wanted, limit=20):
        for call in _calls(event.data).calls:
            if call.key == key:
                return call
    return None


def _add_call(steps: dict[str, StepSpec], spec: StepSpec, call: dict[str, Any]) -> None:
    key = _step_key(str(call["key"]))
    known = steps.get(key)
    upstream = {_step_key(str(one)) for one in call.get("upstream", ())} - {key}
    if known is not None:
        upstream |= {edge.step for edge in known.upstream}
    edges = tuple(Edge(step, data=True) for step in sorted(upstream))
    steps[key] = msgspec.structs.replace(spec, key=key, upstream=edges)


def _step_key(key: str) -> str:
    """The step of a task run's key: `load` of `load[3]`."""
    base, bracket, rest = key.partition("[")
    return base if bracket and rest.endswith("]") else key


def levels(steps: Sequence[StepSpec]) -> dict[str, int]:
    """How many steps are above each at most. Steps come after those that they wait for, but for a flow's."""
    found: dict[str, int] = {}
    for step in steps:
        found[step.key] = max((found.get(edge.step, -1) + 1 for edge in step.upstream), default=0)
    return found


def steps_of_job(job: JobSpec, definitions: Definitions, selected: Iterable[str]) -> tuple[StepSpec, ...]:
    """The steps of a job; those of a selection of assets are the assets."""
    if job.plan is not None:
        return job.plan.steps
    chosen = {*selected}
    return tuple(
        StepSpec(
            key=spec.key,
            kind="asset",
            group=spec.group,
            upstream=tuple(Edge(dep.asset, data=dep.loads) for dep in spec.deps if dep.asset in chosen),
            reads=tuple(dep.asset for dep in spec.deps),
            writes=(spec.key,),
        )
        for spec in definitions.assets
        if spec.key in chosen and not spec.external
    )


# ---- graph ----


def folded(steps: Sequence[StepSpec]) -> tuple[Sequence[StepSpec], dict[str, str]]:
    """The steps of a flow with all calls of a task as one, and the one that stands for each. Not where they are few."""
    if len(steps) <= FOLD_OVER:
        return steps, {}
    task_of = {step.key: _NUMBER.sub("", step.key) for step in steps}
    specs: dict[str, StepSpec] = {}
    upstream: dict[str, dict[str, None]] = {}
    for step in steps:
        task = task_of[step.key]
        specs.setdefault(task, step)
        above = upstream.setdefault(task, {})
        above.update((name, None) for edge in step.upstream if (name := task_of.get(edge.step, task)) != task)
    whole = [
        msgspec.structs.replace(spec, key=task, upstream=tuple(Edge(name, data=True) for name in upstream[task]))
        for task, spec in specs.items()
    ]
    return whole, task_of


def graph_of(
    steps: Sequence[StepSpec],
    *,
    complete: bool,
    grid: Iterable[Row] = (),
    critical: Iterable[str] = (),
    task_of: Mapping[str, str] | None = None,
) -> JobGraph:
    """The picture of steps; `grid` are the rows of one run (`Reports.task_grid`), `task_of` is from `folded`."""
    counts: dict[str, dict[str, int]] = {}
    times: dict[str, tuple[float | None, float | None]] = {}
    fold = task_of or {}
    for _, key, state, count, first, last, _, _ in grid:
        step = fold.get(key, key)
        states = counts.setdefault(step, {})
        states[state] = states.get(state, 0) + int(count)
        start, end = times.get(step, (None, None))
        times[step] = (_least(start, first), _most(end, last))
    rank = levels(steps)
    hot = {fold.get(key, key) for key in critical}
    many = {task for task, calls in Counter(fold.values()).items() if calls > 1}
    nodes = [_node(step, rank[step.key], counts, times, step.key in hot, step.key in many) for step in steps]
    known = set(rank)
    edges = [
        GraphEdge(
            source=edge.step,
            target=step.key,
            data=edge.data,
            mapping=edge.mapping if isinstance(edge.mapping, str) else "listed",
        )
        for step in steps
        for edge in step.upstream
        if edge.step in known
    ]
    return JobGraph(nodes=nodes, edges=edges, complete=complete, folded=bool(fold))


def _node(
    step: StepSpec,
    level: int,
    counts: Mapping[str, dict[str, int]],
    times: Mapping[str, tuple[float | None, float | None]],
    critical: bool,
    many: bool,
) -> GraphNode:
    start, end = times.get(step.key, (None, None))
    return GraphNode(
        key=step.key,
        kind=step.kind,
        code="" if step.task.startswith("pickle:") else step.task,
        group=step.group,
        level=level,
        mapped=many or step.expansion is not None,
        trigger_rule=str(step.trigger_rule),
        setup=step.is_setup,
        teardown=step.is_teardown,
        pools=dict(step.pools),
        retries=step.retry.attempts_max - 1,
        timeout_s=step.timeout_s,
        reads=list(step.reads),
        writes=list(step.writes),
        counts=counts.get(step.key, {}),
        started_at=at_or_none(start),
        finished_at=at_or_none(end),
        critical=critical,
    )


def _least(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else min(one, other)


def _most(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else max(one, other)


# ---- gantt ----


def gantt_of(backend: Backend, row: RunRow, cursor: str | None) -> Gantt:
    """All task runs of a run in time, up to `BARS_MAX` a page."""
    order = "gantt"
    after = number_at(cursor, order)
    bars = backend.store.reports.task_bars(row.id, after_no=-1 if after is None else after, limit=BARS_MAX + 1)
    more = len(bars) > BARS_MAX
    bars = bars[:BARS_MAX]
    origin = row.started_at if row.started_at is not None else row.created_at
    steps: dict[str, int] = {}
    states: dict[str, int] = {}
    columns: tuple[list[Any], ...] = ([], [], [], [], [], [], [])
    for no, step, _, index, label, state, attempt, started, finished in bars:
        values = (
            no,
            steps.setdefault(step, len(steps)),
            label or (str(index) if index >= 0 else ""),
            states.setdefault(state, len(states)),
            attempt,
            None if started is None else round(started - origin, 6),
            None if finished is None else round(finished - origin, 6),
        )
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    path = [] if cursor is not None else critical_numbers(steps_of_run(backend, row), bars)
    return Gantt(
        origin=at(origin),
        now=round(backend.clock() - origin, 6),
        steps=list(steps),
        states=list(states),
        no=columns[0],
        step=columns[1],
        lane=columns[2],
        state=columns[3],
        attempt=columns[4],
        start=columns[5],
        end=columns[6],
        critical_path=path,
        next=cursor_of(order, bars[-1][0]) if more else None,
    )


def critical_numbers(steps: Iterable[StepSpec], bars: Sequence[Row]) -> list[int]:
    """The task runs that the run's duration hangs on; the body of a flow, which lasts all the time, is left out."""
    tasks = [
        Timed(no, step, label or (str(index) if index >= 0 else ""), started, finished)
        for no, step, kind, index, label, _, _, started, finished in bars
        if started is not None and finished is not None and kind != "flow"
    ]
    upstream = {step.key: [edge.step for edge in step.upstream] for step in steps}
    return critical_path(tasks, upstream)


# ---- grid ----


def grid_of(
    backend: Backend,
    job: JobSpec,
    location: str,
    steps: Sequence[str],
    groups: dict[str, str],
    limit: int,
    cursor: str | None,
) -> Grid:
    """The last runs of a job by steps."""
    order = "grid"
    rows = backend.store.reports.recent_of_job(
        job.name,
        location=backend.catalog.told_apart(job.name, location),
        before=number_at(cursor, order),
        limit=limit + 1,
    )
    more, rows = len(rows) > limit, rows[:limit]
    cells: dict[tuple[int, str], list[Row]] = {}
    for cell in backend.store.reports.task_grid([row[0] for row in rows]) if rows else []:
        cells.setdefault((cell[0], cell[1]), []).append(cell)
    unknown = dict.fromkeys(step for _, step in cells if step not in set(steps))
    return Grid(
        runs=[_grid_run(row) for row in rows],
        steps=[*steps, *unknown],
        groups=groups,
        cells=[_cell(run, step, parts) for (run, step), parts in cells.items()],
        next=cursor_of(order, rows[-1][0]) if more else None,
    )


def _grid_run(row: Row) -> GridRun:
    run_id, state, created, started, finished, partition, logical, trigger = row
    return GridRun(
        id=run_id,
        state=RunState(state),
        created_at=at(created),
        started_at=at_or_none(started),
        finished_at=at_or_none(finished),
        logical_at=at_or_none(logical),
        partition=partition,
        trigger=trigger,
    )


def _cell(run: int, step: str, parts: list[Row]) -> GridCell:
    counts = {part[2]: int(part[3]) for part in parts}
    starts = [part[4] for part in parts if part[4] is not None]
    ends = [part[5] for part in parts if part[5] is not None]
    return GridCell(
        run=run,
        step=step,
        state=worst(counts),
        counts=counts,
        started_at=at_or_none(min(starts, default=None)),
        finished_at=at_or_none(max(ends, default=None)),
        no=min(part[6] for part in parts),
        attempts=max(part[7] for part in parts),
    )
