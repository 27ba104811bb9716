"""Artifacts over HTTP: found by any filter, drawn or downloaded, by range; nothing of them runs in a browser."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import unquote

import httpx
import msgspec
import pytest

from batuta.core.values import Handle
from batuta.engine.workspace import Workspace
from batuta.runtime.project import Project, find_project
from batuta.server.accounts import Accounts
from batuta.server.passwords import hashed
from batuta.store import Store
from batuta.store.accounts import AccountRow
from batuta.store.rows import ArtifactRow, Batch
from tests.server.conftest import Serve, save_definitions
from tests.server.test_runs import get
from tests.server.test_security_accounts import PASSWORD, accounts, clock, log_in

__all__ = ["accounts", "clock"]

CODE = """
from batuta import DAG, artifact, task

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"

with DAG("drawn") as drawn:

    @task
    def draw() -> None:
        artifact.markdown("# <script>alert(1)</script>", "report", title="What there is")
        artifact.table([{"a": 1}], "rows")
        artifact.image(SVG, "picture")
        artifact.image(b"\\\\x89PNG\\\\r\\\\n\\\\x1a\\\\n" + bytes(5000), "dots")
        artifact.link("javascript:alert(1)", "evil", title="click here")
        artifact.file(b"<html><script>alert(1)</script></html>", "page.html")
        artifact.file(bytes(range(256)) * 400, "data.bin")
        artifact.file(b"x", "../../etc/passwd")
        artifact.progress(0.25, "a quarter")

    draw()
