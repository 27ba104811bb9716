"""Lineage events as a receiver gets them, sent by the standard client over HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batuta.core.errors import DefinitionError, TransientError
from batuta.runtime.observing_config import OpenLineageConfig
from batuta.scheduler.launching import RunSpec
from batuta.scheduler.openlineage import GIVE_UP_S, Client, OpenLineageDuty, is_wanted, transport_of
from batuta.scheduler.service import Service
from batuta.store import Store
from tests.engine.projects import until, write_project
from tests.scheduler.conftest import Open, ended
from tests.scheduler.receivers import Web, lineage_events, web_server
from tests.scheduler.recorded_runs import fail, new_run, succeed

NOW = 1_000_000.0
STEPS = '''
import polars as pl
from batuta import asset, check

@asset(owners=["ann@example.com"], layer="bronze", tags={"team": "growth"})
def orders() -> pl.DataFrame:
    """All orders."""
    return pl.DataFrame({"id": [1, 2], "amount": [3.5, 4.5]})

@asset(layer="gold")
def revenue(orders: pl.DataFrame) -> pl.DataFrame:
    return orders.select(pl.col("amount").sum())

@check(revenue, blocking=True)
def is_positive(revenue: pl.DataFrame) -> bool:
    return revenue["amount"][0] > 0

@task
def boom() -> None:
    raise ValueError("no rates")

with DAG("broken", owners=["bob"], description="Breaks."):
    boom()

@flow
def inner() -> int:
    return 1

@flow
def outer() -> int:
    return inner()
'''


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    with Store.open(sqlite_url) as opened:
        yield opened


def by_job(events: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Events by the name of their job and their type."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for event in events:
        found.setdefault(event["job"]["name"], {})[event["eventType"]] = event
    return found


def is_whole(event: dict[str, Any]) -> bool:
    """What the published schema demands of each event, and of each facet."""
    assert {"eventTime", "producer", "schemaURL", "run", "job"} <= event.keys()
    uuid.UUID(event["run"]["runId"])
    parts = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
    facets = [
        one
        for part in parts
        for kind in ("facets", "inputFacets", "outputFacets")
        for one in part.get(kind, {}).values()
    ]
    return all({"_producer", "_schemaURL"} <= facet.keys() for facet in facets)


def serve(open_service: Open, folder: Path, web: Web, more: str = "") -> Service:
    setup = f'[openlineage]\nurl = "{web.url}"\n{more}'
    service = open_service(write_project(folder, STEPS, setup))
    until(lambda: service.store.tickers("openlineage"))
    return service


def told_of(service: Service, web: Web, spec: RunSpec) -> dict[str, dict[str, dict[str, Any]]]:
    """The events of a run, once all are there."""
    run = ended(service, service.launch(spec)[0])
    service.wake("openlineage")
    until(
        lambda: any(
            event["eventType"] in ("COMPLETE", "FAIL")
            for event in by_job(lineage_events(web)).get(run.job, {}).values()
        )
    )
    return by_job(lineage_events(web))


def test_a_run_of_assets(tmp_path: Path, trace: Path, open_service: Open, web: Web) -> None:
    service = serve(open_service, tmp_path / "shop", web)
    jobs = told_of(service, web, RunSpec(selection="*"))
    assert all(is_whole(event) for job in jobs.values() for event in job.values())
    (run,) = [name for name in jobs if "." not in name]
    assert set(jobs[run]) == {"START", "COMPLETE"}
    assert jobs[run]["START"]["run"] == jobs[run]["COMPLETE"]["run"]
    made = jobs[f"{run}.revenue"]["COMPLETE"]
    assert made["run"]["facets"]["parent"]["run"]["runId"] == jobs[run]["START"]["run"]["runId"]
    (source,) = made["inputs"]
    assert (source["namespace"], source["name"]) == ("shop", "orders")
    assert source["facets"]["documentation"]["description"] == "All orders."
    assert source["facets"]["ownership"]["owners"] == [{"name": "ann@example.com"}]
    assert {"key": "team", "value": "growth", "source": "batuta"} in source["facets"]["tags"]["tags"]
    first = jobs[f"{run}.orders"]["COMPLETE"]["outputs"][0]
    assert [one["name"] for one in first["facets"]["schema"]["fields"]] == ["id", "amount"]
    assert first["outputFacets"]["outputStatistics"]["rowCount"] == 2
    assert first["facets"]["version"]["datasetVersion"] == source["facets"]["version"]["datasetVersion"]
    assert first["facets"]["symlinks"]["identifiers"][0]["name"].endswith("orders.parquet")
    (checked,) = [job["COMPLETE"] for name, job in jobs.items() if "is_positive" in name]
    (verdict,) = checked["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert (verdict["assertion"], verdict["success"], verdict["severity"]) == ("is_positive", True, "error")


def test_a_step_that_failed(tmp_path: Path, trace: Path, open_service: Open, web: Web) -> None:
    service = serve(open_service, tmp_path / "shop", web, 'namespace = "warehouse"\n')
    jobs = told_of(service, web, RunSpec(job="broken"))
    assert set(jobs) == {"broken", "broken.boom"}
    assert jobs["broken"]["FAIL"]["job"]["namespace"] == "warehouse"
    assert jobs["broken"]["FAIL"]["job"]["facets"]["documentation"]["description"] == "Breaks."
    assert jobs["broken"]["FAIL"]["job"]["facets"]["ownership"]["owners"] == [{"name": "bob"}]
    error = jobs["broken.boom"]["FAIL"]["run"]["facets"]["errorMessage"]
    assert "no rates" in error["message"]
    assert "raise ValueError" in error["stackTrace"]


def test_a_run_that_another_run_started(tmp_path: Path, trace: Path, open_service: Open, web: Web) -> None:
    service = serve(open_service, tmp_path / "shop", web)
    jobs = told_of(service, web, RunSpec(job="outer"))
    assert all("parent" not in event["run"]["facets"] for event in jobs["outer"].values())
    assert set(jobs["inner"]) == {"START", "COMPLETE"}
    for event in jobs["inner"].values():
        parent = event["run"]["facets"]["parent"]
        assert parent["run"]["runId"] == jobs["outer"]["START"]["run"]["runId"]
        assert (parent["job"]["namespace"], parent["job"]["name"]) == ("shop", "outer")


def test_a_file_with_a_space_in_its_name_is_a_uri(tmp_path: Path, trace: Path, open_service: Open, web: Web) -> None:
    service = serve(open_service, tmp_path / "my shöp", web)
    jobs = told_of(service, web, RunSpec(job="broken"))
    place = jobs["broken"]["FAIL"]["job"]["facets"]["sourceCodeLocation"]
    assert place["url"].endswith("/my%20sh%C3%B6p/flows.py")
    assert place["path"].endswith("/my shöp/flows.py")


def test_what_is_not_taken_is_sent_again(web: Web, store: Store) -> None:
    sent: list[Any] = []
    takes = [False]

    def emit(event: Any) -> None:
        if not takes[0]:
            raise ConnectionError("nobody listens")
        sent.append(event)

    duty = OpenLineageDuty(store, emit, "shop")
    duty.run_once(NOW, None)
    succeed(store, new_run(store, at=NOW), at=NOW + 5)
    with pytest.raises(TransientError, match="nobody listens"):
        duty.run_once(NOW + 10, None)
    takes[0] = True
    OpenLineageDuty(store, emit, "shop").run_once(NOW + 20, None)  # by a successor, who knows how far it came
    assert [str(event.eventType.value) for event in sent][-1] == "COMPLETE"
    count = len(sent)
    OpenLineageDuty(store, emit, "shop").run_once(NOW + 30, None)
    assert len(sent) == count
    fail(store, new_run(store, at=NOW + 40), at=NOW + 41)
    takes[0] = False
    OpenLineageDuty(store, emit, "shop").run_once(NOW + 42 + GIVE_UP_S, None)  # given up
    takes[0] = True
    OpenLineageDuty(store, emit, "shop").run_once(NOW + 43 + GIVE_UP_S, None)
    assert len(sent) == count


def test_where_events_go() -> None:
    def fill(text: str) -> str:
        return text.replace("{{ secret('key') }}", "k3y")

    http = OpenLineageConfig(url="http://lineage", api_key="{{ secret('key') }}")
    assert transport_of(http, fill)["auth"] == {"type": "api_key", "apiKey": "k3y"}
    other = OpenLineageConfig(transport={"type": "file", "log_file_path": "events", "x": ["{{ secret('key') }}"]})
    assert transport_of(other, fill) == {"type": "file", "log_file_path": "events", "x": ["k3y"]}
    assert not is_wanted(OpenLineageConfig(), {})
    assert is_wanted(OpenLineageConfig(), {"OPENLINEAGE_URL": "http://lineage"})
    assert not is_wanted(http, {"OPENLINEAGE_DISABLED": "true"})
    with pytest.raises(DefinitionError, match="cannot be made"):
        Client(OpenLineageConfig(transport={"type": "nonsense"}), fill=fill)
