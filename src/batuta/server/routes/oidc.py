"""`/login/oidc`: leaving for the provider, and coming back."""

from __future__ import annotations

from typing import Annotated as A
from typing import Any

from litestar import Controller, Request, Response, get
from litestar.datastructures import Cookie
from litestar.di import NamedDependency

from batuta.server.access import PUBLIC
from batuta.server.accounts import Accounts
from batuta.server.backend import Backend
from batuta.server.oidc import COOKIE, LASTS_S, Oidc
from batuta.server.problems import NotFound
from batuta.server.routes.accounts import session_cookie
from batuta.server.routes.base import query

BACK = "/api/v1/login/oidc/callback"


class OidcRoutes(Controller):
    """See the module."""

    tags = ("access",)

    @get(
        "/login/oidc",
        operation_id="logInElsewhere",
        summary="Log in elsewhere",
        status_code=302,
        sync_to_thread=True,
        opt={"role": PUBLIC},
    )
    def leave(
        self,
        request: Request[Any, Any, Any],
        backend: NamedDependency[Backend],
        then: A[str, query("The page of the UI to come back to.", "next", max_length=2000)] = "/",
    ) -> Response[None]:
        """Send the browser to the OpenID provider."""
        place, kept = _oidc(backend).begin(_back(request, backend), then)
        return Response(None, status_code=302, headers={"Location": place}, cookies=[_cookie(request, kept, LASTS_S)])

    @get(
        "/login/oidc/callback",
        operation_id="comeBack",
        summary="Come back from the provider",
        status_code=302,
        sync_to_thread=True,
        opt={"role": PUBLIC, "any_query": True},
    )
    def come_back(
        self,
        request: Request[Any, Any, Any],
        backend: NamedDependency[Backend],
        accounts: NamedDependency[Accounts],
        given_state: A[str, query("What was sent with the browser.", "state", max_length=1000)] = "",
        code: A[str, query("What the provider gave for a token.", max_length=5000)] = "",
    ) -> Response[None]:
        """Begin the session of who has logged in, and send the browser to where it was."""
        kept = request.cookies.get(COOKIE, "")
        account, then = _oidc(backend).finish(kept, given_state, code, _back(request, backend), backend.store)
        session = accounts.begin_session(account.name, request.headers.get("user-agent", ""))
        cookies = [session_cookie(request, session), _cookie(request, "", 0)]
        return Response(None, status_code=302, headers={"Location": then}, cookies=cookies)


def _oidc(backend: Backend) -> Oidc:
    if backend.oidc is None:
        raise NotFound("one cannot log in elsewhere here", hint="[server.oidc] in batuta.toml says where")
    return backend.oidc


def _back(request: Request[Any, Any, Any], backend: Backend) -> str:
    """Where the provider sends the browser: as the configuration says, or to the name by which we were called."""
    public = backend.project.config.server.oidc.public_url
    if public:
        return public.rstrip("/") + BACK
    host = request.headers.get("host", "")
    return f"{request.url.scheme}://{host}{BACK}"


def _cookie(request: Request[Any, Any, Any], value: str, max_age: int) -> Cookie:
    secure = session_cookie(request, "").secure
    return Cookie(
        key=COOKIE, value=value, max_age=max_age, path="/api/v1/login", httponly=True, samesite="lax", secure=secure
    )
