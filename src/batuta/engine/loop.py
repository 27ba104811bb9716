"""The engine's event loop: sockets, calls from other threads, and times. Nothing in it may block for long.

What waits for a time waits by the steady clock, so that a clock that is set back holds nobody up; where it is set
forward, what is due by it then is called.
"""

from __future__ import annotations

import contextlib
import heapq
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

STEP_S = 1.0
"""A difference between the clocks that is a step, not a drift."""


@dataclass(slots=True, order=True)
class _Timer:
    at: float
    number: int
    callback: Callable[[], None] | None = field(compare=False)


class EventLoop:
    """See `executors.port.Loop`."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self.register(self._wake_read, self._drain_wakes)
        self._posted: deque[Callable[[], None]] = deque()
        self._timers: list[_Timer] = []
        self._timer_count = 0
        self._cancelled = 0
        self._asleep = False
        self.woken_at = 0.0
        """When the last wait was over, by the steady clock."""
        self._offset = time.time() - time.monotonic()

    def register(self, fileobj: Any, on_readable: Callable[[], None]) -> None:
        """See the port."""
        self._selector.register(fileobj, selectors.EVENT_READ, (on_readable, None))

    def watch_writable(self, fileobj: Any, on_writable: Callable[[], None] | None) -> None:
        """See the port."""
        on_readable = self._selector.get_key(fileobj).data[0]
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if on_writable else 0)
        self._selector.modify(fileobj, events, (on_readable, on_writable))

    def unregister(self, fileobj: Any) -> None:
        """See the port."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(fileobj)

    def post(self, callback: Callable[[], None], soon: bool = True) -> None:
        """See the port."""
        self._posted.append(callback)
        if soon and self._asleep:
            self._asleep = False
            with contextlib.suppress(BlockingIOError, OSError):
                self._wake_write.send(b"x")

    def call_at(self, at: float, callback: Callable[[], None]) -> Callable[[], None]:
        """See the port."""
        self._timer_count += 1
        timer = _Timer(at - self._offset, self._timer_count, callback)
        heapq.heappush(self._timers, timer)
        return lambda: self._cancel(timer)

    def _cancel(self, timer: _Timer) -> None:
        if timer.callback is None:
            return
        timer.callback = None
        self._cancelled += 1
        if self._cancelled > 100 and self._cancelled > len(self._timers) // 2:
            self._timers = [timer for timer in self._timers if timer.callback is not None]
            heapq.heapify(self._timers)
            self._cancelled = 0

    def turn(self, timeout_s: float) -> None:
        """Wait until something happens, at most `timeout_s`, and call whom it concerns."""
        self._look_at_clock()
        if self._timers:
            timeout_s = min(timeout_s, self._timers[0].at - time.monotonic())
        self._asleep = True
        if self._posted:
            timeout_s = 0.0
        ready = self._selector.select(max(0.0, timeout_s))
        self.woken_at = time.monotonic()
        for key, events in ready:
            on_readable, on_writable = key.data
            if events & selectors.EVENT_WRITE:
                on_writable()
            if events & selectors.EVENT_READ:
                on_readable()
        self._asleep = False
        posted = self._posted
        for _ in range(len(posted)):
            posted.popleft()()
        if self._timers:
            self._look_at_clock()
            now = time.monotonic()
            while self._timers and self._timers[0].at <= now:
                timer = heapq.heappop(self._timers)
                callback, timer.callback = timer.callback, None
                if callback is None:
                    self._cancelled -= 1
                else:
                    callback()

    def _look_at_clock(self) -> None:
        """Where it was set forward, what is due by it has come that much nearer."""
        offset = time.time() - time.monotonic()
        step_s = offset - self._offset
        if abs(step_s) < STEP_S:
            return
        self._offset = offset
        if step_s > 0:
            for timer in self._timers:
                timer.at -= step_s  # all by the same: they stay in order

    def close(self) -> None:
        """Free the sockets."""
        self._selector.close()
        self._wake_read.close()
        self._wake_write.close()

    def _drain_wakes(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake_read.recv(4096)  # what is left of more than that wakes us once again
