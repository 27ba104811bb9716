"""Sensors from the command line: what is known without a service, and what is changed in the store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batuta.cli import exits
from tests.cli.conftest import Cli

TEXT = """
from batuta import flow
from batuta.sensors import RunRequest, SensorContext, Skip, run_sensor, sensor


@flow
def load(day: str = "") -> str:
    return day


@sensor(job=load, every_s=60)
def days(context: SensorContext):
    "Days that are over."
    if context.cursor == "done":
        return Skip("no more days")
    context.cursor = "done"
    return RunRequest(run_key="monday", params={"day": "monday"}, tags={"x": "y"})


@sensor(job=load)
def broken():
    raise ValueError("nothing there")


after = run_sensor(load, name="after", job="load", enabled=False)
"""


@pytest.fixture
def watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("BATUTA_HOME", str(tmp_path / "home"))
    folder = tmp_path / "watching"
    folder.mkdir()
    (folder / "watching.py").write_text(TEXT)
    (folder / "batuta.toml").write_text('name = "watching"\ncode = ["watching.py"]\n')
    return Cli(folder)


def test_sensors_are_listed(watching: Cli) -> None:
    found = {one["name"]: one for one in watching("sensors", "list", "--json").json["sensors"]}
    assert {name: (one["source"], one["job"], one["on"]) for name, one in found.items()} == {
        "days": ("function", "load", True),
        "broken": ("function", "load", True),
        "after": ("runs", "load", False),
    }
    assert found["days"]["description"] == "Days that are over."
    assert "every 1 min" in watching("sensors", "list").out


def test_an_evaluation_starts_nothing(watching: Cli) -> None:
    said = watching("sensors", "evaluate", "days", "--json").json
    (request,) = said["requests"]
    assert (request["run_key"], request["job"], request["params"]) == ("monday", "load", {"day": "monday"})
    assert said["cursor"] == "done"
    assert watching("sensors", "evaluate", "days").out.startswith("would start load (monday) {'day': 'monday'}")
    assert "no more days" in watching("sensors", "evaluate", "days", "--cursor", "done").out
    assert "nothing new" in watching("sensors", "evaluate", "after").out
    assert watching("runs", "list", "--json").json["runs"] == []


def test_what_is_wrong_is_told(watching: Cli) -> None:
    said = watching("sensors", "evaluate", "broken", code=exits.FAILED)
    assert "ValueError: nothing there" in said.err
    assert "watching.py:" in said.err
    assert "did you mean 'days'" in watching("sensors", "on", "dys", code=None).err
    assert "has never been evaluated" in watching("sensors", "reset", "days", code=None).err


def test_sensors_are_turned_on_and_off(watching: Cli) -> None:
    assert watching("sensors", "off", "days").out == "sensor days is off\n"
    watching("sensors", "on", "watching/after")
    found = {one["name"]: one["on"] for one in watching("sensors", "list", "--json").json["sensors"]}
    assert (found["days"], found["after"]) == (False, True)
    assert json.loads(watching("sensors", "ticks", "days", "--json").out) == {"ticks": []}
    assert watching("sensors", "reset", "days").out == "sensor days begins anew\n"
