"""Runs: found, understood, repeated, stopped, answered; and what unfolds while one looks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from batuta.client import Client
from tests.ui.browser import ALL, check_accessible

pytestmark = pytest.mark.timeout(400)  # the first has a lakehouse built


def state(page: Page) -> Locator:
    """What stands beside the title."""
    return page.locator("article > header [data-state]").first


def tree(page: Page) -> Locator:
    """The names of the timeline."""
    return page.get_by_role("tree", name="Task runs")


def pane(page: Page, key: str) -> Locator:
    """The task run that is looked at."""
    return page.get_by_role("region", name=f"Task run {key}")


def test_why_a_run_failed_is_found_and_it_is_retried_from_there(
    page: Page, api: Client, tmp_path: Path, shot: Callable[..., None]
) -> None:
    marker = tmp_path / "marker"
    run = api.launch("flaky", {"marker": str(marker)}, location="drills")
    api.wait(run.id)
    page.goto("/runs?state=failed&job=flaky")
    page.get_by_role("link", name=f"#{run.id}", exact=True).click()
    expect(state(page)).to_have_text("Failed")
    failures = page.get_by_role("list", name="Failures")
    expect(failures).to_contain_text("the warehouse refuses")
    failures.get_by_role("button", name="Look").first.click()
    task = pane(page, "load-0")
    expect(task).to_contain_text("ConnectionError")
    expect(task.get_by_role("region", name=re.compile("Code"))).to_contain_text("raise ConnectionError")
    expect(page.locator("canvas[data-drawn]").first).to_be_visible()
    shot(page, "run-failed")
    check_accessible(page)
    task.get_by_role("tab", name="Log").click()
    log = task.get_by_role("log")
    expect(log).to_contain_text("the warehouse refuses")
    task.get_by_role("combobox", name="Attempt").click()
    page.get_by_role("option", name=re.compile("Attempt 1")).click()
    expect(log).to_contain_text("the warehouse refuses")
    check_accessible(page)
    task.get_by_role("tab", name="Inputs and output").click()
    expect(task).to_contain_text("marker")
    marker.touch()
    page.get_by_role("button", name="Retry from failure").click()
    expect(state(page)).to_have_text("Succeeded")
    expect(failures).to_have_count(0)
    page.get_by_role("tab", name="Details").click()
    expect(page.get_by_text("in all")).to_be_visible()


def test_a_question_is_answered(page: Page, api: Client, shot: Callable[..., None]) -> None:
    run = api.launch("approval", {"amount": 250}, location="drills")
    page.goto(f"/runs/{run.id}")
    form = page.get_by_role("form", name=re.compile("Question"))
    expect(form).to_contain_text("Pay 250.0?")
    expect(state(page)).to_have_text("Paused")
    check_accessible(page)
    shot(page, "run-question", ("light", "phone"))
    form.get_by_role("textbox").fill("gladly")
    form.get_by_role("button", name="Answer").click()
    expect(state(page)).to_have_text("Succeeded")
    expect(form).to_have_count(0)
    expect(page.get_by_text("answered: gladly").first).to_be_visible()


def test_a_flow_unfolds_while_one_looks(page: Page, api: Client) -> None:
    run = api.launch("fan-out", {"count": 60}, location="drills")
    page.goto(f"/runs/{run.id}")
    group = tree(page).get_by_role("treeitem", name=re.compile(r"double \d"))
    expect(group).to_contain_text("60")
    expect(state(page)).to_have_text("Succeeded")
    expect(page.get_by_role("button", name="Succeeded 61")).to_be_visible()
    if group.get_attribute("aria-expanded") == "false":
        group.click()
    expect(tree(page).get_by_role("treeitem", name=re.compile("double-3$"))).to_be_visible()
    page.get_by_role("textbox", name="Find task runs").fill("double-17")
    expect(tree(page).get_by_role("treeitem")).to_have_count(2)
    tree(page).get_by_role("treeitem", name=re.compile("double-17$")).click()
    expect(pane(page, "double-17")).to_be_visible()
    expect(page).to_have_url(re.compile("task=18"))
    page.reload()
    expect(pane(page, "double-17")).to_be_visible()
    check_accessible(page)


def test_the_timeline_is_gone_about_by_keys(page: Page, api: Client) -> None:
    run = api.launch("chain", location="drills")
    api.wait(run.id)
    page.goto(f"/runs/{run.id}?critical=1")
    expect(tree(page).get_by_role("treeitem")).to_have_count(3)
    tree(page).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(pane(page, "load")).to_be_visible()
    page.get_by_role("button", name="Close the task run").click()
    expect(pane(page, "load")).to_have_count(0)


def test_a_log_is_live_and_a_run_is_stopped(page: Page, api: Client) -> None:
    run = api.launch("slow", {"seconds": 300}, location="drills")
    page.goto(f"/runs/{run.id}?task=1&part=log")
    log = page.get_by_role("log")
    lines = log.get_by_text("still waiting")
    expect(lines.nth(2)).to_be_attached()
    expect(lines.nth(8)).to_be_attached()
    page.get_by_role("button", name="Cancel run").click()
    dialog = page.get_by_role("dialog", name=re.compile("Cancel run"))
    dialog.get_by_role("checkbox").check()
    check_accessible(page)
    dialog.get_by_role("button", name="Cancel run").click()
    expect(state(page)).to_have_text("Cancelled")
    expect(page.get_by_role("button", name="End", exact=True)).to_be_visible()


def test_a_log_is_searched_filtered_and_linked_to(page: Page, api: Client) -> None:
    run = api.launch("flaky", {"rows": 5}, location="drills")
    api.wait(run.id)
    failed = api.tasks(run.id, step="load-0")
    no = next(iter(failed)).no
    page.goto(f"/runs/{run.id}?task={no}&part=log")
    log = page.get_by_role("log")
    expect(log).to_contain_text("the warehouse refuses")
    page.get_by_text("Errors", exact=True).click()
    expect(page).to_have_url(re.compile("level=error"))
    expect(log.locator("[data-level=error]")).not_to_have_count(0)
    page.get_by_text("All", exact=True).first.click()
    page.get_by_role("textbox", name="Find in the log").fill("nothing of the kind")
    page.get_by_role("checkbox", name="Only matches").check()
    expect(log).to_contain_text("No record fits")
    page.get_by_role("textbox", name="Find in the log").fill("warehouse")
    expect(log.locator("mark").first).to_have_text("warehouse")
    log.get_by_role("button", name="Show what is around this record").first.click()
    expect(log.locator("[data-marked]")).to_contain_text("warehouse")
    expect(page).to_have_url(re.compile(r"line=\d+"))
    page.reload()
    expect(log.locator("[data-marked]")).to_contain_text("warehouse")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert "warehouse refuses" in Path(download.value.path()).read_text()


def test_many_runs_are_cancelled_at_once(page: Page, api: Client) -> None:
    runs = [api.launch("slow", {"seconds": 300}, location="drills").id for _ in range(2)]
    page.goto("/runs?job=slow&state=running&state=queued")
    for run in runs:
        page.get_by_role("checkbox", name=f"Select {run}", exact=True).check()
    expect(page.get_by_text("2 runs chosen")).to_be_visible()
    page.get_by_role("button", name="Cancel 2").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel 2 runs").click()
    expect(page.get_by_text("2 runs are being cancelled")).to_be_visible()
    for run in runs:
        assert api.wait(run).state == "cancelled"


def test_runs_are_found(page: Page, api: Client, shot: Callable[..., None]) -> None:
    run = api.launch("parameters", {"day": "2026-01-31"}, location="drills", tags={"ticket": "OPS-7"})
    api.wait(run.id)
    page.goto("/runs")
    shot(page, "runs-filtered")
    page.get_by_role("searchbox", name="Tag").fill("ticket=OPS-7")
    expect(page.get_by_role("link", name=f"#{run.id}", exact=True)).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="Asked for").click()
    page.get_by_role("menuitemcheckbox", name="in the last hour").click()
    expect(page).to_have_url(re.compile("within=1h"))
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_role("row")).not_to_have_count(2)


def test_what_a_run_made_and_recorded(page: Page, api: Client, shot: Callable[..., None]) -> None:
    made = next(iter(api.runs(kind="assets")))
    page.goto(f"/runs/{made.id}?tab=made")
    expect(page.get_by_role("heading", name=re.compile("materialization"))).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("check"))).to_be_visible()
    shot(page, "run", ALL)
    check_accessible(page)
    page.get_by_role("tab", name="Events").click()
    expect(page.get_by_role("row", name=re.compile("run started"))).to_be_visible()
    page.get_by_role("tab", name="Task runs").click()
    page.get_by_role("button", name="State", exact=True).click()
    page.get_by_role("menuitemcheckbox", name="Succeeded").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("row")).not_to_have_count(1)
    check_accessible(page)


def test_a_run_can_be_read_on_a_phone(phone: Page, api: Client) -> None:
    run = api.launch("flaky", location="drills")
    api.wait(run.id)
    phone.goto(f"/runs/{run.id}")
    phone.get_by_role("list", name="Failures").get_by_role("button", name="Look").first.click()
    expect(pane(phone, "load-0")).to_contain_text("ConnectionError")
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    phone.get_by_text("Graph", exact=True).click()
    expect(phone.locator("canvas[data-drawn]").first).to_be_visible()
    check_accessible(phone)
