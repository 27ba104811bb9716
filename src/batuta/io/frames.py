"""Tables in memory, whatever library made them: which kind a value is, which kind an annotation asks for, and the way
from one to another.

Nothing is imported to find out: a value or annotation of Polars, pandas, Arrow or DuckDB is known by its class's name.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from batuta.core.errors import DefinitionError

Kind = Literal["polars", "lazy", "pandas", "arrow", "duckdb", "rows", "stream"]
WantedKind = Literal["polars", "lazy", "pandas", "arrow", "duckdb", "rows", "path", "any"]
Columns = list[tuple[str, str]]

_CLASSES: dict[tuple[str, str], Kind] = {
    ("polars", "DataFrame"): "polars",
    ("polars", "LazyFrame"): "lazy",
    ("pandas", "DataFrame"): "pandas",
    ("pyarrow", "Table"): "arrow",
    ("duckdb", "DuckDBPyRelation"): "duckdb",
    ("_duckdb", "DuckDBPyRelation"): "duckdb",
}


class Wanted(NamedTuple):
    """What an annotation asks for. `by_partition`: a dict from partition key to that kind; `many`: a list of paths;
    `mapping`: a dict, of whatever."""

    kind: WantedKind
    by_partition: bool = False
    many: bool = False
    mapping: bool = False


def class_kind(cls: Any) -> Kind | None:
    """The kind of table that instances of a class are; subclasses (pandera's, geopandas') included."""
    for base in getattr(cls, "__mro__", ()):
        kind = _CLASSES.get((base.__module__.partition(".")[0], base.__name__))
        if kind:
            return kind
    return None


def kind_of(value: Any) -> Kind | None:
    """The kind of table that a value is; None if it is none."""
    kind = class_kind(type(value))
    if kind:
        return kind
    if isinstance(value, list):
        return "rows" if all(isinstance(row, dict) for row in value) else None
    return "stream" if hasattr(type(value), "__arrow_c_stream__") else None


def wants(annotation: Any) -> Wanted:
    """What a consumer's annotation asks for; `any` leaves the choice to the IO manager."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return wants(args[0])
    if origin in (Union, types.UnionType):
        return next((found for found in map(wants, args) if found.kind != "any" or found.mapping), Wanted("any"))
    cls = origin or annotation
    kind = class_kind(cls)
    if kind and kind != "stream":
        return Wanted(kind)
    if not isinstance(cls, type):
        return Wanted("any")
    if issubclass(cls, Path):
        return Wanted("path")
    if issubclass(cls, Mapping):
        inner = wants(args[1]) if len(args) == 2 and args[0] is str else Wanted("any")
        return Wanted(inner.kind, by_partition=inner.kind != "any", mapping=True)
    if (issubclass(cls, Sequence) and not issubclass(cls, str | bytes)) or cls is Iterable:
        return Wanted("path", many=True) if args and wants(args[0]).kind == "path" else Wanted("rows")
    return Wanted("any")


def default_kind() -> Literal["polars", "pandas", "arrow"]:
    """The frame to load where nobody says which: that of the first library that is installed."""
    for module, kind in (("polars", "polars"), ("pandas", "pandas"), ("pyarrow", "arrow")):
        if find_spec(module):
            return typing.cast(Literal["polars", "pandas", "arrow"], kind)
    raise needs("polars")


def needs(module: str) -> DefinitionError:
    """The error where a library is asked for that is not installed."""
    return DefinitionError(
        f"tables need {module}, which is not installed here", hint=f"install it: pip install {module}"
    )


def pyarrow() -> Any:
    """The module, or an error that says to install it."""
    try:
        import pyarrow
    except ImportError as error:
        raise needs("pyarrow") from error
    return pyarrow


def to_arrow(value: Any, kind: Kind) -> Any:
    """A pyarrow Table of any kind of table. pandas keeps its index, as a column or in the metadata."""
    pa = pyarrow()
    match kind:
        case "arrow":
            return value
        case "polars":
            return value.to_arrow()
        case "lazy":
            return value.collect().to_arrow()
        case "pandas":
            return pa.Table.from_pandas(value)
        case "duckdb":
            return value.to_arrow_table()
        case "rows":
            return pa.Table.from_pylist(value)
        case "stream":
            return pa.RecordBatchReader.from_stream(value).read_all()


def from_rows(rows: list[dict[str, Any]]) -> tuple[Literal["polars", "arrow"], Any]:
    """A frame of a list of dicts, in Polars if it is installed, else in Arrow."""
    if find_spec("polars"):
        import polars as pl

        return "polars", pl.DataFrame(rows, infer_schema_length=None)
    return "arrow", to_arrow(rows, "rows")


def convert_rows(rows: list[dict[str, Any]], kind: WantedKind) -> Any:
    """A list of dicts as the kind that is wanted."""
    if kind == "rows":
        return rows
    if kind in ("polars", "lazy") and find_spec("polars"):
        frame = from_rows(rows)[1]
        return frame if kind == "polars" else frame.lazy()
    return from_arrow(to_arrow(rows, "rows"), kind)


