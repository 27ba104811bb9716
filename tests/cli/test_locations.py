"""The command line over several code locations: one graph of assets, and runs that cross from one to the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batuta.cli import exits
from batuta.runtime.project import find_project
from batuta.scheduler.service import Service
from tests.cli.conftest import Cli

OWN = """
from batuta import asset, external_asset, flow

revenue = external_asset("gold.revenue")

@asset(key="bronze.pay", layer="bronze")
def pay() -> int:
    return 2

@asset(key="report", deps=["gold.revenue"])
def report() -> str:
    if FAIL:
        raise ValueError("not today")
    return "written"

@flow
def hello() -> str:
    return "hello"
"""
MART = """
from batuta import asset, check, external_asset, flow

pay = external_asset("bronze.pay")

@asset(key="silver.pay", layer="silver", deps=["bronze.pay"])
def clean() -> int:
    return 3

@asset(key="gold.revenue", layer="gold", deps=["silver.pay"])
def revenue() -> int:
    return 4

@check("silver.pay", blocking=True)
def fine() -> bool:
    return True

@flow
def tidy() -> str:
    return "tidied"
"""


@pytest.fixture
def two(bare: Cli) -> Cli:
    """A project with code of its own, and one location beside it."""
    folder = bare.folder
    (folder / "own").mkdir()
    (folder / "mart").mkdir()
    (folder / "own" / "assets.py").write_text("import os\nFAIL = os.path.exists('fail')\n" + OWN)
    (folder / "mart" / "assets.py").write_text(MART)
    (folder / "batuta.toml").write_text(
        'name = "shop"\ncode = ["own"]\n[executor]\nworkers = 1\n'
        '[[locations]]\nname = "mart"\nroot = "mart"\ncode = ["assets.py"]\n'
    )
    return bare


def test_one_graph_and_one_run_over_both(two: Cli) -> None:
    listed = two("list", "--json").json
    assert [one["key"] for one in listed["assets"]] == ["bronze.pay", "silver.pay", "gold.revenue", "report"]
    assert not any(one["external"] for one in listed["assets"])
    assert sorted(job["name"] for job in listed["jobs"]) == ["hello", "tidy"]
    lines = two("materialize", "+gold.revenue", "--json").lines
    assert lines[-1]["run"]["state"] == "succeeded"
    shown = two("runs", "show", str(lines[-1]["run"]["id"]), "--json").json
    assert shown["run"]["location"] == "shop"
    assert [task["task"] for task in shown["tasks"]] == ["bronze.pay", "silver.pay", "silver.pay:fine", "gold.revenue"]
    assert "fresh" in two("materialize", "--stale", "-n", "silver.pay", "gold.revenue").out
    assert two("list", "assets", "location:mart", "--json").json["assets"][0]["key"] == "silver.pay"
    said = two("run", "tidy", "--json").lines[-1]
    assert two("runs", "show", str(said["run"]["id"]), "--json").json["run"]["location"] == "mart"


def test_a_run_over_both_is_retried_over_both(two: Cli) -> None:
    two.touch("fail")
    failed = two("materialize", "gold.revenue+", "--json", code=exits.FAILED).lines[-1]["run"]["id"]
    (two.folder / "fail").unlink()
    again = two("runs", "retry", str(failed), "--json").lines[-1]
    assert again["run"]["state"] == "succeeded"
    tasks = two("runs", "show", str(failed), "--json").json["tasks"]
    assert {task["task"]: task["attempt"] for task in tasks} == {"gold.revenue": 1, "report": 2}


def test_one_that_is_broken_stops_no_other(two: Cli) -> None:
    (two.folder / "mart" / "assets.py").write_text("import nowhere_at_all\n")
    said = two("materialize", "bronze.pay")
    assert "nowhere_at_all" in said.err
    assert "there is no asset 'silver.pay'" in two("materialize", "silver.pay", code=exits.UNLOADABLE).err
    (two.folder / "mart" / "assets.py").unlink()
    (two.folder / "batuta.toml").write_text(
        (two.folder / "batuta.toml").read_text() + 'python = "no/such/place"\n', encoding="utf-8"
    )
    said = two("materialize", "bronze.pay")
    assert "location 'mart': there is no such Python" in said.err
    assert "no/such/place" in said.err


def test_a_circle_through_both_is_told(two: Cli) -> None:
    own = two.folder / "own" / "assets.py"
    own.write_text(own.read_text().replace('layer="bronze")', 'deps=["gold.revenue"])'))
    said = two("list", "assets")
    assert "all assets of location 'mart' are left out" in said.err
    assert "bronze.pay -> silver.pay -> gold.revenue" in said.err.replace("\n", " ")


def test_a_location_alone(two: Cli) -> None:
    listed = two("list", "assets", "--file", "mart", "--json").json["assets"]
    assert {one["key"]: one["external"] for one in listed} == {
        "bronze.pay": True,
        "silver.pay": False,
        "gold.revenue": False,
    }
    listed = two("list", "assets", "--file", "shop", "--json").json["assets"]
    assert {one["key"] for one in listed} == {"bronze.pay", "gold.revenue", "report"}


def test_own_steps_in_threads_and_those_of_others_in_their_own_process(two: Cli) -> None:
    assert two("materialize", "+report", "--executor", "threads", "--json").lines[-1]["run"]["state"] == "succeeded"
    assert two("materialize", "+report", "--executor", "inline", "--json").lines[-1]["run"]["state"] == "succeeded"


def test_settings_of_locations_that_are_wrong(two: Cli, tmp_path: Path) -> None:
    config = two.folder / "batuta.toml"
    text = config.read_text()
    for more, told in {
        '[[locations]]\nname = "mart"\n': "two locations are called 'mart'",
        '[[locations]]\nname = "shop"\nroot = "x"\ncode = ["x"]\n': "two locations are called 'shop'",
        '[[locations]]\nname = "w"\nkind = "python"\ntarget = "dev"\n': "'target' is for dbt",
        '[[locations]]\nname = "w"\nkind = "dbt"\ncode = ["x"]\n': "which has no `code`",
        '[[locations]]\nname = "w"\nkind = "spark"\n': "it may be 'python', 'dbt'",
    }.items():
        config.write_text(text + more)
        assert told in two("list", code=exits.UNLOADABLE).err


OWN_TICKING = """
from batuta import Automation, Schedule, asset, flow, partitions, timetable
from batuta.sensors import RunRequest, sensor

