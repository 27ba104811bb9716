"""Windows of time partitions against the zones' own clocks: no overlap, nothing left out, whatever the zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core import partitions as p
from batuta.core.errors import PartitionError
from batuta.core.partition_time import cells, extent, find, locate, shift
from batuta.core.partition_types import Cadence
from batuta.core.timezones import spans, to_seconds

DAY_S = 86400
ZONES = [
    "UTC",
    "America/New_York",
    "America/Havana",  # changes at midnight
    "America/Sao_Paulo",  # changed at midnight
    "America/St_Johns",  # once changed at one minute past midnight
    "Australia/Lord_Howe",  # half an hour of summer time
    "Europe/Dublin",  # negative summer time
    "Africa/Casablanca",  # changes twice around Ramadan
    "Asia/Kathmandu",  # five hours and 45 minutes
    "Pacific/Apia",  # had no 30 December 2011
    "Pacific/Kwajalein",  # had no 21 August 1993
    "America/Caracas",  # half an hour, not for summer
]

CADENCES: list[Cadence] = ["hourly", "daily", "weekly", "monthly"]

moments = st.integers(to_seconds(datetime(1985, 1, 1, tzinfo=UTC)), to_seconds(datetime(2045, 1, 1, tzinfo=UTC)))


def _change_near(zone: str, year: int, which: int) -> int:
    """An instant at which the zone changed its offset in or after `year`, or the start of that year."""
    starts = spans(zone, year, year + 3).starts
    return starts[which % len(starts)]


@st.composite
def instants(draw: st.DrawFn, zone: str) -> int:
    """Any moment, more often one close to a change of offset."""
    if draw(st.booleans()):
        return draw(moments)
    return _change_near(zone, draw(st.integers(1985, 2040)), draw(st.integers(0, 9))) + draw(st.integers(-90000, 90000))


@st.composite
def definitions(draw: st.DrawFn) -> p.TimePartitions:
    cadence = draw(st.sampled_from(["hourly", "daily", "weekly", "monthly"]))
    zone = draw(st.sampled_from(ZONES))
    minute = draw(st.sampled_from([0, 0, 1, 30, 59]))
    if cadence == "hourly":
        return p.hourly("1985-01-01", timezone=zone, minute=minute)
    hour = draw(st.sampled_from([0, 0, 1, 2, 3, 23]))
    if cadence == "daily":
        return p.daily("1985-01-01", timezone=zone, hour=hour, minute=minute)
    if cadence == "weekly":
        return p.weekly("1985-01-01", timezone=zone, hour=hour, minute=minute, day=draw(st.integers(1, 7)))
    return p.monthly("1985-01-01", timezone=zone, hour=hour, minute=minute, day=draw(st.integers(1, 28)))


@given(st.data())
def test_windows_tile_time(data: st.DataObject) -> None:
    definition = data.draw(definitions())
    low = data.draw(instants(definition.timezone))
    high = low + data.draw(st.integers(1, 70 * DAY_S))
    keys, bounds = cells(definition, low, high)
    assert len(bounds) == len(keys) + 1
    assert len(set(keys)) == len(keys)
    assert bounds[0] <= low < bounds[1]
    assert bounds[-2] < high <= bounds[-1]
    assert all(earlier < later for earlier, later in pairwise(bounds))
    if definition.cadence == "hourly":
        assert all(later - earlier <= 3600 for earlier, later in pairwise(bounds))
    for i in {0, len(keys) // 2, len(keys) - 1}:
        assert find(definition, keys[i]) == (bounds[i], bounds[i + 1])
        for instant in (bounds[i], bounds[i + 1] - 1):
            assert cells(definition, instant, instant + 1).keys == [keys[i]]


def _label(definition: p.TimePartitions, local: datetime) -> str:
    """The name that the wall clock gives to a moment, without regard to offsets."""
    local = local.replace(tzinfo=None)
    if definition.cadence == "hourly":
        return (local - timedelta(minutes=definition.minute)).strftime("%Y-%m-%dT%H")
    local -= timedelta(hours=definition.hour, minutes=definition.minute)
    if definition.cadence == "daily":
        return local.strftime("%Y-%m-%d")
    if definition.cadence == "weekly":
        return (local - timedelta(days=(local.isoweekday() - definition.day) % 7)).strftime("%Y-%m-%d")
    first = local.replace(day=1)
    return (first if local.day >= definition.day else first - timedelta(days=1)).strftime("%Y-%m")


@given(st.data())
def test_keys_say_what_the_wall_clock_says(data: st.DataObject) -> None:
    """Read the zone's clock minute by minute: a new name begins a window, as does a new offset for hours."""
    definition = data.draw(definitions())
    middle = data.draw(instants(definition.timezone)) // 60 * 60
    low, high = middle - 5 * 3600, middle + 5 * 3600
    zone = ZoneInfo(definition.timezone)
    expected: list[tuple[int, str]] = []
    name, offset, latest = "", None, ""
    for instant in range(low, high, 60):
        local = datetime.fromtimestamp(instant, zone)
        # Where the clock goes back over the beginning of a day, the day has begun the first time.
        latest = max(latest, _label(definition, local))
        own = _label(definition, local) if definition.cadence == "hourly" else latest
        if own != name or (definition.cadence == "hourly" and local.utcoffset() != offset):
            expected.append((instant, own))
        name, offset = own, local.utcoffset()
    keys, bounds = cells(definition, low, high)
    if definition.cadence != "hourly" and cells(definition, low - DAY_S, low).keys[-1] > expected[0][1]:
        return  # the clock went back just before: what its day is called was decided earlier
    assert [key[:13] for key in keys] == [own for _, own in expected]
    assert bounds[1:-1] == [instant for instant, _ in expected[1:]]


