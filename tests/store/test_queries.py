"""Lists, pages and filters, against what plain Python says about the same rows."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batuta.store import Store
from batuta.store.rows import Batch, RunRow, VerdictCounts
from tests.store.samples import (
    PLAN,
    create,
    event,
    finish,
    materialization,
    new_run,
    progress,
    reread,
    task_ends,
    task_run,
    verdict,
)

STATES = ("queued", "running", "succeeded", "failed")
TAGS = [{}, {"team": "a"}, {"team": "b"}, {"team": "a", "tier": "gold"}, {"a=b": "c"}, {"a": "b=c"}]


# ---- runs ----


class Rows(list[RunRow]):
    """Rows that an error need not show."""

    def __repr__(self) -> str:
        return f"<{len(self)} rows>"


@pytest.fixture
def many(store: Store) -> list[RunRow]:
    """A few hundred different runs, oldest first."""
    choose = random.Random(7)
    new = [
        new_run(
            f"job_{choose.randrange(4)}",
            kind=choose.choice(["flow", "dag"]),
            trigger=choose.choice(["manual", "schedule"]),
            partition=choose.choice(["", "2026-01-31"]),
            tags=choose.choice(TAGS),
            parent_run=choose.choice([None, None, 1, 2]),
            created_at=1_000.0 + n,
        )
        for n in range(300)
    ]
    runs = store.create_runs([(run, PLAN) for run in new], owner="me", lease_s=10.0, now=1.0)
    store.commit(Batch(runs=[progress(run, 0, choose.choice(STATES)) for run in runs]))
    return Rows(reread(store, run) for run in runs)


FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "job": st.sampled_from(["job_0", "job_3", "none"]),
        "states": st.one_of(st.sampled_from(STATES), st.lists(st.sampled_from(STATES), max_size=3)),
        "tags": st.sampled_from(TAGS),
        "kind": st.sampled_from(["flow", "dag"]),
        "trigger": st.sampled_from(["manual", "schedule"]),
        "partition": st.sampled_from(["", "2026-01-31"]),
        "parent_run": st.sampled_from([1, 2, 3]),
        "roots_only": st.booleans(),
        "since": st.sampled_from([0.0, 1_100.0, 1_299.0, 2_000.0]),
    },
)


def _fits(run: RunRow, wanted: dict[str, Any]) -> bool:
    states = wanted.get("states", STATES)
    return (
        all(getattr(run, name) == wanted[name] for name in ("job", "kind", "trigger", "partition") if name in wanted)
        and run.state in ([states] if isinstance(states, str) else states)
        and wanted.get("tags", {}).items() <= run.tags.items()
        and run.parent_run == wanted.get("parent_run", run.parent_run)
        and not (wanted.get("roots_only") and run.parent_run is not None)
        and run.created_at >= wanted.get("since", 0.0)
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=FILTERS, page=st.sampled_from([1, 7, 50, 1_000]))
def test_pages_of_runs_are_what_the_filters_say(
    store: Store, many: list[RunRow], wanted: dict[str, Any], page: int
) -> None:
    expected = [run for run in reversed(many) if _fits(run, wanted)]
    found: list[RunRow] = []
    before = None
    while batch := store.runs(**wanted, before=before, limit=page):
        assert len(batch) <= page
        found += batch
        before = batch[-1].id
        if page == 1 and len(found) >= 5:
            expected = expected[:5]
            break
    assert found == expected


def test_latest_runs_and_counts(store: Store, many: list[RunRow]) -> None:
    latest = {run.job: run for run in many}
    assert store.latest_runs() == latest
    assert store.latest_runs(["job_1", "none"]) == {"job_1": latest["job_1"]}
    assert store.latest_run("job_2") == latest["job_2"]
    assert store.latest_run("none") is None
    failed = [run for run in many if run.job == "job_2" and run.state == "failed"]
    assert store.latest_run("job_2", "failed") == failed[-1]
    counts = store.run_counts()
    for job in latest:
        for state in STATES:
            expected = sum(run.job == job and run.state == state for run in many)
            assert counts[job].get(state, 0) == expected
    assert store.run_counts(["job_1"]) == {"job_1": counts["job_1"]}


def test_questions_about_what_is_not_there(store: Store) -> None:
    assert store.run(1) is None
    assert store.runs() == []
    assert list(store.events(1)) == []
    assert store.events_since(0) == []
    assert store.task_run(1, 0) is None
    assert store.task_runs(1) == []
    assert store.task_counts([1, 2]) == {}
    assert store.asset_states(["a"]) == {}
    assert store.materializations("a") == []
    assert store.checks_current() == {}
    assert store.cache_get("k", 1.0) is None


# ---- events ----


def test_events_are_read_in_order_from_anywhere_however_many(store: Store) -> None:
    run, other = create(store), create(store)
    for first in range(1, 5_001, 500):
        store.commit(task_ends(run, first, 500))
        store.commit(task_ends(other, first // 500 + 1, 1))
    assert [row.seq for row in store.events(run.id)] == list(range(1, 5_001))
    assert [row.seq for row in store.events(run.id, after_seq=4_321)] == list(range(4_322, 5_001))
    assert [row.seq for row in store.events(run.id, after_seq=5_000)] == []


def test_news_of_all_runs_in_the_order_in_which_they_happened(store: Store) -> None:
    run, other = create(store), create(store)
    store.commit(task_ends(run, 1, 2))
    mark = store.last_event_id()
    store.commit(Batch(runs=[progress(run, 3), progress(other, 1)], events=[event(other, 1), event(run, 3)]))
    store.commit(task_ends(run, 4, 1))
    news = store.events_since(mark)
    assert [(row.run_id, row.seq) for row in news] == [(other.id, 1), (run.id, 3), (run.id, 4)]
    assert [row.id for row in news] == sorted(row.id for row in news)
    assert store.events_since(mark, limit=1) == news[:1]
    assert store.events_since(store.last_event_id()) == []


# ---- task runs ----


def test_task_runs_by_state_step_and_page(store: Store) -> None:
    run, other = create(store), create(store)
    rows = [task_run(run, no, ("succeeded", "failed", "waiting")[no % 3], step=f"s{no % 2}") for no in range(30)]
    store.commit(Batch(runs=[progress(run, 0), progress(other, 0)], task_runs=[*rows, task_run(other, 0, "failed")]))
    assert store.task_runs(run.id) == rows
    assert store.task_runs(run.id, states=["failed", "waiting"]) == [row for row in rows if row.state != "succeeded"]
    assert store.task_runs(run.id, states="failed", step="s1") == [
        row for row in rows if row.state == "failed" and row.step == "s1"
    ]
    assert store.task_runs(run.id, states=[]) == []
    assert store.task_runs(run.id, after_no=9, limit=5) == rows[10:15]
    assert store.task_counts([run.id, other.id]) == {
        run.id: {"succeeded": 10, "failed": 10, "waiting": 10},
        other.id: {"failed": 1},
    }
    noteworthy = store.noteworthy_task_runs("failed", limit=3)
    assert [(row.run_id, row.no) for row in noteworthy] == [(other.id, 0), (run.id, 1), (run.id, 4)]
    assert [row.run_id for row in store.noteworthy_task_runs("failed", before_run=other.id, limit=2)] == [run.id] * 2


@pytest.mark.parametrize(
    ("key", "no"),
    [("plain", 0), ("mapped[0]", 1), ("mapped[1]", 2), ("daily[2026-01-31]", 3), ("odd[7]", 4), ("year[2026]", 5)]
    + [(key, None) for key in ("mapped", "plain[0]", "mapped[2]", "daily[2026-02-01]", "plain]", "[0]", "")],
)
def test_a_task_run_by_its_key(store: Store, key: str, no: int | None) -> None:
    run = create(store)
    rows = [
        task_run(run, 0, step="plain"),
        task_run(run, 1, step="mapped", index=0),
        task_run(run, 2, step="mapped", index=1),
        task_run(run, 3, step="daily", label="2026-01-31", index=0),
        task_run(run, 4, step="odd[7]"),
        task_run(run, 5, step="year", label="2026", index=0),
    ]
    store.commit(Batch(runs=[progress(run, 0)], task_runs=rows))
    assert [store.task_run(run.id, number) for number in range(6)] == rows
    if key == "mapped":
        no = 1  # the first of them
    assert store.task_run(run.id, key) == (None if no is None else rows[no])


# ---- assets ----


def test_histories_of_assets_and_their_current_state(store: Store) -> None:
    runs = [create(store) for _ in range(3)]
    for n, run in enumerate(runs):
        made = [materialization(run, "a", day, data_version=f"{day}-{n}") for day in ("01", "02")]
        checks = [verdict(run, "a", "c", partition=day, passed=n != 2) for day in ("01", "02")]
        store.commit(Batch(runs=[progress(run, 0)], materializations=[*made, materialization(run, "b")], checks=checks))
    assert [row.data_version for row in store.materializations("a")] == [
        "02-2", "01-2", "02-1", "01-1", "02-0", "01-0",
    ]  # fmt: skip
    by_day = store.materializations("a", "01", limit=2)
    assert [row.data_version for row in by_day] == ["01-2", "01-1"]
    assert [row.data_version for row in store.materializations("a", "01", before=by_day[-1].id)] == ["01-0"]
    assert [(row.asset, row.partition) for row in store.materializations(run_id=runs[1].id)] == [
        ("a", "01"), ("a", "02"), ("b", ""),
    ]  # fmt: skip
    assert len(store.materializations("a", "02", run_id=runs[1].id)) == 1

    states = store.asset_states()
    assert {key: row.data_version for key, row in states.items()} == {
        ("a", "01"): "01-2", ("a", "02"): "02-2", ("b", ""): "d1",
    }  # fmt: skip
    assert store.asset_states(["b", "none"]) == {("b", ""): states["b", ""]}
    assert store.asset_states([]) == {}

    assert [row.passed for row in store.check_results("a", "c", "01")] == [False, True, True]
    page = store.check_results("a", limit=2)
    assert [row.passed for row in page] == [False, False]
    assert [row.run_id for row in store.check_results("a", before=page[-1].id, limit=1)] == [runs[1].id]
    assert store.check_results("a", "other") == []
    assert len(store.check_results(run_id=runs[0].id)) == 2
    assert [row.passed for row in store.checks_current(["a"]).values()] == [False, False]
    assert store.checks_current(["b"]) == {}


def test_thousands_of_current_states_at_once(store: Store) -> None:
    run = create(store)
    for first in range(0, 20_000, 5_000):
        made = [materialization(run, f"asset_{n}") for n in range(first, first + 5_000)]
        store.commit(Batch(runs=[progress(run, 0)], materializations=made))
    assert len(store.asset_states()) == 20_000
    assert len(store.asset_states(f"asset_{n}" for n in range(0, 20_000, 2))) == 10_000


def test_cached_results_can_be_forgotten(store: Store) -> None:
    run = create(store)
    finish(store, run, at=1_005.0)
    key = f"cached_by_{run.id}"
    assert store.cache_get(key, 1.0) is not None
    store.cache_forget(key)
    assert store.cache_get(key, 1.0) is None


def test_verdicts_are_counted_by_asset_and_day(store: Store) -> None:
    run, day = create(store), 86_400.0
    given = [
        verdict(run, "a", at=day * 9),  # before that
        verdict(run, "a", at=day * 10, passed=False),
        verdict(run, "a", at=day * 10 + 5, passed=False, blocking=True),
        verdict(run, "a", at=day * 11 - 1, passed=False, blocking=True, outcome="warned"),
        verdict(run, "a", at=day * 11, outcome="unknown"),
        verdict(run, "a", "few", at=day * 11),
        verdict(run, "b", at=day * 11, outcome="failed", passed=False),
    ]
    store.commit(Batch(checks=given))
    assert sorted(store.reports.check_days(day * 10)) == [
        ("a", 10, VerdictCounts(0, 2, 1, 0)),
        ("a", 11, VerdictCounts(1, 0, 0, 1)),
        ("b", 11, VerdictCounts(failed=1)),
    ]
    assert store.reports.check_days(day * 10, assets=["a"], check="few") == [("a", 11, VerdictCounts(passed=1))]
    assert VerdictCounts(3, 1, 0, 4).share_good == 0.75
    assert VerdictCounts(unknown=2).share_good is None
