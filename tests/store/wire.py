"""A wire to a PostgreSQL server that can be cut: between calls, before a COMMIT arrives, or before its answer does."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Literal

import psycopg
from sqlalchemy import make_url

Cut = Literal["", "before", "after"]
_COMMIT = b"COMMIT\x00"


class Wire:
    """Forwards connections on a local port to a server."""

    def __init__(self, target: str) -> None:
        url = make_url(target)
        with psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
            self._host, self._port = connection.info.host, connection.info.port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: set[socket.socket] = set()
        self.cut: Cut = ""
        """When to break the next connection that commits: before the server hears of it, or after it has answered."""
        self.connections = 0
        self.refusing = False
        host, port = self._listener.getsockname()
        query = {key: value for key, value in url.query.items() if key not in ("host", "port")}
        self.url = url.set(host=host, port=port, query=query).render_as_string(hide_password=False)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            self.connections += 1
            server = self._reach()
            self._ends |= {client, server}
            committed = threading.Event()
            threading.Thread(target=self._to_server, args=(client, server, committed), daemon=True).start()
            threading.Thread(target=self._to_client, args=(client, server, committed), daemon=True).start()

    def _reach(self) -> socket.socket:
        if self._host.startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{self._host}/.s.PGSQL.{self._port}")
            return server
        return socket.create_connection((self._host, self._port))

    def _to_server(self, client: socket.socket, server: socket.socket, committed: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65_536):
                if self.cut and _COMMIT in data:
                    if self.cut == "before":
                        break
                    committed.set()
                server.sendall(data)
        self._close(client, server)

    def _to_client(self, client: socket.socket, server: socket.socket, committed: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65_536):
                if committed.is_set():
                    break
                client.sendall(data)
        self._close(client, server)

    def _close(self, *ends: socket.socket) -> None:
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def drop(self) -> None:
        """Break all connections there are."""
        self._close(*self._ends)
        self._ends.clear()

    def close(self) -> None:
        self._listener.close()
        self.drop()


@contextlib.contextmanager
def wire_to(target: str) -> Iterator[Wire]:
    wire = Wire(target)
    try:
        yield wire
    finally:
        wire.close()
