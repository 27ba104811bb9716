"""What all shapes share: descriptions of fields, times, pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated as A
from typing import Any

import msgspec


def doc(text: str, *examples: Any, **limits: Any) -> msgspec.Meta:
    """The description of a field, with examples; `limits` are those of `msgspec.Meta` (ge, max_length, ...)."""
    return msgspec.Meta(description=text, examples=list(examples) or None, **limits)


class Shape(msgspec.Struct, kw_only=True):
    """What the API gives: every field is always there."""


class Given(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the API takes: a field that it does not know is an error, not a surprise."""


class Link(Shape):
    """Where something else about it is to be seen; a plugin says so."""

    title: A[str, doc("What is there.", "Logs in Loki")]
    url: A[str, doc("Where: an http or https URL.", "https://logs.example.com/run/42")]


_MIN, _MAX = -62_135_596_800.0, 253_402_300_799.0  # the years 1 and 9999


def at(seconds: float) -> datetime:
    """Seconds since the epoch as a time in UTC."""
    return datetime.fromtimestamp(min(max(seconds, _MIN), _MAX), UTC)


def at_or_none(seconds: float | None) -> datetime | None:
    """`at` of what may not have happened."""
    return None if seconds is None else at(seconds)


def seconds_of(moment: datetime | None) -> float | None:
    """The inverse of `at`; a time without a zone is UTC."""
    if moment is None:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
