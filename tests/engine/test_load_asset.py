"""Assets in the steps of flows and DAGs: loaded, with what was read recorded as the inputs of what is made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batuta.core.states import RunState
from batuta.engine.workspace import RunHandle, Workspace
from tests.engine.conftest import Open, value_of

WAIT_S = 100

PIPELINE = """
from batuta import DAG, StepContext, asset, context, external_asset, flow, partitions, task

DAYS = partitions.daily("2025-01-01", end="2025-01-04")


@asset(partitions=DAYS)
def sales(context: StepContext) -> list[int]:
    return [int(context.partition_key[-2:])]


@asset
def rate() -> int:
    return 10


report = external_asset("report")
export = external_asset("export", partitions=DAYS)


@task(writes=[report])
def write_report(days: str | None) -> int:
    sold = context().load_asset(sales, dict[str, list[int]], partitions=days)
    return sum(sum(items) for items in sold.values()) * context().load_asset("rate", int)


@flow(reads=[sales, rate], writes=[report])
def reporting(days: str | None = None) -> int:
    return write_report(days)


@task(reads=[rate], writes=[export])
def write_export(day: str) -> None:
    context().load_asset(sales, partitions=day)
    context().materialized(export, partition=day, data_version="v1")


with DAG("exporting", params={"day": "2025-01-01"}) as dag:
    write_export(dag.params["day"])


@flow
def asking(what: str, days: str | None = None) -> None:
    load(what, days)


@task
def load(what: str, days: str | None) -> None:
    context().load_asset(what, partitions=days)
"""


@pytest.fixture(params=["threads", "processes"])
def shop(request: pytest.FixtureRequest, root: Path, open_workspace: Open) -> Workspace:
    """A workspace whose assets are made, but for the last day of sales."""
    (root / "pipeline.py").write_text(PIPELINE)
    workspace = open_workspace(request.param, workers=2)
    made = workspace.assets.plan("sales rate", partitions="2025-01-01..2025-01-02")
    assert workspace.start_plan(made.plan).wait(WAIT_S) is RunState.SUCCEEDED
    return workspace


def ran(workspace: Workspace, job: str, **params: Any) -> RunHandle:
    handle = workspace.start_job(job, params)
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, handle.active.error
    return handle


def inputs_of(workspace: Workspace, asset: str, partition: str = "") -> set[str]:
    return set(json.loads(workspace.store.asset_states([asset])[asset, partition].inputs))


def test_a_flow_loads_what_was_made_and_its_asset_knows_what_it_was_made_from(shop: Workspace) -> None:
    assert value_of(ran(shop, "reporting")) == (1 + 2) * 10
    assert inputs_of(shop, "report") == {"sales/2025-01-01", "sales/2025-01-02", "rate"}
    assert value_of(ran(shop, "reporting", days="2025-01-02")) == 20
    assert inputs_of(shop, "report") == {"sales/2025-01-02", "rate"}


def test_a_dag_records_what_it_loads_and_what_it_says_that_it_reads(shop: Workspace) -> None:
    ran(shop, "exporting", day="2025-01-02")
    assert inputs_of(shop, "export", "2025-01-02") == {"sales/2025-01-02", "rate"}


def test_a_job_is_fresh_until_what_it_read_has_changed(shop: Workspace) -> None:
    assert shop.freshness("exporting").reasons == ("it has never succeeded with these parameters",)
    ran(shop, "exporting")
    assert shop.freshness("exporting").is_fresh
    assert not shop.freshness("exporting", {"day": "2025-01-02"}).is_fresh
    made = shop.assets.plan("sales", partitions="2025-01-03")
    assert shop.start_plan(made.plan).wait(WAIT_S) is RunState.SUCCEEDED
    assert shop.freshness("exporting").reasons == ("sales[2025-01-03] is new",)


@pytest.mark.parametrize(
    ("what", "days", "told"),
    [
        ("sale", None, "there is no asset 'sale'"),
        ("rate", "2025-01-01", "asset 'rate' has no partitions"),
        ("sales", "2025-02-01", "2025-02-01"),
        ("sales", "2025-01-03", "asset 'sales', partition '2025-01-03' is not stored"),
    ],
)
def test_what_is_not_there_is_refused_with_its_name(shop: Workspace, what: str, days: str | None, told: str) -> None:
    handle = shop.start_job("asking", {"what": what, "days": days})
    assert handle.wait(WAIT_S) is RunState.FAILED
    assert told in handle.active.error
