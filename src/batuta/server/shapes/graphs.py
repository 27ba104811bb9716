"""Pictures of runs: graphs, Gantt charts, grids. Large ones are columns rather than objects."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated as A

from batuta.core.states import RunState
from batuta.server.shapes.base import Shape, doc


class GraphEdge(Shape):
    """One step waits for another."""

    source: A[str, doc("The step that is waited for.", "extract")]
    target: A[str, doc("The step that waits.", "load")]
    data: A[bool, doc("Whether its output is an argument, not just its end awaited.")]
    mapping: A[str, doc("How mapped task runs meet: every, aligned or listed.", "every")]


class GraphNode(Shape):
    """A step."""

    key: A[str, doc("Its name in the job.", "load")]
    kind: A[str, doc("task, operator, asset, check, flow, subflow or input.", "task")]
    code: A[str, doc("The code that it runs.", "pipelines.shop:load")]
    group: A[str, doc("The group that it is in, `/` between nested ones.")]
    level: A[int, doc("How many steps are above it at most: a place in a layered picture.", 1)]
    mapped: A[bool, doc("Whether it runs once per item or partition.")]
    trigger_rule: A[str, doc("What must hold of its upstreams' ends.", "all_success")]
    setup: A[bool, doc("Whether it prepares what others need.")]
    teardown: A[bool, doc("Whether it cleans up after them.")]
    pools: A[dict[str, int], doc("Slots that it takes, by pool.", {"warehouse": 1})]
    retries: A[int, doc("How many times it is tried again.", 2)]
    timeout_s: A[float | None, doc("Seconds after which an attempt is ended.")]
    reads: A[list[str], doc("The assets that it reads.")]
    writes: A[list[str], doc("The assets that it writes.")]
    counts: A[dict[str, int], doc("Task runs in each state, of a run.", {"succeeded": 3})]
    started_at: A[datetime | None, doc("When its first task run began, of a run.")]
    finished_at: A[datetime | None, doc("When its last one ended.")]
    critical: A[bool, doc("Whether the run's duration hangs on it.")]


class JobGraph(Shape):
    """The steps of a job, or of a run as far as they are known."""

    nodes: A[list[GraphNode], doc("The steps, upstream first.")]
    edges: A[list[GraphEdge], doc("What waits for what.")]
    complete: A[bool, doc("False for a flow: its tasks are known only as it calls them.")]
    folded: A[bool, doc("Whether a node stands for all calls of a task: those of a flow that has made very many.")]


class Gantt(Shape):
    """The task runs of a run in time, as columns: the i-th item of each is the same task run."""

    origin: A[datetime | None, doc("The time that `start` and `end` are counted from.")]
    now: A[float, doc("Now, counted from the origin: where what runs ends for the moment.", 12.5)]
    steps: A[list[str], doc("The steps; `step` is a place in this list.", ["load"])]
    states: A[list[str], doc("The states; `state` is a place in this list.", ["succeeded"])]
    no: A[list[int], doc("Numbers of the task runs.")]
    step: A[list[int], doc("Which step.")]
    lane: A[list[str], doc("Map index or partition; empty without.")]
    state: A[list[int], doc("Which state.")]
    attempt: A[list[int], doc("Numbers of the last attempts.")]
    start: A[list[float | None], doc("Seconds from the origin to the begin of the last attempt.")]
    end: A[list[float | None], doc("Seconds from the origin to its end.")]
    critical_path: A[list[int], doc("Numbers of the task runs that the run's duration hangs on, first to last.")]
    next: A[str | None, doc("The `cursor` of the rest; null where this is all.")]


class GridRun(Shape):
    """A column of a grid: a run."""

    id: A[int, doc("Its number.", 42)]
    state: A[RunState, doc("Where it stands.")]
    created_at: A[datetime, doc("When it was asked for.")]
    started_at: A[datetime | None, doc("When it began.")]
    finished_at: A[datetime | None, doc("When it ended.")]
    logical_at: A[datetime | None, doc("The time that it is about.")]
    partition: A[str, doc("The partition that it makes.")]
    trigger: A[str, doc("What started it.", "schedule")]


class GridCell(Shape):
    """What became of one step in one run."""

    run: A[int, doc("The run.", 42)]
    step: A[str, doc("The step.", "load")]
    state: A[str, doc("The state of its task run; of many the one that asks for most.", "succeeded")]
    counts: A[dict[str, int], doc("Task runs in each state.", {"succeeded": 3})]
    started_at: A[datetime | None, doc("When the first began.")]
    finished_at: A[datetime | None, doc("When the last ended.")]
    no: A[int, doc("The number of the first of them.", 3)]
    attempts: A[int, doc("The largest number of attempts.", 1)]


class Grid(Shape):
    """The last runs of a job by its steps."""

    runs: A[list[GridRun], doc("The runs, newest first.")]
    steps: A[list[str], doc("The steps, upstream first.", ["extract", "load"])]
    groups: A[dict[str, str], doc("The group of each step that has one.")]
    cells: A[list[GridCell], doc("What became of each step in each run, where something did.")]
    next: A[str | None, doc("The `cursor` of older runs; null where there are none.")]


class Duration(Shape):
    """How long a run of a job took."""

    run: A[int, doc("Its number.", 42)]
    state: A[RunState, doc("How it ended.")]
    at: A[datetime, doc("When it began, or else was asked for.")]
    duration_s: A[float | None, doc("Seconds from begin to end.", 3.2)]
    queued_s: A[float | None, doc("Seconds from being asked for to its begin.", 0.1)]
    partition: A[str, doc("The partition that it made.")]


class Durations(Shape):
    """How long the last runs of a job took."""

    items: A[list[Duration], doc("The runs, newest first.")]
    median_s: A[float | None, doc("The median of those that succeeded.", 3.0)]
    p95_s: A[float | None, doc("What 95 of 100 of them did not exceed.", 4.5)]
    next: A[str | None, doc("The `cursor` of older runs; null where there are none.")]


class CalendarDay(Shape):
    """The runs of a job on one day (UTC), by their logical time."""

    day: A[str, doc("The day.", "2026-01-31")]
    counts: A[dict[str, int], doc("Runs in each state.", {"succeeded": 1})]
    run: A[int, doc("The newest of them.", 42)]


class Calendar(Shape):
    """The runs of a job by day."""

    days: A[list[CalendarDay], doc("Days with runs, oldest first.")]
