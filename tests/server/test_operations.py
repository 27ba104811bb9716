"""Home, schedules, pools, settings, audit, health: what people look at and turn."""

from __future__ import annotations

import time

import httpx
import pytest

from batuta.core.asset_triggers import AssetTriggerSpec, OnAsset
from batuta.core.conditions import Missing
from batuta.core.definitions import AssetSpec, Definitions
from batuta.core.schedule_specs import Cron, ScheduleSpec
from batuta.core.sensor_specs import SensorSpec, Webhook
from batuta.core.webhooks import signature
from batuta.engine.workspace import Workspace
from batuta.runtime.project import Project
from batuta.store import Store
from batuta.store.rows import NewTick, ProcessRow, TickerRow
from tests.server.conftest import Serve, save_definitions
from tests.server.test_runs import get


@pytest.fixture
def scheduled(store: Store, serve: Serve, project: Project) -> httpx.Client:
    """A location with two schedules, one of them off."""
    project.make_home()
    hourly = ScheduleSpec(name="hourly", timing=Cron(("0 * * * *",)), job="nightly", description="Each hour.")
    never = ScheduleSpec(
        name="never", timing=Cron(("0 0 * * *",), "Europe/Berlin"), selection="layer:gold", enabled=False
    )
    save_definitions(store, Definitions(location="shop", schedules=(hourly, never)))
    return serve()


def test_home_says_what_runs_what_failed_and_what_comes(api: httpx.Client, workspace: Workspace) -> None:
    workspace.start_job("nightly").wait(30)
    home = get(api, "/home")
    assert (home["last_day"], [run["job"] for run in home["failed"]]) == ({"failed": 1}, ["nightly"])
    assert (home["assets"], home["running"], home["next"]) == ({"missing": 2}, [], [])
    assert [one["name"] for one in home["locations"]] == ["shop"]
    line = get(api, "/timeline")
    assert [(run["job"], run["state"]) for run in line["runs"]] == [("nightly", "failed")]


def test_schedules_are_listed_switched_and_previewed(scheduled: httpx.Client, store: Store) -> None:
    listed = get(scheduled, "/tickers")
    assert [(one["name"], one["enabled"], one["timing"]) for one in listed["items"]] == [
        ("hourly", True, "0 * * * *"),
        ("never", False, "0 0 * * *"),
    ]
    path = "/api/v1/tickers/schedule/shop/never"
    assert scheduled.get(f"{path}/next", params={"count": 3}).json()[0]["selection"] == "layer:gold"
    assert [one["schedule"] for one in get(scheduled, "/next-times", hours=2)] == ["hourly", "hourly"]
    switched = scheduled.put(f"{path}/switch", json={"enabled": True}).json()
    assert (switched["enabled"], switched["switched"], switched["defined"]) == (True, True, False)
    assert [one["name"] for one in get(scheduled, "/tickers", enabled=True)["items"]] == ["hourly", "never"]
    assert not scheduled.put(f"{path}/switch", json={"enabled": None}).json()["switched"]
    assert scheduled.put("/api/v1/tickers/schedule/shop/nope/switch", json={"enabled": True}).status_code == 404
    assert {entry.action for entry in store.audit_entries()} == {"turn on", "reset"}


def test_ticks_tell_why(scheduled: httpx.Client, store: Store) -> None:
    ticker = TickerRow(kind="schedule", location="shop", name="hourly", cursor="7")
    ticks = [
        NewTick(ticker=ticker, at=float(n), ended_at=n + 0.5, outcome="skipped", reason=f"because {n}", data={"n": n})
        for n in range(3)
    ]
    store.record_ticks(ticks, leader=None, now=3.0)
    first = get(scheduled, "/ticks", name="hourly", limit=2)
    assert [tick["reason"] for tick in first["items"]] == ["because 2", "because 1"]
    assert len(get(scheduled, "/ticks", limit=2, cursor=first["next"])["items"]) == 1
    assert get(scheduled, "/ticks", outcome="failed")["items"] == []
    assert get(scheduled, "/tickers/schedule/shop/hourly")["last"]["data"] == {"n": 2}


