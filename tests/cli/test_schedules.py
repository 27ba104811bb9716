"""`batuta schedules`: what is defined, and when it fires."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from batuta.cli import exits
from batuta.store import Store
from tests.cli.conftest import Cli

SHOP = """
from datetime import timedelta
from batuta import Schedule, asset, flow, partitions, timetable
from batuta.schedules import calendar


@timetable
def fridays(after):
    at = after.replace(hour=18, minute=0, second=0)
    while at <= after or at.weekday() != 4:
        at += timedelta(days=1)
    return at


@flow(schedule=Schedule("0 2 * * *", timezone="Europe/Madrid", calendar=calendar(weekdays=[1, 2, 3, 4, 5])))
def nightly(): ...


@asset(partitions=partitions.daily("2026-01-01"))
def sales():
    return 1


Schedule(fridays, job="nightly", name="closing", jitter_s=60, enabled=False)
Schedule("0 6 * * *", assets="sales", params={"day": "{interval_start:%Y-%m-%d}"})
Schedule("@daily", job="nightly", name="over", end="2020-01-01")
"""


@pytest.fixture
def shop(cli: Cli) -> Cli:
    (Path(cli.folder) / "shop.py").write_text(SHOP)
    return cli


def test_list_shows_what_starts_what(shop: Cli) -> None:
    said = shop("schedules", "list", "shop.py").out
    for words in ("0 2 * * *", "timetable fridays", "assets sales", "never again", "off"):
        assert words in said
    rows = {row["name"]: row for row in shop("schedules", "list", "shop.py", "--json").json["schedules"]}
    assert list(rows) == ["nightly", "closing", "sales", "over"]
    assert rows["over"]["next_at"] is None
    assert rows["closing"]["next_at"].endswith("Z")
    assert rows["closing"]["enabled_by_default"] is False
    assert (rows["sales"]["job"], rows["sales"]["selection"]) == (None, "sales")
    assert (rows["closing"]["on"], rows["nightly"]["on"]) == (False, True)
    assert rows["nightly"]["timezone"] == "Europe/Madrid"
    assert "0 2 * * *: At 02:00 every day" in shop("show", "shop.py", "nightly").out.replace(" (Europe/Madrid)", "")


def test_next_shows_runs_and_what_is_left_out(shop: Cli) -> None:
    said = shop("schedules", "next", "shop.py", "nightly", "-n", "2", "--after", "2026-03-27T12:00").out
    lines = [line.split("  ") for line in said.splitlines()]
    assert ["", "Mon 2026-03-30 02:00 CEST", "Fri 2026-03-27 02:00 CET"] in lines
    assert "left out: Saturday, Sunday; 2 times up to Sun 2026-03-29 03:00 CEST" in said  # which has no 02:00
    data = shop("schedules", "next", "shop.py", "nightly", "-n", "2", "--after", "2026-03-27T12:00", "--json").json
    assert [(item["kind"], item.get("count")) for item in data["times"]] == [
        ("left_out", 2),
        ("run", None),
        ("run", None),
    ]
    assert data["times"][1]["logical_at"] == "2026-03-30T00:00:00.000Z"
    assert data["times"][1]["interval_start"] == "2026-03-27T01:00:00.000Z"


def test_next_of_timetables_and_partitions(shop: Cli) -> None:
    data = shop("schedules", "next", "shop.py", "closing", "-n", "1", "--after", "2026-03-27T18:00Z", "--json").json
    (run,) = data["times"]
    assert run["logical_at"] == "2026-04-03T18:00:00.000Z"
    assert run["logical_at"] < run["fire_at"] < "2026-04-03T18:01:01.000Z"
    data = shop("schedules", "next", "shop.py", "sales", "-n", "1", "--after", "2026-03-27", "--json").json
    (run,) = data["times"]
    assert (run["partition"], run["params"]) == ("2026-03-26", {"day": "2026-03-26"})
    assert "does not fire any more" in shop("schedules", "next", "shop.py", "over").err


def test_what_is_not_there_is_told(shop: Cli) -> None:
    assert "did you mean 'nightly'" in shop("schedules", "next", "shop.py", "nigthly", code=exits.USAGE).err
    assert "is not a date" in shop("schedules", "next", "shop.py", "nightly", "--after", "soon", code=exits.USAGE).err
    (Path(shop.folder) / "broken.py").write_text(SHOP.replace("return at", "return at.missing"))
    said = shop("schedules", "list", "broken.py")
    assert "AttributeError" in said.out
    assert "nightly" in said.out
    said = shop("schedules", "next", "broken.py", "closing", code=exits.UNLOADABLE)
    assert "broken.py:7" in said.err


def test_list_shows_what_a_person_has_turned_on_or_off(shop: Cli) -> None:
    Path(os.environ["BATUTA_HOME"]).mkdir(exist_ok=True)
    url = os.environ.get("BATUTA_STORE_URL") or f"sqlite:///{os.environ['BATUTA_HOME']}/batuta.db"
    with Store.open(url) as store:
        store.switch("schedule", "shop", "nightly", False, now=1.0, by="ann")
        store.switch("schedule", "shop", "closing", True, now=1.0, by="ann")
        store.switch("schedule", "elsewhere", "sales", False, now=1.0, by="ann")
    rows = {row["name"]: row for row in shop("schedules", "list", "shop.py", "--json").json["schedules"]}
    assert {name: row["on"] for name, row in rows.items()} == {
        "nightly": False,
        "closing": True,
        "sales": True,
        "over": True,
    }
    assert rows["nightly"]["enabled_by_default"] is True
    (line,) = (line for line in shop("schedules", "list", "shop.py").out.splitlines() if " nightly " in line[:12])
    assert line.split()[-2:] == ["off", "-"]
