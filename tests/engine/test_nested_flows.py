"""Flows called by flows: their own retries, and what a body that is run again finds of those it called before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from batuta.core.states import RunState, TaskState
from batuta.engine.workspace import Workspace
from batuta.store.rows import RunRow
from tests.engine.conftest import value_of
from tests.engine.projects import WAIT_S, open_project, until, why, write_project

FLOWS = """
GATE = Path(os.environ["BATUTA_TEST_TRACE"] + ".gate")

def tries(name: str) -> int:
    note(name)
    return Path(os.environ["BATUTA_TEST_TRACE"]).read_text().split().count(name)

@task
def step(i: int) -> int:
    note(f"step{i}")
    return i

@task
def gate() -> None:
    note("before-gate")
    while not GATE.exists():
        time.sleep(0.01)

@flow(retries=2, retry_delay_s=0.01)
def flaky() -> int:
    value = step(1)
    if tries("flaky") < 3:
        raise ValueError("not yet")
    return value + 1

@flow(retries=1)
async def flaky_async() -> int:
    value = await step.submit(2)
    if tries("async") < 2:
        raise ValueError("not yet")
    return value + 1

@flow(retries=2, retry_if=lambda error: not isinstance(error, KeyError))
def hopeless() -> None:
    tries("hopeless")
    raise KeyError("for good")

@flow
def calls() -> int:
    return flaky() + 1

@flow
async def calls_async() -> int:
    return await flaky_async() + 1

@flow
def gives_up() -> str:
    try:
        hopeless()
    except KeyError as error:
        return repr(error)
    return "no error"

@flow
def bad() -> None:
    step(5)
    raise ValueError("bad")

@flow
def catches() -> str:
    try:
        bad()
    except ValueError as error:
        said = str(error)
    gate()
    return said

@flow
def dies() -> None:
    deeper()

@flow
def deeper() -> None:
    step.submit(1).result()
    os.kill(os.getpid(), signal.SIGKILL)

@flow
def calls_what_dies() -> None:
    dies()

@flow
def computes() -> None:
    note("computes")
    while True:
        time.sleep(0.001)

@flow
def does_not_hear() -> None:
    try:
        note("computes")
        while True:
            time.sleep(0.001)
    except BaseException:
        note("heard")
        while True:
            time.sleep(1)

@flow
def calls_what_does_not_hear() -> None:
    does_not_hear()

@flow
def calls_what_computes() -> str:
    try:
        computes()
    except Exception as error:
        return type(error).__name__
    return "went on"

class Scaled:
    def __init__(self, factor: int) -> None:
        self.factor = factor

    @task
    def by(self, x: int) -> int:
        return self.factor * x

@flow
def adds(values: list[int]) -> int:
    return sum(values)

@flow
def hands_on() -> int:
    return adds([step.submit(3), Scaled(2).by(4)])

@flow
def part() -> int:
    value = step(7)
    gate()
    return value

@flow
def whole() -> int:
    return part() + step(8)

@flow
def leaf(i: int) -> int:
    return i

@flow
def crowd() -> int:
    return sum(leaf(i) for i in range(60))

if __name__ == "__main__":
    print(globals()[sys.argv[1]]())
"""


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the flows note."""
    path = tmp_path / "trace"
    path.touch()
    monkeypatch.setenv("BATUTA_TEST_TRACE", str(path))
    monkeypatch.setenv("BATUTA_HOME", str(tmp_path / "home"))
    return path


@pytest.fixture
def project(tmp_path: Path, trace: Path) -> Path:
    """A project with these flows."""
    return write_project(tmp_path / "project", FLOWS)


@pytest.fixture(params=["threads", "processes", "inline"])
def workspace(request: pytest.FixtureRequest, project: Path) -> Iterator[Workspace]:
    """A workspace with each kind of executor."""
    with open_project(project, request.param) as opened:
        yield opened


@pytest.mark.parametrize(
    ("job", "value", "noted"),
    [
        ("calls", 3, ["step1", "flaky", "flaky", "flaky"]),
        ("calls-async", 4, ["step2", "async", "async"]),
        ("gives-up", "KeyError('for good')", ["hopeless"]),
        ("hands-on", 11, ["step3"]),
    ],
)
def test_a_nested_flow_gives_what_it_says(
    workspace: Workspace, trace: Path, job: str, value: object, noted: list[str]
) -> None:
    handle = workspace.start_job(job)
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, why(handle)
    assert value_of(handle) == value
    assert trace.read_text().split() == noted  # a retried body finds what its tasks returned
    handle.active.run.check()


