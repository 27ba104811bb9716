"""Worker processes: the conversation with them, how they are stopped, how they die, and what they leave behind."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from batuta.core.errors import InvariantError, ParameterError
from batuta.core.states import RunState, TaskState
from batuta.engine.loop import EventLoop
from batuta.engine.workspace import Workspace
from batuta.executors import processes
from batuta.executors.worker_link import WorkerLink
from batuta.runtime.protocol import Reply, RunInfo, StepRequest, frame, worker_frames
from tests.engine.conftest import task_of, value_of
from tests.engine.projects import WAIT_S, error_of, open_project, until, why, write_project

FLOWS = """
@task
def quick(i: int) -> int:
    return i

@task
def slow_among_quick(i: int) -> int:
    if i == 300:
        time.sleep(0.2)
    return i

@flow
def recalled(n: int = 400) -> int:
    return sum(slow_among_quick.map(list(range(n))).result())

@task
def waits(i: int) -> None:
    note(f"began {i}")
    threading.Event().wait()

@flow
def waiting(n: int = 50) -> None:
    waits.map(list(range(n))).wait()

@task
def out_of_memory() -> None:
    os.kill(os.getpid(), signal.SIGKILL)  # what the kernel does

@task
def oom_score() -> int:
    return int(Path("/proc/self/oom_score_adj").read_text())

@flow
def leaking() -> list:
    leak = out_of_memory.submit()
    leak.wait()
    return [leak.state, oom_score()]

with DAG("small") as small:
    a = quick(1)
    quick(a)

@task
def writes_everywhere() -> None:
    for fd in range(3, 64):
        try:
            os.write(fd, b"\\xff" * 64)
        except OSError:
            pass
    threading.Event().wait()

@flow
def garbage() -> None:
    writes_everywhere()

@task
def forks() -> int:
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
    return os.getpid() if pid else -1

@flow
def forking() -> int:
    return forks()

@task
def leaves_a_child() -> None:
    if os.fork() == 0:
        os.setsid()
        note(os.getpid())
        threading.Event().wait()
    while not Path(os.environ["BATUTA_TEST_TRACE"]).read_text():
        pass
    os._exit(7)

@flow
def leaving() -> None:
    leaves_a_child()

@task(isolated=True)
def alone(i: int) -> int:
    return os.getpid()

@flow
def isolating() -> list[int]:
    return alone.map([1, 2, 3]).result()

@task(timeout_s=0.1)
def deaf() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    threading.Event().wait()

@flow
def deafened() -> None:
    deaf()

@task
def rings() -> str:
    def ring(*_: object) -> None:
        raise ZeroDivisionError
    signal.signal(signal.SIGALRM, ring)
    signal.alarm(3600)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    try:
        threading.Event().wait()
    except ZeroDivisionError:
        return "rang"
    return "silent"

@task(timeout_s=0.1)
def late() -> None:
    threading.Event().wait()

@flow
def alarms() -> str:
    said = [rings() for _ in range(4)]
    future = late.submit()
    future.wait()
    return f"{set(said)} {future.state}"

@task
def asks_in_threads() -> list[list[str]]:
    from concurrent.futures import ThreadPoolExecutor
    here = context()
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(here.dynamic_partitions, "days") for _ in range(20)]
        mine = [here.dynamic_partitions("days") for _ in range(20)]
        return [*mine, *(one.result() for one in asked)]

@flow
def asking() -> int:
    return len(asks_in_threads())

@task
def dies() -> None:
    os._exit(3)

@flow
def dying(n: int) -> None:
    wait([dies.submit() for _ in range(n)])

class Picky:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema
        return core_schema.no_info_plain_validator_function(cls.made)

    @staticmethod
    def made(value: Any) -> str:
        return value.missing

@flow
def picky(what: Picky) -> str:
    return ""

@flow
def identity(number: int) -> int:
    return number
