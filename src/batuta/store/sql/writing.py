"""The statements of commits, claims and leases."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from batuta.store.schema import (
    asset_partitions,
    check_results,
    checks_current,
    events,
    materializations,
    plans,
    run_requests,
    run_tags,
    runs,
    task_cache,
    task_runs,
)
from batuta.store.sql.build import (
    DEFINITIONS,
    Definition,
    Dialect,
    insert,
    insert_each,
    is_final,
    listed,
    literal,
    p,
    plain,
    records,
    run_id,
)

# ---- commit ----

insert_each("put_runs", runs)
insert_each("put_run_tags", run_tags)
insert_each("put_events", events)
insert_each("put_task_runs", task_runs, replace_by=("run_id", "no"))
insert_each("put_materializations", materializations)
insert_each("put_asset_partitions", asset_partitions, replace_by=("asset", "partition"))
insert_each("put_check_results", check_results)
insert_each("put_checks_current", checks_current, replace_by=("asset", "check_name", "partition"))
insert_each("put_cache", task_cache, replace_by=("key",))

_PROGRESS = ("state", "started_at", "finished_at", "error", "seq")  # in the order of the table, as SET has them
_FENCE = ("key_id", "key_epoch")


def _update_runs(dialect: Dialect) -> ClauseElement:
    """The fence: a run that another has claimed since is not touched. PostgreSQL tells by an error, a division by zero,
    so that COMMIT need not wait for a look at the count of rows."""
    if dialect == "sqlite":
        update = sa.update(runs).values({c: sa.bindparam(c) for c in _PROGRESS})
        return update.where(runs.c.id == p("key_id", sa.Integer), runs.c.epoch == p("key_epoch", sa.Integer))
    each = records(runs, _PROGRESS + _FENCE)
    rows = sa.select(*(each.c[c] for c in _PROGRESS + _FENCE)).cte("given")
    update = sa.update(runs).values({c: rows.c[c] for c in _PROGRESS})
    mine = update.where(runs.c.id == rows.c.key_id, runs.c.epoch == rows.c.key_epoch)
    touched = mine.returning(runs.c.id).cte("touched")
    counts = [sa.select(sa.func.count()).select_from(one).scalar_subquery() for one in (touched, rows)]
    return sa.select(literal(1) / sa.case((counts[0] == counts[1], literal(1)), else_=literal(0)))


DEFINITIONS.append(Definition("update_runs", _update_runs, _PROGRESS + _FENCE))


@plain
def epochs(dialect: Dialect) -> ClauseElement:
    return sa.select(runs.c.id, runs.c.epoch).where(listed(runs.c.id, "ids", dialect))


def _lock_events(dialect: Dialect) -> ClauseElement:
    """PostgreSQL numbers events before they are committed; one writer at a time keeps the numbers in that order."""
    return sa.select(sa.func.pg_advisory_xact_lock(literal(7089350519837)))


DEFINITIONS.append(Definition("lock_events", _lock_events, only="postgresql"))


# ---- new runs ----


@plain
def put_plan(dialect: Dialect) -> ClauseElement:
    new = insert(plans, dialect).values(hash=sa.bindparam("hash"), data=sa.bindparam("data"))
    return new.on_conflict_do_nothing()


@plain
def known_plans(dialect: Dialect) -> ClauseElement:
    """Held until the run that needs it is there, so that pruning does not delete it in between."""
    query = sa.select(plans.c.hash).where(listed(plans.c.hash, "hashes", dialect))
    return query.with_for_update(read=True, key_share=True)


@plain
def reserve_run_ids(dialect: Dialect) -> ClauseElement:
    """Numbers for `count` new runs, one a row. SQLite: those after the last one given, as nobody else is writing."""
    if dialect == "postgresql":
        sequence = sa.func.pg_get_serial_sequence(literal("runs"), literal("id"))
        return sa.select(sa.func.nextval(sequence)).select_from(
            sa.func.generate_series(literal(1), p("count", sa.Integer))
        )
    given = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))
    last = sa.select(sa.func.coalesce(sa.func.max(given.c.seq), literal(0)).label("last"))
    before = last.where(given.c.name == literal("runs")).cte("before")
    ids = sa.select((before.c.last + literal(1)).label("id")).cte("ids", recursive=True)
    more = sa.select(ids.c.id + literal(1)).where(ids.c.id < before.c.last + p("count", sa.Integer))
    return sa.select(ids.union_all(more.join_from(ids, before, sa.true())).c.id)


# ---- leases ----


@plain
def claim_run(dialect: Dialect) -> ClauseElement:
    free = sa.or_(
        runs.c.lease_until <= p("now", sa.Double),
        runs.c.owner == p("new_owner"),
        is_final(),
        p("force", sa.Integer) == literal(1),
    )
    update = sa.update(runs).where(runs.c.id == run_id(), free)
    return update.values(epoch=runs.c.epoch + literal(1), owner=p("new_owner"), lease_until=p("until", sa.Double))


@plain
def renew_runs(dialect: Dialect) -> ClauseElement:
    update = sa.update(runs).where(runs.c.owner == p("by"), listed(runs.c.id, "ids", dialect))
    return update.values(lease_until=p("until", sa.Double))


@plain
def owned_runs(dialect: Dialect) -> ClauseElement:
    return sa.select(runs.c.id).where(runs.c.owner == p("by"), listed(runs.c.id, "ids", dialect))


@plain
def release_runs(dialect: Dialect) -> ClauseElement:
    update = sa.update(runs).where(runs.c.owner == p("by"), listed(runs.c.id, "ids", dialect))
    return update.values(owner=literal(""), lease_until=literal(0))


# ---- messages to engines ----

insert_each("put_run_requests", run_requests)


@plain
def requests_to(dialect: Dialect) -> ClauseElement:
    query = sa.select(run_requests).where(listed(run_requests.c.run_id, "ids", dialect))
    return query.order_by(run_requests.c.id)


@plain
def requests_to_idle(dialect: Dialect) -> ClauseElement:
    """Those to runs that no engine executes: they have ended, or nobody has them (any more)."""
    free = sa.or_(is_final(), runs.c.owner == literal(""), runs.c.lease_until <= p("now", sa.Double))
    query = sa.select(run_requests).join(runs, runs.c.id == run_requests.c.run_id).where(free)
    return query.order_by(run_requests.c.id)


@plain
def delete_requests(dialect: Dialect) -> ClauseElement:
    return sa.delete(run_requests).where(listed(run_requests.c.id, "ids", dialect))
