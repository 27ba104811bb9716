"""Backfills from the command line, without a service: what they would do, and what people do to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli

TEXT = """
from batuta import asset, flow
from batuta.partitions import daily


@asset(partitions=daily("2025-01-01", end="2025-02-01"))
def rates() -> int:
    return 1


@flow(schedule="0 2 * * *")
def nightly(day: str = "") -> str:
    return day
"""


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("BATUTA_HOME", str(tmp_path / "home"))
    folder = tmp_path / "lake"
    folder.mkdir()
    (folder / "lake.py").write_text(TEXT)
    (folder / "batuta.toml").write_text('name = "lake"\ncode = ["lake.py"]\n')
    return Cli(folder)


def test_a_preview_launches_nothing(lake: Cli) -> None:
    said = lake("backfills", "launch", "rates", "--partitions", "2025-01", "--batch", "10", "--preview", "--json").json
    assert (said["id"], said["runs"], said["partitions"], said["already_made"]) == (None, 4, 31, 0)
    assert said["items"][-1] == "2025-01-31"
    assert lake("backfills", "list", "--json").json == {"backfills": []}


def test_a_backfill_is_launched_shown_and_steered(lake: Cli) -> None:
    args = ["--partitions", "2025-01-01..2025-01-03", "--newest", "--runs", "2", "--tag", "a=b", "--priority", "3"]
    assert "backfill 1 launched" in lake("backfills", "launch", "rates", *args).out
    shown = lake("backfills", "show", "1", "--all", "--json").json
    assert [item["label"] for item in shown["items"]] == ["2025-01-03", "2025-01-02", "2025-01-01"]
    assert (shown["state"], shown["runs"], shown["runs_max"]) == ("running", {"waiting": 3}, 2)
    assert "3 waiting" in lake("backfills", "show", "1").out
    assert lake("backfills", "pause", "1").out == "backfill 1 is paused\n"
    assert lake("backfills", "resume", "1", "--json").json == {"id": 1, "state": "running"}
    assert "nothing of backfill 1 has failed" in lake("backfills", "retry", "1", code=None).err
    lake("backfills", "cancel", "1")
    assert "is cancelling: pause makes no sense" in lake("backfills", "pause", "1", code=None).err
    assert "there is no backfill 7" in lake("backfills", "show", "7", code=None).err
    assert "rates" in lake("backfills", "list", "--state", "cancelling").out


def test_logical_times_are_those_of_the_schedule_unless_said_otherwise(lake: Cli) -> None:
    times = ["--from", "2025-01-01", "--to", "2025-01-03"]
    said = lake("backfills", "launch", "nightly", *times, "-p", "day=x", "--preview", "--json").json
    assert said["items"] == ["2025-01-01T02:00:00Z", "2025-01-02T02:00:00Z"]
    said = lake("backfills", "launch", "nightly", *times, "--every", "weekly", "--preview", "--json").json
    assert said["items"] == []
    assert "cron" in lake("backfills", "launch", "nightly", *times, "--every", "sometimes", code=None).err
    assert "nothing to backfill" in lake("backfills", "launch", "nightly", *times, "--every", "weekly", code=None).err


def test_what_is_wrong_is_told(lake: Cli) -> None:
    assert "which partitions" in lake("backfills", "launch", "rates", code=None).err
    assert "has no partitions" in lake("backfills", "launch", "nightly", "--partitions", "all", code=None).err
    assert "2024-01-01" in lake("backfills", "launch", "rates", "--partitions", "2024-01-01", code=None).err
