"""The engine of the fintech job is killed (-9) at random instants; its tables end up as if nothing had happened."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from batuta.store.store import Store
from tests.chaos.fintech_job import UNFINISHED
from tests.examples.fintech_copy import copy_fintech

REPOSITORY = Path(__file__).parents[2]
DRIVER = [sys.executable, "-m", "tests.chaos.fintech_job"]
MARTS = ("gold.disputes", "gold.segment_risk", "gold.watchlist", "gold.board_kpis")
END_S = 300
"""A run that is not killed comes to its end by then."""


@dataclass
class Project:
    """A copy of the example, with a store and a lakehouse of its own."""

    root: Path
    last_day: str

    @classmethod
    def copied(cls, to: Path, last_day: str, with_dbt: bool) -> Project:
        copy_fintech(to, with_dbt=with_dbt)
        return cls(to, last_day)

    def start(self, *options: str) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "BATUTA_HOME": str(self.root / ".batuta"),
            "PYTHONPATH": f"{REPOSITORY / 'src'}{os.pathsep}{REPOSITORY}",
        }
        return subprocess.Popen(
            [*DRIVER, str(self.root), self.last_day, *options],
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self, *options: str) -> float:
        """Runs the job to its end; how long it took."""
        began = time.monotonic()
        with self.start(*options) as process:
            try:
                said, _ = process.communicate(timeout=END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert process.returncode == 0, said
        return time.monotonic() - began

    def killed_after(self, seconds: float, *options: str) -> bool:
        """Runs the job and kills its engine after so long; False where it had come to its end before."""
        with self.start(*options) as process:
            try:
                said, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                return True
        assert process.returncode == 0, said
        return False

    def tables(self) -> dict[str, str]:
        """The content of every table of silver and gold, and of every file that people read."""
        found = {}
        for layer in ("bronze", "silver", "gold"):
            for path in sorted((self.root / "lakehouse" / layer).rglob("*.parquet")):
                found[str(path.relative_to(self.root))] = content(pl.read_parquet(path, hive_partitioning=False))
        import duckdb

        with duckdb.connect(str(self.root / "lakehouse" / "warehouse.duckdb"), read_only=True) as connection:
            kept = connection.sql("select table_schema, table_name from information_schema.tables order by all")
            for name in [".".join(row) for row in kept.fetchall()]:
                found[name] = content(connection.sql(f"select * from {name} order by all").pl())
        for path in sorted((self.root / "out").rglob("*")):
            if path.suffix in (".csv", ".md", ".html"):
                found[str(path.relative_to(self.root))] = path.read_text()
        return found

    @property
    def store(self) -> Store:
        return Store.open(self.root / ".batuta" / "batuta.db")

    def has_unfinished_runs(self) -> bool:
        if not (self.root / ".batuta" / "batuta.db").exists():
            return False
        with self.store as store:
            return bool(store.runs(states=UNFINISHED, limit=1))


def content(table: pl.DataFrame) -> str:
    """A hash of schema and rows, in their order."""
    digest = hashlib.sha256(repr(table.schema).encode())
    for row in table.iter_rows():
        digest.update(repr(row).encode())
    return digest.hexdigest()


@pytest.mark.chaos
@pytest.mark.timeout(0)
def test_gold_is_the_same_however_often_the_engine_is_killed(tmp_path: Path, kills: int) -> None:
    """Each round starts from nothing and is killed until one start comes to its end. A short trial is without dbt."""
    thorough = kills > 20
    last_day = "2025-01-31" if thorough else "2025-01-10"
    calm = Project.copied(tmp_path / "calm", last_day, thorough)
    calm_s = calm.finish()
    expected = calm.tables()
    assert {"gold.chargeback_rate", "gold.monthly_revenue", *(MARTS if thorough else ())} <= expected.keys()
    dice = random.Random(kills)
    told: Counter[str] = Counter()
    while told["kills"] < kills:
        wild = Project.copied(tmp_path / f"wild-{told['rounds']}", last_day, thorough)
        told["rounds"] += 1
        killed_until_done(wild, dice, calm_s, kills, told)
        assert wild.tables() == expected
        told += recorded(wild)
        assert told["succeeded twice in one run"] == told["unfinished runs"] == 0
        shutil.rmtree(wild.root)
    print(f"\n{calm_s:.1f} s undisturbed; {', '.join(f'{count:,} {what}' for what, count in told.items())}")
    if thorough:
        # (About half of them, where the machine is as busy all the time as in the undisturbed run.)
        assert told["kills that left a run"] > kills / 4, "most kills come before there is anything to disturb"
        assert told["attempts lost"] > 0


def killed_until_done(wild: Project, dice: random.Random, span_s: float, kills: int, told: Counter[str]) -> None:
    """Starts the job again and again, each time killed at a random instant of its whole length, until it is done."""
    options: list[str] = []
    while told["kills"] < kills:
        if not wild.killed_after(dice.uniform(0, span_s), *options):
            return
        told["kills"] += 1
        told["kills that left a run"] += wild.has_unfinished_runs()
        options = ["--rerun"] if dice.random() < 0.25 else []
    wild.finish()


def recorded(project: Project) -> Counter[str]:
    """What the store says that happened."""
    told: Counter[str] = Counter()
    with project.store as store:
        before = None
        while rows := store.runs(limit=100, before=before):
            before = rows[-1].id
            for row in rows:
                ends: Counter[int | None] = Counter()
                for event in store.events(row.id):
                    if event.kind == "attempt_succeeded":
                        ends[event.task] += 1
                    elif event.kind == "attempt_lost":
                        told["attempts lost"] += 1
                told["runs"] += 1
                told[f"runs {row.state}"] += 1
                told["task runs succeeded"] += len(ends)
                told["succeeded twice in one run"] += sum(count > 1 for count in ends.values())
                told["unfinished runs"] += row.state in UNFINISHED
    return told
