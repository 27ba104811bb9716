"""The types of the columns that a query gives, as far as they follow from its text and the types of what it reads.

Found by sqlglot, which does not know all that a database does: compare only what was found here with what was found
here. The surprising rule: a column whose type does not follow is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from batuta.core.columns import SqlSource
from batuta.core.errors import DefinitionError
from batuta.sql.lineage import named_tables
from batuta.sql.parse import parse_query, sqlglot

_WRITTEN = {
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INT",
    "int64": "BIGINT",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "string": "TEXT",
    "category": "TEXT",
    "bool": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "datetime": "TIMESTAMP",
    "binary": "BINARY",
}

_READ = {written: name for name, written in _WRITTEN.items() if name != "category"} | {
    "TIMESTAMPTZ": "datetime[UTC]",
    "REAL": "float32",
    "BLOB": "binary",
}


def types_of(source: SqlSource, tables: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The type of each column, by its name in small letters, in the words of `core.contract`.

    `tables`: columns of the assets that are read, with types. Empty for what is no query.
    """
    glot = sqlglot()
    from sqlglot.optimizer.annotate_types import annotate_types
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.schema import MappingSchema

    try:
        query = parse_query(source.text, source.dialect)
        assets = named_tables(query, source.tables)
        known: dict[str, object] = {own: _columns(tables[key]) for own, key in assets.items() if tables.get(key)}
        schema = MappingSchema(known, dialect=source.dialect)
        qualified = qualify(
            query,
            schema=schema,
            dialect=source.dialect,
            validate_qualify_columns=False,
            allow_partial_qualification=True,
            identify=False,
            quote_identifiers=False,
        )
        typed = annotate_types(qualified, schema=schema, dialect=source.dialect)
    except (glot.errors.SqlglotError, DefinitionError, RecursionError):
        return {}
    found: dict[str, str] = {}
    for select in typed.selects:
        if text := _text(select.type):
            found[select.alias_or_name.lower()] = text
    return found


def _columns(columns: Mapping[str, str]) -> dict[str, str]:
    return {name: _written(kind) for name, kind in columns.items()}


def _written(kind: str) -> str:
    if kind.startswith("decimal("):
        return kind.upper()
    if kind.startswith("datetime["):
        return "TIMESTAMPTZ"
    return _WRITTEN.get(kind, "unknown")


def _text(kind: Any) -> str:
    from sqlglot import exp

    if not isinstance(kind, exp.DataType) or kind.this in (exp.DataType.Type.UNKNOWN, exp.DataType.Type.NULL):
        return ""
    text: str = kind.sql("duckdb")
    if text.startswith("DECIMAL("):
        return text.lower().replace(" ", "")
    return _READ.get(text) or text.lower()
