"""How long the web UI takes, in a real Chromium against a real `batuta up`: `python -m bench.ui [--only lineage ...]`.

A project is made with what is large: a run of 10,000 task runs, one that goes on at 200 events a second, a log of
100 MB, 10,000 assets. Each page is opened some times; printed are the median, in a browser that has been there before
and asks whether what it keeps is good, and the worst: mostly the first, which has kept nothing. Times count from the
navigation to what somebody sees; frames are those that the page counts. On a busy machine the work of the page's own
thread says more: it is told, too, in time of the processor. Chromium draws without a graphics card here.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from batuta.client import Client
from batuta.store import Store
from bench import machine
from bench.assets_scale import PIPELINE
from tests.ui.browser import ARGUMENTS, WIDE, chromium
from tests.ui.platform import served

TASKS, ASSETS, LOG_MB = 10_000, 10_000, 100
LIVE_S = 12
WAIT_MS = 60_000

CODE = '''
import time

from batuta import flow, task


@task
def number(n: int) -> int:
    return n


@flow
def many(count: int) -> int:
    """Very many task runs."""
    return len(number.map(list(range(count))))


@flow
def steady(seconds: float, each_s: float = 0.008) -> None:
    """Task runs at a steady rate."""
    begun, n = time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        number.submit(n)
        n += 1
        time.sleep(max(0.0, begun + n * each_s - time.monotonic()))


@task
def talk(megabytes: int) -> None:
    line = "the quick brown fox jumps over the lazy dog " * 4
    count = megabytes * 1_000_000 // 250
    for n in range(count):
        print(f"{n:09d} {line}")


@flow
def talkative(megabytes: int) -> None:
    """One who says much."""
    talk(megabytes)
'''

CONFIG = """name = "bench"

[[locations]]
name = "large"
root = "large"
code = ["large.py"]
workers = 2

[[locations]]
name = "wide"
root = "wide"
code = ["wide.py"]
"""

FRAMES = """(seconds) => new Promise((resolve) => {
  const gaps = [];
  let last = performance.now();
  const end = last + seconds * 1000;
  const next = () => {
    const now = performance.now();
    gaps.push(now - last);
    last = now;
    if (now < end) requestAnimationFrame(next);
    else resolve(gaps.slice(1));
  };
  requestAnimationFrame(next);
})"""

Row = tuple[str, float, float, str]


def main(arguments: list[str] | None = None) -> int:
    """Print a table, and JSON with `--json`."""
    parser = argparse.ArgumentParser(prog="python -m bench.ui", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(MEASURES), help="repeatable; default: all")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the rows as JSON, too")
    options = parser.parse_args(arguments)
    program = chromium()
    if program is None:
        print("there is no Chromium: .ci/chromium installs it where it can", file=sys.stderr)
        return 1
    rows: list[Row] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(served(project(folder)))
        api = stack.enter_context(server.client())
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        stack.callback(browser.close)
        load = os.getloadavg()[0]
        for name in options.only or MEASURES:
            measured = Measured(browser, server.url, api, folder / ".batuta" / "batuta.db", options.repeats)
            for row in MEASURES[name](measured):
                rows.append(row)
                print(f"{row[0]:<64} {row[1]:>9.1f} {row[2]:>9.1f} {row[3]}", flush=True)
    print(f"\nload of the machine: {load:.1f} before, {os.getloadavg()[0]:.1f} after; {machine.describe()}")
    if options.json:
        print(json.dumps(rows))
    return 0


def project(folder: Path) -> Path:
    """Two code locations: few jobs with much to do, and very many assets."""
    for name in ("large", "wide"):
        (folder / name).mkdir()
    (folder / "large" / "large.py").write_text(CODE)
    (folder / "wide" / "wide.py").write_text(PIPELINE.format(count=ASSETS))
    (folder / "batuta.toml").write_text(CONFIG)
    return folder


class Measured:
    """What a measure has to work with."""

    def __init__(self, browser: Browser, url: str, api: Client, store: Path, repeats: int) -> None:
        self.api = api
        self.store = store
        self.repeats = repeats
        self._browser = browser
        self._url = url

    def page(self) -> Page:
        """A page of a browser that knows nothing yet."""
        page = self._browser.new_context(base_url=self._url, viewport=WIDE).new_page()  # type: ignore[arg-type]
        page.set_default_timeout(WAIT_MS)
        return page

    def run(self, job: str, params: dict[str, Any], *, wait: bool = True) -> int:
        """Launch a job; the run's number."""
        found = self.api.launch(job, params, location="large").id
        if wait:
            state = self.api.wait(found, timeout_s=600).state
            assert state == "succeeded", f"{job}: {state}"
        return found

    def opened(self, what: str, path: str, seen: str) -> Row:
        """How long it takes until something is there on a page, `seen`."""
        page = self.page()
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        took, worked = [], []
        for _ in range(self.repeats + 1):
            page.goto("about:blank")
            before = _worked_ms(session)
            page.goto(path, wait_until="commit")
            page.locator(seen).first.wait_for()
            took.append(float(page.evaluate("performance.now()")))
            worked.append(_worked_ms(session) - before)
        page.context.close()
        return what, statistics.median(took[1:]), max(took), f"ms; of the page's own work {_middle(worked[1:])}"


