"""dbt for real: a mixed graph made, tests that hold back, partitions, retries, one DuckDB file between two tools."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from batuta.core.states import RunState
from tests.bridges.lake import Lake
from tests.engine.projects import until

REVENUE = "+gold.revenue"


def test_a_selection_runs_python_and_then_just_the_models_between(lake: Lake) -> None:
    run = lake.make(f"{REVENUE} report")
    assert lake.states(run.id) == dict.fromkeys(
        (
            *("bronze.payments", "bronze.payments:source_unique_bronze_payments_id"),
            *("silver.payments", "silver.payments:not_null_payments_amount", "silver.payments:few_payments"),
            *(
                "gold.revenue:sums",
                "gold.revenue",
                "gold.revenue:unique_revenue_day",
                "gold.revenue:not_null_revenue_day",
            ),
            "report",
        ),
        "succeeded",
    )
    assert run.config["locations"] == ["lake", "warehouse"]
    assert lake.query("select * from gold.revenue order by day")[1][1] == 32
    assert len({row.started_at for row in lake.tasks(run.id).values()}) == 10
    revenue = lake.metadata("gold.revenue")
    assert revenue["rows"] == 2
    assert revenue["columns"] == {"type": "schema", "columns": [["day", "date"], ["revenue", "int128"]]}
    with open(revenue["compiled"]) as file:
        assert "sum(amount * 1)" in file.read()


def test_what_was_made_is_fresh_until_something_changes(lake: Lake) -> None:
    lake.make(f"{REVENUE} gold.twice +gold.kept_currencies")
    assets = lake.workspace.assets
    assert assets.plan(f"{REVENUE} gold.kept_currencies", mode="stale").plan.steps == ()
    (lake.data / "payments.json").write_text(json.dumps([{"id": 1, "day": "2025-01-01", "amount": 5}]))
    lake.make("bronze.payments")
    why = assets.plan("gold.revenue silver.payments gold.twice silver.doubled", mode="stale").why
    assert why["silver.payments", ""].reasons == ("upstream bronze.payments changed",)
    assert set(why) == {(key, "") for key in ("silver.payments", "gold.revenue", "silver.doubled", "gold.twice")}
    lake.make("bronze.payments silver.* gold.revenue gold.twice")
    assert lake.query("select revenue from gold.revenue") == [(5,)]
    assert lake.query("select amount from gold.twice") == [(10,)]


def test_a_view_that_is_made_again_of_the_same_makes_nothing_stale(lake: Lake) -> None:
    lake.make(REVENUE)
    lake.make("silver.payments")
    assert lake.workspace.assets.plan("gold.revenue", mode="stale").plan.steps == ()


def test_a_blocking_test_holds_back_what_is_below_and_only_that_is_tried_again(lake: Lake) -> None:
    rows: list[dict[str, Any]] = [{"id": n, "day": "2025-01-01", "amount": None if n else 1} for n in range(3)]
    (lake.data / "payments.json").write_text(json.dumps(rows))
    run = lake.make(f"{REVENUE} report", state=RunState.FAILED)
    states = lake.states(run.id)
    assert states["silver.payments"] == "succeeded"
    assert states["silver.payments:not_null_payments_amount"] == "failed"
    assert {
        states[key] for key in ("gold.revenue:sums", "gold.revenue", "gold.revenue:unique_revenue_day", "report")
    } == {"upstream_failed"}
    verdict = lake.workspace.store.checks_current(["silver.payments"])[
        "silver.payments", "not_null_payments_amount", ""
    ]
    assert (verdict.passed, verdict.blocking) == (False, True)
    assert verdict.description == "Got 2 results, configured to fail if != 0"
    metadata = msgspec.json.decode(verdict.metadata)
    assert metadata["failures"] == 2
    assert metadata["sample"] == {"type": "table", "columns": ["amount"], "rows": [[None], [None]]}
    (lake.data / "payments.json").unlink()
    lake.make("bronze.payments")
    again = lake.workspace.retry(run.id)
    assert again.wait(100) is RunState.SUCCEEDED
    attempts = {key: row.attempt for key, row in lake.tasks(run.id).items()}
    assert attempts["silver.payments"] == attempts["bronze.payments"] == 1
    assert attempts["silver.payments:not_null_payments_amount"] == 2
    assert lake.states(run.id)["report"] == "succeeded"


def test_a_test_that_warns_holds_nothing_back(lake: Lake) -> None:
    run = lake.make(REVENUE)
    verdict = lake.workspace.store.checks_current(["silver.payments"])["silver.payments", "few_payments", ""]
    assert (verdict.passed, verdict.blocking) == (False, False)
    assert "Got 1 result" in verdict.description
    assert lake.states(run.id)["gold.revenue"] == "succeeded"


def test_a_unit_test_that_fails_holds_back_its_model(lake: Lake) -> None:
    run = lake.make("+below_wrong", state=RunState.FAILED)
    states = lake.states(run.id)
    assert states["silver.payments"] == "succeeded"
    assert states["wrong:adds_one"] == "failed"
    assert (states["wrong"], states["below_wrong"]) == ("upstream_failed", "upstream_failed")
    verdict = lake.workspace.store.checks_current(["wrong"])["wrong", "adds_one", ""]
    assert "differs from" in msgspec.json.decode(verdict.metadata)["difference"]["text"]


def test_a_model_that_fails_says_what_the_database_said_and_shows_its_sql(lake: Lake) -> None:
    run = lake.make("+below_broken", state=RunState.FAILED)
    assert lake.states(run.id)["below_broken"] == "upstream_failed"
    task = lake.tasks(run.id)["broken"]
    assert task.error is not None
    error = msgspec.json.decode(task.error)
    assert error["type"] == "DbtFailed"
    assert "no_such_column" in error["message"]
    assert "models/odd/broken.sql" in error["message"]
    assert re.search(r"its compiled SQL is .*/odd/broken.sql", error["hint"])
    lines = lake.log(run.id, "broken")
    assert "the compiled SQL was" in lines
    assert 'select no_such_column from "lake"."silver"."payments"' in lines


def test_partitions_are_variables(lake: Lake) -> None:
    run = lake.make("+gold.by_day", partitions="2025-01-01..2025-01-03")
    assert lake.states(run.id)["gold.by_day[2025-01-03]"] == "succeeded"
    found = lake.query("select cast(day as varchar), until, payments from gold.by_day order by day")
    assert found == [("2025-01-01", "2025-01-02", 1), ("2025-01-02", "2025-01-03", 1), ("2025-01-03", "2025-01-04", 0)]
    rows = [{"id": n, "day": "2025-01-02", "amount": 1} for n in range(4)]
    (lake.data / "payments.json").write_text(json.dumps(rows))
    lake.make("bronze.payments silver.payments gold.by_day", partitions="2025-01-02")
    assert [n for _, n in lake.query("select day, payments from gold.by_day order by day")] == [1, 4, 0]
    stale = lake.workspace.assets.plan("gold.by_day", mode="stale").why
    assert {partition: one.state for (_, partition), one in stale.items()} == {
        "2025-01-01": "stale",
        "2025-01-03": "stale",
        "2025-01-04": "missing",
    }


def test_batches_of_a_microbatch_model_are_partitions(lake: Lake) -> None:
    run = lake.make("+gold.batches", partitions="2025-01-01..2025-01-03")
    assert lake.states(run.id)["gold.batches[2025-01-02]"] == "succeeded"
    assert lake.query("select cast(day as varchar), payments from gold.batches order by day") == [
        ("2025-01-01", 1),
        ("2025-01-02", 1),
    ]


def test_incremental_models_grow_until_a_full_refresh_is_asked_for(lake: Lake) -> None:
    lake.make("+gold.growing")
    lake.make("gold.growing")
    lake.make("gold.growing")
    assert lake.query("select n from gold.growing order by n") == [(1,), (2,), (3,)]
    lake.make("gold.growing", tags={"full_refresh": "true"})
    assert lake.query("select n from gold.growing") == [(1,)]
    lake.make("gold.growing")
    assert lake.query("select n from gold.growing order by n") == [(1,), (2,)]


def test_a_seed_a_snapshot_and_an_ephemeral_model(lake: Lake) -> None:
    run = lake.make("+gold.kept_currencies +gold.twice")
    assert set(lake.states(run.id).values()) == {"succeeded"}
    assert lake.query("select count(*) from gold.kept_currencies") == [(2,)]
    assert lake.metadata("bronze.currencies")["rows"] == 2


def test_python_and_dbt_wait_for_each_other_at_one_file(lake: Lake) -> None:
    """Nothing orders them: each opens the file while the other has it, again and again."""
    lake.make("bronze.payments")
    handles = [lake.start("bronze.other"), lake.start("silver.payments gold.revenue gold.twice silver.doubled")]
    handles += [lake.start("bronze.other"), lake.start("+gold.kept_currencies"), lake.start("bronze.payments")]
    for handle in handles:
        assert handle.wait(100) is RunState.SUCCEEDED, handle.active.error


def test_the_file_is_free_once_dbt_has_nothing_to_do(lake: Lake) -> None:
    lake.make(REVENUE)
    until(lake.is_free, "dbt keeps the file")
