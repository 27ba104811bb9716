"""The files of the UI: given from memory, its pages by any URL, nothing else from the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from batuta.runtime.project import Project
from batuta.server.accounts import OpenToLocal
from batuta.server.backend import Backend
from batuta.server.gate import Gate
from batuta.server.serving import ServerThread, bind
from batuta.server.static_ui import StaticUi
from batuta.store import Store
from tests.server.conftest import app_over


@pytest.fixture
def ui(tmp_path: Path, sqlite_url: str, project: Project) -> Iterator[httpx.Client]:
    """A server with a UI of two files."""
    folder = tmp_path / "static"
    (folder / "_app").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>UI</title>")
    (folder / "_app" / "app-1a2b.js").write_text("console.log('here')\n" * 200)
    (tmp_path / "secret.txt").write_text("hunter2")
    with Store.open(sqlite_url) as store, app_over(Backend(store, project)) as app:
        gate = Gate(app, OpenToLocal("ada"), ui=StaticUi(folder))
        thread = ServerThread(gate, bind("127.0.0.1", 0), feeds=[app.state.feed])
        thread.start()
        with httpx.Client(base_url=thread.url) as client:
            yield client
        thread.stop()


@pytest.mark.parametrize("path", ["/", "/runs/42", "/assets/gold.revenue", "/anything%2Felse", "/index.html"])
def test_pages_are_the_index(ui: httpx.Client, path: str) -> None:
    answer = ui.get(path)
    assert (answer.status_code, "<title>UI</title>" in answer.text) == (200, True)
    assert answer.headers["cache-control"] == "no-cache"
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    again = ui.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_files_with_a_hash_are_kept_and_zipped(ui: httpx.Client) -> None:
    answer = ui.get("/_app/app-1a2b.js")
    assert (answer.status_code, answer.text.count("here")) == (200, 200)
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].partition(";")[0] in ("text/javascript", "application/javascript")
    assert ui.get("/_app/app-0000.js").status_code == 404


@pytest.mark.parametrize("path", ["/../secret.txt", "/_app/../../secret.txt", "/%2e%2e/secret.txt", "/..%2Fsecret.txt"])
def test_nothing_else_is_read_from_the_disk(ui: httpx.Client, path: str) -> None:
    request = httpx.Request("GET", f"{ui.base_url}/")
    request.url = request.url.copy_with(raw_path=path.encode())
    assert "hunter2" not in ui.send(request).text


def test_the_api_is_the_api(ui: httpx.Client) -> None:
    assert ui.get("/health").json()["status"] == "ok"
    assert ui.get("/api/v1/nothing").json()["title"] == "Not found"
    assert ui.get("/api").status_code == 404


def test_without_a_build_the_page_says_so(tmp_path: Path) -> None:
    found = StaticUi(tmp_path / "nothing").find("/")
    assert found is not None
    assert b"not part of this installation" in found.body
