"""Pools: limits that people set in the store, over those of the configuration, and slots that schedulers share.

A slot is taken before an attempt is dispatched and given back when it has ended. Surprising: those of a scheduler that
has died stay taken until another has taken its run over, since its processes may still be at work until then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from batuta.core.errors import RequestError
from batuta.store import audit
from batuta.store.database import Database
from batuta.store.rows import Audit, PoolRow

Wanted = tuple[int, int, tuple[tuple[str, int], ...]]
"""A run, its task, and the (pool, slots) that it takes."""


def all_pools(database: Database[Any]) -> list[PoolRow]:
    """The pools that people have set, by name."""
    return [PoolRow(*row) for row in database.rows("all_pools")]


def put(database: Database[Any], name: str, slots: int, description: str, *, by: str, now: float) -> None:
    """Set a pool. Raises RequestError."""
    if not name.strip():
        raise RequestError("a pool needs a name")
    if slots < 0:
        raise RequestError(f"a pool has 0 slots or more, not {slots}", where=name)
    with database.transaction() as transaction:
        transaction.run("put_pool", name=name, slots=slots, description=description, changed_at=now, changed_by=by)
        audit.append(transaction, [Audit(by, "set", "pool", name, {"slots": slots})] if by else [], now)
        transaction.notify("pools")


def delete(database: Database[Any], name: str, *, by: str, now: float) -> bool:
    """Let the configuration say how many slots it has; False where nobody had set it."""
    with database.transaction() as transaction:
        known = transaction.run("delete_pool", name=name) > 0
        if known:
            audit.append(transaction, [Audit(by, "delete", "pool", name, {})] if by else [], now)
        transaction.notify("pools")
    return known


def use(database: Database[Any]) -> dict[str, int]:
    """Slots in use by pool, where they are shared."""
    return {pool: int(slots) for pool, slots in database.rows("pool_use")}


def take(
    database: Database[Any], owner: str, wanted: Sequence[Wanted], limits: Mapping[str, int]
) -> set[tuple[int, int]]:
    """Take slots, in this order, for those (run, task) that fit, and return them. A pool without limit is free."""
    granted: set[tuple[int, int]] = set()
    with database.transaction() as transaction:
        transaction.lock("pools")
        used = {pool: int(slots) for pool, slots in transaction.rows("pool_use")}
        rows = []
        for run_id, task, pools in wanted:
            if all(_fits(used.get(pool, 0), slots, limits.get(pool)) for pool, slots in pools):
                granted.add((run_id, task))
                for pool, slots in pools:
                    used[pool] = used.get(pool, 0) + slots
                    rows.append((run_id, task, pool, slots, owner))
        if rows:
            transaction.put([("put_pool_holds", rows)])
    return granted


def _fits(used: int, slots: int, limit: int | None) -> bool:
    """What is wider than the whole pool fits where nothing else is; as in `core.admission`."""
    if limit is None or (limit > 0 and not used):
        return True
    return used + slots <= limit


def release(database: Database[Any], owner: str, ended: Iterable[tuple[int, int]]) -> None:
    """Give the slots of these (run, task) back."""
    with database.transaction() as transaction:
        for run_id, task in ended:
            transaction.run("delete_pool_hold", run_id=run_id, task=task, owner=owner)
        transaction.notify("pools")


def forget_left(database: Database[Any]) -> int:
    """Give back what runs hold that have ended or been taken over; how many there were."""
    with database.transaction() as transaction:
        return transaction.run("delete_left_holds")
