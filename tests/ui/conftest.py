"""The web UI in a real Chromium, against a real `batuta up`. Skipped where there is no Chromium, unless CI=true."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from batuta.client import Client
from batuta.server.static_ui import FOLDER
from tests.ui.browser import ARGUMENTS, IMAGES, PHONE, SETTLED, WIDE, Faults, chromium, keep_picture
from tests.ui.platform import Served, built, served

NEEDS_BROWSER = {"browser", "page", "phone"}
WAIT_MS = 30_000

expect.set_options(timeout=WAIT_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a browser where there is none."""
    why = "" if chromium() else "there is no Chromium: `make ui-test` installs it where it can"
    if not why and not (FOLDER / "index.html").is_file():
        why = "the web UI is not built: `make ui` says why"
    if not why or os.environ.get("CI") == "true":
        return
    for item in items:
        if NEEDS_BROWSER & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with what has been built of it, this worker's own."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = base / "project"
    shutil.copytree(built(shared), folder)
    return folder


@pytest.fixture(scope="session")
def server(project: Path) -> Iterator[Served]:
    """`batuta up` on it."""
    with served(project) as found:
        yield found


@pytest.fixture
def api(server: Served) -> Iterator[Client]:
    """The API of the server, for what a test needs to have happened."""
    with server.client() as client:
        yield client


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, one for all tests."""
    program = chromium()
    assert program, "there is no Chromium"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture
def faults() -> Iterator[Faults]:
    """What pages said that they should not; whatever is not allowed fails the test at its end."""
    found = Faults()
    yield found
    found.check()


@pytest.fixture
def opened(browser: Browser, faults: Faults) -> Iterator[Callable[..., Page]]:
    """Opens pages that have nothing to do with each other: `opened(url, viewport=..., color_scheme="dark")`."""
    contexts: list[BrowserContext] = []

    def open_page(url: str, **settings: Any) -> Page:
        usual: dict[str, Any] = {
            "viewport": WIDE,
            "timezone_id": "Europe/Berlin",
            "locale": "en-GB",
            "reduced_motion": "reduce",
        }
        context = browser.new_context(base_url=url, **(usual | settings))
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        page = context.new_page()
        faults.watch(page)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(opened: Callable[..., Page], server: Served) -> Page:
    """A page of the UI, not yet gone anywhere: `page.goto("/runs")`. It fails the test on whatever goes wrong in it."""
    return opened(server.url)


@pytest.fixture
def phone(opened: Callable[..., Page], server: Served) -> Page:
    """A page on a phone."""
    return opened(server.url, viewport=PHONE, has_touch=True, is_mobile=True)


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Takes pictures of a page for the docs, where `--screenshots` asks for them: light, or as `looks` says."""
    wanted: bool = request.config.getoption("--screenshots")

    def take(page: Page, name: str, looks: tuple[str, ...] = ("light",)) -> None:
        if not wanted:
            return
        IMAGES.mkdir(parents=True, exist_ok=True)
        before = page.viewport_size
        for look in looks:
            page.emulate_media(color_scheme="dark" if look == "dark" else "light")
            page.set_viewport_size(PHONE if look == "phone" else WIDE)  # type: ignore[arg-type]
            page.evaluate("document.fonts.ready.then(() => new Promise(requestAnimationFrame))")
            page.evaluate(SETTLED)
            keep_picture(page.screenshot(animations="disabled", caret="hide"), IMAGES / f"{name}-{look}.webp")
        page.emulate_media(color_scheme="light")
        if before is not None:
            page.set_viewport_size(before)

    return take