def _middle(worked: list[float]) -> str:
    return f"{statistics.median(worked):.0f} ms"


def _worked_ms(session: CDPSession) -> float:
    """How long the page's thread has worked, whatever else the machine did meanwhile."""
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"]) * 1000


def frames(what: str, page: Page, seconds: float, meanwhile: Callable[[], None] | None = None) -> Row:
    """How long frames take: the 95th percentile and the longest."""
    page.evaluate(f"() => {{ window.__frames = ({FRAMES})({seconds}); }}")
    if meanwhile is not None:
        meanwhile()
    gaps = sorted(page.evaluate("() => window.__frames"))
    slow = sum(gap > 50 for gap in gaps) / len(gaps)
    return what, gaps[len(gaps) * 95 // 100], gaps[-1], f"ms a frame (p95, longest); {slow:.1%} over 50 ms"


def home(measured: Measured) -> Iterator[Row]:
    """First contentful paint."""
    page = measured.page()
    took = []
    for _ in range(measured.repeats + 1):
        page.goto("about:blank")
        page.goto("/")
        page.get_by_role("heading", name="Next").wait_for()
        took.append(float(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN")))
    yield "home: first contentful paint", statistics.median(took[1:]), max(took), "ms (worst: the first)"
    yield measured.opened("home: its lists", "/", "text=Needs attention")


def run_page(measured: Measured) -> Iterator[Row]:
    """A run with very many task runs."""
    number = measured.run("many", {"count": TASKS})
    yield measured.opened(f"run with {TASKS:,} task runs: its timeline", f"/runs/{number}", "[role=treeitem]")
    page = measured.page()
    page.goto(f"/runs/{number}")
    page.get_by_role("treeitem", name="number").click()
    page.locator("[role=treeitem]").nth(5).wait_for()
    page.locator("[role=treeitem]").nth(5).hover()
    yield frames("the same: scrolled with all its rows open", page, 3, lambda: _wheel(page, 3, 600))
    page.context.close()


def live(measured: Measured) -> Iterator[Row]:
    """A run page while events come."""
    number = measured.run("steady", {"seconds": LIVE_S + 8}, wait=False)
    page = measured.page()
    page.goto(f"/runs/{number}")
    page.locator("[role=treeitem]").first.wait_for()
    with Store.open(measured.store, read_only=True) as store:
        before, begun = store.last_event_id(), time.monotonic()
        row = frames("run page, live", page, LIVE_S)
        rate = (store.last_event_id() - before) / (time.monotonic() - begun)
    yield f"run page, live, {rate:.0f} events/s", *row[1:]
    page.context.close()


def log(measured: Measured) -> Iterator[Row]:
    """A log of very many lines."""
    number = measured.run("talkative", {"megabytes": LOG_MB})
    path = f"/runs/{number}?task=1"
    yield measured.opened(f"log of {LOG_MB} MB: its end", path, "[role=log] [data-offset]")
    page = measured.page()
    page.goto(path)
    page.locator("[role=log] [data-offset]").first.hover()
    yield frames("the same: scrolled up", page, 4, lambda: _wheel(page, 4, -1_500))
    page.context.close()


def lineage(measured: Measured) -> Iterator[Row]:
    """Very many assets."""
    yield measured.opened(f"lineage of {ASSETS:,} assets: first picture", "/lineage", "canvas[data-drawn]")
    page = measured.page()
    page.goto("/lineage")
    page.locator("canvas[data-drawn]").first.wait_for()
    page.mouse.move(600, 450)
    yield frames("the same: panned and zoomed", page, 4, lambda: _pan(page, 4))
    page.context.close()


def _wheel(page: Page, seconds: float, pixels: int) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        page.mouse.wheel(0, pixels)
        time.sleep(0.03)


def _pan(page: Page, seconds: float) -> None:
    until = time.monotonic() + seconds
    page.mouse.down()
    step = 0
    while time.monotonic() < until:
        step += 1
        page.mouse.move(600 + (step * 17) % 400, 450 + (step * 7) % 150)
        if step % 5 == 0:
            page.mouse.wheel(0, -120 if step % 10 else 120)
    page.mouse.up()


MEASURES: dict[str, Callable[[Measured], Iterator[Row]]] = {
    "home": home,
    "run": run_page,
    "live": live,
    "log": log,
    "lineage": lineage,
}

if __name__ == "__main__":
    raise SystemExit(main())
