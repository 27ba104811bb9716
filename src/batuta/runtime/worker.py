"""A warm worker: a forked child of the location host that runs steps one after the other on its main thread.

It has no helper thread: mail that arrives while a step runs (cancel this, give back what you have not begun) is
announced by SIGUSR1 and read in the signal's handler, between two bytecodes of the user's code; while our own code
runs it waits. Only a flow's body, which must hear of its task runs while it waits, reads its mail on a thread
(`mailroom`). When the engine is gone (end of file), the worker exits.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
from collections import deque
from typing import Any

from batuta.authoring.context import CancelledByRequest
from batuta.core.errors import RequestError
from batuta.runtime.failures import error_info
from batuta.runtime.interrupts import SignalInterrupts
from batuta.runtime.mailroom import Mailroom
from batuta.runtime.protocol import (
    INFOS_MAX,
    Ask,
    Cancel,
    Recall,
    Reply,
    Returned,
    RunInfo,
    StepDone,
    StepRequest,
    TaskEnded,
    answer_of,
    frame,
    worker_frames,
)
from batuta.runtime.steps import CodeSource, LogCapture, StepRunner

MAIL = signal.SIGUSR1
_CHUNK_BYTES = 1 << 18
REST_S = 0.05
"""After so long without anything to do, code that wants to hear of it is told."""


class Worker:
    """Serves one engine over one socket until it is closed. Made and served on the main thread."""

    def __init__(self, sock: socket.socket, source: CodeSource, capture: LogCapture, name: str) -> None:
        self._sock = sock
        self._pid = os.getpid()
        self._main = threading.get_ident()
        self._frames = worker_frames()
        self._source = source
        self._runner = StepRunner(source, capture, name)
        self._infos: dict[int, RunInfo] = {}
        self._pending: deque[StepRequest] = deque()
        self._current: StepRequest | None = None
        self._replies: dict[int, Reply] = {}
        self._ask_ids = 0
        self._ask_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._send_lock = threading.Lock()
        self._awaiting = False
        self.mail_waits = False
        """Mail was announced while our own code ran."""
        self._mailroom: Mailroom | None = None
        self.interrupts = _Gate(self)
        self._handlers: dict[signal.Signals, Any] = {MAIL: self._on_mail, signal.SIGALRM: self.interrupts.on_alarm}
        source.transport_for = self.transport_for  # type: ignore[attr-defined]

    def serve(self) -> None:
        """Run what comes until the engine hangs up."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._restore_signals()
        while True:
            while self._pending:
                self._run(self._pending.popleft())
            if self._source.rests and not select.select([self._sock], [], [], REST_S)[0]:
                self._source.rest()
            if not self._receive():
                return

    def _run(self, request: StepRequest) -> None:
        self._current = request
        self._replies.clear()
        if request.kind == "flow":
            self._open_mailroom()
        done = self._runner.run(self._infos[request.run_id], request, self, self.interrupts)
        if os.getpid() != self._pid:
            os._exit(1)  # the task forked, and its child came back from it: only the parent goes on here
        self._current = None
        self._close_mailroom()
        self._restore_signals()
        self._send_done(done)

    def _restore_signals(self) -> None:
        """Whatever the user's code has made of the signals that we need, and of the timer."""
        for number, handler in self._handlers.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
                if number is signal.SIGALRM:
                    signal.setitimer(signal.ITIMER_REAL, 0)

    # ---- mail ----

    def _receive(self) -> bool:
        """Block for mail and sort it; False when the engine is gone."""
        with self._read_lock:
            data = self._sock.recv(_CHUNK_BYTES)
            if data:
                self._sort(data)
        return bool(data)

    def read_waiting(self) -> None:
        """Read what has arrived, unless somebody else does. The gate is shut."""
        self.mail_waits = False
        if self._mailroom is not None or not self._read_lock.acquire(blocking=False):
            return
        try:
            while data := self._sock.recv(_CHUNK_BYTES, socket.MSG_DONTWAIT):
                self._sort(data)
        except BlockingIOError:
            return
        finally:
            self._read_lock.release()
            self._hand_out()

    def _hand_out(self) -> None:
        if self._mailroom is not None:
            self._mailroom.deliver(self._replies)

    def _sort(self, data: bytes) -> None:
        for message in self._frames.feed(data):
            match message:
                case StepRequest():
                    self._pending.append(message)
                case RunInfo():
                    self._know(message)
                case Reply():
                    self._replies[message.id] = message
                case Cancel():
                    self._cancel(message)
                case Recall():
                    self._give_back()
                case TaskEnded():
                    if self._mailroom is not None:
                        self._mailroom.ended(message)

    def _know(self, info: RunInfo) -> None:
        """Descriptions are sent again before the ones told longest ago are forgotten, see INFOS_MAX."""
        self._infos.pop(info.run_id, None)
        self._infos[info.run_id] = info
        if len(self._infos) > 2 * INFOS_MAX:
            del self._infos[next(iter(self._infos))]

    def _cancel(self, message: Cancel) -> None:
        current = self._current
        if current is not None and current.id == message.id:
            self.interrupts.interrupt_run(message.run_id or current.run_id, CancelledByRequest)
            return
        for request in list(self._pending):
            if request.id == message.id:
                self._pending.remove(request)
                self.send([StepDone(request.id, "cancelled", 0.0, 0.0)])

    def _give_back(self) -> None:
        ids = tuple(request.id for request in self._pending)
        self._pending.clear()
        self.send([Returned(ids)])

    def _on_mail(self, _signal: int, _frame: Any) -> None:
        """Runs on the main thread, anywhere in the user's code or in ours."""
        if self._awaiting:
            return  # `_await_mail` is about to return and read it
        if not self.interrupts.is_open:
            self.mail_waits = True
            return
        self.interrupts.close()
        try:
            self.read_waiting()
        finally:
            self.interrupts.open()

    def _await_mail(self) -> None:
        """Wait until there is something to read. The one place in our code where interruptions may fall."""
        self._awaiting, self.mail_waits = True, False
        try:
            self.interrupts.call(lambda: select.select([self._sock], [], []))
        finally:
            self._awaiting = False

    # ---- what is said ----

    def _send_done(self, done: StepDone) -> None:
        try:
            data = frame([done])
        except Exception as error:  # something in it has no form to be sent in
            failed = StepDone(done.id, "failed", done.started_at, done.finished_at, error=error_info(error))
            data = frame([failed])
        self._write(data)

    def send(self, messages: list[Any]) -> None:
        """Tell the engine; from any thread. Raises TypeError for what cannot be sent."""
        data = frame(messages)
        with self.interrupts.paused():
            self._write(data)

    def _write(self, data: bytes) -> None:
        try:
            with self._send_lock:
                self._sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            os._exit(0)  # the engine is gone, and with it everyone who could hear of this

    # ---- questions ----

    def ask(self, what: str, data: dict[str, Any]) -> dict[str, Any]:
        """See `authoring.context.Talk`. From any thread of the step's."""
        request = self._current
        if request is None or os.getpid() != self._pid:
            raise RequestError(
                f"{what!r} was asked outside a step",
                hint="ask in the process and the time of the step, and hand the answer on",
            )
        on_main = threading.get_ident() == self._main
        with self._ask_lock:
            self._ask_ids += 1
            message = Ask(self._ask_ids, request.id, what, data)
            if self._mailroom is None and not on_main:
                self._open_mailroom()  # the main thread is busy with the user's code: nobody else would read
            if self._mailroom is None:
                with self.interrupts.paused():
                    return answer_of(self._reply_to(message))
            mailroom = self._mailroom
        return answer_of(mailroom.ask(message))

    def _reply_to(self, message: Ask) -> Reply:
        self.send([message])
        while message.id not in self._replies:
            self._await_mail()
            if not self._receive():
                os._exit(0)
        self.mail_waits = True  # there may be more: it is read before the user's code goes on
        return self._replies.pop(message.id)

    # ---- flows ----

    def transport_for(self, request: StepRequest) -> Mailroom:
        """The transport of the flow body that is about to run."""
        assert self._mailroom is not None
        return self._mailroom

    def _open_mailroom(self) -> None:
        self._mailroom = Mailroom(self)
        self._mailroom.start(self._sock, self._take)

    def _close_mailroom(self) -> None:
        if self._mailroom is not None:
            self._mailroom.stop()
            self._mailroom = None

    def _take(self) -> None:
        """For the mailroom's thread: there is something to read, unless it has just been read."""
        with self._read_lock:
            try:
                data = self._sock.recv(_CHUNK_BYTES, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            if not data:
                os._exit(0)
            self._sort(data)
        self._hand_out()


class _Gate(SignalInterrupts):
    """Reads the mail that has waited before the user's code goes on."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(MAIL)
        self._worker = worker

    def open(self) -> None:
        self.is_open = True
        while self._worker.mail_waits:
            self.is_open = False
            self._worker.read_waiting()
            self.is_open = True
        self.fall()
