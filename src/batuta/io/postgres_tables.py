"""The SQL that `PostgresIO` needs of one table: its columns, how they change, a fingerprint of its content; and types.

A table is changed, never replaced: what depends on it (views, grants) stays, and readers see the old rows until the
transaction that writes the new ones is committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from batuta.core.errors import ResultError
from batuta.io.base import Stored
from batuta.io.duck_tables import PARTITION, quoted
from batuta.io.files import hash_bytes
from batuta.io.frames import Columns, plain_type

NOTES_SCHEMA, NOTES = "_batuta", '"_batuta"."partitions"'
"""Which partitions of which asset were stored: one may well have no rows."""


class Table:
    """A table by name; `sql` is how statements name it."""

    def __init__(self, schema: str, name: str) -> None:
        self.schema, self.name = schema, name
        self.sql = f"{quoted(schema)}.{quoted(name)}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and self.sql == other.sql

    def __hash__(self) -> int:
        return hash(self.sql)

    def columns(self, cursor: Any) -> list[tuple[str, str]]:
        """(name, PostgreSQL type) in order; empty if there is no such table or view."""
        sql = """SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
            JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
        return [(name, kind) for name, kind in cursor.execute(sql, [self.schema, self.name]).fetchall()]

    def kind(self, cursor: Any) -> str:
        """`table`, `view`, or "" where there is neither."""
        sql = """SELECT c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = %s AND c.relname = %s"""
        found = cursor.execute(sql, [self.schema, self.name]).fetchone()
        return "" if found is None else {"v": "view", "m": "materialized view"}.get(found[0], "table")

    def drop(self, cursor: Any, unless: str = "") -> None:
        """Remove it, whether it is a table or a view; not where it is what `unless` says."""
        kind = self.kind(cursor)
        if kind and kind != unless:
            cursor.execute(f"DROP {kind.upper()} {self.sql}")

    def fit(self, cursor: Any, incoming: Sequence[tuple[str, str]], *, keep: bool) -> None:
        """Make the table there, or able to hold these columns. `keep`: columns that do not come stay, and only widen.

        Taken under a lock of its own, so that two partitions that are made at once do not both make it.
        """
        wanted = dict(incoming)
        if self._fits(dict(self.columns(cursor)), wanted, keep) and self.kind(cursor) == "table":
            return
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [self.sql])
        existing = dict(self.columns(cursor))
        if not existing or self.kind(cursor) != "table":
            self.drop(cursor, unless="table")
            with_schema(cursor, self.schema)
            columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in incoming)
            cursor.execute(f"CREATE TABLE {self.sql} ({columns})")
            return
        for name, kind in wanted.items():
            if name not in existing:
                cursor.execute(f"ALTER TABLE {self.sql} ADD COLUMN {quoted(name)} {kind}")
            elif existing[name] != kind:
                self._retype(cursor, name, existing[name], kind, keep)
        for name in existing.keys() - wanted.keys() if not keep else ():
            cursor.execute(f"ALTER TABLE {self.sql} DROP COLUMN {quoted(name)}")

    def _fits(self, existing: dict[str, str], wanted: dict[str, str], keep: bool) -> bool:
        if keep:
            return bool(existing) and all(existing.get(name) == kind for name, kind in wanted.items())
        return existing == wanted

    def _retype(self, cursor: Any, name: str, existing: str, incoming: str, keep: bool) -> None:
        wider = _WIDER.get(existing, ())
        if not keep:
            kind, using = incoming, f" USING NULL::{incoming}"
        elif incoming in wider:
            kind, using = incoming, ""
        elif existing in _WIDER.get(incoming, ()):
            return
        else:
            raise ResultError(
                f"{self.schema}.{self.name}: column '{name}' is {incoming} here and {existing} in other rows",
                hint="give it one type, or materialize all of it after deleting the table",
            )
        cursor.execute(f"ALTER TABLE {self.sql} ALTER COLUMN {quoted(name)} TYPE {kind}{using}")


_WIDER = {
    "smallint": ("integer", "bigint", "numeric", "double precision"),
    "integer": ("bigint", "numeric", "double precision"),
    "bigint": ("numeric",),
    "real": ("double precision",),
    "date": ("timestamp without time zone",),
}


def with_schema(cursor: Any, schema: str) -> None:
    """Make a schema that is not there; of two that do so at once, one waits for the other."""
    known = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
    if cursor.execute(known, [schema]).fetchone() is None:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"schema {schema}"])
        if cursor.execute(known, [schema]).fetchone() is None:  # IF NOT EXISTS may look at what it remembers
            cursor.execute(f"CREATE SCHEMA {quoted(schema)}")


def with_notes(cursor: Any) -> None:
    """Make the table of our notes if it is not there."""
    if cursor.execute("SELECT to_regclass(%s)", [NOTES]).fetchone()[0] is None:
        with_schema(cursor, NOTES_SCHEMA)
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [NOTES])
        columns = "asset text NOT NULL, partition text NOT NULL, PRIMARY KEY (asset, partition)"
        if not Table(NOTES_SCHEMA, "partitions").columns(cursor):
            cursor.execute(f"CREATE TABLE {NOTES} ({columns})")


