"""`/assets/changes`: what would change if what is stale were made now, with the code and the columns that differ."""

from __future__ import annotations

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from batuta.core.environments import checked_name
from batuta.engine.changes import changes
from batuta.engine.materialize import Assets
from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.routes.base import viewer
from batuta.server.shapes.changes import ChangesAsked, ChangesFound, changes_found
from batuta.server.source_code import text_now


class ChangeRoutes(Controller):
    """See the module."""

    path = "/assets/changes"
    tags = ("assets",)

    @post(
        "/",
        operation_id="changesOfAssets",
        summary="What would change",
        status_code=200,
        sync_to_thread=True,
        opt=viewer(),
    )
    def changes(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], data: JSONBody[ChangesAsked]
    ) -> ChangesFound:
        """What would change if what is stale of a selection were made now, and what would break; nothing is started.

        Code is told as the versions that serve were loaded from it, against what made the assets.
        """
        if data.environment:
            checked_name(data.environment)
        catalog = backend.catalog
        visible = who.visible(list(catalog.locations))
        found = changes(
            backend.store,
            Assets(catalog.joined, backend.store, data.environment),
            data.selection,
            partitions=data.partitions or None,
            whole=_is_whole(backend),
            read=lambda key, file: text_now(backend, catalog.location_of.get(key, ""), file),
        )
        seen = None if visible is None else {key for key, where in catalog.location_of.items() if where in visible}
        return changes_found(found, visible=seen, diffs=data.diffs)


def _is_whole(backend: Backend) -> bool:
    """Whether all assets of the project are known: each location has been loaded, and without a file that failed."""
    known = backend.catalog.locations
    entries = [known.get(each.name) for each in backend.project.locations]
    return all(entry is not None and not entry.error and not entry.problems for entry in entries)
