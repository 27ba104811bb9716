"""A long time of many schedules through the real service, under a clock of the test's own: nothing grows without bound.

`--soak-hours 24 --soak-schedules 2000` is the long version. Schedules, queue, engine, workers, alerts, metrics and
retention are the real ones; only the time that passes between two looks is not waited for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import psutil
import pytest

from batuta.core.schedule_specs import CatchUp, Interval, ScheduleSpec
from batuta.runtime.project import find_project
from batuta.scheduler.alert_delivery import DeliveryDuty
from batuta.scheduler.alerting import AlertingDuty
from batuta.scheduler.retention import RetentionDuty
from batuta.scheduler.schedules import ScheduleDuty
from batuta.scheduler.service import Service
from batuta.store.rows import Leader
from tests.engine.projects import until, write_project
from tests.scheduler.receivers import closed_port

HOUR_S = 3_600.0
EVERY_S = 1_800
STEP_S = 300.0
KEPT_S = 3_600.0
MEMORY_GROWTH_MAX = 48 << 20
"""Bytes that the process may take beyond what it has after the first hours: caches fill, an allocator hoards."""
CODE = """
@task
def work(n: str) -> None:
    if n == "7":
        raise ValueError("the seventh always fails")

with DAG("work", params={"n": int}):
    work("{{ params.n }}")
"""
SETTINGS = f"""
[alerts.channels.dead]
type = "webhook"
url = "http://127.0.0.1:{{port}}"
give_up_s = "30m"

[[alerts.rules]]
on = "failure"
channels = "dead"
dedupe = ["job", "subject"]

[retention]
runs = {KEPT_S}
ticks = {KEPT_S}
run_keys = {KEPT_S}
alerts = {KEPT_S}
logs = {KEPT_S / 2}
"""
TABLES = (
    "runs", "task_runs", "events", "plans", "ticks", "run_keys", "run_tags", "alerts", "alert_deliveries",
    "pruned_runs", "run_requests", "tickers",
)  # fmt: skip


@dataclass
class Sample:
    """How much there is of everything."""

    rows: dict[str, int]
    store_bytes: int
    files: int
    memory_bytes: int
    queued: float | None
    engine: dict[str, int]


@dataclass
class Clock:
    """The test's own."""

    now: float

    def __call__(self) -> float:
        return self.now


@dataclass
class Soak:
    """The service with its duties called by hand."""

    service: Service
    clock: Clock
    samples: list[Sample] = field(default_factory=list)

    @property
    def now(self) -> float:
        return self.clock.now

    def begin(self, schedules: list[ScheduleSpec]) -> None:
        service = self.service
        service.load()
        version = service.locations.get("soak").version()
        version.definitions = msgspec.structs.replace(version.definitions, schedules=tuple(schedules))
        alerts, home = service.project.config.alerts, service.project.home
        self.schedules = ScheduleDuty(service)
        self.alerting = AlertingDuty(alerts, service.store)
        self.delivery = DeliveryDuty(alerts, service.store, lambda name: name, clock=self.clock)
        self.retention = RetentionDuty(service.store, home, service.project.config.retention)
        self.lead: Leader | None = service.store.take_lead("soak", "me", 1e9, self.now)
        self.schedules.run_once(self.now, self.lead)
        self.alerting.run_once(self.now, None)

    def step(self) -> None:
        """Some minutes pass; all that is due in them is done."""
        self.clock.now += STEP_S
        self.schedules.run_once(self.now, self.lead)
        while self.service.store.oldest_queued() is not None or self.service.engine.run_ids:
            self.service.queue.run_once(self.now, None)
            until(lambda: not self.service.engine.run_ids, "runs do not end")
        self.alerting.run_once(self.now, None)
        self.delivery.run_once(self.now, None)
        until(lambda: not self.delivery._busy, "the channel hangs")

    def hour(self) -> None:
        """An hour passes, with a prune at its end."""
        for _ in range(int(HOUR_S / STEP_S)):
            self.step()
        while self.retention.run_once(self.now, None) == self.now:
            pass
        self.service.locations.tidy()
        self.service.observing.metrics.render()
        self.samples.append(self.sample())

    def sample(self) -> Sample:
        store, engine = self.service.store, self.service.engine
        home = Path(self.service.project.home)
        folders = [home / "logs", home / "results", home / "spools"]
        return Sample(
            rows={table: int(store._database.rows(f"count_{table}")[0][0]) for table in TABLES},
            store_bytes=store.size(),
            files=sum(len(names) for folder in folders for _, _, names in os.walk(folder)),
            memory_bytes=psutil.Process().memory_info().rss,
            queued=store.oldest_queued(),
            engine={
                "runs": len(engine.runs.by_id),
                "in_flight": len(engine.acting._in_flight),
                "admission": len(engine.acting._admission),
                "timers": len(engine._loop._timers),
                "begun": len(self.service.observing.metrics._begun),
                "alerts": len(self.alerting._book.open) if self.alerting._book else 0,
            },
        )


