"""New runs, leases and epochs."""

from __future__ import annotations

import pytest

from batuta.core.errors import RequestError
from batuta.core.plan import content_hash
from batuta.store import Store
from batuta.store.errors import StoreError
from batuta.store.rows import Batch, NewRun
from tests.store.samples import PLAN, create, new_run, progress, reread

NEW = NewRun(
    job="settle",
    kind="assets",
    plan_hash=content_hash(PLAN),
    location="pipelines/fintech.py",
    params={"day": "2026-01-31", "nested": [1, {"ä": None}]},
    tags={"team": "finance", "tier": "gold"},
    trigger="schedule",
    logical_at=1_764_000_000.25,
    interval_start=1_763_913_600.0,
    interval_end=1_764_000_000.0,
    partition="2026-01-31",
    parent_run=3,
    parent_task=4,
    priority=-5,
    seed=2**62 + 1,
    config={"executor": "processes"},
    created_at=1_764_000_001.5,
)


def test_a_new_run_is_queued_and_leased(store: Store) -> None:
    run = store.create_run(NEW, PLAN, owner="host:1:0", lease_s=10.0, now=1_764_000_002.0)
    assert run == store.run(run.id)
    for name in NewRun.__slots__:
        if name == "by":  # kept in the audit log
            continue
        assert getattr(run, name) == getattr(NEW, name), name
    assert (run.state, run.seq, run.epoch) == ("queued", 0, 1)
    assert (run.owner, run.lease_until) == ("host:1:0", 1_764_000_012.0)
    assert store.plan(NEW.plan_hash) == PLAN


def test_a_plan_is_stored_once_whoever_brings_it(store: Store) -> None:
    large = PLAN + b" " * 2_000_000
    new = new_run(plan_hash=content_hash(large))
    for _ in range(3):
        store.create_run(new, large, owner="me", lease_s=10.0, now=1.0)
    assert store.info().counts["plans"] == 1
    assert store.plan(new.plan_hash) == large
    assert store.plan("0" * 32) is None


def test_many_runs_at_once_are_numbered_in_order(store: Store) -> None:
    first = create(store)
    runs = store.create_runs([(new_run(f"job_{n}"), PLAN) for n in range(500)], owner="", lease_s=10.0, now=5.0)
    assert [run.id for run in runs] == list(range(first.id + 1, first.id + 501))
    assert [run.job for run in runs] == [f"job_{n}" for n in range(500)]
    assert store.runs(limit=1) == [runs[-1]]
    assert store.create_runs([], owner="", lease_s=1.0, now=1.0) == []


def test_a_run_without_an_owner_is_there_to_be_claimed(store: Store) -> None:
    run = create(store, owner="", now=1_000.0)
    assert store.resumable_runs(1_000.0) == [run]
    claimed = store.claim(run.id, "me", 10.0, now=1_000.0)
    assert (claimed.owner, claimed.epoch, claimed.lease_until) == ("me", 2, 1_010.0)
    assert store.resumable_runs(1_005.0) == []


def test_a_leased_run_cannot_be_claimed_before_its_lease_is_over(store: Store) -> None:
    run = create(store, owner="laptop:4711:99", now=1_000.0)
    with pytest.raises(RequestError, match="run 1 is being executed by laptop:4711:99") as caught:
        store.claim(run.id, "other", 10.0, now=1_007.0)
    assert "in 3 s" in str(caught.value.hint)
    assert store.claim(run.id, "other", 10.0, now=1_010.0).epoch == 2


def test_force_takes_a_leased_run(store: Store) -> None:
    run = create(store, now=1_000.0)
    assert store.claim(run.id, "other", 10.0, now=1_001.0, force=True).owner == "other"


def test_an_ended_run_can_be_claimed_at_once(store: Store) -> None:
    run = create(store, now=1_000.0)
    store.commit(Batch(runs=[progress(run, 0, "failed", finished_at=1_001.0)]))
    assert store.claim(run.id, "other", 10.0, now=1_001.0).epoch == 2


def test_leases_are_prolonged_and_losses_told(store: Store) -> None:
    ours, taken, foreign = create(store), create(store), create(store, owner="third")
    store.claim(taken.id, "other", 10.0, now=1_001.0, force=True)
    assert store.renew("me", [ours.id], 10.0, now=1_008.0) == []
    assert store.renew("me", [ours.id, taken.id, foreign.id, 99], 10.0, now=1_009.0) == [taken.id, foreign.id, 99]
    assert reread(store, ours).lease_until == 1_019.0
    assert reread(store, taken).lease_until == 1_011.0
    assert store.renew("me", [], 10.0, now=1_009.0) == []


def test_a_released_run_is_free_at_once(store: Store) -> None:
    ours, foreign = create(store), create(store, owner="third")
    store.release("me", [ours.id, foreign.id])
    assert reread(store, ours).owner == ""
    assert reread(store, foreign).owner == "third"
    assert store.claim(ours.id, "other", 10.0, now=1_000.5).owner == "other"


def test_resumable_runs_are_the_unfinished_ones_whose_lease_is_over(store: Store) -> None:
    runs = {state: create(store, state) for state in ("queued", "running", "paused", "cancelling")}
    for state, run in runs.items():
        store.commit(Batch(runs=[progress(run, 0, state)]))
    for state in ("succeeded", "failed", "cancelled"):
        store.commit(Batch(runs=[progress(create(store), 0, state, finished_at=1_001.0)]))
    held = create(store, now=1_005.0)
    assert store.resumable_runs(1_009.9) == []
    assert [run.job for run in store.resumable_runs(1_010.0)] == [*runs]
    assert [run.id for run in store.resumable_runs(1_015.0)][-1] == held.id


def test_children_that_are_not_finished(store: Store) -> None:
    parent = create(store)
    children = [create(store, f"child_{n}", parent_run=parent.id, parent_task=n) for n in range(3)]
    create(store, "of_another", parent_run=parent.id + 100)
    store.commit(Batch(runs=[progress(children[1], 0, "succeeded", finished_at=1_001.0)]))
    assert [run.job for run in store.unfinished_children(parent.id)] == ["child_0", "child_2"]


def test_text_that_cannot_be_stored_in_a_new_run_is_an_error_with_a_hint(store: Store) -> None:
    with pytest.raises((StoreError, UnicodeError)) as caught:
        create(store, "half \ud800 pair")
    assert isinstance(caught.value, StoreError)
    assert "remove it" in str(caught.value)
    assert store.runs() == []
