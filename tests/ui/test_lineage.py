"""The lineage: found, followed, filtered, and made from there."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlparse

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from batuta.client import Client
from tests.ui.browser import ALL, check_accessible
from tests.ui.platform import Served

pytestmark = pytest.mark.timeout(400)  # the first has a lakehouse built


def graph(page: Page) -> Locator:
    """The graph, once it is drawn."""
    canvas = page.locator("canvas[data-drawn]").first
    expect(canvas).to_be_visible()
    return page.get_by_role("listbox", name="Lineage")


def panel(page: Page) -> Locator:
    """What is said of what is selected."""
    return page.get_by_role("complementary", name="Selected")


def at(page: Page) -> list[str]:
    """What the URL says is selected."""
    return parse_qs(urlparse(page.url).query).get("at", [])


def test_a_gold_table_is_followed_back_to_its_bronze_sources(page: Page, shot: Callable[..., None]) -> None:
    page.goto("/lineage")
    graph(page)
    check_accessible(page)
    page.get_by_role("searchbox", name=re.compile("^Find")).fill("gold.settlement")
    expect(page.get_by_text("1 asset found")).to_be_visible()
    page.get_by_role("button", name="Select", exact=True).click()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("gold.settlement")
    panel(page).get_by_role("radiogroup", name="Upstream").get_by_text("All").click()
    expect(panel(page).get_by_role("status")).to_contain_text("nodes selected")
    expect(page).to_have_url(re.compile("up=all"))
    check_accessible(page)
    shot(page, "lineage-upstream")
    for _ in range(8):
        name = panel(page).get_by_role("heading", level=2).inner_text()
        if name.startswith("bronze."):
            break
        above = panel(page).locator("section", has_text="Made from").get_by_role("button").first
        above.click()
        expect(panel(page).get_by_role("heading", level=2)).not_to_have_text(name)
    assert at(page)[0].startswith("bronze.")
    page.go_back()
    expect(panel(page).get_by_role("heading", level=2)).not_to_have_text(re.compile("^bronze"))


def test_keys_go_along_the_edges(page: Page) -> None:
    page.goto("/lineage?at=gold.settlement")
    graph(page)
    focused = page.locator("#graph-focused")
    page.get_by_role("button", name="Show in the graph").click()
    graph(page).focus()
    expect(focused).to_have_text(re.compile("^gold.settlement"))
    page.keyboard.press("ArrowLeft")
    expect(focused).not_to_have_text(re.compile("^gold.settlement"))
    above = focused.inner_text().split(",")[0]
    page.keyboard.press("Enter")
    expect(panel(page).get_by_role("heading", level=2)).to_have_text(above)
    assert at(page) == [above]
    page.keyboard.press("Escape")
    expect(panel(page)).to_have_count(0)


def test_a_click_selects_and_what_is_seen_has_a_url(page: Page, shot: Callable[..., None]) -> None:
    page.goto("/lineage?at=gold.settlement")
    graph(page)
    shot(page, "lineage", ALL)
    page.get_by_role("button", name="Show in the graph").click()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(panel(page)).to_have_count(0)
    page.keyboard.press("0")
    page.get_by_role("button", name="List").or_(page.get_by_text("List", exact=True)).first.click()
    expect(page.get_by_role("row", name=re.compile("gold.settlement"))).to_be_visible()
    check_accessible(page)
    page.get_by_role("checkbox", name="Select gold.settlement", exact=True).click()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("gold.settlement")
    page.get_by_text("Graph", exact=True).click()
    page.get_by_role("button", name="Layers").click()
    expect(page).to_have_url(re.compile("lanes=off"))
    page.get_by_role("combobox", name="Group by").click()
    page.get_by_role("option", name="By kind").click()
    expect(page).to_have_url(re.compile("by=kind"))
    page.reload()
    graph(page)
    expect(page.get_by_role("combobox", name="Group by")).to_have_value("By kind")
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("gold.settlement")


def test_filters_narrow_it_and_nonsense_is_explained(page: Page, faults: object) -> None:
    faults.allow("422|400")  # type: ignore[attr-defined]
    page.goto("/lineage")
    graph(page)
    page.get_by_role("button", name="Layer", exact=True).click()
    page.get_by_role("menuitemcheckbox", name="gold").click()
    page.keyboard.press("Escape")
    expect(page.get_by_text(re.compile(r"\d+ assets found"))).to_be_visible()
    page.get_by_role("button", name="Only what was found").click()
    expect(page).to_have_url(re.compile("show=matches"))
    page.get_by_role("searchbox", name=re.compile("^Find")).fill("(")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_selection_is_made_from_here(page: Page, api: Client, shot: Callable[..., None]) -> None:
    page.goto("/lineage?at=silver.payments")
    graph(page)
    page.get_by_role("button", name="Materialize", exact=True).first.click()
    dialog = page.get_by_role("dialog", name="Materialize")
    dialog.get_by_text("Everything").click()
    dialog.get_by_text("From … to").click()
    for end, day in (("From", "2025-01-02"), ("To", "2025-01-03")):
        dialog.get_by_role("combobox", name=end).fill(day)
        page.get_by_role("option", name=day).click()
    expect(dialog.get_by_role("row", name=re.compile("silver.payments"))).to_contain_text("2025-01-02, 2025-01-03")
    check_accessible(page)
    shot(page, "lineage-materialize", ("light",))
    dialog.get_by_role("button", name=re.compile("^Launch")).click()
    expect(page).to_have_url(re.compile(r"/runs/\d+"))
    run = int(page.url.rpartition("/")[2].partition("?")[0])
    assert api.wait(run).state == "succeeded"
    expect(page.get_by_role("heading", level=1).locator("..")).to_contain_text("Succeeded")


def test_what_runs_elsewhere_is_seen_with_its_runs(page: Page, server: Served) -> None:
    revenue = {"namespace": "fintech", "name": "gold.settlement"}
    run = {"runId": "00000000-0000-0000-0000-000000000007"}
    error = {"errorMessage": {"message": "no room", "programmingLanguage": "java"}, "spark_version": {"version": "3.5"}}
    for kind, at, facets in (("START", "2026-01-31T12:00:00Z", {}), ("FAIL", "2026-01-31T12:05:00Z", error)):
        event = {
            "eventTime": at,
            "eventType": kind,
            "producer": "urn:spark",
            "run": {**run, "facets": facets},
            "job": {"namespace": "spark", "name": "export_revenue"},
            "inputs": [revenue],
            "outputs": [{"namespace": "s3://reports", "name": "revenue.csv"}],
        }
        assert httpx.post(f"{server.url}/api/v1/lineage", json=event).status_code == 200
    page.goto("/lineage?at=gold.settlement")
    graph(page)
    panel(page).locator("section", has_text="Read elsewhere by").get_by_role("button", name="export_revenue").click()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("export_revenue")
    runs = panel(page).locator("section", has_text="1 run")
    expect(runs).to_contain_text("Failed")
    runs.get_by_role("button", name=re.compile("Failed")).click()
    expect(runs).to_contain_text("no room")
    check_accessible(page)
    panel(page).get_by_role("button", name="s3://reports/revenue.csv").click()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("revenue.csv")
    expect(panel(page).locator("section", has_text="Written by")).to_contain_text("export_revenue")
    page.get_by_text("List", exact=True).click()
    expect(page.get_by_role("row", name=re.compile("export_revenue"))).to_contain_text("Failed")


def test_it_can_be_used_on_a_phone(phone: Page) -> None:
    phone.goto("/lineage")
    graph(phone)
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    phone.goto("/lineage?at=gold.settlement")
    expect(panel(phone).get_by_role("heading", level=2)).to_have_text("gold.settlement")
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    check_accessible(phone)
