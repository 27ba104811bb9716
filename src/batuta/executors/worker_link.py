"""A worker process as the engine sees it: what was sent to it, what it says, and how it ended.

The engine never waits for a worker: what its socket does not take is kept until it does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from batuta.executors.port import Loop
from batuta.runtime.protocol import INFOS_MAX, RunInfo, StepRequest, engine_frames, frame
from batuta.runtime.worker import MAIL

_CHUNK_BYTES = 1 << 18

Queued = tuple[StepRequest, RunInfo, str]
"""A step with its run and the task that it runs."""


class WorkerLink:
    """The head of `queue` is what it runs. `pid` is 0 until the host has said that it was forked."""

    __slots__ = (
        "_announce",
        "_infos",
        "_loop",
        "_unsent",
        "all_quick",
        "busy_from",
        "ended_any",
        "frames",
        "gone",
        "host_died",
        "name",
        "outbox",
        "pid",
        "queue",
        "recalled",
        "role",
        "since",
        "sock",
        "spool",
        "stopped",
    )

    def __init__(self, name: str, sock: socket.socket, spool: str, role: str, loop: Loop) -> None:
        sock.setblocking(False)
        self.name = name
        self.sock = sock
        self.spool = spool
        self.role = role
        """What it is for: `steps`, `bodies`, or `isolated` (a single step)."""
        self.pid = 0
        self.frames = engine_frames()
        self.queue: deque[Queued] = deque()
        self.outbox: list[Any] = []
        self.since = 0.0
        self.busy_from = 0.0
        """The same by the steady clock."""
        self.all_quick = False
        self.recalled = False
        self.ended_any = False
        self.gone = False
        self.host_died = False
        """Whether it went down with its host: that says nothing of what it did."""
        self.stopped: tuple[int, str] | None = None
        """Which request it was killed for, and why."""
        self._loop = loop
        self._infos: set[int] = set()
        self._unsent = bytearray()
        self._announce = False

    # ---- steps ----

    def take(self, request: StepRequest, info: RunInfo, task: str, quick: bool) -> None:
        """Give it one more step; sent by `flush`."""
        if info.run_id not in self._infos:
            if len(self._infos) >= INFOS_MAX:
                self._infos.clear()
            self._infos.add(info.run_id)
            self.outbox.append(info)
        self.outbox.append(request)
        if not self.queue:
            self.begin()
        self.all_quick = quick and (self.all_quick or not self.queue)
        self.queue.append((request, info, task))

    def begin(self) -> None:
        """The head of the queue begins now."""
        self.since, self.busy_from = time.time(), time.monotonic()

    def drop(self, request_id: int) -> Queued | None:
        """The step has ended, or was given back."""
        for i, item in enumerate(self.queue):
            if item[0].id == request_id:
                del self.queue[i]
                return item
        return None

    def runs(self, request_id: int) -> bool:
        """Whether that step is what it runs now."""
        return bool(self.queue) and self.queue[0][0].id == request_id

    def forget(self, run_id: int) -> None:
        """The run is over."""
        self._infos.discard(run_id)

    # ---- the socket ----

    @property
    def has_unsent(self) -> bool:
        """Whether it does not keep up with what it is sent."""
        return bool(self._unsent)

    def flush(self) -> list[tuple[StepRequest, Exception]]:
        """Send the outbox, as far as the socket takes it. Returns steps that cannot be sent at all."""
        messages, self.outbox = self.outbox, []
        refused: list[tuple[StepRequest, Exception]] = []
        try:
            data = frame(messages)
        except Exception:
            data = b""
            for message in messages:
                try:
                    data += frame([message])
                except Exception as error:
                    if isinstance(message, StepRequest):
                        refused.append((message, error))
        if self._unsent:
            self._unsent += data
            return refused
        sent = self._send(data)
        if sent < len(data):
            self._unsent += memoryview(data)[sent:]
            self._loop.watch_writable(self.sock, self._send_rest)
        return refused

    def _send(self, data: bytes | bytearray) -> int:
        try:
            return self.sock.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)  # it is gone: heard where its socket is read

    def _send_rest(self) -> None:
        del self._unsent[: self._send(self._unsent)]
        if not self._unsent:
            self._loop.watch_writable(self.sock, None)
            if self._announce:
                self.announce()

    def announce(self) -> None:
        """Have it read its mail though it runs a step: by a signal, once all is sent and the process is known."""
        self._announce = bool(self._unsent) or not self.pid
        if not self._announce and not self.gone:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, MAIL)

    def born(self, pid: int) -> None:
        """The host has forked it."""
        self.pid = pid
        if self._announce:
            self.announce()

    def read(self) -> list[Any] | None:
        """What it says; None at its end. Raises whatever decoding raises for what is no message of ours."""
        try:
            data = self.sock.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            return None
        return self.frames.feed(data) if data else None

    # ---- its end ----

    def kill(self, request_id: int, why: str) -> None:
        """End it, because of that step, with all that it has started."""
        self.stopped = (request_id, why)
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        else:
            self.hang_up()

    def hang_up(self) -> None:
        """Let it end by itself, having nothing more to do."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def close(self, unregister: Callable[[Any], None]) -> None:
        """Its socket has come to its end."""
        unregister(self.sock)
        self.sock.close()
        self.gone = True
