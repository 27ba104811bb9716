"""Names that two locations define."""

from __future__ import annotations

from batuta.core.clashes import Taken, without_taken
from batuta.core.definitions import AssetDep, AssetSpec, AssetStep, CheckSpec, Definitions, JobSpec
from batuta.core.place import Place
from batuta.core.schedule_specs import Cron, ScheduleSpec


def of(location: str, *names: str, external: bool = False) -> Definitions:
    return Definitions(
        location=location,
        jobs=tuple(JobSpec(name, "dag") for name in names),
        schedules=tuple(ScheduleSpec(name, Cron(("@daily",)), job=name) for name in names),
        assets=tuple(AssetSpec(name, step="" if external else f"step-{name}", external=external) for name in names),
        asset_steps=() if external else tuple(AssetStep(f"step-{name}") for name in names),
        checks=() if external else tuple(CheckSpec(name, "fine", f"check-{name}") for name in names),
    )


def test_the_first_has_the_name() -> None:
    taken = Taken()
    assert without_taken(of("one", "a", "b"), taken) == (of("one", "a", "b"), ())
    left, problems = without_taken(of("two", "b", "c"), taken)
    assert [job.name for job in left.jobs] == ["c"]
    assert [spec.name for spec in left.schedules] == ["c"]
    assert [spec.key for spec in left.assets] == ["c"]
    assert [step.key for step in left.asset_steps] == ["step-c"]
    assert [check.asset for check in left.checks] == ["c"]
    assert [problem.message.partition(" is")[0] for problem in problems] == ["job 'b'", "schedule 'b'", "asset 'b'"]


def test_an_asset_made_elsewhere_may_be_named() -> None:
    taken = Taken()
    without_taken(of("one", "a"), taken)
    left, problems = without_taken(of("two", "a", external=True), taken)
    assert [spec.key for spec in left.assets] == ["a"]
    assert len(problems) == 2  # of the job and the schedule


def test_steps_that_make_several_assets_have_names_too() -> None:
    taken = Taken()
    many = Definitions(
        location="one", assets=(AssetSpec("a", "both"), AssetSpec("b", "both")), asset_steps=(AssetStep("both"),)
    )
    assert without_taken(many, taken) == (many, ())
    other = Definitions(location="two", assets=(AssetSpec("c", "both"),), asset_steps=(AssetStep("both"),))
    left, problems = without_taken(other, taken)
    assert (left.assets, left.asset_steps) == ((), ())
    assert [problem.message.partition(" is")[0] for problem in problems] == ["asset step 'both'"]


def test_a_circle_through_two_locations_leaves_out_the_second() -> None:
    taken = Taken()
    python = Definitions(
        location="python",
        assets=(
            AssetSpec("gold", external=True),
            AssetSpec("bronze", "bronze", deps=(AssetDep("gold"),)),
        ),
    )
    assert without_taken(python, taken) == (python, ())
    dbt = Definitions(
        location="dbt",
        assets=(
            AssetSpec("bronze", external=True),
            AssetSpec("silver", "silver", deps=(AssetDep("bronze"),), place=Place("silver.sql", 1)),
            AssetSpec("gold", "gold", deps=(AssetDep("silver"),), place=Place("gold.sql", 1)),
        ),
        asset_steps=(AssetStep("silver"), AssetStep("gold")),
    )
    left, (problem,) = without_taken(dbt, taken)
    assert (left.assets, left.asset_steps) == ((), ())
    assert "all assets of location 'dbt' are left out" in problem.message
    assert "bronze" in problem.message
    assert "silver" in problem.message
    assert problem.hint
    assert "gold" not in {key for key, spec in taken.assets.items() if spec.step}
