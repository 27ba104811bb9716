"""The statements of forgetting: what is old enough is looked for outside of any transaction, then deleted by its key.

So no statement that holds the write lock has to search. What may have changed since it was looked for is checked again
by the statement that deletes it.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from batuta.store.schema import (
    check_results,
    definitions,
    events,
    materializations,
    plans,
    pruned_runs,
    runs,
    task_cache,
    task_runs,
)
from batuta.store.schema_service import (
    alerts,
    artifacts,
    audit,
    backfill_items,
    backfills,
    definition_versions,
    processes,
    signals,
    ticks,
)
from batuta.store.sql.build import (
    DEFINITIONS,
    Definition,
    Dialect,
    insert_each,
    is_final,
    listed,
    literal,
    p,
    page,
    plain,
)

# ---- runs and what hangs on them ----


@plain
def prunable_runs(dialect: Dialect) -> ClauseElement:
    """Finished before `cutoff`, no child of a run that is still there, not among the newest `keep` of its job."""
    parent, newer = runs.alias("parent"), runs.alias("newer")
    has_parent = sa.exists().where(parent.c.id == runs.c.parent_run)
    enough = sa.select(newer.c.id).where(
        newer.c.job == runs.c.job, newer.c.id > runs.c.id, newer.c.parent_run.is_(None)
    )
    enough = enough.order_by(newer.c.id).limit(literal(1)).offset(p("keep_less_one", sa.Integer))
    old = (is_final(), runs.c.finished_at < p("cutoff", sa.Double), runs.c.id > p("after", sa.BigInteger))
    spared = sa.or_(runs.c.parent_run.is_not(None), p("keep_less_one", sa.Integer) < literal(0), sa.exists(enough))
    return page(sa.select(runs.c.id).where(*old, ~has_parent, spared).order_by(runs.c.id))


@plain
def still_prunable(dialect: Dialect) -> ClauseElement:
    """Those of a list that nobody has restarted since; they stay as they are until the transaction ends."""
    old = (is_final(), runs.c.finished_at < p("cutoff", sa.Double))
    return sa.select(runs.c.id).where(listed(runs.c.id, "ids", dialect), *old).order_by(runs.c.id).with_for_update()


insert_each("put_pruned", pruned_runs, ignore=True)


@plain
def delete_runs(dialect: Dialect) -> ClauseElement:
    return sa.delete(runs).where(listed(runs.c.id, "ids", dialect))


HANGING = (events, task_runs, materializations, check_results, artifacts)
"""What is deleted with its run."""


def _delete_pruned(table: sa.Table) -> None:
    """Of some runs, which are named: a join with those that are pruned would be read from the table's side."""

    def build(dialect: Dialect) -> ClauseElement:
        key = list(table.primary_key.columns)
        gone = page(sa.select(*key).where(listed(table.c.run_id, "ids", dialect)))
        left = sa.tuple_(*key) if len(key) > 1 else key[0]
        return sa.delete(table).where(left.in_(gone))

    DEFINITIONS.append(Definition(f"delete_pruned_{table.name}", build))


for _table in HANGING:
    _delete_pruned(_table)


@plain
def all_pruned(dialect: Dialect) -> ClauseElement:
    return page(sa.select(pruned_runs.c.run_id).order_by(pruned_runs.c.run_id))


@plain
def delete_pruned(dialect: Dialect) -> ClauseElement:
    """Those of which nothing is left; another process may just have added some."""
    left = [sa.exists().where(table.c.run_id == pruned_runs.c.run_id) for table in HANGING]
    return sa.delete(pruned_runs).where(listed(pruned_runs.c.run_id, "ids", dialect), ~sa.or_(*left))


@plain
def unused_plans(dialect: Dialect) -> ClauseElement:
    unused = ~sa.exists().where(runs.c.plan_hash == plans.c.hash)
    query = sa.select(plans.c.hash).where(plans.c.hash > p("after"), unused)
    return page(query.order_by(plans.c.hash))


