"""Pruning: old runs go with all that hangs on them; what exists stays known."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from batuta.store import Store, retention
from batuta.store.alert_box import AlertRow, DeliveryRow, Told
from batuta.store.database import Transaction
from batuta.store.retention import ROWS_MIN, Ages, Forgetting
from batuta.store.rows import Audit, Batch, CacheRow, KeyedRun, NewTick, TickerRow
from tests.store.samples import PLAN, create, finish, materialization, new_run, progress, reread, task_ends

DAY = 86_400.0
NOW = 100 * DAY


class PowerLost(BaseException):
    """Not an Exception: nothing may catch it."""


def test_old_runs_go_with_all_that_hangs_on_them(store: Store) -> None:
    old = create(store, "old", tags={"team": "a"})
    finish(store, old, at=NOW - 31 * DAY)
    young = create(store, "young", tags={"team": "a"})
    finish(store, young, at=NOW - 29 * DAY)
    running = create(store, "running", now=0.0)
    store.commit(task_ends(running, 1, 3))

    pruned = store.prune(30 * DAY, NOW)
    assert pruned.runs == [old.id]
    assert {table: count for table, count in pruned.rows.items() if count} == {
        "runs": 1, "events": 1, "task_runs": 1, "materializations": 1, "check_results": 1, "task_cache": 1,
        "pruned_runs": 1,
    }  # fmt: skip
    assert pruned.rows["plans"] == 0
    assert [run.job for run in store.runs()] == ["running", "young"]
    assert [run.job for run in store.runs(tags={"team": "a"})] == ["young"]
    assert list(store.events(old.id)) == []
    assert store.task_runs(old.id) == []
    assert store.materializations("asset_of_old") == []
    assert store.check_results("asset_of_old") == []
    assert store.cache_get(f"cached_by_{old.id}", NOW) is None
    assert len(list(store.events(young.id))) == 1
    assert len(list(store.events(running.id))) == 3

    assert store.asset_states()["asset_of_old", ""].run_id == old.id
    assert store.checks_current()["asset_of_old", "not_empty", ""].run_id == old.id
    assert store.prune(30 * DAY, NOW).runs == []


def test_the_newest_of_each_job_are_kept(store: Store) -> None:
    runs = [create(store, f"job_{n % 2}") for n in range(10)]
    for run in runs:
        finish(store, run, at=1_000.0)
    assert store.prune(DAY, NOW, keep=2).runs == [run.id for run in runs[:6]]
    assert [run.id for run in store.runs()] == [run.id for run in reversed(runs[6:])]
    assert store.prune(DAY, NOW, keep=0).runs == [run.id for run in runs[6:]]


def test_children_go_with_their_parent_and_not_before(store: Store) -> None:
    parent = create(store, "parent", now=0.0)
    child = create(store, "child", parent_run=parent.id)
    grandchild = create(store, "grandchild", parent_run=child.id)
    finish(store, grandchild, at=1_000.0)
    finish(store, child, at=1_001.0)
    assert store.prune(DAY, NOW).runs == []
    finish(store, parent, at=1_002.0)
    assert store.prune(DAY, NOW).runs == [parent.id, child.id, grandchild.id]


def test_plans_go_with_their_last_run_and_numbers_are_not_given_again(store: Store) -> None:
    only = store.create_run(new_run(plan_hash="of-one-run"), b"{}", owner="me", lease_s=10.0, now=1.0)
    finish(store, only, at=1_000.0)
    last = store.last_event_id()
    assert store.prune(DAY, NOW).rows["plans"] == 1
    assert store.plan("of-one-run") is None
    again = create(store)
    assert again.id > only.id
    store.commit(task_ends(again, 1, 1))
    assert store.last_event_id() > last


def test_results_that_are_over_are_forgotten_with_the_rest(store: Store) -> None:
    run = create(store)
    finish(store, run, at=NOW)
    kept = dataclasses.replace(_cached(store, run.id), key="kept", expires_at=NOW + 1)
    over = dataclasses.replace(kept, key="over", expires_at=NOW)
    store.commit(Batch(runs=[progress(reread(store, run), 1, "succeeded", finished_at=NOW)], cache=[kept, over]))
    assert store.prune(DAY, NOW).rows["task_cache"] == 1
    assert store.cache_get("kept", NOW) is not None


def _cached(store: Store, run_id: int) -> CacheRow:
    found = store.cache_get(f"cached_by_{run_id}", 1.0)
    assert found is not None
    return found


def test_large_runs_are_deleted_in_small_transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ROWS_AT_A_TIME", 100)
    monkeypatch.setattr(retention, "RUNS_AT_A_TIME", 2)
    runs = [create(store) for _ in range(5)]
    for run in runs:
        batch = task_ends(run, 1, 250)
        batch.runs = [progress(run, 250, "failed", finished_at=1_000.0)]
        batch.materializations = [materialization(run, f"asset_{n}") for n in range(150)]
        store.commit(batch)
    pruned = store.prune(DAY, NOW)
    assert pruned.runs == [run.id for run in runs]
    assert pruned.rows["events"] == pruned.rows["task_runs"] == 1_250
    assert pruned.rows["materializations"] == 750
    assert len(store.asset_states()) == 150


@pytest.mark.parametrize("survived", range(0, 12, 2))
def test_a_pruning_that_was_cut_short_is_not_seen_and_goes_on_later(
    store: Store, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    monkeypatch.setattr(retention, "ROWS_AT_A_TIME", 3)
    monkeypatch.setattr(retention, "RUNS_AT_A_TIME", 1)
    old = [create(store, "old") for _ in range(3)]
    for run in old:
        batch = task_ends(run, 1, 5)
        batch.runs = [progress(run, 5, "failed", finished_at=1_000.0)]
        store.commit(batch)
    begin, left = store._database.transaction, iter(range(survived))

    def cut_short() -> AbstractContextManager[Transaction]:
        if next(left, None) is None:
            raise PowerLost
        return begin()

    with monkeypatch.context() as patched:
        patched.setattr(store._database, "transaction", cut_short)
        with pytest.raises(PowerLost):
            store.prune(DAY, NOW)
    for run in store.runs():
        assert [row.seq for row in store.events(run.id)] == [1, 2, 3, 4, 5]
    store.prune(DAY, NOW)
    counts = store.info().counts
    assert (counts["runs"], counts["events"], counts["task_runs"]) == (0, 0, 0)
    assert store._database.rows("count_pruned_runs") == [(0,)]


def test_a_run_that_was_restarted_meanwhile_stays(store: Store) -> None:
    runs = [create(store) for _ in range(3)]
    for run in runs:
        finish(store, run, at=1_000.0)
    forgetting = store.forgetting(Ages(runs=DAY), NOW)
    found = store._database.rows("prunable_runs", cutoff=NOW - DAY, keep_less_one=-1, after=0, limit=10)
    assert len(found) == 3
    row = store.claim(runs[1].id, "another", 10.0, NOW)
    store.commit(Batch(runs=[progress(row, 1, "running")]))
    gone: list[int] = []
    forgetting._step("runs", functools.partial(retention._delete_runs, [row[0] for row in found], NOW - DAY, gone))
    assert gone == [runs[0].id, runs[2].id]
    assert [run.id for run in store.runs()] == [runs[1].id]


def test_files_of_runs_are_told_of_before_the_last_trace_is_gone(store: Store) -> None:
    runs = [create(store) for _ in range(3)]
    for run in runs:
        finish(store, run, at=1_000.0)

    def cut_short(ids: list[int]) -> None:
        raise PowerLost

    with pytest.raises(PowerLost):
        store.forgetting(Ages(runs=DAY), NOW, on_runs=cut_short).all()
    told: list[int] = []
    store.forgetting(Ages(), NOW, on_runs=told.extend).all()
    assert told == [run.id for run in runs]
    store.forgetting(Ages(), NOW, on_runs=cut_short).all()


def test_what_is_old_goes_by_its_own_age(store: Store) -> None:
    ticker = TickerRow(kind="schedule", location="shop", name="nightly", changed_at=NOW)
    for at in (NOW - 3 * DAY, NOW - DAY):
        store.record_ticks([NewTick(ticker=ticker, at=at, ended_at=at, outcome="skipped")], leader=None, now=at)
        store.create_keyed("api", [KeyedRun(new_run(), PLAN, f"key {at}")], now=at)
        store.audit(Audit("ann", "set", "variable", "x"), now=at)
        row = AlertRow(
            rule="r", key="k", kind="failure", severity="error", title="", body="", data={}, count=1, at=at, last_at=at
        )
        told = Told(row, [DeliveryRow(alert_id=0, channel="ops", next_at=at)])
        store.alerts.record([told], TickerRow(kind="alerts", location="", name="", changed_at=at), lead=None)
    ages = Ages(ticks=2 * DAY, run_keys=2 * DAY, alerts=2 * DAY, audit=2 * DAY)
    rows = store.forgetting(ages, NOW).all().rows
    assert {name: rows[name] for name in ("ticks", "run_keys", "alerts", "audit")} == {
        "ticks": 1, "run_keys": 1, "alerts": 1, "audit": 1,
    }  # fmt: skip
    assert len(store.ticks()) == len(store.audit_entries()) == len(store.alerts.page()) == 1
    assert store._database.rows("count_alert_deliveries") == store._database.rows("count_run_keys") == [(1,)]
    assert len(store.runs()) == 2


def test_finished_backfills_go_with_their_items_a_few_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ROWS_AT_A_TIME", 2)
    with store._database.writer() as connection:
        for number, finished_at in ((1, 1.0), (2, NOW), (3, None)):
            values = f"{number}, 's', 'j', '', 'x', '{{}}', '{{}}', '{{}}', '', 1.0, {finished_at or 'NULL'}, ''"
            connection.execute(f"INSERT INTO backfills VALUES ({values})")
            for no in range(5):
                item = f"{number}, {no}, '', '[]', NULL, 'x', 0, NULL, ''"
                connection.execute(f"INSERT INTO backfill_items VALUES ({item})")
    rows = store.forgetting(Ages(runs=DAY), NOW).all().rows
    assert (rows["backfills"], rows["backfill_items"]) == (1, 5)
    assert store._database.rows("count_backfill_items") == [(10,)]


class Slow:
    """A clock by which each transaction takes so long for each row."""

    def __init__(self, row_s: float) -> None:
        self.now, self.row_s = 0.0, row_s

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("row_s", "at_most"), [(1e-6, 5_000), (1e-3, 75), (1.0, ROWS_MIN)])
def test_a_transaction_deletes_as_much_as_fits_into_its_time(store: Store, row_s: float, at_most: int) -> None:
    run = create(store)
    batch = task_ends(run, 1, 3_000)
    batch.runs = [progress(run, 3_000, "failed", finished_at=1_000.0)]
    store.commit(batch)
    clock = Slow(row_s)
    forgetting = Forgetting(store._database, Ages(runs=DAY), NOW, clock=clock)
    step, sizes = forgetting._step, []

    def measured(kind: str, delete: Callable[[Transaction], int]) -> float:
        def counted(transaction: Transaction) -> int:
            count = delete(transaction)
            clock.now += count * row_s
            if kind == "events":
                sizes.append(count)
            return count

        return step(kind, counted)

    forgetting._step = measured  # type: ignore[method-assign]
    for _ in itertools.islice(forgetting.steps(), 400):
        pass
    assert max(sizes[4:], default=0) <= at_most
    assert len(sizes) > 1


def test_vacuum_gives_room_back(store: Store) -> None:
    run = create(store)
    batch = task_ends(run, 1, 2_000)
    for row in batch.task_runs:
        row.output = b"x" * 1_000
    batch.runs = [progress(run, 2_000, "failed", finished_at=1_000.0)]
    store.commit(batch)
    store.vacuum()
    full = store.size()
    store.prune(DAY, NOW)
    store.vacuum()
    assert store.size() < full / 2
