"""Drives a run by hand: tests say what happens to task runs by their keys, and look at states."""

from __future__ import annotations

from typing import Any

from batuta.core import events as ev
from batuta.core.plan import Edge, JobKind, LabelExpansion, MapExpansion, MapSource, Outcome, Plan, StepSpec
from batuta.core.run import Run
from batuta.core.run_graph import TaskRun
from batuta.core.states import TaskState
from batuta.core.trigger_rules import TriggerRule
from batuta.core.values import ErrorInfo, Handle

Up = str | Edge


def step(key: str, *upstream: Up, rule: str = "all_success", **fields: Any) -> StepSpec:
    """A step; upstreams by key are edges of kind `every`."""
    edges = tuple(Edge(up) if isinstance(up, str) else up for up in upstream)
    return StepSpec(key, upstream=edges, trigger_rule=TriggerRule(rule), **fields)


def aligned(key: str) -> Edge:
    """An edge between task runs of the same index."""
    return Edge(key, "aligned")


def mapped(*sources: str | int, mode: str = "product") -> MapExpansion:
    """Over the outputs of steps, or over literals with so many items."""
    made = tuple(MapSource(step=s) if isinstance(s, str) else MapSource(length=s) for s in sources)
    return MapExpansion(made, mode)  # type: ignore[arg-type]


def labels(*names: str) -> LabelExpansion:
    """One task run per name."""
    return LabelExpansion(names)


class Driver:
    """A started run. Every event is followed by a full check of what the run counts."""

    def __init__(
        self,
        *steps: StepSpec,
        kind: JobKind = "dag",
        outcome: Outcome = "any",
        fail_fast: bool = False,
        seed: int = 0,
        start: bool = True,
    ) -> None:
        self.plan = Plan("job", kind, steps, outcome, fail_fast)
        self.seed = seed
        self.run = Run(self.plan, seed)
        self.log: list[ev.Event] = []
        self.clock = 100.0
        self.last: list[ev.Command] = []
        if start:
            self.tell(ev.RunStarted(at=self.clock))

    def tell(self, event: ev.Event) -> list[ev.Command]:
        """Give the run an event."""
        self.log.append(event)
        self.last = self.run.advance(event)
        self.run.check()
        return self.last

    # ---- what happens to task runs ----

    def succeed(self, *keys: str, **fields: Any) -> None:
        """Attempts succeed; `length` gives their output so many items."""
        length = fields.pop("length", None)
        output = fields.pop("output", None if length is None else Handle(length=length))
        for key in keys:
            task = self.task(key)
            self.tell(self._of(ev.AttemptSucceeded, task, output=output, **fields))

    def fail(self, *keys: str, retryable: bool = True) -> None:
        for key in keys:
            error = ErrorInfo(type="Oops", message=key)
            self.tell(self._of(ev.AttemptFailed, self.task(key), error=error, retryable=retryable))

    def skip(self, *keys: str) -> None:
        for key in keys:
            self.tell(self._of(ev.AttemptSkipped, self.task(key), reason="nothing new"))

    def lose(self, key: str, counted: bool = True) -> None:
        self.tell(self._of(ev.AttemptLost, self.task(key), reason="killed", counted=counted))

    def defer(self, key: str, seconds: float = 10.0, state: Handle | None = None) -> None:
        self.tell(self._of(ev.AttemptDeferred, self.task(key), until=self.clock + seconds, state=state))

    def begin(self, *keys: str) -> None:
        for key in keys:
            self.tell(self._of(ev.AttemptStarted, self.task(key)))

    def stopped(self, *keys: str) -> None:
        """Attempts end as they were asked to."""
        for key in keys:
            self.tell(self._of(ev.AttemptCancelled, self.task(key)))

    def fire(self, key: str, early_s: float = 0.0) -> None:
        """The time that a task run waits for has come."""
        task = self.task(key)
        self.clock = task.until - early_s
        self.tell(self._of(ev.TimerFired, task))

    def answer(self, key: str, value: Handle | None = None) -> None:
        self.tell(ev.InputGiven(at=self.clock, task=self.task(key).no, value=value or Handle(), by="ann"))

    def _of(self, kind: Any, task: TaskRun, **fields: Any) -> ev.Event:
        event: ev.Event = kind(at=self.clock, task=task.no, attempt=task.attempt, **fields)
        return event

    # ---- what happens to the run ----

    def cancel(self, hard: bool = False) -> list[ev.Command]:
        return self.tell(ev.CancelAsked(at=self.clock, by="ann", hard=hard))

    def restart(self, *keys: str) -> list[ev.Command]:
        """Run again what failed, or what is named."""
        tasks = tuple(self.task(key).no for key in keys) if keys else None
        return self.tell(ev.RestartAsked(at=self.clock, by="ann", tasks=tasks))

    def ask(self, *calls: tuple[str, ...], attempt: int | None = None, **fields: Any) -> list[ev.Command]:
        """The flow's body calls tasks: each a key and the keys it waits for."""
        body = self.run.task(0)
        asked = tuple(ev.Call(call[0], fingerprint=call[0], upstream=call[1:]) for call in calls)
        number = body.attempt if attempt is None else attempt
        return self.tell(ev.TasksRequested(at=self.clock, spec=step("t", **fields), calls=asked, attempt=number))

    # ---- looking ----

    def task(self, key: str) -> TaskRun:
        """The task run with this key, which may carry an index or a label."""
        for task in self.run.graph.runs:
            if task.key == key and not task.dropped:
                return task
        raise KeyError(key)

    def state(self, key: str) -> str:
        return str(self.task(key).state)

    def states(self, *keys: str) -> list[str]:
        return [self.state(key) for key in keys]

    def of(self, key: str) -> list[str]:
        """The states of all task runs of a step."""
        return [str(task.state) for task in self.run.graph.by_key[key].runs]

    def going(self) -> set[str]:
        """Task runs with an attempt that goes on or is to begin."""
        return {task.key for task in self.run.graph.runs if task.state in (TaskState.QUEUED, TaskState.RUNNING)}

    def wished(self, kind: type) -> list[str]:
        """Keys of the task runs for which the last event wished a command of this kind."""
        wishes = [wish for wish in self.last if isinstance(wish, kind) and not isinstance(wish, ev.Finish)]
        return [self.run.task(wish.task).key for wish in wishes]

    @property
    def result(self) -> str:
        return str(self.run.state)
