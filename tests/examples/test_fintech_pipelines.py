"""The fintech's pipelines as a newcomer uses them: the demo and the command line, on a copy of the example."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from batuta.store.store import Store
from fintech import payments, settlement, silver
from fintech.merchants import merchants
from fintech.pipelines import assets, checks
from tests.examples.fintech_copy import SOURCE, copy_fintech
from tests.examples.fintech_tables import lakehouse, payment_rates, reference_rates

DAYS = "2025-01-01..2025-01-08"


@dataclass
class Project:
    """A copy of the example, with a home and a lakehouse of its own."""

    root: Path

    def run(self, *command: str) -> str:
        """What a command prints; it has to succeed."""
        environment = {**os.environ, "BATUTA_HOME": str(self.root / ".batuta"), "PYTHONPATH": str(SOURCE / "src")}
        done = subprocess.run(
            [sys.executable, *command], cwd=self.root, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def batuta(self, *arguments: str) -> list[Any]:
        """The JSON documents that a command prints."""
        return [json.loads(line) for line in self.run("-m", "batuta.cli.main", *arguments, "--json").splitlines()]

    def to_make(self) -> set[str]:
        """The assets that are stale."""
        plan = self.batuta("materialize", "--stale", "--dry-run", "--partition", DAYS)[0]
        return {step["asset"] for step in plan["make"]}

    def edit(self, file: str, old: str, new: str) -> None:
        """Change a line of the example's code."""
        path = self.root / "fintech" / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    @property
    def store(self) -> Store:
        return Store.open(self.root / ".batuta" / "batuta.db")


