"""What Batuta runs when assets are measured, written for the sizes in BATUTA_BENCH_SIZES (JSON: workload -> sizes).

The assets make nothing and store nothing; each is recorded as a materialization all the same. The dynamic map becomes
the partitions of one asset.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from batuta.authoring.assets import asset
from batuta.core.partitions import StaticPartitions
from bench.workloads import before, layers_of

SIZES: dict[str, list[int]] = json.loads(os.environ.get("BATUTA_BENCH_SIZES", "{}"))


def noop() -> None:
    """Nothing."""


def _edges(workload: str, size: int) -> Iterator[tuple[int, list[int]]]:
    """Each asset with those that it depends on."""
    if workload == "chain":
        yield from ((number, [number - 1] if number else []) for number in range(size))
    elif workload == "layered":
        previous: list[int] = []
        for layer in layers_of(size):
            yield from ((number, before(number, previous) if previous else []) for number in layer)
            previous = layer
    else:
        yield from ((number, []) for number in range(size))


def _assets(workload: str, size: int) -> list[Any]:
    group = f"{workload}_{size}"
    if workload == "map":
        keys = tuple(f"p{number}" for number in range(size))
        return [asset(f"{group}.all", group=group, partitions=StaticPartitions(keys))(noop)]
    return [
        asset(f"{group}.a{number}", group=group, deps=[f"{group}.a{up}" for up in upstream])(noop)
        for number, upstream in _edges(workload, 1 if workload == "runs" else size)
    ]


all_assets = [made for workload, sizes in SIZES.items() for size in sizes for made in _assets(workload, size)]
