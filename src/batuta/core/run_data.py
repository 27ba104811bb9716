"""What a run knows, and the few moves by which its task runs change state.

The modules `run_*` are functions over this data; `batuta.core.run` is the door through which all of them are reached.
Whoever is outside uses `Run` and reads task runs; the lower half of the fields is between these modules.
"""

from __future__ import annotations

from collections import deque

from batuta.core import events as ev
from batuta.core.errors import InvariantError
from batuta.core.plan import Plan
from batuta.core.run_graph import RunGraph, TaskRun
from batuta.core.run_reach import mark_scopes, refuse_cycles
from batuta.core.states import TASK_FINAL, RunState, TaskState
from batuta.core.values import ErrorInfo

STORY_LENGTH = 50
ACTIVE = frozenset((TaskState.QUEUED, TaskState.RUNNING))
"""An attempt is going on, or is to begin."""


class RunData:
    """The state of one run and what the event at hand has caused so far."""

    def __init__(self, plan: Plan, seed: int = 0) -> None:
        self.plan = plan
        self.seed = seed
        self.graph = RunGraph(plan.steps)
        refuse_cycles(self.graph)
        mark_scopes(self.graph)
        self.state = RunState.QUEUED
        self.cancelled_by = ""
        self.failed_for = ""
        self.verdict: RunState | None = None
        """How the run ends whatever its task runs say: a person has said so."""
        self.changed: list[TaskRun] = []
        """Task runs whose state changed since the list was last emptied; the engine writes and empties it."""

        self.is_flow = plan.kind == "flow"
        self.open_nodes = 0
        self.paused = 0
        self.stopping = False  # nothing new starts but teardowns
        self.failed_fast = False
        self.halt_state = TaskState.CANCELLED  # what becomes of task runs that have not begun, and why
        self.halt_reason = ""
        self.halt_wanted = False
        self.commands: list[ev.Command] = []
        self.ended: deque[TaskRun] = deque()  # ends that have not been told downstream
        self.at = 0.0
        self.recent: deque[ev.Event] = deque(maxlen=STORY_LENGTH)

    @property
    def body(self) -> TaskRun | None:
        """The task run of a flow's own function."""
        return self.graph.runs[0] if self.is_flow and self.graph.runs else None

    def set_state(self, task: TaskRun, state: TaskState) -> None:
        """Every change of a task run's state."""
        self.paused += (state is TaskState.PAUSED) - (task.state is TaskState.PAUSED)
        task.state = state
        self.changed.append(task)

    def end(self, task: TaskRun, state: TaskState, reason: str = "") -> None:
        """Bring a task run to its final state, or to that as which it was marked; what follows is told downstream."""
        if task.state in TASK_FINAL:
            raise self.broken(f"{task!r} ends twice, now {state}")
        if task.mark is not None:
            (state, reason), task.mark = task.mark, None
            task.error = marked_error(reason) if state is TaskState.FAILED else None
            task.halted = False
        task.reason = reason
        task.stop = None
        task.wait = task.fired = None
        if state is not TaskState.SUCCEEDED:
            task.output = None
        self.set_state(task, state)
        self.ended.append(task)

    def end_halted(self, task: TaskRun) -> None:
        """End a task run because the run is stopping: as it is with those that have not begun, or cancelled."""
        task.halted = True
        begun = task.state is TaskState.RETRYING or task.state is TaskState.DEFERRED or task.state in ACTIVE
        self.end(task, TaskState.CANCELLED if begun else self.halt_state, self.halt_reason)

    def dispatch(self, task: TaskRun, anew: bool = True) -> None:
        """Ask for another attempt; `anew` says that it is a new try, not one that goes on."""
        task.attempt += 1
        task.tries += anew
        task.started_at = 0.0
        task.reason = ""
        task.wait = None
        if anew:
            task.fired = None
        self.set_state(task, TaskState.QUEUED)
        self.commands.append(ev.Dispatch(task.no, task.attempt))

    def wait_until(self, task: TaskRun, state: TaskState, at: float) -> None:
        """Let a task run wait for a time, or for what `task.wait` says, until then (0: without end)."""
        task.until = at
        self.set_state(task, state)
        self.commands += self.waiting_for(task)

    def waiting_for(self, task: TaskRun) -> list[ev.Command]:
        """What is to be done so that a waiting task run goes on."""
        commands: list[ev.Command] = []
        if task.wait is not None:
            commands.append(ev.Watch(task.no, task.attempt, task.wait))
        if task.wait is None or task.until:
            commands.append(ev.SetTimer(task.no, task.attempt, task.until))
        return commands

    def want_halt(self, state: TaskState, reason: str) -> None:
        """Stop the run once what has happened is told; a run that is stopping already goes on as it does."""
        if self.stopping or self.halt_wanted:
            return
        self.halt_wanted = True
        self.halt_state = state
        self.halt_reason = reason

    def story(self) -> str:
        """The last events, for error texts."""
        return "\n".join(f"  {event!r}" for event in self.recent)

    def broken(self, what: str) -> InvariantError:
        """The error for a broken invariant, with the story that led to it."""
        return InvariantError(what, where=f"run of {self.plan.job!r}", hint=f"story:\n{self.story()}")


def marked_error(reason: str) -> ErrorInfo:
    """The error of what a person has marked as failed."""
    return ErrorInfo(type="Marked", message=reason)
