"""The task calls of flows: what a body asks for is recorded, what it asked for before is answered from the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batuta.core import events as ev
from batuta.core.errors import ReplayMismatch, RequestError
from batuta.core.run_graph import TaskRun
from batuta.core.values import Handle
from batuta.engine.active import ActiveRun, FlowCall
from batuta.executors.port import Begun, Executor
from batuta.runtime.failures import error_info
from batuta.runtime.protocol import StepDone, Submit, TaskEnded

if TYPE_CHECKING:
    from batuta.engine.engine import Engine


TAKEN_MAX = 1000
"""So many runs are remembered that others have taken over: their bodies have long ended when there are more."""


class Calls:
    """See the module. All in the engine's thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._taken: dict[int, ActiveRun] = {}
        """Runs that others have taken over while bodies outside of any executor went on here."""

    def submitted(self, message: Submit) -> None:
        """A body asks for task runs: new ones are recorded, known ones answered from the record."""
        engine = self._engine
        active = engine.run_of(message.run_id)
        if active is None:
            if message.run_id in self._taken:
                self._tell_taken(self._taken[message.run_id], [call.key for call in message.calls])
            return
        fresh: list[ev.Call] = []
        for call in message.calls:
            task = active.run.find(call.key)
            if task is not None and not self._same_call(active, task, call.fingerprint, message.spec.task):
                continue
            if task is None or not asked_for(active, task):
                fresh.append(ev.Call(call.key, call.fingerprint, call.upstream, call.shown))
                continue
            self._supply(active, task, message.code, call.args)
            if task.final:
                self._tell(active, _ended(active, task))
        if not fresh:
            return
        engine.record(active, ev.TasksRequested(at=engine.now(), spec=message.spec, calls=tuple(fresh)))
        by_key = {call.key: call for call in message.calls}
        for new in fresh:
            task = active.run.find(new.key)
            if task is None:  # the body that asks is not the one that is going on
                continue
            self._supply(active, task, message.code, by_key[new.key].args)
            if task.final and task not in active.run.changed:
                self._tell(active, _ended(active, task))

    def begun(self, executor: Executor, message: Begun) -> None:
        """A body has begun a call by itself. Where that call was not to run (the run stops), it is stopped."""
        submit, request = message.submit, message.request
        self.submitted(submit)
        active = self._engine.run_of(submit.run_id)
        task = None if active is None else active.run.find(request.step)
        if active is None or task is None or not self._engine.acting.begun(active, task, request, executor):
            executor.cancel(request.id, hard=True)

    def _supply(self, active: ActiveRun, task: TaskRun, code: str, args: Handle) -> None:
        active.calls[task.no] = FlowCall(code, args)
        attempt = active.held.pop(task.no, None)
        if attempt is not None:
            active.commands.append(ev.Dispatch(task.no, attempt))
            self._engine.journal.touch(active)

    def _same_call(self, active: ActiveRun, task: TaskRun, fingerprint: str, code: str) -> bool:
        if task.fingerprint == fingerprint and _is_same_code(task.node.spec.task, code):
            return True
        error = ReplayMismatch(
            f"the flow calls {task.key!r} with other arguments or another task than recorded in run {active.id}",
            where=f"flow {active.plan.job!r}",
            hint="the code or its inputs changed since: start a new run (`batuta run`), or undo the change and resume",
        )
        info = error_info(error, kind="replay")
        self._tell(active, TaskEnded(active.id, task.key, "failed", None, info))
        return False

    def tell_ends(self, active: ActiveRun, tasks: list[TaskRun]) -> None:
        """Tell the flow's body which of these task runs have ended, now that it is recorded."""
        for task in tasks:
            if task.final and task.no:
                active.calls.pop(task.no, None)
                self._tell(active, _ended(active, task))

    def taken(self, active: ActiveRun) -> None:
        """Another engine goes on with the run: tell its body, now and whenever it asks, that nothing ends here."""
        self._taken[active.id] = active
        if len(self._taken) > TAKEN_MAX:
            del self._taken[next(iter(self._taken))]
        self._tell_taken(active, [task.node.spec.key for task in active.run.graph.runs[1:]])

    def gone(self, run_id: int) -> RequestError:
        """Why a body cannot ask for anything any more: its run is not executed here."""
        taken = self._taken.get(run_id)
        return RequestError(f"run {run_id} is over") if taken is None else taken_over(run_id, taken.plan.job)

    def is_taken(self, run_id: int) -> bool:
        """Whether another engine has taken the run over while its body went on here."""
        return run_id in self._taken

    def _tell_taken(self, active: ActiveRun, keys: list[str]) -> None:
        error = error_info(taken_over(active.id, active.plan.job))
        for key in keys:
            self._tell(active, TaskEnded(active.id, key, "cancelled", None, error))

    def _tell(self, active: ActiveRun, message: TaskEnded) -> None:
        listener = active.listener
        if callable(listener):
            listener(message)
        elif listener is not None:
            listener[0].ended(listener[1], message)
        else:
            request_id = active.requests.get(0)
            if request_id is not None:
                active.executor.ended(request_id, message)

    def body_ended(self, active: ActiveRun, done: StepDone) -> None:
        """Task runs that a replayed body did not ask for again will not be run."""
        if done.status == "succeeded" and active.held:
            self._engine.record(active, ev.TasksDropped(at=self._engine.now(), tasks=tuple(active.held)))
            active.held.clear()


def taken_over(run_id: int, job: str) -> RequestError:
    """The error of whoever goes on with a run that is another engine's now."""
    return RequestError(
        f"run {run_id} was taken over by another engine",
        where=f"flow {job!r}",
        hint=f"it goes on there: `batuta runs watch {run_id}`",
    )


def asked_for(active: ActiveRun, task: TaskRun) -> bool:
    """Whether the flow's body has asked for this task run in its present try already (before it was lost)."""
    body = active.run.body
    return body is not None and task.asked == body.tries


def _is_same_code(recorded: str, code: str) -> bool:
    """A script's own tasks are `__main__:name` in the script itself, and `file:name` wherever else it is loaded."""
    if recorded == code or "<locals>" in code:
        return True
    module, _, name = recorded.partition(":")
    other_module, _, other_name = code.partition(":")
    return name == other_name and "__main__" in (module, other_module)


def _ended(active: ActiveRun, task: TaskRun) -> TaskEnded:
    return TaskEnded(active.id, task.node.spec.key, str(task.state), task.output, task.error)
