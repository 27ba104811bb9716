"""Links of plugins: in the resources of the API; one that is slow, hangs or errs holds nobody up and harms nobody."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

import httpx
import pytest

from batuta.engine.workspace import Workspace
from batuta.server.links import PENDING_MAX, Links
from tests.engine.projects import until
from tests.project.test_plugins import install

MODULE = """
import threading
asked, go = [], threading.Event()

def good(kind, about):
    asked.append(kind)
    return [("Logs", f"https://logs.example.com/{kind}/{about.get('id', '')}")]

def odd(kind, about):
    return [("Script", "javascript:alert(1)"), ("File", "file:///etc/passwd"), ("", "https://a.example/"),
            ("Split", "https://a.example/\\nX"), ("None", "https://"), ("Fine", "http://b.example/")]

def slow(kind, about):
    asked.append("slow")
    go.wait(60)
    return [("Slow", "https://slow.example/")]

def raises(kind, about):
    raise RuntimeError("on purpose")

def junk(kind, about):
    return 7
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "acme_links", raising=False)
    return folder


def installed(site: Path, *names: str) -> None:
    points = "".join(f"{name} = acme_links:{name}\n" for name in names)
    install(site, "acme_links", f"[batuta.ui_links]\n{points}", MODULE)


def urls(links: Links, number: int = 1) -> list[str]:
    return [link.url for link in links.of("run", {"id": number})]


def test_each_resource_has_them(site: Path, api: httpx.Client, workspace: Workspace) -> None:
    installed(site, "good")
    workspace.start_job("doubling").wait()
    for path, kind in (
        ("jobs/nightly", "job"),
        ("assets/revenue", "asset"),
        ("runs/1/tasks/1", "task_run"),
        ("runs/1", "run"),
    ):
        until(lambda path=path: api.get(f"/api/v1/{path}").json()["links"])  # type: ignore[misc]
        assert api.get(f"/api/v1/{path}").json()["links"] == [
            {"title": "Logs", "url": f"https://logs.example.com/{kind}/{'1' * (kind == 'run')}"}
        ]


def test_only_what_is_of_the_web_is_shown(site: Path, caplog: pytest.LogCaptureFixture) -> None:
    installed(site, "odd", "raises", "junk", "missing")
    caplog.set_level(logging.WARNING, "batuta.links")
    links = Links(wait_s=60)
    for number in range(3):
        assert urls(links, number) == ["http://b.example/"]
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == len(set(told)) == 8
    assert any("of acme_links 2.0: RuntimeError: on purpose" in line for line in told)
    assert any("'javascript:alert(1)' is left out" in line for line in told)


def test_a_slow_one_holds_nobody_up_and_is_left_alone(site: Path) -> None:
    installed(site, "slow", "good")
    before = threading.active_count()
    links = Links(wait_s=0.0)
    until(lambda: urls(links) == ["https://logs.example.com/run/1"])
    for number in range(2, 20):
        until(lambda number=number: f"https://logs.example.com/run/{number}" in urls(links, number))  # type: ignore[misc]
    module = sys.modules["acme_links"]
    assert module.asked.count("slow") == PENDING_MAX
    module.go.set()
    until(lambda: len(urls(links)) == 2)
    assert threading.active_count() - before < 20


def test_what_it_said_is_kept_for_a_while(site: Path) -> None:
    installed(site, "good")
    now = [0.0]
    links = Links(wait_s=60, clock=lambda: now[0])
    for _ in range(3):
        assert urls(links) == ["https://logs.example.com/run/1"]
    assert sys.modules["acme_links"].asked == ["run"]
    now[0] = 61.0
    urls(links)
    assert sys.modules["acme_links"].asked == ["run", "run"]
