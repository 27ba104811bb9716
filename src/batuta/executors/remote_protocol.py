"""What a scheduler and a remote worker say to each other, over a WebSocket that the worker opens.

A packet is a msgpack array `[number, received, message]`: its number in the session (0 for beats, which nobody
repeats), the last number that the sender has received, and the message. Files travel ahead of the message that names
them, so whoever reads a message has what it refers to. Nothing here ever unpickles.
"""

from __future__ import annotations

from typing import Any

import msgspec

from batuta.runtime.protocol import Ask, Cancel, Reply, RunInfo, StepDone, StepRequest, Submit, TaskEnded

VERSION = 1
PIECE_BYTES = 1 << 20
FILE_BYTES_MAX = 256 << 20
"""Of one recorded value: larger data belongs into files that both sides reach, written by an IO manager."""
PACKET_BYTES_MAX = 64 << 20


class Hello(msgspec.Struct, array_like=True, tag="hello"):
    """The worker's first word on a connection, which its token has opened (`Authorization: Bearer`).

    `session` is empty for a new one; `received` is for one that goes on.
    """

    version: int
    session: str
    received: int
    worker: str
    location: str
    slots: int
    started_at: float
    definitions: bytes = b""


class Welcome(msgspec.Struct, array_like=True, tag="welcome"):
    """The scheduler's first word. `resumed` is false where the session is a new one (the former has ended)."""

    session: str
    resumed: bool
    received: int
    lease_s: float


class Refused(msgspec.Struct, array_like=True, tag="refused"):
    """The scheduler's only word to a worker that it does not take. `final`: trying again does not help."""

    what: str
    hint: str = ""
    final: bool = True


class Beat(msgspec.Struct, array_like=True, tag="beat"):
    """Still here. The answer has the same `id`."""

    id: int


class Dispatch(msgspec.Struct, array_like=True, tag="dispatch"):
    """Run an attempt. `info` is told once per run and session."""

    request: StepRequest
    info: RunInfo | None = None


class Stop(msgspec.Struct, array_like=True, tag="stop"):
    """Stop an attempt, see `Executor.cancel`."""

    cancel: Cancel
    hard: bool


class Answer(msgspec.Struct, array_like=True, tag="answer"):
    """What a step that asked is answered."""

    request: int
    reply: Reply


class Ended(msgspec.Struct, array_like=True, tag="body"):
    """A task run that a flow's body asked for has ended."""

    request: int
    message: TaskEnded


class Forget(msgspec.Struct, array_like=True, tag="forget"):
    """The run is over: its files may go."""

    run_id: int


class File(msgspec.Struct, array_like=True, tag="file"):
    """A piece of a recorded value, from `offset` on; `path` is relative to the results. The last makes it visible."""

    path: str
    offset: int
    data: bytes
    last: bool


class Log(msgspec.Struct, array_like=True, tag="log"):
    """A piece of a log: bytes of the file `path` (relative to the logs) from `offset` on."""

    path: str
    offset: int
    data: bytes


class LogSegments(msgspec.Struct, array_like=True, tag="segments"):
    """Which segments of a log are left, by name; the others were dropped."""

    path: str
    names: tuple[str, ...]


class Call(msgspec.Struct, array_like=True, tag="call"):
    """Ask the location's code something outside of any run: parameters to validate, a sensor to evaluate."""

    id: int
    what: str
    data: dict[str, Any]
    timeout_s: float


class Called(msgspec.Struct, array_like=True, tag="called"):
    """The answer to a `Call`; `error` is the kind of error with what, where and hint.

    Where user code raised: `raised` is the type of what it raised, with its traceback.
    """

    id: int
    data: dict[str, Any] = {}
    error: tuple[str, str, str, str] | None = None
    raised: tuple[str, str] = ("", "")


class Leaving(msgspec.Struct, array_like=True, tag="leaving"):
    """The worker takes nothing more; with `gone`, it has also stopped what it did."""

    gone: bool = False


ToWorker = Dispatch | Stop | Answer | Ended | Forget | File | Call
FromWorker = StepDone | Submit | Ask | File | Log | LogSegments | Called | Leaving


class PacketTo(msgspec.Struct, array_like=True):
    """A packet to the worker."""

    number: int
    received: int
    message: ToWorker | Welcome | Refused | Beat


class PacketFrom(msgspec.Struct, array_like=True):
    """A packet from the worker."""

    number: int
    received: int
    message: FromWorker | Hello | Beat


_encode = msgspec.msgpack.Encoder().encode
_to = msgspec.msgpack.Decoder(PacketTo)
_from = msgspec.msgpack.Decoder(PacketFrom)


def packet(number: int, received: int, message: Any) -> bytes:
    """A packet as bytes."""
    return _encode((number, received, message))


def read_to(data: bytes) -> PacketTo:
    """A packet that a worker has received. Raises msgspec.MsgspecError."""
    return _to.decode(data)


def read_from(data: bytes) -> PacketFrom:
    """A packet that a scheduler has received. Raises msgspec.MsgspecError."""
    return _from.decode(data)
