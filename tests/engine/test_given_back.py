"""Attempts that an executor gives back unbegun: they run all the same, whatever was thought of them meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from batuta.core.plan import Plan, StepSpec
from batuta.core.states import RunState
from batuta.engine.active import ActiveRun
from batuta.engine.engine import Engine
from batuta.executors.port import Executor, Heard, Loop
from batuta.runtime.protocol import Reply, RunInfo, StepDone, StepRequest, TaskEnded
from batuta.store.rows import NewRun
from batuta.store.store import Store
from tests.engine.projects import WAIT_S, until


class Hesitant:
    """An executor that seems to run the first attempt, and gives it back when told to; it succeeds with the others."""

    def __init__(self) -> None:
        self.sent: list[StepRequest] = []
        self._loop: Loop
        self._heard: Callable[[Executor, Heard], None]

    def start(self, loop: Loop, heard: Callable[[Executor, Heard], None]) -> None:
        self._loop, self._heard = loop, heard

    def has_room(self, kind: str, task: str) -> bool:
        return True

    def send(self, info: RunInfo, request: StepRequest) -> None:
        self.sent.append(request)
        if len(self.sent) > 1:
            self.tell(StepDone(request.id, "succeeded", time.time(), time.time()))

    def give_back(self) -> None:
        self.tell(StepDone(self.sent[0].id, "returned", 0.0, 0.0))

    def tell(self, done: StepDone) -> None:
        self._loop.post(lambda: self._heard(self, done))

    def running(self) -> Iterable[tuple[int, float, str]]:
        return [(self.sent[0].id, 0.0, "process 1")] if len(self.sent) == 1 else []

    def flush(self) -> None: ...

    def cancel(self, request_id: int, hard: bool, run_id: int = 0) -> None: ...

    def reply(self, request_id: int, reply: Reply) -> None: ...

    def ended(self, request_id: int, message: TaskEnded) -> None: ...

    def forget(self, run_id: int) -> None: ...

    def stop(self) -> None: ...


@pytest.fixture
def hesitant() -> Hesitant:
    return Hesitant()


@pytest.fixture
def engine(tmp_path: Path, hesitant: Hesitant) -> Iterator[Engine]:
    with Store.open(tmp_path / "batuta.db") as store:
        engine = Engine(store, {"hesitant": hesitant}, home=str(tmp_path))
        engine.start()
        yield engine
        engine.stop()


def started(engine: Engine, ended: Callable[[RunState], None]) -> ActiveRun:
    plan = Plan(job="job", kind="dag", steps=(StepSpec(key="only", task="only", kind="task"),))
    return engine.start_run(NewRun(job="job", kind="dag", plan_hash=""), plan, executor="hesitant", waiter=ended)


@pytest.mark.parametrize("seems_to_run", [False, True])
def test_it_is_sent_again(engine: Engine, hesitant: Hesitant, seems_to_run: bool) -> None:
    over = threading.Event()
    run = started(engine, lambda _state: over.set())
    until(lambda: hesitant.sent)
    if seems_to_run:
        until(lambda: [event for event in engine.store.events(run.id) if event.kind == "attempt_started"])
    hesitant.give_back()
    assert over.wait(WAIT_S)
    assert run.run.state is RunState.SUCCEEDED
    assert len(hesitant.sent) == 2


def test_one_that_is_to_be_stopped_is_not(engine: Engine, hesitant: Hesitant) -> None:
    over = threading.Event()
    run = started(engine, lambda _state: over.set())
    until(lambda: hesitant.sent)
    engine.cancel_run(run.id, by="me")
    hesitant.give_back()
    assert over.wait(WAIT_S)
    assert run.run.state is RunState.CANCELLED
    assert len(hesitant.sent) == 1
