"""A project with the flows of `pipeline_for_tests`, opened as a workspace."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from batuta.core.run_graph import TaskRun
from batuta.engine.workspace import RunHandle, Workspace
from batuta.runtime import outputs
from batuta.runtime.project import find_project
from batuta.store.rows import RunRow

PIPELINE = Path(__file__).with_name("pipeline_for_tests.py")
Open = Callable[..., Workspace]


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which `note` leaves its lines."""
    path = tmp_path / "trace"
    path.touch()
    monkeypatch.setenv("BATUTA_TEST_TRACE", str(path))
    return path


@pytest.fixture
def root(tmp_path: Path, trace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(PIPELINE, folder / "pipeline.py")
    (folder / "batuta.toml").write_text('code = ["pipeline.py"]\n[pools]\nnarrow = 2\n')
    monkeypatch.setenv("BATUTA_HOME", str(tmp_path / "home"))
    return folder


@pytest.fixture
def open_workspace(root: Path) -> Iterator[Open]:
    """Opens workspaces on the project and closes them at the end."""
    with ExitStack() as stack:

        def open_one(executor: str = "threads", **more: Any) -> Workspace:
            return stack.enter_context(Workspace(find_project(str(root)), executor=executor, **more))  # type: ignore[arg-type]

        yield open_one


@pytest.fixture(params=["threads", "processes", "inline"])
def workspace(request: pytest.FixtureRequest, open_workspace: Open) -> Workspace:
    """A workspace with each kind of executor: the conformance suite of the executors."""
    return open_workspace(request.param, workers=4 if request.param == "threads" else 2)


def row_of(workspace: Workspace, run_id: int) -> RunRow:
    """The stored run."""
    row = workspace.store.run(run_id)
    assert row is not None
    return row


def value_of(handle: RunHandle) -> Any:
    """What the flow returned."""
    output = handle.active.run.task(0).output
    return None if output is None else outputs.load(output, handle.active.info)


def task_of(handle: RunHandle, key: str) -> TaskRun:
    """A task run of the run by key."""
    found = handle.active.run.find(key)
    assert found is not None, [run.key for run in handle.active.run.graph.runs]
    return found
