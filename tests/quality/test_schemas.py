"""What `schema=` may be, and the rule that a table keeps it."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypedDict

import pandera.polars as pa_pandera
import polars as pl
import pyarrow as pa
import pytest
from pydantic import BaseModel, Field

from batuta.checks import evaluate, schema_contract
from batuta.core.columns import Column
from batuta.core.errors import DefinitionError
from batuta.quality.schemas import contract_of


class Payment(BaseModel):
    id: int
    amount: Decimal | None
    note: str | None = None
    tags: list[str] = Field(default_factory=list)
    more: dict[str, int] | None = None


@dataclasses.dataclass
class Plain:
    id: int
    day: date
    at: datetime | None


class Typed(TypedDict):
    id: int
    share: float


class Model(pa_pandera.DataFrameModel):
    id: int
    note: str = pa_pandera.Field(nullable=True)


def columns(given: Any) -> list[tuple[str, str, bool]]:
    return [(one.name, one.type, one.nullable) for one in contract_of(given, "exact", "here").columns]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (
            {"id": "int64 not null", "sum": "decimal(18,2)", "at": "datetime[UTC]", "text": "VARCHAR", "all": ""},
            [
                ("id", "int64", False),
                ("sum", "decimal(18,2)", True),
                ("at", "datetime[UTC]", True),
                ("text", "string", True),
                ("all", "", True),
            ],
        ),
        (
            {"id": pl.Int64, "at": pl.Datetime("us", "UTC"), "d": Decimal, "n": Column("", "i32", nullable=False)},
            [("id", "int64", True), ("at", "datetime[UTC]", True), ("d", "decimal", True), ("n", "int32", False)],
        ),
        (pl.Schema([("id", pl.Int8()), ("s", pl.String())]), [("id", "int8", True), ("s", "string", True)]),
        (
            pa.schema([pa.field("id", pa.int64(), nullable=False), ("at", pa.timestamp("us", "Europe/Berlin"))]),
            [("id", "int64", False), ("at", "datetime[Europe/Berlin]", True)],
        ),
        (
            Payment,
            [
                ("id", "int64", False),
                ("amount", "decimal", True),
                ("note", "string", True),
                ("tags", "list", False),
                ("more", "struct", True),
            ],
        ),
        (Plain, [("id", "int64", False), ("day", "date", False), ("at", "datetime", True)]),
        (Typed, [("id", "int64", False), ("share", "float64", False)]),
        (Model, [("id", "int64", False), ("note", "string", True)]),
        (["id", "name"], [("id", "", True), ("name", "", True)]),
    ],
    ids=["text", "types", "polars", "arrow", "pydantic", "dataclass", "typed dict", "pandera", "names"],
)
def test_a_schema_may_be_told_in_many_ways(given: Any, wanted: Any) -> None:
    assert columns(given) == wanted


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"id": "intt64"}, "did you mean 'int64'"),
        ({"id": "numbers"}, "types are"),
        ({7: "int64"}, "give names as text"),
        ({}, "has no columns"),
        (["a", "a"], "names 'a' twice"),
        (7, "is a int"),
    ],
)
def test_what_is_no_schema_is_refused(given: Any, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        contract_of(given, "exact", "here")
    with pytest.raises(DefinitionError, match="'exact' or 'additive'"):
        contract_of({"id": "int64"}, "loose", "here")


def test_a_table_that_keeps_its_contract_passes_and_another_is_shown_as_a_diff() -> None:
    rule = schema_contract({"id": "int64 not null", "amount": "float64", "at": "datetime[UTC]", "s": "category"})
    good = pl.DataFrame(
        {"id": [1], "amount": [None], "at": [datetime(2026, 1, 1, tzinfo=UTC)], "s": ["x"]},
        {"id": pl.Int64, "amount": pl.Float64, "at": pl.Datetime("ms", "Asia/Tokyo"), "s": pl.Categorical},
    )
    assert evaluate(good, [rule]).passed
    assert evaluate(good.to_arrow(), [rule]).passed
    bad = pl.DataFrame({"id": [1, None], "amount": ["x", "y"], "at": [date(2026, 1, 1)] * 2, "new": [1, 2]})
    (verdict,) = evaluate(bad, [rule])
    assert verdict.outcome == "failed"
    assert verdict.text.splitlines() == [
        "  ~ amount  is string, not float64",
        "  ~ at      is date, not datetime[UTC]",
        "  - s       is missing (category)",
        "  + new     is not in the contract (int64)",
        "  ! id      is null in 1 of 2 rows",
    ]
    assert evaluate(bad.select("id"), [schema_contract(["id"])]).passed
    assert evaluate(bad, [schema_contract({"id": "int64"}, evolution="additive")]).passed
    assert evaluate([], [rule]).passed, "no rows, no columns: nothing is known"
