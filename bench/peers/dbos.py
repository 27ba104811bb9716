"""DBOS, measured: workflows whose steps are recorded in SQLite or PostgreSQL (variants `sqlite`, `postgres`).

Surprising: the fan-out is a loop. For steps that do nothing that is DBOS's quickest way: steps that are gathered
reached two thirds of it, and child workflows, started or queued, a fifth.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from typing import Any

from bench.harness import Settings, Subject, clock, expect, serve


def workflows(library: Any) -> dict[str, Callable[..., Any]]:
    """The workloads as registered workflows; each returns how many steps have run."""

    def noop(i: int) -> int:
        return 1

    def increment(number: int) -> int:
        return number + 1

    def numbers(n: int) -> list[int]:
        return list(range(n))

    a_noop, an_increment, some_numbers = (library.step()(fn) for fn in (noop, increment, numbers))

    def fan_out(n: int) -> int:
        return sum(a_noop(i) for i in range(n))

    def chain(n: int) -> int:
        value = 0
        for _ in range(n):
            value = an_increment(value)
        return value

    def layered(n: int) -> int:
        return sum(a_noop(i) for i in range(n))  # layer by layer: the numbers of the graph's tasks are such an order

    def mapped(n: int) -> int:
        return sum(a_noop(i) for i in some_numbers(n))

    def one() -> int:
        return int(an_increment(0))

    made = {"fan_out": fan_out, "chain": chain, "layered": layered, "map": mapped, "runs": one}
    return {name: library.workflow()(fn) for name, fn in made.items()}


@contextmanager
def open_subject(settings: Settings) -> Iterator[Subject]:
    """See `harness.Open`."""
    library: Any = importlib.import_module("dbos").DBOS
    url = (
        settings.postgres.replace("postgresql+psycopg://", "postgresql://") or f"sqlite:///{settings.home}/dbos.sqlite"
    )
    library(config={"name": "bench", "system_database_url": url, "run_admin_server": False})
    by_name = workflows(library)
    library.launch()

    def one_run(name: str) -> Callable[[int], float]:
        def measure(size: int) -> float:
            start = clock()
            done = by_name[name](size)
            took_s = clock() - start
            expect(done, size, "steps that ran")
            return took_s

        return measure

    def many_runs(size: int) -> float:
        start = clock()
        done = sum(by_name["runs"]() for _ in range(size))
        took_s = clock() - start
        expect(done, size, "workflows that ran")
        return took_s

    workloads = {name: one_run(name) for name in ("fan_out", "chain", "layered", "map")} | {"runs": many_runs}
    workloads["fan_out"](5)
    try:
        yield Subject(workloads, {"dbos": metadata.version("dbos")})
    finally:
        library.destroy()


if __name__ == "__main__":
    serve(open_subject)
