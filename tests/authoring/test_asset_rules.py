"""Rules, contracts and quarantine of assets: planned, evaluated, recorded; nothing half-written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from batuta.authoring.asset_guard import ContractBroken
from batuta.authoring.assets import AssetOut, MaterializeResult, Output, asset, check, external_asset, multi_asset
from batuta.authoring.context import StepContext
from batuta.authoring.partitions import TimeWindow, daily, multi, static
from batuta.authoring.resources import Resources
from batuta.checks import (
    expression,
    in_range,
    metadata_drift,
    not_null,
    on,
    pandera,
    predicate,
    query,
    relationships,
    row_count,
    row_count_drift,
    unique,
    value_drift,
)
from batuta.core.definitions import CheckSpec
from batuta.core.errors import CheckFailed, DefinitionError, DuplicateKeyError, ResultError, UnknownDependencyError
from batuta.io import DuckDBIO, ParquetIO
from tests.authoring.asset_runs import Lake

DAYS = daily("2025-01-01", end="2025-02-20")
ROWS = pl.DataFrame({"id": [1, 2, 2, None], "amount": [5.0, -1.0, 7.0, 9.0]})


def outcomes(lake: Lake) -> dict[str, str]:
    return {key: str(verdict.outcome) for (key, _), verdict in lake.checks.items()}


# ---- planned and evaluated ----


def test_the_rules_of_an_asset_are_one_step_and_those_that_read_others_are_their_own(tmp_path: Path) -> None:
    @asset("shops")
    def shops() -> pl.DataFrame:
        return pl.DataFrame({"shop": [1]})

    @asset(
        "orders",
        checks=[
            not_null("id", blocking=True),
            unique("id", severity="warn"),
            row_count(1),
            relationships("shop", shops, where="shop > 0"),
        ],
    )
    def orders() -> pl.DataFrame:
        return pl.DataFrame({"id": [1, 1], "shop": [1, 2]})

    @asset
    def report(orders: pl.DataFrame) -> int:
        return orders.height

    lake = Lake(tmp_path, [shops, orders, report])
    specs = {spec.name: spec for spec in lake.definitions.checks}
    assert {name: spec.step for name, spec in specs.items()} == {
        "not_null_id": "orders:checks",
        "unique_id": "orders:checks",
        "row_count": "orders:checks",
        "relationships_shop_shops": "orders:relationships_shop_shops",
    }
    kept = specs["unique_id"]
    assert (kept.kind, kept.columns, kept.severity, kept.blocking) == ("unique", ("id",), "warn", False)
    assert kept.description == "no two rows have the same id"
    assert {dep.asset for dep in specs["relationships_shop_shops"].deps} == {"orders", "shops"}
    states = lake.run()
    assert states["orders:checks"] == states["report"] == "succeeded"
    assert lake.done.index("orders:checks") < lake.done.index("report"), "it waits for those that block"
    assert outcomes(lake) == {
        "orders:not_null_id": "passed",
        "orders:unique_id": "warned",
        "orders:row_count": "passed",
        "orders:relationships_shop_shops": "failed",
    }
    verdict = lake.checks["orders:unique_id", ""]
    assert (verdict.passed, verdict.blocking) == (False, False)
    assert verdict.metadata["failing"] == 1
    assert verdict.metadata["share"] == 0.5
    assert verdict.metadata["sample"] == {"type": "table", "columns": ["id", "rows"], "rows": [[1, 2]]}


def test_a_blocking_rule_holds_back_what_depends_on_the_asset(tmp_path: Path) -> None:
    @asset("raw", checks=[not_null("id", blocking=True), in_range("amount", 0), row_count(1)])
    def raw() -> pl.DataFrame:
        return ROWS

    @asset("clean")
    def clean(raw: pl.DataFrame) -> pl.DataFrame:
        return raw

    lake = Lake(tmp_path, [raw, clean])
    assert lake.run() == {"raw": "succeeded", "raw:checks": "failed", "clean": "upstream_failed"}
    error = lake.errors["raw:checks"]
    assert isinstance(error, CheckFailed)
    assert error.what == "check failed: raw:not_null_id: 1 of 4 rows (25%) fail: id has a value"
    assert outcomes(lake) == {"raw:not_null_id": "failed", "raw:in_range_amount": "failed", "raw:row_count": "passed"}


def test_a_rule_that_cannot_tell_hides_no_other_and_fails_only_what_it_blocks(tmp_path: Path) -> None:
    @asset("raw", checks=[not_null("idd"), predicate(lambda frame: 1 / 0, name="broken"), unique("amount")])
    def raw() -> pl.DataFrame:
        return ROWS

    lake = Lake(tmp_path, [raw])
    assert set(lake.run().values()) == {"succeeded"}
    assert outcomes(lake) == {"raw:not_null_idd": "failed", "raw:broken": "failed", "raw:unique_amount": "passed"}
    verdict = lake.checks["raw:not_null_idd", ""]
    assert verdict.description == "cannot be evaluated: there is no column 'idd'"
    assert verdict.metadata == {"hint": "did you mean 'id'?"}

    @asset("raw", checks=[not_null("idd", blocking=True)])
    def again() -> pl.DataFrame:
        return ROWS

    lake = Lake(tmp_path, [again])
    assert lake.run()["raw:checks"] == "failed"
    assert "did you mean 'id'?" in str(lake.errors["raw:checks"])


def test_rules_may_stand_elsewhere_and_be_of_assets_of_others(tmp_path: Path) -> None:
    @asset("raw")
    def raw() -> pl.DataFrame:
        return ROWS

    source = external_asset("feed", io_manager=ParquetIO(tmp_path / "feed"), checks=[row_count(5)], schema={"id": ""})
    pl.DataFrame({"id": [1], "more": [2]}).write_parquet(tmp_path / "feed.parquet")
    (tmp_path / "feed").mkdir()
    (tmp_path / "feed.parquet").rename(tmp_path / "feed" / "feed.parquet")
    lake = Lake(tmp_path, [raw, source, on(raw, unique("id")), on("raw", not_null("id", name="has_id"))])
    lake.run("raw")
    lake.run("feed", assets=False)
    assert outcomes(lake) == {
        "raw:unique_id": "failed",
        "raw:has_id": "failed",
        "feed:row_count": "failed",
        "feed:schema": "failed",
    }
    assert lake.checks["feed:schema", ""].description == "  + more  is not in the contract (int64)"


def test_rules_read_what_is_stored_wherever_that_is(tmp_path: Path) -> None:
    rules = [
        not_null("id", where="amount > 8"),
        predicate(pl.col("amount") > 0, name="positive"),
        query("SELECT * FROM this WHERE amount > 100"),
        row_count(4, 4),
    ]
    managers: dict[str, Any] = {"files": ParquetIO(tmp_path / "files"), "warehouse": DuckDBIO(tmp_path / "w.duckdb")}
    for name, manager in managers.items():

        @asset("raw", checks=rules, io_manager=name)
        def raw() -> pl.DataFrame:
            return ROWS

        lake = Lake(tmp_path, [raw, Resources(**{name: manager})])
        lake.run()
        assert list(outcomes(lake).values()) == ["failed", "failed", "passed", "passed"], lake.checks


def test_partitions_are_checked_one_by_one_and_keys_are_looked_for_in_the_same_partition(tmp_path: Path) -> None:
    @asset("shops", partitions=DAYS)
    def shops(context: StepContext) -> pl.DataFrame:
        return pl.DataFrame({"shop": [int(context.partition[-2:])]})

    @asset(
        "orders",
        partitions=DAYS,
        checks=[
            not_null("shop"),
            relationships("shop", "shops"),
            relationships("shop", "shops", mapping=TimeWindow(-1, 0), name="since_yesterday"),
        ],
    )
    def orders(context: StepContext) -> pl.DataFrame:
        day = int(context.partition[-2:])
        return pl.DataFrame({"shop": [day, day - 1, None if day == 2 else day]})

    lake = Lake(tmp_path, [shops, orders])
    lake.run(partitions="2025-01-02..2025-01-03")
    found = {(key.partition(":")[2], day[-2:]): v.metadata.get("failing") for (key, day), v in lake.checks.items()}
    assert found == {
        ("not_null_shop", "02"): 1,
        ("not_null_shop", "03"): 0,
        ("relationships_shop_shops", "02"): 1,
        ("relationships_shop_shops", "03"): 1,
        ("since_yesterday", "02"): None,
        ("since_yesterday", "03"): 0,
    }
    verdict = lake.checks["orders:since_yesterday", "2025-01-02"]
    assert verdict.description.startswith("cannot be evaluated: asset 'shops', partition '2025-01-01' is not stored")


def test_history_is_that_of_the_days_before(tmp_path: Path) -> None:
    @asset(
        "sales",
        partitions=multi(day=DAYS, shop=static(["a", "b"])),
        checks=[row_count_drift(), value_drift("amount", "sum"), metadata_drift("net")],
    )
    def sales(context: StepContext) -> Output[pl.DataFrame]:
        part = context.partition_dimensions
        sunday = context.partition_window.start.weekday() == 6
        size = (200 if part["shop"] == "a" else 20) // (10 if sunday else 1)
        if part["day"] == "2025-02-19":
            size = 110
        return Output(pl.DataFrame({"amount": [1.0] * size}), metadata={"net": size * 2})

    lake = Lake(tmp_path, [sales])
    lake.run(partitions="day=2025-01-01..2025-02-19")
    assert lake.errors == {}
    by_day: dict[str, set[str]] = {}
    for (_, key), verdict in lake.checks.items():
        by_day.setdefault(key.partition("|")[0].removeprefix("day="), set()).add(str(verdict.outcome))
    assert by_day["2025-01-05"] == {"unknown"}
    assert by_day["2025-02-16"] == by_day["2025-02-17"] == {"passed"}, "a Sunday, and the day after"
    assert by_day["2025-02-19"] == {"warned"}
    verdict = lake.checks["sales:row_count_drift", "day=2025-02-19|shop=b"]
    assert verdict.description.startswith("the number of rows is 110; usual would be 19 to 21")
    assert verdict.description.endswith("by weekday)")


def test_clashes_and_nonsense_are_refused(tmp_path: Path) -> None:
    def made(**options: Any) -> Any:
        return asset("raw", **options)(lambda: ROWS)

    with pytest.raises(DuplicateKeyError, match="raw:not_null_id"):
        Lake(tmp_path, [made(checks=[not_null("id"), not_null("id", severity="warn")])])
    with pytest.raises(DefinitionError, match="is no check"):
        Lake(tmp_path, [made(checks=["not_null"])])
    with pytest.raises(DefinitionError, match="cannot be called 'checks'"):
        Lake(tmp_path, [made(checks=[not_null("id", name="checks")])])
    with pytest.raises(DefinitionError, match="evolution= but no schema="):
        Lake(tmp_path, [made(evolution="additive")])
    with pytest.raises(DefinitionError, match="which no table has"):
        Lake(tmp_path, [made(schema={"id": "nonsense"})])
    with pytest.raises(UnknownDependencyError, match="depends on 'shop'"):
        _ = Lake(tmp_path, [made(checks=[relationships("id", "shop")])]).definitions
    with pytest.raises(UnknownDependencyError, match="of 'raw', which does not exist"):
        _ = Lake(tmp_path, [on("raw", not_null("id"))]).definitions
    with pytest.raises(DefinitionError, match="has no rules"):
        on("raw")
    with pytest.raises(DefinitionError, match="is no rule"):
        on("raw", "x")  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="is external"):
        _ = Lake(tmp_path, [external_asset("x", checks=[not_null("id", on_fail="quarantine")])]).definitions

    @check("raw")
    def not_null_id(rows: pl.DataFrame) -> bool:
        return True

    with pytest.raises(DuplicateKeyError, match="raw:not_null_id"):
        _ = Lake(tmp_path, [made(checks=[not_null("id")]), not_null_id]).definitions


# ---- contracts ----

CONTRACT = {"id": "int64 not null", "amount": "float64"}


def by_hand(frame: pl.DataFrame) -> dict[str, Any]:
    """The same table as everything that a function may return."""
    return {
        "polars": frame,
        "lazy": frame.lazy(),
        "pandas": frame.to_pandas(),
        "arrow": frame.to_arrow(),
        "rows": frame.to_dicts(),
        "duckdb": duckdb.connect().from_arrow(frame.to_arrow()),
        "stream": frame.to_arrow().to_reader(),
    }


@pytest.mark.parametrize("kind", by_hand(ROWS))
def test_what_breaks_a_contract_is_not_written(kind: str, tmp_path: Path) -> None:
    versions = [
        ROWS.filter(pl.col("id").is_not_null()),
        ROWS.filter(pl.col("id").is_not_null()).rename({"amount": "net"}),
        ROWS.fill_null(3).with_columns(pl.when(pl.col("amount") > 8).then(None).otherwise("id").alias("id")),
    ]
    at = iter(versions)

    @asset("raw", schema=CONTRACT)
    def raw() -> Any:
        return by_hand(next(at))[kind]

    lake = Lake(tmp_path, [raw])
    assert lake.run() == {"raw": "succeeded", "raw:checks": "succeeded"}
    assert outcomes(lake) == {"raw:schema": "passed"}
    if kind != "rows":  # they are pickled
        assert lake.recorded["raw", ""].metadata["columns"]["not_null"] == ["id"]
    kept = str(lake.value("raw", annotation=pl.DataFrame))
    assert lake.run() == {"raw": "failed", "raw:checks": "upstream_failed"}
    error = lake.errors["raw"]
    assert isinstance(error, ContractBroken)
    assert error.what.splitlines()[1:] == [
        "  - amount  is missing (float64)",
        "  + net     is not in the contract (float64)",
    ]
    assert "evolution='additive'" in str(error)
    assert outcomes(lake) == {"raw:schema": "failed"}
    if kind != "pandas":  # whole numbers with a null are floats there
        assert lake.run()["raw"] == "failed"
        assert "  ! id  is null in 1 of 4 rows" in str(lake.errors["raw"])
    assert str(lake.value("raw", annotation=pl.DataFrame)) == kept, "nothing was written"


def test_an_additive_contract_lets_columns_in(tmp_path: Path) -> None:
    @asset("raw", schema={"id": "int64"}, evolution="additive")
    def raw() -> pl.DataFrame:
        return ROWS

    lake = Lake(tmp_path, [raw])
    (spec,) = lake.definitions.assets
    assert (spec.evolution, [column.name for column in spec.columns]) == ("additive", ["id"])
    assert lake.run()["raw"] == "succeeded"


def test_a_contract_half_way_through_a_stream_leaves_nothing(tmp_path: Path) -> None:
    schema = pa.schema([("id", pa.int64())])

    def batches(bad: bool) -> Any:
        yield pa.record_batch([pa.array([1, 2])], schema=schema)
        yield pa.record_batch([pa.array([3, None] if bad else [3, 4])], schema=schema)

    at = iter([False, True])

    @asset("raw", schema={"id": "int64 not null"}, partitions=DAYS)
    def raw() -> Any:
        return pa.RecordBatchReader.from_batches(schema, batches(next(at)))

    lake = Lake(tmp_path, [raw])
    lake.run(partitions="2025-01-01")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert lake.run(partitions="2025-01-01")["raw[2025-01-01]"] == "failed"
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_has_a_contract_returns_a_table(tmp_path: Path) -> None:
    @asset("raw", schema={"id": "int64"})
    def raw() -> int:
        return 7

    lake = Lake(tmp_path, [raw])
    lake.run()
    assert isinstance(lake.errors["raw"], ResultError)
    assert "which is no table" in str(lake.errors["raw"])


def test_a_table_that_was_changed_behind_our_back_breaks_its_contract_in_the_next_check(tmp_path: Path) -> None:
    @asset("raw", schema=CONTRACT)
    def raw() -> pl.DataFrame:
        return ROWS.drop_nulls()

    lake = Lake(tmp_path, [raw])
    lake.run()
    ROWS.rename({"id": "ID"}).write_parquet(tmp_path / "raw.parquet")
    assert lake.run(assets=False, only={("raw", "")}) == {"raw:checks": "failed"}
    assert "  - id  is missing (int64)" in str(lake.errors["raw:checks"])


# ---- quarantine ----

REFUSING = [
    not_null("id", on_fail="quarantine"),
    unique("id", on_fail="quarantine"),
    in_range("amount", 0, on_fail="quarantine", severity="warn"),
]


@pytest.mark.parametrize("kind", by_hand(ROWS))
def test_rows_that_fail_go_to_quarantine_and_the_others_go_on(kind: str, tmp_path: Path) -> None:
    @asset(
        "raw", checks=[*REFUSING, row_count(1)], schema={"id": "" if kind == "pandas" else CONTRACT["id"], "amount": ""}
    )
    def raw() -> Any:
        return by_hand(ROWS)[kind]

    @asset("again")
    def again(raw: Any, raw__quarantine: Any) -> int:
        return len(raw) + len(raw__quarantine)

    lake = Lake(tmp_path, [raw, again])
    assert set(lake.run().values()) == {"succeeded"}, lake.errors
    assert lake.value("raw", annotation=list) == [{"id": 1, "amount": 5.0}]
    refused = lake.value("raw__quarantine", annotation=pl.DataFrame)
    assert refused.columns == ["id", "amount", "quarantine_reason", "quarantine_run", "quarantine_partition"]
    assert refused.select("amount", "quarantine_reason", "quarantine_run").rows() == [
        (-1.0, "in_range_amount", "1"),
        (7.0, "unique_id", "1"),
        (9.0, "not_null_id", "1"),
    ]
    assert outcomes(lake) == {
        "raw:not_null_id": "failed",
        "raw:unique_id": "failed",
        "raw:in_range_amount": "warned",
        "raw:row_count": "passed",
        "raw:schema": "passed",
    }
    assert lake.value("again") == 4
    assert lake.recorded["raw__quarantine", ""].metadata["rows"] == 3


def test_quarantine_is_a_table_by_partition_that_is_written_again_with_it(tmp_path: Path) -> None:
    at = {"size": 2}

    @asset("raw", partitions=DAYS, checks=[in_range("n", max=1, on_fail="quarantine")], io_manager="db")
    def raw(context: StepContext) -> pl.DataFrame:
        return pl.DataFrame({"n": range(at["size"])}, schema={"n": pl.Int64})

    lake = Lake(tmp_path, [raw, Resources(db=DuckDBIO(tmp_path / "lake.duckdb"))])
    specs = {spec.key: spec for spec in lake.definitions.assets}
    assert specs["raw__quarantine"].step == "raw"
    assert specs["raw__quarantine"].partitions == DAYS
    counts = {}
    for size in (4, 4, 2, 3):
        at["size"] = size
        for day in ("2025-01-01", "2025-01-02"):
            assert set(lake.run(partitions=day).values()) == {"succeeded"}
        versions = lake.recorded["raw__quarantine", "2025-01-01"].data_version
        counts[size] = lake.value("raw__quarantine", "2025-01-01", "2025-01-02", annotation=pl.DataFrame).height
        at[str(size)] = versions  # type: ignore[assignment]
    assert counts == {4: 4, 2: 0, 3: 2}
    assert (
        lake.value("raw__quarantine", "2025-01-01", annotation=pl.DataFrame)["quarantine_partition"][0] == "2025-01-01"
    )


def test_too_many_bad_rows_stop_the_asset_before_anything_is_written(tmp_path: Path) -> None:
    rows = iter([[1, 2, 3], [1, 2, None], [1, None, None]])

    @asset("raw", checks=[not_null("n", on_fail="quarantine", warn_if="> 0", error_if="> 50%", blocking=True)])
    def raw() -> pl.DataFrame:
        return pl.DataFrame({"n": next(rows)})

    lake = Lake(tmp_path, [raw])
    seen = []
    for _ in range(3):
        states = lake.run()
        size = lake.value("raw__quarantine", annotation=pl.DataFrame).height
        seen.append(
            (states["raw"], outcomes(lake)["raw:not_null_n"], size, lake.value("raw", annotation=pl.DataFrame).height)
        )
    assert seen == [("succeeded", "passed", 0, 3), ("succeeded", "warned", 1, 2), ("failed", "failed", 1, 2)]
    assert isinstance(lake.errors["raw"], CheckFailed)


def test_keys_may_be_looked_for_before_a_row_is_let_in(tmp_path: Path) -> None:
    @asset("shops")
    def shops() -> pl.DataFrame:
        return pl.DataFrame({"shop": [1, 2]})

    @multi_asset(
        {
            "orders": AssetOut(
                "orders",
                checks=[relationships("shop", shops, on_fail="quarantine"), expression("n > 0", on_fail="quarantine")],
            ),
            "other": AssetOut("other", schema={"n": "int64"}),
        }
    )
    def make() -> tuple[pl.DataFrame, pl.DataFrame]:
        return pl.DataFrame({"shop": [1, 3, None], "n": [1, 0, 1]}), pl.DataFrame({"n": [1]})

    lake = Lake(tmp_path, [shops, make])
    assert [dep.asset for spec in lake.definitions.assets if spec.key == "orders" for dep in spec.deps] == ["shops"]
    assert lake.run()["make"] == "succeeded"
    assert lake.done.index("shops") < lake.done.index("make")
    assert lake.value("orders", annotation=list) == [{"shop": 1, "n": 1}, {"shop": None, "n": 1}]
    (row,) = lake.value("orders__quarantine", annotation=list)
    assert row["quarantine_reason"] == "relationships_shop_shops, expression_n_0"


def test_a_refusing_rule_that_cannot_tell_stops_the_asset(tmp_path: Path) -> None:
    @asset("raw", checks=[not_null("idd", on_fail="quarantine")])
    def raw() -> pl.DataFrame:
        return ROWS

    lake = Lake(tmp_path, [raw])
    assert lake.run()["raw"] == "failed"
    assert "did you mean 'id'?" in str(lake.errors["raw"])
    assert not list(tmp_path.iterdir())


def test_an_asset_that_wrote_by_itself_is_not_looked_into(tmp_path: Path) -> None:
    @asset("raw", checks=REFUSING, schema=CONTRACT)
    def raw() -> MaterializeResult:
        ROWS.drop_nulls().write_parquet(tmp_path / "raw.parquet")
        return MaterializeResult()

    lake = Lake(tmp_path, [raw])
    lake.run()
    assert outcomes(lake) == {"raw:schema": "passed"}


def test_all_kinds_of_checks_go_together(tmp_path: Path) -> None:
    import pandera.polars as pandera_polars

    class Model(pandera_polars.DataFrameModel):
        id: int = pandera_polars.Field(nullable=True, ge=1)
        amount: float

    @check()
    def by_hand_too(rows: pd.DataFrame) -> bool:
        return len(rows) == 4

    @asset("raw", checks=[pandera(Model), by_hand_too, lambda rows: rows.height == 4, unique("amount")])
    def raw() -> pl.DataFrame:
        return ROWS

    raw.out.checks[2].__name__ = "four"
    lake = Lake(tmp_path, [raw])
    assert set(lake.run().values()) == {"succeeded"}
    assert {key: one.passed for (key, _), one in lake.checks.items()} == {
        "raw:pandera_model": True,
        "raw:by_hand_too": True,
        "raw:four": True,
        "raw:unique_amount": True,
    }
    kinds = {spec.name: spec.kind for spec in lake.definitions.checks}
    assert kinds == {"pandera_model": "pandera", "by_hand_too": "", "four": "", "unique_amount": "unique"}
    assert all(isinstance(spec, CheckSpec) for spec in lake.definitions.checks)
