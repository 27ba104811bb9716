"""Automation, freshness and asset triggers as they are written: what they become, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

import batuta
from batuta import DAG, Automation, Freshness, asset, check, external_asset, flow, multi_asset, on_assets
from batuta.authoring.collected import Found, collect
from batuta.core import conditions as c
from batuta.core.asset_triggers import OnAll, OnAny, OnAsset, TriggeringEvent
from batuta.core.condition_recipes import eager
from batuta.core.definitions import AssetSpec, Definitions
from batuta.core.errors import DefinitionError
from batuta.core.freshness import FreshnessPolicy


def defined(*what: Any) -> Definitions:
    module = ModuleType("somewhere")
    for number, one in enumerate(what):
        setattr(module, f"name{number}", one)
    found = Found()
    collect(found, module)
    return found.definitions("here", ("bronze", "silver", "gold"), ())


def spec_of(key: str, *what: Any) -> AssetSpec:
    return next(spec for spec in defined(*what).assets if spec.key == key)


@asset
def orders() -> int:
    return 1


@asset("silver.rates")
def rates() -> int:
    return 1


# ---- assets ----


def test_an_asset_says_when_it_is_made_and_how_fresh_it_is() -> None:
    @asset(automation=Automation.eager(), freshness=Freshness(max_age=timedelta(hours=26)))
    def table(orders: int) -> int:
        return orders

    spec = spec_of("table", orders, table)
    assert spec.automation == eager()
    assert spec.freshness == FreshnessPolicy(max_age_s=26 * 3600)


def test_freshness_by_a_time_of_the_day() -> None:
    given = Freshness(by="0 9 * * *", timezone="Europe/Madrid", within=timedelta(hours=3))
    assert given.policy == FreshnessPolicy(None, "0 9 * * *", "Europe/Madrid", 10800)
    source = external_asset("source", freshness=given)
    assert spec_of("source", source).freshness == given.policy


def test_each_out_of_a_multi_asset_may_have_its_own() -> None:
    outs = {"left": batuta.AssetOut(automation=Automation.missing()), "right": None}

    @multi_asset(outs=outs, automation=Automation.eager(), freshness=Freshness(3600))
    def both() -> None: ...

    left, right = defined(both).assets
    assert (left.automation, right.automation) == (c.Missing(), eager())
    assert left.freshness == right.freshness == FreshnessPolicy(3600)


def test_conditions_take_assets_and_names() -> None:
    assert Automation.any_dep_updated(orders, "silver.rates") == c.AnyDepUpdated(("orders", "silver.rates"))
    assert Automation.any_dep_updated(ignoring=[rates]) == c.AnyDepUpdated((), ("silver.rates",))
    assert Automation.any_dep(Automation.missing(), orders) == c.AnyDep(c.Missing(), ("orders",))
    assert Automation.all_deps_updated(ignoring="orders") == c.AllDepsNewer((), ("orders",))


@pytest.mark.parametrize("name", [name for name in vars(Automation) if not name.startswith("_")])
def test_each_condition_is_one(name: str) -> None:
    arguments: dict[str, list[Any]] = {
        "on_cron": ["@daily"],
        "cron_passed": ["@daily"],
        "all_deps_updated_since": ["@daily"],
        "any_dep": [c.Missing()],
        "all_deps": [c.Missing()],
    }
    made = getattr(Automation, name)(*arguments.get(name, ()))
    assert c.decode(c.encode(made)) == made
    assert c.text(made)


# ---- what is refused ----


def refused(**options: Any) -> str:
    @asset(deps=[orders], **options)
    def table() -> int:
        return 1

    with pytest.raises(DefinitionError) as caught:
        defined(orders, table)
    assert "test_automation.py" in str(caught.value)
    return str(caught.value)


def test_a_condition_that_is_none_is_refused_with_what_to_write() -> None:
    assert "write automation=Automation.eager()" in refused(automation="eager")
    assert "write automation=Automation.eager()" in refused(automation=Automation.eager)
    assert "another condition" in refused(automation=3)


def test_a_wrong_cron_in_a_condition_is_refused() -> None:
    assert "the hour cannot be '25'" in refused(automation=Automation.on_cron("0 25 * * *"))
    assert "unknown time zone" in refused(automation=Automation.cron_passed("@daily", "Madrid"))


def test_a_wrong_freshness_is_refused() -> None:
    assert "needs a greatest age or a time" in refused(freshness=Freshness())
    assert "not both" in refused(freshness=Freshness(60, by="@daily"))
    assert "max_age is -1" in refused(freshness=Freshness(-1))
    assert "within= means nothing without by=" in refused(freshness=Freshness(60, within=5))
    assert "freshness= is 26" in refused(freshness=26)


def test_conditions_about_what_is_not_there_are_refused() -> None:
    assert "without freshness=" in refused(automation=Automation.freshness_overdue())
    assert "it depends on orders" in refused(automation=Automation.any_dep_updated("silver.rates"))
    assert "did you mean 'orders'" in refused(automation=Automation.any_dep_updated("order"))
    assert "its checks are none" in refused(automation=Automation.check_failed("good"))
    assert "give 1 or more" in refused(automation=Automation.latest(0))


def test_the_name_of_a_check_is_compared_with_those_of_the_asset() -> None:
    @asset(automation=Automation.check_failed("god"))
    def table() -> int:
        return 1

    @check("table")
    def good(table: int) -> bool:
        return table > 0

    with pytest.raises(DefinitionError, match="did you mean 'good'"):
        defined(table, good)


def test_automation_is_not_made() -> None:
    with pytest.raises(DefinitionError, match="Automation is not made"):
        Automation()


# ---- jobs ----


@flow(schedule=orders & rates)
def settle() -> None: ...


def test_a_flow_is_started_by_assets() -> None:
    found = defined(orders, rates, settle)
    (trigger,) = found.asset_triggers
    assert (trigger.job, trigger.on) == ("settle", OnAll((OnAsset("orders"), OnAsset("silver.rates"))))
    assert trigger.place.file.endswith("test_automation.py")
    assert [job.schedule for job in found.jobs] == ["(orders & silver.rates)"]
    assert not found.problems


@pytest.mark.parametrize(
    ("given", "on"),
    [
        (orders, OnAsset("orders")),
        (on_assets("orders"), OnAsset("orders")),
        ([orders, rates], OnAll((OnAsset("orders"), OnAsset("silver.rates")))),
        (orders | rates, OnAny((OnAsset("orders"), OnAsset("silver.rates")))),
        (on_assets(any=["orders", rates]), OnAny((OnAsset("orders"), OnAsset("silver.rates")))),
        (on_assets("a", any=["b", "c"]), OnAll((OnAsset("a"), OnAny((OnAsset("b"), OnAsset("c")))))),
        (on_assets("a") & (on_assets("b") | "c"), OnAll((OnAsset("a"), OnAny((OnAsset("b"), OnAsset("c")))))),
        (on_assets(orders & "b", partitions="eu"), OnAll((OnAsset("orders", ("eu",)), OnAsset("b", ("eu",))))),
    ],
)
def test_the_ways_to_say_it(given: Any, on: Any) -> None:
    assert DAG("settle", schedule=given).triggers[0].on == on


def test_a_job_may_be_started_by_assets_and_by_the_clock() -> None:
    @flow(schedule=["0 6 * * *", on_assets("orders", params={"full": True}, tags=["late"], enabled=False)])
    def either(full: bool = False) -> None: ...

    found = defined(orders, either)
    assert [schedule.job for schedule in found.schedules] == ["either"]
    (trigger,) = found.asset_triggers
    assert (trigger.params, trigger.tags, trigger.enabled) == ({"full": True}, {"late": ""}, False)


def test_an_asset_that_is_not_there_is_a_problem_of_that_job_only() -> None:
    found = defined(orders, settle, DAG("other", schedule=orders))
    assert [trigger.job for trigger in found.asset_triggers] == ["other"]
    (problem,) = found.problems
    assert "'silver.rates', which does not exist" in problem.message
    assert problem.place.line > 0


def test_what_is_no_asset_is_refused() -> None:
    with pytest.raises(DefinitionError, match="without an asset"):
        on_assets()
    with pytest.raises(DefinitionError, match="neither an asset nor an expression"):
        on_assets(3)


def test_the_events_are_in_the_context() -> None:
    from batuta.authoring.context import StepContext

    config = {"triggering_events": [{"asset": "orders", "partition": "eu", "run_id": 3, "at": 1.5}]}
    context = StepContext(run_id=1, job="settle", step="settle", attempt=1, config=config)
    assert context.triggering_events == (TriggeringEvent("orders", "eu", 3, 1.5),)
    assert StepContext(run_id=1, job="settle", step="settle", attempt=1).triggering_events == ()
