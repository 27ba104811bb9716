"""Projects that do not load: each says what is wrong, in which file and line, and what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from batuta.bridges.dbt.invocation import must_be_supported
from batuta.cli import exits
from batuta.core.errors import LoadError
from tests.bridges.lake import DBT_PYTHON
from tests.cli.conftest import Cli

PROJECT = 'name: shop\nversion: "1.0"\nprofile: shop\n'
PROFILES = "shop: {target: dev, outputs: {dev: {type: duckdb, path: ':memory:'}}}\n"
GOOD = {"dbt_project.yml": PROJECT, "profiles.yml": PROFILES, "models/a.sql": "select 1 as id\n"}

BROKEN: dict[str, tuple[dict[str, str], list[str]]] = {
    "no project": ({"dbt_project.yml": ""}, ["there is no dbt_project.yml", "root = ..."]),
    "jinja": (
        {"models/a.sql": "select 1\n\nfrom {{ ref('b' }}\n"},
        ["Compilation Error in model a", "models/a.sql:3", "unexpected '}'"],
    ),
    "unknown ref": (
        {"models/a.sql": "select * from {{ ref('nowhere') }}\n"},
        ["depends on a node named 'nowhere' which was not found", "models/a.sql"],
    ),
    "yaml": ({"models/schema.yml": "version: 2\nmodels:\n  - name: a\n   description: x\n"}, ["schema.yml:4"]),
    "project file": ({"dbt_project.yml": PROJECT + "models: [\n"}, ["dbt_project.yml:5", "Syntax error"]),
    "no profiles": ({"profiles.yml": ""}, ["there is no profiles.yml in", ".dbt", "profiles_dir = ..."]),
    "unknown profile": (
        {"dbt_project.yml": PROJECT.replace("profile: shop", "profile: other")},
        ["'other'", "profiles"],
    ),
    "unknown target": ({"profiles.yml": PROFILES.replace("target: dev", "target: live")}, ["'live'", "profiles"]),
    "variable of the environment": (
        {"profiles.yml": PROFILES.replace("':memory:'", "\"{{ env_var('NOT_SET_ANYWHERE') }}\"")},
        ["NOT_SET_ANYWHERE", "set NOT_SET_ANYWHERE where Batuta runs"],
    ),
    "adapter": ({"profiles.yml": PROFILES.replace("duckdb", "snowflake")}, ["snowflake", "install dbt-snowflake"]),
    "cycle": (
        {"models/a.sql": "select * from {{ ref('b') }}", "models/b.sql": "select * from {{ ref('a') }}"},
        ["a cycle of 2: a -> b -> a", "models/a.sql:1", "take one of these dependencies away"],
    ),
    "macro": (
        {"macros/m.sql": "{% macro m() %}\n{% endmaco %}\n", "models/a.sql": "select {{ m() }}\n"},
        ["macros/m.sql:1", "without finding a close tag for macro"],
    ),
    "packages": (
        {"packages.yml": "packages: [{package: dbt-labs/dbt_utils, version: 1.3.0}]\n"},
        ["run `dbt deps` in"],
    ),
}
DRIVER = """
import json, sys
from batuta.bridges.host import load
from batuta.core.errors import BatutaError
for root in sys.argv[1:]:
    try:
        load("", root, "").definitions()
        print(json.dumps("it loads"))
    except BatutaError as error:
        print(json.dumps(str(error)))
"""


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        if text:
            file = folder / "dbt" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    (folder / "batuta.toml").write_text('[[locations]]\nname = "w"\nroot = "dbt"\nkind = "dbt"\n')
    return folder


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each of the broken projects says; one process with dbt for all of them."""
    roots = {name: write(tmp_path_factory.mktemp("broken"), {**GOOD, **files}) for name, (files, _) in BROKEN.items()}
    environment = {
        **{name: value for name, value in os.environ.items() if name != "DBT_PROFILES_DIR"},
        "HOME": str(tmp_path_factory.mktemp("user")),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "BATUTA_HOME": str(tmp_path_factory.mktemp("home")),
    }
    environment["PYTHONPATH"] = str(Path(__file__).parents[2] / "src")
    done = subprocess.run(
        [str(DBT_PYTHON / "bin" / "python"), "-c", DRIVER, *map(str, roots.values())],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(roots, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("name", BROKEN)
def test_a_project_that_does_not_load_says_why(said: dict[str, str], name: str) -> None:
    for told in BROKEN[name][1]:
        assert told in said[name]
    assert "hint" in said[name] or ".sql" in said[name] or ".yml" in said[name]


def test_an_environment_without_dbt(bare: Cli) -> None:
    write(bare.folder, GOOD)
    error = bare("list", code=exits.UNLOADABLE).err
    assert "dbt cannot be imported" in error
    assert "install dbt-core and the adapter of its database in this location's environment" in error


def test_a_folder_that_is_a_dbt_project_is_one_without_any_configuration(bare: Cli) -> None:
    for name, text in GOOD.items():
        file = bare.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert "dbt cannot be imported" in bare("list", code=exits.UNLOADABLE).err  # it was tried: dbt is elsewhere


@pytest.mark.parametrize("version", ["1.9.11", "0.21.0", "2.0.0b1"])
def test_a_dbt_that_is_too_old_or_too_new_is_refused_with_what_to_install(version: str) -> None:
    for known in ("1.10.0", "1.11.2", "1.11.0rc1"):
        must_be_supported(known, "dbt")
    with pytest.raises(LoadError, match=f"dbt: dbt-core {version} is not supported") as caught:
        must_be_supported(version, "dbt")
    assert caught.value.hint == "install 'dbt-core>=1.10,<2.0' in this location's environment"
