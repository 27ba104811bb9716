"""The statements of backfills."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from batuta.store.schema import RowId, runs
from batuta.store.schema_service import backfill_items, backfills
from batuta.store.sql.build import (
    DEFINITIONS,
    Definition,
    Dialect,
    has_text,
    if_given,
    if_listed,
    insert_each,
    is_final,
    listed,
    literal,
    numbered,
    p,
    page,
    plain,
    records,
)

insert_each("put_backfills", backfills)
insert_each("put_backfill_items", backfill_items)

OPEN_BACKFILLS = ("running", "paused", "cancelling")
_SUBMITTED = literal("submitted")


def _mine() -> sa.ColumnElement[bool]:
    return backfill_items.c.backfill_id == p("of_backfill", RowId)


def _lock_backfills(dialect: Dialect) -> ClauseElement:
    """One is made at a time, so that the newest is one's own."""
    return sa.select(sa.func.pg_advisory_xact_lock(literal(7089350519842)))


DEFINITIONS.append(Definition("lock_backfills", _lock_backfills, only="postgresql"))


@plain
def last_backfill_id(dialect: Dialect) -> ClauseElement:
    return sa.select(sa.func.coalesce(sa.func.max(backfills.c.id), literal(0)))


@plain
def backfill(dialect: Dialect) -> ClauseElement:
    return sa.select(backfills).where(backfills.c.id == p("of_backfill", RowId))


@plain
def backfill_held(dialect: Dialect) -> ClauseElement:
    """The same, held until the end of the transaction."""
    return sa.select(backfills).where(backfills.c.id == p("of_backfill", RowId)).with_for_update()


numbered(
    "backfills_page",
    sa.select(backfills),
    backfills.c.id,
    lambda dialect: (
        if_given(backfills.c.job, "job"),
        if_listed(backfills.c.state, "states", dialect),
        if_listed(backfills.c.location, "locations", dialect),
        has_text(backfills.c.job, backfills.c.selection, backfills.c.created_by, backfills.c.error),
    ),
)


@plain
def open_backfills(dialect: Dialect) -> ClauseElement:
    states = [literal(state) for state in OPEN_BACKFILLS]
    return sa.select(backfills).where(backfills.c.state.in_(states)).order_by(backfills.c.id)


@plain
def backfill_counts(dialect: Dialect) -> ClauseElement:
    items = backfill_items
    query = sa.select(items.c.backfill_id, items.c.state, sa.func.count())
    query = query.where(listed(items.c.backfill_id, "ids", dialect))
    return query.group_by(items.c.backfill_id, items.c.state)


@plain
def backfill_items_page(dialect: Dialect) -> ClauseElement:
    query = sa.select(backfill_items).where(
        _mine(),
        backfill_items.c.no > p("after", sa.Integer),
        if_listed(backfill_items.c.state, "states", dialect),
        has_text(backfill_items.c.label, backfill_items.c.error),
    )
    return page(query.order_by(backfill_items.c.no))


@plain
def backfill_items_ended(dialect: Dialect) -> ClauseElement:
    """Submitted items whose runs have ended: number, attempt, run, and its state and error."""
    items = backfill_items
    query = sa.select(items.c.no, items.c.attempt, items.c.run_id, runs.c.state, runs.c.error).join(
        runs, runs.c.id == items.c.run_id
    )
    return page(query.where(_mine(), items.c.state == _SUBMITTED, is_final()).order_by(items.c.no))


@plain
def backfill_items_lost(dialect: Dialect) -> ClauseElement:
    """Submitted items whose runs are gone: pruned, which only runs that have ended are."""
    items = backfill_items
    gone = ~sa.exists().where(runs.c.id == items.c.run_id)
    query = sa.select(items.c.no, items.c.attempt, items.c.run_id)
    return page(query.where(_mine(), items.c.state == _SUBMITTED, gone).order_by(items.c.no))


@plain
def backfill_runs_open(dialect: Dialect) -> ClauseElement:
    items = backfill_items
    return sa.select(items.c.run_id).where(_mine(), items.c.state == _SUBMITTED).order_by(items.c.no)


def _update_backfill_items(dialect: Dialect) -> ClauseElement:
    changed = ("state", "attempt", "run_id", "error")
    keys = ("key_backfill_id", "key_no")
    if dialect == "sqlite":
        update = sa.update(backfill_items).values({c: sa.bindparam(c) for c in changed})
        return update.where(
            backfill_items.c.backfill_id == p("key_backfill_id", sa.Integer),
            backfill_items.c.no == p("key_no", sa.Integer),
        )
    rows = records(backfill_items, changed + keys)
    update = sa.update(backfill_items).values({c: rows.c[c] for c in changed})
    return update.where(backfill_items.c.backfill_id == rows.c.key_backfill_id, backfill_items.c.no == rows.c.key_no)


DEFINITIONS.append(
    Definition(
        "update_backfill_items",
        _update_backfill_items,
        ("state", "attempt", "run_id", "error", "key_backfill_id", "key_no"),
    )
)


@plain
def set_backfill_state(dialect: Dialect) -> ClauseElement:
    update = sa.update(backfills).where(backfills.c.id == p("of_backfill", RowId))
    return update.values(state=p("new_state"), finished_at=p("ended_at", sa.Double), error=p("new_error"))


@plain
def cancel_waiting_items(dialect: Dialect) -> ClauseElement:
    update = sa.update(backfill_items).where(_mine(), backfill_items.c.state == literal("waiting"))
    return update.values(state=literal("cancelled"))


@plain
def retry_backfill_items(dialect: Dialect) -> ClauseElement:
    update = sa.update(backfill_items).where(_mine(), listed(backfill_items.c.state, "states", dialect))
    return update.values(
        state=literal("waiting"), attempt=backfill_items.c.attempt + literal(1), run_id=sa.null(), error=literal("")
    )
