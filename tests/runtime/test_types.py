"""Return annotations at run time: what is checked, what is let pass, and what a violation tells."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Optional, Protocol, TypedDict, TypeVar

import duckdb
import numpy as np
import pandas as pd
import pandera.pandas as pandera_pandas
import pandera.polars as pandera_polars
import pandera.typing as pandera_typing
import pandera.typing.polars as pandera_typing_polars
import polars as pl
import pyarrow as pa
import pytest
from annotated_types import Gt
from pydantic import BaseModel, Field, field_validator

from batuta.core.errors import TypeViolation
from batuta.io import Stored
from batuta.runtime.types import check


class Payment(BaseModel):
    """A row as pydantic describes it."""

    id: int
    amount: float = Field(gt=0)
    currency: str = "EUR"

    @field_validator("currency")
    @classmethod
    def known(cls, value: str) -> str:
        if value not in ("EUR", "USD"):
            raise ValueError(f"{value} is no currency we know")
        return value


@dataclasses.dataclass
class Point:
    """A dataclass checks nothing by itself."""

    x: int
    y: float = 0.0


class Row(TypedDict):
    """A dict with known keys."""

    id: int
    day: datetime.date


class Color(enum.Enum):
    """An enumeration."""

    RED = "red"


class Rates(pandera_polars.DataFrameModel):
    """A frame of Polars."""

    currency: str
    rate: float = pandera_polars.Field(gt=0)


class PandasRates(pandera_pandas.DataFrameModel):
    """The same for pandas."""

    currency: str
    rate: float = pandera_pandas.Field(gt=0)


class Strict(pandera_polars.DataFrameModel):
    """A frame of just this column."""

    rate: float

    class Config:
        """pandera's."""

        strict = True


class Readable(Protocol):
    """Not checked: duck types are not about data."""

    def read(self) -> bytes: ...


UserId = NewType("UserId", int)
T = TypeVar("T")
GOOD = pl.DataFrame({"currency": ["EUR"], "rate": [1.0]})
SCHEMA = pandera_pandas.DataFrameSchema({"n": pandera_pandas.Column(int, pandera_pandas.Check.ge(0))})


def small(value: Any) -> bool:
    return len(value) < 3


def positive(value: Any) -> None:
    assert value > 0, "must be positive"


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        ("x", None),
        ("x", Any),
        ("x", "int"),
        ("x", object),
        ("x", T),
        ("x", Readable),
        ("x", Callable[[], int]),
        ("x", Stored),
        (None, None | int),
        (1, int),
        (True, int),
        (np.int64(1), int),
        (1, float),
        (np.float32(1), float),
        (np.bool_(True), bool),
        ("x", str),
        (None, type(None)),
        (UserId(1), UserId),
        ([1, 2], list),
        ([1, 2], list[int]),
        ([1, np.int64(2)], list[int]),
        ([1, "x"], list[int | str]),
        ([None, 1], list[int | None]),
        ([1], Sequence[int]),
        ((1, 2), Sequence[int]),
        ((1, 2), tuple[int, ...]),
        ((1, "x"), tuple[int, str]),
        ({1}, set[int]),
        ({"a": [1]}, dict[str, list[int]]),
        (collections.OrderedDict(a=1), Mapping[str, int]),
        (collections.Counter("aab"), dict[str, int]),
        ((i for i in "ab"), Iterator[int]),
        ((i for i in "ab"), Iterable[int]),
        ("red", Literal["red", "blue"]),
        (Color.RED, Color),
        (datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), datetime.date),
        (Path("x"), Path),
        (Decimal(1), Decimal),
        (Payment(id=1, amount=1), Payment),
        ([Payment(id=1, amount=1)], list[Payment]),
        ([{"id": 1, "amount": 1.0}], list[Payment]),
        ({"a": Payment(id=1, amount=1)}, dict[str, Payment]),
        ([], list[Payment]),
        (None, Payment | None),
        ((i for i in "ab"), Iterable[Payment]),
        (Point(1, 2.0), Point),
        ([Point(1)], list[Point]),
        ({"id": 1, "day": datetime.date(2026, 1, 1)}, Row),
        (1, Annotated[int, Gt(0)]),
        (1, Annotated[int, "a note", Color]),
        (1, Annotated[int, positive]),
        ([1], Annotated[list[int], small]),
        (GOOD, pl.DataFrame),
        (GOOD.lazy(), pl.LazyFrame),
        (GOOD, pl.DataFrame | pl.LazyFrame),
        (GOOD.to_pandas(), pd.DataFrame),
        (GOOD.to_arrow(), pa.Table),
        ({"a": GOOD}, dict[str, pl.DataFrame]),
        ((GOOD, [Payment(id=1, amount=1)]), tuple[pl.DataFrame, list[Payment]]),
        (GOOD, pandera_typing_polars.DataFrame[Rates]),
        (GOOD.lazy(), pandera_typing_polars.LazyFrame[Rates]),
        (GOOD, Rates),
        (GOOD.to_pandas(), pandera_typing.DataFrame[PandasRates]),
        (GOOD, Annotated[pl.DataFrame, Rates]),
        (GOOD.to_pandas(), Annotated[pd.DataFrame, PandasRates]),
        (pd.DataFrame({"n": [1]}), Annotated[pd.DataFrame, SCHEMA]),
        (None, Optional[pandera_typing_polars.DataFrame[Rates]]),  # noqa: UP045
    ],
)
def test_what_fits(value: Any, annotation: Any) -> None:
    check(value, annotation, "asset a")


