"""What attempts, timers and people say about single task runs.

An event about another attempt than the current one, or about a task run that has ended, changes nothing: that is the
fence. Every dispatch, a resumption after a deferral too, has an attempt number of its own.
"""

from __future__ import annotations

from batuta.core import events as ev
from batuta.core.run_branch import carry_out, unknown_follow
from batuta.core.run_data import ACTIVE, RunData
from batuta.core.run_graph import TaskRun
from batuta.core.run_halt import stop_now
from batuta.core.states import TaskState
from batuta.core.triggers import describe
from batuta.core.values import ErrorInfo

LOST_MAX = 3
"""How often a task run may lose its worker (killed, out of memory) before that counts as its failure."""
CACHED = "as recorded before"
"""Why a task run succeeded that did nothing: its cache knew the result, or the inputs of its asset are as they were."""


def known(run: RunData, no: int) -> TaskRun | None:
    """The task run with this number, if there is one."""
    return run.graph.runs[no] if 0 <= no < len(run.graph.runs) else None


def current(run: RunData, no: int, attempt: int) -> TaskRun | None:
    """The task run, if that attempt is its current and unfinished one."""
    task = known(run, no)
    return task if task is not None and task.attempt == attempt and task.state in ACTIVE else None


def on_started(run: RunData, event: ev.AttemptStarted) -> None:
    task = current(run, event.task, event.attempt)
    if task is not None and task.state is TaskState.QUEUED:
        task.started_at = event.at
        run.set_state(task, TaskState.RUNNING)


def on_succeeded(run: RunData, event: ev.AttemptSucceeded) -> None:
    task = current(run, event.task, event.attempt)
    if task is None:
        return
    task.started_at = event.started_at or task.started_at
    wrong = unknown_follow(run, task, event.follow) if event.follow else None
    if wrong is not None:
        _fail(run, task, wrong, retryable=False)
        return
    task.output = event.output
    task.error = None
    run.end(task, TaskState.SUCCEEDED, CACHED if event.cached else "")
    if task.state is not TaskState.SUCCEEDED:  # it was marked otherwise
        _body_ended(run, task)
        return
    if event.cut or event.follow is not None:
        task.cut = event.cut
        task.follow = event.follow
        carry_out(run, task)


def on_failed(run: RunData, event: ev.AttemptFailed) -> None:
    task = current(run, event.task, event.attempt)
    if task is not None:
        task.started_at = event.started_at or task.started_at
        _fail(run, task, event.error, event.retryable)


def _fail(run: RunData, task: TaskRun, error: ErrorInfo, retryable: bool) -> None:
    task.failures += 1
    task.error = error
    task.output = None
    task.fired = None
    task.reason = ""
    spec = task.node.spec
    if retryable and task.failures < spec.retry.attempts_max and task.stop is None:
        delay = spec.retry.delay(task.failures, _mix(run.seed, task.no, task.failures))
        if delay > 0:
            run.wait_until(task, TaskState.RETRYING, run.at + delay)
        else:
            run.dispatch(task)
        return
    run.end(task, TaskState.FAILED)
    if task.state is TaskState.FAILED:
        fail_fast(run, task)
    _body_ended(run, task)


def fail_fast(run: RunData, task: TaskRun) -> None:
    """A task run has failed: stop the run, if it is one that fails fast."""
    spec = task.node.spec
    if run.plan.fail_fast and spec.fails_run and not spec.is_teardown and not run.stopping:
        run.failed_fast = True
        stop_now(run, TaskState.SKIPPED, f"{task.key} failed, and the run is to fail fast")


def _mix(seed: int, no: int, failures: int) -> int:
    return (seed * 1_000_003 + no) * 1_000_003 + failures


def on_skipped(run: RunData, event: ev.AttemptSkipped) -> None:
    task = current(run, event.task, event.attempt)
    if task is not None:
        task.started_at = event.started_at or task.started_at
        task.error = None
        run.end(task, TaskState.SKIPPED, event.reason)
        _body_ended(run, task)


def on_deferred(run: RunData, event: ev.AttemptDeferred) -> None:
    task = current(run, event.task, event.attempt)
    if task is None:
        return
    if task.stop is not None:
        _cancel(run, task, "")
        return
    task.output = event.state
    task.fired = None
    task.wait = event.wait
    if event.wait is not None:
        task.reason = describe(event.wait.trigger)
    run.wait_until(task, TaskState.DEFERRED, event.until)


def on_cancelled(run: RunData, event: ev.AttemptCancelled) -> None:
    task = current(run, event.task, event.attempt)
    if task is not None:
        task.started_at = event.started_at or task.started_at
        _cancel(run, task, "")


def _cancel(run: RunData, task: TaskRun, reason: str) -> None:
    if task.stop is not None:
        task.halted = True
        reason = reason or run.halt_reason
    run.end(task, TaskState.CANCELLED, reason)
    _body_ended(run, task)


def on_lost(run: RunData, event: ev.AttemptLost) -> None:
    task = current(run, event.task, event.attempt)
    if task is None:
        return
    if task.stop is not None:
        _cancel(run, task, event.reason)
        return
    task.losses += event.counted
    if task.losses > LOST_MAX:
        hint = "out of memory is the usual cause: give it less data at a time, or its machine more memory"
        message = f"its process was lost {task.losses} times: {event.reason}"
        error = ErrorInfo(kind="killed", type="WorkerLost", message=message, hint=hint)
        _fail(run, task, error, retryable=False)
        return
    run.dispatch(task, anew=False)


def on_timer(run: RunData, event: ev.TimerFired) -> None:
    task = known(run, event.task)
    if task is None or task.attempt != event.attempt:
        return
    if task.state is not TaskState.RETRYING and task.state is not TaskState.DEFERRED:
        return
    if task.wait is not None and not task.until:
        return
    if event.at < task.until:  # a clock that was put back
        run.commands.append(ev.SetTimer(task.no, task.attempt, task.until))
        return
    run.dispatch(task, anew=task.state is TaskState.RETRYING)


def on_trigger(run: RunData, event: ev.TriggerFired) -> None:
    task = known(run, event.task)
    if task is None or task.attempt != event.attempt or task.state is not TaskState.DEFERRED or task.wait is None:
        return
    wait, task.wait = task.wait, None
    if event.error is not None:
        _fail(run, task, event.error, retryable=True)
    elif wait.finishes:
        task.output = event.value
        task.error = None
        run.end(task, TaskState.SUCCEEDED)
    else:
        task.fired = event.value
        run.dispatch(task, anew=False)


def on_input(run: RunData, event: ev.InputGiven) -> None:
    task = known(run, event.task)
    if task is not None and task.state is TaskState.PAUSED:
        task.output = event.value
        run.end(task, TaskState.SUCCEEDED)


def _body_ended(run: RunData, task: TaskRun) -> None:
    """A flow whose function did not succeed takes its open task runs with it."""
    if run.is_flow and task.no == 0 and not run.stopping:
        stop_now(run, TaskState.CANCELLED, f"the flow was {task.state}" if task.error is None else "the flow failed")
