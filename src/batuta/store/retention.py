"""Forgetting what is old, a little at a time, so that nobody waits long for a commit.

What to delete is looked for outside of transactions. Each transaction is measured, and the next deletes as many rows as
fit into its time (`HOLD_S`); between two, the write lock is left to others for as long as it was held. Runs disappear
first, then what hung on them, as `pruned_runs` notes; a crash in between leaves nothing that is seen, and the next
round goes on with it. Surprising: current states of assets and checks stay for ever: they say what exists, not what
happened.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from batuta.store import audit
from batuta.store.database import Database, Transaction
from batuta.store.errors import StoreError
from batuta.store.rows import Audit, Pruned
from batuta.store.sources import forget_unused
from batuta.store.usage import DAY_S, KEPT_DAYS

HOLD_S = {"sqlite": 0.005, "postgresql": 0.05}
"""How long a transaction is to take. On SQLite all others wait for it, and longer where processors are busy and it is
interrupted; on PostgreSQL nobody does."""
RUNS_AT_A_TIME = 100
ROWS_AT_A_TIME = 200
ROWS_MIN, ROWS_MAX = 20, 5_000
"""However long a commit takes by itself, on a slow disk."""
_HANGING = ("events", "task_runs", "materializations", "check_results", "artifacts")
_IN_ORDER = ("ticks", "signals", "audit")
_PROCESSES_S = 86_400.0

OnRuns = Callable[[list[int]], None]
"""Told of runs that are gone, before the last trace of them is: to delete their files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """How old what may become, in seconds; None: for ever. `keep_runs`: never the newest so many of each job."""

    runs: float | None = None
    keep_runs: int = 0
    ticks: float | None = None
    signals: float | None = None
    run_keys: float | None = None
    alerts: float | None = None
    audit: float | None = None
    external: float | None = None


def prune(
    database: Database[Any],
    older_than_s: float,
    now: float,
    *,
    keep: int = 0,
    by: str = "",
    on_runs: OnRuns | None = None,
) -> Pruned:
    """Delete runs that finished more than `older_than_s` ago, but never the newest `keep` of each job.

    Runs that a run started go with it, never before it. Plans, cached results and tags go with their last run. `by` is
    the person who wants it, for the audit log.
    """
    forgetting = Forgetting(database, Ages(runs=older_than_s, keep_runs=keep), now, on_runs=on_runs)
    pruned = forgetting.all()
    if by:
        details = {"older_than_s": older_than_s, "keep": keep, "runs": len(pruned.runs)}
        with database.transaction() as transaction:
            audit.append(transaction, [Audit(by, "prune", "store", "", details)], now)
    return pruned


