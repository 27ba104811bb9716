"""A project with dbt in it, parsed once and opened once: its processes serve all tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from batuta.engine.workspace import Workspace
from batuta.runtime.project import find_project
from batuta.scheduler.service import Service
from tests.bridges.lake import Lake, write_lake
from tests.cli.conftest import Cli
from tests.scheduler.conftest import Open


@pytest.fixture(scope="session")
def opened_lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """The project, with its own store."""
    folder = tmp_path_factory.mktemp("lake")
    former = os.environ.get("BATUTA_HOME")
    os.environ["BATUTA_HOME"] = str(folder / "home")
    try:
        with Workspace(find_project(str(write_lake(folder / "project")))) as workspace:
            assert not workspace.definitions.problems, workspace.definitions.problems
            _ = workspace.engine
            yield Lake(folder / "project", workspace)
    finally:
        if former is None:
            del os.environ["BATUTA_HOME"]
        else:
            os.environ["BATUTA_HOME"] = former


@pytest.fixture
def lake(opened_lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """The project, of which nothing has been made as far as its data go."""
    monkeypatch.setenv("BATUTA_HOME", str(opened_lake.home))
    opened_lake.clear()
    return opened_lake


@pytest.fixture
def lake_folder(opened_lake: Lake, tmp_path: Path, batuta_home: Path) -> Path:
    """A home of the test's own, for processes of its own on the same project: what is parsed is known in it, too."""
    batuta_home.mkdir()
    (batuta_home / "dbt").symlink_to(opened_lake.home / "dbt")
    opened_lake.clear()
    return opened_lake.root


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Cli]:
    """`batuta` in an empty folder."""
    (tmp_path / "bare").mkdir()
    cli = Cli(tmp_path / "bare")
    yield cli
    for process in cli.started:
        if process.poll() is None:
            process.kill()


@pytest.fixture
def open_service() -> Iterator[Open]:
    """Starts services on projects, and stops them at the end."""
    with ExitStack() as stack:

        def open_one(folder: Path, **more: Any) -> Service:
            service = Service(find_project(str(folder)), **more)
            stack.callback(service.stop, 0.0)
            service.start()
            return service

        yield open_one
