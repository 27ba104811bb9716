"""Batches: all or nothing, under the run's epoch, as often as one likes."""

from __future__ import annotations

import contextlib
import dataclasses
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batuta.core.errors import InvariantError, RequestError
from batuta.store import Store
from batuta.store.errors import LeaseLost
from batuta.store.rows import Batch, EventRow, RunRow, TaskRunRow
from tests.store.samples import (
    cached,
    create,
    event,
    materialization,
    progress,
    reread,
    task_ends,
    task_run,
    verdict,
)


def test_a_batch_comes_back_as_it_went_in(store: Store) -> None:
    run = create(store)
    batch = Batch(
        runs=[progress(run, 2, "running", started_at=1_000.125)],
        events=[event(run, 1, "run_started", task=None), event(run, 2, at=1_764_000_000.123456)],
        task_runs=[
            task_run(run, 0, "failed", index=3, error='{"message":"größer 𝄞"}'.encode(), logged=True),
            task_run(run, 1, "waiting", label="2026-01-31", started_at=None, finished_at=None, output=None),
        ],
        materializations=[materialization(run, partition="2026-01-31")],
        checks=[verdict(run, passed=False, blocking=True)],
        cache=[cached(run, expires_at=1_020.0)],
    )
    store.commit(batch)

    found = reread(store, run)
    assert (found.state, found.seq, found.started_at, found.finished_at) == ("running", 2, 1_000.125, None)
    assert _without_ids(list(store.events(run.id))) == batch.events
    assert store.task_runs(run.id) == batch.task_runs
    assert _without_ids(store.materializations("bronze/rates")) == batch.materializations
    assert store.asset_states() == {("bronze/rates", "2026-01-31"): batch.materializations[0]}
    assert _without_ids(store.check_results("bronze/rates")) == batch.checks
    assert store.checks_current() == {("bronze/rates", "not_empty", ""): batch.checks[0]}
    assert store.cache_get("k", 1_019.0) == batch.cache[0]
    assert store.cache_get("k", 1_020.0) is None


def test_rows_with_the_same_key_replace_each_other(store: Store) -> None:
    run = create(store)
    store.commit(
        Batch(
            runs=[progress(run, 1)],
            events=[event(run, 1)],
            task_runs=[task_run(run, 0, "waiting", output=None), task_run(run, 0, "running", output=None)],
            materializations=[materialization(run, data_version="d1"), materialization(run, data_version="d2")],
            checks=[verdict(run, passed=False), verdict(run, passed=True)],
            cache=[cached(run, output=b"1"), cached(run, output=b"2")],
        )
    )
    assert [row.state for row in store.task_runs(run.id)] == ["running"]
    assert store.asset_states()["bronze/rates", ""].data_version == "d2"
    assert [row.data_version for row in store.materializations("bronze/rates")] == ["d2", "d1"]
    assert store.checks_current()["bronze/rates", "not_empty", ""].passed
    assert [row.passed for row in store.check_results("bronze/rates")] == [True, False]

    store.commit(
        Batch(
            runs=[progress(run, 2, "running"), progress(run, 3, "succeeded", finished_at=1_005.0)],
            events=[event(run, 2), event(run, 3)],
            task_runs=[task_run(run, 0, "succeeded", label="other", reason="again")],
            cache=[cached(run, output=b"3")],
        )
    )
    assert store.task_runs(run.id) == [task_run(run, 0, "succeeded", label="other", reason="again")]
    assert reread(store, run).state == "succeeded"
    hit = store.cache_get("k", 1.0)
    assert hit is not None
    assert hit.output == b"3"


def test_an_empty_batch_is_nothing(store: Store) -> None:
    store.commit(Batch())
    assert store.last_event_id() == 0


# ---- the fence ----


def test_a_batch_under_an_old_epoch_is_refused_as_a_whole(store: Store) -> None:
    ours, lost, gone = create(store), create(store), create(store, now=2_000.0)
    store.claim(lost.id, "other", 10.0, now=1_100.0)
    batch = Batch(
        runs=[progress(ours, 1), progress(lost, 1), dataclasses.replace(progress(gone, 1), id=9_999)],
        events=[event(ours, 1), event(lost, 1)],
        task_runs=[task_run(ours, 0), task_run(lost, 0)],
        materializations=[materialization(lost)],
        checks=[verdict(ours)],
        cache=[cached(ours)],
    )
    with pytest.raises(LeaseLost) as caught:
        store.commit(batch)
    assert caught.value.run_ids == (lost.id, 9_999)
    assert "belong to another engine" in str(caught.value)
    assert not list(store.events(ours.id))
    assert not store.task_runs(ours.id)
    assert not store.asset_states()
    assert not store.checks_current()
    assert store.cache_get("k", 1.0) is None
    assert reread(store, ours).seq == 0

    store.commit(Batch(runs=[progress(ours, 1)], events=[event(ours, 1)], task_runs=[task_run(ours, 0)]))
    assert reread(store, ours).seq == 1


