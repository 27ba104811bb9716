"""What a dbt project becomes: from dbt's real manifest, and from small ones for what is odd."""

from __future__ import annotations

from typing import Any

import pytest

from batuta.bridges.dbt.describe import describe
from batuta.bridges.dbt.settings import DbtSettings, check_template
from batuta.bridges.dbt.targets import Described
from batuta.core.columns import Column
from batuta.core.definitions import AssetSpec, CheckSpec
from batuta.core.errors import DefinitionError
from batuta.core.glossary import Term
from batuta.core.partition_mapping import TimeWindow
from batuta.core.partitions import StaticPartitions, TimePartitions, daily
from tests.bridges.lake import Lake

# ---- of a real project ----


def specs(lake: Lake) -> dict[str, AssetSpec]:
    return lake.workspace.assets.index.assets


def test_models_are_assets_with_all_that_is_said_of_them(lake: Lake) -> None:
    payments = specs(lake)["silver.payments"]
    assert (payments.layer, payments.group, payments.owners) == ("silver", "sales", ("anna",))
    assert payments.tags == {"pii": "yes"}
    assert payments.kinds == ("dbt", "duckdb", "view")
    assert payments.description == "Payments, typed"
    assert payments.columns == (Column("amount", "", "In cents"),)
    assert [dep.asset for dep in payments.deps] == ["bronze.payments"]
    assert payments.place.file.endswith("dbt/models/silver/payments.sql")
    assert payments.metadata["dbt_node"] == "model.lake.payments"
    assert payments.metadata["relation"] == "lake.silver.payments"


def test_the_sql_of_a_model_is_known_before_it_has_run(lake: Lake) -> None:
    sql = specs(lake)["gold.revenue"].sql
    assert sql is not None
    assert sql.dialect == "duckdb"
    assert 'sum(amount * 1) as revenue from "lake"."silver"."payments"' in sql.text
    assert sql.tables == {"lake.silver.payments": "silver.payments"}
    twice = specs(lake)["gold.twice"].sql
    assert twice is not None
    assert "__dbt__cte__doubled" in twice.text
    assert twice.tables["lake.silver.payments"] == "silver.payments"
    growing = specs(lake)["gold.growing"].sql
    assert growing is not None
    assert "max(n)" not in growing.text


def test_a_source_is_the_asset_that_python_makes_of_that_name(lake: Lake) -> None:
    payments = specs(lake)["bronze.payments"]
    assert not payments.external
    assert payments.place.file.endswith("pipelines/assets.py")
    assert payments.description == "What the network sends"
    assert payments.columns == (Column("id", "integer", "The number"),)
    assert "gate" in [dep.asset for dep in specs(lake)["gold.gated"].deps]


def test_an_exposure_is_an_asset_that_somebody_else_makes(lake: Lake) -> None:
    board = specs(lake)["exposures.board"]
    assert (board.external, board.kinds, board.owners) == (True, ("dbt", "exposure", "dashboard"), ("ben@example.com",))
    assert [dep.asset for dep in board.deps] == ["gold.revenue"]
    assert board.metadata["url"] == "https://bi.example.com/board"


def test_tests_are_checks(lake: Lake) -> None:
    checks = lake.workspace.assets.index.checks
    unique = checks["gold.revenue:unique_revenue_day"]
    assert (unique.kind, unique.columns, unique.blocking, unique.severity) == ("unique", ("day",), True, "error")
    warns = checks["silver.payments:few_payments"]
    assert (warns.blocking, warns.severity, warns.kind) == (False, "warn", "")
    unit = checks["gold.revenue:sums"]
    assert (unit.before, unit.blocking) == (True, True)
    assert checks["bronze.payments:source_unique_bronze_payments_id"].deps[0].asset == "bronze.payments"


