"""Recurrences: what is refused and why, what fires, and that nothing depends on where one starts to look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from dateutil.rrule import rrulestr  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from batuta.core import rrules
from batuta.core.errors import DefinitionError
from batuta.core.schedule_specs import Rrule
from batuta.core.timezones import to_datetime, to_seconds

START = "2020-01-06T09:30:00"  # a Monday


def times(rule: Rrule, after: str, count: int) -> list[str]:
    at: int | None = to_seconds(datetime.fromisoformat(after))
    found: list[int] = []
    while at is not None and len(found) < count:
        at = rrules.following(rule, at)
        if at is not None:
            found.append(at)
    for earlier, later in pairwise(found):
        assert rrules.preceding(rule, later) == earlier
    return [to_datetime(one, rule.timezone).isoformat(timespec="minutes") for one in found]


@pytest.mark.parametrize(
    ("rule", "what", "hint"),
    [
        ("", "is empty", "FREQ=WEEKLY"),
        ("BYDAY=MO", "has no FREQ", "DAILY"),
        ("FREQ=DAYLY", "FREQ is 'DAYLY'", "'DAILY'"),
        ("FREQ=SECONDLY", "FREQ is 'SECONDLY'", "use an interval"),
        ("FREQ=DAILY;BYHOURS=3", "no part 'BYHOURS=3'", "'BYHOUR'"),
        ("FREQ=DAILY;BYHOUR=25", "BYHOUR cannot be '25'", "0 to 23"),
        ("FREQ=DAILY;BYHOUR=9,", "BYHOUR cannot be ''", "0 to 23"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY cannot be '0'", "-1 to -31"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL cannot be '0'", "1 to"),
        ("FREQ=DAILY;COUNT=0", "COUNT cannot be '0'", "1 to"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20300101T000000", "both COUNT and UNTIL", "leave one"),
        ("FREQ=DAILY;BYHOUR=1;BYHOUR=2", "has BYHOUR twice", "a list"),
        ("FREQ=WEEKLY;BYDAY=MON", "BYDAY cannot be 'MON'", "MO TU"),
        ("FREQ=WEEKLY;BYDAY=1MO", "cannot be '1MO' here", "ordinal"),
        ("FREQ=MONTHLY;BYDAY=6MO", "cannot be '6MO' here", "ordinal"),
        ("FREQ=WEEKLY;WKST=XX", "WKST cannot be 'XX'", "MO TU"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never fires", "February"),
        ("FREQ=DAILY;UNTIL=20190101T000000", "never fires", "before it starts"),
        ("FREQ=DAILY;UNTIL=soon", "UNTIL", "20260131T090000"),
        ("FREQ=HOURLY;INTERVAL=24;BYHOUR=3", "empty set", "RFC"),
        ("FREQ=DAILY;COUNT=2\nEXDATE:20200106T093000,20200107T093000", "never fires", "excluded"),
        ("EXDATUM:20200106T093000", "a line 'EXDATUM'", "'EXDATE'"),
        ("DTSTART:20200106T093000\nRRULE:FREQ=DAILY", "holds a DTSTART", "start="),
        ("FREQ=DAILY\nEXDATE:2020", "EXDATE '2020'", "20260131T090000"),
    ],
)
def test_wrong_rules(rule: str, what: str, hint: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        rrules.validate(Rrule(rule, START), "shop.py:3")
    assert what in caught.value.what
    assert hint in (caught.value.hint or "")
    assert caught.value.where == "shop.py:3"


TIMES = """
FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=18;BYMINUTE=0 | 2026-01-01T00:00Z | 2026-01-30T18:00+01:00 2026-02-27T18:00+01:00
RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU        | 2026-01-01T00:00Z | 2026-01-13T09:30+01:00 2026-01-27T09:30+01:00
FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29          | 2026-01-01T00:00Z | 2028-02-29T09:30+01:00 2032-02-29T09:30+01:00
FREQ=DAILY;COUNT=2                           | 2019-01-01T00:00Z | 2020-01-06T09:30+01:00 2020-01-07T09:30+01:00
FREQ=DAILY;UNTIL=20200107T083000Z            | 2019-01-01T00:00Z | 2020-01-06T09:30+01:00 2020-01-07T09:30+01:00
FREQ=DAILY;UNTIL=20200107                    | 2019-01-01T00:00Z | 2020-01-06T09:30+01:00 2020-01-07T09:30+01:00
RDATE:20260301T120000Z,20260401T120000Z      | 2026-01-01T00:00Z | 2026-03-01T13:00+01:00 2026-04-01T14:00+02:00
FREQ=DAILY;COUNT=2,RDATE:20200101T000000     | 2019-01-01T00:00Z | 2020-01-01T00:00+01:00 2020-01-06T09:30+01:00
FREQ=DAILY;COUNT=3,EXDATE:20200107T093000    | 2019-01-01T00:00Z | 2020-01-06T09:30+01:00 2020-01-08T09:30+01:00
FREQ=DAILY;BYHOUR=2;BYMINUTE=30              | 2026-03-28T12:00Z | 2026-03-29T03:00+02:00 2026-03-30T02:30+02:00
FREQ=DAILY;BYHOUR=2;BYMINUTE=30              | 2026-10-24T12:00Z | 2026-10-25T02:30+02:00 2026-10-26T02:30+01:00
FREQ=HOURLY                                  | 2026-10-24T23:45Z | 2026-10-25T02:30+02:00 2026-10-25T02:30+01:00
FREQ=HOURLY                                  | 2026-03-29T00:00Z | 2026-03-29T01:30+01:00 2026-03-29T03:30+02:00
FREQ=MINUTELY;INTERVAL=45                    | 2026-03-29T00:00Z | 2026-03-29T01:15+01:00 2026-03-29T03:30+02:00
"""
"""Lines of a rule are separated by commas here. The last five: a day without 02:30, one with two of them, and hours
and minutes that the clock shows twice, or does not show."""


@pytest.mark.parametrize("case", TIMES.strip().splitlines(), ids=lambda case: case.partition(" ")[0])
def test_times(case: str) -> None:
    rule, after, expected = (part.strip() for part in case.split("|"))
    made = Rrule(rule.replace(",RDATE", "\nRDATE").replace(",EXDATE", "\nEXDATE"), START, "Europe/Madrid")
    rrules.validate(made)
    assert times(made, after, 2) == expected.split()


def test_a_rule_that_has_ended_has_no_more_times() -> None:
    for rule in ("FREQ=DAILY;COUNT=2", "FREQ=DAILY;UNTIL=20200107T235959", "RDATE:20200106T093000,20200107T093000"):
        made = Rrule(rule, START)
        assert times(made, "2019-01-01T00:00Z", 9) == ["2020-01-06T09:30+00:00", "2020-01-07T09:30+00:00"]
        assert rrules.following(made, to_seconds(datetime(2026, 1, 1, tzinfo=UTC))) is None
        last = rrules.preceding(made, to_seconds(datetime(2026, 1, 1, tzinfo=UTC)))
        assert last == to_seconds(datetime(2020, 1, 7, 9, 30, tzinfo=UTC))
        assert rrules.preceding(made, to_seconds(datetime(2020, 1, 6, 9, 30, tzinfo=UTC))) is None


@st.composite
def rules(draw: st.DrawFn) -> str:
    freq = draw(st.sampled_from(["MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={freq}", f"INTERVAL={draw(st.sampled_from([1, 1, 2, 5, 13]))}"]
    if draw(st.booleans()):
        parts.append(f"BYDAY={draw(st.sampled_from(['MO', 'TU,TH', 'SA,SU']))}")
    if freq == "YEARLY" and draw(st.booleans()):
        parts.append("BYMONTH=3,11")
    if freq == "WEEKLY" and draw(st.booleans()):
        parts.append("WKST=SU")
    return ";".join(parts)


@given(rules(), st.integers(0, 5 * 365 * 86400), st.sampled_from(["2020-01-06T09:30:00", "2023-05-31T00:00:00"]))
def test_in_utc_the_times_are_those_of_dateutil_counted_from_the_start(rule: str, later_s: int, start: str) -> None:
    """Where we leave out whole periods before expanding, it expands from the first one."""
    begin = datetime.fromisoformat(start)
    after = begin + timedelta(seconds=later_s)
    expected = rrulestr(rule, dtstart=begin).xafter(after, count=5)
    found: list[datetime] = []
    at = rrules.following(Rrule(rule, start), to_seconds(after.replace(tzinfo=UTC)))
    while at is not None and len(found) < 5:
        found.append(to_datetime(at, "UTC").replace(tzinfo=None))
        at = rrules.following(Rrule(rule, start), at)
    assert found == list(expected)
