"""Backfills as the API takes and gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated as A
from typing import Any, Literal

import msgspec

from batuta.server.shapes.base import Given, Shape, doc

BackfillStateName = Literal["running", "paused", "cancelling", "succeeded", "failed", "cancelled"]
ItemStateName = Literal["waiting", "submitted", "succeeded", "failed", "cancelled"]


class BackfillAsked(Given):
    """What is to be run: partitions of assets or of an asset job, or a job for many logical times."""

    job: A[str, doc("The job; empty for a selection of assets.", "nightly", max_length=500)] = ""
    selection: A[str, doc("The assets, where no job is named.", "bronze.rates+", max_length=10_000)] = ""
    location: A[str, doc("The code location, where several could be meant.", "shop", max_length=500)] = ""
    partitions: A[
        str, doc("A range `a..b`, a list `a,b`, a period, `latest:7`, `all`.", "2025-01..2025-03", max_length=100_000)
    ] = ""
    first: A[datetime | None, doc("Of a job: the first logical time.")] = None
    last: A[datetime | None, doc("Of a job: the last logical time, included; null: just the first.")] = None
    every: A[
        str, doc("How often: hourly, daily, weekly, monthly, a cron, a schedule; else as it is scheduled.", "daily")
    ] = ""
    mode: A[Literal["all", "missing", "stale", "failed"], doc("Which partitions.", "missing")] = "all"
    batch: A[int, doc("Partitions of one run; 0: all in one.", 1, ge=0, le=1_000_000)] = 1
    runs_max: A[int, doc("Runs at once.", 10, ge=1, le=100_000)] = 10
    order: A[Literal["oldest", "newest"], doc("Which come first.", "oldest")] = "oldest"
    priority: A[int, doc("Of its runs.", 0, ge=-1_000_000, le=1_000_000)] = 0
    params: A[dict[str, Any], doc("Parameters of its runs.")] = msgspec.field(default_factory=dict)
    tags: A[dict[str, str], doc("Tags of its runs.")] = msgspec.field(default_factory=dict)
    environment: A[
        str, doc("The environment to do it in, which is made if it is not there; empty: production.", "dev_anna")
    ] = ""


class BackfillPreview(Shape):
    """What a backfill would do."""

    runs: A[int, doc("How many runs it has.", 31)]
    items: A[list[str], doc("What each run is about; the first 1,000.", ["2026-01-01"])]
    assets: A[list[str], doc("The assets that it makes.")]
    partitions: A[int, doc("How many partitions (or logical times) were chosen.", 31)]
    left_out: A[int, doc("How many of them are left out: made already, fresh, not failed, or excluded.", 0)]
    already_made: A[int, doc("How many of them are made already.", 0)]
    follow: A[dict[str, int], doc("Of assets whose partitions follow from those: how many.")]


class Backfill(Shape):
    """A request to run many partitions or logical times."""

    id: A[int, doc("Its number.", 5)]
    state: A[BackfillStateName, doc("Where it stands.", "running")]
    job: A[str, doc("The job; empty for a selection of assets.", "nightly")]
    selection: A[str, doc("The assets.", "bronze.rates+")]
    location: A[str, doc("The code location.", "shop")]
    partitions: A[str, doc("Which partitions were asked for.", "2025-01..2025-03")]
    first: A[datetime | None, doc("The first logical time.")]
    last: A[datetime | None, doc("The last logical time.")]
    mode: A[str, doc("Which of the partitions: all, missing, stale, failed.", "missing")]
    batch: A[int, doc("Partitions of one run; 0: all in one.", 1)]
    runs_max: A[int, doc("Runs at once.", 10)]
    params: A[dict[str, Any], doc("Parameters of its runs.")]
    tags: A[dict[str, str], doc("Tags of its runs.")]
    environment: A[str, doc("The environment that they are in; empty: production.", "dev_anna")]
    counts: A[dict[str, int], doc("How many of its runs are in each state.", {"succeeded": 30, "submitted": 1})]
    created_by: A[str, doc("Who launched it.", "ada")]
    created_at: A[datetime, doc("When.")]
    finished_at: A[datetime | None, doc("When it was over.")]
    error: A[str, doc("What keeps it from going on.")]
    actions: A[
        list[str], doc("What may be asked of it now: pause, resume, cancel, retry.", ["pause", "cancel", "retry"])
    ]


class BackfillPage(Shape):
    """A page of backfills."""

    items: A[list[Backfill], doc("The backfills of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class BackfillItem(Shape):
    """One run of a backfill."""

    no: A[int, doc("Its place.", 0)]
    label: A[str, doc("What it is about: a partition, several, or a logical time.", "2026-01-31")]
    state: A[ItemStateName, doc("Where it stands.", "succeeded")]
    attempt: A[int, doc("Its attempt.", 1)]
    run: A[int | None, doc("The run of that attempt.", 42)]
    error: A[str, doc("Why it has failed or waits.")]


class BackfillItemPage(Shape):
    """A page of the items of a backfill."""

    items: A[list[BackfillItem], doc("The items of this page, in the order in which they are submitted.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]
