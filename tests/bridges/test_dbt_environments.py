"""dbt in environments: schemas of their own, over production's; promoted, cleared; production is left alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from batuta.core.environments import PROMOTE
from batuta.core.errors import BatutaError
from batuta.core.states import RunState
from batuta.engine.changes import changes
from batuta.engine.environments import clearing, differences, promotion
from tests.bridges.lake import Lake


@pytest.fixture
def made(lake: Lake) -> Lake:
    """Production has all that the tests are about; environments of tests before are forgotten."""
    for row in lake.workspace.store.environments.all():
        lake.workspace.store.environments.drop(row.name, by="test", now=0.0)
    lake.make("+gold.revenue gold.twice bronze.currencies gold.growing")
    return lake


def in_silver(lake: Lake, *amounts: int) -> None:
    rows: list[dict[str, Any]] = [{"id": n, "day": "2025-01-01", "amount": one} for n, one in enumerate(amounts)]
    (lake.data / "payments.json").write_text(json.dumps(rows))


def test_models_read_what_is_there_and_write_beside_production(made: Lake) -> None:
    before = made.query("select * from gold.revenue order by day")
    in_silver(made, 5, 6)
    run = made.make("bronze.payments", environment="dev")
    run = made.make("+gold.revenue gold.twice", mode="stale", environment="dev")
    assert made.query("select revenue from gold__dev.revenue") == [(11,)]
    assert made.query("select amount from gold__dev.twice") == [(22,)]  # over an ephemeral model
    assert made.query("select * from gold.revenue order by day") == before
    assert made.states(run.id)["gold.revenue:unique_revenue_day"] == "succeeded"
    assets = made.workspace.assets_in("dev")
    assert assets.plan("+gold.revenue gold.twice", mode="stale").plan.steps == ()
    assert changes(made.workspace.store, assets, "gold.revenue").assets == ()
    difference = {one.key: one for one in differences(made.workspace.store, assets.index, "dev")}
    assert (difference["gold.revenue"].how, difference["gold.revenue"].rows) == ("changed", 1)
    # what was not made there is read from production
    made.make("gold.revenue", environment="other")
    assert made.query("select count(*) from gold__other.revenue") == [(len(before),)]


def test_an_incremental_model_begins_with_what_production_has(made: Lake) -> None:
    made.make("gold.growing")
    made.make("gold.growing", environment="dev")
    assert made.query("select n from gold__dev.growing order by n") == [(1,), (2,), (3,)]
    made.make("gold.growing", environment="dev")
    assert made.query("select max(n) from gold__dev.growing") == [(4,)]
    assert made.query("select n from gold.growing order by n") == [(1,), (2,)]
    made.make("gold.growing", environment="afresh", tags={"full_refresh": "true"})
    assert made.query("select n from gold__afresh.growing") == [(1,)]


def test_what_is_promoted_is_made_again_and_fresh_and_what_is_cleared_is_gone(made: Lake) -> None:
    workspace, store = made.workspace, made.workspace.store
    in_silver(made, 7)
    made.make("+gold.revenue", environment="dev")
    version = store.environments.states("dev")["gold.revenue", ""].data_version
    plan, config = promotion(store, workspace.assets, "dev")
    assert config[PROMOTE]["partitions"].keys() == {"bronze.payments", "silver.payments", "gold.revenue"}
    assert workspace.start_plan(plan, config=config).wait(100) is RunState.SUCCEEDED
    assert made.query("select revenue from gold.revenue") == [(7,)]
    assert store.asset_states(["gold.revenue"])["gold.revenue", ""].data_version == version
    assert workspace.assets.plan("+gold.revenue", mode="stale").plan.steps == ()
    assert promotion(store, workspace.assets, "dev")[0].steps == ()

    plan, config, unknown = clearing(store, workspace.assets, "dev")
    assert workspace.start_plan(plan, config=config).wait(100) is RunState.SUCCEEDED
    assert unknown == []
    tables = "select count(*) from information_schema.tables where table_schema in ('gold__dev', 'silver__dev')"
    assert made.query(tables) == [(0,)]
    assert made.query("select revenue from gold.revenue") == [(7,)]


def test_partitions_of_an_incremental_model_are_promoted_and_cleared(made: Lake) -> None:
    workspace, store = made.workspace, made.workspace.store
    days = "select cast(day as text), payments from {}.by_day order by day"
    made.make("gold.by_day", partitions="2025-01-01..2025-01-02")
    in_silver(made, 1, 2, 3)  # three on the first day, none on the second
    made.make("bronze.payments silver.payments", environment="dev")
    made.make("gold.by_day", partitions="2025-01-01..2025-01-03", environment="dev")
    assert made.query(days.format("gold__dev")) == [("2025-01-01", 3), ("2025-01-02", 0), ("2025-01-03", 0)]
    assert made.query(days.format("gold")) == [("2025-01-01", 1), ("2025-01-02", 1)]
    plan, config = promotion(store, workspace.assets, "dev")
    wanted = config[PROMOTE]["partitions"]["gold.by_day"]
    assert wanted == ["2025-01-01", "2025-01-02", "2025-01-03"]
    run = workspace.start_plan(plan, config=config)
    assert run.wait(100) is RunState.SUCCEEDED, run.active.error
    assert made.query(days.format("gold")) == [("2025-01-01", 3), ("2025-01-02", 0), ("2025-01-03", 0)]
    states = store.asset_states(["gold.by_day"])
    there = store.environments.states("dev", ["gold.by_day"])
    assert {key: row.data_version for key, row in states.items() if key in there} == {
        key: row.data_version for key, row in there.items()
    }
    plan, config, unknown = clearing(store, workspace.assets, "dev", "ann")
    assert (unknown, workspace.start_plan(plan, config=config).wait(100)) == ([], RunState.SUCCEEDED)
    assert [row.name for row in store.environments.all()] == []
    assert made.query("select count(*) from information_schema.tables where table_schema = 'gold__dev'") == [(0,)]
    assert len(made.query(days.format("gold"))) == 3


def test_a_failing_test_holds_back_there_and_says_nothing_of_production(made: Lake) -> None:
    (made.data / "payments.json").write_text(json.dumps([{"id": 1, "day": "2025-01-01", "amount": None}]))
    made.make("+gold.revenue", state=RunState.FAILED, environment="dev")
    assert made.workspace.assets.verdicts()["silver.payments", "not_null_payments_amount", ""].passed is not False
    with pytest.raises(BatutaError, match="blocking checks have failed"):
        promotion(made.workspace.store, made.workspace.assets, "dev")
