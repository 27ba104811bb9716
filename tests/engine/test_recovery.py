"""Deaths: of the engine, of the location host, of workers; at random instants, and what must hold afterwards."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from batuta.core.errors import RequestError
from batuta.core.states import RunState, TaskState
from batuta.engine.workspace import RunHandle, Workspace
from batuta.runtime.project import find_project
from batuta.store.rows import RunRow
from batuta.store.store import Store
from tests.engine.conftest import Open, value_of
from tests.engine.projects import until

WAIT_S = 100

WORKING = """
import os, time
from batuta import flow, task

HELD = int(os.environ.get("BATUTA_TEST_HELD", "1039"))


@task
def step(i: int) -> int:
    with open(os.environ["BATUTA_TEST_TRACE"], "a") as file:
        file.write(f"{i}\\n")
    time.sleep(0.003)
    while i == HELD and os.path.exists(os.environ["BATUTA_TEST_TRACE"] + ".hold"):
        time.sleep(0.003)
    return i


@flow
def part(k: int) -> int:
    return sum(future.result() for future in [step.submit(100 * k + i) for i in range(8)])


@flow
def work() -> int:
    return sum(part(k) for k in range(3)) + sum(step.map(list(range(1000, 1040))).result())
"""
EXPECTED = sum(100 * k + i for k in range(3) for i in range(8)) + sum(range(1000, 1040))

DRIVER = """
import sys
from batuta.engine.workspace import Workspace
from batuta.runtime.project import find_project
with Workspace(find_project(sys.argv[1]), executor=sys.argv[2], workers=2) as workspace:
    handle = workspace.resume(int(sys.argv[3])) if len(sys.argv) > 3 else workspace.start_job("work")
    print("started", handle.id, flush=True)
    print(handle.wait(), flush=True)
"""


@pytest.fixture
def working(root: Path) -> Path:
    """A project whose flow takes a while."""
    (root / "pipeline.py").write_text(WORKING)
    return root


def drive(root: Path, executor: str, run_id: int | None, after_s: float | None) -> bool:
    """Run (or resume) in a process of its own, killed after `after_s`; says whether it came to its end."""
    command = [sys.executable, "-c", DRIVER, str(root), executor, *([str(run_id)] if run_id else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            said, _ = process.communicate(timeout=after_s)
        except subprocess.TimeoutExpired:
            process.kill()
            return False
    assert process.returncode == 0, said
    return True


def _work(database: Path) -> RunRow | None:
    if not database.exists():
        return None
    with Store.open(database) as store:
        return next(iter(store.runs(job="work", limit=1)), None)


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_killed_engine_loses_nothing_and_repeats_nothing_recorded(
    working: Path, trace: Path, executor: str, kills: int
) -> None:
    dice = random.Random(executor)
    database = working.parent / "home" / "batuta.db"
    run_id: int | None = None
    for _ in range(kills):
        if drive(working, executor, run_id, 0.25 + dice.random() * 0.5):
            break
        row = _work(database)
        if row is not None and row.state == "succeeded":  # it had ended, but not yet said so
            break
        run_id = None if row is None else row.id
    else:
        drive(working, executor, run_id, None)
    with Store.open(database) as store:
        row = store.runs(job="work", limit=1)[0]
        assert row.state == "succeeded"
        times = Counter(int(line) for line in trace.read_text().split())
        assert set(times) == {100 * k + i for k in range(3) for i in range(8)} | set(range(1000, 1040))
        ended = Counter(
            (event.run_id, event.task)
            for run in store.runs(limit=100)
            for event in store.events(run.id)
            if event.kind == "attempt_succeeded"
        )
        assert set(ended.values()) == {1}
    again = sum(count - 1 for count in times.values())
    assert again <= 8 * kills, "only what was in flight may be run again"


def _hold(trace: Path) -> Path:
    """As long as this file is there, the run cannot come to its end."""
    hold = trace.with_name(trace.name + ".hold")
    hold.touch()
    return hold


def _start(workspace: Workspace, trace: Path) -> RunHandle:
    handle = workspace.start_job("work")
    until(lambda: len(trace.read_text().split()) >= 10)
    return handle


def test_a_killed_location_host_is_replaced(working: Path, open_workspace: Open, trace: Path) -> None:
    workspace = open_workspace("processes", workers=2)
    hold = _hold(trace)
    handle = _start(workspace, trace)
    assert workspace.host_pid is not None
    os.kill(workspace.host_pid, signal.SIGKILL)
    hold.unlink()
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, handle.active.error
    assert value_of(handle) == EXPECTED


def test_a_run_of_a_living_engine_is_not_taken_over(working: Path, open_workspace: Open, trace: Path) -> None:
    hold = _hold(trace)
    handle = _start(open_workspace("threads"), trace)
    other = open_workspace("threads")
    with pytest.raises(RequestError, match="being executed"):
        other.resume(handle.id)
    hold.unlink()
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED


def test_an_engine_that_lost_its_run_lets_go_of_it(working: Path, open_workspace: Open, trace: Path) -> None:
    first = open_workspace("threads")
    hold = _hold(trace)
    handle = _start(first, trace)
    with Workspace(find_project(str(working)), executor="threads") as second:
        taken = second.resume(handle.id, force=True)
        hold.unlink()
        assert taken.wait(WAIT_S) is RunState.SUCCEEDED
        assert value_of(taken) == EXPECTED
    assert first.engine.failure is None
    tasks = [run for run in first.store.task_runs(handle.id) if run.state != TaskState.SUCCEEDED]
    assert tasks == []


def test_a_script_that_was_killed_can_be_resumed_from_the_command_line(
    tmp_path: Path, trace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "script.py"
    script.write_text(WORKING + "\n\nif __name__ == '__main__':\n    print(work())\n")
    monkeypatch.setenv("BATUTA_HOME", str(tmp_path / "home"))
    hold = _hold(trace)
    with subprocess.Popen([sys.executable, str(script)], cwd=tmp_path, stdout=subprocess.PIPE) as process:
        until(lambda: len(trace.read_text().split()) >= 10)
        process.kill()
    hold.unlink()
    with Workspace(find_project(str(tmp_path)), str(script), executor="processes") as workspace:
        run_id = workspace.store.runs(job="work", limit=1)[0].id
        handle = workspace.resume(run_id)
        assert handle.wait(WAIT_S) is RunState.SUCCEEDED, handle.active.error
        assert value_of(handle) == EXPECTED


@pytest.mark.parametrize("held", [7, 207, 1039])
def test_a_script_whose_run_another_engine_takes_ends_and_says_so(
    tmp_path: Path, trace: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setenv("BATUTA_TEST_HELD", str(held))
    script = tmp_path / "script.py"
    script.write_text(WORKING + "\n\nif __name__ == '__main__':\n    print(work())\n")
    monkeypatch.setenv("BATUTA_HOME", str(tmp_path / "home"))
    hold = _hold(trace)
    with subprocess.Popen(
        [sys.executable, str(script)], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        until(lambda: str(held) in trace.read_text().split())
        with Workspace(find_project(str(tmp_path)), str(script), executor="threads") as workspace:
            run_id = workspace.store.runs(job="work", limit=1)[0].id
            handle = workspace.resume(run_id, force=True)
            hold.unlink()
            assert handle.wait(WAIT_S) is RunState.SUCCEEDED, handle.active.error
            assert value_of(handle) == EXPECTED
        said, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode != 0, said
    assert "was taken over by another engine" in said  # it, or the nested one that it was in


FAILING = """
import os
from batuta import flow, task


