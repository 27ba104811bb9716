"""What a table format takes of Arrow's types, and how what comes fits what is there.

Formats have fewer types than Arrow: each becomes the nearest that holds all of its values, never one that rounds. A
surprise: a column in which all is null has no type, and is left out of a partition until another one gives it one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple

from batuta.core.errors import ResultError
from batuta.io import frames
from batuta.io.frames import Kind

How = Literal["create", "replace", "same", "add", "widen"]
"""What is done to the columns that are there: they are made anew, stay, get more beside them, or become wider."""


class Fitted(NamedTuple):
    """A table with the columns under which it is written. `schema`: of the whole table afterwards."""

    table: Any
    how: How
    schema: Any


def arrow_of(value: Any, kind: Kind) -> Any:
    """An Arrow table of any kind of table. Of a pandas index only levels with names are kept, as columns."""
    if kind == "pandas":
        return frames.pyarrow().Table.from_pandas(value, preserve_index=any(value.index.names))
    return frames.to_arrow(value, kind)


def settled(table: Any, type_of: Callable[[Any], Any], what: str) -> Any:
    """The table in types of a format, as `type_of` gives them (None: it has none). Raises ResultError."""
    pa = frames.pyarrow()
    if not table.column_names:
        raise ResultError(f"{what} has no columns", hint="give the frame its columns, even where it has no rows")
    fields = []
    for field in table.schema:
        kind = nearest_type(field.type, type_of)
        if kind is None:
            raise ResultError(
                f"{what}: column '{field.name}' is of type {field.type}, which the table format does not have",
                hint="make it a number, text, date, timestamp, or a list or struct of those",
            )
        fields.append(pa.field(field.name, kind))
    return cast_to(table, pa.schema(fields), what)


def nearest_type(kind: Any, type_of: Callable[[Any], Any]) -> Any:
    """The type of a format for one of Arrow's, into lists and structs; None: there is none."""
    import pyarrow as pa
    import pyarrow.types as t

    if t.is_dictionary(kind):
        return nearest_type(kind.value_type, type_of)
    if t.is_list(kind) or t.is_large_list(kind) or t.is_fixed_size_list(kind) or t.is_list_view(kind):
        inner = nearest_type(kind.value_type, type_of)
        return None if inner is None else pa.list_(inner)
    if t.is_map(kind):
        key, item = nearest_type(kind.key_type, type_of), nearest_type(kind.item_type, type_of)
        return None if key is None or item is None else pa.map_(key, item)
    if t.is_struct(kind):
        inners = [(field.name, nearest_type(field.type, type_of)) for field in kind]
        return None if any(inner is None for _, inner in inners) else pa.struct(inners)
    return type_of(_plain(kind))


def _plain(kind: Any) -> Any:
    """The type that both formats have for most others."""
    import pyarrow as pa
    import pyarrow.types as t

    if t.is_timestamp(kind):
        return pa.timestamp("us", "UTC" if kind.tz else None)
    for check, to in (
        (t.is_uint8, pa.int16()),
        (t.is_uint16, pa.int32()),
        (t.is_unsigned_integer, pa.int64()),
        (t.is_float16, pa.float32()),
        (t.is_large_string, pa.string()),
        (t.is_string_view, pa.string()),
        (t.is_large_binary, pa.binary()),
        (t.is_binary_view, pa.binary()),
        (t.is_fixed_size_binary, pa.binary()),
        (t.is_date, pa.date32()),
    ):
        if check(kind):
            return to
    return kind


