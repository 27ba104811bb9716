"""Rows that task runs wait for: found, not found, never to be found; databases that hang, and what they hold up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from batuta.core.states import RunState, TaskState
from batuta.engine import row_looks
from batuta.engine.workspace import RunHandle, Workspace
from tests.engine.conftest import value_of
from tests.engine.projects import error_of, open_project, until, write_project

TEXT = """
from batuta import DAG
from batuta.operators import SQLSensor
from batuta.triggers import RowArrives

@task
def waits(finish: bool, sql: str, connection: str, parameters: Any = None) -> Any:
    seen = context()
    if seen.state is not None:
        return seen.fired
    seen.defer(RowArrives(sql, connection, parameters, poll_s=0.05), state="asked", finish=finish)

@task
def waits_for_a_file(path: str) -> Any:
    from batuta.triggers import FileArrives
    context().defer(FileArrives(path, poll_s=0.05), finish=True)

@flow
def row(spec: dict[str, Any]) -> Any:
    return waits(spec.pop("finish", True), **spec)

@flow
def file(path: str) -> Any:
    return waits_for_a_file(path)

with DAG("sensed", params={"day": "1"}):
    SQLSensor(
        "select day from days where day = :day",
        name="day", connection="warehouse", parameters={"day": "{{ params.day }}"}, poll_s=0.05, deferrable=True,
    )
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BATUTA_TEST_TRACE", str(tmp_path / "trace"))
    monkeypatch.setenv("BATUTA_HOME", str(tmp_path / "home"))
    return write_project(tmp_path / "project", TEXT)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database with a table of days."""
    url = f"sqlite:///{tmp_path}/days.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    execute(url, "create table days (day text, amount numeric)")
    return url


def execute(url: str, sql: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(sql))
    engine.dispose()


def begin(workspace: Workspace, job: str = "row", **params: Any) -> RunHandle:
    return workspace.start_job(job, {"spec": params} if job == "row" else params)


def start(workspace: Workspace, job: str = "row", **params: Any) -> RunHandle:
    """A run whose only task waits, when it does."""
    handle = begin(workspace, job, **params)
    until(lambda: [task for task in handle.active.run.graph.runs if task.state is TaskState.DEFERRED])
    return handle


def value(handle: RunHandle) -> Any:
    assert handle.wait(60) is RunState.SUCCEEDED, handle.active.error
    return value_of(handle)


def named(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("BATUTA_CONN_WAREHOUSE", url.replace("+psycopg", ""))
    return "warehouse"


def test_a_row_that_comes(project: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = named(database, monkeypatch)
    sql = "select day, amount from days where day = "
    with open_project(project, "threads") as workspace:
        by_name = start(workspace, sql=sql + ":day", connection=warehouse, parameters={"day": "1"})
        in_order = start(workspace, sql=sql + "?", connection=warehouse, parameters=["2"], finish=False)
        falsy = start(workspace, sql="select count(*) from days where day = '3'", connection=warehouse)
        execute(database, "insert into days values ('1', 1.5)")
        assert value(by_name)["day"] == "1"
        assert float(value(by_name)["amount"]) == 1.5
        assert in_order.active.run.task(1).state is TaskState.DEFERRED
        execute(database, "insert into days values ('2', null), ('3', 1)")
        assert value(in_order) == {"day": "2", "amount": None}
        assert [*value(falsy).values()] == [1]
        assert len(workspace.engine.waits) == 0


def test_nothing_that_a_look_changes_is_kept(project: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = named(database, monkeypatch)
    looks = "insert into days values ('looked', 1); select 1 from days where day = 'go'"
    with open_project(project, "threads") as workspace:
        waiting = start(workspace, sql=looks, connection=warehouse)
        execute(database, "insert into days values ('go', 1)")
        value(waiting)
        left = begin(workspace, sql="select count(*) from days", connection=warehouse)
        assert [*value(left).values()] == [1]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select amount from nowhere", "nowhere"),
        ("select 1 fro m days", "syntax"),
        ("select :day", "which is not among the parameters"),
    ],
)
def test_what_can_never_be_asked_fails_the_step(
    project: Path, database: str, monkeypatch: pytest.MonkeyPatch, sql: str, said: str
) -> None:
    warehouse = named(database, monkeypatch)
    with open_project(project, "threads") as workspace:
        handle = begin(workspace, sql=sql, connection=warehouse, parameters={})
        assert handle.wait(60) is RunState.FAILED
        assert said in error_of(handle, "waits-0").message


@pytest.mark.parametrize(
    ("connection", "sql", "said"),
    [
        ("nobody-knows-it", "select 1", "nobody-knows-it"),
        ("duckdb:////tmp/x.duckdb", "select 1", "only one process"),
        ("postgresql://ann:secret@localhost/x", "select 1", "hold no password"),
        ("sqlite:////dev/null", "select hex(zeroblob(40000))", "80,"),
    ],
)
def test_what_cannot_be_waited_for_is_told(project: Path, connection: str, sql: str, said: str) -> None:
    with open_project(project, "threads") as workspace:
        handle = begin(workspace, sql=sql, connection=connection)
        assert handle.wait(60) is RunState.FAILED
        assert said in error_of(handle, "waits-0").message
        assert "secret" not in error_of(handle, "waits-0").message


def test_a_file_that_is_not_there_yet_is_not_made_by_looking(project: Path, tmp_path: Path) -> None:
    path = tmp_path / "later.db"
    with open_project(project, "threads") as workspace:
        waiting = start(workspace, sql="select day from days", connection=f"sqlite:///{path}")
        beside = start(workspace, "file", path=str(tmp_path / "in.csv"))
        (tmp_path / "in.csv").write_text("1")
        value(beside)
        assert not path.exists()
        execute(f"sqlite:///{path}", "create table if not exists days as select 'x' as day")
        assert value(waiting) == {"day": "x"}


def test_a_sensor_of_a_dag_holds_no_worker(project: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    named(database, monkeypatch)
    with open_project(project, "threads") as workspace:
        sensed = start(workspace, "sensed", day="7")
        assert sensed.active.run.task(0).reason == "waits for a row of warehouse"
        execute(database, "insert into days values ('7', 1)")
        assert sensed.wait(60) is RunState.SUCCEEDED
        assert sensed.active.run.task(0).attempt == 2


# ---- databases that hang


class Silent:
    """A server that accepts and never answers."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.accepted: list[socket.socket] = []
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._main, daemon=True).start()

    def _main(self) -> None:
        try:
            while True:
                self.accepted.append(self.socket.accept()[0])
        except OSError:
            return

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for each in self.accepted:
            each.close()