def test_partitions_and_what_they_are_made_from(lake: Lake) -> None:
    by_day = specs(lake)["gold.by_day"]
    assert by_day.partitions == daily("2025-01-01", end="2025-01-05")
    assert isinstance(specs(lake)["gold.batches"].partitions, TimePartitions)
    step = lake.workspace.assets.index.steps["gold.by_day"]
    assert (step.instances_max, step.location, step.task) == (1, "warehouse", "dbt:model")


def test_selections_over_both(lake: Lake) -> None:
    index = lake.workspace.assets.index
    assert index.select("kind:dbt,layer:silver") == ("silver.payments", "silver.doubled")
    assert set(index.select("location:lake")) == {"bronze.payments", "bronze.other", "report", "gate"}
    assert index.select("+report") == ("bronze.payments", "silver.payments", "gold.revenue", "report")
    assert index.select("tag:pii") == ("silver.payments",)


# ---- of a manifest made for the occasion ----

SETTINGS = DbtSettings("shop", "/shop", "/home", "/data", "/shop", layers=("bronze", "silver", "gold"))


def node(name: str, *ups: str, kind: str = "model", folder: str = "", **more: Any) -> dict[str, Any]:
    path = f"{folder}/{name}.sql" if folder else f"{name}.sql"
    config = {"materialized": "table", "meta": {}, **more.pop("config", {})}
    if meta := more.pop("batuta", None):
        config["meta"] = {"batuta": meta}
    return {
        "unique_id": f"{kind}.shop.{name}",
        "name": name,
        "resource_type": kind,
        "package_name": "shop",
        "path": path,
        "original_file_path": f"models/{path}",
        "schema": "main",
        "alias": name,
        "database": "db",
        "relation_name": f'"db"."main"."{name}"',
        "raw_code": "select 1",
        "checksum": {"checksum": "1"},
        "tags": [],
        "columns": {},
        "config": config,
        "depends_on": {"nodes": [f"model.shop.{up}" if "." not in up else up for up in ups], "macros": []},
        **more,
    }


def check_node(name: str, *ups: str, attached: str = "", severity: str = "ERROR") -> dict[str, Any]:
    made = node(name, *ups, kind="test", config={"severity": severity})
    return {**made, "attached_node": f"model.shop.{attached}" if attached else None}


def described(*nodes: dict[str, Any], settings: DbtSettings = SETTINGS, **more: Any) -> Described:
    manifest = {
        "metadata": {"project_name": "shop", "adapter_type": "duckdb"},
        "nodes": {one["unique_id"]: one for one in nodes},
        "sources": {},
        "exposures": {},
        "groups": {},
        "macros": {},
        **more,
    }
    return describe(manifest, settings, {"rate": 1}, {})


def keys(found: Described) -> list[str]:
    return [spec.key for spec in found.definitions.assets]


def test_the_layer_is_that_of_meta_or_tag_or_folder() -> None:
    found = described(
        node("a", batuta={"layer": "gold"}, folder="silver"),
        node("b", tags=["finance", "silver"], folder="gold"),
        node("c", folder="marts/gold/deep"),
        node("d", folder="staging"),
        node("e"),
        node("f", batuta={"asset": "mine.own"}),
        settings=DbtSettings("shop", "/shop", "/h", "/d", "/p", layers=SETTINGS.layers, folders={"staging": "bronze"}),
    )
    assert keys(found) == ["gold.a", "silver.b", "gold.c", "bronze.d", "e", "mine.own"]


def test_a_tag_names_a_term_of_the_glossary() -> None:
    terms: dict[str, str | Term] = {"payment": "Money."}
    settings = DbtSettings("shop", "/shop", "/h", "/d", "/p", layers=SETTINGS.layers, glossary=terms)
    assert described(node("a", tags=["term:payment"]), settings=settings).definitions.problems == ()
    (problem,) = described(node("a", tags=["term:paymnt"]), settings=settings).definitions.problems
    assert ("no such term" in problem.message, problem.hint) == (True, "did you mean 'payment'?")


