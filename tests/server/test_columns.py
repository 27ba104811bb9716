"""Lineage of columns over HTTP: around a column, around an asset, what a change affects, what may be seen."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from batuta.core.asset_index import AssetIndex
from batuta.core.columns import Column, ColumnLineage, ColumnSource, SqlSource, encode_lineage
from batuta.core.definitions import AssetDep, AssetSpec, CheckSpec, Definitions
from batuta.engine.column_lineage import Known, derive, rows_of
from batuta.store import Store
from batuta.store.columns import RUN
from batuta.store.rows import ColumnsRow
from tests.server.conftest import save_definitions
from tests.server.test_runs import get

RAW = AssetSpec("raw.sales", external=True, columns=(Column("id", "int64"), Column("cents", "int64", "in cents")))


def definitions(text: str = "select id, cents / 100 as euros from raw.sales where id > 0") -> Definitions:
    silver = AssetSpec(
        "silver.sales",
        step="silver.sales",
        layer="silver",
        deps=(AssetDep("raw.sales"),),
        sql=SqlSource(text, "duckdb", {"raw.sales": "raw.sales"}),
    )
    gold = AssetSpec("gold.board", step="gold.board", layer="gold", deps=(AssetDep("silver.sales"),))
    board = AssetSpec("board", step="board", deps=(AssetDep("gold.board"),), kinds=("exposure",))
    check = CheckSpec("silver.sales", "positive", "silver.sales:positive")
    return Definitions(location="reports", assets=(RAW, silver, gold, board), checks=(check,))


@pytest.fixture
def columns(store: Store, workspace: Any) -> None:
    """Definitions whose queries were read, as a scheduler does, and a run that told of another asset."""
    tell(store, definitions(), at=1.0)
    lineage = ColumnLineage({"euros": (ColumnSource("silver.sales", "euros", "aggregated"),)}, gaps=("a gap",))
    store.columns.put([ColumnsRow("gold.board", RUN, "1", b'[["euros","float64"]]', encode_lineage(lineage), 1, 2.0)])


def tell(store: Store, found: Definitions, at: float) -> None:
    save_definitions(store, found)
    store.columns.put(rows_of(derive(AssetIndex(found), Known({}, {})), Known({}, {}), at))


def edges(graph: dict[str, Any]) -> set[tuple[str, str, str]]:
    names = [f"{node['asset']}.{node['column']}" for node in graph["nodes"]]
    return {
        (names[up], names[down], kind)
        for up, down, kind in zip(graph["sources"], graph["targets"], graph["kinds"], strict=True)
    }


@pytest.mark.usefixtures("columns")
def test_a_column_is_followed_both_ways(api: httpx.Client) -> None:
    graph = get(api, "/lineage/columns", of="silver.sales.EUROS")
    assert edges(graph) == {
        ("raw.sales.cents", "silver.sales.euros", "transformed"),
        ("silver.sales.euros", "gold.board.euros", "aggregated"),
    }
    first, *_ = graph["nodes"]
    assert (first["asset"], first["column"], first["layer"], first["location"]) == (
        "silver.sales",
        "euros",
        "silver",
        "reports",
    )
    cents = next(node for node in graph["nodes"] if node["column"] == "cents")
    assert (cents["type"], cents["description"], cents["distance"]) == ("int64", "in cents", 1)
    assert {one["asset"]: (one["teller"], one["gaps"]) for one in graph["assets"]} == {
        "silver.sales": ("definition", []),
        "raw.sales": ("", []),
        "gold.board": ("run", ["a gap"]),
    }
    up = get(api, "/lineage/columns", of="silver.sales.euros", direction="upstream", rows=True)
    assert ("raw.sales.id", "silver.sales.", "filter") in edges(up)
    assert get(api, "/lineage/columns", of="raw.sales.cents", depth=1)["nodes"][-1]["asset"] == "silver.sales"


@pytest.mark.usefixtures("columns")
def test_an_asset_stands_for_all_its_columns(api: httpx.Client) -> None:
    graph = get(api, "/lineage/columns", of="silver.sales", depth=1)
    assert [node["column"] for node in graph["nodes"][:2]] == ["id", "euros"]
    assert len(edges(graph)) == 3
    assert get(api, "/lineage/columns", of="orders")["nodes"] == [], "nothing is known of its columns"


@pytest.mark.usefixtures("columns")
def test_what_a_change_affects(api: httpx.Client) -> None:
    found = get(api, "/lineage/impact", of="raw.sales.cents")
    assert [(one["key"], one["how"], one["columns"]) for one in found["assets"]] == [
        ("silver.sales", "values", ["euros"]),
        ("gold.board", "values", ["euros"]),
    ]
    assert [(one["key"], one["how"], one["via"]) for one in found["exposures"]] == [
        ("board", "unknown", ["gold.board"])
    ]
    assert found["checks"] == ["silver.sales:positive"]


@pytest.mark.usefixtures("columns")
def test_names_that_do_not_exist_are_told_with_the_nearest(api: httpx.Client) -> None:
    for path, of, hint in (
        ("columns", "silver.sales.euro", "did you mean 'euros'?"),
        ("columns", "silver.sale", "did you mean 'silver.sales'?"),
        ("impact", "silver.sales", "write asset.column"),
        ("impact", "raw.sales.nosuch", "its columns are id, cents"),
    ):
        answer = api.get(f"/api/v1/lineage/{path}", params={"of": of})
        assert (answer.status_code, answer.json()["hint"].splitlines()[0].partition(" or ")[0].rstrip("?")) == (
            404,
            hint.partition(" or ")[0].rstrip("?"),
        ), of


@pytest.mark.usefixtures("columns")
def test_what_is_defined_anew_is_told_anew(api: httpx.Client, store: Store) -> None:
    get(api, "/lineage/columns", of="silver.sales.euros")
    tell(store, definitions("select id, id as euros from raw.sales"), at=3.0)

    def sources() -> set[str]:
        return {
            up for up, down, _ in edges(get(api, "/lineage/columns", of="silver.sales.euros", direction="upstream"))
        }

    for _ in range(2_000):
        if sources() == {"raw.sales.id"}:
            break
    assert sources() == {"raw.sales.id"}
