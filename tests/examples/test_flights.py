"""The year of flights: its days are the whole file, a backfill makes what a plain loop makes, queries stand on top."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from examples.flights.flights import source, tables

SOURCE = Path(__file__).parents[2]
EXAMPLE = SOURCE / "examples" / "flights"

pytestmark = pytest.mark.skipif(find_spec(source.PACKAGE) is None, reason=f"{source.PACKAGE} is not installed")


def run(where: Path, home: Path, *command: str) -> str:
    """What a command prints; it has to succeed."""
    paths = os.pathsep.join([str(SOURCE / "src"), str(SOURCE)])
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=where,
        env={**os.environ, "BATUTA_HOME": str(home), "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_days_are_the_year_each_flight_once() -> None:
    days = {day: source.flights_of(day) for day in source.days()}
    assert len(days) == 365
    assert sum(csv.count(b"\n") - 1 for csv in days.values()) == 336_776
    first = tables.as_it_came(days[date(2013, 1, 1)])
    assert first.height == 842
    assert set(first.schema.dtypes()) == {pl.UInt32, pl.String}
    assert source.flights_of(date(2014, 1, 1)).count(b"\n") == 1


def test_a_flight_that_did_not_arrive_is_cancelled_or_diverted() -> None:
    head = "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,"
    head += "origin,dest,air_time,distance,hour,minute,time_hour\n"
    rows = [
        "2013,7,1,700,645,15,900,850,10,UA,1,N1,EWR,IAH,200,1400,6,45,2013-07-01T10:00:00Z",
        "2013,7,1,700,630,30,NA,850,NA,UA,2,N2,EWR,IAH,NA,1400,6,30,2013-07-01T10:00:00Z",
        "2013,7,1,NA,600,NA,NA,850,NA,UA,3,NA,EWR,IAH,NA,1400,6,0,2013-07-01T10:00:00Z",
    ]
    raw = tables.as_it_came((head + "\n".join(rows) + "\n").encode())
    airlines = pl.DataFrame({"carrier": ["UA"], "name": ["United Air Lines Inc."]})
    planes = pl.DataFrame({"tailnum": ["N1"], "built": [1999], "seats": [140]})
    weather = tables.weather(
        tables.as_it_came(
            b"origin,time_hour,temp,wind_speed,wind_gust,precip,visib\nEWR,2013-07-01T10:00:00Z,70,5,NA,0,10\n"
        )
    )
    made = tables.flights(raw, date(2013, 7, 1), airlines, planes, weather)
    assert made.select("flight", "is_cancelled", "is_diverted", "seats", "visib_mi").rows() == [
        (3, True, False, None, 10.0),
        (2, False, True, None, 10.0),
        (1, False, False, 140, 10.0),
    ]
    assert str(made["scheduled_at"][2]) == "2013-07-01 10:45:00+00:00"
    (day,) = tables.punctuality(made, "carrier").rows(named=True)
    counts = ("flights", "cancelled", "diverted", "late", "dep_delay_min", "arr_delay_min", "arrived")
    assert [day[name] for name in counts] == [3, 1, 1, 0, 45, 10, 1]


def test_a_backfill_makes_what_a_plain_loop_makes(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    run(SOURCE, tmp_path, "bench.flights", "--days", "2", "--repeats", "1", "--json", str(figures))
    found = json.loads(figures.read_text())
    assert {len(rounds) for rounds in found.values()} == {1}
    assert len(found) == 4


def test_queries_over_the_year_stand_on_the_days(tmp_path: Path) -> None:
    project = tmp_path / "flights"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("__pycache__", "lakehouse", ".batuta"))

    def batuta(*arguments: str) -> list[Any]:
        printed = run(project, tmp_path / "home", "batuta.cli.main", *arguments, "--json")
        return [json.loads(line) for line in printed.splitlines()]

    batuta("backfill", "*", "--partitions", "2013-02-07..2013-02-09")  # snow
    lake = project / "lakehouse"
    days = pl.read_parquet(lake / "silver/flights", hive_partitioning=False)
    assert days["day"].unique().len() == 3
    carriers = pl.read_parquet(lake / "gold/carriers.parquet")
    assert carriers["flights"].sum() == days.height
    weather = pl.read_parquet(lake / "gold/weather_delays.parquet")
    assert weather["flights"].sum() == days.height
    assert {"fog", "rain or snow"} <= set(weather["weather"])
    checks = {row["check"]: row for row in batuta("checks")[0]["checks"]}
    assert [name for name, row in checks.items() if row["blocking"] and not row["passed"]] == []
    assert not checks["silver.weather:in_range_wind_mph"]["passed"]
