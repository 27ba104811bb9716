"""The statements of the columns of assets: see `batuta.store.columns`."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from batuta.store.schema import asset_columns
from batuta.store.sql.build import Dialect, insert_each, listed, p, plain

insert_each("put_asset_columns", asset_columns, replace_by=("asset", "source"))


@plain
def asset_columns_since(dialect: Dialect) -> ClauseElement:
    """What was told since a time; all of it since 0."""
    query = sa.select(asset_columns).where(asset_columns.c.at >= p("since", sa.Double))
    return query.order_by(asset_columns.c.asset, asset_columns.c.source)


@plain
def asset_columns_of(dialect: Dialect) -> ClauseElement:
    query = sa.select(asset_columns).where(listed(asset_columns.c.asset, "assets", dialect))
    return query.order_by(asset_columns.c.asset, asset_columns.c.source)


@plain
def asset_columns_newest(dialect: Dialect) -> ClauseElement:
    """When something was told last, and of how many assets: changes with all that is told."""
    return sa.select(sa.func.coalesce(sa.func.max(asset_columns.c.at), sa.literal_column("0")), sa.func.count())


@plain
def delete_asset_columns(dialect: Dialect) -> ClauseElement:
    return sa.delete(asset_columns).where(
        asset_columns.c.source == p("source"), listed(asset_columns.c.asset, "assets", dialect)
    )
