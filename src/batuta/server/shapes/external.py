"""What runs elsewhere as the API gives it: jobs, runs and datasets that events of OpenLineage tell of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated as A
from typing import Any, Literal

from batuta.server.shapes.base import Shape, doc

ExternalRunState = Literal["running", "succeeded", "failed", "cancelled", "lost"]


class RefusedEvent(Shape):
    """An event of a list that was not taken."""

    index: A[int, doc("Its place in the list, from 0.", 2)]
    pointer: A[str, doc("What of it is wrong: a JSON pointer; empty: all of it.", "/run/runId")]
    detail: A[str, doc("What is wrong.", "'1' is no UUID")]


class EventsTaken(Shape):
    """What became of events that were sent."""

    taken: A[int, doc("How many were taken.", 1)]
    ignored: A[int, doc("How many were not kept, as this installation has sent them itself.", 0)]
    refused: A[list[RefusedEvent], doc("Those of a list that were not taken.")]


class ExternalDatasetLink(Shape):
    """A dataset that a job elsewhere reads or writes."""

    key: A[str, doc("The key of the dataset, by which the API tells more of it.")]
    namespace: A[str, doc("Its namespace.", "s3://lake")]
    name: A[str, doc("Its name.", "bronze/orders")]
    asset: A[str, doc("Its node in the lineage graph: the asset that it is, or its own name.", "bronze.orders")]
    rows: A[int | None, doc("How many rows the run wrote, where it says so.", 1000)]
    bytes: A[int | None, doc("How many bytes the run wrote, where it says so.", 4096)]


class ExternalJob(Shape):
    """A job that runs elsewhere."""

    key: A[str, doc("Its key, by which the API tells more of it.")]
    namespace: A[str, doc("Its namespace.", "spark")]
    name: A[str, doc("Its name.", "etl.daily")]
    node: A[str, doc("Its node in the lineage graph.", "spark/etl.daily:")]
    type: A[str, doc("What kind of job it is, as its producer says.", "SPARK JOB")]
    description: A[str, doc("What is said of it.")]
    owners: A[list[str], doc("Who owns it.")]
    producer: A[str, doc("Who sent its events last.", "https://github.com/OpenLineage/OpenLineage")]
    state: A[
        Literal["running", "succeeded", "failed", "cancelled", "lost", ""],
        doc("How its newest run is; `lost`: it does not end, and is not heard of any more. Empty: it has none."),
    ]
    run: A[str, doc("Its newest run; empty: it has none.")]
    run_at: A[datetime | None, doc("When its newest run began.")]
    last_at: A[datetime, doc("When something happened with it last.")]
    reads: A[int, doc("How many datasets it reads.", 2)]
    writes: A[int, doc("How many datasets it writes.", 1)]


class ExternalJobDetail(ExternalJob):
    """A job that runs elsewhere, with its datasets."""

    first_at: A[datetime, doc("When it was first heard of.")]
    states: A[dict[str, int], doc("How many of its runs are in each state; one that was lost counts as running.")]
    inputs: A[list[ExternalDatasetLink], doc("What it reads.")]
    outputs: A[list[ExternalDatasetLink], doc("What it writes.")]
    facets: A[dict[str, Any], doc("All that is said of it, by facet.")]


class ExternalJobPage(Shape):
    """A page of jobs that run elsewhere."""

    items: A[list[ExternalJob], doc("The jobs.")]
    next: A[str | None, doc("The cursor of the next page; null at the end.")]


class ExternalParent(Shape):
    """What started a run elsewhere."""

    run: A[str, doc("The run's number; empty: it is not said.")]
    namespace: A[str, doc("The namespace of its job.")]
    name: A[str, doc("The name of its job.")]
    is_known: A[bool, doc("Whether something was heard of that run.")]


class ExternalRun(Shape):
    """A run elsewhere."""

    id: A[str, doc("Its number, a UUID.")]
    job: A[str, doc("The key of its job.")]
    namespace: A[str, doc("The namespace of its job.", "spark")]
    name: A[str, doc("The name of its job.", "etl.daily")]
    state: A[ExternalRunState, doc("How it is.")]
    began_at: A[datetime, doc("When it began, or was first heard of.")]
    ended_at: A[datetime | None, doc("When it ended.")]
    last_at: A[datetime, doc("When something happened in it last.")]
    producer: A[str, doc("Who sent its events.")]
    error: A[str, doc("Why it failed, where it says so.")]


class ExternalRunDetail(ExternalRun):
    """A run elsewhere, with what it read and wrote, and what started it."""

    nominal_at: A[str, doc("The time that it is for, as its producer writes it; empty: none.")]
    traceback: A[str, doc("Where it failed, where it says so.")]
    parent: A[ExternalParent | None, doc("What started it.")]
    children: A[list[ExternalRun], doc("The runs that it started, the newest 100.")]
    inputs: A[list[ExternalDatasetLink], doc("What it read.")]
    outputs: A[list[ExternalDatasetLink], doc("What it wrote.")]
    facets: A[dict[str, Any], doc("All that is said of it, by facet.")]


class ExternalRunPage(Shape):
    """A page of runs elsewhere."""

    items: A[list[ExternalRun], doc("The runs.")]
    next: A[str | None, doc("The cursor of the next page; null at the end.")]


class ExternalColumn(Shape):
    """A column of a dataset elsewhere."""

    name: A[str, doc("Its name; of one within another `a.b`.", "amount")]
    type: A[str, doc("Its type, as its producer writes it.", "bigint")]
    description: A[str, doc("What is said of it.")]


class ExternalDataset(Shape):
    """A dataset that events tell of."""

    key: A[str, doc("Its key.")]
    namespace: A[str, doc("Its namespace.", "s3://lake")]
    name: A[str, doc("Its name.", "bronze/orders")]
    asset: A[str, doc("Its node in the lineage graph: the asset that it is, or its own name.", "bronze.orders")]
    defined: A[bool, doc("Whether a code location defines that asset.")]
    description: A[str, doc("What is said of it.")]
    owners: A[list[str], doc("Who owns it.")]
    first_at: A[datetime, doc("When it was first heard of.")]
    last_at: A[datetime, doc("When something was last said of it.")]
    columns: A[list[ExternalColumn], doc("Its columns.")]
    writers: A[list[ExternalJob], doc("The jobs elsewhere that write it.")]
    readers: A[list[ExternalJob], doc("The jobs elsewhere that read it.")]
    facets: A[dict[str, Any], doc("All that is said of it, by facet.")]
