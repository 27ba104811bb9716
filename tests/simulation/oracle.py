"""What must be true after every step of a simulated world: the promises of the design, and the reference's opinion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from batuta.core import events as ev
from batuta.core.plan import MapExpansion, Plan
from batuta.core.run import Run
from batuta.core.run_graph import StepNode, TaskRun
from batuta.core.states import TaskState
from batuta.core.trigger_rules import TriggerRule
from tests.simulation.reference import Reference
from tests.simulation.reference_state import Wish

_TASK_FIELDS = [name for name in TaskRun.__slots__ if name not in ("node", "own")]
_NODE_FIELDS = [
    name for name in StepNode.__slots__ if "downs" not in name and name not in ("runs", "scope", "spare", "spec")
]
_RUN_FIELDS = (
    "state",
    "verdict",
    "stopping",
    "failed_fast",
    "halt_state",
    "halt_reason",
    "halt_wanted",
    "cancelled_by",
    "paused",
)


def dump(run: Run) -> dict[str, Any]:
    """Every field of a run that decides about its future."""
    fields: dict[str, Any] = {name: getattr(run, name) for name in (*_RUN_FIELDS, "open_nodes")}
    for task in run.graph.runs:
        values = [getattr(task, name) for name in _TASK_FIELDS]
        fields[f"task {task.no}"] = (task.node.spec.key, repr(task.own), values)
    for node in run.graph.nodes:
        values = [repr(getattr(node, name)) for name in _NODE_FIELDS]
        numbers = [task.no for task in node.runs], [task.no for task in node.spare]
        fields[f"node {node.spec.key}"] = (values, numbers)
    return fields


def same_after_replay(plan: Plan, seed: int, log: Sequence[ev.Event], run: Run) -> None:
    """A fold over the recorded events gives the live state, field by field; they survive being written and read."""
    replayed = Run(plan, seed)
    for event in log:
        replayed.advance(ev.decode(ev.encode(event)))
    expected, found = dump(run), dump(replayed)
    differing = {name: (expected.get(name), found.get(name)) for name in expected if expected[name] != found.get(name)}
    assert found == expected, f"replay gives another state: {differing}"
    assert replayed.outstanding() == run.outstanding(), "replay wishes something else"


def adopt_times(run: Run, reference: Reference) -> None:
    """The reference does not draw jitter; it takes times that are within the policy's bounds."""
    for key, slots in reference.slots.items():
        node = run.graph.by_key[key]
        for one, task in zip(slots, [*node.runs, *node.spare], strict=True):
            if one.state is TaskState.RETRYING and one.until == -1.0:
                retry = node.spec.retry
                delay = retry.delay_s
                if retry.backoff == "exponential":
                    delay = min(delay * retry.factor ** (task.failures - 1), retry.delay_max_s)
                spread = delay * retry.jitter + 1e-6
                assert -spread <= task.until - reference.at - delay <= spread, f"{task!r} waits until {task.until}"
                one.until = task.until


def same_as_reference(
    run: Run, reference: Reference, commands: Sequence[ev.Command], wishes: Sequence[Wish | ev.Finish]
) -> None:
    """Every task run is in the state that the reference has, and the same is wished."""
    adopt_times(run, reference)
    assert run.state is reference.state, f"the run is {run.state}, should be {reference.state}"
    assert list(run.graph.by_key) == list(reference.steps), "there are other steps"
    for key, slots in reference.slots.items():
        node = run.graph.by_key[key]
        tasks = [*node.runs, *node.spare]
        assert len(tasks) == len(slots), f"{key} has {len(tasks)} task runs, should have {len(slots)}"
        width = len(node.runs) if node.expanded else None
        assert width == reference.width[key], f"{key} has width {width}, should have {reference.width[key]}"
        for one, task in zip(slots, tasks, strict=True):
            marks = None if task.mark is None else task.mark[0]
            found = (task.state, task.attempt, task.tries, task.failures, task.losses, task.stop, task.output, marks)
            wanted = (one.state, one.attempt, one.tries, one.failures, one.losses, one.stop, one.output, one.mark)
            waits = (task.wait, task.fired), (one.wait, one.fired)
            assert found == wanted, f"{task!r} is {found}, should be {wanted}"
            assert waits[0] == waits[1], f"{task!r} waits for and has seen {waits[0]}, should be {waits[1]}"
    assert Counter(_wish(run, command) for command in commands) == Counter(wishes), (
        f"wished {commands}, should be {wishes}"
    )


