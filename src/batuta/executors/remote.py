"""Steps on remote workers: processes elsewhere that have connected, with code, data and Python of their own.

The engine sees one executor per version of a location, however many workers serve it. An attempt goes to the worker
with the least to do; what a lost worker did is lost, never done twice at a time: it has stopped before (`core.Lease`).
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from batuta.core.errors import BatutaError, InvariantError, LoadError, RequestError
from batuta.executors.evaluators import EvaluationFailed, TimedOut
from batuta.executors.port import Executor, HasRoom, Heard, Loop
from batuta.executors.remote_files import RunFiles
from batuta.executors.remote_link import RemoteLink
from batuta.executors.remote_protocol import (
    Answer,
    Call,
    Called,
    Ended,
    File,
    Forget,
    Leaving,
    Log,
    LogSegments,
    Stop,
    ToWorker,
)
from batuta.runtime.failures import error_info
from batuta.runtime.protocol import Ask, Cancel, Reply, RunInfo, StepDone, StepRequest, Submit, TaskEnded

logger = logging.getLogger("batuta.remote")
_numbers = itertools.count(1)


class RemoteExecutor:
    """See `executors.port.Executor`; `ask` may be called from any thread."""

    def __init__(self, files: RunFiles, *, told: Callable[[RemoteLink, str], None] | None = None) -> None:
        self.links: dict[str, RemoteLink] = {}
        """By session."""
        self._files = files
        self._told = told
        self._by_request: dict[int, RemoteLink] = {}
        self._target: RemoteLink | None = None
        self._loop: Loop
        self._heard: Callable[[Executor, Heard], None]
        self._started = threading.Event()
        self._calls: dict[int, tuple[threading.Event, list[Called]]] = {}
        self._stopped = False

    def start(self, loop: Loop, heard: Callable[[Executor, Heard], None]) -> None:
        """See the port."""
        self._loop, self._heard = loop, heard
        self._started.set()

    def post(self, action: Callable[[], None]) -> None:
        """Have it done in the engine's thread."""
        self._started.wait()
        self._loop.post(action)

    # ---- workers ----

    def attach(self, link: RemoteLink) -> None:
        """A worker has begun a session. In the engine's thread, as the rest of this part."""
        self.links[link.session_id] = link
        self._watch(link)
        self._tell(link, "connected")
        self._heard(self, HasRoom())

    def _watch(self, link: RemoteLink) -> None:
        """Look again when its lease may be over; steady time decides, not the clock that people set."""
        left_s = link.lease.is_lost_at() - time.monotonic()
        self._loop.call_at(time.time() + max(left_s, 0.05), lambda: self._look(link))

    def _look(self, link: RemoteLink) -> None:
        if link.is_lost or self._stopped:
            return
        if time.monotonic() >= link.lease.is_lost_at():
            self.lose(link, f"worker {link.worker} was not heard of for {link.lease.lease_s:g} s")
        else:
            self._watch(link)

    def lose(self, link: RemoteLink, reason: str) -> None:
        """End a session: what it did is lost."""
        if link.is_lost:
            return
        link.is_lost = True
        link.close()
        self.links.pop(link.session_id, None)
        self._tell(link, reason)
        for request_id in list(link.outstanding):
            link.ended(request_id)
            self._by_request.pop(request_id, None)
            lost = StepDone(request_id, "lost", 0.0, time.time(), reason=reason, worker=link.worker, counted=False)
            self._heard(self, lost)

    def reconnected(self) -> None:
        """A worker is back."""
        self._heard(self, HasRoom())

    def _tell(self, link: RemoteLink, what: str) -> None:
        logger.info("worker %s: %s", link.worker, what)
        if self._told is not None:
            self._told(link, what)

    # ---- sending ----

    def has_room(self, kind: str, task: str) -> bool:
        """See the port."""
        free = [link for link in self.links.values() if (link.takes_bodies if kind == "flow" else link.has_room)]
        self._target = min(free, key=lambda link: link.load, default=None)
        return self._target is not None

    def send(self, info: RunInfo, request: StepRequest) -> None:
        """See the port."""
        link, self._target = self._target, None
        if link is None or link.is_lost:
            link = min(self.links.values(), key=lambda each: each.load, default=None)
        if link is None:
            done = StepDone(request.id, "returned", 0.0, 0.0)
            self._loop.post(lambda: self._heard(self, done))
            return
        try:
            link.dispatch(info, request)
        except BatutaError as error:
            failed = StepDone(request.id, "failed", 0.0, 0.0, error=error_info(error), retryable=False)
            self._loop.post(lambda: self._heard(self, failed))
            return
        self._by_request[request.id] = link

    def flush(self) -> None:
        """See the port: nothing is held back."""

    def cancel(self, request_id: int, hard: bool, run_id: int = 0) -> None:
        """See the port."""
        self._say(request_id, Stop(Cancel(request_id, run_id), hard))

    def reply(self, request_id: int, reply: Reply) -> None:
        """See the port."""
        self._say(request_id, Answer(request_id, reply))

    def ended(self, request_id: int, message: TaskEnded) -> None:
        """See the port."""
        self._say(request_id, Ended(request_id, message))

    def _say(self, request_id: int, message: ToWorker) -> None:
        link = self._by_request.get(request_id)
        if link is None:
            return
        try:
            link.say(message)
        except BatutaError as error:
            logger.warning("worker %s: %s", link.worker, error)

    # ---- hearing ----

    def hear(self, link: RemoteLink, number: int, received: int, message: Any) -> None:
        """A packet of a worker, in the engine's thread."""
        if link.is_lost:
            return
        try:
            heard = link.hear(number, received, message)
            if heard is not None:
                self._take(link, heard)
        except (BatutaError, InvariantError, OSError) as error:
            self.lose(link, f"what worker {link.worker} says makes no sense: {error}")

    def _take(self, link: RemoteLink, message: Any) -> None:
        match message:
            case StepDone():
                if link.ended(message.id) is not None:
                    self._by_request.pop(message.id, None)
                    self._heard(self, message)
            case Submit():
                if any(info.run_id == message.run_id for info, _, _ in link.outstanding.values()):
                    self._heard(self, message)
            case Ask():
                if message.request in link.outstanding:
                    self._heard(self, message)
            case File():
                link.take_file(message)
            case Log():
                self._files.write_log(message)
            case LogSegments():
                self._files.drop_segments(message)
            case Leaving():
                link.is_leaving = True
                if message.gone:
                    self.lose(link, f"worker {link.worker} has left")
            case Called():
                waiting = self._calls.pop(message.id, None)
                if waiting is not None:
                    waiting[1].append(message)
                    waiting[0].set()

    # ---- questions outside of runs ----

    def ask(self, what: str, data: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Ask the location's code on some worker. Raises what it refused with, EvaluationFailed where it raised;
        LoadError where nobody answers, as somebody may later."""
        number = next(_numbers)
        done = threading.Event()
        answers: list[Called] = []

        def begin() -> None:
            link = min((each for each in self.links.values() if each.is_connected), key=_load, default=None)
            if link is not None:
                self._calls[number] = (done, answers)
                link.say(Call(number, what, data, timeout_s))
            else:
                done.set()

        self.post(begin)
        answered = done.wait(timeout_s)
        self.post(lambda: self._calls.pop(number, None) and None)
        if not answers:
            why = f"no remote worker has answered for {timeout_s:g} s" if not answered else "no remote worker is there"
            raise LoadError(f"{what} cannot be done: {why}", hint="start one: `batuta worker --connect URL`")
        called = answers[0]
        if called.error is not None:
            raise _error_of(called)
        return called.data

    # ---- the rest of the port ----

    def running(self) -> Iterable[tuple[int, float, str]]:
        """See the port."""
        return [
            (request_id, since, link.worker)
            for link in self.links.values()
            for request_id, (_, _, since) in link.outstanding.items()
        ]

    def forget(self, run_id: int) -> None:
        """See the port."""
        for link in self.links.values():
            if link.forget(run_id):
                link.say(Forget(run_id))

    @property
    def is_staffed(self) -> bool:
        """Whether there is a worker to run anything."""
        return any(link.is_connected and not link.is_leaving for link in self.links.values())

    def stop(self) -> None:
        """See the port. Workers see the end of their connections, and connect to whoever comes next."""
        self.hang_up()

    def hang_up(self) -> None:
        """The part of stopping that waits for nothing, which is all of it."""
        self._stopped = True
        for link in list(self.links.values()):
            link.close()

    def close(self) -> None:
        """Nothing more will be asked."""


def _load(link: RemoteLink) -> float:
    return link.load


def _error_of(called: Called) -> BatutaError:
    """What went wrong over there, as it would have here."""
    from batuta.core import errors

    assert called.error is not None
    kind, text, where, hint = called.error
    if kind in ("EvaluationFailed", "TimedOut"):
        failed = (TimedOut if kind == "TimedOut" else EvaluationFailed)(text, where=where or None, hint=hint or None)
        failed.kind, failed.traceback = called.raised
        return failed
    found = getattr(errors, kind, RequestError)
    made: type[BatutaError] = found if isinstance(found, type) and issubclass(found, BatutaError) else RequestError
    return made(text, where=where or None, hint=hint or None)
