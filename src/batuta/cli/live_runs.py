"""Runs that another process executes: whether it lives, and the run's progress from its recorded events."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from batuta.core import events as ev
from batuta.core import plan as plans
from batuta.core.errors import InvariantError
from batuta.core.run import Run
from batuta.core.states import RUN_FINAL, RunState

if TYPE_CHECKING:
    from batuta.cli.progress import Progress
    from batuta.store.rows import RunRow
    from batuta.store.store import Store

POLL_S = 0.2


def is_executed(row: RunRow, now: float) -> bool:
    """Whether some engine executes the run: its lease is good, and, on this machine, its process lives."""
    from batuta.engine.owners import is_dead

    return RunState(row.state) not in RUN_FINAL and bool(row.owner) and row.lease_until > now and not is_dead(row.owner)


def wait_for(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Look again and again until it holds; False where the time was over first."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


class Replay:
    """The state of a run, folded from its events as they are recorded; the same fold as the engine's."""

    def __init__(self, store: Store, row: RunRow, progress: Progress) -> None:
        data = store.plan(row.plan_hash)
        if data is None:
            raise InvariantError(f"the plan of run {row.id} is gone")
        plan = plans.decode(data)
        self._store = store
        self._progress = progress
        self._id = row.id
        self._run = Run(plan, row.seed)
        self._seq = 0
        self._ended_at: dict[int, float] = {}
        self.state = RunState.QUEUED
        progress.begin(row.id, plan)
        if row.started_at is not None:
            progress.began_at = row.started_at

    def advance(self, *, news: bool = True) -> bool:
        """Take the events that have come; says whether the run is over (it may be restarted later)."""
        for row in self._store.events(self._id, self._seq):
            self._seq = row.seq
            event = ev.decode(row.data)
            if row.task is not None:
                self._ended_at[row.task] = row.at
            self._run.advance(event)
        self.state = self._run.shown_state
        changed = list(dict.fromkeys(self._run.changed))
        self._run.changed.clear()
        self._progress.record(self._id, self._run.plan.job, self.state, changed, self._ended_at, news=news)
        return self.state in RUN_FINAL
