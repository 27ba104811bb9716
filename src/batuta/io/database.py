"""What IO managers of tables in databases share: an asset is a table, a partition of it some of its rows.

Rows of a partitioned asset carry their partition in a column of ours, hidden on load; and notes say which partitions
were stored, because one may well have no rows. What is said here in SQL, DuckDB and PostgreSQL understand alike.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from batuta.core.errors import ResultError
from batuta.io import frames
from batuta.io.base import InputContext, OutputContext, Stored, combine, describe, missing, split_partitions
from batuta.io.duck_tables import PARTITION, quoted, text
from batuta.io.file_io import nothing, wants_frame
from batuta.io.frames import Columns, WantedKind
from batuta.io.pickling import type_name
from batuta.io.queries import Part, Query, QueryIO, Session

INPUT = "batuta_input"
"""What is about to be stored, as a temporary table or view."""

T = TypeVar("T")


class Table(Protocol):
    """A table by name; `sql` is how statements name it."""

    schema: str
    name: str
    sql: str

    def columns(self, connection: Any) -> list[tuple[str, str]]:
        """(name, type) in order; empty if it is not there."""

    def drop(self, connection: Any, unless: str = "") -> None:
        """Remove it, whether it is a table or a view; not where it is what `unless` says."""


class DatabaseIO(QueryIO):
    """Base of them: a subclass says how the database is reached and written to. `connection` is what runs SQL there."""

    default_schema = "main"

    def __init__(self, schema: str | None, partition_column: str | None) -> None:
        self.schema = schema
        self.partition_column = partition_column

    # ---- what a database says ----

    @abstractmethod
    def write(self, work: Callable[[Any], T]) -> T:
        """Do the work in one transaction; again where others were in the way."""

    @abstractmethod
    def read(self, work: Callable[[Any], T]) -> T:
        """The same, for work that only reads."""

    @abstractmethod
    def table(self, schema: str, name: str) -> Any:
        """A table of the database."""

    @abstractmethod
    def place_of(self, asset: str) -> str:
        """Where an asset is, for people."""

    @abstractmethod
    def noted(self, connection: Any, asset: str) -> set[str]:
        """The partitions of an asset that were stored."""

    @abstractmethod
    def forget(self, connection: Any, asset: str, partition: str | None = None) -> None:
        """Take back the note of a partition, or of all."""

    @abstractmethod
    def stored_where(self, connection: Any, table: Any, where: str) -> Stored:
        """What a table holds where the condition says, without the column of ours."""

    @abstractmethod
    def _readable(self, value: Any, kind: frames.Kind) -> Any:
        """A table that can be read more than once, since a transaction may be repeated."""

    @abstractmethod
    def _store_one(self, connection: Any, context: OutputContext, key: str, value: Any) -> Stored:
        """Put a partition (or, with the key "", all) in the place of what is there."""

    @abstractmethod
    def _select(self, connection: Any, table: Any, partitions: Sequence[str], kind: WantedKind) -> Any:
        """The rows of these partitions (none: all), without the column of ours."""

    @abstractmethod
    def _query(self, connection: Any, context: OutputContext, build: Callable[[Session], Query]) -> Stored:
        """The work of `query`."""

    @abstractmethod
    def _fetch(self, connection: Any, build: Callable[[Session], Query]) -> Any:
        """The work of `fetch`."""

    @abstractmethod
    def _copy(self, connection: Any, source: OutputContext, target: OutputContext) -> dict[str, Stored]:
        """The work of `copy`, by partition."""

    def is_there(self) -> bool:
        """Whether there is such a database at all."""
        return True

    # ---- storing ----

    def store(self, context: OutputContext, value: Any) -> Stored:
        values = self._values(context, value)

        def work(connection: Any) -> dict[str, Stored]:
            return {key: self._store_one(connection, context, key, one) for key, one in values.items()}

        return self._placed(context.asset, self.write(work))

    def _values(self, context: OutputContext, value: Any) -> dict[str, Any]:
        """By partition, each as something that can be read more than once."""
        if len(context.partitions) < 2 or self.partition_column:
            values = dict.fromkeys(context.partitions or ("",), value)
        else:
            values = split_partitions(context, value)
        found = {}
        for key, one in values.items():
            kind = frames.kind_of(one)
            if kind is None:
                what = describe(context.asset, context.partitions)
                raise ResultError(
                    f"{what}: {type(self).__name__} stores tables, not {type_name(one)}",
                    hint="return a DataFrame, an Arrow table, a DuckDB relation or a list of dicts",
                )
            found[key] = self._readable(one, kind)
        return found

    def _placed(self, asset: str, parts: dict[str, Stored]) -> Stored:
        place = self.place_of(asset)
        for key, part in parts.items():
            part.path = place + (f"/{key}" if key else "")
        return next(iter(parts.values())) if len(parts) == 1 else combine(place, parts)

    def check_keys(self, connection: Any, columns: Iterable[str], context: OutputContext, source: str) -> None:
        """Raise ResultError where what a FROM says has rows of other partitions, or no column that tells."""
        column = self.partition_column or ""
        what = describe(context.asset, context.partitions)
        if column not in columns:
            raise ResultError(f"{what} has no column '{column}'", hint="return it, or leave out partition_column=")
        found = connection.execute(f"SELECT DISTINCT {as_text(column)} FROM {source}").fetchall()
        if alien := sorted(str(key) for (key,) in found if key not in context.partitions):
            raise ResultError(
                f"{what}: column '{column}' also holds {', '.join(alien[:5])}",
                hint="return only rows of the partitions that are being made",
            )

    def query(self, context: OutputContext, build: Callable[[Session], Query]) -> Stored:
        key = context.partitions[0] if context.partitions else ""
        stored = self.write(lambda connection: self._query(connection, context, build))
        return self._placed(context.asset, {key: stored})

    def fetch(self, build: Callable[[Session], Query]) -> Any:
        return self.write(lambda connection: self._fetch(connection, build))

    def copy(self, source: OutputContext, target: OutputContext) -> Stored:
        return self._placed(target.asset, self.write(lambda connection: self._copy(connection, source, target)))

    # ---- loading ----

    def load(self, context: InputContext) -> Any:
        wanted = wants_frame(context, self)
        if context.partitioned and not context.partitions:
            return nothing(wanted)
        table = self.table_of(context.asset)

        def work(connection: Any) -> Any:
            self.require(connection, context.asset, context.partitions, context.downstream)
            if not wanted.by_partition:
                return self._select(connection, table, context.partitions, wanted.kind)
            return {key: self._select(connection, table, (key,), wanted.kind) for key in context.partitions}

        self.must_be_there(context)
        return self.read(work)

    def must_be_there(self, context: InputContext) -> None:
        """Raise MissingDataError where there is no database."""
        if not self.is_there():
            raise missing(context.asset, context.partitions, context.downstream, self.place_of(context.asset))

    def require(self, connection: Any, asset: str, partitions: Iterable[str], downstream: str = "") -> dict[str, str]:
        """The columns of an asset's table. Raises MissingDataError where it, or a partition, is not there."""
        existing = dict(self.table_of(asset).columns(connection))
        absent = list(partitions)
        if existing and absent:
            present = self.partitions_in(connection, asset, existing)
            absent = [key for key in absent if key not in present]
            if not absent:
                return existing
        if not existing or absent:
            raise missing(asset, absent, downstream, self.place_of(asset))
        return existing

    def partitions_in(self, connection: Any, asset: str, existing: Iterable[str]) -> set[str]:
        """Which partitions of an asset are there. `existing`: the columns of its table."""
        marker = self.partition_column or PARTITION
        found = self.noted(connection, asset)
        if marker in existing:
            table = self.table_of(asset)
            rows = connection.execute(f"SELECT DISTINCT {as_text(marker)} FROM {table.sql}").fetchall()
            found |= {key for (key,) in rows}
        return found

    def where(self, partitions: Sequence[str]) -> str:
        """The condition that rows are of these partitions (none: any)."""
        if not partitions:
            return "TRUE"
        return f"{as_text(self.partition_column or PARTITION)} IN ({', '.join(map(text, partitions))})"

    # ---- what is there ----

    def exists(self, context: OutputContext) -> bool:
        return self.version(context) is not None

    def version(self, context: OutputContext) -> str | None:
        if not self.is_there():
            return None
        table = self.table_of(context.asset)

        def work(connection: Any) -> str | None:
            existing = dict(table.columns(connection))
            if not existing:
                return None
            absent = context.partitions and set(context.partitions) - self.partitions_in(
                connection, context.asset, existing
            )
            if absent:
                return None
            parts = {
                key: self.stored_where(connection, table, self.where((key,) if key else ()))
                for key in context.partitions or ("",)
            }
            return next(iter(parts.values())).data_version if len(parts) == 1 else combine("", parts).data_version

        return self.read(work)

    def delete(self, context: OutputContext) -> None:
        if not self.is_there():
            return
        table = self.table_of(context.asset)

        def work(connection: Any) -> None:
            existing = dict(table.columns(connection))
            if not context.partitions:
                table.drop(connection)
                self.forget(connection, context.asset)
            for key in context.partitions:
                if (self.partition_column or PARTITION) in existing:
                    connection.execute(f"DELETE FROM {table.sql} WHERE {self.where((key,))}")
                self.forget(connection, context.asset, key)

        self.write(work)

    def table_of(self, asset: str) -> Any:
        """The table that an asset is."""
        schema, dot, name = asset.partition(".")
        if self.schema is not None:
            schema, name = self.schema, asset
        elif not dot:
            schema, name = self.default_schema, asset
        return self.table(schema, name)


