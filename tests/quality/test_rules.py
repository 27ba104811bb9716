"""What rules find in tables of every kind; against plain Python over the same rows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.checks import (
    Report,
    accepted_values,
    aggregate,
    evaluate,
    expression,
    fresh,
    in_range,
    length,
    matches,
    not_null,
    predicate,
    query,
    rejected_values,
    relationships,
    row_count,
    unique,
)
from batuta.core.errors import CheckFailed, DefinitionError, ResultError
from batuta.quality.rules import Rule

PAYMENTS = pl.DataFrame(
    {
        "id": [1, 2, 2, None],
        "amount": [1.0, -5.0, math.nan, 200.0],
        "currency": ["EUR", "USD", "XXX", None],
        "email": ["a@b.c", "x", "y@z.w", None],
        "day": [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3), None],
        "tags": [["a"], [], None, ["b", "c"]],
    }
)

FOUND: list[tuple[Rule, int, int]] = [
    (not_null("id"), 1, 4),
    (not_null("id", "currency", "email"), 1, 4),
    (not_null("amount"), 1, 4),
    (not_null("amount", allow_nan=True), 0, 4),
    (unique("id"), 1, 3),
    (unique("id", "currency"), 0, 3),
    (accepted_values("currency", ["EUR", "USD"]), 1, 4),
    (accepted_values("id", [1, 2]), 0, 4),
    (accepted_values("day", [date(2026, 1, 1)]), 2, 4),
    (rejected_values("currency", ["XXX"]), 1, 4),
    (in_range("amount", 0, 100), 3, 4),
    (in_range("amount", max=1.0, inclusive="neither"), 3, 4),
    (in_range("id", min=2), 1, 4),
    (in_range("id", min=1, inclusive="right"), 1, 4),
    (in_range("day", max=date(2026, 1, 2)), 1, 4),
    (in_range("currency", "A", "F"), 2, 4),
    (matches("email", r"[^@]+@[^@]+"), 1, 4),
    (matches("email", "@", full=False), 1, 4),
    (matches("id", r"\d"), 0, 4),
    (length("currency", 3, 3), 0, 4),
    (length("email", min=2), 1, 4),
    (length("tags", 1), 1, 4),
    (expression("amount > id"), 2, 4),  # NaN is greater than any number in DuckDB; null passes
    (expression("currency <> 'XXX' OR amount > 0"), 0, 4),
    (not_null("id", where="amount > 100"), 1, 2),
    (unique("id", where="currency <> 'XXX'"), 0, 2),
    (query("SELECT * FROM this WHERE id = 2"), 2, 4),
    (query("WITH twice AS (SELECT id FROM this GROUP BY id HAVING count(*) > 1) SELECT * FROM twice"), 1, 4),
]


@pytest.mark.parametrize(("rule", "failing", "rows"), FOUND, ids=lambda value: getattr(value, "name", None))
def test_each_rule_counts_the_rows_that_fail(rule: Rule, failing: int, rows: int) -> None:
    (verdict,) = evaluate(PAYMENTS, [rule])
    assert verdict.error is None
    assert (verdict.failing, verdict.rows) == (failing, rows)
    assert verdict.outcome == ("failed" if failing else "passed")
    assert bool(verdict.sample) == bool(failing)
    if failing:
        assert verdict.sample is not None
        assert 0 < len(verdict.sample[1]) <= failing


def test_all_rules_are_asked_in_one_query(monkeypatch: pytest.MonkeyPatch) -> None:
    from batuta.io.scan import Scan

    asked = []
    rows = Scan.rows

    def noted(self: Scan, sql: str) -> list[tuple[Any, ...]]:
        asked.append(sql)
        return rows(self, sql)

    monkeypatch.setattr(Scan, "rows", noted)
    good = [not_null("currency", where="id = 1"), unique("email"), in_range("id", 1, 2), row_count(1)]
    assert evaluate(PAYMENTS, good).passed
    assert [sql.split()[0] for sql in asked] == ["DESCRIBE", "SELECT"]


def as_relation(frame: pl.DataFrame) -> Any:
    return duckdb.connect().from_arrow(frame.to_arrow())


KINDS: list[Callable[[pl.DataFrame], Any]] = [
    lambda frame: frame,
    lambda frame: frame.lazy(),
    lambda frame: frame.to_arrow(),
    lambda frame: frame.to_pandas(),
    lambda frame: frame.to_dicts(),
    as_relation,
]


@pytest.mark.parametrize("kind", KINDS, ids=["polars", "lazy", "arrow", "pandas", "rows", "duckdb"])
def test_a_table_of_any_kind_gives_the_same_verdicts(kind: Callable[[pl.DataFrame], Any]) -> None:
    frame = PAYMENTS.drop("amount")  # NaN is null in pandas, and whole numbers with a null are 1.0
    rules = [rule for rule, _, _ in FOUND if "amount" not in rule.text() + rule.options.where]
    rules = [rule for rule in rules if rule.name != "matches_id"]
    assert len(rules) > 15
    wanted = [(verdict.failing, verdict.rows, verdict.outcome) for verdict in evaluate(frame, rules)]
    report = evaluate(kind(frame), rules)
    assert [verdict.error for verdict in report] == [None] * len(rules)
    assert [(verdict.failing, verdict.rows, verdict.outcome) for verdict in report] == wanted


# ---- against plain Python ----

rows = st.lists(
    st.fixed_dictionaries(
        {
            "n": st.none() | st.integers(-5, 5),
            "x": st.none() | st.sampled_from([0.0, -1.5, 2.5, math.nan, math.inf]),
            "s": st.none() | st.text("aé ", max_size=3),
        }
    ),
    max_size=20,
)
SCHEMA = {"n": pl.Int64, "x": pl.Float64, "s": pl.String}


def _nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


@given(rows, st.integers(-5, 5), st.integers(-5, 5))
def test_rules_say_what_plain_python_says(data: list[dict[str, Any]], low: int, high: int) -> None:
    known = [row for row in data if row["n"] is not None]
    pairs = Counter((row["n"], row["s"]) for row in known if row["s"] is not None)
    wanted: list[tuple[Rule, int]] = [
        (not_null("n"), sum(row["n"] is None for row in data)),
        (not_null("x", "s"), sum(row["x"] is None or _nan(row["x"]) or row["s"] is None for row in data)),
        (unique("n"), len(known) - len({row["n"] for row in known})),
        (unique("n", "s"), pairs.total() - len(pairs)),
        (in_range("n", low, high), sum(not low <= row["n"] <= high for row in known)),
        (in_range("x", max=high), sum(not row["x"] <= high for row in data if row["x"] is not None)),
        (accepted_values("n", [low, high]), sum(row["n"] not in (low, high) for row in known)),
        (length("s", 1, 2), sum(not 1 <= len(row["s"]) <= 2 for row in data if row["s"] is not None)),
        (matches("s", "a*"), sum(bool(set(row["s"]) - {"a"}) for row in data if row["s"] is not None)),
        (relationships("n", "other", "k"), sum(row["n"] not in (low, high) for row in known)),
    ]
    report = evaluate(
        pl.DataFrame(data, SCHEMA), [rule for rule, _ in wanted], others={"other": [{"k": low}, {"k": high}]}
    )
    assert {verdict.rule.name: verdict.failing for verdict in report} == {rule.name: count for rule, count in wanted}
    assert all(verdict.error is None for verdict in report)


# ---- keys of others ----


def test_keys_have_to_be_in_another_table() -> None:
    orders = pl.DataFrame({"shop": [1, 1, 2, None, 3], "country": ["de", "fr", "de", "de", None]})
    shops = pd.DataFrame({"id": [1, 2], "land": ["de", "de"]})
    rules = [
        relationships("shop", "silver.shops", "id"),
        relationships(["shop", "country"], "silver.shops", ["id", "land"], name="both"),
        relationships("country", to="silver.shops", to_columns="land", where="shop = 1", name="some"),
    ]
    report = evaluate(orders, rules, others={"silver.shops": shops})
    assert [(one.failing, one.rows) for one in report] == [(1, 4), (1, 3), (1, 2)]
    assert report["both"].sample == (["shop", "country"], [[1, "fr"]])
    (verdict,) = evaluate(orders, [relationships("shop", "silver.shop", "id")], others={"silver.shops": shops})
    assert verdict.outcome == "failed"
    assert "did you mean 'silver.shops'" in str(verdict.error)
    (verdict,) = evaluate(orders, [relationships("shop", "silver.shops", "ident")], others={"silver.shops": shops})
    assert "no column 'ident'" in verdict.text


def test_a_query_may_join_others() -> None:
    orders, shops = [{"shop": 1, "net": 5}, {"shop": 2, "net": 7}], [{"id": 1, "limit": 3}, {"id": 2, "limit": 9}]
    over = query(
        "SELECT this.*, shops.limit FROM this JOIN shops ON shop = id WHERE net > shops.limit",
        {"shops": "silver.shops"},
        name="over_limit",
    )
    report = evaluate(orders, [over], others={"silver.shops": shops})
    assert report["over_limit"].sample == (["shop", "net", "limit"], [[1, 5, 3]])


# ---- numbers over all rows ----


def test_numbers_over_all_rows_are_within_bounds() -> None:
    report = evaluate(
        PAYMENTS,
        [
            row_count(),
            row_count(5, name="five"),
            row_count(max=4, where="id = 2", name="twos"),
            aggregate("avg(id)", min=1, max=2),
            aggregate("sum(id)", max=4, where="id < 2", name="small"),
            aggregate("max(currency)", min=1, name="text"),
            aggregate("max(amount)", max=300, name="nan"),
            aggregate("count(DISTINCT currency) / count(*)", min=0.5),
        ],
    )
    outcomes = [verdict.outcome for verdict in report]
    assert outcomes == ["passed", "failed", "passed", "passed", "passed", "failed", "failed", "passed"]
    assert report["five"].text == "the number of rows is 4, not at least 5"
    assert report["twos"].numbers == {"value": 2}
    assert "'XXX', which is no number" in report["text"].text
    assert report["aggregate_avg_id"].metrics == {"value": pytest.approx(5 / 3)}


def test_the_newest_time_is_not_too_old() -> None:
    now = datetime(2026, 1, 3, 12, tzinfo=UTC)
    times = pl.DataFrame(
        {
            "zoned": [datetime(2026, 1, 3, 13, tzinfo=UTC) - timedelta(hours=n) for n in (9, 3)],
            "plain": [datetime(2026, 1, day, tzinfo=UTC).replace(tzinfo=None) for day in (1, 2)],
            "day": [date(2026, 1, 3), None],
            "text": ["2026-01-03 11:00:00", "2026-01-01"],
            "none": pl.Series([None, None], dtype=pl.Datetime),
        }
    ).with_columns(pl.col("zoned").dt.convert_time_zone("America/New_York"))
    ages: dict[str, tuple[timedelta | str, timedelta | str]] = {
        "zoned": ("2h", "1h"),
        "plain": ("36h", timedelta(hours=35)),
        "day": ("12h", "11h"),
        "text": ("1h", "59m"),
    }
    for column, (enough, too_little) in ages.items():
        good, bad = evaluate(times, [fresh(column, enough), fresh(column, too_little)], now=now)
        assert (good.outcome, bad.outcome) == ("passed", "failed"), column
    assert good.metrics == {"age_s": 3600.0}
    assert bad.text == "the newest text is 2026-01-03 11:00:00 UTC, 1 h old, more than 59 min"
    (none,) = evaluate(times, [fresh("none", "1d")], now=now)
    assert (none.outcome, none.text) == ("failed", "there is no none")


# ---- how bad ----


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        ({}, "failed"),
        ({"severity": "warn"}, "warned"),
        ({"error_if": "> 1"}, "passed"),
        ({"error_if": ">= 25%"}, "failed"),
        ({"error_if": 1}, "passed"),
        ({"warn_if": "> 10%", "error_if": "> 50%"}, "warned"),
        ({"warn_if": "> 0"}, "warned"),
        ({"error_if": "= 0"}, "passed"),
        ({"error_if": "!= 1"}, "passed"),
        ({"error_if": "< 2"}, "failed"),
    ],
)
def test_thresholds_say_how_bad_it_is(options: dict[str, Any], outcome: str) -> None:
    (verdict,) = evaluate(PAYMENTS, [not_null("id", **options)])
    assert verdict.outcome == outcome


def test_what_is_tolerated_is_told() -> None:
    (verdict,) = evaluate(PAYMENTS, [not_null("id", error_if="> 50%")])
    assert verdict.text == "1 of 4 rows (25%) fail, which is tolerated (not > 50%): id has a value"
    assert verdict.numbers == {"failing": 1, "rows": 4, "share": 0.25}


def test_only_what_blocks_and_failed_holds_back() -> None:
    hard = evaluate(PAYMENTS, [not_null("id", blocking=True), not_null("id", name="soft")])
    assert [verdict.holds_back for verdict in hard] == [True, False]
    both = evaluate(PAYMENTS, [not_null("id", blocking=True, warn_if="> 0", error_if="> 9")])
    assert [verdict.holds_back for verdict in both] == [False]


def test_samples_are_bounded_and_can_be_left_out() -> None:
    many = pl.DataFrame(
        {"a": [None] * 100, "at": [datetime(2026, 1, 1, tzinfo=UTC)] * 100}, {"a": pl.Int64, "at": None}
    )
    report = evaluate(many, [not_null("a"), not_null("a", sample=20, name="b"), not_null("a", sample=0, name="c")])
    sizes = [len(verdict.sample[1]) if verdict.sample else 0 for verdict in report]
    assert sizes == [5, 20, 0]
    assert report["b"].sample is not None
    assert report["b"].sample[1][0] == [None, "2026-01-01 00:00:00+00"]


# ---- what goes wrong ----


def test_what_goes_wrong_with_one_rule_is_told_of_that_one() -> None:
    def raises(frame: pl.DataFrame) -> bool:
        raise KeyError("nothing")

    def answers(frame: pl.DataFrame) -> Any:
        return {1: 2}

    def too_short(frame: pl.DataFrame) -> Any:
        return frame["id"].head(2) > 1

    report = evaluate(
        PAYMENTS,
        [
            not_null("amout"),
            expression("currncy = 'EUR'"),
            expression("amount >", name="syntax"),
            expression("CAST(currency AS INTEGER) > 1", name="cast"),
            accepted_values("id", ["x"], name="types"),
            matches("email", "(", name="pattern"),
            aggregate("amount", min=1, name="no_aggregate"),
            predicate(raises),
            predicate(answers),
            predicate(too_short),
            predicate(pl.col("amount") + 1, name="no_boolean"),
            not_null("nothing", severity="warn"),
            not_null("id", name="good"),
        ],
    )
    told = {verdict.rule.name: str(verdict.error) for verdict in report}
    assert "no column 'amout'" in told["not_null_amout"]
    assert "did you mean 'amount'" in told["not_null_amout"]
    assert "did you mean 'currency'" in told["expression_currncy_eur"]
    assert "syntax error" in told["syntax"]
    assert "Could not convert string" in told["cast"]
    assert "Could not convert string 'x'" in told["types"]
    assert "missing )" in told["pattern"].lower() or "parenthes" in told["pattern"].lower()
    assert "GROUP BY" in told["no_aggregate"]
    assert told["raises"].startswith("KeyError: 'nothing'")
    assert "a dict" in told["answers"]
    assert "one value for each row" in told["answers"]
    assert "(2,)" in told["too_short"]
    assert "Float64, not a boolean" in told["no_boolean"]
    assert [verdict.outcome for verdict in report] == ["failed"] * 11 + ["warned", "failed"]
    assert report["good"].failing == 1
    with pytest.raises(CheckFailed, match="12 of 13 checks failed: not_null_amout: cannot be evaluated"):
        report.must_pass()


@pytest.mark.parametrize("empty", [pl.DataFrame(schema={"id": pl.Int64}), pl.DataFrame(), [], pd.DataFrame({"id": []})])
def test_an_empty_table_passes_all_but_what_counts_rows(empty: Any) -> None:
    rules = [not_null("id"), unique("id"), in_range("id", 1), relationships("id", "other"), row_count()]
    report = evaluate(empty, rules, others={"other": [{"id": 1}]})
    assert [verdict.outcome for verdict in report] == ["passed"] * 4 + ["failed"]


def test_what_is_no_table_or_no_rule_is_refused() -> None:
    with pytest.raises(ResultError, match="not a table"):
        evaluate(7, [not_null("id")])
    with pytest.raises(DefinitionError, match="is no rule"):
        evaluate(PAYMENTS, ["not_null"])  # type: ignore[list-item]


WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: not_null(), "names no column"),
    (lambda: not_null(["id"]), "is no column"),  # type: ignore[arg-type]
    (lambda: unique("id", "id"), "twice"),
    (lambda: not_null("id", name="no name"), "cannot be a check's name"),
    (lambda: not_null("id", nme="x"), "did you mean 'name'"),  # type: ignore[call-arg]
    (lambda: not_null("id", severity="bad"), "'warn' or 'error'"),  # type: ignore[arg-type]
    (lambda: not_null("id", severity="warn", blocking=True), "holds nothing back"),
    (lambda: not_null("id", warn_if="> 1", blocking=True), "holds nothing back"),
    (lambda: not_null("id", severity="error", warn_if="> 1"), "contradicts"),
    (lambda: not_null("id", error_if="many"), "'> 10', '>= 1%'"),
    (lambda: not_null("id", error_if="> 101%"), "at most 100%"),
    (lambda: not_null("id", sample=21), "0 to 20"),
    (lambda: not_null("id", where=1), "give a str"),  # type: ignore[arg-type]
    (lambda: not_null("id", on_fail="drop"), "'quarantine', or left out"),  # type: ignore[arg-type]
    (lambda: row_count(on_fail="quarantine"), "cannot send rows"),
    (lambda: row_count(error_if="> 1"), "does not count rows"),
    (lambda: row_count(3, 1), "min= 3 is more than max= 1"),
    (lambda: row_count("3"), "is no number"),  # type: ignore[arg-type]
    (lambda: accepted_values("id", "EUR"), "give a list"),
    (lambda: accepted_values("id", []), "has no values"),
    (lambda: accepted_values("id", [None]), "None among"),
    (lambda: accepted_values("id", [{}]), "is a dict, which no column"),
    (lambda: in_range("id"), "no bounds"),
    (lambda: in_range("id", 1, inclusive="all"), "'both', 'left'"),  # type: ignore[arg-type]
    (lambda: length("id", -1), "no length"),
    (lambda: length("id"), "no bounds"),
    (lambda: matches("id", ""), "give it as text"),
    (lambda: expression(" "), "says nothing"),
    (lambda: query(""), "asks nothing"),
    (lambda: query("SELECT 1", where="a"), "no where="),
    (lambda: query("SELECT 1", {"a b": "x"}), "no name and asset"),
    (lambda: aggregate("avg(x)"), "no bounds"),
    (lambda: fresh("at", "soon"), "timedelta, or write seconds"),
    (lambda: relationships("id", 7), "give an asset's key"),
    (lambda: relationships(["a", "b"], "other", "c"), "2 columns, but 1"),
    (lambda: predicate(7), "is a int"),
    (lambda: predicate(lambda a, b: True), "takes 2 parameters"),
]


@pytest.mark.parametrize(("make", "said"), WRONG, ids=[said for _, said in WRONG])
def test_a_rule_that_makes_no_sense_is_refused(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(DefinitionError) as error:
        make()
    assert said in str(error.value)


def test_names_say_what_a_rule_is_about() -> None:
    names = [
        (not_null("id"), "not_null_id"),
        (unique("day", "Shop Id"), "unique_day_shop_id"),
        (expression("net = gross - fees"), "expression_net_gross_fees"),
        (relationships("shop", "silver.shops"), "relationships_shop_silver_shops"),
        (predicate(lambda frame: True), "predicate"),
        (row_count(1), "row_count"),
        (not_null("id", name="mine"), "mine"),
    ]
    assert [rule.name for rule, _ in names] == [name for _, name in names]
    long = [expression(f"a_very_long_name_of_a_column = {n} AND another_very_long_name_of_it = 5") for n in (1, 2)]
    assert all(len(rule.name) <= 60 and rule.name.isidentifier() for rule in long)
    assert long[0].name != long[1].name


def test_all_types_of_values_can_be_written() -> None:
    at = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
    frame = pl.DataFrame(
        {"at": [at], "sum": [Decimal("1.50")], "text": ["it's"], "took": [timedelta(seconds=1)], "yes": [True]}
    )
    report: Report = evaluate(
        frame,
        [
            in_range("at", at, at),
            in_range("sum", Decimal("1.5"), 2),
            accepted_values("text", ["it's"]),
            in_range("took", timedelta(seconds=1), timedelta(seconds=1)),
            accepted_values("yes", [True]),
        ],
    )
    assert str(report).count("✓") == 5, str(report)