def test_nested_flows_end_with_the_process_that_they_run_in(project: Path) -> None:
    with open_project(project) as workspace:
        handle = workspace.start_job("calls-what-dies")
        assert handle.wait(WAIT_S) is RunState.FAILED
        [child] = _children(workspace, handle.id)
        assert [child.state, *(row.state for row in _children(workspace, child.id))] == ["cancelled", "cancelled"]
        assert all(task.final for task in handle.active.run.graph.runs)


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_nested_flow_is_cancelled_by_itself(project: Path, trace: Path, executor: str) -> None:
    with open_project(project, executor) as workspace:
        handle = workspace.start_job("calls-what-computes")
        until(lambda: "computes" in trace.read_text())
        [child] = _children(workspace, handle.id)
        workspace.engine.cancel_run(child.id, "", False)
        assert handle.wait(WAIT_S) is RunState.SUCCEEDED, why(handle)
        assert value_of(handle) == "FlowCancelled"
        assert [row.state for row in _children(workspace, handle.id)] == ["cancelled"]


def test_a_nested_flow_that_does_not_hear_ends_with_its_caller(project: Path, trace: Path) -> None:
    with open_project(project) as workspace:
        handle = workspace.start_job("calls-what-does-not-hear")
        until(lambda: "computes" in trace.read_text())
        [child] = _children(workspace, handle.id)
        workspace.engine.cancel_run(child.id, "", False)
        until(lambda: "heard" in trace.read_text())
        handle.cancel(hard=True)
        assert handle.wait(WAIT_S) is RunState.CANCELLED
        assert [row.state for row in _children(workspace, handle.id)] == ["cancelled"]


def _children(workspace: Workspace, run_id: int) -> list[RunRow]:
    return workspace.store.runs(parent_run=run_id, limit=10)


def test_a_body_that_is_run_again_is_told_of_the_nested_flow_that_failed(project: Path, trace: Path) -> None:
    with open_project(project, "threads") as first, open_project(project, "threads") as second:
        run_id = first.start_job("catches").id
        until(lambda: "before-gate" in trace.read_text())
        taken = second.resume(run_id, force=True)
        trace.with_name("trace.gate").touch()
        assert taken.wait(WAIT_S) is RunState.SUCCEEDED, why(taken)
        assert value_of(taken) == "bad"
        assert [row.state for row in _children(second, run_id)] == ["failed"]
    assert trace.read_text().split().count("step5") == 1


def test_a_nested_flow_that_ended_unheard_is_not_run_again(project: Path, trace: Path) -> None:
    with open_project(project, "threads") as first:
        run_id = first.start_job("whole").id
        until(lambda: "before-gate" in trace.read_text())
        first.store.claim(run_id, "another engine", lease_s=0.0, now=0.0, force=True)
        trace.with_name("trace.gate").touch()
        until(lambda: [row.state for row in _children(first, run_id)] == ["succeeded"])
        until(lambda: first.engine.run_of(run_id) is None)
        with open_project(project, "threads") as second:
            taken = second.resume(run_id, force=True)
            assert taken.wait(WAIT_S) is RunState.SUCCEEDED, why(taken)
            assert value_of(taken) == 15
            assert [row.state for row in _children(second, run_id)] == ["succeeded"]
            assert {run.state for run in taken.active.run.graph.runs} == {TaskState.SUCCEEDED}
    assert trace.read_text().split().count("step7") == 1


def test_a_nested_flow_that_succeeded_is_run_again_where_that_is_asked(project: Path, trace: Path) -> None:
    trace.with_name("trace.gate").touch()
    with open_project(project, "threads") as workspace:
        handle = workspace.start_job("whole")
        assert handle.wait(WAIT_S) is RunState.SUCCEEDED, why(handle)
        again = workspace.retry(handle.id, tasks=["part-0"])
        assert again.wait(WAIT_S) is RunState.SUCCEEDED, why(again)
        assert [row.state for row in _children(workspace, handle.id)] == ["succeeded", "succeeded"]
    assert trace.read_text().split().count("step7") == 2


def test_the_run_of_a_nested_flow_is_found_among_any_number(project: Path, trace: Path) -> None:
    """A page of runs has 50; those of a task run are asked for by its number."""
    with open_project(project, "threads") as workspace:
        handle = workspace.start_job("crowd")
        assert handle.wait(WAIT_S) is RunState.SUCCEEDED, why(handle)
        found = workspace.store.runs(parent_run=handle.id, parent_task=1)
        assert [(row.parent_task, row.params) for row in found] == [(1, {"i": 0})]
        assert workspace.store.runs(parent_run=handle.id, parent_task=99) == []
