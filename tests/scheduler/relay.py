"""A TCP relay on loopback that a test can cut: connections broken, or swallowed without a word."""

from __future__ import annotations

import contextlib
import select
import socket
import threading


class Relay:
    """Passes bytes on between whoever connects and `target`. Use it as a context manager."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._is_open = threading.Event()
        self._is_open.set()
        self._closed = False
        self.accepted = 0

    @property
    def url(self) -> str:
        host, port = self._listener.getsockname()
        return f"ws://{host}:{port}"

    def __enter__(self) -> Relay:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._is_open.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in accept
        self._listener.close()
        self.break_all()

    def stall(self) -> None:
        """The network is cut: nothing passes, and nobody is told."""
        self._is_open.clear()

    def heal(self) -> None:
        """It works again, also for what was under way."""
        self._is_open.set()

    def break_all(self) -> None:
        """All connections break; new ones may be made."""
        pairs, self._pairs = self._pairs, []
        for each in (sock for pair in pairs for sock in pair):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._closed:
            try:
                ours, _ = self._listener.accept()
            except OSError:
                return
            self._is_open.wait()
            try:
                theirs = socket.create_connection(self._target)
            except OSError:
                ours.close()
                continue
            self.accepted += 1
            self._pairs.append((ours, theirs))
            for source, sink in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while True:
                select.select([source], [], [])
                self._is_open.wait()
                data = source.recv(1 << 16)
                if not data:
                    break
                sink.sendall(data)
        except (OSError, ValueError):
            pass
        for sock in (source, sink):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        source.close()