def test_pools_are_set_and_unset(api: httpx.Client, store: Store) -> None:
    assert get(api, "/pools")["items"] == []
    assert api.put("/api/v1/pools/warehouse", json={"slots": 3}).json() == {"name": "warehouse", "new": True}
    (pool,) = get(api, "/pools")["items"]
    assert (pool["slots"], pool["used"], pool["set_by"]) == (3, 0, "ada")
    assert api.put("/api/v1/pools/warehouse", json={"slots": -1}).status_code == 400
    assert api.delete("/api/v1/pools/warehouse").json() == {"deleted": True}
    assert api.delete("/api/v1/pools/warehouse").json() == {"deleted": False}


def test_the_queue_is_shown_in_its_order(api: httpx.Client) -> None:
    ids = [api.post("/api/v1/runs", json={"job": "nightly"}).json()["run"]["id"] for _ in range(2)]
    queue = get(api, "/queue")
    assert ([one["run"]["id"] for one in queue["items"]], queue["total"]) == (ids, 2)


def test_variables_are_given_back_and_secrets_are_not(api: httpx.Client, store: Store) -> None:
    assert api.put("/api/v1/variables/region", json={"value": {"a": [1]}, "description": "where"}).json()["new"]
    assert not api.put("/api/v1/variables/region", json={"value": "eu"}).json()["new"]
    assert api.put("/api/v1/secrets/token", json={"value": "hunter2-hunter2"}).json()["new"]
    url = "postgresql://etl:hunter2-hunter2@db.example/shop?api_key=hunter2-hunter2"
    assert api.put("/api/v1/connections/warehouse", json={"url": url}).json()["new"]
    (variable,) = get(api, "/variables")["items"]
    assert (variable["value"], variable["description"], variable["changed_by"]) == ("eu", "where", "ada")
    assert [one["name"] for one in get(api, "/secrets")["items"]] == ["token"]
    assert [(one["name"], one["kind"]) for one in get(api, "/connections")["items"]] == [("warehouse", "postgresql")]
    everything = "".join(
        api.get(f"/api/v1/{path}").text for path in ("variables", "secrets", "connections", "audit", "settings", "home")
    )
    assert "hunter2" not in everything
    assert api.put("/api/v1/secrets/region", json={"value": "x"}).status_code == 422
    assert api.put("/api/v1/variables/..%2Fx", json={"value": "x"}).status_code == 422
    assert api.delete("/api/v1/secrets/token").json() == {"deleted": True}


def test_the_audit_log_tells_who_did_what(api: httpx.Client) -> None:
    api.put("/api/v1/variables/region", json={"value": "eu"})
    api.post("/api/v1/runs", json={"job": "nightly"})
    entries = get(api, "/audit")["items"]
    assert [(one["actor"], one["action"], one["kind"]) for one in entries] == [
        ("ada", "launch", "run"),
        ("ada", "set", "variable"),
    ]
    assert len(get(api, "/audit", kind="variable")["items"]) == 1


def test_settings_tell_how_it_is_set_up(api: httpx.Client, store: Store) -> None:
    settings = get(api, "/settings")
    assert (settings["project"], settings["store"]["dialect"], settings["accounts"]) == ("shop", store.dialect, False)


def test_it_is_ready_once_a_scheduler_lives(api: httpx.Client, store: Store) -> None:
    assert api.get("/health").json()["status"] == "ok"
    before = api.get("/ready")
    assert (before.status_code, [check["ok"] for check in before.json()["checks"]]) == (503, [True, True, False])
    now = time.time()
    store.put_process(ProcessRow(id="h:1", kind="scheduler", host="h", pid=1, started_at=now, seen_at=now, info={}))
    assert api.get("/ready").status_code == 200
    (process,) = get(api, "/processes")["items"]
    assert (process["kind"], process["alive"]) == ("scheduler", True)


