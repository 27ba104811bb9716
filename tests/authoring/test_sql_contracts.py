"""Contracts, checks and quarantine of SQL assets: what breaks one is not written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from batuta.authoring.assets import check
from batuta.authoring.sql_asset import SqlAsset, sql_asset
from batuta.core.errors import DefinitionError
from tests.authoring.sql_lakes import DAYS, ORDERS, failed, lake, python, rows


def contracted(query: str, **more: Any) -> SqlAsset:
    return sql_asset("gold.sums", sql=query, schema={"id": "int64", "day": "string"}, **more)


def test_checks_of_python_are_evaluated(tmp_path: Path, warehouse: Any) -> None:
    orders = python("bronze.orders", ORDERS)

    @check("gold.n", blocking=True)
    def some(frame: pl.DataFrame) -> bool:
        return bool(frame["n"].item() > 5)

    made = sql_asset("gold.n", io_manager=warehouse, sql="select count(*) as n from bronze.orders")
    after = sql_asset("gold.m", io_manager=warehouse, sql="select n from gold.n")
    found = lake(tmp_path, orders, made, after, some)
    assert found.run()["gold.m"] == "upstream_failed"


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
