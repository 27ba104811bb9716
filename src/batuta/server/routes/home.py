"""`/home`, `/timeline` and `/search`: what somebody wants to see first, and finding the rest."""

from __future__ import annotations

import statistics
from typing import Annotated as A

from litestar import Controller, get
from litestar.di import NamedDependency

from batuta.core.states import RunState
from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.processes import alive_processes
from batuta.server.routes.base import moment, query, seconds_at, viewer
from batuta.server.routes.health import readiness
from batuta.server.search import search
from batuta.server.shapes.base import at, at_or_none
from batuta.server.shapes.jobs import NextTime
from batuta.server.shapes.operations import SearchResult
from batuta.server.shapes.runs import run_of
from batuta.server.shapes.service import Home, LateRun, LocationHealth, Timeline, TimelineRun
from batuta.server.tickers import coming
from batuta.store.reports import RunFilter
from batuta.store.rows import RunRow

SHOWN = 20
DAY_S = 86_400.0
TIMES_USUAL = 2.0
NEXT_OF_EACH = 3
"""So many times of one schedule are told of: one that fires each minute would hide the others."""
USUAL_OF = 20
LATE_S = 10.0
"""What takes less long than that is never late."""


class HomeRoutes(Controller):
    """See the module."""

    tags = ("home",)

    @get("/home", operation_id="getHome", summary="What matters now", sync_to_thread=True, opt=viewer())
    def home(self, backend: NamedDependency[Backend], who: NamedDependency[Principal]) -> Home:
        """What runs, what failed, what is late, what comes next; how locations and processes are."""
        catalog, reports, now = backend.catalog, backend.store.reports, backend.clock()
        visible = who.visible(list(catalog.locations))

        def runs(*states: str, since: float | None = None) -> list[RunRow]:
            return reports.runs(RunFilter(states=states, locations=visible, since=since), limit=SHOWN)

        running = runs("running", "cancelling")
        states = backend.asset_states()
        assets: dict[str, int] = {}
        failed_checks = 0
        for state in states.states.values():
            if who.may("viewer", state.location):
                assets[state.state] = assets.get(state.state, 0) + 1
                failed_checks += state.checks_failed
        return Home(
            now=at(now),
            counts=reports.run_states(None, visible),
            last_day=reports.run_states(now - DAY_S, visible),
            running=[run_of(row) for row in running],
            failed=[run_of(row) for row in runs("failed", since=now - DAY_S)],
            paused=[run_of(row) for row in runs("paused")],
            late=_late(backend, running, now),
            next=coming(backend, who, until=now + DAY_S, count=SHOWN * NEXT_OF_EACH, each=NEXT_OF_EACH),
            assets=assets,
            checks_failed=failed_checks,
            alerts_open=len(backend.store.alerts.open()),
            locations=[
                LocationHealth(
                    name=entry.name,
                    error=entry.error,
                    problems=len(entry.problems),
                    loaded_at=at(entry.loaded_at),
                )
                for entry in catalog.locations.values()
                if who.may("viewer", entry.name)
            ],
            processes=alive_processes(backend),
            health=readiness(backend),
        )

    @get("/timeline", operation_id="getTimeline", summary="Runs over time", sync_to_thread=True, opt=viewer())
    def timeline(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        since: A[str | None, moment("From when on; by default the last 6 hours.")] = None,
        until: A[str | None, moment("Until when; by default 2 hours from now.")] = None,
        limit: A[int, query("At most so many runs.", ge=1, le=5000)] = 1000,
    ) -> Timeline:
        """The runs of all jobs created in a span of time, and what the clock starts in the rest of it."""
        now = backend.clock()
        begin = seconds_at(since, "since") or now - 6 * 3600
        end = seconds_at(until, "until") or now + 2 * 3600
        visible = who.visible(list(backend.catalog.locations))
        wanted = RunFilter(locations=visible, since=begin, until=end)
        rows = backend.store.reports.runs(wanted, limit=limit + 1)
        return Timeline(
            since=at(begin),
            until=at(end),
            runs=[_on_line(row) for row in rows[:limit]],
            more=len(rows) > limit,
            next=coming(backend, who, until=end, count=500),
        )

    @get(
        "/next-times",
        operation_id="listNextTimes",
        summary="What the clock starts next",
        sync_to_thread=True,
        opt=viewer(),
    )
    def next_times(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        hours: A[float, query("Within so many hours.", gt=0, le=24 * 366)] = 24.0,
        limit: A[int, query("At most so many.", ge=1, le=5000)] = 100,
    ) -> list[NextTime]:
        """Future times of schedules that are on, the next first."""
        return coming(backend, who, until=backend.clock() + hours * 3600, count=limit)

    @get("/search", operation_id="search", summary="Find anything", sync_to_thread=True, opt=viewer())
    def find(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        text: A[str, query("What to find; several words must all be there.", "q", min_length=1, max_length=200)],
        kinds: A[list[str] | None, query("Only job, asset, run, check, location, schedule or term.", "kind")] = None,
        limit: A[int, query("At most so many.", ge=1, le=200)] = 30,
    ) -> SearchResult:
        """Jobs, assets, checks, schedules, locations, runs and terms that have all the words in name, description,
        owners, tags, columns, or the terms that they are about."""
        return SearchResult(items=search(backend, who, text, set(kinds or ()), limit))


def _late(backend: Backend, running: list[RunRow], now: float) -> list[LateRun]:
    found = []
    for row in running:
        if row.started_at is None:
            continue
        took = now - row.started_at
        before = backend.store.reports.recent_of_job(
            row.job, location=backend.catalog.told_apart(row.job, row.location), limit=USUAL_OF
        )
        times = [
            one[4] - one[3]
            for one in before
            if one[1] == RunState.SUCCEEDED and one[3] is not None and one[4] is not None
        ]
        usual = statistics.median(times) if times else None
        if row.deadline_at is not None and now > row.deadline_at:
            found.append(LateRun(run=run_of(row), usual_s=usual, why="its deadline is over"))
        elif usual is not None and took > LATE_S and took > TIMES_USUAL * usual:
            why = f"it takes {took / max(usual, 0.001):,.0f} times as long as usual"
            found.append(LateRun(run=run_of(row), usual_s=usual, why=why))
    return found


def _on_line(row: RunRow) -> TimelineRun:
    return TimelineRun(
        id=row.id,
        job=row.job,
        location=row.location,
        kind=row.kind,
        state=row.state,
        created_at=at(row.created_at),
        started_at=at_or_none(row.started_at),
        finished_at=at_or_none(row.finished_at),
    )
