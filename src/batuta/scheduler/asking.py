"""The duty that does what is asked of runs that no engine executes: repeat or mark one that has ended, stop one that
waits.

Whoever asks (the API, the command line) writes a request to the store; here it is taken by whichever scheduler has the
run's code location. Surprising: a request that makes no sense any more is dropped, as the engine does with its own:
whoever sent it watches the run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from batuta.core.errors import RequestError
from batuta.core.events import Event, MarkAsked, RestartAsked
from batuta.core.states import RUN_FINAL, RunState
from batuta.engine.active import Assigned
from batuta.engine.runs import LEASE_S
from batuta.store.rows import Leader, RunRequestRow, RunRow

if TYPE_CHECKING:
    from batuta.scheduler.service import Service

AGAIN_S = 5.0
"""How long until it looks without having been woken."""
KEPT_S = 3600.0
"""After so long a request that nobody could carry out is dropped."""


class AskingDuty:
    """See the module."""

    name = "asking"
    leads = False

    def __init__(self, service: Service) -> None:
        self._service = service

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`."""
        store = self._service.store
        done = [request.id for request in store.requests_to_idle(now) if self._is_done(request, now)]
        if done:
            store.requests_done(done)
        return now + AGAIN_S

    def _is_done(self, request: RunRequestRow, now: float) -> bool:
        """Carry it out; False where it is left to another scheduler, or to a later look."""
        row = self._service.store.run(request.run_id)
        if row is None or now > request.at + KEPT_S:
            return True
        ended = RunState(row.state) in RUN_FINAL
        executor = self._service.locations.assigned(row)
        if executor is None:
            return False
        if request.kind in ("retry", "mark") and ended:
            return self._go_on(row, request, executor, now)
        if request.kind == "cancel" and not ended and row.state == RunState.QUEUED and not row.owner:
            with contextlib.suppress(RequestError):
                self._service.cancel(row.id, request.by, hard=bool(request.data.get("hard")))
            return True
        # What is open and has no engine is adopted by and by; its new engine reads what is asked of it.
        return ended or request.kind == "resume"

    def _go_on(self, row: RunRow, request: RunRequestRow, executor: Assigned, now: float) -> bool:
        engine, store = self._service.engine, self._service.store
        names: Sequence[str] | None = request.data.get("tasks")
        numbers = None if names is None else tuple(no for name in names for no in self._numbers(row, name))
        if numbers == ():
            return True
        try:
            claimed = store.claim(row.id, engine.owner, LEASE_S, store.lease_now())
        except RequestError:
            return True  # somebody else is at it
        event: Event = RestartAsked(at=now, by=request.by, tasks=numbers)
        if request.kind == "mark":
            state, note = request.data["state"], str(request.data.get("note") or "")
            event = MarkAsked(at=now, state=state, by=request.by, tasks=numbers, note=note)
        engine.adopt([(claimed, self._service.plan(claimed.plan_hash), executor)], then=[event], asked=[request.id])
        return True

    def _numbers(self, row: RunRow, name: str) -> list[int]:
        """The task runs that a name stands for: one by its key, or all of a step."""
        store = self._service.store
        of_step = [task.no for task in store.task_runs(row.id, step=name)]
        if of_step:
            return of_step
        one = store.task_run(row.id, name)
        return [] if one is None else [one.no]
