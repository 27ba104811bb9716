"""Automation as a service: what happens to assets leads to runs, each once, and every decision can be looked up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batuta.core.errors import StoreError
from batuta.scheduler.automation import KIND, SETTLE_S, AutomationDuty
from batuta.scheduler.automation_memory import MEMORY
from batuta.scheduler.launching import RunSpec
from batuta.scheduler.service import Service
from batuta.store.rows import Leader, RunRow, TickRow
from tests.engine.projects import until, write_project
from tests.scheduler.conftest import Open, ended

ASSETS = """
from batuta import Automation, asset, on_assets

@asset
def raw() -> int:
    return 1

@asset(automation=Automation.eager())
def clean(raw: int) -> int:
    note("clean")
    return raw + 1

@asset(automation=Automation.eager())
def gold(clean: int) -> int:
    note("gold")
    return clean + 1

@flow(schedule=on_assets("gold"))
def report() -> None:
    for event in context().triggering_events:
        note(f"report:{event.asset}:{event.run_id}")

@asset
def unrelated() -> int:
    return 5
"""


@pytest.fixture
def root(tmp_path: Path, trace: Path) -> Path:
    """A project with a chain of eager assets, and a flow that is started by the last of them."""
    return write_project(tmp_path / "project", ASSETS, "[executor]\nworkers = 2\n")


def runs_of(service: Service, trigger: str = KIND) -> list[RunRow]:
    """The runs that automation started, oldest first."""
    return [run for run in reversed(service.store.runs(limit=1000)) if run.trigger == trigger]


def ticks_of(service: Service, name: str) -> list[TickRow]:
    return service.store.ticks(kind=KIND, name=name)


def test_what_is_made_leads_to_what_reads_it_and_to_jobs(on_store: str, open_service: Open, trace: Path) -> None:
    service = open_service()
    assert ended(service, service.launch(RunSpec(selection="raw"))[0]).state == "succeeded"
    until(lambda: "report" in trace.read_text(), "the flow is not started")
    chain, flow = runs_of(service)
    assert (chain.kind, chain.origin, ended(service, chain.id).state) == ("assets", "clean", "succeeded")
    assert ended(service, flow.id).state == "succeeded"
    assert trace.read_text().split() == ["clean", "gold", f"report:gold:{chain.id}"]
    assert [tick.runs for tick in ticks_of(service, "gold") if tick.outcome == "launched"] == [[chain.id]]
    (tick,) = [tick for tick in ticks_of(service, "clean") if tick.outcome == "launched"]
    assert tick.data["condition"]["label"] == "eager"
    (started,) = ticks_of(service, "job:report")
    assert (started.runs, started.data) == ([flow.id], {"events": {"gold": 1}})


class Stepped:
    """A service whose automation is evaluated when the test says, at the time that it says, and whose runs wait."""

    def __init__(self, service: Service) -> None:
        self.service = service
        service.duties[KIND].stop()
        service.queue.draining = True
        self.now = service.clock()
        self.duty = AutomationDuty(service)
        self.lead: Leader | None = service.store.take_lead("stepped", "me", 1e6, self.now)

    def tick(self) -> float | None:
        self.now += SETTLE_S * 2
        return self.duty.run_once(self.now, self.lead)

    def restart(self) -> None:
        """Another process goes on."""
        self.duty = AutomationDuty(self.service)

    def made(self, asset: str, run_id: int = 0) -> None:
        """An asset is there, as if somebody's run had made it."""
        from batuta.store.rows import Batch, MaterializationRow

        row = MaterializationRow(asset, "", run_id, 0, self.now, f"v{self.now}", "", b"{}", b'{"rows": 3}')
        self.service.store.commit(Batch(materializations=[row]))


@pytest.fixture
def stepped(on_store: str, open_service: Open) -> Stepped:
    return Stepped(open_service())


def test_each_decision_is_one_run_whatever_crashes(stepped: Stepped, monkeypatch: pytest.MonkeyPatch) -> None:
    service = stepped.service
    stepped.tick()
    stepped.made("raw")

    def broken(*_: Any, **__: Any) -> Any:
        raise StoreError("the database went away")

    with monkeypatch.context() as patch:
        patch.setattr(service.store, "record_ticks", broken)
        with pytest.raises(StoreError):
            stepped.tick()
    assert runs_of(service) == []
    stepped.tick()
    stepped.restart()
    for _ in range(3):
        stepped.tick()
    (run,) = runs_of(service)
    assert run.origin == "clean"
    assert [tick.outcome for tick in ticks_of(service, "gold")].count("launched") == 1


def test_a_restart_loses_nothing_that_happened_meanwhile(stepped: Stepped) -> None:
    stepped.tick()
    stepped.made("raw")
    stepped.restart()
    stepped.tick()
    assert [run.origin for run in runs_of(stepped.service)] == ["clean"]


def test_a_second_leader_cannot_write(stepped: Stepped) -> None:
    from batuta.store.errors import LeadLost

    stepped.tick()
    stepped.made("raw")
    assert stepped.lead is not None
    stepped.lead = Leader(stepped.lead.name, "other", stepped.lead.until, stepped.lead.epoch + 1)
    with pytest.raises(LeadLost):
        stepped.tick()
    assert runs_of(stepped.service) == []


