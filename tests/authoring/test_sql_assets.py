"""SQL assets on DuckDB, PostgreSQL and files: what they read, how they are kept, what is told of mistakes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from batuta.authoring.assets import asset, check, external_asset
from batuta.authoring.partitions import TimeWindow, daily, multi, static
from batuta.authoring.resources import Resources
from batuta.authoring.sql_asset import SqlAsset, sql_asset
from batuta.core.definitions import AssetDep
from batuta.core.errors import BatutaError, CycleError, DefinitionError, UnknownDependencyError
from batuta.io import DuckDBIO, MissingDataError, OutputContext, ParquetIO, PostgresIO
from tests.authoring.asset_runs import LAYERS, Lake

DAYS = daily("2025-01-01", end="2025-01-04")
ORDERS = pl.DataFrame({"id": [1, 2, 3], "who": [1, 2, 1], "cents": [100, 250, 400]})


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> DuckDBIO | PostgresIO:
    """A database for tables, of either kind."""
    if request.param == "duckdb":
        return DuckDBIO(tmp_path / "warehouse.duckdb")
    return PostgresIO(request.getfixturevalue("postgres_url"))


def python(key: str, frame: pl.DataFrame, **more: Any) -> Any:
    @asset(key, **more)
    def made() -> pl.DataFrame:
        return frame

    return made


def lake(tmp_path: Path, *definitions: Any) -> Lake:
    return Lake(tmp_path / "data", definitions)


def rows(lake: Lake, key: str, *partitions: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = lake.value(key, *partitions, annotation=list[dict[str, Any]])
    return sorted(found, key=str)


def failed(lake: Lake, step: str) -> BatutaError:
    error = lake.errors[step]
    assert isinstance(error, BatutaError)
    return error


# ---- what they read ----


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


# ---- running ----


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


def test_an_incremental_asset_adds_what_is_new_in_place_of_what_has_the_same_key(
    tmp_path: Path, warehouse: Any
) -> None:
    frames = [pl.DataFrame({"id": [1, 2], "seen": [1, 2], "v": ["a", "b"]})]

    @asset("bronze.events", io_manager=warehouse)
    def events() -> pl.DataFrame:
        return frames[-1]

    made = sql_asset(
        "silver.events",
        materialized="incremental",
        unique_key="id",
        cursor="seen",
        io_manager=warehouse,
        sql="select id, seen, v from bronze.events where :since is null or seen > :since",
    )
    found = lake(tmp_path, events, made)
    assert set(found.run().values()) == {"succeeded"}, found.errors
    assert found.recorded["silver.events", ""].metadata["rows_inserted"] == 2
    frames.append(pl.DataFrame({"id": [1, 2, 3], "seen": [1, 3, 4], "v": ["changed", "newer", "c"]}))
    found.run()
    assert [(one["id"], one["v"]) for one in rows(found, "silver.events")] == [(1, "a"), (2, "newer"), (3, "c")]
    metadata = found.recorded["silver.events", ""].metadata
    assert (metadata["rows"], metadata["rows_inserted"], metadata["rows_deleted"]) == (3, 2, 1)
    before = found.recorded["silver.events", ""].data_version
    found.run("silver.events")
    assert found.recorded["silver.events", ""].data_version == before, "nothing new: the same data"
    found.run("silver.events", config={"full_refresh": True})
    assert rows(found, "silver.events")[0]["v"] == "changed"


def test_an_incremental_asset_is_made_anew_when_its_query_changes(tmp_path: Path, warehouse: Any) -> None:
    events = python("bronze.events", pl.DataFrame({"id": [1], "n": [1]}))

    def defined(text: str, **more: Any) -> SqlAsset:
        made: SqlAsset = sql_asset(
            "silver.e", materialized="incremental", unique_key=["id"], io_manager=warehouse, sql=text, **more
        )
        return made

    found = lake(tmp_path, events, defined("select id, n from bronze.events"))
    found.run()
    changed = lake(tmp_path, events, defined("select id + 10 as id, n from bronze.events"))
    changed.recorded = found.recorded
    changed.run("silver.e")
    assert [one["id"] for one in rows(changed, "silver.e")] == [11]
    kept = lake(
        tmp_path, events, defined("select id + 20 as id, n, 1 as more from bronze.events", rebuild_on_change=False)
    )
    kept.recorded = changed.recorded
    kept.run("silver.e")
    assert [(one["id"], one["more"]) for one in rows(kept, "silver.e")] == [(11, None), (21, 1)]


def test_an_incremental_asset_may_read_itself(tmp_path: Path, warehouse: Any) -> None:
    made = sql_asset(
        "silver.counter",
        materialized="incremental",
        unique_key="n",
        cursor="n",
        io_manager=warehouse,
        sql="select coalesce(:since, 0) + 1 as n",
    )
    found = lake(tmp_path, made)
    for _ in range(3):
        assert found.run() == {"silver.counter": "succeeded"}
    assert [one["n"] for one in rows(found, "silver.counter")] == [1, 2, 3]


def test_keys_that_are_there_twice_are_refused_and_nothing_is_written(tmp_path: Path, warehouse: Any) -> None:
    frames = [ORDERS.head(1)]

    @asset("bronze.orders")
    def orders() -> pl.DataFrame:
        return frames[-1]

    made = sql_asset(
        "silver.o",
        materialized="incremental",
        unique_key="who",
        io_manager=warehouse,
        sql="select who, id from bronze.orders",
    )
    found = lake(tmp_path, orders, made)
    found.run()
    frames.append(ORDERS)
    assert found.run()["silver.o"] == "failed"
    assert "gives 2 rows with who = 1" in str(failed(found, "silver.o"))
    assert len(rows(found, "silver.o")) == 1


def test_unchanged_queries_are_not_run_again(tmp_path: Path, warehouse: Any) -> None:
    orders = python("bronze.orders", ORDERS)
    made = sql_asset("gold.n", io_manager=warehouse, sql="select count(*) as n from bronze.orders")
    found = lake(tmp_path, orders, made)
    found.run()
    assert all(one.is_fresh for one in found.freshness.values())
    layout = lake(
        tmp_path,
        orders,
        sql_asset("gold.n", io_manager=warehouse, sql="-- why\nSELECT count(*) AS n\n  FROM bronze.orders ;"),
    )
    layout.recorded = found.recorded
    assert all(one.is_fresh for one in layout.freshness.values())
    other = lake(
        tmp_path, orders, sql_asset("gold.n", io_manager=warehouse, sql="select count(*) as m from bronze.orders")
    )
    other.recorded = found.recorded
    assert other.freshness["gold.n", ""].reasons == ("code changed",)


def test_checks_of_python_are_evaluated(tmp_path: Path, warehouse: Any) -> None:
    orders = python("bronze.orders", ORDERS)

    @check("gold.n", blocking=True)
    def some(frame: pl.DataFrame) -> bool:
        return bool(frame["n"].item() > 5)

    made = sql_asset("gold.n", io_manager=warehouse, sql="select count(*) as n from bronze.orders")
    after = sql_asset("gold.m", io_manager=warehouse, sql="select n from gold.n")
    found = lake(tmp_path, orders, made, after, some)
    assert found.run()["gold.m"] == "upstream_failed"


# ---- mistakes ----


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


def contracted(query: str, **more: Any) -> SqlAsset:
    return sql_asset("gold.sums", sql=query, schema={"id": "int64", "day": "string"}, **more)


@pytest.mark.parametrize("kept", ["table", "view", "incremental", "partitions"])
def test_what_breaks_its_contract_is_not_written(tmp_path: Path, warehouse: Any, kept: str) -> None:
    more: dict[str, Any] = {"io_manager": warehouse}
    if kept in ("view", "incremental"):
        more |= {"materialized": kept} | ({"unique_key": "id"} if kept == "incremental" else {})
    if kept == "partitions":
        more["partitions"] = DAYS
    day = ":partition" if kept == "partitions" else "cast('2025-01-01' as varchar)"
    first = lake(tmp_path, contracted(f"select cast(1 as bigint) as id, {day} as day", **more))
    first.run()
    good = rows(first, "gold.sums", *(["2025-01-01"] if kept == "partitions" else []))
    for query, told in (
        (f"select cast(2 as bigint) as id, {day} as day, 1 as more", "+ more"),
        (f"select cast(2 as bigint) as id, cast('2025-01-01' as date) as day, {day} as x", "~ day"),
        ("select cast(2 as bigint) as id", "- day"),
    ):
        other = lake(tmp_path, contracted(query, rebuild_on_change=False, **more))
        other.recorded = dict(first.recorded)
        other.run()
        error = str(next(iter(other.errors.values())))
        assert "breaks its contract (exact); nothing was written" in error
        assert told in error
        assert rows(other, "gold.sums", *(["2025-01-01"] if kept == "partitions" else [])) == good


@pytest.mark.parametrize("kept", ["database", "partitions", "file"])
def test_rows_of_a_query_that_fail_go_to_quarantine(tmp_path: Path, warehouse: Any, kept: str) -> None:
    from batuta.checks import in_range, not_null, row_count

    numbers = "select 1 as n union all select 2 union all select -3 union all select cast(null as integer)"
    checks = [not_null("n", on_fail="quarantine"), in_range("n", 0, on_fail="quarantine"), row_count(2)]
    options: dict[str, Any] = {"schema": {"n": "int32"}, "checks": checks}
    keys: tuple[str, ...] = ()
    if kept != "file":
        options["io_manager"] = warehouse
    if kept == "partitions":
        options["partitions"], keys = DAYS, ("2025-01-02",)
    made = sql_asset("silver.n", sql=f"select n from ({numbers}) as numbers", **options)
    above = sql_asset(
        "gold.bad",
        sql="select count(*) as bad from silver.n__quarantine",
        **options | {"schema": None, "checks": (), "partitions": None},
    )
    found = lake(tmp_path, made, above)
    assert set(found.run().values()) == {"succeeded"}, found.errors
    assert rows(found, "silver.n", *keys) == [{"n": 1}, {"n": 2}]
    refused = rows(found, "silver.n__quarantine", *keys)
    assert sorted((str(row["n"]), row["quarantine_reason"]) for row in refused) == [
        ("-3", "in_range_n"),
        ("None", "not_null_n"),
    ]
    assert rows(found, "gold.bad") == [{"bad": 6 if kept == "partitions" else 2}]
    specs = {spec.key: spec for spec in found.definitions.assets}
    assert (specs["silver.n__quarantine"].step, specs["silver.n__quarantine"].sql) == ("silver.n", None)
    version = found.recorded["silver.n", keys[0] if keys else ""].data_version
    assert version
    found.run()
    assert found.recorded["silver.n", keys[0] if keys else ""].data_version == version


def test_only_what_is_made_as_a_whole_has_a_quarantine(tmp_path: Path) -> None:
    from batuta.checks import not_null

    made = sql_asset("silver.n", materialized="view", sql="select 1 as n", checks=[not_null("n", on_fail="quarantine")])
    with pytest.raises(DefinitionError, match=r"to quarantine, but 'silver\.n' is a view"):
        _ = lake(tmp_path, made).definitions


def test_a_contract_of_what_is_kept_in_files_is_kept_too(tmp_path: Path) -> None:
    good = "select cast(1 as bigint) as id, 'x' as day"
    first = lake(tmp_path, contracted(good))
    first.run()
    other = lake(tmp_path, contracted(f"{good}, 1 as more"))
    other.run()
    assert "+ more" in str(failed(other, "gold.sums"))
    assert rows(other, "gold.sums") == [{"id": 1, "day": "x"}]


def test_nulls_that_a_contract_forbids_are_counted_in_what_was_made(tmp_path: Path, warehouse: Any) -> None:
    from batuta.checks import Column

    schema = [Column("id", "int64", nullable=False), Column("day", "string")]
    good = "select cast(1 as bigint) as id, cast(:partition as varchar) as day"
    options: dict[str, Any] = {"io_manager": warehouse, "partitions": DAYS, "schema": schema}
    first = lake(tmp_path, sql_asset("gold.sums", sql=good, **options))
    first.run()
    bad = f"{good} union all select null, case when :partition = '2025-01-02' then 'x' end"
    other = lake(tmp_path, sql_asset("gold.sums", sql=bad, **options))
    other.run()
    assert "id  is null in 1 of 2 rows" in str(other.errors["gold.sums[2025-01-02]"])
    assert len(rows(other, "gold.sums", *(f"2025-01-0{day}" for day in (1, 2, 3)))) == 3


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
