"""The worker's end: an executor of its own, driven by a scheduler elsewhere over a WebSocket that the worker opens.

Everything but reading and writing the socket happens in one thread, on an event loop like the engine's. Surprising:
attempts have numbers of the worker's own, so that what a killed attempt still says is not taken for another's.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from batuta.core.errors import BatutaError, RequestError
from batuta.core.remote_session import Lease, Session
from batuta.executors.evaluators import EvaluationFailed
from batuta.executors.port import Executor, HasRoom, Heard, Loop
from batuta.executors.remote_files import LogTail, RunFiles, handles_in
from batuta.executors.remote_link import Connection
from batuta.executors.remote_protocol import (
    Answer,
    Beat,
    Call,
    Called,
    Dispatch,
    Ended,
    File,
    Forget,
    FromWorker,
    Leaving,
    PacketTo,
    Stop,
    Welcome,
    packet,
)
from batuta.runtime.failures import error_info
from batuta.runtime.protocol import Ask, RunInfo, StepDone, StepRequest, Submit
from batuta.runtime.steps import log_path

logger = logging.getLogger("batuta.worker")

TAIL_S = 0.5
LOOK_S = 0.1
"""How often running attempts are looked after: time limits, logs."""


class WorkerLoop(Loop, Protocol):
    """An event loop that somebody turns."""

    def turn(self, timeout_s: float) -> None:
        """Wait until something happens, at most `timeout_s`, and call whom it concerns."""


@dataclass(slots=True)
class _Attempt:
    remote_id: int
    info: RunInfo
    request: StepRequest
    tail: LogTail


class RemoteWorker:
    """Runs what it is told in `executor`. `answer(what, data, timeout_s)` answers questions outside of runs."""

    def __init__(
        self,
        executor: Executor,
        loop: WorkerLoop,
        home: str,
        project_root: str,
        answer: Callable[[str, dict[str, Any], float], dict[str, Any]],
    ) -> None:
        self.executor = executor
        self.session_id = ""
        self.stopping = False
        self.drained = threading.Event()
        self._loop = loop
        self._answer = answer
        self._project_root = project_root
        self._results = os.path.join(home, "results")
        self._logs = os.path.join(home, "logs")
        self._files = RunFiles(self._results, self._logs)
        self._session: Session[FromWorker] = Session()
        self._lease: Lease | None = None
        self._connection: Connection | None = None
        self._beats: dict[int, float] = {}
        self._beat_id = 0
        self._infos: dict[int, RunInfo] = {}
        self._attempts: dict[int, _Attempt] = {}
        self._local: dict[int, int] = {}
        self._ready: deque[int] = deque()
        self._ids = 0
        self._known: dict[str, int] = {}
        self._next_tail = 0.0

    # ---- life ----

    def run(self, is_over: Callable[[], bool]) -> None:
        """Serve until told otherwise."""
        self.executor.start(self._loop, self._heard)
        try:
            while not is_over():
                self._loop.turn(LOOK_S if self._attempts else 1.0)
                self._look_after()
        finally:
            self.executor.stop()

    def _look_after(self) -> None:
        now = time.monotonic()
        list(self.executor.running())  # ends what is overdue
        if self._attempts and now >= self._next_tail:
            self._next_tail = now + TAIL_S
            for attempt in list(self._attempts.values()):
                self._tell_log(attempt)
        if self._lease is not None and now >= self._lease.must_stop_at():
            logger.warning("the scheduler was not heard of for too long: what runs is stopped")
            self._abandon()
        self._pump()
        self.executor.flush()
        if self.stopping and not self._attempts:
            self.drained.set()

    def post(self, action: Callable[[], None]) -> None:
        """Have it done in the loop's thread."""
        self._loop.post(action)

    def leave(self) -> None:
        """Take nothing more. In the loop's thread, as all that follows."""
        if not self.stopping:
            self.stopping = True
            self._say(Leaving())

    def gone(self) -> None:
        """Stop what still runs, and say so."""
        self._stop_all()
        self._say(Leaving(True))

    # ---- the connection ----

    @property
    def received(self) -> int:
        """The number of the last message of the session that was taken up."""
        return self._session.received

    def welcome(self, message: Welcome, connection: Connection, asked_at: float) -> None:
        """A connection stands; `asked_at`: when it was asked for, by the steady clock."""
        if not message.resumed:
            self._abandon()
            self.session_id = message.session
            self._session = Session()
        self._connection = connection
        if self._lease is None:
            self._lease = Lease(message.lease_s, asked_at)
        self._lease.renew(asked_at)
        self._beats.clear()
        for number, again in self._session.resume(message.received):
            connection.send(packet(number, self._session.received, again))
        if self.stopping:
            self._say(Leaving())

    def disconnected(self, connection: Connection) -> None:
        """That connection is broken."""
        if self._connection is connection:
            self._connection = None

    def beat(self) -> None:
        """Ask whether the scheduler is still there."""
        if self._connection is not None:
            self._beat_id += 1
            self._beats[self._beat_id] = time.monotonic()
            self._connection.send(packet(0, self._session.received, Beat(self._beat_id)))

    def _abandon(self) -> None:
        """The session is over: what runs is stopped, and nothing is said of it."""
        self._stop_all()
        self._lease = None
        self.session_id = ""
        self._session = Session()
        self._known.clear()
        self._infos.clear()
        if self._connection is not None:
            self._connection.abort()
            self._connection = None

    def _stop_all(self) -> None:
        for local in list(self._attempts):
            self.executor.cancel(local, hard=True)
        self._attempts.clear()
        self._local.clear()
        self._ready.clear()

    def _say(self, message: FromWorker) -> None:
        """Say something, after what it refers to. Raises ResultError where that cannot be sent."""
        if not self.session_id:
            return
        for handle in handles_in(message):
            if self._known.get(handle.path) != handle.size:
                for piece in self._files.read(handle):
                    self._send(piece)
                self._known[handle.path] = handle.size
        self._send(message)

    def _send(self, message: FromWorker) -> None:
        number, _ = self._session.say(message)
        if self._connection is not None:
            self._connection.send(packet(number, self._session.received, message))

    # ---- what the scheduler says ----

    def hear(self, connection: Connection, heard: PacketTo) -> None:
        """A packet of the scheduler."""
        if connection is not self._connection:
            return
        self._session.confirm(heard.received)
        if isinstance(heard.message, Beat):
            asked_at = self._beats.pop(heard.message.id, None)
            if asked_at is not None and self._lease is not None:
                self._lease.renew(asked_at)
            return
        message = self._session.hear(heard.number, heard.message)  # type: ignore[arg-type]
        if message is not None:
            self._take(message)

    def _take(self, message: Any) -> None:
        match message:
            case Dispatch():
                self._dispatch(message)
            case Stop():
                local = self._local.get(message.cancel.id)
                if local is not None:
                    self._stop(local, message)
            case Answer():
                local = self._local.get(message.request)
                if local is not None:
                    self.executor.reply(local, message.reply)
            case Ended():
                local = self._local.get(message.request)
                if local is not None:
                    self.executor.ended(local, message.message)
            case File():
                self._files.write(message)
                if message.last:
                    self._known[message.path] = os.path.getsize(os.path.join(self._results, message.path))
            case Forget():
                self._infos.pop(message.run_id, None)
                self.executor.forget(message.run_id)
                self._known = {p: n for p, n in self._known.items() if not p.startswith(f"{message.run_id}/")}
            case Call():
                threading.Thread(target=self._call, args=(message,), daemon=True).start()

    def _dispatch(self, message: Dispatch) -> None:
        if message.info is not None:
            config = {**message.info.config, "project": self._project_root}
            paths = {"results_path": self._results, "logs_path": self._logs}
            own = msgspec.structs.replace(message.info, config=config, **paths)
            self._infos[own.run_id] = own
        self._ids += 1
        request = msgspec.structs.replace(message.request, id=self._ids)
        info = self._infos[request.run_id]
        tail = LogTail(self._logs, log_path(self._logs, request))
        self._attempts[self._ids] = _Attempt(message.request.id, info, request, tail)
        self._local[message.request.id] = self._ids
        self._ready.append(self._ids)
        self._pump()

    def _pump(self) -> None:
        """Start what has room, in the order in which it came; what has none holds up no other kind."""
        full: set[str] = set()
        for _ in range(len(self._ready)):
            local = self._ready.popleft()
            attempt = self._attempts.get(local)
            if attempt is None:
                continue
            kind = _room_of(attempt.request)
            if kind not in full and self.executor.has_room(kind, attempt.request.step):
                self.executor.send(attempt.info, attempt.request)
            else:
                full.add(kind)
                self._ready.append(local)
        self.executor.flush()

    def _stop(self, local: int, message: Stop) -> None:
        if local in self._ready and not message.cancel.run_id:
            self._ready.remove(local)
            self._end(StepDone(local, "cancelled", 0.0, time.time()))
        else:
            self.executor.cancel(local, message.hard, message.cancel.run_id)

    def _call(self, call: Call) -> None:
        """In a thread of its own: it waits for user code."""
        try:
            called = Called(call.id, self._answer(call.what, call.data, call.timeout_s))
        except BatutaError as error:
            called = Called(call.id, error=(type(error).__name__, error.what, error.where or "", error.hint or ""))
            if isinstance(error, EvaluationFailed):
                called.raised = error.kind, error.traceback
        except Exception as error:
            called = Called(call.id, error=(RequestError.__name__, f"{type(error).__name__}: {error}", "", ""))
        self.post(lambda: self._say(called))

    # ---- what the executor says ----

    def _heard(self, executor: Executor, message: Heard) -> None:
        match message:
            case StepDone(status="returned"):
                if message.id in self._attempts:
                    self._ready.appendleft(message.id)
            case StepDone():
                self._end(message)
            case Submit():
                if any(each.info.run_id == message.run_id for each in self._attempts.values()):
                    self._say(message)
            case Ask():
                attempt = self._attempts.get(message.request)
                if attempt is not None:
                    self._say(msgspec.structs.replace(message, request=attempt.remote_id))
            case HasRoom():
                self._pump()

    def _end(self, done: StepDone) -> None:
        attempt = self._attempts.pop(done.id, None)
        if attempt is None:
            return
        self._local.pop(attempt.remote_id, None)
        self._tell_log(attempt)
        done = msgspec.structs.replace(done, id=attempt.remote_id)
        try:
            self._say(done)
        except BatutaError as error:
            failed = StepDone(done.id, "failed", done.started_at, done.finished_at, error=error_info(error))
            self._say(msgspec.structs.replace(failed, retryable=False, logged=done.logged, worker=done.worker))
        self._pump()

    def _tell_log(self, attempt: _Attempt) -> None:
        for piece in attempt.tail.news():
            self._say(piece)


def _room_of(request: StepRequest) -> str:
    """See `engine.acting.room_of`."""
    if request.kind == "flow":
        return "flow"
    return "isolated" if request.isolated else "step"


__all__ = ["LOOK_S", "RemoteWorker", "WorkerLoop"]
