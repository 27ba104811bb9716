"""What forgetting old runs costs those who go on writing: `python -m bench.prune [--store sqlite] [--runs N]`.

One process prunes, as `batuta db prune` does; this one meanwhile writes what a scheduler and an engine write, a tick
with its run and the end of a run, and times each commit. Surprising: the same is timed before with nobody pruning, as
what the machine and its disk do to a commit by themselves is more than one expects.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from batuta.core.plan import content_hash
from batuta.store.rows import (
    Batch,
    EventRow,
    KeyedRun,
    MaterializationRow,
    NewRun,
    NewTick,
    RunUpdate,
    TaskRunRow,
    TickerRow,
)
from batuta.store.store import Store
from bench.machine import busy_percent
from bench.measure import postgres_server

STORES = ("sqlite", "postgresql")
OLD_AT = 1_700_000_000.0
TASKS = 3
AT_A_TIME = 1_000
EVERY_S = 0.01
PLAN = b'{"job":"sample","kind":"dag","steps":[]}'
PRUNE = """
import json, sys, time
from batuta.store.store import Store
with Store.open(sys.argv[1]) as store:
    began = time.perf_counter()
    pruned = store.prune(86_400.0, time.time())
    print(json.dumps({"runs": len(pruned.runs), "rows": sum(pruned.rows.values()), "s": time.perf_counter() - began}))
"""


@dataclass
class Waits:
    """How long commits took, in milliseconds."""

    taken_ms: list[float]

    def __str__(self) -> str:
        cuts = quantiles(self.taken_ms, n=1000) if len(self.taken_ms) > 1 else self.taken_ms * 999
        shown = f"median {cuts[499]:.1f}, 99.9 % {cuts[998]:.1f}, longest {max(self.taken_ms):.1f} ms"
        return f"{len(self.taken_ms):,} commits of others: {shown}"


def new_run(name: str) -> tuple[NewRun, bytes]:
    return NewRun(job="sample", kind="dag", plan_hash=content_hash(PLAN), origin=name), PLAN


def ended(numbers: Sequence[tuple[int, int]], at: float) -> Batch:
    """The ends of these runs (id, epoch), of a few tasks each."""
    batch = Batch()
    for run_id, epoch in numbers:
        for no in range(TASKS):
            data = b'{"kind":"attempt_succeeded","output":{"codec":"m","preview":"%d"}}' % no
            batch.events.append(EventRow(run_id, no + 1, "attempt_succeeded", at, no, data))
            batch.task_runs.append(_task_run(run_id, no, at))
        made = MaterializationRow("sample/table", "", run_id, 0, at, "d1", "c1", b"{}", b'{"rows":3}')
        batch.materializations.append(made)
        batch.runs.append(RunUpdate(run_id, epoch, TASKS, "succeeded", at - 1, at, ""))
    return batch


def _task_run(run_id: int, no: int, at: float) -> TaskRunRow:
    return TaskRunRow(
        run_id=run_id,
        no=no,
        step=f"step_{no}",
        task="pipeline:step",
        kind="task",
        index=-1,
        label="",
        state="succeeded",
        attempt=1,
        started_at=at - 0.5,
        finished_at=at,
        worker="process-1",
        reason="",
        error=None,
        output=b'{"codec":"m","data":"AAAAAAAAAAA=","size":8}',
        logged=False,
    )


def fill(store: Store, count: int) -> None:
    """Old runs."""
    for first in range(0, count, AT_A_TIME):
        new = [new_run(f"old-{number}") for number in range(first, min(first + AT_A_TIME, count))]
        rows = store.create_runs(new, owner="bench", lease_s=60.0, now=OLD_AT)
        store.commit(ended([(row.id, row.epoch) for row in rows], OLD_AT))
        store.release("bench", [row.id for row in rows])


def write_while(store: Store, goes_on: Callable[[], bool]) -> Waits:
    """What a scheduler and an engine write, a commit after the other."""
    taken: list[float] = []

    def timed(commit: Callable[[], object]) -> None:
        began = time.perf_counter()
        commit()
        taken.append((time.perf_counter() - began) * 1000)
        time.sleep(EVERY_S)

    number = 0
    while goes_on():
        number += 1
        now = time.time()
        run, plan = new_run("every-10-ms")
        ticker = TickerRow(kind="schedule", location="bench", name="s", cursor=str(now))
        tick = NewTick(ticker=ticker, at=now, ended_at=now, outcome="launched", runs=[KeyedRun(run, plan, f"{now!r}")])
        timed(lambda tick=tick, now=now: store.record_ticks([tick], leader=None, now=now))  # type: ignore[misc]
        (row,) = store.create_runs([new_run("engine")], owner="engine", lease_s=60.0, now=now)
        timed(lambda row=row, now=now: store.commit(ended([(row.id, row.epoch)], now)))  # type: ignore[misc]
    return Waits(taken)


def measure(url: str, runs: int, say: Callable[[str], None]) -> None:
    """Fill, write alone, write while another process prunes."""
    with Store.open(url) as store:
        began = time.perf_counter()
        fill(store, runs)
        say(f"{runs:,} old runs of {TASKS} tasks made in {time.perf_counter() - began:.0f} s")
        until = time.perf_counter() + 10
        say(f"before: {write_while(store, lambda: time.perf_counter() < until)}")
        with subprocess.Popen([sys.executable, "-c", PRUNE, url], stdout=subprocess.PIPE, text=True) as pruning:
            waits = write_while(store, lambda: pruning.poll() is None)
            told = pruning.communicate()[0]
        pruned = json.loads(told)
        say(f"pruned {pruned['runs']:,} runs, {pruned['rows']:,} rows in {pruned['s']:.1f} s; meanwhile {waits}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure on each store."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.prune", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", action="append", default=[], choices=STORES, help="default: both")
    parser.add_argument("--runs", type=int, default=65_536)
    parser.add_argument("--postgres", default="", metavar="URL", help="a server (default: one of our own, with fsync)")
    options = parser.parse_args(arguments)
    print(f"others use {busy_percent():.0f} % of the cores", flush=True)
    with tempfile.TemporaryDirectory(prefix="batuta-bench-") as name:
        folder = Path(name)
        with postgres_server(options.postgres, folder) as new_database:
            for store in options.store or STORES:
                url = new_database() if store == "postgresql" else f"sqlite:///{folder / 'bench.db'}"
                measure(url, options.runs, lambda text, store=store: print(f"{store}: {text}", flush=True))  # type: ignore[misc]
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