def _wish(run: Run, command: ev.Command) -> Wish | ev.Finish:
    if isinstance(command, ev.Finish):
        return command
    task = run.task(command.task)
    node = task.node
    at = node.spec.key, [*node.runs, *node.spare].index(task)
    if isinstance(command, ev.Dispatch):
        return Wish("dispatch", at, command.attempt)
    if isinstance(command, ev.SetTimer):
        assert command.at == task.until
        return Wish("timer", at, command.attempt)
    if isinstance(command, ev.Watch):
        assert command.wait is task.wait
        return Wish("watch", at, command.attempt)
    return Wish("hard stop" if command.hard else "stop", at, command.attempt)


class Ledger:
    """The promises about successes, kept by what was heard and not by what the state machine says about itself."""

    def __init__(self) -> None:
        self.succeeded: set[int] = set()
        self.dispatched: dict[int, int] = {}
        self.marked: set[int] = set()  # as succeeded, by a person
        self.touched: set[int] = set()  # marked in any way: what is below may have begun before that

    def take(self, run: Run, reference: Reference, event: ev.Event, commands: Sequence[ev.Command]) -> None:
        """Hear an event and what it caused."""
        if (
            isinstance(event, ev.AttemptSucceeded | ev.TriggerFired)
            and self.dispatched.get(event.task) == event.attempt
        ):
            if run.task(event.task).state is TaskState.SUCCEEDED:
                self.succeeded.add(event.task)
                del self.dispatched[event.task]
        elif isinstance(event, ev.InputGiven) and event.task < len(run.graph.runs):
            if run.task(event.task).state is TaskState.SUCCEEDED:
                self.succeeded.add(event.task)
        elif isinstance(event, ev.RestartAsked):
            self._restart(run, reference, event)
        elif isinstance(event, ev.MarkAsked):
            self._mark(run, reference, event)
        for no in list(self.marked):
            if run.task(no).state is TaskState.SUCCEEDED:
                self.marked.discard(no)
                self.succeeded.add(no)
        for command in commands:
            if isinstance(command, ev.Dispatch):
                self._dispatch(run, run.task(command.task), command.attempt)
        for no in self.succeeded:
            assert run.task(no).state is TaskState.SUCCEEDED, f"the success of {run.task(no)!r} is lost"

    def _restart(self, run: Run, reference: Reference, event: ev.RestartAsked) -> None:
        """What a person names runs again, and around it setups and teardowns; else only the body of a flow."""
        named = event.tasks is not None
        for no in list(self.succeeded):
            task = run.task(no)
            spec = task.node.spec
            if task.state is TaskState.SUCCEEDED:
                continue
            at = (spec.key, [*task.node.runs, *task.node.spare].index(task))
            allowed = spec.is_setup or spec.is_teardown or spec.kind == "flow" or (named and at in reference.again)
            assert allowed or task.dropped, f"{task!r} had succeeded, and nobody named it"
            self.succeeded.discard(no)

    def _mark(self, run: Run, reference: Reference, event: ev.MarkAsked) -> None:
        """What a person marks has that end; around what goes on, setups and teardowns run again, and a flow's body."""
        named = set(event.tasks or ())
        self.touched |= named
        for no in list(self.succeeded):
            task, spec = run.task(no), run.task(no).node.spec
            if task.state is not TaskState.SUCCEEDED:
                allowed = no in named or spec.is_setup or spec.is_teardown or spec.kind == "flow"
                assert allowed or task.dropped, f"{task!r} had succeeded, and nobody marked it"
                self.succeeded.discard(no)
        if event.state == "succeeded":
            self.marked |= {no for no in named if no < len(run.graph.runs)}
        self.marked -= named if event.state != "succeeded" else set()

    def _dispatch(self, run: Run, task: TaskRun, attempt: int) -> None:
        assert task.no not in self.succeeded, f"{task!r} had succeeded, and is dispatched again"
        assert attempt > self.dispatched.get(task.no, 0), f"attempt {attempt} of {task!r} is not a new one"
        self.dispatched[task.no] = attempt
        spec = task.node.spec
        if spec.trigger_rule is not TriggerRule.ALL_SUCCESS:
            return
        for edge in spec.upstream:
            up = run.graph.by_key[edge.step]
            ups = up.runs if edge.mapping == "every" else run.graph.upstream_runs(task, edge)
            for above in ups:
                assert above is not None, f"{task!r} is dispatched before {edge.step} has task runs"
                good = above.no in self.succeeded or (above.no in self.touched and attempt > 1)
                assert good, f"{task!r} is dispatched before {above!r} succeeded"
        if isinstance(spec.expansion, MapExpansion):
            for item in run.graph.map_items(task):
                good = item.task is None or item.task.no in self.succeeded or item.task.no in self.touched
                assert good, f"{task!r} has nothing to map over"
