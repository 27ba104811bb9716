"""The parts that statements are made of, and the register of all of them.

Two kinds: plain statements take parameters by name; `each` ones take many rows, which SQLite gets one by one and
PostgreSQL as one JSON document (4 us of our CPU time a row; arrays cost 35, one statement per row 14).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import FromClause
from sqlalchemy.sql.elements import BindParameter, ClauseElement, ColumnElement

from batuta.core.states import RUN_FINAL, RunState
from batuta.store import schema

Dialect = Literal["sqlite", "postgresql"]
Build = Callable[[Dialect], ClauseElement]
Conditions = Callable[[Dialect], Sequence[ColumnElement[bool]]]


@dataclass(frozen=True)
class Definition:
    """A named statement; `each` names the columns of its rows where it takes many, `only` its dialect if one has it."""

    name: str
    build: Build
    each: tuple[str, ...] = ()
    only: Dialect | None = None


DEFINITIONS: list[Definition] = []


def plain(build: Build) -> Build:
    """Register a statement under its function's name."""
    DEFINITIONS.append(Definition(build.__name__, build))
    return build


# ---- conditions ----


def p(name: str, type_: Any = sa.Text) -> BindParameter[Any]:
    """A parameter. PostgreSQL is told its type, which it cannot guess from `NULL`."""
    return sa.bindparam(name, type_=type_)


def run_id() -> BindParameter[Any]:
    return p("run_id", schema.RowId)


def page(query: sa.Select[Any]) -> sa.Select[Any]:
    """At most `limit` rows of it. (SQLite would get a parameter for the offset where none is said.)"""
    return query.limit(p("limit", sa.BigInteger)).offset(literal(0))


def literal(value: int | str) -> ColumnElement[Any]:
    """A constant that stays in the text of the statement, where the planner sees it."""
    return sa.literal_column(str(value) if isinstance(value, int) else f"'{value}'")


def listed(column: ColumnElement[Any], name: str, dialect: Dialect) -> ColumnElement[bool]:
    """`column` is in the list that the parameter carries as JSON."""
    alias = f"each_{name}"
    if dialect == "sqlite":
        items = sa.func.json_each(p(name)).table_valued("value", name=alias)
        return column.in_(sa.select(items.c.value))
    document = sa.cast(p(name), postgresql.JSON)
    items = sa.func.json_array_elements_text(document).table_valued("value", name=alias)
    return column.in_(sa.select(sa.cast(items.c.value, column.type)))


def if_given(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """A filter that is off while its parameter is None."""
    return sa.or_(p(name, column.type).is_(None), column == p(name, column.type))


def if_listed(column: ColumnElement[Any], name: str, dialect: Dialect) -> ColumnElement[bool]:
    return sa.or_(p(name).is_(None), listed(column, name, dialect))


def below(column: ColumnElement[Any], name: str = "before") -> ColumnElement[bool]:
    """Where a page starts, newest first. Never None, so that the index is entered there: see `queries.NEWEST`."""
    return column < p(name, column.type)


def has_text(*columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """The text that is looked for is in one of these, whatever its case; off while there is none: `queries.pattern`."""
    text = p("text")
    return sa.or_(text.is_(None), *(sa.func.lower(column).like(text, escape="\\") for column in columns))


def is_final() -> ColumnElement[bool]:
    return schema.runs.c.state.in_([literal(state.value) for state in RunState if state in RUN_FINAL])


def is_open() -> ColumnElement[bool]:
    return schema.runs.c.state.in_([literal(state.value) for state in RunState if state not in RUN_FINAL])


# ---- lists ----


def numbered(name: str, rows: sa.Select[Any], number: sa.Column[Any], fits: Conditions) -> None:
    """Register a list that is read in pages by number, from both ends: see `queries.numbered`."""

    def build(dialect: Dialect, newest_first: bool) -> ClauseElement:
        between = (number > p("after", number.type), below(number))
        query = rows.where(*fits(dialect), *between)
        return page(query.order_by(number.desc() if newest_first else number))

    if not any(one.name == f"last_number_of_{number.table.name}" for one in DEFINITIONS):
        last = sa.select(sa.func.coalesce(sa.func.max(number), literal(0)))
        DEFINITIONS.append(Definition(f"last_number_of_{number.table.name}", lambda dialect: last))
    DEFINITIONS.append(Definition(name, lambda dialect: build(dialect, True)))
    DEFINITIONS.append(Definition(f"{name}_oldest_first", lambda dialect: build(dialect, False)))


# ---- many rows at once ----


def records(table: sa.Table, columns: Sequence[str]) -> FromClause:
    """PostgreSQL: the rows of the JSON document in the parameter `rows`; a column `key_x` has the type of `x`."""
    document = sa.cast(p("rows"), postgresql.JSON)
    typed = [sa.column(name, table.c[name.removeprefix("key_")].type) for name in columns]
    return sa.func.json_to_recordset(document).table_valued(*typed).render_derived(name="r", with_types=True)


def insert(table: sa.Table, dialect: Dialect) -> sqlite.Insert | postgresql.Insert:
    """The dialect's own insert, which knows ON CONFLICT."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def insert_each(name: str, table: sa.Table, *, replace_by: Sequence[str] = (), ignore: bool = False) -> None:
    """Register an insert of rows of all columns, except for a number that the database gives.

    `replace_by`: a row with the same values there is replaced; `ignore`: it is left as it is.
    """
    columns = [c.name for c in table.columns if c.name != "id" or table is schema.runs]

    def build(dialect: Dialect) -> ClauseElement:
        into = insert(table, dialect)
        if dialect == "sqlite":
            into = into.values({c: sa.bindparam(c) for c in columns})
        else:
            rows = records(table, columns)
            into = into.from_select(columns, sa.select(*(rows.c[c] for c in columns)))
        if replace_by:
            new = {c: into.excluded[c] for c in columns if c not in replace_by}
            return into.on_conflict_do_update(index_elements=list(replace_by), set_=new)
        return into.on_conflict_do_nothing() if ignore else into

    DEFINITIONS.append(Definition(name, build, tuple(columns)))
