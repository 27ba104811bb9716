"""The statements about the files that versions of code locations were loaded from."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement, ColumnElement

from batuta.store.schema import definitions, runs
from batuta.store.schema_service import source_files, sources
from batuta.store.sql.build import (
    DEFINITIONS,
    Definition,
    Dialect,
    insert,
    insert_each,
    listed,
    literal,
    p,
    page,
    plain,
)

insert_each("put_source_files", source_files, ignore=True)


def _lock_sources(dialect: Dialect) -> ClauseElement:
    """A text is not to be forgotten by one while another begins to need it."""
    return sa.select(sa.func.pg_advisory_xact_lock(literal(7089350519846)))


DEFINITIONS.append(Definition("lock_sources", _lock_sources, only="postgresql"))


@plain
def put_source(dialect: Dialect) -> ClauseElement:
    into = insert(sources, dialect).values(hash=sa.bindparam("hash"), data=sa.bindparam("data"))
    return into.on_conflict_do_nothing()


def _version() -> tuple[ColumnElement[bool], ...]:
    return source_files.c.location == p("location"), source_files.c.version == p("version")


def _next() -> ColumnElement[float]:
    """When the same file of the same version had another text."""
    later = source_files.alias("later")
    same = [later.c[name] == source_files.c[name] for name in ("location", "version", "file")]
    found = sa.select(sa.func.min(later.c.at)).where(*same, later.c.at > source_files.c.at)
    return found.correlate(source_files).scalar_subquery()


@plain
def newest_sources(dialect: Dialect) -> ClauseElement:
    """File and hash of what a version was loaded from last."""
    return sa.select(source_files.c.file, source_files.c.hash).where(*_version(), _next().is_(None))


@plain
def source_at(dialect: Dialect) -> ClauseElement:
    """The text that a file had at that time."""
    at = sa.cast(p("at", sa.Double), sa.Double)
    query = sa.select(sources.c.data).join(source_files, source_files.c.hash == sources.c.hash)
    query = query.where(*_version(), source_files.c.file == p("file"), sa.or_(at.is_(None), source_files.c.at <= at))
    return query.order_by(source_files.c.at.desc()).limit(literal(1)).offset(literal(0))


@plain
def first_source(dialect: Dialect) -> ClauseElement:
    """The first text that was kept of a file: another process may have begun a run before it was."""
    query = sa.select(sources.c.data).join(source_files, source_files.c.hash == sources.c.hash)
    query = query.where(*_version(), source_files.c.file == p("file"))
    return query.order_by(source_files.c.at).limit(literal(1)).offset(literal(0))


@plain
def delete_source_files(dialect: Dialect) -> ClauseElement:
    """Those loaded before `cutoff` of which no run began while they were the newest, and that do not serve now."""
    mine, following = source_files.c, _next()
    used = sa.exists().where(
        runs.c.version == mine.version,
        runs.c.location == mine.location,
        sa.or_(following.is_(None), sa.and_(runs.c.created_at >= mine.at, runs.c.created_at < following)),
    )
    current = sa.exists().where(definitions.c.location == mine.location, definitions.c.hash == mine.version)
    serves = sa.and_(following.is_(None), current)
    key = (mine.location, mine.version, mine.file, mine.at)
    old = page(sa.select(*key).where(mine.at < p("cutoff", sa.Double), ~serves, ~used).order_by(*key))
    return sa.delete(source_files).where(sa.tuple_(*key).in_(old))


@plain
def unused_sources(dialect: Dialect) -> ClauseElement:
    used = sa.exists().where(source_files.c.hash == sources.c.hash)
    return page(sa.select(sources.c.hash).where(~used).order_by(sources.c.hash))


@plain
def delete_sources(dialect: Dialect) -> ClauseElement:
    return sa.delete(sources).where(listed(sources.c.hash, "hashes", dialect))
