"""Environments over the API: launched into, listed, compared, promoted."""

from __future__ import annotations

import httpx

from batuta.engine.workspace import Workspace
from batuta.store import Store
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