"""


@pytest.fixture
def workspace(tmp_path: Path, trace: Path) -> Iterator[Workspace]:
    with open_project(write_project(tmp_path / "project", FLOWS)) as opened:
        yield opened


def test_a_slow_step_among_quick_ones_gives_back_what_waits_behind_it(workspace: Workspace) -> None:
    handle = workspace.start_job("recalled")
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, why(handle)
    assert value_of(handle) == sum(range(400))


@pytest.mark.parametrize("hard", [False, True])
def test_cancelling_ends_what_runs_and_starts_nothing_more(workspace: Workspace, trace: Path, hard: bool) -> None:
    handle = workspace.start_job("waiting")
    until(lambda: trace.read_text().count("began") == 2)
    handle.cancel(by="test", hard=hard)
    assert handle.wait(WAIT_S) is RunState.CANCELLED
    assert trace.read_text().count("began") == 2
    assert {run.state for run in handle.active.run.graph.runs} == {TaskState.CANCELLED}


def test_a_worker_knows_each_of_a_thousand_runs(workspace: Workspace) -> None:
    handles = [workspace.start_job("small") for _ in range(1000)]
    assert {handle.wait(WAIT_S) for handle in handles} == {RunState.SUCCEEDED}


def test_what_a_task_writes_to_foreign_descriptors_ends_its_attempt_alone(workspace: Workspace) -> None:
    handle = workspace.start_job("garbage")
    assert handle.wait(WAIT_S) is RunState.FAILED
    assert "file descriptor" in error_of(handle, "writes_everywhere-0").message
    assert workspace.start_job("small").wait(WAIT_S) is RunState.SUCCEEDED


def test_a_child_that_comes_back_from_a_task_says_nothing(workspace: Workspace) -> None:
    handle = workspace.start_job("forking")
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, why(handle)
    assert value_of(handle) > 0


def test_a_process_left_behind_does_not_hide_the_death_of_its_worker(workspace: Workspace, trace: Path) -> None:
    handle = workspace.start_job("leaving")
    try:
        assert handle.wait(WAIT_S) is RunState.FAILED
        assert "exit code 7" in error_of(handle, "leaves_a_child-0").message
    finally:
        os.kill(int(trace.read_text()), signal.SIGKILL)


def test_an_isolated_attempt_has_a_process_of_its_own(workspace: Workspace) -> None:
    workspace.start_job("small").wait(WAIT_S)
    handle = workspace.start_job("isolating")
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, why(handle)
    pids = value_of(handle)
    assert len(set(pids)) == 3
    until(lambda: not any(psutil.pid_exists(pid) for pid in pids))


def test_a_task_that_does_not_hear_is_killed_after_its_grace(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "GRACE_S", 0.1)
    handle = workspace.start_job("deafened")
    assert handle.wait(WAIT_S) is RunState.FAILED
    error = error_of(handle, "deaf-0")
    assert (error.kind, "killed" in error.message) == ("timeout", True)


def test_alarms_of_tasks_are_theirs_and_end_with_them(workspace: Workspace) -> None:
    handle = workspace.start_job("alarms")
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, why(handle)
    assert value_of(handle) == "{'rang'} failed"
    assert error_of(handle, "late-0").kind == "timeout"


def test_a_step_may_ask_from_threads_of_its_own(workspace: Workspace) -> None:
    handle = workspace.start_job("asking")
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, why(handle)
    assert value_of(handle) == 40


@pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that can be told whom to end first")
def test_a_task_that_takes_all_memory_is_the_first_to_be_ended(workspace: Workspace) -> None:
    handle = workspace.start_job("leaking")
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, why(handle)
    own = int(Path("/proc/self/oom_score_adj").read_text())
    state, workers = value_of(handle)
    assert state == "failed"
    assert workers >= max(own, 500)
    error = error_of(handle, "out_of_memory-0")
    assert error.type == "WorkerLost"
    assert "SIGKILL" in error.message
    assert "out of memory is the usual cause" in error.hint


def test_workers_are_replaced_without_end(workspace: Workspace) -> None:
    def settled() -> int:
        until(lambda: workspace.start_job("small").wait(WAIT_S) is RunState.SUCCEEDED)
        return _open_files()

    assert workspace.start_job("dying", {"n": 10}).wait(WAIT_S) is RunState.SUCCEEDED
    before = settled()
    handle = workspace.start_job("dying", {"n": 200})
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, why(handle)
    until(lambda: settled() <= before, "descriptors are left")
    host = psutil.Process(workspace.host_pid)
    until(lambda: all(child.status() != psutil.STATUS_ZOMBIE for child in host.children()))
    until(lambda: len(list(Path(workspace.project.home, "spools").iterdir())) <= 2 + 4)


def _open_files() -> int:
    return psutil.Process().num_fds()


def test_nothing_is_left_of_an_engine_that_was_closed(tmp_path: Path, trace: Path) -> None:
    root = write_project(tmp_path / "project", FLOWS)
    before, others = _open_files(), set(psutil.Process().children(recursive=True))
    with open_project(root) as workspace:
        home = Path(workspace.project.home)
        workspace.start_job("recalled", {"n": 10}).wait(WAIT_S)
        waiting = workspace.start_job("waiting")
        until(lambda: "began" in trace.read_text())
        ours = set(psutil.Process().children(recursive=True)) - others
        assert len(ours) >= 3
    assert waiting.state is None
    _, alive = psutil.wait_procs(ours, timeout=WAIT_S)
    assert alive == []
    assert list((home / "spools").iterdir()) == []
    assert list((home / "engines").iterdir()) == []
    assert _open_files() <= before


def test_spools_of_engines_that_were_killed_are_removed(tmp_path: Path, trace: Path) -> None:
    root = write_project(tmp_path / "project", FLOWS)
    with open_project(root) as workspace:
        spools = Path(workspace.project.home, "spools")
        spools.mkdir(parents=True)
        (spools / f"worker-{2**22 + 1}-1.spool").touch()
        assert workspace.start_job("small").wait(WAIT_S) is RunState.SUCCEEDED
        assert not (spools / f"worker-{2**22 + 1}-1.spool").exists()


# ---- the location host ----


def test_a_host_that_takes_long_to_come_back_is_waited_for(tmp_path: Path, trace: Path) -> None:
    gate = tmp_path / "gate"
    text = f"while os.path.exists({str(gate)!r}):\n    pass\n{FLOWS}"
    with open_project(write_project(tmp_path / "project", text)) as workspace:
        handle = workspace.start_job("waiting", {"n": 2})
        until(lambda: trace.read_text().count("began") == 2)
        gate.touch()
        assert workspace.host_pid is not None
        os.kill(workspace.host_pid, signal.SIGKILL)
        until(lambda: {task_of(handle, f"waits-{i}").state for i in range(2)} == {TaskState.QUEUED})
        gate.unlink()
        until(lambda: trace.read_text().count("began") == 4)
        handle.cancel(hard=True)
        assert handle.wait(WAIT_S) is RunState.CANCELLED
        again = workspace.start_job("identity", {"number": "7"})
        assert again.wait(WAIT_S) is RunState.SUCCEEDED
        assert value_of(again) == 7


def test_whatever_a_validator_raises_is_an_error_of_the_parameters(workspace: Workspace) -> None:
    assert workspace.engine.failure is None
    for _ in range(2):
        with pytest.raises(ParameterError, match="AttributeError"):
            workspace.start_job("picky", {"what": 1})


def test_runs_that_are_started_at_once_keep_their_own_parameters(workspace: Workspace) -> None:
    assert workspace.engine.failure is None
    with ThreadPoolExecutor(8) as pool:
        handles = list(pool.map(lambda n: workspace.start_job("identity", {"number": n}), range(40)))
    for number, handle in enumerate(handles):
        assert handle.wait(WAIT_S) is RunState.SUCCEEDED
        assert value_of(handle) == number


# ---- the socket ----


def test_the_engine_does_not_wait_for_a_worker_that_does_not_read(tmp_path: Path) -> None:
    loop = EventLoop()
    ours, theirs = socket.socketpair()
    link = WorkerLink("worker", ours, str(tmp_path / "spool"), "steps", loop)
    loop.register(ours, lambda: None)
    sent = [Reply(i, {"data": "x" * 100_000}) for i in range(100)]
    for message in sent:
        link.outbox.append(message)
        assert link.flush() == []
    unsent = link.has_unsent
    assert unsent

    received: list[Reply] = []
    frames = worker_frames()

    def reads() -> None:
        while len(received) < len(sent):
            received.extend(frames.feed(theirs.recv(1 << 16)))

    thread = threading.Thread(target=reads)
    thread.start()
    while link.has_unsent:
        loop.turn(1.0)
    thread.join()
    assert received == sent
    loop.unregister(ours)
    loop.close()
    ours.close()
    theirs.close()


def test_what_cannot_be_sent_fails_that_step_and_not_the_others(tmp_path: Path) -> None:
    loop = EventLoop()
    ours, theirs = socket.socketpair()
    link = WorkerLink("worker", ours, str(tmp_path / "spool"), "steps", loop)
    info = RunInfo(1, "job", "flow", {})
    link.take(StepRequest(1, 1, "good", 0, 1), info, "good", False)
    link.take(StepRequest(2, 1, "bad", 1, 1, label="\udcff"), info, "bad", False)
    refused = link.flush()
    assert [request.step for request, _ in refused] == ["bad"]
    messages = worker_frames().feed(theirs.recv(1 << 16))
    assert [getattr(message, "step", "") for message in messages] == ["", "good"]
    loop.close()
    ours.close()
    theirs.close()


def test_a_frame_of_absurd_length_is_refused() -> None:
    with pytest.raises(InvariantError, match="frame"):
        worker_frames().feed(b"\xff\xff\xff\xff")
    assert worker_frames().feed(frame([Reply(1)])) == [Reply(1)]
