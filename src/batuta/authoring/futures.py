"""What `.submit` and `.map` return: one thing with `.result()` and `await`."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from batuta.core.errors import RequestError

R = TypeVar("R")
_FINAL = frozenset(("succeeded", "failed", "skipped", "upstream_failed", "cancelled"))


class Future(Generic[R]):
    """A task run that was asked for. Pass it to other tasks: they wait for it, and get its value."""

    __slots__ = ("_callbacks", "_error", "_load", "_lock", "_value", "_wakers", "key", "name", "state")

    def __init__(self, key: str, name: str) -> None:
        self.key = key
        self.name = name
        self.state = "waiting"
        self._lock = threading.Lock()
        self._value: Any = None
        self._load: Callable[[], Any] | None = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Future[Any]], None]] = []
        self._wakers: list[Callable[[], None]] = []

    def done(self) -> bool:
        """Whether it has ended."""
        return self.state in _FINAL

    def result(self, timeout_s: float | None = None) -> R:
        """Wait for the end and return the value, or raise the task's error. Raises TimeoutError."""
        self.wait(timeout_s)
        if self._error is not None:
            raise self._error
        if self._load is not None:
            with self._lock:
                if self._load is not None:
                    self._value, self._load = self._load(), None
        return self._value  # type: ignore[no-any-return]

    def exception(self, timeout_s: float | None = None) -> BaseException | None:
        """Wait for the end and return the error, None where there was none."""
        self.wait(timeout_s)
        return self._error

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait for the end. Raises TimeoutError."""
        if self.state in _FINAL:
            return
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            with self._lock:
                if self.state in _FINAL:
                    return
                waiter = threading.Lock()
                waiter.acquire()
                self._wakers.append(waiter.release)
            if not waiter.acquire(timeout=-1 if deadline is None else max(0.0, deadline - time.monotonic())):
                raise TimeoutError(f"task run {self.key!r} has not ended after {timeout_s} s (it is {self.state})")

    def add_done_callback(self, callback: Callable[[Future[Any]], None]) -> None:
        """Call `callback(self)` at the end, at once if it has ended; from another thread."""
        with self._lock:
            if self.state not in _FINAL:
                self._callbacks.append(callback)
                return
        callback(self)

    def set_ended(
        self,
        state: str,
        value: Any = None,
        load: Callable[[], Any] | None = None,
        error: BaseException | None = None,
    ) -> None:
        """For the session: the task run has ended."""
        with self._lock:
            if self.state in _FINAL:
                return
            self._value, self._load, self._error = value, load, error
            self.state = state
            callbacks, self._callbacks = self._callbacks, []
        self.wake()
        for callback in callbacks:
            callback(self)

    def wake(self) -> None:
        """For the session: whoever waits in a thread looks up, though it has not ended, for what is to end the wait."""
        with self._lock:
            wakers, self._wakers = self._wakers, []
        for waker in wakers:
            waker()

    def when_woken(self, waker: Callable[[], None]) -> None:
        """Have it called once, by the next `wake` or by the end."""
        with self._lock:
            if self.state not in _FINAL:
                self._wakers.append(waker)

    def __await__(self) -> Generator[Any, None, R]:
        if self.state not in _FINAL:
            import asyncio  # here, because it takes a fifth of the time that importing the package takes

            loop = asyncio.get_running_loop()
            waiter = loop.create_future()

            def wake(_future: Future[Any]) -> None:
                loop.call_soon_threadsafe(lambda: None if waiter.done() else waiter.set_result(None))

            self.add_done_callback(wake)
            yield from waiter.__await__()
        return self.result()

    async def __aiter__(self) -> AsyncIterator[Any]:
        """The items that an async generator has given, when it has ended."""
        for item in await self:  # type: ignore[attr-defined]
            yield item

    def __reduce__(self) -> Any:
        from batuta.authoring.references import reference

        return reference(self)

    def __repr__(self) -> str:
        return f"<future {self.key} {self.state}>"

    def __bool__(self) -> bool:
        raise RequestError(
            f"the future of {self.key!r} was used as a truth value",
            hint="call .result() on it for the task's value, or .done() to see whether it has ended",
        )


class FutureList(list[Future[R]]):
    """The futures of a `.map`, in order."""

    def result(self, timeout_s: float | None = None) -> list[R]:
        """All values in order; raises the first error."""
        left = _left(timeout_s)
        return [future.result(left()) for future in self]

    def wait(self, timeout_s: float | None = None) -> FutureList[R]:
        """Wait for all to end, however they do."""
        wait(self, timeout_s)
        return self


def as_completed(futures: Iterable[Future[R]], timeout_s: float | None = None) -> Iterator[Future[R]]:
    """The futures in the order in which they end. Raises TimeoutError if the next does not end within `timeout_s`."""
    import queue

    ended: queue.SimpleQueue[Future[R] | None] = queue.SimpleQueue()
    pending = list(futures)
    for future in pending:
        future.add_done_callback(ended.put)
        future.when_woken(lambda: ended.put(None))
    for _ in pending:
        left = _left(timeout_s)
        try:
            while (next_ended := ended.get(timeout=left())) is None:
                pass
        except queue.Empty:
            raise TimeoutError(f"no further task run ended within {timeout_s} s") from None
        yield next_ended


def wait(futures: Sequence[Future[Any]], timeout_s: float | None = None) -> tuple[list[Any], list[Any]]:
    """Wait until all have ended or the time is over; returns (done, not done)."""
    left, futures = _left(timeout_s), list(futures)
    for future in futures:
        try:
            future.wait(left())
        except TimeoutError:
            break
    return [f for f in futures if f.done()], [f for f in futures if not f.done()]


def _left(timeout_s: float | None) -> Callable[[], float | None]:
    """How many of these seconds are left, whenever asked."""
    if timeout_s is None:
        return lambda: None
    deadline = time.monotonic() + timeout_s
    return lambda: max(0.0, deadline - time.monotonic())
