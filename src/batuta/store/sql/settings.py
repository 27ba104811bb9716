"""The statements about variables, connections, secrets, and who did what."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from batuta.store.schema import meta
from batuta.store.schema_service import audit, connections, variables
from batuta.store.sql.build import (
    DEFINITIONS,
    Definition,
    Dialect,
    has_text,
    if_given,
    insert,
    insert_each,
    literal,
    numbered,
    p,
    plain,
)

insert_each("put_variables", variables, replace_by=("name",))
insert_each("put_connections", connections, replace_by=("name",))
insert_each("put_audit", audit)


@plain
def all_variables(dialect: Dialect) -> ClauseElement:
    return sa.select(variables).where(if_given(variables.c.name, "name")).order_by(variables.c.name)


@plain
def all_connections(dialect: Dialect) -> ClauseElement:
    return sa.select(connections).where(if_given(connections.c.name, "name")).order_by(connections.c.name)


@plain
def delete_variable(dialect: Dialect) -> ClauseElement:
    return sa.delete(variables).where(variables.c.name == p("name"))


@plain
def delete_connection(dialect: Dialect) -> ClauseElement:
    return sa.delete(connections).where(connections.c.name == p("name"))


@plain
def keep_meta(dialect: Dialect) -> ClauseElement:
    into = insert(meta, dialect).values(key=sa.bindparam("key"), value=sa.bindparam("value"))
    return into.on_conflict_do_nothing()


def _lock_settings(dialect: Dialect) -> ClauseElement:
    """PostgreSQL: one writer at a time, so that none encrypts with a key that a rotation is about to take away."""
    return sa.select(sa.func.pg_advisory_xact_lock(literal(7089350519838)))


DEFINITIONS.append(Definition("lock_settings", _lock_settings, only="postgresql"))


numbered(
    "audit_entries",
    sa.select(audit),
    audit.c.id,
    lambda dialect: (
        if_given(audit.c.actor, "actor"),
        if_given(audit.c.action, "action"),
        if_given(audit.c.object_kind, "object_kind"),
        if_given(audit.c.object_name, "object_name"),
        audit.c.at >= p("since", sa.Double),
        has_text(audit.c.actor, audit.c.action, audit.c.object_kind, audit.c.object_name, audit.c.data),
    ),
)
