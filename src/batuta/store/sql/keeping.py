"""The statements about definitions and partitions, the database's own state, and how much there is of what."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from batuta.store import schema, schema_service  # noqa: F401 - its tables are counted, too
from batuta.store.schema import (
    asset_definitions,
    definitions,
    dynamic_partitions,
    meta,
)
from batuta.store.sql.build import (
    DEFINITIONS,
    Definition,
    Dialect,
    if_given,
    insert,
    insert_each,
    listed,
    p,
    plain,
)

# ---- catalog ----

insert_each("put_asset_definitions", asset_definitions, replace_by=("key", "location"))
insert_each("put_dynamic_partitions", dynamic_partitions, ignore=True)


@plain
def partitions_named(dialect: Dialect) -> ClauseElement:
    query = sa.select(dynamic_partitions.c.key).where(dynamic_partitions.c.name == p("name"))
    return query.order_by(dynamic_partitions.c.created_at, dynamic_partitions.c.key)


@plain
def delete_partitions(dialect: Dialect) -> ClauseElement:
    mine = dynamic_partitions.c.name == p("name")
    return sa.delete(dynamic_partitions).where(mine, listed(dynamic_partitions.c.key, "keys", dialect))


@plain
def all_definitions(dialect: Dialect) -> ClauseElement:
    return sa.select(definitions).order_by(definitions.c.location)


@plain
def definitions_at(dialect: Dialect) -> ClauseElement:
    return sa.select(definitions).where(definitions.c.location == p("location"))


@plain
def put_definitions(dialect: Dialect) -> ClauseElement:
    into = insert(definitions, dialect).values({c.name: sa.bindparam(c.name) for c in definitions.columns})
    new = {c.name: into.excluded[c.name] for c in definitions.columns if c.name != "location"}
    return into.on_conflict_do_update(index_elements=["location"], set_=new)


@plain
def touch_definitions(dialect: Dialect) -> ClauseElement:
    update = sa.update(definitions).where(definitions.c.location == p("of_location"))
    return update.values(loaded_at=p("at", sa.Double), error=p("new_error"), problems=p("new_problems"))


@plain
def delete_definitions(dialect: Dialect) -> ClauseElement:
    return sa.delete(definitions).where(definitions.c.location == p("location"))


@plain
def assets_defined(dialect: Dialect) -> ClauseElement:
    query = sa.select(asset_definitions).where(if_given(asset_definitions.c.location, "location"))
    return query.order_by(asset_definitions.c.key, asset_definitions.c.location)


@plain
def asset_defined(dialect: Dialect) -> ClauseElement:
    query = sa.select(asset_definitions).where(listed(asset_definitions.c.key, "keys", dialect))
    return query.order_by(asset_definitions.c.key, asset_definitions.c.location)


@plain
def delete_asset_definitions(dialect: Dialect) -> ClauseElement:
    mine = asset_definitions.c.location == p("location")
    return sa.delete(asset_definitions).where(mine, listed(asset_definitions.c.key, "keys", dialect))


@plain
def get_meta(dialect: Dialect) -> ClauseElement:
    return sa.select(meta.c.value).where(meta.c.key == p("key"))


@plain
def put_meta(dialect: Dialect) -> ClauseElement:
    into = insert(meta, dialect).values(key=sa.bindparam("key"), value=sa.bindparam("value"))
    return into.on_conflict_do_update(index_elements=["key"], set_={"value": into.excluded["value"]})


# ---- revision, retention ----


@plain
def get_revision(dialect: Dialect) -> ClauseElement:
    return sa.select(schema.revision.c.version_num)


@plain
def put_revision(dialect: Dialect) -> ClauseElement:
    return sa.insert(schema.revision).values(version_num=sa.bindparam("version_num"))


def _count_rows(table: sa.Table) -> None:
    DEFINITIONS.append(Definition(f"count_{table.name}", lambda dialect: sa.select(sa.func.count()).select_from(table)))


for _table in schema.metadata.sorted_tables:
    _count_rows(_table)