def from_arrow(table: Any, kind: WantedKind) -> Any:
    """A pyarrow Table as the kind that is wanted."""
    match kind:
        case "arrow":
            return table
        case "pandas":
            return table.to_pandas()
        case "rows":
            return table.to_pylist()
        case "duckdb":
            return duckdb_cursor().from_arrow(table)
        case "any":
            return from_arrow(table, default_kind())
        case "polars" | "lazy":
            import polars as pl

            frame = pl.DataFrame(table)
            return frame if kind == "polars" else frame.lazy()
        case "path":
            raise DefinitionError("the table is not in a file that could be handed over", hint="annotate a frame type")


_relations_in: ContextVar[Any] = ContextVar("relations_in", default=None)


@contextmanager
def relations_in(connection: Any) -> Iterator[None]:
    """Within it, relations that are loaded belong to this connection, so that they can be joined there."""
    token = _relations_in.set(connection)
    try:
        yield
    finally:
        _relations_in.reset(token)


def duckdb_cursor() -> Any:
    """A connection of its own to DuckDB's default in-memory database: its relations work in `duckdb.sql(...)`."""
    if (connection := _relations_in.get()) is not None:
        return connection
    try:
        import duckdb
    except ImportError as error:
        raise needs("duckdb") from error
    return duckdb.default_connection().cursor()


def columns_of(value: Any, kind: Kind) -> Columns:
    """Names and types of a table's columns, without computing it."""
    match kind:
        case "polars":
            pairs = value.schema.items()
        case "lazy":
            pairs = value.collect_schema().items()
        case "duckdb":
            pairs = zip(value.columns, value.types, strict=True)
        case _:
            schema = value.schema if kind == "arrow" else to_arrow(value, kind).schema
            pairs = zip(schema.names, schema.types, strict=True)
    return [(str(name), plain_type(str(kind_name))) for name, kind_name in pairs]


def null_counts(value: Any, names: Sequence[str]) -> tuple[dict[str, int], int] | None:
    """Nulls in those of the columns that are there, and rows, where it knows them; None where it has to be asked.

    (In pandas, what counts as null depends on how a column is read.)
    """
    match kind_of(value):
        case "polars":
            return {name: value[name].null_count() for name in names if name in value.columns}, value.height
        case "arrow":
            present = [name for name in names if name in value.column_names]
            return {name: value.column(name).null_count for name in present}, value.num_rows
    return None


_TYPES = {
    "int8": "int8 i8 tinyint",
    "int16": "int16 i16 smallint",
    "int32": "int32 i32 integer",
    "int64": "int64 i64 bigint",
    "int128": "int128 i128 hugeint",
    "uint8": "uint8 u8 utinyint",
    "uint16": "uint16 u16 usmallint",
    "uint32": "uint32 u32 uinteger",
    "uint64": "uint64 u64 ubigint",
    "float32": "float32 f32 float real",
    "float64": "float64 f64 double",
    "string": "string str utf8 large_string string_view varchar",
    "binary": "binary large_binary binary_view fixed_size_binary blob",
    "bool": "bool boolean",
    "date": "date date32 date64",
    "time": "time time32 time64",
    "datetime": "datetime datetime64 timestamp timestamp_s timestamp_ms timestamp_ns",
    "duration": "duration interval",
    "decimal": "decimal decimal32 decimal64 decimal128 decimal256",
    "list": "list large_list list_view fixed_size_list array",
    "category": "dictionary categorical enum",
}
PLAIN_NAMES = frozenset({*_TYPES, "uuid", "struct", "map", "object", "null"})
"""The names of types, without what stands in brackets."""
_PLAIN_TYPES = {alias: name for name, aliases in _TYPES.items() for alias in aliases.split()}


def plain_type(text: str) -> str:
    """One vocabulary for type names of Polars, Arrow and DuckDB: `int64`, `datetime[UTC]`, `decimal(18,2)`, `list`."""
    if re.fullmatch(r"datetime\[[A-Z][\w/+-]*\]", text):
        return text
    lowered = text.lower()
    if re.search(r"\[\d*\]$", lowered):  # DuckDB's BIGINT[] and DOUBLE[3]
        return "list"
    head = re.split(r"[\[(<{]", lowered, maxsplit=1)[0].strip()
    if head == "timestamp with time zone":
        return "datetime[UTC]"
    name = _PLAIN_TYPES.get(head, head)
    if name == "decimal" and (digits := re.findall(r"\d+", text.partition("(")[2])):
        return f"decimal({','.join(digits)})"
    if name == "datetime" and (zone := re.search(r"(?:tz|time_zone)='?([A-Za-z][\w/+-]*)", text)) and zone[1] != "None":
        return f"datetime[{zone[1]}]"
    return name
