"""Running a finished run again, or task runs of it: what waits anew, and what stands.

A task run that succeeded stands unless a person names it or something upstream of it, with two exceptions: the body of
a flow, which is replayed, and setups with their teardowns around work that runs again.
"""

from __future__ import annotations

from collections.abc import Iterable, Set

from batuta.core import events as ev
from batuta.core.run_attempts import known
from batuta.core.run_branch import carry_out
from batuta.core.run_data import RunData
from batuta.core.run_graph import PLACEHOLDER, StepNode, TaskRun
from batuta.core.run_reach import Reach, below, place_of, teardowns_of
from batuta.core.run_readiness import evaluate, evaluate_each, untell
from batuta.core.states import RUN_FINAL, RunState, TaskState

_BAD = frozenset((TaskState.FAILED, TaskState.UPSTREAM_FAILED, TaskState.CANCELLED))


def on_restart(run: RunData, event: ev.RestartAsked) -> None:
    if run.state not in RUN_FINAL:
        return
    chosen = _all_that_failed(run) if event.tasks is None else _named(run, event.tasks)
    add_scopes(chosen)
    body = run.body
    if body is not None:
        chosen[body] = None
        for task in chosen:
            task.asked = body.tries + 1  # what is named runs once, whether the body asks for it early or late
    reopen(run)
    nodes = rewind(run, chosen)
    stand_by_decisions(run)
    start(run, nodes)


def reopen(run: RunData) -> None:
    """A run that has ended goes on: what stopped it is forgotten."""
    run.stopping = run.failed_fast = False
    run.halt_reason = run.cancelled_by = run.failed_for = ""
    run.halt_state = TaskState.CANCELLED
    run.verdict = None
    run.state = RunState.RUNNING


def _all_that_failed(run: RunData) -> dict[TaskRun, None]:
    """What failed or was stopped, and skips below that. In a flow nothing: its body asks again for what it needs."""
    if run.is_flow:
        return {}
    chosen: dict[TaskRun, None] = {}
    skipped = []
    for node in run.graph.nodes:
        for task in node.runs:
            if task.state in _BAD or task.halted:
                chosen[task] = None
            elif task.state is TaskState.SKIPPED:
                skipped.append(task)
    affected = below(place_of(task) for task in chosen) if skipped else Reach()
    for task in skipped:  # the other skips were decisions, and stand
        if place_of(task) in affected:
            chosen[task] = None
    return chosen


def _named(run: RunData, tasks: tuple[int, ...]) -> dict[TaskRun, None]:
    named = [task for no in tasks if (task := known(run, no)) is not None and task.final and not task.dropped]
    chosen = dict.fromkeys(named)
    for task in below(place_of(task) for task in named).task_runs():
        chosen[task] = None
    return chosen


def add_scopes(chosen: dict[TaskRun, None]) -> None:
    """Add setups with their teardowns: work that runs again needs what its setups made, which has been taken away."""
    queue = list(chosen)
    for task in queue:
        if task.node.spec.is_teardown:
            continue
        for setup in task.node.scope:
            teardowns = teardowns_of(setup)
            for node in [setup, *teardowns] if teardowns else []:
                for other in beside(task, node):
                    if other not in chosen:
                        chosen[other] = None
                        queue.append(other)


def beside(task: TaskRun, node: StepNode) -> list[TaskRun]:
    """The task runs of `node` that share the map index or partition of `task`, or all of them."""
    expansion = node.spec.expansion
    if expansion is not None and expansion == task.node.spec.expansion and 0 <= task.index < len(node.runs):
        return [node.runs[task.index]]
    return node.runs


def rewind(run: RunData, tasks: Iterable[TaskRun], keep: Set[StepNode] = frozenset()) -> dict[StepNode, int]:
    """Make these final task runs wait again, as if they had not ended; returns how many of which step.

    `keep`: mapped steps that keep the task runs they have.
    """
    own: dict[StepNode, None] = {}
    counts: dict[StepNode, int] = {}
    for task in tasks:
        if task.final and not _is_empty(task):
            untell(run, task, own)
            task.renew()
            task.node.decided = False
            for down in task.node.map_downs:
                down.items_sure = False
            run.set_state(task, TaskState.WAITING)
            counts[task.node] = counts.get(task.node, 0) + 1
    for node in _to_expand_again(counts, keep):
        node.expanded = False
        node.left_out = None
    for node in own:
        if node.expanded:
            run.graph.recount_own(node)
    return counts


def start(run: RunData, nodes: Iterable[StepNode]) -> None:
    """Start what can start of steps that were rewound."""
    for node in nodes:
        if node.expanded:
            evaluate_each(run, node)
        else:
            evaluate(run, node)


def _is_empty(task: TaskRun) -> bool:
    """Whether it stands for a step that has no partitions, and never will in this run."""
    return task.index == PLACEHOLDER and not task.node.is_mapped


def _to_expand_again(counts: dict[StepNode, int], keep: Set[StepNode]) -> dict[StepNode, None]:
    """Mapped steps whose task runs all wait again, and whose number may be another now."""
    again = {node: None for node in counts if node.is_mapped and node.placeholder is not None and node not in keep}
    sources = [node for node in counts if node.spec.expansion is None] + list(again)
    for source in sources:
        for down in source.map_downs:
            if down not in again and down not in keep and counts.get(down) == len(down.runs):
                again[down] = None
                sources.append(down)
    return again


def stand_by_decisions(run: RunData) -> None:
    """Carry out again what branches decided that have not run again."""
    for node in run.graph.nodes:
        for task in node.runs:
            if task.told and (task.cut or task.follow is not None):
                carry_out(run, task)
