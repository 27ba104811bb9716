"""News as they happen: none left out, from where a listener has stopped, of what it asks for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from batuta.engine.workspace import Workspace
from batuta.server.changes import TOPICS
from batuta.store import Store
from tests.server.test_runs import get


def messages(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """The messages of a stream: id, event, data."""
    found: dict[str, Any] = {}
    for line in answer.iter_lines():
        if not line:
            if "data" in found:
                yield found
            found = {}
        else:
            name, _, value = line.partition(": ")
            found[name] = msgspec.json.decode(value) if name == "data" else value


def listen(api: httpx.Client, path: str, count: int, **more: Any) -> list[dict[str, Any]]:
    """So many messages, or all until the end."""
    found = []
    with api.stream("GET", f"/api/v1{path}", **more) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        for message in messages(answer):
            found.append(message)
            if len(found) == count:
                break
    return found


def test_a_listener_hears_what_happens(api: httpx.Client, workspace: Workspace, store: Store) -> None:
    heard: list[dict[str, Any]] = []

    def start_when_listening() -> None:
        workspace.start_job("doubling").wait(30)

    with api.stream("GET", "/api/v1/events", params={"job": "doubling"}) as answer:
        stream = messages(answer)
        threading.Thread(target=start_when_listening, daemon=True).start()
        for message in stream:
            heard.append(message)
            if message["data"]["kind"] == "run_finished":
                break
    kinds = [message["data"]["kind"] for message in heard]
    assert (kinds[0], kinds[-1]) == ("run_started", "run_finished")
    assert {message["data"]["job"] for message in heard} == {"doubling"}
    assert [int(message["id"]) for message in heard] == [event.id for event in store.events(heard[0]["data"]["run"])]


def test_a_listener_that_returns_hears_what_it_missed(api: httpx.Client, workspace: Workspace, store: Store) -> None:
    workspace.start_job("nightly").wait(30)
    ids = [event.id for event in store.events_since(0)]
    first = listen(api, "/events", 2, params={"after": 0})
    assert [int(message["id"]) for message in first] == ids[:2]
    rest = listen(api, "/events", len(ids) - 2, headers={"Last-Event-ID": first[-1]["id"]})
    assert [int(message["id"]) for message in rest] == ids[2:]


def test_a_listener_hears_only_what_it_asks_for(api: httpx.Client, workspace: Workspace) -> None:
    runs = [workspace.start_job("nightly") for _ in range(2)]
    for run in runs:
        run.wait(30)
    heard = listen(api, "/events", 1, params={"after": 0, "run": runs[1].id, "kind": "run_finished"})
    assert [message["data"]["run"] for message in heard] == [runs[1].id]


@pytest.mark.parametrize("last", ["x", "-1", "1" * 30, "1.5", "1.2.x"])
def test_an_id_that_is_none_is_told(api: httpx.Client, last: str) -> None:
    assert api.get("/api/v1/events", headers={"Last-Event-ID": last}).status_code == 400


def changed(answer: httpx.Response) -> Iterator[tuple[set[str], str]]:
    """What a stream says has changed, and where it is then."""
    for message in messages(answer):
        if message["event"] == "changed":
            yield set(message["data"]["topics"]), message["id"]


def until(told: Iterator[tuple[set[str], str]], topic: str) -> str:
    """Hear of that topic; the id of the message that said it."""
    return next(place for topics, place in told if topic in topics)


def put(api: httpx.Client, path: str, body: dict[str, Any]) -> None:
    assert api.put(f"/api/v1{path}", json=body).status_code in (200, 201)


def test_a_listener_hears_which_lists_have_changed(api: httpx.Client, workspace: Workspace, store: Store) -> None:
    with api.stream("GET", "/api/v1/events", params={"changes": "only"}) as answer:
        told = changed(answer)
        put(api, "/variables/region", {"value": "north"})
        until(told, "variables")
        put(api, "/pools/database", {"slots": 3})
        until(told, "pools")
        workspace.start_job("doubling").wait(30)
        until(told, "runs")
        store.save_definitions("elsewhere", "1", b"", [], now=5.0)
        until(told, "locations")


def test_who_returns_hears_what_has_changed_meanwhile_and_nothing_else(api: httpx.Client, workspace: Workspace) -> None:
    put(api, "/variables/region", {"value": "north"})
    with api.stream("GET", "/api/v1/events", params={"changes": "only", "after": "0"}) as answer:
        topics, place = next(changed(answer))
    assert topics == set(TOPICS)
    put(api, "/pools/database", {"slots": 3})
    with api.stream("GET", "/api/v1/events?changes=only", headers={"Last-Event-ID": place}) as answer:
        topics, place = next(changed(answer))
    assert topics == {"pools", "audit"}
    workspace.start_job("doubling").wait(30)
    with api.stream("GET", "/api/v1/events", params={"changes": "also", "after": place}) as answer:
        stream = messages(answer)
        first = next(stream)
        event = next(message for message in stream if message["event"] == "run")
    assert (first["event"], first["data"]["topics"]) == ("changed", ["audit", "runs"])
    assert event["data"]["kind"] == "run_started"
    assert event["id"].partition(".")[0] == str(event["data"]["id"])


def test_a_log_is_followed_to_its_end(api: httpx.Client, workspace: Workspace) -> None:
    run = workspace.start_job("nightly")
    run.wait(30)
    path = f"/runs/{run.id}/tasks/1/logs"
    lines = listen(api, f"{path}/stream", -1)
    assert [message["event"] for message in lines] == ["line", "end"]
    assert lines[0]["data"]["text"] == "\x1b[31mloading\x1b[0m 3"
    again = listen(api, f"{path}/stream", -1, headers={"Last-Event-ID": lines[0]["id"]})
    assert [message["event"] for message in again] == ["end"]
    assert get(api, path)["next"] == int(lines[0]["id"])


def test_listeners_do_not_keep_a_server_from_stopping(api: httpx.Client) -> None:
    """The fixture stops it while this stream is open."""
    stream = api.stream("GET", "/api/v1/events")
    answer = stream.__enter__()
    assert answer.status_code == 200
