"""Carrying out what the state machines want: attempts dispatched within pools and limits, timers set, attempts stopped.

An attempt is in flight from being sent to an executor until its `StepDone`; whatever comes after that is too late.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batuta.core import events as ev
from batuta.core.admission import Admission, Entry
from batuta.core.plan import StepSpec
from batuta.core.run_graph import TaskRun
from batuta.core.states import TaskState
from batuta.core.tallies import SHORT_S, Histogram
from batuta.engine.active import ActiveRun
from batuta.engine.inputs import add_items, inputs_of
from batuta.engine.shared_pools import RETRY_S, SharedPools
from batuta.executors.port import Executor
from batuta.runtime.protocol import StepRequest

if TYPE_CHECKING:
    from batuta.engine.engine import Engine

REVEAL_S = 0.1
"""How long an attempt runs before its start is recorded of its own; quicker ones are known by their end alone."""


@dataclass(slots=True)
class InFlight:
    """An attempt that an executor has."""

    active: ActiveRun
    task: int
    attempt: int
    entry: Entry
    executor: Executor
    revealed: bool = False


class Acting:
    """See the module. All in the engine's thread."""

    def __init__(self, engine: Engine, pools: dict[str, int] | None) -> None:
        self._engine = engine
        self.waits_s = Histogram(SHORT_S)
        """How long attempts that were ready waited to be sent to an executor."""
        self._admission = Admission(pools)
        self._pools = dict(pools or {})
        self._widening = False
        self.shared: SharedPools | None = None
        """Where other engines take slots of the same pools."""
        self._in_flight: dict[int, InFlight] = {}
        self._request_ids = 0
        self.draining = False
        """Nothing is dispatched any more: the engine is about to stop."""

    # ---- commands ----

    def carry_out(self, active: ActiveRun) -> None:
        """Do what the run's state machine has asked for since the last time."""
        commands, active.commands = active.commands, []
        for command in commands:
            match command:
                case ev.Dispatch():
                    self._ready(active, command)
                case ev.SetTimer():
                    self._engine.call_at(command.at, self._timer(active, command))
                case ev.Watch():
                    self._engine.waits.watch(active, command)
                case ev.Stop():
                    self._stop(active, command)
                case ev.Finish():
                    self._engine.runs.finished(active)

    def _ready(self, active: ActiveRun, command: ev.Dispatch) -> None:
        task = active.run.task(command.task)
        spec = task.node.spec
        if spec.kind == "subflow":
            return
        if active.body_host is not None and task.no == 0:
            active.body_host.ready(command.attempt)
            return
        if active.is_flow and spec.kind == "task" and task.no not in active.calls:
            body = active.run.body
            if body is not None and body.final:  # nobody is left to say again what it was called with
                self._engine.record(active, ev.TasksDropped(at=self._engine.now(), tasks=(task.no,)))
            else:
                active.held[task.no] = command.attempt
            return
        limits: list[tuple[str, int, int | None]] = [(pool, slots, None) for pool, slots in spec.pools]
        if spec.instances_max is not None:
            limits.append((f"{active.id}/{spec.task if active.is_flow else spec.key}", 1, spec.instances_max))
        if active.plan.parallelism_max is not None:
            limits.append((f"{active.id}/", 1, active.plan.parallelism_max))
        priority = spec.priority + active.row.priority
        lane = f"{active.executor_of(spec)[0]}/{room_of(spec)}"
        ready_at = time.monotonic()
        self._admission.add(
            Entry(active.id, task.no, command.attempt, priority, tuple(limits), lane, ready_at=ready_at)
        )

    def _timer(self, active: ActiveRun, command: ev.SetTimer) -> Callable[[], None]:
        engine = self._engine

        def fire() -> None:
            if engine.run_of(active.id) is active:
                engine.record(active, ev.TimerFired(at=engine.now(), task=command.task, attempt=command.attempt))

        return fire

    def _stop(self, active: ActiveRun, command: ev.Stop) -> None:
        """End an attempt; one that was never sent has ended by that. That of a nested flow ends with its run."""
        request_id = active.requests.get(command.task)
        if request_id is not None:
            self._in_flight[request_id].executor.cancel(request_id, command.hard)
        elif active.body_host is not None and command.task == 0:
            if isinstance(active.listener, tuple):  # nested in a body that an executor runs
                executor, asked_by = active.listener
                executor.cancel(asked_by, hard=False, run_id=active.id)
            return  # a script's hears of the stop by the end of the task runs that it waits for
        elif active.run.task(command.task).node.spec.kind != "subflow" or self._engine.children.stop(
            active, command.task
        ):
            active.held.pop(command.task, None)
            cancelled = ev.AttemptCancelled(at=self._engine.now(), task=command.task, attempt=command.attempt)
            self._engine.record(active, cancelled)

    # ---- attempts ----

    @property
    def busy(self) -> bool:
        """Whether any attempt is in flight."""
        return bool(self._in_flight)

    @property
    def working(self) -> bool:
        """Whether an attempt in flight is worth waiting for: bodies of flows that wait for what is not sent are not."""
        return any(not self._only_waits(flight) for flight in self._in_flight.values())

    def _only_waits(self, flight: InFlight) -> bool:
        runs = flight.active.run.graph.runs
        return flight.active.is_flow and flight.task == 0 and any(not run.final for run in runs[1:])

    def used(self) -> dict[str, int]:
        """Slots in use by pool (and by limits of runs)."""
        return self._admission.used()

    def dispatch(self) -> None:
        """Send what has become ready and may start now."""
        if self.draining:
            return
        if self.shared is not None:
            self.shared.flush()
        for entry in self._admission.take(self._has_room):
            active = self._engine.run_of(entry.run_id)
            task = active.run.task(entry.task) if active else None
            if active is None or task is None or task.attempt != entry.attempt or task.state is not TaskState.QUEUED:
                self._admission.release(entry)
                continue
            if self.shared is not None and not self.shared.take(entry):
                self._wait_for_pool(entry)
                continue
            self._request_ids += 1
            request = self._request(active, task, self._request_ids)
            active.requests[task.no] = request.id
            _, executor = active.executor_of(task.node.spec)
            self._in_flight[request.id] = InFlight(active, task.no, task.attempt, entry, executor)
            executor.send(active.info, request)
            self.waits_s.add(time.monotonic() - entry.ready_at)
        for executor in self._engine.executors.values():
            executor.flush()

    def _wait_for_pool(self, entry: Entry) -> None:
        """Other engines have filled one of its pools: ask again when there may be room."""
        self._admission.release(entry)
        self._admission.narrow(entry)
        self._admission.add(entry)
        if not self._widening:
            self._widening = True
            self._engine.call_at(time.time() + RETRY_S, self.widen)

    def widen(self) -> None:
        """Look again at what waits for pools."""
        self._widening = False
        self._admission.set_pools(self._pools)
        self.dispatch()

    def set_pools(self, pools: dict[str, int]) -> None:
        """The pools have other slots from now on."""
        self._pools = pools
        if self.shared is not None:
            self.shared.limits = pools
        self.widen()

    @property
    def slots_used(self) -> dict[str, int]:
        """Slots in use by pool, of this engine."""
        return {name: used for name, used in self._admission.used().items() if "/" not in name}

    def _has_room(self, entry: Entry) -> bool:
        active = self._engine.run_of(entry.run_id)
        if active is None:
            entry.gone = True
            return True
        spec = active.run.task(entry.task).node.spec
        return active.executor_of(spec)[1].has_room(room_of(spec), spec.task)

    def _request(self, active: ActiveRun, task: TaskRun, request_id: int) -> StepRequest:
        spec = task.node.spec
        call = active.calls.get(task.no)
        inputs = inputs_of(active.run, task)
        return StepRequest(
            id=request_id,
            run_id=active.id,
            step=spec.key,
            task=task.no,
            attempt=task.attempt,
            index=max(task.index, -1),
            label=task.label,
            kind=spec.kind,
            inputs=inputs,
            code=call.code if call else "",
            args=call.args if call else None,
            state=task.output,
            fired=task.fired,
            timeout_s=spec.timeout_s,
            failures=task.failures,
            tries=task.tries,
            items=add_items(active.run, task, inputs),
            isolated=spec.isolated,
            hands_over=bool(active.others) and any(down.spec.location != spec.location for down in task.node.downs()),
            fresh=spec.kind == "flow" and active.fresh,
        )

    def begun(self, active: ActiveRun, task: TaskRun, request: StepRequest, executor: Executor) -> bool:
        """An executor runs an attempt already that has just become ready. False where that is not what is wanted."""
        wanted = ev.Dispatch(task.no, task.attempt)
        if (task.no, task.attempt) != (request.task, request.attempt) or wanted not in active.commands:
            return False
        active.commands.remove(wanted)
        active.requests[task.no] = request.id
        entry = Entry(active.id, task.no, task.attempt)
        self._in_flight[request.id] = InFlight(active, task.no, task.attempt, entry, executor)
        return True

    def flight(self, request_id: int) -> InFlight | None:
        """The attempt with that request."""
        return self._in_flight.get(request_id)

    def landed(self, request_id: int) -> InFlight | None:
        """The executor has told of its end; None if it was too late."""
        flight = self._in_flight.pop(request_id, None)
        if flight is None:
            return None
        self._free(flight)
        active = flight.active
        if active.requests.get(flight.task) == request_id:
            del active.requests[flight.task]
        return flight

    def again(self, flight: InFlight) -> None:
        """It was given back unbegun: back into the queue, as the same attempt."""
        flight.entry.gone = False
        self._admission.add(flight.entry)

    def abandon(self, active: ActiveRun) -> None:
        """End all attempts of a run that is not ours any more; nothing is heard of them."""
        for request_id in list(active.requests.values()):
            flight = self._in_flight.pop(request_id, None)
            if flight is not None:
                flight.executor.cancel(request_id, hard=True)
                self._free(flight)

    def _free(self, flight: InFlight) -> None:
        self._admission.release(flight.entry)
        if self.shared is not None:
            self.shared.release(flight.entry)

    def reveal(self, only: ActiveRun | None = None) -> None:
        """Record the start of attempts that have been running for a while, or of all that run of one run."""
        horizon = time.time() - (0.0 if only else REVEAL_S)
        for executor in self._engine.executors.values():
            for request_id, since, worker in executor.running():
                flight = self._in_flight.get(request_id)
                if flight is None or flight.revealed or since > horizon or (only and flight.active is not only):
                    continue
                flight.revealed = True
                event = ev.AttemptStarted(at=since, task=flight.task, attempt=flight.attempt, worker=worker)
                self._engine.record(flight.active, event)


def room_of(spec: StepSpec) -> str:
    """Which room a step needs, see `Executor.has_room`: steps of different kinds never wait for each other's."""
    if spec.kind == "flow":
        return "flow"
    return "isolated" if spec.isolated else "step"
