"""Jobs, their code and their launching as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated as A
from typing import Any

from batuta.core.states import RunState
from batuta.server.shapes.base import Link, Shape, doc


class RunDot(Shape):
    """A run in a row of small marks."""

    id: A[int, doc("Its number.", 42)]
    state: A[RunState, doc("Where it stands.")]
    created_at: A[datetime, doc("When it was asked for.")]
    duration_s: A[float | None, doc("Seconds from begin to end.", 3.2)]


class JobSchedule(Shape):
    """When a job is started by the clock."""

    name: A[str, doc("The schedule's name.", "every-night")]
    text: A[str, doc("When, as it is written.", "0 3 * * *")]
    timezone: A[str, doc("On whose clock.", "Europe/Berlin")]
    enabled: A[bool, doc("Whether it is on.")]
    next_at: A[datetime | None, doc("When it is due next.")]


class Job(Shape):
    """Something that can be launched."""

    name: A[str, doc("Its name.", "nightly")]
    location: A[str, doc("Its code location.", "shop")]
    kind: A[str, doc("flow, dag, assets or task.", "dag")]
    description: A[str, doc("Its docstring, in Markdown.")]
    tags: A[dict[str, str], doc("Its tags.", {"team": "growth"})]
    owners: A[list[str], doc("Who looks after it.")]
    selection: A[str, doc("The assets that it makes, if it is a selection of assets.", "layer:gold")]
    steps: A[int | None, doc("How many steps it has; null of a flow.", 12)]
    place: A[str, doc("Where it is defined.", "pipelines/shop.py:93")]
    schedules: A[list[JobSchedule], doc("When it is started by the clock.")]
    recent: A[list[RunDot], doc("Its last runs, newest first.")]


class JobPage(Shape):
    """A page of jobs."""

    items: A[list[Job], doc("The jobs of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class JobDetail(Shape):
    """A job with all that is needed to understand and launch it."""

    job: A[Job, doc("The job.")]
    params_schema: A[dict[str, Any], doc("JSON Schema of its parameters: what a form can be made of.")]
    version: A[str, doc("Content hash of its location's definitions.")]
    groups: A[list[str], doc("The groups of its steps.")]
    reads: A[list[str], doc("The assets that it reads.")]
    writes: A[list[str], doc("The assets that it makes.")]
    counts: A[dict[str, int], doc("Its runs in each state.", {"succeeded": 120})]
    links: A[list[Link], doc("What plugins link it to.")]


class SourceCode(Shape):
    """The file in which a job or asset is defined."""

    file: A[str, doc("The file, relative to the project.", "pipelines/shop.py")]
    line: A[int, doc("Where in it the definition begins.", 93)]
    first: A[int, doc("The number of the first line of `text`.", 1)]
    text: A[str, doc("The text; empty where the file cannot be read any more.")]
    language: A[str, doc("python, sql, ...", "python")]
    note: A[str, doc("What is shown, or why there is no text.")]
    changed: A[bool | None, doc("Whether the file says something else now; null where that is not known.")]


class NextTime(Shape):
    """A time at which a schedule is due."""

    schedule: A[str, doc("The schedule.", "every-night")]
    location: A[str, doc("Its location.", "shop")]
    job: A[str, doc("The job that it starts; empty for a selection of assets.", "nightly")]
    selection: A[str, doc("The assets that it makes, where no job is named.")]
    at: A[datetime, doc("The logical time.")]
