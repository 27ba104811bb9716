"""Assets, partitions, materializations and checks as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated as A
from typing import Any, Literal

import msgspec

from batuta.core.partitions import (
    DynamicPartitions,
    MultiPartitions,
    Partitions,
    StaticPartitions,
    TimePartitions,
)
from batuta.server.asset_states import AssetState, rows_of
from batuta.server.shapes.base import Given, Link, Shape, at, doc
from batuta.store.rows import CheckRow, MaterializationRow

AssetStateName = Literal["external", "fresh", "stale", "missing"]
_decode = msgspec.json.Decoder().decode


class Reason(Shape):
    """Why partitions of an asset are not fresh."""

    reason: A[str, doc("Why.", "upstream silver.payments changed")]
    partitions: A[int, doc("Of how many that is true.", 31)]


class Asset(Shape):
    """A table, file, model or report, with how it is."""

    key: A[str, doc("Its name: unique over all locations.", "gold.revenue")]
    location: A[str, doc("The code location that makes it, or mentions it.", "shop")]
    layer: A[str, doc("Its medallion layer.", "gold")]
    group: A[str, doc("Its group.", "revenue")]
    description: A[str, doc("What it is, in Markdown.")]
    owners: A[list[str], doc("Who looks after it.")]
    kinds: A[list[str], doc("What it is made with or is.", ["parquet"])]
    tags: A[dict[str, str], doc("Its tags.")]
    external: A[bool, doc("Whether it is made elsewhere.")]
    state: A[AssetStateName, doc("How it is; of partitions the one that asks for most.", "stale")]
    partitions: A[int | None, doc("How many partitions exist; null of an asset without any.", 365)]
    counts: A[dict[str, int], doc("Partitions that are fresh, stale, missing.", {"fresh": 364, "stale": 1})]
    reasons: A[list[Reason], doc("Why it is not fresh, the most frequent first.")]
    materialized_at: A[datetime | None, doc("When it (a partition of it) was made last.")]
    run: A[int | None, doc("By which run.", 42)]
    rows: A[int | None, doc("Rows of what was made last, where known.", 1200)]
    checks: A[int, doc("How many checks it has.", 3)]
    checks_passed: A[int, doc("Of how many the last verdict was good.", 3)]
    checks_failed: A[int, doc("Of how many it was not.", 0)]


class AssetPage(Shape):
    """A page of assets."""

    items: A[list[Asset], doc("The assets of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class Check(Shape):
    """A check of an asset, with its last verdict."""

    asset: A[str, doc("The asset.", "gold.revenue")]
    name: A[str, doc("Its name.", "no_nulls")]
    blocking: A[bool, doc("Whether what is downstream waits for it to pass.")]
    description: A[str, doc("What it asserts.")]
    place: A[str, doc("Where it is defined.", "assets.py:41")]
    layer: A[str, doc("The layer of its asset.", "gold")]
    location: A[str, doc("The location of its asset.", "shop")]
    passed: A[bool | None, doc("The last verdict, over all partitions; null before the first.")]
    partitions_failed: A[list[str], doc("The partitions whose last verdict was not good.")]
    at: A[datetime | None, doc("When the last verdict was given.")]
    run: A[int | None, doc("By which run.", 42)]
    said: A[str, doc("What the last verdict says.")]


class CheckPage(Shape):
    """A page of checks."""

    items: A[list[Check], doc("The checks of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


OutcomeName = Literal["passed", "warned", "failed", "unknown"]


class CheckResult(Shape):
    """A verdict of a check."""

    asset: A[str, doc("The asset.", "gold.revenue")]
    check: A[str, doc("The check.", "no_nulls")]
    partition: A[str, doc("The partition; empty of an asset without any.")]
    run: A[int, doc("The run that evaluated it.", 42)]
    task: A[int, doc("The number of the task run.", 3)]
    at: A[datetime, doc("When.")]
    passed: A[bool, doc("Whether the data was as asserted.")]
    blocking: A[bool, doc("Whether what is downstream waits for it to pass.")]
    description: A[str, doc("What was found.")]
    metadata: A[dict[str, Any], doc("What it reported: numbers, and rows that failed as a table `sample`.")]
    outcome: A[
        OutcomeName,
        doc("How it came out. `warned` holds nothing back; `unknown`: it was not able to tell, and counts as passed."),
    ]


class CheckResultPage(Shape):
    """A page of verdicts."""

    items: A[list[CheckResult], doc("The verdicts of this page, newest first.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class QualityDay(Shape):
    """The verdicts of one day (UTC) in one layer."""

    day: A[str, doc("The day.", "2026-01-31")]
    layer: A[str, doc("The layer; empty for assets without one.", "gold")]
    evaluated: A[int, doc("How many verdicts were given.", 120)]
    passed: A[int, doc("How many of them were good.", 112)]
    warned: A[int, doc("How many were not good, but were warnings.", 3)]
    failed: A[int, doc("How many failed.", 2)]
    unknown: A[int, doc("How many were not able to tell.", 3)]


class Materialization(Shape):
    """That an asset (partition) was made."""

    id: A[int, doc("Its number.", 900)]
    asset: A[str, doc("The asset.", "gold.revenue")]
    partition: A[str, doc("The partition; empty of an asset without any.", "2026-01-31")]
    run: A[int, doc("The run that made it.", 42)]
    task: A[int, doc("The number of the task run.", 3)]
    at: A[datetime, doc("When.")]
    data_version: A[str, doc("What the data is: the same content has the same version.")]
    code_version: A[str, doc("The version of the code that made it.")]
    inputs: A[dict[str, str], doc("The data versions that it was made from, by asset[/partition].")]
    rows: A[int | None, doc("How many rows, where known.", 1200)]
    metadata: A[dict[str, Any], doc("What was reported of it. `type` of an object says what it is: table, plot, ...")]


class MaterializationPage(Shape):
    """A page of materializations."""

    items: A[list[Materialization], doc("The materializations of this page, newest first.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class TermOfAsset(Shape):
    """A term of the glossary that an asset is about."""

    name: A[str, doc("The term.", "Net revenue")]
    meaning: A[str, doc("What it means.", "What stays of sales after fees and refunds.")]
    owner: A[str, doc("Whom to ask.", "finance")]
    links: A[list[str], doc("Where there is more.")]
    itself: A[bool, doc("Whether the whole asset is about it.")]
    columns: A[list[str], doc("The columns that are about it.", ["amount"])]


class ColumnPlace(Shape):
    """A column of an asset."""

    asset: A[str, doc("The asset.", "gold.revenue")]
    column: A[str, doc("The column.", "amount")]


class GlossaryTerm(Shape):
    """What a word means, and what is about it."""

    name: A[str, doc("The term.", "Net revenue")]
    meaning: A[str, doc("What it means.", "What stays of sales after fees and refunds.")]
    owner: A[str, doc("Whom to ask.", "finance")]
    links: A[list[str], doc("Where there is more.")]
    names: A[list[str], doc("What else it is called.", ["gold.revenue.amount"])]
    assets: A[list[str], doc("The assets that are about it.")]
    columns: A[list[ColumnPlace], doc("The columns that are about it.")]


class AssetDetail(Shape):
    """An asset with all that is to be said of it."""

    asset: A[Asset, doc("The asset.")]
    step: A[str, doc("The step that makes it.")]
    made_with: A[list[str], doc("The other assets that the same function makes.")]
    upstream: A[list[str], doc("What it is made from.", ["silver.payments"])]
    downstream: A[list[str], doc("What is made from it.")]
    jobs: A[list[str], doc("The jobs that read, write or select it.")]
    partitions: A[str, doc("How it is partitioned.", "daily from 2025-01-01")]
    dimensions: A[list[str], doc("The dimensions of its partitions, where there are several.")]
    code_version: A[str, doc("The version of its code now.")]
    place: A[str, doc("Where it is defined.", "assets.py:93")]
    metadata: A[dict[str, Any], doc("What its definition says of it.")]
    checks: A[list[Check], doc("Its checks.")]
    last: A[Materialization | None, doc("Its last materialization.")]
    columns: A[list[list[str]], doc("Name and type of its columns as last made, where known.", [["day", "date"]])]
    links: A[list[Link], doc("What plugins link it to.")]
    terms: A[list[TermOfAsset], doc("The terms of the glossary that it or its columns are about.")]


class PartitionCell(Shape):
    """Some neighbouring partitions of a heat map."""

    first: A[str, doc("The first of them.", "2026-01-01")]
    last: A[str, doc("The last of them.", "2026-01-31")]
    count: A[int, doc("How many there are.", 31)]
    counts: A[dict[str, int], doc("How many are fresh, stale, missing, failed.", {"fresh": 30, "missing": 1})]


class PartitionMap(Shape):
    """The partitions of an asset, put together so that there are never more cells than asked for."""

    total: A[int, doc("How many partitions there are.", 10_000)]
    counts: A[dict[str, int], doc("How many are fresh, stale, missing, failed.")]
    rows: A[list[str], doc("The keys of the rows, where there are two dimensions; else one empty text.", [""])]
    cells: A[list[list[PartitionCell]], doc("Cells by row, in the order of the partitions.")]
    dimensions: A[list[str], doc("What rows and columns are, where there are two dimensions.")]


class Partition(Shape):
    """A partition of an asset."""

    key: A[str, doc("Its key.", "2026-01-31")]
    state: A[AssetStateName, doc("How it is.", "fresh")]
    reasons: A[list[str], doc("Why it is not fresh.")]
    materialized_at: A[datetime | None, doc("When it was made last.")]
    run: A[int | None, doc("By which run.", 42)]
    checks_failed: A[int, doc("How many checks of it did not pass.", 0)]


class PartitionPage(Shape):
    """A page of partitions."""

    items: A[list[Partition], doc("The partitions of this page, in their order.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class ConditionPart(Shape):
    """One part of a condition, with the partitions that it holds for."""

    words: A[str, doc("What it says.", "any upstream was made since")]
    label: A[str, doc("What its author calls it; empty: nothing.")]
    asset: A[str, doc("The upstream that it was looked at for, where it is not the asset itself.")]
    count: A[int, doc("Of how many partitions it holds; of an asset without any 1 or 0.", 2)]
    total: A[int, doc("Of how many in all; 0 of an asset without any.", 31)]
    ranges: A[list[list[str]], doc("The first ranges of those: first and last key.", [["2026-01-01", "2026-01-02"]])]
    more: A[int, doc("How many ranges are left out.", 0)]
    depth: A[int, doc("How deep it stands in the condition; 0 is the whole of it.", 0)]


class AutomationNow(Shape):
    """Why automation makes an asset, or does not, as things stand now."""

    asset: A[str, doc("The asset.", "gold.revenue")]
    partition: A[str, doc("The partition that is asked about; empty: all of it.")]
    at: A[datetime, doc("As of when.")]
    requested: A[str, doc("What it would have made now.", "2 of 31 partitions: 2026-01-01..2026-01-02")]
    in_progress: A[str, doc("What of that is being made already.", "none of 31 partitions")]
    requested_before: A[str, doc("What it has had made before for the same reason.", "none of 31 partitions")]
    condition: A[list[ConditionPart], doc("The parts of its condition: each before what it is made of.")]


class SeriesPoint(Shape):
    """A number that was reported of a materialization."""

    at: A[datetime, doc("When it was made.")]
    run: A[int, doc("By which run.", 42)]
    partition: A[str, doc("The partition.")]
    value: A[float, doc("The number.", 1200.0)]


class MetadataSeries(Shape):
    """Numbers that were reported of an asset over time, by name."""

    series: A[dict[str, list[SeriesPoint]], doc("Points by name, oldest first.")]


class SchemaChange(Shape):
    """A change of an asset's columns."""

    at: A[datetime, doc("When it was made with the new columns.")]
    run: A[int, doc("By which run.", 42)]
    added: A[list[list[str]], doc("Columns that are new: name and type.")]
    removed: A[list[list[str]], doc("Columns that are gone.")]
    changed: A[list[list[str]], doc("Columns of another type: name, old and new type.")]
    breaking: A[list[str], doc("What breaks those who read it, in words: gone, narrower, null where it never was.")]


