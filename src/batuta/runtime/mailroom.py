"""A thread that reads a worker's mail while the worker's main thread is in a flow's body, which waits for others.

It is the transport of the flow's session, too: replies and ends of task runs arrive here, and wake whoever waits.
"""

from __future__ import annotations

import selectors
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from batuta.runtime.live import Live
from batuta.runtime.protocol import Ask, Reply, Submit, TaskEnded

if TYPE_CHECKING:
    from batuta.runtime.worker import Worker

Ended = Callable[[TaskEnded], None]


class Mailroom:
    """See `runtime.flow_session.Transport`."""

    live: Live | None = None

    def __init__(self, worker: Worker) -> None:
        self.interrupts = worker.interrupts
        self._worker = worker
        self._listeners: dict[int, Ended] = {}
        self._waiting: dict[int, tuple[threading.Event, list[Reply]]] = {}
        self._stop_read, self._stop_write = socket.socketpair()
        self._thread: threading.Thread | None = None

    def start(self, sock: socket.socket, take: Callable[[], None]) -> None:
        """Call `take` whenever there is something to read."""
        self._thread = threading.Thread(target=self._watch, args=(sock, take), name="batuta-mail", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """From here on somebody else reads."""
        self._stop_write.send(b"x")
        if self._thread is not None:
            self._thread.join()
        self._stop_read.close()
        self._stop_write.close()

    def _watch(self, sock: socket.socket, take: Callable[[], None]) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        with selectors.DefaultSelector() as selector:
            selector.register(sock, selectors.EVENT_READ)
            selector.register(self._stop_read, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if sock in ready:
                    take()
                elif self._stop_read in ready:
                    return

    # ---- what the session wants ----

    def submit(self, message: Submit) -> None:
        """See the port."""
        self._worker.send([message])

    def here(self) -> AbstractContextManager[None]:
        """See the port: a worker's calls are run by other workers."""
        return nullcontext()

    def listen(self, run_id: int, ended: Ended | None) -> None:
        """See the port."""
        if ended is None:
            self._listeners.pop(run_id, None)
        else:
            self._listeners[run_id] = ended

    def ask(self, what: str | Ask, data: dict[str, Any] | None = None) -> Any:
        """As a transport: `ask(what, data)` gives the answer. For the worker: `ask(message)` gives the reply."""
        if isinstance(what, str):
            return self._worker.ask(what, data or {})
        event: threading.Event = threading.Event()
        box: list[Reply] = []
        self._waiting[what.id] = (event, box)
        self._worker.send([what])
        event.wait()
        return box[0]

    # ---- what arrives ----

    def deliver(self, replies: dict[int, Reply]) -> None:
        """Hand replies to those who wait for them."""
        for ask_id in list(replies):
            waiting = self._waiting.pop(ask_id, None)
            if waiting is not None:
                waiting[1].append(replies.pop(ask_id))
                waiting[0].set()

    def ended(self, message: TaskEnded) -> None:
        """A task run has ended."""
        listener = self._listeners.get(message.run_id)
        if listener is not None:
            listener(message)
