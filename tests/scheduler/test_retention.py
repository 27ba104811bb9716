"""Forgetting as the service does it: rows, files, in many small steps, through crashes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from batuta.core import events as ev
from batuta.core.durations import Seconds
from batuta.runtime.observing_config import RetentionConfig
from batuta.scheduler import retention
from batuta.scheduler.retention import EVERY_S, RetentionDuty, forget
from batuta.store import Store
from tests.core.lineage_events import dataset, read, run_event
from tests.scheduler.recorded_runs import new_run, record, succeed

DAY = 86_400.0
NOW = 100 * DAY


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    with Store.open(sqlite_url) as opened:
        yield opened


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def with_files(store: Store, home: Path, days_ago: float) -> int:
    """A run that finished so many days ago, with a log and a result."""
    at = NOW - days_ago * DAY
    run = succeed(store, new_run(store, at=at), at=at)
    leave_files(home, run.id)
    return run.id


def leave_files(home: Path, run_id: int) -> None:
    for folder in ("logs", "results"):
        (home / folder / str(run_id)).mkdir(parents=True)
        (home / folder / str(run_id) / "load.1").write_text("x")


def files(home: Path) -> dict[str, list[int]]:
    return {folder: sorted(int(one.name) for one in (home / folder).iterdir()) for folder in ("logs", "results")}


def duty_of(store: Store, home: Path, **ages: float | int) -> RetentionDuty:
    given = {name: age if name == "keep_runs" else Seconds(age) for name, age in ages.items()}
    return RetentionDuty(store, str(home), RetentionConfig(**given))  # type: ignore[arg-type]


def whole_round(duty: RetentionDuty, now: float = NOW) -> None:
    while duty.run_once(now, None) == now:
        pass


def test_runs_go_with_their_files_and_files_may_go_before(store: Store, home: Path) -> None:
    old, middle, young = (with_files(store, home, days) for days in (40, 10, 1))
    running = new_run(store, at=NOW - 50 * DAY)
    record(store, running, ev.RunStarted(at=NOW - 50 * DAY), state="running")
    leave_files(home, running.id)
    duty = duty_of(store, home, runs=30 * DAY, logs=5 * DAY, results=20 * DAY)
    whole_round(duty)
    assert [run.id for run in store.runs()] == [running.id, young, middle]
    assert files(home) == {"logs": [young, running.id], "results": [middle, young, running.id]}
    assert old not in [run.id for run in store.runs()]
    assert duty.run_once(NOW, None) == NOW + EVERY_S


def test_by_default_no_run_is_forgotten(store: Store, home: Path) -> None:
    run_id = with_files(store, home, 5_000)
    whole_round(RetentionDuty(store, str(home), RetentionConfig()))
    assert files(home) == {"logs": [run_id], "results": [run_id]}


def test_a_round_goes_on_where_its_time_was_up(store: Store, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(5):
        with_files(store, home, 40 + n)
    monkeypatch.setattr(retention, "ROUND_S", 0.0)
    duty = duty_of(store, home, runs=30 * DAY)
    calls = 1
    while duty.run_once(NOW, None) == NOW:
        calls += 1
    assert calls > 5
    assert store.runs() == []
    assert files(home) == {"logs": [], "results": []}


def test_files_of_a_run_that_went_in_a_crash_go_with_the_next_round(
    store: Store, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = with_files(store, home, 40)

    def die(*args: object) -> None:
        raise KeyboardInterrupt

    duty = duty_of(store, home, runs=30 * DAY)
    with monkeypatch.context() as patched:
        patched.setattr(retention, "delete_files", die)
        with pytest.raises(KeyboardInterrupt):
            whole_round(duty)
    assert (store.runs(), files(home)["logs"]) == ([], [run_id])
    whole_round(duty)
    assert files(home) == {"logs": [], "results": []}


def test_the_command_does_the_same_at_once(store: Store, home: Path) -> None:
    for days in (40, 35, 1):
        with_files(store, home, days)
    config = RetentionConfig(runs=Seconds(30 * DAY), keep_runs=2)
    assert forget(store, str(home), config, NOW, by="ann").runs == [1]
    assert files(home)["logs"] == [2, 3]
    assert store.audit_entries()[0].data == {"older_than_s": 30 * DAY, "keep": 2, "runs": 1}


def test_stopping_does_not_wait_for_the_end_of_a_round(store: Store, home: Path) -> None:
    for n in range(300):
        succeed(store, new_run(store, at=n), at=n)
    duty = duty_of(store, home, runs=30 * DAY)
    duty.close()
    assert duty.run_once(NOW, None) == NOW
    assert len(store.runs(limit=1_000)) >= 200


def test_runs_elsewhere_are_forgotten_when_nothing_was_heard_of_them_for_long(store: Store, home: Path) -> None:
    for days_ago, name in ((100, "gone"), (50, "kept")):
        event = run_event(name=name, run=f"00000000-0000-0000-0000-{days_ago:012}", outputs=[dataset(name)])
        store.external.add([read(event)], now=NOW - days_ago * DAY)
    whole_round(RetentionDuty(store, str(home), RetentionConfig()))
    assert [one.name for one in store.external.jobs_since().values()] == ["kept"]
    assert [one.name for one in store.external.datasets_since().values()] == ["kept"]
    assert len(store.external.runs(limit=9)) == 1
