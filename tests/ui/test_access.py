"""Accounts from none to several, by clicks: the first one, logging in and out, roles, tokens."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from batuta.client import Client
from batuta.core.errors import BatutaError
from tests.ui.browser import Faults, check_accessible
from tests.ui.platform import served

pytestmark = pytest.mark.timeout(400)

PASSWORD = re.compile("^Password")
ADA, BOB = "three unrelated words", "other unrelated words"


def log_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label(PASSWORD).fill(password)
    page.get_by_role("button", name="Log in", exact=True).click()


def log_out(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Account ")).click()
    page.get_by_role("menuitem", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in to Batuta")).to_be_visible()


def test_accounts_from_the_first_one_on(
    opened: Callable[..., Page], faults: Faults, tmp_path: Path, shot: Callable[..., None]
) -> None:
    faults.allow("401")
    faults.allow("409")
    (tmp_path / "batuta.toml").write_text('name = "shop"\n')
    with served(tmp_path, "server") as server:
        page = opened(server.url)
        page.goto("/accounts")
        page.get_by_role("button", name="Make the first account").click()
        form = page.get_by_role("dialog", name="The first account")
        form.get_by_label("Name").fill("ada")
        form.get_by_label(PASSWORD).fill(ADA)
        form.get_by_label("Role at Everywhere else", exact=True).click()
        page.get_by_role("option", name="viewer: looks").click()
        form.get_by_role("button", name="Make account").click()
        expect(form.get_by_role("alert")).to_contain_text("The first account has to be")
        form.get_by_label("Role at Everywhere else", exact=True).click()
        page.get_by_role("option", name="admin: sets accounts").click()
        check_accessible(page)
        form.get_by_role("button", name="Make account").click()

        expect(page).to_have_url(re.compile(r"/login\?next="))
        check_accessible(page)
        shot(page, "login", ("light", "dark"))
        log_in(page, "ada", "wrong words altogether")
        expect(page.get_by_role("alert")).to_contain_text("password")
        log_in(page, "ada", ADA)
        expect(page).to_have_url(re.compile("/accounts$"))

        page.get_by_role("button", name="New account").click()
        form = page.get_by_role("dialog", name="New account")
        form.get_by_label("Name").fill("bob")
        form.get_by_label("Who or what it is").fill("Bob, who looks")
        form.get_by_label(PASSWORD).fill(BOB)
        form.get_by_role("button", name="Make account").click()
        expect(page.get_by_role("row", name=re.compile("bob.*viewer"))).to_be_visible()
        shot(page, "accounts", ("light",))

        log_out(page)
        page.goto("/accounts")
        log_in(page, "bob", BOB)
        expect(page.get_by_text("This takes the role admin")).to_be_visible()
        expect(page.get_by_role("link", name="Audit log")).to_have_count(0)
        page.context.close()


def test_a_token_is_shown_once_and_can_be_revoked(
    opened: Callable[..., Page], faults: Faults, tmp_path: Path, shot: Callable[..., None]
) -> None:
    faults.allow("401")
    (tmp_path / "batuta.toml").write_text('name = "shop"\n')
    with served(tmp_path, "server") as server:
        page = opened(server.url)
        page.goto("/")
        made = page.evaluate(
            """password => fetch("/api/v1/accounts/ada", {
                method: "PUT",
                headers: {"content-type": "application/json"},
                body: JSON.stringify({roles: {"*": "admin"}, password}),
            }).then(answer => answer.status)""",
            ADA,
        )
        assert made == 200
        page.goto("/tokens")
        log_in(page, "ada", ADA)
        page.get_by_role("banner").get_by_role("button", name="Account ada").wait_for()
        page.get_by_role("article").get_by_role("button", name="New token").first.click()
        form = page.get_by_role("dialog", name="New API token")
        form.get_by_label("What it is for").fill("CI")
        form.get_by_role("button", name="Make token").click()
        text = form.get_by_role("region", name="Code").inner_text().strip()
        assert text.startswith("bat_")
        check_accessible(page)
        with Client(server.url, token=text) as api:
            assert list(api.runs()) == []
            form.get_by_role("button", name="Done").click()
            expect(page.get_by_text(text)).to_have_count(0)
            row = page.get_by_role("row", name=re.compile("CI"))
            expect(row).to_contain_text("Valid")
            shot(page, "tokens", ("light",))
            row.get_by_role("button", name="Revoke CI").click()
            page.get_by_role("dialog", name="Revoke CI?").get_by_role("button", name="Revoke").click()
            expect(row).to_contain_text("Revoked")
            with pytest.raises(BatutaError):
                list(api.runs())
        page.context.close()
