"""A project of the test's own, and real services on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from batuta.core.states import RUN_FINAL, RunState
from batuta.runtime.project import find_project
from batuta.scheduler.service import Service
from batuta.store.rows import RunRow
from tests.engine.projects import until, write_project

STEPS = """
@task
def step(name: str) -> str:
    note(name)
    return name

@flow
def one(name: str = "one") -> str:
    return step(name)

with DAG("fixed"):
    step("fixed")
"""
Open = Callable[..., Service]


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which `note` leaves its lines."""
    path = tmp_path / "trace"
    path.touch()
    monkeypatch.setenv("BATUTA_TEST_TRACE", str(path))
    return path


@pytest.fixture
def root(tmp_path: Path, trace: Path) -> Path:
    """A project folder with a flow and a DAG."""
    kept = '[retention]\nticks = "36500d"\n'  # tests set the clock to days long past
    return write_project(tmp_path / "project", STEPS, f"[executor]\nworkers = 2\n{kept}")


@pytest.fixture
def open_service(root: Path) -> Iterator[Open]:
    """Starts services on the project, and stops them at the end."""
    with ExitStack() as stack:

        def open_one(folder: Path = root, **more: Any) -> Service:
            service = Service(find_project(str(folder)), **more)
            stack.callback(service.stop, 0.0)
            service.start()
            return service

        yield open_one


@pytest.fixture
def on_store(store_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The test runs once with SQLite and once with PostgreSQL as the project's store."""
    monkeypatch.setenv("BATUTA_STORE_URL", store_url)
    return store_url


def ended(service: Service, run_id: int) -> RunRow:
    """The run, once it has ended."""

    def row() -> RunRow:
        found = service.store.run(run_id)
        assert found is not None
        return found

    until(lambda: RunState(row().state) in RUN_FINAL, f"run {run_id} does not end")
    return row()
