"""The SQL that `DuckDBIO` needs of one table: its columns, how they widen, a fingerprint of its content."""

from __future__ import annotations

from typing import Any

from batuta.core.errors import ResultError
from batuta.io.base import Stored
from batuta.io.files import hash_bytes
from batuta.io.frames import plain_type

PARTITION = "_partition"
"""The column of ours that rows of a partitioned asset carry."""


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A string as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


class Table:
    """A table by name; `sql` is how statements name it."""

    def __init__(self, schema: str, name: str) -> None:
        self.schema, self.name = schema, name
        self.sql = f"{quoted(schema)}.{quoted(name)}"

    def columns(self, connection: Any) -> list[tuple[str, str]]:
        """(name, DuckDB type) in order; empty if there is no such table."""
        # Not DESCRIBE: an error of a statement would end the transaction.
        sql = """SELECT column_name, data_type FROM duckdb_columns()
            WHERE database_name = current_database() AND schema_name = ? AND table_name = ? ORDER BY column_index"""
        return [(name, kind) for name, kind in connection.execute(sql, [self.schema, self.name]).fetchall()]

    def kind(self, connection: Any) -> str:
        """`table`, `view`, or "" where there is neither."""
        sql = """SELECT 'view' FROM duckdb_views() WHERE database_name = current_database() AND schema_name = ?
            AND view_name = ? UNION ALL SELECT 'table' FROM duckdb_tables() WHERE database_name = current_database()
            AND schema_name = ? AND table_name = ?"""
        found = connection.execute(sql, [self.schema, self.name] * 2).fetchone()
        return "" if found is None else str(found[0])

    def drop(self, connection: Any, unless: str = "") -> None:
        """Remove it, whether it is a table or a view; not where it is what `unless` says."""
        kind = self.kind(connection)
        if kind and kind != unless:
            connection.execute(f"DROP {kind.upper()} {self.sql}")

    def widen(self, connection: Any, name: str, existing: str | None, incoming: str) -> None:
        """Make a column able to hold what comes: added, or of a wider type. No number is rounded or made text."""
        if existing is None:
            kind = "INTEGER" if incoming == '"NULL"' else incoming
            connection.execute(f"ALTER TABLE {self.sql} ADD COLUMN {quoted(name)} {kind}")
            return
        if existing == incoming or incoming == '"NULL"':
            return
        both = f"SELECT CAST(NULL AS {existing}) AS c UNION ALL SELECT CAST(NULL AS {incoming})"
        ((common,),) = connection.execute(f"SELECT typeof(c) FROM ({both}) LIMIT 1").fetchall()
        ((used,),) = connection.execute(f"SELECT count({quoted(name)}) FROM {self.sql}").fetchall()
        if not used:
            common = incoming
        elif common == "VARCHAR":
            raise ResultError(
                f"{self.schema}.{self.name}: column '{name}' is {incoming} here and {existing} in other partitions",
                hint="give it one type in all partitions, or materialize them all after deleting the table",
            )
        if common != existing:
            connection.execute(f"ALTER TABLE {self.sql} ALTER COLUMN {quoted(name)} SET DATA TYPE {common}")


NOTES = Table("_batuta", "partitions")


def described(connection: Any, name: str) -> list[tuple[str, str]]:
    """(column, DuckDB type) of something that is there to be read."""
    return [(row[0], row[1]) for row in connection.execute(f"DESCRIBE FROM {name}").fetchall()]


def with_schema(connection: Any, schema: str) -> None:
    """Make the schemas for the table and for our notes if they are not there."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(NOTES.schema)}")
    connection.execute(f"CREATE TABLE IF NOT EXISTS {NOTES.sql} (asset VARCHAR, partition VARCHAR)")


def fingerprint(connection: Any, source: str, columns: list[tuple[str, str]], where: str) -> tuple[int, str]:
    """Rows and content hash of what a FROM says; neither the order of rows nor columns that are all null count."""
    cells = "0::UBIGINT"
    for name, _ in columns:
        cell = quoted(name)
        cells = f"xor({cells}, CASE WHEN {cell} IS NULL THEN 0::UBIGINT ELSE hash({cell}, {text(name)}) END)"
    inner = f"SELECT {cells} AS cells FROM {source} WHERE {where}"
    sql = f"SELECT count(*), sum(hash(cells)::HUGEINT), bit_xor(hash(cells)) FROM ({inner})"
    ((rows, total, folded),) = connection.execute(sql).fetchall()
    return rows, hash_bytes(f"{rows};{total};{folded}".encode())


def stored_in(connection: Any, table: Table, where: str) -> Stored:
    """What a table holds where the condition says, without the column of ours."""
    columns = [(name, kind) for name, kind in table.columns(connection) if name != PARTITION]
    rows, version = fingerprint(connection, table.sql, columns, where)
    return Stored(rows=rows, columns=[(name, plain_type(kind)) for name, kind in columns], data_version=version)