@pytest.fixture
def soak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Soak]:
    monkeypatch.setenv("BATUTA_TEST_TRACE", str(tmp_path / "trace"))
    settings = "[executor]\nworkers = 2\n" + SETTINGS.replace("{port}", str(closed_port()))
    clock = Clock(time.time())
    service = Service(find_project(str(write_project(tmp_path / "soak", CODE, settings))), clock=clock)
    try:
        yield Soak(service, clock)
    finally:
        service.stop(0.0)


@pytest.mark.chaos
@pytest.mark.timeout(7_200)
def test_nothing_grows_without_bound(soak: Soak, pytestconfig: pytest.Config) -> None:
    hours: int = pytestconfig.getoption("--soak-hours")
    count: int = pytestconfig.getoption("--soak-schedules")
    specs = [
        ScheduleSpec(
            f"every_half_hour_{n}",
            Interval(EVERY_S, anchor=int(soak.now) - n % EVERY_S),
            job="work",
            params={"n": n % 100},
            tags={"batch": str(n % 10)},
            catch_up=CatchUp("all"),
        )
        for n in range(count)
    ]
    soak.begin(specs)
    for _ in range(hours):
        soak.hour()

    ends = soak.service.observing.metrics._runs.counts
    fired = int(sum(ends.values()))
    assert abs(fired - count * hours * HOUR_S / EVERY_S) <= count  # each at its times, give or take the last one
    bad = sum(n % 100 == 7 for n in range(count))
    assert ends["work", "failed"] == pytest.approx(fired * bad / count, abs=bad + 1)

    for hour, sample in enumerate(soak.samples, 1):
        print(f"hour {hour}: {sample.rows}, store {sample.store_bytes >> 10} KiB, {sample.files} files,", end=" ")
        print(f"memory {sample.memory_bytes >> 20} MiB, {sample.engine}")
    kept = int(count * (KEPT_S + HOUR_S) / EVERY_S) + count
    for sample in soak.samples:
        assert sample.queued is None
        assert {name: size for name, size in sample.engine.items() if name not in ("timers", "alerts")} == {
            "runs": 0, "in_flight": 0, "admission": 0, "begun": 0,
        }  # fmt: skip
        assert sample.engine["timers"] < 200
        assert sample.engine["alerts"] <= count
        assert sample.rows["runs"] <= kept
        assert sample.rows["task_runs"] <= kept
        assert sample.rows["events"] <= 5 * kept
        assert sample.rows["ticks"] <= kept
        assert sample.rows["run_keys"] <= kept
        assert sample.rows["run_tags"] <= kept
        assert sample.rows["alerts"] <= count + 1
        assert sample.rows["alert_deliveries"] <= 10 * (count + 1)
        assert sample.rows["pruned_runs"] == 0
        assert sample.rows["plans"] <= 5
        assert sample.files <= 4 * kept
    settled, last = soak.samples[len(soak.samples) // 2], soak.samples[-1]
    assert last.store_bytes <= 1.25 * settled.store_bytes + (4 << 20)
    assert last.memory_bytes <= settled.memory_bytes + MEMORY_GROWTH_MAX
    growth = {name: (settled.rows[name], last.rows[name]) for name in TABLES}
    assert all(later <= 1.3 * earlier + count for earlier, later in growth.values()), growth
