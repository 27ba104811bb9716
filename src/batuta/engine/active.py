"""A run that this engine executes: the state machine, what is to be recorded of it, and who waits for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from batuta.core import events as ev
from batuta.core.environments import CLEAR, environment_of
from batuta.core.errors import RequestError, nearest
from batuta.core.plan import Plan, StepSpec
from batuta.core.run import Run
from batuta.core.run_graph import TaskRun
from batuta.core.run_mark import marked_as
from batuta.core.states import RUN_FINAL, RunState, TaskState
from batuta.core.values import Handle
from batuta.executors.port import Executor
from batuta.runtime.protocol import RunInfo
from batuta.store.rows import (
    ArtifactRow,
    Audit,
    Batch,
    CheckRow,
    CodeRow,
    ColumnsRow,
    EnvironmentDropped,
    EventRow,
    MaterializationRow,
    RunRow,
    RunUpdate,
    TaskRunRow,
    UsageRow,
)

Assigned = str | Mapping[str, str]
"""The name of the executor of a run; or by code location, "" being the run's own: of steps whose code is elsewhere."""

LOCATIONS = "locations"
"""In the configuration of a run whose steps are of several code locations: their names, its own first."""

_json = msgspec.json.Encoder()
TASKS_AUDITED = 50
"""So many names of task runs an entry of the audit log has."""
_UNSEEN = frozenset((TaskState.WAITING, TaskState.QUEUED))


@dataclass(slots=True)
class BodyHost:
    """Who runs a flow's body outside the engine's own dispatching: a script's thread, or the body of a parent flow."""

    ready: Callable[[int], None]
    """Called when an attempt of the body should start."""
    finished: Callable[[], None]
    """Called when the run has finished."""


@dataclass(slots=True)
class FlowCall:
    """What a flow's call needs to be dispatched; known only while its body lives."""

    code: str
    args: Handle