def test_keys_can_be_told_otherwise() -> None:
    settings = DbtSettings("shop", "/shop", "/h", "/d", "/p", layers=SETTINGS.layers, keys="{package}.{schema}.{alias}")
    assert keys(described(node("a", version=2, folder="gold"), settings=settings)) == ["shop.main.a"]
    assert keys(described(node("a", version=2, folder="gold"))) == ["gold.a_v2"]
    with pytest.raises(DefinitionError, match="cannot be filled in"):
        check_template("{nmae}", ("name",), "keys", "batuta.toml")
    with pytest.raises(DefinitionError, match="gives all the same key"):
        check_template("fixed", ("name",), "keys", "batuta.toml")


def test_two_nodes_of_one_key_are_a_problem_of_the_second() -> None:
    found = described(node("a", batuta={"asset": "b"}), node("b"))
    assert keys(found) == ["b"]
    (problem,) = found.definitions.problems
    assert "model.shop.b and model.shop.a are both the asset 'b'" in problem.message
    assert problem.place.file == "/shop/models/b.sql"


@pytest.mark.parametrize(
    ("meta", "config", "told"),
    [
        ({"layr": "gold"}, {}, "unknown field `layr`"),
        ({"layer": "golden"}, {}, "there is no layer 'golden'"),
        ({"retries": "many"}, {}, "Expected `int`"),
        ({"retries": -1}, {}, "retries is negative"),
        ({"partitions": {"daily": "2025-01-01"}}, {}, "each would replace the others"),
        ({"partitions": {"dayly": "2025-01-01"}}, {"materialized": "incremental"}, "there are no 'dayly' partitions"),
        ({"partitions": "2025"}, {"materialized": "incremental"}, "is no definition of partitions"),
        ({"partitions": "batches"}, {"materialized": "incremental"}, "is no microbatch model"),
        ({"partitions": {"daily": "someday"}}, {"materialized": "incremental"}, "someday"),
        ({"freshness": "soon"}, {}, "'soon' is not a length of time"),
        ({"mappings": {"z": {"type": "all"}}}, {}, "mappings names 'z'"),
    ],
)
def test_mistakes_in_meta_are_problems_and_the_node_is_an_asset_all_the_same(
    meta: dict[str, Any], config: dict[str, Any], told: str
) -> None:
    found = described(node("a", batuta=meta, config=config))
    assert keys(found) == ["a"]
    assert any(told in problem.message for problem in found.definitions.problems), found.definitions.problems
    assert all(problem.place.file == "/shop/models/a.sql" for problem in found.definitions.problems)


def test_meta_says_how_a_step_runs_and_what_its_partitions_need() -> None:
    found = described(
        node("a", batuta={"partitions": {"static": ["eu", "us"]}}, config={"materialized": "incremental"}),
        node(
            "b",
            "a",
            batuta={
                "partitions": {"daily": {"start": "2025-01-01", "timezone": "Europe/Berlin"}},
                "mappings": {"a": {"type": "time_window", "start_offset": -5}},
                "retries": 2,
                "retry_delay": "30s",
                "timeout": "1h",
                "pools": ["db"],
                "priority": 3,
                "automation": "eager",
                "freshness": "26h",
            },
            config={"materialized": "incremental"},
        ),
    )
    assert found.definitions.problems == ()
    first, second = found.definitions.assets
    assert first.partitions == StaticPartitions(("eu", "us"))
    assert second.deps[0].mapping == TimeWindow(-5)
    assert second.automation is not None
    assert second.freshness is not None
    assert second.freshness.max_age_s == 26 * 3600
    step = found.definitions.asset_steps[1]
    assert (step.retry.attempts_max, step.retry.delay_s, step.timeout_s) == (3, 30, 3600)
    assert (step.pools, step.priority) == ((("db", 1),), 3)


def of_check(found: Described, name: str) -> CheckSpec:
    return next(check for check in found.definitions.checks if check.name == name)


