"""Partitions: slices of an asset or job by time or key. What other layers import; the parts are in `partition_*`.

Owns the check of definitions. Surprising rule: constructors check nothing, so that an error can name the place in the
author's file; `validate` must be called before anything else is done with a definition.
"""

from __future__ import annotations

from typing import get_args

from batuta.core.errors import DefinitionError, nearest
from batuta.core.partition_keys import (
    Window,
    check_key,
    contains,
    ends,
    join_key,
    key_at,
    keys,
    last_key,
    split_key,
    window,
)
from batuta.core.partition_select import select
from batuta.core.partition_time import instant_of, limits
from batuta.core.partition_types import (
    Cadence,
    DynamicKeys,
    DynamicPartitions,
    MultiPartitions,
    Partitions,
    SinglePartitions,
    StaticPartitions,
    TimePartitions,
    daily,
    decode,
    dynamic,
    encode,
    hourly,
    monthly,
    multi,
    static,
    weekly,
)
from batuta.core.timezones import to_datetime, validate_zone

__all__ = [
    "DynamicKeys",
    "DynamicPartitions",
    "MultiPartitions",
    "Partitions",
    "SinglePartitions",
    "StaticPartitions",
    "TimePartitions",
    "Window",
    "check_key",
    "contains",
    "daily",
    "decode",
    "dynamic",
    "encode",
    "ends",
    "hourly",
    "join_key",
    "key_at",
    "keys",
    "last_key",
    "monthly",
    "multi",
    "select",
    "split_key",
    "static",
    "validate",
    "weekly",
    "window",
]

END_OFFSET_MAX = 10_000
KEY_LENGTH_MAX = 500


def validate(definition: Partitions, where: str | None = None) -> None:
    """Raise DefinitionError saying what is wrong with the definition, if anything is."""
    checked: object = definition  # what an author wrote may be of any type
    match checked:
        case TimePartitions():
            _validate_time(checked, where)
        case StaticPartitions():
            _validate_static(checked, where)
        case DynamicPartitions():
            if not str(checked.name or "").strip():
                raise DefinitionError("dynamic partitions need a name", where=where, hint="write dynamic('customers')")
        case MultiPartitions():
            _validate_multi(checked, where)
        case _:
            what = f"{definition!r} is not a definition of partitions"
            raise DefinitionError(what, where=where, hint="use daily(...), static([...]), dynamic(...) or multi(...)")


def _validate_time(definition: TimePartitions, where: str | None) -> None:
    if definition.cadence not in get_args(Cadence):
        hint = nearest(str(definition.cadence), get_args(Cadence)) or f"use one of {', '.join(get_args(Cadence))}"
        raise DefinitionError(f"unknown cadence {definition.cadence!r}", where=where, hint=hint)
    validate_zone(definition.timezone, where)
    _validate_offsets(definition, where)
    begin = _instant(definition, "start", definition.start, where)
    if definition.end is not None and _instant(definition, "end", definition.end, where) <= begin:
        what = f"the end {definition.end!r} is not after the start {definition.start!r}"
        raise DefinitionError(what, where=where, hint="`end` is the first moment that no longer counts")
    low, high = limits(definition)
    if low >= high:
        first = to_datetime(low, definition.timezone).isoformat(timespec="minutes")
        what = f"no {definition.cadence} window lies between {definition.start!r} and {definition.end!r}"
        raise DefinitionError(what, where=where, hint=f"the first would begin at {first}")


def _instant(definition: TimePartitions, name: str, text: object, where: str | None) -> int:
    if not isinstance(text, str):
        raise DefinitionError(f"{name} is {text!r}, not a date", where=where, hint="write it like '2025-01-31'")
    try:
        return instant_of(text, definition)
    except DefinitionError as error:
        raise DefinitionError(f"{name}: {error.what}", where=where, hint=error.hint) from None


_OFFSETS = {
    "hourly": {"minute": (0, 59)},
    "daily": {"hour": (0, 23), "minute": (0, 59)},
    "weekly": {"day": (1, 7), "hour": (0, 23), "minute": (0, 59)},
    "monthly": {"day": (1, 28), "hour": (0, 23), "minute": (0, 59)},
}


def _validate_offsets(definition: TimePartitions, where: str | None) -> None:
    allowed = {**_OFFSETS[definition.cadence], "end_offset": (-END_OFFSET_MAX, END_OFFSET_MAX)}
    for name, default in (("minute", 0), ("hour", 0), ("day", 1), ("end_offset", 0)):
        value: object = getattr(definition, name)
        if name not in allowed:
            if value != default:
                what = f"{name}={value!r} means nothing for {definition.cadence} partitions"
                raise DefinitionError(what, where=where, hint="leave it out")
            continue
        low, high = allowed[name]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            hint = f"{definition.cadence} partitions take a whole number from {low} to {high}"
            raise DefinitionError(f"{name}={value!r} is out of range", where=where, hint=hint)


def _validate_static(definition: StaticPartitions, where: str | None) -> None:
    if not definition.keys:
        raise DefinitionError("static partitions without a key", where=where, hint="list at least one key")
    seen: set[str] = set()
    for key in definition.keys:
        if not isinstance(key, str):
            raise DefinitionError(f"static key {key!r} is not a string", where=where, hint=f"write '{key}'")
        if key in seen:
            raise DefinitionError(f"static key {key!r} is there twice", where=where, hint="leave one of them out")
        if problem := key_problem(key):
            raise DefinitionError(f"static key {key!r} {problem}", where=where)
        seen.add(key)


def key_problem(key: str) -> str | None:
    """Why `key` cannot be a static or dynamic partition key, or None where it can."""
    if not key:
        return "is empty"
    if key != key.strip():
        return "begins or ends with a space"
    if not key.isprintable():
        return "has a character that cannot be printed"
    return f"is longer than {KEY_LENGTH_MAX} characters" if len(key) > KEY_LENGTH_MAX else None


def _validate_multi(definition: MultiPartitions, where: str | None) -> None:
    if not definition.dimensions:
        raise DefinitionError(
            "multi partitions without a dimension",
            where=where,
            hint="write multi(day=daily(...), region=static([...]))",
        )
    for name, each in definition.dimensions.items():
        if not str(name).isidentifier():
            hint = "use letters, digits and underscores"
            raise DefinitionError(f"{name!r} cannot be the name of a dimension", where=where, hint=hint)
        if isinstance(each, MultiPartitions):
            hint = "list all dimensions in one multi(...)"
            raise DefinitionError(f"dimension {name!r} has dimensions itself", where=where, hint=hint)
        validate(each, f"{where}, dimension {name!r}" if where else f"dimension {name!r}")
