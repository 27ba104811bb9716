"""Invariants of a run between two events: everything that is counted step by step, counted anew. For tests."""

from __future__ import annotations

from batuta.core.plan import MapExpansion
from batuta.core.run_data import ACTIVE, RunData
from batuta.core.run_graph import PLACEHOLDER, StepNode, TaskRun
from batuta.core.states import RUN_FINAL, TASK_FINAL, RunState, TaskState
from batuta.core.trigger_rules import Tally


def check(run: RunData) -> None:
    """Raise InvariantError if what is counted differs from what is."""
    if run.ended or run.halt_wanted:
        raise run.broken("something was left untold")
    alive = {task for node in run.graph.nodes for task in node.runs}
    for no, task in enumerate(run.graph.runs):
        if task.no != no:
            raise run.broken(f"{task!r} is number {no}")
        if task.dropped == (task in alive):
            raise run.broken(f"{task!r}: dropped is {task.dropped}")
        _check_task(run, task)
    for node in run.graph.nodes:
        _check_node(run, node)
        if node.expanded and node.has_own_edges and node.placeholder is None:
            _check_own(run, node)
    _check_run(run)


def _check_run(run: RunData) -> None:
    if run.state is not RunState.QUEUED:
        unsettled = sum(not node.settled for node in run.graph.nodes)
        if unsettled != run.open_nodes:
            raise run.broken(f"{run.open_nodes} open steps counted, there are {unsettled}")
        if (unsettled == 0) != (run.state in RUN_FINAL):
            raise run.broken(f"the run is {run.state} with {unsettled} open steps")
    paused = sum(task.state is TaskState.PAUSED for task in run.graph.runs)
    if paused != run.paused:
        raise run.broken(f"{run.paused} paused task runs counted, there are {paused}")


def _check_task(run: RunData, task: TaskRun) -> None:
    if task.told != (task.state in TASK_FINAL and not task.dropped):
        raise run.broken(f"{task!r}: told is {task.told}")
    if task.stop is not None and task.state not in ACTIVE:
        raise run.broken(f"{task!r} is asked to stop but not active")
    if task.mark is not None and (task.state not in ACTIVE or task.stop is None):
        raise run.broken(f"{task!r} is marked and goes on")
    if task.state in ACTIVE and not 0 < task.tries <= task.attempt:
        raise run.broken(f"{task!r} is active in try {task.tries}")
    if run.stopping and task.state in ACTIVE and task.stop is None and not task.node.spec.is_teardown:
        raise run.broken(f"{task!r} goes on though the run stops")
    if task.wait is not None and task.state is not TaskState.DEFERRED:
        raise run.broken(f"{task!r} waits for {task.wait.trigger}")
    if task.output is not None and task.state in TASK_FINAL and task.state is not TaskState.SUCCEEDED:
        raise run.broken(f"{task!r} has an output")


def _check_node(run: RunData, node: StepNode) -> None:
    ended = [task for task in node.runs if task.final]
    tally = Tally()
    for task in ended:
        tally.count(task.state)
    if tally != node.tally:
        raise run.broken(f"{node!r} has {node.tally}, counted {tally}")
    if node.expanded and node.open != len(node.runs) - len(ended):
        raise run.broken(f"{node!r} counts {node.open} open task runs")
    if node.settled != (node.expanded and len(ended) == len(node.runs)):
        raise run.broken(f"{node!r}: settled is {node.settled}")
    every = Tally()
    pending = gates = 0
    for edge in node.spec.upstream:
        if edge.mapping == "every":
            up = run.graph.by_key[edge.step]
            every.add(up.tally)
            pending += not up.settled
    if isinstance(node.spec.expansion, MapExpansion):
        gates += sum(not run.graph.by_key[source.step].settled for source in node.spec.expansion.sources if source.step)
    gates += sum(not setup.settled for setup in node.scope)
    if (pending, every, gates) != (node.every_pending, node.every, node.gates):
        counted = f"{node.every_pending} pending, {node.every}, {node.gates} gates"
        raise run.broken(f"{node!r} has {counted}; counted anew {pending}, {every}, {gates}")
    indexes = [max(task.index, -1) for task in node.runs if task.index != PLACEHOLDER]
    if node.expanded and indexes and indexes != list(range(indexes[0], indexes[0] + len(indexes))):
        raise run.broken(f"{node!r} has indexes {indexes}")


def _check_own(run: RunData, node: StepNode) -> None:
    for task in node.runs:
        own = Tally()
        pending = 0
        for edge in node.spec.upstream:
            if edge.mapping != "every":
                for up in run.graph.upstream_runs(task, edge):
                    if up is None or not up.final:
                        pending += 1
                    else:
                        own.count(up.state)
        if task.own != own or task.own_pending != pending:
            raise run.broken(f"{task!r} has {task.own} and {task.own_pending} pending; counted {own} and {pending}")
