"""Rules about a table as a whole: unique keys, keys of another asset, queries, numbers over all rows, how new it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Unpack

from batuta.core.durations import HINT, seconds_of, spoken
from batuta.core.errors import DefinitionError
from batuta.core.partition_mapping import PartitionMapping
from batuta.io.duck_tables import quoted
from batuta.quality.given import Given
from batuta.quality.literals import columns_sql, is_text, name_of
from batuta.quality.row_rules import checked_columns
from batuta.quality.rules import Columns, Measured, Rule, RuleOptions, make_options


@dataclass(frozen=True)
class Unique(Rule):
    """A row fails where an earlier one has the same key; rows with a null in their key are not looked at."""

    kind: ClassVar[str] = "unique"
    names: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return self.names

    def default_name(self) -> str:
        return name_of(self.kind, *self.names)

    def text(self) -> str:
        return f"no two rows have the same {' and '.join(self.names)}"

    @property
    def whole(self) -> str:
        """The condition that no part of the key is null."""
        return " AND ".join(f"{quoted(name)} IS NOT NULL" for name in self.names)

    def aggregates(self, columns: Columns) -> dict[str, str]:
        return {
            "rows": f"count(*){self.filtered(self.whole)}",
            "keys": f"count(DISTINCT {columns_sql(self.names)}){self.filtered(self.whole)}",
        }

    def measured(self, values: Mapping[str, Any], given: Given) -> Measured:
        keys = ", ".join(map(quoted, self.names))
        where = f"({self.options.where}) AND {self.whole}" if self.options.where else self.whole
        twice = (
            f"SELECT {keys}, count(*) AS {quoted('rows')} FROM this WHERE {where} "
            f"GROUP BY ALL HAVING count(*) > 1 ORDER BY count(*) DESC, {keys}"
        )
        return Measured(values["rows"] - values["keys"], values["rows"], rejects=twice)

    def repeated(self, order: str) -> str:
        """The condition that an earlier row has the key; `order` is what rows are ordered by."""
        parts = f"PARTITION BY {', '.join(map(quoted, self.names))} ORDER BY {order}"
        where = f"({self.options.where}) AND {self.whole}" if self.options.where else self.whole
        # The rows that are not looked at get a number of their own.
        return f"{where} AND row_number() OVER ({parts}, {where}) > 1"


@dataclass(frozen=True)
class Relationship(Rule):
    """A row fails where its key is in no row of the other asset; rows with a null in their key are not looked at."""

    kind: ClassVar[str] = "relationships"
    sql_only: ClassVar[bool] = False
    names: tuple[str, ...] = ()
    to: str = ""
    to_names: tuple[str, ...] = ()
    mapping: PartitionMapping | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return self.names

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.to,)

    def default_name(self) -> str:
        return name_of(self.kind, *self.names, self.to)

    def text(self) -> str:
        return f"{' and '.join(self.names)} {'is' if len(self.names) == 1 else 'are'} in {self.to}"

    def failing(self, other: str) -> str:
        """The condition that holds of rows that fail; `other` is the other table's name."""
        pairs = zip(self.names, self.to_names, strict=True)
        same = " AND ".join(f"{other}.{quoted(there)} = this.{quoted(here)}" for here, there in pairs)
        whole = " AND ".join(f"this.{quoted(name)} IS NOT NULL" for name in self.names)
        return f"{whole} AND NOT EXISTS (SELECT 1 FROM {other} WHERE {same})"

    def aggregates(self, columns: Columns) -> dict[str, str]:
        whole = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in self.names)
        return {"rows": f"count(*){self.filtered(whole)}"}

    def measured(self, values: Mapping[str, Any], given: Given) -> Measured:
        where = self.failing(given.other(self.to, self.to_names))
        if self.options.where:
            where = f"({self.options.where}) AND {where}"
        ((failing,),) = given.scan.rows(f"SELECT count(*) FROM this WHERE {where}")
        return Measured(failing, values["rows"], rejects=f"SELECT * FROM this WHERE {where}")


