"""A run that a killed engine left can be cancelled, whatever it was in the middle of."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from batuta.core.states import RunState
from batuta.engine.workspace import Workspace
from batuta.runtime.project import find_project
from batuta.store.store import Store

WAIT_S = 100

NESTED = """
import os, threading
from batuta import flow, task


@task
def wait() -> None:
    with open(os.environ["BATUTA_TEST_TRACE"], "w") as file:
        file.write("waiting")
    threading.Event().wait()


@flow
def inner() -> None:
    wait()


@flow
def outer() -> None:
    inner()
"""

DRIVER = """
import sys
from batuta.engine.workspace import Workspace
from batuta.runtime.project import find_project
with Workspace(find_project(sys.argv[1]), executor=sys.argv[2], workers=2) as workspace:
    workspace.start_job("outer").wait()
"""


@pytest.fixture(params=["threads", "processes"])
def abandoned(request: pytest.FixtureRequest, root: Path, trace: Path) -> str:
    """The executor of a run whose engine was killed while a task of its nested flow ran."""
    executor: str = request.param
    (root / "pipeline.py").write_text(NESTED)
    with subprocess.Popen([sys.executable, "-c", DRIVER, str(root), executor]) as process:
        deadline = time.monotonic() + WAIT_S
        database = root.parent / "home" / "batuta.db"
        while not (trace.read_text() and recorded(database)) and time.monotonic() < deadline:
            assert process.poll() is None
        process.kill()
    return executor


def recorded(database: Path) -> bool:
    """Whether the start of the nested flow's task is in the store."""
    with Store.open(database) as store:
        nested = store.runs(job="inner", limit=1)
        return bool(nested) and bool(store.task_runs(nested[0].id, states="running", step="wait-0"))


def test_a_run_left_in_a_nested_flow_is_cancelled_with_it(abandoned: str, root: Path) -> None:
    with Workspace(find_project(str(root)), executor=abandoned) as workspace:  # type: ignore[arg-type]
        run_id = workspace.store.runs(job="outer", limit=1)[0].id
        assert workspace.cancel_abandoned(run_id).wait(WAIT_S) is RunState.CANCELLED
    with Store.open(root.parent / "home" / "batuta.db") as store:
        assert {run.job: run.state for run in store.runs()} == {"outer": "cancelled", "inner": "cancelled"}