@pytest.mark.parametrize(
    ("value", "annotation", "told"),
    [
        (None, int, "expected int, got NoneType None"),
        ("1", int, "expected int, got str '1'"),
        (1.5, int, "expected int, got float 1.5"),
        (Decimal(1), float, "expected float, got decimal.Decimal Decimal('1')"),
        (1, str, "expected str, got int 1"),
        (1, bool, "expected bool, got int 1"),
        ("x", UserId, "expected int"),
        ((1,), list, "expected list, got tuple (1,)"),
        ("abc", Sequence[str], "expected Sequence[str], got str 'abc'"),
        ("abc", list[str], "expected list[str], got str 'abc'"),
        (5, Iterable[int], "got int 5"),
        ([1, "x", 2, None], list[int], "[1]: expected int, got str 'x'"),
        ([["x"]], list[list[int]], "[0][0]: expected int, got str 'x'"),
        ({"a": {"b": "x"}}, dict[str, dict[str, int]], "['a']['b']: expected int"),
        ({1: 1}, dict[str, int], ".keys(): expected str, got int 1"),
        ((1, 2), tuple[int, str], "[1]: expected str, got int 2"),
        ((1,), tuple[int, str], "expected tuple[int, str], got tuple (1,)"),
        ("green", Literal["red", "blue"], "expected Literal['red', 'blue'], got str 'green'"),
        (True, Literal[1], "expected Literal[1], got bool True"),
        ("x", int | float, "expected int | float, got str 'x'"),
        ("red", Color, "Color, got str 'red'"),
        ("2026-01-01", datetime.date, "expected datetime.date, got str '2026-01-01'"),
        ({"id": 1}, Payment, "amount: Field required"),
        ({"id": "1", "amount": 1.0}, Payment, "id: Input should be a valid integer, not '1'"),
        (5, Payment, "not 5"),
        (5, list[Payment], "Input should be a valid list, not 5"),
        (Point("x"), Point, "x: Input should be a valid integer, not 'x', in Point(x='x', y=0.0)"),  # type: ignore[arg-type]
        ({"id": 1, "day": "2026-01-01"}, Row, "['day']: expected datetime.date, got str '2026-01-01', in {"),
        ({"id": 1, "dya": 1}, Row, "'day' is missing, in {'id': 1, 'dya': 1}\n  'dya' is unknown"),
        ([{"id": "x", "day": datetime.date(2026, 1, 1)}], list[Row], "[0]['id']: expected int, got str 'x'"),
        (5, Row, "got int 5"),
        (-1, Annotated[int, Gt(0)], "Input should be greater than 0, not -1"),
        (-1, Annotated[int, Field(gt=0)], "Input should be greater than 0, not -1"),
        ("x", Annotated[int, positive], "expected int"),
        (-1, Annotated[int, positive], "positive says: must be positive, in -1"),
        ([1, 2, 3], Annotated[list[int], small], "small says no, in [1, 2, 3]"),
        (GOOD.lazy(), pl.DataFrame, "expected polars.dataframe.frame.DataFrame, got polars.lazyframe.frame.LazyFrame"),
        (GOOD.to_pandas(), pl.DataFrame, "<pandas.DataFrame (1, 2)>"),
        ([{"a": 1}], pl.DataFrame, "got list [{'a': 1}]"),
        ({"a": 1}, dict[str, pl.DataFrame], "['a']: expected polars"),
        ((GOOD, [{"id": 1}]), tuple[pl.DataFrame, list[Payment]], "[1][0].amount: Field required"),
        (GOOD.to_pandas(), pandera_typing_polars.DataFrame[Rates], "expected a polars.DataFrame for Rates, got pandas"),
        (GOOD, pandera_typing.DataFrame[PandasRates], "expected a pandas.DataFrame for PandasRates"),
        (GOOD, pandera_typing_polars.LazyFrame[Rates], "expected a polars.LazyFrame for Rates"),
        (None, pandera_typing_polars.DataFrame[Rates], "got NoneType"),
        (GOOD.drop("rate"), Annotated[pl.DataFrame, Rates], "column 'rate' is missing"),
        (GOOD, Annotated[pl.DataFrame, Strict], "column 'currency' is not in the schema"),
        (GOOD.with_columns(rate=1), Rates, "column 'rate' has type Int32, not Float64"),
        (GOOD.drop("rate").lazy(), pandera_typing_polars.LazyFrame[Rates], "column 'rate' is missing"),
        (pd.DataFrame({"n": [1, -2]}), Annotated[pd.DataFrame, SCHEMA], "row 1: column 'n' is -2, which fails"),
    ],
)
def test_what_does_not_fit_and_what_is_told(value: Any, annotation: Any, told: str) -> None:
    with pytest.raises(TypeViolation) as caught:
        check(value, annotation, "asset a.b")
    text = str(caught.value)
    assert told in text
    assert text.startswith("asset a.b: the result is not ")
    assert "hint: return what the annotation promises" in text


