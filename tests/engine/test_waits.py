"""Deferred task runs: each kind of trigger, very many of them, and crashes while they wait."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from batuta.core import events as ev
from batuta.core.states import RunState, TaskState
from batuta.engine.workspace import RunHandle, Workspace
from tests.engine.projects import error_of, open_project, until, write_project

TEXT = """
from batuta import triggers

@task
def waits(kind: str, finish: bool = False, timeout_s: float | None = None, **fields: Any) -> Any:
    seen = context()
    note(f"call {seen.attempt}")
    if seen.state is not None:
        return {"state": seen.state, "fired": seen.fired}
    trigger = getattr(triggers, kind)(**fields)
    seen.defer(trigger, state="so far", timeout_s=timeout_s, finish=finish)

@flow
def one(spec: dict[str, Any]) -> Any:
    return waits(**spec)

@flow
def many(count: int) -> int:
    names = [f"go{i % 100}" for i in range(count)]
    return len(waits.map(["Signal"] * count, finish=unmapped(True), name=names).result())

with DAG("single", params={"name": str}):
    waits("Signal", True, name="go")

@flow
def quick() -> str:
    return "done"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BATUTA_TEST_TRACE", str(tmp_path / "trace"))
    monkeypatch.setenv("BATUTA_HOME", str(tmp_path / "home"))
    return write_project(tmp_path / "project", TEXT)


def start(workspace: Workspace, **spec: object) -> RunHandle:
    """A run whose only task waits, when it does."""
    handle = workspace.start_job("one", {"spec": spec})
    until(lambda: [task for task in handle.active.run.graph.runs if task.state is TaskState.DEFERRED])
    return handle


def value(handle: RunHandle) -> object:
    assert handle.wait(60) is RunState.SUCCEEDED, handle.active.error
    from tests.engine.conftest import value_of

    return value_of(handle)


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_signal_is_heard_by_all_who_wait(project: Path, executor: str) -> None:
    with open_project(project, executor) as workspace:
        handles = [start(workspace, kind="Signal", name="go") for _ in range(3)]
        over = start(workspace, kind="Signal", name="go", finish=True)
        workspace.store.send_signal("other", 1, now=workspace.engine.now())
        workspace.store.send_signal("go", {"rows": 3}, now=workspace.engine.now())
        for handle in handles:
            assert value(handle) == {"state": "so far", "fired": {"rows": 3}}
        assert value(over) == {"rows": 3}
        assert over.active.run.task(1).attempt == 1
        assert len(workspace.engine.waits) == 0


def test_a_signal_sent_before_the_wait_but_after_the_run_counts(project: Path) -> None:
    with open_project(project, "threads") as workspace:
        store = workspace.store
        store.send_signal("go", "too early", now=workspace.engine.now())
        first = start(workspace, kind="Signal", name="go")
        store.send_signal("go", "in time", now=workspace.engine.now())
        assert value(first) == {"state": "so far", "fired": "in time"}
        late = start(workspace, kind="Signal", name="go", after=0.0)
        assert value(late) == {"state": "so far", "fired": "too early"}


def test_moments_files_runs_and_assets(project: Path, tmp_path: Path) -> None:
    with open_project(project, "threads") as workspace:
        now = workspace.engine.now()
        assert value(start(workspace, kind="At", at=now + 0.2, finish=True)) == now + 0.2
        path = tmp_path / "in.csv"
        by_path = start(workspace, kind="FileArrives", path=str(path), bytes_min=2, poll_s=0.05, finish=True)
        by_pattern = start(workspace, kind="FileArrives", path=f"{tmp_path}/*.csv", poll_s=0.05)
        by_url = start(workspace, kind="FileArrives", path=path.as_uri(), poll_s=0.05, finish=True)
        path.write_text("1")
        assert value(by_pattern) == {"state": "so far", "fired": [str(path)]}
        path.write_text("1,2")
        assert value(by_path) == str(path)
        assert value(by_url) == path.as_uri()
        other = start(workspace, kind="Signal", name="never")
        ends = start(workspace, kind="RunEnds", run_id=other.id, finish=True)
        gone = start(workspace, kind="RunEnds", run_id=99_999, finish=True)
        assert value(gone) == "unknown"
        other.cancel()
        assert value(ends) == "cancelled"


