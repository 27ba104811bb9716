"""A running attempt in a thread: how it asks the engine, how it is interrupted, and how it is given up.

It is the transport of a flow's session, too, where the attempt is that of a flow's body.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from batuta.executors.port import Heard
from batuta.runtime.interrupts import Interrupts
from batuta.runtime.live import Live
from batuta.runtime.protocol import Ask, Reply, StepRequest, Submit, TaskEnded, answer_of

if TYPE_CHECKING:
    from batuta.runtime.flow_session import CallHere

Ended = Callable[[TaskEnded], None]


class ThreadAttempt:
    """Made by the thread that is about to run it. See `runtime.flow_session.Transport`, `authoring.context.Talk`."""

    def __init__(
        self,
        request: StepRequest,
        live: Live,
        tell: Callable[[Heard], None],
        interrupts: Interrupts,
        here: Callable[[ThreadAttempt], AbstractContextManager[CallHere | None]],
    ) -> None:
        self.request = request
        self.live: Live | None = live
        self.thread = threading.current_thread()
        self.since = time.time()
        self.interrupts = interrupts
        self.over = False
        self._tell = tell
        self._here = here
        self._ids = 0
        self._lock = threading.Lock()
        self._waiting: dict[int, tuple[threading.Event, list[Reply]]] = {}
        self._listeners: dict[int, Ended] = {}

    @property
    def is_of_this_thread(self) -> bool:
        """Whether it runs in the thread that asks."""
        return threading.current_thread() is self.thread

    def end(self) -> bool:
        """It has come to its end; False if it was abandoned before."""
        with self._lock:
            was_over, self.over = self.over, True
        return not was_over

    def abandon(self) -> bool:
        """Give it up: whatever it still says is not heard. False if it has ended."""
        if not self.end():
            return False
        told = ("its attempt was given up", "", "")
        for ask_id in list(self._waiting):
            self.replied(Reply(ask_id, error=told))
        return True

    def ask(self, what: str, data: dict[str, Any]) -> dict[str, Any]:
        """Ask and wait for the answer. Raises RequestError."""
        event: threading.Event = threading.Event()
        box: list[Reply] = []
        with self.interrupts.paused(), self._lock:
            self._ids += 1
            self._waiting[self._ids] = (event, box)
            ask = Ask(self._ids, self.request.id, what, data)
            over = self.over
            if not over:
                self._tell(ask)
        if over:
            self.replied(Reply(ask.id, error=("its attempt has ended", "", "")))
        event.wait()
        return answer_of(box[0])

    def replied(self, reply: Reply) -> None:
        """The engine answers."""
        waiting = self._waiting.pop(reply.id, None)
        if waiting is not None:
            waiting[1].append(reply)
            waiting[0].set()

    def submit(self, message: Submit) -> None:
        """Send task calls; those of an attempt that was given up are void."""
        with self.interrupts.paused(), self._lock:
            if not self.over:
                self._tell(message)

    def here(self) -> AbstractContextManager[CallHere | None]:
        """See `runtime.flow_session.Transport`."""
        return self._here(self)

    def listen(self, run_id: int, ended: Ended | None) -> None:
        """Have `ended` called for each task run of that run that ends; None to stop."""
        if ended is None:
            self._listeners.pop(run_id, None)
        else:
            self._listeners[run_id] = ended

    def task_ended(self, message: TaskEnded) -> None:
        """The engine says that a task run has ended."""
        listener = self._listeners.get(message.run_id)
        if listener is not None:
            listener(message)