def test_the_first_five_offending_items_are_shown() -> None:
    rows: list[Any] = [{"id": number, "amount": -1.0 if number >= 3 else 1.0} for number in range(20)]
    with pytest.raises(TypeViolation) as caught:
        check(rows, list[Payment], "a")
    lines = caught.value.what.splitlines()
    assert lines[0] == "the result is not list[Payment]:".replace("Payment", f"{__name__}.Payment")
    assert lines[1] == "  [3].amount: Input should be greater than 0, not -1.0, in {'id': 3, 'amount': -1.0}"
    assert len(lines) == 7
    assert lines[-1].strip() == "…"
    with pytest.raises(TypeViolation) as caught:
        check(["x"] * 100_000, list[int], "a")
    assert len(caught.value.what.splitlines()) == 7


def test_items_far_into_a_long_list_have_the_right_index() -> None:
    rows: list[Any] = [Payment(id=1, amount=1)] * 25_000
    check(rows, list[Payment], "a")
    with pytest.raises(TypeViolation, match=r"\[24999\]\.amount: Field required, in \{'id': 1\}"):
        check([*rows[:-1], {"id": 1}], list[Payment], "a")


@pytest.mark.parametrize("kind", ["polars", "pandas"])
def test_offending_rows_of_a_frame(kind: str) -> None:
    frame = pl.DataFrame({"currency": [f"C{number}" for number in range(20)], "rate": [1.0, -1.0] * 10})
    value, annotation = (frame, Rates) if kind == "polars" else (frame.to_pandas(), PandasRates)
    with pytest.raises(TypeViolation) as caught:
        check(value, annotation, "a")
    lines = caught.value.what.splitlines()
    assert lines[1].startswith(
        "  row 1: column 'rate' is -1.0, which fails greater_than(0), in currency='C1', rate=-1.0"
    )
    assert len(lines) == 7


def test_what_a_models_own_validator_says() -> None:
    with pytest.raises(TypeViolation, match="XXX is no currency we know"):
        check([{"id": 1, "amount": 1.0, "currency": "XXX"}], list[Payment], "a")


def test_a_value_is_never_changed_or_used_up() -> None:
    rows = [{"id": 1, "amount": 1}]
    check(rows, list[Payment], "a")
    assert rows == [{"id": 1, "amount": 1}]
    generator = (Payment(id=number, amount=1) for number in range(3))
    check(generator, Iterator[Payment], "a")
    assert len(list(generator)) == 3


def test_errors_of_a_predicate_that_say_nothing_of_the_value_are_the_users() -> None:
    def broken(value: Any) -> bool:
        return bool(value.nope)

    with pytest.raises(AttributeError):
        check(1, Annotated[int, broken], "a")


def test_annotations_that_cannot_be_hashed_or_understood() -> None:
    check(1, Annotated[int, ["a", "list"]], "a")
    with pytest.raises(TypeViolation):
        check("x", Annotated[int, ["a", "list"]], "a")
    check(1, 5, "a")
    check([1], list["NotDefinedAnywhere"], "a")  # type: ignore[name-defined]  # noqa: F821


def test_a_relation_is_not_computed() -> None:
    relation = duckdb.sql("SELECT CAST('x' AS INT) AS n")
    check(relation, duckdb.DuckDBPyRelation, "a")


def test_pydantic_and_pandera_stay_out_unless_asked_for() -> None:
    code = """
import sys
from batuta.runtime.types import check
check([1], list[int], "a"); check({"a": 1}, dict[str, float], "a"); check(None, int | None, "a")
print([name for name in ("pydantic", "pandera", "polars", "pandas") if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
