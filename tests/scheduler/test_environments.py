"""Environments in a service: backfills and runs in one, and nothing in production that reacts to them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from batuta.core.alert_specs import KINDS
from batuta.core.backfills import Backfill, BackfillState
from batuta.core.environments import CONFIG, TAG
from batuta.core.sensor_specs import Assets, Runs, SensorSpec
from batuta.core.states import RunState
from batuta.scheduler.alert_facts import EVENT_KINDS, Facts
from batuta.scheduler.backfill_plan import Preview, planned
from batuta.scheduler.launching import RunSpec
from batuta.scheduler.sensor_events import Events
from batuta.scheduler.service import Service
from batuta.store.rows import RunRow
from tests.engine.projects import until, write_project
from tests.scheduler.conftest import Open

TEXT = """
from batuta import Automation, asset, check
from batuta.operators import TriggerJobOperator
from batuta.partitions import daily

DAYS = daily("2025-01-01", end="2025-01-04")

@asset(partitions=DAYS)
def rates() -> str:
    note(f"rates {context().partition_key}")
    return context().partition_key

@asset(automation=Automation.eager())
def report(rates: dict) -> int:
    note("report")
    return len(rates)

@check(rates)
def is_never_right(rates: Any) -> bool:
    return False

with DAG("parent") as parent:
    TriggerJobOperator("say", name="start", poll_s=0.01)

@flow
def say() -> None:
    note("said")
"""


def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "lake", TEXT, "[executor]\nworkers = 2\n")


def preview(service: Service, **fields: Any) -> Preview:
    version = service.locations.get("lake").version()
    return planned(version.definitions, service.store, Backfill(location="lake", **fields), service.clock())


def ended(service: Service, run_id: int) -> RunRow:
    def is_over() -> bool:
        row = service.store.run(run_id)
        return row is not None and row.finished_at is not None

    until(is_over, f"run {run_id} does not end")
    row = service.store.run(run_id)
    assert row is not None
    return row


def test_a_backfill_in_an_environment_leaves_production_and_what_watches_it_alone(
    tmp_path: Path, trace: Path, open_service: Open
) -> None:
    service = open_service(project(tmp_path))
    store = service.store
    found = preview(service, selection="rates", partitions="all", mode="missing", environment="dev")
    number = store.backfills.create(found.spec, found.items, by="ann", now=time.time())
    service.wake("backfills")
    until(lambda: store.backfills.get(number).finished_at is not None, "the backfill does not end")
    assert store.backfills.get(number).state == BackfillState.SUCCEEDED
    runs = store.runs(tags={TAG: "dev"})
    assert [(run.config[CONFIG], run.backfill_id) for run in runs] == [("dev", number)] * 3
    assert len(store.environments.states("dev")) == 3
    assert not store.asset_states()
    assert len(preview(service, selection="rates", partitions="all", mode="missing").items) == 3
    assert not preview(service, selection="rates", partitions="all", mode="missing", environment="dev").items

    events = Events(store)
    assert events.after("lake", SensorSpec("a", source=Assets(("rates",))), "0").events == []
    assert events.after("lake", SensorSpec("r", source=Runs(states=("succeeded",))), "0").events == []
    pages = store.events_of_kinds(list(EVENT_KINDS), 0, store.last_event_id(), 1000)
    assert pages
    assert Facts(store, frozenset(KINDS)).of(pages) == []

    service.launch(RunSpec(selection="rates", partition="2025-01-01..2025-01-03", location="lake"))
    until(lambda: "report" in trace.read_text(), "the automation makes what production made")
    assert {TAG in run.tags for run in store.runs(trigger="automation")} == {False}
    seen = events.after("lake", SensorSpec("a", source=Assets(("rates",))), "0").events
    assert sorted(event["partition"] for event in seen) == ["2025-01-01", "2025-01-02", "2025-01-03"]


def test_runs_of_what_a_run_triggers_are_in_its_environment(tmp_path: Path, trace: Path, open_service: Open) -> None:
    service = open_service(project(tmp_path))
    run_id, _ = service.launch(RunSpec(job="parent", environment="dev"))
    assert ended(service, run_id).state == RunState.SUCCEEDED
    (child,) = service.store.runs(job="say")
    assert (child.config[CONFIG], child.tags[TAG]) == ("dev", "dev")
