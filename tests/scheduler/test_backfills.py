"""Backfills in a service: each partition or time run once, so many at a time, whoever stops, pauses or dies."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from batuta.core.backfills import Backfill, BackfillState
from batuta.core.errors import RequestError
from batuta.scheduler.backfill_plan import Preview, planned, timing_for
from batuta.scheduler.backfills import BackfillDuty
from batuta.scheduler.service import Service
from batuta.store.rows import RunRow
from tests.engine.projects import until, write_project
from tests.scheduler.conftest import Open

TEXT = """
from batuta import asset
from batuta.partitions import daily, monthly

DAYS = daily("2025-01-01", end="2025-02-01")

@asset(partitions=DAYS)
def rates() -> str:
    note(f"rates {context().partition_key}")
    if context().partition_key in (Path(os.environ["BATUTA_TEST_TRACE"] + ".bad").read_text() if
                                   Path(os.environ["BATUTA_TEST_TRACE"] + ".bad").exists() else ""):
        raise ValueError("no rates that day")
    while Path(os.environ["BATUTA_TEST_TRACE"] + ".wait").exists():
        time.sleep(0.01)
    return context().partition_key

@asset(partitions=DAYS)
def report(rates: str) -> str:
    return rates

@asset(partitions=monthly("2025-01", end="2025-02"))
def monthly_report(rates: Any) -> int:
    note(f"month {context().partition_key}")
    return 1

@asset
def other() -> int:
    return 1

@task
def mark(day: str) -> None:
    note(f"mark {day}")

with DAG("nightly", params={"day": str}):
    mark("{{ params.day }} {{ ds }} {{ data_interval_start | string }}")