def note(cursor: Any, asset: str, partition: str) -> None:
    """Remember that a partition is there."""
    cursor.execute(f"INSERT INTO {NOTES} VALUES (%s, %s) ON CONFLICT DO NOTHING", [asset, partition])


def noted(cursor: Any, asset: str) -> set[str]:
    """The partitions of an asset that are there."""
    if cursor.execute("SELECT to_regclass(%s)", [NOTES]).fetchone()[0] is None:
        return set()
    found = cursor.execute(f"SELECT partition FROM {NOTES} WHERE asset = %s", [asset]).fetchall()
    return {key for (key,) in found}


def forget(cursor: Any, asset: str, partition: str | None = None) -> None:
    """Forget a partition, or all of an asset."""
    if cursor.execute("SELECT to_regclass(%s)", [NOTES]).fetchone()[0] is not None:
        only = "" if partition is None else " AND partition = %s"
        cursor.execute(
            f"DELETE FROM {NOTES} WHERE asset = %s{only}", [asset, *([] if partition is None else [partition])]
        )


def shown_types(columns: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Columns without those of ours, with their PostgreSQL types."""
    return [(name, kind) for name, kind in columns if name != PARTITION]


def shown_columns(columns: Iterable[tuple[str, str]]) -> Columns:
    """Columns without those of ours, with their types in plain words."""
    return [
        (name, plain_type(_PLAIN.get(kind, kind.replace("numeric(", "decimal("))))
        for name, kind in shown_types(columns)
    ]


_PLAIN = {
    "real": "float32",
    "double precision": "float64",
    "numeric": "decimal",
    "text": "string",
    "character varying": "string",
    "bytea": "binary",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamp with time zone",
    "time without time zone": "time",
    "interval": "duration",
}


def stored_in(cursor: Any, table: Table, where: str) -> Stored:
    """What a table holds where the condition says: rows, columns, and a hash of the content in whatever order."""
    columns = table.columns(cursor)
    names = ", ".join(quoted(name) for name, _ in columns if name != PARTITION)
    inner = f"SELECT hashtextextended(ROW({names})::text, 0) AS h FROM {table.sql} WHERE {where}"
    sql = f"SELECT count(*), coalesce(sum(h::numeric), 0), coalesce(bit_xor(h), 0) FROM ({inner}) AS hashed"
    rows, total, folded = cursor.execute(sql).fetchone()
    version = hash_bytes(f"{rows};{total};{folded}".encode())
    return Stored(rows=rows, columns=shown_columns(columns), data_version=version)


def type_of(kind: Any) -> str:
    """The PostgreSQL type for an Arrow type."""
    import pyarrow.types as t

    if t.is_dictionary(kind):
        return type_of(kind.value_type)
    if t.is_list(kind) or t.is_large_list(kind) or t.is_fixed_size_list(kind):
        inner = type_of(kind.value_type)
        return inner if inner in ("jsonb", "text[]") or inner.endswith("[]") else f"{inner}[]"
    if t.is_decimal(kind):
        return f"numeric({kind.precision},{kind.scale})"
    if t.is_timestamp(kind):
        return "timestamp with time zone" if kind.tz else "timestamp without time zone"
    for check, name in (
        (t.is_boolean, "boolean"),
        (t.is_uint64, "numeric(20,0)"),
        (t.is_int64, "bigint"),
        (t.is_uint32, "bigint"),
        (t.is_int32, "integer"),
        (t.is_uint16, "integer"),
        (t.is_integer, "smallint"),
        (t.is_float64, "double precision"),
        (t.is_floating, "real"),
        (t.is_date, "date"),
        (t.is_time, "time without time zone"),
        (t.is_duration, "interval"),
        (t.is_binary, "bytea"),
        (t.is_large_binary, "bytea"),
        (t.is_struct, "jsonb"),
        (t.is_map, "jsonb"),
    ):
        if check(kind):
            return name
    return "text"


def arrow_type(kind: str) -> Any:
    """The Arrow type for a PostgreSQL type; None: what the values tell."""
    import pyarrow as pa

    if kind.endswith("[]"):
        inner = arrow_type(kind[:-2])
        return None if inner is None else pa.list_(inner)
    head = kind.partition("(")[0].strip()
    if head == "numeric":
        digits = [int(each) for each in kind.partition("(")[2].rstrip(")").split(",") if each.strip().isdigit()]
        return pa.decimal128(digits[0], digits[1]) if len(digits) == 2 and digits[0] <= 38 else None
    known = {
        "boolean": pa.bool_(),
        "smallint": pa.int16(),
        "integer": pa.int32(),
        "bigint": pa.int64(),
        "real": pa.float32(),
        "double precision": pa.float64(),
        "date": pa.date32(),
        "time without time zone": pa.time64("us"),
        "timestamp without time zone": pa.timestamp("us"),
        "timestamp with time zone": pa.timestamp("us", "UTC"),
        "interval": pa.duration("us"),
        "bytea": pa.binary(),
    }
    return known.get(head, pa.string())