@dataclass(frozen=True)
class Query(Rule):
    """Fails with the rows that a query gives."""

    kind: ClassVar[str] = "query"
    sql_only: ClassVar[bool] = False
    sql: str = ""
    assets: tuple[tuple[str, str], ...] = ()  # the name in SQL, and the asset

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple([asset for _, asset in self.assets])

    def default_name(self) -> str:
        return name_of(self.kind, self.sql)

    def text(self) -> str:
        return f"no rows: {self.sql}"

    def aggregates(self, columns: Columns) -> dict[str, str]:
        return {"rows": f"count(*){self.filtered()}"}

    def measured(self, values: Mapping[str, Any], given: Given) -> Measured:
        sql = self.sql
        named = [f"{quoted(name)} AS (SELECT * FROM {given.other(asset)})" for name, asset in self.assets]
        if named:
            sql = f"WITH {', '.join(named)} {sql}" if not _begins_with(sql) else f"WITH {', '.join(named)}, {sql[4:]}"
        ((failing,),) = given.scan.rows(f"SELECT count(*) FROM ({sql})")
        return Measured(failing, values["rows"], rejects=f"SELECT * FROM ({sql})")


def _begins_with(sql: str) -> bool:
    return sql[:5].lower() == "with "


@dataclass(frozen=True)
class Aggregate(Rule):
    """A number over all rows is within bounds. Of no rows most numbers are null, which passes."""

    kind: ClassVar[str] = "aggregate"
    about_rows: ClassVar[bool] = False
    sql: str = ""
    low: float | None = None
    high: float | None = None
    what: str = ""

    def default_name(self) -> str:
        return name_of(self.kind, self.sql)

    def text(self) -> str:
        return f"{self.what or self.sql} is {_bounded(self.low, self.high)}"

    def aggregates(self, columns: Columns) -> dict[str, str]:
        if not self.options.where:
            return {"value": f"({self.sql})"}
        return {"value": f"(SELECT {self.sql} FROM this WHERE {self.options.where})"}

    def measured(self, values: Mapping[str, Any], given: Given) -> Measured:
        value = number(values["value"], self.sql)
        good = value is None or (
            value == value  # NaN is within no bounds
            and (self.low is None or value >= self.low)
            and (self.high is None or value <= self.high)
        )
        shown = "null" if value is None else f"{value:,.6g}" if isinstance(value, float) else f"{value:,}"
        told = f"{self.what or self.sql} is {shown}" + ("" if good else f", not {_bounded(self.low, self.high)}")
        return Measured(int(not good), text=told, metrics={"value": value})


@dataclass(frozen=True)
class RowCount(Aggregate):
    kind: ClassVar[str] = "row_count"

    def default_name(self) -> str:
        return self.kind


@dataclass(frozen=True)
class Fresh(Rule):
    """The newest time in a column is not too long ago. Of a table without any the age is not known, and it fails."""

    kind: ClassVar[str] = "fresh"
    about_rows: ClassVar[bool] = False
    column: str = ""
    age_max_s: float = 0.0

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def default_name(self) -> str:
        return name_of(self.kind, self.column)

    def text(self) -> str:
        return f"the newest {self.column} is at most {spoken(self.age_max_s)} old"

    def aggregates(self, columns: Columns) -> dict[str, str]:
        column = quoted(self.column)
        at = f"CAST({column} AS TIMESTAMP)" if columns.get(self.column, "").startswith("VARCHAR") else column
        return {"newest": f"max(epoch({at})){self.filtered()}"}

    def measured(self, values: Mapping[str, Any], given: Given) -> Measured:
        newest = values["newest"]
        if newest is None:
            return Measured(1, text=f"there is no {self.column}")
        until = given.now if given.ends_at is None else min(given.now, given.ends_at)
        age_s = until.timestamp() - newest
        at = datetime.fromtimestamp(newest, UTC).isoformat(" ", "seconds").removesuffix("+00:00")
        late = age_s > self.age_max_s
        told = f"the newest {self.column} is {at} UTC, {spoken(max(age_s, 0.0))} old"
        told += f", more than {spoken(self.age_max_s)}" if late else ""
        return Measured(int(late), text=told, metrics={"age_s": age_s})


# ---- as they are written ----


def unique(*columns: str, **options: Unpack[RuleOptions]) -> Unique:
    """No two rows have the same values in these columns together. Rows with a null in one of them are not looked at."""
    names = checked_columns("unique", columns)
    return Unique(make_options("unique", options), names)