class DatabaseSession(Session):
    """See `queries.Session`."""

    def __init__(self, manager: DatabaseIO, connection: Any) -> None:
        self.manager = manager
        self.connection = connection

    def shown(self, columns: Iterable[tuple[str, str]]) -> Columns:
        """Columns without that of ours, with their types in plain words."""
        raise NotImplementedError

    def columns(self, *name: str) -> Columns:
        schema, table = name[-2:] if len(name) > 1 else (self.manager.default_schema, name[-1])
        return self.shown(self.manager.table(schema, table).columns(self.connection))

    def asset_columns(self, manager: Any, asset: str) -> Columns:
        return self.shown(manager.table_of(asset).columns(self.connection))

    def location(self, manager: Any, asset: str) -> str:
        sql: str = manager.table_of(asset).sql
        return sql

    def read_part(self, manager: Any, asset: str, partitions: Sequence[str] | None) -> str:
        """What a FROM says to read these partitions of an asset; None: all there is."""
        table = manager.table_of(asset)
        existing = manager.require(self.connection, asset, partitions or ())
        if partitions is None and PARTITION not in existing:
            return str(table.sql)
        columns = ", ".join(quoted(name) for name in existing if name != PARTITION)
        where = "FALSE" if partitions is not None and not partitions else manager.where(partitions or ())
        return f"(SELECT {columns} FROM {table.sql} WHERE {where})"

    def wanted(self) -> Any:
        return frames.pyarrow().Table


