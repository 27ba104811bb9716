"""Automation from the command line."""

from __future__ import annotations

from pathlib import Path

from batuta.cli import exits
from tests.cli.conftest import Cli

CODE = """
from batuta import Automation, DAG, Freshness, asset, flow, on_assets
from batuta.partitions import daily

DAYS = daily("2026-01-01", end="2026-01-05")

@asset(partitions=DAYS)
def raw() -> int:
    return 1

@asset(partitions=DAYS, automation=Automation.eager(), freshness=Freshness(3600))
def clean(raw: int) -> int:
    return raw

@asset
def rates() -> int:
    return 1

@flow(schedule=on_assets("raw") & on_assets("rates"))
def report() -> None: ...
"""


def written(cli: Cli) -> Path:
    path = cli.folder / "automated.py"
    path.write_text(CODE)
    return path


def test_what_is_automated_is_listed(cli: Cli) -> None:
    written(cli)
    text = cli("automation", "list", "automated.py").out
    assert "clean" in text
    assert "not older than 60 min" in text
    assert "on (raw & rates)" in text
    rows = cli("automation", "list", "automated.py", "--json").json["automation"]
    assert [(row["name"], row["kind"], row["enabled"], row["last_tick"]) for row in rows] == [
        ("clean", "asset", True, None),
        ("report", "job", True, None),
    ]


def test_an_asset_shows_when_it_is_made_by_itself(cli: Cli) -> None:
    written(cli)
    text = cli("show", "automated.py", "clean").out
    assert "eager" in text
    assert "not older than 60 min" in text
    shown = cli("show", "automated.py", "clean", "--json").json
    assert (shown["automation"], shown["freshness"]) == ("eager", "not older than 60 min")


def test_an_asset_is_explained_with_each_part_of_its_condition(cli: Cli) -> None:
    written(cli)
    cli("materialize", "automated.py", "raw", "--partition", "2026-01-03..2026-01-04")
    said = cli("automation", "explain", "automated.py", "clean")
    assert "requested 1 of 4 partitions: 2026-01-04" in said.out
    assert "any upstream missing  2 of 4 partitions: 2026-01-01..2026-01-02" in said.out
    assert "missing [raw]  2 of 4 partitions" in said.out
    now = cli("automation", "explain", "automated.py", "clean", "--json").json["now"]
    assert now["requested"] == {"count": 1, "total": 4, "ranges": [["2026-01-04", "2026-01-04"]]}
    one = cli("automation", "explain", "automated.py", "clean", "--partition", "2026-01-02").out
    assert "of partition 2026-01-02" in one
    assert "✓ any upstream missing  all of 1 partitions" in one


def test_a_job_is_explained_by_what_it_waits_for(cli: Cli) -> None:
    written(cli)
    said = cli("automation", "explain", "automated.py", "report")
    assert "raw was not made since it was started last" in said.out
    assert cli("automation", "explain", "automated.py", "report", "--json").json["now"]["waits_for"] == ["raw", "rates"]


def test_it_is_turned_off_and_on(cli: Cli) -> None:
    written(cli)
    assert "asset clean is off" in cli("automation", "off", "automated.py", "clean").out
    assert "job report is off" in cli("automation", "off", "automated.py", "report").out
    rows = cli("automation", "list", "automated.py", "--json").json["automation"]
    assert [row["enabled"] for row in rows] == [False, False]
    assert "turned off" in cli("automation", "explain", "automated.py", "clean").out
    assert "asset clean is on" in cli("automation", "on", "automated.py", "clean").out


def test_wrong_names_and_partitions_say_what_there_is(cli: Cli) -> None:
    written(cli)
    assert "did you mean 'clean'" in cli("automation", "explain", "automated.py", "claen", code=exits.USAGE).err
    said = cli("automation", "explain", "automated.py", "clean", "--partition", "2026-02-01", code=2)
    assert "2026-02-01" in said.err
    said = cli("automation", "explain", "automated.py", "report", "--partition", "x", code=2)
    assert "leave --partition out" in said.err
    assert "nothing is automated" in cli("automation", "list", "pipelines/flows.py").err


def test_what_is_not_automated_is_told_from_what_is_not_there(cli: Cli) -> None:
    written(cli)
    said = cli("automation", "explain", "automated.py", "rates", code=exits.USAGE).err
    assert "asset rates is not automated" in said
    assert "Automation.eager()" in said
    assert (
        "nothing automated is called 'nope'" in cli("automation", "off", "automated.py", "nope", code=exits.USAGE).err
    )
