"""What is tried without being started: launches, sensors, connections; in a process of their location, never here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from batuta.engine.workspace import Workspace
from batuta.runtime.project import find_project
from batuta.scheduler.service import Service
from batuta.server.accounts import OpenToLocal
from batuta.server.app import create_app
from batuta.server.backend import Backend
from batuta.server.gate import Gate
from batuta.server.serving import ServerThread, bind
from batuta.store import Store
from tests.engine.projects import until, write_project
from tests.server.conftest import Serve
from tests.server.test_runs import get

CODE = """
from datetime import UTC, datetime

from batuta import Automation, RunRequest, Skip, asset, sensor
from batuta.io import DeltaIO
from batuta.partitions import daily

DATA = os.path.join(os.path.dirname(__file__), "lake")
DAYS = daily("2026-01-01", end="2026-01-04")

with DAG("job"):
    @task
    def one() -> int:
        return os.getpid()
    one()

@sensor(job="job", enabled=False)
def files(context):
    if context.cursor == "nothing":
        return Skip("nothing new")
    if context.cursor == "broken":
        raise ValueError("the listing is broken")
    seen = context.cursor
    context.cursor = "2"
    return [RunRequest(run_key=str(os.getpid()), tags={"from": seen or "start"})]

@asset(partitions=DAYS, automation=Automation.run_failed())
def made() -> int:
    return 1

@asset
def plain() -> int:
    return 1

@asset(io_manager=DeltaIO(DATA))
def kept() -> list[dict]:
    return [{"at": datetime.now(UTC)}]