def test_what_is_turned_off_is_not_made_and_begins_anew_when_it_is_on(stepped: Stepped) -> None:
    service = stepped.service
    service.switch(KIND, "project", "clean", False)
    service.switch(KIND, "project", "job:report", False)
    stepped.tick()
    stepped.made("raw")
    stepped.made("gold")
    stepped.tick()
    assert runs_of(service) == []
    service.switch(KIND, "project", "clean", True)
    stepped.tick()
    assert [run.origin for run in runs_of(service)] == ["clean"]


def test_the_events_of_a_job_come_with_its_run(stepped: Stepped) -> None:
    stepped.tick()
    stepped.made("gold")
    stepped.tick()
    (run,) = [run for run in runs_of(stepped.service) if run.job == "report"]
    (event,) = run.config["triggering_events"]
    assert (event["asset"], event["metadata"]) == ("gold", {"rows": 3})


def test_what_a_job_makes_does_not_start_it_again(stepped: Stepped) -> None:
    stepped.tick()
    stepped.made("gold")
    stepped.tick()
    (run,) = [run for run in runs_of(stepped.service) if run.job == "report"]
    stepped.made("gold", run.id)
    stepped.tick()
    assert len([run for run in runs_of(stepped.service) if run.job == "report"]) == 1


def test_nothing_is_lost_while_the_code_is_broken(
    stepped: Stepped, root: Path, open_service: Open, trace: Path
) -> None:
    stepped.tick()
    stepped.service.stop(0.0)
    (root / "flows.py").write_text("not Python")
    again = Stepped(open_service())
    again.made("raw")
    again.made("gold")
    again.tick()
    again.tick()
    assert runs_of(again.service) == []
    write_project(root, ASSETS, "[executor]\nworkers = 2\n")
    again.service.locations.reload("project")
    again.duty.definitions_changed()
    again.tick()
    assert sorted(run.job for run in runs_of(again.service)) == ["materialize", "report"]


def test_memory_is_kept_in_shards_and_only_what_changed_is_written(stepped: Stepped) -> None:
    stepped.tick()
    rows = {row.name: row for row in stepped.service.store.tickers(MEMORY)}
    assert {"clean", "gold"} == {
        root for name, row in rows.items() if name != "head" for root in json.loads(row.cursor)
    }
    stepped.tick()
    stepped.tick()
    ticked = {row.name: row.ticked_at for row in stepped.service.store.tickers(MEMORY)}
    stepped.tick()
    assert {row.name: row.ticked_at for row in stepped.service.store.tickers(MEMORY)} == ticked


def test_nothing_is_read_where_nothing_is_automated(tmp_path: Path, trace: Path, open_service: Open) -> None:
    plain = write_project(tmp_path / "plain", "from batuta import asset\n\n@asset\ndef raw() -> int:\n    return 1\n")
    on = Stepped(open_service(plain))
    assert on.tick() is None
    assert on.duty.is_idle
    assert on.service.store.tickers(MEMORY) == []


def test_many_explanations_are_written_in_several_transactions(
    stepped: Stepped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("batuta.scheduler.automation.TOLD_MAX", 1)
    stepped.tick()
    stepped.made("raw")
    stepped.tick()
    (run,) = runs_of(stepped.service)
    for asset in ("clean", "gold"):
        assert [tick.runs for tick in ticks_of(stepped.service, asset) if tick.outcome == "launched"] == [[run.id]]


def test_another_scheduler_goes_on_where_the_leader_stopped(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, open_service: Open, trace: Path
) -> None:
    monkeypatch.setenv("BATUTA_STORE_URL", postgres_url)
    first, second = open_service(), open_service()
    until(lambda: first.duties[KIND].lead or second.duties[KIND].lead, "nobody leads")
    leader, other = (first, second) if first.duties[KIND].lead else (second, first)
    ended(other, other.launch(RunSpec(selection="raw"))[0])
    until(lambda: trace.read_text().count("report") == 1, "the flow is not started")
    leader.stop(0.0)
    ended(other, other.launch(RunSpec(selection="raw", config={"mode": "all"}))[0])
    until(lambda: trace.read_text().count("report") == 2, "nobody goes on")
    assert [run.job for run in runs_of(other)] == ["materialize", "report"] * 2


def test_a_request_that_cannot_be_run_is_a_failed_tick(stepped: Stepped, monkeypatch: pytest.MonkeyPatch) -> None:
    from batuta.core.errors import PartitionError

    service = stepped.service
    stepped.tick()
    stepped.made("raw")
    with monkeypatch.context() as patch:
        patch.setattr(service.launching, "runs_from", lambda specs, now: [PartitionError("no such day") for _ in specs])
        stepped.tick()
    assert [tick.outcome for tick in ticks_of(service, "clean")] == ["failed"]
    assert "no such day" in ticks_of(service, "clean")[0].reason
    stepped.tick()
    stepped.made("raw")
    stepped.tick()
    assert [run.origin for run in runs_of(service)] == ["clean"]