class AssetReader(Shape):
    """Who reads an asset."""

    kind: A[
        Literal["asset", "task", "preview"], doc("An asset that is made from it, a task that loads it, or a person.")
    ]
    reader: A[str, doc("The asset's key, `job/step`, or a name.", "gold.revenue")]
    reads: A[int, doc("How often.", 30)]
    last_at: A[datetime, doc("When last.")]
    last_run: A[int | None, doc("In which run last.", 42)]


class UsageDay(Shape):
    """How often an asset was read on one day (UTC)."""

    day: A[str, doc("The day.", "2026-01-31")]
    reads: A[int, doc("How often.", 3)]


class AssetUsage(Shape):
    """How often an asset is read, and by whom."""

    reads: A[int, doc("How often in all.", 42)]
    last_at: A[datetime | None, doc("When last; null where nobody read it.")]
    readers: A[list[AssetReader], doc("By whom, most reads first.")]
    days: A[list[UsageDay], doc("On which days, oldest first.")]


class AssetPreview(Shape):
    """Rows of an asset as they were reported when it was made."""

    materialization: A[Materialization | None, doc("The materialization that they are of.")]
    columns: A[list[str], doc("Names of the columns.", ["day", "revenue"])]
    rows: A[list[list[Any]], doc("The rows.")]
    total: A[int | None, doc("How many rows there are in all.", 1200)]


