"""What has happened and is not yet durable: recorded here, written in one transaction a turn.

The surprising rule: what flows ask for may start before it is written (`only_requests`), since a flow that runs again
after a crash asks again. Everything else waits for its commit.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from batuta.core import events as ev
from batuta.core.errors import StoreError
from batuta.core.run_graph import TaskRun
from batuta.engine.active import ActiveRun
from batuta.runtime.protocol import StepDone
from batuta.store.errors import LeaseLost, StoreFull, StoreUnavailable
from batuta.store.rows import Batch, CacheRow
from batuta.store.store import Store

REQUESTS_UNWRITTEN_S = 0.02
"""How long the requests of flows may wait to be recorded together with what ends next."""
_STORE_RETRY_S = 0.2
_STORE_PATIENCE_S = 30.0

Changed = list[tuple[ActiveRun, list[TaskRun]]]
"""Runs with their task runs that changed, as a commit has just recorded them."""


class Journal:
    """Used by one engine, in its thread. `drop` is told the runs that belong to another engine now."""

    def __init__(self, store: Store, drop: Callable[[int], None]) -> None:
        self._store = store
        self._drop = drop
        self._touched: dict[int, ActiveRun] = {}
        self._unwritten: dict[int, ActiveRun] = {}
        self._write_by = 0.0
        self._cache: list[CacheRow] = []
        self.waits = False
        """Whether a store that cannot be reached, or a full disk, is waited for as long as it takes."""
        self.closing = False

    @property
    def pending(self) -> bool:
        """Whether something is to be committed now."""
        return bool(self._touched)

    def due_in_s(self, now: float) -> float | None:
        """Seconds until what waits unwritten has to be written; None where nothing does."""
        return self._write_by - now if self._unwritten else None

    def record(self, active: ActiveRun, event: ev.Event) -> None:
        """Take a fact: the run advances at once, its commands are carried out after the commit."""
        active.record(event)
        self._touched[active.id] = active

    def touch(self, active: ActiveRun) -> None:
        """The run has commands to be carried out, with or without something to write."""
        self._touched[active.id] = active

    def forget(self, run_id: int) -> None:
        """The run is not ours any more: what is not written of it is not to be."""
        self._touched.pop(run_id, None)
        self._unwritten.pop(run_id, None)

    def keep_result(self, run_id: int, done: StepDone, now: float) -> None:
        """Remember a result under its cache key."""
        expires_at = None if done.cache_ttl_s is None else now + done.cache_ttl_s
        self._cache.append(CacheRow(done.cache_key, msgspec.json.encode(done.output), run_id, now, expires_at))

    def ahead(self) -> list[ActiveRun] | None:
        """The runs that may act before their records are written; None where there is more than requests of flows."""
        touched = self._touched
        if self._cache or not all(active.only_requests for active in touched.values()):
            return None
        self._touched = {}
        if not self._unwritten:
            self._write_by = time.monotonic() + REQUESTS_UNWRITTEN_S
        self._unwritten |= touched
        return list(touched.values())

    def write(self) -> Changed:
        """Commit all that is not yet durable. Raises StoreError when the database cannot take it."""
        runs = self._touched | self._unwritten
        self._touched, self._unwritten = {}, {}
        batch = Batch()
        changed = [(active, active.fill(batch)) for active in runs.values()]
        batch.cache, self._cache = self._cache, []
        lost = self._commit(batch)
        return [(active, tasks) for active, tasks in changed if active.id not in lost] if lost else changed

    def _commit(self, batch: Batch) -> set[int]:
        """Record the batch; what was lost to another engine is dropped and returned."""
        lost: set[int] = set()
        patience = time.monotonic() + _STORE_PATIENCE_S
        while batch:
            try:
                self._store.commit(batch)
                break
            except LeaseLost as error:
                lost |= set(error.run_ids)
                for run_id in error.run_ids:
                    self._drop(run_id)
                batch = _without(batch, lost)
            except (StoreUnavailable, StoreFull) as error:
                if not self._may_wait(error, patience):
                    raise
                time.sleep(_STORE_RETRY_S)
        return lost

    def _may_wait(self, error: StoreError, patience: float) -> bool:
        if self.waits and not self.closing:
            return True
        return isinstance(error, StoreUnavailable) and time.monotonic() <= patience and not self.waits


def _without(batch: Batch, lost: set[int]) -> Batch:
    return Batch(
        runs=[row for row in batch.runs if row.id not in lost],
        events=[row for row in batch.events if row.run_id not in lost],
        task_runs=[row for row in batch.task_runs if row.run_id not in lost],
        materializations=[row for row in batch.materializations if row.run_id not in lost],
        checks=[row for row in batch.checks if row.run_id not in lost],
        cache=[row for row in batch.cache if row.run_id not in lost],
        artifacts=[row for row in batch.artifacts if row.run_id not in lost],
        audit=[one for one in batch.audit if one.kind != "run" or int(one.name) not in lost],
        usage=[row for row in batch.usage if row.last_run not in lost],
        columns=[row for row in batch.columns if row.run_id not in lost],
        code=[row for row in batch.code if row.run_id not in lost],
        environment_made=[one for one in batch.environment_made if one[1].run_id not in lost],
        environment_checks=[one for one in batch.environment_checks if one[1].run_id not in lost],
        environments_dropped=[one for one in batch.environments_dropped if one.run_id not in lost],
    )
