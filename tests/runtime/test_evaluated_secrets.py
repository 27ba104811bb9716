"""What user code answers outside of steps: no secret in a sensor's requests, cursor or reason, nor in parameters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batuta.runtime.evaluations import answer
from batuta.runtime.load import Location, load_location
from batuta.runtime.masking import forget_secrets

TOKEN = "hunter22-token"
CODE = """
from batuta import Secret, flow
from batuta.sensors import RunRequest, Skip, sensor


@flow
def load(path: str = "") -> None: ...


@sensor(job=load)
def says():
    return Skip(f"{Secret.get('token')} is no reason")


@sensor(job=load)
def asks():
    return RunRequest(run_key="1", params={"path": Secret.get("token")})


@sensor(job=load)
def remembers(context):
    context.cursor = Secret.get("token")


@sensor(job=load)
def fails():
    raise ValueError(Secret.get("token"))
"""


@pytest.fixture
def location(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Location]:
    forget_secrets()
    monkeypatch.setenv("BATUTA_SECRET_TOKEN", TOKEN)
    (tmp_path / "looks.py").write_text(CODE)
    yield load_location(str(tmp_path / "looks.py"), str(tmp_path))
    forget_secrets()


def evaluated(location: Location, name: str) -> dict[str, Any]:
    said = answer(location, "sensor", {"name": name, "now": 1_000_000.0})
    assert TOKEN not in str(said)
    return said


def test_a_reason_is_masked(location: Location) -> None:
    assert evaluated(location, "says")["data"]["reason"] == "*** is no reason"


@pytest.mark.parametrize("name", ["asks", "remembers"])
def test_what_is_needed_as_it_is_may_hold_none(location: Location, name: str) -> None:
    said = evaluated(location, name)
    assert said["say"] == "refused"
    assert said["what"] == "what it asks for holds a secret, and is recorded"


def test_an_error_is_masked(location: Location) -> None:
    said = evaluated(location, "fails")
    assert (said["say"], said["what"]) == ("raised", "***")


def test_parameters_of_many_runs_are_looked_at(location: Location) -> None:
    evaluated(location, "says")
    runs = [["load", {"path": "in.csv"}], ["load", {"path": f"in/{TOKEN}"}]]
    said = answer(location, "validate", {"runs": runs})["data"]["runs"]
    assert said[0] == {"params": {"path": "in.csv"}}
    assert said[1]["what"] == "the parameter 'path' holds a secret, and parameters are recorded"
