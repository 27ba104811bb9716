"""Assets bound to each other: what feeds parameters, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from batuta.authoring.asset_graph import AssetGraph
from batuta.authoring.assets import AssetIn, AssetOut, asset, check, external_asset, multi_asset
from batuta.authoring.context import StepContext
from batuta.authoring.partitions import AllPartitions, Identity, LastPartition, TimeWindow, daily, monthly, static
from batuta.authoring.resources import Resources
from batuta.core import definitions as defs
from batuta.core.definitions import AssetDep, AssetSpec, Definitions
from batuta.core.errors import (
    BatutaError,
    CycleError,
    DefinitionError,
    DuplicateKeyError,
    InvariantError,
    LayerError,
    UnknownDependencyError,
)
from batuta.io import MemoryIO

HERE = __file__
LAYERS = ("bronze", "silver", "gold")


def specs(*definitions: Any) -> dict[str, AssetSpec]:
    return {spec.key: spec for spec in AssetGraph.of(definitions).specs(LAYERS)[0]}


def made(key: str, fn: Any = None, **options: Any) -> Any:
    return asset(key, **options)(fn or (lambda: None))


def refused(*definitions: Any) -> BatutaError:
    with pytest.raises(DefinitionError) as caught:
        AssetGraph.of(definitions).specs(LAYERS)
    assert HERE in str(caught.value), "it says where"
    return caught.value


RATES = made("silver.rates")
BRONZE = made("bronze.payments")


def test_parameters_are_fed_by_key_last_part_or_underscores() -> None:
    found = specs(
        RATES,
        BRONZE,
        made("whole"),
        made("a", lambda whole, rates: None),
        made("b", lambda bronze__payments: None),
    )
    assert [dep.asset for dep in found["a"].deps] == ["whole", "silver.rates"]
    assert found["b"].deps == (AssetDep("bronze.payments"),)


def test_an_asset_never_feeds_itself() -> None:
    found = specs(BRONZE, made("silver.payments", lambda payments: None))
    assert found["silver.payments"].deps == (AssetDep("bronze.payments"),)


def test_ins_and_deps_say_it_outright() -> None:
    found = specs(
        RATES,
        BRONZE,
        made("feed"),
        made("a", lambda x, y: None, ins={"x": RATES, "y": AssetIn("bronze.payments", loads=False)}, deps=["feed"]),
    )
    assert found["a"].deps == (
        AssetDep("silver.rates"),
        AssetDep("bronze.payments", None, False),
        AssetDep("feed", None, False),
    )


def test_deps_take_assets_keys_and_multi_assets() -> None:
    @multi_asset(outs=["left", "right"])
    def both() -> None: ...

    found = specs(RATES, both, made("a", deps=[RATES, both, AssetIn("left")]), made("b", deps=[both["left"]]))
    assert [dep.asset for dep in found["a"].deps] == ["silver.rates", "left", "right"]
    assert not any(dep.loads for dep in found["a"].deps)
    assert found["b"].deps == (AssetDep("left", None, False),)


def test_context_config_resources_and_defaults_are_no_dependencies() -> None:
    def function(context: Any, own: StepContext, db: Any, rates: Any, unknown: int = 3) -> None: ...

    graph = AssetGraph.of([RATES, made("a", function), Resources(db="a database")])
    binding = graph.binding_of(graph.makers["a"])
    assert [(fed.parameter, fed.kind) for fed in binding.fed] == [
        ("context", "context"),
        ("own", "context"),
        ("db", "resource"),
        ("rates", "asset"),
    ]


def test_a_parameter_that_nothing_feeds_is_refused_with_the_nearest_name() -> None:
    error = refused(RATES, made("a", lambda ratse: None))
    assert isinstance(error, UnknownDependencyError)
    assert "'a' has a parameter 'ratse'" in error.what
    assert "rates" in (error.hint or "")


def test_all_parameters_that_nothing_feeds_are_told_at_once() -> None:
    error = refused(made("a", lambda x: None), made("b", lambda y: None))
    assert "2 parameters" in error.what
    assert "'x'" in error.what
    assert "'y'" in error.what


@pytest.mark.parametrize(
    ("definitions", "kind", "told"),
    [
        ([made("a", deps=["silver.rates"]), made("silver.rate")], UnknownDependencyError, "did you mean 'silver.rate'"),
        ([made("a", deps=["b"]), made("b", deps=["c"]), made("c", deps=["a"])], CycleError, "a -> "),
        ([made("a", lambda b: None), made("b", lambda a: None)], CycleError, "a cycle of 2"),
        ([made("a", layer="bronze", deps=["b"]), made("b", layer="gold")], LayerError, "'a' (layer bronze) depends on"),
        ([made("a", layer="sliver")], LayerError, "did you mean 'silver'"),
        ([made("a", lambda payments: None), BRONZE, made("gold.payments")], DefinitionError, "any of 2 assets"),
        ([made("a", lambda db: None), made("db"), Resources(db=1)], DefinitionError, "an asset and of a resource"),
        ([made("a", ins={"x": "b"}), made("b")], DefinitionError, "has no parameter 'x'"),
        ([made("a", deps=[7])], DefinitionError, "7 is not an asset"),
        ([made("a", io_manager="fsat"), Resources(fast=MemoryIO())], DefinitionError, "did you mean 'fast'"),
        ([made("a", io_manager=3)], DefinitionError, "cannot store anything"),
        ([made("a", partition_mappings={"b": Identity()}), made("b")], DefinitionError, "does not depend"),
        ([made("a", partitions=daily("2025-13-01"))], DefinitionError, "start"),
        ([made("a", checks=[3])], DefinitionError, "is no check"),
    ],
)
def test_what_contradicts_itself_is_refused(definitions: list[Any], kind: type[BatutaError], told: str) -> None:
    error = refused(*definitions)
    assert type(error) is kind
    assert told in str(error)


def test_partition_mappings_are_checked_against_both_sides() -> None:
    days, regions = daily("2025-01-01"), static(["eu"])
    error = refused(made("a", partitions=regions), made("b", partitions=days, deps=["a"]))
    assert "'b' on 'a'" in str(error)
    assert "mapping" in str(error)
    error = refused(made("a"), made("b", partitions=days, deps=["a"], partition_mappings={"a": TimeWindow()}))
    assert "upstream is not partitioned" in str(error)


def test_mappings_are_given_by_key_asset_parameter_or_asset_in() -> None:
    days = daily("2025-01-01")
    up = made("silver.up", partitions=days)
    last, whole = LastPartition(), AllPartitions()
    found = specs(
        up,
        made("a", lambda x: None, ins={"x": up}, partition_mappings={"x": last}),
        made("b", lambda up: None, partition_mappings={"silver.up": last}),
        made("c", lambda up: None, partitions=days, partition_mappings={up: whole}),
        made("d", deps=[AssetIn(up, mapping=last)]),
        made("e", lambda up: None, partitions=monthly("2025-01-01")),
    )
    assert [found[key].deps[0].mapping for key in "abcde"] == [last, last, whole, last, None]


def test_two_definitions_of_one_key_are_refused_with_both_places() -> None:
    first, second = made("a"), made("a")
    with pytest.raises(DuplicateKeyError) as caught:
        AssetGraph.of([first, second])
    assert str(first.place) in str(caught.value)
    assert str(second.place) in str(caught.value)
    AssetGraph.of([first, first])  # imported by two modules


def test_checks_of_what_does_not_exist_are_refused() -> None:
    @check("silver.rate")
    def positive(value: Any) -> None: ...

    error = refused(RATES, positive)
    assert "check 'positive' is of 'silver.rate', which does not exist" in str(error)
    assert "did you mean 'silver.rates'" in str(error)


def test_the_first_parameter_of_a_check_is_its_asset() -> None:
    @check(RATES)
    def against(payments: Any, bronze__payments: Any, context: Any) -> None: ...

    graph = AssetGraph.of([RATES, BRONZE, against])
    spec = graph.specs(LAYERS)[2][0]
    assert spec.deps == (AssetDep("silver.rates"), AssetDep("bronze.payments"))
    assert (spec.key, spec.step) == ("silver.rates:against", "silver.rates:against")


def test_checks_listed_by_an_asset_are_its_own() -> None:
    def not_empty(value: Any) -> bool:
        return bool(value)

    @check(blocking=True)
    def reusable(value: Any) -> bool:
        return bool(value)

    first, second = (made(key, checks=[not_empty, reusable]) for key in ("a", "b"))
    graph = AssetGraph.of([first, second, reusable])
    assert sorted(graph.checks) == ["a:not_empty", "a:reusable", "b:not_empty", "b:reusable"]
    assert graph.checks["b:reusable"].blocking
    assert not graph.checks["b:not_empty"].blocking
    with pytest.raises(DuplicateKeyError):
        AssetGraph.of([first, check("a", name="not_empty")(lambda value: True)])


def test_a_blocking_check_must_not_wait_for_what_waits_for_it() -> None:
    up, down = made("up"), made("down", deps=["up"])
    late = check(up, name="late", blocking=True)(lambda value, down: True)
    error = refused(up, down, late)
    assert isinstance(error, CycleError)
    AssetGraph.of([up, down, check(up, name="late")(lambda value, down: True)]).specs(LAYERS)


def test_multi_assets_share_a_step_and_say_what_each_depends_on() -> None:
    @multi_asset(outs={"left": AssetOut(deps=["a"]), "right": AssetOut("silver.right")}, name="split")
    def split(a: Any, b: Any) -> None: ...

    graph = AssetGraph.of([made("a"), made("b"), split, made("c", lambda right: None)])
    assets, steps, _ = graph.specs(LAYERS)
    found = {one.key: one for one in assets}
    assert found["left"].deps == (AssetDep("a"),)
    assert found["silver.right"].deps == (AssetDep("a"), AssetDep("b"))
    assert found["left"].step == found["silver.right"].step == "split"
    assert [step.key for step in steps] == ["a", "b", "c", "split"]
    with pytest.raises(DuplicateKeyError, match="called like an asset"):
        AssetGraph.of([made("a"), made("b"), split, made("split")]).specs(LAYERS)


def test_a_cycle_through_the_steps_of_multi_assets_is_refused() -> None:
    @multi_asset(outs={"x": AssetOut(deps=[]), "y": AssetOut(deps=["z"])})
    def both(z: Any) -> None: ...

    assert isinstance(refused(both, made("z", deps=["x"])), CycleError)


def test_specs_survive_json() -> None:
    days = daily("2025-01-01", timezone="Europe/Berlin")
    found = AssetGraph.of(
        [
            external_asset("feed", metadata={"rows": 3}, kinds="api"),
            made(
                "a",
                deps=["feed"],
                partitions=days,
                owners="me",
                kinds=["sql"],
                tags={"pii": "yes"},
                metadata={"x": [1]},
            ),
            made(
                "b", lambda a: None, partitions=days, partition_mappings={"a": TimeWindow(-1, -1)}, retries=2, pool="db"
            ),
            check("b", name="ok")(lambda value: True),
        ]
    ).specs(LAYERS)
    definitions = Definitions(assets=found[0], asset_steps=found[1], checks=found[2])
    assert defs.decode(defs.encode(definitions)) == definitions
    spec = {one.key: one for one in found[0]}
    assert (spec["a"].owners, spec["a"].tags, spec["feed"].external) == (("me",), {"pii": "yes"}, True)
    assert (spec["feed"].step, spec["feed"].code_version) == ("", "")


def test_code_of_unknown_steps_is_a_broken_invariant() -> None:
    with pytest.raises(InvariantError, match="no asset step 'x'"):
        AssetGraph.of([made("a")]).code("x")


def test_a_resource_cannot_be_given_twice() -> None:
    with pytest.raises(DuplicateKeyError, match="two resources are called 'db'"):
        AssetGraph.of([Resources(db=1), Resources(db=2)])
