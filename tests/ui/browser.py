"""Chromium as the tests use it: where it is, what it must not say, pictures, accessibility."""

from __future__ import annotations

import io
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Page, Request, Response

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
AXE = ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE = {"width": 1360, "height": 850}
PHONE = {"width": 360, "height": 740}


def chromium() -> str | None:
    """Where Chromium is, if it is installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Faults:
    """Everything that a page said or did that a good page does not."""

    found: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def allow(self, pattern: str) -> None:
        """What matches is meant to happen in this test."""
        self.allowed.append(pattern)

    def watch(self, page: Page) -> None:
        """Write down what happens on this page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.found.append(f"error of the page: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def check(self) -> None:
        """Raises AssertionError where something was found that is not allowed."""
        bad = [each for each in self.found if not any(re.search(pattern, each) for pattern in self.allowed)]
        assert not bad, "\n".join(bad)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.found.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _failed(self, request: Request) -> None:
        # A page that is left takes its requests back.
        if request.failure != "net::ERR_ABORTED":
            self.found.append(f"request failed: {request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.found.append(f"status {response.status}: {response.request.method} {response.url}")


SETTLED = """() => Promise.all(
  document.getAnimations()
    .filter((each) => each.effect.getComputedTiming().endTime !== Infinity)
    .map((each) => each.finished.catch(() => null))
)"""
"""Waits for what fades in: half way there, its colours have less contrast."""


ALL = ("light", "dark", "phone")
"""How pictures for the documentation can look."""


def keep_picture(png: bytes, path: Path) -> None:
    """Write a screenshot as it stands in the repository: small."""
    from PIL import Image

    Image.open(io.BytesIO(png)).convert("RGB").save(path, quality=80, method=6)


def check_accessible(page: Page, *, within: str = "body") -> None:
    """Raises AssertionError where axe finds something serious or critical."""
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(AXE.read_text())
    options = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]}
    page.evaluate(SETTLED)
    result: dict[str, Any] = page.evaluate("([within, options]) => axe.run(within, options)", [within, options])
    bad = [
        "\n".join(
            (f"{page.url} {each['impact']} {each['id']}: {each['help']}", node["html"][:300], node["failureSummary"])
        )
        for each in result["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"][:3]
    ]
    assert not bad, "\n".join(bad)
