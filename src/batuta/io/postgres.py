"""Tables in a PostgreSQL database: `gold.revenue` is table `revenue` of schema `gold`.

Each call opens a connection and works in one transaction, so readers see all of an asset as it was, or as it is. As in
DuckDB, rows of a partitioned asset carry their partition in a column of ours, hidden on load; and the schema `_batuta`
notes which partitions were stored.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from batuta.core.connections import Connection
from batuta.core.errors import DefinitionError, ResultError, TransientError
from batuta.io import frames, ports
from batuta.io.base import InputContext, OutputContext, Stored, combine, describe, missing, split_partitions
from batuta.io.duck_tables import PARTITION, quoted, text
from batuta.io.file_io import nothing
from batuta.io.frames import WantedKind, wants
from batuta.io.pickling import type_name
from batuta.io.postgres_tables import (
    Table,
    arrow_type,
    forget,
    note,
    noted,
    stored_in,
    type_of,
    with_notes,
)
from batuta.io.queries import Query, QueryIO, Session

RETRIES_MAX = 5
T = TypeVar("T")


class PostgresIO(QueryIO):
    """Stores any table in a PostgreSQL database; loads it as what the consumer is annotated with.

    `connection`: the name of a connection, or a URL (`postgresql://user:password@host/database`). `schema`: all tables
    go there; without it the first part of an asset's key is the schema. `partition_column`: a column of the data whose
    text is the partition key, instead of a hidden one.
    """

    dialect = "postgres"

    def __init__(self, connection: Any, *, schema: str | None = None, partition_column: str | None = None) -> None:
        if isinstance(connection, str) and "://" in connection:
            connection = Connection.from_url(connection)
            connection.must_be("postgresql")
        self.connection = connection
        self.schema = schema
        self.partition_column = partition_column

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

    def store(self, context: OutputContext, value: Any) -> Stored:
        values = self._values(context, value)
        table = self.table_of(context.asset)

        def work(cursor: Any) -> dict[str, Stored]:
            made = {}
            for key, one in values.items():
                staged = stage(cursor, "batuta_input", one)
                made[key] = self.store_staged(cursor, table, context, key, staged)
                cursor.execute("DROP TABLE pg_temp.batuta_input")
            return made

        parts = self.run(work)
        for key, part in parts.items():
            part.path = self.place_of(context.asset) + (f"/{key}" if key else "")
        if len(parts) == 1:
            return next(iter(parts.values()))
        return combine(self.place_of(context.asset), parts)

    def _values(self, context: OutputContext, value: Any) -> dict[str, Any]:
        """By partition, each as an Arrow table."""
        if len(context.partitions) < 2 or self.partition_column:
            values = {"": value} if not context.partitions else dict.fromkeys(context.partitions, value)
        else:
            values = split_partitions(context, value)
        return {key: self._arrow(context, one) for key, one in values.items()}

    def _arrow(self, context: OutputContext, value: Any) -> Any:
        kind = frames.kind_of(value)
        if kind is None:
            raise ResultError(
                f"{describe(context.asset, context.partitions)}: PostgresIO stores tables, not {type_name(value)}",
                hint="return a DataFrame, an Arrow table, a DuckDB relation or a list of dicts",
            )
        return frames.to_arrow(value, kind)

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
            self._check_keys(cursor, incoming, context)
            where = f"{quoted(marker)}::text = {text(key)}"
        existing = dict(table.columns(cursor))
        if existing and marker not in existing:  # of the time when the asset had no partitions
            cursor.execute(f"DELETE FROM {table.sql}")
        own = [] if self.partition_column else [(PARTITION, "text")]
        table.fit(cursor, [*incoming, *own], keep=True)
        own_rows = f"{quoted(marker)}::text = {text(key)}"
        cursor.execute(f"DELETE FROM {table.sql} WHERE {own_rows}")
        cursor.execute(f"INSERT INTO {table.sql} ({columns}) SELECT {given} FROM pg_temp.batuta_input WHERE {where}")
        note(cursor, context.asset, key)
        return stored_in(cursor, table, own_rows)

    def _check_keys(self, cursor: Any, incoming: Iterable[tuple[str, str]], context: OutputContext) -> None:
        column = self.partition_column or ""
        what = describe(context.asset, context.partitions)
        if column not in dict(incoming):
            raise ResultError(f"{what} has no column '{column}'", hint="return it, or leave out partition_column=")
        found = cursor.execute(f"SELECT DISTINCT {quoted(column)}::text FROM pg_temp.batuta_input").fetchall()
        if alien := sorted(str(key) for (key,) in found if key not in context.partitions):
            raise ResultError(
                f"{what}: column '{column}' also holds {', '.join(alien[:5])}",
                hint="return only rows of the partitions that are being made",
            )

    def query(self, context: OutputContext, build: Callable[[Session], Query]) -> Stored:
        from batuta.io.postgres_queries import run_query

        stored = self.run(partial(run_query, self, context, build))
        key = context.partitions[0] if context.partitions else ""
        stored.path = self.place_of(context.asset) + (f"/{key}" if key else "")
        return stored

    def copy(self, source: OutputContext, target: OutputContext) -> Stored:
        from batuta.io.postgres_queries import copy_table

        parts = self.run(partial(copy_table, self, source, target))
        for key, part in parts.items():
            part.path = self.place_of(target.asset) + (f"/{key}" if key else "")
        return parts[""] if "" in parts else combine(self.place_of(target.asset), parts)

    # ---- loading ----

    def load(self, context: InputContext) -> Any:
        wanted = wants(context.annotation)
        if context.partitioned and not context.partitions:
            return nothing(wanted)
        if wanted.kind == "path":
            raise DefinitionError(
                f"'{context.downstream}' wants asset '{context.asset}' as a Path, but it is a table in {self!r}",
                hint="annotate the parameter with a frame type",
            )
        table = self.table_of(context.asset)
        kind: WantedKind = frames.default_kind() if wanted.kind == "any" else wanted.kind

        def work(cursor: Any) -> Any:
            self.require(cursor, table, context.asset, context.partitions, context.downstream)
            if not wanted.by_partition:
                return self._select(cursor, table, context.partitions, kind)
            return {key: self._select(cursor, table, (key,), kind) for key in context.partitions}

        return self.run(work)

    def require(
        self, cursor: Any, table: Table, asset: str, partitions: Iterable[str], downstream: str = ""
    ) -> dict[str, str]:
        """The columns of an asset's table. Raises MissingDataError where it, or a partition, is not there."""
        existing = dict(table.columns(cursor))
        absent = list(partitions)
        if existing and absent:
            present = self.partitions_in(cursor, table, asset, existing)
            absent = [key for key in absent if key not in present]
        if not existing or absent:
            raise missing(asset, absent, downstream, self.place_of(asset))
        return existing

    def partitions_in(self, cursor: Any, table: Table, asset: str, existing: dict[str, str]) -> set[str]:
        """Which partitions of an asset are there. `existing`: the columns of its table."""
        marker = self.partition_column or PARTITION
        if marker not in existing:
            return set()
        found = noted(cursor, asset)
        if self.partition_column:
            rows = cursor.execute(f"SELECT DISTINCT {quoted(marker)}::text FROM {table.sql}").fetchall()
            found |= {key for (key,) in rows}
        return found

    def _select(self, cursor: Any, table: Table, partitions: Iterable[str], kind: WantedKind) -> Any:
        pa = frames.pyarrow()
        columns = [(name, of) for name, of in table.columns(cursor) if name != PARTITION]
        texts = ("json", "jsonb", "uuid", "xml", "inet", "cidr")
        shown = [f"{quoted(name)}::text" if of in texts else quoted(name) for name, of in columns]
        sql = f"SELECT {', '.join(shown)} FROM {table.sql}"
        if keys := ", ".join(map(text, partitions)):
            sql += f" WHERE {quoted(self.partition_column or PARTITION)}::text IN ({keys})"
        rows = cursor.execute(sql).fetchall()
        values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
        arrays = [
            pa.array(_plain(of, found), type=arrow_type(of)) for (_, of), found in zip(columns, values, strict=True)
        ]
        return frames.from_arrow(pa.table(arrays, names=[name for name, _ in columns]), kind)

    # ---- what is there ----

    def exists(self, context: OutputContext) -> bool:
        return self.version(context) is not None

    def version(self, context: OutputContext) -> str | None:
        table = self.table_of(context.asset)

        def work(cursor: Any) -> str | None:
            existing = dict(table.columns(cursor))
            if not existing:
                return None
            if not context.partitions:
                return stored_in(cursor, table, "TRUE").data_version
            if not set(context.partitions) <= self.partitions_in(cursor, table, context.asset, existing):
                return None
            marker = quoted(self.partition_column or PARTITION)
            parts = {key: stored_in(cursor, table, f"{marker}::text = {text(key)}") for key in context.partitions}
            return next(iter(parts.values())).data_version if len(parts) == 1 else combine("", parts).data_version

        return self.run(work)

    def delete(self, context: OutputContext) -> None:
        table = self.table_of(context.asset)

        def work(cursor: Any) -> None:
            existing = dict(table.columns(cursor))
            marker = self.partition_column or PARTITION
            if not context.partitions:
                table.drop(cursor)
                forget(cursor, context.asset)
            for key in context.partitions:
                if marker in existing:
                    cursor.execute(f"DELETE FROM {table.sql} WHERE {quoted(marker)}::text = {text(key)}")
                forget(cursor, context.asset, key)

        self.run(work)

    # ---- where ----

    def table_of(self, asset: str) -> Table:
        """The table that an asset is."""
        schema, dot, name = asset.partition(".")
        if self.schema is not None:
            schema, name = self.schema, asset
        elif not dot:
            schema, name = "public", asset
        return Table(schema, name)

    def place_of(self, asset: str) -> str:
        """Where an asset is, for people."""
        known, table = self.known, self.table_of(asset)
        port = f":{known.port}" if known.port else ""
        return f"postgresql://{known.host}{port}/{known.database}#{table.schema}.{table.name}"

    def run(self, work: Callable[[Any], T]) -> T:
        """Do the work in one transaction; again where the database says that it may be tried again."""
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
