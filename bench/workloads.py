"""What is measured, how large, and in which unit it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["tasks/s", "ms each", "s", "MB"]

LAYER_WIDTH = 50
"""Tasks in each layer of the layered graph."""
LAYER_FAN_IN = 5
"""Tasks of the layer before that each waits for."""


@dataclass(frozen=True)
class Workload:
    """`sizes` are those of a full run, `tiny` one for trying out the bench itself."""

    name: str
    title: str
    unit: Unit
    sizes: tuple[int, ...]
    tiny: int
    repeats: int = 3

    def value(self, seconds: float, size: int) -> float:
        """Seconds in the workload's unit; larger is better for rates only."""
        if self.unit == "tasks/s":
            return size / seconds
        return seconds * 1000 / size if self.unit == "ms each" else seconds


RUN_WORKLOADS = (
    Workload("fan_out", "fan-out", "tasks/s", (1_000, 10_000), 20),
    Workload("chain", "chain", "ms each", (1_000,), 10),
    Workload("layered", "layered graph", "ms each", (500,), 100),
    Workload("map", "dynamic map", "ms each", (500, 10_000), 20),
    Workload("runs", "one-task runs", "ms each", (200,), 4),
)
"""Run by every subject, each in its own words."""

MEMORY = Workload("memory", "peak memory", "MB", (10_000,), 20, repeats=1)
"""The fan-out once more, with the memory of all processes looked at while it runs."""

ASSETS = Workload("assets", "assets defined", "s", (10_000, 100_000), 50, repeats=3)

START_WORKLOADS = (
    Workload("import", "import of the package", "s", (1,), 1, repeats=7),
    Workload("import_names", "import of what a pipeline needs", "s", (1,), 1, repeats=7),
    Workload("cli_help", "--help", "s", (1,), 1, repeats=5),
    Workload("cli_version", "version", "s", (1,), 1, repeats=5),
    Workload("first_result", "two-task script", "s", (1,), 1, repeats=5),
)
"""Seconds of a new process each."""

ALL = {workload.name: workload for workload in (*RUN_WORKLOADS, MEMORY, ASSETS, *START_WORKLOADS)}


def layers_of(size: int) -> list[list[int]]:
    """The layered graph of that size: its tasks, numbered, layer by layer."""
    return [list(range(first, min(first + LAYER_WIDTH, size))) for first in range(0, size, LAYER_WIDTH)]


def before(task: int, layer: list[int]) -> list[int]:
    """Which tasks of the layer before a task waits for."""
    count = min(LAYER_FAN_IN, len(layer))
    return [layer[(task + i) % len(layer)] for i in range(count)]
