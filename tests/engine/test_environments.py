"""Environments: what is made there reads production and leaves it alone; diff, promote, drop, use again, kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from batuta.core.environments import checked_name, stored_key
from batuta.core.errors import RequestError
from batuta.core.states import RunState
from batuta.engine.environments import clearing, differences, promotion
from batuta.engine.workspace import Workspace
from batuta.io import DuckDBIO, InputContext
from batuta.runtime.load import load_location
from batuta.runtime.project import find_project
from tests.engine.projects import until

CODE = """
import polars as pl
from batuta import Resources, asset, check, multi_asset, partitions, sql_asset
from batuta.io import DuckDBIO, PostgresIO

days = partitions.daily("2025-01-01", end="2025-01-04")
resources = Resources(house={house})

@asset("bronze.n", partitions=days)
def n(context) -> pl.DataFrame:
    note(f"bronze {{context.partition}}")
    return pl.DataFrame({{"n": [int(context.partition[-2:])], "day": [context.partition]}})

@asset("silver.n", partitions=days)
def silver(n: pl.DataFrame) -> pl.DataFrame:
    note("silver")
    return n.with_columns(twice=pl.col("n") * {factor})

@asset("silver.table", io_manager="house", partitions=days)
def table(silver__n: pl.DataFrame) -> pl.DataFrame:
    note("table")
    return silver__n

@asset("gold.all")
def everything(silver__n: pl.LazyFrame) -> pl.LazyFrame:
    note("all")
    return silver__n.select(pl.col("twice").sum())

@asset("gold.dicts")
def dicts(silver__n: dict[str, pl.DataFrame]) -> list[int]:
    return [frame["twice"].item() for frame in silver__n.values()]

sums = sql_asset("gold.sums", io_manager="house", sql="select sum(twice) as s, count(*) as c from silver.table")
view = sql_asset("gold.view", io_manager="house", materialized="view", sql="select s from gold.sums")
log = sql_asset("gold.log", io_manager="house", materialized="incremental", unique_key="day",
    sql="select day, twice from silver.table")

@check("gold.sums", blocking=True)
def is_small(frame: pl.DataFrame) -> bool:
    return frame["s"].item() < 1000
"""
HEAD = """
import os
def note(text):
    with open(os.environ["BATUTA_TEST_TRACE"], "a") as file:
        file.write(text + "\\n")
"""


@pytest.fixture(params=["duckdb", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The text of an IO manager of a database."""
    if request.param == "duckdb":
        return f"DuckDBIO({str(tmp_path / 'house.duckdb')!r})"
    return f"PostgresIO({request.getfixturevalue('postgres_url')!r})"


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "trace"
    path.touch()
    monkeypatch.setenv("BATUTA_TEST_TRACE", str(path))
    return path


Open = Callable[..., Workspace]


@pytest.fixture
def opened(tmp_path: Path, house: str, trace: Path) -> Iterator[Open]:
    """Opens the project, with other code each time; all share a store and data."""
    with ExitStack() as stack:
        numbers = iter(range(100))

        def open_one(factor: int = 2, code: str = CODE) -> Workspace:
            root = tmp_path / "project"
            root.mkdir(exist_ok=True)
            name = f"lake_{next(numbers)}.py"
            (root / "batuta.toml").write_text(f'code = ["{name}"]\n')
            (root / name).write_text(HEAD + code.format(house=house, factor=factor))
            return stack.enter_context(Workspace(find_project(str(root)), executor="threads"))

        yield open_one


def make(workspace: Workspace, environment: str = "", selection: str = "*", mode: Any = "stale", **more: Any) -> None:
    plan = workspace.assets_in(environment).plan(selection, mode=mode, **more).plan
    run = workspace.start_plan(plan, environment=environment, skip_unchanged=mode == "stale")
    assert run.wait(60) is RunState.SUCCEEDED, error_of(workspace, run.id)


def error_of(workspace: Workspace, run_id: int) -> str:
    row = workspace.store.run(run_id)
    return "" if row is None else row.error


def promote(workspace: Workspace, name: str, selection: str = "*") -> RunState | None:
    plan, config = promotion(workspace.store, workspace.assets, name, selection)
    return workspace.start_plan(plan, config=config).wait(60) if plan.steps else None


