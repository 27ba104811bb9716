"""What pages of other sites, forged requests and odd input may not do, each a class of hole that others have had."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import httpx
import pytest

from batuta.core.definitions import AssetSpec, Definitions, JobSpec
from batuta.engine.workspace import Workspace
from batuta.runtime.project import Project
from batuta.runtime.source_files import read_source
from batuta.store import Store
from tests.server.conftest import Serve, save_definitions
from tests.server.test_security_accounts import accounts, clock, log_in

__all__ = ["accounts", "clock"]


# ---- DNS rebinding and CSRF (CVE-2026-27482) ----


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8421", "127.0.0.1.evil.example", "", "localhost.evil"])
def test_a_name_that_is_not_ours_gets_nothing(api: httpx.Client, host: str) -> None:
    for path in ("/api/v1/runs", "/health", "/api/v1/openapi.json"):
        answer = api.get(path, headers={"Host": host})
        assert (answer.status_code, answer.json()["title"]) == (400, "Bad request"), path
    assert api.get("/health", headers={"Host": f"localhost:{api.base_url.port}"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost:1"},
    ],
)
def test_pages_of_other_sites_change_nothing(api: httpx.Client, headers: dict[str, str]) -> None:
    for method, path, body in (
        ("POST", "/api/v1/runs", {"job": "nightly"}),
        ("PUT", "/api/v1/pools/a", {"slots": 1}),
        ("DELETE", "/api/v1/pools/a", None),
        ("POST", "/api/v1/logout", None),
    ):
        answer = api.request(method, path, json=body, headers=headers)
        assert answer.status_code == 403, (method, path)


def test_a_cookie_alone_changes_nothing(serve: Serve, accounts: object, workspace: Workspace) -> None:
    api = serve(accounts)
    log_in(api, "ada")
    assert api.get("/api/v1/runs").status_code == 200
    assert api.post("/api/v1/runs", json={"job": "nightly"}).status_code == 403
    own = {"Origin": str(api.base_url)}
    assert api.post("/api/v1/runs", json={"job": "nightly"}, headers=own).status_code == 201


def test_a_form_of_another_page_is_no_request(api: httpx.Client) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = api.post("/api/v1/runs", content=b'{"job": "nightly"}', headers={"Content-Type": kind})
        assert answer.status_code in (400, 415), kind


def test_nothing_is_said_to_other_origins(api: httpx.Client) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for answer in (api.options("/api/v1/runs", headers=asked), api.get("/api/v1/runs", headers=asked)):
        assert not [name for name in answer.headers if name.startswith("access-control")]


# ---- scripts, frames, types (XSS in names and markdown) ----


def test_every_answer_keeps_browsers_from_running_what_it_holds(api: httpx.Client, store: Store) -> None:
    evil = "<script>alert(1)</script>"
    save_definitions(store, Definitions(location="evil", jobs=(JobSpec(name=evil, kind="flow", description=evil),)))
    for path in ("/api/v1/runs", "/api/v1/nothing", "/health", "/api/v1/jobs", f"/api/v1/jobs/{evil}"):
        answer = api.get(path)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "'unsafe-inline'" not in policy.partition("style-src")[0]
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-type"].partition(";")[0] in ("application/json", "application/problem+json")


# ---- open WebSockets (CVE-2026-7723) ----


def test_web_sockets_are_not_served(api: httpx.Client) -> None:
    port = api.base_url.port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(
            b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        status = sock.recv(1000).split(b" ", 2)[1]
    assert status == b"403"


# ---- path traversal (CVE-2026-27598, CVE-2026-31886) ----


def test_logs_and_sources_stay_in_their_folders(
    api: httpx.Client, store: Store, project: Project, tmp_path: Path, workspace: Workspace
) -> None:
    secret = tmp_path / "secret.py"
    secret.write_text("PASSWORD = 'hunter2'")
    inside = Path(project.root) / "link.py"
    inside.symlink_to(secret)
    (Path(project.root) / ".env").write_text("PASSWORD=hunter2")
    for file in (str(secret), "../secret.py", f"{project.root}/../secret.py", str(inside), ".env", "/etc/passwd"):
        shown = read_source(file, project.root)
        assert (shown.text, bool(shown.why)) == ("", True), file
    for path in (
        "runs/1/tasks/..%2F..%2Fsecret.py/logs",
        "runs/..%2F..%2Fetc/tasks/0/logs",
        "assets/..%2F..%2Fsecret.py/source",
    ):
        assert api.get(f"/api/v1/{path}").status_code in (400, 404), path


def test_the_log_of_a_step_with_an_evil_name_is_in_the_folder_of_logs(tmp_path: Path) -> None:
    from batuta.server.log_access import log_path
    from tests.store.samples import task_run

    class Row:
        id = 1

    for name in ("../../../etc/passwd", "/etc/passwd", "..", "a/../../b", "\x00", "%2e%2e%2f", "x" * 5000):
        task = task_run(Row(), 0, step=name, label=name)  # type: ignore[arg-type]
        path = os.path.realpath(log_path(str(tmp_path), task, 1))
        assert os.path.dirname(path) == str(tmp_path / "1"), name


# ---- SQL injection (CVE-2026-38428), patterns that take for ever ----


@pytest.mark.parametrize("evil", ["' OR 1=1 --", "%", "_", "\\", "'; DROP TABLE runs; --", "a" * 200, "(a+)+$"])
def test_texts_are_looked_for_as_they_are(api: httpx.Client, store: Store, evil: str) -> None:
    api.post("/api/v1/runs", json={"job": "nightly"})
    for path, name in (
        ("runs", "text"),
        ("runs", "partition"),
        ("runs", "origin"),
        ("jobs", "text"),
        ("ticks", "name"),
    ):
        answer = api.get(f"/api/v1/{path}", params={name: evil})
        assert answer.status_code == 200, (path, answer.text)
        assert answer.json()["items"] == [], path
    assert api.get("/api/v1/runs", params={"tag": f"a={evil}"}).json()["items"] == []
    assert len(store.runs()) == 1


def test_a_nul_is_nowhere_allowed(api: httpx.Client) -> None:
    for path in ("runs?text=a%00b", "jobs/a%00", "runs?tag=a%3D%00"):
        assert api.get(f"/api/v1/{path}").status_code == 400, path
    for body in ({"job": "a\x00"}, {"job": "nightly", "tags": {"a": "\x00"}}):
        assert api.post("/api/v1/runs", json=body).status_code == 400


def test_a_log_is_not_searched_with_a_pattern(api: httpx.Client, workspace: Workspace) -> None:
    run = workspace.start_job("nightly")
    run.wait(30)
    answer = api.get(f"/api/v1/runs/{run.id}/tasks/1/logs", params={"text": "(l+)+$"})
    assert answer.json()["lines"] == []


# ---- what is sent to us: size, depth, kinds (CVE-2026-25917) ----


def test_requests_that_are_too_large_or_odd_are_refused(api: httpx.Client) -> None:
    json_type = {"Content-Type": "application/json"}
    assert api.post("/api/v1/runs", content=b"x" * (11 << 20), headers=json_type).status_code in (400, 413)
    assert api.post("/api/v1/runs", content=b"[" * 100_000, headers=json_type).status_code == 400
    assert api.post("/api/v1/runs", content=b"\xff\xfe", headers=json_type).status_code == 400
    assert api.post("/api/v1/runs", content=b"", headers=json_type).status_code == 400
    for kind in ("application/x-python-pickle", "application/msgpack", "application/yaml"):
        answer = api.post("/api/v1/runs", content=b"\x80\x04K\x01.", headers={"Content-Type": kind})
        assert answer.status_code in (400, 415), kind
    assert api.get("/api/v1/runs", params={"limit": "9" * 400}).status_code == 400
    told = api.get("/api/v1/runs", params={"limit": -1}).json()
    assert told["detail"] == "query.limit: Expected `int` >= 1"
    assert told["errors"] == [{"pointer": "query.limit", "detail": "Expected `int` >= 1"}]
    assert "openapi.json" in api.get("/api/v1/runs/abc").json()["hint"]


def test_our_own_faults_are_told_without_their_story(
    serve: Serve, project: Project, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    project.make_home()
    save_definitions(store, Definitions(location="shop", assets=(AssetSpec(key="a", step="a"),)))
    api = serve()
    with store._database.transaction() as transaction:
        transaction.each([("put_asset_partitions", [("a", "", 1, 0, time.time(), "d", "c", "no json", "{}")])])
    answer = api.get("/api/v1/assets")
    assert (answer.status_code, answer.json()["title"]) == (500, "Internal error")
    assert "Traceback" not in answer.text
    assert "msgspec" not in answer.text
    assert "Traceback" in caplog.text
