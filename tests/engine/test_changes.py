"""What would change, told before it runs: how code differs, what becomes of columns, what breaks, what is copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from batuta.core.changes import AssetChange, Breaking, Changes, Reached
from batuta.core.contract import ColumnChange
from batuta.core.errors import SelectionError
from batuta.core.states import RunState
from batuta.engine.changes import NOT_KEPT, SAME_TEXT, changes
from batuta.engine.workspace import Workspace
from batuta.runtime.project import find_project

HEAD = """
import polars as pl
from batuta import Resources, asset, partitions, sql_asset
from batuta.io import DuckDBIO

resources = Resources(house=DuckDBIO({house!r}))
days = partitions.daily("2025-01-01", end="2025-01-{end}")
"""
CODE = """
def euros(frame):
    return frame.with_columns(euros=pl.col("cents") / 100)

@asset("bronze.n", partitions=days)
def n(context) -> pl.DataFrame:
    return pl.DataFrame({"n": [1], "cents": [100], "day": [context.partition]})

@asset("silver.n", partitions=days, io_manager="house")
def silver(bronze__n: pl.DataFrame) -> pl.DataFrame:
    return euros(bronze__n)

daily = sql_asset("gold.daily", io_manager="house",
    sql="select day, sum(cents) as cents, count(*) as many from silver.n group by day")
total = sql_asset("gold.total", io_manager="house", sql="select sum(many) as total from gold.daily")

@asset("gold.report")
def report(gold__daily: pl.DataFrame) -> pl.DataFrame:
    return gold__daily

@asset("gold.alone")
def alone() -> pl.DataFrame:
    return pl.DataFrame({"a": [1]})
"""
Open = Callable[..., Workspace]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens the project with other code each time; all share a store and data."""
    with ExitStack() as stack:
        numbers = iter(range(100))

        def open_one(code: str = CODE, end: str = "04") -> Workspace:
            root = tmp_path / "project"
            root.mkdir(exist_ok=True)
            name = f"lake_{next(numbers)}.py"
            (root / "batuta.toml").write_text(f'code = ["{name}"]\n')
            (root / name).write_text(HEAD.format(house=str(tmp_path / "house.duckdb"), end=end) + code)
            workspace = stack.enter_context(Workspace(find_project(str(root)), executor="threads"))
            assert not workspace.definitions.problems
            return workspace

        yield open_one


def make(workspace: Workspace, environment: str = "", selection: str = "*") -> None:
    plan = workspace.assets_in(environment).plan(selection, mode="stale").plan
    run = workspace.start_plan(plan, environment=environment, skip_unchanged=True)
    assert run.wait(60) is RunState.SUCCEEDED


def found_in(workspace: Workspace, selection: str = "*", environment: str = "", **more: Any) -> Changes:
    return changes(workspace.store, workspace.assets_in(environment), selection, **more)


def by_key(found: Changes) -> dict[str, AssetChange]:
    return {one.key: one for one in found.assets}


def test_nothing_was_made_yet_then_nothing_would_change(opened: Open) -> None:
    workspace = opened()
    found = found_in(workspace)
    assert {one.how for one in found.assets} == {"added"}
    assert by_key(found)["bronze.n"].partitions == ("2025-01-01", "2025-01-02", "2025-01-03")
    assert (found.task_runs, found.fresh, found.breaking) == (10, (), ())
    make(workspace)
    found = found_in(opened())
    assert (found.assets, found.task_runs, found.removed) == ((), 0, ())
    assert len(found.fresh) == 6
    with pytest.raises(SelectionError, match="nope"):
        found_in(opened(), "nope")


def test_a_helper_and_a_query_differ_and_columns_that_go_break_their_readers(opened: Open) -> None:
    make(opened())
    code = CODE.replace("/ 100", "// 100").replace("sum(cents) as cents, count(*) as many", "sum(cents)::int as cents")
    found = found_in(opened(code))
    assets = by_key(found)
    assert {key: one.how for key, one in assets.items()} == {
        "silver.n": "changed",
        "gold.daily": "changed",
        "gold.total": "downstream",
        "gold.report": "downstream",
    }
    assert assets["silver.n"].reasons == (("code changed", 3),)
    (helper,) = assets["silver.n"].diff
    assert helper.name == "euros"
    assert helper.lines[1:] == (
        '-    return frame.with_columns(euros=pl.col("cents") / 100)',
        '+    return frame.with_columns(euros=pl.col("cents") // 100)',
    )
    (query,) = assets["gold.daily"].diff
    assert query.lines[2:5] == ("-  SUM(cents) AS cents,", "-  COUNT(*) AS many", "+  CAST(SUM(cents) AS INT) AS cents")
    gone, narrowed = assets["gold.daily"].columns
    assert gone == ColumnChange("many", "removed", "int64", breaking=True)
    assert (narrowed.column, narrowed.kind, narrowed.after, narrowed.breaking) == ("cents", "type", "int32", True)
    assert found.fresh == ("bronze.n", "gold.alone")
    removed = next(one for one in found.breaking if one.column == "many")
    assert removed.reached == (Reached("gold.total", ("total",)), Reached("gold.report", certain=False))

    only = found_in(opened(code), "silver.n")
    assert [one.key for one in only.assets] == ["silver.n"]
    assert only.afterwards == ("gold.daily", "gold.total", "gold.report")
    one_day = by_key(found_in(opened(code), partitions="2025-01-02"))["silver.n"]
    assert (one_day.partitions, one_day.of) == (("2025-01-02",), 3)


