"""The statements of environments: see `batuta.store.environments`."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from batuta.store.schema import environment_checks, environment_partitions, environments
from batuta.store.sql.build import (
    DEFINITIONS,
    Definition,
    Dialect,
    if_listed,
    insert_each,
    literal,
    p,
    plain,
    records,
    run_id,
)

insert_each("put_environments", environments, ignore=True)
insert_each("put_environment_partitions", environment_partitions, replace_by=("environment", "asset", "partition"))
insert_each(
    "put_environment_checks", environment_checks, replace_by=("environment", "asset", "check_name", "partition")
)


@plain
def all_environments(dialect: Dialect) -> ClauseElement:
    """Each with how many assets and partitions were made in it, and when last."""
    made = environment_partitions.c
    assets = sa.func.count(sa.distinct(made.asset))
    query = sa.select(
        environments, assets, sa.func.count(made.asset), sa.func.coalesce(sa.func.max(made.at), literal(0))
    )
    query = query.outerjoin(environment_partitions, made.environment == environments.c.name)
    return query.group_by(*environments.columns).order_by(environments.c.name)


def _made() -> list[sa.ColumnElement[object]]:
    """As rows of `asset_partitions` are read."""
    return [c for c in environment_partitions.columns if c.name != "environment"]


@plain
def environment_states(dialect: Dialect) -> ClauseElement:
    query = sa.select(*_made(), literal(0)).where(environment_partitions.c.environment == p("environment"))
    return query.where(if_listed(environment_partitions.c.asset, "assets", dialect))


@plain
def environment_states_of_run(dialect: Dialect) -> ClauseElement:
    return sa.select(*_made(), literal(0)).where(environment_partitions.c.run_id == run_id())


@plain
def environment_verdicts_of_run(dialect: Dialect) -> ClauseElement:
    columns = [c for c in environment_checks.columns if c.name != "environment"]
    return sa.select(*columns, literal(0)).where(environment_checks.c.run_id == run_id())


@plain
def environment_verdicts(dialect: Dialect) -> ClauseElement:
    columns = [c for c in environment_checks.columns if c.name != "environment"]
    return sa.select(*columns, literal(0)).where(environment_checks.c.environment == p("environment"))


@plain
def environments_with(dialect: Dialect) -> ClauseElement:
    """What any environment has of one partition of an asset, made by this code; newest first."""
    made = environment_partitions.c
    query = sa.select(made.environment, *_made(), literal(0))
    query = query.where(
        made.asset == p("asset"), made.partition == p("partition"), made.code_version == p("code_version")
    )
    return query.order_by(made.at.desc())


@plain
def delete_environment(dialect: Dialect) -> ClauseElement:
    return sa.delete(environments).where(environments.c.name == p("name"))


def _delete_environments(dialect: Dialect) -> ClauseElement:
    if dialect == "sqlite":
        return sa.delete(environments).where(environments.c.name == p("name"))
    rows = records(environments, ("name",))
    return sa.delete(environments).where(environments.c.name.in_(sa.select(rows.c.name)))


DEFINITIONS.append(Definition("delete_environments", _delete_environments, ("name",)))


@plain
def delete_environment_asset(dialect: Dialect) -> ClauseElement:
    made = environment_partitions.c
    return sa.delete(environment_partitions).where(made.environment == p("environment"), made.asset == p("asset"))
