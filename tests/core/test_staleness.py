"""What is missing or stale, against a reference that looks at one partition at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.asset_plan import plan_assets
from batuta.core.definitions import AssetDep, AssetSpec, Definitions
from batuta.core.partition_mapping import AllPartitions, LastPartition, PartitionMapping, TimeWindow, upstream_keys
from batuta.core.partitions import Partitions, daily, keys, static
from batuta.core.plan import LabelExpansion
from batuta.core.staleness import Freshness, Pair, Recorded, staleness, to_make, unproven_checks
from tests.core.asset_definitions import NOW, check, definitions, spec

DAYS = daily("2025-01-01", end="2025-01-06")
REGIONS = static(["eu", "us"])


def made(version: str, inputs: Mapping[str, str] | None = None, code: str = "1") -> Recorded:
    return Recorded(version, code, dict(inputs or {}))


CHAIN = definitions([spec("a"), spec("b", "a"), spec("c", "b")])
FRESH_CHAIN = {("a", ""): made("a1"), ("b", ""): made("b1", {"a": "a1"}), ("c", ""): made("c1", {"b": "b1"})}


def states(found: Mapping[Pair, Freshness]) -> dict[Pair, str]:
    return {pair: one.state for pair, one in found.items()}


def test_what_was_never_made_is_missing_and_makes_what_is_below_stale() -> None:
    assert set(states(staleness(CHAIN, {}, now=NOW)).values()) == {"missing"}
    partly = {pair: one for pair, one in FRESH_CHAIN.items() if pair[0] != "a"}
    found = staleness(CHAIN, partly, now=NOW)
    assert states(found) == {("a", ""): "missing", ("b", ""): "stale", ("c", ""): "stale"}
    assert found["b", ""].reasons == ("upstream a is missing",)
    assert found["c", ""].reasons == ("upstream b is stale",)


def test_all_is_fresh_where_every_version_is_the_one_that_was_read() -> None:
    assert set(states(staleness(CHAIN, FRESH_CHAIN, now=NOW)).values()) == {"fresh"}
    assert not to_make(CHAIN, FRESH_CHAIN, ["a", "b", "c"], now=NOW)


def test_another_data_version_makes_only_what_read_it_stale() -> None:
    found = staleness(CHAIN, {**FRESH_CHAIN, ("a", ""): made("a2")}, now=NOW)
    assert states(found) == {("a", ""): "fresh", ("b", ""): "stale", ("c", ""): "stale"}
    assert found["b", ""].reasons == ("upstream a changed",)


def test_the_same_content_made_again_makes_nothing_stale() -> None:
    again = {**FRESH_CHAIN, ("a", ""): made("a1", code="1")}
    assert set(states(staleness(CHAIN, again, now=NOW)).values()) == {"fresh"}


def test_changed_code_makes_stale_and_is_said() -> None:
    changed = definitions([spec("a", code_version="2"), spec("b", "a"), spec("c", "b")])
    found = staleness(changed, FRESH_CHAIN, now=NOW)
    assert found["a", ""].reasons == ("code changed",)
    assert found["b", ""].reasons == ("upstream a is stale",)


def test_a_new_and_a_lost_dependency_make_stale() -> None:
    other = definitions([spec("a"), spec("new"), spec("b", "a", "new"), spec("c")])
    recorded = {**FRESH_CHAIN, ("new", ""): made("n1")}
    found = staleness(other, recorded, now=NOW)
    assert found["b", ""].reasons == ("upstream new changed",)
    assert found["c", ""].reasons == ("does not depend on b any more",)


def test_what_is_not_selected_is_not_made_and_does_not_count_as_changing() -> None:
    changed = definitions([spec("a", code_version="2"), spec("b", "a"), spec("c", "b")])
    assert set(to_make(changed, FRESH_CHAIN, ["a", "b", "c"], now=NOW)) == {("a", ""), ("b", ""), ("c", "")}
    assert not to_make(changed, FRESH_CHAIN, ["b", "c"], now=NOW)
    assert set(to_make(changed, FRESH_CHAIN, ["a"], now=NOW)) == {("a", "")}


def test_external_assets_are_compared_where_they_are_recorded() -> None:
    outside = definitions([spec("feed", external=True), spec("b", "feed")])
    assert states(staleness(outside, {("b", ""): made("b1")}, now=NOW)) == {("b", ""): "fresh"}
    recorded = {("feed", ""): made("f2"), ("b", ""): made("b1", {"feed": "f1"})}
    assert staleness(outside, recorded, now=NOW)["b", ""].reasons == ("upstream feed changed",)


def test_partitions_are_told_apart() -> None:
    lake = definitions([spec("a", partitions=DAYS), spec("b", "a", partitions=DAYS), spec("whole", "a")])
    recorded = {("a", day): made(f"a{day}") for day in keys(DAYS, NOW)}
    recorded |= {("b", day): made("b", {f"a/{day}": f"a{day}"}) for day in keys(DAYS, NOW)}
    recorded["whole", ""] = made("w", {f"a/{day}": f"a{day}" for day in keys(DAYS, NOW)})
    assert set(states(staleness(lake, recorded, now=NOW)).values()) == {"fresh"}
    recorded["a", "2025-01-03"] = made("other")
    found = staleness(lake, recorded, now=NOW)
    assert {pair for pair, one in found.items() if not one.is_fresh} == {("b", "2025-01-03"), ("whole", "")}
    assert found["b", "2025-01-03"].reasons == ("upstream a changed",)
    assert found["whole", ""].reasons == ("upstream a[2025-01-03] changed",)
    del recorded["a", "2025-01-04"], recorded["a", "2025-01-05"]
    assert "upstream a (2 partitions) is missing" in staleness(lake, recorded, now=NOW)["whole", ""].reasons


def test_what_is_made_together_is_made_again_together() -> None:
    both = definitions(
        [
            spec("feed"),
            spec("left", step="split"),
            spec("right", "feed", step="split"),
            spec("of_left", "left"),
        ]
    )
    recorded = {
        ("feed", ""): made("f2"),
        ("left", ""): made("l1"),
        ("right", ""): made("r1", {"feed": "f1"}),
        ("of_left", ""): made("o1", {"left": "l1"}),
    }
    found = to_make(both, recorded, ["feed", "left", "right", "of_left"], now=NOW)
    assert set(found) == {("left", ""), ("right", ""), ("of_left", "")}
    assert found["left", ""].reasons == ("made together with right",)
    assert found["of_left", ""].reasons == ("upstream left is stale",)
    assert not to_make(both, recorded, ["left", "of_left"], now=NOW), "right is not selected: the step does not run"
    assert states(staleness(both, recorded, now=NOW))["left", ""] == "fresh"


def test_a_run_of_what_is_stale_makes_exactly_that() -> None:
    lake = definitions([spec("a", partitions=DAYS), spec("b", "a", partitions=DAYS), spec("c")])
    recorded = {("a", day): made("1") for day in keys(DAYS, NOW)} | {("c", ""): made("1")}
    recorded |= {("b", day): made("1", {f"a/{day}": "1"}) for day in keys(DAYS, NOW)[:3]}
    stale = to_make(lake, recorded, ["a", "b", "c"], now=NOW)
    plan = plan_assets(lake, ["a", "b", "c"], now=NOW, only=stale.keys())
    assert [(step.key, step.expansion) for step in plan.steps] == [("b", LabelExpansion(("2025-01-04", "2025-01-05")))]


def test_partitions_that_were_not_asked_for_are_not_made_and_make_nothing_stale() -> None:
    lake = definitions([spec("a", partitions=DAYS), spec("year", "a")])
    first, *others = keys(DAYS, NOW)
    recorded = {("a", first): made("1"), ("year", ""): made("1", {f"a/{first}": "1"})}
    assert to_make(lake, recorded, ["a", "year"], now=NOW, partitions=first) == {}
    assert set(to_make(lake, recorded, ["a", "year"], now=NOW, partitions=others[0])) == {
        ("a", others[0]),
        ("year", ""),
    }
    assert set(to_make(lake, recorded, ["a", "year"], now=NOW)) == {("a", day) for day in others} | {("year", "")}


class Verdict(NamedTuple):
    passed: bool
    at: float
    outcome: str = ""


def test_blocking_checks_that_have_not_passed_since_are_unproven() -> None:
    lake = definitions(
        [spec("a"), spec("b", partitions=DAYS), spec("feed", external=True)],
        [
            check("a", "good", blocking=True),
            check("a", "nice"),
            check("b", "good", blocking=True),
            check("feed", "good", blocking=True),
        ],
    )
    made_at = {("a", ""): 5.0} | {("b", day): 5.0 for day in keys(DAYS, NOW)[:4]}
    verdicts = {
        ("a", "nice", ""): Verdict(False, 6.0),
        ("b", "good", "2025-01-01"): Verdict(True, 6.0),
        ("b", "good", "2025-01-02"): Verdict(True, 4.0),
        ("b", "good", "2025-01-03"): Verdict(False, 6.0),
        ("b", "gone", "2025-01-03"): Verdict(False, 6.0),
    }
    late = {("b:good", f"2025-01-0{day}") for day in (2, 3, 4)}
    assert unproven_checks(lake, made_at, verdicts) == {("a:good", ""), *late}
    verdicts |= {("a", "good", ""): Verdict(True, 5.0), ("feed", "good", ""): Verdict(False, 1.0)}
    assert unproven_checks(lake, made_at, verdicts) == {("feed:good", ""), *late}
    verdicts["feed", "good", ""] = Verdict(False, 1.0, "warned")
    assert unproven_checks(lake, made_at, verdicts) == late
    assert not unproven_checks(CHAIN, made_at, verdicts)


# -- against the reference

MAPPINGS: dict[tuple[bool, bool], list[PartitionMapping | None]] = {
    (True, True): [None, TimeWindow(-1, -1), TimeWindow(-2, 0), AllPartitions(), LastPartition()],
    (True, False): [None, AllPartitions(), LastPartition()],
}


@st.composite
def lakes(draw: st.DrawFn) -> tuple[Definitions, dict[Pair, Recorded]]:
    """A few assets over each other, and something recorded of some of them."""
    assets: list[AssetSpec] = []
    recorded: dict[Pair, Recorded] = {}
    for number in range(draw(st.integers(1, 6))):
        partitions: Partitions | None = draw(st.sampled_from([None, DAYS, REGIONS]))
        deps = []
        for up in assets:
            if draw(st.booleans()):
                deps.append(AssetDep(up.key, draw(st.sampled_from(_mappings(up.partitions, partitions)))))
        external = draw(st.integers(0, 5)) == 0
        one = spec(f"a{number}", *deps, partitions=partitions, external=external)
        assets.append(one)
        for partition in keys(partitions, NOW) if partitions else [""]:
            if draw(st.integers(0, 3)):
                recorded[one.key, partition] = draw(_records(one, recorded))
    return definitions(assets), recorded


def _mappings(up: Partitions | None, own: Partitions | None) -> list[PartitionMapping | None]:
    if up is None:
        return [None]
    if up is DAYS and own is DAYS:
        return MAPPINGS[True, True]
    return [None] if up is own else MAPPINGS[True, False][0 if own is None else 1 :]


def _records(one: AssetSpec, recorded: dict[Pair, Recorded]) -> st.SearchStrategy[Recorded]:
    """Mostly what the upstreams are now, so that much is fresh."""
    labels = {
        (f"{asset}/{partition}" if partition else asset): known.data_version
        for (asset, partition), known in recorded.items()
        if any(dep.asset == asset for dep in one.deps)
    }
    inputs = st.just(labels)
    if labels:
        inputs |= st.dictionaries(st.sampled_from([*labels, "gone"]), st.sampled_from("12"))
    return st.builds(Recorded, st.sampled_from("12"), st.sampled_from(["1", "1", "1", "2", ""]), inputs)


class Reference:
    """The definition of freshness, word for word."""

    def __init__(self, lake: Definitions, recorded: Mapping[Pair, Recorded], within: Collection[str] | None) -> None:
        self.assets = {one.key: one for one in lake.assets}
        self.recorded = recorded
        self.within = within

    def state(self, asset: str, partition: str) -> str:
        one = self.assets[asset]
        record = self.recorded.get((asset, partition))
        if record is None:
            return "missing"
        changed = record.code_version not in ("", one.code_version)
        for label in record.inputs:
            changed |= label.partition("/")[0] not in {dep.asset for dep in one.deps}
        for dep in one.deps:
            up = self.assets[dep.asset]
            needed = [""]
            if up.partitions is not None:
                needed = upstream_keys(dep.mapping, up.partitions, one.partitions, partition or None, NOW)
            for key in needed:
                known = self.recorded.get((up.key, key))
                label = f"{up.key}/{key}" if key else up.key
                changed |= known is not None and record.inputs.get(label) != known.data_version
                made_again = self.within is None or up.key in self.within
                changed |= made_again and not up.external and self.state(up.key, key) != "fresh"
        return "stale" if changed else "fresh"

    def all(self) -> dict[Pair, str]:
        return {
            (one.key, partition): self.state(one.key, partition)
            for one in self.assets.values()
            if not one.external
            for partition in (keys(one.partitions, NOW) if one.partitions else [""])
        }


@given(lakes())
def test_states_are_those_of_the_reference(lake: tuple[Definitions, dict[Pair, Recorded]]) -> None:
    defined, recorded = lake
    found = staleness(defined, recorded, now=NOW)
    assert states(found) == Reference(defined, recorded, None).all()
    assert all(bool(one.reasons) != one.is_fresh for one in found.values())


@given(lakes(), st.data())
def test_what_a_run_makes_is_that_of_the_reference(
    lake: tuple[Definitions, dict[Pair, Recorded]], data: st.DataObject
) -> None:
    defined, recorded = lake
    selected = data.draw(st.sets(st.sampled_from([one.key for one in defined.assets])))
    wanted = Reference(defined, recorded, selected).all()
    found = to_make(defined, recorded, selected, now=NOW)
    assert states(found) == {p: state for p, state in wanted.items() if p[0] in selected and state != "fresh"}


@given(lakes(), st.data())
def test_asking_for_some_gives_the_same_states(
    lake: tuple[Definitions, dict[Pair, Recorded]], data: st.DataObject
) -> None:
    defined, recorded = lake
    whole = staleness(defined, recorded, now=NOW)
    some = data.draw(st.sets(st.sampled_from([one.key for one in defined.assets])))
    part = staleness(defined, recorded, now=NOW, assets=some)
    assert all(whole[pair] == one for pair, one in part.items())
    assert {pair for pair in whole if pair[0] in some} <= part.keys()


@pytest.mark.parametrize("count", [400])
def test_all_with_all_stays_affordable(count: int) -> None:
    days = daily("2024-01-01", end="2025-02-04")
    assert len(keys(days, NOW)) == count
    lake = definitions([spec("a", partitions=days), spec("b", AssetDep("a", AllPartitions()), partitions=days)])
    inputs = {f"a/{day}": "1" for day in keys(days, NOW)}
    recorded = {("a", day): made("1") for day in keys(days, NOW)}
    recorded |= {("b", day): made("1", inputs) for day in keys(days, NOW)}
    assert not to_make(lake, recorded, ["a", "b"], now=NOW)
    recorded["a", "2024-02-29"] = made("2")
    assert len(to_make(lake, recorded, ["a", "b"], now=NOW)) == count
