"""Rules that each row passes or fails by itself: null, allowed values, ranges, patterns, any SQL condition.

A null passes all of them but `not_null`, as it passes a CHECK constraint. NaN is no number: it counts as missing, and
is in no range.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Unpack

from batuta.core.errors import DefinitionError
from batuta.io.duck_tables import quoted, text
from batuta.quality.literals import is_float, is_text, literal, name_of
from batuta.quality.rules import Columns, RowRule, RuleOptions, make_options

Inclusive = Literal["both", "left", "right", "neither"]


@dataclass(frozen=True)
class ColumnRule(RowRule):
    """A rule about one column, called after it."""

    column: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def default_name(self) -> str:
        return name_of(self.kind, self.column)


@dataclass(frozen=True)
class NotNull(RowRule):
    kind: ClassVar[str] = "not_null"
    names: tuple[str, ...] = ()
    allow_nan: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        return self.names

    def default_name(self) -> str:
        return name_of(self.kind, *self.names)

    def text(self) -> str:
        return f"{' and '.join(self.names)} {'has' if len(self.names) == 1 else 'have'} a value"

    def failing(self, columns: Columns) -> str:
        parts = []
        for name in self.names:
            parts.append(f"{quoted(name)} IS NULL")
            if is_float(columns.get(name, "")) and not self.allow_nan:
                parts.append(f"isnan({quoted(name)})")
        return " OR ".join(parts)


@dataclass(frozen=True)
class Accepted(ColumnRule):
    kind: ClassVar[str] = "accepted_values"
    values: tuple[Any, ...] = ()
    listed: str = ""
    rejects: bool = False

    def default_name(self) -> str:
        return name_of("rejected_values" if self.rejects else self.kind, self.column)

    def text(self) -> str:
        shown = ", ".join(map(str, self.values[:8])) + (", ..." if len(self.values) > 8 else "")
        return f"{self.column} is {'none' if self.rejects else 'one'} of {shown}"

    def failing(self, columns: Columns) -> str:
        return f"{quoted(self.column)} {'IN' if self.rejects else 'NOT IN'} ({self.listed})"


@dataclass(frozen=True)
class InRange(ColumnRule):
    kind: ClassVar[str] = "in_range"
    low: str = ""
    high: str = ""
    inclusive: Inclusive = "both"
    shown: str = ""

    def text(self) -> str:
        return f"{self.column} is {self.shown}"

    def failing(self, columns: Columns) -> str:
        column = quoted(self.column)
        parts = []
        if self.low:
            parts.append(f"{column} {'<' if self.inclusive in ('both', 'left') else '<='} {self.low}")
        if self.high:
            parts.append(f"{column} {'>' if self.inclusive in ('both', 'right') else '>='} {self.high}")
        if is_float(columns.get(self.column, "")):
            parts.append(f"isnan({column})")
        return " OR ".join(parts)


@dataclass(frozen=True)
class Matches(ColumnRule):
    kind: ClassVar[str] = "matches"
    pattern: str = ""
    full: bool = True

    def text(self) -> str:
        return f"{self.column} {'matches' if self.full else 'contains'} {self.pattern}"

    def failing(self, columns: Columns) -> str:
        function = "regexp_full_match" if self.full else "regexp_matches"
        return f"NOT {function}(CAST({quoted(self.column)} AS VARCHAR), {text(self.pattern)})"


@dataclass(frozen=True)
class Length(ColumnRule):
    kind: ClassVar[str] = "length"
    low: int | None = None
    high: int | None = None

    def text(self) -> str:
        return f"{self.column} has {_bounds(self.low, self.high)} characters"

    def failing(self, columns: Columns) -> str:
        column = quoted(self.column)
        size = f"len({column})" if columns.get(self.column, "").endswith("]") else f"len(CAST({column} AS VARCHAR))"
        parts = [f"{size} < {self.low}"] if self.low is not None else []
        return " OR ".join([*parts, f"{size} > {self.high}"] if self.high is not None else parts)


@dataclass(frozen=True)
class Expression(RowRule):
    kind: ClassVar[str] = "expression"
    sql: str = ""

    def default_name(self) -> str:
        return name_of(self.kind, self.sql)

    def text(self) -> str:
        return self.sql

    def failing(self, columns: Columns) -> str:
        return f"NOT ({self.sql})"


# ---- as they are written ----


def not_null(*columns: str, allow_nan: bool = False, **options: Unpack[RuleOptions]) -> NotNull:
    """These columns have a value in every row. NaN is none, unless `allow_nan`."""
    names = checked_columns("not_null", columns)
    return NotNull(make_options("not_null", options), names, allow_nan)


def accepted_values(column: str, values: Iterable[Any], **options: Unpack[RuleOptions]) -> Accepted:
    """The column holds nothing but these values, and nulls."""
    return _accepted("accepted_values", column, values, False, options)


def rejected_values(column: str, values: Iterable[Any], **options: Unpack[RuleOptions]) -> Accepted:
    """The column holds none of these values."""
    return _accepted("rejected_values", column, values, True, options)


def _accepted(kind: str, column: str, values: Iterable[Any], rejects: bool, options: RuleOptions) -> Accepted:
    checked_columns(kind, (column,))
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise DefinitionError(f"{kind}({column!r}): values are {values!r}", hint="give a list of values")
    known = tuple(values)
    listed = [literal(value, f"{kind}({column!r}): {value!r}") for value in known]
    if not known or "NULL" in listed:
        raise DefinitionError(
            f"{kind}({column!r}) has {'no values' if not known else 'None among its values'}",
            hint="a null always passes; not_null() says that there is none",
        )
    return Accepted(make_options(kind, options), column, known, ", ".join(listed), rejects)


def in_range(
    column: str, min: Any = None, max: Any = None, *, inclusive: Inclusive = "both", **options: Unpack[RuleOptions]
) -> InRange:
    """The column's values are `min` at least and `max` at most; `inclusive` says which of the two themselves are.

    Numbers, dates, times or text. NaN is in no range.
    """
    checked_columns("in_range", (column,))
    what = f"in_range({column!r})"
    if min is None and max is None:
        raise DefinitionError(f"{what} has no bounds", hint="give min=, max= or both")
    if inclusive not in ("both", "left", "right", "neither"):
        hint = "it is 'both', 'left', 'right' or 'neither'"
        raise DefinitionError(f"{what}: inclusive= is {inclusive!r}", hint=hint)
    low = "" if min is None else literal(min, f"{what}: min=")
    high = "" if max is None else literal(max, f"{what}: max=")
    parts = [f"{'at least' if inclusive in ('both', 'left') else 'over'} {min}"] if low else []
    parts += [f"{'at most' if inclusive in ('both', 'right') else 'under'} {max}"] if high else []
    return InRange(make_options("in_range", options), column, low, high, inclusive, " and ".join(parts))


def matches(column: str, pattern: str, *, full: bool = True, **options: Unpack[RuleOptions]) -> Matches:
    """The column's text matches a regular expression (of RE2), as a whole unless `full=False`."""
    checked_columns("matches", (column,))
    if not is_text(pattern):
        hint = "give it as text, like r'[A-Z]{3}'"
        raise DefinitionError(f"matches({column!r}): the pattern is {pattern!r}", hint=hint)
    return Matches(make_options("matches", options), column, pattern, full)


