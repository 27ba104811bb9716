"""Cron expressions: which are right, what is said of the wrong ones, and when they fire where clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core import cron
from batuta.core.errors import DefinitionError
from batuta.core.timezones import spans, to_seconds

NEW_YORK, LORD_HOWE, DUBLIN = "America/New_York", "Australia/Lord_Howe", "Europe/Dublin"
ZONES = ["UTC", NEW_YORK, LORD_HOWE, DUBLIN, "America/Havana", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu"]
NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)


RIGHT = """
    * * * * *; */5 9-17 * * mon-fri; 0 0 1,15 * *; 30 0 6 * * *; 0 0 L * *; 0 0 LW 2 *; 0 0 * JAN-MAR 5L; 0 0 * * 1#2;
    0 0 29 2 *; 0 0 * 2 FRI#5; @Daily; 0 0 31 2 MON; @hourly; @midnight; @weekly; @monthly; @yearly; @annually
"""


@pytest.mark.parametrize("expression", RIGHT.split(";"))
def test_right_expressions(expression: str) -> None:
    for zone in ZONES:
        cron.validate_cron(expression, zone)
    assert cron.next_times(expression, "UTC", NEW_YEAR, 3)
    assert cron.describe(expression)


@pytest.mark.parametrize(
    ("expression", "what", "hint"),
    [
        ("61 * * * *", "the minute cannot be '61'", "0-59"),
        ("0,61 * * * *", "the minute cannot be '61'", "0-59"),
        ("0 24 * * *", "the hour cannot be '24'", "0-23"),
        ("0 0 32 * *", "the day of month cannot be '32'", "1-31"),
        ("0 0 * 13 *", "the month cannot be '13'", "1-12 or JAN-DEC"),
        ("0 0 * * 8", "the day of week cannot be '8'", "0-7"),
        ("60 0 0 * * *", "the second cannot be '60'", "0-59"),
        ("0 0 0 0 * *", "the day of month cannot be '0'", "1-31"),
        ("*/0 * * * *", "the minute cannot be '*/0'", "a step */5"),
        ("0,,5 * * * *", "the minute cannot be ''", "a comma too many"),
        ("0 0 ? * *", "the day of month cannot be '?'", "write *"),
        ("0 0 * * MONDAY", "the day of week cannot be 'MONDAY'", "write MON for MONDAY"),
        ("0 0 * January *", "the month cannot be 'January'", "write JAN for JANUARY"),
        ("0 0 * * FRIL", "the day of week cannot be 'FRIL'", "write 5L"),
        ("0 22-5 * * *", "the hour cannot be '22-5'", "write 22-23,0-5"),
        ("0 0 * NOV-FEB *", "the month cannot be 'NOV-FEB'", "write 11-12,1-2"),
        ("0 0 * * SAT-SUN", "the day of week cannot be 'SAT-SUN'", "write 6-7"),
        ("0 0 * * FRI-MON", "the day of week cannot be 'FRI-MON'", "write 5-6,0-1"),
        ("٣ * * * *", "the minute cannot be '٣'", "0-59"),
        ("* * * *", "has 4 fields", "day-of-week"),
        ("* * * * * * 2025", "has 7 fields", "day-of-week"),
        ("", "has 0 fields", "day-of-week"),
        ("@dayly", "unknown cron alias '@dayly'", "'@daily'"),
        ("@every 5m", "unknown cron alias '@every 5m'", "'*/5 * * * *'"),
        ("0 0 30 2 *", "never fires", "no 30th"),
        ("0 0 */5 2 MON#5", "never fires", None),
        ("0," * 1000 + "0 * * * *", "2009 characters", None),
    ],
)
def test_wrong_expressions(expression: str, what: str, hint: str | None) -> None:
    with pytest.raises(DefinitionError) as caught:
        cron.validate_cron(expression, NEW_YORK, "pipeline.py:4")
    assert what in caught.value.what
    assert hint is None or hint in (caught.value.hint or "")
    assert str(caught.value).startswith("pipeline.py:4")


def test_what_never_fires_has_no_times() -> None:
    for expression in ("0 0 30 2 *", "0 0 */5 2 MON#5"):
        assert cron.next_times(expression, NEW_YORK, NEW_YEAR, 3) == []
    with pytest.raises(DefinitionError, match="the minute cannot be '61'"):
        cron.next_times("61 * * * *", NEW_YORK, NEW_YEAR)


def test_a_wrong_zone_and_a_naive_time() -> None:
    with pytest.raises(DefinitionError, match="unknown time zone 'Europe/Pariss'"):
        cron.validate_cron("@daily", "Europe/Pariss")
    with pytest.raises(DefinitionError, match="no time zone"):
        cron.next_times("@daily", "UTC", datetime(2025, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        # The clock jumps from 2 to 3: what is due between fires at 3.
        ("30 2 * * *", NEW_YORK, "2025-03-08T12:00-05:00", ["2025-03-09T03:00-04:00", "2025-03-10T02:30-04:00"]),
        ("0,30 2 * * *", NEW_YORK, "2025-03-08T12:00-05:00", ["2025-03-09T03:00-04:00", "2025-03-10T02:00-04:00"]),
        ("15 2 * * *", LORD_HOWE, "2025-10-04T12:00+10:30", ["2025-10-05T02:30+11:00", "2025-10-06T02:15+11:00"]),
        # The clock goes back from 2 to 1: once, the first time.
        ("30 1 * * *", NEW_YORK, "2025-11-01T12:00-04:00", ["2025-11-02T01:30-04:00", "2025-11-03T01:30-05:00"]),
        ("30 1 * * *", NEW_YORK, "2025-11-02T01:15-05:00", ["2025-11-03T01:30-05:00", "2025-11-04T01:30-05:00"]),
        # What runs every so often goes by real time.
        ("0 * * * *", NEW_YORK, "2025-11-02T00:30-04:00", ["2025-11-02T01:00-04:00", "2025-11-02T01:00-05:00"]),
        ("0 * * * *", NEW_YORK, "2025-03-09T00:30-05:00", ["2025-03-09T01:00-05:00", "2025-03-09T03:00-04:00"]),
        ("@daily", DUBLIN, "2025-03-29T12:00+00:00", ["2025-03-30T00:00+00:00", "2025-03-31T00:00+01:00"]),
        ("*/20 * 15 10 *", "America/Sao_Paulo", "2017-10-14T12:00-03:00", ["2017-10-15T01:00-02:00", "2017-10-15T01:20-02:00"]),  # noqa: E501
        ("30 0 6 * * *", "UTC", "2025-01-01T06:00+00:00", ["2025-01-01T06:00:30+00:00", "2025-01-02T06:00:30+00:00"]),
        ("0 6 * * *", "UTC", "2025-01-01T06:00+00:00", ["2025-01-02T06:00+00:00", "2025-01-03T06:00+00:00"]),
    ],
)  # fmt: skip
def test_next_times(expression: str, zone: str, after: str, expected: list[str]) -> None:
    times = cron.next_times(expression, zone, datetime.fromisoformat(after), len(expected))
    assert [time.isoformat() for time in times] == [datetime.fromisoformat(text).isoformat() for text in expected]
    assert all(time.tzinfo == ZoneInfo(zone) for time in times)


@st.composite
def expressions(draw: st.DrawFn) -> str:
    minute = draw(st.sampled_from(["0", "30", "*/15", "15,45", "*"]))
    hour = draw(st.sampled_from(["*", "0", "1", "2", "0-3", "1,2", "*/2"]))
    day, week = draw(st.sampled_from([("*", "*"), ("1", "*"), ("*", "SUN"), ("L", "*"), ("*", "7#1"), ("*/2", "*")]))
    return f"{draw(st.sampled_from(['', '', '0 ', '30 ']))}{minute} {hour} {day} * {week}"


@st.composite
def moments(draw: st.DrawFn, zone: str) -> datetime:
    """Any time, mostly within a day of a change of the clock."""
    year = draw(st.integers(2005, 2035))
    starts = spans(zone, year, year + 1).starts
    instant = draw(st.sampled_from(starts)) + draw(st.integers(-90_000, 90_000))
    return datetime.fromtimestamp(instant, UTC) + timedelta(microseconds=draw(st.sampled_from([0, 1, 999_999])))


@given(expressions(), st.sampled_from(ZONES), st.data())
def test_times_move_forward_and_do_not_depend_on_where_one_starts(
    expression: str, zone: str, data: st.DataObject
) -> None:
    after = data.draw(moments(zone))
    times = cron.next_times(expression, zone, after, 12)
    assert len(times) == 12
    for earlier, later in pairwise([after, *(time.astimezone(UTC) for time in times)]):
        assert earlier < later
    place = data.draw(st.integers(0, 10))
    assert cron.next_times(expression, zone, times[place], 11 - place) == times[place + 1 :]
    midway = times[place].astimezone(UTC) + (times[place + 1].astimezone(UTC) - times[place].astimezone(UTC)) / 2
    assert cron.next_times(expression, zone, midway, 11 - place) == times[place + 1 :]


@given(st.integers(0, 59), st.integers(0, 23), st.sampled_from(ZONES), st.data())
def test_a_daily_time_fires_once_a_day_whatever_the_clock_does(
    minute: int, hour: int, zone: str, data: st.DataObject
) -> None:
    after = data.draw(moments(zone))
    clock = spans(zone, after.year - 1, after.year + 1)
    today = to_seconds(after) // 86400
    due = sorted({clock.instant((today + i) * 86400 + hour * 3600 + minute * 60) for i in range(-2, 9)})
    expected = [instant for instant in due if datetime.fromtimestamp(instant, UTC) > after][:5]
    times = cron.next_times(f"{minute} {hour} * * *", zone, after, 5)
    assert [to_seconds(time) for time in times] == expected


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("0 6 * * MON-FRI", "At 06:00 on Monday through Friday"),
        ("@daily", "At 00:00 every day"),
        ("@hourly", "At the start of every hour"),
        ("*/5 * * * *", "Every fifth minute of every hour"),
    ],
)
def test_describe(expression: str, text: str) -> None:
    assert cron.describe(expression) == text