def cast_to(table: Any, schema: Any, what: str) -> Any:
    """The table with these columns, those that it has not being null. Raises ResultError where a value is no such."""
    pa = frames.pyarrow()
    columns = []
    for field in schema:
        place = table.schema.get_field_index(field.name)
        if place < 0:
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        column = table.column(place)
        try:
            columns.append(column if column.type == field.type else column.cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise ResultError(
                f"{what}: column '{field.name}' ({column.type}) cannot be kept as {field.type}: {error}",
                hint="round or convert it in the asset's function",
            ) from error
    return pa.table(columns, schema=pa.schema([pa.field(field.name, field.type) for field in schema]))


def replacing(table: Any) -> Any:
    """The table that is to be all there is: a column without a type is text."""
    pa = frames.pyarrow()
    fields = [pa.field(one.name, pa.string() if pa.types.is_null(one.type) else one.type) for one in table.schema]
    return cast_to(table, pa.schema(fields), "")


def fitted(table: Any, existing: Any, what: str) -> Fitted:
    """A table that is to be part of one that has the columns `existing` (None: that is not there).

    Columns that do not come stay, and are null. Raises ResultError for types that no type holds both of.
    """
    pa = frames.pyarrow()
    typed = table.select([one.name for one in table.schema if not pa.types.is_null(one.type)])
    if existing is None:
        made = typed if typed.column_names else replacing(table)
        return Fitted(made, "create", made.schema)
    here = {one.name: one.type for one in existing}
    come = {one.name: one.type for one in typed.schema}
    how: How = "same"
    merged = []
    for name, kind in here.items():
        new = come.get(name, kind)
        if new != kind and not holds(kind, new):
            if not holds(new, kind):
                raise ResultError(
                    f"{what}: column '{name}' is {new} here and {kind} in the table",
                    hint="give it one type in all partitions, or materialize them all after deleting the table",
                )
            kind, how = new, "widen"
        merged.append(pa.field(name, kind))
    added = [pa.field(name, kind) for name, kind in come.items() if name not in here]
    if added and how == "same":
        how = "add"
    schema = pa.schema([*merged, *added])
    return Fitted(cast_to(typed, schema, what), how, schema)


_BITS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64}
_DIGITS = {8: 3, 16: 5, 32: 10, 64: 19}


def holds(wide: Any, narrow: Any) -> bool:
    """Whether every value of a type is one of the other, unrounded."""
    import pyarrow.types as t

    if wide == narrow:
        return True
    bits = _BITS.get(str(narrow), 0)
    if t.is_integer(wide):
        return 0 < bits < _BITS.get(str(wide), 0)
    if t.is_float64(wide):
        return t.is_float32(narrow) or 0 < bits <= 32
    if t.is_decimal(wide):
        if t.is_decimal(narrow):
            whole = narrow.precision - narrow.scale
            return bool(wide.scale >= narrow.scale and wide.precision - wide.scale >= whole)
        return bits > 0 and bool(wide.precision - wide.scale >= _DIGITS[bits])
    return False


def fingerprint_of(table: Any) -> tuple[int, str]:
    """Rows and content hash of an Arrow table; neither the order of rows nor columns that are all null count."""
    from batuta.io.duck_tables import described, fingerprint, quoted
    from batuta.io.scan import cursor

    connection = cursor()
    try:
        connection.register("batuta_input", table)
        source = quoted("batuta_input")
        return fingerprint(connection, source, described(connection, source), "TRUE")
    finally:
        connection.close()


def check_keys(table: Any, column: str, partitions: Sequence[str], what: str) -> None:
    """Raise ResultError where a table has rows of other partitions than these, or no such column."""
    import pyarrow as pa
    import pyarrow.types as t

    if column not in table.column_names:
        raise ResultError(f"{what} has no column '{column}'", hint="return it, or leave out partition_column=")
    kind = table.schema.field(column).type
    if not (t.is_string(kind) or t.is_integer(kind) or t.is_date(kind) or t.is_null(kind)):
        raise ResultError(
            f"{what}: column '{column}' is {kind}, by which a table cannot be partitioned",
            hint="make it text, an integer or a date",
        )
    found = {str(key) for key in table.column(column).cast(pa.string()).unique().to_pylist()}
    if alien := sorted(found - set(partitions)):
        raise ResultError(
            f"{what}: column '{column}' also holds {', '.join(alien[:5])}",
            hint="return only rows of the partitions that are being made",
        )


def typed_keys(keys: Iterable[str], kind: Any) -> list[Any]:
    """Partition keys as values of the column that tells them; those that are none are left out."""
    import pyarrow as pa

    found = []
    for key in keys:
        try:
            found.append(pa.array([key]).cast(kind)[0].as_py())
        except pa.ArrowInvalid:
            continue
    return found
