"""The engine's end of evaluators: asking user code small questions with a time limit, from any thread.

See `runtime.evaluations`. A few evaluators per host are kept warm; one that takes too long is killed, and whoever asked
hears a `TimedOut`, nobody else anything.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import signal
import socket
import threading
import time
from typing import Any

from batuta.core import errors
from batuta.core.errors import BatutaError, LoadError
from batuta.executors.host_process import HostProcess
from batuta.runtime.host import ObjectReader, send_object

_numbers = itertools.count(1)


class EvaluationFailed(BatutaError):
    """User code raised; `kind` is the type of what it raised, `traceback` its own part of the traceback."""

    kind = ""
    traceback = ""


class TimedOut(EvaluationFailed):
    """User code did not answer in time; its process was killed."""


class Evaluators:
    """The evaluators of one location host. Safe to use from many threads; `count_max` are asked at a time."""

    def __init__(self, host: HostProcess, count_max: int = 4) -> None:
        self._host = host
        self._idle: list[_Evaluator] = []
        self._closed = False
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(count_max)

    def ask(self, what: str, data: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """The answer. Raises what the location refused with, EvaluationFailed, TimedOut (also where all are busy)."""
        deadline = time.monotonic() + timeout_s
        if not self._room.acquire(timeout=timeout_s):
            raise TimedOut(f"nobody was free for {timeout_s:g} s to evaluate it", where=self._host.target or None)
        try:
            evaluator = self._take()
            try:
                answer = evaluator.ask(what, data, deadline)
            except BaseException:
                evaluator.kill()
                raise
            self._put_back(evaluator)
        except TimeoutError:
            hint = "make it quicker, or give it more time"
            raise TimedOut(f"it did not end within {timeout_s:g} s and was killed", hint=hint) from None
        finally:
            self._room.release()
        return _data_of(answer)

    def _take(self) -> _Evaluator:
        with self._lock:
            while self._idle:
                evaluator = self._idle.pop()
                if evaluator.lives:
                    return evaluator
                evaluator.kill()
        return _Evaluator(self._host.fork(f"evaluator-{next(_numbers)}", "", "evaluator"))

    def _put_back(self, evaluator: _Evaluator) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(evaluator)
                return
        evaluator.close()

    def close(self) -> None:
        """Let the idle ones end, and those that answer once they have."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for evaluator in idle:
            evaluator.close()


class _Evaluator:
    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._reader = ObjectReader(sock)
        self._said: list[dict[str, Any]] = []
        self._pid = 0

    @property
    def lives(self) -> bool:
        """Whether its process has not ended while it was idle."""
        ready, _, _ = select.select([self._sock], [], [], 0)
        return not ready

    def ask(self, what: str, data: dict[str, Any], deadline: float) -> dict[str, Any]:
        """Its answer. Raises TimeoutError."""
        if not self._pid:
            self._pid = self._hear(deadline)["pid"]
        self._sock.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            send_object(self._sock, {"what": what, "data": data})
        except (BrokenPipeError, ConnectionResetError):
            raise _ended() from None
        self._sock.settimeout(None)
        return self._hear(deadline)

    def _hear(self, deadline: float) -> dict[str, Any]:
        while not self._said:
            ready, _, _ = select.select([self._sock], [], [], max(deadline - time.monotonic(), 0.0))
            if not ready:
                raise TimeoutError
            try:
                said = self._reader.read()
            except ConnectionResetError:
                said = None
            if said is None:
                raise _ended()
            self._said += said
        return self._said.pop(0)

    def kill(self) -> None:
        if self._pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)
        self.close()

    def close(self) -> None:
        self._sock.close()


def _ended() -> LoadError:
    hint = "look for os._exit, a crash in a C extension, or memory"
    return LoadError("the process that evaluated it ended", hint=hint)


def _data_of(answer: dict[str, Any]) -> dict[str, Any]:
    if answer["say"] == "answer":
        data: dict[str, Any] = answer["data"]
        return data
    if answer["say"] == "refused":
        kind = getattr(errors, answer["kind"], BatutaError)
        error: BatutaError = kind(answer["what"], where=answer["where"], hint=answer["hint"])
        raise error
    failed = EvaluationFailed(f"{answer['kind']}: {answer['what']}", where=answer["where"] or None)
    failed.kind, failed.traceback = answer["kind"], answer["traceback"]
    raise failed


__all__ = ["EvaluationFailed", "Evaluators", "TimedOut"]
