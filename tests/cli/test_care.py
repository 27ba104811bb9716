"""`init`, `db`, `doctor`: beginning, and keeping things in order."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from batuta.cli import exits
from tests.cli.conftest import Cli


@pytest.mark.parametrize("style", ["assets", "flow", "dag", "all"])
def test_a_new_project_runs_and_its_tests_pass(bare: Cli, style: str) -> None:
    document = bare("init", "shop", "--style", style, "--json").json
    shop = Cli(bare.folder / "shop")
    assert document["next"][0] == "cd shop"
    assert ("batuta up" in document["next"]) == (style in ("dag", "all"))  # where there is something that starts itself
    shop("test")
    if style in ("assets", "all"):
        assert "made 3 assets" in shop("materialize", "--stale").out
        assert "nothing to make" in shop("materialize", "--stale").out
    if style in ("flow", "all"):
        assert "run" in shop("run", "weather", "-p", 'cities=["Rome"]', code=None).out
    if style in ("dag", "all"):
        assert "succeeded" in shop("run", "nightly").out
        assert (shop.folder / "out" / "ada.csv").exists()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    tests = subprocess.run(command, cwd=shop.folder, capture_output=True, text=True, check=False)
    assert tests.returncode == 0, tests.stdout


def test_init_never_touches_what_is_there(bare: Cli) -> None:
    (bare.folder / "README.md").write_text("mine")
    said = bare("init", code=exits.USAGE)
    assert "README.md" in said.err
    assert [path.name for path in bare.folder.iterdir()] == ["README.md"]
    assert (bare.folder / "README.md").read_text() == "mine"


def test_a_name_with_quotes_is_a_name(bare: Cli) -> None:
    bare("init", 'my "shop"', "-q")
    assert 'my "shop"' in Cli(bare.folder / 'my "shop"')("doctor").out


def test_db_upgrade_info_and_prune(cli: Cli, batuta_home: Path) -> None:
    assert "is made" in cli("db", "upgrade").out
    assert "is up to date" in cli("db", "upgrade").out
    cli("run", "doubling", "-q")
    info = cli("db", "info", "--json").json
    assert info["counts"]["runs"] == 1
    assert info["folders"]["logs"] > 0
    assert "sqlite" in cli("db", "info").out
    assert cli("db", "prune", "--older-than", "1d", "--json").json["runs"] == []
    assert cli("db", "prune", "--older-than", "0s", "--keep", "1", "--json").json["runs"] == []
    assert (batuta_home / "logs" / "1").is_dir()
    assert cli("db", "prune", "--older-than", "0s", "--vacuum", "--json").json["runs"] == [1]
    assert not (batuta_home / "logs" / "1").exists()
    assert cli("runs", "list", "--json").json == {"runs": []}
    assert "not a length of time" in cli("db", "prune", "--older-than", "soon", code=exits.USAGE).err


def test_doctor_names_the_code_locations(bare: Cli) -> None:
    (bare.folder / "batuta.toml").write_text('[[locations]]\nname = "far"\nremote = true\n')
    (code,) = (one for one in bare("doctor", "--json").json["findings"] if one["about"] == "code")
    assert code["told"].startswith("in code locations: far")


def test_doctor_on_a_healthy_project(cli: Cli) -> None:
    cli("run", "settle", "-q")
    findings = cli("doctor", "--json").json["findings"]
    assert {finding["level"] for finding in findings} <= {"ok", "warn"}
    told = {finding["about"]: finding["told"] for finding in findings}
    assert "shop" in told["project"]
    assert told["code"] == "9 jobs, 5 assets, 2 checks"
    assert "polars" in told["extras"]
    assert "batuta.db, schema" in told["store"]


def test_doctor_names_what_is_wrong_and_what_to_do(cli: Cli, batuta_home: Path) -> None:
    (cli.folder / "pipelines" / "broken.py").write_text("import nowhere\n")
    batuta_home.mkdir()
    (batuta_home / "batuta.db").write_text("no database " * 200)
    said = cli("doctor", code=exits.FAILED)
    lines = said.out.splitlines()
    assert any(line.startswith("fail  store") for line in lines)
    assert any(line.startswith("fail  code") and "broken.py:1" in line for line in lines)
    assert "→ install nowhere" in said.out
    assert "ok    Python" not in cli("doctor", "-q", code=exits.FAILED).out


def test_doctor_on_a_project_file_that_is_wrong(cli: Cli) -> None:
    (cli.folder / "batuta.toml").write_text('nmae = "x"\n')
    said = cli("doctor", code=exits.FAILED)
    assert "unknown setting 'nmae'" in said.out
    assert "did you mean 'name'" in said.out
    assert "unknown setting" in cli("list", code=exits.UNLOADABLE).err


def test_another_folder(cli: Cli, tmp_path: Path) -> None:
    elsewhere = Cli(tmp_path)
    assert "doubling" in elsewhere("-C", str(cli.folder), "list", "jobs").out
    assert "No such file" in elsewhere("-C", "nowhere", "list", code=exits.USAGE).err
