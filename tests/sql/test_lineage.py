"""What the columns of queries are made from."""

from __future__ import annotations

from typing import Any

import pytest

from batuta.core.columns import ColumnLineage, SqlSource
from batuta.core.errors import DefinitionError
from batuta.core.place import Place
from batuta.sql.lineage import derive
from batuta.sql.parse import parse_query, table_refs

TABLES = {"silver.orders": "silver.orders", "customers": "silver.customers", "u": "raw.u", "v": "raw.v"}
COLUMNS = {"silver.orders": ["id", "cid", "Amount", "state", "at"], "silver.customers": ["cid", "name"]}


def lineage(text: str, dialect: str = "duckdb") -> ColumnLineage:
    return derive(SqlSource(text, dialect, TABLES), COLUMNS, Place("q.sql", 10))


def columns(text: str, dialect: str = "duckdb") -> dict[str, list[str]]:
    return {name: told(sources) for name, sources in lineage(text, dialect).columns.items()}


def told(sources: Any) -> list[str]:
    return [f"{one.asset.rpartition('.')[2]}.{one.column} {one.kind}" for one in sources]


def test_names_expressions_and_aggregates_are_told_apart() -> None:
    assert columns("select id, amount / 100 as euros, 1 as one from silver.orders") == {
        "id": ["orders.id identity"],
        "euros": ["orders.Amount transformed"],
        "one": [],
    }
    assert columns("select state, sum(amount) + 1 as total, count(*) as n from silver.orders group by state") == {
        "state": ["orders.state identity"],
        "total": ["orders.Amount aggregated"],
        "n": [],
    }


def test_kinds_pass_through_with_and_subqueries() -> None:
    text = """
        with paid as (select o.*, c.name from silver.orders o join customers c using (cid)),
             by_name as (select name, sum(amount) as total from paid where state = 'paid' group by name)
        select name, total * 2 as "Doubled" from (select * from by_name) x
    """
    found = lineage(text)
    assert columns(text) == {"name": ["customers.name identity"], "Doubled": ["orders.Amount aggregated"]}
    assert told(found.rows) == [
        "orders.cid join",
        "customers.cid join",
        "orders.state filter",
        "customers.name group",
    ]
    assert found.gaps == ()


def test_a_union_has_the_sources_of_both_sides() -> None:
    text = "select id, amount from silver.orders union all select a, b from u"
    assert columns(text) == {
        "id": ["orders.id identity", "u.a identity"],
        "amount": ["orders.Amount identity", "u.b identity"],
    }
    by_name = "select id, state from silver.orders union all by name select state, id from silver.orders"
    assert columns(by_name)["id"] == ["orders.id identity"]


def test_except_only_filters() -> None:
    found = lineage("select id from silver.orders except select k from u")
    assert told(found.columns["id"]) == ["orders.id identity"]
    assert told(found.rows) == ["u.k filter"]


def test_a_recursive_query_ends() -> None:
    text = """
        with recursive up as (
            select id, cid from silver.orders
            union all select o.id, up.cid from up join silver.orders o on o.id = up.cid
        ) select * from up
    """
    assert columns(text) == {"id": ["orders.id identity"], "cid": ["orders.cid identity"]}


def test_scalar_subqueries_windows_and_conditions_count() -> None:
    text = """
        select id,
            (select max(name) from customers c where c.cid = o.cid) as who,
            row_number() over (partition by state order by at) as place
        from silver.orders o
        where exists (select 1 from u where u.k = o.id)
        order by amount limit 10
    """
    found = lineage(text)
    assert sorted(told(found.columns["who"])) == [
        "customers.cid transformed",
        "customers.name aggregated",
        "orders.cid transformed",
    ]
    assert told(found.columns["place"]) == ["orders.state transformed", "orders.at transformed"]
    assert sorted(told(found.rows)) == ["orders.Amount sort", "orders.id filter", "u.k filter"]