@given(st.data())
def test_shift_counts_windows(data: st.DataObject) -> None:
    definition = data.draw(definitions())
    low = data.draw(instants(definition.timezone))
    bounds = cells(definition, low, low + 60 * DAY_S).bounds
    count = data.draw(st.integers(0, min(len(bounds) - 1, 40)))
    assert shift(definition, bounds[0], count) == bounds[count]
    assert shift(definition, bounds[count], -count) == bounds[0]


@given(st.data())
def test_locate_finds_every_key(data: st.DataObject) -> None:
    definition = data.draw(definitions())
    low = data.draw(instants(definition.timezone))
    keys, bounds = cells(definition, low, low + 5 * DAY_S)
    asked = data.draw(st.permutations(keys))
    before, after = data.draw(st.integers(0, 9)), data.draw(st.integers(0, 9))
    stretch, places = locate(definition, asked, before, after)
    assert [stretch.keys[place] for place in places] == asked
    assert [stretch.bounds[place] for place in places] == [bounds[keys.index(key)] for key in asked]
    assert min(places) >= before
    assert max(places) + after < len(stretch.keys)


@given(st.data())
def test_what_exists(data: st.DataObject) -> None:
    """Whole windows between start and end that have ended; and every way to ask gives the same answer."""
    zone = data.draw(st.sampled_from(ZONES))
    cadence = data.draw(st.sampled_from(CADENCES))
    begin = data.draw(instants(zone))
    length = {"hourly": 2, "daily": 20, "weekly": 80, "monthly": 200}[cadence] * DAY_S
    end = begin + data.draw(st.integers(1, length)) if data.draw(st.booleans()) else None
    offset = data.draw(st.integers(-2, 2))
    text = [None if at is None else datetime.fromtimestamp(at, UTC).isoformat() for at in (begin, end)]
    definition = p.TimePartitions(cadence, text[0] or "", text[1], zone, end_offset=offset)
    now_s = begin + data.draw(st.integers(-length // 4, length))
    now = datetime.fromtimestamp(now_s, UTC)
    keys = p.keys(definition, now)
    windows = [p.window(definition, key) for key in keys]
    for earlier, later in pairwise(windows):
        assert earlier.end.astimezone(UTC) == later.start.astimezone(UTC)
    for key, window in zip(keys, windows, strict=True):
        assert p.contains(definition, key, now)
        assert p.key_at(definition, window.start) == key
        assert begin <= to_seconds(window.start)
        assert end is None or to_seconds(window.end) <= end
    ended = [w for w in windows if to_seconds(w.end) <= now_s]
    assert len(windows) - len(ended) <= max(offset, 0)
    assert (p.ends(definition, now) or (None, None)) == ((keys[0], keys[-1]) if keys else (None, None))
    around = cells(definition, begin - 40 * DAY_S, begin + length + 80 * DAY_S).keys
    assert [key for key in around if p.contains(definition, key, now)] == keys
    low, high = extent(definition, now_s)
    assert (low == high) == (not keys)


@pytest.mark.parametrize(
    ("zone", "start", "end", "expected"),
    [
        (
            "America/New_York",
            "2025-11-02T00:00",
            "2025-11-02T03:00",
            ["2025-11-02T00", "2025-11-02T01-0400", "2025-11-02T01-0500", "2025-11-02T02"],
        ),
        ("America/New_York", "2025-03-09T01:00", "2025-03-09T04:00", ["2025-03-09T01", "2025-03-09T03"]),
        (
            "Australia/Lord_Howe",
            "2025-04-06T00:00",
            "2025-04-06T03:00",
            ["2025-04-06T00", "2025-04-06T01+1100", "2025-04-06T01+1030", "2025-04-06T02"],
        ),
        (
            "Australia/Lord_Howe",
            "2025-10-05T01:00",
            "2025-10-05T04:00",
            ["2025-10-05T01", "2025-10-05T02", "2025-10-05T03"],
        ),
        ("Europe/Dublin", "2025-03-30T00:00", "2025-03-30T03:00", ["2025-03-30T00", "2025-03-30T02"]),
    ],
)
def test_hours_around_a_change_of_clocks(zone: str, start: str, end: str, expected: list[str]) -> None:
    definition = p.hourly(start, end=end, timezone=zone)
    assert p.keys(definition, datetime(2026, 1, 1, tzinfo=UTC)) == expected
    windows = [p.window(definition, key) for key in expected]
    assert windows[0].start.replace(tzinfo=None) == datetime.fromisoformat(start)
    assert windows[-1].end.replace(tzinfo=None) == datetime.fromisoformat(end)
    for earlier, later in pairwise(windows):
        assert earlier.end.astimezone(UTC) == later.start.astimezone(UTC)


def test_a_day_that_a_zone_skipped() -> None:
    definition = p.daily("2011-12-29", end="2012-01-01", timezone="Pacific/Apia")
    assert p.keys(definition, datetime(2026, 1, 1, tzinfo=UTC)) == ["2011-12-29", "2011-12-31"]
    with pytest.raises(PartitionError, match="does not exist in Pacific/Apia") as caught:
        p.window(definition, "2011-12-30")
    assert "the next one is '2011-12-31'" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("2025-11-02T01", "name one of '2025-11-02T01-0400', '2025-11-02T01-0500'"),
        ("2025-11-02T01-0600", "did you mean '2025-11-02T0"),
        ("2025-03-09T02", "the clock skipped it; the next one is '2025-03-09T03'"),
        ("2025-06-01T02-0400", "did you mean '2025-06-01T02'?"),
    ],
)
def test_an_hour_that_is_named_wrongly(key: str, hint: str) -> None:
    with pytest.raises(PartitionError) as caught:
        p.window(p.hourly("2025-01-01", timezone="America/New_York"), key)
    assert hint in (caught.value.hint or "")
