"""SQL assets that are added to: what is new, keys, queries that change, what is not run again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from batuta.authoring.assets import asset
from batuta.authoring.sql_asset import SqlAsset, sql_asset
from tests.authoring.sql_lakes import ORDERS, failed, lake, python, rows


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
