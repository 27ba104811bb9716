"""Flows on every executor: the conformance suite. Each test is what a user would see."""

from __future__ import annotations

from pathlib import Path

import pytest

from batuta.core.errors import BatutaError, ParameterError, RequestError
from batuta.core.states import RunState, TaskState
from batuta.engine.workspace import Workspace
from batuta.runtime.logs import read
from tests.engine.conftest import Open, row_of, task_of, value_of

WAIT_S = 100


@pytest.mark.parametrize(
    ("job", "params", "value"),
    [
        ("arithmetic", {}, 4 + 33),
        ("arithmetic", {"n": 100}, 4 + 4950 + 1000),
        ("catches", {}, "caught lost"),
        ("upstream-fails", {}, "upstream_failed"),
        ("retried", {}, 3),
        ("skipping", {}, "skipped"),
        ("outer", {"n": 3}, [6, 8, 10]),
        ("in-order", {}, [2, 3, 4]),
        ("asynchronous", {}, 7),
        ("generating", {}, 6),
        ("generating-async", {}, [6, [0, 1], [0, 1, 2]]),
        ("giving-futures", {}, {"alone": 3, "list": [[2, 3], 4], "pair": (5, None)}),
    ],
)
def test_a_flow_returns_what_the_plain_function_would(
    workspace: Workspace, job: str, params: dict[str, object], value: object
) -> None:
    handle = workspace.start_job(job, params)
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, handle.active.error
    assert value_of(handle) == value
    handle.active.run.check()


def test_a_nested_flow_is_called_not_submitted(workspace: Workspace) -> None:
    handle = workspace.start_job("submitting-a-flow")
    assert handle.wait(WAIT_S) is RunState.FAILED
    error = task_of(handle, "submitting-a-flow").error
    assert error is not None
    assert "flow 'inner' has no .submit and no .map" in error.message
    assert "asyncio.gather" in error.hint


def test_what_happened_is_in_the_store(workspace: Workspace) -> None:
    handle = workspace.start_job("arithmetic", {"n": 5})
    handle.wait(WAIT_S)
    row = row_of(workspace, handle.id)
    assert (row.state, row.job, row.params) == ("succeeded", "arithmetic", {"n": 5})
    states = {run.step: run.state for run in workspace.store.task_runs(handle.id)}
    assert states == {run.key: "succeeded" for run in handle.active.run.graph.runs}
    assert len(states) == 1 + 3 + 5 + 1
    kinds = [event.kind for event in workspace.store.events(handle.id)]
    assert kinds[0] == "run_started"
    assert kinds[-1] == "run_finished"


def test_a_failing_task_fails_the_flow_and_says_where(workspace: Workspace) -> None:
    handle = workspace.start_job("fails")
    assert handle.wait(WAIT_S) is RunState.FAILED
    error = task_of(handle, "boom-0").error
    assert error is not None
    assert (error.type, error.message) == ("KeyError", "'for good'")
    assert error.file.endswith("pipeline.py")
    assert "batuta/runtime" not in error.traceback
    assert "KeyError" in row_of(workspace, handle.id).error


def test_retries_stop_where_the_condition_says(workspace: Workspace, trace: Path) -> None:
    assert workspace.start_job("not-retried").wait(WAIT_S) is RunState.FAILED
    assert trace.read_text().count("not worth it") == 1


def test_a_nested_flow_is_a_run_of_its_own(workspace: Workspace) -> None:
    handle = workspace.start_job("outer")
    handle.wait(WAIT_S)
    children = workspace.store.runs(parent_run=handle.id, limit=10)
    assert sorted((child.job, child.state) for child in children) == [("inner", "succeeded")] * 2
    assert task_of(handle, "inner-1").state is TaskState.SUCCEEDED


def test_a_cached_result_is_used_again_also_in_the_next_run(workspace: Workspace, trace: Path) -> None:
    first, second = workspace.start_job("caching"), None
    first.wait(WAIT_S)
    second = workspace.start_job("caching")
    second.wait(WAIT_S)
    assert value_of(first) == value_of(second) == [9, 9, 16, 1, 1]
    assert sorted(trace.read_text().split("\n")[:-1]) == ["by key", "expensive 3", "expensive 4"]
    reasons = {task.reason for task in workspace.store.task_runs(second.id) if task.kind != "flow"}
    assert reasons == {"as recorded before"}


def test_a_pool_bounds_what_runs_at_once(workspace: Workspace) -> None:
    handle = workspace.start_job("pooled")
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED
    assert value_of(handle) <= 2


def test_a_task_that_takes_too_long_is_ended(workspace: Workspace) -> None:
    handle = workspace.start_job("timing-out")
    assert handle.wait(WAIT_S) is RunState.FAILED
    error = task_of(handle, "sleepy-0").error
    assert error is not None
    assert error.kind == "timeout"


def test_output_ends_up_with_the_attempt(workspace: Workspace) -> None:
    handle = workspace.start_job("printing")
    handle.wait(WAIT_S)
    lines = [line.text for line in read(f"{workspace.project.home}/logs/{handle.id}/prints-0.1.log")]
    assert "printed" in lines
    assert "logged" in lines
    if workspace.executor == "processes":
        assert "from below" in lines


def test_an_output_that_cannot_be_recorded_is_the_tasks_failure(workspace: Workspace) -> None:
    handle = workspace.start_job("unserializable")
    assert handle.wait(WAIT_S) is RunState.FAILED
    error = task_of(handle, "lock-0").error
    assert error is not None
    assert "lock" in error.message
    assert error.hint


