"""Logging in at an OpenID provider, a real one on loopback, and what a forged or stolen answer does not do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from batuta.runtime.project import OidcConfig, Project
from batuta.server.accounts import Accounts
from batuta.server.oidc import local_path
from batuta.store import Store
from batuta.store.accounts import AccountRow
from tests.server.conftest import Serve


class Provider(ThreadingHTTPServer):
    """Gives one code for each who comes, and for it a token with these claims."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.key = RSAKey.generate_key(2048, {"kid": "k1"})
        self.signs_with = self.key
        self.claims: dict[str, Any] = {"sub": "7", "email": "eve@shop.example", "groups": ["operators"]}
        self.changed: dict[str, Any] = {}
        self.asked: dict[str, str] = {}

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def token(self) -> str:
        claims = {
            "iss": self.issuer,
            "aud": "batuta",
            "exp": int(time.time()) + 60,
            "nonce": self.asked["nonce"],
            **self.claims,
            **self.changed,
        }
        return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.signs_with)


class _Answers(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        issuer = self.server.issuer
        if self.path == "/keys":
            self._say({"keys": [self.server.key.as_dict(private=False)]})
        else:
            places = {"authorization_endpoint": "/auth", "token_endpoint": "/token", "jwks_uri": "/keys"}
            self._say({"issuer": issuer, **{name: issuer + path for name, path in places.items()}})

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        if form["code"] != ["good"] or "code_verifier" not in form:
            self.send_error(400)
            return
        self._say({"id_token": self.server.token()})

    def _say(self, data: Any) -> None:
        body = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def provider() -> Iterator[Provider]:
    server = Provider()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def project(project: Project, provider: Provider) -> Project:
    oidc = OidcConfig(
        issuer=provider.issuer,
        client_id="batuta",
        roles={"*": "viewer"},
        groups={"operators": {"shop": "operator"}, "kings": {"*": "king"}},
    )
    config = msgspec.structs.replace(project.config, server=msgspec.structs.replace(project.config.server, oidc=oidc))
    project.make_home()
    return msgspec.structs.replace(project, config=config)


@pytest.fixture
def api(serve: Serve, store: Store, project: Project) -> httpx.Client:
    return serve(Accounts(store, time.time))


def come_back(api: httpx.Client, provider: Provider, **changed: str) -> httpx.Response:
    """Leave for the provider and come back as its page would send the browser."""
    left = api.get("/api/v1/login/oidc", params={"next": "/runs/42"})
    assert left.status_code == 302, left.text
    assert "HttpOnly" in left.headers["set-cookie"]
    provider.asked = {name: one[0] for name, one in parse_qs(urlsplit(left.headers["location"]).query).items()}
    assert provider.asked["code_challenge_method"] == "S256"
    return api.get("/api/v1/login/oidc/callback", params={"state": provider.asked["state"], "code": "good", **changed})


def test_who_logs_in_elsewhere_has_the_roles_of_their_groups(
    api: httpx.Client, provider: Provider, store: Store
) -> None:
    assert api.get("/api/v1/me").json()["login"] == ["password", "oidc"]
    answer = come_back(api, provider)
    assert (answer.status_code, answer.headers["location"]) == (302, "/runs/42")
    me = api.get("/api/v1/me").json()
    assert (me["name"], me["roles"]) == ("eve@shop.example", {"*": "viewer", "shop": "operator"})
    provider.claims["groups"] = []
    come_back(api, provider)
    assert api.get("/api/v1/me").json()["roles"] == {"*": "viewer"}
    account = store.accounts.get("eve@shop.example")
    assert account is not None
    assert (account.password, account.subject) == ("", f"{provider.issuer}|7")


@pytest.mark.parametrize(
    "changed", [{"nonce": "x"}, {"aud": "other"}, {"iss": "https://evil.example"}, {"exp": 1}, {"sub": None}]
)
def test_a_token_that_is_not_for_us_is_refused(api: httpx.Client, provider: Provider, changed: dict[str, Any]) -> None:
    provider.changed = changed
    assert come_back(api, provider).status_code == 401
    assert api.get("/api/v1/runs").status_code == 401


def test_a_token_of_somebody_else_is_refused(api: httpx.Client, provider: Provider) -> None:
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "k1"})
    assert come_back(api, provider).status_code == 401


def test_what_another_page_began_is_not_finished(api: httpx.Client, provider: Provider) -> None:
    assert come_back(api, provider, state="x").status_code == 401
    assert come_back(api, provider, code="stolen").status_code == 401
    api.cookies.clear()
    stranger = {"state": provider.asked["state"], "code": "good"}
    assert api.get("/api/v1/login/oidc/callback", params=stranger).status_code == 401


def test_a_name_that_somebody_has_is_not_taken_over(api: httpx.Client, provider: Provider, store: Store) -> None:
    store.accounts.put(AccountRow(name="ada", roles={"*": "admin"}), by="test", now=1.0)
    provider.claims["email"] = "ada"
    assert come_back(api, provider).status_code == 409
    assert api.get("/api/v1/me").json()["method"] == "none"


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/\\evil", "javascript:alert(1)", "", "\r\n"]
)
def test_nobody_is_sent_elsewhere(path: str) -> None:
    assert local_path(path) == "/"
