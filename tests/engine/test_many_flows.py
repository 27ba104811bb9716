"""More flows at once than there are places for their bodies: they take turns, and never wait for each other's tasks."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from batuta.core.states import RunState
from batuta.engine.workspace import Workspace
from batuta.executors import processes, threads
from batuta.runtime.project import find_project

PIPELINE = """
import socket
from batuta import flow, task

@task
def step(number: int) -> int:
    return number + 1

@flow
def short(number: int) -> int:
    return step(step(number))

@flow
def held(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        return connection.recv(1)
"""
WAIT_S = 100.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with those flows."""
    (tmp_path / "batuta.toml").write_text('code = ["flows.py"]\n')
    (tmp_path / "flows.py").write_text(PIPELINE)
    return tmp_path


def open_project(root: Path, executor: str) -> Workspace:
    return Workspace(find_project(str(root)), executor=executor, workers=2)  # type: ignore[arg-type]


@pytest.mark.parametrize(("executor", "module"), [("threads", threads), ("processes", processes)])
def test_waiting_bodies_do_not_hold_up_the_tasks_of_running_ones(
    root: Path, executor: str, module: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BODIES_MAX", 2)
    with open_project(root, executor) as workspace:
        handles = [workspace.start_job("short", {"number": number}) for number in range(12)]
        assert {handle.wait(WAIT_S) for handle in handles} == {RunState.SUCCEEDED}


def test_bodies_that_last_get_a_process_each(root: Path) -> None:
    count = 7
    with (
        socket.create_server(("127.0.0.1", 0), backlog=count) as server,
        open_project(root, "processes") as workspace,
        ExitStack() as connections,
    ):
        server.settimeout(WAIT_S)
        handles = [workspace.start_job("held", {"port": server.getsockname()[1]}) for _ in range(count)]
        all_begun = [connections.enter_context(server.accept()[0]) for _ in range(count)]
        assert {handle.state for handle in handles} == {None}
        for connection in all_begun:
            connection.send(b"x")
        assert {handle.wait(WAIT_S) for handle in handles} == {RunState.SUCCEEDED}
