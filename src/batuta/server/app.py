"""The application: routes, what they are given, how errors are told, and its description as OpenAPI."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from batuta.server import problems
from batuta.server.access import HIDDEN, Principal, check_role, local_principal
from batuta.server.accounts import Accounts
from batuta.server.backend import Backend
from batuta.server.bodies import BODY_BYTES_MAX
from batuta.server.feed import Feed
from batuta.server.launching import Launcher
from batuta.server.openapi import described
from batuta.server.query_names import check_query_names
from batuta.server.routes.registry import CONTROLLERS, ROOT

PREFIX = "/api/v1"


class Described:
    """The application's description, made when first asked for."""

    def __init__(self) -> None:
        self.app: Litestar | None = None

    @functools.cached_property
    def document(self) -> dict[str, Any]:
        """The OpenAPI document."""
        assert self.app is not None
        return described(self.app.openapi_schema.to_schema())

    @functools.cached_property
    def encoded(self) -> bytes:
        """The same as JSON."""
        return msgspec.json.encode(self.document)


def create_app(backend: Backend, *, launcher: Launcher | None = None, accounts: Accounts | None = None) -> Litestar:
    """The API over a backend."""
    description = Described()
    given = State(given_to_handlers(backend, launcher, accounts) | {"description": description})
    app = Litestar(
        route_handlers=[Router(PREFIX, route_handlers=list(CONTROLLERS), guards=[check_query_names]), *ROOT],
        dependencies={
            "who": Provide(_who, sync_to_thread=False),
            **{name: Provide(_giving(given, name), sync_to_thread=False) for name in given},
        },
        guards=[check_role],
        exception_handlers={Exception: tell},
        openapi_config=OpenAPIConfig(
            title="Batuta",
            version="1",
            use_handler_docstrings=True,
            openapi_router=Router("/-/schema", route_handlers=[], opt={"role": HIDDEN}),
            render_plugins=[JsonRenderPlugin()],
        ),
        logging_config=None,
        signature_types=[Accounts, Backend, Described, Feed, Launcher, Principal],
        request_max_body_size=BODY_BYTES_MAX,
        state=given,
    )
    description.app = app
    return app


def given_to_handlers(
    backend: Backend, launcher: Launcher | None = None, accounts: Accounts | None = None
) -> dict[str, Any]:
    """What handlers are given by name: the part of an application's state that is about one backend."""
    return {
        "backend": backend,
        "launcher": launcher or Launcher(backend),
        "accounts": accounts or Accounts(backend.store, backend.clock),
        "feed": Feed(backend.store),
    }


def _giving(state: State, name: str) -> Callable[[], Any]:
    def give() -> Any:
        return state[name]

    return give


def _who(request: Request[Any, Any, Any]) -> Principal:
    who = request.scope.get("user")
    return who if isinstance(who, Principal) else local_principal("nobody")


def tell(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """An error as a problem."""
    headers: dict[str, str] = {}
    if isinstance(error, HTTPException):
        found = problems.of_status(error.status_code, error.detail, problems.field_problems(error.extra))
        headers = dict(error.headers or {})
    else:
        found = problems.of_error(error)
        if isinstance(error, problems.Refused):
            headers = error.headers
    return Response(problems.encoded(found), status_code=found.status, media_type=problems.MEDIA_TYPE, headers=headers)
