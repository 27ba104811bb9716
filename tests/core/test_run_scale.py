"""Wide and long runs cost the same per task run as small ones. Lines are counted, not seconds: machines are busy."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from batuta.core import events as ev
from batuta.core.plan import Plan, StepSpec
from batuta.core.run import Run
from batuta.core.states import RUN_FINAL
from batuta.core.values import ErrorInfo, Handle
from tests.core.run_driver import aligned, labels, mapped, step

_ENDS: dict[str, Callable[[int, int], ev.Event]] = {
    "succeed": lambda no, attempt: ev.AttemptSucceeded(1.0, task=no, attempt=attempt),
    "fail": lambda no, attempt: ev.AttemptFailed(1.0, task=no, attempt=attempt, error=ErrorInfo()),
    "skip": lambda no, attempt: ev.AttemptSkipped(1.0, task=no, attempt=attempt),
    "stopped": lambda no, attempt: ev.AttemptCancelled(1.0, task=no, attempt=attempt),
}


def _lines(action: Callable[[], None]) -> int:
    """How many lines of Python `action` takes."""
    count = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(None)
    return count


def _drive(run: Run, commands: list[ev.Command], end: str = "succeed") -> None:
    while commands:
        following: list[ev.Command] = []
        for command in commands:
            if isinstance(command, ev.Dispatch | ev.Stop):
                if run.task(command.task).node.spec.key == "src":
                    size = int(run.plan.job)
                    event: ev.Event = ev.AttemptSucceeded(1.0, task=0, attempt=1, output=Handle(length=size))
                else:
                    event = _ENDS[end](command.task, command.attempt)
                following += run.advance(event)
        commands = following


def _fan(n: int) -> list[StepSpec]:
    leaves = [step(f"t{i}", "src") for i in range(n)]
    return [step("src"), *leaves, step("end", *(leaf.key for leaf in leaves))]


def _chain(n: int) -> list[StepSpec]:
    return [step("t0"), *(step(f"t{i}", f"t{i - 1}") for i in range(1, n))]


def _maps(n: int) -> list[StepSpec]:
    over = mapped("src")
    steps = [step("src"), step("a", "src", expansion=over), step("b", aligned("a"), expansion=over)]
    return [*steps, step("c", "b", expansion=mapped("b")), step("end", "c")]


def _early(n: int) -> list[StepSpec]:
    names = tuple(str(i) for i in range(n))
    rules = ("one_success", "one_failed", "one_done", "all_failed", "none_skipped", "none_failed", "all_success")
    return [step("up", expansion=labels(*names)), *(step(r, "up", rule=r, expansion=labels(*names)) for r in rules)]


@pytest.mark.parametrize("end", ["succeed", "fail", "skip"])
@pytest.mark.parametrize("shape", [_fan, _chain, _maps, _early])
def test_work_grows_with_the_number_of_task_runs_alone(shape: Callable[[int], list[StepSpec]], end: str) -> None:
    def work(n: int) -> int:
        run = Run(Plan(str(n), "dag", tuple(shape(n))))
        count = _lines(lambda: _drive(run, run.advance(ev.RunStarted(at=0.0)), end))
        assert run.state in RUN_FINAL
        run.check()
        return count

    assert work(400) <= 4.3 * work(100)


@pytest.mark.parametrize("shape", [_fan, _chain, _maps, _early])
def test_so_does_the_work_of_cancelling_and_restarting(shape: Callable[[int], list[StepSpec]]) -> None:
    def work(n: int) -> int:
        run = Run(Plan(str(n), "dag", tuple(shape(n))))
        commands = run.advance(ev.RunStarted(at=0.0))
        if shape is not _early:
            for command in commands:
                assert isinstance(command, ev.Dispatch)
                output = Handle(length=n)
                run.advance(ev.AttemptSucceeded(1.0, task=command.task, attempt=command.attempt, output=output))

        def stop_and_go() -> None:
            _drive(run, run.advance(ev.CancelAsked(at=2.0)), "stopped")
            assert run.state in RUN_FINAL
            _drive(run, run.advance(ev.RestartAsked(at=3.0)))
            assert run.state in RUN_FINAL
            _drive(run, run.advance(ev.RestartAsked(at=4.0, tasks=(0,))))

        count = _lines(stop_and_go)
        run.check()
        return count

    assert work(400) <= 4.3 * work(100)


def test_a_flow_may_ask_one_by_one_and_again() -> None:
    def work(n: int) -> int:
        run = Run(Plan("flow", "flow", (StepSpec("flow", kind="flow"),), "body"))
        run.advance(ev.RunStarted(at=0.0))

        def life() -> None:
            for i in range(n):
                run.advance(ev.TasksRequested(1.0, spec=step("t"), calls=(ev.Call(f"t{i}"),), attempt=1))
            for i in range(n):
                run.advance(ev.AttemptFailed(1.0, task=i + 1, attempt=1, error=ErrorInfo()))
            run.advance(ev.AttemptFailed(1.0, task=0, attempt=1, error=ErrorInfo()))
            run.advance(ev.RestartAsked(at=2.0))
            for i in range(n):
                run.advance(ev.TasksRequested(3.0, spec=step("t"), calls=(ev.Call(f"t{i}"),), attempt=2))

        count = _lines(life)
        assert len(run.outstanding()) == n + 1
        return count

    assert work(400) <= 4.3 * work(100)
