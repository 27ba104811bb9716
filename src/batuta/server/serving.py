"""The server as a part of a process: bound to an address, started in a thread of its own, stopped gracefully.

Surprising: anywhere but on the loopback interface it refuses to start unless somebody has to log in. A server that is
open to a network by default is how orchestrators get taken over.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from batuta.core.errors import RequestError

if TYPE_CHECKING:
    from batuta.server.gate import App

STOP_S = 5
"""How long requests under way may take to end."""
START_S = 20.0

logger = logging.getLogger("batuta.server")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_open(host: str, *, authenticated: bool) -> None:
    """Raise RequestError where others could reach a server at which nobody has to log in."""
    if not authenticated and not is_loopback(host):
        raise RequestError(
            f"the server does not listen at {host} without accounts: whoever reaches it could run code here",
            hint="make one with `batuta accounts add NAME --role admin`, or listen at 127.0.0.1",
        )


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0: any that is free. Raises RequestError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        raise RequestError(f"cannot listen at {host}: {error.strerror or error}", hint="give another --host") from None
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer waits 40 ms for the peer's word
    try:
        sock.bind((host, port))
        sock.listen(512)
    except OSError as error:
        sock.close()
        raise RequestError(
            f"cannot listen at {host}:{port}: {(error.strerror or str(error)).lower()}",
            hint="is another server running there? give another --port",
        ) from None
    return sock


class ServerThread:
    """Serves an application on a socket until `stop`."""

    def __init__(self, app: App, sock: socket.socket, *, feeds: Iterable[Any] = ()) -> None:
        import uvicorn

        self._sock = sock
        self._feeds = list(feeds)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="on",
            server_header=False,
            timeout_graceful_shutdown=STOP_S,
            h11_max_incomplete_event_size=64 << 10,
            proxy_headers=False,
        )
        self._server = uvicorn.Server(config)
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._main, name="batuta-server", daemon=True)
        self.failure: BaseException | None = None

    @property
    def url(self) -> str:
        """Where it is reached."""
        host, port = self._sock.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Begin; returns once it answers. Raises what kept it from that."""
        self._thread.start()
        self._started.wait(START_S)
        if self.failure is not None:
            raise self.failure

    def stop(self) -> None:
        """Take no new requests, let those under way end, and end."""
        for feed in self._feeds:
            feed.close()
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP_S + 5)

    def wait(self) -> None:
        """Until it has ended."""
        self._thread.join()

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self.failure = error
            logger.error("the server has ended: %s", error)
        finally:
            self._started.set()
            self._sock.close()

    async def _serve(self) -> None:
        server = self._server
        serving = asyncio.create_task(server.serve(sockets=[self._sock]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
        self._started.set()
        await serving