def copied(to: Path) -> Project:
    copy_fintech(to)
    return Project(to)


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Eight days of the lakehouse, built by the command line."""
    project = copied(tmp_path_factory.mktemp("week") / "fintech")
    project.batuta("materialize", "--stale", "--partition", DAYS)
    return project


# ---- the demo --------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_the_demo_builds_everything_and_then_says_that_nothing_has_changed(tmp_path: Path) -> None:
    project = copied(tmp_path / "fintech")
    first = project.run("demo.py")
    assert "2,942 passed, 3 warnings, 0 blocking ones failed" in first
    there = {
        "bronze.payments": "53,912",
        "silver.payments": "52,020",
        "gold.settlement": "14,547",
        "gold.disputes": "119",
    }
    for table, rows in there.items():
        assert any(table in line and rows in line for line in first.splitlines()), first
    assert re.search(r"gold\.board_kpis +dbt +12\n", first), first
    assert (project.root / "out" / "lineage.html").is_file()
    again = project.run("demo.py")
    assert "nothing has changed, so nothing was made" in again
    with project.store as store:
        assert [run.state for run in store.runs(roots_only=True)] == ["succeeded"] * 3


# ---- assets ----------------------------------------------------------------------------------------------------------


def test_what_is_stored_is_what_the_domain_makes(week: Project) -> None:
    expected = lakehouse()
    days = payments.days()[:8]
    stored = pl.concat(
        pl.read_parquet(week.root / f"lakehouse/gold/settlement/{day}.parquet", hive_partitioning=False) for day in days
    )
    assert stored.equals(expected.settlement.filter(pl.col("day").is_in(days)))


def test_checks_of_every_layer_were_evaluated(week: Project) -> None:
    with week.store as store:
        verdicts = store.checks_current()
    layers = {asset.partition(".")[0] for asset, _, _ in verdicts}
    assert layers == {"bronze", "silver", "gold"}
    assert [key for key, verdict in verdicts.items() if verdict.blocking and not verdict.passed] == []
    assert any(not verdict.blocking for verdict in verdicts.values())


def test_nothing_is_stale_until_its_code_changes(week: Project, tmp_path: Path) -> None:
    assert week.to_make() == set()
    project = Project(tmp_path / "fintech")
    shutil.copytree(week.root, project.root)
    project.edit("gold.py", "CHARGEBACKS_MIN = 2\n", "CHARGEBACKS_MIN = 3\n")
    risk = {"gold.chargeback_rate", "gold.segment_risk", "gold.watchlist", "gold.board_kpis"}
    assert project.to_make() == risk
    project.edit("merchants.py", "FIXED_FEE_CENTS = 10\n", "FIXED_FEE_CENTS = 11\n")
    assert project.to_make() == {"gold.settlement", "gold.monthly_revenue", *risk}


def test_marts_are_what_dbt_makes_of_what_python_made(week: Project) -> None:
    expected = lakehouse()
    days = payments.days()[:8]
    with duckdb.connect(str(week.root / "lakehouse/warehouse.duckdb"), read_only=True) as warehouse:
        kpis = warehouse.sql("select sales, revenue_cents, countries from gold.board_kpis").fetchall()
        disputes = warehouse.sql("select payment_id from gold.disputes order by all").fetchall()
    owed = expected.settlement.filter(pl.col("day").is_in(days))
    assert kpis == [(owed["sales"].sum(), owed["fee_cents"].sum(), owed["country"].n_unique())]
    taken = pl.concat(expected.silver[day].payments for day in days)
    assert [row[0] for row in disputes] == taken.filter(kind="chargeback")["payment_id"].sort().to_list()
    (edge,) = week.batuta("lineage", "gold.disputes.disputed_cents", "--upstream")[0]["edges"]
    assert edge["from"] == {"asset": "silver.payments", "column": "eur_cents"}


def test_a_selection_goes_through_dbt_and_python(week: Project) -> None:
    plan = week.batuta("materialize", "+gold.segment_risk", "--dry-run", "--partition", DAYS)[0]
    made = {step["asset"] for step in plan["make"]}
    assert made >= {"bronze.payments", "bronze.industries", "silver.merchants", "gold.chargeback_rate"}
    assert not made & {"gold.disputes", "gold.monthly_revenue", "gold.board_kpis"}


def test_a_setting_is_part_of_what_an_asset_is_made_from(week: Project, tmp_path: Path) -> None:
    project = Project(tmp_path / "fintech")
    shutil.copytree(week.root, project.root)
    config = project.root / "batuta.toml"
    config.write_text(config.read_text() + '\n[settings.assets."bronze.payments"]\nsales = 10_000\n')
    assert {"bronze.payments", "silver.payments", "gold.settlement"} <= project.to_make()


def test_assets_and_checks_are_plain_functions() -> None:
    first = payments.FIRST_DAY
    table = assets.payment_rates(reference_rates())
    assert table.equals(payment_rates())
    made = silver.refine(lakehouse().windows[first], first, table, merchants())
    verdict = checks.are_in_eur(made.payments)
    assert verdict.passed
    assert verdict.metadata["rows"] == made.payments.height


# ---- the flow and the DAG --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ran(week: Project) -> Project:
    """The same after its flow and its DAG."""
    week.batuta("run", "currency-movers")
    week.batuta("run", "settlement-export", "-p", "day=2025-01-08")
    return week


def test_the_flow_fans_out_over_what_it_finds(ran: Project) -> None:
    with ran.store as store:
        windows = store.runs(job="movers-of-a-window")
        found = {run.params["window_days"]: len(store.task_runs(run.id)) for run in windows}
    assert set(found) == {30, 365}
    assert found[365] > found[30]
    report = (ran.root / "out/currency-movers/365-days/movers-2025-12-31.md").read_text()
    assert "| TRY | -27.23% |" in report


def test_the_dag_takes_the_branch_of_a_normal_day_and_exports_what_gold_says(ran: Project) -> None:
    with ran.store as store:
        run = store.runs(job="settlement-export", limit=1)[0]
        states = {task.step: task.state for task in store.task_runs(run.id)}
        (made,) = store.materializations("exports.settlement_files")
    assert states["month_end.statement"] == "skipped"
    assert states["normal_day.day_total"] == states["clear_staging"] == "succeeded"
    folder = ran.root / "out/settlement/2025-01-08"
    files = sorted(folder.glob("settlement-*.csv"))
    owed = lakehouse().settlement.filter(day=payments.days()[7])
    assert sum(settlement.read(file)["net_cents"].sum() for file in files) == owed["net_cents"].sum()
    assert json.loads(made.metadata)["files"] == len(files) == owed.height
    assert not any((ran.root / "out/staging").iterdir())


def test_all_three_styles_meet_in_one_lineage(ran: Project) -> None:
    with ran.store as store:
        states = store.asset_states(["exports.settlement_files", "reports.currency_movers"])
    inputs = {asset: set(json.loads(row.inputs)) for (asset, _), row in states.items()}
    assert inputs["exports.settlement_files"] == {"gold.settlement/2025-01-08"}
    assert inputs["reports.currency_movers"] == {"silver.reference_rates"}
    below = ran.run("-m", "batuta.cli.main", "lineage", "feeds.ecb_rates", "--downstream")
    assert all(
        name in below for name in ("gold.monthly_revenue", "exports.settlement_files", "reports.currency_movers")
    )


def test_jobs_run_again_only_if_what_they_read_has_changed(ran: Project) -> None:
    movers = ("run", "currency-movers", "--if-changed")
    export = ("run", "settlement-export", "-p", "day=2025-01-08", "--if-changed")
    assert ran.batuta(*movers)[0]["event"] == ran.batuta(*export)[0]["event"] == "run_skipped"
    ran.edit("merchants.py", "FIXED_FEE_CENTS = 10\n", "FIXED_FEE_CENTS = 11\n")
    try:
        ran.batuta("materialize", "gold.settlement", "--partition", "2025-01-08")
        assert ran.batuta(*export)[-1]["run"]["state"] == "succeeded"
        assert ran.batuta(*movers)[0]["event"] == "run_skipped"
    finally:
        ran.edit("merchants.py", "FIXED_FEE_CENTS = 11\n", "FIXED_FEE_CENTS = 10\n")