class AssetRows(Shape):
    """Rows of an asset as they are where it is kept."""

    partition: A[str, doc("The partition that they are of; empty where there is none.", "2026-01-31")]
    columns: A[list[str], doc("Names of the columns.", ["day", "revenue"])]
    types: A[list[str], doc("Their types, as far as they are known.", ["date", "float64"])]
    rows: A[list[list[Any]], doc("The rows.")]
    total: A[int, doc("How many rows there are in all.", 1200)]
    version: A[str, doc("The version of the table that they are of, where one was asked for.", "12")]


class TableVersionShown(Shape):
    """A version of a table that can be read."""

    version: A[str, doc("Delta's number, or the id of Iceberg's snapshot.", "12")]
    at: A[datetime, doc("When it was written.")]
    operation: A[str, doc("What was done.", "WRITE")]
    run: A[int | None, doc("The run that wrote it.", 41)]
    partitions: A[list[str], doc("The partitions that were written, where the asset has any.", ["2026-01-31"])]
    by: A[str, doc("The program that wrote it, where that was not Batuta.", "Apache-Spark/3.5")]


class TableVersions(Shape):
    """The versions of a table."""

    items: A[list[TableVersionShown], doc("Newest first.")]


class PlanAsked(Given):
    """Assets that might be made."""

    selection: A[
        str, doc("Which: keys, `layer:gold`, `+gold.revenue`, ...", "layer:gold", min_length=1, max_length=10_000)
    ]
    mode: A[
        Literal["all", "stale", "missing"],
        doc("Everything, what is stale or missing, or only what was never made.", "stale"),
    ] = "all"
    partitions: A[str, doc("A key, a list `a,b`, or a range `a..b`.", max_length=100_000)] = ""
    environment: A[str, doc("As it would be in this environment; empty: in production.", "dev_anna")] = ""


