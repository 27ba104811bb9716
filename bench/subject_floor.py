"""The floor: the pools of `concurrent.futures`, one call by one, nothing recorded. Variants: `threads`, `processes`."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import contextmanager

from bench.harness import Settings, Subject, clock, expect, serve
from bench.workloads import before, layers_of

THREADS = 8
PROCESSES = 2
WARM_UP = 200


def noop(_number: int = 0) -> None:
    """Nothing."""


def increment(number: int) -> int:
    """The next number."""
    return number + 1


def numbers(n: int) -> list[int]:
    """What a map maps over."""
    return list(range(n))


class Measured:
    """The workloads on one pool."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool

    def fan_out(self, size: int) -> float:
        start = clock()
        self._all(range(size))
        return clock() - start

    def chain(self, size: int) -> float:
        start = clock()
        value = 0
        for _ in range(size):
            value = self._pool.submit(increment, value).result()
        expect(value, size, "the value at the end")
        return clock() - start

    def layered(self, size: int) -> float:
        start = clock()
        made: list[Future[None]] = []
        previous: list[int] = []
        for layer in layers_of(size):
            for number in layer:
                if previous:
                    wait([made[i] for i in before(number, previous)])
                made.append(self._pool.submit(noop, number))
            previous = layer
        wait(made)
        return clock() - start

    def map(self, size: int) -> float:
        start = clock()
        self._all(self._pool.submit(numbers, size).result())
        return clock() - start

    def runs(self, size: int) -> float:
        start = clock()
        self._all(range(size))
        return clock() - start

    def _all(self, items: range | list[int]) -> None:
        futures = [self._pool.submit(noop, i) for i in items]
        for future in futures:
            future.result()


@contextmanager
def open_subject(settings: Settings) -> Iterator[Subject]:
    """See `harness.Open`."""
    pool: Executor
    pool = ThreadPoolExecutor(THREADS) if settings.variant == "threads" else ProcessPoolExecutor(PROCESSES)
    with pool:
        measured = Measured(pool)
        measured.fan_out(WARM_UP)
        names = ("fan_out", "chain", "layered", "map", "runs")
        yield Subject({name: getattr(measured, name) for name in names}, {})


if __name__ == "__main__":
    serve(open_subject)
