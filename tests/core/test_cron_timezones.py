"""Zones: names, and the arithmetic of wall clocks against `zoneinfo` itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.errors import DefinitionError
from batuta.core.timezones import spans, to_datetime, to_seconds, validate_zone

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall clocks have no zone


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Europe/Madird", "'Europe/Madrid'"),
        ("europe/madrid", "'Europe/Madrid'"),
        ("Madrid", "'Europe/Madrid'"),
        ("New York", "'America/New_York'"),
        ("PST", "'America/Los_Angeles'"),
        ("America", None),
        ("../../etc/passwd", None),
        ("localtime", None),
        ("posix/UTC", None),
        ("", "'UTC'"),
        ("\x00", "'UTC'"),
        (None, None),
        (5, None),
    ],
)
def test_an_unknown_zone(name: str, hint: str | None) -> None:
    with pytest.raises(DefinitionError, match="unknown time zone") as caught:
        validate_zone(name, "pipeline.py:2")
    assert caught.value.where == "pipeline.py:2"
    assert hint is None or hint in (caught.value.hint or "")


def test_known_zones() -> None:
    for name in ("UTC", "Europe/Madrid", "America/Argentina/Buenos_Aires", "Etc/GMT+5"):
        validate_zone(name)


@given(st.sampled_from(ZONES), st.datetimes(datetime(1901, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_wall_clocks(zone: str, moment: datetime) -> None:
    instant = to_seconds(moment.replace(tzinfo=UTC))
    clock = spans(zone, moment.year - 1, moment.year + 1)
    local = to_datetime(instant, zone)
    assert local == moment.replace(tzinfo=UTC, microsecond=0)
    assert clock.wall(instant) == (local.replace(tzinfo=None) - EPOCH) // timedelta(seconds=1)
    assert clock.wall(clock.instant(instant)) >= instant  # `instant` here read as the digits of a wall clock
    naive = EPOCH + timedelta(seconds=instant)
    first = naive.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
    if first.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == naive:  # the clock shows this time
        assert clock.instant(instant) == to_seconds(first)
    else:  # the clock skipped it: the moment it jumped
        jump = clock.instant(instant)
        assert clock.wall(jump - 1) < instant < clock.wall(jump)


@given(st.sampled_from(ZONES), st.integers(1901, 2100))
def test_no_change_of_offset_is_overlooked(zone: str, year: int) -> None:
    clock, tz = spans(zone, year, year), ZoneInfo(zone)
    begin = to_seconds(datetime(year, 1, 1, tzinfo=UTC))
    for instant in range(begin, begin + 365 * 86400, 6 * 3600):
        offset = datetime.fromtimestamp(instant, tz).utcoffset() or timedelta()
        assert clock.offsets[clock.index(instant)] == offset // timedelta(seconds=1)


@pytest.mark.parametrize(
    ("zone", "year", "count"),
    [("Africa/Casablanca", 2025, 3), ("America/Recife", 2000, 4), ("Europe/Dublin", 2025, 3), ("UTC", 2025, 1)],
)
def test_changes_that_are_close_together(zone: str, year: int, count: int) -> None:
    """Ramadan in Morocco; Recife began summer time in 2000 and gave it up within a week."""
    assert len(spans(zone, year, year).starts) == count


@pytest.mark.parametrize(
    ("zone", "wall", "expected"),
    [
        ("America/New_York", "2025-11-02T01:00", "2025-11-02T01:00-04:00"),  # twice: the first
        ("America/New_York", "2025-11-02T01:59", "2025-11-02T01:59-04:00"),
        ("America/New_York", "2025-11-02T02:00", "2025-11-02T02:00-05:00"),  # once, when all of it has passed
        ("America/New_York", "2025-03-09T02:00", "2025-03-09T03:00-04:00"),  # skipped: the jump
        ("America/New_York", "2025-03-09T02:30", "2025-03-09T03:00-04:00"),
        ("America/New_York", "2025-03-09T03:00", "2025-03-09T03:00-04:00"),
        ("America/Sao_Paulo", "2018-02-18T00:00", "2018-02-18T00:00-03:00"),  # midnight went back to 23:00
        ("America/Sao_Paulo", "2017-10-15T00:00", "2017-10-15T01:00-02:00"),  # midnight was skipped
    ],
)
def test_wall_clocks_at_a_change(zone: str, wall: str, expected: str) -> None:
    moment = datetime.fromisoformat(wall)
    instant = spans(zone, moment.year, moment.year).instant((moment - EPOCH) // timedelta(seconds=1))
    assert to_datetime(instant, zone).isoformat() == datetime.fromisoformat(expected).isoformat()
