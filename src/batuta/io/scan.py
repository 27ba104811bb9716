"""Reading a table where it is, by SQL: DuckDB over frames, files and databases, without loading more than is asked.

In SQL the table is called `this`. The surprising rule: all scans of a process that have no database of their own share
one in memory, which is made anew in a forked process and keeps nothing: tables stand in it as temporary views.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal

from batuta.core.errors import ResultError
from batuta.io import frames
from batuta.io.duck_tables import quoted
from batuta.io.frames import Columns, Kind, plain_type

THIS = "this"

_databases: list[tuple[int, Any]] = []
"""The process's own last; before it those of processes that it was forked from. To close one of those would be to wait
for threads that are not there."""


def cursor() -> Any:
    """A connection to the process's own database in memory. What does not fit into memory goes to temporary files."""
    if not _databases or _databases[-1][0] != os.getpid():
        try:
            import duckdb
        except ImportError as error:
            raise frames.needs("duckdb") from error
        config: dict[str, Any] = {"temp_directory": os.path.join(tempfile.gettempdir(), f"batuta-scan-{os.getpid()}")}
        _databases.append((os.getpid(), in_utc(duckdb.connect(":memory:", config=config), "GLOBAL")))
    return _databases[-1][1].cursor()


def in_utc(connection: Any, scope: Literal["SESSION", "GLOBAL"] = "SESSION") -> Any:
    """The connection, with times that have a zone shown and cut in UTC, as everywhere else. GLOBAL: all of its cursors,
    too."""
    with suppress(Exception):  # a DuckDB without the extension for zones has no such times either
        connection.execute(f"SET {scope} TimeZone = 'UTC'")
    return connection


class Scan:
    """A table that can be asked in SQL. Valid inside the `with` block that gave it.

    `portable` is what can stand in FROM in any connection of the process's own database; "" where it cannot be asked
    anywhere else.
    """

    def __init__(self, connection: Any, portable: str = "", told: Callable[[], Columns] | None = None) -> None:
        """`told`: names and types as the table's own library sees them, where SQL sees less (zones, categories)."""
        self._connection = connection
        self.portable = portable
        self._told = told
        self._columns: dict[str, str] | None = None

    @property
    def columns(self) -> dict[str, str]:
        """The type of each column as DuckDB writes it (`BIGINT`, `DECIMAL(18,2)`), in their order."""
        if self._columns is None:
            self._columns = {row[0]: row[1] for row in self.rows(f"DESCRIBE SELECT * FROM {THIS}")}
        return self._columns

    @property
    def plain_columns(self) -> Columns:
        """Names and types in the words of `frames.plain_type`."""
        if self._told is not None:
            return self._told()
        return [(name, plain_type(kind.strip('"'))) for name, kind in self.columns.items()]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The answer to a query, in whole: keep it small."""
        found: list[tuple[Any, ...]] = self._connection.execute(sql).fetchall()
        return found

    def table(self, sql: str) -> Any:
        """The answer as a pyarrow Table."""
        return self._connection.sql(sql).to_arrow_table()

    def add(self, name: str, other: Scan, columns: Sequence[str]) -> None:
        """Make these columns of another table known under a name."""
        wanted = ", ".join(map(quoted, columns)) or "*"
        connection = self._joining()
        if other.portable and self.is_at_home:
            connection.execute(f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS SELECT {wanted} FROM {other.portable}")
        else:
            connection.register(name, other.table(f"SELECT {wanted} FROM {THIS}"))

    @property
    def is_at_home(self) -> bool:
        """Whether it is asked in the process's own database."""
        return True

    def _joining(self) -> Any:
        return self._connection


class _Elsewhere(Scan):
    """A table in a database of its own."""

    @property
    def is_at_home(self) -> bool:
        return False


class _OfRelation(Scan):
    """A relation, which can be asked only in the connection that it comes from."""

    def __init__(self, relation: Any) -> None:
        super().__init__(None)
        self._relation = relation

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if self._connection is not None:
            return super().rows(sql)
        found: list[tuple[Any, ...]] = self._relation.query(THIS, sql).fetchall()
        return found

    def table(self, sql: str) -> Any:
        if self._connection is not None:
            return super().table(sql)
        return self._relation.query(THIS, sql).to_arrow_table()

    def _joining(self) -> Any:
        """From now on in our own database: that of the relation is not ours to put anything into."""
        if self._connection is None:
            table = self._relation.to_arrow_table()
            self._connection = cursor()
            self._connection.register(THIS, table)
        return self._connection


@contextmanager
def scanned(value: Any, what: str = "the value") -> Iterator[Scan]:
    """Ask a table in memory, or one that is computed when it is asked. Raises ResultError for what is no table."""
    kind = frames.kind_of(value)
    if kind is None:
        raise ResultError(
            f"{what} is a {type(value).__name__}, not a table",
            hint="give a frame of Polars or pandas, an Arrow table, a DuckDB relation or a list of dicts",
        )
    if kind == "duckdb":
        yield _OfRelation(value)
        return
    if kind == "rows":
        kind, value = frames.from_rows(value) if value else ("arrow", frames.pyarrow().table({}))
    elif kind == "stream":
        kind, value = "arrow", frames.to_arrow(value, kind)
    connection = cursor()
    try:
        yield _registered(connection, value, kind, what)
    finally:
        connection.close()


def _registered(connection: Any, value: Any, kind: Kind, what: str) -> Scan:
    names = value.collect_schema().names() if kind == "lazy" else list(getattr(value, "column_names", value.columns))
    if not names:  # DuckDB has no tables without columns; such a one has no rows either
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {THIS} AS SELECT NULL AS {quoted(_NOTHING)} WHERE FALSE")
        return _Empty(connection)
    import duckdb

    try:
        connection.register(THIS, value)
    except duckdb.Error as error:
        raise ResultError(f"{what} cannot be asked in SQL: {_line(error)}", hint=_ONE_TYPE) from error
    return Scan(connection, told=lambda: frames.columns_of(value, kind))


_NOTHING = "no columns"
_ONE_TYPE = "give every column one type that SQL has (text, numbers, dates, lists or structs of those)"


class _Empty(Scan):
    @property
    def columns(self) -> dict[str, str]:
        return {}


@contextmanager
def scanned_sql(portable: str, told: Callable[[], Columns] | None = None) -> Iterator[Scan]:
    """Ask what SQL names by itself, such as `read_parquet([...])`. `told`: see `Scan`."""
    connection = cursor()
    try:
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {THIS} AS SELECT * FROM {portable}")
        yield Scan(connection, portable, told)
    finally:
        connection.close()


@contextmanager
def scanned_there(connection: Any, sql: str) -> Iterator[Scan]:
    """Ask a query of a connection to another database, which is not closed."""
    in_utc(connection).execute(f"CREATE OR REPLACE TEMP VIEW {THIS} AS {sql}")
    yield _Elsewhere(connection)


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
