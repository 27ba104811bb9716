"""What would change, over the API: why, how code differs, what of it may be seen; and the client's word for it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from batuta.client import Client
from batuta.core import definitions as model
from batuta.core.errors import RequestError
from batuta.engine.workspace import Workspace
from batuta.runtime.project import Project, find_project
from batuta.server.accounts import Accounts
from batuta.store import Store
from batuta.store.accounts import AccountRow
from tests.server.conftest import CODE, CONFIG, Serve, save_definitions
from tests.server.test_runs import get

OTHER = CODE.replace("sum(sum(day) for day in orders.values())", "max(sum(day) for day in orders.values())")


@pytest.fixture
def changed(project: Project, store: Store, workspace: Workspace) -> Path:
    """All assets were made, and then the code of one is another."""
    workspace.start_plan(workspace.assets.plan("*").plan).wait(60)
    root = Path(project.root)
    path = root / "shop_later.py"  # a module is imported once
    path.write_text(OTHER)
    (root / "batuta.toml").write_text(CONFIG.replace("shop.py", path.name))
    with Workspace(find_project(str(root)), "", executor="threads", store=store) as opened:
        save_definitions(store, opened.definitions)
    return path


def asked(api: httpx.Client, **wanted: Any) -> Any:
    answer = api.post("/api/v1/assets/changes", json=wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_was_never_made_would_be_added(api: httpx.Client) -> None:
    found = asked(api, selection="orders", partitions="2026-01-01..2026-01-03")
    (orders,) = found["assets"]
    assert (orders["asset"], orders["how"], len(orders["partitions"]), orders["partitions_total"]) == (
        "orders",
        "added",
        3,
        10,
    )
    assert (orders["reasons"], found["task_runs"], found["breaking"]) == (
        [{"reason": "never made", "partitions": 3}],
        3,
        [],
    )
    assert get(api, "/runs")["items"] == [], "nothing is started"


def test_how_code_differs_from_that_which_made_it(api: httpx.Client, changed: Path) -> None:
    found = asked(api)
    (revenue,) = found["assets"]
    assert (revenue["asset"], revenue["how"], found["fresh"]) == ("revenue", "changed", ["orders"])
    (diff,) = revenue["diff"]
    assert [line for line in diff["lines"] if line[0] in "+-"] == [
        "-    return sum(sum(day) for day in orders.values())",
        "+    return max(sum(day) for day in orders.values())",
    ]
    (without,) = asked(api, diffs=False)["assets"]
    assert (without["diff"], without["how"]) == ([], "changed")
    there = asked(api, environment="dev_anna")
    assert (there["environment"], there["assets"][0]["how"]) == ("dev_anna", "changed")


def test_code_is_that_of_the_version_that_serves(api: httpx.Client, store: Store, changed: Path) -> None:
    text = changed.read_text()
    changed.write_text("def half_written(")
    (revenue,) = asked(api)["assets"]
    assert (revenue["diff"], revenue["note"]) == ([], "its file cannot be read here")
    (entry,) = store.reports.definition_heads()
    store.sources.keep("shop", entry[1], {str(changed): text}, now=time.time())
    (revenue,) = asked(api)["assets"]
    assert "+    return max(sum(day) for day in orders.values())" in revenue["diff"][0]["lines"]


def test_what_is_gone_is_told(api: httpx.Client, store: Store, changed: Path) -> None:
    found = store.definitions_at("shop")
    assert found is not None
    whole = model.decode(found.data)
    left = dict.fromkeys(("checks", "jobs"), ())
    left |= {
        name: tuple(one for one in getattr(whole, name) if one.key == "orders") for name in ("assets", "asset_steps")
    }
    save_definitions(store, msgspec.structs.replace(whole, **left))
    assert asked(api)["removed"] == ["revenue"]


@pytest.mark.parametrize(
    ("wanted", "status", "told"),
    [
        ({"selection": "ordrs"}, 422, "orders"),
        ({"selection": "orders", "partitions": "2020-01-01"}, 422, "2020-01-01"),
        ({"environment": "Prod!"}, 422, "environment"),
        ({"selection": ""}, 400, "selection"),
        ({"mode": "all"}, 400, "mode"),
    ],
)
def test_what_cannot_be_asked(api: httpx.Client, wanted: dict[str, Any], status: int, told: str) -> None:
    answer = api.post("/api/v1/assets/changes", json=wanted)
    assert (answer.status_code, told in answer.text) == (status, True), answer.text


def test_of_hidden_locations_nothing_is_told(serve: Serve, store: Store, changed: Path) -> None:
    accounts = Accounts(store, time.time)
    headers = {}
    for name, roles in (("vic", {"shop": "viewer"}), ("eve", {"elsewhere": "viewer"})):
        row = AccountRow(name=name, kind="service", roles=roles)
        store.accounts.put(row, by="test", now=time.time())
        headers[name] = {"Authorization": f"Bearer {accounts.make_token(row, 'test', {}, None, 'test')[1]}"}
    api = serve(accounts)
    assert api.post("/api/v1/assets/changes", json={}).status_code == 401
    seen = api.post("/api/v1/assets/changes", json={}, headers=headers["vic"]).json()
    assert [one["asset"] for one in seen["assets"]] == ["revenue"]
    hidden = api.post("/api/v1/assets/changes", json={}, headers=headers["eve"]).json()
    assert (hidden["assets"], hidden["selected"], hidden["fresh"]) == ([], [], [])


def test_the_client_tells_it(api: httpx.Client, changed: Path) -> None:
    with Client(str(api.base_url)) as client:
        found = client.changes("revenue", environment="dev_anna")
        assert [(one.asset, one.how, one.partitions) for one in found.assets] == [("revenue", "changed", None)]
        assert found.assets[0].diff[0]["name"] == "revenue"
        with pytest.raises(RequestError, match="ordrs"):
            client.changes("ordrs")
