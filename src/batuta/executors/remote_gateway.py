"""Where remote workers connect: a WebSocket server in the scheduler's process, and who is let in.

A worker that is not known, or whose session has ended meanwhile, begins a new one; one that comes back within its lease
goes on where it was. `take` decides which executor a newcomer works for.
"""

from __future__ import annotations

import contextlib
import hmac
import logging
import secrets
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec

from batuta.core.errors import BatutaError, InvariantError, RequestError
from batuta.executors.remote import RemoteExecutor
from batuta.executors.remote_connection import QueuedConnection
from batuta.executors.remote_files import RunFiles
from batuta.executors.remote_link import RemoteLink
from batuta.executors.remote_protocol import (
    PACKET_BYTES_MAX,
    VERSION,
    Hello,
    Refused,
    Welcome,
    packet,
    read_from,
)

logger = logging.getLogger("batuta.remote")

_quiet = logging.getLogger("batuta.remote.connections")
_quiet.setLevel(logging.CRITICAL)  # whoever knocks and goes away again is no news

HELLO_S = 10.0
TOKEN_CHARS_MIN = 16

Take = Callable[[Hello], RemoteExecutor]
"""The executor that a worker is to work for; loads what it defines. Raises BatutaError to refuse it."""


class RemoteGateway:
    """Listens from `start` to `stop`. `port` 0 takes any that is free; `address` tells."""

    def __init__(
        self, host: str, port: int, token: str, take: Take, files: RunFiles, *, lease_s: float, tls: Any = None
    ) -> None:
        if len(token) < TOKEN_CHARS_MIN:
            what = (
                f"the token of remote workers has {len(token)} characters" if token else "remote workers need a token"
            )
            raise RequestError(what, hint=f"set BATUTA_WORKER_TOKEN to a random text of {TOKEN_CHARS_MIN} or more")
        self._host, self._port = host, port
        self._token = token.encode()
        self._take = take
        self._files = files
        self._lease_s = lease_s
        self._tls = tls
        self._server: Any = None
        self._thread: threading.Thread | None = None
        self._sessions: dict[str, tuple[RemoteExecutor, RemoteLink]] = {}
        self._lock = threading.Lock()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._server.socket.getsockname()[:2]
        return host, port

    def start(self) -> None:
        """Begin to listen. Raises RequestError where the address cannot be had."""
        from websockets.sync.server import serve

        try:
            self._server = serve(
                self._serve,
                self._host,
                self._port,
                ssl=self._tls,
                process_request=self._admit,
                logger=_quiet,
                max_size=PACKET_BYTES_MAX,
                compression=None,
                ping_interval=None,
            )
        except OSError as error:
            where = f"{self._host}:{self._port}"
            hint = "set [workers] listen in batuta.toml to another address"
            raise RequestError(f"nothing can listen there: {error.strerror}", where=where, hint=hint) from None
        self._thread = threading.Thread(target=self._server.serve_forever, name="batuta-gateway", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more workers."""
        if self._server is not None:
            self._server.shutdown()
        if self._thread is not None:
            self._thread.join(HELLO_S)

    # ---- a connection ----

    def _admit(self, socket: Any, request: Any) -> Any:
        """Whoever has not the token is sent away before anything else is read."""
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        if hmac.compare_digest(given, self._token):
            return None
        return socket.respond(HTTPStatus.UNAUTHORIZED, "the token is not the scheduler's\n")

    def _serve(self, socket: Any) -> None:
        """In a thread of the connection's own."""
        from websockets.exceptions import WebSocketException

        try:
            hello = read_from(socket.recv(HELLO_S)).message
            if not isinstance(hello, Hello):
                raise RequestError("a worker says hello first")
            self._check(hello)
            executor, link, resumed = self._session(hello)
        except BatutaError as error:
            logger.warning("a worker was refused: %s", error)
            self._refuse(socket, error)
            return
        except (msgspec.MsgspecError, WebSocketException, TimeoutError, TypeError):
            return  # not one of ours
        self._converse(socket, hello, executor, link, resumed)

    def _check(self, hello: Hello) -> None:
        if hello.version != VERSION:
            what = f"the worker speaks version {hello.version} of the protocol, the scheduler {VERSION}"
            raise RequestError(what, hint="install the same version of Batuta on both")

    def _session(self, hello: Hello) -> tuple[RemoteExecutor, RemoteLink, bool]:
        with self._lock:
            self._sessions = {i: found for i, found in self._sessions.items() if not found[1].is_lost}
            known = self._sessions.get(hello.session)
            if known is not None:
                return (*known, True)
        executor = self._take(hello)
        link = RemoteLink(secrets.token_urlsafe(16), hello.worker, hello.slots, self._files, self._lease_s)
        with self._lock:
            self._sessions[link.session_id] = (executor, link)
        return executor, link, False

    def _refuse(self, socket: Any, error: BatutaError) -> None:
        from websockets.exceptions import WebSocketException

        with contextlib.suppress(WebSocketException, OSError):
            final = isinstance(error, RequestError)
            socket.send(packet(0, 0, Refused(error.what, error.hint or "", final)))
            socket.close()

    def _converse(self, socket: Any, hello: Hello, executor: RemoteExecutor, link: RemoteLink, resumed: bool) -> None:
        from websockets.exceptions import WebSocketException

        connection = QueuedConnection(socket)
        executor.post(lambda: self._connect(connection, hello, executor, link, resumed))
        try:
            while True:
                heard = read_from(socket.recv())
                executor.post(lambda heard=heard: executor.hear(link, heard.number, heard.received, heard.message))  # type: ignore[misc]
        except (WebSocketException, msgspec.MsgspecError, TypeError, OSError):
            return
        finally:
            executor.post(lambda: link.disconnect(connection))
            connection.close()

    def _connect(
        self,
        connection: QueuedConnection,
        hello: Hello,
        executor: RemoteExecutor,
        link: RemoteLink,
        resumed: bool,
    ) -> None:
        """In the engine's thread."""
        if link.is_lost:
            connection.abort()  # meanwhile: it is to begin a new one
            return
        connection.send(packet(0, 0, Welcome(link.session_id, resumed, link.received, self._lease_s)))
        try:
            link.connect(connection, hello.received if resumed else 0)
        except InvariantError as error:
            executor.lose(link, str(error))
            return
        if resumed:
            executor.reconnected()
        else:
            executor.attach(link)
