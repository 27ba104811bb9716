"""Lengths of time as people write them: a number of seconds, or `90s`, `15m`, `12h`, `30d`, `2w`."""

from __future__ import annotations

import re

UNITS_S = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
HINT = "write seconds as a number, or 90s, 15m, 12h, 30d, 2w"


class Seconds(float):
    """A length of time in a configuration file; decoded by `decode_hook`."""


def seconds_of(given: object) -> Seconds:
    """A length of time in seconds. Raises ValueError for what is none."""
    if isinstance(given, int | float) and not isinstance(given, bool) and given >= 0:
        return Seconds(given)
    if isinstance(given, str):
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw])", given.strip().lower())
        if found is not None:
            return Seconds(float(found[1]) * UNITS_S[found[2]])
    raise ValueError(f"{given!r} is not a length of time")


def decode_hook(kind: type, given: object) -> object:
    """For msgspec: what a `Seconds` is made of."""
    if kind is Seconds:
        return seconds_of(given)
    raise NotImplementedError(f"{kind} is not known here")


def spoken(seconds: float) -> str:
    """The inverse of `seconds_of`, in the largest unit of which there are at least one: `90 min`, `3 h`, `2 d`."""
    for name, unit in (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= 2 * unit or (seconds >= unit and seconds % unit == 0):
            return f"{seconds / unit:.0f} {name}" if seconds % unit < unit / 20 else f"{seconds / unit:.1f} {name}"
    return f"{seconds:.0f} s" if seconds >= 10 or seconds == int(seconds) else f"{seconds:.1f} s"
