"""`/environments`: which there are, how they differ from production, taking there what one has, and dropping one.

Runs are launched into one by `environment` of `/runs` and `/backfills`, which makes it.
"""

from __future__ import annotations

from typing import Annotated as A
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from batuta.core.errors import RequestError
from batuta.core.plan import Plan, locations_of
from batuta.engine import environments as engine
from batuta.engine.materialize import Assets
from batuta.scheduler.launching import RunSpec, location_of, rows_of
from batuta.server.access import ANYWHERE, Principal
from batuta.server.backend import Backend
from batuta.server.problems import Conflict, NotFound
from batuta.server.routes.base import named, operator, path, viewer
from batuta.server.shapes.base import at, at_or_none
from batuta.server.shapes.environments import (
    AssetDifference,
    Drop,
    Dropped,
    Environment,
    EnvironmentDetail,
    EnvironmentList,
    Promote,
)
from batuta.server.shapes.runs import Launched, Run, run_of
from batuta.store.claims import as_queued
from batuta.store.rows import EnvironmentRow

Name = A[str, path("The environment's name.", max_length=100)]


class Environments(Controller):
    """See the module."""

    path = "/environments"
    tags = ("environments",)

    @get("/", operation_id="listEnvironments", summary="List environments", sync_to_thread=True, opt=viewer())
    def list_environments(self, backend: NamedDependency[Backend]) -> EnvironmentList:
        """All environments, by name."""
        return EnvironmentList(items=[_shown(row) for row in backend.store.environments.all()])

    @get("/{name:str}", operation_id="getEnvironment", summary="Show an environment", sync_to_thread=True, opt=viewer())
    def get_environment(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], name: Name
    ) -> EnvironmentDetail:
        """An environment with every asset that was made in it, and how that differs from production's."""
        row = _row(backend, named(name))
        catalog = backend.catalog
        visible = who.visible(list(catalog.locations))
        found = [
            one
            for one in engine.differences(backend.store, catalog.index, row.name)
            if visible is None or catalog.location_of.get(one.key) in visible
        ]
        return EnvironmentDetail(
            environment=_shown(row),
            differences=[_difference(one) for one in found],
        )

    @post(
        "/{name:str}/promote",
        operation_id="promoteEnvironment",
        summary="Take it to production",
        sync_to_thread=True,
        opt=operator(),
    )
    def promote(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], name: Name, data: JSONBody[Promote]
    ) -> Response[Launched]:
        """Queue the run that copies to production what an environment has, and records it there."""
        row = _row(backend, named(name))
        selection = data.selection or "*"
        plan, config = engine.promotion(backend.store, _assets(backend), row.name, selection)
        if not plan.steps:
            raise Conflict(f"there is nothing to promote: production has all that {row.name} has")
        _must_operate(backend, who, locations_of(plan), "promote what it makes")
        run = _queued(backend, who, plan, config, {"environment": row.name, "selection": selection})
        return Response(Launched(run=run, new=True), status_code=201, headers=_where(run))

    @post(
        "/{name:str}/drop",
        operation_id="dropEnvironment",
        summary="Delete what was made in it, and forget it",
        sync_to_thread=True,
        opt=operator(),
    )
    def drop(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], name: Name, data: JSONBody[Drop]
    ) -> Response[Dropped]:
        """Queue the run that deletes the data of an environment; once that has succeeded, it is forgotten.

        Where it has no data, or they are to be kept, it is forgotten at once. Production is not touched.
        """
        row = _row(backend, named(name))
        plan, config, left = engine.clearing(backend.store, _assets(backend), row.name, who.name)
        _must_operate(backend, who, locations_of(plan), "drop what it makes")
        try:
            engine.require_idle(backend.store, row.name)
        except RequestError as error:
            raise Conflict(error.what, hint=error.hint) from None
        if data.keep_data or not plan.steps:
            backend.store.environments.drop(row.name, by=who.name, now=backend.clock())
            return Response(Dropped(run=None, left=[] if data.keep_data else left), status_code=200)
        run = _queued(backend, who, plan, config, {"environment": row.name})
        return Response(Dropped(run=run, left=left), status_code=201, headers=_where(run))


def _assets(backend: Backend) -> Assets:
    return Assets(backend.catalog.joined, backend.store)


def _must_operate(backend: Backend, who: Principal, locations: list[str], to: str) -> None:
    """Raise Forbidden unless they may at all these locations."""
    own = next(iter(backend.catalog.locations), "")
    for location in locations:
        who.need("operator", location or own or ANYWHERE, to)


def _queued(backend: Backend, who: Principal, plan: Plan, config: dict[str, Any], params: dict[str, Any]) -> Run:
    """Have a run of this plan executed."""
    catalog, now = backend.catalog, backend.clock()
    location = location_of(plan, next(iter(catalog.locations)))
    trigger = "api" if who.method == "token" else "manual"
    spec = RunSpec(config=config, trigger=trigger, origin=who.name, by=who.name)
    version = catalog.location(location).hash
    keyed = rows_of(spec, None, plan, params, location, version, project_root=backend.project.root, now=now)
    ((run_id, _),) = backend.store.create_keyed(f"api:{who.name}", [keyed], now=now)
    backend.wake("queue")
    return run_of(as_queued(run_id, keyed.run, now))


def _where(run: Run) -> dict[str, str]:
    return {"Location": f"/api/v1/runs/{run.id}"}


def _row(backend: Backend, name: str) -> EnvironmentRow:
    try:
        engine.require(backend.store, name)
    except RequestError as error:
        raise NotFound(error.what, hint=error.hint) from None
    return next(row for row in backend.store.environments.all() if row.name == name)


def _shown(row: EnvironmentRow) -> Environment:
    return Environment(
        name=row.name,
        description=row.description,
        created_at=at(row.created_at),
        created_by=row.created_by,
        assets=row.assets,
        partitions=row.partitions,
        made_at=at_or_none(row.made_at or None),
    )


def _difference(one: engine.AssetDifference) -> AssetDifference:
    return AssetDifference(
        asset=one.key,
        how=one.how,
        partitions=list(one.partitions),
        code_changed=one.code_changed,
        rows=one.rows,
        rows_in_production=one.rows_in_production,
        columns_added=list(one.columns_added),
        columns_removed=list(one.columns_removed),
        types_changed=list(one.types_changed),
        checks_failed=list(one.checks_failed),
        defined=one.known,
    )
