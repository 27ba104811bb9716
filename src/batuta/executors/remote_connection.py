"""One end of a WebSocket. Its packets are sent by a thread of its own: whoever has something to say never waits."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from typing import Any


class QueuedConnection:
    """See `remote_link.Connection`. `websocket` is a connection of `websockets.sync`."""

    def __init__(self, websocket: Any) -> None:
        self._socket = websocket
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._main, name="batuta-remote-send", daemon=True)
        self._thread.start()

    def send(self, data: bytes) -> None:
        """Send a packet, soon."""
        self._queue.put(data)

    def close(self) -> None:
        """Close it, once what was said before is sent."""
        self._queue.put(None)

    def abort(self) -> None:
        """Close it at once, whatever was said: the other side is not there."""
        self._queue.put(None)
        with contextlib.suppress(OSError):
            self._socket.socket.shutdown(socket.SHUT_RDWR)

    def _main(self) -> None:
        from websockets.exceptions import WebSocketException

        with contextlib.suppress(WebSocketException, OSError):
            while (data := self._queue.get()) is not None:
                self._socket.send(data)
        with contextlib.suppress(WebSocketException, OSError):
            self._socket.close()
