"""Every list with something in it: it shows what there is, is accessible, and leads to one of its rows."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from batuta.client import Client
from tests.ui.browser import check_accessible
from tests.ui.platform import Served

pytestmark = pytest.mark.timeout(400)  # the first has a lakehouse built

LISTS = {
    "/assets": "gold.settlement",
    "/jobs": "nightly-chain|chain",
    "/runs": "fan-out",
    "/backfills": "gold.settlement",
    "/schedules": "nightly-chain",
    "/sensors": "watcher",
    "/automations": "gold.chargeback_rate",
    "/ticks": "no file has come",
    "/pools": "warehouse",
    "/locations": "drills",
    "/connections": "warehouse",
    "/secrets": "rates_key",
    "/audit": "warehouse",
}


@pytest.fixture
def filled(server: Served, api: Client) -> None:
    """What nothing but people and time bring."""
    with httpx.Client(base_url=f"{server.url}/api/v1", timeout=30) as http:

        def put(path: str, body: dict[str, object]) -> None:
            answer = http.put(path, json=body)
            assert answer.status_code in (200, 201), answer.text

        put("/pools/warehouse", {"slots": 4, "description": "Queries at once"})
        put(
            "/connections/warehouse",
            {"url": "postgresql://etl:hunter2@db.example/shop", "description": "Where gold is"},
        )
        put("/secrets/rates_key", {"value": "hunter2-hunter2", "description": "For the feed of rates"})
        put("/tickers/sensor/drills/watcher/switch", {"enabled": True})
        asked = {"selection": "gold.settlement", "partitions": "2025-01-01..2025-01-02"}
        backfill = http.post("/backfills", json=asked, headers={"idempotency-key": "views"})
        assert backfill.status_code in (200, 201), backfill.text
        for job in ("chain", "fan-out"):
            api.wait(api.launch(job, location="drills").id, timeout_s=60)


def test_every_list_shows_what_there_is(page: Page, filled: None, shot: Callable[..., None]) -> None:
    for path, text in LISTS.items():
        page.goto(path)
        expect(page.get_by_role("row").filter(has_text=re.compile(text)).first).to_be_visible()
        expect(page.get_by_role("status", name=re.compile("^Loading "))).to_have_count(0)
        check_accessible(page)
        shot(page, path.strip("/"))


def test_what_is_no_list_shows_what_there_is(page: Page, shot: Callable[..., None]) -> None:
    for path, text in (("/glossary", "What a merchant is paid"), ("/settings", "Configuration"), ("/alerts", "alert")):
        page.goto(path)
        expect(page.get_by_role("main").get_by_text(text).first).to_be_visible()
        shot(page, path.strip("/"))
