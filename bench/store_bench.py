"""What a task end costs in the store: one event, one task run, the run's own row, committed in batches.

`python -m bench.store_bench [--sqlite PATH] [--postgres URL] [--tasks N] [--json]`. Without a URL a PostgreSQL server
is started from the test extra, with fsync on. `wall` is what the engine waits, `cpu` what this process burns of it:
the difference is the disk, or the server.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from batuta.core import events as ev
from batuta.core.values import Handle
from batuta.store import Store
from batuta.store.rows import Batch, EventRow, NewRun, RunRow, RunUpdate, TaskRunRow

BATCH_SIZES = (1, 10, 100, 1000)


@dataclass(frozen=True)
class Figure:
    """Microseconds per task end."""

    store: str
    batch: int
    tasks: int
    wall_us: float
    cpu_us: float


def task_end(run: RunRow, no: int) -> tuple[EventRow, TaskRunRow]:
    """What a succeeded task run leaves in the store."""
    at = 1_764_000_000.0 + no / 1000
    output = Handle(codec="m", data=b"\x00" * 8, size=8, preview=str(no))
    event = ev.AttemptSucceeded(at=at, task=no, attempt=1, started_at=at - 0.01, output=output)
    row = TaskRunRow(
        run_id=run.id,
        no=no,
        step=f"fan_out[{no}]",
        task="pipeline:fan_out",
        kind="task",
        index=no,
        label="",
        state="succeeded",
        attempt=1,
        started_at=at - 0.01,
        finished_at=at,
        worker="process-1",
        reason="",
        error=None,
        output=b'{"codec":"m","data":"AAAAAAAAAAA=","size":8}',
        logged=False,
    )
    return EventRow(run.id, no + 1, ev.kind_of(event), at, no, ev.encode(event)), row


def batches(run: RunRow, tasks: int, size: int) -> list[Batch]:
    """All batches of a run, made beforehand: making them is the engine's time, not the store's."""
    made = []
    for first in range(0, tasks, size):
        ends = [task_end(run, no) for no in range(first, min(first + size, tasks))]
        events, rows = [event for event, _ in ends], [row for _, row in ends]
        update = RunUpdate(run.id, run.epoch, events[-1].seq, "running", run.created_at, None, "")
        made.append(Batch(runs=[update], events=events, task_runs=rows))
    return made


def measure(store: Store, tasks: int, size: int) -> Figure:
    """Commit `tasks` task ends of a new run in batches of `size`."""
    new = NewRun(job="bench", kind="dag", plan_hash="bench")
    run = store.create_run(new, b"{}", owner="bench", lease_s=3600.0, now=time.time())
    work = batches(run, tasks, size)
    store.commit(Batch(runs=[RunUpdate(run.id, 1, 0, "running", run.created_at, None, "")]))
    cpu, wall = time.process_time(), time.perf_counter()
    for batch in work:
        store.commit(batch)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert store.task_counts([run.id]) == {run.id: {"succeeded": tasks}}
    return Figure(store.dialect, size, tasks, wall / tasks * 1e6, cpu / tasks * 1e6)


def figures(target: str, tasks: int) -> Iterator[Figure]:
    """One figure per batch size; smaller batches get fewer tasks, so that all take about as long."""
    with Store.open(target) as store:
        measure(store, 200, 20)  # the database's caches and prepared statements
        for size in BATCH_SIZES:
            yield measure(store, max(tasks * min(size, 100) // 100, 1000), size)


@contextlib.contextmanager
def targets(sqlite: str | None, postgres: str | None) -> Iterator[list[str]]:
    """The databases to measure; those not given are made and removed again."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="batuta-bench-")))
        if postgres is None:
            from tests.postgres import own_server

            postgres = stack.enter_context(own_server(lock=folder / "lock", durable=True))
        yield [sqlite or str(folder / "bench.db"), postgres]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sqlite", help="a file (default: in the temporary directory)")
    parser.add_argument("--postgres", help="URL of an empty database (default: a server of its own)")
    parser.add_argument("--tasks", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: list[Figure] = []
    with targets(options.sqlite, options.postgres) as stores:
        for target in stores:
            for figure in figures(target, options.tasks):
                found.append(figure)
                if not options.json:
                    print(
                        f"{figure.store:<11} batch {figure.batch:>5}  {figure.wall_us:8.1f} us wall"
                        f"  {figure.cpu_us:7.1f} us cpu  {1e6 / figure.wall_us:>9,.0f} task ends/s",
                        flush=True,
                    )
    if options.json:
        print(json.dumps([asdict(figure) for figure in found], indent=2))


if __name__ == "__main__":
    main()
