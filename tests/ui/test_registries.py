"""What runs depend on, made and changed by forms; checks over all assets; lists that the server searches."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.ui.browser import Faults, check_accessible

pytestmark = pytest.mark.timeout(400)  # the first has a lakehouse built


def test_a_variable_is_made_found_changed_and_deleted(page: Page, faults: Faults, shot: Callable[..., None]) -> None:
    faults.allow("422")
    page.goto("/variables")
    for name, value in (("region", '{"main": "eu"}'), ("rounding", "2")):
        page.get_by_role("button", name="New variable").click()
        form = page.get_by_role("dialog", name="New variable")
        form.get_by_role("textbox", name="Name").fill(f"{name} of ours")
        form.get_by_role("textbox", name="Value").fill(value)
        form.get_by_role("button", name="Save").click()
        expect(form).to_contain_text(re.compile("name", re.IGNORECASE))
        form.get_by_role("textbox", name="Name").fill(name)
        form.get_by_role("button", name="Save").click()
        expect(page.get_by_text(f"Variable {name} is made")).to_be_visible()
    page.get_by_role("searchbox", name="Search variables").fill("REG")
    row = page.get_by_role("row", name=re.compile("region"))
    expect(row).to_contain_text("eu")
    expect(page.get_by_role("row", name=re.compile("rounding"))).to_have_count(0)
    check_accessible(page)
    shot(page, "variables")
    row.get_by_role("button", name="What to do with variable region").click()
    page.get_by_role("menuitem", name="Change").click()
    form = page.get_by_role("dialog", name="Change variable region")
    form.get_by_role("textbox", name="Value").fill("us")
    form.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("us")
    row.get_by_role("button", name="What to do with variable region").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete variable").click()
    expect(page.get_by_text("Variable region is deleted")).to_be_visible()


def test_connections_and_secrets_are_kept_and_not_shown(page: Page) -> None:
    page.goto("/connections")
    page.get_by_role("button", name="New connection").click()
    form = page.get_by_role("dialog", name="New connection")
    form.get_by_role("textbox", name="Name").fill("warehouse")
    form.get_by_role("textbox", name="URL").fill("postgresql://etl:hunter2-hunter2@db.example/shop")
    expect(form).to_have_css("opacity", "1")
    check_accessible(page)
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name=re.compile("warehouse"))).to_contain_text("postgresql")
    page.goto("/secrets")
    page.get_by_role("button", name="New secret").click()
    form = page.get_by_role("dialog", name="New secret")
    form.get_by_role("textbox", name="Name").fill("api_token")
    form.get_by_label("Value", exact=False).first.fill("hunter2-hunter2")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name=re.compile("api_token"))).to_be_visible()
    check_accessible(page)
    page.goto("/audit?text=warehouse")
    expect(page.get_by_role("row", name=re.compile("connection warehouse"))).to_contain_text("set")
    expect(page.get_by_text("hunter2")).to_have_count(0)
    check_accessible(page)


def test_checks_of_all_assets_are_filtered_and_lead_to_their_asset(page: Page, shot: Callable[..., None]) -> None:
    page.goto("/checks")
    quality = page.locator("section").filter(has=page.get_by_role("heading", name="Good verdicts, by layer"))
    expect(quality).to_contain_text(re.compile(r"(failed|warned) of [0-9]"))
    check_accessible(page)
    shot(page, "checks")
    page.get_by_role("searchbox", name="Search checks").fill("balances")
    row = page.get_by_role("row", name=re.compile("balances"))
    expect(row).to_contain_text("Passed")
    expect(page.get_by_role("table", name="Checks").get_by_role("row")).to_have_count(2)
    row.get_by_role("link", name="gold.settlement").click()
    expect(page).to_have_url(re.compile("/assets/gold.settlement"))