def value(workspace: Workspace, asset: str, environment: str = "", *partitions: str) -> Any:
    """What is stored of an asset."""
    location = load_location("", workspace.project.root)
    context = InputContext(
        asset=stored_key(asset, environment),
        partitions=partitions,
        partitioned=bool(partitions),
        annotation=list[dict[str, Any]],
    )
    return location.found.assets.io_of(asset).load(context)


def how(workspace: Workspace, name: str) -> dict[str, tuple[str, ...]]:
    found = differences(workspace.store, workspace.assets.index, name)
    return {one.key: (one.how, *one.partitions) for one in found}


def stale(workspace: Workspace, environment: str = "") -> set[str]:
    return {asset for (asset, _), one in workspace.assets_in(environment).freshness().items() if not one.is_fresh}


def test_an_environment_reads_production_and_writes_its_own(opened: Open, trace: Path) -> None:
    make(opened(2))
    before = value(opened(2), "gold.sums")
    trace.write_text("")
    changed = opened(10)
    make(changed, "dev")
    assert "bronze" not in trace.read_text(), "what has not changed is production's"
    assert value(changed, "gold.sums", "dev") == [{"s": 60, "c": 3}]
    assert value(changed, "gold.view", "dev") == [{"s": 60}]
    assert value(changed, "gold.dicts", "dev") == [10, 20, 30]
    assert value(changed, "gold.all", "dev") == [{"twice": 60}]
    assert value(changed, "gold.sums") == before == [{"s": 12, "c": 3}]
    assert value(changed, "gold.view") == [{"s": 12}]
    assert stale(changed, "dev") == set()
    assert stale(opened(2)) == set(), "production, with its own code, is as it was"
    (row,) = changed.store.environments.all()
    assert (row.name, row.assets) == ("dev", 7)


def test_partitions_of_both_are_put_together(opened: Open) -> None:
    make(opened(2))
    changed = opened(10)
    make(changed, "dev", "silver.n silver.table", partitions="2025-01-02")
    make(changed, "dev", "gold.all gold.dicts gold.sums gold.log", mode="all")
    assert value(changed, "gold.all", "dev") == [{"twice": 2 + 20 + 6}]
    assert value(changed, "gold.dicts", "dev") == [2, 20, 6]
    assert value(changed, "gold.sums", "dev") == [{"s": 28, "c": 3}]
    found = {row["day"]: row["twice"] for row in value(changed, "gold.log", "dev")}
    assert found == {"2025-01-01": 2, "2025-01-02": 20, "2025-01-03": 6}
    assert {row["day"]: row["twice"] for row in value(changed, "gold.log")}["2025-01-02"] == 4
    assert how(changed, "dev")["silver.n"] == ("changed", "2025-01-02")


def test_an_incremental_table_begins_with_what_production_has(opened: Open) -> None:
    make(opened(2), selection="bronze.n silver.n silver.table", partitions="2025-01-01..2025-01-02", mode="all")
    make(opened(2), selection="gold.log", mode="all")
    same = opened(2)
    make(same, "dev", "bronze.n silver.n silver.table gold.log", mode="missing")
    make(same, "dev", "gold.log", mode="all")
    assert len(value(same, "gold.log", "dev")) == 3
    assert len(value(same, "gold.log")) == 2


def test_promoting_takes_data_and_records_and_changes_nothing_twice(opened: Open, trace: Path) -> None:
    make(opened(2))
    changed = opened(10)
    make(changed, "dev")
    trace.write_text("")
    assert promote(changed, "dev") is RunState.SUCCEEDED
    assert trace.read_text() == "", "nothing is made again"
    assert value(changed, "gold.sums") == [{"s": 60, "c": 3}]
    assert value(changed, "gold.view") == [{"s": 60}]
    assert stale(changed) == set()
    assert changed.assets.unproven() == set(), "checks that passed there have passed here"
    assert {one[0] for one in how(changed, "dev").values()} == {"same"}
    made = changed.store.materializations(limit=500)
    assert promote(changed, "dev") is None
    assert changed.store.materializations(limit=500) == made
    before, after = changed.store.environments.states("dev"), changed.store.asset_states()
    views = ("gold.view", "")
    assert {pair: row.data_version for pair, row in before.items() if pair != views} == {
        pair: after[pair].data_version for pair in before if pair != views
    }


