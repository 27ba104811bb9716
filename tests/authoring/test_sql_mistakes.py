"""SQL assets where something is wrong: the line, the name that was meant, and what stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from batuta.authoring.assets import asset
from batuta.authoring.sql_asset import sql_asset
from batuta.core.errors import CycleError, DefinitionError, UnknownDependencyError
from batuta.io import DuckDBIO, MissingDataError
from tests.authoring.asset_runs import LAYERS, Lake
from tests.authoring.sql_lakes import DAYS, ORDERS, failed, lake, python, rows


def test_what_the_database_refuses_is_told_with_the_line(tmp_path: Path, warehouse: Any) -> None:
    orders = python("bronze.orders", ORDERS, io_manager=warehouse)
    made = sql_asset(
        "gold.x",
        io_manager=warehouse,
        sql="""
            select id,
                nosuch
            from bronze.orders
        """,
    )
    found = lake(tmp_path, orders, made)
    found.run()
    error = failed(found, "gold.x")
    assert "nosuch" in error.what
    lines = Path(__file__).read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.strip() == "nosuch")
    assert error.where == f"{__file__}:{line}"
    with pytest.raises(MissingDataError):
        found.value("gold.x")


def test_a_failed_query_leaves_the_last_version(tmp_path: Path, warehouse: Any) -> None:
    frames = [pl.DataFrame({"t": ["1"]})]

    @asset("bronze.t")
    def t() -> pl.DataFrame:
        return frames[-1]

    made = sql_asset("silver.t", io_manager=warehouse, sql="select cast(t as integer) as n from bronze.t")
    found = lake(tmp_path, t, made)
    found.run()
    frames.append(pl.DataFrame({"t": ["1", "two"]}))
    assert found.run()["silver.t"] == "failed"
    assert "two" in str(failed(found, "silver.t"))
    assert rows(found, "silver.t") == [{"n": 1}]


def test_a_table_that_is_not_there_is_told(tmp_path: Path, warehouse: Any) -> None:
    orders = python("bronze.orders", ORDERS, io_manager=warehouse)
    typo = sql_asset("gold.x", io_manager=warehouse, sql="select *\nfrom bronze.ordres")
    found = lake(tmp_path, orders, typo)
    assert {spec.key for spec in found.definitions.assets if spec.external} == {"bronze.ordres"}
    found.run()
    assert "did you mean 'bronze.orders'?" in (failed(found, "gold.x").hint or "")
    early = lake(
        tmp_path / "other",
        orders,
        sql_asset("gold.y", io_manager=warehouse, sql="select * from silver.never"),
        sql_asset("silver.never", sql="select 1 as n", io_manager=warehouse),
    )
    early.run("gold.y")
    assert "batuta materialize silver.never" in (failed(early, "gold.y").hint or "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("select from where", "it is no duckdb SQL"),
        ("select 1; select 2", "there are 2 statements"),
        ("delete from x", "it is a statement (DELETE), not a query"),
        ("select :nosuch", "there is no parameter 'nosuch'"),
        ("select * from gold.x", "reads itself"),
        ("select * from {{ ref('x') }}", "it is no duckdb SQL"),
    ],
)
def test_sql_that_is_not_right_is_a_problem_of_its_asset_alone(tmp_path: Path, text: str, message: str) -> None:
    bad = sql_asset("gold.x", sql=text)
    good = sql_asset("gold.y", sql="select 1 as n")
    found = lake(tmp_path, bad, good)
    if message == "reads itself":
        with pytest.raises(DefinitionError, match=message):
            found.graph.specs(LAYERS)
        return
    specs, _, _ = found.graph.specs(LAYERS)
    assert [spec.key for spec in specs] == ["gold.y"]
    (problem,) = found.graph.problems
    assert message in problem.message
    assert problem.place.file == __file__
    assert problem.hint


def test_circles_of_queries_are_shown() -> None:
    first = sql_asset("gold.a", sql="select * from gold.b")
    second = sql_asset("gold.b", sql="select * from gold.a")
    with pytest.raises(CycleError) as caught:
        Lake(Path(), [first, second]).graph.specs(LAYERS)
    assert "gold.a" in str(caught.value)
    assert "gold.b" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"materialized": "tabel"}, "did you mean 'table'"),
        ({"materialized": "view", "partitions": DAYS}, "a view has no partitions"),
        ({"materialized": "incremental"}, "neither unique_key nor cursor"),
        ({"unique_key": "id"}, "unique_key is for incremental assets"),
        ({"connection": "a", "io_manager": "b"}, "both io_manager and connection"),
        ({"connection": "a", "dialect": "oracle"}, "cannot be run in 'oracle'"),
        ({"parameters": {"a b": 1}}, "cannot be a parameter's name"),
        ({"retreis": 3}, "unknown option 'retreis'"),
        ({"deps": "gold.y"}, "deps= is 'gold.y'"),
    ],
)
def test_definitions_that_contradict_themselves_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        sql_asset("gold.x", sql="select 1 as n", **options)
    assert message in str(caught.value)
    assert __file__ in str(caught.value)


def test_what_cannot_be_done_with_files_is_said(tmp_path: Path) -> None:
    made = sql_asset("gold.x", sql="select 1 as n", materialized="view")
    found = lake(tmp_path, made)
    found.run()
    assert "that needs a database" in (failed(found, "gold.x").hint or "")
    other = lake(
        tmp_path, sql_asset("gold.x", sql="select 1 as n", dialect="postgres", io_manager=DuckDBIO(tmp_path / "x.db"))
    )
    other.run()
    assert "is written in postgres, but runs in" in failed(other, "gold.x").what


def test_the_function_of_a_query_has_to_give_a_text(tmp_path: Path) -> None:
    @sql_asset("gold.x")
    def number() -> Any:
        return 5

    @sql_asset("gold.y")
    def broken() -> str:
        raise RuntimeError("no settings")

    found = lake(tmp_path, number, broken)
    assert found.graph.specs(LAYERS)[0] == ()
    first, second = found.graph.problems
    assert "gave a int" in first.message
    assert "RuntimeError: no settings" in second.message


def test_unknown_deps_are_refused() -> None:
    with pytest.raises(UnknownDependencyError):
        Lake(Path(), [sql_asset("gold.x", sql="select 1 as n", deps=["gold.nosuch"])]).graph.specs(LAYERS)
