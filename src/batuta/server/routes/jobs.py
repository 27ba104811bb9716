"""`/jobs`: what can be launched, how it is built, how it went."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta
from typing import Annotated as A
from typing import Any, Literal

from litestar import Controller, get
from litestar.di import NamedDependency

from batuta.core.definitions import JobSpec
from batuta.core.plan import StepSpec
from batuta.core.schedule_specs import ScheduleSpec
from batuta.core.states import RunState
from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.catalog import Catalog
from batuta.server.links import job_links
from batuta.server.paging import Cursor, Limit, cursor_of, has_text, number_at, page_of
from batuta.server.pictures import graph_of, grid_of, steps_of_job
from batuta.server.routes.base import Location, OfRun, Text, named, path, query, viewer
from batuta.server.routes.runs import seen
from batuta.server.shapes.base import at, at_or_none
from batuta.server.shapes.graphs import Calendar, CalendarDay, Duration, Durations, Grid, JobGraph
from batuta.server.shapes.jobs import Job, JobDetail, JobPage, JobSchedule, RunDot, SourceCode
from batuta.server.source_code import place_then, short_place, source_now, source_then
from batuta.server.tickers import next_times, state_of, timing_text
from batuta.store.database import Row

DOTS = 12
DAY_S = 86_400.0
JobName = A[str, path("The job's name.", max_length=500)]


class Jobs(Controller):
    """See the module."""

    path = "/jobs"
    tags = ("jobs",)

    @get("/", operation_id="listJobs", summary="List jobs", sync_to_thread=True, opt=viewer())
    def list_jobs(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        kinds: A[list[str] | None, query("Only of these kinds.", "kind")] = None,
        locations: A[list[str] | None, query("Only of these code locations.", "location")] = None,
        job_tags: A[list[str] | None, query("Only with all these tags: `key` or `key=value`.", "tag")] = None,
        owner: A[str | None, query("Only of this owner.")] = None,
        last: A[list[RunState] | None, query("Only where the last run is in one of these states.")] = None,
        text: Text = "",
        sort: A[Literal["name", "-name", "last", "-last"], query("By name, or by when it ran last.")] = "name",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> JobPage:
        """A page of jobs with their last runs. `text` is looked for in name and description."""
        catalog = backend.catalog
        found = [
            (location, job)
            for (location, _), job in catalog.jobs.items()
            if who.may("viewer", location) and _fits(location, job, kinds, locations, job_tags, owner, text)
        ]
        recent: dict[tuple[str, str], list[Row]] = {}
        if last is not None or sort.endswith("last"):
            recent = _recent_of_all(backend, found)
        if last is not None:
            found = [one for one in found if (rows := recent[one[0], one[1].name]) and rows[0][1] in last]

        def sort_key(one: tuple[str, JobSpec]) -> Any:
            rows = recent.get((one[0], one[1].name), [])
            return one[1].name if not sort.endswith("last") else rows[0][0] if rows else None

        page, following = page_of(found, sort_key, lambda one: f"{one[1].name}\n{one[0]}", sort, cursor, limit)
        recent = recent or _recent_of_all(backend, page)
        return JobPage(
            items=[job_of(backend, catalog, location, job, recent.get((location, job.name))) for location, job in page],
            next=following,
        )

    @get("/{job:str}", operation_id="getJob", summary="Show a job", sync_to_thread=True, opt=viewer())
    def get_job(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], job: JobName, location: Location = ""
    ) -> JobDetail:
        """A job with the schema of its parameters."""
        catalog, at_location, spec = _found(backend, who, job, location)
        steps = _steps(backend, catalog, at_location, spec)
        return JobDetail(
            job=job_of(backend, catalog, at_location, spec),
            params_schema=spec.params_schema,
            version=catalog.locations[at_location].hash,
            groups=sorted({step.group for step in steps if step.group}),
            reads=sorted({key for step in steps for key in step.reads}),
            writes=sorted({key for step in steps for key in step.writes}),
            counts=backend.store.run_counts([spec.name]).get(spec.name, {}),
            links=job_links(backend.links, at_location, spec),
        )

    @get(
        "/{job:str}/graph", operation_id="getJobGraph", summary="The graph of a job", sync_to_thread=True, opt=viewer()
    )
    def graph(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], job: JobName, location: Location = ""
    ) -> JobGraph:
        """The steps of a job as it is defined now."""
        catalog, at_location, spec = _found(backend, who, job, location)
        return graph_of(_steps(backend, catalog, at_location, spec), complete=spec.kind != "flow")

    @get("/{job:str}/grid", operation_id="getJobGrid", summary="Runs by steps", sync_to_thread=True, opt=viewer())
    def grid(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        job: JobName,
        location: Location = "",
        cursor: Cursor = None,
        limit: A[int, query("At most so many runs.", ge=1, le=200)] = 25,
    ) -> Grid:
        """The last runs of a job by its steps."""
        catalog, at_location, spec = _found(backend, who, job, location)
        steps = _steps(backend, catalog, at_location, spec)
        groups = {step.key: step.group for step in steps if step.group}
        return grid_of(backend, spec, at_location, [step.key for step in steps], groups, limit, cursor)

    @get(
        "/{job:str}/durations",
        operation_id="getJobDurations",
        summary="How long runs took",
        sync_to_thread=True,
        opt=viewer(),
    )
    def durations(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        job: JobName,
        location: Location = "",
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Durations:
        """How long the last runs of a job took, with median and 95th percentile of those that succeeded."""
        _, at_location, spec = _found(backend, who, job, location)
        order = "durations"
        before = number_at(cursor, order)
        rows = _recent(backend, at_location, spec, limit + 1, before)
        more, rows = len(rows) > limit, rows[:limit]
        items = [_duration(row) for row in rows]
        good = sorted(each.duration_s for each in items if each.state == "succeeded" and each.duration_s is not None)
        return Durations(
            items=items,
            median_s=statistics.median(good) if good else None,
            p95_s=good[min(int(len(good) * 0.95), len(good) - 1)] if good else None,
            next=cursor_of(order, rows[-1][0]) if more else None,
        )

    @get("/{job:str}/calendar", operation_id="getJobCalendar", summary="Runs by day", sync_to_thread=True, opt=viewer())
    def calendar(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        job: JobName,
        location: Location = "",
        days: A[int, query("The last so many days.", ge=1, le=1000)] = 180,
    ) -> Calendar:
        """The runs of a job created in the last days, by the day that they are about (UTC)."""
        _, at_location, spec = _found(backend, who, job, location)
        apart = backend.catalog.told_apart(spec.name, at_location)
        rows = backend.store.reports.run_days_of_job(spec.name, backend.clock() - days * DAY_S, apart)
        by_day: dict[int, dict[str, int]] = {}
        newest: dict[int, int] = {}
        for day, state, count, run in rows:
            by_day.setdefault(day, {})[state] = count
            newest[day] = max(newest.get(day, 0), run)
        return Calendar(
            days=[CalendarDay(day=_day(day), counts=counts, run=newest[day]) for day, counts in sorted(by_day.items())]
        )

    @get(
        "/{job:str}/source", operation_id="getJobSource", summary="The code of a job", sync_to_thread=True, opt=viewer()
    )
    def source(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        job: JobName,
        location: Location = "",
        run: OfRun = None,
    ) -> SourceCode:
        """The file in which a job is defined, as it is now, or as a run ran it."""
        _, at_location, spec = _found(backend, who, job, location)
        if run is None:
            return source_now(backend, at_location, spec.place)
        row = seen(backend, who, run)
        return source_then(backend, row, place_then(backend, row, job=spec.name))


def _found(backend: Backend, who: Principal, name: str, location: str) -> tuple[Catalog, str, JobSpec]:
    catalog = backend.catalog
    found, job = catalog.job(named(name), location)
    who.need("viewer", found, "look at that job")
    return catalog, found, job


def _fits(
    location: str,
    job: JobSpec,
    kinds: list[str] | None,
    locations: list[str] | None,
    tags: list[str] | None,
    owner: str | None,
    text: str,
) -> bool:
    if (kinds and job.kind not in kinds) or (locations and location not in locations):
        return False
    for tag in tags or ():
        key, equals, value = tag.partition("=")
        if key not in job.tags or (equals and job.tags[key] != value):
            return False
    if owner is not None and owner not in job.owners:
        return False
    return has_text(text, job.name, job.description)


def _steps(backend: Backend, catalog: Catalog, location: str, job: JobSpec) -> tuple[StepSpec, ...]:
    if job.plan is not None:
        return job.plan.steps
    selected = backend.asset_states().assets.select(job.selection)
    return steps_of_job(job, catalog.locations[location].definitions, selected)


def _recent(backend: Backend, location: str, job: JobSpec, limit: int, before: int | None = None) -> list[Row]:
    apart = backend.catalog.told_apart(job.name, location)
    return backend.store.reports.recent_of_job(job.name, location=apart, before=before, limit=limit)


def _recent_of_all(backend: Backend, jobs: list[tuple[str, JobSpec]]) -> dict[tuple[str, str], list[Row]]:
    """The last runs of all these jobs."""
    catalog = backend.catalog
    alone = [job.name for location, job in jobs if catalog.told_apart(job.name, location) is None]
    found = backend.store.reports.recent_of_jobs(alone, DOTS)
    return {
        (location, job.name): found.get(job.name, [])
        if catalog.told_apart(job.name, location) is None
        else _recent(backend, location, job, DOTS)
        for location, job in jobs
    }


def job_of(backend: Backend, catalog: Catalog, location: str, job: JobSpec, recent: list[Row] | None = None) -> Job:
    """A job as it is shown, with its last runs."""
    rows = recent if recent is not None else _recent(backend, location, job, DOTS)
    schedules = [
        one for (at_location, _), one in catalog.schedules.items() if at_location == location and one.job == job.name
    ]
    return Job(
        name=job.name,
        location=location,
        kind=job.kind,
        description=job.description,
        tags=job.tags,
        owners=list(job.owners),
        selection=job.selection,
        steps=None if job.plan is None or job.kind == "flow" else len(job.plan.steps),
        place=short_place(job.place, backend.project.root),
        schedules=[_schedule(backend, location, one) for one in schedules],
        recent=[_dot(row) for row in rows],
    )


def _schedule(backend: Backend, location: str, spec: ScheduleSpec) -> JobSchedule:
    enabled, cursor = state_of(backend, location, spec)
    times = next_times(backend, spec, 1, cursor) if enabled else []
    return JobSchedule(
        name=spec.name,
        text=timing_text(spec),
        timezone=spec.timing.timezone,
        enabled=enabled,
        next_at=at(times[0]) if times else None,
    )


def _dot(row: Row) -> RunDot:
    took = None if row[3] is None or row[4] is None else row[4] - row[3]
    return RunDot(id=row[0], state=RunState(row[1]), created_at=at(row[2]), duration_s=took)


def _duration(row: Row) -> Duration:
    run_id, state, created, started, finished, partition, _, _ = row
    return Duration(
        run=run_id,
        state=RunState(state),
        at=at_or_none(started) or at(created),
        duration_s=None if started is None or finished is None else finished - started,
        queued_s=None if started is None else started - created,
        partition=partition,
    )


def _day(number: int) -> str:
    return (datetime.fromtimestamp(0, UTC) + timedelta(days=number)).date().isoformat()
