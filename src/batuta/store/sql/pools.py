"""The statements of pools: limits set by people, and the slots in use where several schedulers share them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from batuta.store.schema import runs
from batuta.store.schema_service import pool_holds, pools
from batuta.store.sql.build import DEFINITIONS, Definition, Dialect, insert, insert_each, is_open, literal, p, plain


@plain
def all_pools(dialect: Dialect) -> ClauseElement:
    return sa.select(pools).order_by(pools.c.name)


@plain
def put_pool(dialect: Dialect) -> ClauseElement:
    into = insert(pools, dialect).values({c.name: sa.bindparam(c.name) for c in pools.columns})
    new = {c.name: into.excluded[c.name] for c in pools.columns if c.name != "name"}
    return into.on_conflict_do_update(index_elements=["name"], set_=new)


@plain
def delete_pool(dialect: Dialect) -> ClauseElement:
    return sa.delete(pools).where(pools.c.name == p("name"))


insert_each("put_pool_holds", pool_holds, replace_by=("run_id", "task", "pool"))


def _lock_pools(dialect: Dialect) -> ClauseElement:
    """One scheduler at a time takes slots."""
    return sa.select(sa.func.pg_advisory_xact_lock(literal(7089350519841)))


DEFINITIONS.append(Definition("lock_pools", _lock_pools, only="postgresql"))


@plain
def pool_use(dialect: Dialect) -> ClauseElement:
    """Slots in use by pool."""
    return sa.select(pool_holds.c.pool, sa.func.sum(pool_holds.c.slots)).group_by(pool_holds.c.pool)


@plain
def delete_pool_hold(dialect: Dialect) -> ClauseElement:
    held = pool_holds.c
    mine = (held.run_id == p("run_id", held.run_id.type), held.task == p("task", sa.Integer), held.owner == p("owner"))
    return sa.delete(pool_holds).where(*mine)


@plain
def delete_left_holds(dialect: Dialect) -> ClauseElement:
    """Those of runs that have ended, or that another executes now."""
    held = sa.exists().where(runs.c.id == pool_holds.c.run_id, runs.c.owner == pool_holds.c.owner, is_open())
    return sa.delete(pool_holds).where(~held)
