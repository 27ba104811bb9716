"""The home page: what failed, what asks, what runs; from there to each of them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from batuta.client import Client
from tests.ui.browser import ALL, check_accessible

pytestmark = pytest.mark.timeout(400)


def test_home_tells_what_matters(page: Page, api: Client, shot: Callable[..., None]) -> None:
    for job in ("chain", "fan-out", "flaky", "flaky"):
        failed = api.wait(api.launch(job, location="drills").id, timeout_s=60)
    assert failed.state == "failed"
    asking = api.launch("approval", location="drills")
    api_state = api.run(asking.id)
    page.goto("/?span=1h")

    attention = page.locator("section").filter(has=page.get_by_role("heading", name="Needs attention"))
    row = attention.get_by_role("listitem").filter(has_text=f"#{failed.id}")
    expect(row).to_contain_text(re.compile(r"\b([2-9]|\d\d) times"))  # other tests have some fail, too
    expect(row).to_contain_text("the warehouse refuses")
    expect(attention.get_by_role("listitem").filter(has_text=f"approval #{api_state.id}")).to_contain_text("answer")
    expect(page.get_by_role("link", name=re.compile("Failed, 24 h"))).to_contain_text(re.compile("[1-9]"))
    expect(page.get_by_role("group", name=re.compile("^Runs of .* in the last 1 h"))).to_contain_text("flaky")
    expect(page.get_by_role("listitem").filter(has_text="Location drills")).to_contain_text("Loaded")
    check_accessible(page)
    shot(page, "home", ALL)

    row.get_by_role("button", name=re.compile("^Retry run")).click()
    expect(page.get_by_text(f"Run {failed.id} is retried")).to_be_visible()
    api.wait(failed.id, timeout_s=60)

    page.get_by_role("link", name=re.compile("Failed, 24 h")).click()
    expect(page).to_have_url(re.compile(r"/runs\?.*state=failed"))
    expect(page.get_by_role("row", name=re.compile(f"#{failed.id} "))).to_contain_text("Failed")
    api.cancel(asking.id)


def test_the_timeline_leads_to_runs(page: Page, api: Client) -> None:
    run = api.wait(api.launch("chain", location="drills").id, timeout_s=60)
    page.goto("/")
    page.get_by_text("1 h", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?span=1h$"))
    line = page.get_by_role("group", name=re.compile("^Runs of "))
    bar = line.locator("[data-bar]").last
    bar.hover()
    expect(page.get_by_role("tooltip")).to_be_visible()
    bar.click()
    expect(page).to_have_url(re.compile(r"/runs/\d+$"))
    assert run.state == "succeeded"
