"""How a query is made into a table, a view, or more rows of a table, in a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.core.connections import Connection
from batuta.core.errors import RequestError, ResultError
from batuta.io import frames
from batuta.io.base import OutputContext, Stored, describe
from batuta.io.database import INPUT, DatabaseSession, check_unique, one_part, same_key
from batuta.io.duck_tables import PARTITION, quoted
from batuta.io.frames import Columns
from batuta.io.pickling import type_name
from batuta.io.postgres_tables import Table, shown_columns, stored_in, with_notes, with_schema
from batuta.io.queries import Part, Query, QueryFailed, Session, counted

if TYPE_CHECKING:
    from batuta.io.postgres import PostgresIO


class PostgresSession(DatabaseSession):
    """See `queries.Session`."""

    manager: PostgresIO

    def holds(self, manager: Any) -> bool:
        if getattr(manager, "dialect", "") != "postgres":
            return False
        return _database(self.manager.known) == _database(manager.known)

    def shown(self, columns: Iterable[tuple[str, str]]) -> Columns:
        return shown_columns(columns)

    def reading(self, manager: Any, parts: Sequence[Part]) -> str:
        if len(parts) == 1:
            return self.read_part(manager, *parts[0])
        kinds: dict[str, str] = {}
        for asset, _ in parts:
            kinds = {**dict(manager.table_of(asset).columns(self.connection)), **kinds}
        kinds.pop(PARTITION, None)
        each = []
        for asset, partitions in parts:
            own = dict(manager.table_of(asset).columns(self.connection))
            columns = [
                quoted(name) if name in own else f"NULL::{kind} AS {quoted(name)}" for name, kind in kinds.items()
            ]
            each.append(f"SELECT {', '.join(columns)} FROM {self.read_part(manager, asset, partitions)} AS part")
        return f"({' UNION ALL '.join(each)})"

    def add(self, name: str, value: Any) -> tuple[str, Columns]:
        from batuta.io.postgres import stage

        kind = frames.kind_of(value)
        if kind is None:
            raise ResultError(
                f"{name!r} is no table, but a {type_name(value)}",
                hint="a query reads tables; read it in a Python asset",
            )
        columns = stage(self.connection, name, frames.to_arrow(value, kind))
        return f"pg_temp.{quoted(name)}", shown_columns(columns)


def _database(known: Connection) -> tuple[str, Any, str]:
    """What tells one database from another."""
    return known.host or str(known.extra.get("host", "")), known.port or known.extra.get("port", 5432), known.database


def run_query(manager: PostgresIO, context: OutputContext, build: Callable[[Session], Query], cursor: Any) -> Stored:
    """The work of `PostgresIO.query`, within a transaction."""
    table = manager.table_of(context.asset)
    cursor.execute("SET LOCAL TIME ZONE 'UTC'")
    with_notes(cursor)
    query = build(PostgresSession(manager, cursor))
    stored = _made(manager, cursor, table, context, query)
    if query.settle is not None:
        where = manager.where(context.partitions)
        query.settle(partial(counted, lambda sql: cursor.execute(sql).fetchall(), table.sql, where))
    return stored


def stage_fetched(manager: PostgresIO, build: Callable[[Session], Query], cursor: Any) -> list[tuple[str, str]]:
    """The work of `PostgresIO.fetch`, but for reading what is staged: its columns."""
    cursor.execute("SET LOCAL TIME ZONE 'UTC'")
    query = build(PostgresSession(manager, cursor))
    _stage_query(cursor, query.text)
    return _input_columns(cursor)


def _made(manager: PostgresIO, cursor: Any, table: Table, context: OutputContext, query: Query) -> Stored:
    if query.kept == "view":
        made = _make_view(cursor, table, context, query)
        if query.admit is not None:
            query.admit(made.columns or [])
        return made
    if query.kept == "incremental" and query.begins and not query.afresh and not table.columns(cursor):
        with_schema(cursor, table.schema)
        cursor.execute(f"CREATE TABLE {table.sql} AS SELECT * FROM {query.begins} AS production")
    existing = dict(table.columns(cursor))
    adds = query.kept == "incremental" and not context.partitions
    begins = not existing or PARTITION in existing or table.kind(cursor) != "table" or query.afresh
    _stage_query(cursor, query.first if adds and begins else query.text)
    incoming = _input_columns(cursor)
    if query.admit is not None:
        query.admit(shown_columns(incoming))
    if adds and not begins:
        return _add_rows(cursor, table, context, query, incoming)
    key = context.partitions[0] if context.partitions else ""
    stored = manager.store_staged(cursor, table, context, key, incoming)
    if adds:
        stored.metadata = {"rows_inserted": stored.rows, "rows_deleted": 0}
    return stored


def copy_table(manager: PostgresIO, source: OutputContext, target: OutputContext, cursor: Any) -> dict[str, Stored]:
    """The work of `PostgresIO.copy`, within a transaction."""
    table = manager.table_of(target.asset)
    session = PostgresSession(manager, cursor)
    parts = {}
    for key in source.partitions or ("",):
        one = msgspec.structs.replace(target, partitions=(key,) if key else ())
        reading = session.reading(manager, [one_part(source, key)])
        _stage_query(cursor, f"SELECT * FROM {reading} AS source")
        parts[key] = manager.store_staged(cursor, table, one, key, _input_columns(cursor))
        cursor.execute("DROP TABLE pg_temp.batuta_input")
    return parts


def _stage_query(cursor: Any, query: str) -> None:
    with explained(sql := f"CREATE TEMP TABLE batuta_input ON COMMIT DROP AS {query}"):
        cursor.execute(sql)


def _input_columns(cursor: Any) -> list[tuple[str, str]]:
    sql = """SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
        WHERE attrelid = 'pg_temp.batuta_input'::regclass AND attnum > 0 ORDER BY attnum"""
    return [(name, kind) for name, kind in cursor.execute(sql).fetchall()]


def _make_view(cursor: Any, table: Table, context: OutputContext, query: Query) -> Stored:
    if context.partitions:
        what = describe(context.asset, context.partitions)
        raise RequestError(f"{what}: a view has no partitions", hint="make it a table, or take the partitions away")
    import psycopg

    with_schema(cursor, table.schema)
    table.drop(cursor, unless="view")
    sql = f"CREATE OR REPLACE VIEW {table.sql} AS {query.text}"
    with explained(sql):
        cursor.execute("SAVEPOINT batuta_view")
        try:
            cursor.execute(sql)
        except psycopg.errors.InvalidTableDefinition:  # other columns than before
            cursor.execute("ROLLBACK TO SAVEPOINT batuta_view")
            cursor.execute(f"DROP VIEW {table.sql}")
            cursor.execute(sql)
    return Stored(columns=shown_columns(table.columns(cursor)), metadata={"kept_as": "view"})


def _add_rows(
    cursor: Any, table: Table, context: OutputContext, query: Query, incoming: list[tuple[str, str]]
) -> Stored:
    names = dict(incoming)
    deleted = 0
    check_unique(cursor, context, query.unique_key, names, f"pg_temp.{INPUT}")
    table.fit(cursor, incoming, keep=True)
    if query.unique_key:
        same = same_key(query.unique_key)
        cursor.execute(f"DELETE FROM {table.sql} AS old USING pg_temp.batuta_input AS new WHERE {same}")
        deleted = cursor.rowcount
    columns = ", ".join(map(quoted, names))
    cursor.execute(f"INSERT INTO {table.sql} ({columns}) SELECT {columns} FROM pg_temp.batuta_input")
    inserted = cursor.rowcount
    stored = stored_in(cursor, table, "TRUE")
    stored.metadata = {"rows_inserted": inserted, "rows_deleted": deleted}
    return stored


@contextmanager
def explained(sql: str) -> Iterator[None]:
    """What PostgreSQL says of a query becomes QueryFailed, with the line."""
    import psycopg

    try:
        yield
    except (psycopg.ProgrammingError, psycopg.DataError, psycopg.NotSupportedError) as error:
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            raise
        diag = error.diag
        told = [diag.message_primary or str(error).strip(), diag.message_detail, diag.message_hint]
        message = f"{type(error).__name__}: " + "; ".join(one for one in told if one)
        at = int(diag.statement_position or 0)
        raise QueryFailed(message, sql.count("\n", 0, at - 1) + 1 if at else 0) from error