class Forgetting:
    """One round of it. `steps` can be given up between any two, and begun again later."""

    def __init__(
        self,
        database: Database[Any],
        ages: Ages,
        now: float,
        *,
        on_runs: OnRuns | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.pruned = Pruned()
        self.held_s_max = 0.0
        """The longest that a transaction held the write lock."""
        self._database = database
        self._ages = ages
        self._now = now
        self._on_runs = on_runs
        self._clock = clock
        self._hold_s = HOLD_S[database.dialect]
        self._sizes: dict[str, int] = {}

    def all(self) -> Pruned:
        """Everything, leaving the lock to others between two transactions."""
        for held_s in self.steps():
            time.sleep(min(held_s, 10 * self._hold_s))
        return self.pruned

    def steps(self) -> Iterator[float]:
        """A transaction each; how long it held the write lock."""
        yield from self._left_over()
        if self._ages.runs is not None:
            cutoff = self._now - self._ages.runs
            yield from self._runs(cutoff)
            yield from self._backfills(cutoff)
            yield from self._versions(cutoff)
            yield from self._sources(cutoff)
            yield from self._code(cutoff)
        yield from self._cache()
        yield from self._plans()
        for table in _IN_ORDER:
            age = getattr(self._ages, table)
            if age is not None:
                yield from self._in_order(table, self._now - age)
        if self._ages.run_keys is not None:
            yield from self._emptied("run_keys", "delete_run_keys", cutoff=self._now - self._ages.run_keys)
        if self._ages.alerts is not None:
            yield from self._alerts(self._now - self._ages.alerts)
        if self._ages.external is not None:
            yield from self._external(self._now - self._ages.external)
        yield self._run("asset_usage", "delete_asset_usage", cutoff=int(self._now // DAY_S) - KEPT_DAYS)
        yield self._run("processes", "delete_processes", cutoff=self._now - _PROCESSES_S)

    # ---- a step ----

    def _run(self, kind: str, name: str, **params: Any) -> float:
        """A transaction of one statement."""
        return self._step(kind, lambda transaction: transaction.run(name, **params))

    def _step(self, kind: str, delete: Callable[[Transaction], int]) -> float:
        """One transaction. How long it took says how many rows the next one is to delete."""
        size = self._size(kind)
        with self._database.transaction() as transaction:
            began = self._clock()
            count = delete(transaction)
        held_s = self._clock() - began
        self.held_s_max = max(self.held_s_max, held_s)
        self.pruned.rows[kind] = self.pruned.rows.get(kind, 0) + count
        if count >= size or held_s > self._hold_s:
            factor = min(max(self._hold_s / max(held_s, 1e-6), 0.1), 1.5)
            most = RUNS_AT_A_TIME if kind == "runs" else ROWS_MAX
            self._sizes[kind] = min(max(int(min(size, max(count, 1)) * factor), ROWS_MIN), most)
        return held_s

    def _size(self, kind: str) -> int:
        """How many at a time."""
        return self._sizes.get(kind, RUNS_AT_A_TIME if kind == "runs" else ROWS_AT_A_TIME)

    def _emptied(self, kind: str, name: str, **params: Any) -> Iterator[float]:
        """A statement that deletes so many at a time, until there are no more."""
        while True:
            size, before = self._size(kind), self.pruned.rows.get(kind, 0)
            yield self._run(kind, name, limit=size, **params)
            if self.pruned.rows[kind] - before < size:
                return

    # ---- runs ----

    def _left_over(self) -> Iterator[float]:
        """What an earlier round was not able to finish."""
        while ids := self._pruned_ids():
            yield from self._hanging(ids)
            if self._pruned_ids() == ids:
                return  # another process goes on adding to one of them

    def _pruned_ids(self) -> list[int]:
        return [row[0] for row in self._database.rows("all_pruned", limit=RUNS_AT_A_TIME)]

    def _runs(self, cutoff: float) -> Iterator[float]:
        given: dict[str, Any] = {"cutoff": cutoff, "keep_less_one": self._ages.keep_runs - 1, "after": 0}
        while rows := self._database.rows("prunable_runs", limit=self._size("runs"), **given):
            given["after"] = rows[-1][0]
            gone: list[int] = []
            yield self._step("runs", functools.partial(_delete_runs, [row[0] for row in rows], cutoff, gone))
            self.pruned.runs += gone
            if gone:
                yield from self._hanging(gone)

    def _hanging(self, ids: list[int]) -> Iterator[float]:
        """What hung on runs that are gone; last of all the note that they were there."""
        for table in _HANGING:
            yield from self._emptied(table, f"delete_pruned_{table}", ids=json.dumps(ids))
        if self._on_runs is not None:
            self._on_runs(ids)
        yield self._run("pruned_runs", "delete_pruned", ids=json.dumps(ids))

    # ---- what nothing needs any more ----

    def _cache(self) -> Iterator[float]:
        after = ""
        self.pruned.rows.setdefault("task_cache", 0)
        while rows := self._database.rows("stale_cache", now=self._now, after=after, limit=self._size("task_cache")):
            after = rows[-1][0]
            keys, owners = [row[0] for row in rows], [row[1] for row in rows]
            yield self._run("task_cache", "delete_cache", keys=json.dumps(keys), runs=json.dumps(owners))

    def _plans(self) -> Iterator[float]:
        """A plan that a run is being created for at this instant stays: its deletion fails, and comes another time."""
        after = ""
        self.pruned.rows.setdefault("plans", 0)
        while rows := self._database.rows("unused_plans", after=after, limit=self._size("plans")):
            after = rows[-1][0]
            try:
                yield self._run("plans", "delete_plans", hashes=json.dumps([row[0] for row in rows]))
            except StoreError as error:
                if getattr(error.__cause__, "sqlstate", None) != "23503":
                    raise

    def _versions(self, cutoff: float) -> Iterator[float]:
        for (one,) in self._database.rows("unused_versions", cutoff=cutoff, limit=ROWS_AT_A_TIME):
            yield self._run("definition_versions", "delete_versions", hashes=json.dumps([one]), cutoff=cutoff)

    def _sources(self, cutoff: float) -> Iterator[float]:
        while True:
            size, before = self._size("source_files"), self.pruned.rows.get("source_files", 0)
            forget = functools.partial(forget_unused, cutoff=cutoff, limit=size)
            yield self._step("source_files", forget)
            if self.pruned.rows["source_files"] - before < size:
                return

    def _code(self, cutoff: float) -> Iterator[float]:
        while rows := self._database.rows("unused_code", cutoff=cutoff, limit=ROWS_AT_A_TIME):
            for asset, version in rows:
                yield self._run("asset_code", "delete_asset_code", asset=asset, code_version=version)

    def _backfills(self, cutoff: float) -> Iterator[float]:
        for (number,) in self._database.rows("old_backfills", cutoff=cutoff, limit=ROWS_AT_A_TIME):
            yield from self._emptied("backfill_items", "delete_backfill_items", of_backfill=number)
            yield self._run("backfills", "delete_backfill", of_backfill=number)

    # ---- what has a time ----

    def _in_order(self, table: str, cutoff: float) -> Iterator[float]:
        """Of what is numbered in the order of time the oldest first, until one is young enough."""
        while True:
            rows = self._database.rows(f"oldest_{table}", limit=self._size(table))
            ids = [number for number, at in rows if at < cutoff]
            if not ids:
                return
            yield self._run(table, f"delete_{table}", ids=json.dumps(ids))

    def _alerts(self, cutoff: float) -> Iterator[float]:
        while rows := self._database.rows("old_alerts", cutoff=cutoff, limit=self._size("alerts")):
            yield self._run("alerts", "delete_alerts", ids=json.dumps([row[0] for row in rows]), cutoff=cutoff)

    # ---- what runs elsewhere ----

    def _external(self, cutoff: float) -> Iterator[float]:
        """Runs first, then jobs of which none is left, then what only those had."""
        for table, key in (("external_runs", "ids"), ("external_jobs", "keys")):
            self.pruned.rows.setdefault(table, 0)
            while rows := self._database.rows(f"old_{table}", cutoff=cutoff, limit=self._size(table)):
                before = self.pruned.rows[table]
                given = {key: json.dumps([row[0] for row in rows]), "cutoff": cutoff}
                yield self._run(table, f"delete_{table}", **given)
                if self.pruned.rows[table] == before:
                    break  # they were heard of meanwhile
        for table in ("external_edges", "external_datasets"):
            yield from self._emptied(table, f"delete_{table}", cutoff=cutoff)


def _delete_runs(ids: list[int], cutoff: float, gone: list[int], transaction: Transaction) -> int:
    """Delete those that are still to be deleted; they are added to `gone`."""
    rows = transaction.rows("still_prunable", ids=json.dumps(ids), cutoff=cutoff)
    gone += [row[0] for row in rows]
    if rows:
        transaction.put([("put_pruned", rows)])
        transaction.run("delete_runs", ids=json.dumps(gone))
    return len(rows)
