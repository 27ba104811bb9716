"""One remote worker as a scheduler sees it: its session, its lease, and what it was given to do.

A link outlives its connections. While the worker is away, what is to be said to it is kept; when its lease is over, it
is lost with all that it did, and a worker that comes back begins a new session.
"""

from __future__ import annotations

import time
from typing import Any, Protocol

from batuta.core.errors import BatutaError
from batuta.core.remote_session import Lease, Session
from batuta.core.values import Handle
from batuta.executors.remote_files import RunFiles, handles_in
from batuta.executors.remote_protocol import Dispatch, File, ToWorker, packet
from batuta.runtime.protocol import RunInfo, StepRequest

QUICK_S = 0.02
"""Steps that take less than this on average are sent ahead of those before them."""
AHEAD = 8
BODIES_MAX = 100


class Connection(Protocol):
    """A connection to a worker; neither method waits."""

    def send(self, data: bytes) -> None:
        """Send a packet, soon; into the void where it is broken."""

    def close(self) -> None:
        """Close it, once what was said before is sent."""

    def abort(self) -> None:
        """Close it at once, whatever was said."""


class RemoteLink:
    """All in the engine's thread. `outstanding` are attempts by the engine's request id, with when they were sent."""

    def __init__(self, session_id: str, worker: str, slots: int, files: RunFiles, lease_s: float) -> None:
        self.session_id = session_id
        self.worker = worker
        self.slots = max(slots, 1)
        self.outstanding: dict[int, tuple[RunInfo, StepRequest, float]] = {}
        self.lease = Lease(lease_s, time.monotonic())
        self.is_lost = False
        self.is_leaving = False
        """It has said that it takes nothing more."""
        self._session: Session[ToWorker] = Session()
        self._connection: Connection | None = None
        self._files = files
        self._known: dict[str, int] = {}
        self._infos: set[int] = set()
        self._average_s: float | None = None
        self._steps = 0  # outstanding ones but for bodies, which hold no slot

    # ---- the connection ----

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    @property
    def received(self) -> int:
        """The number of the last message that was taken up."""
        return self._session.received

    def connect(self, connection: Connection, received: int) -> None:
        """The worker is back, having received so much. Raises InvariantError where that cannot be."""
        waiting = self._session.resume(received)
        if self._connection is not None:
            self._connection.abort()
        self._connection = connection
        self.lease.renew(time.monotonic())
        for number, message in waiting:
            connection.send(packet(number, self._session.received, message))

    def disconnect(self, connection: Connection) -> None:
        """That connection is broken."""
        if self._connection is connection:
            self._connection = None

    def hear(self, number: int, received: int, message: Any) -> Any:
        """A packet: its message, or None where it was taken up before, or is a beat."""
        self.lease.renew(time.monotonic())
        self._session.confirm(received)
        if number == 0:
            self._send(0, message)  # a beat goes back as it is
            return None
        return self._session.hear(number, message)

    def say(self, message: ToWorker) -> None:
        """Say something, after what it refers to. Raises ResultError where that is gone."""
        for handle in handles_in(message):
            self._send_file(handle)
        number, _ = self._session.say(message)
        self._send(number, message)

    def _send_file(self, handle: Handle) -> None:
        if self._known.get(handle.path) == handle.size:
            return
        for piece in self._files.read(handle):
            number, _ = self._session.say(piece)
            self._send(number, piece)
        self._known[handle.path] = handle.size

    def _send(self, number: int, message: Any) -> None:
        if self._connection is not None:
            self._connection.send(packet(number, self._session.received, message))

    def close(self) -> None:
        """It is lost, or the scheduler ends."""
        if self._connection is not None:
            self._connection.abort()
            self._connection = None

    # ---- what it does ----

    @property
    def load(self) -> float:
        """Steps a slot."""
        return self._steps / self.slots

    @property
    def has_room(self) -> bool:
        """Whether one more step would start (nearly) at once."""
        if self.is_lost or self.is_leaving or not self.is_connected:
            return False
        quick = self._average_s is not None and self._average_s < QUICK_S
        return self._steps < self.slots * (AHEAD if quick else 1)

    @property
    def takes_bodies(self) -> bool:
        """Whether one more body of a flow would start: it holds no slot, since it waits for others."""
        bodies = len(self.outstanding) - self._steps
        return bodies < BODIES_MAX and self.is_connected and not self.is_leaving and not self.is_lost

    def dispatch(self, info: RunInfo, request: StepRequest) -> None:
        """Give it one more attempt. Raises BatutaError where what it needs cannot be sent."""
        self.say(Dispatch(request, None if info.run_id in self._infos else info))
        self._infos.add(info.run_id)
        self.outstanding[request.id] = (info, request, time.time())
        self._steps += request.kind != "flow"

    def ended(self, request_id: int) -> tuple[RunInfo, StepRequest, float] | None:
        """An attempt has ended: what it was."""
        found = self.outstanding.pop(request_id, None)
        if found is not None and found[1].kind != "flow":
            self._steps -= 1
            took_s = time.time() - found[2]
            self._average_s = took_s if self._average_s is None else 0.8 * self._average_s + 0.2 * took_s
        return found

    def take_file(self, piece: File) -> None:
        """A value that the worker has recorded."""
        self._files.write(piece)
        if piece.last:
            handle = Handle(path=piece.path)
            try:
                self._known[handle.path] = self._files.size(handle)
            except (OSError, BatutaError):
                self._known.pop(handle.path, None)

    def forget(self, run_id: int) -> bool:
        """The run is over; whether the worker knows of it."""
        prefix = f"{run_id}/"
        for path in [path for path in self._known if path.startswith(prefix)]:
            del self._known[path]
        known = run_id in self._infos
        self._infos.discard(run_id)
        return known
