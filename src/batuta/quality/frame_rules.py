"""Rules that look at a frame by themselves: a function or an expression of Polars or pandas, a schema of pandera.

They read the table once more, as the frame that they are annotated with. A function answers True or False, or gives a
boolean for each row (True: good); rows of a null pass, as in SQL.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Unpack

from batuta.core.errors import DefinitionError, ResultError
from batuta.io import frames
from batuta.quality.given import Given
from batuta.quality.literals import name_of
from batuta.quality.rules import SAMPLE_ROWS_MAX, Columns, Measured, Rule, RuleOptions, make_options

Sample = tuple[list[str], list[list[Any]]]


@dataclass(frozen=True)
class Predicate(Rule):
    """What a function or a Polars expression says."""

    kind: ClassVar[str] = "predicate"
    sql_only: ClassVar[bool] = False
    test: Any = None
    annotation: Any = None

    def default_name(self) -> str:
        name = getattr(self.test, "__name__", "")
        if name.isidentifier():
            return str(name)
        return self.kind if name else name_of(self.kind, str(self.test))

    def text(self) -> str:
        if callable(self.test):
            return (inspect.getdoc(self.test) or self.default_name()).partition("\n")[0]
        return str(self.test)

    def measured(self, values: Mapping[str, Any], given: Given) -> Measured:
        value = given.value(self.annotation)
        if not callable(self.test):
            return _by_expression(given.value(_lazy_frame()), self.test, self.name)
        answer = self.test(value)
        if type(answer).__module__.partition(".")[0] == "polars" and type(answer).__name__ == "Expr":
            return _by_expression(given.value(_lazy_frame()), answer, self.name)
        if answer is None or type(answer).__name__ in ("bool", "bool_"):
            good = answer is None or bool(answer)
            return Measured(int(not good), text="" if good else "it is not true")
        return _by_row(value, answer, self.name)


@dataclass(frozen=True)
class PanderaRule(Rule):
    """What a pandera schema says of a frame."""

    kind: ClassVar[str] = "pandera"
    sql_only: ClassVar[bool] = False
    schema: Any = None

    @property
    def title(self) -> str:
        return str(getattr(self.schema, "__name__", None) or getattr(self.schema, "name", None) or "schema")

    def default_name(self) -> str:
        return name_of(self.kind, self.title)

    def text(self) -> str:
        return f"the table fits {self.title}"

    def aggregates(self, columns: Columns) -> dict[str, str]:
        return {"rows": "count(*)"}

    def measured(self, values: Mapping[str, Any], given: Given) -> Measured:
        built = self.schema.to_schema() if hasattr(self.schema, "to_schema") else self.schema
        from pandera.errors import SchemaError, SchemaErrors

        frame = given.value(_frame_of(built))
        try:
            built.validate(frame, lazy=True)
        except (SchemaError, SchemaErrors) as error:
            return _pandera_found(error, values["rows"])
        return Measured(0, values["rows"])


# ---- as they are written ----


def predicate(test: Any, **options: Unpack[RuleOptions]) -> Predicate:
    """What a function of the frame says, or a Polars expression: `predicate(pl.col("net") <= pl.col("gross"))`.

    The function's annotation says which frame it gets (Polars where it says nothing). It answers True or False, or a
    boolean for each row.
    """
    is_expression = type(test).__module__.partition(".")[0] == "polars" and type(test).__name__ == "Expr"
    if not callable(test) and not is_expression:
        hint = "give a function of the frame, or a Polars expression"
        raise DefinitionError(f"predicate({test!r}) is a {type(test).__name__}", hint=hint)
    made = make_options("predicate", options, per_row=False)
    return Predicate(made, test, None if is_expression else _first_annotation(test))


def pandera(schema: Any, **options: Unpack[RuleOptions]) -> PanderaRule:
    """A pandera schema (a DataFrameModel or DataFrameSchema, for Polars or pandas) accepts the table."""
    if not hasattr(schema, "validate"):
        hint = "give a DataFrameModel or a DataFrameSchema"
        raise DefinitionError(f"pandera({schema!r}) is no schema of pandera", hint=hint)
    return PanderaRule(make_options("pandera", options, per_row=False), schema)


def _first_annotation(test: Callable[..., Any]) -> Any:
    from typing import get_type_hints

    try:
        parameters = list(inspect.signature(test).parameters.values())
    except (TypeError, ValueError):
        return None
    if len([one for one in parameters if one.default is one.empty and one.kind < one.VAR_POSITIONAL]) != 1:
        raise DefinitionError(
            f"predicate({test.__name__}) takes {len(parameters)} parameters",
            hint="it gets one, the frame; use @check() for one that needs other assets or resources",
        )
    try:
        return get_type_hints(test).get(parameters[0].name)
    except Exception:  # a name that is only there for type checkers
        return None


def _lazy_frame() -> Any:
    try:
        import polars as pl
    except ImportError as error:
        raise frames.needs("polars") from error
    return pl.LazyFrame


def _by_expression(frame: Any, expression: Any, name: str) -> Measured:
    import polars as pl

    answer = frame.select(expression.alias("answer")).collect_schema()["answer"]
    if answer != pl.Boolean:
        hint = "compare something: pl.col('net') <= pl.col('gross')"
        raise ResultError(f"{name} gives {answer}, not a boolean for each row", hint=hint)
    bad = (~expression).fill_null(False)
    rows, failing = frame.select(pl.len().alias("rows"), bad.sum().alias("failing")).collect().row(0)
    sample = None
    if failing:
        found = frame.filter(bad).head(SAMPLE_ROWS_MAX).collect()
        sample = (found.columns, [list(row) for row in found.rows()])
    return Measured(int(failing), int(rows), sample=sample)


def _by_row(value: Any, answer: Any, name: str) -> Measured:
    """A boolean for each row, as a column of the frame's own library."""
    kind = frames.kind_of(value)
    library = type(answer).__module__.partition(".")[0]
    if library == "polars" and type(answer).__name__ == "Series" and kind == "polars":
        import polars as pl

        if answer.dtype == pl.Boolean and len(answer) == value.height:
            bad = (~answer).fill_null(False)
            rows = value.filter(bad).head(SAMPLE_ROWS_MAX)
            return Measured(int(bad.sum()), value.height, sample=(rows.columns, [list(row) for row in rows.rows()]))
    elif kind == "pandas" and getattr(answer, "dtype", None) is not None and str(answer.dtype) in ("bool", "boolean"):
        import numpy as np

        good = np.asarray(answer.fillna(True) if hasattr(answer, "fillna") else answer, dtype=bool)
        if good.shape == (len(value),):
            found = value[~good].head(SAMPLE_ROWS_MAX)
            names = [str(column) for column in found.columns]
            return Measured(int((~good).sum()), len(value), sample=(names, found.to_numpy().tolist()))
    shape = getattr(answer, "shape", None)
    what = f"a {type(answer).__name__}" + (f" of {getattr(answer, 'dtype', '')} {shape}" if shape is not None else "")
    raise ResultError(
        f"{name} answered with {what}",
        hint="answer True or False, or give a boolean column with one value for each row",
    )


def _frame_of(schema: Any) -> Any:
    """The frame that a schema is for."""
    if ".polars" in type(schema).__module__:
        import polars as pl

        return pl.DataFrame
    import pandas as pd

    return pd.DataFrame


def _pandera_found(error: Any, rows: int) -> Measured:
    cases: Any = getattr(error, "failure_cases", None)
    if not hasattr(cases, "head"):
        return Measured(1, rows, text=str(error).partition("\n")[0])
    records = cases.to_dicts() if hasattr(cases, "to_dicts") else cases.to_dict("records")
    indexes = {record["index"] for record in records if record.get("index") == record.get("index")} - {None}
    whole = [record for record in records if record.get("index") is None or record["index"] != record["index"]]
    told = dict.fromkeys(f"{record.get('column') or 'the table'}: {record.get('check')}" for record in records)
    names = ["row", "column", "check", "value"]
    listed = [
        [record.get("index"), record.get("column"), str(record.get("check")), record.get("failure_case")]
        for record in records[:SAMPLE_ROWS_MAX]
    ]
    shown = "; ".join(list(told)[:5]) + ("; ..." if len(told) > 5 else "")
    return Measured(max(len(indexes), bool(whole)), rows, text=shown, sample=(names, listed))