@timetable
def never(after):
    return None

@flow(schedule=Schedule("0 6 * * *"))
def hello() -> None: ...

Schedule(never, job="hello", name="nightly")
"""
MART_TICKING = """
from datetime import timedelta
from batuta import Automation, Schedule, asset, flow, partitions, timetable
from batuta.sensors import RunRequest, sensor

@timetable
def noons(after):
    return after.replace(hour=12, minute=0, second=0) + timedelta(days=1)

@flow(schedule=Schedule("0 7 * * *"))
def tidy() -> None: ...

Schedule(noons, job="tidy", name="noon")

@sensor(job="tidy")
def watches():
    return RunRequest(run_key="one")

@asset(key="silver.days", partitions=partitions.daily("2026-01-01", end="2026-01-04"), automation=Automation.eager())
def days() -> int:
    return 1
"""


@pytest.fixture
def ticking(two: Cli) -> Cli:
    (two.folder / "own" / "assets.py").write_text(OWN_TICKING)
    (two.folder / "mart" / "assets.py").write_text(MART_TICKING)
    return two


def test_schedules_of_all_of_them_before_any_service_has_run(ticking: Cli) -> None:
    def listed() -> dict[tuple[str, str], dict[str, Any]]:
        rows = ticking("schedules", "list", "--json").json["schedules"]
        return {(one["location"], one["name"]): one for one in rows}

    found = listed()
    assert list(found) == [("shop", "hello"), ("shop", "nightly"), ("mart", "tidy"), ("mart", "noon")]
    assert found["shop", "nightly"]["next_at"] is None
    assert found["mart", "noon"]["next_at"].endswith("T12:00:00.000Z")
    assert len(ticking("schedules", "next", "mart/noon", "-n", "3", "--json").json["times"]) == 3
    said = ticking("schedules", "off", "noon", "--location", "shop", code=exits.USAGE)
    assert "there is no schedule 'noon'" in said.err
    assert ticking("schedules", "off", "noon", "--json").json["location"] == "mart"
    assert [one["on"] for one in listed().values()] == [True, True, True, False]


def test_sensors_automation_and_backfills_of_all_of_them(ticking: Cli) -> None:
    assert ticking("sensors", "evaluate", "watches", "--json").json["requests"][0]["job"] == "tidy"
    ticking("sensors", "off", "watches")
    (sensor,) = ticking("sensors", "list", "--json").json["sensors"]
    assert (sensor["location"], sensor["on"]) == ("mart", False)

    ticking("automation", "off", "silver.days")
    (automated,) = ticking("automation", "list", "--json").json["automation"]
    assert (automated["location"], automated["enabled"]) == ("mart", False)

    dates = ("--from", "2026-01-01", "--to", "2026-01-03", "--every", "daily")
    ticking("backfills", "launch", "tidy", *dates)
    ticking("backfills", "launch", "silver.days", "--partitions", "all", "--runs", "2")
    launched = ticking("backfills", "list", "--json").json["backfills"]
    assert [(one["location"], one["runs"]) for one in launched] == [("", {"waiting": 3}), ("mart", {"waiting": 3})]


def test_what_one_defined_last_is_shown_while_it_is_away(two: Cli) -> None:
    (two.folder / "mart" / "assets.py").write_text(MART_TICKING)
    service = Service(find_project(str(two.folder)))
    service.load()
    service.stop(0.0)
    (two.folder / "batuta.toml").write_text(
        'name = "shop"\ncode = ["own"]\n[[locations]]\nname = "mart"\nremote = true\n'
    )
    assert [one["location"] for one in two("schedules", "list", "--json").json["schedules"]] == ["mart", "mart"]
    said = two("sensors", "evaluate", "watches", code=exits.USAGE).err
    assert "location 'mart' cannot be asked: no scheduler lives" in said
