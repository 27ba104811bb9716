"""SQL on real databases: DuckDB, SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from batuta.authoring import ports
from batuta.authoring.context import StepContext
from batuta.authoring.dag import DAG
from batuta.authoring.operators import OperatorError, SQLOperator, SQLSensor
from batuta.authoring.operators.sql_connect import shown
from batuta.authoring.operators.sql_text import statements
from batuta.core.errors import BatutaError, DefinitionError, ParameterError, TransientError
from batuta.core.triggers import RowArrives
from tests.authoring.dag_runs import DagRuns


def context() -> StepContext:
    return StepContext(run_id=1, job="j", step="load", attempt=1)


@pytest.fixture(params=["duckdb", "sqlite", "postgres", "sqlalchemy"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database."""
    match request.param:
        case "duckdb":
            return f"duckdb:///{tmp_path}/test.duckdb"
        case "sqlite":
            return f"sqlite:///{tmp_path}/test.db"
        case "sqlalchemy":
            return f"sqlite+pysqlite:///{tmp_path}/test.db"
    url: str = request.getfixturevalue("postgres_url")
    return url.replace("postgresql+psycopg://", "postgresql://")


def run(sql: str | Sequence[str], database: Any, parameters: Any = None, returns: Any = "auto", **more: Any) -> Any:
    return SQLOperator(sql, database=database, parameters=parameters, returns=returns, **more).execute(context())


@pytest.fixture
def rates(database: str) -> str:
    """A database with a table of rates."""
    run(
        """
        -- two tables; the second one stays empty
        create table rates (day date, currency varchar(3), rate double precision);
        create table empty (x int);
        insert into rates values ('2026-01-30', 'USD', 1.1);
        insert into rates values ('2026-01-31', 'USD', 1.2), ('2026-01-31', 'GBP', 0.9);
        """,
        database,
    )
    return database


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        ("auto", [{"currency": "GBP", "rate": 0.9}, {"currency": "USD", "rate": 1.2}]),
        ("rows", [{"currency": "GBP", "rate": 0.9}, {"currency": "USD", "rate": 1.2}]),
        ("tuples", [("GBP", 0.9), ("USD", 1.2)]),
        ("first", {"currency": "GBP", "rate": 0.9}),
        ("value", "GBP"),
        ("affected", 0),
        ("none", None),
    ],
)
def test_what_a_query_gives(rates: str, returns: str, expected: Any) -> None:
    sql = "select currency, rate from rates where day = :day order by currency"
    assert run(sql, rates, {"day": "2026-01-31"}, returns) == expected


@pytest.mark.parametrize(("returns", "expected"), [("rows", []), ("first", None), ("value", None), ("auto", [])])
def test_what_an_empty_result_gives(rates: str, returns: str, expected: Any) -> None:
    assert run("select * from empty", rates, None, returns) == expected


def test_changes_are_counted_over_all_statements(rates: str) -> None:
    sql = "update rates set rate = rate * 2 where currency = 'USD'; delete from rates where currency = :gone"
    assert run(sql, rates, {"gone": "GBP"}) == 3
    assert run("select count(*), sum(rate) from rates", rates, None, "tuples") == [(2, pytest.approx(4.6))]


def test_a_count_is_no_change(rates: str) -> None:
    assert run('select count(*) as "Count" from rates', rates) == [{"Count": 3}]


def test_parameters_are_bound_not_formatted(rates: str) -> None:
    attack = "x'); drop table rates; --"
    run("insert into rates (currency, rate) values (substr(:name, 1, 3), length(:name))", rates, {"name": attack})
    assert run("select count(*) from rates where rate = ?", rates, [len(attack)], "value") == 1


def test_lists_are_bound_in_order_across_statements(rates: str) -> None:
    sql = "delete from rates where currency = ? and rate > ?; select count(*) from rates where currency = ?"
    assert run(sql, rates, ["USD", 1.15, "USD"], "value") == 1


