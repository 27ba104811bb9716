"""The four kinds of partition definitions, as plain records that survive JSON.

Surprising rule: the dimensions of a multi-dimensional definition are ordered by name, not as written, so that a
definition that went through JSON with sorted keys has the same partition keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Literal

import msgspec

from batuta.core.errors import DefinitionError

Cadence = Literal["hourly", "daily", "weekly", "monthly"]

DynamicKeys = Mapping[str, Sequence[str]]
"""The keys of each dynamic definition by its name, in the order in which they were added."""


class TimePartitions(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="time"):
    """Consecutive windows of the wall clock of `timezone`, from `start` (included) to `end` (not included).

    Only windows that lie wholly between the two count, and only those that have ended: a day is there from midnight
    on. `end_offset` moves that: 1 adds the window that is still open, -1 takes the last one away.
    `hour`, `minute` and `day` say where a window begins: `day` is 1 (Monday) to 7 for weekly, 1 to 28 for monthly.
    """

    cadence: Cadence
    start: str  # ISO date or datetime, in `timezone` unless it has an offset of its own
    end: str | None = None
    timezone: str = "UTC"
    hour: int = 0
    minute: int = 0
    day: int = 1
    end_offset: int = 0  # in partitions


class StaticPartitions(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="static"):
    """A fixed list of keys; their order counts (ranges, `latest`)."""

    keys: tuple[str, ...]


class DynamicPartitions(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="dynamic"):
    """Keys that are added and removed at run time, kept in the store under `name`."""

    name: str


SinglePartitions = TimePartitions | StaticPartitions | DynamicPartitions


class MultiPartitions(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="multi"):
    """Every combination of the keys of its dimensions, any number of them."""

    dimensions: dict[str, SinglePartitions]


Partitions = TimePartitions | StaticPartitions | DynamicPartitions | MultiPartitions

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Partitions)


def encode(definition: Partitions) -> bytes:
    """The definition as JSON, the same bytes for the same definition."""
    return _encoder.encode(definition)


def decode(data: bytes | str) -> Partitions:
    """The inverse of `encode`."""
    definition: Partitions = _decoder.decode(data)
    return definition


Moment = str | date
"""An ISO string, a date or a datetime."""


def hourly(
    start: Moment, *, end: Moment | None = None, timezone: str = "UTC", minute: int = 0, end_offset: int = 0
) -> TimePartitions:
    """One partition an hour, keys like `2025-01-31T05`; an hour that happens twice: `...T01-0400` and `...T01-0500`."""
    return TimePartitions("hourly", _iso(start), _iso_or_none(end), timezone, minute=minute, end_offset=end_offset)


def daily(
    start: Moment,
    *,
    end: Moment | None = None,
    timezone: str = "UTC",
    hour: int = 0,
    minute: int = 0,
    end_offset: int = 0,
) -> TimePartitions:
    """One partition a day, keys like `2025-01-31`: the date on which the window begins."""
    return TimePartitions("daily", _iso(start), _iso_or_none(end), timezone, hour, minute, end_offset=end_offset)


def weekly(
    start: Moment,
    *,
    end: Moment | None = None,
    timezone: str = "UTC",
    day: int = 1,
    hour: int = 0,
    minute: int = 0,
    end_offset: int = 0,
) -> TimePartitions:
    """One partition a week, keys like `2025-01-27`, its first day. `day` is the ISO weekday: 1 = Monday, 7 = Sunday."""
    return TimePartitions("weekly", _iso(start), _iso_or_none(end), timezone, hour, minute, day, end_offset)


def monthly(
    start: Moment,
    *,
    end: Moment | None = None,
    timezone: str = "UTC",
    day: int = 1,
    hour: int = 0,
    minute: int = 0,
    end_offset: int = 0,
) -> TimePartitions:
    """One partition a month, keys like `2025-01`: the month in which the window begins."""
    return TimePartitions("monthly", _iso(start), _iso_or_none(end), timezone, hour, minute, day, end_offset)


def static(keys: Iterable[str]) -> StaticPartitions:
    """A fixed list of keys."""
    if isinstance(keys, str):
        raise DefinitionError("static partitions are given as one string", hint=f"write static([{keys!r}])")
    return StaticPartitions(tuple(keys))


def dynamic(name: str) -> DynamicPartitions:
    """Keys that are added at run time, shared by everything that names the same `name`."""
    return DynamicPartitions(name)


def multi(dimensions: Mapping[str, SinglePartitions] | None = None, /, **named: SinglePartitions) -> MultiPartitions:
    """Every combination of its dimensions: `multi(day=daily("2025-01-01"), region=static(["eu", "us"]))`."""
    return MultiPartitions({**(dimensions or {}), **named})


def _iso(moment: Moment) -> str:
    return moment.isoformat() if isinstance(moment, date | datetime) else moment


def _iso_or_none(moment: Moment | None) -> str | None:
    return None if moment is None else _iso(moment)
