"""Queries over what is kept in files: DuckDB reads what others keep, in memory, and an IO manager keeps the result.

Surprising: the data version is not that of the file, but of its rows in whatever order, as DuckDB's threads give the
rows of a group in another order each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from batuta.io import frames
from batuta.io.base import IOManager, OutputContext, Stored, missing
from batuta.io.duck_queries import add_table, explained
from batuta.io.duck_tables import Table, fingerprint
from batuta.io.frames import Columns, plain_type
from batuta.io.queries import Part, Query, QueryIO, Session, counted

_RESULT = Table("main", "batuta_result")


class LocalSession(Session):
    """See `queries.Session`: nothing is in this database but what is added."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def holds(self, manager: Any) -> bool:
        return False

    def columns(self, *name: str) -> Columns:
        return []

    def asset_columns(self, manager: Any, asset: str) -> Columns:
        return []

    def location(self, manager: Any, asset: str) -> str:
        raise missing(asset, (), "", "memory")

    def reading(self, manager: Any, parts: Sequence[Part]) -> str:
        raise missing(parts[0][0], parts[0][1] or (), "", "memory")

    def wanted(self) -> Any:
        import duckdb

        return duckdb.DuckDBPyRelation

    def add(self, name: str, value: Any) -> tuple[str, Columns]:
        return add_table(self.connection, name, value)


class LocalQueries(QueryIO):
    """Runs queries for an IO manager that keeps tables, but not in a database."""

    dialect = "duckdb"

    def __init__(self, manager: IOManager) -> None:
        self.manager = manager

    def query(self, context: OutputContext, build: Callable[[Session], Query]) -> Stored:
        with self._open() as connection:
            query = build(LocalSession(connection))
            with explained():
                connection.execute(f"CREATE TABLE {_RESULT.sql} AS {query.text}")
            columns = _RESULT.columns(connection)
            if query.admit is not None:
                query.admit([(name, plain_type(kind)) for name, kind in columns])
            if query.settle is not None:
                rows_of = partial(_rows_of, connection)
                query.settle(partial(counted, rows_of, _RESULT.sql, "TRUE"))
            rows, version = fingerprint(connection, _RESULT.sql, columns, "TRUE")
            stored = self.manager.store(context, connection.table(_RESULT.name))
        stored.data_version = version
        stored.rows = rows if stored.rows is None else stored.rows
        return stored

    def fetch(self, build: Callable[[Session], Query]) -> Any:
        with self._open() as connection:
            query = build(LocalSession(connection))
            with explained():
                return connection.sql(query.text).to_arrow_table()

    @contextmanager
    def _open(self) -> Iterator[Any]:
        """A database in memory."""
        try:
            import duckdb
        except ImportError as error:
            raise frames.needs("duckdb") from error
        with duckdb.connect() as connection, frames.relations_in(connection):
            connection.execute("SET TimeZone = 'UTC'")
            yield connection


def _rows_of(connection: Any, sql: str) -> Any:
    return connection.execute(sql).fetchall()
