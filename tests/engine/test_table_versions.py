"""Runs over tables with versions: what each wrote is recorded, and loaded again; environments, contracts, upkeep."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from batuta.core.errors import DefinitionError
from batuta.core.states import RunState
from batuta.engine.environments import clearing, promotion
from batuta.engine.workspace import Workspace
from batuta.runtime import asset_rows
from batuta.runtime.load import load_location
from batuta.runtime.project import find_project
from tests.engine.conftest import value_of

WAIT_S = 100

CODE = """
import os
from datetime import UTC, datetime
import polars as pl
from batuta import Resources, asset, checks, context, flow, maintenance_job, partitions, sql_asset
from batuta.io import DeltaIO, IcebergIO

days = partitions.daily("2026-01-01", end="2026-01-03")
resources = Resources(lake={lake})
FACTOR = {factor}

@asset("silver.n", partitions=days, io_manager="lake", schema={{"n": "int64", "price": "float64"}},
       checks=[checks.in_range("price", min=0, on_fail="quarantine")])
def silver(context) -> pl.DataFrame:
    day = int(context.partition[-2:])
    columns = {{"n": [day * FACTOR, 7], "price": [1.0, -1.0]}}
    if os.environ.get("BATUTA_TEST_BREAKS") == context.partition:
        columns["n"] = ["text", "text"]
    return pl.DataFrame(columns)

@asset("silver.times", io_manager="lake")
def times() -> pl.DataFrame:
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    return pl.DataFrame({{"at": [at], "day": [at.date()], "list": [[1, 2]], "none": [None]}})

@asset("gold.total", io_manager="lake")
def total(silver__n: pl.LazyFrame) -> pl.LazyFrame:
    return silver__n.select(total=pl.col("n").sum())

top = sql_asset("gold.top", io_manager="lake", sql="select max(n) as top from silver.n")

@flow
def compare(run: int, version: str | None = None) -> list[float]:
    now = context().load_asset("gold.total", list)
    then = context().load_asset(total, list, run=run, version=version)
    days = context().load_asset("silver.n", dict[str, pl.DataFrame], run=run)
    one = context().load_asset("silver.n", pl.DataFrame, run=run, partitions="2026-01-02")
    return [now[0]["total"], then[0]["total"], len(days), one["n"].item()]

tidy = maintenance_job("tidy", ["silver.*", "gold.total"], keep_last=2)
"""

Make = Callable[..., Workspace]


@pytest.fixture(params=["DeltaIO", "IcebergIO"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Opens the project, with other code each time."""
    monkeypatch.setenv("BATUTA_HOME", str(tmp_path / "home"))
    root = tmp_path / "project"
    root.mkdir()
    lake = f"{request.param}({str(tmp_path / 'lake')!r})"
    numbers = iter(range(100))
    with ExitStack() as stack:

        def open_one(factor: int, executor: Any = "threads") -> Workspace:
            name = f"lake_{next(numbers)}.py"
            (root / "batuta.toml").write_text(f'code = ["{name}"]\n')
            (root / name).write_text(CODE.format(lake=lake, factor=factor))
            workspace = stack.enter_context(Workspace(find_project(str(root)), executor=executor, workers=2))
            assert not workspace.definitions.problems
            return workspace

        yield open_one


def make(workspace: Workspace, selection: str = "*", environment: str = "", partitions: str | None = None) -> int:
    plan = workspace.assets_in(environment).plan(selection, partitions=partitions).plan
    handle = workspace.start_plan(plan, environment=environment)
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, handle.active.error
    return handle.id


def ran(workspace: Workspace, job: str, environment: str = "", **params: Any) -> Any:
    handle = workspace.start_job(job, params, environment=environment)
    state = handle.wait(WAIT_S)
    return value_of(handle) if state is RunState.SUCCEEDED else str(handle.active.error)


def recorded(workspace: Workspace, asset: str, partition: str = "") -> dict[str, Any]:
    row = workspace.store.asset_states([asset])[asset, partition]
    return {**json.loads(row.metadata), "data_version": row.data_version}


def rows_of(workspace: Workspace, asset: str, **asked: Any) -> list[list[Any]]:
    location = load_location("", workspace.project.root)
    return list(asset_rows.rows(location, {"asset": asset, **asked})["rows"])


