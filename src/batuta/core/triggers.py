"""What a deferred task run waits for, as data: evaluated by the engine, with no worker and no code of the user's.

A trigger says what is to be seen, never how to look. What it finds is plain JSON data, which the step is given when it
goes on, or which is its output where it asked for that (`Wait.finishes`). Everything here is recorded with the run, so
it is no place for secrets.
"""

from __future__ import annotations

from typing import Any

import msgspec

from batuta.core.connections import Connection
from batuta.core.errors import ParameterError

POLL_S = 30.0
POLL_S_MIN = 0.05
NAME_CHARS_MAX = 200


class At(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="at"):
    """A moment, in seconds since the epoch; finds that number."""

    at: float


class FileArrives(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="file"):
    """A file of at least `bytes_min`: an absolute path, a pattern (`/in/*.csv`), or a URL that fsspec reads.

    Finds the path, or of a pattern the sorted list of paths.
    """

    path: str
    bytes_min: int = 0
    poll_s: float = POLL_S


class HttpAnswers(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="http"):
    """A request to `url` is answered with one of `statuses` (none: any below 400), and the text of the answer holds
    `contains`. Finds the answer's JSON, or its text, as `{"status": 200, "body": ...}`; large ones without their body.
    """

    url: str
    method: str = "GET"
    statuses: tuple[int, ...] = ()
    contains: str = ""
    timeout_s: float = 30.0
    poll_s: float = POLL_S


class RowArrives(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="row"):
    """`sql` gives a row whose first cell is truthy. Finds that row, by the names of its columns.

    `connection` is the name of one, or a URL without a password; `parameters` are bound by name (`:day`), or in order
    (`?`). Nothing that the statement changes is kept.
    """

    sql: str
    connection: str
    parameters: dict[str, Any] | list[Any] | None = None
    poll_s: float = POLL_S


class RunEnds(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="run"):
    """A run, of whatever job and location, has ended. Finds its final state, like `"succeeded"`."""

    run_id: int


class AssetMade(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="asset"):
    """An asset was made later than `after`; None: since the waiting run was created.

    `partition` is one of its partitions, None: any. Finds `{"asset", "partition", "run_id", "at", "data_version"}`.
    """

    asset: str
    partition: str | None = None
    after: float | None = None


class Signal(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="signal"):
    """Somebody sent the signal `name`, later than `after`; None: since the waiting run was created.

    A signal is heard by all who wait for it. Finds the data that came with the first one.
    """

    name: str
    after: float | None = None


Trigger = At | FileArrives | HttpAnswers | RowArrives | RunEnds | AssetMade | Signal


class Wait(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a deferred attempt waits for. `finishes`: what is found is the task run's output, and the step is over."""

    trigger: Trigger
    finishes: bool = False


_encode = msgspec.json.Encoder(order="deterministic").encode
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Trigger)


def encode(trigger: Trigger) -> bytes:
    """A trigger as JSON, the same bytes for the same trigger."""
    return _encode(trigger)


def decode(data: bytes) -> Trigger:
    """The inverse of `encode`."""
    found: Trigger = _decoder.decode(data)
    return found


def describe(trigger: Trigger) -> str:
    """In words, for people: what is waited for."""
    match trigger:
        case At():
            return "waits for a moment"
        case FileArrives():
            return f"waits for the file {trigger.path}"
        case HttpAnswers():
            return f"waits for an answer of {bare_url(trigger.url)}"
        case RowArrives():
            return f"waits for a row of {bare_url(trigger.connection)}"
        case RunEnds():
            return f"waits for the end of run {trigger.run_id}"
        case AssetMade():
            partition = f"[{trigger.partition}]" if trigger.partition else ""
            return f"waits for the asset {trigger.asset}{partition}"
        case Signal():
            return f"waits for the signal {trigger.name}"


def bare_url(url: str) -> str:
    """A URL without what may be secret: user, password, query; what is none as it is."""
    if "://" not in url:
        return url
    scheme, colon, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{colon}{host.rpartition('@')[2]}{slash}{path.partition('?')[0].partition('#')[0]}"


def wrong(trigger: Trigger) -> str:
    """Why a trigger cannot be waited for; empty if it can."""
    match trigger:
        case FileArrives():
            absolute = trigger.path.startswith("/") or "://" in trigger.path or trigger.path[1:2] == ":"
            if not absolute:
                return f"the path {trigger.path!r} is not absolute: the engine may run in another folder"
        case HttpAnswers():
            if not trigger.url.startswith(("http://", "https://")):
                return f"{trigger.url!r} is no URL: it begins with neither http:// nor https://"
            if trigger.timeout_s <= 0:
                return f"timeout_s is {trigger.timeout_s}: give seconds above 0"
        case RowArrives():
            if not trigger.sql.strip():
                return "there is no SQL in it"
            return _wrong_connection(trigger.connection) or _wrong_poll(trigger)
        case AssetMade():
            if not trigger.asset:
                return "no asset is named"
        case Signal():
            if not trigger.name or len(trigger.name) > NAME_CHARS_MAX:
                return f"a signal's name has 1 to {NAME_CHARS_MAX} characters, not {len(trigger.name)}"
    return _wrong_poll(trigger)


def _wrong_connection(connection: str) -> str:
    if not connection:
        return "no connection is named"
    if "://" not in connection:
        return ""
    try:
        found = Connection.from_url(connection)
    except ParameterError as error:
        return error.what
    return "what is recorded with a run must hold no password: name a connection" if found.shown != found.url else ""


def _wrong_poll(trigger: Trigger) -> str:
    poll_s = getattr(trigger, "poll_s", POLL_S)
    return f"poll_s is {poll_s}: give at least {POLL_S_MIN} s" if not poll_s >= POLL_S_MIN else ""
