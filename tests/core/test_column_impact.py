"""What a change of a column affects: values, rows, what is not known; checks, exposures, jobs."""

from __future__ import annotations

from batuta.core.asset_index import AssetIndex
from batuta.core.column_graph import ColumnGraph, ColumnRef
from batuta.core.column_impact import AffectedAsset, Impact, impact, jobs_of
from batuta.core.columns import ColumnLineage, ColumnSource
from batuta.core.definitions import AssetDep, AssetSpec, CheckSpec, Definitions, JobSpec
from batuta.core.plan import Plan, StepSpec


def spec(key: str, *deps: str, kinds: tuple[str, ...] = ()) -> AssetSpec:
    return AssetSpec(key, step=key, deps=tuple(map(AssetDep, deps)), kinds=kinds)


def lineage(rows: tuple[ColumnSource, ...] = (), **columns: tuple[str, str]) -> ColumnLineage:
    return ColumnLineage({name: (ColumnSource(*source),) for name, source in columns.items()}, rows)


DEFINITIONS = Definitions(
    assets=(
        spec("raw"),
        spec("values", "raw"),
        spec("rows", "raw"),
        spec("below", "rows"),
        spec("apart", "raw"),
        spec("python", "raw"),
        spec("after", "python"),
        spec("report", "values", kinds=("exposure",)),
    ),
    checks=(
        CheckSpec("raw", "not_null", "raw:not_null"),
        CheckSpec("values", "positive", "values:positive"),
        CheckSpec("apart", "x", "apart:x"),
    ),
    jobs=(
        JobSpec("export", "dag", Plan("export", "dag", (StepSpec("read", reads=("below",)),))),
        JobSpec("other", "dag", Plan("other", "dag", (StepSpec("read", reads=("apart",)),))),
        JobSpec("nightly", "assets", selection="values apart"),
        JobSpec("broken", "assets", selection="nosuch"),
    ),
)
LINEAGES = {
    "values": lineage(total=("raw", "cents"), id=("raw", "id")),
    "rows": lineage((ColumnSource("raw", "cents", "filter"),), id=("raw", "id")),
    "below": lineage(id=("rows", "id")),
    "apart": lineage(id=("raw", "id")),
    "after": lineage(x=("python", "x")),
    "report": lineage(total=("values", "total")),
}


def found(column: str) -> Impact:
    index = AssetIndex(DEFINITIONS)
    graph = ColumnGraph.build(LINEAGES, {"raw": ["id", "cents", "note"]})
    return impact(graph, index, ColumnRef("raw", column), jobs_of(DEFINITIONS, index))


def test_values_rows_and_what_is_not_known_are_told_apart() -> None:
    assert found("cents") == Impact(
        "raw",
        "cents",
        assets=(
            AffectedAsset("values", "values", ("total",), ("raw",)),
            AffectedAsset("rows", "rows", ("id",), ("raw",)),
            AffectedAsset("below", "rows", ("id",), ("rows",)),
            AffectedAsset("python", "unknown", (), ("raw",)),
            AffectedAsset("after", "unknown", (), ("python",)),
        ),
        exposures=(AffectedAsset("report", "values", ("total",), ("values",)),),
        checks=("raw:not_null", "values:positive"),
        jobs=("nightly", "export"),
    )


def test_a_column_that_nobody_reads_may_still_affect_what_is_not_known() -> None:
    assert [(one.key, one.how) for one in found("note").assets] == [("python", "unknown"), ("after", "unknown")]
    assert found("note").checks == ("raw:not_null",)
    assert found("note").jobs == ()
