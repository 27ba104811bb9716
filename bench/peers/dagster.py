"""Dagster, measured: jobs recorded in DAGSTER_HOME (variants `in_process`, `multiprocess`), and assets defined."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.harness import Settings, Subject, clock, expect, serve
from bench.workloads import before, layers_of

NO_TELEMETRY = "telemetry:\n  enabled: false\n"
ASSET_COLUMNS = 1000


def noop() -> None:
    """Nothing."""


def make_job(name: str, size: int) -> Any:
    """A workload as a job; also called by the processes of the multiprocess executor."""
    dagster: Any = importlib.import_module("dagster")
    a_noop = dagster.op(noop)

    def increment(number: int) -> int:
        return number + 1

    def one() -> int:
        return 1

    def of_number(number: int) -> None:
        """Nothing, with a number."""

    def numbers() -> Iterator[Any]:
        for i in range(size):
            yield dagster.DynamicOutput(i, mapping_key=str(i))

    an_increment, a_one, a_noop_of = dagster.op(increment), dagster.op(one), dagster.op(of_number)
    some_numbers = dagster.op(out=dagster.DynamicOut(int))(numbers)
    after = dagster.op(name="after", ins={"start": dagster.In(dagster.Nothing)})(noop)

    def fan_out() -> None:
        for i in range(size):
            a_noop.alias(f"noop_{i}")()

    def chain() -> None:
        value = a_one()
        for i in range(size - 1):
            value = an_increment.alias(f"increment_{i}")(value)

    def layered() -> None:
        made: list[Any] = []
        previous: list[int] = []
        for layer in layers_of(size):
            for number in layer:
                upstream = [made[i] for i in before(number, previous)] if previous else []
                task = (after if upstream else a_noop).alias(f"task_{number}")
                made.append(task(start=upstream) if upstream else task())
            previous = layer

    def mapped() -> None:
        some_numbers().map(a_noop_of)

    written = {"fan_out": fan_out, "chain": chain, "layered": layered, "map": mapped}
    return dagster.job(name=f"{name}_{size}")(written[name])


def run_in_process(dagster: Any, instance: Any, name: str, size: int) -> tuple[float, str]:
    """Run a job; the seconds and the run's id."""
    job = make_job(name, size)
    start = clock()
    result = job.execute_in_process(instance=instance)
    return clock() - start, str(result.run_id)


def run_multiprocess(dagster: Any, instance: Any, name: str, size: int) -> tuple[float, str]:
    """The same with a process per step."""
    job = dagster.build_reconstructable_job("bench.peers.dagster", "make_job", (name, size))
    start = clock()
    with dagster.execute_job(job, instance=instance) as result:
        return clock() - start, str(result.run_id)


def define_assets(dagster: Any, size: int) -> float:
    """Define assets in a grid, each depending on three of the row above; validate, sort and select upstream of one."""
    start = clock()
    assets = []
    for number in range(size):
        row, column = divmod(number, ASSET_COLUMNS)
        deps = [f"table_{(row - 1) * ASSET_COLUMNS + (column + i) % ASSET_COLUMNS}" for i in (0, 1, 7)] if row else []
        assets.append(dagster.asset(name=f"table_{number}", group_name=f"group_{column % 50}", deps=deps)(noop))
    definitions = dagster.Definitions(assets=assets)
    graph = definitions.get_repository_def().asset_graph
    order = list(graph.toposorted_asset_keys)
    selected = dagster.AssetSelection.assets(f"table_{size - 1}").upstream().resolve(graph)
    took_s = clock() - start
    expect(len(order), size, "assets sorted")
    expect(bool(selected), True, "a selection")
    return took_s


@contextmanager
def open_subject(settings: Settings) -> Iterator[Subject]:
    """See `harness.Open`."""
    os.environ["DAGSTER_HOME"] = settings.home
    Path(settings.home, "dagster.yaml").write_text(NO_TELEMETRY)
    dagster: Any = importlib.import_module("dagster")
    run = run_in_process if settings.variant == "in_process" else run_multiprocess
    with dagster.DagsterInstance.get() as instance:

        def one_run(name: str) -> Callable[[int], float]:
            def measure(size: int) -> float:
                took_s, run_id = run(dagster, instance, name, size)
                expect(instance.get_run_stats(run_id).steps_succeeded, size + (name == "map"), "steps succeeded")
                return took_s

            return measure

        def many_runs(size: int) -> float:
            return sum(run(dagster, instance, "fan_out", 1)[0] for _ in range(size))

        workloads = {name: one_run(name) for name in ("fan_out", "chain", "layered", "map")} | {"runs": many_runs}
        workloads["assets"] = lambda size: define_assets(dagster, size)
        workloads["fan_out"](2)
        yield Subject(workloads, {"dagster": dagster.__version__})


if __name__ == "__main__":
    serve(open_subject)
