"""Soda's checks read as rules: what they find in a table; and what is refused, with its line."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from batuta.checks import evaluate, from_soda
from batuta.core.errors import DefinitionError

CHECKS = """\
checks for orders:
  - row_count > 3
  - row_count between 1 and 3
  - missing_count(id) = 0
  - missing_percent(amount) < 50%
  - duplicate_count(id, status) = 0
  - invalid_count(status) = 0:
      valid values: [paid, open]
      name: The status is known
  - invalid_percent(amount):
      valid min: 0
      filter: status = 'paid'
      warn: when > 1
      fail: when > 60
  - invalid_count(email) <= 1:
      valid regex: '@'
  - min(amount) > -1
  - avg(amount):
      warn: when > 1
      fail: when > 100
  - freshness(at) < 1d6h
  - schema:
      fail:
        when required column missing: [id, gone]
        when wrong column type: {amount: float64}
checks for others:
  - row_count = 0
"""
FRAME = pl.DataFrame(
    {
        "id": [1, 2, 2, None],
        "status": ["paid", "paid", "paid", "lost"],
        "amount": [-1.0, 3.0, 7.0, None],
        "email": ["a@b", "x", None, "c@d"],
    }
).with_columns(at=pl.lit("2020-01-01").str.to_datetime())


def test_what_the_checks_find(tmp_path: Path) -> None:
    path = tmp_path / "orders.yml"
    path.write_text(CHECKS)
    rules = from_soda(path, "orders")
    assert [(one.rule.name, one.outcome) for one in evaluate(FRAME, rules)] == [
        ("row_count", "passed"),
        ("row_count_between_1_and_3", "failed"),
        ("not_null_id", "failed"),
        ("not_null_amount", "passed"),
        ("unique_id_status", "failed"),
        ("the_status_is_known", "failed"),
        ("in_range_amount", "warned"),
        ("matches_email", "passed"),
        ("min_amount", "failed"),
        ("warn_avg_amount", "warned"),
        ("avg_amount", "passed"),
        ("fresh_at", "failed"),
        ("schema", "failed"),
    ]
    (other,) = from_soda(path, "others")
    assert evaluate(FRAME.clear(), [other]).passed


@pytest.mark.parametrize(
    ("text", "line", "what", "hint"),
    [
        ("checks for a:\n  - row_count > 0\n  - row_cuont > 0\n", 3, "'row_cuont > 0' is not understood", "row_count"),
        ("checks for a:\n  - missing_count(id) > 5\n", 2, "not understood", "a limit from above"),
        ("checks for a:\n  - missing_count(id)\n", 2, "not understood", "no condition"),
        ("checks for a:\n  - duplicate_count(id) < 3\n", 2, "not understood", "write `= 0`"),
        ("checks for a:\n  - invalid_count(id) = 0:\n      valid format: uuid\n", 2, "not understood", "valid regex"),
        ("checks for a:\n  - freshness(at) < soon\n", 2, "not understood", "< 1d"),
        ("checks for a:\n  - row_count = 1%\n", 2, "not understood", "between 1 and 10"),
        (
            "checks for a:\n  - schema:\n      fail:\n        when schema changes: any\n",
            2,
            "not understood",
            "schema ch",
        ),
        ("checks for a [daily]:\n  - row_count > 0\n", 1, "not understood", "filters"),
        ("checks for a:\n  row_count: 0\n", 1, "not a list", "- row_count > 0"),
        ("checks for a:\n  - row_count > 0\n - x\n", 3, "not YAML", "indentation"),
        ("- row_count > 0\n", 1, "no checks", "checks for orders"),
    ],
)
def test_what_is_not_understood_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, what: str, hint: str
) -> None:
    path = tmp_path / "orders.yml"
    path.write_text(text)
    with pytest.raises(DefinitionError) as caught:
        from_soda(path)
    assert (caught.value.where, what in caught.value.what) == (f"{path}:{line}", True), caught.value
    assert hint in (caught.value.hint or "")


def test_which_table_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "orders.yml"
    path.write_text(CHECKS)
    for table, hint in (("", "orders, others"), ("oders", "did you mean 'orders'")):
        with pytest.raises(DefinitionError) as caught:
            from_soda(path, table)
        assert hint in (caught.value.hint or "")
    with pytest.raises(DefinitionError, match="cannot be read"):
        from_soda(tmp_path / "none.yml")
