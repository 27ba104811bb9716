"""`/assets`: tables, files, models and reports; how they are, what they are made of, how they were made."""

from __future__ import annotations

from typing import Annotated as A
from typing import Any, Literal

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from batuta.core.columns import reported_columns
from batuta.core.definitions import AssetSpec
from batuta.core.environments import checked_name
from batuta.server.access import Principal
from batuta.server.asset_history import preview_of, schema_changes, series_of, usage_of
from batuta.server.asset_states import AssetState, AssetStates
from batuta.server.automation_now import automation_now
from batuta.server.backend import Backend
from batuta.server.checks import checks_of_assets
from batuta.server.glossary import terms_of_asset
from batuta.server.lineage_views import jobs_of_assets
from batuta.server.links import asset_links
from batuta.server.paging import Cursor, Limit, cursor_of, cut, number_at, page_of
from batuta.server.partition_map import partition_map, partition_states
from batuta.server.routes.base import OfRun, Text, named, operator, path, query, viewer
from batuta.server.routes.runs import seen
from batuta.server.shapes.assets import (
    AssetDetail,
    AssetPage,
    AssetPlan,
    AssetPreview,
    AssetRows,
    AssetStateName,
    AssetUsage,
    AutomationNow,
    CheckResultPage,
    MaterializationPage,
    MetadataSeries,
    Partition,
    PartitionMap,
    PartitionPage,
    PlanAsked,
    PlannedAsset,
    Reason,
    SchemaChange,
    TableVersions,
    asset_of,
    check_result_of,
    materialization_of,
    partitions_text,
)
from batuta.server.shapes.base import at
from batuta.server.shapes.jobs import SourceCode
from batuta.server.source_code import place_then, short_place, source_now, source_then
from batuta.server.trials import list_versions, read_rows
from batuta.store.usage import DAY_S

ROWS_MAX = 500
Key = A[str, path("The asset's key; a `/` in it is written `%2F`.", max_length=1000)]
PartitionQuery = A[str | None, query("Only of this partition.", max_length=1000)]
InEnvironment = A[
    str,
    query(
        "As it was made in this environment, where it was; empty: in production.",
        max_length=100,
    ),
]
SERIES_MAX = 2_000
CELLS_MAX = 2_000
_metadata = msgspec.json.Decoder(dict[str, Any]).decode


