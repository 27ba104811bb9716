"""The runs that an engine executes: how they come to it, what people want of them, and how they leave it.

All in the engine's thread. A run is here exactly as long as the engine holds its lease, as far as it knows; whatever
is heard of a run that is not here any more changes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from batuta.core import events as ev
from batuta.core import plan as plans
from batuta.core.errors import BatutaError, RequestError
from batuta.core.plan import Plan
from batuta.core.run import Run
from batuta.core.run_rules import overdue_at
from batuta.core.states import RUN_FINAL, RunState, TaskState
from batuta.core.trace_ids import trace_id
from batuta.core.values import Handle
from batuta.engine import resuming
from batuta.engine.active import ActiveRun, Assigned, BodyHost
from batuta.runtime.protocol import RunInfo
from batuta.store.errors import StoreFull, StoreUnavailable
from batuta.store.rows import NewRun, RunRow

if TYPE_CHECKING:
    from batuta.engine.engine import Engine

LEASE_S = 10.0


class Runs:
    """See the module. `traced`: whether steps are told their place in a trace."""

    def __init__(self, engine: Engine, traced: bool) -> None:
        self.by_id: dict[int, ActiveRun] = {}
        self._engine = engine
        self._traced = traced

    # ---- they come ----

    def start(
        self,
        new: NewRun,
        plan: Plan,
        executor: Assigned,
        *,
        body_host: BodyHost | None,
        waiter: Callable[[RunState], None] | None,
        listener: Any,
        params: dict[str, Any] | None,
    ) -> ActiveRun:
        """Create a run and begin it."""
        engine = self._engine
        new.created_at = new.created_at or engine.now()
        if new.logical_at is None:
            new.logical_at = new.created_at
        data = plans.encode(plan)
        new.plan_hash = plans.content_hash(data)
        row = engine.store.create_run(new, data, owner=engine.owner, lease_s=LEASE_S, now=engine.store.lease_now())
        active = self._take_up(row, plan, executor, body_host, listener, params)
        if waiter is not None:
            active.waiters.append(waiter)
        engine.record(active, ev.RunStarted(at=engine.now()))
        return active

    def resume(
        self,
        run_id: int,
        executor: Assigned,
        *,
        force: bool,
        waiter: Callable[[RunState], None] | None,
        body_host: BodyHost | None,
        listener: Any,
        first: Callable[[ActiveRun], list[ev.Event]] | None,
    ) -> ActiveRun:
        """Claim a run and go on with it. Raises RequestError where it is executed already."""
        if run_id in self.by_id:
            raise RequestError(f"run {run_id} is being executed by this process already")
        engine = self._engine
        row = resuming.claim(engine, run_id, lease_s=LEASE_S, force=force)
        active = self._take_up(row, resuming.plan_of(engine, row), executor, body_host, listener, None)
        if waiter is not None:
            active.waiters.append(waiter)
        resuming.replay(engine, active)
        self._go_on(active, first(active) if first else ())
        return active

    def adopt(self, claimed: Sequence[tuple[RunRow, Plan, Assigned]], then: Sequence[ev.Event]) -> None:
        """Begin or go on with runs that are claimed already."""
        for row, plan, executor in claimed:
            if row.id in self.by_id:
                continue
            active = self._take_up(row, plan, executor, None, None, None)
            if row.seq:
                resuming.replay(self._engine, active)
            else:
                self._engine.record(active, ev.RunStarted(at=self._engine.now()))
            self._go_on(active, then)

    def _go_on(self, active: ActiveRun, events: Sequence[ev.Event]) -> None:
        for event in events:
            self._engine.record(active, event)
        if active.final:
            active.commands.append(ev.Finish(active.run.state))

    def _take_up(
        self,
        row: RunRow,
        plan: Plan,
        executor: Assigned,
        body_host: BodyHost | None,
        listener: Any,
        params: dict[str, Any] | None,
    ) -> ActiveRun:
        engine = self._engine
        info = RunInfo(
            run_id=row.id,
            job=row.job,
            kind=row.kind,
            params=row.params if params is None else params,
            logical_at=row.logical_at,
            interval_start=row.interval_start,
            interval_end=row.interval_end,
            partition=row.partition,
            tags=row.tags,
            results_path=f"{engine.home}/results",
            logs_path=f"{engine.home}/logs",
            trigger=row.trigger,
            config=row.config,
            trace=trace_id(engine.store.identity(), row.id) if self._traced else "",
        )
        names = {"": executor} if isinstance(executor, str) else executor
        others = {location: (name, engine.executors[name]) for location, name in names.items() if location}
        active = ActiveRun(row, plan, Run(plan, row.seed), info, engine.executors[names[""]], names[""], others)
        active.body_host = body_host
        active.listener = listener
        self.by_id[row.id] = active
        engine.journal.touch(active)
        self._watch_deadline(active)
        return active

    def _watch_deadline(self, active: ActiveRun) -> None:
        """Stop the run when it has taken too long. One that a person restarts has its time anew, and no deadline."""
        row, now = active.row, self._engine.now()
        again = RunState(row.state) in RUN_FINAL
        started_at = now if again else row.started_at or now
        at, why = overdue_at(started_at, row.config.get("timeout_s"), None if again else row.deadline_at)
        if at is None:
            return

        def stop() -> None:
            if self.by_id.get(row.id) is active and active.run.state is not RunState.CANCELLING and not active.final:
                self._ask_to_stop(active, failed_for=why)

        active.unwatch = self._engine.call_at(at, stop)

    # ---- people want something of them ----

    def cancel(self, run_id: int, by: str, hard: bool) -> None:
        """Ask a run to stop. Raises RequestError."""
        active = self.by_id.get(run_id)
        if active is None:
            raise RequestError(f"run {run_id} is not being executed by this process")
        self._ask_to_stop(active, by=by, hard=hard)

    def _ask_to_stop(self, active: ActiveRun, *, by: str = "", hard: bool = False, failed_for: str = "") -> None:
        engine = self._engine
        engine.acting.reveal(active)
        engine.record(active, ev.CancelAsked(at=engine.now(), by=by, hard=hard, failed_for=failed_for))

    def mark(self, run_id: int, state: ev.Mark, tasks: Sequence[str] | None, by: str, note: str) -> None:
        """Record how a person says that task runs, or the run, have ended. Raises RequestError."""
        active = self.by_id.get(run_id)
        if active is None:
            raise RequestError(f"run {run_id} is not being executed by this process")
        chosen = None if tasks is None else active.numbers_of(tasks)
        engine = self._engine
        engine.acting.reveal(active)
        engine.record(active, ev.MarkAsked(at=engine.now(), state=state, by=by, tasks=chosen, note=note))

    def give_input(self, run_id: int, key: str, value: Handle, by: str) -> None:
        """Answer a paused task run. Raises RequestError."""
        active = self.by_id[run_id]
        task = active.run.find(key)
        if task is None or task.state is not TaskState.PAUSED:
            raise RequestError(f"task run {key!r} of run {run_id} does not wait for an answer")
        self._engine.record(active, ev.InputGiven(at=self._engine.now(), task=task.no, value=value, by=by))

    # ---- they leave ----

    def finished(self, active: ActiveRun) -> None:
        """A run's last event is recorded."""
        engine = self._engine
        self.by_id.pop(active.id, None)
        if active.unwatch is not None:
            active.unwatch()
        engine.waits.forget(active.id)
        engine.waits.run_ended(active.id, str(active.run.state))
        engine.children.finished(active)
        if active.body_host is not None:
            active.body_host.finished()
        for waiter in active.waiters:
            waiter(active.run.state)
        for executor in engine.executors.values():
            executor.forget(active.id)

    def drop(self, run_id: int) -> None:
        """Another engine has taken the run over: stop what runs of it and forget it. A body elsewhere is told."""
        active = self.by_id.pop(run_id, None)
        if active is None:
            return
        if active.unwatch is not None:
            active.unwatch()
        self._engine.journal.forget(run_id)
        self._engine.waits.forget(run_id)
        self._engine.acting.abandon(active)
        if active.body_host is not None:
            self._engine.calls.taken(active)
            active.body_host.finished()
        for waiter in active.waiters:
            waiter(active.run.state)

    def renew(self) -> None:
        """Prolong leases. Where the store is away, others may take the runs over: that is heard when it is back."""
        if not self.by_id:
            return
        store = self._engine.store
        with contextlib.suppress(StoreUnavailable, StoreFull):
            for run_id in store.renew(self._engine.owner, list(self.by_id), LEASE_S, store.lease_now()):
                self.drop(run_id)

    def release(self) -> None:
        """Give the leases back: the engine ends."""
        with contextlib.suppress(BatutaError):  # the leases run out by themselves
            self._engine.store.release(self._engine.owner, list(self.by_id))

    def abandon(self) -> None:
        """The engine has failed: whoever waits for a run waits no longer."""
        for active in list(self.by_id.values()):
            for waiter in active.waiters:
                waiter(RunState.FAILED)
            if active.body_host is not None:
                active.body_host.finished()