def test_what_a_run_wrote_is_loaded_again(opened: Make) -> None:
    workspace = opened(1)
    first = make(workspace)
    made = recorded(workspace, "silver.n", "2026-01-02")
    assert (made["rows"], made["columns"]["columns"]) == (1, [["n", "int64"], ["price", "float64"]])
    assert recorded(workspace, "silver.n__quarantine", "2026-01-02")["rows"] == 1
    then = recorded(workspace, "gold.total")["table_version"]
    assert rows_of(workspace, "gold.top") == [[2]]
    ((at, day, items, nothing),) = rows_of(workspace, "silver.times")
    assert (str(at)[:13].replace("T", " "), day, items, nothing) == ("2026-01-01 12", "2026-01-01", "[1, 2]", None)
    changed = opened(10)
    second = make(changed)
    assert recorded(changed, "gold.total")["table_version"] != then
    assert ran(changed, "compare", run=first) == [30, 3, 2, 2]
    assert ran(changed, "compare", run=second) == [30, 30, 2, 20]
    assert ran(changed, "compare", run=first, version=then) == [30, 3, 2, 2]
    assert "wrote version" in ran(changed, "compare", run=second, version=then)
    assert "there is no run 99" in ran(changed, "compare", run=99)
    assert "recorded no version" in ran(changed, "compare", run=second + 1)
    assert rows_of(changed, "gold.total", version=then) == [[3]]
    assert rows_of(changed, "silver.n", partition="2026-01-01") == [[10, 1.0]]


def test_a_contract_that_is_broken_leaves_the_version_before(opened: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = opened(1)
    make(workspace)
    before = recorded(workspace, "silver.n", "2026-01-02")
    monkeypatch.setenv("BATUTA_TEST_BREAKS", "2026-01-02")
    handle = workspace.start_plan(workspace.assets.plan("silver.n").plan)
    assert handle.wait(WAIT_S) is RunState.FAILED
    assert recorded(workspace, "silver.n", "2026-01-02") == before
    assert sorted(rows_of(workspace, "silver.n", version="")) == [[1, 1.0], [2, 1.0]]


def test_environments_have_tables_and_versions_of_their_own(opened: Make) -> None:
    workspace = opened(1)
    first = make(workspace)
    there = recorded(workspace, "silver.n", "2026-01-02")["table_version"]
    changed = opened(10)
    dev = make(changed, "silver.n", "dev", "2026-01-02")
    make(changed, "gold.total", "dev")
    assert ran(changed, "compare", "dev", run=first) == [1 + 20, 3, 2, 2]
    assert ran(changed, "compare", run=first) == [3, 3, 2, 2]
    assert rows_of(changed, "silver.n", environment="dev") == [[20, 1.0]]
    assert rows_of(changed, "silver.n", run=dev, environment="dev", versions=_written(changed, "silver.n", dev))
    assert recorded(changed, "silver.n", "2026-01-02")["table_version"] == there
    plan, config = promotion(changed.store, changed.assets, "dev", "*")
    promoted = changed.start_plan(plan, config=config)
    assert promoted.wait(WAIT_S) is RunState.SUCCEEDED
    now = recorded(changed, "silver.n", "2026-01-02")
    assert now["promoted_from"] == "dev"
    assert rows_of(changed, "silver.n", partition="2026-01-02", version=now["table_version"]) == [[20, 1.0]]
    assert rows_of(changed, "silver.n", partition="2026-01-02", version=there) == [[2, 1.0]]
    plan, config, _ = clearing(changed.store, changed.assets, "dev")
    assert changed.start_plan(plan, config=config).wait(WAIT_S) is RunState.SUCCEEDED
    assert rows_of(changed, "gold.total") == [[21]]


def _written(workspace: Workspace, asset: str, run: int) -> list[str]:
    from batuta.engine.table_versions import versions_written

    environment, versions = versions_written(workspace.store, asset, run)
    assert environment == "dev"
    return versions


def test_upkeep_is_a_job_that_makes_nothing_stale(opened: Make) -> None:
    workspace = opened(1, "processes")  # forked from one in which the libraries are imported
    first = make(workspace)
    make(workspace)
    assert ran(workspace, "tidy") == ["gold.total", "silver.n", "silver.n__quarantine", "silver.times"]
    run = workspace.store.runs(job="tidy", limit=1)[0]
    done = [task for task in workspace.store.task_runs(run.id) if task.step == "tend"]
    assert len(done) == 4  # silver.n, its quarantine, silver.times, gold.total
    told = {task.state for task in workspace.store.task_runs(run.id)}
    assert told == {"succeeded"}
    assert all(one.is_fresh for one in workspace.assets.freshness().values())
    assert ran(workspace, "compare", run=first) == [3, 3, 2, 2]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [("keep_for=timedelta(minutes=5)", "keep_for is 0:05:00"), ("keep_last=0", "keep_last is 0")],
)
def test_upkeep_that_cannot_be_is_refused(wrong: str, told: str) -> None:
    from datetime import timedelta

    from batuta import maintenance_job

    with pytest.raises(DefinitionError, match=told):
        eval(f"maintenance_job({wrong})", {"maintenance_job": maintenance_job, "timedelta": timedelta})
    with pytest.raises(DefinitionError, match="nothing is to be done"):
        maintenance_job(compact=False, vacuum=False)
