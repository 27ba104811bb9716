"""A flow's direct calls, run by the thread of its body: nothing but the time that they take tells them from others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from batuta.core.states import RunState, TaskState
from batuta.core.trace_ids import traceparent
from batuta.core.values import Handle
from batuta.engine.workspace import RunHandle, Workspace
from batuta.executors import threads
from batuta.runtime import outputs
from batuta.runtime.logs import read
from tests.engine.conftest import task_of, value_of
from tests.engine.projects import WAIT_S, error_of, open_project, until, why, write_project

FLOWS = """
import asyncio, contextvars

@task
def thread() -> int:
    return threading.get_ident()

@task
def plus_one(number: int) -> int:
    return number + 1

@task
def calls_another() -> int:
    return plus_one(1)

@task(pool="narrow")
def in_a_pool() -> int:
    return threading.get_ident()

@task(timeout_s=60)
def in_time() -> int:
    return threading.get_ident()

@flow
def where() -> list:
    other = thread.submit()
    return [threading.get_ident(), thread(), thread.with_options(retries=2)(), in_a_pool(), in_time(), other.result()]

@flow
def here() -> bool:
    return thread() == threading.get_ident()

@task
def about(name: str) -> dict:
    its = context()
    return {"step": its.step, "attempt": its.attempt, "tries": its.tries, "failures": its.failures, "index": its.index,
            "partition": its.partition, "params": dict(its.params), "traceparent": its.traceparent}

@flow
def contexts() -> list:
    return [about("x"), about.submit("x").result()]

@task
def large(letter: str) -> str:
    return letter * 200_000

@flow
def inner(letters: str) -> list:
    return [large(letter) for letter in letters] + [large.submit("!").result()]

@flow
def mixed() -> list:
    made = [large("a"), large.submit("b"), large("c"), *large.map(["d", "e"]), inner("fg"), large("h"), inner("i")]
    return [len(made), large("j")]

@flow
def of_two_threads() -> list:
    made = []
    def work() -> None:
        made.append(large("x"))
    for _ in range(20):
        helper = threading.Thread(target=contextvars.copy_context().run, args=(work,))
        helper.start()
        made.append(large("y"))
        helper.join()
    return sorted(each[:1] for each in made)

@flow
def plainly_inside() -> int:
    return calls_another()

@task(retries=3)
def fails_twice() -> int:
    note(f"{context().attempt} {context().failures}")
    if context().failures < 2:
        raise ValueError("not yet")
    return threading.get_ident()

@flow
def retried() -> bool:
    return fails_twice() != threading.get_ident()

class Special(Exception):
    def __init__(self) -> None:
        super().__init__("special")
        self.lock = threading.Lock()

@task
def raises() -> None:
    raise Special

@flow
def caught() -> str:
    try:
        raises()
    except Special as error:
        return f"{error} {type(error.lock).__name__}"
    return "nothing"

@task
def prints() -> None:
    print("in the task")

@flow
def printing() -> None:
    print("before")
    prints()
    print("after")

@task
def with_a_loop_of_its_own() -> int:
    async def three() -> int:
        return 3
    return asyncio.run(three())

@flow
async def in_a_loop() -> int:
    return with_a_loop_of_its_own()

@flow
def sync_inside() -> int:
    return with_a_loop_of_its_own()

@flow
async def nested_in_a_loop() -> int:
    return sync_inside()

@task
def waits() -> None:
    note(f"waits {threading.get_ident()}")
    while True:
        time.sleep(0.001)

@task
def swallows() -> None:
    try:
        note("swallows")
        while True:
            time.sleep(0.001)
    except BaseException:
        note("swallowed")
        threading.Event().wait(float(os.environ["BATUTA_TEST_HOLD_S"]))

@flow
def waiting() -> str:
    note(f"body {threading.get_ident()}")
    try:
        waits()
    except BaseException as error:
        note(f"{type(error).__name__} in the body")
        raise
    return "went on"

@flow
def swallowing() -> str:
    swallows()
    return "went on"

@flow(timeout_s=0.3)
def in_a_hurry() -> None:
    waits()

@flow
def child() -> None:
    waits()

@flow
def parent() -> str:
    try:
        child()
    except Exception as error:
        return f"{type(error).__name__}"
    return "nothing"

at_once, most = 0, 0
counting = threading.Lock()

@task
def counted(_: int) -> None:
    global at_once, most
    with counting:
        at_once += 1
        most = max(most, at_once)
    time.sleep(0)
    with counting:
        at_once -= 1

@flow
def counting_calls(n: int) -> None:
    for i in range(n):
        counted(i)

@flow
def counting_submits(n: int) -> int:
    for i in range(n):
        counted.submit(i).wait()
    return most
