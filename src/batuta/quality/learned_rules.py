"""Rules whose bounds are learned from what was before: how many rows there are, what a column is like, any number that
was recorded.

They warn unless told otherwise: an unusual number is a suspicion. With too little history the verdict is `unknown`,
which holds nothing back. `core.drift` says what is usual.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Unpack

from batuta.core.drift import Direction, Expected, expect
from batuta.core.errors import DefinitionError
from batuta.io.duck_tables import quoted
from batuta.quality.given import Given
from batuta.quality.literals import is_float, is_text, name_of
from batuta.quality.row_rules import checked_columns
from batuta.quality.rules import Columns, Measured, Options, Rule, RuleOptions, make_options
from batuta.quality.table_rules import number

Measure = Literal["mean", "sum", "min", "max", "stddev", "median", "nulls", "distinct"]

WINDOW = 60


@dataclass(frozen=True)
class Learning:
    """How it is learned. `window`: from so many former values at most. See `core.drift.expect` for the rest."""

    sensitivity: float = 4.0
    history_min: int = 7
    window: int = WINDOW
    change_min: float = 0.05
    seasonal: bool = True
    direction: Direction = "both"


class LearningOptions(RuleOptions, total=False):
    """What rules that learn can be told beside `RuleOptions`; see `Learning`."""

    sensitivity: float
    history_min: int
    window: int
    change_min: float
    seasonal: bool
    direction: Direction


@dataclass(frozen=True)
class Learned(Rule):
    """A number is as usual."""

    kind: ClassVar[str] = "drift"
    about_rows: ClassVar[bool] = False
    what: str = ""
    sql: str = ""
    learning: Learning = Learning()
    names: tuple[str, ...] = ()
    measure: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        return self.names

    @property
    def metadata_name(self) -> str:
        """The name of the same number in the metadata of materializations, if it is recorded there."""
        return ""

    def default_name(self) -> str:
        return name_of(self.kind, self.measure, *self.names)

    def text(self) -> str:
        return f"{self.what} is as usual"

    def aggregates(self, columns: Columns) -> dict[str, str]:
        return {"value": f"{self.sql}{self.filtered()}"}

    def measured(self, values: Mapping[str, Any], given: Given) -> Measured:
        return self.judged(number(values["value"], self.what), given)

    def judged(self, value: float | int | None, given: Given) -> Measured:
        """What a value means, by what was before."""
        if value is None or not math.isfinite(value):
            return Measured(0, text=f"{self.what} cannot be told: there are no values", unknown=True)
        history = given.history(self)
        how = self.learning
        usual = expect(
            history.former[-how.window :],
            history.season,
            history_min=how.history_min,
            sensitivity=how.sensitivity,
            change_min=how.change_min,
            seasonal=how.seasonal,
            direction=how.direction,
        )
        if usual is None:
            known = f"{len(history.former)} of {how.history_min} former values"
            told = f"{self.what} is {_shown(value)}; not enough history: {known}"
            return Measured(0, text=told, metrics={"value": value}, unknown=True)
        return self._compared(value, usual)

    def _compared(self, value: float | int, usual: Expected) -> Measured:
        drifted = not usual.low <= value <= usual.high
        if math.isinf(usual.low):
            bounds = f"at most {_shown(usual.high)}"
        elif math.isinf(usual.high):
            bounds = f"at least {_shown(usual.low)}"
        else:
            bounds = f"{_shown(usual.low)} to {_shown(usual.high)}"
        learned = f"from {usual.known} former values" + (", by weekday" if usual.seasonal else "")
        told = f"{self.what} is {_shown(value)}; usual {'would be' if drifted else 'is'} {bounds} ({learned})"
        metrics = {"value": value, "expected": usual.value, "low": usual.low, "high": usual.high}
        finite = {name: one for name, one in metrics.items() if math.isfinite(one)}
        return Measured(int(drifted), text=told, metrics=finite)


@dataclass(frozen=True)
class RowCountDrift(Learned):
    kind: ClassVar[str] = "row_count_drift"

    @property
    def metadata_name(self) -> str:
        return "" if self.options.where else "rows"

    def default_name(self) -> str:
        return self.kind


@dataclass(frozen=True)
class ValueDrift(Learned):
    kind: ClassVar[str] = "value_drift"

    def aggregates(self, columns: Columns) -> dict[str, str]:
        name = self.names[0]
        values = f"nullif({quoted(name)}, 'NaN'::DOUBLE)" if is_float(columns.get(name, "")) else quoted(name)
        return {"value": MEASURES[self.measure].format(values=values, filter=self.filtered())}


@dataclass(frozen=True)
class MetadataDrift(Learned):
    """The number is one that the asset itself recorded; the table is not looked at."""

    kind: ClassVar[str] = "metadata_drift"

    @property
    def metadata_name(self) -> str:
        return self.measure

    def aggregates(self, columns: Columns) -> dict[str, str]:
        return {}

    def measured(self, values: Mapping[str, Any], given: Given) -> Measured:
        current = given.history(self).current
        if current is None:
            told = f"{self.measure} was not recorded as a number"
            return Measured(0, text=f"{told}: context.add_metadata({self.measure}=...) does", unknown=True)
        return self.judged(current, given)


MEASURES = {
    "mean": "avg({values}){filter}",
    "sum": "sum({values}){filter}",
    "min": "min({values}){filter}",
    "max": "max({values}){filter}",
    "stddev": "stddev_samp({values}){filter}",
    "median": "median({values}){filter}",
    "nulls": "avg(CASE WHEN {values} IS NULL THEN 1 ELSE 0 END){filter}",
    "distinct": "count(DISTINCT {values}){filter}",
}
_SPOKEN = {"nulls": "the share of nulls in", "distinct": "the number of different values of"}


# ---- as they are written ----


def row_count_drift(**options: Unpack[LearningOptions]) -> RowCountDrift:
    """The table has about as many rows as it usually has (on such a weekday)."""
    made, learning = _told("row_count_drift", options)
    return RowCountDrift(made, "the number of rows", "count(*)", learning)


def value_drift(column: str, measure: Measure = "mean", **options: Unpack[LearningOptions]) -> ValueDrift:
    """What a column is like is as usual: its mean, sum, min, max, stddev or median, its share of `nulls`, how many
    `distinct` values it has."""
    checked_columns("value_drift", (column,))
    if measure not in MEASURES:
        hint = f"it is one of {', '.join(MEASURES)}"
        raise DefinitionError(f"value_drift({column!r}): measure= is {measure!r}", hint=hint)
    made, learning = _told("value_drift", options)
    return ValueDrift(made, f"{_SPOKEN.get(measure, f'the {measure} of')} {column}", "", learning, (column,), measure)


def metadata_drift(name: str, /, **options: Unpack[LearningOptions]) -> MetadataDrift:
    """A number that the asset records (`context.add_metadata(net_eur=...)`) is as usual."""
    if not is_text(name):
        raise DefinitionError(f"metadata_drift({name!r})", hint="give the name of a number among the asset's metadata")
    made, learning = _told("metadata_drift", options)
    return MetadataDrift(made, name, "", learning, (), name)


def _told(kind: str, options: Mapping[str, Any]) -> tuple[Options, Learning]:
    known = Learning.__annotations__
    plain = {name: value for name, value in options.items() if name not in known}
    learning: dict[str, Any] = {name: value for name, value in options.items() if name in known}
    for name in ("sensitivity", "history_min", "window", "change_min"):
        given = learning.get(name, 1)
        if isinstance(given, bool) or not isinstance(given, int | float) or given < (0 if name == "change_min" else 1):
            raise DefinitionError(f"{kind}(): {name}= is {given!r}", hint="give a number from 1 on")
    if learning.get("direction", "both") not in ("both", "up", "down"):
        hint = "it is 'both', 'up' or 'down'"
        raise DefinitionError(f"{kind}(): direction= is {learning['direction']!r}", hint=hint)
    made = Learning(**learning)
    if made.window < made.history_min:
        hint = "give it a larger window="
        raise DefinitionError(f"{kind}() would never have {made.history_min} values of {made.window}", hint=hint)
    return make_options(kind, plain, about_rows=False, severity="warn", per_row=False), made


def _shown(value: float) -> str:
    if isinstance(value, int) or (abs(value) >= 1000 and value == value // 1):
        return f"{int(value):,}"
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.1f}"