def test_only_what_is_selected_is_promoted(opened: Open) -> None:
    make(opened(2))
    changed = opened(10)
    make(changed, "dev")
    promote(changed, "dev", "silver.n")
    assert value(changed, "silver.n", "", "2025-01-02") == [{"n": 2, "day": "2025-01-02", "twice": 20}]
    assert value(changed, "gold.sums") == [{"s": 12, "c": 3}]
    assert how(changed, "dev")["silver.n"] == ("same",)


def test_what_failed_its_checks_is_not_promoted(opened: Open) -> None:
    make(opened(2))
    changed = opened(1000)
    plan = changed.assets_in("dev").plan("*", mode="stale").plan
    assert changed.start_plan(plan, environment="dev").wait(60) is RunState.FAILED
    with pytest.raises(RequestError, match=r"blocking checks have failed.*gold\.sums:is_small"):
        promotion(changed.store, changed.assets, "dev")
    assert {row.passed for row in changed.store.checks_current().values()} == {True}
    promote(changed, "dev", "silver.n")


def test_dropping_deletes_the_data_and_forgets(opened: Open) -> None:
    make(opened(2))
    changed = opened(10)
    make(changed, "dev")
    plan, config, unknown = clearing(changed.store, changed.assets, "dev")
    assert unknown == []
    assert changed.start_plan(plan, config=config).wait(60) is RunState.SUCCEEDED
    assert changed.start_plan(plan, config=config).wait(60) is RunState.SUCCEEDED, "again, after a kill"
    assert changed.store.environments.drop("dev", by="ann", now=1.0)
    assert not changed.store.environments.drop("dev", by="ann", now=1.0)
    from batuta.io import MissingDataError

    for asset in ("gold.sums", "gold.view", "gold.all"):
        with pytest.raises(MissingDataError):
            value(changed, asset, "dev")
        assert value(changed, asset)
    with pytest.raises(RequestError, match="no environment 'dev'"):
        differences(changed.store, changed.assets.index, "dev")


def test_dropping_is_done_with_the_commit_in_which_the_data_are_gone(opened: Open) -> None:
    workspace = opened(2)
    make(workspace, "dev", "+silver.table")
    store = workspace.store
    plan, config, _ = clearing(store, workspace.assets, "dev", "ann")
    assert workspace.start_plan(plan, config=config).wait(60) is RunState.SUCCEEDED
    assert (store.environments.all(), store.environments.states("dev")) == ([], {})
    assert [(one.actor, one.name) for one in store.audit_entries(action="drop", limit=5)] == [("ann", "dev")]
    with pytest.raises(RequestError, match="no environment 'dev'"):
        clearing(store, workspace.assets, "dev", "ann")


def test_what_another_has_made_is_used_again(opened: Open, trace: Path) -> None:
    make(opened(2))
    make(opened(10), "dev_anna")
    trace.write_text("")
    bob = opened(10)
    make(bob, "dev_bob")
    assert trace.read_text() == ""
    assert value(bob, "gold.sums", "dev_bob") == [{"s": 60, "c": 3}]
    states = bob.store.environments.states("dev_bob")
    assert b'"reused_from":"dev_anna"' in states["gold.sums", ""].metadata
    merged = opened(10)
    make(merged)
    assert trace.read_text() == "", "a branch that was merged finds what it has made"
    assert value(merged, "gold.sums") == [{"s": 60, "c": 3}]
    other = opened(11)
    make(other)
    assert "silver" in trace.read_text()


def test_what_was_deleted_is_made_again(opened: Open, trace: Path, tmp_path: Path) -> None:
    make(opened(2))
    make(opened(10), "dev_anna", "silver.n")
    for file in (tmp_path / "project" / "data").rglob("*__dev_anna/**/*.parquet"):
        file.unlink()
    trace.write_text("")
    make(opened(10), "dev_bob", "silver.n")
    assert trace.read_text().count("silver") == 3


