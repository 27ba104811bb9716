"""`materialize`, `backfill`, `checks`, `test`: making assets, and saying why or why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from batuta.cli import exits
from tests.cli.conftest import Cli


def edit(cli: Cli, file: str, before: str, after: str) -> None:
    path = cli.folder / "pipelines" / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def plan(cli: Cli, *args: str) -> dict[str, Any]:
    document: dict[str, Any] = cli("materialize", *args, "--dry-run", "--json").json
    return document


def test_stale_makes_what_is_missing_then_nothing_then_what_changed(cli: Cli) -> None:
    said = cli("materialize", "--stale")
    assert "never made" in said.out
    assert "made 4 assets" in said.out
    assert "bronze.rates" in said.out
    assert "5 partitions, 2026-01-01 … 2026-01-05" in said.out
    assert "2 checks: 1 passed, 1 failed" in said.out
    assert "few (warning): 17 rows are more than a few" in said.out

    said = cli("materialize", "--stale")
    assert "nothing to make: 4 assets are fresh" in said.out
    assert len(cli("runs", "list", "--json").json["runs"]) == 1

    edit(cli, "lake.py", 'row["amount"] > 3', 'row["amount"] > 6')
    told = plan(cli, "--stale")
    assert {row["asset"]: row["reasons"][0]["reason"] for row in told["make"]} == {
        "silver.payments": "code changed",
        "gold.revenue": "upstream silver.payments is stale",
    }
    assert set(told["fresh"]) == {"bronze.rates", "bronze.payments"}
    said = cli("materialize", "--stale")
    assert "code changed" in said.out
    assert "fresh, left as they are: bronze.rates, bronze.payments" in said.out
    made = cli("runs", "show", "2", "--json").json["assets"]
    assert [row["asset"] for row in made] == ["silver.payments", "gold.revenue"]
    assert made[0]["metadata"]["rows"] == 15


def test_selections_force_and_missing(cli: Cli) -> None:
    cli("materialize", "+silver.payments", "-q")
    assert [row["asset"] for row in plan(cli, "--missing")["make"]] == ["gold.revenue"]
    assert [row["asset"] for row in plan(cli, "--stale", "layer:bronze")["make"]] == []
    assert [row["asset"] for row in plan(cli, "layer:bronze")["make"]] == ["bronze.rates", "bronze.payments"]
    assert len(plan(cli, "--force")["make"]) == 4
    assert len(plan(cli, "--all")["make"]) == 4


def test_partitions_of_a_backfill(cli: Cli) -> None:
    said = cli("backfill", "bronze.rates", "--partitions", "2026-01-02..2026-01-04")
    assert "made 1 asset" in said.out
    row = cli("list", "assets", "bronze.rates", "--json").json["assets"][0]
    assert (row["partitions_made"], row["partitions_total"], row["state"]) == (3, 5, "stale")
    wanted = ["bronze.rates", "--partitions", "2026-01-01..2026-01-05"]
    told = cli("backfill", *wanted, "--missing", "--dry-run", "--json").json
    assert told["make"][0]["partitions"] == ["2026-01-01", "2026-01-05"]
    assert cli("runs", "list", "--json").json["runs"][0]["trigger"] == "backfill"
    said = cli("backfill", "bronze.rates", "--partitions", "2025-01-01..2026-01-02", code=exits.USAGE)
    assert "'2025-01-01' does not exist" in said.err
    said = cli("backfill", "gold.revenue", "--partitions", "2026-01-01", code=exits.USAGE)
    assert "no selected asset has any" in said.err


def test_what_makes_no_sense_is_refused(cli: Cli) -> None:
    assert "what is to be made?" in cli("materialize", code=exits.USAGE).err
    assert "exclude each other" in cli("materialize", "--stale", "--missing", code=exits.USAGE).err
    assert "exclude each other" in cli("materialize", "--all", "gold.*", code=exits.USAGE).err
    said = cli("materialize", "gold.revenu", code=exits.USAGE)
    assert "did you mean 'gold.revenue'?" in said.err
    assert "^^^" in said.err
    assert "made elsewhere" in cli("materialize", "feed.rates", code=exits.USAGE).err
    assert "what is to be backfilled?" in cli("backfill", "--partitions", "x", code=exits.USAGE).err


def test_a_failed_blocking_check_fails_the_run_and_holds_back_gold(cli: Cli) -> None:
    said = cli("materialize", "--stale", code=exits.FAILED, SPOILED="1")
    assert "not_empty (blocking): the payments are spoiled" in said.out
    assert "gold.revenue" not in said.out.partition("made ")[2].partition("checks")[0]
    assert "1 upstream failed" in said.out
    assert cli("checks", code=exits.FAILED).out.count("failed") == 2
    assert "not_empty" in cli("checks", "--failed", code=exits.FAILED).out

    said = cli("runs", "retry", "1")
    assert "gold.revenue" in said.out
    assert cli("checks").code == exits.OK
    assert cli("checks", "--strict", code=exits.FAILED).code == exits.FAILED
    _checks_of_before(cli)


def _checks_of_before(cli: Cli) -> None:
    told = cli("checks", "silver.payments:not_empty", "--history", "--json").json["results"]
    assert [(row["run"], row["outcome"]) for row in told] == [(1, "passed"), (1, "failed")]
    assert len(cli("checks", "--history", "--failed", "--json").json["results"]) == 2
    said = cli("checks", "--history", "-n", "1", "--since", "1h")
    assert (len(said.out.splitlines()), "a larger --limit" in said.err) == (2, True)
    trend = cli("checks", "--trend", "--json").json["trend"]
    counts = {row["layer"]: [row[name] for name in ("evaluated", "passed", "warned", "failed")] for row in trend}
    assert counts == {"silver": [3, 1, 1, 1]}
    assert "silver.payments" in cli("checks", "layer:silver", "--trend", "--by", "asset").out
    assert "did you mean 'silver.payments:not_empty'" in cli("checks", "silver.payments:empty", code=exits.USAGE).err
    assert "exclude each other" in cli("checks", "--trend", "--history", code=exits.USAGE).err
    assert "does not go with --trend" in cli("checks", "--trend", "--strict", code=exits.USAGE).err


def test_checks_are_evaluated_alone(cli: Cli) -> None:
    assert "no asset that has checks is made yet" in cli("test", "--checks").err
    cli("materialize", "--all", "-q")
    said = cli("test", "--checks")
    assert "✓ no problems in 9 jobs, 5 assets, 2 checks" in said.out
    assert "2 checks: 1 passed, 1 failed" in said.out
    cli("test", "--checks", code=exits.FAILED, SPOILED="1")


def test_test_finds_problems_with_their_places(cli: Cli) -> None:
    cli("test")
    pipelines = cli.folder / "pipelines"
    (pipelines / "broken.py").write_text("def half(:\n")
    (pipelines / "worse.py").write_text("import nowhere\n")
    said = cli("test", code=exits.FAILED)
    assert "pipelines/broken.py:1" in said.out
    assert "pipelines/worse.py:1" in said.out
    assert "install nowhere" in said.out
    assert "✗ 2 problems" in said.out
    assert len(cli("test", "--json", code=exits.FAILED).json["problems"]) == 2


def test_a_layer_below_that_reads_one_above_is_refused(cli: Cli) -> None:
    edit(cli, "lake.py", 'deps=["bronze.rates"]', 'deps=["bronze.rates", "gold.revenue"]')
    edit(cli, "lake.py", 'ins={"rows": "silver.payments"}', 'ins={"rows": "bronze.payments"}')
    said = cli("test", code=exits.FAILED)
    assert "lake.py:" in said.out
    assert "gold.revenue" in said.out
    assert cli("materialize", "--stale", code=exits.UNLOADABLE).code == exits.UNLOADABLE


def test_a_cycle_is_shown(cli: Cli) -> None:
    edit(cli, "lake.py", '"bronze.payments", layer="bronze"', '"bronze.payments", deps=["gold.revenue"]')
    said = cli("test", code=exits.FAILED)
    for key in ("bronze.payments", "silver.payments", "gold.revenue"):
        assert key in said.out


def test_a_file_of_assets_without_a_project(bare: Cli) -> None:
    source = Path(__file__).with_name("pipelines_for_tests") / "lake.py"
    (bare.folder / "lake.py").write_text(source.read_text())
    assert "made 4 assets" in bare("materialize", "lake.py", "--all").out
    assert (bare.folder / "data" / "gold" / "revenue.pickle").exists()
    assert "gold.revenue" in bare("list", "lake.py", "layer:gold").out


def test_plan_shows_what_would_change_and_fails_where_something_breaks(cli: Cli) -> None:
    assert "would make 4 assets in" in cli("plan").out
    cli("materialize", "--all", "-q", code=None)
    assert "nothing would change: 4 assets are fresh" in cli("plan").out
    edit(cli, "lake.py", 'row["amount"] > 3', 'row["amount"] > 6')
    said = cli("plan", "--exit-code")
    assert '+    return [row for row in raw if row["amount"] > 6]' in said.out
    assert "return" not in cli("plan", "--no-diff").out
    told = cli("plan", "silver.payments", "--json").json
    assert [(one["key"], one["how"]) for one in told["assets"]] == [("silver.payments", "changed")]
    assert told["afterwards"] == ["gold.revenue"]
    assert "there is no asset 'silver.payment'" in cli("plan", "silver.payment", code=exits.USAGE).err
    assert "environment dev is new" in cli("plan", "--env", "dev").err
