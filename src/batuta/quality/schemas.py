"""What `schema=` may be: names and types as text, a pydantic model or dataclass, a schema of Polars, Arrow or pandera.

`"int64"`, `"decimal(18,2)"`, `"datetime[UTC]"` are the words of `io.frames.plain_type`; those of the libraries are
understood too. `"int64 not null"` says that every row has a value, as does a field that is not Optional.
"""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from batuta.core.columns import Column
from batuta.core.contract import Contract
from batuta.core.errors import DefinitionError, nearest
from batuta.io.frames import PLAIN_NAMES, plain_type

_PYTHON: dict[Any, str] = {
    bool: "bool",
    int: "int64",
    float: "float64",
    str: "string",
    bytes: "binary",
    datetime: "datetime",  # before date, of which it is a kind
    date: "date",
    time: "time",
    timedelta: "duration",
    Decimal: "decimal",
    UUID: "uuid",
    Any: "",
}
_LISTS = (list, tuple, set, frozenset)
_NOT_NULL = re.compile(r"(.*?)\s+not\s+null", re.IGNORECASE)


def contract_of(given: Any, evolution: Any, where: str) -> Contract:
    """The contract that `given` says. Raises DefinitionError."""
    if evolution not in ("exact", "additive"):
        hint = "it is 'exact' or 'additive' (other columns are allowed)"
        raise DefinitionError(f"evolution= is {evolution!r}", where=where, hint=hint)
    columns = tuple(_columns(given, where))
    if not columns:
        raise DefinitionError("schema= has no columns", where=where, hint="name them, or leave it out")
    names = [column.name for column in columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DefinitionError(f"schema= names {twice[0]!r} twice", where=where, hint="name each column once")
    return Contract(columns, evolution)


def _columns(given: Any, where: str) -> Iterable[Column]:
    if isinstance(given, Contract):
        return given.columns
    module = type(given).__module__.partition(".")[0]
    if module == "pyarrow" and hasattr(given, "field"):
        return [Column(field.name, plain_type(str(field.type)), nullable=field.nullable) for field in given]
    if isinstance(given, Mapping):
        return [_column(name, kind, where) for name, kind in given.items()]
    if isinstance(given, type) and (found := _fields(given)) is not None:
        return [_of_annotation(name, annotation, where) for name, annotation in found.items()]
    pandera = given.to_schema() if hasattr(given, "to_schema") else given
    if type(pandera).__module__.startswith("pandera.") and hasattr(pandera, "columns"):
        return [_of_pandera(name, column) for name, column in pandera.columns.items()]
    if isinstance(given, list | tuple) and all(isinstance(one, Column) for one in given):
        return given
    if isinstance(given, list | tuple) and all(isinstance(one, str) for one in given):
        return [Column(name) for name in given]
    raise DefinitionError(
        f"schema= is a {type(given).__name__}",
        where=where,
        hint="give {'id': 'int64 not null', ...}, a pydantic model, or a schema of Polars, Arrow or pandera",
    )


def _column(name: Any, kind: Any, where: str) -> Column:
    if not isinstance(name, str) or not name:
        raise DefinitionError(f"schema=: {name!r} is no column", where=where, hint="give names as text")
    if isinstance(kind, Column):
        return Column(name, checked_type(kind.type, name, where), kind.description, kind.tags, kind.nullable)
    if not isinstance(kind, str):
        if kind in _PYTHON or get_origin(kind) is not None or isinstance(kind, types.UnionType):
            return _of_annotation(name, kind, where, nullable=True)
        kind = str(kind() if isinstance(kind, type) else kind)  # pl.Int64, pl.Datetime("us", "UTC"), pa.int64()
    found = _NOT_NULL.fullmatch(kind.strip())
    return Column(name, checked_type(found[1] if found else kind, name, where), nullable=found is None)


def checked_type(given: str, name: str, where: str) -> str:
    """The type in our words. Raises DefinitionError for one that no table has."""
    kind = plain_type(given.strip())
    head = re.split(r"[\[(]", kind, maxsplit=1)[0]
    if kind in ("", "any") or head in PLAIN_NAMES:
        return kind
    hint = nearest(head, PLAIN_NAMES) or f"types are {', '.join(sorted(PLAIN_NAMES))}"
    raise DefinitionError(f"schema=: column {name!r} is of type {given!r}, which no table has", where=where, hint=hint)


def _fields(cls: type) -> dict[str, Any] | None:
    """The annotated fields of a pydantic model, a dataclass or a TypedDict; None for any other class."""
    if hasattr(cls, "model_fields") and hasattr(cls, "model_validate"):
        return {name: field.rebuild_annotation() for name, field in cls.model_fields.items()}
    if dataclasses.is_dataclass(cls) or hasattr(cls, "__required_keys__"):
        return get_type_hints(cls, include_extras=True)
    return None


def _of_annotation(name: str, annotation: Any, where: str, nullable: bool = False) -> Column:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [part for part in get_args(annotation) if part is not type(None)]
        nullable = nullable or len(parts) < len(get_args(annotation))
        if len(parts) != 1:
            return Column(name, "", nullable=nullable)
        return _of_annotation(name, parts[0], where, nullable)
    origin = get_origin(annotation) or annotation
    if origin in _LISTS:
        return Column(name, "list", nullable=nullable)
    for known, kind in _PYTHON.items():
        if origin is known or (isinstance(origin, type) and known is not Any and issubclass(origin, known)):
            return Column(name, kind, nullable=nullable)
    is_struct = isinstance(origin, type) and (issubclass(origin, dict) or _fields(origin) is not None)
    return Column(name, "struct" if is_struct else "", nullable=nullable)


def _of_pandera(name: str, column: Any) -> Column:
    kind = getattr(column.dtype, "type", column.dtype)
    return Column(str(name), plain_type(str(kind)) if column.dtype is not None else "", nullable=bool(column.nullable))
