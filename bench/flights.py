"""`python -m bench.flights`: examples/flights, 365 days of it, by `batuta backfill` and by a plain loop.

The loop calls the same functions day after day in one process, writes the same Parquet files, and evaluates the same
rules. Both are measured once more without rules and contracts: functions and files, and nothing else. All are whole
commands, from the start of the interpreter on, that begin with nothing made, and what they made is compared. Rounds
alternate, and figures are medians, so that what else the machine does meets all alike; --realtime puts them before
other processes. The seconds of CPU are those of a command and all its workers.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from batuta.checks import Rule

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "flights"
SELECTION = "+gold.carrier_days +gold.route_days"
DAILY = ("bronze/flights", "silver/flights", "gold/carrier_days", "gold/route_days")
RULES = ("with rules", "without rules")

Round = tuple[float, float]
"""Seconds that a command took, and seconds of CPU."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.flights", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--days", type=int, default=365, help="only the first so many")
    parser.add_argument("--workers", type=int, default=0, help="of the backfill (default: as Batuta chooses)")
    parser.add_argument("--realtime", action="store_true", help="run all that is measured under `chrt -f 10`")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--loop", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--no-rules", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.loop:
        loop(options.loop, options.days, with_rules=not options.no_rules)
        return 0
    found: dict[str, list[Round]] = {f"{who}, {how}": [] for how in RULES for who in ("loop", "batuta")}
    for _ in range(options.repeats):
        for how in RULES:
            with tempfile.TemporaryDirectory(prefix="batuta-bench-flights-") as folder:
                by_loop, by_batuta = measure(Path(folder), options, with_rules=how == RULES[0])
            found[f"loop, {how}"].append(by_loop)
            found[f"batuta, {how}"].append(by_batuta)
    tell(found, options.days)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def measure(folder: Path, options: argparse.Namespace, *, with_rules: bool) -> tuple[Round, Round]:
    """The loop, and the backfill."""
    prefix = ["chrt", "-f", "10"] if options.realtime else []
    loop = [*prefix, sys.executable, "-m", "bench.flights", "--days", str(options.days), "--loop", str(folder / "loop")]
    by_loop = timed([*loop, *([] if with_rules else ["--no-rules"])], ROOT, folder)
    project = folder / "flights"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("__pycache__", "lakehouse", ".batuta"))
    if not with_rules:
        take_out_rules(project / "flights" / "rules.py")
    last = date.fromordinal(date(2013, 1, 1).toordinal() + options.days - 1)
    backfill = [*prefix, sys.executable, "-m", "batuta.cli.main", "backfill", SELECTION, "--quiet"]
    backfill += ["--partitions", f"2013-01-01..{last}"]
    backfill += ["--workers", str(options.workers)] if options.workers else []
    by_batuta = timed(backfill, project, folder)
    compare(folder / "loop", project / "lakehouse")
    return by_loop, by_batuta


def take_out_rules(file: Path) -> None:
    """Leave the assets of a copy without rules and contracts."""
    text = file.read_text(encoding="utf-8")
    nothing = [f"{name} = []" for name in re.findall(r"^([A-Z_]+_RULES)\b", text, re.M)]
    nothing += [f"{name} = None" for name in re.findall(r"^([A-Z_]+): Contract\b", text, re.M)]
    file.write_text("\n".join([text, *nothing, ""]), encoding="utf-8")


def timed(command: list[str], where: Path, home: Path) -> Round:
    """How long a command takes, which must succeed."""
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths, "BATUTA_HOME": str(home / "home"), "NO_COLOR": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody compiles all again at each start
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True)
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(one: Path, other: Path) -> None:
    """Raises AssertionError where the two did not make the same tables."""
    import polars as pl
    from polars.testing import assert_frame_equal

    for table in DAILY:
        assert_frame_equal(*(pl.read_parquet(lake / table, hive_partitioning=False) for lake in (one, other)))


def tell(found: dict[str, list[Round]], days: int) -> None:
    """What came out."""
    medians = {name: statistics.median(took for took, _ in rounds) for name, rounds in found.items()}
    for name, rounds in found.items():
        took, cpu = [took for took, _ in rounds], statistics.median(cpu for _, cpu in rounds)
        print(
            f"{name:22} {medians[name]:6.2f} s (from {min(took):.2f} to {max(took):.2f}), "
            f"{medians[name] / days * 1e3:5.1f} ms a day, {cpu:.1f} s of CPU"
        )
    for how in RULES:
        print(f"{how}: {medians[f'batuta, {how}'] / medians[f'loop, {how}']:.2f} times the loop")


# ---- the loop --------------------------------------------------------------------------------------------------------


def loop(lake: Path, days: int, *, with_rules: bool) -> None:
    """The year as one would write it without Batuta: tables handed on in memory, each written, each looked at."""
    from batuta.checks import evaluate
    from examples.flights.flights import rules, source, tables

    seen: list[float] = []

    def made(place: str, table: pl.DataFrame, checks: list[Rule] | None = None) -> pl.DataFrame:
        path = lake / f"{place}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.write_parquet(path)
        if checks and with_rules:
            evaluate(table, checks, former={"row_count_drift": seen[-60:]}).must_pass()
        return table

    raw = {name: made(f"bronze/{name}", tables.as_it_came(source.table(name))) for name in source.TABLES}
    airlines = made("silver/airlines", tables.airlines(raw["airlines"]), rules.AIRLINE_RULES)
    made("silver/airports", tables.airports(raw["airports"]), rules.AIRPORT_RULES)
    planes = made("silver/planes", tables.planes(raw["planes"]), rules.PLANE_RULES)
    weather = made("silver/weather", tables.weather(raw["weather"]), rules.WEATHER_RULES)
    for day in list(source.days())[:days]:
        bronze = made(f"bronze/flights/{day}", tables.as_it_came(source.flights_of(day)))
        silver = tables.flights(bronze, day, airlines, planes, weather)
        made(f"silver/flights/{day}", silver, rules.FLIGHT_RULES)
        seen.append(silver.height)
        carriers = tables.punctuality(silver, "carrier", "airline")
        made(f"gold/carrier_days/{day}", carriers, rules.PUNCTUALITY_RULES)
        routes = tables.punctuality(silver, "origin", "dest")
        made(f"gold/route_days/{day}", routes, rules.PUNCTUALITY_RULES)


if __name__ == "__main__":
    sys.exit(main())
