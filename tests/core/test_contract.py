"""What an asset promises of its columns, and which changes break those who read."""

from __future__ import annotations

import pytest

from batuta.core.columns import Column
from batuta.core.contract import Contract, breaches, changes, holds, keeps_type, null_breaches, shown

BEFORE = [Column("id", "int64", nullable=False), Column("amount", "decimal(18,2)"), Column("note", "string")]


def test_changes_that_break_readers_are_told_from_those_that_do_not() -> None:
    after = [
        Column("id", "int64"),
        Column("amount", "decimal(20,2)"),
        Column("added", "date"),
    ]
    found = changes(BEFORE, after)
    assert [(one.column, one.kind, one.breaking) for one in found] == [
        ("note", "removed", True),
        ("id", "nullable", True),
        ("amount", "type", False),
        ("added", "added", False),
    ]
    assert [one.text for one in found] == [
        "note: removed, it was string",
        "id: may be null now",
        "amount: decimal(20,2), it was decimal(18,2)",
        "added: added, date",
    ]
    back = changes(after, BEFORE)
    assert [(one.column, one.kind, one.breaking) for one in back] == [
        ("added", "removed", True),
        ("id", "nullable", False),
        ("amount", "type", True),
        ("note", "added", False),
    ]
    assert changes(BEFORE, BEFORE) == []


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("int64", "int64"),
        ("int64", "int8"),
        ("uint32", "uint8"),
        ("int64", "uint32"),
        ("float64", "float32"),
        ("decimal(20,4)", "decimal(18,2)"),
        ("string", "category"),
        ("category", "string"),
        ("", "int64"),
        ("int64", "null"),
    ],
)
def test_a_wider_type_holds_a_narrower_one(wide: str, narrow: str) -> None:
    assert holds(wide, narrow)


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("int8", "int64"),
        ("uint64", "int32"),
        ("int32", "uint32"),
        ("float32", "float64"),
        ("float64", "int64"),
        ("string", "int64"),
        ("decimal(18,4)", "decimal(18,2)"),
        ("decimal(18,1)", "decimal(18,2)"),
        ("datetime", "date"),
        ("datetime[UTC]", "datetime"),
        ("list", "string"),
    ],
)
def test_another_type_does_not(wide: str, narrow: str) -> None:
    assert not holds(wide, narrow)


def test_what_breaks_a_contract_is_shown_as_a_diff() -> None:
    contract = Contract((*BEFORE, Column("free"), Column("money", "decimal")))
    assert breaches(contract, [(c.name, c.type) for c in BEFORE] + [("free", "list"), ("money", "decimal(4,1)")]) == []
    found = [("id", "string"), ("amount", "null"), ("free", "x"), ("money", "int64"), ("new", "date")]
    wrong = breaches(contract, found)
    assert shown(wrong + null_breaches(contract, {"id": 3, "amount": 1}, 1200)) == (
        "  ~ id     is string, not int64\n"
        "  - note   is missing (string)\n"
        "  ~ money  is int64, not decimal\n"
        "  + new    is not in the contract (date)\n"
        "  ! id     is null in 3 of 1,200 rows"
    )


def test_an_additive_contract_lets_new_columns_in_and_nothing_else() -> None:
    contract = Contract((Column("id", "int64"),), "additive")
    assert breaches(contract, [("id", "int64"), ("new", "date")]) == []
    assert [one.sign for one in breaches(contract, [("id", "int32"), ("new", "date")])] == ["~"]


def test_a_column_without_values_keeps_its_type_only_where_it_may_be_null() -> None:
    assert keeps_type(Column("a", "int64"), "null")
    assert not keeps_type(Column("a", "int64", nullable=False), "null")


def test_zones_and_categories_make_no_difference() -> None:
    assert keeps_type(Column("a", "datetime[Europe/Berlin]"), "datetime[UTC]")
    assert not keeps_type(Column("a", "datetime[UTC]"), "datetime")
    assert not keeps_type(Column("a", "datetime"), "datetime[UTC]")
    assert keeps_type(Column("a", "category"), "string")


def test_a_long_diff_is_cut() -> None:
    contract = Contract(tuple(Column(f"c{n}") for n in range(30)))
    text = shown(breaches(contract, []))
    assert text.endswith("... and 10 more")
    assert text.count("\n") == 20
