"""`python -m bench.checks`: what checks cost, beside the same aggregates written by hand in DuckDB and in Polars.

Ten rules of `batuta.checks` about a table of payments, on a frame in memory and on a Parquet file. Batuta asks all of
them in one scan, judges each, and by default fetches rows that fail; the same rules are also asked without fetching
any, and one after the other. By hand is one query, or one `select`, for the same ten counts and nothing else. All have
to count the same, or there are no figures. Rounds alternate, and figures are medians, so that what else the machine
does meets all alike.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl

from batuta.checks import (
    Rule,
    accepted_values,
    evaluate,
    expression,
    in_range,
    length,
    matches,
    not_null,
    unique,
)
from batuta.io import InputContext, OutputContext, ParquetIO
from batuta.quality.evaluate import evaluate as judge
from batuta.quality.given import Given

Counts = list[int]
"""How many rows fail each of the rules, in their order."""

ROWS = (1_000, 100_000, 1_000_000)
CURRENCIES = ("EUR", "USD", "GBP", "CHF")
KNOWN = CURRENCIES[:3]
AMOUNT_MAX = 9_000
ASSET = "silver.payments"


def rules(sample: int) -> list[Rule]:
    """Ten of them, which fetch so many of the rows that fail."""
    return [
        not_null("id", sample=sample),
        not_null("merchant", "currency", sample=sample),
        unique("id", sample=sample),
        accepted_values("currency", KNOWN, sample=sample),
        in_range("amount", 0, AMOUNT_MAX, sample=sample),
        in_range("fee", min=0, sample=sample),
        matches("merchant", "M[0-9]{3}", sample=sample),
        length("merchant", 4, 4, sample=sample),
        expression("net = amount - fee", sample=sample),
        expression("net <= amount", where="currency = 'EUR'", sample=sample),
    ]


RULES, COUNTING = rules(5), rules(0)
SQL = f"""
select
    count(*) filter (where id is null),
    count(*) filter (where merchant is null or currency is null),
    count(id) - count(distinct id),
    count(*) filter (where currency not in {KNOWN}),
    count(*) filter (where amount < 0 or amount > {AMOUNT_MAX}),
    count(*) filter (where fee < 0),
    count(*) filter (where not regexp_full_match(merchant, 'M[0-9]{{3}}')),
    count(*) filter (where length(merchant) <> 4),
    count(*) filter (where not (net = amount - fee)),
    count(*) filter (where currency = 'EUR' and not (net <= amount))
from """


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.checks", description=__doc__)
    parser.add_argument("--rows", type=int, action="append", default=[], help="of the table; repeatable")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    figures = {rows: measure(rows, options.repeats) for rows in options.rows or ROWS}
    for rows, found in figures.items():
        print(f"{len(RULES)} rules over {rows:,} rows")
        for name, milliseconds in found.items():
            print(f"  {name:45} {milliseconds:9.2f} ms")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def payments(rows: int) -> pl.DataFrame:
    """The table. In every 500 rows something is wrong in some of them."""
    number = pl.int_range(rows, dtype=pl.Int64)
    place = number % 500
    amount = (number * 7919) % AMOUNT_MAX
    return pl.select(
        pl.when(place == 1).then(None).when(place == 2).then(number - 2).otherwise(number).alias("id"),
        pl.when(place == 3).then(pl.lit("X1")).otherwise(pl.format("M{}", 100 + number % 800)).alias("merchant"),
        pl.when(place == 4).then(None).otherwise(pl.lit(list(CURRENCIES[:3])).list.get(number % 3)).alias("currency"),
        pl.when(place == 5).then(-1).otherwise(amount).alias("amount"),
        pl.when(place == 6).then(-2).otherwise(amount // 100).alias("fee"),
        (amount - amount // 100).alias("net"),
    )


def measure(rows: int, repeats: int) -> dict[str, float]:
    """Milliseconds that each way takes, the median of so many times."""
    frame = payments(rows)
    with tempfile.TemporaryDirectory(prefix="batuta-bench-checks-") as folder, duckdb.connect() as connection:
        io = ParquetIO(folder)
        path = io.store(OutputContext(asset=ASSET), frame).path
        ways: dict[str, Callable[[], Counts]] = {
            "frame, Batuta": lambda: [one.failing for one in evaluate(frame, RULES)],
            "frame, Batuta, no rows that fail": lambda: [one.failing for one in evaluate(frame, COUNTING)],
            "frame, Batuta, one rule after the other": lambda: one_by_one(frame),
            "frame, DuckDB by hand": lambda: in_duckdb(connection, "frame", frame),
            "frame, Polars by hand": lambda: in_polars(frame.lazy()),
            "Parquet, Batuta": lambda: on_file(io, RULES),
            "Parquet, Batuta, no rows that fail": lambda: on_file(io, COUNTING),
            "Parquet, DuckDB by hand": lambda: in_duckdb(connection, f"read_parquet('{path}')"),
            "Parquet, Polars by hand": lambda: in_polars(pl.scan_parquet(path)),
        }
        agree({name: way() for name, way in ways.items()})
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(repeats):
            for name, way in ways.items():
                began = time.perf_counter()
                way()
                taken[name].append((time.perf_counter() - began) * 1e3)
    return {name: statistics.median(each) for name, each in taken.items()}


def agree(counts: dict[str, Counts]) -> None:
    """Raises SystemExit where two ways count differently, or none finds anything."""
    (first, wanted), *others = counts.items()
    for name, found in others:
        if found != wanted:
            raise SystemExit(f"{first} counts {wanted}, {name} counts {found}")
    if not any(wanted):
        raise SystemExit("no row fails: a measurement of nothing")


def one_by_one(frame: pl.DataFrame) -> Counts:
    """Each rule in a scan of its own."""
    return [evaluate(frame, [rule])[rule.name].failing for rule in RULES]


def on_file(io: ParquetIO, rules: list[Rule]) -> Counts:
    """As a run does it: the table is asked where it is kept."""
    with io.scan(InputContext(asset=ASSET)) as scan:
        return [verdict.failing for verdict in judge(rules, Given(scan))]


def in_duckdb(connection: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame | None = None) -> Counts:
    """The counts in one query."""
    if frame is not None:
        connection.register(table, frame)
    (found,) = connection.execute(SQL + table).fetchall()
    return list(found)


def in_polars(table: pl.LazyFrame) -> Counts:
    """The counts in one `select`."""
    number, merchant, currency = pl.col("id"), pl.col("merchant"), pl.col("currency")
    amount, fee, net = pl.col("amount"), pl.col("fee"), pl.col("net")
    tests = [
        number.is_null(),
        merchant.is_null() | currency.is_null(),
        number.is_not_null() & ~number.is_first_distinct(),
        ~currency.is_in(KNOWN),
        ~amount.is_between(0, AMOUNT_MAX),
        fee < 0,
        ~merchant.str.contains("^M[0-9]{3}$"),
        merchant.str.len_chars() != 4,
        net != amount - fee,
        (currency == "EUR") & (net > amount),
    ]
    return list(table.select(test.sum().alias(str(n)) for n, test in enumerate(tests)).collect().row(0))


if __name__ == "__main__":
    sys.exit(main())
