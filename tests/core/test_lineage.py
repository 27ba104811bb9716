"""The lineage graph over assets, steps of DAGs and flows."""

from __future__ import annotations

import pytest

from batuta.core.definitions import AssetDep, AssetSpec, Definitions, JobSpec
from batuta.core.errors import RequestError
from batuta.core.lineage import Lineage, lineage
from batuta.core.plan import Edge, Plan, StepSpec

ASSETS = (
    AssetSpec("source", external=True),
    AssetSpec("bronze.a", step="bronze.a", layer="bronze", deps=(AssetDep("source"),)),
    AssetSpec("silver.a", step="silver.a", layer="silver", deps=(AssetDep("bronze.a"),)),
)
STEPS = (
    StepSpec("begin"),
    StepSpec("read", upstream=(Edge("begin"),), reads=("silver.a",)),
    StepSpec("shape", upstream=(Edge("read"),)),
    StepSpec("write", upstream=(Edge("shape"),), writes=("exports.a",)),
    StepSpec("notify", upstream=(Edge("write"),)),
)
DAG = JobSpec("export", "dag", Plan("export", "dag", STEPS))
FLOW = JobSpec("report", "flow", Plan("report", "flow", (StepSpec("report", kind="flow", reads=("exports.a",)),)))
IDLE = JobSpec("idle", "flow", Plan("idle", "flow", (StepSpec("idle", kind="flow"),)))


def whole(**seen: list[StepSpec]) -> Lineage:
    return lineage(Definitions(jobs=(DAG, FLOW, IDLE), assets=ASSETS), seen)


def test_steps_between_those_that_touch_assets_are_there_and_no_others() -> None:
    graph = whole()
    steps = {key for key, node in graph.nodes.items() if node.kind == "step"}
    assert steps == {"export:read", "export:shape", "export:write"}
    assert "idle:" not in graph.nodes
    assert graph.reach(["source"], upstream=False) == [
        "bronze.a",
        "silver.a",
        "export:read",
        "export:shape",
        "export:write",
        "exports.a",
        "report:",
    ]


def test_what_a_flow_touched_in_its_last_run_counts() -> None:
    graph = whole(report=[StepSpec("publish-0", writes=("reports.daily",)), StepSpec("look-0", reads=("bronze.a",))])
    assert graph.ups["report:"] == ["exports.a", "bronze.a"]
    assert graph.downs["report:"] == ["reports.daily"]


def test_assets_that_are_only_mentioned_are_external_unless_something_makes_them() -> None:
    nodes = whole(report=[StepSpec("look-0", reads=("elsewhere",))]).nodes
    assert nodes["elsewhere"].external
    assert not nodes["exports.a"].external
    assert nodes["source"].external


def test_reach_stops_at_a_depth_and_only_keeps_edges_within() -> None:
    graph = whole()
    assert graph.reach(["silver.a"], upstream=True, depth=1) == ["bronze.a"]
    part = graph.only(["bronze.a", "silver.a"])
    assert part.edges == [("bronze.a", "silver.a")]


def test_a_name_is_an_asset_a_step_or_a_job() -> None:
    graph = whole()
    assert graph.find("silver.a") == ["silver.a"]
    assert graph.find("export:write") == ["export:write"]
    assert graph.find("export") == ["export:read", "export:shape", "export:write"]
    with pytest.raises(RequestError) as caught:
        graph.find("silver.b")
    assert "silver.a" in (caught.value.hint or "")


def test_a_step_that_writes_what_it_reads_makes_no_circle() -> None:
    job = JobSpec("mend", "dag", Plan("mend", "dag", (StepSpec("fix", reads=("source",), writes=("source",)),)))
    assert lineage(Definitions(jobs=(job,), assets=ASSETS[:1])).edges == [("source", "mend:fix")]