def test_an_argument_that_cannot_be_sent_is_named(open_workspace: Open) -> None:
    handle = open_workspace("processes").start_job("bad-argument")
    assert handle.wait(WAIT_S) is RunState.FAILED
    error = handle.active.run.task(0).error
    assert error is not None
    assert "lock" in error.message


@pytest.mark.parametrize(
    ("params", "said"),
    [({}, "day"), ({"day": "soon"}, "day"), ({"day": 1, "nmes": ["a"]}, "names"), ({"day": 1, "names": 5}, "names")],
)
def test_wrong_parameters_are_refused_before_anything_runs(
    workspace: Workspace, params: dict[str, object], said: str
) -> None:
    with pytest.raises(ParameterError, match=said):
        workspace.start_job("typed", params)
    assert workspace.store.runs(limit=10) == []


def test_an_unknown_job_names_the_nearest(workspace: Workspace) -> None:
    with pytest.raises(RequestError, match="arithmetic"):
        workspace.start_job("arithmetics")


def test_hooks_are_called_where_the_task_ran(workspace: Workspace, trace: Path) -> None:
    workspace.start_job("hooking").wait(WAIT_S)
    assert trace.read_text().split("\n")[:-1] == ["success hooked-0", "failure hook me"]


def test_retry_runs_again_what_failed_and_nothing_else(workspace: Workspace, trace: Path) -> None:
    handle = workspace.start_job("halves")
    assert handle.wait(WAIT_S) is RunState.FAILED
    Path(f"{trace}.fixed").touch()
    again = workspace.retry(handle.id)
    assert again.wait(WAIT_S) is RunState.SUCCEEDED
    assert value_of(again) == 15
    calls = trace.read_text().split("\n")[:-1]
    assert sorted(calls) == sorted([f"half {i}" for i in range(6)] + ["half 3"])


def test_only_a_finished_run_can_be_retried_and_only_an_unfinished_one_resumed(workspace: Workspace) -> None:
    handle = workspace.start_job("catches")
    handle.wait(WAIT_S)
    with pytest.raises(RequestError, match="retry"):
        workspace.resume(handle.id)
    with pytest.raises(BatutaError, match="99"):
        workspace.resume(99)


@pytest.mark.parametrize("hard", [False, True])
def test_a_cancelled_run_stops(open_workspace: Open, trace: Path, hard: bool, tmp_path: Path) -> None:
    workspace = open_workspace("processes" if hard else "threads")
    handle = workspace.start_job("waiting", {"path": str(tmp_path / "never")})
    handle_running(trace)
    handle.cancel(by="test", hard=hard)
    assert handle.wait(WAIT_S) is RunState.CANCELLED
    assert task_of(handle, "waits_for-0").state is TaskState.CANCELLED


def handle_running(trace: Path) -> None:
    """Wait until the task has said that it waits."""
    while "waiting" not in trace.read_text():
        pass


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_paused_flow_goes_on_with_the_answer(open_workspace: Open, executor: str, trace: Path) -> None:
    first = open_workspace(executor)
    handle = first.start_job("asking")
    while row_of(first, handle.id).state != "paused":
        pass
    first.close()
    second = open_workspace(executor)
    again = second.resume(handle.id, answers={"input-0": "3"})
    assert again.wait(WAIT_S) is RunState.SUCCEEDED
    assert value_of(again) == "xxx"
    assert trace.read_text().count("body") == 2


def test_an_answer_of_the_wrong_type_is_asked_for_again(open_workspace: Open) -> None:
    first = open_workspace("processes")
    handle = first.start_job("asking")
    while row_of(first, handle.id).state != "paused":
        pass
    first.answer(handle.id, "input-0", "many")
    while [task.step for task in first.store.task_runs(handle.id, states="paused")] != ["input-1"]:
        pass
    assert "'many' is not a int" in task_of(handle, "input-1").node.spec.task
    first.close()
    again = open_workspace("processes").resume(handle.id, answers={"input-1": "2"})
    assert again.wait(WAIT_S) is RunState.SUCCEEDED
    assert value_of(again) == "xx"


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_resumed_flow_gets_recorded_results_one_after_the_other(open_workspace: Open, executor: str) -> None:
    first = open_workspace(executor)
    handle = first.start_job("asking-later")
    while row_of(first, handle.id).state != "paused":
        pass
    first.close()
    again = open_workspace(executor).resume(handle.id, answers={"input-0": "2"})
    assert again.wait(WAIT_S) is RunState.SUCCEEDED
    assert value_of(again) == 13


@pytest.mark.parametrize(("how", "said"), [("segfault", "SIGSEGV"), ("leaves", "exit code 7")])
def test_a_crash_is_the_attempts_failure_and_nothing_elses(open_workspace: Open, how: str, said: str) -> None:
    workspace = open_workspace("processes")
    handle = workspace.start_job("crashing", {"how": how})
    assert handle.wait(WAIT_S) is RunState.FAILED
    error = task_of(handle, f"{how}-0").error
    assert error is not None
    assert said in error.message
    assert workspace.start_job("arithmetic").wait(WAIT_S) is RunState.SUCCEEDED


def test_a_killed_worker_is_not_the_tasks_fault(open_workspace: Open, trace: Path) -> None:
    handle = open_workspace("processes").start_job("crashing", {"how": "killed"})
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED
    assert task_of(handle, "killed-0").attempt == 2


def test_neighbours_of_a_crash_go_on(open_workspace: Open) -> None:
    handle = open_workspace("processes").start_job("others-go-on")
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED
    assert value_of(handle) == sum(range(1, 21))