def test_signs_in_texts_and_comments_are_left_alone(rates: str) -> None:
    sql = """
        select ':no ?; -- 100%' as "a:b", /* ; :x ? */ cast(:n as integer) % 4 as rest, '%s' as s -- end; :y
        ;
        -- nothing more; ?
    """
    assert run(sql, rates, {"n": 7}) == [{"a:b": ":no ?; -- 100%", "rest": 3, "s": "%s"}]
    assert run("select 7 % 4", rates, None, "value") == 3


def test_all_or_nothing(rates: str) -> None:
    with pytest.raises(OperatorError) as caught:
        run(["delete from rates", "insert into no_such_table values (1)"], rates)
    assert "load: statement 2 of 2" in str(caught.value)
    assert "insert into no_such_table values (1)" in str(caught.value)
    assert run("select count(*) from rates", rates, None, "value") == 3


def test_without_a_transaction_each_statement_counts(rates: str) -> None:
    with pytest.raises(OperatorError):
        run(["delete from rates", "select * from no_such_table"], rates, in_transaction=False)
    assert run("select count(*) from rates", rates, None, "value") in (0, 3 if "pysqlite" in rates else 0)


def test_sql_from_lists_keeps_semicolons_in_bodies(rates: str) -> None:
    assert run(["select ';'", "select 'a;b' as x"], rates) == [{"x": "a;b"}]


