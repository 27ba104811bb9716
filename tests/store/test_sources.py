"""Texts of source files, by version and by when they were loaded; forgotten with the runs that ran them."""

from __future__ import annotations

from batuta.store import Store
from batuta.store.retention import Ages
from tests.store.samples import create

DAY = 86_400.0
NOW = 100 * DAY
FILE = "/shop/shop.py"


def test_a_file_is_given_as_it_was_when_a_run_began(store: Store) -> None:
    box = store.sources
    assert box.keep("shop", "v1", {FILE: "one", "/shop/other.py": "same"}, now=10.0) == 2
    assert box.keep("shop", "v1", {FILE: "one", "/shop/other.py": "same"}, now=20.0) == 0, "nothing has changed"
    assert box.keep("shop", "v1", {FILE: "two ü", "/shop/other.py": "same"}, now=30.0) == 1
    assert box.keep("shop", "v1", {FILE: "one"}, now=40.0) == 1, "it was changed back"
    assert [box.text("shop", "v1", FILE, at) for at in (5.0, 10.0, 29.0, 30.0, 50.0, None)] == [
        *("one", "one", "one", "two ü", "one", "one")
    ]
    assert box.text("shop", "v1", "/shop/other.py", 50.0) == "same"
    assert box.text("shop", "v2", FILE) is box.text("bank", "v1", FILE) is None
    assert _count(store) == 3, "each text once"


def test_what_no_run_ran_is_forgotten(store: Store) -> None:
    box = store.sources
    store.save_definitions("shop", "v3", b"{}", [], now=1.0)
    for at, version, text in ((1.0, "v1", "a"), (2.0, "v1", "b"), (3.0, "v1", "c"), (4.0, "v2", "d"), (5.0, "v3", "e")):
        box.keep("shop", version, {FILE: text}, now=at)
    box.keep("shop", "v3", {FILE: "f"}, now=NOW - 1)
    create(store, location="shop", version="v1", now=2.5)
    store.forgetting(Ages(runs=DAY, keep_runs=5), NOW).all()
    assert [box.text("shop", "v1", FILE, at) for at in (1.5, 2.5, 3.5)] == ["b", "b", "c"]
    assert box.text("shop", "v2", FILE) is None
    assert box.text("shop", "v3", FILE) == "f"
    assert _count(store) == 3


def _count(store: Store) -> int:
    return int(store._database.fetch("SELECT count(*) FROM sources", ())[0][0])
