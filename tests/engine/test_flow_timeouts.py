"""Flows that take too long where no executor runs their bodies: called by flows, and by scripts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from batuta.core.states import RunState
from batuta.engine.workspace import Workspace
from tests.engine.conftest import value_of
from tests.engine.projects import WAIT_S, open_project, why, write_project

FLOWS = """
import asyncio

@task
def endless() -> None:
    while True:
        time.sleep(0.01)

@flow(timeout_s=0.2)
def calls() -> None:
    endless()

@flow(timeout_s=0.2)
def waits() -> None:
    endless.submit().result()

@flow(timeout_s=0.2)
def waits_for_all() -> None:
    wait(endless.map([]) + [endless.submit()])

@flow(timeout_s=0.2)
def waits_for_next() -> None:
    for _ in as_completed([endless.submit()]):
        pass

@flow(timeout_s=0.2)
def computes() -> None:
    while True:
        time.sleep(0.01)

@flow(timeout_s=0.2)
async def awaits() -> None:
    await asyncio.Event().wait()

@flow(timeout_s=0.2, retries=1)
def again() -> str:
    note("try")
    if Path(os.environ["BATUTA_TEST_TRACE"]).read_text().split().count("try") < 2:
        computes.fn()
    return "done"

@flow(timeout_s=1000)
def around() -> None:
    computes()

@flow(timeout_s=0.2)
def computes_within() -> None:
    deep()

@flow(timeout_s=1000)
def deep() -> None:
    computes.fn()

def said(name: str) -> str:
    try:
        return str(globals()[name]())
    except Exception as error:
        return f"{type(error).__name__}: {error.what}"

@flow
def caught(names: list[str]) -> list[str]:
    return [said(name) for name in names]

@flow
async def caught_async() -> str:
    try:
        return str(await awaits())
    except Exception as error:
        return f"{type(error).__name__}: {error.what}"

if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(said(name))
    try:
        asyncio.run(awaits())
    except Exception as error:
        print(error.what)
"""


def told(flow: str) -> str:
    return f"FlowTimeout: flow {flow!r} failed: TaskTimeout: it did not end within 0.2 s"


OUTCOMES = {
    "calls": told("calls"),
    "waits": told("waits"),
    "waits_for_all": told("waits-for-all"),
    "waits_for_next": told("waits-for-next"),
    "around": told("computes"),
    "computes_within": told("computes-within"),
    "again": "done",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with these flows."""
    (tmp_path / "trace").touch()
    monkeypatch.setenv("BATUTA_TEST_TRACE", str(tmp_path / "trace"))
    monkeypatch.setenv("BATUTA_HOME", str(tmp_path / "home"))
    return write_project(tmp_path / "project", FLOWS)


@pytest.fixture(params=["threads", "processes"])
def workspace(request: pytest.FixtureRequest, project: Path) -> Iterator[Workspace]:
    """A workspace with each executor that runs tasks beside the body."""
    with open_project(project, request.param) as opened:
        yield opened


def test_nested_flows_are_ended_after_their_timeouts(workspace: Workspace) -> None:
    handle = workspace.start_job("caught", {"names": list(OUTCOMES)})
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, why(handle)
    assert dict(zip(OUTCOMES, value_of(handle), strict=True)) == OUTCOMES
    children = {row.job: row.state for row in workspace.store.runs(parent_run=handle.id, limit=10)}
    assert children.pop("again") == "succeeded"
    assert set(children.values()) == {"failed"}


def test_a_nested_flow_that_awaits_is_ended_after_its_timeout(workspace: Workspace) -> None:
    handle = workspace.start_job("caught-async")
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, why(handle)
    assert value_of(handle) == told("awaits")


def test_flows_called_in_a_script_are_ended_after_their_timeouts(project: Path) -> None:
    names = ["waits", "computes", "around", "again"]
    command = [sys.executable, "flows.py", *names]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=WAIT_S, check=False
    )
    expected = [told("waits"), told("computes"), told("computes"), "done", told("awaits").removeprefix("FlowTimeout: ")]
    assert said.stdout.splitlines() == expected, said.stderr
