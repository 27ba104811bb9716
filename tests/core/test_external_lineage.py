"""Datasets of others as our assets, and jobs elsewhere in our graph."""

from __future__ import annotations

from typing import Any

import pytest

from batuta.core.asset_index import AssetIndex
from batuta.core.column_facts import Told
from batuta.core.column_graph import ColumnGraph
from batuta.core.column_impact import impact
from batuta.core.definitions import AssetDep, AssetSpec, Definitions
from batuta.core.external_jobs import Facts
from batuta.core.external_lineage import LOCATION, External, Naming, World
from batuta.core.lineage import lineage
from tests.core.lineage_events import NOW, RUN, dataset, facet, made_from, read, run_event, schema

OURS = Definitions(
    location="shop",
    assets=(
        AssetSpec("bronze.orders", external=True),
        AssetSpec("gold.revenue", step="gold.revenue", deps=(AssetDep("bronze.orders"),)),
    ),
)
NAMING = Naming(
    [("s3://lake*", "bronze/*", "bronze.*"), ("hive://*", "*.*", "*.*")],
    "shop",
    {("file", "/data/revenue.parquet"): "gold.revenue"},
)


@pytest.mark.parametrize(
    ("namespace", "name", "asset"),
    [
        ("s3://lake-eu", "bronze/orders", "bronze.orders"),
        ("s3://lake", "silver/orders", "s3://lake/silver/orders"),
        ("s3://other", "/bronze/orders", "s3://other/bronze/orders"),
        ("hive://metastore:9083", "gold.revenue", "gold.revenue"),
        ("shop", "gold.revenue", "gold.revenue"),
        ("file", "/data/revenue.parquet", "gold.revenue"),
        ("file", "/data/other.parquet", "file/data/other.parquet"),
        ("postgres://db:5432", "gold.revenue", "postgres://db:5432/gold.revenue"),
    ],
)
def test_the_rule_by_which_a_dataset_is_an_asset(namespace: str, name: str, asset: str) -> None:
    assert NAMING.asset_of(namespace, name) == asset


def test_other_names_of_a_dataset_count_after_its_own() -> None:
    links = [("hive://metastore", "gold.revenue")]
    assert NAMING.asset_of("s3://bucket", "warehouse/revenue", links) == "gold.revenue"
    assert NAMING.asset_of("s3://lake", "bronze/orders", links) == "bronze.orders"


def external_of(*events: dict[str, Any], naming: Naming = NAMING) -> External:
    facts = Facts()
    for event in events:
        facts.apply(read(event))
    return External(World(facts.jobs, facts.datasets, tuple(facts.edges)), naming)


def test_jobs_elsewhere_stand_in_our_graph() -> None:
    external = external_of(
        run_event(
            "COMPLETE",
            inputs=[dataset("raw", "kafka://k")],
            outputs=[dataset("bronze/orders")],
            job_facets={"documentation": facet(description="Loads orders.")},
        ),
        run_event("COMPLETE", NOW - 5, name="without data", run="00000000-0000-0000-0000-000000000009"),
    )
    graph = external.with_lineage(lineage(OURS))
    job = graph.nodes["spark/etl.daily:"]
    assert (job.kind, job.label, job.group, job.external) == ("job", "etl.daily", "spark", True)
    assert job.description == "Loads orders."
    assert graph.nodes["kafka://k/raw"].kind == "dataset"
    assert graph.nodes["bronze.orders"].kind == "asset"
    assert graph.reach(["gold.revenue"], upstream=True) == ["bronze.orders", job.id, "kafka://k/raw"]
    assert graph.find("spark/etl.daily") == [job.id]
    assert [node for node in graph.nodes.values() if node.kind == "job"] == [job], (
        "as with steps: only what touches data"
    )
    assert lineage(OURS).nodes.keys().isdisjoint({job.id}), "the graph of the definitions is as it was"


def test_a_job_that_reads_what_it_writes_goes_round_in_no_circle() -> None:
    external = external_of(run_event(inputs=[dataset("bronze/orders")], outputs=[dataset("bronze/orders")]))
    graph = external.with_lineage(lineage(OURS))
    assert graph.ups["bronze.orders"] == []
    assert graph.downs["bronze.orders"] == ["gold.revenue", "spark/etl.daily:"]


def test_columns_lead_through_what_runs_elsewhere() -> None:
    orders = dataset(
        "bronze/orders", schema=schema("id", "cents"), columnLineage=made_from(cents=[("kafka://k", "raw", "amount")])
    )
    copies = dataset("copy", "pg://db", columnLineage=made_from(money=[("s3://lake", "bronze/orders", "cents")]))
    external = external_of(
        run_event(inputs=[dataset("raw", "kafka://k", schema=schema("amount"))], outputs=[orders]),
        run_event(name="copy", inputs=[orders], outputs=[copies], run="00000000-0000-0000-0000-000000000009"),
        run_event(
            name="blind",
            inputs=[dataset("copy", "pg://db")],
            outputs=[dataset("dark", "pg://db")],
            run="00000000-0000-0000-0000-000000000008",
        ),
    )
    index = external.with_index(AssetIndex(OURS))
    assert index.locations["kafka://k/raw"] == LOCATION
    assert "bronze.orders" not in index.locations
    told: dict[str, Told] = external.told
    graph = ColumnGraph.build(
        {key: one.lineage for key, one in told.items() if one.lineage is not None},
        {key: [name for name, _ in one.columns] for key, one in told.items()},
    )
    trace = graph.upstream(graph.find("pg://db/copy", "money"))
    assert [str(ref) for ref in trace.columns] == ["pg://db/copy.money", "bronze.orders.cents", "kafka://k/raw.amount"]
    assert set(trace.kinds) == {"aggregated"}
    found = impact(graph, index, graph.find("kafka://k/raw", "amount"), elsewhere=external.made_from)
    assert {one.key: one.how for one in found.assets} == {
        "bronze.orders": "values",
        "pg://db/copy": "values",
        "gold.revenue": "unknown",
        "pg://db/dark": "unknown",
    }


def test_what_is_still_so_is_kept_from_before() -> None:
    events = [
        run_event(
            outputs=[dataset("bronze/orders", schema=schema("id"), columnLineage=made_from(id=[("k", "raw", "n")]))]
        ),
        run_event(name="other", outputs=[dataset("silver/orders", schema=schema("id"))], run=RUN[:-1] + "8"),
    ]
    facts = Facts()
    for event in events:
        facts.apply(read(event))
    before = External(World(facts.jobs, dict(facts.datasets)), NAMING)
    told = before.told
    facts.apply(read(run_event(at=NOW + 1, outputs=[dataset("silver/orders", schema=schema("id", "new"))])))
    after = External(World(facts.jobs, dict(facts.datasets)), NAMING, before)
    anew = External(World(facts.jobs, dict(facts.datasets)), NAMING)
    assert (after.told, after.assets) == (anew.told, anew.assets)
    assert after.told["bronze.orders"] is told["bronze.orders"]
    assert after.told["s3://lake/silver/orders"] != told["s3://lake/silver/orders"]
    link = facet(identifiers=[{"namespace": "hive://m", "name": "silver.orders"}])
    facts.apply(read(run_event(at=NOW + 2, outputs=[dataset("raw", "k", symlinks=link)])))
    renamed = External(World(facts.jobs, dict(facts.datasets)), NAMING, after)
    (source,) = renamed.told["bronze.orders"].lineage.columns["id"]  # type: ignore[union-attr]
    assert source.asset == "silver.orders", "what a column comes from has another name now"
