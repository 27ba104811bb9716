"""Prefect, measured as a script uses it: flows on the default task runner, the API server that it starts, SQLite."""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.harness import Settings, Subject, clock, expect, serve
from bench.workloads import before, layers_of


def noop(i: int = 0) -> None:
    """Nothing."""


def increment(number: int) -> int:
    """The next number."""
    return number + 1


def numbers(n: int) -> list[int]:
    """What a map maps over."""
    return list(range(n))


def flows(prefect: Any) -> dict[str, Callable[..., Any]]:
    """The workloads as flows; each returns how many tasks have completed."""
    a_noop, an_increment, some_numbers = (prefect.task(fn) for fn in (noop, increment, numbers))

    def completed(futures: Any) -> int:
        prefect.futures.wait(futures)
        return sum(future.state.is_completed() for future in futures)

    def fan_out(n: int) -> int:
        return completed(a_noop.map(list(range(n))))

    def chain(n: int) -> int:
        value = 0
        for _ in range(n):
            value = an_increment(value)
        return value

    def layered(n: int) -> int:
        made: list[Any] = []
        previous: list[int] = []
        for layer in layers_of(n):
            for number in layer:
                upstream = [made[i] for i in before(number, previous)] if previous else []
                made.append(a_noop.submit(number, wait_for=upstream))
            previous = layer
        return completed(made)

    def mapped(n: int) -> int:
        return completed(a_noop.map(some_numbers(n)))

    def one() -> int:
        a_noop()
        return 1

    made = {"fan_out": fan_out, "chain": chain, "layered": layered, "map": mapped, "runs": one}
    return {name: prefect.flow(name=name)(fn) for name, fn in made.items()}


@contextmanager
def open_subject(settings: Settings) -> Iterator[Subject]:
    """See `harness.Open`."""
    os.environ |= {"PREFECT_HOME": settings.home, "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    prefect = importlib.import_module("prefect")
    importlib.import_module("prefect.futures")
    by_name = flows(prefect)

    def one_run(name: str) -> Callable[[int], float]:
        def measure(size: int) -> float:
            start = clock()
            done = by_name[name](size)
            took_s = clock() - start
            expect(done, size, "tasks completed")
            return took_s

        return measure

    def many_runs(size: int) -> float:
        start = clock()
        done = sum(by_name["runs"]() for _ in range(size))
        took_s = clock() - start
        expect(done, size, "flow runs completed")
        return took_s

    workloads = {name: one_run(name) for name in ("fan_out", "chain", "layered", "map")} | {"runs": many_runs}
    workloads["fan_out"](5)
    yield Subject(workloads, {"prefect": prefect.__version__})


if __name__ == "__main__":
    serve(open_subject)
