"""Runs whose flow body is executed by somebody else than an executor of the engine: a parent flow's body, or a script.

Whoever runs the body says when it ends (`end`); the answer says whether to run it again (a retry) or that the run is
over. The same conversation serves nested flows in workers, nested flows in scripts, and flows called in scripts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.core import events as ev
from batuta.core.errors import InvariantError
from batuta.core.plan import Plan, StepSpec
from batuta.core.run_graph import TaskRun
from batuta.core.states import RUN_FINAL, RunState
from batuta.core.values import ErrorInfo, Handle
from batuta.engine.active import ActiveRun, BodyHost
from batuta.engine.later import Later
from batuta.runtime.arguments import shown_arguments
from batuta.store.rows import NewRun

if TYPE_CHECKING:
    from batuta.engine.engine import Engine

NESTED = "nested"
"""In the config of a run whose body the body of another run executes: nobody else is to take it up. Its value says for
which try of the parent's task run it was made."""


class ExternalBody:
    """What the body's host waits for: `ready` to run an attempt, or `finished`."""

    def __init__(self) -> None:
        self.attempt = 0
        self.asker: Callable[[dict[str, Any]], None] | None = None
        self.over = False

    def host(self) -> BodyHost:
        """The engine's view of it."""
        return BodyHost(self._ready, self._finished)

    def _ready(self, attempt: int) -> None:
        self.attempt = attempt
        self._answer({"again": True})

    def _finished(self) -> None:
        self.over = True
        self._answer({"again": False})

    def _answer(self, data: dict[str, Any]) -> None:
        if self.asker is not None:
            asker, self.asker = self.asker, None
            asker(data)


