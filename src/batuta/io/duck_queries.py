"""How a query is made into a table, a view, or more rows of a table, in a DuckDB file.

The query's text stands on lines of its own wherever it is put, so that the line DuckDB names is the author's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.core.errors import RequestError, ResultError
from batuta.io import frames
from batuta.io.base import OutputContext, Stored, describe
from batuta.io.database import INPUT, DatabaseSession, check_unique, one_part, same_key
from batuta.io.duck_tables import (
    NOTES,
    PARTITION,
    Table,
    described,
    quoted,
    stored_in,
    with_schema,
)
from batuta.io.frames import Columns, plain_type
from batuta.io.pickling import type_name
from batuta.io.queries import Part, Query, QueryFailed, Session, counted

if TYPE_CHECKING:
    from batuta.io.duck import DuckDBIO


class DuckSession(DatabaseSession):
    """See `queries.Session`."""

    manager: DuckDBIO

    def holds(self, manager: Any) -> bool:
        return getattr(manager, "dialect", "") == "duckdb" and manager.database == self.manager.database

    def shown(self, columns: Iterable[tuple[str, str]]) -> Columns:
        return [(name, plain_type(kind)) for name, kind in columns if name != PARTITION]

    def reading(self, manager: Any, parts: Sequence[Part]) -> str:
        each = [self.read_part(manager, *part) for part in parts]
        return each[0] if len(each) == 1 else f"({' UNION ALL BY NAME '.join(f'FROM {one}' for one in each)})"

    def add(self, name: str, value: Any) -> tuple[str, Columns]:
        return add_table(self.connection, name, value)


def add_table(connection: Any, name: str, value: Any) -> tuple[str, Columns]:
    """Make a table of any kind readable as a view of that name, until the connection is closed."""
    kind = frames.kind_of(value)
    if kind is None:
        raise ResultError(
            f"{name!r} is no table, but a {type_name(value)}", hint="a query reads tables; read it in a Python asset"
        )
    if kind == "rows":
        value = frames.from_rows(value)[1]
    elif kind in ("stream", "lazy"):  # readable once, or computed each time
        value = frames.to_arrow(value, kind)
    if kind == "duckdb":
        value.create_view(name)
    else:
        connection.register(name, value)
    return quoted(name), [(one, plain_type(kind)) for one, kind in described(connection, quoted(name))]


def run_query(manager: DuckDBIO, context: OutputContext, build: Callable[[Session], Query], connection: Any) -> Stored:
    """The work of `DuckDBIO.query`, within a transaction."""
    table = manager.table_of(context.asset)
    with_schema(connection, table.schema)
    connection.execute("SET TimeZone = 'UTC'")
    query = build(DuckSession(manager, connection))
    with explained():
        if query.admit is not None:
            columns = described(connection, f"({query.first or query.text}\n)")
            query.admit([(name, plain_type(kind)) for name, kind in columns])
        stored = _made(manager, connection, table, context, query)
    if query.settle is not None:
        where = manager.where(context.partitions)
        query.settle(partial(counted, lambda sql: connection.execute(sql).fetchall(), table.sql, where))
    return stored


def fetched(manager: DuckDBIO, build: Callable[[Session], Query], connection: Any) -> Any:
    """The work of `DuckDBIO.fetch`."""
    connection.execute("SET TimeZone = 'UTC'")
    query = build(DuckSession(manager, connection))
    with explained():
        return connection.sql(query.text).to_arrow_table()


def _made(manager: DuckDBIO, connection: Any, table: Table, context: OutputContext, query: Query) -> Stored:
    match query.kept:
        case "view":
            return _make_view(connection, table, context, query)
        case "incremental" if not context.partitions:
            return _add_rows(manager, connection, table, context, query)
        case _:
            key = context.partitions[0] if context.partitions else ""
            return manager.store_source(connection, table, context, key, f"({query.text}\n)")


def copy_table(manager: DuckDBIO, source: OutputContext, target: OutputContext, connection: Any) -> dict[str, Stored]:
    """The work of `DuckDBIO.copy`, within a transaction."""
    table = manager.table_of(target.asset)
    with_schema(connection, table.schema)
    session = DuckSession(manager, connection)
    parts = {}
    for key in source.partitions or ("",):
        one = msgspec.structs.replace(target, partitions=(key,) if key else ())
        reading = session.reading(manager, [one_part(source, key)])
        parts[key] = manager.store_source(connection, table, one, key, reading)
    return parts


def _make_view(connection: Any, table: Table, context: OutputContext, query: Query) -> Stored:
    if context.partitions:
        what = describe(context.asset, context.partitions)
        raise RequestError(f"{what}: a view has no partitions", hint="make it a table, or take the partitions away")
    table.drop(connection, unless="view")
    connection.execute(f"CREATE OR REPLACE VIEW {table.sql} AS {query.text}")
    connection.execute(f"DELETE FROM {NOTES.sql} WHERE asset = ?", [context.asset])
    columns = [(name, plain_type(kind)) for name, kind in described(connection, table.sql)]
    return Stored(columns=columns, metadata={"kept_as": "view"})


def _add_rows(manager: DuckDBIO, connection: Any, table: Table, context: OutputContext, query: Query) -> Stored:
    existing = dict(table.columns(connection))
    if not existing and query.begins and not query.afresh:
        connection.execute(f"CREATE TABLE {table.sql} AS FROM {query.begins}")
        existing = dict(table.columns(connection))
    if not existing or table.kind(connection) == "view" or PARTITION in existing or query.afresh:
        stored = manager.store_source(connection, table, context, "", f"({query.first}\n)")
        stored.metadata = {"rows_inserted": stored.rows, "rows_deleted": 0}
        return stored
    connection.execute(f"CREATE OR REPLACE TEMP TABLE batuta_input AS FROM ({query.text}\n)")
    incoming = described(connection, "batuta_input")
    deleted = 0
    check_unique(connection, context, query.unique_key, dict(incoming), INPUT)
    for name, kind in incoming:
        table.widen(connection, name, existing.get(name), kind)
    if query.unique_key:
        delete = f"DELETE FROM {table.sql} AS old USING batuta_input AS new WHERE {same_key(query.unique_key)}"
        ((deleted,),) = connection.execute(delete).fetchall()
    ((inserted,),) = connection.execute(f"INSERT INTO {table.sql} BY NAME FROM batuta_input").fetchall()
    connection.execute("DROP TABLE batuta_input")
    stored = stored_in(connection, table, "TRUE")
    stored.metadata = {"rows_inserted": inserted, "rows_deleted": deleted}
    return stored


@contextmanager
def explained() -> Iterator[None]:
    """What DuckDB says of a query becomes QueryFailed, with the line."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        if _is_of_query(error):
            raise _failed(error) from error
        raise


def _is_of_query(error: Exception) -> bool:
    """Whether DuckDB means the query, rather than the file or a conflict with another transaction."""
    import duckdb

    return (
        isinstance(
            error,
            duckdb.ProgrammingError
            | duckdb.DataError
            | duckdb.ConversionException
            | duckdb.NotSupportedError
            | duckdb.OutOfRangeException,
        )
        and "onflict" not in str(error).partition("\n")[0]
    )


def _failed(error: Exception) -> QueryFailed:
    message = str(error)
    found = re.search(r"\n\s*LINE (\d+):", message)
    return QueryFailed(message.partition("\n\nLINE ")[0].replace("\n\n", "\n"), int(found[1]) if found else 0)
