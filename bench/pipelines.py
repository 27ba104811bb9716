"""What Batuta runs when it is measured: each workload as a flow and as a DAG.

Flows take their size as a parameter. DAGs are written for the sizes in BATUTA_BENCH_SIZES (JSON: workload -> sizes).
"""

from __future__ import annotations

import json
import os

from batuta.authoring.dag import DAG
from batuta.authoring.flow import flow
from batuta.authoring.futures import Future, wait
from batuta.authoring.task import task
from bench.workloads import before, layers_of

SIZES: dict[str, list[int]] = json.loads(os.environ.get("BATUTA_BENCH_SIZES", "{}"))


@task
def noop(i: int = 0) -> None:
    """Nothing."""


@task
def after(*upstream: None) -> None:
    """Nothing, after others."""


@task
def increment(number: int = 0) -> int:
    """The next number."""
    return number + 1


@task
def numbers(n: int) -> list[int]:
    """What a map maps over."""
    return list(range(n))


@flow
def fan_out(n: int) -> None:
    """`n` tasks at once."""
    noop.map(list(range(n))).wait()


@flow
def chain(n: int) -> int:
    """`n` tasks, each called with the value of the one before."""
    value = 0
    for _ in range(n):
        value = increment(value)
    return value


@flow
def layered(n: int) -> None:
    """Layers of tasks, each waiting for some of the layer before."""
    made: list[Future[None]] = []
    previous: list[int] = []
    for layer in layers_of(n):
        for number in layer:
            upstream = [made[i] for i in before(number, previous)] if previous else []
            made.append(after.submit(*upstream))
        previous = layer
    wait(made)


@flow(name="map")
def mapped(n: int) -> None:
    """One task per item of what another returned."""
    noop.map(numbers(n)).wait()


@flow
def runs() -> None:
    """One task."""
    noop()


def _fan_out_dag(n: int) -> DAG:
    with DAG(f"fan_out_{n}") as dag:
        for i in range(n):
            noop(i)
    return dag


def _chain_dag(n: int) -> DAG:
    with DAG(f"chain_{n}") as dag:
        value = increment()
        for _ in range(n - 1):
            value = increment(value)
    return dag


def _layered_dag(n: int) -> DAG:
    with DAG(f"layered_{n}") as dag:
        made: list[None] = []
        previous: list[int] = []
        for layer in layers_of(n):
            made += [after(*[made[i] for i in before(number, previous)] if previous else []) for number in layer]
            previous = layer
    return dag


def _map_dag(n: int) -> DAG:
    with DAG(f"map_{n}") as dag:
        noop.expand(i=numbers(n))
    return dag


def _runs_dag(n: int) -> DAG:
    with DAG(f"runs_{n}") as dag:
        noop()
    return dag


_WRITERS = {"fan_out": _fan_out_dag, "chain": _chain_dag, "layered": _layered_dag, "map": _map_dag, "runs": _runs_dag}
for _workload, _sizes in SIZES.items():
    for _size in _sizes:
        globals()[f"{_workload}_{_size}_dag"] = _WRITERS[_workload](_size)
