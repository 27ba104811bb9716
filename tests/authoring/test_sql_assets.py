"""SQL assets on DuckDB, PostgreSQL and files: what they read, and how they are kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from batuta.authoring.assets import asset, external_asset
from batuta.authoring.partitions import TimeWindow, daily, multi, static
from batuta.authoring.resources import Resources
from batuta.authoring.sql_asset import sql_asset
from batuta.core.definitions import AssetDep
from batuta.io import OutputContext, ParquetIO
from tests.authoring.asset_runs import Lake
from tests.authoring.sql_lakes import DAYS, ORDERS, lake, python, rows


def test_tables_that_are_assets_are_dependencies_and_others_become_external_assets() -> None:
    orders = python("bronze.Orders", ORDERS)
    made = sql_asset("silver.orders", sql="select * from BRONZE.orders o join raw.customers c on c.id = o.who")
    gold = sql_asset(
        "gold.totals", sql="with orders as (select 1) select * from orders, silver.orders s, elsewhere.x.y"
    )
    specs = {spec.key: spec for spec in Lake(Path(), [orders, made, gold]).definitions.assets}
    assert specs["silver.orders"].deps == (AssetDep("bronze.Orders"), AssetDep("raw.customers"))
    assert specs["gold.totals"].deps == (AssetDep("silver.orders"), AssetDep("elsewhere.x.y"))
    assert specs["raw.customers"].external
    assert specs["silver.orders"].kinds == ("sql",)
    source = specs["silver.orders"].sql
    assert source is not None
    assert source.tables == {"bronze.orders": "bronze.Orders", "raw.customers": "raw.customers"}
    assert source.dialect == "duckdb"


def test_a_table_without_schema_is_the_only_asset_that_ends_so() -> None:
    made = sql_asset("silver.orders", sql="select * from orders")
    bronze, gold = python("bronze.orders", ORDERS), python("gold.orders", ORDERS)
    (spec, *_) = Lake(Path(), [made, bronze]).definitions.assets
    assert spec.deps == (AssetDep("bronze.orders"),)
    both = Lake(Path(), [made, bronze, gold])
    assert {one.key for one in both.definitions.assets} == {"bronze.orders", "gold.orders"}
    (problem,) = both.graph.problems
    assert "could be any of 2 assets: bronze.orders, gold.orders" in problem.message
    assert problem.hint == "say which: bronze.orders"


def test_an_asset_of_the_project_is_preferred_to_an_external_one(tmp_path: Path) -> None:
    raw = external_asset("raw.orders", layer="bronze", io_manager=ParquetIO(tmp_path))
    made = sql_asset("silver.orders", sql="select id from raw.orders")
    found = lake(tmp_path, raw, made)
    ParquetIO(tmp_path).store(OutputContext(asset="raw.orders"), ORDERS)
    assert found.run() == {"silver.orders": "succeeded"}
    assert rows(found, "silver.orders") == [{"id": 1}, {"id": 2}, {"id": 3}]


def test_a_query_runs_where_its_tables_are(tmp_path: Path, warehouse: Any) -> None:
    orders = python("bronze.orders", ORDERS, io_manager=warehouse)

    @sql_asset("gold.totals", io_manager=warehouse)
    def totals() -> str:
        """What everybody paid."""
        return "select who, sum(cents) / 100.0 as paid, count(*) as n from bronze.orders group by who"

    found = lake(tmp_path, orders, totals)
    assert found.run() == {"bronze.orders": "succeeded", "gold.totals": "succeeded"}
    told = [(one["who"], float(one["paid"]), one["n"]) for one in rows(found, "gold.totals")]
    assert told == [(1, 5.0, 2), (2, 2.5, 1)]
    record = found.recorded["gold.totals", ""]
    assert record.metadata["rows"] == 2
    assert [name for name, _ in record.metadata["columns"]["columns"]] == ["who", "paid", "n"]
    assert record.inputs == {"bronze.orders": found.recorded["bronze.orders", ""].data_version}
    assert record.data_version == warehouse.version(OutputContext(asset="gold.totals"))
    assert {spec.key: spec.description for spec in found.definitions.assets}["gold.totals"] == "What everybody paid."
    assert found.reads == [("bronze.orders", 1)]


def test_what_is_kept_elsewhere_is_read_too(tmp_path: Path, warehouse: Any) -> None:
    """A Parquet file, a list of dicts in memory, a table of the same database: in one query."""
    orders = python("bronze.orders", ORDERS)
    names = python("bronze.names", pl.DataFrame({"id": [1, 2], "name": ["Ann", "Bob"]}), io_manager=warehouse)
    made = sql_asset(
        "silver.named",
        io_manager=warehouse,
        sql="select orders.id, names.name from bronze.orders join bronze.names on names.id = bronze.orders.who",
    )
    found = lake(tmp_path, orders, names, made)
    assert set(found.run().values()) == {"succeeded"}, found.errors
    assert [one["name"] for one in rows(found, "silver.named")] == ["Ann", "Bob", "Ann"]


def test_files_are_read_by_duckdb_and_the_result_kept_as_a_file(tmp_path: Path) -> None:
    orders = python("bronze.orders", ORDERS)
    made = sql_asset("gold.totals", sql="select who, sum(cents) as cents from bronze.orders group by who")
    again = sql_asset("gold.most", sql="select max(cents) as cents from gold.totals")
    found = lake(tmp_path, orders, made, again)
    assert set(found.run().values()) == {"succeeded"}, found.errors
    assert (tmp_path / "data" / "gold" / "totals.parquet").exists()
    assert rows(found, "gold.most") == [{"cents": 500}]
    first = found.recorded["gold.totals", ""].data_version
    found.run("gold.totals")
    assert found.recorded["gold.totals", ""].data_version == first, "whatever order the rows of the groups have"


@pytest.mark.parametrize("kept", ["database", "files"])
def test_parameters_of_partitions_are_values(tmp_path: Path, warehouse: Any, kept: str) -> None:
    days = static(["2025-01-01", "o'clock; drop table x --"])

    @asset("bronze.events", partitions=days)
    def events(context: Any) -> pl.DataFrame:
        return pl.DataFrame({"key": [context.partition_key], "n": [1]})

    dialect = "" if kept == "files" else warehouse.dialect
    made = sql_asset(
        "silver.events",
        partitions=days,
        dialect=dialect,
        io_manager=warehouse if kept == "database" else None,
        sql="select key, :partition as given, :limit as most from bronze.events where key = :partition and n < :limit",
        parameters={"limit": 5},
    )
    found = lake(tmp_path, events, made)
    assert set(found.run().values()) == {"succeeded"}, found.errors
    for key in ("2025-01-01", "o'clock; drop table x --"):
        assert rows(found, "silver.events", key) == [{"key": key, "given": key, "most": 5}]


def test_times_of_a_partition_are_instants_and_dates(tmp_path: Path, warehouse: Any) -> None:
    berlin = daily("2025-03-29", end="2025-03-31", timezone="Europe/Berlin")
    text = """select cast(:start as varchar) as s, cast(:start_date as varchar) as d,
        cast(:end_date as varchar) as e, :end - :start = interval '23 hours' as short"""
    made = sql_asset("silver.days", partitions=berlin, io_manager=warehouse, sql=text)
    found = lake(tmp_path, made)
    found.run()
    (row,) = rows(found, "silver.days", "2025-03-30")
    assert row == {"s": "2025-03-29 23:00:00+00", "d": "2025-03-30", "e": "2025-03-31", "short": True}


def test_dimensions_are_parameters(tmp_path: Path, warehouse: Any) -> None:
    made = sql_asset(
        "silver.x",
        partitions=multi(day=DAYS, region=static(["eu"])),
        io_manager=warehouse,
        sql="select :day as day, :region as region, :start_date = date '2025-01-02' as second",
    )
    found = lake(tmp_path, made)
    found.run()
    assert rows(found, "silver.x", "day=2025-01-02|region=eu") == [
        {"day": "2025-01-02", "region": "eu", "second": True}
    ]


def test_only_the_partitions_that_are_needed_are_read(tmp_path: Path, warehouse: Any) -> None:
    @asset("bronze.n", partitions=DAYS, io_manager=warehouse)
    def n(context: Any) -> pl.DataFrame:
        return pl.DataFrame({"n": [int(context.partition_key[-2:])]})

    @asset("bronze.m", partitions=DAYS)
    def m(context: Any) -> pl.DataFrame:
        return pl.DataFrame({"m": [int(context.partition_key[-2:])]})

    text = "select bronze.n.*, other.m from bronze.n, bronze.m as other"
    made = sql_asset(
        "silver.two",
        partitions=DAYS,
        io_manager=warehouse,
        sql=text,
        partition_mappings={"bronze.n": TimeWindow(-1, 0)},
    )
    whole = sql_asset("gold.all", io_manager=warehouse, sql="select count(*) as c, sum(n) as s from bronze.n")
    found = lake(tmp_path, n, m, made, whole)
    assert set(found.run().values()) == {"succeeded"}, found.errors
    told = [(one["n"], one["m"]) for one in rows(found, "silver.two", "2025-01-03")]
    assert told == [(2, 3), (3, 3)]
    (row,) = rows(found, "gold.all")
    assert (row["c"], int(row["s"])) == (3, 6)


def test_a_partition_is_replaced_and_the_others_stay(tmp_path: Path, warehouse: Any) -> None:
    source: list[int] = [1]

    @asset("bronze.n")
    def n() -> pl.DataFrame:
        return pl.DataFrame({"n": source})

    made = sql_asset("silver.n", partitions=DAYS, io_manager=warehouse, sql="select n, :partition as day from bronze.n")
    found = lake(tmp_path, n, made)
    found.run()
    source.append(2)
    found.run("bronze.n")
    found.run("silver.n", partitions="2025-01-02")
    assert len(rows(found, "silver.n", "2025-01-02")) == 2
    assert len(rows(found, "silver.n", "2025-01-01")) == 1


def test_a_view_follows_what_it_reads(tmp_path: Path, warehouse: Any) -> None:
    frames = [ORDERS, ORDERS.head(1)]

    @asset("bronze.orders", io_manager=warehouse)
    def orders() -> pl.DataFrame:
        return frames[0]

    made = sql_asset(
        "gold.count", materialized="view", io_manager=warehouse, sql="select count(*) as n from bronze.orders"
    )
    after = sql_asset("gold.after", io_manager=warehouse, sql="select n + 1 as n from gold.count")
    found = lake(tmp_path, orders, made, after)
    found.run()
    assert rows(found, "gold.count") == [{"n": 3}]
    first = found.recorded["gold.count", ""].data_version
    frames.pop(0)
    found.run("bronze.orders")
    assert rows(found, "gold.count") == [{"n": 1}]
    found.run_stale()
    assert found.recorded["gold.count", ""].data_version != first
    assert rows(found, "gold.after") == [{"n": 2}]
    assert found.recorded["gold.count", ""].metadata["kept_as"] == "view"


def test_a_table_may_become_a_view_and_a_view_a_table(tmp_path: Path, warehouse: Any) -> None:
    for kept in ("table", "view", "table", "incremental", "view"):
        more: dict[str, Any] = {"unique_key": "n"} if kept == "incremental" else {}
        made = sql_asset("gold.x", materialized=kept, io_manager=warehouse, sql="select 1 as n", **more)
        found = lake(tmp_path, made)
        assert found.run() == {"gold.x": "succeeded"}, found.errors
        assert rows(found, "gold.x") == [{"n": 1}]


def test_resources_name_io_managers(tmp_path: Path, warehouse: Any) -> None:
    made = sql_asset("gold.x", io_manager="house", sql="select 1 as n")
    found = lake(tmp_path, made, Resources(house=warehouse))
    assert {spec.key: spec.sql.dialect for spec in found.definitions.assets if spec.sql} == {
        "gold.x": warehouse.dialect
    }
    assert found.run() == {"gold.x": "succeeded"}


def test_queries_that_write_at_once_wait_for_each_other(tmp_path: Path, warehouse: Any) -> None:
    made = [sql_asset(f"gold.x{n}", io_manager=warehouse, sql=f"select {n} as n") for n in range(4)]
    found = lake(tmp_path, *made)
    _ = found.definitions
    results: list[Any] = []

    def work(key: str) -> Callable[[], None]:
        def run() -> None:
            context = found.context(key)
            found.graph.code(key).run(context)
            results.append(context.records)

        return run

    threads = [threading.Thread(target=work(one.key)) for one in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert [rows(found, one.key) for one in made] == [[{"n": n}] for n in range(4)]
