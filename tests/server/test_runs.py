"""Runs over HTTP: found by any filter, looked into, launched, stopped and repeated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from batuta.core.states import RunState
from batuta.engine.workspace import Workspace
from batuta.store import Store


def get(api: httpx.Client, path: str, **params: Any) -> Any:
    answer = api.get(f"/api/v1{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(page: dict[str, Any]) -> list[int]:
    return [run["id"] for run in page["items"]]


@pytest.fixture
def ran(workspace: Workspace) -> dict[str, int]:
    """One run of each kind: by job, its number."""
    flow = workspace.start_job("doubling", tags={"team": "growth"})
    assert flow.wait(30) is RunState.SUCCEEDED
    dag = workspace.start_job("nightly")
    assert dag.wait(30) is RunState.FAILED
    assets = workspace.start_plan(workspace.assets.plan("*").plan, params={"selection": "*"})
    assert assets.wait(30) is RunState.SUCCEEDED
    return {"doubling": flow.id, "nightly": dag.id, "materialize": assets.id}


def test_runs_are_listed_newest_first_page_by_page(api: httpx.Client, ran: dict[str, int]) -> None:
    expected = sorted(ran.values(), reverse=True)
    assert ids(get(api, "/runs")) == expected
    first = get(api, "/runs", limit=2)
    assert ids(first) == expected[:2]
    rest = get(api, "/runs", limit=2, cursor=first["next"])
    assert (ids(rest), rest["next"]) == (expected[2:], None)
    assert ids(get(api, "/runs", sort="id")) == expected[::-1]


def test_runs_are_found_by_every_filter(api: httpx.Client, ran: dict[str, int]) -> None:
    flow, dag, assets = ran["doubling"], ran["nightly"], ran["materialize"]
    now = datetime.now(UTC)
    for expected, filters in (
        ([dag], {"state": "failed"}),
        ([assets, flow], {"state": "succeeded"}),
        ([flow], {"job": "doubling"}),
        ([dag, flow], {"job": ["doubling", "nightly"]}),
        ([flow], {"tag": "team=growth", "kind": "flow"}),
        ([assets], {"kind": "assets"}),
        ([dag], {"text": "printer"}),
        ([], {"text": "100%_"}),
        ([assets, dag, flow], {"trigger": "manual"}),
        ([], {"trigger": "schedule"}),
        ([assets, dag, flow], {"since": (now - timedelta(hours=1)).isoformat()}),
        ([], {"since": (now + timedelta(hours=1)).isoformat()}),
        ([], {"until": (now - timedelta(hours=1)).isoformat()}),
        ([], {"partition": "2026-01-01"}),
        ([], {"parent": 1}),
        ([], {"backfill": 1}),
        ([], {"location": "elsewhere"}),
    ):
        assert ids(get(api, "/runs", **filters)) == expected, filters


def test_a_run_tells_what_became_of_it(api: httpx.Client, ran: dict[str, int]) -> None:
    made = get(api, f"/runs/{ran['materialize']}")
    assert made["counts"] == {"succeeded": 12}
    assert {(one["asset"], one["partitions"]) for one in made["assets"]} == {("orders", 10), ("revenue", 1)}
    assert (made["checks_passed"], made["checks_failed"], made["actions"]) == (1, 0, ["retry", "mark"])
    failed = get(api, f"/runs/{ran['nightly']}")
    assert "the printer is on fire" in failed["run"]["error"]
    assert get(api, f"/runs/{ran['doubling']}")["returned"] == "12"


def test_task_runs_are_listed_filtered_and_sorted(api: httpx.Client, ran: dict[str, int]) -> None:
    tasks = f"/runs/{ran['nightly']}/tasks"
    assert [task["key"] for task in get(api, tasks)["items"]] == ["extract", "load", "report"]
    (failed,) = get(api, tasks, state="failed")["items"]
    assert failed["error"]["type"] == "ValueError"
    assert failed["error"]["line"] > 0
    assert [task["key"] for task in get(api, tasks, text="printer")["items"]] == ["report"]
    first = get(api, tasks, sort="-started", limit=2)
    rest = get(api, tasks, sort="-started", limit=2, cursor=first["next"])
    assert {task["key"] for task in first["items"] + rest["items"]} == {"extract", "load", "report"}
    parts = get(api, f"/runs/{ran['materialize']}/tasks", step="orders", limit=3)
    assert [task["partition"] for task in parts["items"]] == ["2026-01-01", "2026-01-02", "2026-01-03"]


def test_a_task_run_has_attempts_and_neighbours(api: httpx.Client, ran: dict[str, int]) -> None:
    detail = get(api, f"/runs/{ran['nightly']}/tasks/2")
    assert (detail["task"]["key"], detail["upstream"]) == ("report", ["extract"])
    (attempt,) = detail["attempts"]
    assert (attempt["outcome"], attempt["error"]["message"]) == ("failed", "the printer is on fire")
    assert api.get(f"/api/v1/runs/{ran['nightly']}/tasks/99").status_code == 404


def test_a_log_is_read_by_range_from_its_end_and_filtered(api: httpx.Client, ran: dict[str, int]) -> None:
    logs = f"/runs/{ran['nightly']}/tasks/1/logs"
    whole = get(api, logs)
    assert [line["text"] for line in whole["lines"]] == ["\x1b[31mloading\x1b[0m 3"]
    assert (whole["finished"], whole["lines"][0]["level"]) == (True, "OUT")
    assert get(api, logs, offset=whole["next"])["lines"] == []
    assert get(api, logs, tail=1)["lines"] == whole["lines"]
    assert get(api, logs, text="LOAD")["lines"] == whole["lines"]
    assert get(api, logs, text="lo.d")["lines"] == []
    assert get(api, logs, level="error")["lines"] == []
    assert api.get(f"/api/v1{logs}", params={"attempt": 7}).status_code == 404


def test_events_are_listed_in_their_order(api: httpx.Client, ran: dict[str, int]) -> None:
    events = f"/runs/{ran['nightly']}/events"
    first = get(api, events, limit=1)
    rest = get(api, events, cursor=first["next"], limit=1000)
    kinds = [event["kind"] for event in first["items"] + rest["items"]]
    assert (kinds[0], kinds[-1]) == ("run_started", "run_finished")
    assert {event["kind"] for event in get(api, events, kind="attempt_failed")["items"]} == {"attempt_failed"}
    assert {event["task"] for event in get(api, events, task=2)["items"]} == {2}
    assert b"pickled" not in api.get(f"/api/v1{events}").content


def test_the_pictures_of_a_run(api: httpx.Client, ran: dict[str, int]) -> None:
    graph = get(api, f"/runs/{ran['nightly']}/graph")
    assert {(edge["source"], edge["target"]) for edge in graph["edges"]} == {("extract", "load"), ("extract", "report")}
    assert {node["key"]: node["level"] for node in graph["nodes"]} == {"extract": 0, "load": 1, "report": 1}
    gantt = get(api, f"/runs/{ran['nightly']}/gantt")
    columns = [gantt[name] for name in ("no", "step", "lane", "state", "attempt", "start", "end")]
    assert {len(column) for column in columns} == {3}
    assert gantt["critical_path"][0] == 0
    flow = get(api, f"/runs/{ran['doubling']}/graph")
    assert not flow["complete"]
    assert {node["key"] for node in flow["nodes"]} == {"doubling", "double-0", "double-1", "double-2"}


def test_launching_a_job_queues_it(api: httpx.Client, store: Store) -> None:
    answer = api.post("/api/v1/runs", json={"job": "doubling", "params": {"numbers": [4]}, "tags": {"a": "b"}})
    assert answer.status_code == 201
    run = answer.json()["run"]
    assert answer.headers["location"] == f"/api/v1/runs/{run['id']}"
    assert (run["state"], run["params"]) == ("queued", {"numbers": [4], "day": "2026-01-31"})
    row = store.run(run["id"])
    assert row is not None
    assert (row.owner, row.tags, row.trigger) == ("", {"a": "b"}, "manual")
    (entry,) = store.audit_entries()
    assert (entry.actor, entry.action, entry.name) == ("ada", "launch", str(run["id"]))


def test_launching_with_a_key_is_done_once(api: httpx.Client, store: Store) -> None:
    wanted = {"job": "nightly"}
    first = api.post("/api/v1/runs", json=wanted, headers={"Idempotency-Key": "k1"})
    again = api.post("/api/v1/runs", json=wanted, headers={"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert (first.json()["run"]["id"], again.json()["new"]) == (again.json()["run"]["id"], False)
    other = api.post("/api/v1/runs", json={"job": "doubling"}, headers={"Idempotency-Key": "k1"})
    assert other.status_code == 409
    assert len(store.runs()) == 1


def test_launching_assets_plans_them(api: httpx.Client) -> None:
    wanted = {"selection": "orders", "partitions": "2026-01-02..2026-01-04", "mode": "missing"}
    plan = api.post("/api/v1/assets/plan", json=wanted).json()
    assert plan["make"][0]["partitions"] == ["2026-01-02", "2026-01-03", "2026-01-04"]
    answer = api.post("/api/v1/runs", json=wanted)
    assert (answer.status_code, answer.json()["run"]["kind"]) == (201, "assets")


@pytest.mark.parametrize(
    ("wanted", "status", "told"),
    [
        ({}, 422, "either a job or a selection"),
        ({"job": "nightlly"}, 404, "did you mean 'nightly'"),
        ({"job": "doubling", "params": {"numbers": "x"}}, 422, "no array"),
        ({"job": "doubling", "params": {"day": "yesterday"}}, 422, "no date"),
        ({"job": "doubling", "params": {"nummers": []}}, 422, "did you mean 'numbers'"),
        ({"job": "doubling", "partitions": "2026-01-01"}, 422, "has no partitions"),
        ({"selection": "nothing.like.it"}, 422, "nothing.like.it"),
        ({"selection": "orders", "partitions": "2027-01-01"}, 422, "2027-01-01"),
        ({"selection": "orders", "params": {"a": 1}}, 422, "no parameters"),
        ({"job": 3}, 400, "job"),
        ({"jobb": "nightly"}, 400, "jobb"),
    ],
)
def test_what_cannot_be_launched_is_told(api: httpx.Client, wanted: dict[str, Any], status: int, told: str) -> None:
    answer = api.post("/api/v1/runs", json=wanted)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.text
    assert set(answer.json()) == {"type", "title", "status", "detail", "where", "hint", "errors"}


def test_what_is_asked_of_a_run_is_left_for_its_engine(api: httpx.Client, ran: dict[str, int], store: Store) -> None:
    queued = api.post("/api/v1/runs", json={"job": "nightly"}).json()["run"]["id"]
    assert api.post(f"/api/v1/runs/{queued}/cancel", json={"hard": True}).status_code == 202
    assert api.post(f"/api/v1/runs/{queued}/retry", json={}).status_code == 409
    done = ran["nightly"]
    assert api.post(f"/api/v1/runs/{done}/cancel", json={}).status_code == 409
    assert api.post(f"/api/v1/runs/{done}/retry", json={"tasks": ["nope"]}).status_code == 409
    assert api.post(f"/api/v1/runs/{done}/retry", json={"tasks": ["report"]}).status_code == 202
    assert api.post(f"/api/v1/runs/{done}/answer", json={"task": "q", "value": "yes"}).status_code == 409
    asked = [(one.run_id, one.kind, one.data, one.by) for one in store.requests([queued, done])]
    assert asked == [(queued, "cancel", {"hard": True}, "ada"), (done, "retry", {"tasks": ["report"]}, "ada")]


def test_marks_are_left_for_whoever_has_the_run(api: httpx.Client, ran: dict[str, int], store: Store) -> None:
    done = ran["nightly"]
    queued = api.post("/api/v1/runs", json={"job": "nightly"}).json()["run"]["id"]
    for run, body, status, told in (
        (done, {"state": "succeeded", "tasks": ["nope"]}, 409, "no task run 'nope'"),
        (done, {"state": "succeeded", "tasks": []}, 409, "no task run is named"),
        (done, {"state": "skipped"}, 409, "never skipped"),
        (done, {"state": "failed"}, 409, "has failed already"),
        (queued, {"state": "failed"}, 409, "has not begun"),
        (done, {"state": "cancelled"}, 400, "Invalid enum value"),
        (done, {}, 400, "state"),
        (4711, {"state": "failed"}, 404, "no run 4711"),
    ):
        answer = api.post(f"/api/v1/runs/{run}/mark", json=body)
        assert (answer.status_code, told in answer.text) == (status, True), (body, answer.text)
    said = {"state": "succeeded", "tasks": ["report"], "note": "printed by hand"}
    assert api.post(f"/api/v1/runs/{done}/mark", json=said).json() == {"run": done, "asked": "mark"}
    (request,) = store.requests([done])
    assert (request.kind, request.data, request.by) == ("mark", said, "ada")


def test_there_is_no_such_run(api: httpx.Client) -> None:
    for path in ("4711", "4711/tasks", "4711/graph", "4711/tasks/0/logs", f"{2**63 - 1}"):
        answer = api.get(f"/api/v1/runs/{path}")
        assert (answer.status_code, answer.json()["title"]) == (404, "Not found"), path
    for path in ("0", "-1", "x", f"{2**70}"):
        assert api.get(f"/api/v1/runs/{path}").status_code in (400, 404), path


@pytest.mark.parametrize("cursor", ["x", "%%%", "WyJydW5zIC1pZCIsWyJ4Il1d", "WzFd", "", "WyJydW5zIC1pZCIsWzFlMzBdXQ"])
def test_a_cursor_that_is_none_is_told(api: httpx.Client, cursor: str) -> None:
    answer = api.get("/api/v1/runs", params={"cursor": cursor})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "query.cursor"


def test_logs_are_saved_as_text(api: httpx.Client, ran: dict[str, int]) -> None:
    run = ran["nightly"]
    one = api.get(f"/api/v1/runs/{run}/tasks/1/logs/download")
    assert one.text.endswith("OUT   stdout | \x1b[31mloading\x1b[0m 3\n")
    assert one.headers["content-type"] == "text/plain; charset=utf-8"
    assert one.headers["content-disposition"] == f"attachment; filename*=UTF-8''run-{run}-load-1.log"
    assert one.headers["content-security-policy"].startswith("sandbox")
    whole = api.get(f"/api/v1/runs/{run}/logs/download").text
    assert "==== extract, attempt 1\n" in whole
    assert "extracting" in whole
    assert "==== load" in whole
    assert api.get(f"/api/v1/runs/{run}/logs/download", params={"text": "nothing"}).text == ""
    assert api.get(f"/api/v1/runs/{run}/tasks/77/logs/download").status_code == 404


def test_all_logs_of_a_run_are_searched(api: httpx.Client, ran: dict[str, int]) -> None:
    logs = f"/runs/{ran['nightly']}/logs"
    whole = get(api, logs)
    assert [(one["task"], one["line"]["text"]) for one in whole["items"]] == [
        ("extract", "extracting"),
        ("load", "\x1b[31mloading\x1b[0m 3"),
    ]
    first = get(api, logs, limit=1)
    rest = get(api, logs, cursor=first["next"])
    assert first["items"] + rest["items"] == whole["items"]
    assert [one["task"] for one in get(api, logs, text="LOADING")["items"]] == ["load"]
    assert get(api, logs, level="error")["items"] == []


def test_a_search_of_a_long_log_goes_on_where_it_left_off(tmp_path: Any) -> None:
    from batuta.runtime.log_files import LogSink
    from batuta.server.log_access import LogFilter, scan

    path = str(tmp_path / "long.log")
    sink = LogSink(path)
    for number in range(5_000):
        sink.write_line("INFO", "x", f"line {number}")
    sink.close()
    found, offset, rounds = [], 0, 0
    while True:
        lines, following = scan(path, LogFilter(text="line 4999"), offset, 10, 20_000)
        found += lines
        if following == offset:
            break
        offset, rounds = following, rounds + 1
    assert ([line.text for line in found], rounds > 5) == (["line 4999"], True)
