"""The duty that takes over runs whose scheduler is gone: its lease has run out, or its process is known to be dead.

Only runs of the service are: those that a person started with `batuta run`, in a process of their own, go on when that
person says so (`batuta runs resume`).
"""

from __future__ import annotations

import contextlib

from batuta.core.errors import RequestError
from batuta.core.states import RUN_FINAL, RunState
from batuta.engine.children import NESTED
from batuta.engine.engine import Engine
from batuta.engine.owners import is_dead, wait_until_gone
from batuta.engine.runs import LEASE_S
from batuta.scheduler.locations import Locations
from batuta.scheduler.queueing import Plans
from batuta.store.rows import Leader, OpenRow, RunRow
from batuta.store.store import Store

LOOK_S = LEASE_S / 3


class AdoptionDuty:
    """See the module."""

    name = "adoption"
    leads = False

    def __init__(self, store: Store, engine: Engine, locations: Locations, known: Plans, home: str) -> None:
        self.draining = False
        self.adopted = 0
        self._store = store
        self._engine = engine
        self._locations = locations
        self._plans = known
        self._home = home

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`."""
        if self.draining:
            return None
        dead: dict[str, bool] = {}
        found = []
        lease_now = self._store.lease_now()
        for run in self._store.open_runs():
            assigned = None if run.config.get(NESTED) else self._locations.assigned(run)
            if assigned is None or not self._is_left(run, lease_now, dead):
                continue
            row = self._claimed(run, lease_now, dead[run.owner])
            if row is not None:
                found.append((row, self._plans.get(row.plan_hash), assigned))
        if found:
            self._engine.adopt(found)
            self.adopted += len(found)
        return now + LOOK_S

    def _is_left(self, run: OpenRow, now: float, dead: dict[str, bool]) -> bool:
        if run.owner == self._engine.owner:  # claimed, and something went wrong before it was begun
            dead[run.owner] = False
            return run.lease_until <= now and self._engine.run_of(run.id) is None
        if run.owner not in dead:
            dead[run.owner] = bool(run.owner) and is_dead(run.owner)
            if dead[run.owner]:
                wait_until_gone(self._home, run.owner)
        return not run.owner or dead[run.owner] or run.lease_until <= now

    def _claimed(self, run: OpenRow, now: float, force: bool) -> RunRow | None:
        with contextlib.suppress(RequestError):  # another scheduler was quicker
            row = self._store.claim(run.id, self._engine.owner, LEASE_S, now, force=force)
            if RunState(row.state) not in RUN_FINAL:
                return row
            self._store.release(self._engine.owner, [row.id])
        return None