"""


@pytest.fixture
def drawn(project: Project, workspace: Workspace, store: Store) -> int:
    (Path(project.root) / "more.py").write_text(CODE.replace("\\\\", "\\"))
    (Path(project.root) / "batuta.toml").write_text('name = "shop"\ncode = ["shop.py", "more.py"]\n')
    with Workspace(find_project(project.root), "", executor="threads", store=store) as opened:
        save_definitions(store, opened.definitions)
        run = opened.start_job("drawn")
        assert run.wait(30) == "succeeded"
    return run.id


@pytest.fixture
def ids(api: httpx.Client, drawn: int) -> dict[str, int]:
    return {one["name"]: one["id"] for one in get(api, "/artifacts", run=drawn)["items"]}


def test_they_are_listed_and_found(api: httpx.Client, drawn: int) -> None:
    listed = get(api, "/artifacts", run=drawn)["items"]
    assert [one["name"] for one in listed][::-1] == [
        *("report", "rows", "picture", "dots", "evil", "page.html", "data.bin", "../../etc/passwd", "progress")
    ]
    first = get(api, "/artifacts", limit=4)
    rest = get(api, "/artifacts", limit=100, cursor=first["next"])
    assert first["items"] + rest["items"] == listed
    for filters, names in (
        ({"kind": "table"}, {"rows"}),
        ({"kind": ["image", "link"]}, {"picture", "dots", "evil"}),
        ({"text": "what THERE"}, {"report"}),
        ({"job": "drawn", "name": "report"}, {"report"}),
        ({"name": "report"}, {"report"}),
        ({"job": "nightly"}, set()),
        ({"run": drawn, "task": 1}, set()),
        ({"text": "100%"}, set()),
    ):
        assert {one["name"] for one in get(api, "/artifacts", **filters)["items"]} == names, filters
    assert api.get("/api/v1/artifacts", params={"run": 4711}).status_code == 404


def test_what_is_drawn_from_data_has_it(api: httpx.Client, ids: dict[str, int]) -> None:
    report = get(api, f"/artifacts/{ids['report']}")
    assert (report["text"], report["artifact"]["title"]) == ("# <script>alert(1)</script>", "What there is")
    rows = get(api, f"/artifacts/{ids['rows']}")
    assert (rows["data"]["columns"], rows["data"]["rows"]) == (["a"], [[1]])
    progress = get(api, f"/artifacts/{ids['progress']}")
    assert (progress["artifact"]["progress"], progress["artifact"]["file"]) == (0.25, "")
    assert api.get(f"/api/v1/artifacts/{ids['progress']}/file").status_code == 404
    assert api.get("/api/v1/artifacts/4711").status_code == 404


# ---- scripts in what users' code leaves (XSS) ----


def test_nothing_of_a_file_runs_in_a_browser(api: httpx.Client, ids: dict[str, int]) -> None:
    for name, number in ids.items():
        if name == "progress":
            continue
        answer = api.get(f"/api/v1/artifacts/{number}/file")
        assert answer.status_code == 200, name
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("sandbox; default-src 'none'"), name
        assert "script" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        shown = answer.headers["content-disposition"] == "inline"
        assert shown == (name in ("picture", "dots")), name
        expected = {"picture": "image/svg+xml", "dots": "image/png"}.get(name, "application/octet-stream")
        assert answer.headers["content-type"].partition(";")[0] == expected, name
    saved = api.get(f"/api/v1/artifacts/{ids['picture']}/file", params={"download": True})
    assert saved.headers["content-disposition"] == "attachment; filename*=UTF-8''picture.svg"
    assert saved.headers["content-type"] == "application/octet-stream"


def test_names_of_downloads_are_file_names(api: httpx.Client, ids: dict[str, int]) -> None:
    answer = api.get(f"/api/v1/artifacts/{ids['../../etc/passwd']}/file")
    name = unquote(answer.headers["content-disposition"].partition("''")[2])
    assert "/" not in name
    assert not name.startswith(".")


# ---- traversal: whatever a worker says of where its result is ----


@pytest.mark.parametrize("path", ["../../secret.m", "/etc/passwd", "link.m", "1/../../../secret.m", "\x00", "."])
def test_files_elsewhere_are_not_given(
    api: httpx.Client, store: Store, project: Project, drawn: int, tmp_path: Path, path: str
) -> None:
    data = msgspec.msgpack.encode(b"hunter2")
    (Path(project.root) / "secret.m").write_bytes(data)
    link = Path(project.home) / "results" / "link.m"
    link.symlink_to(Path(project.root) / "secret.m")
    row = ArtifactRow(
        run_id=drawn,
        task=0,
        name="planted",
        kind="file",
        title="",
        media_type="text/plain",
        size=7,
        progress=None,
        content=msgspec.json.encode(Handle("m", b"", path, len(data))),
        attempt=1,
        job="drawn",
        location="shop",
        at=1.0,
    )
    store.commit(Batch(artifacts=[row]))
    (planted,) = get(api, "/artifacts", run=drawn, name="planted")["items"]
    answer = api.get(f"/api/v1/artifacts/{planted['id']}/file")
    assert answer.status_code == 404
    assert "hunter2" not in answer.text


# ---- ranges ----


@pytest.mark.parametrize(
    ("asked", "status", "span"),
    [
        ("bytes=0-9", 206, (0, 10)),
        ("bytes=100-", 206, (100, 102_400)),
        ("bytes=-5", 206, (102_395, 102_400)),
        ("bytes=-999999", 206, (0, 102_400)),
        ("bytes=102399-200000", 206, (102_399, 102_400)),
        ("bytes=5-4", 200, (0, 102_400)),
        ("bytes=0-1,4-5", 200, (0, 102_400)),
        ("lines=1-2", 200, (0, 102_400)),
        ("bytes=-", 200, (0, 102_400)),
        ("bytes=102400-", 416, None),
        ("bytes=-0", 416, None),
    ],
)
def test_a_range_of_a_file(
    api: httpx.Client, ids: dict[str, int], asked: str, status: int, span: tuple[int, int] | None
) -> None:
    answer = api.get(f"/api/v1/artifacts/{ids['data.bin']}/file", headers={"Range": asked})
    assert answer.status_code == status
    if span is None:
        assert answer.headers["content-range"] == "bytes */102400"
        return
    assert answer.content == (bytes(range(256)) * 400)[slice(*span)]
    if status == 206:
        assert answer.headers["content-range"] == f"bytes {span[0]}-{span[1] - 1}/102400"


def test_a_file_that_is_known_is_not_sent_again(api: httpx.Client, ids: dict[str, int]) -> None:
    url = f"/api/v1/artifacts/{ids['data.bin']}/file"
    tag = api.get(url).headers["etag"]
    again = api.get(url, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    part = {"Range": "bytes=0-0"}
    assert api.get(url, headers={**part, "If-Range": tag}).status_code == 206
    assert api.get(url, headers={**part, "If-Range": '"another"'}).status_code == 200


# ---- who may look ----


def test_they_are_seen_by_whoever_may_see_their_run(
    serve: Serve, accounts: Accounts, ids: dict[str, int], store: Store
) -> None:
    own = serve(accounts)
    assert own.get("/api/v1/artifacts").status_code == 401
    assert own.get(f"/api/v1/artifacts/{ids['report']}/file").status_code == 401
    log_in(own, "ada")
    assert len(own.get("/api/v1/artifacts").json()["items"]) == len(ids)
    store.accounts.put(
        AccountRow(name="eve", roles={"elsewhere": "admin"}, password=hashed(PASSWORD)), by="test", now=time.time()
    )
    log_in(own, "eve")
    assert own.get("/api/v1/artifacts").json()["items"] == []
    for path in ("", "/file"):
        assert own.get(f"/api/v1/artifacts/{ids['report']}{path}").status_code == 403
