"""A person's word on how something ended: task runs, or the run as a whole.

A task run that is marked counts as having ended like that, and what was held back by it goes on. One whose attempt is
going on is asked to stop, and ends as it was marked whatever becomes of it: so at most one attempt is ever going on.
Surprising: what is downstream and has run already stands, whatever is said of what it came from.
"""

from __future__ import annotations

from collections.abc import Sequence

from batuta.core import events as ev
from batuta.core.errors import RequestError
from batuta.core.run_attempts import fail_fast, known
from batuta.core.run_data import ACTIVE, RunData, marked_error
from batuta.core.run_graph import PLACEHOLDER, TaskRun
from batuta.core.run_halt import ask_to_stop, on_cancel
from batuta.core.run_reach import below, place_of, teardowns_of
from batuta.core.run_restart import add_scopes, beside, reopen, rewind, stand_by_decisions, start
from batuta.core.states import RUN_FINAL, RunState, TaskState


def on_mark(run: RunData, event: ev.MarkAsked) -> None:
    if run.state is RunState.QUEUED:
        return
    if event.tasks is None:
        _mark_run(run, event)
        return
    over, state, reason = run.state in RUN_FINAL, TaskState(event.state), marked_as(event)
    found = (known(run, no) for no in event.tasks)
    named = {task: None for task in found if task is not None and _may_be_marked(run, task, state, over)}
    if not named:
        return
    if over:
        reopen(run)
    again = _held_back(run, named, state, over)
    ended = [task for task in named if task.state not in ACTIVE]
    for task in named:
        if task.state in ACTIVE:
            task.mark = (state, reason)
            ask_to_stop(run, task, hard=False)
    nodes = rewind(run, [*again, *ended], keep={task.node for task in ended})
    for task in ended:
        run.end(task, state, reason)
    if state is TaskState.FAILED:
        for task in ended:
            task.error = marked_error(reason)
            fail_fast(run, task)
    stand_by_decisions(run)
    start(run, nodes)


def marked_as(event: ev.MarkAsked) -> str:
    """What is told of what a person has marked."""
    by = f" by {event.by}" if event.by else ""
    return f"marked as {event.state}{by}" + (f": {event.note}" if event.note else "")


def _mark_run(run: RunData, event: ev.MarkAsked) -> None:
    """The run has that end; one under way is stopped first."""
    if event.state == "skipped":
        return
    if run.state in RUN_FINAL:
        reopen(run)
    else:
        on_cancel(run, ev.CancelAsked(at=event.at, by=event.by, failed_for=marked_as(event)))
    run.verdict = RunState(event.state)


def _may_be_marked(run: RunData, task: TaskRun, state: TaskState, over: bool) -> bool:
    """Not what stands for a step without task runs; nor what a flow that goes on has been told of already."""
    if task.dropped or not task.node.expanded or task.index == PLACEHOLDER or (task.final and task.state is state):
        return False
    return over or not (run.is_flow and task.final)


def _held_back(run: RunData, named: dict[TaskRun, None], state: TaskState, over: bool) -> dict[TaskRun, None]:
    """What runs (again) because of the marks: what they held back, with setups and teardowns around it; in a flow that
    is over its body, which finds them as they are marked."""
    body = run.body
    if body is not None:
        if not over or body in named:
            return {}
        for task in named:
            task.asked = body.tries + 1
        return {body: None}
    if state is TaskState.FAILED or run.stopping:
        return {}
    affected = below(place_of(task) for task in named if task.state not in ACTIVE)
    held = {
        other: None for other in affected.task_runs() if other not in named and other.final and _was_held_back(other)
    }
    if over:
        add_scopes(held)
        return {other: None for other in held if other not in named}
    return {other: None for other in held if not _is_torn_down(other)}


def _was_held_back(task: TaskRun) -> bool:
    return task.halted or task.state is TaskState.UPSTREAM_FAILED or task.state is TaskState.SKIPPED


def _is_torn_down(task: TaskRun) -> bool:
    """Whether what its setups made is being taken away already, or was."""
    if task.node.spec.is_teardown:
        return False
    teardowns = (teardown for setup in task.node.scope for teardown in teardowns_of(setup))
    return any(other.state is not TaskState.WAITING for teardown in teardowns for other in beside(task, teardown))


def refuse_mark(run_state: str, state: ev.Mark, tasks: Sequence[str] | None, run_id: int) -> None:
    """Raise RequestError for a mark that would change nothing."""
    if run_state == RunState.QUEUED:
        raise RequestError(f"run {run_id} has not begun", hint="stop it, and it will not: batuta runs cancel")
    if tasks is not None:
        if not tasks:
            raise RequestError("no task run is named", hint="name task runs or steps, or mark the run as a whole")
    elif state == "skipped":
        hint = "mark it as succeeded or failed, or name task runs"
        raise RequestError("a run as a whole is never skipped", hint=hint)
    elif run_state == state:
        raise RequestError(f"run {run_id} has {run_state} already")
