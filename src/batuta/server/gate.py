"""The gate that every request goes through before it meets a route: is it meant for us, who sends it, is it forged.

In this order: the Host header (a page elsewhere whose name resolves to this machine gets nothing: DNS rebinding), the
origin of what changes things (a page elsewhere cannot act with somebody's cookie: CSRF), then who asks. On the way out:
headers that keep browsers from running or framing what they should not, and entity tags for conditional requests.
Surprising: also what needs no cookie is refused to other origins, since on loopback nobody has to log in.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import quote, unquote

from batuta.core.errors import BatutaError
from batuta.server import problems
from batuta.server.access import Principal
from batuta.server.accounts import Accounts, Authenticator, OpenToLocal, cookie_of
from batuta.server.authentication import ByBackend
from batuta.server.bodies import Message, Receive, Send, check_query, checked_body
from batuta.server.problems import Forbidden, Problem, Refused
from batuta.server.static_ui import StaticUi

App = Callable[[Any, Any, Any], Awaitable[None]]

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
SLASH = "\u2215"
"""Stands for a `/` inside of one part of a path."""
WEBHOOKS = "/api/v1/webhooks/"
"""What comes here is signed, and read by no handler before that is verified."""
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
ETAG_BYTES_MAX = 4 << 20


class Gate:
    """See the module. `hosts`: the names by which the server may be called, without ports; `*`: any."""

    def __init__(
        self,
        app: App,
        authenticator: Authenticator,
        hosts: Iterable[str] = LOOPBACK_HOSTS,
        ui: StaticUi | None = None,
    ) -> None:
        self._app = app
        self._ui = ui or StaticUi()
        self._authenticator = authenticator
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            else:  # no WebSocket is served; one that is closed before it is accepted is answered with 403
                await receive()
                await send({"type": "websocket.close", "code": 1008})
            return
        headers = _headers(scope)
        reply = _Reply(send, scope["method"], headers.get("if-none-match", ""))
        try:
            self._check_host(headers)
            self._check_origin(scope["method"], headers)
            check_query(scope.get("query_string") or b"", scope.get("raw_path") or b"")
            file = self._ui.find(scope["path"]) if scope["method"] == "GET" else None
            if file is not None:
                await self._ui.give(file, headers, reply)
                return
            scope["user"] = await self._who(scope, headers)
            if scope["method"] not in SAFE:
                signed = scope["path"].startswith(WEBHOOKS)
                receive = await checked_body(receive, headers, any_kind=signed)
        except BatutaError as error:
            extra = error.headers if isinstance(error, Refused) else {}
            await _refuse(reply, problems.of_error(error), extra)
            return
        if scope["method"] == "OPTIONS":  # nothing to say to pages of other origins, which is who asks
            await reply({"type": "http.response.start", "status": 204, "headers": []})
            await reply({"type": "http.response.body", "body": b"", "more_body": False})
            return
        _keep_slashes(scope)
        await self._app(scope, receive, reply)
        await reply.end()

    async def _who(self, scope: Message, headers: dict[str, str]) -> Principal | None:
        import asyncio

        if isinstance(self._authenticator, OpenToLocal):
            return self._authenticator.authenticate(headers)
        if isinstance(self._authenticator, Accounts) and (who := self._authenticator.at_once(headers)):
            return who
        client = str((scope.get("client") or ("",))[0])
        if isinstance(self._authenticator, ByBackend):
            return await self._authenticator.in_time(headers, client)
        return await asyncio.to_thread(self._authenticator.authenticate, headers, client)

    def _check_host(self, headers: dict[str, str]) -> None:
        if "*" in self._hosts:
            return
        host = _without_port(headers.get("host", ""))
        if host not in self._hosts:
            raise Refused(
                "bad-request",
                400,
                f"this server is not called {host[:200]!r}",
                hint="add the name to [server] hosts in batuta.toml",
            )

    def _check_origin(self, method: str, headers: dict[str, str]) -> None:
        if method in SAFE:
            return
        site = headers.get("sec-fetch-site")
        if site is not None and site not in ("same-origin", "none"):
            raise Forbidden("a page of another site may not do that", hint="use the API with a token")
        origin = headers.get("origin")
        if origin is None and site is None and cookie_of(headers):
            raise Forbidden("a request with a session's cookie has to say which page it is of", hint="send Origin")
        if origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower():
            raise Forbidden(f"a page of {origin[:200]} may not do that", hint="use the API with a token")


def names_of(sock: socket.socket) -> tuple[str, ...]:
    """The names by which a server on this socket may be called, if nobody names others."""
    address = str(sock.getsockname()[0])
    shown = f"[{address}]" if ":" in address else address
    unspecified = address in ("0.0.0.0", "::")
    own = (socket.gethostname().lower(), socket.getfqdn().lower()) if unspecified else (shown,)
    return (*LOOPBACK_HOSTS, *own)


def _headers(scope: Message) -> dict[str, str]:
    """Headers by name; one that is sent twice has both values, so that none of them hides behind the other."""
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name, text = raw.decode("latin-1"), value.decode("latin-1")
        between = "; " if name == "cookie" else ", "
        found[name] = f"{found[name]}{between}{text}" if name in found else text
    return found


def _keep_slashes(scope: Message) -> None:
    """A `%2F` in the path is part of a name, not the end of one: routes see `SLASH` in its place."""
    raw: bytes = scope.get("raw_path") or b""
    if b"%2f" in raw.lower():
        written = raw.partition(b"?")[0].replace(b"%2f", b"%2F").replace(b"%2F", quote(SLASH).encode())
        scope["path"] = unquote(written.decode("latin-1"))


def _without_port(host: str) -> str:
    host = host.lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


async def _refuse(send: Send, found: Problem, extra: dict[str, str]) -> None:
    body = problems.encoded(found)
    headers = [
        (b"content-type", problems.MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in extra.items()),
    ]
    start: Any = {"type": "http.response.start", "status": found.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})


class _Reply:
    """Sends on what the application answers, with our headers; of a GET's JSON with its entity tag."""

    def __init__(self, send: Send, method: str, if_none_match: str) -> None:
        self._send = send
        self._method = method
        self._if_none_match = if_none_match
        self._start: Any = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            start: Any = message
            names = {name.lower() for name, _ in start["headers"]}
            start["headers"] = [*start["headers"], *((name, value) for name, value in HEADERS if name not in names)]
            kind = dict(start["headers"]).get(b"content-type", b"")
            if b"cache-control" not in names:
                start["headers"].append((b"cache-control", b"no-cache" if self._method in SAFE else b"no-store"))
            if self._method == "GET" and start["status"] == 200 and kind.startswith(b"application/json"):
                self._start = start
                return
            await self._send(start)
            return
        if self._start is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        self._body += message["body"]
        if not message.get("more_body"):
            await self._tagged()
        elif len(self._body) > ETAG_BYTES_MAX:
            await self._send(self._start)
            await self._send({"type": "http.response.body", "body": self._body, "more_body": True})
            self._start = None

    async def _tagged(self) -> None:
        start, self._start = self._start, None
        tag = f'"{hashlib.blake2b(self._body, digest_size=12).hexdigest()}"'
        headers = [*start["headers"], (b"etag", tag.encode())]
        if tag in [one.strip().removeprefix("W/") for one in self._if_none_match.split(",")]:
            kept = [
                (name, value) for name, value in headers if name.lower() not in (b"content-length", b"content-type")
            ]
            await self._send({"type": "http.response.start", "status": 304, "headers": kept})
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        await self._send({**start, "headers": headers})
        await self._send({"type": "http.response.body", "body": self._body, "more_body": False})

    async def end(self) -> None:
        """The application is done; give out what was held back, should it have ended early."""
        if self._start is not None:
            await self._tagged()