def length(column: str, min: int | None = None, max: int | None = None, **options: Unpack[RuleOptions]) -> Length:
    """The column's text has so many characters, or its lists so many items."""
    checked_columns("length", (column,))
    for bound in (min, max):
        if bound is not None and not _is_count(bound):
            raise DefinitionError(f"length({column!r}): {bound!r} is no length", hint="give numbers from 0 on")
    if min is None and max is None:
        raise DefinitionError(f"length({column!r}) has no bounds", hint="give min=, max= or both")
    return Length(make_options("length", options), column, min, max)


def expression(sql: str, **options: Unpack[RuleOptions]) -> Expression:
    """An SQL condition holds in every row: `expression("net = gross - fees")`; where it is null, the row passes."""
    if not is_text(sql):
        hint = "give an SQL condition, like 'net = gross - fees'"
        raise DefinitionError(f"expression({sql!r}) says nothing", hint=hint)
    return Expression(make_options("expression", options), sql.strip().rstrip(";"))


def checked_columns(kind: str, columns: tuple[Any, ...]) -> tuple[str, ...]:
    """The names of columns. Raises DefinitionError for anything else."""
    if not columns:
        raise DefinitionError(f"{kind}() names no column", hint=f"write {kind}('id')")
    for name in columns:
        if not isinstance(name, str) or not name:
            raise DefinitionError(f"{kind}(): {name!r} is no column", hint="give names of columns, one by one")
    if len(set(columns)) < len(columns):
        raise DefinitionError(f"{kind}{columns!r} names a column twice", hint="name each once")
    return columns


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _bounds(low: Any, high: Any) -> str:
    if low == high:
        return f"{low}"
    if high is None:
        return f"at least {low}"
    return f"at most {high}" if low is None else f"{low} to {high}"
