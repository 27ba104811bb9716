"""The statements of how often assets are read, and of what was recorded of them before: see `batuta.store.usage`."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from batuta.store.schema import asset_partitions, asset_usage, checks_current
from batuta.store.sql.build import DEFINITIONS, Definition, Dialect, if_listed, insert, literal, p, page, plain, records

_COLUMNS = tuple(column.name for column in asset_usage.columns)
_KEY = ("asset", "kind", "reader", "day")


def _add(dialect: Dialect) -> ClauseElement:
    """Counts are added to what is there."""
    into = insert(asset_usage, dialect)
    if dialect == "sqlite":
        into = into.values({name: sa.bindparam(name) for name in _COLUMNS})
    else:
        rows = records(asset_usage, _COLUMNS)
        into = into.from_select(_COLUMNS, sa.select(*(rows.c[name] for name in _COLUMNS)))
    new = {
        "reads": asset_usage.c.reads + into.excluded.reads,
        "last_at": into.excluded.last_at,
        "last_run": into.excluded.last_run,
    }
    return into.on_conflict_do_update(index_elements=list(_KEY), set_=new)


DEFINITIONS.append(Definition("put_asset_usage", _add, _COLUMNS))


@plain
def usage_totals(dialect: Dialect) -> ClauseElement:
    """By asset: how often it was read since a day, by how many readers, and when last."""
    used = asset_usage.c
    readers = sa.func.count(sa.distinct(used.kind + literal(" ") + used.reader))
    query = sa.select(used.asset, sa.func.sum(used.reads), readers, sa.func.max(used.last_at))
    query = query.where(used.day >= p("since", sa.Integer), if_listed(used.asset, "assets", dialect))
    return query.group_by(used.asset)


@plain
def usage_readers(dialect: Dialect) -> ClauseElement:
    """Who read an asset since a day: how often, when last, in which run. Most reads first."""
    used = asset_usage.c
    total = sa.func.sum(used.reads)
    query = sa.select(used.kind, used.reader, total, sa.func.max(used.last_at), sa.func.max(used.last_run))
    query = query.where(used.asset == p("asset"), used.day >= p("since", sa.Integer))
    return page(query.group_by(used.kind, used.reader).order_by(total.desc(), used.kind, used.reader))


@plain
def usage_days(dialect: Dialect) -> ClauseElement:
    """How often an asset was read on each day."""
    used = asset_usage.c
    query = sa.select(used.day, sa.func.sum(used.reads))
    query = query.where(used.asset == p("asset"), used.day >= p("since", sa.Integer))
    return query.group_by(used.day).order_by(used.day)


@plain
def delete_asset_usage(dialect: Dialect) -> ClauseElement:
    return sa.delete(asset_usage).where(asset_usage.c.day < p("cutoff", sa.Integer))


@plain
def metadata_before(dialect: Dialect) -> ClauseElement:
    """What is recorded of the partitions before one in the order of their keys, the nearest first."""
    of = asset_partitions.c
    query = sa.select(of.partition, of.at, of.metadata)
    query = query.where(of.asset == p("asset"), of.partition < p("partition"))
    return page(query.order_by(of.partition.desc()))


@plain
def verdicts_before(dialect: Dialect) -> ClauseElement:
    """The same of the verdicts of one check."""
    of = checks_current.c
    query = sa.select(of.partition, of.at, of.metadata)
    query = query.where(of.asset == p("asset"), of.check_name == p("check"), of.partition < p("partition"))
    return page(query.order_by(of.partition.desc()))