def test_an_asset_that_a_run_of_this_engine_makes(project: Path) -> None:
    (project / "assets.py").write_text("from batuta import asset\n\n\n@asset\ndef rates() -> int:\n    return 3\n")
    (project / "batuta.toml").write_text('code = ["flows.py", "assets.py"]\n')
    with open_project(project, "threads") as workspace:
        waiting = start(workspace, kind="AssetMade", asset="rates")
        made = workspace.start_plan(workspace.assets.plan("rates").plan)
        assert made.wait(60) is RunState.SUCCEEDED
        found = value(waiting)
        assert isinstance(found, dict)
        assert (found["fired"]["asset"], found["fired"]["run_id"]) == ("rates", made.id)


class _Answers(BaseHTTPRequestHandler):
    status = 503

    def do_GET(self) -> None:
        body = json.dumps({"state": "ready"}).encode()
        self.send_response(type(self).status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_an_answer_of_http(project: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        with open_project(project, "threads") as workspace:
            ready = start(workspace, kind="HttpAnswers", url=url, contains="ready", poll_s=0.05, finish=True)
            down = start(workspace, kind="HttpAnswers", url=url, statuses=(503,), poll_s=0.05)
            assert value(down) == {"state": "so far", "fired": {"status": 503, "body": {"state": "ready"}}}
            assert ready.active.run.task(1).state is TaskState.DEFERRED
            _Answers.status = 200
            assert value(ready) == {"status": 200, "body": {"state": "ready"}}
    finally:
        _Answers.status = 503
        server.shutdown()
        server.server_close()


def test_the_time_is_over(project: Path) -> None:
    with open_project(project, "threads") as workspace:
        handle = start(workspace, kind="Signal", name="go", timeout_s=0.2)
        assert value(handle) == {"state": "so far", "fired": None}
        assert len(workspace.engine.waits) == 0


def test_a_cancelled_run_waits_no_more(project: Path) -> None:
    with open_project(project, "threads") as workspace:
        handle = start(workspace, kind="FileArrives", path="/nowhere/at/all")
        handle.cancel()
        assert handle.wait(60) is RunState.CANCELLED
        assert len(workspace.engine.waits) == 0


def test_a_wrong_trigger_fails_where_it_is_written(project: Path) -> None:
    with open_project(project, "threads") as workspace:
        handle = workspace.start_job("one", {"spec": {"kind": "Signal", "name": ""}})
        assert handle.wait(60) is RunState.FAILED
        assert "1 to 200 characters" in handle.active.error


def test_a_library_that_is_missing_is_told(project: Path) -> None:
    with open_project(project, "threads") as workspace:
        handle = workspace.start_job("one", {"spec": {"kind": "FileArrives", "path": "nosuch://bucket/key"}})
        assert handle.wait(60) is RunState.FAILED
        assert "nosuch" in error_of(handle, "waits-0").message


# ---- very many

WAITS = 10_000
RUNS = 300


def test_ten_thousand_waits_of_one_run_hold_no_worker(project: Path) -> None:
    with open_project(project, "processes", workers=1) as workspace:
        handle = workspace.start_job("many", {"count": WAITS})
        waits = workspace.engine.waits
        until(lambda: len(waits) == WAITS)
        assert workspace.start_job("quick").wait(60) is RunState.SUCCEEDED
        for name in range(100):
            workspace.store.send_signal(f"go{name}", name, now=workspace.engine.now())
        assert value(handle) == WAITS
        assert len(waits) == 0
        attempts = {task.attempt for task in handle.active.run.graph.runs[1:]}
        assert attempts == {1}


DRIVER = """
import sys
from batuta.engine.workspace import Workspace
from batuta.runtime.project import find_project
with Workspace(find_project(sys.argv[1]), executor="threads", workers=2) as workspace:
    runs = [workspace.start_job("single", {"name": str(i)}) for i in range(int(sys.argv[2]))]
    while len(workspace.engine.waits) < len(runs):
        pass
    print("waiting", flush=True)
    sys.stdin.read()
"""


def test_waits_of_many_runs_survive_a_kill(project: Path) -> None:
    command = [sys.executable, "-c", DRIVER, str(project), str(RUNS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.kill()
    with open_project(project, "threads") as workspace:
        rows = workspace.store.runs(job="single", limit=20_000)
        assert len(rows) == RUNS
        handles = [workspace.resume(row.id) for row in rows]
        until(lambda: len(workspace.engine.waits) == RUNS)
        workspace.store.send_signal("go", "now", now=workspace.engine.now())
        for handle in handles:
            assert handle.wait(60) is RunState.SUCCEEDED
        kinds = [ev.decode(row.data) for row in workspace.store.events(rows[0].id)]
        assert [type(event) for event in kinds].count(ev.AttemptDeferred) == 1
    assert (project.parent / "trace").read_text().count("call 1\n") == RUNS
