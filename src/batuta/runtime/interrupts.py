"""When an attempt may be interrupted: while its user's code runs, and nowhere in ours.

An interruption is CancelledByRequest or TaskTimeout, raised in the middle of whatever the attempt's thread is doing:
by a signal on a process's main thread, as an asynchronous exception on other threads. Our own code around the user's
(recording, sending, logging) keeps the gate shut, and what was wanted meanwhile falls when it opens again. The
surprising rule: an interruption falls once; code that swallows it goes on, until whoever wanted the stop kills it.
"""

from __future__ import annotations

import ctypes
import signal
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any, TypeVar

from batuta.authoring.context import CancelledByRequest
from batuta.runtime.failures import TaskTimeout

INTERRUPTIONS = (CancelledByRequest, TaskTimeout)
Interruption = type[CancelledByRequest] | type[TaskTimeout]
T = TypeVar("T")


class Scope:
    """What can be interrupted as one: an attempt, or the body of a nested flow in it. Use it with `with`."""

    __slots__ = ("_owner", "deadline", "landed", "run_id", "wake", "wanted")

    def __init__(self, owner: Interrupts, run_id: int, timeout_s: float | None) -> None:
        self._owner = owner
        self.run_id = run_id
        self.deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self.wanted: Interruption | None = None
        self.landed = False
        self.wake: list[Callable[[Interruption], None]] = []
        """Called, in whatever thread, when an interruption is wanted: to end what the code may be waiting for."""

    def interrupt(self, error: Interruption) -> None:
        """End what runs in this scope. From any thread; the first one counts."""
        if self.wanted is None:
            self._owner.want(self, error)
            for wake in self.wake:
                wake(error)

    def __enter__(self) -> Scope:
        self._owner.enter(self)
        return self

    def __exit__(self, kind: object, error: object, trace: TracebackType | None) -> None:
        self._owner.leave(self)


class Interrupts:
    """The scopes that the thread which makes it is in, outermost first, and the gate."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.is_open = False
        self._thread = threading.get_ident()
        self._early: dict[int, Interruption] = {}

    @property
    def is_here(self) -> bool:
        """Whether the thread that asks is theirs."""
        return threading.get_ident() == self._thread

    def scope(self, run_id: int, timeout_s: float | None = None) -> Scope:
        """A new scope, to be entered."""
        return Scope(self, run_id, timeout_s)

    def enter(self, scope: Scope) -> None:
        """The thread is in that scope from here on."""
        self.scopes.append(scope)
        early = self._early.pop(scope.run_id, None)
        if early is not None:
            scope.interrupt(early)

    def leave(self, scope: Scope) -> None:
        """The opposite."""
        self.scopes.remove(scope)
        if not self.scopes:
            self._early.clear()

    def interrupt_run(self, run_id: int, error: Interruption) -> None:
        """End what runs of that run, or is about to."""
        found = [scope for scope in list(self.scopes) if scope.run_id == run_id]
        for scope in found:
            scope.interrupt(error)
        if not found:
            self._early[run_id] = error

    def call(self, action: Callable[[], T]) -> T:
        """Run the user's code with the gate open. Raises what falls in it, or was wanted before."""
        try:
            try:
                self.open()
                return action()
            finally:
                self.close()
        except INTERRUPTIONS:
            while self.is_open:  # it fell just when the gate was to be shut
                try:
                    self.close()
                except INTERRUPTIONS:
                    continue
            raise

    def paused(self) -> AbstractContextManager[None]:
        """Shut the gate in a `with` block: our code that the user's code calls, maybe in a thread of its own."""
        return Paused(self) if self.is_here else nullcontext()

    def want(self, scope: Scope, error: Interruption) -> None:
        """Let it fall as soon as it may."""
        raise NotImplementedError

    def open(self) -> None:
        """From here on interruptions may fall; raises what is due."""
        raise NotImplementedError

    def close(self) -> None:
        """From here on none falls."""
        raise NotImplementedError

    def _due(self) -> Scope | None:
        for scope in self.scopes:
            if scope.wanted is not None and not scope.landed:
                return scope
        return None


class Paused(AbstractContextManager[None]):
    """See `Interrupts.paused`."""

    __slots__ = ("_interrupts", "_was_open")

    def __init__(self, interrupts: Interrupts) -> None:
        self._interrupts = interrupts
        self._was_open = False

    def __enter__(self) -> None:
        self._was_open = self._interrupts.is_open
        self._interrupts.close()

    def __exit__(self, kind: object, error: object, trace: TracebackType | None) -> None:
        if self._was_open:
            self._interrupts.open()