def test_qualified_names_and_fields_of_structs() -> None:
    assert columns("select silver.orders.id, orders.state from silver.orders") == {
        "id": ["orders.id identity"],
        "state": ["orders.state identity"],
    }
    assert columns("select payload.user.id as who from u") == {"who": ["u.payload transformed"]}


def test_unnest_is_made_of_its_column() -> None:
    assert columns("select id, t.x from silver.orders, unnest([amount, cid]) as t(x)")["x"] == [
        "orders.Amount transformed",
        "orders.cid transformed",
    ]


def test_stars_are_written_out_where_columns_are_known_and_stay_open_where_not() -> None:
    assert list(columns("select * exclude (at) replace (amount * 2 as amount) from silver.orders")) == [
        "id",
        "cid",
        "amount",
        "state",
    ]
    found = lineage("select u.*, o.id from u join silver.orders o on o.id = u.id")
    assert told(found.columns["*"]) == ["u.* identity"]
    assert told(found.columns["id"]) == ["orders.id identity"]
    assert found.gaps == ("`*` of raw.u, whose columns are not known",)
    assert found.is_open
    assert columns("select x.foo from (select * from u) x") == {"foo": ["u.foo identity"]}
    nobody = lineage("select * from read_parquet('x.parquet')")
    assert nobody.is_open
    assert "which is no asset" in nobody.gaps[0]


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        (
            "select id,\n cid from silver.orders, customers",
            "column 'cid' (line 11) is ambiguous: silver.orders and silver.customers have one",
        ),
        (
            "select x from u join v using (k)",
            "column 'x' (line 10) may come from raw.u or raw.v, whose columns are not known",
        ),
        (
            "select amuont from silver.orders, customers",
            "column 'amuont' (line 10) is in none of the tables that are read; did you mean 'Amount'?",
        ),
        ("select o.nmae from silver.orders o", "silver.orders has no column 'nmae' (line 10)"),
        ("select columns('a.*') from silver.orders", "COLUMNS(...) is not written out"),
    ],
)  # fmt: skip
def test_what_cannot_be_known_is_a_gap(text: str, gap: str) -> None:
    assert lineage(text).gaps == (gap,)


def test_postgres() -> None:
    text = 'select distinct on (cid) cid, amount::numeric(10, 2) as "Amount" from silver.orders order by cid, at desc'
    found = lineage(text, "postgres")
    assert columns(text, "postgres") == {"cid": ["orders.cid identity"], "Amount": ["orders.Amount transformed"]}
    assert told(found.rows) == ["orders.cid distinct", "orders.at sort"]


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ("select a,\nfrom where", "it is no duckdb SQL", "q.sql:11"),
        ("select 'a", "it is no duckdb SQL", "q.sql:10"),
        ("select 1;\nselect b from c", "there are 2 statements", "q.sql:11"),
        ("create table a as select 1", "it is a statement (CREATE), not a query", "q.sql:10"),
        ("-- nothing\n", "there is no query in it", "q.sql:10"),
        ("select * from {{ ref('a') }}", "it is no duckdb SQL", "q.sql:10"),
    ],
)  # fmt: skip
def test_what_is_no_query_is_told_with_its_line(text: str, what: str, where: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_query(text, "duckdb", Place("q.sql", 10))
    assert what in caught.value.what
    assert caught.value.where == where
    assert caught.value.hint


def test_two_tables_of_one_name_are_refused() -> None:
    with pytest.raises(DefinitionError, match="Alias already used"):
        table_refs(parse_query("select 1 from a join b as a on true", "duckdb"))


def test_tables_are_those_that_are_read() -> None:
    text = """with w as (select * from "Bronze".Raw) select * from w, silver.orders o
        where exists (select 1 from other where o.id = k) and a in (from read_csv('f.csv')) and b in (from 'g.parquet')
        union select * from silver.orders"""
    assert [(ref.name, ref.line) for ref in table_refs(parse_query(text, "duckdb"))] == [
        ("bronze.raw", 1),
        ("silver.orders", 1),
        ("other", 2),
    ]
