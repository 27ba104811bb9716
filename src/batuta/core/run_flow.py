"""Task runs that a flow asks for while it runs, and asks for again when it is run again.

What it asks for again within the same try (its worker was lost) keeps its recorded end, failures too, so that the body
takes the same way again. In a new try (a retry, a restart) what had not succeeded runs anew.
"""

from __future__ import annotations

import msgspec

from batuta.core import events as ev
from batuta.core.plan import Edge, StepSpec
from batuta.core.run_attempts import known
from batuta.core.run_data import ACTIVE, RunData
from batuta.core.run_graph import TaskRun
from batuta.core.run_halt import ask_to_stop
from batuta.core.run_readiness import evaluate, open_node
from batuta.core.run_restart import rewind, start
from batuta.core.states import RUN_FINAL, RunState, TaskState
from batuta.core.values import ErrorInfo


def on_requested(run: RunData, event: ev.TasksRequested) -> None:
    if run.state in RUN_FINAL or run.state is RunState.QUEUED:
        return
    asker = _asker(run, event.asker, event.attempt)
    if asker is None:
        return
    _ask_again(run, [call for call in event.calls if call.key in run.graph.by_key], asker)
    for call in event.calls:
        if call.key not in run.graph.by_key:
            _add(run, event.spec, call, asker)


def _ask_again(run: RunData, calls: list[ev.Call], asker: TaskRun) -> None:
    again = []
    for call in calls:
        node = run.graph.by_key[call.key]
        task = node.runs[0]
        if task.asked == asker.tries or len(call.upstream) > len(node.spec.upstream):  # (it waited for what is unknown)
            continue
        task.asked = asker.tries
        task.fingerprint = call.fingerprint
        if task.final and task.state is not TaskState.SUCCEEDED and not run.stopping:
            again.append(task)
    start(run, rewind(run, again))


def _asker(run: RunData, no: int, attempt: int) -> TaskRun | None:
    """The task run that asks, or None where it is not that attempt which is going on."""
    asker = known(run, no)
    if asker is None or asker.state not in ACTIVE or (attempt and attempt != asker.attempt):
        return None
    return asker


def _add(run: RunData, template: StepSpec, call: ev.Call, asker: TaskRun) -> None:
    graph = run.graph
    unknown = [key for key in call.upstream if key not in graph.by_key]
    edges = tuple(Edge(key) for key in call.upstream if key not in unknown)
    node = graph.add(msgspec.structs.replace(template, key=call.key, upstream=edges, expansion=None))
    run.open_nodes += 1
    graph.wire(node)
    open_node(run, node)
    task = node.runs[0]
    task.fingerprint = call.fingerprint
    task.asked = asker.tries
    if run.stopping:
        run.end_halted(task)
    elif unknown:
        task.error = _unknown_upstream(call.key, unknown[0])
        run.end(task, TaskState.FAILED)
    else:
        evaluate(run, node)


def _unknown_upstream(key: str, upstream: str) -> ErrorInfo:
    return ErrorInfo(
        type="UnknownUpstream",
        message=f"call {key!r} waits for {upstream!r}, which this flow has not called",
        hint="futures of another flow cannot be waited for: pass their results",
    )


def on_dropped(run: RunData, event: ev.TasksDropped) -> None:
    asker = known(run, event.asker)
    if asker is None or (event.attempt and event.attempt != asker.attempt):
        return
    for no in event.tasks:
        task = known(run, no)
        if task is None or task.final:
            continue
        task.asked = 0  # if it is asked for after all, it runs
        if task.state is TaskState.RUNNING:
            ask_to_stop(run, task, hard=False)
        else:
            run.end(task, TaskState.CANCELLED, "the flow did not ask for it again")