class SignalInterrupts(Interrupts):
    """For the main thread of a process, which a signal reaches even in a system call.

    `handle` is to be called by the handler of `wake_signal`, `on_alarm` by that of SIGALRM.
    """

    def __init__(self, wake_signal: signal.Signals) -> None:
        super().__init__()
        self._wake_signal = wake_signal

    def enter(self, scope: Scope) -> None:
        super().enter(scope)
        if scope.deadline is not None:
            self._arm()

    def leave(self, scope: Scope) -> None:
        super().leave(scope)
        if scope.deadline is not None:
            self._arm()

    def _arm(self) -> None:
        deadlines = [scope.deadline for scope in self.scopes if scope.deadline is not None and scope.wanted is None]
        left_s = max(min(deadlines) - time.monotonic(), 1e-6) if deadlines else 0.0
        signal.setitimer(signal.ITIMER_REAL, left_s)

    def want(self, scope: Scope, error: Interruption) -> None:
        scope.wanted = error
        if threading.get_ident() == self._thread:
            self.fall()
        else:
            signal.pthread_kill(self._thread, self._wake_signal)

    def on_alarm(self, _signal: int, _frame: Any) -> None:
        """The handler of SIGALRM: a deadline has passed."""
        now = time.monotonic()
        for scope in self.scopes:
            if scope.deadline is not None and scope.deadline <= now and scope.wanted is None:
                scope.wanted = TaskTimeout
        self._arm()
        self.fall()

    def fall(self) -> None:
        """Raise what is due, if the gate is open; on the main thread."""
        if self.is_open:
            scope = self._due()
            if scope is not None and scope.wanted is not None:
                scope.landed = True
                raise scope.wanted

    def open(self) -> None:
        self.is_open = True
        self.fall()

    def close(self) -> None:
        self.is_open = False


class ThreadInterrupts(Interrupts):
    """For any thread. What falls does so at the thread's next bytecode: nothing ends a call into C code.

    `call_later(seconds, callback)` has `callback` called in some other thread and returns what cancels that.
    """

    def __init__(self, call_later: Callable[[float, Callable[[], None]], Callable[[], None]]) -> None:
        super().__init__()
        self._call_later = call_later
        self._lock = threading.Lock()
        self._sent: Scope | None = None
        self._timers: dict[Scope, Callable[[], None]] = {}

    def enter(self, scope: Scope) -> None:
        super().enter(scope)
        if scope.deadline is not None:
            left_s = scope.deadline - time.monotonic()
            self._timers[scope] = self._call_later(left_s, lambda: self._too_late(scope))

    def leave(self, scope: Scope) -> None:
        with self._lock:
            super().leave(scope)
        cancel = self._timers.pop(scope, None)
        if cancel is not None:
            cancel()

    def _too_late(self, scope: Scope) -> None:
        if scope in self.scopes:
            scope.interrupt(TaskTimeout)

    def want(self, scope: Scope, error: Interruption) -> None:
        with self._lock:
            if scope.wanted is None:
                scope.wanted = error
                if self.is_open:
                    self._send()

    def _send(self) -> None:
        scope = self._due()
        if scope is not None and (self._sent is None or self._sent.landed):
            self._sent = scope
            _raise_in(self._thread, _falling(scope))

    def open(self) -> None:
        with self._lock:
            self.is_open = True
            scope = self._due()
            if scope is None or scope.wanted is None:
                return
            scope.landed = True
        raise scope.wanted

    def close(self) -> None:
        with self._lock:
            self.is_open = False
            if self._sent is not None:
                if not self._sent.landed:
                    _raise_in(self._thread, None)
                self._sent = None


class Within(Interrupts):
    """Of an attempt that runs in the midst of another one's code, on the same thread: `outer` does all the work.

    What is wanted of it falls in it alone. What is wanted of those around it falls in it, and then again in them.
    """

    def __init__(self, outer: Interrupts, timeout_s: float | None = None) -> None:
        super().__init__()
        self._outer = outer
        self._scope = Scope(outer, 0, timeout_s)  # of no run, so that who interrupts that interrupts it once

    def scope(self, run_id: int, timeout_s: float | None = None) -> Scope:
        """Its one scope, to be entered."""
        return self._scope

    def interrupt_run(self, run_id: int, error: Interruption) -> None:
        """End it, whether it has begun or is about to."""
        self._scope.interrupt(error)

    def call(self, action: Callable[[], T]) -> T:
        """See the base class. Raises CancelledByRequest where it is another's interruption that falls."""
        around = [scope for scope in self._outer.scopes if scope is not self._scope and not scope.landed]
        try:
            return self._outer.call(action)
        except INTERRUPTIONS as error:
            if any(scope.landed for scope in around):
                raise CancelledByRequest("what it runs in is to end") from error
            raise
        finally:
            for scope in around:
                scope.landed = False

    def paused(self) -> AbstractContextManager[None]:
        """See the base class."""
        return self._outer.paused()


def _falling(scope: Scope) -> type[BaseException]:
    """What is wanted, as a type that tells the scope that it has fallen."""
    wanted = scope.wanted
    assert wanted is not None

    def fallen(self: BaseException, *args: Any) -> None:
        scope.landed = True
        BaseException.__init__(self, *args)

    return type(wanted.__name__, (wanted,), {"__init__": fallen, "__module__": wanted.__module__})


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Raise it at the thread's next bytecode; None takes back what has not been raised yet."""
    what = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what)