class AssetRoutes(Controller):
    """See the module."""

    path = "/assets"
    tags = ("assets",)

    @get("/", operation_id="listAssets", summary="List assets", sync_to_thread=True, opt=viewer())
    def list_assets(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        selection: A[
            str | None,
            query("Only those of a selection: keys with `*`, `layer:`, `tag:`, `+a`, `a+`, ...", max_length=10_000),
        ] = None,
        layers: A[list[str] | None, query("Only of these layers.", "layer")] = None,
        groups: A[list[str] | None, query("Only of these groups.", "group")] = None,
        kinds: A[list[str] | None, query("Only of these kinds.", "kind")] = None,
        owners: A[list[str] | None, query("Only of these owners.", "owner")] = None,
        locations: A[list[str] | None, query("Only of these code locations.", "location")] = None,
        asset_tags: A[list[str] | None, query("Only with all these tags: `key` or `key=value`.", "tag")] = None,
        states: A[list[AssetStateName] | None, query("Only in these states.", "state")] = None,
        failing: A[bool, query("Only those of which a check does not pass.")] = False,
        text: Text = "",
        sort: A[
            Literal["key", "-key", "materialized", "-materialized", "layer", "-layer", "state", "-state"],
            query("By key, by when they were made last, by layer, or by state."),
        ] = "key",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> AssetPage:
        """A page of assets with how they are. `text` is looked for in key and description."""
        found = backend.asset_states()
        chosen = (
            found.states if selection is None else {key: found.states[key] for key in found.assets.select(selection)}
        )
        wanted = _Wanted(who, layers, groups, kinds, owners, locations, asset_tags, states, failing, text.lower())
        rows = [state for state in chosen.values() if wanted.fits(state)]
        ranks = {layer: rank for rank, layer in enumerate(backend.catalog.definitions.layers)}
        by = sort.lstrip("-")

        def sort_key(state: AssetState) -> Any:
            if by == "materialized":
                return None if state.last is None else state.last.at
            if by == "layer":
                return ranks.get(state.spec.layer, len(ranks))
            return state.state if by == "state" else state.spec.key

        page, following = page_of(rows, sort_key, lambda state: state.spec.key, sort, cursor, limit)
        return AssetPage(items=[asset_of(state) for state in page], next=following)

    @post(
        "/plan",
        operation_id="planAssets",
        summary="What would be made",
        status_code=200,
        sync_to_thread=True,
        opt=viewer(),
    )
    def plan(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], data: JSONBody[PlanAsked]
    ) -> AssetPlan:
        """What a run over a selection would make, and why; nothing is started."""
        found = backend.asset_states()
        if data.environment:
            checked_name(data.environment)
        made = found.assets.within(data.environment).plan(
            data.selection, mode=data.mode, partitions=data.partitions or None
        )
        return _plan_of(found, made)

    @get("/{key:str}", operation_id="getAsset", summary="Show an asset", sync_to_thread=True, opt=viewer())
    def get_asset(self, backend: NamedDependency[Backend], who: NamedDependency[Principal], key: Key) -> AssetDetail:
        """An asset with its neighbours, checks, and last materialization."""
        spec, found = _found(backend, who, key)
        catalog, state = backend.catalog, found.states[spec.key]
        metadata = {} if state.last is None else _metadata(state.last.metadata or b"{}")
        checks = found.assets.index.checks_of.get(spec.key, [])
        last = backend.store.materializations(spec.key, limit=1)
        return AssetDetail(
            asset=asset_of(state),
            step=spec.step,
            made_with=[one.key for one in found.assets.index.together.get(spec.step, ()) if one.key != spec.key],
            upstream=[dep.asset for dep in spec.deps],
            downstream=catalog.downstream.get(spec.key, []),
            jobs=jobs_of_assets(backend).get(spec.key, []),
            partitions=partitions_text(spec.partitions),
            dimensions=sorted(getattr(spec.partitions, "dimensions", {})),
            code_version=spec.code_version,
            place=short_place(spec.place, backend.project.root),
            metadata=spec.metadata,
            checks=checks_of_assets(backend, found, checks),
            last=materialization_of(last[0]) if last else None,
            columns=[list(pair) for pair in reported_columns(metadata)],
            links=asset_links(backend.links, state.location, spec),
            terms=terms_of_asset(backend, spec.key),
        )

    @get(
        "/{key:str}/partitions",
        operation_id="listPartitions",
        summary="List partitions",
        sync_to_thread=True,
        opt=viewer(),
    )
    def partitions(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        key: Key,
        states: A[
            list[Literal["fresh", "stale", "missing", "failed"]] | None, query("Only in these states.", "state")
        ] = None,
        text: Text = "",
        sort: A[Literal["key", "-key"], query("In their order, or the last first.")] = "key",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> PartitionPage:
        """A page of an asset's partitions with how they are."""
        spec, found = _found(backend, who, key)
        keys = found.partition_keys(spec)
        state_by_key = partition_states(found, spec, keys)
        if sort == "-key":
            keys = keys[::-1]
        chosen = [one for one in keys if text in one and (not states or state_by_key[one] in states)]
        order = f"partitions {sort}"
        begin = number_at(cursor, order) or 0
        page = chosen[begin : begin + limit]
        made = {one[0]: one for one in backend.store.reports.partitions_made(spec.key)}
        failed = found.failed_of.get(spec.key, {})
        items = [_partition(found, spec, one, made.get(one), failed.get(one, 0)) for one in page]
        more = begin + limit < len(chosen)
        return PartitionPage(items=items, next=cursor_of(order, begin + limit) if more else None)

    @get(
        "/{key:str}/partition-map",
        operation_id="getPartitionMap",
        summary="Heat map of partitions",
        sync_to_thread=True,
        opt=viewer(),
    )
    def partition_cells(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        key: Key,
        cells: A[int, query("At most about so many cells.", ge=1, le=CELLS_MAX)] = 400,
    ) -> PartitionMap:
        """The partitions of an asset, neighbours put together so that there are not too many cells."""
        spec, found = _found(backend, who, key)
        return partition_map(found, spec, cells)

    @get(
        "/{key:str}/materializations",
        operation_id="listMaterializations",
        summary="List materializations",
        sync_to_thread=True,
        opt=viewer(),
    )
    def materializations(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        key: Key,
        partition: PartitionQuery = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> MaterializationPage:
        """A page of how an asset was made, newest first."""
        spec, _ = _found(backend, who, key)
        order = "materializations"
        before = number_at(cursor, order)
        rows = backend.store.materializations(spec.key, partition, before=before, limit=limit + 1)
        page, following = cut(rows, limit, order, lambda row: row.id)
        return MaterializationPage(items=[materialization_of(row) for row in page], next=following)

    @get(
        "/{key:str}/checks", operation_id="listAssetChecks", summary="List verdicts", sync_to_thread=True, opt=viewer()
    )
    def checks(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        key: Key,
        check: A[str | None, query("Only of this check.", max_length=500)] = None,
        partition: PartitionQuery = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> CheckResultPage:
        """A page of the verdicts on an asset, newest first."""
        spec, _ = _found(backend, who, key)
        order = "verdicts"
        before = number_at(cursor, order)
        rows = backend.store.check_results(spec.key, check, partition, before=before, limit=limit + 1)
        page, following = cut(rows, limit, order, lambda row: row.id)
        return CheckResultPage(items=[check_result_of(row) for row in page], next=following)

    @get(
        "/{key:str}/series",
        operation_id="getMetadataSeries",
        summary="Numbers over time",
        sync_to_thread=True,
        opt=viewer(),
    )
    def series(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        key: Key,
        names: A[list[str] | None, query("Only these numbers.", "name")] = None,
        partition: PartitionQuery = None,
        limit: A[int, query("Of the last so many materializations.", ge=1, le=SERIES_MAX)] = 200,
    ) -> MetadataSeries:
        """The numbers among the metadata of an asset's last materializations, to be plotted."""
        spec, _ = _found(backend, who, key)
        return series_of(backend.store.materializations(spec.key, partition, limit=limit), names)

    @get(
        "/{key:str}/schema-changes",
        operation_id="listSchemaChanges",
        summary="Changes of columns",
        sync_to_thread=True,
        opt=viewer(),
    )
    def changes(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        key: Key,
        limit: A[int, query("Among the last so many materializations.", ge=1, le=SERIES_MAX)] = 200,
    ) -> list[SchemaChange]:
        """How the columns of an asset changed between its last materializations, newest first."""
        spec, _ = _found(backend, who, key)
        return schema_changes(backend.store.materializations(spec.key, limit=limit))

    @get(
        "/{key:str}/usage",
        operation_id="getAssetUsage",
        summary="Who reads an asset",
        sync_to_thread=True,
        opt=viewer(),
    )
    def usage(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        key: Key,
        days: A[int, query("Of the last so many days.", ge=1, le=400)] = 30,
    ) -> AssetUsage:
        """How often an asset was read by what is made from it and by tasks that load it, day by day."""
        spec, _ = _found(backend, who, key)
        since, book = int(backend.clock() // DAY_S) - days + 1, backend.store.usage
        return usage_of(book.readers(spec.key, since), book.days(spec.key, since))

    @get(
        "/{key:str}/preview", operation_id="previewAsset", summary="Rows of an asset", sync_to_thread=True, opt=viewer()
    )
    def preview(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        key: Key,
        partition: PartitionQuery = None,
    ) -> AssetPreview:
        """Rows as they were reported when the asset was made last; the data itself is not read."""
        spec, _ = _found(backend, who, key)
        rows = backend.store.materializations(spec.key, partition, limit=1)
        return preview_of(rows[0] if rows else None)

    @get(
        "/{key:str}/rows",
        operation_id="readAssetRows",
        summary="Read rows of an asset",
        sync_to_thread=True,
        opt=operator(),
    )
    def rows(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        key: Key,
        partition: PartitionQuery = None,
        version: A[str | None, query("As its table was in that version.", max_length=40)] = None,
        run: A[int | None, query("As that run left its table.", ge=1, le=2**63 - 1)] = None,
        environment: InEnvironment = "",
        limit: A[int, query("At most so many rows.", ge=1, le=ROWS_MAX)] = 50,
    ) -> AssetRows:
        """Some rows as they are where the asset is kept, read by its IO manager in a process of its code location; of
        the partition that was made last, where none is named. What is secret in them is masked; nothing is recorded.
        Tables of Delta Lake and Iceberg also as they were: all partitions, where none is named."""
        spec, _ = _found(backend, who, key)
        return read_rows(backend, who, spec, partition, limit, version=version or "", run=run, environment=environment)

    @get(
        "/{key:str}/versions",
        operation_id="listTableVersions",
        summary="List versions of a table",
        sync_to_thread=True,
        opt=operator(),
    )
    def versions(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        key: Key,
        environment: InEnvironment = "",
        limit: A[int, query("At most so many.", ge=1, le=ROWS_MAX)] = 50,
    ) -> TableVersions:
        """The versions of an asset's table that can be read, newest first, with the runs that wrote them."""
        spec, _ = _found(backend, who, key)
        return list_versions(backend, who, spec, limit, environment)

    @get(
        "/{key:str}/automation",
        operation_id="explainAutomation",
        summary="Why it is made, or not",
        sync_to_thread=True,
        opt=viewer(),
    )
    def automation(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        key: Key,
        partition: PartitionQuery = None,
    ) -> AutomationNow:
        """Why automation makes an asset, or one partition of it, or does not: what its next tick would find now."""
        spec, _ = _found(backend, who, key)
        return automation_now(backend, spec, partition)

    @get(
        "/{key:str}/source",
        operation_id="getAssetSource",
        summary="The code of an asset",
        sync_to_thread=True,
        opt=viewer(),
    )
    def source(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], key: Key, run: OfRun = None
    ) -> SourceCode:
        """The file in which an asset is defined, as it is now, or as a run ran it."""
        spec, _ = _found(backend, who, key)
        if run is None:
            return source_now(backend, backend.catalog.location_of[spec.key], spec.place)
        row = seen(backend, who, run)
        return source_then(backend, row, place_then(backend, row, asset=spec.key))


class _Wanted(msgspec.Struct):
    """The filters of the list of assets."""

    who: Principal
    layers: list[str] | None
    groups: list[str] | None
    kinds: list[str] | None
    owners: list[str] | None
    locations: list[str] | None
    tags: list[str] | None
    states: list[Any] | None
    failing: bool
    text: str

    def fits(self, state: AssetState) -> bool:
        spec = state.spec
        return (
            self.who.may("viewer", state.location)
            and (not self.layers or spec.layer in self.layers)
            and (not self.groups or spec.group in self.groups)
            and (not self.kinds or bool({*self.kinds} & {*spec.kinds}))
            and (not self.owners or bool({*self.owners} & {*spec.owners}))
            and (not self.locations or state.location in self.locations)
            and (not self.states or state.state in self.states)
            and (not self.failing or state.checks_failed > 0)
            and (not self.text or self.text in spec.key.lower() or self.text in spec.description.lower())
            and all(_has_tag(spec, tag) for tag in self.tags or ())
        )


def _has_tag(spec: AssetSpec, tag: str) -> bool:
    key, equals, value = tag.partition("=")
    return key in spec.tags and (not equals or spec.tags[key] == value)


def _found(backend: Backend, who: Principal, key: str) -> tuple[AssetSpec, AssetStates]:
    spec = backend.catalog.asset(named(key))
    who.need("viewer", backend.catalog.location_of[spec.key], "look at that asset")
    found = backend.asset_states()
    return spec, found


def _partition(
    found: AssetStates, spec: AssetSpec, key: str, made: tuple[str, float, int, str] | None, failed: int
) -> Partition:
    one = found.freshness.get((spec.key, key))
    return Partition(
        key=key,
        state="external" if one is None else one.state,
        reasons=[] if one is None else list(one.reasons),
        materialized_at=None if made is None else at(made[1]),
        run=None if made is None else made[2],
        checks_failed=failed,
    )


def _plan_of(found: AssetStates, made: Any) -> AssetPlan:
    from batuta.core.plan import LabelExpansion

    rows: dict[str, PlannedAsset] = {}
    for step in made.plan.steps:
        labels = list(step.expansion.labels) if isinstance(step.expansion, LabelExpansion) else None
        checks = len(step.checks) if step.kind == "check" else 0
        assets = {check.partition(":")[0] for check in step.checks} if step.kind == "check" else step.writes
        for asset in assets or (step.key,):
            known = rows.get(asset)
            if step.kind == "check" and known is not None:
                rows[asset] = msgspec.structs.replace(known, checks=known.checks + checks)
            else:
                rows[asset] = PlannedAsset(
                    asset=asset, partitions=labels, reasons=_reasons(asset, labels, made.why), checks=checks
                )
    busy = set(rows)
    fresh = [key for key in made.keys if key not in busy and not found.states[key].spec.external]
    return AssetPlan(selected=list(made.keys), make=list(rows.values()), fresh=fresh, task_runs=made.count)


def _reasons(asset: str, labels: list[str] | None, why: Any) -> list[Reason]:
    counts: dict[str, int] = {}
    for label in labels or ("",):
        one = why.get((asset, label))
        if one is not None:
            text = "; ".join(one.reasons)
            counts[text] = counts.get(text, 0) + 1
    return [Reason(reason=text, partitions=count) for text, count in sorted(counts.items(), key=lambda item: -item[1])]