"""


@pytest.fixture
def root(tmp_path: Path, trace: Path) -> Path:
    return write_project(
        tmp_path / "project", FLOWS, '[pools]\nnarrow = 2\n[traces]\nendpoint = "http://127.0.0.1:9"\n'
    )


@pytest.fixture
def workspace(root: Path) -> Iterator[Workspace]:
    with open_project(root, "threads", workers=4) as opened:
        yield opened


def run(workspace: Workspace, job: str, **params: object) -> RunHandle:
    handle = workspace.start_job(job, params)
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, why(handle)
    handle.active.run.check()
    return handle


def test_what_shares_nothing_runs_on_the_threads_of_its_caller(workspace: Workspace) -> None:
    body, direct, retryable, pooled, bounded, submitted = value_of(run(workspace, "where"))
    assert direct == retryable == body
    assert body not in (pooled, bounded, submitted)


def test_a_call_knows_what_a_submitted_one_does(workspace: Workspace) -> None:
    handle = run(workspace, "contexts")
    direct, submitted = value_of(handle)
    spans = [traceparent(handle.active.info.trace, no, 1) for no in (1, 2)]
    assert direct == submitted | {"step": "about-0", "traceparent": spans[0]}
    assert (submitted["step"], submitted["traceparent"]) == ("about-1", spans[1])


@pytest.mark.parametrize("job", ["mixed", "of-two-threads"])
def test_results_in_files_are_those_of_their_task_runs(workspace: Workspace, job: str) -> None:
    handle = run(workspace, job)
    ids = [handle.id, *(row.id for row in workspace.store.runs(parent_run=handle.id, limit=10))]
    found: dict[tuple[int, str], str] = {}
    for run_id in ids:
        for task in workspace.store.task_runs(run_id):
            if task.task.endswith(":large"):
                text = outputs.load(handle_of(task.output), handle.active.info)
                assert (len(text), len(set(text))) == (200_000, 1)
                found[ids.index(run_id), task.step] = text[0]
    if job == "of-two-threads":
        assert sorted(found.values()) == ["x"] * 20 + ["y"] * 20
    else:
        assert {step: letter for (of, step), letter in found.items() if of == 0} == {
            f"large-{i}": letter for i, letter in enumerate("abcdehj")
        }
        assert sorted(letter for (of, _), letter in found.items() if of) == ["!", "!", "f", "g", "i"]


def handle_of(data: bytes | None) -> Handle:
    assert data is not None
    return msgspec.json.decode(data, type=Handle)


def test_what_a_call_calls_is_no_call_of_the_flow(workspace: Workspace) -> None:
    handle = run(workspace, "plainly-inside")
    assert value_of(handle) == 2
    assert [task.key for task in handle.active.run.graph.runs] == ["plainly-inside", "calls_another-0"]


def test_the_next_try_is_somebody_elses(workspace: Workspace, trace: Path) -> None:
    assert value_of(run(workspace, "retried")) is True
    assert trace.read_text() == "1 0\n2 1\n3 2\n"


def test_the_caller_gets_the_very_error(workspace: Workspace) -> None:
    assert value_of(run(workspace, "caught")) == "special lock"


def test_each_prints_into_its_own_log(workspace: Workspace) -> None:
    handle = run(workspace, "printing")
    logs = Path(workspace.project.home, "logs", str(handle.id))
    assert [line.text for line in read(str(logs / "printing.1.log"))] == ["before", "after"]
    assert [line.text for line in read(str(logs / "prints-0.1.log"))] == ["in the task"]


@pytest.mark.parametrize("job", ["in-a-loop", "nested-in-a-loop"])
def test_a_call_in_an_event_loop_may_start_one(workspace: Workspace, job: str) -> None:
    assert value_of(run(workspace, job)) == 3


def test_a_call_that_lasts_is_seen_and_can_be_cancelled(workspace: Workspace, trace: Path) -> None:
    handle = workspace.start_job("waiting")

    def state() -> str:
        return {task.step: task.state for task in workspace.store.task_runs(handle.id)}.get("waits-0", "")

    until(lambda: state() == "running", "it is not seen")
    body, task = trace.read_text().split("\n")[:2]
    assert body.removeprefix("body ") == task.removeprefix("waits ")
    handle.cancel("ann")
    assert handle.wait(WAIT_S) is RunState.CANCELLED
    assert state() == "cancelled"
    assert trace.read_text().endswith("CancelledByRequest in the body\n")


def test_what_falls_for_the_body_falls_in_its_call_and_then_in_it(workspace: Workspace) -> None:
    handle = workspace.start_job("in-a-hurry")
    assert handle.wait(WAIT_S) is RunState.FAILED
    assert error_of(handle, "in-a-hurry").kind == "timeout"
    assert task_of(handle, "waits-0").state is TaskState.CANCELLED


def test_a_nested_flow_is_cancelled_alone(workspace: Workspace, trace: Path) -> None:
    handle = workspace.start_job("parent")
    until(lambda: "waits" in trace.read_text())
    [nested] = workspace.store.runs(parent_run=handle.id, limit=2)
    workspace.engine.cancel_run(nested.id, "ann")
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, why(handle)
    row = workspace.store.run(nested.id)
    assert row is not None
    assert row.state == "cancelled"


@pytest.mark.parametrize("hold_s", ["0", "1000"])
def test_a_call_that_does_not_hear_is_given_up_with_its_body(
    root: Path, trace: Path, hold_s: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATUTA_TEST_HOLD_S", hold_s)
    monkeypatch.setattr(threads, "GRACE_S", 0.2)
    with open_project(root, "threads", workers=1) as workspace:
        handle = workspace.start_job("swallowing")
        until(lambda: "swallows" in trace.read_text())
        handle.cancel()
        assert handle.wait(WAIT_S) is RunState.CANCELLED
        until(lambda: "swallowed" in trace.read_text())
        assert value_of(run(workspace, "here")), "the place of what was given up is not free again"


def test_no_more_run_at_once_than_there_are_threads(root: Path) -> None:
    with open_project(root, "threads", workers=1) as workspace:
        handles = [workspace.start_job("counting-calls", {"n": 300}) for _ in range(3)]
        handles.append(workspace.start_job("counting-submits", {"n": 50}))
        assert {handle.wait(WAIT_S) for handle in handles} == {RunState.SUCCEEDED}
        assert value_of(run(workspace, "counting-submits", n=1)) == 1


def test_a_body_that_is_run_again_asks_before_it_calls(workspace: Workspace, trace: Path) -> None:
    handle = run(workspace, "retried")
    again = workspace.retry(handle.id, tasks=["retried"])
    assert again.wait(WAIT_S) is RunState.SUCCEEDED, why(again)
    assert trace.read_text() == "1 0\n2 1\n3 2\n", "what is recorded was called again"
