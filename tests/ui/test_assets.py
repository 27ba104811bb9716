"""An asset from all sides: why it is stale, partitions, rows, columns, checks, numbers over time, automation, code."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from batuta.client import Client
from tests.ui.browser import ALL, Faults, check_accessible
from tests.ui.test_jobs import tab

pytestmark = pytest.mark.timeout(400)  # the first has a lakehouse built


def test_an_asset_is_looked_at_from_all_sides(page: Page, shot: Callable[..., None]) -> None:
    page.goto("/assets?text=settlement&layer=gold")
    page.get_by_role("link", name="gold.settlement", exact=True).click()
    why = page.locator("section").filter(has=page.get_by_role("heading", name=re.compile("^Why it is ")))
    expect(why.get_by_role("listitem").first).to_contain_text("partition")
    expect(page.get_by_role("link", name="silver.payments").first).to_be_visible()
    check_accessible(page)
    shot(page, "asset", ALL)
    tab(page, "Partitions")
    expect(page.get_by_role("img", name=re.compile("^Partitions"))).to_be_visible()
    page.get_by_role("searchbox", name="Search partitions").fill("2025-01-0")
    expect(page.get_by_role("row", name=re.compile("^2025-01-07"))).to_be_visible()
    check_accessible(page)
    shot(page, "asset-partitions")
    tab(page, "Columns")
    expect(page.get_by_role("row", name=re.compile("merchant_id"))).to_contain_text("string")
    check_accessible(page)
    tab(page, "Checks")
    check = page.get_by_role("button", name=re.compile("balances"))
    expect(check).to_contain_text("Passed")
    check.click()
    expect(page.get_by_role("table", name="Verdicts of balances").get_by_role("row")).not_to_have_count(1)
    check_accessible(page)
    tab(page, "History")
    expect(page.get_by_role("heading", name="rows")).to_be_visible()
    expect(page.locator("canvas").first).to_be_visible()
    expect(page.get_by_role("table", name="Materializations")).to_contain_text("2025-01-07")
    check_accessible(page)
    shot(page, "asset-history")
    tab(page, "Automation")
    expect(page.get_by_role("heading", name="As things stand now")).to_be_visible()
    expect(page.get_by_role("list", name="Condition").first).to_contain_text("upstream")
    expect(page.get_by_role("switch", name="Automated")).not_to_be_checked()
    check_accessible(page)
    tab(page, "Code")
    expect(page.get_by_role("region", name="Code (python)")).to_contain_text('"gold.settlement"')


def test_rows_are_read_when_somebody_asks(page: Page, faults: Faults, shot: Callable[..., None]) -> None:
    page.goto("/assets/gold.settlement?tab=rows")
    expect(page.get_by_text("No rows were reported")).to_be_visible()
    page.get_by_role("button", name="Read rows").click()
    rows = page.get_by_role("region", name="Rows").get_by_role("table")
    expect(rows).to_contain_text("merchant_id")
    expect(rows.get_by_role("row")).not_to_have_count(1)
    expect(page.get_by_text("as they are where it is kept")).to_be_visible()
    check_accessible(page)
    shot(page, "asset-rows")
    page.get_by_role("textbox", name="Partition").fill("2025-01-02")
    expect(page).to_have_url(re.compile("partition=2025-01-02.*read=yes|read=yes.*partition=2025-01-02"))
    expect(rows.get_by_role("row").nth(1)).to_contain_text("2025-01-02")


def test_a_table_is_seen_as_a_run_left_it(page: Page, api: Client) -> None:
    runs = [api.wait(api.launch(selection="counted").id, timeout_s=90) for _ in range(2)]
    assert [run.state for run in runs] == ["succeeded", "succeeded"]
    page.goto("/assets/counted?tab=history")
    table = page.get_by_role("table", name="Versions of counted")
    row = table.get_by_role("row").filter(has_text=f"#{runs[0].id}")
    check_accessible(page)
    row.get_by_role("link", name=re.compile("^Rows of version")).click()
    expect(page.get_by_text("of its table, as it was then")).to_be_visible()
    rows = page.get_by_role("region", name="Rows").locator("tbody tr")
    expect(rows).to_have_count(3)
    then = rows.first.inner_text()
    page.get_by_role("button", name="As it is now").click()
    expect(rows.first).not_to_have_text(then)
