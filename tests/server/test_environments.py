"""Environments over the API: launched into, listed, compared, promoted."""

from __future__ import annotations

import time

import httpx
import pytest

from batuta.client import Client
from batuta.core.environments import TAG
from batuta.core.errors import RequestError
from batuta.core.plan import decode
from batuta.core.states import RunState
from batuta.engine.workspace import Workspace
from batuta.server.accounts import Accounts
from batuta.store import Store
from batuta.store.accounts import AccountRow
from tests.server.conftest import Serve
from tests.server.test_runs import get


def test_a_run_in_an_environment_is_queued_listed_compared_and_promoted(
    api: httpx.Client, workspace: Workspace, store: Store
) -> None:
    wanted = {"selection": "orders", "partitions": "2026-01-01", "environment": "dev_anna"}
    launched = api.post("/api/v1/runs", json=wanted)
    assert (launched.status_code, launched.json()["run"]["environment"]) == (201, "dev_anna")
    assert [env["name"] for env in get(api, "/environments")["items"]] == ["dev_anna"]
    plan = workspace.assets_in("dev_anna").plan("*").plan
    run = workspace.start_plan(plan, environment="dev_anna")
    run.wait(60)
    assert {row["id"] for row in get(api, "/runs", environment="dev_anna")["items"]} == {
        launched.json()["run"]["id"],
        run.id,
    }
    assert get(api, "/runs", environment="other")["items"] == []
    made = get(api, f"/runs/{run.id}")
    assert ([one["asset"] for one in made["assets"]], made["checks_passed"]) == (["orders", "revenue"], 1)

    found = get(api, "/environments/dev_anna")
    assert (found["environment"]["assets"], found["environment"]["created_by"]) == (2, "ada")
    assert [(one["asset"], one["how"], one["partitions"]) for one in found["differences"]] == [
        ("orders", "new", [f"2026-01-{day:02}" for day in range(1, 11)]),
        ("revenue", "new", [""]),
    ]
    promoted = api.post("/api/v1/environments/dev_anna/promote", json={"selection": "orders"})
    assert promoted.status_code == 201
    queued = promoted.json()["run"]
    assert (queued["job"], queued["environment"], queued["params"]["environment"]) == ("promote", "", "dev_anna")
    row = store.run(queued["id"])
    assert row is not None
    assert row.config["promote"]["environment"] == "dev_anna"
    assert row.config["promote"]["partitions"].keys() == {"orders"}


def test_one_is_dropped_by_a_run_that_forgets_it(api: httpx.Client, workspace: Workspace, store: Store) -> None:
    workspace.start_plan(workspace.assets_in("dev_anna").plan("*").plan, environment="dev_anna").wait(60)
    with Client(str(api.base_url)) as client:
        run = client.drop_environment("dev_anna")
        assert run is not None
        assert (run.job, run.params, run.state) == ("clear", {"environment": "dev_anna"}, "queued")
        assert len(get(api, "/environments/dev_anna")["differences"]) == 2, "until it has ended"
        row = store.run(run.id)
        assert row is not None
        plan = decode(store.plan(row.plan_hash) or b"")
        assert {step.key for step in plan.steps} == {"orders", "revenue"}
        done = workspace.start_plan(plan, config=row.config)
        assert done.wait(60) is RunState.SUCCEEDED
        assert store.environments.all() == []
        (entry,) = store.audit_entries(object_kind="environment", action="drop", limit=10)
        assert (entry.actor, entry.name, entry.data) == ("ada", "dev_anna", {"run": done.id})
        assert store.environments.states("dev_anna") == {}


def test_one_that_is_empty_or_whose_data_are_kept_is_forgotten_at_once(
    api: httpx.Client, workspace: Workspace, store: Store
) -> None:
    store.environments.make("empty", by="ada", now=1.0)
    workspace.start_plan(workspace.assets_in("dev").plan("orders").plan, environment="dev").wait(60)
    with Client(str(api.base_url)) as client:
        going = client.launch(selection="orders", partitions="2026-01-01", tags={TAG: "empty"})
        with pytest.raises(RequestError, match=f"run {going.id} in environment 'empty' has not ended") as caught:
            client.drop_environment("empty")
        assert caught.value.hint == f"wait for it, or stop it: batuta runs cancel {going.id}"
        assert client.drop_environment("dev", keep_data=True) is None
        assert [env["name"] for env in get(api, "/environments")["items"]] == ["empty"]
        with pytest.raises(RequestError, match="no environment 'dev'"):
            client.drop_environment("dev")
        store.environments.make("other", by="ada", now=1.0)
        assert client.drop_environment("other") is None
        with pytest.raises(RequestError, match="nothing to promote"):
            client.promote_environment("empty")


def test_who_may_not_operate_a_location_drops_nothing_of_it(serve: Serve, workspace: Workspace, store: Store) -> None:
    workspace.start_plan(workspace.assets_in("dev").plan("orders").plan, environment="dev").wait(60)
    accounts = Accounts(store, time.time)
    answers = {}
    for name, roles in (("vic", {"*": "viewer"}), ("eve", {"shop": "viewer", "other": "operator"})):
        row = AccountRow(name=name, kind="service", roles=roles)
        store.accounts.put(row, by="test", now=time.time())
        headers = {"Authorization": f"Bearer {accounts.make_token(row, 'test', {}, None, 'test')[1]}"}
        api = serve(accounts)
        for data in ({}, {"keep_data": True}):
            answer = api.post("/api/v1/environments/dev/drop", json=data, headers=headers)
            answers[name, len(data)] = answer.status_code
    assert set(answers.values()) == {403}
    assert [row.name for row in store.environments.all()] == ["dev"]


def test_what_cannot_be_is_told(api: httpx.Client, workspace: Workspace) -> None:
    assert api.post("/api/v1/runs", json={"selection": "orders", "environment": "Prod!"}).status_code == 422
    told = api.post("/api/v1/runs/check", json={"selection": "orders", "environment": "production"})
    assert "cannot be an environment's name" in told.text
    asked = {"selection": "orders", "partitions": "2026-01-01", "environment": "production"}
    assert api.post("/api/v1/backfills", json=asked).status_code == 422
    assert get(api, "/environments")["items"] == []
    assert api.get("/api/v1/environments/nope").status_code == 404
    workspace.store.environments.make("empty", by="ada", now=1.0)
    assert api.post("/api/v1/environments/empty/promote", json={}).status_code == 409


def test_a_backfill_in_an_environment_says_so(api: httpx.Client) -> None:
    asked = {"selection": "orders", "partitions": "2026-01-01..2026-01-03", "environment": "dev"}
    made = api.post("/api/v1/backfills", json=asked).json()
    assert made["environment"] == "dev"
    assert get(api, f"/backfills/{made['id']}")["environment"] == "dev"
    assert [env["name"] for env in get(api, "/environments")["items"]] == ["dev"]
