"""What must hold however often processes were killed, read from the store and from the trace of the bodies."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from batuta.core.run_attempts import LOST_MAX
from batuta.core.states import RUN_FINAL, RunState
from batuta.store.rows import RunRow
from batuta.store.store import Store
from tests.chaos.platform_load import PARTITIONS, SCHEDULES

Bodies = dict[tuple[str, str, str], list[tuple[int, int]]]
"""By (step, index, partition): (place in the trace, attempt) of each begin."""
LAST = "gathered"
"""The step of the load that waits for all others of its run."""

OPEN = tuple(state.value for state in RunState if state not in RUN_FINAL)


@dataclass
class Verdict:
    """Counts of what was found, and every promise that was broken."""

    counts: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


def all_runs(store: Store) -> list[RunRow]:
    found: list[RunRow] = []
    before = None
    while rows := store.runs(limit=500, before=before):
        before = rows[-1].id
        found += rows
    return found


def is_quiet(store: Store) -> bool:
    """Whether no run is open."""
    return not store.runs(states=OPEN, limit=1)


def judge(store: Store, trace: Path, seconds: dict[str, float]) -> Verdict:
    """Look at everything, once the service is quiet."""
    verdict = Verdict()
    runs = all_runs(store)
    for name in SCHEDULES:
        _judge_schedule(
            verdict, name, seconds[name], [run for run in runs if run.trigger == "schedule" and run.origin == name]
        )
    _judge_backfill(verdict, [run for run in runs if run.trigger == "backfill"])
    bodies = read_trace(trace)
    for run in runs:
        verdict.counts["runs"] += 1
        verdict.counts[f"runs {run.state}"] += 1
        if given_up(store, run):
            verdict.counts["runs given up, as a process of theirs was killed too often"] += 1
            continue
        if run.state != "succeeded":
            story = [f"{event.kind} {event.data.decode()}" for event in store.events(run.id)]
            verdict.broken.append(f"run {run.id} of {run.job} is {run.state}: {run.error}\n" + "\n".join(story))
        _judge_run(verdict, store, run, bodies[run.id])
    unknown = bodies.keys() - {run.id for run in runs}
    if unknown:
        verdict.broken.append(f"bodies ran for runs that are not recorded: {sorted(unknown)[:5]}")
    return verdict


def given_up(store: Store, run: RunRow) -> bool:
    """Whether a task run was lost more often than is allowed: it might be the one that kills its processes."""
    losses: Counter[int | None] = Counter()
    for event in store.events(run.id):
        if event.kind == "attempt_lost":
            losses[event.task] += json.loads(event.data).get("counted", True)
    return run.state == "failed" and max(losses.values(), default=0) > LOST_MAX


def _judge_schedule(verdict: Verdict, name: str, every_s: float, runs: list[RunRow]) -> None:
    """Exactly one run for each logical time between the first and the last."""
    times = Counter(round(run.logical_at or 0.0, 3) for run in runs)
    verdict.counts["ticks"] += len(times)
    verdict.broken += [f"{name}: {count} runs for {at}" for at, count in times.items() if count > 1]
    if times:
        first, last = min(times), max(times)
        expected = round((last - first) / every_s) + 1
        if expected != len(times):
            verdict.broken.append(f"{name}: {expected - len(times)} of {expected} logical times have no run")


def _judge_backfill(verdict: Verdict, runs: list[RunRow]) -> None:
    """Exactly one run for each partition."""
    made = Counter(run.partition for run in runs)
    verdict.counts["partitions"] += len(made)
    verdict.broken += [f"the backfill made {partition} {count} times" for partition, count in made.items() if count > 1]
    if runs and len(made) != PARTITIONS:
        verdict.broken.append(f"the backfill made {len(made)} of {PARTITIONS} partitions")


def _judge_run(verdict: Verdict, store: Store, run: RunRow, bodies: Bodies) -> None:
    """What is recorded as succeeded never ran again, and nothing is left in between.

    A body may run twice under one number of an attempt, where its engine was killed before it had recorded anything of
    it; but never once something has begun that waits for its success.
    """
    succeeded: dict[int, int] = {}
    for event in store.events(run.id):
        if event.task is None or not event.kind.startswith("attempt_"):
            continue
        if event.task in succeeded:
            verdict.broken.append(f"run {run.id}: {event.kind} of task run {event.task} after it had succeeded")
        if event.kind == "attempt_succeeded":
            succeeded[event.task] = event.seq
        verdict.counts[event.kind] += 1
    after = -1
    while tasks := store.task_runs(run.id, after_no=after, limit=1000):
        after = tasks[-1].no
        for task in tasks:
            if task.state not in ("succeeded", "skipped"):
                verdict.broken.append(f"run {run.id}: {task.step} is {task.state}")
            begun = bodies.get((task.step, str(task.index), task.label or "-"), [])
            late = [attempt for _, attempt in begun if attempt > task.attempt]
            if late:
                verdict.broken.append(
                    f"run {run.id}: {task.step} ran as attempt {late} after {task.attempt} had succeeded"
                )
    last = [order for (step, _, _), begun in bodies.items() if step.startswith(LAST) for order, _ in begun]
    for (step, _, _), begun in bodies.items():
        if not step.startswith(LAST) and any(order > min(last, default=order) for order, _ in begun):
            verdict.broken.append(f"run {run.id}: {step} ran again after what depends on it had begun")


def read_trace(trace: Path) -> dict[int, Bodies]:
    """By run: when (in the order of the trace) and as which attempts bodies began."""
    found: dict[int, Bodies] = defaultdict(lambda: defaultdict(list))
    for order, line in enumerate(trace.read_text().splitlines() if trace.exists() else ()):
        what, run_id, step, index, partition, attempt = line.split()
        if what == "begin":
            found[int(run_id)][step, index, partition].append((order, int(attempt)))
    return found