def test_whoever_claims_a_run_again_fences_itself_too(store: Store) -> None:
    run = create(store)
    again = store.claim(run.id, "me", 10.0, now=1_001.0)
    assert again.epoch == run.epoch + 1
    with pytest.raises(LeaseLost):
        store.commit(task_ends(run, 1, 1))
    store.commit(task_ends(again, 1, 1))


def test_events_need_the_update_of_their_run(store: Store) -> None:
    run = create(store)
    with pytest.raises(InvariantError, match="does not say under which claim"):
        store.commit(Batch(events=[event(run, 1)]))


# ---- again ----


def test_the_same_batch_twice_is_recorded_once(store: Store) -> None:
    run, other = create(store), create(store)
    batch = task_ends(run, 1, 5)
    batch.runs.append(progress(other, 1))
    batch.events.append(event(other, 1))
    batch.materializations = [materialization(run)]
    batch.checks = [verdict(run)]
    store.commit(batch)
    store.commit(batch)
    assert [row.seq for row in store.events(run.id)] == [1, 2, 3, 4, 5]
    assert len(store.materializations("bronze/rates")) == 1
    assert len(store.check_results("bronze/rates")) == 1


def test_a_batch_twice_after_its_run_was_taken_is_refused(store: Store) -> None:
    run = create(store)
    batch = task_ends(run, 1, 5)
    store.commit(batch)
    store.claim(run.id, "other", 10.0, now=2_000.0)
    with pytest.raises(LeaseLost):
        store.commit(batch)


def test_an_engine_whose_run_went_on_elsewhere_is_told_so(store: Store) -> None:
    run, ours = create(store), create(store)
    taken = store.claim(run.id, "other", 10.0, now=2_000.0)
    store.commit(task_ends(taken, 1, 3))
    late = Batch(
        runs=[progress(run, 1), progress(ours, 1)],
        events=[event(run, 1, "attempt_failed"), event(ours, 1)],
        task_runs=[task_run(run, 0, "failed")],
    )
    with pytest.raises(LeaseLost) as caught:
        store.commit(late)
    assert caught.value.run_ids == (run.id,)
    assert [row.state for row in store.task_runs(run.id)] == ["succeeded"] * 3


@pytest.mark.parametrize("change", [{"data": b'{"other":1}'}, {"kind": "attempt_failed"}])
def test_other_events_under_recorded_numbers_are_a_broken_invariant(store: Store, change: dict[str, Any]) -> None:
    run = create(store)
    store.commit(task_ends(run, 1, 3))
    batch = task_ends(run, 1, 3)
    batch.events[1] = dataclasses.replace(batch.events[1], **change)
    with pytest.raises(InvariantError, match="recorded already"):
        store.commit(batch)


def test_a_batch_that_overlaps_what_is_recorded_is_not_taken_for_recorded(store: Store) -> None:
    run = create(store)
    store.commit(task_ends(run, 1, 3))
    with pytest.raises(InvariantError, match="recorded already"):
        store.commit(task_ends(run, 3, 2))
    assert reread(store, run).seq == 3
    assert len(store.task_runs(run.id)) == 3


# ---- what users write ----


@pytest.mark.parametrize("text", ["a\x00b", "half \ud800 pair", "both \x00 \udfff"])
def test_text_that_no_database_takes_is_recorded_without_it(store: Store, text: str) -> None:
    run = create(store)
    batch = task_ends(run, 1, 2)
    batch.task_runs[0].reason = text
    batch.runs[0].error = text
    store.commit(batch)
    store.commit(batch)
    found = store.task_run(run.id, 0)
    assert found is not None
    assert "\ud800" not in found.reason
    assert found.reason.startswith(text[:1])
    assert reread(store, run).seq == 2
    assert [row.seq for row in store.events(run.id)] == [1, 2]


def test_many_megabytes_in_one_batch(store: Store) -> None:
    run = create(store)
    output = b'{"data":"' + b"x" * 3_000_000 + b'"}'
    batch = task_ends(run, 1, 3)
    for row in batch.task_runs:
        row.output = output
    store.commit(batch)
    assert [row.output for row in store.task_runs(run.id)] == [output] * 3


