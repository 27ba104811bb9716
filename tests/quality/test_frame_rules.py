"""Rules that look at frames by themselves, and rules that learn."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pandas as pd
import pandera.pandas as pandera_pandas
import pandera.polars as pandera_polars
import polars as pl
import pytest

from batuta.checks import evaluate, metadata_drift, pandera, predicate, row_count_drift, value_drift
from batuta.core.errors import DefinitionError

FRAME = pl.DataFrame({"net": [1, 5, None], "gross": [2, 4, 1]})


def as_polars(frame: pl.DataFrame) -> pl.Series:
    return frame["net"] <= frame["gross"]


def as_lazy(frame: pl.LazyFrame) -> pl.Expr:
    assert isinstance(frame, pl.LazyFrame)
    return pl.col("net") <= pl.col("gross")


def as_pandas(frame: pd.DataFrame) -> Any:
    assert isinstance(frame, pd.DataFrame)
    return (frame["net"] <= frame["gross"]) | frame["net"].isna()


def as_a_whole(frame: pl.DataFrame) -> bool:
    """Not too much in all."""
    return bool(frame["net"].sum() < 5)


def as_rows(rows: list[dict[str, Any]]) -> bool:
    return len(rows) == 2


PREDICATES = {"polars": as_polars, "lazy": as_lazy, "pandas": as_pandas, "expression": pl.col("net") <= pl.col("gross")}


@pytest.mark.parametrize("test", PREDICATES.values(), ids=PREDICATES)
def test_a_predicate_gives_a_boolean_for_each_row(test: Any) -> None:
    for value in (FRAME, FRAME.to_pandas(), FRAME.to_arrow(), FRAME.lazy()):
        (verdict,) = evaluate(value, [predicate(test, name="net_is_less")])
        assert (verdict.failing, verdict.rows) == (1, 3), verdict.error
        assert verdict.sample is not None
        assert verdict.sample[0] == ["net", "gross"]
        assert [[float(cell) for cell in row] for row in verdict.sample[1]] == [[5.0, 4.0]]


@pytest.mark.parametrize("test", [as_a_whole, as_rows])
def test_a_predicate_may_answer_for_all_rows(test: Callable[..., bool]) -> None:
    (verdict,) = evaluate(FRAME, [predicate(test)])
    assert (verdict.outcome, verdict.error) == ("failed", None)
    assert verdict.text == "1 of 1 rows (1e+02%) fail: it is not true" or "it is not true" in verdict.text
    assert predicate(as_a_whole).description == "Not too much in all."
    assert evaluate(FRAME, [predicate(lambda frame: True)]).passed


class Payments(pandera_polars.DataFrameModel):
    net: int = pandera_polars.Field(ge=2, nullable=True)
    gross: int = pandera_polars.Field(le=3)


def test_a_schema_of_pandera_is_a_rule() -> None:
    (verdict,) = evaluate(FRAME, [pandera(Payments)])
    assert (verdict.outcome, verdict.failing, verdict.rows) == ("failed", 2, 3)
    assert "net: greater_than_or_equal_to(2)" in verdict.text
    assert "gross: less_than_or_equal_to(3)" in verdict.text
    assert verdict.sample is not None
    assert verdict.sample[0] == ["row", "column", "check", "value"]
    assert evaluate(FRAME.slice(5), [pandera(Payments)]).passed
    assert evaluate(FRAME.drop("gross"), [pandera(Payments)])["pandera_payments"].failing == 1
    of_pandas = pandera_pandas.DataFrameSchema(
        {"net": pandera_pandas.Column(float, pandera_pandas.Check.gt(1))}, name="p"
    )
    (verdict,) = evaluate(FRAME, [pandera(of_pandas)])
    assert verdict.failing == 2, "one is too small, one is null"
    with pytest.raises(DefinitionError, match="no schema of pandera"):
        pandera(7)


# ---- rules that learn ----


def test_a_number_of_rows_is_compared_with_those_of_before() -> None:
    dice = random.Random(2)
    former = [round(dice.gauss(1000, 10)) for _ in range(20)]
    for rows, outcome in ((1010, "passed"), (500, "warned"), (1500, "warned")):
        (verdict,) = evaluate(pl.DataFrame({"a": range(rows)}), [row_count_drift()], former={"row_count_drift": former})
        assert verdict.outcome == outcome, verdict.text
        assert verdict.metrics["value"] == rows
        assert verdict.metrics["low"] < 1000 < verdict.metrics["high"]
    assert verdict.text.startswith("the number of rows is 1,500; usual would be ")
    assert "(from 20 former values)" in verdict.text


def test_too_little_history_is_told_and_holds_nothing_back() -> None:
    rule = row_count_drift(severity="error", blocking=True)
    (verdict,) = evaluate(FRAME, [rule], former={"row_count_drift": [100.0] * 6})
    assert (verdict.outcome, verdict.passed, verdict.holds_back) == ("unknown", True, False)
    assert verdict.text == "the number of rows is 3; not enough history: 6 of 7 former values"
    (verdict,) = evaluate(FRAME, [rule], former={"row_count_drift": [100.0] * 7})
    assert (verdict.outcome, verdict.holds_back) == ("failed", True)


def test_what_a_column_is_like_is_compared() -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0, float("nan"), None], "s": ["a", "b", "b", None]})
    former: dict[str, list[float]] = {
        "value_drift_mean_x": [1.5] * 8,
        "value_drift_nulls_x": [0.0] * 8,
        "value_drift_distinct_s": [2] * 8,
        "value_drift_sum_x": [100.0] * 8,
        "up": [9.0] * 8,
    }
    report = evaluate(
        frame,
        [
            value_drift("x"),
            value_drift("x", "nulls"),
            value_drift("s", "distinct"),
            value_drift("x", "sum", severity="error"),
            value_drift("x", "max", name="up", direction="up"),
            value_drift("s", "mean", name="text"),
        ],
        former=former,
    )
    assert [verdict.outcome for verdict in report] == ["passed", "warned", "passed", "failed", "passed", "warned"]
    assert report["value_drift_nulls_x"].metrics["value"] == 0.5, "NaN counts as missing"
    assert report["up"].metrics.keys() == {"value", "expected", "high"}
    assert report["text"].error is not None
    (none,) = evaluate(frame.clear(), [value_drift("x")], former=former)
    assert (none.outcome, none.text) == ("unknown", "the mean of x cannot be told: there are no values")


def test_old_values_are_forgotten() -> None:
    former = [1000.0] * 50 + [3.0] * 10
    (verdict,) = evaluate(FRAME, [row_count_drift(window=10)], former={"row_count_drift": former})
    assert verdict.outcome == "passed"
    (verdict,) = evaluate(FRAME, [row_count_drift()], former={"row_count_drift": former})
    assert verdict.outcome == "warned"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: row_count_drift(sensitivity=0), "from 1 on"),
        (lambda: row_count_drift(history_min=80), "would never have 80 values of 60"),
        (
            lambda: row_count_drift(direction="left"),  # type: ignore[arg-type]
            "'both', 'up' or 'down'",
        ),
        (
            lambda: row_count_drift(windw=3),  # type: ignore[call-arg]
            "unknown option 'windw'",
        ),
        (
            lambda: value_drift("x", "mode"),  # type: ignore[arg-type]
            "mean, sum",
        ),
        (lambda: metadata_drift(""), "name of a number"),
        (lambda: row_count_drift(error_if="> 1"), "does not count rows"),
    ],
)
def test_learning_that_makes_no_sense_is_refused(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(DefinitionError) as error:
        make()
    assert said in str(error.value)