def relationships(
    columns: str | Sequence[str],
    to: Any,
    to_columns: str | Sequence[str] = (),
    *,
    mapping: PartitionMapping | None = None,
    **options: Unpack[RuleOptions],
) -> Relationship:
    """Each key is in another asset: `relationships("merchant_id", to="silver.merchants", to_columns="id")`.

    `to_columns`: the same names by default. `mapping`: which partitions of the other asset, as in `AssetIn`.
    """
    names = checked_columns("relationships", _tuple(columns))
    there = checked_columns("relationships", _tuple(to_columns)) if to_columns else names
    key = getattr(to, "key", to)
    if not isinstance(key, str) or not key:
        hint = "give an asset's key, or the asset"
        raise DefinitionError(f"relationships(): to= is {to!r}", hint=hint)
    if len(there) != len(names):
        hint = "as many columns here as there"
        raise DefinitionError(f"relationships(): {len(names)} columns, but {len(there)} of {key!r}", hint=hint)
    return Relationship(make_options("relationships", options), names, key, there, mapping)


def query(sql: str, assets: Mapping[str, Any] | None = None, **options: Unpack[RuleOptions]) -> Query:
    """A query finds no rows: what it gives are the offending ones. The asset's table is `this`.

    `assets`: other assets by the name that the query calls them.
    """
    if not is_text(sql):
        raise DefinitionError(f"query({sql!r}) asks nothing", hint="give a query for the rows that should not be there")
    named = tuple([(name, getattr(asset, "key", asset)) for name, asset in (assets or {}).items()])
    for name, key in named:
        if not name.isidentifier() or not isinstance(key, str):
            hint = "write assets={'name_in_sql': 'silver.merchants'}"
            raise DefinitionError(f"query(): {name!r}: {key!r} is no name and asset", hint=hint)
    if options.get("where"):
        raise DefinitionError("query() has no where=", hint="say it in the query")
    return Query(make_options("query", options, per_row=False), sql.strip().rstrip(";"), named)


def row_count(min: int | None = None, max: int | None = None, **options: Unpack[RuleOptions]) -> RowCount:
    """The table has so many rows; without bounds it is not empty."""
    low = 1 if min is None and max is None else min
    checked = make_options("row_count", options, about_rows=False, per_row=False)
    return RowCount(checked, "count(*)", *_checked_bounds("row_count()", low, max), "the number of rows")


def aggregate(
    sql: str, min: float | None = None, max: float | None = None, **options: Unpack[RuleOptions]
) -> Aggregate:
    """A number over all rows is within bounds: `aggregate("avg(amount)", min=10, max=20)`."""
    if not is_text(sql):
        raise DefinitionError(f"aggregate({sql!r}) asks nothing", hint="give an SQL aggregate, like 'avg(amount)'")
    if min is None and max is None:
        raise DefinitionError(f"aggregate({sql!r}) has no bounds", hint="give min=, max= or both")
    checked = make_options("aggregate", options, about_rows=False, per_row=False)
    return Aggregate(checked, sql.strip(), *_checked_bounds(f"aggregate({sql!r})", min, max))


def fresh(column: str, max_age: timedelta | str, **options: Unpack[RuleOptions]) -> Fresh:
    """The newest time in a column is at most so old: `fresh("updated_at", "26h")`.

    Of a time partition the age is that at its end. Times without a zone are taken as UTC.
    """
    checked_columns("fresh", (column,))
    try:
        age_s = seconds_of(max_age.total_seconds() if isinstance(max_age, timedelta) else max_age)
    except ValueError:
        hint = f"give a timedelta, or {HINT}"
        raise DefinitionError(f"fresh({column!r}): max_age= is {max_age!r}", hint=hint) from None
    return Fresh(make_options("fresh", options, about_rows=False, per_row=False), column, age_s)


def number(value: Any, what: str) -> float | int | None:
    """What SQL gave as a number. Raises DefinitionError where it is none."""
    if value is None or isinstance(value, bool):
        return value if value is None else int(value)
    if isinstance(value, int):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        raise DefinitionError(
            f"{what} gives {value!r}, which is no number", hint="give an aggregate whose value is a number"
        ) from None


def _checked_bounds(what: str, low: Any, high: Any) -> tuple[Any, Any]:
    for bound in (low, high):
        if bound is not None and (isinstance(bound, bool) or not hasattr(bound, "__float__")):
            raise DefinitionError(f"{what}: {bound!r} is no number", hint="give numbers")
    if low is not None and high is not None and low > high:
        raise DefinitionError(f"{what}: min= {low} is more than max= {high}", hint="swap them")
    return low, high


def _bounded(low: Any, high: Any) -> str:
    if low is not None and high is not None:
        return f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"at least {low:,}" if high is None else f"at most {high:,}"


def _tuple(columns: Any) -> tuple[Any, ...]:
    return (columns,) if isinstance(columns, str) else tuple(columns)
