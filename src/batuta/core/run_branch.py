"""Decisions of branches and short circuits: what a task run that succeeded leaves out.

A decision is carried out once, when it falls, and again after a restart for what waits anew while the decision stands.
"""

from __future__ import annotations

from batuta.core.errors import nearest
from batuta.core.run_data import RunData
from batuta.core.run_graph import StepNode, TaskRun
from batuta.core.run_reach import Place, Reach, below, direct, place_of
from batuta.core.run_readiness import place
from batuta.core.states import TaskState
from batuta.core.values import ErrorInfo


def unknown_follow(run: RunData, task: TaskRun, follow: tuple[str, ...]) -> ErrorInfo | None:
    """The error of a branch that names a step or group which the run does not have."""
    graph = run.graph
    unknown = [name for name in follow if name not in graph.by_key and name not in graph.groups]
    if not unknown:
        return None
    return ErrorInfo(
        kind="error",
        type="BranchError",
        message=f"the branch {task.key!r} follows {unknown[0]!r}, which this job does not have",
        hint=nearest(unknown[0], [*graph.by_key, *graph.groups]) or "return the names of steps or groups below it",
    )


def carry_out(run: RunData, task: TaskRun) -> None:
    """Skip what the decision of `task` leaves out, as far as it still waits. Teardowns are never left out."""
    if task.cut:
        for target in below([place_of(task)]):
            _skip(run, task, target, Reach())
    elif task.follow is not None:
        _branch(run, task, task.follow)


def _branch(run: RunData, task: TaskRun, follow: tuple[str, ...]) -> None:
    """Skip the places directly below that are not followed, unless a followed one leads to them."""
    targets = list(dict.fromkeys(direct(place_of(task))))
    kept = [target for target in targets if _named(target[0], follow)]
    if len(kept) == len(targets):
        return
    led_to = below(kept)
    for target in targets:
        if target not in kept and target not in led_to:
            _skip(run, task, target, led_to)


def _skip(run: RunData, task: TaskRun, target: Place, led_to: Reach) -> None:
    node, index = target
    reason = f"{task.key} did not choose it"
    if node.spec.is_teardown:
        return
    if node.expanded:
        for left_out in node.runs if index is None else node.runs[index : index + 1]:
            if left_out.state is TaskState.WAITING and place_of(left_out) not in led_to:
                run.end(left_out, TaskState.SKIPPED, reason)
    elif index is None:
        if node not in led_to.some:
            place(run, node, TaskState.SKIPPED, reason)
    else:
        if node.left_out is None:
            node.left_out = {}
        node.left_out[index] = reason


def _named(node: StepNode, follow: tuple[str, ...]) -> bool:
    spec = node.spec
    return any(spec.key == name or spec.group == name or spec.group.startswith(f"{name}.") for name in follow)
