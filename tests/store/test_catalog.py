"""Definitions, dynamic partitions, settings."""

from __future__ import annotations

from batuta.store import Store
from batuta.store.rows import AssetDefinitionRow, DefinitionsRow

ASSETS = [("bronze/rates", b'{"layer":"bronze"}'), ("silver/rates", b'{"upstream":["bronze/rates"]}')]


def test_definitions_are_replaced_only_where_they_differ(store: Store) -> None:
    assert store.save_definitions("a.py", "h1", b"\x00one", ASSETS, now=1.0)
    assert store.save_definitions("b.py", "h1", b"b", [("bronze/rates", b"{}")], now=1.0)
    assert store.definitions_at("a.py") == DefinitionsRow("a.py", "h1", b"\x00one", 1.0, "")
    assert [row.key for row in store.asset_definitions(location="a.py")] == ["bronze/rates", "silver/rates"]

    assert not store.save_definitions("a.py", "h1", b"ignored", [], now=2.0)
    assert store.definitions_at("a.py") == DefinitionsRow("a.py", "h1", b"\x00one", 2.0, "")

    changed = [("silver/rates", b'{"upstream":[]}'), ("gold/revenue", b"{}")]
    assert store.save_definitions("a.py", "h2", b"two", changed, now=3.0)
    assert store.asset_definitions() == [
        AssetDefinitionRow("bronze/rates", "b.py", b"{}"),
        AssetDefinitionRow("gold/revenue", "a.py", b"{}"),
        AssetDefinitionRow("silver/rates", "a.py", b'{"upstream":[]}'),
    ]
    assert [row.location for row in store.asset_definitions(["bronze/rates", "none"])] == ["b.py"]
    assert store.asset_definitions(["bronze/rates"], location="a.py") == []


def test_broken_code_keeps_its_last_good_definitions(store: Store) -> None:
    store.save_definitions("a.py", "h1", b"one", ASSETS, now=1.0)
    store.fail_definitions("a.py", "SyntaxError: a.py:3", b'[{"message":"no"}]', now=2.0)
    store.fail_definitions("new.py", "ImportError", now=2.0)
    assert store.definitions() == [
        DefinitionsRow("a.py", "h1", b"one", 2.0, "SyntaxError: a.py:3", '[{"message":"no"}]'),
        DefinitionsRow("new.py", "", b"", 2.0, "ImportError"),
    ]
    assert len(store.asset_definitions(location="a.py")) == 2
    store.save_definitions("a.py", "h1", b"one", ASSETS, now=3.0)
    found = store.definitions_at("a.py")
    assert found is not None
    assert (found.error, found.problems) == ("", "[]")


def test_a_code_location_can_be_forgotten(store: Store) -> None:
    store.save_definitions("a.py", "h1", b"one", ASSETS, now=1.0)
    assert store.delete_definitions("a.py")
    assert not store.delete_definitions("a.py")
    assert store.definitions() == []
    assert store.asset_definitions() == []


def test_dynamic_partitions_keep_the_order_in_which_they_came(store: Store) -> None:
    assert store.add_dynamic_partitions("merchants", ["m2", "m1", "m2"], now=1.0) == 2
    assert store.add_dynamic_partitions("merchants", ["m0", "m1"], now=2.0) == 1
    assert store.add_dynamic_partitions("merchants", [], now=2.0) == 0
    assert store.add_dynamic_partitions("other", ["x"], now=2.0) == 1
    assert store.dynamic_partitions("merchants") == ["m1", "m2", "m0"]
    assert store.delete_dynamic_partitions("merchants", ["m1", "x"]) == 1
    assert store.dynamic_partitions("merchants") == ["m2", "m0"]
    assert store.dynamic_partitions("none") == []


def test_settings(store: Store) -> None:
    assert store.meta("retention_days") is None
    store.set_meta("retention_days", "30")
    store.set_meta("retention_days", "60")
    assert store.meta("retention_days") == "60"