@task
def extract() -> list[int]:
    return [1, 2, 3]


@task
def load(rows: list[int]) -> int:
    if "BATUTA_TEST_TARGET" not in os.environ:
        raise FileNotFoundError("no target yet")
    return len(rows)


@flow
def copy() -> int:
    return load(extract())


if __name__ == "__main__":
    copy()
"""


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_what_failed_in_a_script_can_be_retried_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: str
) -> None:
    script = tmp_path / "script.py"
    script.write_text(FAILING)
    assert subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True).returncode == 1
    monkeypatch.setenv("BATUTA_TEST_TARGET", "here")
    with Workspace(find_project(str(tmp_path)), str(script), executor=executor) as workspace:  # type: ignore[arg-type]
        run_id = workspace.store.runs(job="copy", limit=1)[0].id
        handle = workspace.retry(run_id)
        assert handle.wait(WAIT_S) is RunState.SUCCEEDED, handle.active.error
        assert value_of(handle) == 3
        assert [run.attempt for run in handle.active.run.graph.runs] == [2, 1, 2]


UNAWAITED = """
import os, time
from batuta import flow, task


@task
def later(i: int) -> int:
    with open(os.environ["BATUTA_TEST_TRACE"], "a") as file:
        file.write(f"{i}\\n")
    while not os.path.exists(os.environ["BATUTA_TEST_TRACE"] + ".go"):
        time.sleep(0.01)
    return i


@flow
def work() -> str:
    for i in range(3):
        later.submit(i)
    return "gone ahead"
"""


def test_calls_that_a_finished_body_left_behind_end_after_a_crash(working: Path, trace: Path) -> None:
    (working / "pipeline.py").write_text(UNAWAITED)
    command = [sys.executable, "-c", DRIVER, str(working), "threads"]
    database = working.parent / "home" / "batuta.db"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            row = _work(database) if trace.read_text() else None
            if row is not None:
                with Store.open(database) as store:
                    if any(run.kind == "flow" and run.state == "succeeded" for run in store.task_runs(row.id)):
                        break
        process.kill()
    Path(f"{trace}.go").touch()
    assert drive(working, "threads", 1, WAIT_S)
    with Store.open(database) as store:
        run = store.run(1)
        assert run is not None
        assert run.state == "succeeded"
        assert {task.state for task in store.task_runs(1) if task.kind == "task"} == {"cancelled"}
