"""Lineage of columns across tools: derived once, kept by content, renewed in part, with what runs tell."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from batuta.core.asset_index import AssetIndex
from batuta.core.column_graph import ColumnRef
from batuta.core.columns import Column, ColumnLineage, ColumnSource, SqlSource, encode_lineage
from batuta.core.definitions import AssetDep, AssetSpec, Definitions
from batuta.core.states import RunState
from batuta.engine.column_lineage import ColumnKnowledge, Known, derive, knowledge, read, rows_of
from batuta.engine.workspace import Workspace
from batuta.runtime.project import find_project
from batuta.sql.deriving import Derived
from batuta.store import Store
from batuta.store.columns import DEFINITION, RUN
from batuta.store.rows import ColumnsRow


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    """A store of its own."""
    with Store.open(sqlite_url) as opened:
        yield opened


def query(key: str, text: str, *reads: str) -> AssetSpec:
    source = SqlSource(text, "duckdb", {name: name for name in reads})
    return AssetSpec(key, step=key, deps=tuple(map(AssetDep, reads)), sql=source)


RAW = AssetSpec("raw.orders", external=True, columns=(Column("id"), Column("cents", "int64", "in cents")))
SILVER = query("silver.orders", "select *, cents / 100 as euros from raw.orders", "raw.orders")
GOLD = query("gold.sums", "select sum(euros) as total from silver.orders", "silver.orders")


def index(*specs: AssetSpec) -> AssetIndex:
    return AssetIndex(Definitions(assets=specs))


def told(asset: str, source: str, columns: str, lineage: ColumnLineage | None = None) -> ColumnsRow:
    return ColumnsRow(asset, source, "1", columns.encode(), encode_lineage(lineage) if lineage else b"{}", 1, 1.0)


def test_each_query_is_read_with_the_columns_of_those_before(tmp_path: Path) -> None:
    found = derive(index(GOLD, SILVER, RAW), Known({}, {}))
    assert list(found["silver.orders"].lineage.columns) == ["id", "cents", "euros"]
    known = ColumnKnowledge(index(GOLD, SILVER, RAW), Known({}, {}), found)
    trace = known.graph.upstream(ColumnRef("gold.sums", "total"))
    assert [str(ref) for ref in trace.columns] == ["gold.sums.total", "silver.orders.euros", "raw.orders.cents"]
    assert trace.kinds == ["aggregated", "transformed"]
    assert known.facts["raw.orders"].columns[1] == Column("cents", "int64", "in cents")


def test_what_has_not_changed_is_not_read_again(store: Store) -> None:
    specs = index(GOLD, SILVER, RAW)
    first = knowledge(specs, store)
    rows = store.columns.since()
    assert [row.asset for row in rows] == ["gold.sums", "silver.orders"]
    before = read(rows)
    planted = Derived(before.definitions["gold.sums"].hash, ColumnLineage({"planted": ()}))
    again = derive(specs, Known({}, before.definitions | {"gold.sums": planted}))
    assert again["gold.sums"] is planted, "the hash is the same: the text is not read"
    knowledge(specs, store)
    assert store.columns.since() == rows
    wider = AssetSpec("raw.orders", external=True, columns=(*RAW.columns, Column("tax")))
    changed = derive(index(GOLD, SILVER, wider), before)
    assert "tax" in changed["silver.orders"].lineage.columns
    assert {row.asset for row in rows_of(changed, before, 1.0)} == {"silver.orders", "gold.sums"}
    assert first.graph.columns("gold.sums") == ["total"]


def test_what_runs_have_seen_counts_for_stars_and_where_the_query_has_gaps() -> None:
    raw = AssetSpec("raw.orders", external=True)
    specs = index(SILVER, raw)
    blind = derive(specs, Known({}, {}))
    assert blind["silver.orders"].lineage.gaps == ("`*` of raw.orders, whose columns are not known",)
    exact = ColumnLineage({"id": (ColumnSource("raw.orders", "id"),), "euros": ()})
    rows = [told("silver.orders", RUN, '[["id","int64"],["euros","float64"]]', exact)]
    known = ColumnKnowledge(specs, read(rows), blind)
    assert known.facts["silver.orders"].teller == "run"
    assert known.facts["silver.orders"].columns == (Column("id", "int64"), Column("euros", "float64"))
    seen = derive(specs, read([told("raw.orders", RUN, '[["id","int64"],["cents","int64"]]')]))
    assert list(seen["silver.orders"].lineage.columns) == ["id", "cents", "euros"]


def test_what_is_declared_counts_over_all_else() -> None:
    said = ColumnLineage({"x": (ColumnSource("raw.orders", "id"),)})
    spec = AssetSpec("gold.x", step="gold.x", deps=(AssetDep("raw.orders"),), column_lineage=said)
    rows = read([told("gold.x", RUN, '[["x","int64"]]', ColumnLineage({"x": ()}))])
    known = ColumnKnowledge(index(spec, RAW), rows, {})
    assert (known.facts["gold.x"].teller, known.facts["gold.x"].lineage) == ("declared", said)


def test_only_what_changed_is_renewed() -> None:
    specs = index(GOLD, SILVER, RAW)
    found = derive(specs, Known({}, {}))
    first = ColumnKnowledge(specs, Known({}, {}), found)
    second = ColumnKnowledge(specs, Known({}, {}), found, first)
    assert second.graph is first.graph
    other = index(GOLD, query("silver.orders", "select id, 1 as euros from raw.orders", "raw.orders"), RAW)
    third = ColumnKnowledge(other, Known({}, {}), derive(other, Known({}, found)), second)
    assert third.facts["gold.sums"] is first.facts["gold.sums"]
    assert third.graph.upstream(ColumnRef("gold.sums", "total")).columns[-1] == ColumnRef("silver.orders", "euros")
    assert first.graph.upstream(ColumnRef("gold.sums", "total")).columns[-1] == ColumnRef("raw.orders", "cents")
    python = index(AssetSpec("silver.orders", step="silver.orders"), RAW, GOLD)
    fourth = ColumnKnowledge(python, Known({}, {}), {}, third)
    assert not fourth.graph.is_known("silver.orders")


def test_sql_that_cannot_be_read_is_a_gap() -> None:
    specs = index(query("a", "select from"), query("b", "select " + "(" * 5000 + "1" + ")" * 5000))
    found = derive(specs, Known({}, {}), apart=False)
    assert "its SQL cannot be read" in found["a"].lineage.gaps[0]
    assert found["b"].lineage.gaps


def test_many_are_read_in_a_process_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    specs = index(RAW, *(query(f"q{n}", f"select id + {n} as n from raw.orders", "raw.orders") for n in range(40)))
    apart = derive(specs, Known({}, {}))
    assert apart == derive(specs, Known({}, {}), apart=False)
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert derive(specs, Known({}, {})) == apart, "where no process can be started, it is done here"


def test_a_run_keeps_what_it_saw_and_a_workspace_asks_across_tools(tmp_path: Path) -> None:
    (tmp_path / "batuta.toml").write_text('code = ["lake.py"]\n')
    (tmp_path / "lake.py").write_text(
        """
