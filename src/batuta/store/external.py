"""What runs elsewhere, kept: jobs, runs and datasets that events of OpenLineage tell of.

Events are added in a transaction, one after the other among all processes: what is known is read, changed by
`core.external_jobs`, and put back. So the same events give the same rows, however often and in which order they come.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec

from batuta.core.external_jobs import Edge, ExternalDataset, ExternalJob, ExternalRun, Facts
from batuta.core.openlineage import Event
from batuta.store.database import Database, Row, Transaction

LOCK = "external_jobs"
_END = 1e300  # seconds since 1970: nothing begins later
_encode = msgspec.json.Encoder().encode
_job = msgspec.json.Decoder(ExternalJob).decode
_run = msgspec.json.Decoder(ExternalRun).decode
_dataset = msgspec.json.Decoder(ExternalDataset).decode


T = TypeVar("T")
Known = dict[str, tuple[int, T]]
"""By key what was read, with a hash of what it was read from."""


class Heard(NamedTuple):
    """Changes with all that is heard or forgotten: when something was heard last, and how much there is."""

    jobs: tuple[float, int]
    datasets: tuple[float, int]


class ExternalBook:
    """See the module."""

    def __init__(self, database: Database[Any]) -> None:
        self._database = database

    def add(self, events: Iterable[Event], now: float) -> None:
        """Add events; all of them or none."""
        events = list(events)
        if not events:
            return
        with self._database.transaction() as transaction:
            transaction.lock(LOCK)
            facts = _known(transaction, events)
            for event in events:
                facts.apply(event)
            transaction.put(_rows(facts, now))

    # ---- reading ----

    def heard(self) -> Heard:
        """See `Heard`."""
        found = [self._database.rows(f"external_{name}_newest")[0] for name in ("jobs", "datasets")]
        (jobs_at, jobs), (datasets_at, datasets) = found
        return Heard((float(jobs_at), int(jobs)), (float(datasets_at), int(datasets)))

    def jobs_since(self, at: float = 0.0, known: Known[ExternalJob] | None = None) -> dict[str, ExternalJob]:
        """Jobs of which something was heard since a time, by key.

        `known`: those of before, which is brought up to date; of what is still the same, the same object is given.
        """
        return _decoded(self._database.rows("external_jobs_since", since=at), _job, known)

    def datasets_since(
        self, at: float = 0.0, known: Known[ExternalDataset] | None = None
    ) -> dict[str, ExternalDataset]:
        """The same of datasets."""
        return _decoded(self._database.rows("external_datasets_since", since=at), _dataset, known)

    def edges(self) -> tuple[Edge, ...]:
        """Which jobs read and write which datasets now."""
        rows: list[Any] = self._database.rows("external_edges_now")
        return tuple((job, direction, dataset) for job, direction, dataset in rows)

    def runs_of(self, ids: Iterable[str]) -> dict[str, ExternalRun]:
        """These runs, by number; those that are not there are left out."""
        return {key: _run(data) for key, data in self._database.rows("external_runs_of", ids=json.dumps([*ids]))}

    def runs(
        self, *, job: str | None = None, parent: str | None = None, after: tuple[float, str] | None = None, limit: int
    ) -> list[ExternalRun]:
        """Runs, those first that began last. `after`: when the last one of the page before began, and its number."""
        began_at, number = after or (_END, "")
        rows = self._database.rows(
            "external_runs_page", job=job, parent=parent, began_at=began_at, after_id=number, limit=limit
        )
        return [_run(data) for _, data in rows]

    def states(self, job: str) -> dict[str, int]:
        """How many runs of a job are in each state."""
        return {state: int(count) for state, count in self._database.rows("external_states", job=job)}


def _decoded(rows: Iterable[Row], decode: Callable[[str], T], known: Known[T] | None) -> dict[str, T]:
    found: dict[str, T] = {}
    for key, data in rows:
        digest, before = (0, None) if known is None else known.get(key, (0, None))
        found[key] = before if before is not None and digest == hash(data) else decode(data)
        if known is not None:
            known[key] = hash(data), found[key]
    return found


def _known(transaction: Transaction, events: list[Event]) -> Facts:
    """What is known already of what the events are about."""
    jobs = {event.job for event in events if event.kind != "dataset"}
    runs = {event.run_id for event in events if event.kind == "run"}
    datasets = {one.key for event in events for one in (*event.inputs, *event.outputs)}
    found_jobs, found_runs, found_datasets, found_edges = transaction.look(
        ("external_jobs_of", {"keys": json.dumps(sorted(jobs))}),
        ("external_runs_of", {"ids": json.dumps(sorted(runs))}),
        ("external_datasets_of", {"keys": json.dumps(sorted(datasets))}),
        ("external_edges_of", {"jobs": json.dumps(sorted(jobs))}),
    )
    return Facts(
        {key: _job(data) for key, data in found_jobs},
        {key: _run(data) for key, data in found_runs},
        {key: _dataset(data) for key, data in found_datasets},
        {(job, direction, dataset): at for job, direction, dataset, at in found_edges},
    )


def _rows(facts: Facts, now: float) -> list[tuple[str, list[Row]]]:
    """What is known now, each in one order, so that two that write never wait for each other."""
    return [
        ("put_external_jobs", [_job_row(key, one, now) for key, one in _sorted(facts.jobs)]),
        ("put_external_runs", [_run_row(one, now) for _, one in _sorted(facts.runs)]),
        (
            "put_external_datasets",
            [
                (key, one.namespace, one.name, _encode(one).decode(), one.last_at, now)
                for key, one in _sorted(facts.datasets)
            ],
        ),
        ("put_external_edges", [(*edge, at) for edge, at in _sorted(facts.edges)]),
    ]


def _sorted(found: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    return sorted(found.items(), key=lambda item: item[0])


def _job_row(key: str, job: ExternalJob, now: float) -> Row:
    return (key, job.namespace, job.name, _encode(job).decode(), job.since, job.last_at, now)


def _run_row(run: ExternalRun, now: float) -> Row:
    return (run.id, run.job, run.state, run.parent, run.began_at, run.last_at, _encode(run).decode(), now)