@asset(partitions=DAYS)
def sold(context) -> list[dict]:
    day = context.partition_key
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return [{"day": day, "pieces": n, "note": None, "at": at} for n in range(30)]
"""


@pytest.fixture(params=["one process", "apart"])
def api(tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch, request: Any) -> Iterator[httpx.Client]:
    """A service, and the API over it: as part of its process, or apart with nothing but the store in common."""
    monkeypatch.setenv("BATUTA_STORE_URL", store_url)
    project = find_project(str(write_project(tmp_path / "shop", CODE)))
    with ExitStack() as stack:
        service = Service(project)
        stack.callback(service.stop, 0.0)
        service.start()
        store = service.store
        if request.param == "apart":
            store = stack.enter_context(Store.open(store_url))
            until(lambda: store.processes(0.0), "the service does not say that it lives")
        backend = Backend(store, project)
        if request.param == "one process":
            backend.service, backend.wake = service, service.wake
        app = create_app(backend)
        thread = ServerThread(Gate(app, OpenToLocal("ada")), bind("127.0.0.1", 0), feeds=[app.state.feed])
        thread.start()
        stack.callback(thread.stop)
        yield stack.enter_context(httpx.Client(base_url=thread.url, timeout=60))


def location(api: httpx.Client) -> str:
    (found,) = get(api, "/locations")["items"]
    name: str = found["name"]
    return name


def test_a_sensor_is_tried_in_a_process_of_its_location(api: httpx.Client) -> None:
    url = f"/api/v1/tickers/sensor/{location(api)}/files/try"
    said = api.post(url, json={"cursor": "1"}).json()
    (run,) = said["asked"]
    assert (run["job"], run["tags"], said["cursor"], said["error"]) == ("job", {"from": "1"}, "2", "")
    assert int(run["key"]) != os.getpid()
    assert api.post(url, json={}).json()["asked"][0]["tags"] == {"from": "start"}
    said = api.post(url, json={"cursor": "nothing"}).json()
    assert (said["asked"], said["reason"]) == ([], "nothing new")
    said = api.post(url, json={"cursor": "broken"}).json()
    assert "the listing is broken" in said["error"]
    assert "flows.py" in said["place"]
    assert get(api, "/runs")["items"] == []
    assert api.post(f"/api/v1/tickers/sensor/{location(api)}/nope/try", json={}).status_code == 404
    assert api.post(f"/api/v1/tickers/schedule/{location(api)}/files/try", json={}).status_code == 400
    assert get(api, f"/tickers/sensor/{location(api)}/files")["name"] == "files"
    switched = api.put(f"/api/v1/tickers/sensor/{location(api)}/files/switch", json={"enabled": True}).json()
    assert (switched["enabled"], switched["defined"]) == (True, False)


def test_a_connection_is_tried_there_too(api: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    file.touch()
    for name, url in (("good", f"sqlite:///{file}"), ("gone", f"sqlite:///{tmp_path}/nowhere.db")):
        assert api.put(f"/api/v1/connections/{name}", json={"url": url}).status_code == 200
    said = api.post("/api/v1/connections/good/test").json()
    assert (said["ok"], said["told"]) == (True, "sqlite answers")
    said = api.post("/api/v1/connections/gone/test").json()
    assert (said["ok"], "there is no file" in said["told"]) == (False, True)
    said = api.post("/api/v1/connections/never-made/test").json()
    assert (said["ok"], "never-made" in said["told"]) == (False, True)
    assert api.post("/api/v1/connections/good/test", params={"location": "nope"}).status_code == 404


def test_rows_of_an_asset_are_read_where_it_is_kept(api: httpx.Client) -> None:
    def ended(path: str) -> bool:
        return bool(get(api, path)["run"]["state"] == "succeeded")

    assert "no partition" in api.get("/api/v1/assets/sold/rows").json()["detail"]
    run = api.post("/api/v1/runs", json={"selection": "sold", "partitions": "2026-01-02"}).json()["run"]["id"]
    until(lambda: ended(f"/runs/{run}"), "it was not made")
    found = get(api, "/assets/sold/rows", limit=3)
    assert (found["partition"], found["columns"], found["total"]) == ("2026-01-02", ["day", "pieces", "note", "at"], 30)
    assert [row[:3] for row in found["rows"]] == [["2026-01-02", n, None] for n in range(3)]
    assert found["rows"][0][3].startswith("2026-01-02T03:04:05")
    refused = api.get("/api/v1/assets/sold/rows", params={"partition": "2026-01-01"})
    assert (refused.status_code, "cannot be read" in refused.json()["detail"]) == (409, True)
    assert api.get("/api/v1/assets/nope/rows").status_code == 404
    assert api.get("/api/v1/assets/sold/rows", params={"limit": 501}).status_code == 400


def test_versions_of_a_table_are_listed_and_read(api: httpx.Client) -> None:
    def made() -> int:
        run: int = api.post("/api/v1/runs", json={"selection": "kept"}).json()["run"]["id"]
        until(lambda: get(api, f"/runs/{run}")["run"]["state"] == "succeeded", "it was not made")
        return run

    runs = [made(), made()]
    found = get(api, "/assets/kept/versions")["items"]
    assert [(one["version"], one["run"], one["by"]) for one in found] == [("1", runs[1], ""), ("0", runs[0], "")]
    now = get(api, "/assets/kept/rows")["rows"]
    then = get(api, "/assets/kept/rows", run=runs[0])
    assert then["version"] == "0"
    assert then["rows"] == get(api, "/assets/kept/rows", version="0")["rows"] != now
    assert now == get(api, "/assets/kept/rows", version="1")["rows"]
    for asset, asked, status, told in (
        ("kept", {"version": "9"}, 409, "has no version 9"),
        ("kept", {"run": 99}, 404, "there is no run 99"),
        ("sold", {"version": "1"}, 409, "has no versions of it but the last"),
    ):
        refused = api.get(f"/api/v1/assets/{asset}/rows", params=asked)
        assert (refused.status_code, told in refused.json()["detail"]) == (status, True), refused.text
    assert "has no versions" in api.get("/api/v1/assets/sold/versions").json()["detail"]


def test_rows_and_versions_are_those_of_an_environment(api: httpx.Client) -> None:
    def made(environment: str) -> int:
        asked = {"selection": "kept", "environment": environment}
        run: int = api.post("/api/v1/runs", json=asked).json()["run"]["id"]
        until(lambda: get(api, f"/runs/{run}")["run"]["state"] == "succeeded", "it was not made")
        return run

    production, dev = made(""), made("dev")
    for environment, run in (("", production), ("dev", dev)):
        found = get(api, "/assets/kept/versions", environment=environment)["items"]
        assert [one["run"] for one in found] == [run]
    assert get(api, "/assets/kept/rows", environment="dev")["rows"] != get(api, "/assets/kept/rows")["rows"]
    assert "no partition" in api.get("/api/v1/assets/sold/rows", params={"environment": "dev"}).json()["detail"]
    for path in ("rows", "versions"):
        refused = api.get(f"/api/v1/assets/kept/{path}", params={"environment": "dve"})
        assert (refused.status_code, "'dev'" in refused.json()["hint"]) == (404, True)


def test_automation_tells_why_now(api: httpx.Client) -> None:
    why = get(api, "/assets/made/automation")
    assert why["asset"] == "made"
    assert why["condition"][0]["depth"] == 0
    assert {part["total"] for part in why["condition"]} == {3}
    one = get(api, "/assets/made/automation", partition="2026-01-02")
    assert (one["partition"], one["condition"][0]["total"]) == ("2026-01-02", 1)
    assert "is not automated" in api.get("/api/v1/assets/plain/automation").json()["detail"]
    assert api.get("/api/v1/assets/made/automation", params={"partition": "2027-01-01"}).status_code == 422


def test_where_nobody_can_be_asked_that_is_said(
    serve: Serve, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = serve()
    assert api.put("/api/v1/connections/db", json={"url": "sqlite:///x.db"}).status_code == 200
    answer = api.post("/api/v1/connections/db/test")
    assert (answer.status_code, "no scheduler lives" in answer.json()["detail"]) == (409, True)


def test_a_launch_is_checked_without_being_started(serve: Serve, workspace: Workspace) -> None:
    api = serve()

    def check(**wanted: Any) -> Any:
        answer = api.post("/api/v1/runs/check", json=wanted)
        assert answer.status_code == 200, answer.text
        return answer.json()

    good = check(job="doubling", params={"numbers": [1]})
    assert (good["ok"], good["params"], good["checked_by"]) == (True, {"numbers": [1], "day": "2026-01-31"}, "schema")
    bad = check(job="doubling", params={"numbers": "x", "day": "yesterday", "nummers": []})
    assert (bad["ok"], set(bad["errors"])) == (False, {"numbers", "day", "nummers"})
    assert "did you mean 'numbers'" in bad["errors"]["nummers"]
    assert check(job="nightly")["task_runs"] == 3
    assert check(selection="orders", partitions="2026-01-01..2026-01-03")["task_runs"] == 3
    assert "2027-01-01" in check(selection="orders", partitions="2027-01-01")["problem"]
    assert check()["problem"].startswith("either a job or a selection")
    assert api.post("/api/v1/runs/check", json={"job": "nope"}).status_code == 404
    assert get(api, "/runs")["items"] == []
