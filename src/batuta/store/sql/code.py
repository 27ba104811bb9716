"""The statements of the code of assets: see `batuta.store.code`."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from batuta.store.schema import asset_code, asset_partitions, environment_partitions
from batuta.store.sql.build import Dialect, insert_each, listed, p, page, plain

insert_each("put_asset_code", asset_code, ignore=True)


@plain
def asset_code_of(dialect: Dialect) -> ClauseElement:
    query = sa.select(asset_code.c.asset, asset_code.c.code_version, asset_code.c.code)
    return query.where(listed(asset_code.c.asset, "assets", dialect))


@plain
def unused_code(dialect: Dialect) -> ClauseElement:
    """Versions, first told before `cutoff`, by which nothing that there is was made."""
    unused = [
        ~sa.exists().where(made.c.asset == asset_code.c.asset, made.c.code_version == asset_code.c.code_version)
        for made in (asset_partitions, environment_partitions)
    ]
    query = sa.select(asset_code.c.asset, asset_code.c.code_version).where(asset_code.c.at < p("cutoff", sa.Double))
    return page(query.where(*unused).order_by(asset_code.c.asset, asset_code.c.code_version))


@plain
def delete_asset_code(dialect: Dialect) -> ClauseElement:
    return sa.delete(asset_code).where(asset_code.c.asset == p("asset"), asset_code.c.code_version == p("code_version"))