import polars as pl
from batuta import asset, sql_asset

@asset("bronze.orders")
def orders() -> pl.DataFrame:
    return pl.DataFrame({"id": [1, 2], "cents": [100, 250]})

@asset("silver.euros")
def euros(orders: pl.LazyFrame) -> pl.LazyFrame:
    return orders.select("id", euros=pl.col("cents") / 100)

total = sql_asset("gold.total", sql="select sum(euros) as total from silver.euros")

@asset("gold.report", column_lineage={"text": ["gold.total.total"]})
def report(total: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame({"text": ["x"]})
"""
    )
    with Workspace(find_project(str(tmp_path)), executor="threads") as workspace:
        assert workspace.start_plan(workspace.assets.plan("*").plan).wait() is RunState.SUCCEEDED
        rows = {(row.asset, row.source) for row in workspace.store.columns.since()}
        assert ("bronze.orders", RUN) in rows
        assert ("gold.total", RUN) in rows
        known = knowledge(workspace.assets.index, workspace.store)
        trace = known.graph.upstream(ColumnRef("gold.report", "text"))
        assert [str(ref) for ref in trace.columns] == [
            "gold.report.text",
            "gold.total.total",
            "silver.euros.euros",
            "bronze.orders.cents",
        ]
        assert {known.facts[ref.asset].teller for ref in trace.columns} == {"declared", "definition", "run", ""}
        assert ("gold.total", DEFINITION) in {(row.asset, row.source) for row in workspace.store.columns.since()}
