"""`/environments`: which there are, how they differ from production, and taking to production what one has.

Runs are launched into one by `environment` of `/runs` and `/backfills`, which makes it. To drop one deletes data, and
is for `batuta env drop`.
"""

from __future__ import annotations

from typing import Annotated as A

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from batuta.core.errors import RequestError
from batuta.core.plan import locations_of
from batuta.engine import environments as engine
from batuta.engine.materialize import Assets
from batuta.scheduler.launching import RunSpec, location_of, rows_of
from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.problems import Conflict, NotFound
from batuta.server.routes.base import named, operator, path, viewer
from batuta.server.shapes.base import at, at_or_none
from batuta.server.shapes.environments import (
    AssetDifference,
    Environment,
    EnvironmentDetail,
    EnvironmentList,
    Promote,
)
from batuta.server.shapes.runs import Launched, run_of
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
        catalog = backend.catalog
        selection = data.selection or "*"
        plan, config = engine.promotion(backend.store, Assets(catalog.joined, backend.store), row.name, selection)
        if not plan.steps:
            raise Conflict(f"there is nothing to promote: production has all that {row.name} has")
        own = next(iter(catalog.locations))
        for location in locations_of(plan):
            who.need("operator", location or own, "promote what it makes")
        now = backend.clock()
        location = location_of(plan, own)
        spec = RunSpec(
            config=config,
            trigger="api" if who.method == "token" else "manual",
            origin=who.name,
            by=who.name,
        )
        keyed = rows_of(
            spec,
            None,
            plan,
            {"environment": row.name, "selection": selection},
            location,
            catalog.location(location).hash,
            project_root=backend.project.root,
            now=now,
        )
        ((run_id, _),) = backend.store.create_keyed(f"api:{who.name}", [keyed], now=now)
        backend.wake("queue")
        where = {"Location": f"/api/v1/runs/{run_id}"}
        return Response(
            Launched(run=run_of(as_queued(run_id, keyed.run, now)), new=True), status_code=201, headers=where
        )


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
