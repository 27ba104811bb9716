"""Batuta, measured: flows, DAGs or assets on one store and one executor, in a process of its own.

Variants are `STORE-EXECUTOR-STYLE`, for example `sqlite-processes-dag`. What is timed is what a caller waits for: from
the request for a run until its end is committed.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, cast

from batuta import __version__
from batuta.core.states import RunState
from batuta.engine.code import ExecutorKind
from batuta.engine.workspace import RunHandle, Workspace
from batuta.runtime.project import find_project
from bench.harness import NotDone, Settings, Subject, Workload, clock, expect, serve

FLOWS_AND_DAGS = Path(__file__).with_name("pipelines.py")
ASSETS = Path(__file__).with_name("pipeline_assets.py")
WARM_UP = 200
WAIT_S = 600.0

EXTRA_TASKS = {
    "flow": {"chain": 1, "fan_out": 1, "layered": 1, "map": 2, "runs": 1},
    "dag": {"map": 1},
    "asset": {},
}
"""Task runs that are recorded beside those counted: the body of a flow, and what makes the list of a map."""


@contextmanager
def open_workspace(settings: Settings) -> Iterator[Workspace]:
    """A new project on an empty store, with the pipelines loaded and the engine running."""
    store, executor, style = settings.variant.split("-")
    root = Path(settings.home, "project")
    root.mkdir(parents=True)
    url = settings.postgres if store == "postgres" else f"sqlite:///{root}/batuta.db"
    (root / "batuta.toml").write_text(f'name = "bench"\n[store]\nurl = {json.dumps(url)}\n')
    sizes = settings.sizes | {"fan_out": sorted({WARM_UP, *settings.sizes_of("fan_out")})}
    os.environ["BATUTA_BENCH_SIZES"] = json.dumps({} if style == "flow" else sizes)
    target = ASSETS if style == "asset" else FLOWS_AND_DAGS
    with Workspace(find_project(str(root)), str(target), executor=cast(ExecutorKind, executor)) as workspace:
        for problem in workspace.definitions.problems:
            raise NotDone(f"{problem.place}: {problem.message}")
        yield workspace


class Measured:
    """The workloads of one style."""

    def __init__(self, workspace: Workspace, style: str) -> None:
        self._workspace = workspace
        self._style = style

    def one_run(self, workload: str) -> Workload:
        """One run with `size` tasks."""

        def measure(size: int) -> float:
            start = clock()
            handle = self._start(workload, size)
            self._wait(handle)
            took_s = clock() - start
            self._check([handle], size + EXTRA_TASKS[self._style].get(workload, 0))
            return took_s

        return measure

    def many_runs(self, size: int) -> float:
        """`size` runs of one task each, all asked for at once."""
        start = clock()
        handles = [self._start("runs", size) for _ in range(size)]
        for handle in handles:
            self._wait(handle)
        took_s = clock() - start
        self._check(handles, size * (1 + EXTRA_TASKS[self._style].get("runs", 0)))
        return took_s

    def _start(self, workload: str, size: int) -> RunHandle:
        if self._style == "dag":
            return self._workspace.start_job(f"{workload}_{size}")
        if self._style == "asset":
            return self._workspace.start_plan(self._workspace.assets.plan(f"group:{workload}_{size}").plan)
        params = {} if workload == "runs" else {"n": size}
        return self._workspace.start_job(workload.replace("_", "-"), params)

    def _wait(self, handle: RunHandle) -> None:
        state = handle.wait(WAIT_S)
        if state is not RunState.SUCCEEDED:
            row = self._workspace.store.run(handle.id)
            raise NotDone(f"run {handle.id} is {row.state}: {row.error}" if row else f"there is no run {handle.id}")

    def _check(self, handles: list[RunHandle], tasks: int) -> None:
        """All is recorded as succeeded."""
        counts = self._workspace.store.task_counts([handle.id for handle in handles]).values()
        states = {state for by_state in counts for state in by_state}
        expect(states, {"succeeded"}, "states of task runs in the store")
        expect(sum(sum(by_state.values()) for by_state in counts), tasks, "task runs in the store")


@contextmanager
def open_subject(settings: Settings) -> Iterator[Subject]:
    """See `harness.Open`."""
    with open_workspace(settings) as workspace:
        measured = Measured(workspace, settings.variant.rpartition("-")[2])
        workloads: dict[str, Callable[[int], float]] = {
            name: measured.one_run(name) for name in ("fan_out", "chain", "layered", "map")
        }
        workloads["runs"] = measured.many_runs
        workloads["fan_out"](WARM_UP)
        yield Subject(workloads, versions(settings))


def versions(settings: Settings) -> dict[str, str]:
    """Batuta's own version and that of its database."""
    found: dict[str, Any] = {"batuta": __version__}
    if settings.variant.startswith("sqlite"):
        return found | {"sqlite": sqlite3.sqlite_version}
    return found | {"psycopg": metadata.version("psycopg")}


if __name__ == "__main__":
    serve(open_subject)