@plain
def delete_plans(dialect: Dialect) -> ClauseElement:
    unused = ~sa.exists().where(runs.c.plan_hash == plans.c.hash)
    return sa.delete(plans).where(listed(plans.c.hash, "hashes", dialect), unused)


@plain
def stale_cache(dialect: Dialect) -> ClauseElement:
    """What is over, and what belongs to a pruned run: its value may have been among that run's files."""
    over = task_cache.c.expires_at <= p("now", sa.Double)
    orphaned = ~sa.exists().where(runs.c.id == task_cache.c.run_id)
    query = sa.select(task_cache.c.key, task_cache.c.run_id).where(task_cache.c.key > p("after"))
    return page(query.where(sa.or_(over, orphaned)).order_by(task_cache.c.key))


@plain
def delete_cache(dialect: Dialect) -> ClauseElement:
    """Unless a newer run has put another result there since."""
    found = (listed(task_cache.c.key, "keys", dialect), listed(task_cache.c.run_id, "runs", dialect))
    return sa.delete(task_cache).where(*found)


# ---- what is numbered in the order of time: the oldest first ----

IN_ORDER = (ticks, signals, audit)


def _in_order(table: sa.Table) -> None:
    def oldest(dialect: Dialect) -> ClauseElement:
        return page(sa.select(table.c.id, table.c.at).order_by(table.c.id))

    def delete(dialect: Dialect) -> ClauseElement:
        return sa.delete(table).where(listed(table.c.id, "ids", dialect))

    DEFINITIONS.append(Definition(f"oldest_{table.name}", oldest))
    DEFINITIONS.append(Definition(f"delete_{table.name}", delete))


for _table in IN_ORDER:
    _in_order(_table)


@plain
def old_alerts(dialect: Dialect) -> ClauseElement:
    """Those of which nothing was heard since `cutoff`."""
    return page(sa.select(alerts.c.id).where(alerts.c.last_at < p("cutoff", sa.Double)).order_by(alerts.c.id))


@plain
def delete_alerts(dialect: Dialect) -> ClauseElement:
    """With their deliveries."""
    old = (listed(alerts.c.id, "ids", dialect), alerts.c.last_at < p("cutoff", sa.Double))
    return sa.delete(alerts).where(*old)


# ---- backfills, versions, processes ----


@plain
def old_backfills(dialect: Dialect) -> ClauseElement:
    return page(
        sa.select(backfills.c.id).where(backfills.c.finished_at < p("cutoff", sa.Double)).order_by(backfills.c.id)
    )


@plain
def delete_backfill_items(dialect: Dialect) -> ClauseElement:
    key = (backfill_items.c.backfill_id, backfill_items.c.no)
    mine = sa.select(*key).where(backfill_items.c.backfill_id == p("of_backfill", sa.BigInteger))
    return sa.delete(backfill_items).where(sa.tuple_(*key).in_(page(mine.order_by(backfill_items.c.no))))


@plain
def delete_backfill(dialect: Dialect) -> ClauseElement:
    return sa.delete(backfills).where(backfills.c.id == p("of_backfill", sa.BigInteger))


@plain
def unused_versions(dialect: Dialect) -> ClauseElement:
    """Those of which no run is left and that no location has any more, but for what was loaded since `cutoff`."""
    table = definition_versions
    used = sa.exists().where(runs.c.version == table.c.hash)
    current = sa.exists().where(definitions.c.location == table.c.location, definitions.c.hash == table.c.hash)
    query = sa.select(table.c.hash).where(table.c.loaded_at < p("cutoff", sa.Double), ~current, ~used)
    return page(query.order_by(table.c.hash))


@plain
def delete_versions(dialect: Dialect) -> ClauseElement:
    old = (
        listed(definition_versions.c.hash, "hashes", dialect),
        definition_versions.c.loaded_at < p("cutoff", sa.Double),
    )
    return sa.delete(definition_versions).where(*old)


@plain
def delete_processes(dialect: Dialect) -> ClauseElement:
    return sa.delete(processes).where(processes.c.seen_at < p("cutoff", sa.Double))