def test_tasks_of_other_jobs_see_the_environment(opened: Open) -> None:
    code = (
        CODE
        + """
from batuta import flow
@flow
def report() -> float:
    from batuta import context
    with open(os.environ["BATUTA_TEST_TRACE"], "a") as file:
        file.write(context().environment + "\\n")
    return float(context().load_asset("gold.sums")["s"].item())
"""
    )
    make(opened(2, code))
    changed = opened(10, code)
    make(changed, "dev")
    for environment, expected in (("dev", "60"), ("", "12")):
        run = changed.start_job("report", environment=environment)
        assert run.wait(60) is RunState.SUCCEEDED, error_of(changed, run.id)
        body = changed.store.task_run(run.id, 0)
        assert body is not None
        assert body.output is not None
        assert expected in body.output.decode()


@pytest.mark.parametrize("name", ["Dev", "dev-anna", "", "dev__anna", "1dev", "production", "d" * 41, "dev;drop"])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(RequestError, match="cannot be an environment's name"):
        checked_name(name)


def test_stored_keys() -> None:
    assert stored_key("silver.orders.daily", "dev") == "silver__dev.orders.daily"
    assert stored_key("orders", "dev") == "orders__dev"
    assert stored_key("silver.orders", "") == "silver.orders"


def test_a_promotion_that_is_killed_is_made_again(tmp_path: Path, trace: Path) -> None:
    """Killed between two assets: each is promoted or not, and the next promotion does the rest."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "batuta.toml").write_text('code = ["lake.py"]\n[executor]\nworkers = 1\n')
    code = """
import time
import polars as pl
from batuta import Resources, asset
from batuta.io import ParquetIO

class Slow(ParquetIO):
    def copy(self, source, target):
        if "__" not in target.asset and os.environ.get("SLOW") and "b" in target.asset.split(".")[-1]:
            note("copying")
            time.sleep(600)
        return super().copy(source, target)

resources = Resources(io_manager=Slow("data"))

@asset("gold.a")
def a() -> pl.DataFrame:
    return pl.DataFrame({"n": [%d]})

@asset("gold.b")
def b(a: pl.DataFrame) -> pl.DataFrame:
    return a
"""

    def command(*words: str, **more: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **more, "PYTHONPATH": os.pathsep.join(sys.path)}
        line = [sys.executable, "-m", "batuta.cli.main", *words]
        return subprocess.Popen(line, cwd=root, env=environment, start_new_session=True)

    def done(*words: str) -> None:
        process = command(*words)
        assert process.wait(120) == 0

    (root / "lake.py").write_text(HEAD + code % 1)
    done("materialize", "--all", "-q")
    (root / "lake.py").write_text(HEAD + code % 2)
    done("materialize", "--stale", "-q", "--env", "dev")
    process = command("env", "promote", "dev", SLOW="1")
    until(lambda: "copying" in trace.read_text(), "the second asset is being promoted")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()

    def content(name: str) -> int:
        import polars as pl

        number: int = pl.read_parquet(root / "data" / "gold" / f"{name}.parquet")["n"].item()
        return number

    assert (content("a"), content("b")) == (2, 1)
    done("env", "promote", "dev")
    assert (content("a"), content("b")) == (2, 2)
    done("materialize", "--stale", "-q")
    assert (content("a"), content("b")) == (2, 2)


def test_duckdb_copies_all_partitions_or_none(tmp_path: Path) -> None:
    import polars as pl

    from batuta.io import MissingDataError, OutputContext

    io = DuckDBIO(tmp_path / "x.duckdb")
    for key in ("1", "2"):
        io.store(OutputContext(asset="a__dev.x", partitions=(key,)), pl.DataFrame({"n": [int(key)]}))
    io.store(OutputContext(asset="a.x", partitions=("1",)), pl.DataFrame({"n": [0]}))
    with pytest.raises(MissingDataError):
        io.copy(
            OutputContext(asset="a__dev.x", partitions=("1", "3")), OutputContext(asset="a.x", partitions=("1", "3"))
        )
    read = InputContext(asset="a.x", partitions=("1",), partitioned=True, annotation=list[dict[str, Any]])
    assert io.load(read) == [{"n": 0}]
    both = OutputContext(asset="a__dev.x", partitions=("1", "2"))
    assert set(io.copy(both, OutputContext(asset="a.x", partitions=("1", "2"))).parts) == {"1", "2"}
    assert io.load(read) == [{"n": 1}]
