"""Noticing that another process has written to the store, without asking for what.

On SQLite a number that changes with every commit of others is looked at (20 us) a few dozen times a second; on
PostgreSQL whoever queues or asks for something says so, and a connection listens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from batuta.core.errors import BatutaError
from batuta.store.store import Store

POLL_S = 0.04
PATIENCE_S = 1.0
"""How long to wait after the store could not be reached."""


class News:
    """A thread that calls `heard` with the topics that others have written about, until `stop`.

    Also with none, a few times a second or once: for what was put off.
    """

    def __init__(self, store: Store, heard: Callable[[Iterable[str]], None]) -> None:
        self._store = store
        self._heard = heard
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._main, name="batuta-news", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """End; waits for it."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _main(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._store.listen() as listener:
                    self._heard({"*"})  # whatever was said while nobody listened
                    while not self._stopping.is_set():
                        topics = listener.wait(
                            POLL_S if self._store.dialect == "sqlite" else PATIENCE_S, self._stopping
                        )
                        self._heard(topics)
            except BatutaError:
                self._stopping.wait(PATIENCE_S)
