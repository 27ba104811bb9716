"""Tables in a PostgreSQL database: `gold.revenue` is table `revenue` of schema `gold`.

Each call opens a connection and works in one transaction, so readers see all of an asset as it was, or as it is. As in
DuckDB, rows of a partitioned asset carry their partition in a column of ours, hidden on load; and the schema `_batuta`
notes which partitions were stored.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from batuta.core.connections import Connection
from batuta.core.errors import DefinitionError, ResultError, TransientError
from batuta.io import frames, ports
from batuta.io.base import InputContext, OutputContext, Stored
from batuta.io.database import INPUT, DatabaseIO, as_text
from batuta.io.duck_tables import PARTITION, quoted, text
from batuta.io.frames import Columns, WantedKind
from batuta.io.postgres_tables import (
    Table,
    arrow_type,
    forget,
    note,
    noted,
    shown_columns,
    shown_types,
    stored_in,
    type_of,
    with_notes,
)
from batuta.io.queries import Query, Session

if TYPE_CHECKING:
    from batuta.io.scan import Scan

RETRIES_MAX = 5
SCAN_ROWS = 50_000
"""How many rows of a table that is scanned are in memory at once."""
T = TypeVar("T")


class PostgresIO(DatabaseIO):
    """Stores any table in a PostgreSQL database; loads it as what the consumer is annotated with.

    `connection`: the name of a connection, or a URL (`postgresql://user:password@host/database`). `schema`: all tables
    go there; without it the first part of an asset's key is the schema. `partition_column`: a column of the data whose
    text is the partition key, instead of a hidden one.
    """

    dialect = "postgres"
    default_schema = "public"

    def __init__(self, connection: Any, *, schema: str | None = None, partition_column: str | None = None) -> None:
        if isinstance(connection, str) and "://" in connection:
            connection = Connection.from_url(connection)
            connection.must_be("postgresql")
        super().__init__(schema, partition_column)
        self.connection = connection

    def __repr__(self) -> str:
        shown = self.connection.shown if isinstance(self.connection, Connection) else self.connection
        return f"PostgresIO({shown!r})"

    @property
    def known(self) -> Connection:
        """The connection. Raises RequestError where there is none of that name, or of another kind."""
        found = ports.connection_of(self.connection)
        found.must_be("postgresql")
        return found

    # ---- storing ----

    def _readable(self, value: Any, kind: frames.Kind) -> Any:
        return frames.to_arrow(value, kind)

    def _store_one(self, connection: Any, context: OutputContext, key: str, value: Any) -> Stored:
        staged = stage(connection, INPUT, value)
        stored = self.store_staged(connection, self.table_of(context.asset), context, key, staged)
        connection.execute(f"DROP TABLE pg_temp.{INPUT}")
        return stored

    def store_staged(
        self, cursor: Any, table: Table, context: OutputContext, key: str, incoming: list[tuple[str, str]]
    ) -> Stored:
        """Put the rows of the temporary table `batuta_input` in the place of those that are there."""
        with_notes(cursor)
        names = ", ".join(quoted(name) for name, _ in incoming)
        if not context.partitions:
            table.fit(cursor, incoming, keep=False)
            cursor.execute(f"DELETE FROM {table.sql}")
            cursor.execute(f"INSERT INTO {table.sql} ({names}) SELECT {names} FROM pg_temp.batuta_input")
            forget(cursor, context.asset)
            return stored_in(cursor, table, "TRUE")
        marker, given = PARTITION, f"{names}, {text(key)}"
        columns, where = f"{names}, {quoted(PARTITION)}", "TRUE"
        if self.partition_column:
            marker, given, columns = self.partition_column, names, names
            self.check_keys(cursor, dict(incoming), context, f"pg_temp.{INPUT}")
            where = f"{as_text(marker)} = {text(key)}"
        existing = dict(table.columns(cursor))
        if existing and marker not in existing:  # of the time when the asset had no partitions
            cursor.execute(f"DELETE FROM {table.sql}")
        own = [] if self.partition_column else [(PARTITION, "text")]
        table.fit(cursor, [*incoming, *own], keep=True)
        own_rows = f"{as_text(marker)} = {text(key)}"
        cursor.execute(f"DELETE FROM {table.sql} WHERE {own_rows}")
        cursor.execute(f"INSERT INTO {table.sql} ({columns}) SELECT {given} FROM pg_temp.batuta_input WHERE {where}")
        note(cursor, context.asset, key)
        return stored_in(cursor, table, own_rows)

    def _query(self, connection: Any, context: OutputContext, build: Callable[[Session], Query]) -> Stored:
        from batuta.io.postgres_queries import run_query

        return run_query(self, context, build, connection)

    def _fetch(self, connection: Any, build: Callable[[Session], Query]) -> Any:
        from batuta.io.postgres_queries import stage_fetched

        columns = shown_types(stage_fetched(self, build, connection))
        names = ", ".join(quoted(name) for name, _ in columns)
        return _arrow_of(columns, connection.execute(f"SELECT {names} FROM pg_temp.{quoted(INPUT)}").fetchall())

    def _copy(self, connection: Any, source: OutputContext, target: OutputContext) -> dict[str, Stored]:
        from batuta.io.postgres_queries import copy_table

        return copy_table(self, source, target, connection)

    def noted(self, connection: Any, asset: str) -> set[str]:
        return noted(connection, asset)

    def forget(self, connection: Any, asset: str, partition: str | None = None) -> None:
        forget(connection, asset, partition)

    def stored_where(self, connection: Any, table: Table, where: str) -> Stored:
        return stored_in(connection, table, where)

    # ---- loading ----

    def _select(self, connection: Any, table: Table, partitions: Sequence[str], kind: WantedKind) -> Any:
        columns = shown_types(table.columns(connection))
        rows = connection.execute(self._select_sql(table, columns, partitions)).fetchall()
        return frames.from_arrow(_arrow_of(columns, rows), kind)

    def _select_sql(self, table: Table, columns: Sequence[tuple[str, str]], partitions: Sequence[str]) -> str:
        texts = ("json", "jsonb", "uuid", "xml", "inet", "cidr")
        shown = [f"{quoted(name)}::text" if of in texts else quoted(name) for name, of in columns]
        return f"SELECT {', '.join(shown)} FROM {table.sql} WHERE {self.where(partitions)}"

    @contextmanager
    def scan(self, context: InputContext) -> Iterator[Scan]:
        """Its rows go by batches into a table of DuckDB's, which goes to disk where it is too large for memory."""
        from batuta.io.scan import THIS, Scan
        from batuta.io.scan import cursor as scan_cursor

        table = self.table_of(context.asset)
        there = scan_cursor()

        def work(connection: Any) -> Columns | None:
            self.require(connection, context.asset, context.partitions, context.downstream)
            columns = shown_types(table.columns(connection))
            if any(arrow_type(kind) is None for _, kind in columns):  # only all the values together tell its type
                return None
            there.execute(f"DROP TABLE IF EXISTS {THIS}")
            first = _arrow_of(columns, [])
            there.register(INPUT, first)
            there.execute(f"CREATE TEMP TABLE {THIS} AS FROM {INPUT}")
            with connection.connection.cursor(name="batuta_scan") as rows:
                rows.execute(self._select_sql(table, columns, context.partitions))
                while found := rows.fetchmany(SCAN_ROWS):
                    there.register(INPUT, _arrow_of(columns, found))
                    there.execute(f"INSERT INTO {THIS} FROM {INPUT}")
            there.unregister(INPUT)
            return shown_columns(columns)

        try:
            told = self.read(work)
            if told is not None:
                yield Scan(there, told=lambda: told)
        finally:
            there.close()
        if told is None:
            with super().scan(context) as found:
                yield found

    # ---- where ----

    def table(self, schema: str, name: str) -> Table:
        return Table(schema, name)

    def place_of(self, asset: str) -> str:
        """Where an asset is, for people."""
        known, table = self.known, self.table_of(asset)
        port = f":{known.port}" if known.port else ""
        return f"postgresql://{known.host}{port}/{known.database}#{table.schema}.{table.name}"

    def read(self, work: Callable[[Any], T]) -> T:
        return self.write(work)

    def write(self, work: Callable[[Any], T]) -> T:
        psycopg = _driver()
        for tried in range(RETRIES_MAX):
            try:
                url = self.known.database_url
                connection = psycopg.connect("postgresql" + url[url.index(":") :])
            except psycopg.OperationalError as error:
                what = f"{self!r} cannot be reached: {str(error).strip().splitlines()[0]}"
                raise TransientError(what, hint="is the server there, and the connection right?") from error
            try:
                with connection, connection.cursor() as cursor:
                    return work(cursor)
            except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected) as error:
                if tried == RETRIES_MAX - 1:
                    raise TransientError(f"{self!r}: {str(error).strip().splitlines()[0]}") from error
                time.sleep(random.uniform(0.05, 0.2) * (tried + 1))
            except psycopg.errors.DependentObjectsStillExist as error:
                detail = (error.diag.message_detail or "").strip()
                raise ResultError(
                    f"{self!r}: {error.diag.message_primary}" + (f": {detail}" if detail else ""),
                    hint="drop what depends on it, materialize this, and then what depends on it again",
                ) from error
            except psycopg.OperationalError as error:
                raise TransientError(f"{self!r}: {str(error).strip().splitlines()[0]}") from error
            except psycopg.Error as error:
                raise ResultError(f"{self!r}: {str(error).strip()}") from error
        raise AssertionError("not reached")


