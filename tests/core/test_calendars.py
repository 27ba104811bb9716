"""Calendars: which days are left out and why, where their times go, and what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core import calendars
from batuta.core.calendars import excluded, sources, target
from batuta.core.errors import DefinitionError
from batuta.core.schedule_specs import Calendar

WEEKDAYS = (1, 2, 3, 4, 5)


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal()


@pytest.mark.parametrize(
    ("calendar", "when", "reason"),
    [
        (Calendar(), "2026-01-01", ""),
        (Calendar(weekdays=WEEKDAYS), "2026-01-02", ""),
        (Calendar(weekdays=WEEKDAYS), "2026-01-03", "Saturday"),
        (Calendar(exclude=("2026-12-24",)), "2026-12-24", "excluded date"),
        (Calendar(exclude=("2026-12-24",)), "2027-12-24", ""),
        (Calendar(exclude=("12-24",)), "2027-12-24", "excluded date"),
        (Calendar(exclude=("2026-08-01..2026-08-15",)), "2026-08-15", "excluded date"),
        (Calendar(exclude=("2026-08-01..2026-08-15",)), "2026-08-16", ""),
        (Calendar(holidays=("ES",)), "2026-10-12", "holiday: National Day (ES)"),
        (Calendar(holidays=("ES",)), "2026-05-02", ""),
        (Calendar(holidays=("ES-MD",)), "2026-05-02", "holiday: Madrid Day (ES-MD)"),
        (Calendar(holidays=("XNYS",)), "2026-11-26", "holiday: Thanksgiving Day (XNYS)"),
        (Calendar(weekdays=WEEKDAYS, holidays=("ES",), include=("2026-01-06", "2026-01-10")), "2026-01-06", ""),
        (Calendar(weekdays=WEEKDAYS, holidays=("ES",), include=("2026-01-06", "2026-01-10")), "2026-01-10", ""),
    ],
)
def test_excluded_days(calendar: Calendar, when: str, reason: str) -> None:
    pytest.importorskip("holidays")
    calendars.validate(calendar)
    assert excluded(calendar, day(when)) == reason


@pytest.mark.parametrize(
    ("calendar", "what", "hint"),
    [
        (Calendar(weekdays=(0,)), "weekday 0", "1 (Monday)"),
        (Calendar(weekdays=()), "leaves no day", "include"),
        (Calendar(exclude=("24.12.",)), "'24.12.' is not a date", "12-24"),
        (Calendar(exclude=("2026-02-30",)), "'2026-02-30' is not a date", "2026-12-24"),
        (Calendar(exclude=("13-01",)), "'13-01' is not a date", "12-24"),
        (Calendar(include=("2026-02-03..2026-02-01",)), "ends before it begins", "first..last"),
        (Calendar(holidays=("Spain",)), "no holidays are known of 'Spain'", "'ES'"),
        (Calendar(holidays=("ES-XX",)), "ES has no part 'XX'", "MD"),
        (Calendar(on_excluded="nxt"), "on_excluded is 'nxt'", "'next'"),  # type: ignore[arg-type]
    ],
)
def test_wrong_calendars(calendar: Calendar, what: str, hint: str) -> None:
    pytest.importorskip("holidays")
    with pytest.raises(DefinitionError) as caught:
        calendars.validate(calendar, "shop.py:3")
    assert what in caught.value.what
    assert hint in (caught.value.hint or "")
    assert caught.value.where == "shop.py:3"


@pytest.mark.parametrize(
    ("on_excluded", "when", "to"),
    [
        ("skip", "2026-01-03", None),
        ("next", "2026-01-03", "2026-01-05"),
        ("previous", "2026-01-04", "2026-01-02"),
        ("next", "2026-01-05", "2026-01-05"),
    ],
)
def test_excluded_times_move(on_excluded: Any, when: str, to: str | None) -> None:
    calendar = Calendar(weekdays=WEEKDAYS, on_excluded=on_excluded)
    assert target(calendar, day(when)) == (None if to is None else day(to))


def test_no_time_is_moved_over_more_than_a_month() -> None:
    calendar = Calendar(exclude=("2026-01-01..2026-12-31",), on_excluded="next")
    assert target(calendar, day("2026-11-01")) is None
    assert target(calendar, day("2026-12-05")) == day("2027-01-01")
    assert sources(calendar, day("2027-01-01")) == (day("2026-12-01"), day("2027-01-01"))


@given(
    st.builds(
        Calendar,
        weekdays=st.lists(st.integers(1, 7), max_size=5).map(tuple),
        exclude=st.sampled_from([(), ("2026-01-10..2026-02-20",), ("01-01", "2026-03-01..2026-03-02")]),
        include=st.just(("2026-03-15", "2026-01-20")),
        on_excluded=st.sampled_from(["skip", "next", "previous"]),
    ),
    st.integers(day("2025-12-01"), day("2026-05-01")),
)
def test_sources_are_the_days_whose_times_go_there(calendar: Calendar, where: int) -> None:
    """`sources` is the inverse of `target`."""
    if excluded(calendar, where):
        return
    first, last = sources(calendar, where)
    going = [one for one in range(where - 40, where + 41) if target(calendar, one) == where]
    if calendar.on_excluded == "skip":
        assert going == [where] == [first]
    else:
        assert going == list(range(first, last + 1))
