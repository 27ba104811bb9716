"""What stands around every page: navigation, palette, keys, schemes, news, the connection."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from batuta.client import Client
from tests.ui.browser import PHONE, WIDE, Faults, check_accessible
from tests.ui.platform import Served, served

pytestmark = pytest.mark.timeout(400)  # the first has a lakehouse built

PAGES = {
    "/": "Home",
    "/lineage": "Lineage",
    "/assets": "Catalog",
    "/checks": "Checks",
    "/glossary": "Glossary",
    "/jobs": "Jobs",
    "/runs": "Runs",
    "/backfills": "Backfills",
    "/schedules": "Schedules",
    "/sensors": "Sensors",
    "/automations": "Automations",
    "/ticks": "Ticks",
    "/pools": "Pools & queue",
    "/alerts": "Alerts",
    "/locations": "Locations",
    "/variables": "Variables",
    "/connections": "Connections",
    "/secrets": "Secrets",
    "/tokens": "API tokens",
    "/accounts": "Accounts",
    "/audit": "Audit log",
    "/settings": "Settings",
}


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(WIDE, "light"), (WIDE, "dark"), (PHONE, "light")], ids=["light", "dark", "phone"]
)
def test_every_page_opens_and_is_accessible(
    opened: Callable[..., Page], server: Served, viewport: dict[str, int], scheme: str
) -> None:
    page = opened(server.url, viewport=viewport, color_scheme=scheme)
    page.goto("/")
    for path, title in PAGES.items():
        if viewport is PHONE:
            page.get_by_role("button", name="Open the navigation").click()
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=title, exact=True).click()
        expect(page.get_by_role("heading", level=1, name=title, exact=True)).to_be_visible()
        expect(page.get_by_role("status", name=re.compile("^Loading "))).to_have_count(0)
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert page.url == server.url + path
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} is too wide"
        check_accessible(page)


def test_anything_is_found_by_its_name(page: Page) -> None:
    page.goto("/runs")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("settlem")
    found = page.get_by_role("option", name=re.compile("^gold.settlement What"))
    expect(found).to_be_visible()
    check_accessible(page)
    page.get_by_role("combobox").fill("gold.settlement")
    expect(found).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/assets/gold.settlement$"))
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("toggle theme")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")


def test_keys_lead_everywhere(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.type("gr")
    expect(page).to_have_url(re.compile("/runs$"))
    expect(page.get_by_role("heading", level=1, name="Runs")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search runs")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_contain_text("Find anything, do anything")
    check_accessible(page)
    page.keyboard.press("Escape")
    expect(keys).to_have_count(0)


def test_the_scheme_is_kept(page: Page) -> None:
    page.goto("/settings")
    html = page.locator("html")
    expect(html).to_have_attribute("data-mantine-color-scheme", "light")
    page.get_by_role("button", name="Switch to the dark scheme").click()
    expect(html).to_have_attribute("data-mantine-color-scheme", "dark")
    page.reload()
    expect(html).to_have_attribute("data-mantine-color-scheme", "dark")
    page.get_by_text("As the system").click()
    expect(html).to_have_attribute("data-mantine-color-scheme", "light")
    page.emulate_media(color_scheme="dark")
    expect(html).to_have_attribute("data-mantine-color-scheme", "dark")


def test_news_show_by_themselves(page: Page, api: Client) -> None:
    page.goto("/runs?job=fan-out")
    expect(page.get_by_role("heading", level=1, name="Runs")).to_be_visible()
    run = api.launch("fan-out", {"count": 3}, location="drills")
    row = page.get_by_role("row", name=re.compile(f"#{run.id}"))
    expect(row).to_contain_text("Succeeded")


def test_a_lost_connection_is_said(opened: Callable[..., Page], faults: Faults, tmp_path: Path) -> None:
    faults.allow("ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET")
    (tmp_path / "batuta.toml").write_text('name = "empty"\n')
    with served(tmp_path, "server") as server:
        page = opened(server.url)
        page.goto("/runs")
        expect(page.get_by_role("status", name=re.compile("^Live"))).to_be_visible()
        expect(page.get_by_text("Nothing has run yet")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    with served(tmp_path, "server", port=int(server.url.rpartition(":")[2])):
        expect(page.get_by_role("status", name=re.compile("^Live"))).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)


def test_what_is_not_there_is_said(page: Page, faults: Faults) -> None:
    page.goto("/nowhere/at/all")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    faults.allow("404")
    page.goto("/runs/987654")
    expect(page.get_by_role("alert")).to_contain_text("There is no run 987654")


def test_filters_have_a_url(page: Page) -> None:
    page.goto("/assets")
    page.get_by_role("button", name="Layer", exact=True).first.click()
    page.get_by_role("menuitemcheckbox", name="gold").click()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"/assets\?layer=gold$"))
    expect(page.get_by_role("row")).not_to_have_count(0)
    expect(page.get_by_role("row", name=re.compile("bronze"))).to_have_count(0)
    page.reload()
    expect(page.get_by_role("button", name="Layer: gold")).to_be_visible()
    page.get_by_role("row", name=re.compile("gold.settlement")).click()
    expect(page).to_have_url(re.compile("/assets/gold.settlement$"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"/assets\?layer=gold$"))
