"""Which recorded outputs travel with a step's request: those of its data edges, as its expansion sees them."""

from __future__ import annotations

from batuta.core.plan import Edge, MapExpansion
from batuta.core.run import Run
from batuta.core.run_graph import StepNode, TaskRun
from batuta.core.states import TaskState
from batuta.core.values import NONE, Handle

INPUTS_MAX = 64
"""Data edges of steps with more of them are not sent along but asked for."""


def inputs_of(run: Run, task: TaskRun) -> dict[str, Handle | list[Handle]]:
    """Outputs by upstream step: one where it has one task run (or the one of the same index), else all in order."""
    upstream = task.node.spec.upstream
    if not upstream:
        return {}
    inputs: dict[str, Handle | list[Handle]] = {}
    for edge in upstream:
        if edge.data or run.plan.kind == "flow":
            up = run.graph.by_key[edge.step]
            if edge.mapping == "every" and up.spec.expansion is not None and task.node.spec.expansion is not None:
                continue  # all with all: asked for, so that n steps do not each carry n outputs
            inputs[edge.step] = _outputs(up, edge, task)
    return inputs


def add_items(run: Run, task: TaskRun, inputs: dict[str, Handle | list[Handle]]) -> tuple[int, ...]:
    """Which item of each source a mapped task run stands for; outputs of mapped sources go along as `step[]`."""
    if task.index < 0 or not isinstance(task.node.spec.expansion, MapExpansion) or not task.node.lengths:
        return ()
    positions = []
    for source, up, item in run.graph.map_items(task):
        if up is not None and item < 0:
            inputs[f"{source.step}[]"] = up.output or NONE
        positions.append(up.index if up is not None and item < 0 else item)
    return tuple(positions)


def _outputs(up: StepNode, edge: Edge, task: TaskRun) -> Handle | list[Handle]:
    if edge.mapping == "aligned":
        run = up.runs[task.index] if 0 <= task.index < len(up.runs) else up.runs[0]
        return run.output or NONE
    if up.spec.expansion is None:
        return (up.runs[0].output if up.runs else None) or NONE
    runs = up.runs
    if edge.mapping != "every":
        runs = [up.runs[i] for i in edge.mapping[max(task.index, 0)]]
    return [run.output or NONE for run in runs if run.state is TaskState.SUCCEEDED]
