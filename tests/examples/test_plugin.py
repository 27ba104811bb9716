"""The example package of plugins: installed for real, found by its entry points, and used by a project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import batuta.io
import batuta.operators
from batuta import plugins
from batuta.runtime.log_read import read
from batuta.runtime.project import find_project
from batuta.scheduler.launching import RunSpec
from batuta.scheduler.service import Service
from batuta.server.authentication import authenticator_for
from batuta.server.backend import Backend
from batuta.server.embedded import accounts_for
from batuta.store import Store
from tests.cli.conftest import Cli
from tests.engine.projects import write_project
from tests.scheduler.conftest import ended

PACKAGE = Path(__file__).parents[2] / "examples" / "plugin"
PIPELINE = """
from batuta import DAG, Resources, Secret, asset
from batuta.io import CSVIO
from batuta.operators import CopyOperator
from batuta.sensors import flag_sensor

resources = Resources(io_manager=CSVIO("lake"))


@asset(layer="bronze", group="cities")
def cities() -> list[dict[str, str]]:
    return [{"name": "Rome", "key": Secret.get("token")}]


@asset(layer="silver", group="cities")
def count(cities: list[dict[str, str]]) -> list[dict[str, int]]:
    print("the key is", cities[0]["key"])
    return [{"cities": len(cities)}]


with DAG("copies"):
    CopyOperator(source="{{ 'a' }}.txt", target="copy.txt")

done = flag_sensor("a.txt", job="copies", name="done")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package, as pip installs it."""
    folder = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(folder), str(PACKAGE)]
    subprocess.run([*pip, *options], check=True, env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"})
    return folder


@pytest.fixture
def here(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package on the path of this process."""
    monkeypatch.syspath_prepend(str(installed))
    return installed


def test_what_is_installed_is_found_by_its_entry_points(here: Path) -> None:
    found = {(plugin.group, plugin.name): plugin for plugin in plugins.plugins()}
    ours = {key: plugin for key, plugin in found.items() if plugin.package == "batuta-acme"}
    assert [group for group, _ in sorted(ours)] == [
        "batuta.alert_channels",
        "batuta.authentication",
        "batuta.executors",
        "batuta.io_managers",
        "batuta.operators",
        "batuta.secrets",
        "batuta.sensors",
        "batuta.ui_links",
    ]
    assert {plugin.version for plugin in ours.values()} == {"1.2.0"}
    assert batuta.operators.CopyOperator.__module__ == "batuta_acme.copying"
    assert batuta.io.CSVIO.__module__ == "batuta_acme.csv_io"
    for plugin in ours.values():
        plugin.load()


def test_the_channel_delivers(here: Path, tmp_path: Path) -> None:
    made: Any = plugins.load("batuta.alert_channels", "acme")
    made(path=str(tmp_path / "alerts.jsonl")).send({"title": "It failed", "severity": "error"})
    assert json.loads((tmp_path / "alerts.jsonl").read_text()) == {"title": "It failed", "severity": "error"}


def test_the_executor_runs_the_steps_of_a_location(here: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    code = "@task\ndef one() -> None: ...\n\nwith DAG('daily'):\n    one()\n"
    folder = write_project(tmp_path / "shop", code)
    with (folder / "batuta.toml").open("a") as config:
        config.write(f'[[locations]]\nname = "shop"\nexecutor = "ledger"\nexecutor_options = {{ledger = "{ledger}"}}\n')
    service = Service(find_project(str(folder)))
    try:
        service.start()
        assert ended(service, service.launch(RunSpec(job="daily"))[0]).state == "succeeded"
    finally:
        service.stop(0.0)
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert [(line["run"], line["step"], line["ended"]) for line in lines] == [(1, "one", "succeeded")]


def test_the_proxy_is_believed_and_nobody_else(here: Path, tmp_path: Path) -> None:
    (tmp_path / "batuta.toml").write_text(
        '[server.authentication]\nbackend = "acme-proxy"\n[server.authentication.options]\nproxies = ["127.0.0.1"]\n'
        '[server.authentication.options.roles]\nfinance = {"*" = "viewer", shop = "operator"}\n'
    )
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        backend = Backend(store, find_project(str(tmp_path)))
        found = authenticator_for(backend.project, accounts_for("127.0.0.1", backend))
        said = {"x-remote-user": "ada", "x-remote-groups": "staff, finance"}
        who = found.authenticate(said, "127.0.0.1")
        assert who is not None
        assert (who.name, who.roles) == ("ada", {"*": "viewer", "shop": "operator"})
        assert found.authenticate(said, "192.0.2.1") is None
        assert found.authenticate({}, "127.0.0.1") is None


def test_a_project_uses_them(installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    vault = tmp_path / "vault" / "secret"
    vault.mkdir(parents=True)
    folder.mkdir()
    (vault / "token.txt").write_text("acme-token-1\n")
    (folder / "a.txt").write_text("hello")
    (folder / "pipeline.py").write_text(PIPELINE)
    (folder / "batuta.toml").write_text(
        f'code = ["pipeline.py"]\n[secrets]\nbackends = ["environment", "acme", "store"]\n'
        f'[secrets.options.acme]\nfolder = "{vault.parent}"\n'
    )
    cli = Cli(folder)
    path: dict[str, Any] = {"PYTHONPATH": os.pathsep.join([str(installed), *sys.path])}
    listed = cli("plugins", "list", "--check", "--json", **path).json["plugins"]
    assert {row["error"] for row in listed} == {""}
    cli("run", "copies", **path)
    shown = cli("runs", "show", "1", "--json", **path, ACME_LOGS="https://logs.example.com").json
    assert shown["links"] == [{"title": "Logs", "url": "https://logs.example.com/search?run=1"}]
    assert "links" in cli("runs", "show", "1", "--json", **path).json
    url = "https://logs.example.com/search?job=copies&location=shop"
    assert url in cli("show", "copies", **path, ACME_LOGS="https://logs.example.com").out
    assert (folder / "copy.txt").read_text() == "hello"
    assert "would start copies" in cli("sensors", "evaluate", "done", **path).out
    cli("materialize", "--all", **path)
    assert (folder / "lake" / "cities.csv").read_text() == "name,key\nRome,acme-token-1\n"
    assert (folder / "lake" / "count.csv").read_text() == "cities\n1\n"
    assert cli("secrets", "list", "--json", **path).json["secrets"] == [{"name": "token", "backend": "acme"}]
    logged = "".join(line.text for log in Path(os.environ["BATUTA_HOME"]).rglob("*.log") for line in read(log))
    assert "the key is ***" in logged
