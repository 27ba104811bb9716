"""Every list is searched, sorted and paged by the server, in one and the same way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from batuta.core.backfills import Backfill, Item
from batuta.core.definitions import Definitions
from batuta.runtime.project import Project
from batuta.server import paging
from batuta.store import Store
from batuta.store.accounts import AccountRow, TokenRow
from batuta.store.alert_box import AlertRow, Told
from batuta.store.rows import NewTick, ProcessRow, TickerRow
from tests.server.conftest import Serve, save_definitions
from tests.server.test_runs import get

NAMES = ("amber", "Birch_1", "birchX1")
"""What is in each list, by age: `birch_` is found in the second alone, as `_` stands for itself."""


@pytest.fixture
def filled(store: Store, serve: Serve, project: Project) -> httpx.Client:
    """Three of everything that is listed."""
    project.make_home()
    api = serve()
    memory = TickerRow(kind="alerts", location="", name="", cursor="")
    for number, name in enumerate(NAMES):
        at = 100.0 + number
        for what, value in (
            (f"variables/{name}", {"value": number}),
            (f"secrets/{name}-secret", {"value": "hunter2-hunter2"}),
            (f"connections/{name}", {"url": f"postgresql://h/{name}"}),
            (f"pools/{name}", {"slots": 1}),
        ):
            assert api.put(f"/api/v1/{what}", json=value).status_code == 200
        save_definitions(store, Definitions(location=name))
        store.accounts.put(AccountRow(name=name, kind="user", password="x", roles={"*": "admin"}), by="ada", now=at)
        token = TokenRow(hash=name, account="amber", title=name, roles={}, created_at=at, created_by="ada")
        store.accounts.put_token(token, now=at)
        spec = Backfill(selection=name, location=name, partitions="all")
        store.backfills.create(spec, [Item(name, (name,))], by="ada", now=at)
        ticker = TickerRow(kind="schedule", location=name, name="hourly", cursor="")
        tick = NewTick(ticker=ticker, at=at, ended_at=at, outcome="skipped", reason=f"{name} is not due")
        store.record_ticks([tick], leader=None, now=at)
        over = at if number else None
        words: dict[str, Any] = {"rule": "x", "key": "x", "kind": "late", "severity": "error", "body": "x"}
        times: dict[str, Any] = {"at": at, "last_at": at, "resolved_at": over}
        alert = AlertRow(**words, title=name, data={}, count=1, **times)
        store.alerts.record([Told(alert)], memory, lead=None)
    return api


LISTS = {
    "variables": ("name", "name"),
    "secrets": ("name", "name"),
    "connections": ("name", "name"),
    "pools": ("name", "name"),
    "locations": ("name", "name"),
    "accounts": ("name", "name"),
    "tokens?account=*": ("title", "created"),
    "backfills": ("selection", "id"),
    "ticks": ("location", "id"),
    "alerts": ("title", "id"),
}
"""Path: the field that has the name, and the order in which they are as above."""


def test_every_list_is_searched_sorted_and_paged(filled: httpx.Client) -> None:
    for path, (field, order) in LISTS.items():
        ask = httpx.URL(f"/api/v1/{path}")

        def names(ask: httpx.URL = ask, field: str = field, **query: Any) -> tuple[list[str], str | None]:
            answer = filled.get(ask.copy_merge_params(query))
            assert answer.status_code == 200, (ask, answer.text)
            page = answer.json()
            return [item[field].removesuffix("-secret") for item in page["items"]], page["next"]

        ways = sorted(NAMES) if order == "name" else [*NAMES]
        assert names(sort=order) == (ways, None), path
        assert names(sort=f"-{order}") == (ways[::-1], None), path
        assert names(text="BIRCH_") == (["Birch_1"], None), path
        assert names(text="nowhere") == ([], None), path
        seen, cursor = names(sort=order, limit=2)
        assert cursor is not None, path
        assert (seen + names(sort=order, limit=2, cursor=cursor)[0]) == ways, path
        assert filled.get(ask.copy_merge_params({"sort": "shape"})).status_code == 400, path


def test_what_is_listed_is_filtered(filled: httpx.Client, store: Store) -> None:
    def count(path: str, **query: object) -> int:
        return len(get(filled, path, **query)["items"])

    assert [count("/alerts", open=one) for one in ("true", "false")] == [1, 2]
    assert count("/alerts", severity=["error", "info"], kind="late", rule="x") == 3
    assert count("/ticks", outcome=["skipped", "failed"], kind="schedule", location="amber") == 1
    assert count("/ticks", kind="schedule", location="amber", name="hourly") == 1
    assert count("/ticks", outcome="launched") == 0
    assert count("/backfills", state=["running", "paused"], location=["amber", "birchX1"]) == 2
    assert count("/backfills/1/items", text="AMB") == count("/backfills/1/items") == 1
    assert count("/backfills/1/items", text="birch") == 0
    assert count("/connections", kind="postgresql") == 3
    assert count("/connections", kind="http") == 0
    assert count("/accounts", kind="service") == 0
    assert [count("/locations", failing=one) for one in ("true", "false")] == [0, 3]
    assert count("/audit", text="birchx", kind="pool") == 1
    assert get(filled, "/audit", sort="id")["items"][0]["id"] == 1
    now = 1e9
    store.put_process(ProcessRow(id="h:1", kind="up", host="etl-1", pid=1, started_at=now, seen_at=now, info={}))
    assert count("/processes", kind="up", alive="true", text="ETL") == 0, "seen long ago"
    assert count("/artifacts", sort="id") == 0


@pytest.mark.parametrize("sort", ["id", "-id"])
def test_where_much_is_looked_through_a_page_ends_early_and_the_next_goes_on(
    filled: httpx.Client, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    monkeypatch.setattr(paging, "STRETCH", 2)
    monkeypatch.setattr(paging, "LOOKING_S", -1.0)
    everything = [entry["id"] for entry in _walk(filled, sort)]
    assert len(everything) > 20
    assert everything == sorted(everything, reverse=sort == "-id")
    wanted = [entry["id"] for entry in _walk(filled, sort, text="birchx")]
    assert wanted == [entry["id"] for entry in _walk(filled, sort) if "birchX1" in str(entry)]
    assert list(_walk(filled, sort, text="nowhere")) == []


def _walk(api: httpx.Client, sort: str, **query: object) -> Iterator[dict[str, Any]]:
    """All entries of the audit log, page by page, none of which is full."""
    cursor: dict[str, str] = {}
    while True:
        page = get(api, "/audit", sort=sort, **query, **cursor)
        assert len(page["items"]) <= 2
        yield from page["items"]
        if page["next"] is None:
            return
        cursor = {"cursor": page["next"]}