class PlannedAsset(Shape):
    """An asset that would be made."""

    asset: A[str, doc("Its key.", "gold.revenue")]
    partitions: A[list[str] | None, doc("Which partitions; null of an asset without any.")]
    reasons: A[list[Reason], doc("Why, where only what is stale is made.")]
    checks: A[int, doc("How many checks would be evaluated.", 2)]


class AssetPlan(Shape):
    """What a run would make."""

    selected: A[list[str], doc("The assets that the selection stands for.")]
    make: A[list[PlannedAsset], doc("Those that would be made.")]
    fresh: A[list[str], doc("Those that would be left as they are.")]
    task_runs: A[int, doc("How many task runs it would take.", 12)]


def asset_of(state: AssetState) -> Asset:
    """An asset as it is shown."""
    spec = state.spec
    reasons = sorted(state.reasons.items(), key=lambda item: -item[1])
    return Asset(
        key=spec.key,
        location=state.location,
        layer=spec.layer,
        group=spec.group,
        description=spec.description,
        owners=list(spec.owners),
        kinds=list(spec.kinds),
        tags=spec.tags,
        external=spec.external,
        state=state.state,  # type: ignore[arg-type]
        partitions=state.partitions,
        counts=state.counts,
        reasons=[Reason(reason=text, partitions=count) for text, count in reasons[:20]],
        materialized_at=None if state.last is None else at(state.last.at),
        run=None if state.last is None else state.last.run_id,
        rows=rows_of(state.last),
        checks=state.checks,
        checks_passed=state.checks_passed,
        checks_failed=state.checks_failed,
    )


def materialization_of(row: MaterializationRow) -> Materialization:
    """A materialization as it is shown."""
    return Materialization(
        id=row.id,
        asset=row.asset,
        partition=row.partition,
        run=row.run_id,
        task=row.task,
        at=at(row.at),
        data_version=row.data_version,
        code_version=row.code_version,
        inputs=_decode(row.inputs or b"{}"),
        rows=rows_of(row),
        metadata=_decode(row.metadata or b"{}"),
    )


def check_result_of(row: CheckRow) -> CheckResult:
    """A verdict as it is shown."""
    return CheckResult(
        asset=row.asset,
        check=row.check,
        partition=row.partition,
        run=row.run_id,
        task=row.task,
        at=at(row.at),
        passed=row.passed,
        blocking=row.blocking,
        description=row.description,
        metadata=_decode(row.metadata or b"{}"),
        outcome=row.level,  # type: ignore[arg-type]
    )


def partitions_text(partitions: Partitions | None) -> str:
    """`daily from 2025-01-01`, `static: 3 keys`, `day × country`."""
    match partitions:
        case TimePartitions():
            end = f" to {partitions.end}" if partitions.end else ""
            zone = f" {partitions.timezone}" if partitions.timezone != "UTC" else ""
            return f"{partitions.cadence} from {partitions.start}{end}{zone}"
        case StaticPartitions():
            return f"static: {', '.join(partitions.keys[:5])}{', …' if len(partitions.keys) > 5 else ''}"
        case DynamicPartitions():
            return f"dynamic: {partitions.name}"
        case MultiPartitions():
            return " × ".join(f"{name} ({partitions_text(one)})" for name, one in partitions.dimensions.items())
        case _:
            return ""