@pytest.mark.parametrize(
    ("sql", "parameters", "said"),
    [
        ("select :day", {"dya": 1}, "'dya'"),
        ("select ?", {"a": 1}, "has a ?"),
        ("select ?, ?", [1], "more ? than the 1"),
        ("select ?", [1, 2], "2 parameters were given"),
        ("select :a", [1], "names :a"),
    ],
)
def test_parameters_that_do_not_fit_are_told(rates: str, sql: str, parameters: Any, said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        run(sql, rates, parameters)
    assert said in str(caught.value)


def test_no_sql_is_told(rates: str) -> None:
    with pytest.raises(OperatorError, match="no SQL"):
        run(" ; -- nothing", rates)


def test_dates_and_nulls(rates: str) -> None:
    row = run("select :day as day, null as missing from rates limit 1", rates, {"day": "2026-01-31"}, "first")
    assert str(row["day"]).startswith("2026-01-31")
    assert row["missing"] is None


def test_a_whole_dag_on_sqlite(runs: DagRuns, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/dag.db"
    (tmp_path / "load.sql").write_text("insert into days values ('{{ ds }}', :limit);\nselect * from days;")
    with DAG("sql", params={"limit": 3}) as d:
        make = SQLOperator("create table days (day text, n int)", name="make", database=database)
        load = SQLOperator("load.sql", name="load", database=database, parameters={"limit": d.params["limit"]})
        make >> load
        SQLOperator(
            "select :n * 2", name="twice", database=database, parameters={"n": load.output[0]["n"]}, returns="value"
        )
    d.place = type(d.place)(str(tmp_path / "dag.py"), 1)
    ran = runs.run(d, logical_at=0.0)
    assert ran.output("load") == [{"day": "1970-01-01", "n": 3}]
    assert ran.output("twice") == 6


def test_resources_connections_and_functions(tmp_path: Path) -> None:
    import duckdb

    class Resource:
        def connect(self) -> Any:
            return duckdb.connect(f"{tmp_path}/r.duckdb")

    run("create table t (x int); insert into t values (1)", Resource())
    assert run("select x from t where x = :x", Resource(), {"x": 1}, "value") == 1

    with sqlite3.connect(tmp_path / "s.db") as connection:
        run("create table t (x int); insert into t values (2)", connection)
        assert run("select x from t where x = ?", connection, [2], "value") == 2
    connection.close()
    assert run("select 5", lambda: sqlite3.connect(tmp_path / "s.db"), None, "value") == 5


@pytest.mark.parametrize(
    ("target", "error", "said"),
    [
        (5, DefinitionError, "int is no database"),
        ("warehouse", DefinitionError, "no database URL"),
        ("nosuchdb://host/x", DefinitionError, "no driver"),
        ("duckdb:////no/such/folder/x.db", TransientError, "cannot be opened"),
        ("postgresql://someone:secret@127.0.0.1:1/x", TransientError, "someone:***@"),
    ],
)
def test_databases_that_cannot_be_used_are_told(target: Any, error: type[BatutaError], said: str) -> None:
    with pytest.raises(error) as caught:
        run("select 1", target)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_passwords_are_not_shown() -> None:
    assert shown("postgresql://u:p%40ss@h/db") == "postgresql://u:***@h/db"
    assert shown("duckdb:///x") == "duckdb:///x"


def test_a_sensor_waits_for_a_row(runs: DagRuns, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/wait.db"
    run("create table arrived (day text)", database)
    with DAG("waits") as d:
        wait = SQLSensor(
            "select day from arrived where day = :day",
            name="wait",
            database=database,
            parameters={"day": "{{ ds }}"},
            poll_s=0.01,
        )
        SQLOperator("select 'after ' || :day", name="after", database=database, parameters={"day": wait.output})
    ran = runs.start(d, logical_at=0.0)
    ran.wait_for("wait", "deferred")
    run("insert into arrived values ('1970-01-01')", database)
    assert (
        ran.wait().output("after") == [{"'after ' || :day": "after 1970-01-01"}] or ran.output("wait") == "1970-01-01"
    )


@pytest.mark.parametrize(
    ("sql", "texts"),
    [
        ("a;b", ["a", "b"]),
        ("a;;  ;b;", ["a", "b"]),
        ("'it''s; here'; \"x;y\"; `z;`", ["'it''s; here'", '"x;y"', "`z;`"]),
        ("do $$ begin x; y; end $$; z", ["do $$ begin x; y; end $$", "z"]),
        ("do $body$ a; $$ b; $body$; z", ["do $body$ a; $$ b; $body$", "z"]),
        ("a -- x; y\n; b", ["a -- x; y", "b"]),
        ("a /* ; */ ; b", ["a /* ; */", "b"]),
        ("select x::int, y", ["select x::int, y"]),
        ("select '2026-01-01 10:30:00'", ["select '2026-01-01 10:30:00'"]),
        ("select 'open", ["select 'open"]),
        ("select a - b / c", ["select a - b / c"]),
    ],
)
def test_statements_are_cut_at_semicolons_that_end_them(sql: str, texts: list[str]) -> None:
    found = list(statements(sql, lambda name: "?"))
    assert [one.text for one in found] == texts
    assert all(one.names == [] for one in found)


def test_names_are_found_in_order() -> None:
    (one,) = statements("select :a, x::text, :b, :a, '10:30', y[1:2]", lambda name: f"<{name}>")
    assert one.text == "select <a>, x::text, <b>, <a>, '10:30', y[1:2]"
    assert one.names == ["a", "b", "a"]


@pytest.mark.parametrize("database", ["duckdb", "postgres"], indirect=True)
def test_typed_values(rates: str) -> None:
    assert run("select day from rates where currency = 'GBP'", rates, None, "value") == date(2026, 1, 31)


@pytest.mark.parametrize(
    ("options", "trigger"),
    [
        ({"connection": "warehouse"}, RowArrives("select 1", "warehouse")),
        (
            {"database": "sqlite:////a.db", "parameters": ("x", 1), "poll_s": 0.001},
            RowArrives("select 1", "sqlite:////a.db", ["x", 1], 0.05),
        ),
        ({"database": "postgresql://ann:secret@host/a"}, None),
        ({"database": lambda: None}, None),
        ({"connection": "warehouse", "parameters": {"day": date(2026, 1, 31)}}, None),
        ({"connection": "warehouse", "parameters": {"key": "looked-up"}}, None),
        ({"connection": "warehouse", "deferrable": False}, None),
    ],
)
def test_what_the_engine_asks_in_the_place_of_a_sensor(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], trigger: RowArrives | None
) -> None:
    monkeypatch.setattr(ports, "has_secret", lambda text: "looked-up" in text)
    options = {"poll_s": 30.0, "deferrable": True, **options}
    assert SQLSensor("select 1", **options).trigger(context()) == trigger