def stage(cursor: Any, name: str, table: Any) -> list[tuple[str, str]]:
    """Copy an Arrow table into a temporary table, until the end of the transaction; its columns."""
    psycopg = _driver()
    columns = [(field.name, type_of(field.type)) for field in table.schema]
    made = ", ".join(f"{quoted(one)} {kind}" for one, kind in columns)
    cursor.execute(f"CREATE TEMP TABLE {quoted(name)} ({made}) ON COMMIT DROP")
    as_json = [kind == "jsonb" for _, kind in columns]
    with cursor.copy(f"COPY pg_temp.{quoted(name)} FROM STDIN") as copy:
        for batch in table.to_batches(max_chunksize=10_000):
            lists = [column.to_pylist() for column in batch.columns]
            for place, is_json in enumerate(as_json):
                if is_json:
                    lists[place] = [None if one is None else psycopg.types.json.Jsonb(one) for one in lists[place]]
            for row in zip(*lists, strict=True):
                copy.write_row(row)
    return columns


def _arrow_of(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]) -> Any:
    """Rows of a query as an Arrow table. `columns`: names and PostgreSQL types."""
    pa = frames.pyarrow()
    values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    arrays = [pa.array(_plain(of, found), type=arrow_type(of)) for (_, of), found in zip(columns, values, strict=True)]
    return pa.table(arrays, names=[name for name, _ in columns])


def _plain(kind: str, values: Iterable[Any]) -> list[Any]:
    """Values as Arrow takes them: psycopg gives views of bytes."""
    if kind == "bytea":
        return [None if one is None else bytes(one) for one in values]
    return list(values)


def _driver() -> Any:
    try:
        import psycopg
        import psycopg.types.json
    except ImportError as error:
        hint = "install it: pip install 'batuta[postgres]'"
        raise DefinitionError("PostgreSQL needs psycopg, which is not installed here", hint=hint) from error
    return psycopg
