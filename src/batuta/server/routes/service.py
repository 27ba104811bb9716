"""`/locations`, `/checks`, `/glossary`, `/pools`, `/queue` and `/processes`: the service and what it holds back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Annotated as A
from typing import Any, Literal

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.catalog import Catalog, LocationEntry
from batuta.server.checks import all_checks
from batuta.server.glossary import all_terms
from batuta.server.paging import ByNumber, Cursor, Limit, by_number, has_text, page_of
from batuta.server.pictures import steps_of_run
from batuta.server.processes import alive_processes
from batuta.server.routes.base import Text, editor, named, operator, path, query, viewer
from batuta.server.shapes.assets import Check, CheckPage, CheckResultPage, GlossaryTerm, QualityDay, check_result_of
from batuta.server.shapes.base import at
from batuta.server.shapes.health import ProcessPage
from batuta.server.shapes.operations import Deleted, Saved
from batuta.server.shapes.runs import run_of
from batuta.server.shapes.service import (
    Location,
    LocationPage,
    LocationProblem,
    Pool,
    PoolGiven,
    PoolPage,
    Queue,
    QueuedRun,
)
from batuta.server.source_code import short_place
from batuta.store.reports import RunFilter
from batuta.store.rows import VerdictCounts

DAY_S = 86_400.0
RUNNING_MAX = 2_000
LocationName = A[str, path("The location's name.", max_length=500)]
PoolName = A[str, path("The pool's name.", max_length=500)]


class Locations(Controller):
    """Code locations: what is loaded, and what is wrong with it."""

    path = "/locations"
    tags = ("locations",)

    @get("/", operation_id="listLocations", summary="List code locations", sync_to_thread=True, opt=viewer())
    def list_locations(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        failing: A[bool | None, query("Only those with something that does not load, or without.")] = None,
        text: Text = "",
        sort: A[Literal["name", "-name", "loaded", "-loaded"], query("By name, or by when it was loaded.")] = "name",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> LocationPage:
        """A page of code locations with what they define and what is wrong with them. `text` is looked for in name,
        code and errors."""
        catalog = backend.catalog
        rows = [_location(backend, catalog, one) for one in catalog.locations.values() if who.may("viewer", one.name)]
        found = [
            one
            for one in rows
            if has_text(text, one.name, one.error, *one.code, *(problem.message for problem in one.problems))
            and failing in (None, bool(one.error or one.problems))
        ]
        key = attrgetter("name" if sort.endswith("name") else "loaded_at")
        page, following = page_of(found, key, attrgetter("name"), sort, cursor, limit)
        return LocationPage(items=page, next=following)

    @get(
        "/{location:str}", operation_id="getLocation", summary="Show a code location", sync_to_thread=True, opt=viewer()
    )
    def get_location(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], location: LocationName
    ) -> Location:
        """A code location."""
        who.need("viewer", named(location), "look at that location")
        catalog = backend.catalog
        return _location(backend, catalog, catalog.location(named(location)))

    @post(
        "/{location:str}/reload",
        operation_id="reloadLocation",
        summary="Load a code location anew",
        status_code=202,
        sync_to_thread=True,
        opt=operator(),
    )
    def reload(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], location: LocationName
    ) -> Location:
        """Have the schedulers load it anew; runs under way keep the version that they have begun with."""
        from batuta.scheduler.reloading import ask_for_reload

        name = named(location)
        entry = backend.catalog.location(name)
        who.need("operator", name, "reload it")
        ask_for_reload(backend.store, name, by=who.name, now=backend.clock())
        backend.note(who.name, "reload", "location", name)
        backend.wake()
        return _location(backend, backend.catalog, entry)


class Checks(Controller):
    """Checks and their verdicts over time."""

    path = "/checks"
    tags = ("assets",)

    @get("/", operation_id="listChecks", summary="List checks", sync_to_thread=True, opt=viewer())
    def list_checks(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        passed: A[bool | None, query("Only those whose last verdict is good, or is not.")] = None,
        layers: A[list[str] | None, query("Only of assets in these layers.", "layer")] = None,
        assets: A[list[str] | None, query("Only of these assets.", "asset")] = None,
        blocking: A[bool | None, query("Only those that block, or do not.")] = None,
        text: Text = "",
        sort: A[
            Literal["asset", "-asset", "at", "-at"], query("By asset, or by when the last verdict was given.")
        ] = "asset",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> CheckPage:
        """A page of checks with their last verdicts."""
        found = backend.asset_states()
        rows = [
            check
            for check in all_checks(backend, found)
            if who.may("viewer", check.location)
            and (passed is None or check.passed == passed)
            and (not layers or check.layer in layers)
            and (not assets or check.asset in assets)
            and (blocking is None or check.blocking == blocking)
            and has_text(text, f"{check.asset}:{check.name}", check.description)
        ]

        def sort_key(check: Check) -> Any:
            if sort.endswith("asset"):
                return check.asset
            return None if check.at is None else check.at.timestamp()

        page, following = page_of(rows, sort_key, lambda check: f"{check.asset}:{check.name}", sort, cursor, limit)
        return CheckPage(items=page, next=following)

    @get("/results", operation_id="listCheckResults", summary="List verdicts", sync_to_thread=True, opt=viewer())
    def results(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        assets: A[list[str] | None, query("Only on these assets.", "asset")] = None,
        check: A[str | None, query("Only of checks of this name.", max_length=500)] = None,
        passed: A[bool | None, query("Only good ones, or bad ones.")] = None,
        text: Text = "",
        sort: ByNumber = "-id",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> CheckResultPage:
        """A page of verdicts on all assets. `text` is looked for in asset, check and description."""
        listed = partial(backend.store.reports.checks, assets or None, check=check, passed=passed, text=text)
        page, following = by_number(backend.store, "check_results", sort, cursor, limit, listed)
        places = backend.catalog.location_of
        shown = [row for row in page if who.may("viewer", places.get(row.asset, ""))]
        return CheckResultPage(items=[check_result_of(row) for row in shown], next=following)

    @get("/quality", operation_id="getQuality", summary="Quality over time", sync_to_thread=True, opt=viewer())
    def quality(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        days: A[int, query("Of the last so many days.", ge=1, le=400)] = 30,
        wanted: A[list[str] | None, query("Only on these assets.", "asset")] = None,
        check: A[str | None, query("Only of checks of this name.", max_length=500)] = None,
    ) -> list[QualityDay]:
        """How many verdicts were given and how they came out, by day (UTC) and layer, oldest first."""
        assets, places = backend.catalog.index.assets, backend.catalog.location_of
        counts: dict[tuple[int, str], VerdictCounts] = {}
        since = backend.clock() - days * DAY_S
        for asset, day, one in backend.store.reports.check_days(since, assets=wanted or None, check=check):
            if who.may("viewer", places.get(asset, "")):
                layer = assets[asset].layer if asset in assets else ""
                counts[day, layer] = counts.get((day, layer), VerdictCounts()).plus(one)
        return [
            QualityDay(
                day=_day(day),
                layer=layer,
                evaluated=one.evaluated,
                passed=one.passed,
                warned=one.warned,
                failed=one.failed,
                unknown=one.unknown,
            )
            for (day, layer), one in sorted(counts.items())
        ]


@get(
    "/glossary",
    operation_id="listTerms",
    summary="The glossary",
    sync_to_thread=True,
    opt=viewer(),
    tags=["assets"],
)
def list_terms(
    backend: NamedDependency[Backend], who: NamedDependency[Principal], text: Text = ""
) -> list[GlossaryTerm]:
    """What words mean, by name, and which assets and columns are about them. `text` is looked for in name, meaning,
    owner and other names."""
    terms = all_terms(backend, who)
    return [one for one in terms if has_text(text, one.name, one.meaning, one.owner, *one.names)]


class Operations(Controller):
    """Pools, the queue, processes."""

    @get("/pools", operation_id="listPools", summary="List pools", sync_to_thread=True, opt=viewer(), tags=["settings"])
    def pools(
        self,
        backend: NamedDependency[Backend],
        text: Text = "",
        sort: A[Literal["name", "-name", "used", "-used"], query("By name, or by how many slots are taken.")] = "name",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> PoolPage:
        """A page of pools, those of the configuration and those that people have set, with how much of them is taken.
        `text` is looked for in name and description."""
        found = [pool for pool in _pools(backend) if has_text(text, pool.name, pool.description)]
        key = attrgetter("name" if sort.endswith("name") else "used")
        page, following = page_of(found, key, attrgetter("name"), sort, cursor, limit)
        return PoolPage(items=page, next=following)

    @put(
        "/pools/{pool:str}",
        operation_id="setPool",
        summary="Set a pool",
        sync_to_thread=True,
        opt=editor(),
        tags=["settings"],
    )
    def set_pool(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        pool: PoolName,
        data: JSONBody[PoolGiven],
    ) -> Saved:
        """Set how many slots a pool has; that goes over the configuration."""
        name = named(pool)
        known = {row.name for row in backend.store.pools()}
        backend.store.put_pool(name, data.slots, data.description, by=who.name, now=backend.clock())
        backend.wake()
        return Saved(name=name, new=name not in known)

    @delete(
        "/pools/{pool:str}",
        operation_id="deletePool",
        summary="Unset a pool",
        status_code=200,
        sync_to_thread=True,
        opt=editor(),
        tags=["settings"],
    )
    def delete_pool(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], pool: PoolName
    ) -> Deleted:
        """Let the configuration say again how many slots a pool has."""
        gone = backend.store.delete_pool(named(pool), by=who.name, now=backend.clock())
        backend.wake()
        return Deleted(deleted=gone)

    @get(
        "/queue",
        operation_id="getQueue",
        summary="What waits for its start",
        sync_to_thread=True,
        opt=viewer(),
        tags=["settings"],
    )
    def queue(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        limit: A[int, query("At most so many runs.", ge=1, le=1000)] = 100,
    ) -> Queue:
        """The runs that wait for their start, oldest first, and why, where the scheduler is part of this process."""
        visible = who.visible(list(backend.catalog.locations))
        wanted = RunFilter(states=("queued",), locations=visible)
        rows = backend.store.reports.runs(wanted, newest_first=False, limit=limit)
        held = backend.service.queue.choice.held if backend.service is not None else {}
        now = backend.clock()
        items = [
            QueuedRun(run=run_of(row), position=place, waits_s=max(now - row.created_at, 0.0), why=held.get(row.id, ""))
            for place, row in enumerate(rows, 1)
        ]
        total = backend.store.reports.run_states(None, visible).get("queued", 0)
        return Queue(items=items, total=total, limits=msgspec.to_builtins(backend.project.config.queue, enc_hook=float))

    @get(
        "/processes",
        operation_id="listProcesses",
        summary="List processes",
        sync_to_thread=True,
        opt=viewer(),
        tags=["operations"],
    )
    def processes(
        self,
        backend: NamedDependency[Backend],
        kinds: A[list[str] | None, query("Only of these kinds: up, scheduler, server, worker.", "kind")] = None,
        alive: A[bool | None, query("Only those that live, or do not.")] = None,
        text: Text = "",
        sort: A[
            Literal["started", "-started", "seen", "-seen"], query("By since when it runs, or by when it was seen.")
        ] = "started",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> ProcessPage:
        """A page of the processes of the service that were seen within a day. `text` is looked for in kind and host."""
        found = [
            one
            for one in alive_processes(backend)
            if (not kinds or one.kind in kinds) and alive in (None, one.alive) and has_text(text, one.kind, one.host)
        ]
        key = attrgetter("started_at" if sort.endswith("started") else "seen_at")
        page, following = page_of(found, key, attrgetter("id"), sort, cursor, limit)
        return ProcessPage(items=page, next=following)


def _location(backend: Backend, catalog: Catalog, entry: LocationEntry) -> Location:
    config = next((one for one in backend.project.locations if one.name == entry.name), None)
    root = backend.project.root
    problems = [*entry.problems, *catalog.clashes.get(entry.name, ())]
    return Location(
        name=entry.name,
        version=entry.hash,
        loaded_at=at(entry.loaded_at),
        error=entry.error,
        problems=[
            LocationProblem(message=one.message, place=short_place(one.place, root), hint=one.hint, detail=one.detail)
            for one in problems
        ],
        jobs=len(entry.definitions.jobs),
        assets=sum(not spec.external for spec in entry.definitions.assets),
        checks=len(entry.definitions.checks),
        schedules=len(entry.definitions.schedules),
        python="" if config is None else config.python,
        code=[] if config is None else list(config.code),
    )


def _pools(backend: Backend) -> list[Pool]:
    configured, used = backend.project.config.pools, _use(backend)
    rows = {row.name: row for row in backend.store.pools()}
    found = []
    for name in sorted({*configured, *rows, *used}):
        row = rows.get(name)
        found.append(
            Pool(
                name=name,
                slots=row.slots if row is not None else configured.get(name, 0),
                used=used.get(name, 0),
                configured=configured.get(name),
                description="" if row is None else row.description,
                set_by="" if row is None else row.changed_by,
                set_at=None if row is None else at(row.changed_at),
            )
        )
    return found


def _use(backend: Backend) -> dict[str, int]:
    """Slots that are taken: as schedulers that share pools have recorded, or of the task runs that are seen running."""
    if backend.store.dialect == "postgresql":
        return backend.store.pool_use()
    used: dict[str, int] = {}
    for run_id, tasks in _running(backend).items():
        row = backend.run(run_id)
        steps = {step.key: step for step in steps_of_run(backend, row)}
        for task in tasks:
            step = steps.get(task)
            for pool, slots in step.pools if step is not None else ():
                used[pool] = used.get(pool, 0) + slots
    return used


def _running(backend: Backend) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for task in backend.store.noteworthy_task_runs("running", limit=RUNNING_MAX):
        found.setdefault(task.run_id, []).append(task.step)
    return found


def _day(number: int) -> str:
    return (datetime.fromtimestamp(0, UTC) + timedelta(days=number)).date().isoformat()
