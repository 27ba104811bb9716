"""Authentication by a plugin's backend: who that is, what goes before it, and that it fails closed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from batuta.core.durations import Seconds
from batuta.core.errors import DefinitionError
from batuta.plugins import PluginError
from batuta.runtime.project import AuthenticationConfig, Project, ServerConfig, find_project
from batuta.server.accounts import Accounts
from batuta.server.authentication import ASKED_AT_ONCE_MAX, authenticator_for
from batuta.server.backend import Backend
from batuta.server.embedded import accounts_for, served
from batuta.server.passwords import hashed
from batuta.server.serving import bind
from batuta.store import Store
from batuta.store.accounts import AccountRow
from tests.project.test_plugins import install
from tests.server.conftest import Serve

MODULE = """
import threading
from batuta.server.identity import Identity

class ByHeader:
    def __init__(self, header="x-user", role="viewer"):
        self.header, self.role = header, role

    def authenticate(self, headers, client):
        said = headers.get(self.header)
        match said:
            case None: return None
            case "raises": raise RuntimeError("the directory says hunter2")
            case "exits": raise SystemExit(3)
            case "text": return "ada"
            case "changes": headers["x-user"] = "ada"
            case "long": return Identity("a" * 201, {"*": "admin"})
            case "unprintable": return Identity("a\\x1b[2J", {"*": "admin"})
            case "blank": return Identity(" ", {"*": "admin"})
            case "role": return Identity("ada", {"*": "emperor"})
            case "none": return Identity("ada")
            case "hangs": threading.Event().wait()
            case "client": return Identity(client, {"*": "viewer"})
        return Identity(said, {"*": self.role})

class Broken:
    def __init__(self):
        raise OSError("no directory")

    def authenticate(self, headers, client): ...

