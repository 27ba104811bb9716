"""Jobs: launched by a form that says what is wrong, looked at in all their tabs; a month made by a backfill."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from batuta.client import Client
from tests.ui.browser import Faults, check_accessible

pytestmark = pytest.mark.timeout(400)  # the first has a lakehouse built


def tab(page: Page, name: str) -> None:
    """Go to a part of the page."""
    page.get_by_role("tab", name=re.compile(f"^{name}")).click()


def test_a_launch_form_says_what_is_wrong_and_then_launches(
    page: Page, faults: Faults, shot: Callable[..., None]
) -> None:
    faults.allow("422")
    page.goto("/jobs?text=parameters")
    page.get_by_role("link", name="parameters", exact=True).click()
    page.get_by_role("button", name="Launch", exact=True).click()
    form = page.get_by_role("dialog", name="Launch parameters")
    form.get_by_role("textbox", name="names").fill("[1, 2]")
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(form.get_by_label("day")).to_have_attribute("aria-invalid", "true")
    expect(form).to_contain_text("this is needed")
    check_accessible(page)
    form.get_by_label("day").fill("2026-01-31")
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("1 is no string")
    shot(page, "job-launch")
    form.get_by_role("textbox", name="names").fill('["ada"]')
    form.get_by_role("textbox", name="limit").fill("3")
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(page).to_have_url(re.compile(r"/runs/\d+$"))
    expect(page.get_by_text("2026-01-31 small 3 ['ada'] True").first).to_be_visible()


def test_a_job_is_looked_at_from_all_sides(page: Page, api: Client, project: Path, shot: Callable[..., None]) -> None:
    run = api.wait(api.launch("chain", location="drills").id)
    page.goto("/jobs/chain")
    expect(page.get_by_role("heading", level=1, name="chain")).to_be_visible()
    expect(page.get_by_text("Three tasks, one after the other.")).to_be_visible()
    check_accessible(page)
    tab(page, "Grid")
    expect(page.locator("article")).to_contain_text("load")
    expect(page.locator(f'a[href^="/runs/{run.id}"]').first).to_be_visible()
    check_accessible(page)
    shot(page, "job-grid")
    tab(page, "Graph")
    expect(page.locator("canvas[data-drawn]").first).to_be_visible()
    tab(page, "Durations")
    expect(page.get_by_text("Median", exact=False).first).to_be_visible()
    tab(page, "Code")
    code = page.get_by_role("region", name="Code (python)")
    expect(code).to_contain_text('with DAG("chain"')
    file = project / "drills" / "drills.py"
    then = file.read_text()
    file.write_text(then.replace("Three tasks, one after the other.", "One after the other."))
    try:
        page.get_by_text(f"As run #{run.id} ran it").click()
        expect(page.get_by_text("Changed since")).to_be_visible()
        expect(code).to_contain_text("Three tasks, one after the other.")
        check_accessible(page)
        page.goto(f"/runs/{run.id}?tab=code")
        expect(code).to_contain_text("Three tasks, one after the other.")
    finally:
        file.write_text(then)


def test_a_month_is_made_by_a_backfill(page: Page, faults: Faults, shot: Callable[..., None]) -> None:
    faults.allow("422")
    page.goto("/backfills")
    page.get_by_role("button", name="New backfill").click()
    form = page.get_by_role("dialog", name="New backfill")
    form.get_by_role("textbox", name=re.compile("^Assets")).fill("bronze.nothing")
    form.get_by_role("textbox", name="Partitions", exact=True).fill("2025-02")
    expect(form.get_by_role("alert")).to_contain_text("bronze.nothing")
    form.get_by_role("textbox", name=re.compile("^Assets")).fill("bronze.payments")
    form.get_by_role("textbox", name="Partitions of one run").fill("14")
    expect(form).to_contain_text("2 runs over 28 partitions")
    check_accessible(page)
    shot(page, "backfill-new")
    form.get_by_role("button", name="Launch backfill").click()
    expect(page).to_have_url(re.compile(r"/backfills/\d+$"))
    expect(page.locator("article > header [data-state]").first).to_have_text("Succeeded", timeout=60_000)
    expect(page.get_by_role("row", name=re.compile("2025-02-15\\.\\.2025-02-28"))).to_contain_text("Succeeded")
    check_accessible(page)
    shot(page, "backfill")
    page.goto("/backfills?text=bronze.pay&state=succeeded")
    expect(page.get_by_role("row", name=re.compile("bronze.payments")).first).to_contain_text("Succeeded")