def test_layout_columns_that_come_and_wider_types_break_nobody(opened: Open) -> None:
    make(opened())
    assert found_in(opened(CODE.replace("select day, ", "-- by day\\nselect   day,\\n"))).assets == ()
    wider = CODE.replace("count(*) as many", "count(*)::hugeint as many, 1 as one")
    found = found_in(opened(wider))
    assert [(one.column, one.kind, one.breaking) for one in by_key(found)["gold.daily"].columns] == [
        ("many", "type", False),
        ("one", "added", False),
    ]
    assert found.breaking == ()


def test_new_partitions_and_new_data_are_no_change_of_code(opened: Open) -> None:
    make(opened())
    found = by_key(found_in(opened(end="06")))
    assert (found["bronze.n"].how, found["bronze.n"].count, found["bronze.n"].of) == ("missing", 2, 5)
    assert found["gold.daily"].how == "downstream"
    make(opened(end="05"), selection="bronze.n silver.n")
    assert by_key(found_in(opened(end="05")))["gold.daily"].how == "stale"


def test_an_asset_that_is_gone_breaks_who_still_reads_it(opened: Open) -> None:
    make(opened())
    silver, alone = '@asset("silver.n", partitions=days, io_manager="house")', '@asset("gold.alone")'
    without = CODE.replace(silver, "").replace(alone, "")
    found = found_in(opened(without))
    assert found.removed == ("gold.alone", "silver.n")
    assert [one for one in found.breaking if not one.column] == [
        Breaking("silver.n", "is not defined any more, and is still read", reached=(Reached("gold.daily"),))
    ]
    assert found_in(opened(without), whole=False).removed == ()


def test_contracts_of_functions_and_of_queries_are_looked_at(opened: Open) -> None:
    promised = """
@asset("silver.p", io_manager="house", schema={0})
def p() -> pl.DataFrame:
    return pl.DataFrame({{"id": [1], "name": ["a"]}})

q = sql_asset("gold.q", io_manager="house", schema={{"id": "int64"}}, sql="select {1} from silver.p")
v = sql_asset("gold.v", io_manager="house", materialized="view", sql="select * from silver.p")
"""
    make(opened(promised.format('{"id": "int64", "name": "string"}', "id")))
    found = found_in(opened(promised.format('{"id": "int32"}', "id, 1 as more")))
    assert [one.key for one in found.assets] == ["gold.q"]  # a contract counts when its asset is made next
    assert sorted((one.asset, one.column, one.text) for one in found.breaking) == [
        ("gold.q", "id", "breaks its contract: id is int32, not int64"),
        ("gold.q", "id", "id: int32, it was int64"),
        ("gold.q", "more", "breaks its contract: more is not in the contract (int32)"),
        ("gold.v", "id", "id: int32, it was int64"),
        ("gold.v", "name", "name: removed, it was string"),
        ("silver.p", "id", "id: int32, it was int64"),
        ("silver.p", "name", "name: removed, it was string"),
    ]
    gone = next(one for one in found.breaking if (one.asset, one.column) == ("silver.p", "name"))
    assert gone.reached == (Reached("gold.v", ("name",)),)


def test_what_another_environment_made_would_be_copied(opened: Open) -> None:
    make(opened())
    code = CODE.replace("/ 100", "// 100")
    make(opened(code), "dev")
    found = found_in(opened(code))
    assert {key: one.reuse for key, one in by_key(found).items()} == {
        "silver.n": {"dev": 3},
        "gold.daily": {"dev": 1},
        "gold.total": {"unchanged": 1},
        "gold.report": {"unchanged": 1},
    }
    assert found_in(opened(code), environment="dev").assets == ()
    more = by_key(found_in(opened(code, end="05")))
    assert more["silver.n"].reuse == {"dev": 3}
    assert more["gold.daily"].reuse == {}
    back = by_key(found_in(opened(), environment="dev"))
    assert back["silver.n"].reuse == {"production": 3}


def test_where_no_text_differs_the_reason_is_said(opened: Open, tmp_path: Path) -> None:
    code = CODE + '\ndef made(value):\n    @asset("gold.closed")\n    def closed() -> pl.DataFrame:\n'
    code += '        return pl.DataFrame({{"a": [value]}})\n    return closed\none = made({0})\n'
    code = code.replace("{{", "{").replace("}}", "}")
    make(opened(code.replace("{0}", "1")))
    changed = by_key(found_in(opened(code.replace("{0}", "2"))))["gold.closed"]
    assert (changed.how, changed.diff, changed.note) == ("changed", (), SAME_TEXT)
    workspace = opened(code.replace("{0}", "2"))
    with workspace.store._database.transaction() as transaction:
        transaction.run("delete_asset_code", asset="gold.closed", code_version=recorded_version(workspace))
    assert by_key(found_in(workspace))["gold.closed"].note == NOT_KEPT


def recorded_version(workspace: Workspace) -> str:
    return workspace.store.asset_states(["gold.closed"])["gold.closed", ""].code_version
