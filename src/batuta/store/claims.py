"""New runs, and who executes them: a lease in time, and an epoch that grows with every claim and fences all commits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from batuta.core.errors import RequestError
from batuta.core.states import RunState
from batuta.store import audit
from batuta.store.database import Database, Row, Transaction
from batuta.store.queries import run_row
from batuta.store.rows import Audit, NewRun, RunRow

_encode = msgspec.json.Encoder().encode


def create_runs(
    database: Database[Any], new: Sequence[tuple[NewRun, bytes]], *, owner: str, lease_s: float, now: float
) -> list[RunRow]:
    """Queue runs, each with its encoded plan, all in one transaction."""
    with database.transaction() as transaction:
        return insert_runs(transaction, new, owner=owner, lease_s=lease_s, now=now)


def insert_runs(
    transaction: Transaction, new: Sequence[tuple[NewRun, bytes]], *, owner: str, lease_s: float, now: float
) -> list[RunRow]:
    """Queue runs, each with its encoded plan, as part of a transaction."""
    return insert_after_look(
        transaction, new, *transaction.look(*before_runs(new)), owner=owner, lease_s=lease_s, now=now
    )


def before_runs(new: Sequence[tuple[NewRun, bytes]]) -> list[tuple[str, dict[str, Any]]]:
    """What `insert_after_look` wants to know, as queries for `Transaction.look`: for one who has more to ask."""
    hashes = sorted({run.plan_hash for run, _ in new})
    return [("known_plans", {"hashes": json.dumps(hashes)}), ("reserve_run_ids", {"count": len(new)})]


def insert_after_look(
    transaction: Transaction,
    new: Sequence[tuple[NewRun, bytes]],
    known: Sequence[Row],
    reserved: Sequence[Row],
    *,
    owner: str,
    lease_s: float,
    now: float,
) -> list[RunRow]:
    """`insert_runs`, having looked; of numbers that were reserved some may be left over."""
    plans = {run.plan_hash: plan for run, plan in new}
    for plan_hash in sorted(plans.keys() - {row[0] for row in known}):
        transaction.run("put_plan", hash=plan_hash, data=plans[plan_hash])
    ids = [row[0] for row in reserved][: len(new)]
    rows = [_new_row(i, run, owner, lease_s, now) for i, (run, _) in zip(ids, new, strict=True)]
    tags = [(key, value, i) for i, (run, _) in zip(ids, new, strict=True) for key, value in run.tags.items()]
    transaction.put([(name, each) for name, each in (("put_runs", rows), ("put_run_tags", tags)) if each])
    audit.append(transaction, [_launch(i, run) for i, (run, _) in zip(ids, new, strict=True) if run.by], now)
    if not owner and new:
        transaction.notify("runs")
    return [run_row(row) for row in rows]


def as_queued(number: int, run: NewRun, now: float) -> RunRow:
    """The row of a run that has just been queued without an owner."""
    return run_row(_new_row(number, run, "", 0.0, now))


def _launch(number: int, run: NewRun) -> Audit:
    details = {"job": run.job, "trigger": run.trigger, **({"partition": run.partition} if run.partition else {})}
    return Audit(run.by, "launch", "run", str(number), details)


def _new_row(number: int, run: NewRun, owner: str, lease_s: float, now: float) -> Row:
    return (
        number,
        run.job,
        run.kind,
        run.plan_hash,
        run.location,
        RunState.QUEUED.value,
        _encode(run.params).decode(),
        _encode(run.tags).decode(),
        _encode(run.config).decode(),
        run.trigger,
        run.logical_at,
        run.interval_start,
        run.interval_end,
        run.partition,
        run.parent_run,
        run.parent_task,
        run.priority,
        run.seed,
        run.created_at or now,
        None,
        None,
        "",
        1,
        owner,
        now + lease_s if owner else 0.0,
        0,
        run.version,
        run.origin,
        run.concurrency_key,
        run.deadline_at,
        run.backfill_id,
    )


def claim(database: Database[Any], run_id: int, owner: str, *, lease_s: float, now: float, force: bool) -> RunRow:
    """Take a run that nobody executes: its lease is over, it has ended, it was ours anyway, or `force`."""
    with database.transaction() as transaction:
        claimed = transaction.run(
            "claim_run", run_id=run_id, new_owner=owner, until=now + lease_s, now=now, force=int(force)
        )
        rows = transaction.rows("run", run_id=run_id)
    if not rows:
        raise no_such_run(database, run_id)
    run = run_row(rows[0])
    if not claimed:
        raise RequestError(
            f"run {run_id} is being executed by {run.owner}",
            where=database.location,
            hint=f"wait for it, or try again in {max(run.lease_until - now, 0):.0f} s if that process is gone",
        )
    return run


def renew(database: Database[Any], owner: str, run_ids: Iterable[int], *, lease_s: float, now: float) -> list[int]:
    """Prolong leases. Returns those that are no longer the owner's."""
    ids = sorted(set(run_ids))
    if not ids:
        return []
    listed = json.dumps(ids)
    with database.transaction() as transaction:
        if transaction.run("renew_runs", by=owner, ids=listed, until=now + lease_s) == len(ids):
            return []
        held = {row[0] for row in transaction.rows("owned_runs", by=owner, ids=listed)}
    return [run_id for run_id in ids if run_id not in held]


def release(database: Database[Any], owner: str, run_ids: Iterable[int]) -> None:
    """Give runs up, so that anybody may claim them at once."""
    with database.transaction() as transaction:
        transaction.run("release_runs", by=owner, ids=json.dumps(sorted(set(run_ids))))


def no_such_run(database: Database[Any], run_id: int) -> RequestError:
    """The error for the number of a run that is not there."""
    last = database.rows("last_run_id")[0][0]
    hint = f"the last one is {last}; `batuta runs list` shows them" if last else "there are no runs yet"
    return RequestError(f"there is no run {run_id}", where=database.location, hint=hint)
