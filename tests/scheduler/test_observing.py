"""The service as a whole tells of what happens in it, also of runs that a command has made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from batuta.runtime.service_log import fields_of
from batuta.scheduler.launching import RunSpec
from tests.engine.projects import open_project, until, write_project
from tests.scheduler.conftest import Open, ended
from tests.scheduler.receivers import Web, web_server

STEPS = """
@task
def load() -> None:
    raise ValueError("no rates today")

with DAG("nightly"):
    load()
"""


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


@pytest.fixture
def alerting(tmp_path: Path, trace: Path, web: Web) -> Path:
    """A project that tells a web server of failures and of code that does not load."""
    settings = f"""
[alerts.channels.ops]
type = "webhook"
url = "{web.url}"

[[alerts.rules]]
on = ["failure", "location_broken"]
channels = "ops"
"""
    return write_project(tmp_path / "alerting", STEPS, settings)


def test_a_failure_in_the_service_is_told(open_service: Open, alerting: Path, web: Web) -> None:
    service = open_service(alerting)
    until(lambda: service.store.tickers("alerts"))
    service.launch(RunSpec(job="nightly"))
    web.wait(1)
    [document] = web.documents
    assert document["title"] == "nightly failed"
    assert "ValueError: no rates today" in document["body"]
    assert f"at {alerting / 'flows.py'}:" in document["body"]


def test_so_is_one_of_a_command(open_service: Open, alerting: Path, web: Web) -> None:
    service = open_service(alerting)
    until(lambda: service.store.tickers("alerts"))
    with open_project(alerting, executor="inline") as workspace:
        workspace.start_job("nightly").wait()
    web.wait(1)
    assert web.documents[0]["title"] == "nightly failed"


def test_code_that_does_not_load_is_told(open_service: Open, alerting: Path, web: Web) -> None:
    (alerting / "flows.py").write_text("def broken(:\n")
    open_service(alerting)
    web.wait(1)
    assert web.documents[0]["title"] == "code location alerting does not load"
    assert "flows.py" in web.documents[0]["body"]


def test_without_channels_there_are_no_duties_for_them(open_service: Open) -> None:
    assert {"alerts", "alert-delivery"} & set(open_service().duties) == set()


def test_json_logs_tell_of_runs(open_service: Open, alerting: Path, caplog: pytest.LogCaptureFixture) -> None:
    with (alerting / "batuta.toml").open("a") as file:
        file.write('[log]\nformat = "json"\n')
    service = open_service(alerting)
    with caplog.at_level("INFO", "batuta.runs"):
        run_id = ended(service, service.launch(RunSpec(job="nightly"))[0]).id
        until(lambda: len([one for one in caplog.records if one.name == "batuta.runs"]) >= 2)
    task, run = (fields_of(one) for one in caplog.records if one.name == "batuta.runs")
    assert task == {"run": run_id, "job": "nightly", "location": "alerting", "task": "load", "attempt": 1}
    assert run == {"run": run_id, "job": "nightly", "location": "alerting", "state": "failed"}
