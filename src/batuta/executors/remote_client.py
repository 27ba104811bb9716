"""A worker's connection to one scheduler: opened, kept alive, and opened again when it breaks."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec

from batuta.core.errors import RequestError
from batuta.executors.remote_connection import QueuedConnection
from batuta.executors.remote_protocol import (
    PACKET_BYTES_MAX,
    VERSION,
    Hello,
    Refused,
    Welcome,
    packet,
    read_to,
)
from batuta.executors.remote_worker import RemoteWorker

logger = logging.getLogger("batuta.worker")

BEATS_PER_LEASE = 5
ANSWER_S = 10.0
RETRY_S, RETRY_S_MAX = 0.2, 5.0


def check_address(url: str) -> None:
    """Raise RequestError for what cannot be the address of a scheduler."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _no_address(url) from None
    if parts.scheme in ("http", "https") and parts.hostname:
        scheme = "wss" if parts.scheme == "https" else "ws"
        hint = f"write {scheme}://{parts.hostname}:8422, with the port of its [workers] listen, which is another"
        raise RequestError(f"{url!r} is an address of the API, and workers have one of their own", hint=hint)
    if parts.scheme not in ("ws", "wss") or not parts.hostname or port == 0:
        raise _no_address(url)


def _no_address(url: str) -> RequestError:
    hint = "it looks like ws://host:8422, or wss://host:8422 with TLS"
    return RequestError(f"{url!r} is no address of a scheduler", hint=hint)


@dataclass(frozen=True, slots=True)
class Introduction:
    """Who connects. `definitions` is what its location defines, encoded."""

    url: str
    token: str
    worker: str
    location: str
    slots: int
    started_at: float
    definitions: bytes


class RemoteClient:
    """Connects `worker` in threads of its own until `stop`. `refused` is told where trying again does not help."""

    def __init__(self, worker: RemoteWorker, who: Introduction, refused: Callable[[RequestError], None]) -> None:
        self._worker = worker
        self._who = who
        self._refused = refused
        self._stopping = threading.Event()
        self._is_welcome = False
        self._thread = threading.Thread(target=self._main, name="batuta-remote", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def stop(self) -> None:
        """Connect no more; what was said is sent first."""
        self._stopping.set()

    def join(self, timeout_s: float) -> None:
        """Wait until the last connection is closed."""
        self._thread.join(timeout_s)

    def _main(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._is_welcome = False
            try:
                self._connect()
            except RequestError as error:
                self._refused(error)
                return
            except Exception as error:
                logger.log(logging.WARNING if not failures else logging.DEBUG, "%s: %s", self._who.url, error)
            failures = 0 if self._is_welcome else failures + 1
            pause_s = min(RETRY_S * 2**failures, RETRY_S_MAX)
            self._stopping.wait(pause_s * random.uniform(0.5, 1.0))

    def _connect(self) -> None:
        """One connection, from its first word to its end. Raises RequestError where the scheduler does not want us."""
        from websockets.exceptions import InvalidStatus, InvalidURI
        from websockets.sync.client import connect

        try:
            opened = connect(
                self._who.url,
                additional_headers={"Authorization": f"Bearer {self._who.token}"},
                max_size=PACKET_BYTES_MAX,
                open_timeout=ANSWER_S,
                compression=None,
                ping_interval=None,
            )
        except InvalidURI:
            raise _no_address(self._who.url) from None
        except InvalidStatus as error:
            status = error.response.status_code
            if status != HTTPStatus.UNAUTHORIZED:
                what = f"no scheduler listens for workers there: the answer is HTTP {status}"
                hint = "connect to the port of [workers] listen, which is not that of the API"
                raise ConnectionError(f"{what}; {hint}") from None
            hint = "give both the same BATUTA_WORKER_TOKEN"
            raise RequestError("the token is not the scheduler's", where=self._who.url, hint=hint) from None
        with opened as socket:
            asked_at = time.monotonic()
            hello = Hello(
                VERSION,
                self._worker.session_id,
                self._worker.received,
                self._who.worker,
                self._who.location,
                self._who.slots,
                self._who.started_at,
                self._who.definitions,
            )
            socket.send(packet(0, 0, hello))
            welcome = read_to(_bytes(socket.recv(ANSWER_S))).message
            if isinstance(welcome, Refused):
                if welcome.final:
                    raise RequestError(welcome.what, where=self._who.url, hint=welcome.hint or None)
                raise ConnectionError(welcome.what)
            if not isinstance(welcome, Welcome):
                raise ConnectionError("it does not answer as a scheduler does")
            self._converse(socket, welcome, asked_at)

    def _converse(self, socket: Any, welcome: Welcome, asked_at: float) -> None:
        from websockets.exceptions import ConnectionClosed

        self._is_welcome = True
        connection = QueuedConnection(socket)
        worker = self._worker
        worker.post(lambda: worker.welcome(welcome, connection, asked_at))
        logger.info("connected to %s", self._who.url)
        over = threading.Event()
        beats = threading.Thread(target=self._beat, args=(over, welcome.lease_s, connection), daemon=True)
        beats.start()
        try:
            while True:
                heard = read_to(_bytes(socket.recv()))
                worker.post(lambda heard=heard: worker.hear(connection, heard))  # type: ignore[misc]
        except ConnectionClosed:
            return
        except msgspec.MsgspecError as error:
            raise ConnectionError(f"it said what makes no sense: {error}") from None
        finally:
            over.set()
            worker.post(lambda: worker.disconnected(connection))
            connection.close()

    def _beat(self, over: threading.Event, lease_s: float, connection: QueuedConnection) -> None:
        while not over.wait(lease_s / BEATS_PER_LEASE):
            self._worker.post(self._worker.beat)
            if self._stopping.is_set():
                with contextlib.suppress(Exception):
                    connection.close()


def _bytes(data: Any) -> bytes:
    if not isinstance(data, bytes):
        raise ConnectionError("it does not speak our protocol")
    return data
