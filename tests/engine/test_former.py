"""What was recorded before of a number: of the partitions before it, or when the same was made before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from batuta.engine.former import former
from batuta.store import Store
from batuta.store.rows import Batch
from tests.store import samples

DAYS = [f"2026-01-{day:02}" for day in range(1, 6)]


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store."""
    with Store.open(store_url) as opened:
        yield opened


def test_of_a_partition_those_before_it(store: Store) -> None:
    run = samples.create(store)
    made = [
        samples.materialization(run, "a", day, at=float(n), metadata=b'{"rows":%d,"net":{"value":1.5}}' % n)
        for n, day in enumerate(DAYS)
    ]
    checks = [
        samples.verdict(run, "a", "drift", partition=day, at=float(n), metadata=b'{"value":%d}' % (n * 10))
        for n, day in enumerate(DAYS)
    ]
    store.commit(Batch(materializations=made, checks=checks))
    asked: dict[str, Any] = {"check": "drift", "partition": DAYS[3], "by_partition": True, "limit": 2}
    found = former(store, "a", metadata="rows", **asked)
    assert found == {"values": [[DAYS[2], 2.0, 2.0], [DAYS[1], 1.0, 1.0]], "current": 3.0}
    assert former(store, "a", metadata="net", **asked)["current"] == 1.5
    of_check = former(store, "a", metadata="", **asked)
    assert of_check == {"values": [[DAYS[2], 2.0, 20.0], [DAYS[1], 1.0, 10.0]], "current": None}
    not_recorded = former(store, "a", metadata="gone", **asked)
    assert not_recorded["values"] == of_check["values"], "what the check itself recorded"
    assert former(store, "a", metadata="rows", **{**asked, "partition": DAYS[0]})["values"] == []


def test_of_what_has_no_time_when_it_was_made_before(store: Store) -> None:
    run = samples.create(store)
    for n in range(4):
        store.commit(
            Batch(
                materializations=[samples.materialization(run, "a", at=10.0 * n, metadata=b'{"rows":%d}' % n)],
                checks=[samples.verdict(run, "a", "drift", at=10.0 * n + 1, metadata=b'{"value":%d}' % n)],
            )
        )
    # Looked at once more: what is said of the data of now is no history.
    store.commit(Batch(checks=[samples.verdict(run, "a", "drift", at=99.0, metadata=b'{"value":3}')]))
    asked: dict[str, Any] = {"check": "drift", "partition": "", "by_partition": False, "limit": 10}
    found = former(store, "a", metadata="rows", **asked)
    assert found == {"values": [["", 20.0, 2.0], ["", 10.0, 1.0], ["", 0.0, 0.0]], "current": 3.0}
    assert [one[2] for one in former(store, "a", metadata="", **asked)["values"]] == [2.0, 1.0, 0.0]
    assert former(store, "never", metadata="rows", **asked) == {"values": [], "current": None}
