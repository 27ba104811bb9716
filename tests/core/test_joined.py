"""Definitions of several locations as one, and the plans over them."""

from __future__ import annotations

from batuta.core.asset_plan import plan_assets
from batuta.core.columns import Column
from batuta.core.definitions import AssetDep, AssetSpec, AssetStep, CheckSpec, Definitions
from batuta.core.joined import joined
from tests.core.asset_definitions import NOW

PYTHON = Definitions(
    location="python",
    assets=(
        AssetSpec("bronze.pay", "bronze.pay", layer="bronze"),
        AssetSpec("gold.revenue", external=True),
        AssetSpec("report", "report", deps=(AssetDep("gold.revenue"),)),
    ),
    asset_steps=(AssetStep("bronze.pay"), AssetStep("report")),
    checks=(),
    layers=("bronze", "silver", "gold"),
)
DBT = Definitions(
    location="warehouse",
    assets=(
        AssetSpec("bronze.pay", external=True, description="Payments as they came", columns=(Column("id", "bigint"),)),
        AssetSpec("silver.pay", "silver.pay", deps=(AssetDep("bronze.pay"),), layer="silver"),
        AssetSpec("gold.revenue", "gold.revenue", deps=(AssetDep("silver.pay"),), layer="gold", description="Euros"),
    ),
    asset_steps=tuple(AssetStep(key) for key in ("silver.pay", "gold.revenue", "bronze.pay:unique", "silver.pay:unit")),
    checks=(
        CheckSpec("bronze.pay", "unique", "bronze.pay:unique", blocking=True, deps=(AssetDep("bronze.pay"),)),
        CheckSpec("silver.pay", "unit", "silver.pay:unit", blocking=True, before=True),
    ),
)


def test_one_asset_for_who_makes_it_and_who_reads_it() -> None:
    both = joined([PYTHON, DBT])
    assert both.locations == {
        "bronze.pay": "python",
        "gold.revenue": "warehouse",
        "report": "python",
        "silver.pay": "warehouse",
    }
    specs = both.index().assets
    assert (specs["bronze.pay"].step, specs["bronze.pay"].external) == ("bronze.pay", False)
    assert (specs["bronze.pay"].description, specs["bronze.pay"].columns) == (
        "Payments as they came",
        (Column("id", "bigint"),),
    )
    assert specs["gold.revenue"].description == "Euros"
    assert both.index().select("+report") == ("bronze.pay", "silver.pay", "gold.revenue", "report")
    assert both.index().select("location:warehouse") == ("silver.pay", "gold.revenue")


def test_a_plan_over_both_says_where_each_step_runs_and_what_it_waits_for() -> None:
    plan = plan_assets(joined([PYTHON, DBT]).index(), ["report", "gold.revenue", "silver.pay", "bronze.pay"], now=NOW)
    assert {step.key: step.location for step in plan.steps} == {
        "bronze.pay": "python",
        "bronze.pay:unique": "warehouse",
        "silver.pay:unit": "warehouse",
        "silver.pay": "warehouse",
        "gold.revenue": "warehouse",
        "report": "python",
    }
    waits = {step.key: [edge.step for edge in step.upstream] for step in plan.steps}
    assert waits["silver.pay"] == ["bronze.pay", "bronze.pay:unique", "silver.pay:unit"]
    assert waits["silver.pay:unit"] == ["bronze.pay", "bronze.pay:unique"]
    assert waits["gold.revenue"] == ["silver.pay"]  # the check has held back silver.pay itself
    assert waits["report"] == ["gold.revenue"]


def test_of_one_location_nothing_changes() -> None:
    alone = joined([DBT])
    assert alone.definitions is DBT
    assert {step.location for step in plan_assets(alone.index(), ["silver.pay"], now=NOW).steps} == {""}


def test_a_check_that_comes_before_is_no_proof_of_the_data() -> None:
    from batuta.core.staleness import unproven_checks

    index = joined([PYTHON, DBT]).index()
    assert unproven_checks(index, {("silver.pay", ""): 5.0, ("bronze.pay", ""): 5.0}, {}) == {("bronze.pay:unique", "")}
    plan = plan_assets(index, ["gold.revenue"], now=NOW, unproven=[("silver.pay:unit", "")])
    assert [step.key for step in plan.steps] == ["gold.revenue"]


def test_what_comes_before_and_after_the_steps_of_a_location() -> None:
    import msgspec

    framed = msgspec.structs.replace(
        DBT,
        asset_steps=(
            *(AssetStep(step.key, before="warehouse:start", after="warehouse:end") for step in DBT.asset_steps),
            AssetStep("warehouse:start"),
            AssetStep("warehouse:end"),
        ),
    )
    index = joined([PYTHON, framed]).index()
    plan = plan_assets(index, ["bronze.pay", "silver.pay", "gold.revenue", "report"], now=NOW)
    steps = {step.key: step for step in plan.steps}
    assert [edge.step for edge in steps["gold.revenue"].upstream] == ["warehouse:start", "silver.pay"]
    assert [edge.step for edge in steps["report"].upstream] == ["gold.revenue"]
    assert {edge.step for edge in steps["warehouse:end"].upstream} == {step.key for step in DBT.asset_steps}
    assert steps["warehouse:end"].trigger_rule == "all_done"
    assert {steps[name].location for name in ("warehouse:start", "warehouse:end")} == {"warehouse"}
    assert "warehouse:start" not in {
        step.key for step in plan_assets(index, ["bronze.pay"], checks=False, now=NOW).steps
    }
