"""The audit log: entries stand with what they record, and are found by who, what and when."""

from __future__ import annotations

from typing import Any

import pytest

from batuta.store import Store
from batuta.store.errors import LeaseLost
from batuta.store.rows import Audit, Batch, RunUpdate
from tests.store.samples import PLAN, new_run


def told(store: Store, **filters: Any) -> list[tuple[str, str, str, str]]:
    return [(entry.actor, entry.action, entry.kind, entry.name) for entry in store.audit_entries(**filters)]


def test_entries_are_found_by_each_of_their_parts(store: Store) -> None:
    for at, actor, action, name in ((1.0, "ann", "set", "x"), (2.0, "bob", "delete", "x"), (3.0, "ann", "set", "y")):
        store.audit(Audit(actor, action, "variable", name, {"at": at}), now=at)
    assert told(store, actor="ann") == [("ann", "set", "variable", "y"), ("ann", "set", "variable", "x")]
    assert told(store, action="delete") == [("bob", "delete", "variable", "x")]
    assert len(told(store, object_kind="variable")) == 3
    assert told(store, object_kind="run") == []
    assert len(told(store, object_name="x")) == 2
    entries = store.audit_entries(since=2.0)
    assert [entry.at for entry in entries] == [3.0, 2.0]
    assert entries[0].data == {"at": 3.0}
    assert [entry.at for entry in store.audit_entries(before=entries[1].id)] == [1.0]
    assert [entry.at for entry in store.audit_entries(limit=1)] == [3.0]


def test_a_launch_by_a_person_is_recorded_with_its_run(store: Store) -> None:
    run = store.create_run(new_run(by="ann", job="nightly", partition="d1"), PLAN, owner="o", lease_s=9.0, now=5.0)
    store.create_run(new_run(), PLAN, owner="o", lease_s=9.0, now=6.0)
    assert told(store) == [("ann", "launch", "run", str(run.id))]
    entry = store.audit_entries()[0]
    assert (entry.at, entry.data) == (5.0, {"job": "nightly", "trigger": "manual", "partition": "d1"})


def test_an_entry_of_a_batch_is_refused_with_it(store: Store) -> None:
    run = store.create_run(new_run(), PLAN, owner="o", lease_s=0.0, now=0.0)
    update = RunUpdate(run.id, run.epoch, 1, "running", 1.0, None, "")
    batch = Batch(runs=[update], audit=[Audit("ann", "cancel", "run", str(run.id), {}, 2.0)])
    store.claim(run.id, "other", 9.0, 1.0)
    with pytest.raises(LeaseLost):
        store.commit(batch)
    assert told(store) == []
    update.epoch += 1
    store.commit(batch)
    assert [entry.at for entry in store.audit_entries()] == [2.0]


def test_switching_and_pruning_are_recorded(store: Store) -> None:
    store.switch("schedule", "shop", "nightly", False, now=1.0, by="ann")
    store.switch("schedule", "shop", "nightly", True, now=2.0, by="ann")
    store.switch("schedule", "shop", "nightly", None, now=3.0)
    store.prune(60.0, 1000.0, by="bob")
    assert told(store) == [
        ("bob", "prune", "store", ""),
        ("ann", "turn on", "schedule", "nightly"),
        ("ann", "turn off", "schedule", "nightly"),
    ]
