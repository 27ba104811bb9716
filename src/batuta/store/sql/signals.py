"""The statements of signals."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from batuta.store.schema import RowId
from batuta.store.schema_service import signals
from batuta.store.sql.build import DEFINITIONS, Definition, Dialect, insert_each, listed, literal, p, page, plain

insert_each("put_signals", signals)


def _lock_signals(dialect: Dialect) -> ClauseElement:
    """One sender at a time: PostgreSQL numbers rows before they are committed, and readers go by the numbers."""
    return sa.select(sa.func.pg_advisory_xact_lock(literal(7089350519840)))


DEFINITIONS.append(Definition("lock_signals", _lock_signals, only="postgresql"))


@plain
def signals_after(dialect: Dialect) -> ClauseElement:
    query = sa.select(signals).where(signals.c.name == p("name"), signals.c.id > p("after_id", RowId))
    return page(query.order_by(signals.c.id))


@plain
def signals_among(dialect: Dialect) -> ClauseElement:
    query = sa.select(signals).where(listed(signals.c.name, "keys", dialect), signals.c.at > p("after", sa.Double))
    return page(query.order_by(signals.c.id))


@plain
def last_signal_id(dialect: Dialect) -> ClauseElement:
    return sa.select(sa.func.coalesce(sa.func.max(signals.c.id), literal(0)))