class NoBackend: ...
"""
POINTS = """
[batuta.authentication]
byheader = acme_auth:ByHeader
broken = acme_auth:Broken
nobackend = acme_auth:NoBackend
"""
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    install(folder, "acme_auth", POINTS, MODULE)


def with_backend(project: Project, backend: str, timeout_s: float = 10.0, **options: Any) -> Project:
    server = ServerConfig(authentication=AuthenticationConfig(backend, options, Seconds(timeout_s)))
    return msgspec.structs.replace(project, config=msgspec.structs.replace(project.config, server=server))


@pytest.fixture
def accounts(store: Store, project: Project) -> Accounts:
    """What the server makes, with an admin, and somebody who must not any more."""
    kept = hashed(PASSWORD)
    for row in (
        AccountRow(name="root", roles={"*": "admin"}, password=kept),
        AccountRow(name="gone", roles={"*": "viewer"}, disabled=True),
    ):
        store.accounts.put(row, by="test", now=1.0)
    return accounts_for("127.0.0.1", Backend(store, with_backend(project, "byheader")))


Open = Callable[..., httpx.Client]


@pytest.fixture
def open_api(serve: Serve, project: Project, accounts: Accounts, workspace: object) -> Open:
    """Serves with the backend, made with these options."""

    def open_one(**options: Any) -> httpx.Client:
        return serve(authenticator_for(with_backend(project, "byheader", **options), accounts))

    return open_one


def runs(api: httpx.Client, *headers: tuple[str, str]) -> int:
    return api.get("/api/v1/runs", headers=list(headers)).status_code


def test_whom_it_names_may_what_it_says(open_api: Open) -> None:
    api = open_api()
    assert runs(api) == 401
    assert runs(api, ("x-user", "eve")) == 200
    me = api.get("/api/v1/me", headers={"X-User": "eve"}).json()
    assert (me["name"], me["method"], me["roles"]) == ("eve", "backend", {"*": "viewer"})
    assert api.get("/api/v1/me", headers={"X-User": "client"}).json()["name"] == "127.0.0.1"
    launched = api.post("/api/v1/runs", json={"job": "nightly"}, headers={"X-User": "eve"})
    assert launched.status_code == 403
    assert runs(api, ("x-user", "none")) == 403
    assert api.get("/api/v1/me", headers=[("x-user", "eve"), ("x-user", "root")]).json()["name"] == "eve, root"


@pytest.mark.parametrize("said", ["raises", "exits", "text", "changes", "long", "unprintable", "role", "gone", "blank"])
def test_what_goes_wrong_in_it_refuses_and_reaches_no_client(
    open_api: Open, accounts: Accounts, caplog: pytest.LogCaptureFixture, said: str
) -> None:
    caplog.set_level(logging.ERROR, "batuta.server")
    api = open_api(role="admin")
    session = {"Cookie": f"batuta_session={accounts.begin_session('root', 'test')}"}
    assert api.get("/api/v1/runs", headers=session).status_code == 200
    answer = api.get("/api/v1/runs", headers={"X-User": said, **session})
    assert answer.status_code == 401
    assert answer.json()["detail"] == "nobody is logged in"
    assert api.get("/health").status_code == 200
    told = [record.getMessage() for record in caplog.records]
    if said == "gone":  # an account that must not be used is no error of the backend
        assert told == []
    else:
        assert told == [line for line in told if line.startswith("the authentication 'byheader' refuses a request of")]
        assert len(told) == 1
    assert runs(api, ("x-user", "eve")) == 200


def test_our_tokens_go_before_it_and_sessions_after_it(open_api: Open, accounts: Accounts, store: Store) -> None:
    api = open_api()
    account = store.accounts.get("root")
    assert account is not None
    _, text = accounts.make_token(account, "CI", {}, None, "test")
    token = ("authorization", f"Bearer {text}")
    assert api.get("/api/v1/me", headers=dict([token, ("x-user", "raises")])).json()["method"] == "token"
    assert api.get("/api/v1/runs", headers={"Authorization": "Bearer bat_no", "X-User": "eve"}).status_code == 401
    assert api.get("/api/v1/me", headers={"Authorization": "Bearer theirs", "X-User": "eve"}).json()["name"] == "eve"
    logged_in = api.post(
        "/api/v1/login", json={"name": "root", "password": PASSWORD}, headers={"Origin": str(api.base_url)}
    )
    assert logged_in.status_code == 200
    assert api.get("/api/v1/me").json()["name"] == "root"


def test_whoever_it_names_makes_no_token_of_an_account_that_has_their_name(open_api: Open) -> None:
    asked = {"title": "mine"}
    headers = {"X-User": "root"}
    assert open_api(role="editor").post("/api/v1/tokens", json=asked, headers=headers).status_code == 403
    assert open_api(role="admin").post("/api/v1/tokens", json=asked, headers=headers).status_code == 201


@pytest.mark.parametrize(
    ("backend", "told"),
    [
        ("byhaeder", "there is no authentication 'byhaeder'"),
        ("broken", "the authentication 'broken' cannot be made: OSError: no directory"),
        ("nobackend", "acme_auth:NoBackend has no 'authenticate', so it is not an authentication"),
    ],
)
def test_no_server_starts_with_a_broken_one(sqlite_url: str, project: Project, backend: str, told: str) -> None:
    with Store.open(sqlite_url) as store, bind("127.0.0.1", 0) as sock:
        backed = Backend(store, with_backend(project, backend))
        with pytest.raises(PluginError, match=told) as caught:
            served(backed, accounts_for("127.0.0.1", backed), sock)
        assert caught.value.hint


def test_where_there_is_one_nobody_is_let_in_without_it(sqlite_url: str, project: Project) -> None:
    with Store.open(sqlite_url) as store:
        backed = Backend(store, with_backend(project, "byheader"))
        for host in ("127.0.0.1", "0.0.0.0"):
            assert not accounts_for(host, backed).is_open


def test_options_of_no_backend(tmp_path: Path) -> None:
    (tmp_path / "batuta.toml").write_text("[server.authentication.options]\nheader = 'x'\n")
    with pytest.raises(DefinitionError, match="there are options of no backend"):
        find_project(str(tmp_path))


def test_one_that_hangs_holds_up_nobody_else(
    open_api: Open, store: Store, accounts: Accounts, caplog: pytest.LogCaptureFixture
) -> None:
    api = open_api(timeout_s=0.3)
    with ThreadPoolExecutor(ASKED_AT_ONCE_MAX) as threads:
        asked = [threads.submit(runs, api, ("x-user", "hangs")) for _ in range(ASKED_AT_ONCE_MAX)]
        assert {each.result() for each in asked} == {401}
    assert "did not answer within 0.3 s" in caplog.text
    account = store.accounts.get("root")
    assert account is not None
    _, token = accounts.make_token(account, "CI", {}, None, "test")
    assert runs(api, ("authorization", f"Bearer {token}")) == 200, "tokens do not need it"
    assert runs(api, ("x-user", "eve")) == 401, "there is no room to ask it"
