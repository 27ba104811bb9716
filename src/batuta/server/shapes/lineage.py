"""The lineage graph as the API gives it: compact, for 10,000 nodes and more."""

from __future__ import annotations

from typing import Annotated as A
from typing import Literal

from batuta.server.shapes.base import Shape, doc


class LineageNode(Shape):
    """An asset, a step of a DAG that reads or writes assets, a flow; a job or a dataset elsewhere."""

    id: A[str, doc("Its name: the asset's key, `job:step`, or `job:`.", "gold.revenue")]
    kind: A[
        Literal["asset", "step", "flow", "job", "dataset"],
        doc("What it is; `job` and `dataset`: what events of OpenLineage tell of."),
    ]
    label: A[str, doc("What to show.", "gold.revenue")]
    layer: A[str, doc("Its medallion layer.", "gold")]
    group: A[str, doc("Its group.")]
    job: A[str, doc("The job that it is of, if it is a step or flow.")]
    location: A[str, doc("Its code location.", "shop")]
    external: A[bool, doc("Whether it is made elsewhere.")]
    state: A[
        str,
        doc(
            "How an asset is: external, fresh, stale, missing. How the newest run of a job elsewhere is: running, "
            "succeeded, failed, cancelled, lost. Else empty.",
            "fresh",
        ),
    ]
    kinds: A[list[str], doc("What it is made with or is.", ["parquet"])]
    partitions: A[int | None, doc("How many partitions exist; null without any.", 365)]
    counts: A[dict[str, int], doc("Partitions that are fresh, stale, missing.")]
    checks: A[int, doc("How many checks it has.", 3)]
    checks_failed: A[int, doc("How many of them do not pass.", 0)]
    materialized_at: A[
        float | None,
        doc(
            "When it was made last, in seconds since 1970 UTC; of a job elsewhere: when its newest run began.",
            1769860800.0,
        ),
    ]
    run: A[int | None, doc("By which run.", 42)]
    elsewhere: A[str, doc("The key of the job or dataset that events of OpenLineage tell of; else empty.")]


class LineageGraph(Shape):
    """Nodes and edges; the i-th edge leads from `nodes[sources[i]]` to `nodes[targets[i]]`."""

    nodes: A[list[LineageNode], doc("The nodes.")]
    sources: A[list[int], doc("Where each edge begins: a place in `nodes`.")]
    targets: A[list[int], doc("Where each edge ends.")]
    layers: A[list[str], doc("The medallion layers, lowest first.", ["bronze", "silver", "gold"])]
    version: A[str, doc("Changes with the definitions.")]


class ColumnNode(Shape):
    """A column of an asset; "" stands for the rows of the asset, `*` for all columns that are not known by name."""

    asset: A[str, doc("The asset's key.", "gold.revenue")]
    column: A[str, doc("Its name.", "amount")]
    type: A[str, doc("Its type, where that is known.", "float64")]
    description: A[str, doc("What is said of it.")]
    layer: A[str, doc("The medallion layer of the asset.", "gold")]
    location: A[str, doc("The code location of the asset.", "shop")]
    distance: A[int, doc("How many steps away it is.", 1)]


class ColumnsOf(Shape):
    """What is known of the columns of one asset."""

    asset: A[str, doc("The asset's key.", "gold.revenue")]
    teller: A[
        Literal["declared", "definition", "run", ""],
        doc("Who told what they are made from: its author, its query, the run that made it last; empty: nobody."),
    ]
    gaps: A[list[str], doc("What is not known of it, and why.")]


class ColumnGraph(Shape):
    """Columns and what leads to what: the i-th edge goes down from `nodes[sources[i]]` to `nodes[targets[i]]`."""

    nodes: A[list[ColumnNode], doc("The columns; those that were asked for first.")]
    sources: A[list[int], doc("Where each edge begins: a place in `nodes`.")]
    targets: A[list[int], doc("Where each edge ends.")]
    kinds: A[
        list[str],
        doc(
            "How the one counts in the other: identity, transformed, aggregated; filter, join, group, sort, distinct, "
            "rows.",
            ["aggregated"],
        ),
    ]
    assets: A[list[ColumnsOf], doc("The assets of these columns.")]
    version: A[str, doc("Changes with the definitions.")]


class AffectedAsset(Shape):
    """An asset that a change of a column affects."""

    key: A[str, doc("Its key.", "gold.revenue")]
    layer: A[str, doc("Its medallion layer.", "gold")]
    location: A[str, doc("Its code location.", "shop")]
    how: A[
        Literal["values", "rows", "unknown"],
        doc("`values` come from the column; `rows` are decided by it; `unknown`: too little is known of its columns."),
    ]
    columns: A[list[str], doc("Which of its columns.", ["amount"])]
    via: A[list[str], doc("What it reads that is affected.", ["silver.orders"])]


class Impact(Shape):
    """What a change of a column, or its end, affects."""

    asset: A[str, doc("The asset's key.", "bronze.orders")]
    column: A[str, doc("The column.", "cents")]
    assets: A[list[AffectedAsset], doc("The assets, nearest first.")]
    exposures: A[list[AffectedAsset], doc("What shows them to people: dashboards, reports.")]
    checks: A[list[str], doc("Checks of those assets, and of the column's own.", ["gold.revenue:positive"])]
    jobs: A[list[str], doc("Jobs that read or write them, or whose selection has them.", ["nightly"])]
