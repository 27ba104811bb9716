"""Numbers, times, tables and tracebacks as people read them."""

from __future__ import annotations

import click
import pytest

from batuta.cli import formats
from batuta.cli.output import Cell, columns_of, cut, table
from batuta.cli.tracebacks import own_frames
from batuta.core.errors import RequestError


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0001, "<1 ms"),
        (0.0124, "12 ms"),
        (3.44, "3.4 s"),
        (59.96, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3600 * 3 + 60 * 7, "3 h 07 min"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(("text", "seconds"), [("30d", 2_592_000), ("12h", 43_200), ("45 m", 2_700), ("1.5h", 5_400)])
def test_ages(text: str, seconds: float) -> None:
    assert formats.parse_age(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "30", "30 parsecs", "-3d"])
def test_ages_that_are_none(text: str) -> None:
    with pytest.raises(RequestError):
        formats.parse_age(text)


def test_dates_are_utc_unless_they_say_otherwise() -> None:
    assert formats.parse_date("1970-01-02") == 86_400
    assert formats.parse_date("1970-01-02T01:00+01:00") == 86_400
    assert formats.iso(86_400.5) == "1970-01-02T00:00:00.500Z"


def test_sizes_numbers_and_plurals() -> None:
    assert [formats.size(n) for n in (0, 999, 1_500, 2_000_000, 3e12)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "2.0 MB",
        "3000.0 GB",
    ]
    assert formats.number(1_234_567) == "1,234,567"
    assert [formats.number(one) for one in (41_837.218, 0.0692307, 1e20)] == ["41,837.22", "0.06923", "1e+20"]
    assert formats.plural(1, "run") == "1 run"
    assert formats.plural(1_200, "run") == "1,200 runs"


def test_a_table_is_aligned_whatever_its_letters() -> None:
    text = table(("NAME", "N"), [("ünïcode", "1"), ("日本", "22")], right=(1,))
    lines = click.unstyle(text).splitlines()
    assert lines == ["NAME      N", "ünïcode   1", "日本     22"]
    assert len({columns_of(line) for line in lines}) == 1


def test_styles_do_not_count_and_nothing_trails() -> None:
    lines = table(("A", "B", ""), [(Cell("x", "red"), "", ""), (Cell("xyz", bold=True), "b", "")]).splitlines()
    assert [click.unstyle(line) for line in lines] == ["A    B", "x", "xyz  b"]


def test_what_is_too_long_is_cut() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert cut("日本語", 4) == "日…"
    assert cut("one\ntwo", 10) == "one"


def test_frames_of_libraries_are_summed_up() -> None:
    traceback = (
        '  File "/srv/shop/flows.py", line 3, in load\n'
        "    frame = read(path)\n"
        '  File "/venv/lib/python3.11/site-packages/pandas/io/parsers.py", line 9, in read\n'
        "    return engine.read()\n"
        "           ^^^^^^^^^^^^^\n"
        '  File "/venv/lib/python3.11/site-packages/pandas/io/c.py", line 7, in read\n'
        "    raise ValueError\n"
        "ValueError: no columns\n"
    )
    assert [click.unstyle(line) for line in own_frames(traceback)] == [
        '  File "/srv/shop/flows.py", line 3, in load',
        "    frame = read(path)",
        "  … 2 frames in pandas",
        "ValueError: no columns",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("", ""), ("2026-01-31", "2026-01-31"), ("a,b", "a,b"), ("a,b,c,d", "4: a … d")],
)
def test_many_partitions_are_counted(text: str, shown: str) -> None:
    assert formats.partitions(text) == shown
