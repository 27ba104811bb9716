"""How far runs are: counts by step, what runs, what ended. Fed by the engine or by recorded events, read by views.

The engine's thread only appends to an inbox; all counting is done by whoever draws, in `absorb`. Nested flows and runs
that steps started are counted beside the run itself.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from batuta.core.plan import LabelExpansion, MapExpansion, Plan
from batuta.core.run_graph import PLACEHOLDER, TaskRun
from batuta.core.states import RUN_FINAL, TASK_FINAL, RunState, TaskState
from batuta.core.values import ErrorInfo


class Change(NamedTuple):
    """A task run as it was at one instant; `run_id` and `job` say of which run."""

    run_id: int
    job: str
    task: TaskRun
    state: TaskState
    attempt: int
    error: ErrorInfo | None
    started_at: float
    at: float

    @property
    def final(self) -> bool:
        return self.state in TASK_FINAL

    @property
    def is_body(self) -> bool:
        """Whether it is a flow's own function, which is no line of a view."""
        return self.task.node.spec.kind == "flow"

    @property
    def duration_s(self) -> float | None:
        return self.at - self.started_at if self.started_at and self.final else None


@dataclass(slots=True)
class StepProgress:
    """One line of a view: a step, or all calls of one task of a flow."""

    name: str
    total: int = 0
    open_ended: bool = False  # how many there will be is not known yet
    counts: dict[TaskState, int] = field(default_factory=dict)
    running: dict[tuple[int, int], Change] = field(default_factory=dict)
    began_at: float | None = None
    ended_at: float | None = None

    def count(self, *states: TaskState) -> int:
        return sum(self.counts.get(state, 0) for state in states)

    @property
    def done(self) -> int:
        return sum(count for state, count in self.counts.items() if state in TASK_FINAL)

    @property
    def finished(self) -> bool:
        return not self.open_ended and self.total > 0 and self.done >= self.total

    @property
    def failed(self) -> int:
        return self.count(TaskState.FAILED)


class Progress:
    """The progress of one run and of those it started. `record` may be called from any thread, the rest from one."""

    def __init__(self, run_id: int = 0, plan: Plan | None = None) -> None:
        self.run_id = run_id
        self.job = ""
        self.state = RunState.QUEUED
        self.began_at = time.time()
        self.steps: dict[str, StepProgress] = {}
        self._inbox: deque[tuple[RunState | None, list[Change], bool]] = deque()
        self._states: dict[tuple[int, int], tuple[StepProgress, TaskState]] = {}
        if plan is not None:
            self.begin(run_id, plan)

    def begin(self, run_id: int, plan: Plan) -> None:
        """The run whose progress this is; its steps are listed before any of them has begun."""
        self.run_id, self.job = run_id, plan.job
        for spec in plan.steps:
            if spec.kind != "flow":
                step = self._step(spec.key)
                step.open_ended = isinstance(spec.expansion, MapExpansion)
                step.total = len(spec.expansion.labels) if isinstance(spec.expansion, LabelExpansion) else 1

    def record(
        self,
        run_id: int,
        job: str,
        state: RunState,
        tasks: Iterable[TaskRun],
        ended_at: dict[int, float],
        *,
        news: bool = True,
    ) -> None:
        """Task runs that changed, and the state of their run. What is no news is counted but not told."""
        now = time.time()
        changes = [
            Change(run_id, job, task, task.state, task.attempt, task.error, task.started_at, ended_at.get(task.no, now))
            for task in tasks
        ]
        self._inbox.append((state if run_id == self.run_id or not self.run_id else None, changes, news))

    def absorb(self) -> list[Change]:
        """Count what was recorded since the last time; returns it, without what is only waiting or queued."""
        seen: list[Change] = []
        while self._inbox:
            state, changes, news = self._inbox.popleft()
            self.state = state or self.state
            for change in changes:
                if self._count(change) and news:
                    seen.append(change)
        return seen

    def _count(self, change: Change) -> bool:
        """Whether it is news."""
        task = change.task
        if change.is_body:
            return change.state not in (TaskState.WAITING, TaskState.QUEUED)
        key = (change.run_id, task.no)
        known = self._states.get(key)
        if known is None:
            step = self._step(self.name_of(change))
            if isinstance(task.node.spec.expansion, MapExpansion):
                step.open_ended = False
                step.total = len(task.node.runs)
            else:
                step.total = max(step.total, sum(step.counts.values()) + 1)
        else:
            step, before = known
            if before is change.state and before is not TaskState.RUNNING:
                return False
            step.counts[before] -= 1
        self._states[key] = (step, change.state)
        step.counts[change.state] = step.counts.get(change.state, 0) + 1
        if change.state is TaskState.RUNNING:
            step.running[key] = change
        else:
            step.running.pop(key, None)
        if change.started_at and (step.began_at is None or change.started_at < step.began_at):
            step.began_at = change.started_at
        if change.final:
            step.ended_at = change.at
        return change.state not in (TaskState.WAITING, TaskState.QUEUED) and task.index != PLACEHOLDER

    def name_of(self, change: Change) -> str:
        """The line a task run belongs to: its step, or in flows the task that was called; `job › step` elsewhere."""
        spec = change.task.node.spec
        name = spec.key
        if spec.kind in ("task", "subflow", "input") and change.task.label == "" and change.job and spec.task:
            base, dash, number = name.rpartition("-")
            if dash and number.isdecimal():
                name = base
        return name if change.run_id == self.run_id or not self.run_id else f"{change.job} › {name}"

    def _step(self, name: str) -> StepProgress:
        step = self.steps.get(name)
        if step is None:
            step = self.steps[name] = StepProgress(name)
        return step

    # ---- what views read ----

    @property
    def ended(self) -> bool:
        return self.state in RUN_FINAL

    @property
    def total(self) -> int:
        return sum(step.total for step in self.steps.values())

    @property
    def done(self) -> int:
        return sum(step.done for step in self.steps.values())

    def count(self, state: TaskState) -> int:
        return sum(step.count(state) for step in self.steps.values())

    def running(self) -> list[Change]:
        """What is running, longest first."""
        changes = [change for step in self.steps.values() for change in step.running.values()]
        return sorted(changes, key=lambda change: change.started_at)
