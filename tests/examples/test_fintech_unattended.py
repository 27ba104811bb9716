"""The fintech's platform as the service runs it, with nobody there: what arrives becomes gold, and is exported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from batuta.store.rows import RunRow
from batuta.store.store import Store
from fintech import bronze, payments
from tests.examples.fintech_copy import SOURCE, copy_fintech
from tests.examples.fintech_tables import lakehouse
from tests.scheduler.receivers import Web, web_server

DAYS = payments.days()[:3]
SPOILT = payments.days()[19]
QUICK = {"day_s = 5, look_s = 1.0, report_s = 60": "day_s = 2, look_s = 0.5, report_s = 5", "*/20 * *": "*/2 * *"}


@dataclass
class Platform:
    """A copy of the example that `batuta up` runs, with a desk that hears of alerts."""

    root: Path
    desk: Web
    process: subprocess.Popen[str]
    store: Store

    @property
    def lakehouse(self) -> Path:
        return self.root / "lakehouse" / "live"

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for it: look again whenever a run has begun or ended."""
        assert self.process.stdout is not None
        while not condition():
            assert self.process.stdout.readline(), "it has stopped"

    def has(self, *assets: str, partitions: Iterable[str] = ("",)) -> bool:
        """Whether these partitions of the assets were made."""
        return self.store.asset_states(assets).keys() >= {(key, each) for key in assets for each in partitions}

    def runs(self, job: str, trigger: str) -> list[RunRow]:
        """Those that have succeeded."""
        return self.store.runs(job=job, trigger=trigger, states="succeeded", limit=100)

    def alert(self, title: str) -> dict[str, Any] | None:
        """What the desk was told under that title."""
        return next((told for told in self.desk.documents if title in told["title"]), None)

    def stop(self) -> int:
        """Its exit code after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)
        return self.process.returncode


def edited(root: Path, desk: Web) -> None:
    """Days of two seconds, and alerts that are sent to the desk."""
    file = root / "batuta.toml"
    text = file.read_text()
    for old, new in {**QUICK, "http://127.0.0.1:8425/": desk.url, "enabled = false": "enabled = true"}.items():
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """It has run for nobody yet; in its landing zone is the file of a later day, which cannot be read."""
    root = tmp_path / "fintech"
    copy_fintech(root)
    landing = root / "lakehouse" / "live" / "landing"
    landing.mkdir(parents=True)
    (landing / payments.file_name(SPOILT)).write_text("not,a,file\nof,our,payments\n")
    environment = {
        **os.environ,
        "BATUTA_HOME": str(root / ".batuta"),
        "BATUTA_PROFILE": "live",
        "PYTHONPATH": str(SOURCE / "src"),
    }
    with web_server() as desk:
        edited(root, desk)
        process = subprocess.Popen(
            [sys.executable, "-m", "batuta.cli.main", "up", "--no-server", "--json"],
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            started = json.loads(process.stdout.readline())
            assert [place["trouble"] for place in started["locations"]] == [None, None]
            with Store.open(root / ".batuta" / "batuta.db") as store:
                yield Platform(root, desk, process, store)
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()


@pytest.mark.timeout(240)
def test_days_that_arrive_are_made_reported_and_exported_by_nobody(platform: Platform) -> None:
    days = [day.isoformat() for day in DAYS]
    platform.until(lambda: platform.has("bronze.payments", "silver.payments", "gold.settlement", partitions=days))
    platform.until(lambda: platform.has("gold.chargeback_rate", "gold.monthly_revenue"))
    platform.until(lambda: platform.has("gold.segment_risk", "gold.watchlist", "gold.board_kpis"))
    platform.until(lambda: len(platform.runs("settlement-export", "sensor")) >= len(DAYS))
    platform.until(lambda: platform.runs("currency-movers", "schedule"))
    platform.until(lambda: platform.runs("currency-movers", "automation"))
    platform.until(lambda: platform.alert(f"[{SPOILT}] failed"))
    assert platform.stop() == 0

    runs = platform.store.runs(limit=1000)
    assert {run.trigger for run in runs} == {"schedule", "sensor", "automation", "parent"}
    assert [run.partition for run in runs if run.state == "failed"] == [SPOILT.isoformat()]
    assert platform.has("exports.settlement_files", partitions=days)
    assert is_what_the_domain_makes(platform.lakehouse)
    assert list((platform.root / "out" / "live" / "currency-movers").rglob("movers-*.html"))


def is_what_the_domain_makes(place: Path) -> bool:
    """Whether the days are what the domain's own functions make of the generator's."""
    expected = lakehouse().settlement.filter(pl.col("day").is_in(DAYS))
    stored = [pl.read_parquet(place / f"gold/settlement/{day}.parquet", hive_partitioning=False) for day in DAYS]
    return pl.concat(stored).equals(expected)


def test_a_file_that_was_delivered_reads_as_it_was_sent(tmp_path: Path) -> None:
    for day in payments.days()[:60:20]:
        payments.file_of(day).write_csv(tmp_path / "sent.csv")
        assert bronze.read_file(tmp_path / "sent.csv").equals(payments.file_of(day))