# ---- any sequence of batches, against a model of dicts ----

STATES = ("waiting", "queued", "running", "failed", "succeeded", "skipped")


class Model:
    """What a store should hold, kept in dictionaries."""

    def __init__(self) -> None:
        self.epochs: dict[int, int] = {}
        self.seqs: dict[int, int] = {}
        self.events: list[EventRow] = []
        self.tasks: dict[tuple[int, int], TaskRunRow] = {}
        self.versions: dict[str, str] = {}

    def commit(self, batch: Batch) -> set[int]:
        """Record a batch; the runs that are lost, if any."""
        lost = {update.id for update in batch.runs if self.epochs[update.id] != update.epoch}
        if not lost:
            self.seqs.update((update.id, update.seq) for update in batch.runs)
            self.events += batch.events
            self.tasks.update(((row.run_id, row.no), row) for row in batch.task_runs)
            self.versions.update((row.asset, row.data_version) for row in batch.materializations)
        return lost


def _batch(random: random.Random, model: Model, runs: dict[int, RunRow]) -> Batch:
    batch = Batch()
    for run in random.sample([*runs.values()], random.randint(1, len(runs))):
        seq = model.seqs[run.id]
        news = [event(run, seq + n) for n in range(1, random.randint(1, 4))]
        batch.events += news
        batch.runs.append(progress(run, seq + len(news)))
        tasks = random.choices(range(6), k=random.randint(0, 5))
        batch.task_runs += [task_run(run, no, random.choice(STATES), attempt=random.randint(1, 9)) for no in tasks]
        if news and random.random() < 0.5:
            batch.materializations.append(materialization(run, random.choice("abc"), data_version=str(random.random())))
    return batch


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 12))
def test_any_sequence_of_batches_and_claims_ends_as_in_a_model(store: Store, seed: int, steps: int) -> None:
    choose = random.Random(seed)
    start = store.last_event_id()
    model, runs = Model(), {}
    for _ in range(3):
        run = create(store)
        runs[run.id] = run
        model.epochs[run.id], model.seqs[run.id] = run.epoch, 0
    for _ in range(steps):
        if choose.random() < 0.25:  # another takes a run; the engine of this test finds out, or not yet
            taken = store.claim(choose.choice([*runs]), "other", 10.0, now=9e9, force=True)
            model.epochs[taken.id] = taken.epoch
            if choose.random() < 0.5:
                runs[taken.id] = taken
        batch = _batch(choose, model, runs)
        lost = model.commit(batch)
        if lost:
            with pytest.raises(LeaseLost) as caught:
                store.commit(batch)
            assert set(caught.value.run_ids) == lost
        else:
            store.commit(batch)
            if choose.random() < 0.3:
                store.commit(batch)
    assert _without_ids(store.events_since(start, limit=10_000)) == model.events
    for run_id in runs:
        assert reread(store, runs[run_id]).seq == model.seqs[run_id]
        wanted = [row for _, row in sorted(model.tasks.items()) if row.run_id == run_id]
        assert store.task_runs(run_id) == wanted
    states = store.asset_states(model.versions)
    assert {asset: row.data_version for (asset, _), row in states.items()} == model.versions


def _without_ids(rows: list[Any]) -> list[Any]:
    assert all(row.id > 0 for row in rows)
    return [dataclasses.replace(row, id=0) for row in rows]


def test_a_refused_commit_leaves_nothing_that_the_next_one_trips_over(store: Store, store_url: str) -> None:
    """A driver prepares what it has sent often; what it sent with a commit that was refused never was."""
    lost, good = create(store), create(store)
    store.claim(lost.id, "other", 10.0, now=9e9, force=True)
    seq = 0
    for often in range(1, 8):
        with Store.open(store_url) as opened:
            with contextlib.suppress(ZeroDivisionError), opened._database.transaction() as transaction:
                transaction.rows("epochs", ids="[]")
                raise ZeroDivisionError
            for _ in range(often):
                seq += 1
                opened.commit(Batch(runs=[progress(good, seq)], events=[event(good, seq)]))
            with pytest.raises(LeaseLost):
                opened.commit(Batch(runs=[progress(lost, 1)], events=[event(lost, 1)]))
            seq += 1
            opened.commit(Batch(runs=[progress(good, seq)], events=[event(good, seq)]))
    assert reread(store, good).seq == seq


def test_a_run_that_is_not_there_cannot_be_claimed(store: Store) -> None:
    with pytest.raises(RequestError, match="there is no run 7"):
        store.claim(7, "me", 10.0, now=1.0)
