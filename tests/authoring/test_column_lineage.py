"""Lineage of columns that assets declare, report, or show by the plan of a LazyFrame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from batuta.authoring.asset_values import AssetOut, MaterializeResult, Output
from batuta.authoring.assets import asset, multi_asset
from batuta.authoring.sql_asset import sql_asset
from batuta.core.columns import ColumnLineage, ColumnSource
from batuta.core.definitions import AssetSpec
from batuta.core.errors import DefinitionError
from batuta.io import DuckDBIO
from tests.authoring.asset_runs import LAYERS, Lake


@asset("bronze.orders")
def orders() -> pl.DataFrame:
    return pl.DataFrame({"id": [1, 2], "cents": [100, 250], "state": ["paid", "open"]})


def spec_of(key: str, *definitions: Any) -> AssetSpec:
    found = Lake(Path(), definitions).graph.specs(LAYERS)[0]
    return next(spec for spec in found if spec.key == key)


def test_an_asset_says_what_its_columns_are_made_from() -> None:
    @asset(
        "silver.orders",
        deps=[orders],
        column_lineage={
            "euros": ["bronze.orders.cents"],
            "id": (orders, "id", "identity"),
            "now": [],
            "both": [("bronze.orders", "id"), "bronze.orders.cents"],
            "": ["bronze.orders.state"],
        },
    )
    def silver() -> None: ...

    assert spec_of("silver.orders", orders, silver).column_lineage == ColumnLineage(
        {
            "euros": (ColumnSource("bronze.orders", "cents", "transformed"),),
            "id": (ColumnSource("bronze.orders", "id", "identity"),),
            "now": (),
            "both": (
                ColumnSource("bronze.orders", "id", "transformed"),
                ColumnSource("bronze.orders", "cents", "transformed"),
            ),
        },
        (ColumnSource("bronze.orders", "state", "filter"),),
    )


def test_outs_of_a_multi_asset_say_their_own() -> None:
    @multi_asset({"a": AssetOut("gold.a", column_lineage={"x": "bronze.orders.id"}), "b": "gold.b"}, deps=[orders])
    def both() -> dict[str, Any]:
        return {}

    assert spec_of("gold.a", orders, both).column_lineage is not None
    assert spec_of("gold.b", orders, both).column_lineage is None


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"x": ["bronze.ordres.id"]}, "did you mean 'bronze.orders'"),
        ({"x": ["id"]}, "names no column of an asset"),
        ({"x": [5]}, "5 is no source of column 'x'"),
        ({"x": [("bronze.orders", "id", "idenity")]}, "did you mean 'identity'"),
        ({"": [("bronze.orders", "id", "identity")]}, "kinds are filter"),
        (["x"], "column_lineage is ['x']"),
    ],
)
def test_what_is_not_right_is_refused_with_the_place(said: Any, message: str) -> None:
    @asset("silver.orders", deps=[orders], column_lineage=said)
    def silver() -> None: ...

    with pytest.raises(DefinitionError) as caught:
        spec_of("silver.orders", orders, silver)
    assert message in str(caught.value)
    assert __file__ in str(caught.value)


def test_a_result_may_report_its_own(tmp_path: Path) -> None:
    @asset("silver.a")
    def a(orders: pl.DataFrame) -> Output[pl.DataFrame]:
        return Output(orders.select("id"), column_lineage={"id": [("bronze.orders", "id", "identity")]})

    @asset("silver.b", deps=[orders])
    def b() -> MaterializeResult:
        return MaterializeResult(column_lineage={"x": "bronze.orders.id"})

    @asset("silver.c", deps=[orders])
    def c() -> MaterializeResult:
        return MaterializeResult(column_lineage={"x": "silver.nosuch.id"})

    found = Lake(tmp_path, [orders, a, b, c])
    states = found.run()
    assert found.recorded["silver.a", ""].lineage == ColumnLineage({"id": (ColumnSource("bronze.orders", "id"),)})
    assert found.recorded["silver.b", ""].lineage == ColumnLineage(
        {"x": (ColumnSource("bronze.orders", "id", "transformed"),)}
    )
    assert states["silver.c"] == "failed"
    assert "is made from 'silver.nosuch', which is not read" in str(found.errors["silver.c"])


def test_a_lazy_frame_shows_its_plan(tmp_path: Path) -> None:
    @asset("silver.paid")
    def paid(orders: pl.LazyFrame) -> pl.LazyFrame:
        return orders.filter(pl.col("state") == "paid").select("id", euros=pl.col("cents") / 100)

    @asset("silver.eager")
    def eager(orders: pl.DataFrame) -> pl.DataFrame:
        return orders

    @asset("silver.memory")
    def memory(orders: pl.DataFrame) -> pl.LazyFrame:
        return orders.lazy().select("id")

    found = Lake(tmp_path, [orders, paid, eager, memory])
    assert set(found.run().values()) == {"succeeded"}
    assert found.recorded["silver.paid", ""].lineage == ColumnLineage(
        {
            "id": (ColumnSource("bronze.orders", "id", "identity"),),
            "euros": (ColumnSource("bronze.orders", "cents", "transformed"),),
        },
        (ColumnSource("bronze.orders", "state", "filter"),),
    )
    assert found.recorded["silver.eager", ""].lineage is None
    assert found.recorded["silver.memory", ""].lineage == ColumnLineage(gaps=("its plan holds data in memory",))


def test_a_query_reports_what_it_read_with_the_columns_that_were_there(tmp_path: Path) -> None:
    house = DuckDBIO(tmp_path / "house.duckdb")
    made = sql_asset(
        "gold.all", io_manager=house, sql="select *, cents / 100 as euros from bronze.orders where state = 'paid'"
    )
    found = Lake(tmp_path, [orders, made])
    found.run()
    lineage = found.recorded["gold.all", ""].lineage
    assert lineage is not None
    assert list(lineage.columns) == ["id", "cents", "state", "euros"]
    assert lineage.columns["euros"] == (ColumnSource("bronze.orders", "cents", "transformed"),)
    assert lineage.rows == (ColumnSource("bronze.orders", "state", "filter"),)
    assert lineage.gaps == ()
