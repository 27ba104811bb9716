"""Suites of Great Expectations read as rules, and evaluated by that library; and what is refused, and where."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from batuta.authoring.assets import asset
from batuta.checks import evaluate, from_great_expectations, not_null
from batuta.core.errors import DefinitionError, ResultError
from tests.authoring.asset_runs import Lake

pytestmark = pytest.mark.filterwarnings("ignore:::great_expectations", "ignore::DeprecationWarning")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    gx: Any = pytest.importorskip("great_expectations", reason='pip install "batuta[great-expectations]"')

FRAME = pl.DataFrame({"id": [1, 2, 2, None], "amount": [1.0, -5.0, 20.0, 3.0], "status": ["a", "b", "c", "a"]})


def expectation(kind: str, **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {name: more.pop(name) for name in ("severity", "meta", "notes") if name in more}
    return {"type": f"expect_{kind}", "kwargs": more, **told}


SUITE = [
    expectation("column_values_to_not_be_null", column="id", notes="an order has a number"),
    expectation("column_values_to_be_between", column="amount", min_value=0, mostly=0.7),
    expectation("column_values_to_be_between", column="amount", max_value={"$PARAMETER": "most"}, severity="warning"),
    expectation("column_distinct_values_to_be_in_set", column="status", value_set=["a", "b"]),
    expectation("table_row_count_to_be_between", min_value=5, meta={"batuta": {"name": "enough", "blocking": True}}),
    expectation("column_mean_to_be_between", column="amount", min_value=4, max_value=5),
    expectation("column_pair_values_a_to_be_greater_than_b", column_A="amount", column_B="id"),
    expectation("column_values_to_be_unique", column="idd"),
    {"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": "FROM {batch} WHERE amount < 0"}},
]


def written(path: Path, *told: Any) -> Path:
    path.write_text(json.dumps({"name": "orders", "expectations": list(told)}))
    return path


def test_what_a_suite_finds(tmp_path: Path) -> None:
    rules = from_great_expectations(written(tmp_path / "orders.json", *SUITE), parameters={"most": 10}, blocking=True)
    report = evaluate(FRAME, [*rules, not_null("id", name="own")])
    assert [(one.rule.name, one.outcome, one.rule.options.blocking) for one in report] == [
        ("column_values_to_not_be_null_id", "failed", True),
        ("column_values_to_be_between_amount", "passed", True),
        ("column_values_to_be_between_amount_2", "warned", False),
        ("column_distinct_values_to_be_in_set_status", "failed", True),
        ("enough", "failed", True),
        ("column_mean_to_be_between_amount", "passed", True),
        ("column_pair_values_a_to_be_greater_than_b_amount_id", "failed", True),
        ("column_values_to_be_unique_idd", "failed", True),
        ("unexpected_rows_from_this_where_amount_0", "failed", True),
        ("own", "failed", False),
    ]
    null = report["column_values_to_not_be_null_id"]
    assert (null.rule.description, null.text) == (
        "an order has a number",
        "1 of 4 rows (25%) fail: expect column values to not be null: column id",
    )
    assert null.numbers == {"failing": 1, "rows": 4, "share": 0.25}
    assert null.sample is not None
    assert null.sample[0] == ["id", "amount", "status"]
    assert null.sample[1][0][1:] == [3.0, "a"]
    mostly = report["column_values_to_be_between_amount"]
    assert "1 of 4 rows (25%) fail, which is tolerated: expect column values" in mostly.text
    assert report["column_distinct_values_to_be_in_set_status"].sample == (["value"], [["c"]])
    assert "it is 4" in report["enough"].text
    assert report["enough"].numbers == {"observed": 4}
    assert report["column_mean_to_be_between_amount"].numbers == {"observed": 4.75}
    gone = report["column_values_to_be_unique_idd"]
    assert (gone.text, gone.error and gone.error.hint) == (
        "cannot be evaluated: there is no column 'idd'",
        "did you mean 'id'?",
    )
    assert report["unexpected_rows_from_this_where_amount_0"].sample == (["id", "amount", "status"], [[2, -5.0, "b"]])


def test_an_object_of_the_library_is_read_as_well() -> None:
    one = gx.expectations.ExpectColumnValuesToBeInSet(column="status", value_set=["a"], severity="info")
    suite = gx.ExpectationSuite(name="orders", expectations=[one])
    for given in (suite, one):
        (rule,) = from_great_expectations(given, sample=1)
        (verdict,) = evaluate(FRAME, [rule])
        assert (verdict.outcome, verdict.failing, verdict.rows) == ("warned", 2, 4)
        assert verdict.sample is not None
        assert len(verdict.sample[1]) == 1


def test_of_no_rows_nothing_is_expected_of_rows() -> None:
    (rule,) = from_great_expectations(gx.expectations.ExpectColumnValuesToNotBeNull(column="id"))
    assert evaluate(FRAME.clear(), [rule]).passed


def test_in_a_run_what_fails_is_recorded_with_its_rows_and_holds_back(tmp_path: Path) -> None:
    suite = written(tmp_path / "suite.json", SUITE[0], expectation("column_to_exist", column="gone"))

    @asset("orders", checks=from_great_expectations(suite, blocking=True))
    def orders() -> pl.DataFrame:
        return FRAME

    @asset
    def report(orders: pl.DataFrame) -> int:
        return orders.height

    lake = Lake(tmp_path / "lake", [orders, report])
    states = lake.run()
    assert (states["orders"], states["orders:checks"], states["report"]) == ("succeeded", "failed", "upstream_failed")
    null = lake.checks["orders:column_values_to_not_be_null_id", ""]
    assert (null.outcome, null.metadata["failing"], len(null.metadata["sample"]["rows"])) == ("failed", 1, 1)
    assert lake.checks["orders:column_to_exist_gone", ""].outcome == "failed"


@pytest.mark.parametrize(
    ("told", "what", "hint"),
    [
        (expectation("column_values_to_be_nul", column="id"), "no 'expect_column_values_to_be_nul'", "_be_null'"),
        (expectation("query_results_to_match_comparison"), "in a database only", "query()"),
        (expectation("column_values_to_be_null", column={"$PARAMETER": "x"}), "'x' has no value", "parameters="),
        (
            expectation("column_to_exist", column="id", severity="info", meta={"batuta": {"blocking": True}}),
            "no more than warn",
            "severity",
        ),
        (expectation("column_to_exist", column="id", severity="high"), "severity is 'high'", "critical"),
        (expectation("column_to_exist", column="id", meta={"batuta": {"block": 1}}), "meta", "blocking"),
        ({"kwargs": {}}, "no expectation", "expect_..."),
    ],
)
def test_what_is_not_understood_is_told_with_its_place(tmp_path: Path, told: Any, what: str, hint: str) -> None:
    path = written(tmp_path / "suite.json", SUITE[0], told)
    with pytest.raises(DefinitionError) as caught:
        from_great_expectations(path)
    assert (caught.value.where, what in caught.value.what) == (f"{path}: expectation 2", True), caught.value
    assert hint in (caught.value.hint or "")


def test_what_is_no_suite(tmp_path: Path) -> None:
    (tmp_path / "text.json").write_text("{")
    (tmp_path / "list.json").write_text("[]")
    for given, what in (
        (tmp_path / "none.json", "cannot be read"),
        (tmp_path / "text.json", "not JSON"),
        (tmp_path / "list.json", "no expectations"),
        (3, "3 is no suite"),
    ):
        with pytest.raises(DefinitionError, match=what):
            from_great_expectations(given)
    with pytest.raises(DefinitionError, match="no option 'where'"):
        from_great_expectations(tmp_path / "list.json", where="id > 1")  # type: ignore[call-arg]
    same = expectation("column_to_exist", column="id", meta={"batuta": {"name": "same"}})
    with pytest.raises(DefinitionError, match="two expectations are called 'same'"):
        from_great_expectations(written(tmp_path / "same.json", same, same))


def test_what_the_library_refuses_is_told_when_it_is_asked(tmp_path: Path) -> None:
    rules = from_great_expectations(
        written(tmp_path / "suite.json", expectation("column_values_to_be_between", column="amount"), SUITE[0])
    )
    refused, other = evaluate(FRAME, rules)
    assert "min_value and max_value cannot both be None" in refused.text
    assert (refused.outcome, other.rows) == ("failed", 4)
    kinds = expectation("column_values_to_match_json_schema", column="status", json_schema={"type": "object"})
    (raised,) = evaluate(FRAME, from_great_expectations(written(tmp_path / "suite.json", kinds)))
    assert isinstance(raised.error, ResultError)
    assert "column_values_to_match_json_schema: " in raised.text


def test_without_the_library_what_to_install_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DefinitionError, match="needs Great Expectations") as caught:
        from_great_expectations(tmp_path / "suite.json")
    assert caught.value.hint == 'pip install "batuta[great-expectations]"'
