"""Time zones: checked names, and wall clocks as integer arithmetic.

Reads zone rules through `zoneinfo`, the one thing in core that comes from outside (they are constants of the world).
Surprising rule: a wall-clock time that is skipped means the instant the clock jumped, one that happens twice the first.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from batuta.core.errors import DefinitionError, nearest

YEAR_MIN, YEAR_MAX = 1900, 9000
"""The years in which zones can be computed with."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SAMPLE_S = 5 * 86400  # no zone has changed twice within six days since 1900
_REFUSED = ("localtime", "posixrules", "Factory")  # what they mean depends on the machine
_ABBREVIATED = {
    "AEST": "Australia/Sydney",
    "BRT": "America/Sao_Paulo",
    "BST": "Europe/London",
    "CDT": "America/Chicago",
    "CEST": "Europe/Berlin",
    "EDT": "America/New_York",
    "JST": "Asia/Tokyo",
    "MDT": "America/Denver",
    "PDT": "America/Los_Angeles",
    "PST": "America/Los_Angeles",
    "SGT": "Asia/Singapore",
}


def validate_zone(name: str, where: str | None = None) -> None:
    """Check that `name` is an IANA zone such as `Europe/Madrid`; raise DefinitionError with the nearest names."""
    zone(name, where)


def zone(name: str, where: str | None = None) -> ZoneInfo:
    """The zone called `name`; DefinitionError where there is none."""
    try:
        if name not in _REFUSED and not name.startswith(("posix/", "right/")):
            return ZoneInfo(name)
    except (OSError, ValueError, LookupError, AttributeError, TypeError):
        pass
    raise DefinitionError(f"unknown time zone {name!r}", where=where, hint=_zone_hint(str(name)))


def _zone_hint(name: str) -> str:
    if name.upper() in _ABBREVIATED:
        return f"abbreviations are not unique; name a place, e.g. {_ABBREVIATED[name.upper()]!r}"
    known = available_timezones() - set(_REFUSED)
    folded = name.strip().replace(" ", "_").casefold()
    exact = sorted(k for k in known if folded in (k.casefold(), k.rpartition("/")[2].casefold()))
    if exact and folded:
        return f"did you mean {' or '.join(map(repr, exact[:3]))}?"
    return nearest(name, sorted(known)) or "use an IANA name such as 'UTC', 'Europe/Madrid' or 'America/New_York'"


def to_seconds(when: datetime, where: str | None = None) -> int:
    """An aware datetime as whole seconds since 1970 UTC, rounded down; DefinitionError where it has no zone."""
    if when.tzinfo is None:
        raise DefinitionError(
            f"the time {when.isoformat()} has no time zone", where=where, hint="use datetime.now(timezone.utc)"
        )
    return (when - _EPOCH) // timedelta(seconds=1)


def to_datetime(seconds: int, zone_name: str) -> datetime:
    """The instant `seconds` after 1970 UTC, on the clock of the zone."""
    return (_EPOCH + timedelta(seconds=seconds)).astimezone(zone(zone_name))


class Spans:
    """The stretches of time in which one zone kept one UTC offset.

    `starts[i]` is the instant (seconds since 1970 UTC) from which `offsets[i]` (seconds east) holds. "Wall seconds"
    are the digits of the wall clock read as if they were UTC: instant + offset.
    """

    __slots__ = ("_wall_ends", "offsets", "starts")

    def __init__(self, starts: list[int], offsets: list[int]) -> None:
        self.starts = starts
        self.offsets = offsets
        self._wall_ends = [end + offset for end, offset in zip(starts[1:], offsets, strict=False)]

    def index(self, instant: int) -> int:
        """Which stretch `instant` is in."""
        return max(bisect_right(self.starts, instant) - 1, 0)

    def wall(self, instant: int) -> int:
        """The wall seconds at `instant`."""
        return instant + self.offsets[self.index(instant)]

    def instant(self, wall: int) -> int:
        """The first instant at which the wall clock shows `wall`, or jumps over it."""
        i = bisect_right(self._wall_ends, wall)
        return wall - self.offsets[i] if i == 0 else max(self.starts[i], wall - self.offsets[i])


@lru_cache(maxsize=256)
def spans(zone_name: str, year_from: int, year_to: int) -> Spans:
    """The stretches of the zone from the start of `year_from` to the end of `year_to` (UTC years)."""
    first = max(year_from, YEAR_MIN - 1)
    starts, offsets = [_year_start(first)], [_offset(zone(zone_name), _year_start(first))]
    for year in range(first, min(year_to, YEAR_MAX + 1) + 1):
        for at, offset in _changes(zone_name, year):
            starts.append(at)
            offsets.append(offset)
    return Spans(starts, offsets)


@lru_cache(maxsize=4096)
def _changes(zone_name: str, year: int) -> tuple[tuple[int, int], ...]:
    """(instant, new offset) of each change of offset in the UTC year."""
    tz = zone(zone_name)
    found: list[tuple[int, int]] = []
    end = _year_start(year + 1)
    at, offset = _year_start(year), _offset(tz, _year_start(year))
    while at < end:
        following = min(at + _SAMPLE_S, end)
        new = _offset(tz, following)
        if new != offset:
            found.append((_change_between(tz, at, following), new))
        at, offset = following, new
    return tuple(found)


def _change_between(tz: ZoneInfo, low: int, high: int) -> int:
    old = _offset(tz, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(tz, middle) == old:
            low = middle
        else:
            high = middle
    return high


def _offset(tz: ZoneInfo, instant: int) -> int:
    offset = (_EPOCH + timedelta(seconds=instant)).astimezone(tz).utcoffset()
    return 0 if offset is None else offset // timedelta(seconds=1)


def _year_start(year: int) -> int:
    return (datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
