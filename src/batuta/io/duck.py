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
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from batuta.core.errors import DefinitionError, ResultError, TransientError
from batuta.io import frames, ports
from batuta.io.base import InputContext, OutputContext, Stored, combine, describe, missing, split_partitions
from batuta.io.duck_lock import wanting
from batuta.io.duck_tables import (
    NOTES,
    PARTITION,
    Table,
    described,
    fingerprint,
    quoted,
    stored_in,
    text,
    with_schema,
)
from batuta.io.file_io import nothing
from batuta.io.files import storage_error
from batuta.io.frames import WantedKind, wants
from batuta.io.pickling import type_name
from batuta.io.queries import Query, QueryIO, Session

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


class DuckDBIO(QueryIO):
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
        self.schema = schema
        self.partition_column = partition_column
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

    def store(self, context: OutputContext, value: Any) -> Stored:
        values = self._values(context, value)
        table = self.table_of(context.asset)
        os.makedirs(os.path.dirname(self.database), exist_ok=True)

        def work(connection: Any) -> dict[str, Stored]:
            with_schema(connection, table.schema)
            return {key: self._store_one(connection, table, context, key, one) for key, one in values.items()}

        parts = self._run(work, read_only=False, transaction=True)
        for key, part in parts.items():
            part.path = self._place(context.asset) + (f"/{key}" if key else "")
        if len(parts) == 1:
            return next(iter(parts.values()))
        return combine(self._place(context.asset), parts)

    def _values(self, context: OutputContext, value: Any) -> dict[str, Any]:
        """By partition, each as something that can be read more than once, since a transaction may be repeated."""
        if len(context.partitions) < 2 or self.partition_column:
            values = {"": value} if not context.partitions else dict.fromkeys(context.partitions, value)
        else:
            values = split_partitions(context, value)
        return {key: self._readable(context, one) for key, one in values.items()}

    def _readable(self, context: OutputContext, value: Any) -> Any:
        kind = frames.kind_of(value)
        match kind:
            case None:
                raise ResultError(
                    f"{describe(context.asset, context.partitions)}: DuckDBIO stores tables, not {type_name(value)}",
                    hint="return a DataFrame, an Arrow table, a DuckDB relation or a list of dicts",
                )
            case "rows":
                return frames.from_rows(value)[1]
            case "lazy":
                return value.collect()
            case "duckdb" | "stream":  # of another connection, or readable once
                return frames.to_arrow(value, kind)
            case _:
                return value

    def _store_one(self, connection: Any, table: Table, context: OutputContext, key: str, value: Any) -> Stored:
        connection.register("batuta_input", value)
        try:
            return self.store_source(connection, table, context, key, "batuta_input")
        finally:
            with suppress(Exception):  # after an error the transaction takes nothing more, and is rolled back
                connection.unregister("batuta_input")

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
            self._check_keys(connection, incoming, context, source)
            where = f"CAST({quoted(marker)} AS VARCHAR) = {text(key)}"
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

    def _check_keys(
        self, connection: Any, incoming: Iterable[tuple[str, str]], context: OutputContext, source: str
    ) -> None:
        column = self.partition_column or ""
        what = describe(context.asset, context.partitions)
        if column not in dict(incoming):
            raise ResultError(f"{what} has no column '{column}'", hint="return it, or leave out partition_column=")
        found = connection.execute(f"SELECT DISTINCT CAST({quoted(column)} AS VARCHAR) FROM {source}").fetchall()
        if alien := sorted(str(key) for (key,) in found if key not in context.partitions):
            raise ResultError(
                f"{what}: column '{column}' also holds {', '.join(alien[:5])}",
                hint="return only rows of the partitions that are being made",
            )

    def query(self, context: OutputContext, build: Callable[[Session], Query]) -> Stored:
        from batuta.io.duck_queries import run_query

        os.makedirs(os.path.dirname(self.database), exist_ok=True)
        stored = self._run(partial(run_query, self, context, build), read_only=False, transaction=True)
        key = context.partitions[0] if context.partitions else ""
        stored.path = self._place(context.asset) + (f"/{key}" if key else "")
        return stored

    def copy(self, source: OutputContext, target: OutputContext) -> Stored:
        from batuta.io.duck_queries import copy_table

        parts = self._run(partial(copy_table, self, source, target), read_only=False, transaction=True)
        for key, part in parts.items():
            part.path = self._place(target.asset) + (f"/{key}" if key else "")
        return parts[""] if "" in parts else combine(self._place(target.asset), parts)

    def load(self, context: InputContext) -> Any:
        wanted = wants(context.annotation)
        if context.partitioned and not context.partitions:
            return nothing(wanted)
        if wanted.kind == "path":
            raise DefinitionError(
                f"'{context.downstream}' wants asset '{context.asset}' as a Path, but it is a table in {self.database}",
                hint="annotate the parameter with a frame type",
            )
        table = self.table_of(context.asset)
        kind: WantedKind = frames.default_kind() if wanted.kind == "any" else wanted.kind

        def work(connection: Any) -> Any:
            self._require(connection, table, context)
            if not wanted.by_partition:
                return self._select(connection, table, context.partitions, kind)
            return {key: self._select(connection, table, (key,), kind) for key in context.partitions}

        if not os.path.exists(self.database):
            raise missing(context.asset, context.partitions, context.downstream, self.database)
        return self._run(work, read_only=True)

    def _require(self, connection: Any, table: Table, context: InputContext) -> None:
        absent = list(context.partitions)
        if existing := dict(table.columns(connection)):
            if not context.partitions:
                return
            present = self.partitions_in(connection, table, context.asset, existing)
            absent = [key for key in context.partitions if key not in present]
            if not absent:
                return
        raise missing(context.asset, absent, context.downstream, self._place(context.asset))

    def partitions_in(self, connection: Any, table: Table, asset: str, existing: dict[str, str]) -> set[str]:
        """Which partitions of an asset are there. `existing`: the columns of its table."""
        noted = f"SELECT partition FROM {NOTES.sql} WHERE asset = {text(asset)}"
        if not NOTES.columns(connection):
            noted = "SELECT NULL"
        marker = self.partition_column or PARTITION
        held = f" UNION SELECT CAST({quoted(marker)} AS VARCHAR) FROM {table.sql}" if marker in existing else ""
        return {key for (key,) in connection.execute(noted + held).fetchall()}

    @contextmanager
    def scan(self, context: InputContext) -> Iterator[Scan]:
        from batuta.io.scan import scanned_there

        table = self.table_of(context.asset)
        if not os.path.exists(self.database):
            raise missing(context.asset, context.partitions, context.downstream, self.database)
        connection = self._run(lambda open_one: open_one, read_only=True, keep_open=True)
        try:
            self._require(connection, table, context)
            with scanned_there(connection, self._select_sql(connection, table, context.partitions)) as found:
                yield found
        finally:
            connection.close()

    def _select_sql(self, connection: Any, table: Table, partitions: Iterable[str]) -> str:
        columns = [quoted(name) for name, _ in table.columns(connection) if name != PARTITION]
        sql = f"SELECT {', '.join(columns)} FROM {table.sql}"
        if keys := [text(key) for key in partitions]:
            sql += f" WHERE CAST({quoted(self.partition_column or PARTITION)} AS VARCHAR) IN ({', '.join(keys)})"
        return sql

    def _select(self, connection: Any, table: Table, partitions: Iterable[str], kind: WantedKind) -> Any:
        relation = connection.sql(self._select_sql(connection, table, partitions))
        if kind == "pandas":
            return relation.df()
        if kind == "rows":
            return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
        if kind in ("polars", "lazy"):
            frame = relation.pl()
            return frame if kind == "polars" else frame.lazy()
        return frames.from_arrow(relation.to_arrow_table(), kind)

    def exists(self, context: OutputContext) -> bool:
        return self.version(context) is not None

    def version(self, context: OutputContext) -> str | None:
        if not os.path.exists(self.database):
            return None
        table = self.table_of(context.asset)

        def work(connection: Any) -> str | None:
            existing = dict(table.columns(connection))
            if not existing:
                return None
            columns = [(name, kind) for name, kind in existing.items() if name != PARTITION]
            if not context.partitions:
                return fingerprint(connection, table.sql, columns, "TRUE")[1]
            if not set(context.partitions) <= self.partitions_in(connection, table, context.asset, existing):
                return None
            marker = quoted(self.partition_column or PARTITION)
            parts = {}
            for key in context.partitions:
                where = f"CAST({marker} AS VARCHAR) = {text(key)}"
                parts[key] = Stored(data_version=fingerprint(connection, table.sql, columns, where)[1])
            return next(iter(parts.values())).data_version if len(parts) == 1 else combine("", parts).data_version

        return self._run(work, read_only=True)

    def delete(self, context: OutputContext) -> None:
        if not os.path.exists(self.database):
            return
        table = self.table_of(context.asset)

        def work(connection: Any) -> None:
            existing = dict(table.columns(connection))
            marker = self.partition_column or PARTITION
            with_schema(connection, table.schema)
            if not context.partitions:
                table.drop(connection)
                connection.execute(f"DELETE FROM {NOTES.sql} WHERE asset = ?", [context.asset])
            for key in context.partitions:
                if marker in existing:
                    connection.execute(f"DELETE FROM {table.sql} WHERE CAST({quoted(marker)} AS VARCHAR) = ?", [key])
                connection.execute(f"DELETE FROM {NOTES.sql} WHERE asset = ? AND partition = ?", [context.asset, key])

        self._run(work, read_only=False, transaction=True)

    def table_of(self, asset: str) -> Table:
        """The table that an asset is."""
        schema, dot, name = asset.partition(".")
        if self.schema is not None:
            schema, name = self.schema, asset
        elif not dot:
            schema, name = "main", asset
        return Table(schema, name)

    def _place(self, asset: str) -> str:
        table = self.table_of(asset)
        return f"{self.database}#{table.schema}.{table.name}"

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
