"""Interruptions fall in the user's code, once, and never in ours."""

from __future__ import annotations

import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from batuta.authoring.context import CancelledByRequest
from batuta.runtime.failures import TaskTimeout
from batuta.runtime.interrupts import INTERRUPTIONS, Scope, SignalInterrupts, ThreadInterrupts, Within

ROUNDS = 1500


def by_timer(delay_s: float, callback: Callable[[], None]) -> Callable[[], None]:
    timer = threading.Timer(delay_s, callback)
    timer.daemon = True
    timer.start()
    return timer.cancel


@pytest.fixture
def quick_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def interrupts() -> Iterator[SignalInterrupts]:
    """Those of the main thread, with their handlers."""
    made = SignalInterrupts(signal.SIGUSR1)
    before = {
        signal.SIGUSR1: signal.signal(signal.SIGUSR1, lambda *_: made.fall()),
        signal.SIGALRM: signal.signal(signal.SIGALRM, made.on_alarm),
    }
    yield made
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in before.items():
        signal.signal(number, handler)


def spin() -> None:
    """User code that does not end by itself."""
    while True:
        pass


def test_at_whatever_instant_it_comes_it_falls_in_the_users_code_or_not_at_all(quick_switches: None) -> None:
    dice = random.Random(7)
    counts = dict.fromkeys(("fell", "came too late", "fell in ours"), 0)
    current: list[Scope] = []

    def attempts() -> None:
        for _ in range(ROUNDS):
            interrupts = ThreadInterrupts(by_timer)
            try:
                with interrupts.scope(1) as scope:
                    current[:] = [scope]
                    try:
                        interrupts.call(lambda: sum(range(dice.randrange(3000))) + sum(i for i in range(200)))
                        counts["came too late"] += 1
                    except CancelledByRequest:
                        counts["fell"] += 1
                    for _ in range(50):
                        with interrupts.paused():
                            pass
            except CancelledByRequest:
                counts["fell in ours"] += 1

    thread = threading.Thread(target=attempts)
    thread.start()
    while thread.is_alive():
        for scope in current:
            scope.interrupt(CancelledByRequest)
        thread.join(random.random() * 1e-4)
    assert counts["fell in ours"] == 0
    assert counts["fell"] > 0
    assert counts["came too late"] > 0


def test_what_comes_while_ours_runs_waits_for_the_users_code() -> None:
    interrupts = ThreadInterrupts(by_timer)
    seen: list[str] = []

    def users() -> None:
        with interrupts.paused():
            interrupts.interrupt_run(1, CancelledByRequest)
            seen.append("ours went on")
        seen.append("the user's did not")

    with interrupts.scope(1), pytest.raises(CancelledByRequest):
        interrupts.call(users)
    assert seen == ["ours went on"]


def test_what_is_wanted_before_the_scope_is_entered_falls_at_its_beginning() -> None:
    interrupts = ThreadInterrupts(by_timer)
    interrupts.interrupt_run(5, CancelledByRequest)
    with interrupts.scope(5), pytest.raises(CancelledByRequest):
        interrupts.call(spin)


def test_code_that_swallows_an_interruption_is_not_interrupted_again() -> None:
    interrupts = ThreadInterrupts(by_timer)

    def stubborn() -> str:
        try:
            interrupts.interrupt_run(1, CancelledByRequest)
            spin()
        except CancelledByRequest:
            interrupts.interrupt_run(1, CancelledByRequest)
        return "went on"

    with interrupts.scope(1):
        assert interrupts.call(stubborn) == "went on"


def test_the_inner_scope_is_left_alone_when_its_own_time_is_not_over() -> None:
    interrupts = ThreadInterrupts(by_timer)
    with interrupts.scope(1, timeout_s=0.02) as outer, interrupts.scope(2, timeout_s=60) as inner:
        with pytest.raises(TaskTimeout):
            interrupts.call(spin)
        assert (outer.wanted, inner.wanted) == (TaskTimeout, None)


def test_signals_end_a_blocking_call_at_the_nearest_deadline(interrupts: SignalInterrupts) -> None:
    never = threading.Event()
    with interrupts.scope(1, timeout_s=60), interrupts.scope(2, timeout_s=0.02) as inner:
        with pytest.raises(TaskTimeout):
            interrupts.call(never.wait)
        assert inner.wanted is TaskTimeout
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_deadline_that_passes_in_our_code_is_no_timeout(interrupts: SignalInterrupts) -> None:
    with interrupts.scope(1, timeout_s=0.5) as scope:
        assert interrupts.call(lambda: "done") == "done"
        while scope.wanted is None:  # the alarm rings while ours records the value
            time.monotonic()


def test_another_thread_reaches_the_main_one(interrupts: SignalInterrupts) -> None:
    never = threading.Event()
    with interrupts.scope(3) as scope:
        thread = threading.Thread(target=scope.interrupt, args=(CancelledByRequest,))

        def users() -> None:
            thread.start()
            never.wait()

        with pytest.raises(INTERRUPTIONS):
            interrupts.call(users)
        thread.join()


def within(interrupts: ThreadInterrupts, inner: Within, code: Callable[[], object]) -> object:
    """What becomes of `code` in a call that is run in the midst of a body's code."""
    with interrupts.paused(), inner.scope(1):
        return inner.call(code)


def test_what_is_wanted_of_a_call_falls_in_it_alone() -> None:
    interrupts = ThreadInterrupts(by_timer)
    inner = Within(interrupts)

    def code() -> None:
        inner.interrupt_run(1, CancelledByRequest)
        spin()

    def body() -> str:
        with pytest.raises(CancelledByRequest):
            within(interrupts, inner, code)
        return "went on"

    with interrupts.scope(1):
        assert interrupts.call(body) == "went on"


def test_what_is_wanted_before_a_call_begins_falls_in_it() -> None:
    interrupts = ThreadInterrupts(by_timer)
    inner = Within(interrupts)
    inner.interrupt_run(1, CancelledByRequest)
    with interrupts.scope(1), pytest.raises(CancelledByRequest):
        within(interrupts, inner, spin)


@pytest.mark.parametrize("swallows", [False, True])
def test_what_is_wanted_of_the_body_falls_in_its_call_and_then_in_it(swallows: bool) -> None:
    interrupts = ThreadInterrupts(by_timer)
    seen: list[str] = []

    def code() -> None:
        try:
            interrupts.interrupt_run(1, TaskTimeout)
            spin()
        except TaskTimeout:
            seen.append("in the call")
            if not swallows:
                raise

    def body() -> None:
        try:
            with interrupts.paused():
                inner = Within(interrupts)
                with inner.scope(1):
                    try:
                        inner.call(code)
                    except CancelledByRequest:  # for the call's own time was not over
                        seen.append("cancelled")
        finally:
            seen.append("in the body")

    with interrupts.scope(1), pytest.raises(TaskTimeout):
        interrupts.call(body)
    assert seen == ["in the call", *([] if swallows else ["cancelled"]), "in the body"]
