"""Numbers, times and places as people read them, and the other way round. Times shown are local, times in JSON UTC."""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime

from batuta.core.errors import RequestError

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def duration(seconds: float | None) -> str:
    """`<1 ms`, `12 ms`, `3.4 s`, `2 min 05 s`, `3 h 07 min`."""
    if seconds is None:
        return ""
    if seconds < 0.001:
        return "<1 ms"
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min"


def between(start: float | None, end: float | None) -> str:
    """The time between two instants, or nothing where one is not known."""
    return "" if start is None or end is None else duration(end - start)


def clock(at: float) -> str:
    """The local time of day."""
    return datetime.fromtimestamp(at).strftime("%H:%M:%S")  # noqa: DTZ006 - the reader's own clock


def when(at: float | None, now: float) -> str:
    """A local time as far as it differs from now: `12:05:31`, `Jan 31 12:05`, `2024-01-31`."""
    if at is None:
        return ""
    then, today = datetime.fromtimestamp(at), datetime.fromtimestamp(now)  # noqa: DTZ006 - the reader's own clock
    if then.date() == today.date():
        return then.strftime("%H:%M:%S")
    return then.strftime("%b %d %H:%M") if (today - then).days < 300 else then.strftime("%Y-%m-%d")


def ago(at: float | None, now: float) -> str:
    """`12 s ago`, `3 h ago`, `5 d ago`."""
    if at is None:
        return "never"
    passed = max(now - at, 0)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if passed >= size:
            return f"{passed / size:.0f} {unit} ago"
    return f"{passed:.0f} s ago"


def iso(at: float | None) -> str | None:
    """A time for JSON: UTC with milliseconds."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def size(count: float) -> str:
    """Bytes: `512 B`, `3.4 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


def number(value: object) -> str:
    """A number with thousands separated; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if 1_000 <= abs(value) < 1e15 else f"{value:.4g}"


def plural(count: int, one: str, many: str = "") -> str:
    """`1 run`, `1,200 runs`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def partitions(text: str) -> str:
    """The partitions of a run: one by its name, many by how many and from where to where."""
    keys = text.split(",")
    return text if len(keys) < 3 else f"{len(keys):,}: {keys[0]} … {keys[-1]}"


def parse_age(text: str) -> float:
    """`30d`, `12h`, `90m` in seconds. Raises RequestError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw])", text.strip().lower())
    if found is None:
        raise RequestError(f"{text!r} is not a length of time", hint="write 30d, 12h, 45m or 2w")
    return float(found[1]) * _UNITS_S[found[2]]


def parse_date(text: str) -> float:
    """A day or a time, UTC unless it says otherwise, as seconds since the epoch. Raises RequestError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise RequestError(f"{text!r} is not a date", hint="write 2026-01-31 or 2026-01-31T06:00+01:00") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def day(at: float) -> date:
    """The day in UTC."""
    return datetime.fromtimestamp(at, UTC).date()


def short_path(path: str) -> str:
    """A path relative to the working folder where that is shorter."""
    if not os.path.isabs(path):
        return path
    relative = os.path.relpath(path)
    return relative if len(relative) < len(path) and not relative.startswith("../..") else path
