"""The workloads as Airflow DAGs, for the sizes in BATUTA_BENCH_SIZES (JSON: workload -> sizes).

Read by Airflow's own processes, through a file in the DAG folder that imports everything from here.
"""

from __future__ import annotations

import importlib
import json
import os
from typing import Any

from bench.workloads import before, layers_of

sdk: Any = importlib.import_module("airflow.sdk")


def _noop(i: int = 0) -> None:
    """Nothing."""


def _increment(number: int = 0) -> int:
    return number + 1


def _numbers(n: int) -> list[int]:
    return list(range(n))


def _write(name: str, size: int) -> Any:
    noop, increment, numbers = (sdk.task(fn) for fn in (_noop, _increment, _numbers))
    with sdk.DAG(f"{name}_{size}", schedule=None, catchup=False) as dag:
        if name == "fan_out":
            for i in range(size):
                noop(i)
        elif name == "chain":
            value = increment()
            for _ in range(size - 1):
                value = increment(value)
        elif name == "layered":
            made: list[Any] = []
            previous: list[int] = []
            for layer in layers_of(size):
                for number in layer:
                    made.append(noop(number))
                    for i in before(number, previous) if previous else []:
                        made[i] >> made[-1]
                previous = layer
        elif name == "map":
            noop.expand(i=numbers(size))
        else:
            noop()
    return dag


for _name, _sizes in json.loads(os.environ.get("BATUTA_BENCH_SIZES", "{}")).items():
    for _size in _sizes:
        globals()[f"{_name}_{_size}"] = _write(_name, _size)