def test_an_answer_that_has_not_changed_is_not_sent_again(api: httpx.Client) -> None:
    first = api.get("/api/v1/runs")
    again = api.get("/api/v1/runs", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    api.post("/api/v1/runs", json={"job": "nightly"})
    assert api.get("/api/v1/runs", headers={"If-None-Match": first.headers["etag"]}).status_code == 200


@pytest.fixture
def hooked(store: Store, serve: Serve, project: Project) -> httpx.Client:
    """A location with a sensor that takes webhooks, an asset and a job that start by themselves."""
    project.make_home()
    sensor = SensorSpec(name="orders", job="nightly", source=Webhook("hook"), has_function=False)
    asset = AssetSpec(key="gold", step="gold", automation=Missing())
    trigger = AssetTriggerSpec(job="nightly", on=OnAsset("gold"))
    save_definitions(store, Definitions(location="shop", sensors=(sensor,), assets=(asset,), asset_triggers=(trigger,)))
    api = serve()
    api.put("/api/v1/secrets/hook", json={"value": "a-long-shared-secret"})
    return api


def test_a_signed_webhook_is_kept_for_its_sensor(hooked: httpx.Client, store: Store) -> None:
    body, now = b'{"order": 7}', str(time.time())
    signed = {"X-Batuta-Timestamp": now, "X-Batuta-Signature": signature("a-long-shared-secret", now, body)}
    answer = hooked.post("/api/v1/webhooks/shop/orders", content=body, headers=signed)
    assert answer.status_code == 202, answer.text
    (kept,) = store.signals("webhook:shop/orders")
    assert kept.data["body"] == {"order": 7}
    wrong = {**signed, "X-Batuta-Signature": signature("another secret", now, body)}
    for path, headers in (("shop/orders", wrong), ("shop/orders", {}), ("shop/nothing", signed), ("x/orders", signed)):
        refused = hooked.post(f"/api/v1/webhooks/{path}", content=body, headers=headers)
        assert refused.status_code == 401, path
    assert len(store.signals("webhook:shop/orders")) == 1


def test_sensors_and_automations_are_listed_and_switched(hooked: httpx.Client) -> None:
    listed = {(one["kind"], one["name"]): one for one in get(hooked, "/tickers")["items"]}
    assert set(listed) == {("sensor", "orders"), ("automation", "gold"), ("automation", "job:nightly")}
    assert (listed["automation", "gold"]["timing"], listed["sensor", "orders"]["timing"]) == ("missing", "webhook")
    switched = hooked.put("/api/v1/tickers/automation/shop/job:nightly/switch", json={"enabled": False})
    assert (switched.status_code, switched.json()["enabled"]) == (200, False)


def test_a_backfill_is_previewed_launched_and_acted_on(api: httpx.Client) -> None:
    asked = {"selection": "orders", "partitions": "2026-01-01..2026-01-05", "batch": 2, "order": "newest"}
    preview = api.post("/api/v1/backfills/preview", json=asked).json()
    assert (preview["runs"], preview["partitions"]) == (3, 5)
    assert preview["items"][0] == "2026-01-05"
    key = {"Idempotency-Key": "month"}
    made = api.post("/api/v1/backfills", json=asked, headers=key)
    again = api.post("/api/v1/backfills", json=asked, headers=key)
    assert (made.status_code, again.status_code, made.json()["id"]) == (201, 200, again.json()["id"])
    path = f"/api/v1/backfills/{made.json()['id']}"
    assert made.json()["actions"] == ["pause", "cancel", "retry"]
    assert api.post(f"{path}/pause").json()["state"] == "paused"
    assert api.post(f"{path}/pause").status_code == 409
    assert api.post(f"{path}/explode").status_code == 400
    assert api.post(f"{path}/cancel").json()["state"] in ("cancelling", "cancelled")
    (row,) = get(api, "/backfills")["items"]
    assert row["counts"] == {"cancelled": 3}
    first = get(api, f"/backfills/{row['id']}/items", limit=2)
    assert first["items"][0]["label"] == "2026-01-05"
    assert len(get(api, f"/backfills/{row['id']}/items", limit=2, cursor=first["next"])["items"]) == 1
    times = {"job": "doubling", "first": "2026-01-01T00:00:00Z", "last": "2026-01-03T00:00:00Z", "every": "daily"}
    assert api.post("/api/v1/backfills/preview", json=times).json()["runs"] == 3
    assert api.post("/api/v1/backfills", json={"job": "doubling"}).status_code == 422
    assert api.get("/api/v1/backfills/99").status_code == 404
