"""Projects that tests write for themselves, and waiting on conditions."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from batuta.core.values import ErrorInfo
from batuta.engine.workspace import RunHandle, Workspace
from batuta.runtime.project import find_project

WAIT_S = 100.0
HEAD = """
import os, signal, sys, threading, time
from pathlib import Path
from typing import Any
from batuta import DAG, Cache, SkipTask, as_completed, context, flow, pause_for_input, task, unmapped, wait

def note(text: object) -> None:
    with open(os.environ["BATUTA_TEST_TRACE"], "a") as file:
        file.write(f"{text}\\n")
"""


def write_project(folder: Path, text: str, settings: str = "") -> Path:
    """A project with one file of flows."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "flows.py").write_text(HEAD + text)
    (folder / "batuta.toml").write_text('code = ["flows.py"]\n' + settings)
    return folder


def open_project(root: Path, executor: str = "processes", workers: int = 2, **more: Any) -> Workspace:
    """The project as a workspace."""
    return Workspace(find_project(str(root)), executor=executor, workers=workers, **more)  # type: ignore[arg-type]


def until(condition: Callable[[], object], what: str = "") -> None:
    """Wait for it, at most `WAIT_S`."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, what or "it did not come to it"
        time.sleep(0)


def error_of(handle: RunHandle, key: str) -> ErrorInfo:
    """Why a task run failed."""
    task = handle.active.run.find(key)
    assert task is not None, [run.key for run in handle.active.run.graph.runs]
    assert task.error is not None, task
    return task.error


def why(handle: RunHandle) -> str:
    """What a failed run says, for the messages of assertions."""
    return handle.active.error
