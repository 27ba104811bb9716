"""Lineage of columns as the API gives it: around a column or all columns of an asset, and what a change affects."""

from __future__ import annotations

from collections.abc import Iterable

from batuta.core.column_graph import ColumnRef, ColumnTrace, split_column
from batuta.core.column_impact import AffectedAsset, impact
from batuta.core.columns import Column
from batuta.core.errors import RequestError
from batuta.engine.column_lineage import ColumnKnowledge
from batuta.server.backend import Backend
from batuta.server.catalog import Catalog
from batuta.server.lineage_views import jobs_of_assets
from batuta.server.problems import NotFound
from batuta.server.shapes import lineage as shapes


def refs_of(known: ColumnKnowledge, of: str) -> list[ColumnRef]:
    """The column that a text names, or all of the asset that it names. Raises NotFound with the nearest names."""
    try:
        asset, column = split_column(of, known.index.assets)
        if column:
            return [known.graph.find(asset, column)]
    except RequestError as error:
        raise NotFound(error.what, hint=error.hint) from None
    names = [ColumnRef(asset, name) for name in known.graph.columns(asset)]
    return names or ([ColumnRef(asset, "*")] if known.graph.is_known(asset) else [])


def graph_of(
    backend: Backend,
    of: str,
    *,
    upstream: bool,
    downstream: bool,
    depth: int | None,
    rows: bool,
    locations: tuple[str, ...] | None,
) -> shapes.ColumnGraph:
    """The lineage of a column, or of all of an asset; of what lies at other locations nothing is told."""
    catalog, known = backend.catalog, backend.columns()
    starts = refs_of(known, of)
    traces = []
    if starts and upstream:
        traces.append(known.graph.upstream(*starts, depth=depth, rows=rows))
    if starts and downstream:
        traces.append(known.graph.downstream(*starts, depth=depth, rows=rows))
    return _Joined(catalog, known, locations).graph(traces)


class _Joined:
    """Traces of one question as one graph."""

    def __init__(self, catalog: Catalog, known: ColumnKnowledge, locations: tuple[str, ...] | None) -> None:
        self.catalog = catalog
        self.known = known
        self.locations = locations
        self.places: dict[ColumnRef, int] = {}
        self.nodes: list[shapes.ColumnNode] = []
        self._columns: dict[str, dict[str, Column]] = {}

    def graph(self, traces: Iterable[ColumnTrace]) -> shapes.ColumnGraph:
        edges: dict[tuple[int, int], str] = {}
        for trace in traces:
            places = [self._place(ref, away) for ref, away in zip(trace.columns, trace.distances, strict=True)]
            for source, target, kind in zip(trace.sources, trace.targets, trace.kinds, strict=True):
                up, down = places[source], places[target]
                if up is not None and down is not None:
                    edges[up, down] = kind
        return shapes.ColumnGraph(
            nodes=self.nodes,
            sources=[up for up, _ in edges],
            targets=[down for _, down in edges],
            kinds=list(edges.values()),
            assets=[self._asset(key) for key in dict.fromkeys(ref.asset for ref in self.places)],
            version=",".join(f"{name}:{digest[:12]}" for name, digest in self.catalog.version),
        )

    def _place(self, ref: ColumnRef, distance: int) -> int | None:
        """Where a column is among the nodes; None for one that is not to be seen."""
        place = self.places.get(ref)
        if place is not None:
            return place
        location = _location(self.catalog, self.known, ref.asset)
        if self.locations is not None and location not in self.locations:
            return None
        place = self.places[ref] = len(self.nodes)
        spec = self.catalog.index.assets.get(ref.asset)
        column = self._column(ref)
        self.nodes.append(
            shapes.ColumnNode(
                asset=ref.asset,
                column=ref.column,
                type="" if column is None else column.type,
                description="" if column is None else column.description,
                layer="" if spec is None else spec.layer,
                location=location,
                distance=distance,
            )
        )
        return place

    def _column(self, ref: ColumnRef) -> Column | None:
        columns = self._columns.get(ref.asset)
        if columns is None:
            facts = self.known.facts.get(ref.asset)
            columns = self._columns[ref.asset] = {one.name: one for one in (facts.columns if facts else ())}
        return columns.get(ref.column)

    def _asset(self, key: str) -> shapes.ColumnsOf:
        facts = self.known.facts.get(key)
        return shapes.ColumnsOf(
            asset=key, teller="" if facts is None else facts.teller, gaps=list(self.known.graph.gaps(key))
        )


def impact_of(backend: Backend, of: str, locations: tuple[str, ...] | None) -> shapes.Impact:
    """What a change of a column affects. Raises NotFound."""
    catalog, known = backend.catalog, backend.columns()
    refs = refs_of(known, of)
    if of in known.index.assets or len(refs) != 1:
        raise NotFound(f"{of!r} is an asset, not a column", hint="write asset.column")
    found = impact(known.graph, known.index, refs[0], jobs_of_assets(backend), backend.external().made_from)
    seen = {one.key: _location(catalog, known, one.key) for one in (*found.assets, *found.exposures)}

    def shown(each: Iterable[AffectedAsset]) -> list[shapes.AffectedAsset]:
        return [
            shapes.AffectedAsset(
                key=one.key,
                layer=catalog.index.assets[one.key].layer if one.key in catalog.index.assets else "",
                location=seen[one.key],
                how=one.how,
                columns=list(one.columns),
                via=list(one.via),
            )
            for one in each
            if locations is None or seen[one.key] in locations
        ]

    visible = {one for one, location in seen.items() if locations is None or location in locations}
    visible.add(found.asset)
    return shapes.Impact(
        asset=found.asset,
        column=found.column,
        assets=shown(found.assets),
        exposures=shown(found.exposures),
        checks=[name for name in found.checks if name.partition(":")[0] in visible],
        jobs=list(found.jobs),
    )


def _location(catalog: Catalog, known: ColumnKnowledge, asset: str) -> str:
    return catalog.location_of.get(asset) or known.index.locations.get(asset, "")