"""


class Again(BackfillDuty):
    """The duty of another scheduler."""

    name = "backfills-again"


@pytest.fixture
def folder(tmp_path: Path, trace: Path) -> Path:
    return write_project(tmp_path / "lake", TEXT, "[executor]\nworkers = 2\n")


def preview(service: Service, **fields: object) -> Preview:
    version = service.locations.get("lake").version()
    spec = Backfill(**{"location": "lake", **fields})  # type: ignore[arg-type]
    return planned(version.definitions, service.store, spec, service.clock())


def launch(service: Service, **fields: object) -> int:
    found = preview(service, **fields)
    number = service.store.backfills.create(found.spec, found.items, by="test", now=time.time())
    service.wake("backfills")
    return number


def ends(service: Service, number: int) -> BackfillState:
    until(lambda: service.store.backfills.get(number).finished_at is not None, f"backfill {number} does not end")
    return BackfillState(service.store.backfills.get(number).state)


def runs_of(service: Service, number: int) -> list[RunRow]:
    return [run for run in service.store.runs(trigger="backfill", limit=5000) if run.backfill_id == number][::-1]


def test_each_partition_is_made_once(on_store: str, folder: Path, trace: Path, open_service: Open) -> None:
    service = open_service(folder)
    most = 0

    def watch(*_: object) -> None:
        nonlocal most
        most = max(most, len(service.engine.run_ids))

    service.add_observer(watch)
    fields = {"selection": "rates report", "partitions": "2025-01-01..2025-01-08", "runs_max": 3}
    number = launch(service, **fields, tags={"why": "test"}, priority=7)
    assert ends(service, number) is BackfillState.SUCCEEDED
    runs = runs_of(service, number)
    assert [run.partition for run in runs] == [f"2025-01-0{day}" for day in range(1, 9)]
    assert {(run.trigger, run.origin, run.priority, run.tags["why"]) for run in runs} == {
        ("backfill", str(number), 7, "test")
    }
    assert Counter(trace.read_text().splitlines()) == Counter(f"rates 2025-01-0{day}" for day in range(1, 9))
    assert len(service.store.asset_states(["report"])) == 8
    assert most <= 3
    again = preview(service, selection="rates report", partitions="2025-01-07..2025-01-10", mode="missing")
    assert [item.label for item in again.items] == ["2025-01-09", "2025-01-10"]
    assert (again.chosen, again.left_out, again.made) == (4, 2, 2)
    assert preview(service, selection="rates", partitions="2025-01-01", mode="stale").items == []


def test_batches_and_the_newest_first(folder: Path, trace: Path, open_service: Open) -> None:
    service = open_service(folder)
    number = launch(
        service, selection="rates", partitions="2025-01-01..2025-01-05", batch=2, order="newest", runs_max=1
    )
    assert ends(service, number) is BackfillState.SUCCEEDED
    labels = ["2025-01-05", "2025-01-03..2025-01-04 (2)", "2025-01-01..2025-01-02 (2)"]
    assert [run.partition for run in runs_of(service, number)] == labels
    one = launch(service, selection="rates", partitions="2025-01-10..2025-01-20", batch=0)
    assert ends(service, one) is BackfillState.SUCCEEDED
    assert len(runs_of(service, one)) == 1
    assert len(service.store.asset_states(["rates"])) == 16


def test_what_failed_is_tried_again_and_only_that(folder: Path, trace: Path, open_service: Open) -> None:
    Path(f"{trace}.bad").write_text("2025-01-02 2025-01-04")
    service = open_service(folder)
    number = launch(service, selection="rates", partitions="2025-01-01..2025-01-05")
    assert ends(service, number) is BackfillState.FAILED
    assert service.store.backfills.counts([number])[number] == {"succeeded": 3, "failed": 2}
    failed = preview(service, selection="rates", partitions="2025-01", mode="failed")
    assert [item.label for item in failed.items] == ["2025-01-02", "2025-01-04"]
    Path(f"{trace}.bad").unlink()
    service.store.backfills.act(number, "retry", by="ann", now=time.time())
    service.wake("backfills")
    assert ends(service, number) is BackfillState.SUCCEEDED
    assert Counter(trace.read_text().split()[1::2])["2025-01-01"] == 1
    assert preview(service, selection="rates", partitions="2025-01", mode="failed").items == []


def test_it_goes_on_after_a_restart_and_none_is_made_twice(folder: Path, trace: Path, open_service: Open) -> None:
    Path(f"{trace}.wait").touch()
    service = open_service(folder)
    number = launch(service, selection="rates", partitions="2025-01-01..2025-01-06", runs_max=2)
    until(lambda: len(trace.read_text().splitlines()) == 2)
    service.stop(0.0)
    Path(f"{trace}.wait").unlink()
    again = open_service(folder)
    assert ends(again, number) is BackfillState.SUCCEEDED
    assert len(runs_of(again, number)) == 6


def test_runs_that_were_made_but_not_noted_are_found_again(folder: Path, trace: Path, open_service: Open) -> None:
    service = open_service(folder)
    service.duties["backfills"].stop()
    number = launch(service, selection="rates", partitions="2025-01-01..2025-01-03")
    row = service.store.backfills.get(number)
    items = service.store.backfills.items(number)
    service.backfills._submit(row, items, service.clock())  # and nothing of it is settled: as in a crash
    made = [run.id for run in runs_of(service, number)]
    assert len(made) == 3
    service.add_duty(Again(service))
    assert ends(service, number) is BackfillState.SUCCEEDED
    assert [run.id for run in runs_of(service, number)] == made


def test_pause_resume_and_cancel(folder: Path, trace: Path, open_service: Open) -> None:
    Path(f"{trace}.wait").touch()
    service = open_service(folder)
    box = service.store.backfills
    number = launch(service, selection="rates", partitions="2025-01-01..2025-01-06", runs_max=2)
    until(lambda: box.counts([number])[number].get("submitted") == 2)
    box.act(number, "pause", by="ann", now=time.time())
    Path(f"{trace}.wait").unlink()
    until(lambda: box.counts([number])[number] == {"succeeded": 2, "waiting": 4})
    Path(f"{trace}.wait").touch()
    box.act(number, "resume", by="ann", now=time.time())
    service.wake("backfills")
    until(lambda: box.counts([number])[number].get("submitted") == 2)
    box.act(number, "cancel", by="ann", now=time.time())
    service.wake("backfills")
    assert ends(service, number) is BackfillState.CANCELLED
    assert box.counts([number])[number] == {"succeeded": 2, "cancelled": 4}
    Path(f"{trace}.wait").unlink()


def test_partitions_of_several_kinds_follow_the_coarsest(folder: Path, trace: Path, open_service: Open) -> None:
    service = open_service(folder)
    found = preview(service, selection="rates monthly_report", partitions="2025-01")
    assert [(item.label, item.of) for item in found.items] == [("2025-01", "monthly_report")]
    assert found.follow == {"rates": 31}
    number = service.store.backfills.create(found.spec, found.items, by="", now=time.time())
    service.wake("backfills")
    assert ends(service, number) is BackfillState.SUCCEEDED
    assert trace.read_text().splitlines().count("month 2025-01") == 1
    assert len(service.store.asset_states(["rates"])) == 31


def test_logical_times_of_a_job(folder: Path, trace: Path, open_service: Open) -> None:
    service = open_service(folder)
    definitions = service.locations.get("lake").version().definitions
    first, last = 1735689600.0, 1735689600.0 + 3 * 86400  # 2025-01-01 .. 2025-01-04
    fields = {"job": "nightly", "first": first, "last": last, "params": {"day": "d"}}
    number = launch(service, **fields, timing=timing_for(definitions, "nightly", "daily"), runs_max=1)
    assert ends(service, number) is BackfillState.SUCCEEDED
    days = [f"2025-01-0{day}" for day in range(1, 5)]
    assert [run.logical_at for run in runs_of(service, number)] == [first + 86400 * n for n in range(4)]
    assert [line.split()[2] for line in trace.read_text().splitlines()] == days
    wrong = launch(service, **{**fields, "params": {"dya": 1}}, timing=timing_for(definitions, "nightly", "daily"))
    assert ends(service, wrong) is BackfillState.FAILED
    assert "dya" in service.store.backfills.items(wrong)[0].error


def test_wrong_requests_are_told(folder: Path, open_service: Open) -> None:
    service = open_service(folder)
    for fields, said in (
        ({"selection": "other", "partitions": "all"}, "has partitions"),
        ({"selection": "rates", "partitions": "2024-01-01"}, "2024-01-01"),
        ({"job": "nightly", "partitions": "all"}, "has no partitions"),
        ({"job": "nigthly", "partitions": "all"}, "did you mean 'nightly'"),
        ({"selection": "report monthly_report", "partitions": "2025-01"}, "nothing to do with"),
    ):
        with pytest.raises(RequestError, match=said):
            preview(service, **fields)


def test_thousands_of_items_are_submitted_at_once(folder: Path, open_service: Open) -> None:
    text = TEXT.replace('daily("2025-01-01", end="2025-02-01")', 'daily("2015-01-01", end="2023-01-01")')
    service = open_service(write_project(folder, text, "[executor]\nworkers = 1\n[queue]\nruns_max = 1\n"))
    number = launch(service, selection="rates", partitions="all", runs_max=100_000)
    until(lambda: service.store.backfills.counts([number])[number].get("waiting", 0) == 0)
    assert len(service.store.runs(trigger="backfill", limit=5000)) == 2922
    service.store.backfills.act(number, "cancel", by="", now=time.time())
