"""What is recorded of the last run of a flow or DAG, held against how things are now: `batuta run --if-changed`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from batuta.core.definitions import JobSpec
from batuta.core.job_freshness import Current, Doing, why_again
from batuta.core.plan import content_hash, encode
from batuta.store.rows import MaterializationRow, RunRow
from batuta.store.store import Store

RUNS_LOOKED_AT = 50
_inputs = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True, slots=True)
class JobFreshness:
    """Why a job should run; `run` is its last successful run with the same parameters. No reasons: it need not."""

    reasons: tuple[str, ...]
    run: RunRow | None = None

    @property
    def is_fresh(self) -> bool:
        return not self.reasons


def job_freshness(
    store: Store, job: JobSpec, params: Mapping[str, Any], logical_at: float | None = None
) -> JobFreshness:
    """Whether a run of `job` with these (validated) parameters would do what it did last time."""
    assert job.plan is not None
    last = _last_run(store, job.name, params, logical_at)
    if last is None:
        return JobFreshness(("it has never succeeded with these parameters",))
    rows = [row for run in _with_children(store, last) for row in store.materializations(run_id=run)]
    made = [Doing(row.asset, row.partition, row.data_version, _inputs.decode(row.inputs)) for row in rows]
    reasons = why_again(
        same_plan=last.plan_hash == content_hash(encode(job.plan)),
        started_at=last.started_at or last.created_at,
        made=made,
        current=_current(store, rows, made),
    )
    return JobFreshness(reasons, last)


def _last_run(store: Store, job: str, params: Mapping[str, Any], logical_at: float | None) -> RunRow | None:
    for run in store.runs(job=job, states="succeeded", limit=RUNS_LOOKED_AT):
        if run.params == params and (logical_at is None or run.logical_at == logical_at):
            return run
    return None


def _with_children(store: Store, run: RunRow) -> Iterable[int]:
    """The run, and the nested flows and runs that it started."""
    waiting = [run.id]
    while waiting:
        run_id = waiting.pop()
        yield run_id
        waiting += [child.id for child in store.runs(parent_run=run_id, limit=1000)]


def _current(store: Store, rows: list[MaterializationRow], made: list[Doing]) -> dict[tuple[str, str], Current]:
    assets = {row.asset for row in rows} | {label.partition("/")[0] for doing in made for label in doing.inputs}
    states = store.asset_states(sorted(assets)) if assets else {}
    return {pair: Current(row.data_version, row.at) for pair, row in states.items()}