def test_a_test_is_of_the_asset_that_it_was_written_for_unless_it_reads_one_made_later() -> None:
    found = described(
        node("orders"),
        node("other"),
        node("customers", "orders"),
        check_node("is_in_other", "other", "orders", attached="orders"),
        check_node("is_in_customers", "customers", "orders", attached="orders"),
        check_node("singular", "other", "customers"),
        check_node("warns", "other", severity="warn"),
        check_node("of_nothing"),
    )
    assert of_check(found, "is_in_other").asset == "orders"
    assert [dep.asset for dep in of_check(found, "is_in_other").deps] == ["orders", "other"]
    assert of_check(found, "is_in_customers").asset == "customers"
    assert of_check(found, "singular").asset == "customers"
    assert not of_check(found, "warns").blocking
    assert len(found.definitions.checks) == 4


def test_a_lower_layer_that_reads_a_higher_one_is_a_problem() -> None:
    found = described(node("a", folder="gold"), node("b", "a", folder="silver"))
    (problem,) = found.definitions.problems
    assert "'silver.b' (layer silver) depends on 'gold.a' (layer gold)" in problem.message
    assert problem.place.file == "/shop/models/silver/b.sql"


def test_an_ephemeral_model_is_looked_through() -> None:
    found = described(
        node("a"),
        node("b", "a", config={"materialized": "ephemeral"}),
        node("c", "b", config={"materialized": "ephemeral"}),
        node("d", "c"),
    )
    assert [dep.asset for dep in found.definitions.assets[3].deps] == ["c", "b", "a"]


def test_the_freshness_of_a_source_is_a_check_of_it() -> None:
    source = {
        **node("raw", kind="source"),
        "source_name": "web",
        "identifier": "raw",
        "freshness": {"warn_after": {"count": 12, "period": "hour"}, "error_after": {}},
        "loaded_at_field": "loaded_at",
    }
    del source["depends_on"]
    found = described(node("a", "source.shop.raw"), sources={"source.shop.raw": source})
    assert keys(found) == ["web.raw", "a"]
    (check,) = found.definitions.checks
    assert (check.key, check.blocking, check.severity) == ("web.raw:freshness", False, "warn")
    assert found.targets["web.raw:freshness"].node == "source.shop.raw"


def test_hooks_are_steps_around_all_others() -> None:
    hook = {**node("hook", kind="operation"), "tags": ["on-run-end"]}
    found = described(node("a"), hook)
    steps = {step.key: step for step in found.definitions.asset_steps}
    assert (steps["a"].before, steps["a"].after) == ("", "shop:on-run-end")
    assert found.targets["shop:on-run-end"].node == "on-run-end"


def macro(name: str, sql: str, *calls: str, package: str = "shop") -> dict[str, Any]:
    return {"macro_sql": sql, "package_name": package, "depends_on": {"macros": list(calls)}, "name": name}


def version(monkeypatch: pytest.MonkeyPatch | None = None, **changes: Any) -> str:
    macros = {"m1": macro("m1", "one", "m2"), "m2": macro("m2", "two"), "m3": macro("m3", "dbt's", package="dbt")}
    macros |= changes.pop("macros", {})
    made = node("a", **changes)
    made["depends_on"]["macros"] = ["m1", "m3"]
    return described(made, macros=macros).definitions.assets[0].code_version


def test_the_code_version_is_that_of_the_node_and_of_the_macros_it_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    same = version()
    assert version() == same
    assert version(description="told otherwise", tags=["x"], batuta={"owners": "anna"}) == same
    assert version(macros={"m3": macro("m3", "a newer dbt's", package="dbt")}) == same
    assert version(macros={"m9": macro("m9", "of others")}) == same
    assert version(raw_code="select 2") != same
    assert version(config={"materialized": "view"}) != same
    assert version(macros={"m2": macro("m2", "otherwise")}) != same
    asking = version(raw_code="select {{ env_var('RATE') }}")
    monkeypatch.setenv("RATE", "2")
    assert version(raw_code="select {{ env_var('RATE') }}") != asking
