"""A few threads that look at the outside for the engine. One that hangs holds up neither the engine nor its end."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

logger = logging.getLogger("batuta.engine")


class Prober:
    """Runs what it is given, in the order given, `threads_max` at a time; the threads start when there is work."""

    def __init__(self, threads_max: int, name: str = "batuta-probe") -> None:
        self._threads_max = threads_max
        self._name = name
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._lock = threading.Lock()

    def submit(self, work: Callable[[], None]) -> None:
        """Have `work` done soon; what it raises is logged."""
        with self._lock:
            if not self._idle and len(self._threads) < self._threads_max:
                thread = threading.Thread(target=self._main, name=f"{self._name}-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
        self._work.put(work)

    def stop(self) -> None:
        """End the threads once what they do is done; does not wait for them."""
        for _ in self._threads:
            self._work.put(None)

    def _main(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            work = self._work.get()
            with self._lock:
                self._idle -= 1
            if work is None:
                return
            try:
                work()
            except Exception:
                logger.exception("a look at the outside failed")
