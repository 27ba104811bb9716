"""A query as its author wrote it: what it reads and which parameters it names, and the same text with both put in.

Surprising: the text is never written anew. Names of tables and parameters are replaced where they stand, so that lines
stay lines, and the database runs what was written. In the place of a parameter stands a literal that sqlglot writes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from batuta.core.errors import DefinitionError
from batuta.core.place import Place
from batuta.sql.parse import NOWHERE, parameters_in, parse_query, sqlglot, table_refs, tables_of

if TYPE_CHECKING:
    from sqlglot import exp


class Named(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A table or parameter that a query names, and the line of its text on which it stands first."""

    name: str
    line: int = 0


class QueryFacts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is to be known of a query before it runs. `version` changes with it, not with its layout and comments."""

    tables: tuple[Named, ...]
    parameters: tuple[Named, ...]
    version: str


class _Span(NamedTuple):
    """Characters `start` to `end` (not included) of a text, and what takes their place."""

    start: int
    end: int
    text: str


def facts_of(text: str, dialect: str, place: Place = NOWHERE) -> QueryFacts:
    """The facts of a query. Raises DefinitionError with file and line for what is none."""
    query = parse_query(text, dialect, place)
    try:
        tables = tuple(Named(ref.name, ref.line) for ref in table_refs(query))
    except DefinitionError as error:
        raise DefinitionError(error.what, where=str(place), hint=error.hint) from None
    tokens = _tokens(text, dialect)
    first: dict[str, int] = {}
    for name, start, _ in parameters_in(tokens):
        first.setdefault(name, text.count("\n", 0, start) + 1)
    return QueryFacts(tables, tuple(Named(name, line) for name, line in first.items()), _version(tokens, text))


def version_key(text: str, dialect: str) -> str:
    """What facts may be kept under: nothing but these, and the version of sqlglot, makes them differ."""
    parts = "\0".join((str(sqlglot().__version__), dialect, text))
    return hashlib.blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def rendered(text: str, dialect: str, tables: Mapping[str, str], values: Mapping[str, str]) -> str:
    """The text of a query with other names for its tables, and literals for its parameters; without what follows it.

    `tables`: by the names that `facts_of` gives, what to write in their place. `values`: see `literal`.
    """
    query = parse_query(text, dialect)
    tokens = _tokens(text, dialect)
    spans = [_Span(start, end, values[name]) for name, start, end in parameters_in(tokens) if name in values]
    spans += _table_spans(query, tables, dialect)
    last = [token for token in tokens if token.token_type.name != "SEMICOLON"][-1]
    made, at = [], 0
    for span in sorted(set(spans)):
        made += [text[at : span.start], span.text]
        at = span.end
    return "".join([*made, text[at : last.end + 1]])


def literal(value: Any, dialect: str) -> str:
    """A value as SQL: None, bool, numbers, texts, dates, and times (aware ones as TIMESTAMPTZ), and lists of them."""
    sqlglot()
    written: str = _literal(value).sql(dialect=dialect)
    return written


def identifier(*parts: str, dialect: str) -> str:
    """Names as a quoted identifier, with dots between them."""
    sqlglot()
    from sqlglot import exp

    return ".".join(exp.to_identifier(part, quoted=True).sql(dialect) for part in parts)


def _literal(value: Any) -> exp.Expr:
    from sqlglot import exp

    match value:
        case datetime():
            kind = "TIMESTAMPTZ" if value.tzinfo else "TIMESTAMP"
            return exp.cast(exp.Literal.string(value.isoformat(sep=" ")), kind)
        case date():
            return exp.cast(exp.Literal.string(value.isoformat()), "DATE")
        case list() | tuple():
            return exp.Array(expressions=[_literal(one) for one in value])
        case float() if not math.isfinite(value):
            return exp.cast(exp.Literal.string(str(value)), "DOUBLE")
        case None | bool() | int() | float() | str():
            return exp.convert(value)
    raise DefinitionError(
        f"a {type(value).__name__} cannot be a parameter of a query",
        hint="give a number, text, date, time, or a list of those",
    )


def _tokens(text: str, dialect: str) -> list[Any]:
    found: list[Any] = sqlglot().tokenize(text, read=dialect)
    return found


def _version(tokens: Iterable[Any], text: str) -> str:
    """Letters count as small ones outside of quotes, as they do for databases."""
    parts = []
    for token in tokens:
        written = text[token.start : token.end + 1]
        parts.append(written if written[:1] in "'\"`$" or written[-1:] == "'" else written.lower())
    while parts and parts[-1] == ";":
        parts.pop()
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _table_spans(query: exp.Query, tables: Mapping[str, str], dialect: str) -> list[_Span]:
    from sqlglot import exp

    spans: list[_Span] = []
    aliases: dict[tuple[str, ...], str] = {}
    for name, nodes in tables_of(query).items():
        if name not in tables:
            continue
        for node in nodes:
            parts = node.parts
            text = tables[name]
            if not node.alias:
                alias = identifier(_folded(parts[-1], dialect), dialect=dialect)
                aliases[tuple(part.name.lower() for part in parts)] = alias
                text = f"{text} AS {alias}"
            spans.append(_Span(parts[0].meta["start"], parts[-1].meta["end"] + 1, text))
    for column in query.find_all(exp.Column):
        qualifier = column.parts[:-1]
        alias = aliases.get(tuple(part.name.lower() for part in qualifier), "")
        if len(qualifier) > 1 and alias:
            spans.append(_Span(qualifier[0].meta["start"], qualifier[-1].meta["end"] + 1, alias))
    return spans


def _folded(name: Any, dialect: str) -> str:
    """An identifier as the database reads it: without quotes, PostgreSQL takes small letters."""
    text: str = name.name
    return text if name.args.get("quoted") or dialect != "postgres" else text.lower()