@contextmanager
def silent() -> Iterator[Silent]:
    server = Silent()
    try:
        yield server
    finally:
        server.close()


def test_databases_that_hang_hold_up_nobody_else(project: Path, tmp_path: Path) -> None:
    there = f"sqlite:///{tmp_path}/there.db"
    execute(there, "create table days as select 'x' as day")
    with silent() as server, open_project(project, "threads") as workspace:
        count = 12  # more than there are threads for anything
        for number in range(count):
            start(workspace, sql="select 1", connection=f"postgresql://u{number}@127.0.0.1:{server.port}/x")
        until(lambda: len(server.accepted) >= count)
        assert value(begin(workspace, sql="select day from days", connection=there)) == {"day": "x"}
        (tmp_path / "in.csv").write_text("1")
        assert value(begin(workspace, "file", path=str(tmp_path / "in.csv")))
        assert len(workspace.engine.waits) == count


def test_a_database_that_hung_is_asked_anew(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_looks, "PATIENCE_S", 0.1)
    with silent() as server, open_project(project, "threads") as workspace:
        waiting = start(workspace, sql="select 1", connection=f"postgresql://u@127.0.0.1:{server.port}/x")
        until(lambda: len(server.accepted) > row_looks.LEFT_BEHIND_MAX)
        assert waiting.active.run.task(1).state is TaskState.DEFERRED
        for hanging in [*server.accepted]:
            hanging.close()
        until(lambda: len(server.accepted) > row_looks.LEFT_BEHIND_MAX + 1)
        waiting.cancel()
        assert waiting.wait(60) is RunState.CANCELLED
