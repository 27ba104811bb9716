"""A query as sqlglot's tree, with mistakes told by file and line, and the tables that it reads.

Surprising: names of tables are compared in lower case and without quotes, as nobody who writes `Silver.Orders` means
another asset than `silver.orders`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from batuta.core.errors import DefinitionError, nearest
from batuta.core.place import Place

if TYPE_CHECKING:
    from sqlglot import exp

DIALECTS = ("duckdb", "postgres")
"""Those that assets can be made in; lineage is found in any that sqlglot knows."""
NOWHERE = Place()
ALIASES = {"postgresql": "postgres"}
_FILES = (".parquet", ".csv", ".tsv", ".json", ".ndjson", ".jsonl", ".gz", ".xlsx")


class TableRef(NamedTuple):
    """A table that a query reads: its name as it is compared, and the line of the text on which it stands first."""

    name: str
    line: int


def sqlglot() -> Any:
    """The library. Raises DefinitionError that says what to install."""
    try:
        import sqlglot
    except ImportError as error:
        hint = "install it: pip install 'batuta[sql]'"
        raise DefinitionError("SQL is read by sqlglot, which is not installed here", hint=hint) from error
    return sqlglot


def warm(dialects: Iterable[str]) -> None:
    """Import what reading queries of these dialects needs."""
    glot = sqlglot()
    importlib.import_module("sqlglot.optimizer.qualify")

    for dialect in dialects:
        glot.parse_one("SELECT 1", read=dialect)


def dialect_named(name: str, where: str | None = None) -> str:
    """The name by which sqlglot knows a dialect. Raises DefinitionError with the nearest."""
    name = ALIASES.get(name.lower(), name.lower())
    known = sqlglot().dialects.Dialects
    names = sorted(each.value for each in known if each.value)
    if name not in names:
        hint = nearest(name, names) or f"dialects are {', '.join(names)}"
        raise DefinitionError(f"there is no SQL dialect {name!r}", where=where, hint=hint)
    return name


def parse_query(text: str, dialect: str, place: Place = NOWHERE) -> exp.Query:
    """The one query of a text. `place`: where the text begins. Raises DefinitionError with file and line."""
    glot = sqlglot()
    from sqlglot import exp

    try:
        marked = _marked(text, parameters_in(glot.tokenize(text, read=dialect)))
        found = [each for each in glot.parse(marked, dialect=dialect) if each is not None and not _is_comment(each)]
    except glot.errors.ParseError as error:
        raise _unparsed(error, dialect, place) from None
    except glot.errors.SqlglotError as error:  # of the tokenizer: a quote without an end
        raise DefinitionError(f"it is no {dialect} SQL: {_short(error)}", where=str(place), hint=_QUOTES) from None
    if not found:
        raise DefinitionError("there is no query in it", where=str(place), hint="write a SELECT")
    if len(found) > 1:
        raise DefinitionError(
            f"there are {len(found)} statements",
            where=str(line_of(found[1], place)),
            hint="an asset is made by one query: join them by WITH, or make several assets",
        )
    query = found[0]
    if not isinstance(query, exp.Query):
        raise DefinitionError(
            f"it is a statement ({type(query).__name__.upper()}), not a query",
            where=str(place),
            hint="write the SELECT alone: the table is made of what it gives",
        )
    return query


_OPERANDS = frozenset(("VAR", "NUMBER", "STRING", "IDENTIFIER", "R_PAREN", "R_BRACKET"))
"""What cannot stand directly before a parameter: a colon behind these is that of `list[1:2]` or `{'a': 1}`."""


def parameters_in(tokens: Sequence[Any]) -> list[tuple[str, int, int]]:
    """Name, start and end (not included) of each `:name`."""
    found = []
    for before, colon, name in zip([None, *tokens], tokens, tokens[1:], strict=False):
        if colon.token_type.name != "COLON" or name.start != colon.end + 1 or not name.text.isidentifier():
            continue
        if before is None or before.token_type.name not in _OPERANDS:
            found.append((name.text, colon.start, name.end + 1))
    return found


def _marked(text: str, parameters: Iterable[tuple[str, int, int]]) -> str:
    """The text with `$name` for `:name`, which no dialect takes for anything else; as long as it was."""
    letters = list(text)
    for _, start, _ in parameters:
        letters[start] = "$"
    return "".join(letters)


_QUOTES = "look for a quote or a comment that does not end"


def _is_comment(node: Any) -> bool:
    from sqlglot import exp

    return isinstance(node, exp.Semicolon)


def _unparsed(error: Any, dialect: str, place: Place) -> DefinitionError:
    first = error.errors[0] if error.errors else {}
    what = str(first.get("description") or error).splitlines()[0].rstrip(".")
    near = f"{first.get('start_context', '')[-30:]}{first.get('highlight', '')}".strip().replace("\n", " ")
    line = first.get("line")
    where = Place(place.file, place.line + line - 1 if place.line else line) if line else place
    return DefinitionError(
        f"it is no {dialect} SQL: {what[:1].lower()}{what[1:]}" + (f", at {near!r}" if near else ""),
        where=str(where) if where.file else f"line {line}" if line else None,
        hint="is it written for another database? then say which dialect; templates ({{ }}) are not filled in",
    )


def _short(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def line_of(node: Any, place: Place) -> Place:
    """Where a part of a query stands, by the first of its identifiers that knows."""
    from sqlglot import exp

    lines = [each.meta["line"] for each in node.find_all(exp.Identifier) if "line" in each.meta]
    if not lines:
        return place
    return Place(place.file, (place.line or 1) + min(lines) - 1)


def table_name(table: exp.Table) -> str:
    """The name of a table as it is compared; "" for what is no table: a function, a file."""
    from sqlglot import exp

    if not isinstance(table.this, exp.Identifier):
        return ""
    name: str = table.this.name.lower()
    if "/" in name or name.endswith(_FILES):
        return ""
    return ".".join(part.name for part in table.parts).lower()


def tables_of(query: exp.Query) -> dict[str, list[exp.Table]]:
    """The tables that a query reads, by the name they are compared by, not those of WITH. Raises DefinitionError."""
    glot = sqlglot()
    from sqlglot import exp
    from sqlglot.optimizer.scope import traverse_scope

    found: dict[str, dict[int, exp.Table]] = {}
    try:
        scopes = traverse_scope(query)
        for scope in scopes:
            _ = scope.selected_sources  # raises where two have one name
    except glot.errors.OptimizeError as error:
        raise DefinitionError(_short(error), hint="give each table of a FROM a name of its own") from None
    for scope in scopes:
        for source in scope.sources.values():
            if isinstance(source, exp.Table) and (name := table_name(source)):
                found.setdefault(name, {})[id(source)] = source
    return {name: list(tables.values()) for name, tables in found.items()}


def table_refs(query: exp.Query) -> tuple[TableRef, ...]:
    """The tables that a query reads, in the order in which they stand."""
    first = Place("", 1)
    refs = [TableRef(name, min(line_of(t, first).line for t in found)) for name, found in tables_of(query).items()]
    return tuple(sorted(refs, key=lambda ref: ref.line))
