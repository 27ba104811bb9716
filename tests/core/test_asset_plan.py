"""From selections of assets and partitions to plans."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core import plan as plans
from batuta.core.asset_index import AssetIndex
from batuta.core.asset_plan import plan_assets
from batuta.core.definitions import AssetDep, Definitions
from batuta.core.errors import PartitionError, RequestError
from batuta.core.partition_mapping import AllPartitions, LastPartition, TimeWindow, upstream_keys
from batuta.core.partitions import daily, dynamic, keys, monthly, static
from batuta.core.plan import LabelExpansion, Plan, StepSpec
from batuta.core.run_graph import RunGraph
from tests.core.asset_definitions import NOW, check, definitions, spec

DAYS = daily("2025-01-01")
MONTHS = monthly("2025-01-01")


def by_key(plan: Plan) -> dict[str, StepSpec]:
    return {step.key: step for step in plan.steps}


def labels(plan: Plan, step: str) -> tuple[str, ...]:
    expansion = by_key(plan)[step].expansion
    assert isinstance(expansion, LabelExpansion)
    return expansion.labels


def edges(plan: Plan, step: str) -> dict[str, plans.Mapping]:
    return {edge.step: edge.mapping for edge in by_key(plan)[step].upstream}


LAKE = definitions(
    [
        spec("source", external=True),
        spec("bronze", "source", partitions=DAYS),
        spec("silver", "bronze", partitions=DAYS),
        spec("gold", "silver", partitions=MONTHS),
        spec("report", "gold"),
    ],
    [check("silver", "unique", blocking=True), check("silver", "complete"), check("report", "not_empty")],
)


def test_steps_come_upstreams_first_and_checks_after_their_asset() -> None:
    plan = plan_assets(LAKE, ["report", "gold", "bronze", "silver"], now=NOW, partitions="2025-01..2025-02")
    order = [step.key for step in plan.steps]
    for step in plan.steps:
        for edge in step.upstream:
            assert order.index(edge.step) < order.index(step.key)
    assert set(order) == {
        *("bronze", "silver", "gold", "report"),
        *("silver:unique", "silver:complete", "report:not_empty"),
    }
    assert plan.kind == "assets"
    assert plan.outcome == "any"


def test_partitions_are_labels_and_meet_by_their_mapping() -> None:
    plan = plan_assets(LAKE, ["bronze", "silver", "gold"], now=NOW, partitions="2025-01..2025-02")
    assert labels(plan, "bronze") == tuple(keys(DAYS, datetime(2025, 3, 1, tzinfo=NOW.tzinfo)))
    assert labels(plan, "gold") == ("2025-01", "2025-02")
    assert edges(plan, "silver") == {"bronze": "aligned"}
    rows = (tuple(range(31)), tuple(range(31, 59)))
    assert edges(plan, "gold") == {"silver": rows, "silver:unique": rows}


def test_only_blocking_checks_hold_back_what_is_downstream() -> None:
    plan = plan_assets(LAKE, ["silver", "gold"], now=NOW, partitions="2025-01")
    assert edges(plan, "silver:unique") == {"silver": "aligned"}
    assert set(edges(plan, "gold")) == {"silver", "silver:unique"}
    assert by_key(plan)["silver:unique"].checks == ("silver:unique",)
    assert by_key(plan)["silver:unique"].kind == "check"
    without = plan_assets(LAKE, ["silver", "gold"], now=NOW, partitions="2025-01", checks=False)
    assert [step.key for step in without.steps] == ["silver", "gold"]


def test_a_step_tells_what_it_reads_and_writes() -> None:
    step = by_key(plan_assets(LAKE, ["bronze"], now=NOW, partitions="2025-01-01"))["bronze"]
    assert (step.reads, step.writes, step.kind, step.code_version) == (("source",), ("bronze",), "asset", "1")
    assert step.task == "test:bronze"


def test_just_the_checks_can_be_planned() -> None:
    plan = plan_assets(LAKE, ["silver", "report"], now=NOW, partitions="2025-01-01", assets=False)
    assert [step.key for step in plan.steps] == ["silver:unique", "silver:complete", "report:not_empty"]
    assert all(not step.upstream for step in plan.steps)


def test_an_asset_outside_the_selection_is_no_step() -> None:
    plan = plan_assets(LAKE, ["gold"], now=NOW, partitions="2025-01")
    assert [step.key for step in plan.steps] == ["gold"]
    assert not plan.steps[0].upstream


def test_without_a_choice_all_partitions_there_are_are_made() -> None:
    plan = plan_assets(LAKE, ["bronze", "gold"], now=NOW)
    assert len(labels(plan, "bronze")) == 90
    assert labels(plan, "gold") == ("2025-01", "2025-02", "2025-03")


def test_a_choice_of_one_asset_leads_to_that_of_its_neighbours() -> None:
    down = plan_assets(LAKE, ["bronze", "silver", "gold"], now=NOW, partitions={"bronze": ["2025-02-03"]})
    assert labels(down, "silver") == ("2025-02-03",)
    assert labels(down, "gold") == ("2025-02",)
    up = plan_assets(LAKE, ["bronze", "silver", "gold"], now=NOW, partitions={"gold": "2025-02"})
    assert labels(up, "bronze") == labels(up, "silver") == tuple(f"2025-02-{day:02}" for day in range(1, 29))
    assert edges(up, "gold")["silver"] == "every"


def test_a_day_of_monthly_partitions_follows_the_mapping() -> None:
    plan = plan_assets(LAKE, ["silver", "gold"], now=NOW, partitions="2025-02-03")
    assert labels(plan, "silver") == ("2025-02-03",)
    assert labels(plan, "gold") == ("2025-02",)


@pytest.mark.parametrize(
    ("selected", "partitions", "error", "told"),
    [
        (["bronze"], "2024-12-31", PartitionError, "the first one is '2025-01-01'"),
        (["gold"], "2025-02-03", PartitionError, "finer than monthly"),
        (["report"], "2025-01", RequestError, "no selected asset has any"),
        (["report"], {"report": "2025-01"}, RequestError, "'report' has no partitions"),
        (["silver"], {"silvr": "2025-01"}, RequestError, "did you mean 'silver'"),
        (["silvr"], None, RequestError, "did you mean 'silver'"),
        (["source"], None, RequestError, "nothing to make"),
    ],
)
def test_what_cannot_be_made_is_refused(
    selected: list[str], partitions: object, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        plan_assets(LAKE, selected, now=NOW, partitions=partitions)  # type: ignore[arg-type]


def test_a_partitioned_asset_without_partitions_yet_is_refused() -> None:
    future = definitions([spec("a", partitions=daily("2030-01-01"))])
    with pytest.raises(RequestError, match="no partition of a yet"):
        plan_assets(future, ["a"], now=NOW)


def test_dynamic_partitions_come_from_their_keys() -> None:
    customers = definitions(
        [spec("a", partitions=dynamic("customers")), spec("b", "a", partitions=dynamic("customers"))]
    )
    plan = plan_assets(customers, ["a", "b"], now=NOW, dynamic_keys={"customers": ["acme", "umbra"]})
    assert labels(plan, "a") == ("acme", "umbra")
    assert edges(plan, "b") == {"a": "aligned"}


def test_mappings_of_one_side_without_partitions() -> None:
    regions = static(["eu", "us", "ap"])
    plan = plan_assets(
        definitions(
            [
                spec("whole"),
                spec("parts", "whole", partitions=regions),
                spec("last", AssetDep("parts", LastPartition())),
                spec("all", AssetDep("parts", AllPartitions())),
            ]
        ),
        ["whole", "parts", "last", "all"],
        now=NOW,
    )
    assert edges(plan, "parts") == {"whole": "every"}
    assert edges(plan, "last") == {"parts": ((2,),)}
    assert edges(plan, "all") == {"parts": "every"}
    partial = plan_assets(
        definitions([spec("parts", partitions=regions), spec("last", AssetDep("parts", LastPartition()))]),
        ["parts", "last"],
        now=NOW,
        partitions="eu",
    )
    assert edges(partial, "last") == {}, "the last partition is not part of this run"


def test_only_keeps_the_pairs_it_names() -> None:
    only = {("bronze", "2025-01-02"), ("silver", "2025-01-02"), ("silver", "2025-01-05"), ("report", "")}
    plan = plan_assets(LAKE, ["bronze", "silver", "gold", "report"], now=NOW, only=only, checks=False)
    assert [step.key for step in plan.steps] == ["bronze", "silver", "report"]
    assert labels(plan, "bronze") == ("2025-01-02",)
    assert labels(plan, "silver") == ("2025-01-02", "2025-01-05")
    assert edges(plan, "silver") == {"bronze": ((0,), ())}
    assert not plan_assets(LAKE, ["report"], now=NOW, only=set()).steps


def test_a_step_of_several_assets_is_planned_once() -> None:
    both = definitions(
        [
            spec("source_table"),
            spec("left", "source_table", step="split"),
            spec("right", "source_table", step="split"),
            spec("of_left", "left"),
            spec("of_both", "left", "right"),
        ],
        [check("right", "good", blocking=True), check("left", "good")],
    )
    plan = plan_assets(both, ["source_table", "left", "of_left", "of_both"], now=NOW)
    assert [step.key for step in plan.steps if step.kind == "asset"] == ["source_table", "split", "of_left", "of_both"]
    assert by_key(plan)["split"].writes == ("left", "right")
    assert edges(plan, "of_both") == {"split": "every", "right:good": "every"}
    assert edges(plan, "of_left") == {"split": "every"}
    assert {step.key for step in plan.steps if step.kind == "check"} == {"right:good", "left:good"}


def test_a_check_waits_for_the_other_assets_it_reads() -> None:
    plan = plan_assets(
        definitions([spec("a"), spec("b"), spec("c", "a")], [check("a", "as_b", "b", blocking=True)]),
        ["a", "b", "c"],
        now=NOW,
    )
    assert edges(plan, "a:as_b") == {"a": "every", "b": "every"}
    assert edges(plan, "c") == {"a": "every", "a:as_b": "every"}
    order = [step.key for step in plan.steps]
    assert order.index("b") < order.index("a:as_b") < order.index("c")


def test_checks_do_not_wait_for_each_other() -> None:
    pair = definitions(
        [spec("a"), spec("b")], [check("a", "x", "b", blocking=True), check("b", "x", "a", blocking=True)]
    )
    for assets in (True, False):
        plan = plan_assets(pair, ["a", "b"], now=NOW, assets=assets)
        assert edges(plan, "a:x") == ({"a": "every", "b": "every"} if assets else {})


def test_what_is_read_but_not_proven_is_checked_first() -> None:
    unproven = {("silver:unique", "2025-01-30"), ("silver:unique", "2025-02-03"), ("silver:unique", "2025-03-01")}
    plan = plan_assets(LAKE, ["gold"], now=NOW, partitions="2025-01..2025-02", unproven=unproven, checks=False)
    assert [step.key for step in plan.steps] == ["silver:unique", "gold"]
    assert labels(plan, "silver:unique") == ("2025-01-30", "2025-02-03")
    assert edges(plan, "gold") == {"silver:unique": "aligned"}, "each month of one day"
    assert edges(plan, "silver:unique") == {}


def test_a_check_of_some_made_and_some_unproven_partitions_is_one_step() -> None:
    only = {("silver", "2025-01-02"), ("gold", "2025-01")}
    unproven = {("silver:unique", "2025-01-01"), ("silver:unique", "2025-01-02"), ("silver:complete", "2025-01-01")}
    plan = plan_assets(LAKE, ["silver", "gold"], now=NOW, only=only, unproven=unproven)
    assert labels(plan, "silver") == labels(plan, "silver:complete") == ("2025-01-02",)
    assert labels(plan, "silver:unique") == ("2025-01-02", "2025-01-01")
    assert edges(plan, "silver:unique") == {"silver": ((0,), ())}
    assert edges(plan, "gold") == {"silver": "aligned", "silver:unique": "every"}
    RunGraph(plan.steps)


def test_unproven_assets_without_partitions_and_external_ones() -> None:
    feeds = definitions(
        [spec("feed", external=True), spec("a"), spec("b", "a", "feed")],
        [check("feed", "good", blocking=True), check("a", "good", blocking=True), check("a", "nice")],
    )
    unproven = {("feed:good", ""), ("a:good", ""), ("a:nice", "")}
    plan = plan_assets(feeds, ["b"], now=NOW, unproven=unproven)
    assert edges(plan, "b") == {"a:good": "every", "feed:good": "every"}
    assert {step.key for step in plan.steps} == {"a:good", "feed:good", "b"}


def test_plans_survive_json_and_fit_the_state_machine() -> None:
    plan = plan_assets(LAKE, ["bronze", "silver", "gold", "report"], now=NOW)
    assert plans.decode(plans.encode(plan)) == plan
    assert len(RunGraph(plan.steps).nodes) == len(plan.steps)


@given(
    ups=st.sets(st.integers(0, 80), min_size=1),
    downs=st.sets(st.integers(0, 80), min_size=1),
    window=st.tuples(st.integers(-3, 2), st.integers(-3, 2)).filter(lambda pair: pair[0] <= pair[1]),
)
def test_planned_edges_are_those_of_the_mapping(ups: set[int], downs: set[int], window: tuple[int, int]) -> None:
    mapping = TimeWindow(*window)
    lake = definitions([spec("up", partitions=DAYS), spec("down", AssetDep("up", mapping), partitions=DAYS)])
    existing = keys(DAYS, NOW)
    chosen = {"up": [existing[i] for i in ups], "down": [existing[i] for i in downs]}
    plan = plan_assets(lake, ["up", "down"], now=NOW, partitions=chosen)
    up_labels, down_labels = labels(plan, "up"), labels(plan, "down")
    assert (set(up_labels), set(down_labels)) == (set(chosen["up"]), set(chosen["down"]))
    found = edges(plan, "down").get("up", tuple(() for _ in down_labels))
    for i, label in enumerate(down_labels):
        row = range(len(up_labels)) if found == "every" else (i,) if found == "aligned" else found[i]
        wanted = set(upstream_keys(mapping, DAYS, DAYS, label, NOW)) & set(up_labels)
        assert {up_labels[int(j)] for j in row} == wanted


def _year_of_eight() -> Definitions:
    chain = [spec("a0", partitions=DAYS)]
    chain += [
        spec(f"a{i}", AssetDep(f"a{i - 1}", TimeWindow(-1, 0) if i % 2 else None), partitions=DAYS) for i in range(1, 7)
    ]
    return definitions([*chain, spec("a7", "a6", partitions=MONTHS)])


def test_a_year_of_days_of_eight_assets_has_a_label_a_day() -> None:
    index = AssetIndex(_year_of_eight())
    now = datetime(2026, 1, 1, tzinfo=NOW.tzinfo)
    plan = plan_assets(index, [f"a{i}" for i in range(8)], now=now, dynamic_keys={})
    assert len(labels(plan, "a0")) == 365


def test_checks_that_share_a_step_are_evaluated_together() -> None:
    together = definitions(
        [spec("a", partitions=DAYS), spec("b", "a", partitions=DAYS)],
        [
            check("a", "whole", blocking=True, step="a:checks"),
            check("a", "nice", step="a:checks"),
            check("a", "as_b", "b"),
        ],
    )
    plan = plan_assets(together, ["a", "b"], now=NOW, partitions="2025-01-01..2025-01-02")
    assert by_key(plan)["a:checks"].checks == ("a:whole", "a:nice")
    assert edges(plan, "a:checks") == {"a": "aligned"}
    assert edges(plan, "b") == {"a": "aligned", "a:checks": "aligned"}
    # What is not proven of one of them is evaluated with all.
    plan = plan_assets(
        together, ["b"], now=NOW, partitions="2025-01-01..2025-01-02", unproven={("a:whole", "2025-01-02")}
    )
    assert labels(plan, "a:checks") == ("2025-01-02",)
    assert edges(plan, "b") == {"a:checks": ((), (0,))}


def test_a_check_at_write_is_no_step_of_its_own() -> None:
    lake = definitions(
        [spec("a"), spec("a__quarantine", step="a"), spec("b", "a"), spec("c", "a__quarantine")],
        [check("a", "not_null", blocking=True, step="a", at_write=True), check("a", "nice")],
    )
    plan = plan_assets(lake, ["a", "a__quarantine", "b", "c"], now=NOW, unproven={("a:not_null", "")})
    assert [step.key for step in plan.steps if step.kind == "asset"] == ["a", "b", "c"]
    assert by_key(plan)["a"].writes == ("a", "a__quarantine")
    assert [step.key for step in plan.steps if step.kind == "check"] == ["a:nice"]
    assert edges(plan, "b") == edges(plan, "c") == {"a": "every"}
    assert not plan_assets(lake, ["a"], now=NOW, assets=False, only={("a", "")}).steps[1:]
