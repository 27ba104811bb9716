"""Tables in a DuckDB file: `gold.revenue` is table `revenue` of schema `gold`.

DuckDB lets one process write a file at a time, so each call opens it, works in one transaction and closes it again, and
waits while another process holds it. Two surprises: rows of a partitioned asset carry their partition in a column of
ours, hidden on load; and the schema `_batuta` notes which partitions were stored, because one may well have no rows.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from batuta.core.errors import DefinitionError, ResultError, TransientError
from batuta.io import frames, ports
from batuta.io.base import InputContext, OutputContext, Stored
from batuta.io.database import INPUT, DatabaseIO, as_text
from batuta.io.duck_lock import wanting
from batuta.io.duck_tables import (
    NOTES,
    PARTITION,
    Table,
    described,
    quoted,
    stored_in,
    text,
    with_schema,
)
from batuta.io.files import storage_error
from batuta.io.frames import WantedKind
from batuta.io.queries import Query, Session

if TYPE_CHECKING:
    from batuta.io.scan import Scan

RETRY_FIRST_S = 0.01
RETRY_MAX_S = 0.25
CONNECTING = threading.Lock()
"""A database that another thread of the process is just opening is not ready: it lacks what reads frames."""

T = TypeVar("T")


def _local(path: str) -> str:
    if not path or path == ":memory:" or "://" in path:
        raise DefinitionError(f"DuckDBIO needs a local database file, not {path!r}", hint="use MemoryIO or ParquetIO")
    return os.path.abspath(os.path.expanduser(path))


class DuckDBIO(DatabaseIO):
    """Stores any table in a DuckDB database file; loads it as what the consumer is annotated with.

    `connection`: the name of one that says which file, instead of `database`. `schema`: all tables go there; without it
    the first part of an asset's key is the schema. `partition_column`: a column of the data whose text is the
    partition key, instead of a hidden one. `lock_timeout_s`: how long to wait for another process that has the file
    open before TransientError.
    """

    dialect = "duckdb"

    def __init__(
        self,
        database: str | os.PathLike[str] | None = None,
        *,
        connection: Any = None,
        schema: str | None = None,
        partition_column: str | None = None,
        lock_timeout_s: float = 30.0,
    ) -> None:
        if (database is None) == (connection is None):
            hint = "give the path of the file, or connection="
            raise DefinitionError("DuckDBIO needs one database file", hint=hint)
        self.connection = connection
        if database is not None:
            self.database = _local(os.fspath(database))
        super().__init__(schema, partition_column)
        self.lock_timeout_s = lock_timeout_s

    @cached_property
    def database(self) -> str:
        """The path of the file."""
        known = ports.connection_of(self.connection)
        known.must_be("duckdb")
        return _local(known.database)

    def __repr__(self) -> str:
        if self.connection is not None:
            return f"DuckDBIO(connection={self.connection!r})"
        return f"DuckDBIO({self.database!r})"

    def _readable(self, value: Any, kind: frames.Kind) -> Any:
        match kind:
            case "rows":
                return frames.from_rows(value)[1]
            case "lazy":
                return value.collect()
            case "duckdb" | "stream":  # of another connection, or readable once
                return frames.to_arrow(value, kind)
            case _:
                return value

    def _store_one(self, connection: Any, context: OutputContext, key: str, value: Any) -> Stored:
        table = self.table_of(context.asset)
        with_schema(connection, table.schema)
        connection.register(INPUT, value)
        try:
            return self.store_source(connection, table, context, key, INPUT)
        finally:
            with suppress(Exception):  # after an error the transaction takes nothing more, and is rolled back
                connection.unregister(INPUT)

    def store_source(self, connection: Any, table: Table, context: OutputContext, key: str, source: str) -> Stored:
        """Keep what a FROM says, within a transaction."""
        if not context.partitions:
            table.drop(connection, unless="table")
            connection.execute(f"CREATE OR REPLACE TABLE {table.sql} AS FROM {source}")
            connection.execute(f"DELETE FROM {NOTES.sql} WHERE asset = ?", [context.asset])
            where = "TRUE"
        else:
            where = self._replace_partition(connection, table, context, key, source)
        return stored_in(connection, table, where)

    def _replace_partition(self, connection: Any, table: Table, context: OutputContext, key: str, source: str) -> str:
        incoming = described(connection, source)
        where, select = f"{quoted(PARTITION)} = {text(key)}", f"SELECT *, {text(key)} AS {quoted(PARTITION)}"
        marker = PARTITION
        if self.partition_column:
            marker = self.partition_column
            self.check_keys(connection, dict(incoming), context, source)
            where = f"{as_text(marker)} = {text(key)}"
            select = "SELECT *"
        rows = f"{select} FROM {source}" + (f" WHERE {where}" if self.partition_column else "")
        existing = dict(table.columns(connection))
        table.drop(connection, unless="table")
        if marker not in existing:  # a new table, or one of the time when the asset had no partitions
            connection.execute(f"CREATE OR REPLACE TABLE {table.sql} AS {rows} LIMIT 0")
        else:
            for name, kind in incoming:
                table.widen(connection, name, existing.get(name), kind)
        connection.execute(f"DELETE FROM {table.sql} WHERE {where}")
        connection.execute(f"INSERT INTO {table.sql} BY NAME {rows}")
        connection.execute(f"DELETE FROM {NOTES.sql} WHERE asset = ? AND partition = ?", [context.asset, key])
        connection.execute(f"INSERT INTO {NOTES.sql} VALUES (?, ?)", [context.asset, key])
        return where

    def _query(self, connection: Any, context: OutputContext, build: Callable[[Session], Query]) -> Stored:
        from batuta.io.duck_queries import run_query

        return run_query(self, context, build, connection)

    def _fetch(self, connection: Any, build: Callable[[Session], Query]) -> Any:
        from batuta.io.duck_queries import fetched

        return fetched(self, build, connection)

    def _copy(self, connection: Any, source: OutputContext, target: OutputContext) -> dict[str, Stored]:
        from batuta.io.duck_queries import copy_table

        return copy_table(self, source, target, connection)

    def noted(self, connection: Any, asset: str) -> set[str]:
        if not NOTES.columns(connection):
            return set()
        found = connection.execute(f"SELECT partition FROM {NOTES.sql} WHERE asset = ?", [asset]).fetchall()
        return {key for (key,) in found}

    def forget(self, connection: Any, asset: str, partition: str | None = None) -> None:
        if NOTES.columns(connection):
            only = "" if partition is None else f" AND partition = {text(partition)}"
            connection.execute(f"DELETE FROM {NOTES.sql} WHERE asset = ?{only}", [asset])

    def stored_where(self, connection: Any, table: Table, where: str) -> Stored:
        return stored_in(connection, table, where)

    @contextmanager
    def scan(self, context: InputContext) -> Iterator[Scan]:
        from batuta.io.scan import scanned_there

        self.must_be_there(context)
        connection = self._run(lambda open_one: open_one, read_only=True, keep_open=True)
        try:
            self.require(connection, context.asset, context.partitions, context.downstream)
            sql = self._select_sql(connection, self.table_of(context.asset), context.partitions)
            with scanned_there(connection, sql) as found:
                yield found
        finally:
            connection.close()

    def _select_sql(self, connection: Any, table: Table, partitions: Sequence[str]) -> str:
        columns = [quoted(name) for name, _ in table.columns(connection) if name != PARTITION]
        return f"SELECT {', '.join(columns)} FROM {table.sql} WHERE {self.where(partitions)}"

    def _select(self, connection: Any, table: Table, partitions: Sequence[str], kind: WantedKind) -> Any:
        relation = connection.sql(self._select_sql(connection, table, partitions))
        if kind == "pandas":
            return relation.df()
        if kind == "rows":
            return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
        if kind in ("polars", "lazy"):
            frame = relation.pl()
            return frame if kind == "polars" else frame.lazy()
        return frames.from_arrow(relation.to_arrow_table(), kind)

    # ---- the file ----

    def is_there(self) -> bool:
        return os.path.exists(self.database)

    def table(self, schema: str, name: str) -> Table:
        return Table(schema, name)

    def place_of(self, asset: str) -> str:
        table = self.table_of(asset)
        return f"{self.database}#{table.schema}.{table.name}"

    def write(self, work: Callable[[Any], T]) -> T:
        os.makedirs(os.path.dirname(self.database), exist_ok=True)
        return self._run(work, read_only=False, transaction=True)

    def read(self, work: Callable[[Any], T]) -> T:
        return self._run(work, read_only=True)

    def _run(
        self, work: Callable[[Any], T], *, read_only: bool, transaction: bool = False, keep_open: bool = False
    ) -> T:
        """Open, work, close; again while others hold the file or change the same rows, until the time is up.

        `keep_open`: it is left to the caller to close the connection.
        """
        try:
            import duckdb
        except ImportError as error:
            raise frames.needs("duckdb") from error
        deadline = time.monotonic() + self.lock_timeout_s
        pause_s = RETRY_FIRST_S
        with ExitStack() as waiting:
            while True:
                try:
                    with CONNECTING:
                        connection = duckdb.connect(self.database, read_only=read_only)
                    try:
                        return _in_transaction(connection, work) if transaction else work(connection)
                    finally:
                        if not keep_open:
                            connection.close()
                except duckdb.Error as error:
                    if explained := storage_error(error, self.database, ours=False):
                        raise explained from error
                    if not _is_busy(error):
                        raise ResultError(f"{self.database}: {error}") from error
                    self._busy_until(error, deadline, pause_s)
                    if pause_s == RETRY_FIRST_S:
                        waiting.enter_context(wanting(self.database))
                    if "different configuration" in str(error):
                        read_only = False  # this process has it open for writing: another connection like that is free
                time.sleep(pause_s * random.uniform(0.5, 1.0))
                pause_s = min(pause_s * 2, RETRY_MAX_S)

    def _busy_until(self, error: Exception, deadline: float, pause_s: float) -> None:
        """Called each time the file is in use; raises once the next attempt would come too late."""
        if time.monotonic() + pause_s > deadline:
            raise TransientError(
                f"{self.database} was in use for {self.lock_timeout_s:g} s: {str(error).splitlines()[0]}",
                hint="close other connections to it, or put the assets that share it into a pool of one slot",
            ) from error


def _in_transaction(connection: Any, work: Callable[[Any], T]) -> T:
    connection.begin()
    try:
        result = work(connection)
        connection.commit()
    except BaseException:
        with suppress(Exception):  # a failed commit has ended it
            connection.rollback()
        raise
    return result


def _is_busy(error: Exception) -> bool:
    message = str(error)
    return (
        "Could not set lock" in message
        or "different configuration" in message
        or "onflict" in message.partition("\n")[0]
    )
