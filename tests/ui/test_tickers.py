"""What starts runs: turned on and off, with what it says why it did nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from batuta.client import Client
from tests.ui.browser import check_accessible

pytestmark = pytest.mark.timeout(400)  # the first has a lakehouse built


def test_a_sensor_is_turned_on_tells_why_and_is_turned_off(page: Page, shot: Callable[..., None]) -> None:
    page.goto("/sensors?text=watch")
    row = page.get_by_role("row", name=re.compile("watcher"))
    row.get_by_role("switch").press("Space")
    expect(page.get_by_text("watcher is switched on")).to_be_visible()
    row.get_by_role("link", name="watcher").click()
    ticks = page.get_by_role("table", name="Ticks of watcher")
    expect(ticks.get_by_role("row", name=re.compile("no file has come")).first).to_contain_text("Skipped")
    check_accessible(page)
    shot(page, "sensor")
    page.get_by_role("switch", name="Sensor watcher").press("Space")
    expect(page.get_by_text("watcher is switched off")).to_be_visible()
    page.goto("/ticks?outcome=skipped")
    page.get_by_role("searchbox", name="Search ticks").fill("NO FILE")
    expect(page.get_by_role("row", name=re.compile("no file has come")).first).to_contain_text("watcher")
    page.get_by_role("searchbox", name="Search ticks").fill("no such reason")
    expect(page.get_by_text("No ticks", exact=False).first).to_be_visible()
    check_accessible(page)


def test_a_schedule_says_when_it_comes_and_is_turned_on_and_off(page: Page, shot: Callable[..., None]) -> None:
    page.goto("/schedules/drills/nightly-chain")
    expect(page.get_by_text("0 3 * * * Europe/Berlin")).to_be_visible()
    times = page.locator("section").filter(has=page.get_by_role("heading", name="Next times")).get_by_role("listitem")
    expect(times).to_have_count(8)
    expect(times.first).to_contain_text("03:00")
    switch = page.get_by_role("switch", name="Schedule nightly-chain")
    switch.press("Space")
    expect(page.get_by_text("nightly-chain is switched on")).to_be_visible()
    expect(page.locator("article > header [data-state]").first).to_have_text("On")
    check_accessible(page)
    shot(page, "schedule")
    page.get_by_role("button", name="As defined: off").click()
    expect(page.locator("article > header [data-state]").first).to_have_text("Off")


def test_a_page_hears_what_others_do(page: Page, api: Client) -> None:
    """Nothing of this is asked for again within the time that the test waits, but for the news of it."""
    page.goto("/schedules?text=nightly-chain")
    row = page.get_by_role("row", name=re.compile("nightly-chain"))
    expect(row.get_by_role("switch", name=re.compile("is off"))).to_be_visible()
    expect(page.get_by_label("Live", exact=False).first).to_be_visible()
    api._ask("PUT", "/tickers/schedule/drills/nightly-chain/switch", {"enabled": True})
    expect(row.get_by_role("switch", name=re.compile("is on"))).to_be_visible()
    api._ask("PUT", "/tickers/schedule/drills/nightly-chain/switch", {"enabled": None})
    expect(row.get_by_role("switch", name=re.compile("is off"))).to_be_visible()


def test_an_automation_is_turned_on_and_off(page: Page) -> None:
    page.goto("/automations?text=chargeback")
    row = page.get_by_role("row", name=re.compile("gold.chargeback_rate"))
    row.get_by_role("switch", name=re.compile("is off")).press("Space")
    expect(page.get_by_text(re.compile("gold.chargeback_rate.* is switched on"))).to_be_visible()
    row.get_by_role("link", name=re.compile("gold.chargeback_rate")).first.click()
    switch = page.get_by_role("switch", name=re.compile("^Automation "))
    expect(switch).to_be_checked()
    check_accessible(page)
    switch.press("Space")
    expect(page.get_by_text(re.compile("gold.chargeback_rate.* is switched off"))).to_be_visible()
    expect(switch).not_to_be_checked()


def test_an_automation_says_what_its_condition_waits_for(page: Page, shot: Callable[..., None]) -> None:
    page.goto("/automations?text=chargeback")
    row = page.get_by_role("row", name=re.compile("gold.chargeback_rate"))
    expect(row.get_by_role("switch", name=re.compile("is off"))).to_be_visible()
    page.goto("/assets/gold.chargeback_rate?tab=automation")
    expect(page.get_by_text("it is time").first).to_be_visible()
    expect(page.get_by_text("there is a day").first).to_be_visible()
    check_accessible(page)
    shot(page, "automation")
