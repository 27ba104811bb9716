"""How a run stops early: cancelled, failing fast, or left by its flow. Teardowns of what was set up still run.

An attempt that was dispatched ends only by what is heard of it: it is asked to stop, and the run waits for the answer.
So a run that has finished has nothing going on any more, and a setup that succeeds in its last moment is torn down.
"""

from __future__ import annotations

from batuta.core import events as ev
from batuta.core.run_data import ACTIVE, RunData
from batuta.core.run_graph import TaskRun
from batuta.core.run_readiness import open_node, place
from batuta.core.states import RUN_FINAL, RunState, TaskState


def on_cancel(run: RunData, event: ev.CancelAsked) -> None:
    """Soft: asks what runs to stop. Hard: ends it, teardowns that run too; those that have not begun still will."""
    if run.state in RUN_FINAL:
        return
    if run.state is not RunState.CANCELLING:
        run.failed_for = event.failed_for
    run.cancelled_by = run.cancelled_by or event.by
    begun = run.state is not RunState.QUEUED
    if not begun:
        run.open_nodes = len(run.graph.nodes)
        for node in run.graph.nodes:
            open_node(run, node)
    run.state = RunState.CANCELLING
    by = f" by {event.by}" if event.by else ""
    run.stopping = True
    run.halt_state = TaskState.CANCELLED
    run.halt_reason = run.failed_for or f"cancelled{by}"
    sweep(run, hard=event.hard, spare_teardowns=begun)


def stop_now(run: RunData, state: TaskState, reason: str) -> None:
    """Stop the run because of what has just happened: nothing that this makes ready starts any more."""
    run.want_halt(state, reason)
    run.stopping = True


def sweep(run: RunData, hard: bool = False, spare_teardowns: bool = True) -> None:
    """End what has not begun and ask what runs to stop."""
    run.halt_wanted = False
    run.stopping = True
    for node in run.graph.nodes:
        if node.settled:
            continue
        teardown = node.spec.is_teardown and spare_teardowns
        if not node.expanded:
            if not teardown:
                place(run, node, run.halt_state, run.halt_reason).halted = True
            continue
        for task in node.runs:
            if not task.final:
                _sweep_task(run, task, hard, teardown)


def _sweep_task(run: RunData, task: TaskRun, hard: bool, teardown: bool) -> None:
    waits = task.state is TaskState.WAITING or task.state is TaskState.PAUSED
    if teardown and (waits or not hard):
        return
    if task.state in ACTIVE:
        ask_to_stop(run, task, hard)
    else:
        run.end_halted(task)


def ask_to_stop(run: RunData, task: TaskRun, hard: bool) -> None:
    """Ask an attempt to stop, unless it has been asked as strongly before."""
    if task.stop is None or (hard and not task.stop):
        task.stop = hard
        run.commands.append(ev.Stop(task.no, task.attempt, hard))