class Children:
    """Starts and ends nested flows for one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._bodies: dict[int, ExternalBody] = {}
        self._parents: dict[int, tuple[ActiveRun, int]] = {}

    def start(self, asker: ActiveRun, task: int, data: dict[str, Any]) -> dict[str, Any]:
        """A body calls a nested flow: a task run of the parent, and a run of its own."""
        engine = self._engine
        parent = engine.run_of(data["run_id"])
        if parent is None:
            raise engine.calls.gone(data["run_id"])
        spec = msgspec.convert(data["spec"], StepSpec)
        known = parent.run.find(data["key"])
        body = parent.run.body
        if known is None or body is None or known.asked != body.tries:
            call = ev.Call(data["key"], data["fingerprint"], shown=shown_arguments((), (), data["params"]))
            engine.record(parent, ev.TasksRequested(at=engine.now(), spec=_once(spec), calls=(call,)))
            known = parent.run.find(data["key"])
        if known is None:
            raise InvariantError(f"the nested flow {data['key']!r} was not taken up")
        if known.final:
            return _ended(known)
        child = self._find_or_create(parent, known, data, spec)
        engine.record(parent, ev.AttemptStarted(at=engine.now(), task=known.no, attempt=known.attempt))
        if child.final:  # a former engine saw its end, and did not come to tell the parent
            engine.record(parent, self._end_of(child, known))
            return _ended(known)
        self._parents[child.id] = (parent, known.no)
        return {"state": "running", "info": _info(child), "fresh": child.fresh}

    def _find_or_create(self, parent: ActiveRun, task: TaskRun, data: dict[str, Any], spec: StepSpec) -> ActiveRun:
        engine = self._engine
        body = ExternalBody()
        listener = parent.listener
        if listener is None:
            listener = (parent.executor, parent.requests[0])
        executor = parent.executor_name
        for row in engine.store.runs(parent_run=parent.id, parent_task=task.no):
            if RunState(row.state) not in RUN_FINAL or row.config.get(NESTED) == task.tries:
                known = engine.run_of(row.id)
                if known is None:
                    child = engine.resume_run(
                        row.id, executor=executor, force=True, body_host=body.host(), listener=listener
                    )
                else:
                    child = self._take_over(known, body, listener)
                self._bodies[child.id] = body
                return child
        plan = Plan(job=data["flow"], kind="flow", steps=(_renamed(spec, data["flow"]),), outcome="body")
        new = NewRun(
            job=data["flow"],
            kind="flow",
            plan_hash="",
            location=parent.row.location,
            params=data["params"],
            tags=parent.row.tags,
            trigger="parent",
            logical_at=parent.row.logical_at,
            parent_run=parent.id,
            parent_task=task.no,
            config={**parent.row.config, NESTED: task.tries},
        )
        child = engine.start_run(new, plan, executor=executor, body_host=body.host(), listener=listener)
        self._bodies[child.id] = body
        return child

    def _take_over(self, child: ActiveRun, body: ExternalBody, listener: Any) -> ActiveRun:
        """The former body of the child went with the process it ran in: another runs it again."""
        child.body_host = body.host()
        child.listener = listener
        task = child.run.task(0)
        reason = "the process of its flow is gone"
        lost = ev.AttemptLost(at=self._engine.now(), task=0, attempt=task.attempt, reason=reason, counted=False)
        self._engine.record(child, lost)
        return child

    def host_for(self, run_id: int, body: ExternalBody) -> None:
        """A script runs the body of `run_id` itself."""
        self._bodies[run_id] = body

    def end(self, asker: ActiveRun, data: dict[str, Any]) -> dict[str, Any] | Later:
        """A body that was run outside has ended; the answer comes when it is known what follows."""
        engine = self._engine
        active = engine.run_of(data["run_id"])
        body = self._bodies.get(data["run_id"])
        if active is None or body is None:
            return {"again": False}
        now = engine.now()
        run = active.run.body
        assert run is not None
        for record in data.get("records", ()):
            engine.hearing.made(active, 0, record)
        if data["status"] == "succeeded":
            if active.held:
                engine.record(active, ev.TasksDropped(at=now, tasks=tuple(active.held)))
                active.held.clear()
            output = msgspec.convert(data.get("output"), Handle | None)
            event: ev.Event = ev.AttemptSucceeded(at=now, task=0, attempt=run.attempt, output=output)
        elif data["status"] == "failed":
            error = msgspec.convert(data.get("error"), ErrorInfo)
            retryable = data.get("retryable", True)
            event = ev.AttemptFailed(at=now, task=0, attempt=run.attempt, error=error, retryable=retryable)
        else:
            event = ev.AttemptCancelled(at=now, task=0, attempt=run.attempt)
        later = Later()
        body.asker = later.give
        engine.record(active, event)
        return later

    def stop(self, parent: ActiveRun, task: int) -> bool:
        """Stop a nested flow. False: its body runs, and ends it. True: a former engine ran it; its run ends here."""
        if (parent, task) in self._parents.values():
            return False
        for row in self._engine.store.runs(parent_run=parent.id, parent_task=task):
            if RunState(row.state) not in RUN_FINAL:
                self._engine.resume_run(row.id, executor=parent.executor_name, force=True, first=self._cancelled)
        return True

    def body_gone(self, parent: ActiveRun) -> None:
        """A body has ended for good: nested flows that it has not ended (its process died) have nobody to run them."""
        for run_id, (active, _) in list(self._parents.items()):
            child = self._engine.run_of(run_id)
            if active is parent and child is not None and not child.final:
                self._bodies.pop(run_id, None)
                child.body_host = None
                asked_before = child.run.state is RunState.CANCELLING
                self._engine.record(child, ev.CancelAsked(at=self._engine.now(), hard=asked_before))
                self.body_gone(child)

    def _cancelled(self, _child: ActiveRun) -> list[ev.Event]:
        return [ev.CancelAsked(at=self._engine.now())]

    def finished(self, child: ActiveRun) -> None:
        """The run of a nested flow is over: so is the parent's task run."""
        self._bodies.pop(child.id, None)
        parent, task_no = self._parents.pop(child.id, (None, 0))
        if parent is None or self._engine.run_of(parent.id) is not parent:
            return
        self._engine.record(parent, self._end_of(child, parent.run.task(task_no)))

    def _end_of(self, child: ActiveRun, task: TaskRun) -> ev.Event:
        """How the run of a nested flow has ended, as an event of the parent's task run."""
        now = self._engine.now()
        body = child.run.body
        assert body is not None
        if child.run.state is RunState.SUCCEEDED:
            return ev.AttemptSucceeded(at=now, task=task.no, attempt=task.attempt, output=body.output)
        if child.run.state is RunState.CANCELLED:
            return ev.AttemptCancelled(at=now, task=task.no, attempt=task.attempt)
        error = body.error or ErrorInfo(message=f"run {child.id} failed")
        return ev.AttemptFailed(at=now, task=task.no, attempt=task.attempt, error=error, retryable=False)


def _once(spec: StepSpec) -> StepSpec:
    """Retries of a nested flow are its own run's, not the parent's task run's."""
    return msgspec.structs.replace(spec, retry=StepSpec("").retry)


def _renamed(spec: StepSpec, key: str) -> StepSpec:
    return msgspec.structs.replace(spec, key=key, kind="flow")


def _ended(task: TaskRun) -> dict[str, Any]:
    """The answer to a body that calls what has ended."""
    output, error = (
        None if it is None else msgspec.to_builtins(it, builtin_types=(bytes,)) for it in (task.output, task.error)
    )
    return {"state": str(task.state), "output": output, "error": error}


def _info(child: ActiveRun) -> dict[str, Any]:
    return {name: getattr(child.info, name) for name in child.info.__struct_fields__}
