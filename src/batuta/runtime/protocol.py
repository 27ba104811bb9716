"""What the engine and the processes that run user code say to each other, and how it is framed.

It is a conversation, not request and response per step: a running step may ask (for outputs, input from a person, new
task runs) while others go on. A frame is a 4-byte big-endian length and a msgpack array of messages. Nothing here ever
unpickles: values travel as `Handle`s.
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec

from batuta.core.errors import InvariantError, RequestError
from batuta.core.plan import StepSpec
from batuta.core.records import Checked as Checked
from batuta.core.records import Loaded as Loaded
from batuta.core.records import Materialized as Materialized
from batuta.core.records import Record as Record
from batuta.core.triggers import Wait
from batuta.core.values import ErrorInfo, Handle

FRAME_BYTES_MAX = 1 << 30
INFOS_MAX = 256
"""How many runs' descriptions an engine counts on a worker to remember; a worker remembers twice as many."""
_LENGTH = struct.Struct(">I")


class RunInfo(msgspec.Struct, array_like=True, tag="run"):
    """What every step of a run may know about it; told once per worker and run."""

    run_id: int
    job: str
    kind: str
    params: dict[str, Any]
    logical_at: float | None = None
    interval_start: float | None = None
    interval_end: float | None = None
    partition: str = ""
    tags: dict[str, str] = {}
    results_path: str = ""
    logs_path: str = ""
    trigger: str = "manual"
    config: dict[str, Any] = {}
    trace: str = ""  # the number of its trace, see `core.trace_ids`; "": it is not traced


class StepRequest(msgspec.Struct, array_like=True, tag="step"):
    """Run one attempt of one step. `id` is the engine's name for it, unique while the engine lives."""

    id: int
    run_id: int
    step: str
    task: int
    attempt: int
    index: int = -1
    label: str = ""
    kind: str = "task"
    inputs: dict[str, Handle | list[Handle]] = {}
    code: str = ""  # flows: which task to call
    args: Handle | None = None  # flows: its serialized arguments
    state: Handle | None = None  # what a deferred attempt wanted to remember
    timeout_s: float | None = None
    failures: int = 0  # failed attempts so far
    tries: int = 0  # counts attempts but those that go on after a wait or take the place of a lost one
    items: tuple[int, ...] = ()  # mapped steps: which item of each source; outputs of mapped sources are inputs[step[]]
    isolated: bool = False  # in a process of its own, where there are processes
    fired: Handle | None = None  # what a deferred attempt waited for, as it was found
    hands_over: bool = False  # a step of another code location waits for its end
    fresh: bool = False  # of a flow's body: nothing is recorded that it may ask for again


class StepDone(msgspec.Struct, array_like=True, tag="done"):
    """How an attempt ended.

    `status` is succeeded, failed, skipped, cancelled or deferred; executors also say lost and returned (not begun).
    """

    id: int
    status: str
    started_at: float
    finished_at: float
    output: Handle | None = None
    error: ErrorInfo | None = None
    retryable: bool = True
    reason: str = ""
    follow: tuple[str, ...] | None = None
    cut: bool = False
    until: float = 0.0
    logged: bool = False
    cached: bool = False
    cache_key: str = ""
    cache_ttl_s: float | None = None
    records: tuple[Record, ...] = ()
    worker: str = ""
    counted: bool = True  # of one that is lost: whether its own process was, and not all that ran on a machine
    wait: Wait | None = None


class TaskCall(msgspec.Struct, array_like=True):
    """One call in a `Submit`. `args` are its serialized arguments, `upstream` the keys of the calls they refer to;
    `shown` are the arguments as texts, for people."""

    key: str
    fingerprint: str
    args: Handle
    upstream: tuple[str, ...] = ()
    shown: dict[str, str] = {}


class Submit(msgspec.Struct, array_like=True, tag="submit"):
    """A flow's body calls a task, once or mapped."""

    run_id: int
    spec: StepSpec
    code: str
    calls: tuple[TaskCall, ...]


class TaskEnded(msgspec.Struct, array_like=True, tag="ended"):
    """Told to a flow's body: a task run it asked for has ended."""

    run_id: int
    key: str
    state: str
    output: Handle | None = None
    error: ErrorInfo | None = None


class Ask(msgspec.Struct, array_like=True, tag="ask"):
    """A running step asks the engine. `request` is the id of its StepRequest; `what` names the question."""

    id: int
    request: int
    what: str
    data: dict[str, Any] = {}


class Reply(msgspec.Struct, array_like=True, tag="reply"):
    """The answer to an `Ask`. `error` is what, where, hint of a RequestError, where it was refused."""

    id: int
    data: dict[str, Any] = {}
    error: tuple[str, str, str] | None = None


class Cancel(msgspec.Struct, array_like=True, tag="cancel"):
    """The step with this id should stop; with `run_id`, just the body of that run of a nested flow in it."""

    id: int
    run_id: int = 0


class Returned(msgspec.Struct, array_like=True, tag="returned"):
    """A worker gives back requests that it has not begun, because it is busy with a longer one."""

    ids: tuple[int, ...]


class Recall(msgspec.Struct, array_like=True, tag="recall"):
    """Ask a worker to return what it has not begun."""


ToWorker = RunInfo | StepRequest | Reply | TaskEnded | Cancel | Recall
FromWorker = StepDone | Submit | Ask | Returned

_encoder = msgspec.msgpack.Encoder()
_to_worker = msgspec.msgpack.Decoder(list[ToWorker])
_from_worker = msgspec.msgpack.Decoder(list[FromWorker])


def frame(messages: list[Any]) -> bytes:
    """Messages as one frame. Raises TypeError, ValueError for what has no msgpack form."""
    data = _encoder.encode(messages)
    if len(data) > FRAME_BYTES_MAX:
        raise ValueError(f"a message of {len(data):,} bytes is too large to be sent")
    return _LENGTH.pack(len(data)) + data


class Frames:
    """Cuts a byte stream into frames; keeps what is incomplete."""

    __slots__ = ("_buffer", "_decoder")

    def __init__(self, decoder: msgspec.msgpack.Decoder[Any]) -> None:
        self._buffer = bytearray()
        self._decoder = decoder

    def feed(self, data: bytes) -> list[Any]:
        """All messages that are complete with `data`. Raises InvariantError where that is not what we send."""
        buffer = self._buffer
        buffer += data
        messages: list[Any] = []
        start = 0
        size = len(buffer)
        while size - start >= 4:
            (length,) = _LENGTH.unpack_from(buffer, start)
            if length > FRAME_BYTES_MAX:
                raise InvariantError(f"a frame of {length:,} bytes was announced")
            if size - start - 4 < length:
                break
            messages += self._decoder.decode(memoryview(buffer)[start + 4 : start + 4 + length])
            start += 4 + length
        if start:
            del buffer[:start]
        return messages


def worker_frames() -> Frames:
    """Reads what the engine says."""
    return Frames(_to_worker)


def engine_frames() -> Frames:
    """Reads what a worker says."""
    return Frames(_from_worker)


def answer_of(reply: Reply) -> dict[str, Any]:
    """The data of a reply. Raises RequestError where the engine refused."""
    if reply.error is not None:
        what, where, hint = reply.error
        raise RequestError(what, where=where or None, hint=hint or None)
    return reply.data
