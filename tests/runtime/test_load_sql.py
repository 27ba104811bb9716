"""`.sql` files of a project as assets: what their block says, where the query begins, what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import msgspec
import pytest

from batuta.core.definitions import AssetSpec, Definitions
from batuta.core.errors import DuplicateKeyError
from batuta.core.partition_mapping import AllPartitions, TimeWindow
from batuta.core.partitions import MultiPartitions, TimePartitions
from batuta.runtime.load import load_location
from batuta.sql.query import Named, QueryFacts


def project(tmp_path: Path, **files: str) -> Path:
    (tmp_path / "batuta.toml").write_text('code = ["lake"]\n')
    for name, text in files.items():
        path = tmp_path / "lake" / name.replace("__", "/")
        path = path.with_name(path.name.replace("_sql", ".sql").replace("_py", ".py"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip())
    return tmp_path


def definitions(tmp_path: Path, **files: str) -> Definitions:
    return load_location("", str(project(tmp_path, **files))).definitions()


def one(tmp_path: Path, text: str, **more: str) -> AssetSpec:
    found = definitions(tmp_path, silver__orders_sql=text, **more)
    assert found.problems == ()
    return next(spec for spec in found.assets if not spec.external and spec.sql)


def test_the_path_is_the_key_and_the_comment_the_description(tmp_path: Path) -> None:
    spec = one(tmp_path, "-- /// asset\n-- ///\n-- What was ordered,\n-- cleaned.\n\nselect 1 as n\n")
    assert spec.key == "silver.orders"
    assert spec.description == "What was ordered,\ncleaned."
    assert str(spec.place) == f"{tmp_path}/lake/silver/orders.sql:1"
    assert spec.kinds == ("sql",)


def test_all_that_a_block_may_say(tmp_path: Path) -> None:
    spec = one(
        tmp_path,
        """
        -- a licence, or whatever
        -- /// asset
        -- key = "silver.paid"
        -- layer = "silver"
        -- owners = ["ann@example.com"]
        -- tags = { team = "web" }
        -- group = "shop"
        -- description = "Paid orders"
        -- columns = { id = "its number" }
        -- partitions = { daily = 2026-01-01, timezone = "Europe/Berlin" }
        -- partition_mappings = { "bronze.orders" = { window = [-1, 0] }, "bronze.all" = "all" }
        -- freshness = { max_age = "26h" }
        -- automation = "eager"
        -- retries = 2
        -- checks = ["some"]
        -- parameters = { least = 5 }
        -- ///
        select id from bronze.orders, bronze.all where id > :least and at < :end
        """,
        checks_py="""
        from batuta import asset, check, partitions
        days = partitions.daily("2026-01-01", timezone="Europe/Berlin")
        @asset("bronze.orders", partitions=days)
        def orders(): ...
        @asset("bronze.all", partitions=days)
        def all_of_it(): ...
        @check(blocking=True)
        def some(rows): ...
        """,
    )
    assert (spec.key, spec.layer, spec.owners, spec.group) == ("silver.paid", "silver", ("ann@example.com",), "shop")
    assert isinstance(spec.partitions, TimePartitions)
    assert spec.tags == {"team": "web"}
    assert spec.description == "Paid orders"
    assert [(column.name, column.description) for column in spec.columns] == [("id", "its number")]
    assert {dep.asset: dep.mapping for dep in spec.deps} == {
        "bronze.orders": TimeWindow(-1, 0),
        "bronze.all": AllPartitions(),
    }
    assert spec.freshness is not None
    assert spec.freshness.max_age_s == 26 * 3600
    assert spec.automation is not None
    found = load_location("", str(tmp_path)).definitions()
    assert [(check.key, check.blocking) for check in found.checks] == [("silver.paid:some", True)]
    assert next(step for step in found.asset_steps if step.key == "silver.paid").retry.attempts_max == 3


def test_rules_and_a_contract_stand_in_the_block(tmp_path: Path) -> None:
    text = """
    -- /// asset
    -- schema = { id = "int64", state = "string" }
    -- evolution = "additive"
    -- checks = [
    --     { not_null = ["id", "state"], blocking = true },
    --     { unique = "id", where = "state <> 'gone'" },
    --     { accepted_values = "state", values = ["new", "paid"], warn_if = "> 1%" },
    --     { relationships = ["id"], to = "bronze.orders" },
    --     { row_count = true, min = 1, name = "some" },
    -- ]
    -- ///
    select id, state from bronze.orders
    """
    found = definitions(tmp_path, silver__orders_sql=text, bronze__orders_sql="-- /// asset\n-- ///\nselect 1 as id\n")
    assert found.problems == ()
    checks = {check.name: check for check in found.checks}
    assert set(checks) == {
        *(
            "schema",
            "not_null_id_state",
            "unique_id",
            "accepted_values_state",
            "relationships_id_bronze_orders",
            "some",
        ),
    }
    assert checks["not_null_id_state"].blocking
    assert {check.asset for check in found.checks} == {"silver.orders"}
    spec = next(spec for spec in found.assets if spec.key == "silver.orders")
    assert (spec.evolution, [column.name for column in spec.columns]) == ("additive", ["id", "state"])


def test_dimensions_are_tables_in_a_table(tmp_path: Path) -> None:
    text = """
    -- /// asset
    -- [partitions.day]
    -- daily = "2026-01-01"
    -- [partitions.region]
    -- static = ["eu", "us"]
    -- ///
    select :day as day, :region as region, :start as start
    """
    assert isinstance(one(tmp_path, text).partitions, MultiPartitions)


def test_files_without_a_block_are_no_assets(tmp_path: Path) -> None:
    found = definitions(tmp_path, load_sql="insert into x values (1)", hidden__x_sql="-- /// script\n-- ///\nselect 1")
    assert found.assets == ()
    assert found.problems == ()


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("-- /// asset\n-- layer = silver\n-- ///\nselect 1", 2, "is no TOML"),
        ("-- /// asset\n-- layer = 'silver'\nselect 1", 1, "the block of the asset is not whole"),
        ("\n-- /// asset\n-- lyaer = 'silver'\n-- ///\nselect 1", 2, "unknown setting 'lyaer'"),
        ("-- /// asset\n-- layer = 5\n-- ///\nselect 1", 1, "layer is 5"),
        ("-- /// asset\n-- retries = true\n-- ///\nselect 1", 1, "retries is True"),
        ("-- /// asset\n-- partitions = 'daily'\n-- ///\nselect 1", 1, "partitions is 'daily'"),
        ("-- /// asset\n-- partitions = { daily = 'no day' }\n-- ///\nselect 1", 1, "no day"),
        ("-- /// asset\n-- partitions = { daily = 2026-01-01, ends = 5 }\n-- ///\nselect 1", 1, "partitions: "),
        ("-- /// asset\n-- partition_mappings = { x = 'some' }\n-- ///\nselect 1", 1, "the partition mapping of 'x'"),
        ("-- /// asset\n-- automation = 'egaer'\n-- ///\nselect 1", 1, "automation is 'egaer'"),
        ("-- /// asset\n-- freshness = { max_age = 'long' }\n-- ///\nselect 1", 1, "freshness: 'long'"),
        ("-- /// asset\n-- key = 'a b'\n-- ///\nselect 1", 1, "cannot be an asset's key"),
        ("-- /// asset\n-- materialized = 'viw'\n-- ///\nselect 1", 1, "materialized is 'viw'"),
        ("-- /// asset\n-- checks = [5]\n-- ///\nselect 1", 1, "checks has 5"),
        ("-- /// asset\n-- checks = [{ no_null = 'n' }]\n-- ///\nselect 1", 1, "names no rule"),
        ("-- /// asset\n-- checks = [{ not_null = 'n', unique = 'n' }]\n-- ///\nselect 1", 1, "names 2 rules"),
        (
            "-- /// asset\n-- checks = [{ unique = 'n', blokcing = 1 }]\n-- ///\nselect 1",
            1,
            "no option 'blokcing'",
        ),
        ("-- /// asset\n-- checks = [{ accepted_values = 'n' }]\n-- ///\nselect 1", 1, "accepted_values: missing"),
        ("-- /// asset\n-- checks = [{ in_range = 'n' }]\n-- ///\nselect 1", 1, "in_range('n') has no bounds"),
        ("-- /// asset\n-- schema = { n = 'intt' }\n-- ///\nselect 1 as n", 1, "intt"),
        ("-- /// asset\n-- checks = ['nosuch']\n-- ///\nselect 1", 1, "there is no check 'nosuch'"),
        ("-- /// asset\n-- ///\n\nselect a,\n  b,\n  from\nwhere", 7, "it is no duckdb SQL"),
        ("-- /// asset\n-- ///\nselect 1 as n,\n :nosuch as m", 4, "there is no parameter 'nosuch'"),
        ("-- /// asset\n-- dialect = 'duckbd'\n-- ///\nselect 1 as n", 1, "there is no SQL dialect 'duckbd'"),
    ],
)
def test_mistakes_are_problems_of_their_file(tmp_path: Path, text: str, line: int, message: str) -> None:
    project(tmp_path, good_sql="-- /// asset\n-- ///\nselect 1 as n")
    (tmp_path / "lake" / "bad.sql").write_text(text)
    found = load_location("", str(tmp_path)).definitions()
    assert "good" in {spec.key for spec in found.assets}
    (problem,) = found.problems
    assert message in problem.message
    assert str(problem.place) == f"{tmp_path}/lake/bad.sql:{line}"
    assert problem.hint


def test_a_file_that_is_no_text_is_a_problem(tmp_path: Path) -> None:
    project(tmp_path, good_sql="-- /// asset\n-- ///\nselect 1 as n")
    (tmp_path / "lake" / "bad.sql").write_bytes(b"-- /// asset\n-- ///\nselect '\xff'")
    (problem,) = load_location("", str(tmp_path)).definitions().problems
    assert "it is no UTF-8" in problem.message


def test_two_assets_of_one_key_are_refused(tmp_path: Path) -> None:
    text = "-- /// asset\n-- key = 'x'\n-- ///\nselect 1 as n"
    with pytest.raises(DuplicateKeyError):
        definitions(tmp_path, a_sql=text, b_sql=text)


def test_one_file_can_be_named(tmp_path: Path) -> None:
    project(tmp_path, a_sql="-- /// asset\n-- ///\nselect 1 as n", b_sql="-- /// asset\n-- ///\nselect 1 as n")
    found = load_location(str(tmp_path / "lake" / "a.sql")).definitions()
    assert [spec.key for spec in found.assets] == ["a"]


def test_what_is_known_of_queries_is_kept_by_content(tmp_path: Path) -> None:
    project(tmp_path, a_sql="-- /// asset\n-- ///\nselect * from x.y")
    home = Path(load_location("", str(tmp_path)).project.home)
    home.mkdir(exist_ok=True)
    first = load_location("", str(tmp_path)).definitions()
    (kept,) = (home / "cache").glob("sql-*")
    ((key, facts),) = msgspec.msgpack.decode(kept.read_bytes(), type=dict[str, QueryFacts]).items()
    other = QueryFacts((Named("x.from_the_cache", 1),), facts.parameters, facts.version)
    kept.write_bytes(msgspec.msgpack.encode({key: other}))
    (spec, _) = load_location("", str(tmp_path)).definitions().assets
    assert [dep.asset for dep in spec.deps] == ["x.from_the_cache"], "the same text is not read again"
    (tmp_path / "lake" / "a.sql").write_text("-- /// asset\n-- ///\nselect * from x.z")
    (spec, _) = load_location("", str(tmp_path)).definitions().assets
    assert [dep.asset for dep in spec.deps] == ["x.z"]
    (tmp_path / "lake" / "a.sql").write_text("-- /// asset\n-- ///\nselect * from x.y")
    kept.write_bytes(b"damaged")
    assert load_location("", str(tmp_path)).definitions() == first
