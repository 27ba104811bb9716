"""Taking over a run where its record ends: claimed, replayed, and what was in flight is known to be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batuta.core import events as ev
from batuta.core import plan as plans
from batuta.core.errors import InvariantError, RequestError
from batuta.core.plan import Plan
from batuta.core.states import RunState, TaskState
from batuta.engine.owners import is_dead, wait_until_gone
from batuta.store.rows import RunRow

if TYPE_CHECKING:
    from batuta.engine.active import ActiveRun
    from batuta.engine.engine import Engine


def claim(engine: Engine, run_id: int, *, lease_s: float, force: bool) -> RunRow:
    """Take the run's lease; that of an engine that is known to be dead need not run out first."""
    row = engine.store.run(run_id)
    if row is None:
        raise RequestError(f"there is no run {run_id}", hint="`batuta runs list` shows those there are")
    former = row.owner
    if former and former != engine.owner and is_dead(former):
        wait_until_gone(engine.home, former)
        force = True
    return engine.store.claim(run_id, engine.owner, lease_s, engine.store.lease_now(), force=force)


def plan_of(engine: Engine, row: RunRow) -> Plan:
    """The plan that the run is pinned to."""
    data = engine.store.plan(row.plan_hash)
    if data is None:
        raise InvariantError(f"the plan of run {row.id} is not in the store")
    return plans.decode(data)


def replay(engine: Engine, active: ActiveRun) -> None:
    """Bring a run that was just claimed to where its record ends."""
    for row in engine.store.events(active.id):
        active.replay(ev.decode(row.data), row.seq)
        if row.task is not None:
            active.written.add(row.task)
    active.run.changed.clear()
    if active.run.state is RunState.QUEUED:
        engine.record(active, ev.RunStarted(at=engine.now()))
        return
    for task in active.run.graph.runs:
        if task.state is TaskState.RUNNING:
            lost = ev.AttemptLost(
                at=engine.now(), task=task.no, attempt=task.attempt, reason="its engine ended", counted=False
            )
            engine.record(active, lost)
    active.commands[:] = [] if active.final else active.run.outstanding()
