"""The run state machine: events in, commands out, through one door (`Run.advance`).

All that decides about a run stands behind it, in the modules `run_*`. The same events give the same state and the same
commands, so recovery is a fold over the recorded events, followed by `outstanding()`. Events about a superseded
attempt, or about a task run that has ended, change nothing: that is the fence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from batuta.core import events as ev
from batuta.core import run_attempts, run_check, run_flow, run_halt, run_mark, run_restart
from batuta.core.run_attempts import LOST_MAX
from batuta.core.run_data import ACTIVE, RunData
from batuta.core.run_graph import StepNode, TaskRun
from batuta.core.run_readiness import evaluate, open_node, propagate
from batuta.core.states import RUN_FINAL, RunState, TaskState

__all__ = ["LOST_MAX", "Run"]


class Run(RunData):
    """The state of one run. Not thread-safe: it belongs to the engine that holds the run's lease."""

    def advance(self, event: ev.Event) -> list[ev.Command]:
        """Take one fact, return what should be done because of it."""
        handler = _HANDLERS.get(type(event))
        if handler is None:
            return []
        self.recent.append(event)
        self.at = event.at
        self.commands = []
        handler(self, event)
        propagate(self)
        while self.halt_wanted:
            run_halt.sweep(self)
            propagate(self)
        if not self.open_nodes and self.state in _UNDER_WAY:
            self.state = _outcome(self)
            self.commands.append(ev.Finish(self.state))
        return self.commands

    def outstanding(self) -> list[ev.Command]:
        """All that should be going on now, as commands: what a new engine does after replaying the events."""
        if self.state in RUN_FINAL:
            return [ev.Finish(self.state)]
        commands: list[ev.Command] = []
        for task in self.graph.runs:
            if task.state in ACTIVE:
                if task.stop is None:
                    commands.append(ev.Dispatch(task.no, task.attempt))
                else:
                    commands.append(ev.Stop(task.no, task.attempt, task.stop))
            elif task.state is TaskState.RETRYING or task.state is TaskState.DEFERRED:
                commands += self.waiting_for(task)
        return commands

    def task(self, no: int) -> TaskRun:
        """The task run with this number."""
        return self.graph.runs[no]

    def find(self, key: str) -> TaskRun | None:
        """The single task run of the step `key`, or None."""
        node = self.graph.by_key.get(key)
        return node.runs[0] if node and node.runs else None

    @property
    def shown_state(self) -> RunState:
        """The state to show people: a running run that waits for an answer is paused."""
        return RunState.PAUSED if self.paused and self.state is RunState.RUNNING else self.state

    def check(self) -> None:
        """Raise InvariantError if what is counted differs from what is. For tests: it counts everything."""
        run_check.check(self)


_UNDER_WAY = frozenset((RunState.RUNNING, RunState.CANCELLING))


def _on_run_started(run: RunData, event: ev.RunStarted) -> None:
    if run.state is not RunState.QUEUED:
        return
    run.state = RunState.RUNNING
    run.open_nodes = len(run.graph.nodes)
    for node in run.graph.nodes:
        open_node(run, node)
    for node in run.graph.nodes:
        evaluate(run, node)


def _outcome(run: RunData) -> RunState:
    """How a run in which everything has ended has ended."""
    if run.verdict is not None:
        return run.verdict
    if run.state is RunState.CANCELLING:
        return RunState.FAILED if run.failed_for else RunState.CANCELLED
    body = run.body
    if body is not None:
        if body.state is TaskState.CANCELLED:
            return RunState.CANCELLED
        good = body.state is TaskState.SUCCEEDED or body.state is TaskState.SKIPPED
        return RunState.SUCCEEDED if good else RunState.FAILED
    if run.failed_fast:
        return RunState.FAILED
    for node in run.graph.nodes:
        bad = node.tally.failed or node.tally.upstream_failed
        if bad and node.spec.fails_run and (run.plan.outcome != "leaves" or _is_leaf(node)):
            return RunState.FAILED
    return RunState.SUCCEEDED


def _is_leaf(node: StepNode) -> bool:
    """Whether nothing but teardowns is downstream; a teardown counts as one if it is said to fail the run."""
    return all(down.spec.is_teardown for down in node.downs())


_HANDLERS: dict[type, Callable[[RunData, Any], None]] = {
    ev.RunStarted: _on_run_started,
    ev.TasksRequested: run_flow.on_requested,
    ev.TasksDropped: run_flow.on_dropped,
    ev.AttemptStarted: run_attempts.on_started,
    ev.AttemptSucceeded: run_attempts.on_succeeded,
    ev.AttemptFailed: run_attempts.on_failed,
    ev.AttemptSkipped: run_attempts.on_skipped,
    ev.AttemptDeferred: run_attempts.on_deferred,
    ev.AttemptCancelled: run_attempts.on_cancelled,
    ev.AttemptLost: run_attempts.on_lost,
    ev.TimerFired: run_attempts.on_timer,
    ev.TriggerFired: run_attempts.on_trigger,
    ev.InputGiven: run_attempts.on_input,
    ev.CancelAsked: run_halt.on_cancel,
    ev.RestartAsked: run_restart.on_restart,
    ev.MarkAsked: run_mark.on_mark,
}
