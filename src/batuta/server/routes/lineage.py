"""`/lineage`: what is made from what, over all locations and all three styles."""

from __future__ import annotations

from typing import Annotated as A
from typing import Literal

from litestar import Controller, get
from litestar.di import NamedDependency

from batuta.core.external_lineage import LOCATION
from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.catalog import Catalog
from batuta.server.column_views import graph_of as columns_of
from batuta.server.column_views import impact_of
from batuta.server.lineage_views import graph_of
from batuta.server.routes.base import query, viewer
from batuta.server.shapes.lineage import ColumnGraph, Impact, LineageGraph


class LineageRoutes(Controller):
    """See the module."""

    path = "/lineage"
    tags = ("lineage",)

    @get("/", operation_id="getLineage", summary="The lineage graph", sync_to_thread=True, opt=viewer())
    def lineage(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        of: A[str | None, query("Only around this: an asset, a step (`job:step`) or a job.", max_length=1000)] = None,
        direction: A[
            Literal["both", "upstream", "downstream"], query("What it is made from, what is made from it, or both.")
        ] = "both",
        depth: A[int | None, query("At most so many steps away.", ge=0, le=10_000)] = None,
        selection: A[str | None, query("Only the assets of a selection.", max_length=10_000)] = None,
    ) -> LineageGraph:
        """The whole graph, or a part of it, with how assets are."""
        catalog = backend.catalog
        visible = _visible(catalog, who)
        whole = backend.lineage()
        keys: list[str] | None = None
        if of is not None:
            starts = whole.find(of)
            keys = list(starts)
            if direction != "downstream":
                keys += whole.reach(starts, upstream=True, depth=depth)
            if direction != "upstream":
                keys += whole.reach(starts, upstream=False, depth=depth)
        if selection is not None:
            chosen = set(backend.asset_states().assets.select(selection))
            keys = [key for key in keys if key in chosen] if keys is not None else list(chosen)
        return graph_of(backend, keys, visible)

    @get(
        "/columns",
        operation_id="getColumnLineage",
        summary="The lineage of a column",
        sync_to_thread=True,
        opt=viewer(),
    )
    def columns(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        of: A[str, query("A column (`asset.column`), or an asset: then all its columns.", max_length=1000)],
        direction: A[
            Literal["both", "upstream", "downstream"], query("What it is made from, what is made from it, or both.")
        ] = "both",
        depth: A[int | None, query("At most so many steps away.", ge=0, le=10_000)] = None,
        rows: A[bool, query("Also what decides which rows there are: filters, joins, groups.")] = False,
    ) -> ColumnGraph:
        """What a column is made from and what is made from it, whatever tool makes it."""
        return columns_of(
            backend,
            of,
            upstream=direction != "downstream",
            downstream=direction != "upstream",
            depth=depth,
            rows=rows,
            locations=_visible(backend.catalog, who),
        )

    @get(
        "/impact",
        operation_id="getColumnImpact",
        summary="What a change of a column affects",
        sync_to_thread=True,
        opt=viewer(),
    )
    def impact(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        of: A[str, query("A column: `asset.column`.", max_length=1000)],
    ) -> Impact:
        """The assets, checks, exposures and jobs that a change of a column, or its end, affects."""
        return impact_of(backend, of, _visible(backend.catalog, who))


def _visible(catalog: Catalog, who: Principal) -> tuple[str, ...] | None:
    """The locations at which they may look, and whether they may at what runs elsewhere."""
    return who.visible([*catalog.locations, LOCATION])