def one_part(source: OutputContext, key: str) -> Part:
    """A partition of what is copied, or all of it."""
    return (source.asset, (key,) if key else None)


def as_text(column: str) -> str:
    """The text of a column in SQL."""
    return f"CAST({quoted(column)} AS VARCHAR)"


def check_unique(
    connection: Any, context: OutputContext, unique_key: Sequence[str], names: Iterable[str], source: str
) -> None:
    """Raise ResultError where what an incremental query gives has no such key, or a key twice."""
    names = list(names)
    if absent := [name for name in unique_key if name not in names]:
        raise ResultError(
            f"{describe(context.asset)} gives no column {absent[0]!r}, which is part of its unique_key",
            hint=f"its columns are {', '.join(names)}",
        )
    if not unique_key:
        return
    key = ", ".join(map(quoted, unique_key))
    sql = f"SELECT {key}, count(*) FROM {source} GROUP BY {key} HAVING count(*) > 1 LIMIT 1"
    found = connection.execute(sql).fetchone()
    if found is not None:
        values = ", ".join(map(str, found[:-1]))
        raise ResultError(
            f"{describe(context.asset)} gives {found[-1]} rows with {', '.join(unique_key)} = {values}",
            hint="its unique_key has to be unique: choose one row of them in the query, or name more columns",
        )


def same_key(unique_key: Sequence[str]) -> str:
    """The condition that rows called `old` and `new` have one key; null is the same as null."""
    return " AND ".join(f"old.{quoted(name)} IS NOT DISTINCT FROM new.{quoted(name)}" for name in unique_key)
