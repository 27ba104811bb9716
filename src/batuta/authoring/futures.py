"""What `.submit` and `.map` return: one thing with `.result()` and `await`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from batuta.core.errors import RequestError

R = TypeVar("R")
_FINAL = frozenset(("succeeded", "failed", "skipped", "upstream_failed", "cancelled"))


class Future(Generic[R]):
    """A task run that was asked for. Pass it to other tasks: they wait for it, and get its value."""

    __slots__ = ("_callbacks", "_error", "_event", "_load", "_lock", "_value", "key", "name", "state")

    def __init__(self, key: str, name: str) -> None:
        self.key = key
        self.name = name
        self.state = "waiting"
        self._event: threading.Lock | None = None
        self._lock = threading.Lock()
        self._value: Any = None
        self._load: Callable[[], Any] | None = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Future[Any]], None]] = []

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
        with self._lock:
            if self.state in _FINAL:
                return
            waiter = threading.Lock()
            waiter.acquire()
            self._callbacks.append(lambda _future: waiter.release())
        if not waiter.acquire(timeout=-1 if timeout_s is None else timeout_s):
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
        for callback in callbacks:
            callback(self)

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
        return [future.result(timeout_s) for future in self]

    def wait(self, timeout_s: float | None = None) -> FutureList[R]:
        """Wait for all to end, however they do."""
        wait(self, timeout_s)
        return self


def as_completed(futures: Iterable[Future[R]], timeout_s: float | None = None) -> Iterator[Future[R]]:
    """The futures in the order in which they end. Raises TimeoutError if the next does not end within `timeout_s`."""
    import queue

    ended: queue.SimpleQueue[Future[R]] = queue.SimpleQueue()
    pending = list(futures)
    for future in pending:
        future.add_done_callback(ended.put)
    for _ in pending:
        try:
            yield ended.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError(f"no further task run ended within {timeout_s} s") from None


def wait(futures: Sequence[Future[Any]], timeout_s: float | None = None) -> tuple[list[Any], list[Any]]:
    """Wait until all have ended or the time is over; returns (done, not done)."""
    left = threading.Semaphore(0)
    futures = list(futures)
    for future in futures:
        future.add_done_callback(lambda _future: left.release())
    for _ in futures:
        if not left.acquire(timeout=timeout_s):
            break
    return [f for f in futures if f.done()], [f for f in futures if not f.done()]
