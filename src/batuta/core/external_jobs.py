"""Jobs that run elsewhere, their runs and datasets: what events of OpenLineage add up to.

Events may come twice, late and in any order: whatever the order, the same events give the same facts. So everything is
a largest or smallest (of times) or the newest by its own time (facets), and equal times are decided by content. The
surprising rule: what ended a run stays its end; a START that is heard later only says when it began. (Of a run with
several ends, which the standard does not have, the latest counts.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from batuta.core.openlineage import (
    FACETS_MAX,
    Dataset,
    Event,
    Facets,
    Lineage,
    columns_of,
    key_of,
    lineage_of,
    parent_of,
)

RunState = Literal["running", "succeeded", "failed", "cancelled", "lost"]
_ENDS: dict[str, RunState] = {"COMPLETE": "succeeded", "FAIL": "failed", "ABORT": "cancelled"}
_encode = msgspec.json.Encoder(order="deterministic").encode


class Dated(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What was said at a time (seconds since 1970)."""

    at: float
    value: Any


Dates = dict[str, Dated]


class ExternalRun(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A run elsewhere. `inputs` and `outputs`: by the key of the dataset, its facets as an input or output."""

    id: str
    job: str
    first_at: float
    last_at: float
    """When something happened in it, for all that was heard: first and last."""
    started_at: float | None = None
    ended: Dated | None = None
    producer: Dated = Dated(0.0, "")
    facets: Dates = {}
    inputs: dict[str, Dates] = {}
    outputs: dict[str, Dates] = {}

    @property
    def state(self) -> RunState:
        """How it is, as far as was heard; `lost` is for `state_at` to say."""
        return "running" if self.ended is None else _ENDS[self.ended.value]

    @property
    def began_at(self) -> float:
        """When it began, or else was first heard of."""
        return self.first_at if self.started_at is None else min(self.started_at, self.first_at)

    @property
    def ended_at(self) -> float | None:
        """When it ended."""
        return None if self.ended is None else self.ended.at

    def state_at(self, now: float, lost_after_s: float) -> RunState:
        """How it is; one that does not end and was not heard of for so long is lost."""
        return "lost" if self.ended is None and self.last_at < now - lost_after_s else self.state

    @property
    def parent(self) -> str:
        """The number of the run that started it; empty: none is known."""
        found = parent_of(values(self.facets))
        return "" if found is None else found.run_id


class Newest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The run of a job that was active last, and when; how it is, and when it began."""

    at: float
    run: str
    state: RunState
    began_at: float


class ExternalJob(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A job elsewhere. `current`: what tells what it reads and writes: when that ended, since when it holds, in which
    run (empty: none; it was said of the job). `newest`: the run that was active last.
    """

    namespace: str
    name: str
    first_at: float
    last_at: float
    producer: Dated = Dated(0.0, "")
    facets: Dates = {}
    current: tuple[float, str, float] | None = None
    newest: Newest | None = None

    @property
    def since(self) -> float:
        """What was told of its datasets before this counts no more."""
        return 0.0 if self.current is None else self.current[2]

    def state_at(self, now: float, lost_after_s: float) -> RunState | Literal[""]:
        """How its newest run is; empty: it has none."""
        newest = self.newest
        if newest is None:
            return ""
        return "lost" if newest.state == "running" and newest.at < now - lost_after_s else newest.state


class ExternalDataset(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A dataset that events name. `columns` and `lineage` hold what the facets of these names say, in our own words."""

    namespace: str
    name: str
    first_at: float
    last_at: float
    facets: Dates = {}
    columns: Dated | None = None
    lineage: Dated | None = None

    @property
    def key(self) -> str:
        """See `openlineage.key_of`."""
        return key_of(self.namespace, self.name)


Direction = Literal["in", "out"]
Edge = tuple[str, Direction, str]
"""A job, whether it reads or writes, a dataset; by their keys."""


class Facts(msgspec.Struct):
    """What is known of what some events are about. `apply` adds events; edges are dated by when they were told last."""

    jobs: dict[str, ExternalJob] = {}
    runs: dict[str, ExternalRun] = {}
    datasets: dict[str, ExternalDataset] = {}
    edges: dict[Edge, float] = {}

    def apply(self, event: Event) -> None:
        """Add an event."""
        for dataset in (*event.inputs, *event.outputs):
            self.datasets[dataset.key] = _with_dataset(self.datasets.get(dataset.key), dataset, event.at)
        if event.kind == "dataset":
            return
        job = _with_event(self.jobs.get(event.job), event)
        for direction, datasets in (("in", event.inputs), ("out", event.outputs)):
            for dataset in datasets:
                edge: Edge = (event.job, direction, dataset.key)  # type: ignore[assignment]
                self.edges[edge] = max(self.edges.get(edge, event.at), event.at)
        if event.kind == "run":
            run = self.runs[event.run_id] = _run_with(self.runs.get(event.run_id), event)
            job = _with_run(job, run)
        elif event.inputs or event.outputs:
            job = _with_current(job, (event.at, "", event.at))
        self.jobs[event.job] = job


def values(dates: Mapping[str, Dated]) -> Facets:
    """Without their times."""
    return {name: dated.value for name, dated in dates.items()}


def newer(one: Dated | None, other: Dated) -> Dated:
    """The later of two; of two at the same time the larger by content, whichever was heard first."""
    if one is None or (one.at, _encode(one.value)) < (other.at, _encode(other.value)):
        return other
    return one


def merged(dates: Dates, facets: Facets, at: float) -> Dates:
    """Facets with those that were said at a time. One that says that it is deleted stays as that."""
    if not facets:
        return dates
    found = dict(dates)
    for name, facet in facets.items():
        if name in found or len(found) < FACETS_MAX:
            found[name] = newer(found.get(name), Dated(at, facet))
    return found


def shown(dates: Mapping[str, Dated]) -> Facets:
    """The facets that were not deleted since, without what is about the facets themselves."""
    return {
        name: {key: each for key, each in value.items() if key not in ("_producer", "_schemaURL")}
        for name, value in values(dates).items()
        if value.get("_deleted") is not True
    }


# ---- one event ----


def _run_with(run: ExternalRun | None, event: Event) -> ExternalRun:
    if run is None:
        run = ExternalRun(event.run_id, event.job, event.at, event.at)
    started = event.at if event.type == "START" else None
    ended = Dated(event.at, event.type) if event.type in _ENDS else None
    return ExternalRun(
        run.id,
        min(run.job, event.job),
        min(run.first_at, event.at),
        max(run.last_at, event.at),
        min((each for each in (run.started_at, started) if each is not None), default=None),
        run.ended if ended is None else newer(run.ended, ended),
        newer(run.producer, Dated(event.at, event.producer)),
        merged(run.facets, event.run_facets, event.at),
        _touched(run.inputs, event.inputs, event.at),
        _touched(run.outputs, event.outputs, event.at),
    )


def _touched(known: dict[str, Dates], datasets: Iterable[Dataset], at: float) -> dict[str, Dates]:
    found = dict(known)
    for one in datasets:
        found[one.key] = merged(found.get(one.key, {}), one.io_facets, at)
    return found


def _with_event(job: ExternalJob | None, event: Event) -> ExternalJob:
    if job is None:
        job = ExternalJob(event.namespace, event.name, event.at, event.at)
    return msgspec.structs.replace(
        job,
        first_at=min(job.first_at, event.at),
        last_at=max(job.last_at, event.at),
        producer=newer(job.producer, Dated(event.at, event.producer)),
        facets=merged(job.facets, event.job_facets, event.at),
    )


def _with_run(job: ExternalJob, run: ExternalRun) -> ExternalJob:
    """A job after something was heard of one of its runs, which is as the event left it."""
    known = job.newest
    if known is None or (known.at, known.run) <= (run.last_at, run.id) or known.run == run.id:
        newest = Newest(run.last_at, run.id, run.state, run.began_at)
        job = msgspec.structs.replace(job, newest=newest)
    if run.state == "succeeded" and (run.inputs or run.outputs):
        assert run.ended_at is not None
        return _with_current(job, (run.ended_at, run.id, run.first_at))
    return job


def _with_current(job: ExternalJob, told: tuple[float, str, float]) -> ExternalJob:
    """What it reads and writes is as told last by a run that completed."""
    if job.current is None or job.current[:2] <= told[:2]:
        return msgspec.structs.replace(job, current=told)
    return job


def _with_dataset(known: ExternalDataset | None, dataset: Dataset, at: float) -> ExternalDataset:
    if known is None:
        known = ExternalDataset(dataset.namespace, dataset.name, at, at)
    facets = {name: facet for name, facet in dataset.facets.items() if name not in ("schema", "columnLineage")}
    columns, lineage = known.columns, known.lineage
    said = columns_of(dataset.facets.get("schema"))
    if said is not None:
        columns = newer(columns, Dated(at, [list(each) for each in said]))
    made = lineage_of(dataset.facets.get("columnLineage"))
    if made is not None:
        lineage = newer(lineage, Dated(at, msgspec.to_builtins(made)))
    return ExternalDataset(
        known.namespace,
        known.name,
        min(known.first_at, at),
        max(known.last_at, at),
        merged(known.facets, facets, at),
        columns,
        lineage,
    )


def columns_in(dataset: ExternalDataset) -> list[tuple[str, str, str]]:
    """The columns of a dataset: name, type, description."""
    return [] if dataset.columns is None else [tuple(each) for each in dataset.columns.value]


def lineage_in(dataset: ExternalDataset) -> Lineage | None:
    """What its columns are made from."""
    return None if dataset.lineage is None else msgspec.convert(dataset.lineage.value, Lineage)
