"""Metrics as Prometheus reads them: parsed by its own client's parser, over HTTP."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import Any

import pytest

from batuta.core.errors import RequestError
from batuta.core.tallies import LABELS_MAX, OTHER, SHORT_S, Histogram, Labels
from batuta.runtime.project import find_project
from batuta.scheduler.launching import RunSpec
from batuta.scheduler.metrics import Metrics
from batuta.scheduler.service import Service
from batuta.store import Store
from batuta.store.rows import NewTick, TickerRow
from tests.engine.projects import until, write_project
from tests.scheduler.conftest import Open, ended
from tests.scheduler.receivers import closed_port
from tests.scheduler.recorded_runs import new_run

STEPS = """
@task(retries=1)
def load(bad: bool) -> None:
    if bad:
        raise ValueError("no")

@flow
def nightly(bad: bool = False) -> None:
    load(bad)
"""


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    from prometheus_client.parser import text_string_to_metric_families

    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Told:
    """Metrics as they were told."""

    def __init__(self, text: str) -> None:
        self.all = samples(text)

    def __call__(self, name: str, **labels: str) -> float | None:
        return self.all.get((name, frozenset(labels.items())))

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.all}


def read(port: int) -> Told:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        return Told(answer.read().decode())


def test_a_scheduler_tells_of_its_work(tmp_path: Path, trace: Path, open_service: Open) -> None:
    port = closed_port()
    settings = f"[metrics]\nport = {port}\n[pools]\napi = 3\n"
    service = open_service(write_project(tmp_path / "shop", STEPS, settings))
    ended(service, service.launch(RunSpec(job="nightly"))[0])
    ended(service, service.launch(RunSpec(job="nightly", params={"bad": True}))[0])
    until(lambda: not service.engine.run_ids)
    told = read(port)
    assert told("batuta_runs_finished_total", job="nightly", state="succeeded") == 1
    assert told("batuta_runs_finished_total", job="nightly", state="failed") == 1
    assert told("batuta_task_runs_finished_total", job="nightly", state="failed") == 2  # the task and the body
    assert told("batuta_task_retries_total", job="nightly") == 1
    assert told("batuta_run_seconds_count", job="nightly") == 2
    assert told("batuta_run_start_seconds_count", trigger="manual") == 2
    assert told("batuta_task_run_seconds_bucket", job="nightly", le="+Inf") == 4
    assert told("batuta_runs", state="running") == told("batuta_runs", state="queued") == 0
    assert told("batuta_location_up", location="shop") == 1
    assert told("batuta_location_host_restarts", location="shop") == 0
    assert told("batuta_pool_slots", pool="api") == 3
    assert told("batuta_pool_slots_used", pool="api") == 0
    assert (told("batuta_dispatch_seconds_count") or 0) >= 5
    assert (told("batuta_engine_turn_seconds_sum") or 0) > 0
    assert (told("batuta_duty_seconds_count", duty="queue") or 0) >= 1
    assert told("batuta_duty_errors_total", duty="queue") == 0
    assert (told("batuta_store_bytes") or 0) > 0
    assert "batuta_retention_hold_seconds_max" in told.names
    assert "process_resident_memory_bytes" in told.names


def test_a_port_that_is_taken_is_told(tmp_path: Path, trace: Path, open_service: Open) -> None:
    port = closed_port()
    open_service(write_project(tmp_path / "one", STEPS, f"[metrics]\nport = {port}\n"))
    other = Service(
        find_project(str(write_project(tmp_path / "two", STEPS, f"[metrics]\nport = {port}\n"))),
        store=Store.open(tmp_path / "other.db"),
    )
    try:
        with pytest.raises(RequestError, match=rf"metrics cannot be served at 127\.0\.0\.1:{port}: address already"):
            other.start()
    finally:
        other.stop(0.0)
        other.store.close()


def test_how_the_store_stands(sqlite_url: str) -> None:
    now = 1_000.0
    with Store.open(sqlite_url) as store:
        metrics = Metrics(store, clock=lambda: now)
        new_run(store, at=now - 30)
        new_run(store, at=now - 10)
        ticker = TickerRow(kind="schedule", location="shop", name="nightly", next_at=now - 7, changed_at=now)
        tick = NewTick(ticker=ticker, at=now - 2, ended_at=now - 1.5, outcome="launched")
        store.record_ticks([tick, tick], leader=None, now=now)
        told = Told(metrics.render()[0].decode())
        assert told("batuta_runs", state="queued") == 2
        assert told("batuta_queue_age_seconds") == 30
        assert told("batuta_schedule_lag_seconds") == 7
        assert told("batuta_ticks_total", kind="schedule", outcome="launched") == 2
        assert told("batuta_tick_seconds_sum", kind="schedule") == 1.0
        metrics.render()
        assert Told(metrics.render()[0].decode())("batuta_ticks_total", kind="schedule", outcome="launched") == 2


def test_labels_are_bounded() -> None:
    label = Labels()
    values = [label(f"job {n}") for n in range(LABELS_MAX + 100)]
    assert len(set(values)) == LABELS_MAX + 1
    assert values[-1] == OTHER
    assert label("job 1") == "job 1"


def test_a_histogram_counts_up_to_each_bound() -> None:
    found = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        found.add(value)
    assert found.cumulative() == [(1.0, 2), (2.0, 3), (float("inf"), 4)]
    assert (found.count, found.sum) == (4, 12.0)
    assert list(SHORT_S) == sorted(SHORT_S)


def test_without_a_port_nothing_is_served(open_service: Open) -> None:
    metrics: Any = open_service().observing
    assert metrics._end_metrics is None
