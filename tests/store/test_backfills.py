"""Backfills in the store: items in their order, one writer at a time, what people want and what runs have come to."""

from __future__ import annotations

import pytest

from batuta.core.backfills import Backfill, Item
from batuta.core.errors import RequestError
from batuta.core.schedule_specs import Cron, Fire, ScheduleSpec
from batuta.store import Store
from batuta.store.backfill_box import ItemChange
from batuta.store.errors import LeadLost
from tests.store.samples import create, finish

SPEC = Backfill(selection="rates", partitions="all", batch=2, tags={"a": "b"}, params={"x": [1]})


def items(count: int) -> list[Item]:
    return [Item(f"p{i}", (f"p{i}",)) for i in range(count)]


def test_a_backfill_is_kept_with_its_items(store: Store) -> None:
    box = store.backfills
    number = box.create(SPEC, items(3), by="ann", now=5.0)
    row = box.get(number)
    assert (row.spec, row.state, row.created_by, row.created_at, row.finished_at) == (SPEC, "running", "ann", 5.0, None)
    assert [(one.no, one.item, one.state, one.attempt) for one in box.items(number)] == [
        (no, item, "waiting", 1) for no, item in enumerate(items(3))
    ]
    assert [one.no for one in box.items(number, after=0, limit=1)] == [1]
    assert [one.id for one in box.page()] == [one.id for one in box.open()] == [number]
    assert box.page(state="failed") == []
    with pytest.raises(RequestError, match="there is no backfill 99"):
        box.get(99)
    with pytest.raises(RequestError, match="nothing to backfill"):
        box.create(SPEC, [], by="", now=1.0)


def test_logical_times_are_kept(store: Store) -> None:
    timing = ScheduleSpec("nightly", Cron(("0 2 * * *",)), job="load")
    spec = Backfill(job="load", first=0.0, last=86400.0, timing=timing)
    fire = Fire(7200.0, 7200.0, 0.0, 7200.0, params={"day": "x"})
    number = store.backfills.create(spec, [Item("1970-01-01", fire=fire)], by="", now=1.0)
    assert store.backfills.get(number).spec == spec
    assert store.backfills.items(number)[0].item.fire == fire


def test_what_runs_have_come_to_is_heard_and_decides(store: Store) -> None:
    box = store.backfills
    number = box.create(SPEC, items(3), by="", now=1.0)
    runs = [create(store), create(store), create(store)]
    changes = [ItemChange(no, "submitted", 1, run.id) for no, run in enumerate(runs)]
    assert box.settle(number, changes, leader=None, now=2.0) == "running"
    assert box.open_runs(number) == [run.id for run in runs]
    assert box.ended(number) == []
    finish(store, runs[0], at=3.0)
    finish(store, runs[1], at=3.0, state="failed")
    ended = box.ended(number)
    assert [(one.no, one.state, one.run_id) for one in ended] == [
        (0, "succeeded", runs[0].id),
        (1, "failed", runs[1].id),
    ]
    assert box.settle(number, ended, leader=None, now=3.0) == "running"
    finish(store, runs[2], at=4.0)
    assert box.settle(number, box.ended(number), leader=None, now=4.0) == "failed"
    assert box.get(number).finished_at == 4.0
    assert box.counts([number]) == {number: {"succeeded": 2, "failed": 1}}
    assert box.open() == []
    assert box.act(number, "retry", by="ann", now=5.0) == "running"
    (again,) = box.items(number, states=["waiting"])
    assert (again.no, again.attempt, again.run_id, again.error) == (1, 2, None, "")
    assert box.get(number).finished_at is None
    with pytest.raises(RequestError, match="nothing of backfill"):
        box.act(number, "retry", by="ann", now=5.0)


def test_people_pause_and_cancel(store: Store) -> None:
    box = store.backfills
    number = box.create(SPEC, items(3), by="", now=1.0)
    assert box.act(number, "pause", by="ann", now=2.0) == "paused"
    with pytest.raises(RequestError, match="is paused: pause makes no sense"):
        box.act(number, "pause", by="ann", now=2.0)
    assert box.act(number, "resume", by="ann", now=2.0) == "running"
    run = create(store)
    box.settle(number, [ItemChange(0, "submitted", 1, run.id)], leader=None, now=2.0)
    assert box.act(number, "cancel", by="ann", now=3.0) == "cancelling"
    assert box.counts([number])[number] == {"submitted": 1, "cancelled": 2}
    finish(store, run, at=4.0, state="cancelled")
    assert box.settle(number, box.ended(number), leader=None, now=4.0) == "cancelled"


def test_a_former_leader_writes_nothing(store: Store) -> None:
    number = store.backfills.create(SPEC, items(1), by="", now=1.0)
    former = store.take_lead("backfills", "a", 1.0, 10.0)
    store.take_lead("backfills", "b", 1.0, 20.0)
    with pytest.raises(LeadLost):
        store.backfills.settle(number, [ItemChange(0, "failed", 1, None)], leader=former, now=21.0)
    assert store.backfills.items(number)[0].state == "waiting"
