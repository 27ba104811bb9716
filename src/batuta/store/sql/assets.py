"""The statements of what happens to assets, in the order in which it was committed: what automation reads."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from batuta.core.environments import TAG
from batuta.store.schema import RowId, check_results, materializations, run_tags, runs
from batuta.store.schema_service import tickers, ticks
from batuta.store.sql.build import Dialect, is_open, literal, p, page, plain


def _since(table: sa.Table) -> sa.Select[tuple[object, ...]]:
    columns = [column for column in table.columns if column.name != "id"]
    query = sa.select(*columns, table.c.id).where(table.c.id > p("after_id", RowId))
    return page(query.order_by(table.c.id))


@plain
def materializations_since(dialect: Dialect) -> ClauseElement:
    return _since(materializations)


@plain
def check_results_since(dialect: Dialect) -> ClauseElement:
    return _since(check_results)


@plain
def last_asset_ids(dialect: Dialect) -> ClauseElement:
    """The newest materialization and the newest check result."""
    newest = [sa.select(sa.func.max(table.c.id)).scalar_subquery() for table in (materializations, check_results)]
    return sa.select(*(sa.func.coalesce(each, literal(0)) for each in newest))


@plain
def unfinished_asset_runs(dialect: Dialect) -> ClauseElement:
    """Those in production."""
    elsewhere = sa.exists().where(run_tags.c.key == literal(TAG), run_tags.c.run_id == runs.c.id)
    query = sa.select(runs.c.id, runs.c.plan_hash).where(is_open(), runs.c.kind == literal("assets"), ~elsewhere)
    return query.order_by(runs.c.id)


@plain
def switched_tickers(dialect: Dialect) -> ClauseElement:
    """Those that a person has turned on or off."""
    query = sa.select(tickers.c.location, tickers.c.name, tickers.c.enabled)
    return query.where(tickers.c.kind == p("kind"), tickers.c.enabled.is_not(None))


@plain
def latest_ticks(dialect: Dialect) -> ClauseElement:
    """The newest tick of each ticker of a kind."""
    newest = (
        sa.select(sa.func.max(ticks.c.id)).where(ticks.c.kind == p("kind")).group_by(ticks.c.location, ticks.c.name)
    )
    return sa.select(ticks).where(ticks.c.id.in_(newest)).order_by(ticks.c.location, ticks.c.name)
