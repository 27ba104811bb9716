"""Rows to fill a store with."""

from __future__ import annotations

from typing import Any

from batuta.core.plan import content_hash
from batuta.store import Store
from batuta.store.rows import (
    Batch,
    CacheRow,
    CheckRow,
    EventRow,
    MaterializationRow,
    NewRun,
    RunRow,
    RunUpdate,
    TaskRunRow,
)

PLAN = b'{"job":"sample","kind":"dag","steps":[]}'


def new_run(job: str = "sample", **fields: Any) -> NewRun:
    return NewRun(**{"job": job, "kind": "dag", "plan_hash": content_hash(PLAN), **fields})


def create(store: Store, job: str = "sample", *, owner: str = "me", now: float = 1_000.0, **fields: Any) -> RunRow:
    return store.create_run(new_run(job, **fields), PLAN, owner=owner, lease_s=10.0, now=now)


def progress(run: RunRow, seq: int, state: str = "running", **fields: Any) -> RunUpdate:
    values: dict[str, Any] = {"started_at": run.started_at, "finished_at": None, "error": "", **fields}
    return RunUpdate(id=run.id, epoch=run.epoch, seq=seq, state=state, **values)


def event(run: RunRow, seq: int, kind: str = "attempt_succeeded", **fields: Any) -> EventRow:
    values: dict[str, Any] = {"at": 1_000.0 + seq / 7, "task": seq - 1, "data": b'{"seq":%d}' % seq, **fields}
    return EventRow(run_id=run.id, seq=seq, kind=kind, **values)


def task_run(run: RunRow, no: int, state: str = "succeeded", **fields: Any) -> TaskRunRow:
    values: dict[str, Any] = {
        "step": f"step_{no}",
        "task": "pipeline:step",
        "kind": "task",
        "index": -1,
        "label": "",
        "attempt": 1,
        "started_at": 1_000.25,
        "finished_at": 1_000.5,
        "worker": "thread-1",
        "reason": "",
        "error": None,
        "output": b'{"size":1}',
        "logged": False,
        **fields,
    }
    return TaskRunRow(run_id=run.id, no=no, state=state, **values)


def materialization(run: RunRow, asset: str = "bronze/rates", partition: str = "", **fields: Any) -> MaterializationRow:
    values: dict[str, Any] = {
        "task": 0,
        "at": 1_000.5,
        "data_version": "d1",
        "code_version": "c1",
        "inputs": b'{"source/ecb":"d0"}',
        "metadata": b'{"rows":3}',
        **fields,
    }
    return MaterializationRow(asset=asset, partition=partition, run_id=run.id, **values)


def verdict(run: RunRow, asset: str = "bronze/rates", check: str = "not_empty", **fields: Any) -> CheckRow:
    values: dict[str, Any] = {
        "partition": "",
        "task": 0,
        "at": 1_000.5,
        "passed": True,
        "blocking": False,
        "description": "has rows",
        "metadata": b"{}",
        **fields,
    }
    return CheckRow(asset=asset, check=check, run_id=run.id, **values)


def cached(run: RunRow, key: str = "k", **fields: Any) -> CacheRow:
    values: dict[str, Any] = {"output": b'{"size":1}', "created_at": 1_000.5, "expires_at": None, **fields}
    return CacheRow(key=key, run_id=run.id, **values)


def task_ends(run: RunRow, first: int, count: int, state: str = "running") -> Batch:
    """`count` task ends of a run from event number `first` on: an event and a task run each."""
    seqs = range(first, first + count)
    return Batch(
        runs=[progress(run, seqs[-1], state)],
        events=[event(run, seq) for seq in seqs],
        task_runs=[task_run(run, seq - 1) for seq in seqs],
    )


def finish(store: Store, run: RunRow, *, at: float, state: str = "succeeded") -> None:
    """End a run with one task, one event, one of everything that hangs on a run."""
    batch = task_ends(run, 1, 1)
    batch.runs = [progress(run, 1, state, started_at=at - 1, finished_at=at)]
    batch.materializations = [materialization(run, f"asset_of_{run.job}")]
    batch.checks = [verdict(run, f"asset_of_{run.job}")]
    batch.cache = [cached(run, f"cached_by_{run.id}")]
    store.commit(batch)
    store.release(run.owner, [run.id])


def reread(store: Store, run: RunRow) -> RunRow:
    found = store.run(run.id)
    assert found is not None
    return found
