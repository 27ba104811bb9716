"""Running assets and checks: loaded, called, stored, recorded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import BaseModel

from batuta.authoring.assets import (
    AssetIn,
    AssetOut,
    CheckResult,
    MaterializeResult,
    Output,
    asset,
    check,
    external_asset,
    multi_asset,
)
from batuta.authoring.context import StepContext
from batuta.authoring.partitions import LastPartition, TimeWindow, daily, dynamic, monthly, multi, static
from batuta.authoring.resources import Resources
from batuta.core.errors import CheckFailed, ParameterError, PartitionError, RequestError, ResultError, TypeViolation
from batuta.io import JSONIO, MemoryIO, MissingDataError, ParquetIO
from tests.authoring.asset_runs import Lake

DAYS = daily("2025-01-01", end="2025-01-06")
FIVE = [f"2025-01-0{day}" for day in range(1, 6)]


def test_values_go_from_asset_to_asset_as_what_they_are_annotated_with(tmp_path: Path) -> None:
    @asset("bronze.numbers")
    def numbers() -> pl.DataFrame:
        return pl.DataFrame({"n": [1, 2, 3]})

    @asset
    def total(numbers: list[dict[str, int]]) -> int:
        return sum(row["n"] for row in numbers)

    lake = Lake(tmp_path, [numbers, total])
    assert lake.run() == {"bronze.numbers": "succeeded", "total": "succeeded"}
    assert lake.value("total") == 6
    record = lake.recorded["bronze.numbers", ""]
    assert record.metadata["rows"] == 3
    assert record.metadata["columns"] == {"type": "schema", "columns": [["n", "int64"]]}
    assert Path(record.metadata["path"]["path"]) == tmp_path / "bronze" / "numbers.parquet"
    assert record.metadata["bytes"] == (tmp_path / "bronze" / "numbers.parquet").stat().st_size
    assert lake.recorded["total", ""].inputs == {"bronze.numbers": record.data_version}
    assert record.code_version == {one.key: one for one in lake.definitions.assets}["bronze.numbers"].code_version


def test_the_same_content_has_the_same_data_version(tmp_path: Path) -> None:
    content = [1]
    made = asset("a")(lambda: content[0])
    lake = Lake(tmp_path, [made])
    versions = []
    for content[0] in (1, 1, 2):
        lake.run()
        versions.append(lake.recorded["a", ""].data_version)
    assert versions[0] == versions[1] != versions[2]


def test_an_asset_that_writes_by_itself_stores_nothing(tmp_path: Path) -> None:
    @asset
    def silent() -> None: ...

    @asset
    def told() -> MaterializeResult:
        return MaterializeResult(metadata={"rows": 7}, data_version="v7")

    lake = Lake(tmp_path, [silent, told, asset("after", deps=[told, silent])(lambda: 1)])
    lake.run()
    assert not list(tmp_path.rglob("silent*"))
    assert lake.recorded["told", ""].data_version == "v7"
    assert lake.recorded["told", ""].metadata == {"rows": 7}
    first = lake.recorded["silent", ""].data_version
    assert lake.recorded["after", ""].inputs == {"told": "v7", "silent": first}


def test_output_adds_metadata_and_a_version_of_its_own(tmp_path: Path) -> None:
    @asset
    def a(context: StepContext) -> Output[int]:
        context.add_metadata(source="feed", rows=1)
        return Output(3, metadata={"rows": 2}, data_version="three")

    lake = Lake(tmp_path, [a])
    lake.run()
    record = lake.recorded["a", ""]
    assert lake.value("a") == 3
    assert (record.data_version, record.metadata["source"], record.metadata["rows"]) == ("three", "feed", 2)


def test_async_assets_and_generators_work(tmp_path: Path) -> None:
    @asset
    async def later() -> int:
        await asyncio.sleep(0)
        return 4

    @asset
    def items(later: int) -> Iterator[int]:
        yield from range(later)

    @asset
    async def drops(items: list[int]) -> AsyncIterator[int]:
        for item in items:
            yield item * 2

    @check(later)
    async def four(value: int) -> bool:
        return value == 4

    lake = Lake(tmp_path, [later, items, drops, four])
    assert set(lake.run().values()) == {"succeeded"}, lake.errors
    assert lake.value("drops") == [0, 2, 4, 6]
    assert lake.checks["later:four", ""].passed


def test_data_of_the_wrong_type_never_take_the_place_of_good_ones(tmp_path: Path) -> None:
    value: list[Any] = [{"a": 1}]

    @asset
    def typed() -> dict[str, int]:
        result: dict[str, int] = value[0]
        return result

    lake = Lake(tmp_path, [typed])
    lake.run()
    value[0] = {"a": "one"}
    before = dict(lake.recorded)
    assert lake.run() == {"typed": "failed"}
    assert isinstance(lake.errors["typed"], TypeViolation)
    assert "asset 'typed'" in str(lake.errors["typed"])
    assert lake.recorded == before
    assert lake.value("typed") == {"a": 1}


def test_partitions_are_made_one_by_one_and_know_their_window(tmp_path: Path) -> None:
    @asset(partitions=DAYS)
    def bronze(context: StepContext) -> pl.DataFrame:
        start, end = context.partition_window
        assert context.partition_keys == (context.partition_key,)
        return pl.DataFrame({"day": [start.date()], "hours": [(end - start).total_seconds() / 3600]})

    @asset(partitions=DAYS)
    def silver(bronze: pl.DataFrame) -> pl.DataFrame:
        assert bronze.height == 1
        return bronze

    @asset(partitions=DAYS, partition_mappings={"bronze": TimeWindow(-2, 0)})
    def rolling(bronze: pl.DataFrame) -> int:
        return bronze.height

    @asset
    def whole(bronze: dict[str, pl.DataFrame]) -> list[str]:
        return list(bronze)

    @asset(ins={"last": AssetIn("bronze", mapping=LastPartition())})
    def newest(last: pl.DataFrame) -> str:
        return str(last["day"][0])

    lake = Lake(tmp_path, [bronze, silver, rolling, whole, newest])
    assert set(lake.run().values()) == {"succeeded"}, lake.errors
    assert len(lake.done) == 17
    assert lake.value("silver", "2025-01-03")["hours"].to_list() == [24.0]
    assert [lake.value("rolling", day) for day in FIVE] == [1, 2, 3, 3, 3]
    assert lake.value("whole") == FIVE
    assert lake.value("newest") == "2025-01-05"
    assert set(lake.recorded["rolling", "2025-01-03"].inputs) == {f"bronze/{day}" for day in FIVE[:3]}
    assert lake.recorded["bronze", "2025-01-02"].metadata["path"]["path"].endswith("bronze/2025-01-02.parquet")


def test_all_partitions_means_those_that_were_made(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = asset("bronze", partitions=DAYS)(lambda context: context.partition_key)
    whole = asset("whole")(lambda bronze: sorted(bronze.values()))
    by_month = asset("month", partitions=monthly("2025-01-01"))(lambda bronze: len(bronze))
    lake = Lake(tmp_path, [made, whole, by_month])
    lake.run("bronze", partitions="2025-01-02..2025-01-03")
    with caplog.at_level(logging.WARNING):
        assert lake.run("whole") == {"whole": "succeeded"}
    assert lake.value("whole") == ["2025-01-02", "2025-01-03"]
    assert "3 of 5 partitions of bronze were never made" in caplog.text
    assert lake.run("month", partitions="2025-01") == {"month[2025-01]": "failed"}, "a month wants all its days"
    assert isinstance(lake.errors["month[2025-01]"], MissingDataError)


def test_helpers_for_partitions_say_where_there_are_none(tmp_path: Path) -> None:
    lake = Lake(tmp_path, [asset("a")(lambda context: context.partition_key)])
    lake.run()
    assert isinstance(lake.errors["a"], RequestError)
    context = lake.context("a", partition="eu")
    context.partitions = static(["eu"])
    with pytest.raises(PartitionError, match="no window"):
        _ = context.partition_window
    with pytest.raises(RequestError, match="no dimensions"):
        _ = context.partition_dimensions
    context.partitions, context.partition = multi(day=DAYS, region=static(["eu"])), "day=2025-01-02|region=eu"
    assert context.partition_dimensions == {"day": "2025-01-02", "region": "eu"}
    assert context.partition_window.start.day == 2


def test_an_asset_without_partitions_has_none_in_a_run_for_one(tmp_path: Path) -> None:
    lake = Lake(tmp_path, [asset("a")(lambda: 1)])
    context = lake.context("a", partition="2025-01-01")
    lake.graph.code("a").run(context)
    assert context.records[0].partition == ""


def test_dynamic_partitions_are_asked_for(tmp_path: Path) -> None:
    customers = dynamic("customers")
    each = asset("each", partitions=customers)(lambda context: context.partition_key.upper())
    whole = asset("whole")(lambda each: each)
    lake = Lake(tmp_path, [each, whole])
    lake.dynamic["customers"] = ["acme", "umbra"]
    lake.run()
    assert lake.value("whole") == {"acme": "ACME", "umbra": "UMBRA"}


def test_no_partitions_at_all_are_an_empty_dict_or_list(tmp_path: Path) -> None:
    def by_key(each: dict[str, int]) -> bool:
        return each == {}

    def plain(each: dict) -> bool:  # type: ignore[type-arg]
        return each == {}

    def listed(each: list[int]) -> bool:
        return each == []

    def maybe(each: dict[str, int] | None) -> bool:
        return each == {}

    each = asset("each", partitions=dynamic("customers"))(lambda: 1)
    lake = Lake(tmp_path, [each, *(asset(one.__name__)(one) for one in (by_key, plain, listed, maybe))])
    lake.dynamic["customers"] = []
    lake.run()
    assert not lake.errors
    assert all(lake.value(key) is True for key in ("by_key", "plain", "listed", "maybe"))


def test_nothing_to_read_is_none_only_where_the_annotation_allows_it(tmp_path: Path) -> None:
    days = daily("2025-01-01", end="2025-01-03")
    earlier = {"day_before": AssetIn("daily", mapping=TimeWindow(-1, -1))}

    def following(day_before: int | None) -> bool:
        return day_before is None

    def strict(day_before: int) -> int:
        return day_before + 1

    each = asset("daily", partitions=days)(lambda: 5)
    lenient = asset("lenient", partitions=days, ins=earlier)(following)
    lake = Lake(tmp_path, [each, lenient, asset("strict", partitions=days, ins=earlier)(strict)])
    lake.run()
    assert [lake.value("lenient", f"2025-01-0{day}") for day in (1, 2)] == [True, False]
    error = lake.errors["strict[2025-01-01]"]
    assert list(lake.errors) == ["strict[2025-01-01]"]
    assert isinstance(error, RequestError)
    assert "strict[2025-01-01] needs 'daily' as 'day_before', but reads none of its partitions" in error.what
    assert "`day_before: ... | None`" in str(error.hint)


def test_multi_assets_return_dicts_tuples_or_yield(tmp_path: Path) -> None:
    outs = {"good": AssetOut("silver.good"), "bad": AssetOut(deps=[])}

    @multi_asset(outs=outs)
    def as_dict(source: int) -> dict[str, Any]:
        return {"bad": 1, "good": Output(2, metadata={"x": 1})}

    @multi_asset(outs=outs)
    def as_tuple(source: int) -> tuple[int, str]:
        return source, "b"

    @multi_asset(outs=outs)
    def as_yield(source: int) -> Iterator[Output[Any]]:
        yield Output(source, name="good")
        yield Output([1], name="bad")

    @multi_asset(outs=outs)
    def by_itself(source: int) -> None: ...

    source = asset("source")(lambda: 7)
    after = asset("after")(lambda silver__good: silver__good)
    for maker, good, bad in ((as_dict, 2, 1), (as_tuple, 7, "b"), (as_yield, 7, [1])):
        lake = Lake(tmp_path / maker.name, [source, maker, after])
        assert set(lake.run().values()) == {"succeeded"}, lake.errors
        assert lake.done == ["source", maker.name, "after"]
        assert (lake.value("silver.good"), lake.value("bad"), lake.value("after")) == (good, bad, good)
        assert set(lake.recorded["silver.good", ""].inputs) == {"source"}
        assert lake.recorded["bad", ""].inputs == {}
    lake = Lake(tmp_path / "none", [source, by_itself])
    lake.run()
    assert {key for key, _ in lake.recorded} == {"source", "silver.good", "bad"}


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ({"god": 1, "bad": 2}, "gave 'god'"),
        ({"good": 1}, "did not give 'bad'"),
        ((1, 2, 3), "returned a tuple of 3"),
        (5, "returned a int"),
    ],
)
def test_a_multi_asset_that_gives_something_else_fails(tmp_path: Path, result: Any, told: str) -> None:
    maker = multi_asset(outs=["good", "bad"], name="maker")(lambda: result)
    lake = Lake(tmp_path, [maker])
    assert lake.run() == {"maker": "failed"}
    assert isinstance(lake.errors["maker"], ResultError)
    assert told in str(lake.errors["maker"])


def test_values_of_a_multi_asset_are_checked_before_any_is_stored_of_that_name(tmp_path: Path) -> None:
    @multi_asset(outs=["numbers", "names"])
    def both() -> tuple[list[int], list[str]]:
        return [1], [2]  # type: ignore[list-item]

    lake = Lake(tmp_path, [both])
    lake.run()
    assert isinstance(lake.errors["both"], TypeViolation)
    assert "asset 'names'" in str(lake.errors["both"])
    assert {key for key, _ in lake.recorded} == {"numbers"}


def test_a_blocking_check_that_fails_holds_back_what_is_downstream(tmp_path: Path) -> None:
    a = asset("a")(lambda: [1, -1])
    b = asset("b")(lambda a: a)

    @check(a, blocking=True)
    def positive(values: list[int]) -> CheckResult:
        bad = [value for value in values if value < 0]
        return CheckResult(not bad, {"bad": len(bad)}, f"{len(bad)} below zero")

    lake = Lake(tmp_path, [a, b, positive])
    assert lake.run() == {"a": "succeeded", "a:positive": "failed", "b": "upstream_failed"}
    assert isinstance(lake.errors["a:positive"], CheckFailed)
    assert "check 'a:positive' failed: 1 below zero" in str(lake.errors["a:positive"])
    verdict = lake.checks["a:positive", ""]
    assert (verdict.passed, verdict.blocking, verdict.metadata) == (False, True, {"bad": 1})


def test_a_warning_that_fails_is_recorded_and_holds_back_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    a = asset("a")(lambda: [1, -1])
    b = asset("b")(lambda a: a)

    @check(a)
    def positive(values: list[int]) -> None:
        assert min(values) > 0, "there is one below zero"

    lake = Lake(tmp_path, [a, b, positive])
    assert set(lake.run().values()) == {"succeeded"}
    verdict = lake.checks["a:positive", ""]
    assert (verdict.passed, verdict.description.splitlines()[0]) == (False, "there is one below zero")
    assert verdict.metadata["line"].startswith(__file__)
    assert "check a:positive failed" in caplog.text


def test_checks_are_evaluated_by_partition_and_may_read_other_assets(tmp_path: Path) -> None:
    bronze = asset("bronze", partitions=DAYS)(lambda context: context.partition_key)
    silver = asset("silver", partitions=DAYS)(lambda bronze: bronze)
    last = asset("limit")(lambda: "2025-01-03")

    @check(silver)
    def same(value: str, bronze: str, limit: str, context: StepContext) -> bool:
        assert value == bronze == context.partition_key
        return value <= limit

    lake = Lake(tmp_path, [bronze, silver, last, same])
    lake.run()
    assert [lake.checks["silver:same", day].passed for day in FIVE] == [True, True, True, False, False]


@pytest.mark.parametrize("result", [3, "yes", [True]])
def test_a_check_that_returns_something_else_fails(tmp_path: Path, result: Any) -> None:
    odd = check("a", name="odd")(lambda value: result)
    lake = Lake(tmp_path, [asset("a")(lambda: 1), odd])
    assert lake.run()["a:odd"] == "failed"
    assert "return True, False or a CheckResult" in str(lake.errors["a:odd"])


def test_numpy_and_polars_booleans_are_verdicts(tmp_path: Path) -> None:
    import numpy as np

    lake = Lake(tmp_path, [asset("a")(lambda: 1), check("a", name="np")(lambda value: np.bool_(False))])
    lake.run()
    assert lake.checks["a:np", ""].passed is False


def test_external_assets_are_loaded_and_checked(tmp_path: Path) -> None:
    outside = ParquetIO(tmp_path / "outside")
    feed = external_asset("feed.rates", io_manager=outside)
    (tmp_path / "outside" / "feed").mkdir(parents=True)
    pl.DataFrame({"rate": [1.1, 1.2]}).write_parquet(tmp_path / "outside" / "feed" / "rates.parquet")
    mean = asset("mean")(lambda rates: rates["rate"].mean())
    lake = Lake(tmp_path, [feed, mean, check(feed, name="positive")(lambda rates: rates["rate"].min() > 0)])
    lake.run("mean")
    assert lake.value("mean") == pytest.approx(1.15)
    lake.run("feed.rates", assets=False)
    assert lake.checks["feed.rates:positive", ""].passed


def test_io_managers_come_from_resources_by_name(tmp_path: Path) -> None:
    memory = MemoryIO()
    a = asset("a", io_manager="fast")(lambda: 1)
    b = asset("b")(lambda a: a + 1)
    c = asset("c", io_manager=memory)(lambda b: b + 1)
    lake = Lake(tmp_path, [a, b, c, Resources(fast=memory, io_manager=JSONIO(tmp_path / "json"))])
    assert set(lake.run().values()) == {"succeeded"}, lake.errors
    assert (tmp_path / "json" / "b.json").read_text() == "2"
    assert lake.value("c") == 3


def test_missing_upstream_data_say_what_to_do(tmp_path: Path) -> None:
    lake = Lake(tmp_path, [asset("a")(lambda: 1), asset("b")(lambda a: a)])
    lake.run("b")
    assert "batuta materialize a" in str(lake.errors["b"])


class Limits(BaseModel):
    rows: int = 10
    name: str = "x"


def test_config_is_a_model_filled_from_declaration_settings_and_run(tmp_path: Path) -> None:
    @asset
    def plain(config: Limits) -> Any:
        return config.model_dump()

    @asset(config=Limits(rows=5))
    def declared(config: Limits) -> Any:
        return config.model_dump()

    @asset(config={"free": 1})
    def free(config: dict[str, Any]) -> Any:
        return config

    lake = Lake(tmp_path, [plain, declared, free], {"assets": {"declared": {"name": "set"}}})
    lake.run()
    assert lake.value("plain") == {"rows": 10, "name": "x"}
    assert lake.value("declared") == {"rows": 5, "name": "set"}
    assert lake.value("free") == {"free": 1}
    context = lake.context("declared", params={"config": {"declared": {"rows": 7}}})
    lake.graph.code("declared").run(context)
    assert lake.value("declared") == {"rows": 7, "name": "set"}
    wrong = lake.context("plain", params={"config": {"plain": {"rows": "many"}}})
    with pytest.raises(ParameterError, match="rows: Input should be a valid integer"):
        lake.graph.code("plain").run(wrong)


def test_what_is_stale_is_made_and_nothing_else(tmp_path: Path) -> None:
    content = {"a": 1}
    a = asset("a", code_version="1")(lambda: content["a"])
    other = asset("other")(lambda: 1)
    parity = asset("parity")(lambda a: a % 2)
    after = asset("after")(lambda parity, other: (parity, other))
    lake = Lake(tmp_path, [a, other, parity, after])
    lake.run_stale()
    assert lake.done == ["a", "other", "parity", "after"]
    lake.run_stale()
    assert lake.done == []
    a.out = AssetOut("a", code_version="2")
    content["a"] = 3
    assert lake.freshness["after", ""].reasons == ("upstream parity is stale",)
    lake.run_stale()
    assert lake.done == ["a", "parity", "after"]
    assert lake.cached == ["after"], "the parity came out the same"
    content["a"] = 4
    lake.run("a")
    lake.run_stale()
    assert (lake.done, lake.cached) == (["parity", "after"], [])
    assert all(one.is_fresh for one in lake.freshness.values())


def test_a_stale_day_is_made_alone(tmp_path: Path) -> None:
    content = dict.fromkeys(FIVE, 1)
    bronze = asset("bronze", partitions=DAYS)(lambda context: content[context.partition_key])
    silver = asset("silver", partitions=DAYS)(lambda bronze: bronze)
    whole = asset("whole")(lambda silver: sum(silver.values()))
    lake = Lake(tmp_path, [bronze, silver, whole])
    lake.run()
    content["2025-01-03"] = 5
    lake.run("bronze", partitions="2025-01-03")
    lake.run_stale()
    assert lake.done == ["silver[2025-01-03]", "whole"]
    assert lake.value("whole") == 9


def test_the_default_io_manager_follows_the_value(tmp_path: Path) -> None:
    value: list[Any] = [pl.DataFrame({"n": [1]})]
    a = asset("a")(lambda: value[0])
    b = asset("b")(lambda a: str(type(a).__name__))
    lake = Lake(tmp_path, [a, b])
    for value[0], name, stored in (
        (pl.DataFrame({"n": [1]}), "DataFrame", "a.parquet"),
        ({"n": 1}, "dict", "a.pickle"),
        (pl.LazyFrame({"n": [1]}), "DataFrame", "a.parquet"),
    ):
        lake.run()
        assert lake.value("b") == name
        assert [path.name for path in tmp_path.glob("a.*")] == [stored]


def test_what_an_asset_reads_counts_as_used_and_what_a_check_reads_does_not(tmp_path: Path) -> None:
    @asset("raw", partitions=DAYS)
    def raw() -> list[int]:
        return [1]

    @asset("total")
    def total(raw: list[int]) -> int:
        return sum(raw)

    @check("total")
    def is_one(value: int, raw: list[int]) -> bool:
        return value > 0

    lake = Lake(tmp_path, [raw, total, is_one])
    lake.run("raw", partitions="2025-01-01..2025-01-03")
    assert lake.reads == []
    lake.run("total")
    assert lake.reads == [("raw", 3)]
