"""Who may do what: open by default, weak log-ins, slips of authorisation, tokens and sessions that live too long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from batuta.core.errors import RequestError
from batuta.runtime.project import Project
from batuta.server.access import PUBLIC
from batuta.server.accounts import Accounts
from batuta.server.backend import Backend
from batuta.server.embedded import accounts_for
from batuta.server.serving import refuse_open
from batuta.store import Store
from batuta.store.accounts import AccountRow
from tests.engine.projects import until
from tests.server.conftest import Serve, app_over, real_hasher

PASSWORD = "correct horse battery"


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(store: Store, clock: Clock) -> Accounts:
    """An admin, somebody who may operate one location, a service; everybody has to log in."""
    from batuta.server.passwords import hashed

    kept = hashed(PASSWORD)
    for row in (
        AccountRow(name="ada", roles={"*": "admin"}, password=kept),
        AccountRow(name="bob", roles={"shop": "operator"}, password=kept),
        AccountRow(name="vic", roles={"*": "viewer", "secret-place": "none"}, password=kept),
        AccountRow(name="deploy", kind="service", roles={"*": "operator"}),
    ):
        store.accounts.put(row, by="test", now=clock())
    return Accounts(store, clock)


@pytest.fixture
def api(serve: Serve, accounts: Accounts, workspace: object) -> httpx.Client:
    return serve(accounts)


Token = Callable[..., dict[str, str]]


@pytest.fixture
def token(accounts: Accounts, store: Store) -> Token:
    """Headers with a token of an account."""

    def make(name: str, roles: dict[str, str] | None = None, lasts_s: float | None = None) -> dict[str, str]:
        account = store.accounts.get(name)
        assert account is not None
        _, text = accounts.make_token(account, "test", roles or {}, lasts_s, "test")
        return {"Authorization": f"Bearer {text}"}

    return make


def log_in(api: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Response:
    return api.post("/api/v1/login", json={"name": name, "password": password}, headers={"Origin": str(api.base_url)})


# ---- open by default (CVE-2020-13927, CVE-2023-48022) ----


def test_others_are_not_served_without_accounts(store: Store, project: Project) -> None:
    backend = Backend(store, project)
    for host in ("0.0.0.0", "::", "192.0.2.1", "batuta.example"):
        with pytest.raises(RequestError, match="without accounts"):
            accounts_for(host, backend)
    assert accounts_for("127.0.0.1", backend).is_open
    store.accounts.put(AccountRow(name="ada", roles={"*": "admin"}), by="test", now=1.0)
    assert not accounts_for("0.0.0.0", backend).is_open
    assert not accounts_for("127.0.0.1", backend).is_open
    refuse_open("::1", authenticated=False)


def test_once_there_is_an_account_everybody_has_to_log_in_for_good(store: Store, clock: Clock) -> None:
    local = Accounts(store, clock, local="ada")
    assert local.authenticate({}) is not None
    store.accounts.put(AccountRow(name="ada", roles={"*": "admin"}), by="test", now=1.0)
    assert local.authenticate({}) is None
    with store._database.transaction() as transaction:
        transaction.run("delete_account", name="ada")
    assert local.authenticate({}) is None


def test_an_account_closes_the_server_at_once_and_one_of_another_process_soon(
    store: Store, store_url: str, clock: Clock, serve: Serve, workspace: object
) -> None:
    local = Accounts(store, clock, local="ada")
    client = serve(local)
    assert client.get("/api/v1/runs").status_code == 200
    assert local.at_once({}) is not None
    assert local.at_once({"cookie": "a=b"}) is local.at_once({"authorization": "Bearer x"}) is None
    row = AccountRow(name="ada", roles={"*": "admin"})
    with Store.open(store_url) as other:
        other.accounts.put(row, by="test", now=1.0)
        until(lambda: client.get("/api/v1/runs").status_code == 401)
        other.accounts.put(AccountRow(name="bob", roles={"*": "admin"}), by="test", now=1.0)
        other.accounts.delete("ada", by="test", now=1.0)

    again = Accounts(store, clock, local="ada")
    assert again.authenticate({}) is again.at_once({}) is None
    fresh = Accounts(store, clock, local="ada")
    store.accounts.put(row, by="test", now=1.0)
    assert fresh.at_once({}) is fresh.authenticate({}) is None


def test_nothing_but_health_and_logging_in_is_open(api: httpx.Client) -> None:
    document = api.get("/api/v1/openapi.json").json()
    public = set()
    for path, item in document["paths"].items():
        for method in item.keys() & {"get", "post", "put", "patch", "delete"}:
            url = path.replace("{kind}", "schedule").replace("{action}", "pause")
            for name in ("run_id", "no", "alert_id", "token_id", "backfill_id", "artifact_id"):
                url = url.replace(f"{{{name}}}", "1")
            url = url.replace("{", "").replace("}", "")
            answer = api.request(method, url, json={} if method in ("post", "put") else None)
            if answer.status_code != 401:
                public.add(f"{method} {path}")
    log_ins = {"post /api/v1/login", "get /api/v1/login/oidc", "get /api/v1/login/oidc/callback"}
    assert public == {"get /health", "get /ready", "get /api/v1/me", "post /api/v1/logout"} | log_ins
    assert api.get("/metrics").status_code == 401


def test_every_operation_says_which_role_it_takes(store: Store, project: Project) -> None:
    with app_over(Backend(store, project)) as app:
        routes = app.routes
    roles = {}
    for route in routes:
        for handler, _ in getattr(route, "route_handler_map", {}).values():
            if handler.name is None and handler.http_methods != {"OPTIONS"}:
                roles[route.path, *sorted(handler.http_methods)] = handler.opt.get("role")
    assert set(roles.values()) <= {"viewer", "operator", "editor", "admin", PUBLIC, "hidden"}
    changing = {key: role for key, role in roles.items() if {"POST", "PUT", "PATCH", "DELETE"} & {*key[1:]}}
    lenient = {key[0] for key, role in changing.items() if role == "viewer"}
    own = {
        "/api/v1/me/password",
        "/api/v1/tokens",
        "/api/v1/tokens/{token_id:int}",
        "/api/v1/assets/changes",
        "/api/v1/assets/plan",
        "/api/v1/backfills/preview",
    }
    assert lenient == own


def test_a_hash_is_slow_and_takes_much_memory() -> None:
    hasher = real_hasher()
    assert (hasher.time_cost >= 3, hasher.memory_cost >= 65_536) == (True, True)
    assert hasher.hash("correct horse").startswith("$argon2id$v=19$m=65536,t=3,")


# ---- path tricks around authentication (CVE-2026-3514, CVE-2026-53576) ----


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/runs/health",
        "/api/v1/runs/../../../health",
        "/health/../api/v1/runs",
        "/api/v1/runs;/health",
        "/api/v1/runs/%2e%2e/health",
        "/api/v1/runs%2Fhealth",
        "//api/v1/runs",
        "/api/v1//runs",
        "/API/v1/runs",
        "/api/v1/runs?/health",
        "/api/v1/runs#/health",
        "/api/v1/runs/%00",
        "/-/schema/openapi.json",
        "/-/schema",
    ],
)
def test_no_path_leads_around_logging_in(api: httpx.Client, path: str) -> None:
    with httpx.Client() as client:
        request = httpx.Request("GET", f"{str(api.base_url).rstrip('/')}{path}")
        request.url = request.url.copy_with(raw_path=path.partition("#")[0].encode())
        answer = client.send(request)
    assert answer.status_code in (400, 401, 404, 405) or answer.json().keys() == {"status", "version"}, path


# ---- logging in ----


def test_logging_in_begins_a_session_and_logging_out_ends_it(api: httpx.Client, store: Store) -> None:
    assert api.get("/api/v1/me").json()["method"] == "none"
    answer = log_in(api, "ada")
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age="))
    assert api.get("/api/v1/me").json()["roles"] == {"*": "admin"}
    session = answer.cookies["batuta_session"]
    assert session not in str(store._database.fetch("SELECT * FROM sessions"))
    api.post("/api/v1/logout", headers={"Origin": str(api.base_url)})
    again = httpx.get(f"{api.base_url}/api/v1/runs", cookies={"batuta_session": session})
    assert again.status_code == 401


def test_a_cookie_for_others_than_this_machine_travels_over_tls_only(api: httpx.Client) -> None:
    assert "Secure" not in log_in(api, "ada").headers["set-cookie"]
    from litestar.testing import RequestFactory

    from batuta.server.routes.accounts import session_cookie

    for url, secure in (("http://batuta.example", True), ("https://localhost", True), ("http://localhost", False)):
        request: Any = RequestFactory(server=url.partition("://")[2], scheme=url.partition(":")[0]).get()
        request.scope["headers"] = [(b"host", url.partition("://")[2].encode())]
        assert session_cookie(request, "x").secure is secure, url


def test_failed_tries_have_to_wait_longer_and_longer(api: httpx.Client, clock: Clock) -> None:
    for _ in range(5):
        assert log_in(api, "bob", "wrong").status_code == 401
    refused = log_in(api, "bob")
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)
    assert log_in(api, "ada").status_code == 429, "the address has to wait, too"
    clock.now += 3
    assert log_in(api, "bob").status_code == 200


def test_an_unknown_name_is_told_like_a_wrong_password(api: httpx.Client) -> None:
    one, other = log_in(api, "nobody", "wrong"), log_in(api, "ada", "wrong")
    assert (one.status_code, one.json()["detail"]) == (other.status_code, other.json()["detail"])
    assert log_in(api, "deploy", "").status_code in (400, 401)
    assert log_in(api, "deploy", "x").status_code == 401


def test_a_session_ends_in_time_and_with_its_account(api: httpx.Client, clock: Clock, store: Store) -> None:
    log_in(api, "bob")
    assert api.get("/api/v1/runs").status_code == 200
    clock.now += 13 * 3600
    assert api.get("/api/v1/runs").status_code == 401
    log_in(api, "bob")
    bob = store.accounts.get("bob")
    assert bob is not None
    store.accounts.put(AccountRow(name="bob", roles=bob.roles, password=bob.password, disabled=True), by="t", now=1.0)
    assert api.get("/api/v1/runs").status_code == 401
    assert log_in(api, "bob").status_code == 401


def test_a_changed_password_ends_other_sessions(api: httpx.Client, serve: Serve, accounts: Accounts) -> None:
    other = serve(accounts)
    log_in(api, "bob")
    log_in(other, "bob")
    origin = {"Origin": str(api.base_url)}
    wrong = api.put("/api/v1/me/password", json={"old": "nope", "new": "another horse battery"}, headers=origin)
    assert wrong.status_code == 401
    short = api.put("/api/v1/me/password", json={"old": PASSWORD, "new": "short"}, headers=origin)
    assert short.status_code == 400
    done = api.put("/api/v1/me/password", json={"old": PASSWORD, "new": "another horse battery"}, headers=origin)
    assert done.status_code == 200, done.text
    assert (api.get("/api/v1/runs").status_code, other.get("/api/v1/runs").status_code) == (200, 401)


# ---- tokens ----


def test_tokens_expire_are_revoked_and_kept_as_hashes(
    api: httpx.Client, token: Token, clock: Clock, store: Store
) -> None:
    headers = token("deploy", lasts_s=60.0)
    assert api.get("/api/v1/runs", headers=headers).status_code == 200
    (row,) = store.accounts.tokens("deploy")
    assert row.used_at is not None
    assert headers["Authorization"].partition(" ")[2] not in str(store._database.fetch("SELECT * FROM api_tokens"))
    clock.now += 61
    assert api.get("/api/v1/runs", headers=headers).status_code == 401
    lasting = token("deploy")
    made = store.accounts.tokens("deploy")[-1]
    assert api.delete(f"/api/v1/tokens/{made.id}", headers=token("ada")).json() == {"deleted": True}
    assert api.get("/api/v1/runs", headers=lasting).status_code == 401
    for wrong in ("Bearer x", "Bearer", "Bearer bat_", "Basic YWRhOmFkYQ==", f"Bearer {'a' * 5000}"):
        assert api.get("/api/v1/runs", headers={"Authorization": wrong}).status_code == 401, wrong


def test_a_token_may_at_most_what_its_account_may(api: httpx.Client, token: Token) -> None:
    launch = {"job": "nightly"}
    assert api.post("/api/v1/runs", json=launch, headers=token("deploy")).status_code == 201
    assert api.post("/api/v1/runs", json=launch, headers=token("deploy", {"*": "viewer"})).status_code == 403
    assert api.post("/api/v1/runs", json=launch, headers=token("deploy", {"shop": "admin"})).status_code == 201
    assert api.put("/api/v1/pools/a", json={"slots": 1}, headers=token("deploy", {"*": "admin"})).status_code == 403
    elsewhere = token("deploy", {"elsewhere": "operator"})
    assert api.post("/api/v1/runs", json=launch, headers=elsewhere).status_code == 403
    assert api.get("/api/v1/jobs", headers=elsewhere).json()["items"] == []


def test_a_token_makes_no_tokens(api: httpx.Client, token: Token) -> None:
    assert api.post("/api/v1/tokens", json={"title": "more"}, headers=token("ada")).status_code == 403
    log_in(api, "ada")
    origin = {"Origin": str(api.base_url)}
    made = api.post("/api/v1/tokens", json={"title": "CI", "account": "deploy", "days": 1}, headers=origin).json()
    assert made["text"].startswith("bat_")
    assert "hash" not in made["token"]
    log_in(api, "bob")
    assert api.post("/api/v1/tokens", json={"title": "x", "account": "ada"}, headers=origin).status_code == 403
    assert api.delete(f"/api/v1/tokens/{made['token']['id']}", headers=origin).status_code == 404


# ---- slips of authorisation (CVE-2026-45426, CVE-2026-22922, CVE-2026-22683) ----


def test_roles_count_at_the_location_of_the_thing(api: httpx.Client, token: Token) -> None:
    bob, vic = token("bob"), token("vic")
    run = api.post("/api/v1/runs", json={"job": "nightly"}, headers=bob).json()["run"]["id"]
    asked: tuple[tuple[str, dict[str, str] | None], ...] = (
        ("/api/v1/runs", {"job": "nightly"}),
        (f"/api/v1/runs/{run}/cancel", {}),
        (f"/api/v1/runs/{run}/retry", {}),
        ("/api/v1/locations/shop/reload", None),
    )
    for path, body in asked:
        assert api.post(path, json=body, headers=vic).status_code == 403, path
    assert api.get("/api/v1/assets/revenue/rows", headers=vic).status_code == 403
    assert api.get("/api/v1/assets/revenue/versions", headers=vic).status_code == 403
    changes: tuple[tuple[str, str, Any], ...] = (
        ("PUT", "/api/v1/pools/a", {"slots": 1}),
        ("PUT", "/api/v1/variables/a", {"value": 1}),
        ("PUT", "/api/v1/secrets/a", {"value": "x"}),
        ("PUT", "/api/v1/accounts/eve", {"roles": {"*": "admin"}, "password": "x" * 12}),
        ("DELETE", "/api/v1/accounts/ada", None),
        ("DELETE", "/api/v1/secrets/a", None),
        ("GET", "/api/v1/accounts", None),
        ("GET", "/api/v1/audit", None),
        ("GET", "/api/v1/tokens?account=*", None),
    )
    for method, path, body in changes:
        assert api.request(method, path, json=body, headers=bob).status_code == 403, path
    assert api.post(f"/api/v1/runs/{run}/cancel", json={}, headers=bob).status_code == 202


def test_what_is_at_a_hidden_location_is_not_seen(api: httpx.Client, token: Token, accounts: Accounts) -> None:
    hidden = token("vic", {"elsewhere": "viewer"})
    run = api.post("/api/v1/runs", json={"job": "nightly"}, headers=token("ada")).json()["run"]["id"]
    for path in ("runs", "jobs", "assets", "checks", "tickers", "ticks"):
        assert api.get(f"/api/v1/{path}", headers=hidden).json()["items"] == [], path
    assert api.get("/api/v1/lineage", headers=hidden).json()["nodes"] == []
    assert api.get("/api/v1/locations", headers=hidden).json()["items"] == []
    assert api.get("/api/v1/search?q=nightly", headers=hidden).json()["items"] == []
    assert api.get("/api/v1/home", headers=hidden).json()["counts"] == {}
    assert api.get("/api/v1/lineage/columns?of=orders", headers=hidden).json()["nodes"] == []
    for path in (f"runs/{run}", f"runs/{run}/tasks", f"runs/{run}/graph", "jobs/nightly", "assets/orders"):
        assert api.get(f"/api/v1/{path}", headers=hidden).status_code == 403, path


def test_the_last_admin_stays(api: httpx.Client, token: Token) -> None:
    ada = token("ada")
    assert api.delete("/api/v1/accounts/ada", headers=ada).status_code == 422
    assert api.put("/api/v1/accounts/ada", json={"roles": {"*": "viewer"}}, headers=ada).status_code == 422
    assert api.put("/api/v1/accounts/ada", json={"roles": {"*": "king"}}, headers=ada).status_code == 400
    second = {"roles": {"*": "admin"}, "password": "x" * 12}
    assert api.put("/api/v1/accounts/eve", json=second, headers=ada).json()["new"]
    assert api.delete("/api/v1/accounts/ada", headers=ada).json() == {"deleted": True}
    assert api.get("/api/v1/runs", headers=ada).status_code == 401


def test_the_first_account_over_the_network_is_an_admin(serve: Serve, store: Store) -> None:
    api = serve()
    viewer = api.put("/api/v1/accounts/bob", json={"roles": {"*": "viewer"}, "password": "x" * 12})
    assert viewer.status_code == 409
    assert api.put("/api/v1/accounts/ada", json={"roles": {"*": "admin"}, "password": "x" * 12}).status_code == 200
    assert "argon2" not in api.get("/api/v1/accounts").text