@dataclass(slots=True, eq=False)
class ActiveRun:
    """See the module."""

    row: RunRow
    plan: Plan
    run: Run
    info: RunInfo
    executor: Executor
    executor_name: str
    others: dict[str, tuple[str, Executor]] = field(default_factory=dict)
    """The executors (by name) of steps whose code other locations have."""
    seq: int = 0
    started_at: float | None = None
    finished_at: float | None = None
    error: str = ""
    commands: list[ev.Command] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    materializations: list[MaterializationRow] = field(default_factory=list)
    checks: list[CheckRow] = field(default_factory=list)
    artifacts: list[ArtifactRow] = field(default_factory=list)
    audit: list[Audit] = field(default_factory=list)
    usage: list[UsageRow] = field(default_factory=list)
    columns: list[ColumnsRow] = field(default_factory=list)
    code: list[CodeRow] = field(default_factory=list)
    dropped: list[EnvironmentDropped] = field(default_factory=list)
    columns_told: dict[str, str] = field(default_factory=dict)  # by asset: the hash of what was told of its columns
    artifact_names: dict[int, set[str]] = field(default_factory=dict)  # by task
    written: set[int] = field(default_factory=set)
    logged: set[int] = field(default_factory=set)
    ended_at: dict[int, float] = field(default_factory=dict)
    requests: dict[int, int] = field(default_factory=dict)  # task number -> id of the request under way
    calls: dict[int, FlowCall] = field(default_factory=dict)
    held: dict[int, int] = field(default_factory=dict)  # tasks whose arguments are not known (again) yet: attempts
    body_host: BodyHost | None = None
    listener: tuple[Executor, int] | Callable[[Any], None] | None = None
    versions: dict[tuple[str, str], str] = field(default_factory=dict)
    places: dict[tuple[str, str], str] = field(default_factory=dict)  # in which environment each of these is
    waiters: list[Callable[[RunState], None]] = field(default_factory=list)
    forget_on_finish: bool = True
    unwatch: Callable[[], None] | None = None
    """Ends the watch over its deadline."""

    @property
    def id(self) -> int:
        return self.row.id

    @property
    def environment(self) -> str:
        """Where what it makes is recorded and kept; "": production."""
        return environment_of(self.row.config)

    @property
    def is_flow(self) -> bool:
        return self.plan.kind == "flow"

    @property
    def fresh(self) -> bool:
        """Of a flow: whether nothing is recorded that its body may ask for again."""
        return self.is_flow and len(self.run.graph.runs) == 1

    @property
    def final(self) -> bool:
        return self.run.state in RUN_FINAL

    def executor_of(self, spec: StepSpec) -> tuple[str, Executor]:
        """What executes a step, and its name."""
        return self.others.get(spec.location) or (self.executor_name, self.executor)

    def uses(self, executor: str) -> bool:
        """Whether steps of it are for the executor of that name."""
        return self.executor_name == executor or any(name == executor for name, _ in self.others.values())

    def replay(self, event: ev.Event, seq: int) -> None:
        """Take a recorded event; nothing is recorded or done."""
        self._note(event)
        self.run.advance(event)
        self.seq = seq

    @property
    def only_requests(self) -> bool:
        """Whether all that is to be recorded are requests of a flow, which it would make again after a crash."""
        if not self.events or any(task.final for task in self.run.changed):
            return False
        return all(row.kind == "tasks_requested" for row in self.events)

    def record(self, event: ev.Event) -> list[ev.Command]:
        """Take a new event; it is written with the next batch, and its commands are done after that."""
        self.seq += 1
        task = getattr(event, "task", None)
        self.events.append(EventRow(self.id, self.seq, ev.kind_of(event), event.at, task, ev.encode(event)))
        self._note(event)
        if by := getattr(event, "by", ""):
            self.audit.append(_audit(self, event, by))
        commands = self.run.advance(event)
        self.commands += commands
        for command in commands:
            if type(command) is ev.Finish:
                self.finished_at = event.at
                self.seq += 1
                if command.state is RunState.SUCCEEDED and (asked := self.row.config.get(CLEAR, {})).get("by"):
                    self.dropped.append(EnvironmentDropped(self.id, asked["environment"], asked["by"], event.at))
                finished = ev.RunFinished(at=event.at, state=command.state)
                data = ev.encode(finished)
                self.events.append(EventRow(self.id, self.seq, "run_finished", event.at, None, data))
        return commands

    def _note(self, event: ev.Event) -> None:
        """Keep what the projections and replays need beyond the state machine."""
        match event:
            case ev.AttemptSucceeded() | ev.AttemptFailed() | ev.AttemptSkipped():
                self.ended_at[event.task] = event.at
                if event.logged:
                    self.logged.add(event.task)
                if isinstance(event, ev.AttemptFailed) and (not self.error or event.task == 0):
                    self.error = event.error.headline()
            case ev.CancelAsked(failed_for=why) if why:
                self.error = self.error or why
            case ev.RestartAsked():
                self.error = ""
                self.finished_at = None
            case ev.MarkAsked():
                if self.final:
                    self.error = ""
                    self.finished_at = None
                if event.tasks is None:
                    self.error = marked_as(event) if event.state == "failed" else ""
            case ev.RunStarted():
                self.started_at = event.at

    def fill(self, batch: Batch) -> list[TaskRun]:
        """Move what is to be recorded into `batch`; returns the task runs that changed."""
        batch.events += self.events
        if self.environment:
            batch.environment_made += [(self.environment, row) for row in self.materializations]
            batch.environment_checks += [(self.environment, row) for row in self.checks]
        else:
            batch.materializations += self.materializations
            batch.checks += self.checks
            batch.columns += self.columns
        batch.artifacts += self.artifacts
        batch.environments_dropped += self.dropped
        batch.audit += self.audit
        batch.usage += self.usage
        batch.code += self.code
        self.events, self.materializations, self.checks, self.audit = [], [], [], []
        self.usage, self.columns, self.code = [], [], []
        self.artifacts, self.dropped = [], []
        changed = list(dict.fromkeys(self.run.changed))
        self.run.changed.clear()
        for task in changed:
            if task.state not in _UNSEEN or task.no in self.written:
                self.written.add(task.no)
                batch.task_runs.append(self._row_of(task))
        state = self.run.shown_state
        if state is RunState.FAILED and not self.error:
            self.error = self._first_error()
        error = "" if state is RunState.SUCCEEDED else self.error
        batch.runs.append(
            RunUpdate(self.id, self.row.epoch, self.seq, str(state), self.started_at, self.finished_at, error)
        )
        return changed

    def _first_error(self) -> str:
        """Why the run failed, where that is told by what was said of its task runs."""
        errors = (task.error for task in self.run.graph.runs if task.state is TaskState.FAILED)
        return next((error.headline() for error in errors if error is not None), "")

    def numbers_of(self, keys: Sequence[str]) -> tuple[int, ...]:
        """The task runs that names stand for: keys, or steps with all their task runs. Raises RequestError."""
        by_key: dict[str, list[int]] = {}
        for task in self.run.graph.runs:
            for key in dict.fromkeys((task.key, task.node.spec.key)):
                by_key.setdefault(key, []).append(task.no)
        for key in keys:
            if key not in by_key:
                raise RequestError(f"run {self.id} has no task run {key!r}", hint=nearest(key, by_key))
        return tuple(dict.fromkeys(no for key in keys for no in by_key[key]))

    def _row_of(self, task: TaskRun) -> TaskRunRow:
        spec = task.node.spec
        return TaskRunRow(
            run_id=self.id,
            no=task.no,
            step=spec.key,
            task=spec.task,
            kind=spec.kind,
            index=task.index,
            label=task.label,
            state=str(task.state),
            attempt=task.attempt,
            started_at=task.started_at or None,
            finished_at=self.ended_at.get(task.no) if task.final else None,
            worker="",
            reason=task.reason,
            error=None if task.error is None else _json.encode(task.error),
            output=None if task.output is None else _json.encode(task.output),
            logged=task.no in self.logged,
        )


def _audit(active: ActiveRun, event: ev.Event, by: str) -> Audit:
    """What a person did to a run."""
    actions = {"cancel_asked": "cancel", "input_given": "answer", "restart_asked": "retry", "mark_asked": "mark"}
    kind = ev.kind_of(event)
    details: dict[str, Any] = {"job": active.row.job}
    task = getattr(event, "task", None)
    if task is not None:
        details["task"] = active.run.task(task).key
    if isinstance(event, ev.MarkAsked):
        runs = active.run.graph.runs
        details["as"] = event.state
        if event.tasks is not None:
            details["tasks"] = [runs[no].key for no in event.tasks[:TASKS_AUDITED] if no < len(runs)]
        if event.note:
            details["note"] = event.note
    return Audit(by, actions.get(kind, kind), "run", str(active.id), details, event.at)
