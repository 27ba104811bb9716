"""The settlement files that merchants download: written from gold, read back, and reconciled to the cent.

The surprising rule: reconciling trusts nothing that writing did. It parses the files anew and compares every amount
of every day with gold, so an error in either direction shows as a difference with its place.
"""

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal

import polars as pl

COUNTS = ("sales", "refunds", "chargebacks")
AMOUNTS = ("gross", "refund", "chargeback", "fee", "net")
HEADER = ("day", *COUNTS, *AMOUNTS)
TOTAL = "TOTAL"
Closing = Literal["month_end", "normal_day"]
Period = tuple[date, date]


class SettlementFileError(Exception):
    """A settlement file cannot be read, or does not add up; says which file and line."""


# ---- which files are due ---------------------------------------------------------------------------------------------


def closing(day: date) -> Closing:
    """Which branch a day takes."""
    return "month_end" if (day + timedelta(1)).day == 1 else "normal_day"


def period(day: date) -> Period:
    """First and last day that the files of a day cover: the month at its end, otherwise the day alone."""
    return (day.replace(day=1) if closing(day) == "month_end" else day), day


def merchants_due(settlement: pl.DataFrame, covered: Period) -> list[str]:
    """The merchants that a file is due for, sorted."""
    return _within(settlement, covered)["merchant_id"].unique().sort().to_list()


def file_name(merchant_id: str, covered: Period) -> str:
    return f"settlement-{merchant_id}-{covered[0].isoformat()}-{covered[1].isoformat()}.csv"


def _within(settlement: pl.DataFrame, covered: Period) -> pl.DataFrame:
    return settlement.filter(pl.col("day").is_between(*covered))


# ---- writing and reading ---------------------------------------------------------------------------------------------


def export(settlement: pl.DataFrame, merchant_id: str, covered: Period, folder: Path) -> Path:
    """Writes one merchant's file: HEADER, a line a day, and a TOTAL line; amounts in EUR with two decimals.

    The file appears whole or not at all. ValueError when the merchant has nothing in the period.
    """
    rows = _within(settlement, covered).filter(pl.col("merchant_id") == merchant_id).sort("day")
    if rows.is_empty():
        raise ValueError(f"nothing to settle for merchant {merchant_id} from {covered[0]} to {covered[1]}")
    numbers = rows.select(*COUNTS, *(f"{name}_cents" for name in AMOUNTS))
    lines = [_line(str(day), values) for day, values in zip(rows["day"], numbers.iter_rows(), strict=True)]
    lines.append(_line(TOTAL, numbers.sum().row(0)))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file_name(merchant_id, covered)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([HEADER, *lines])
    unfinished.replace(path)
    return path


def _line(label: str, values: tuple[int, ...]) -> list[str]:
    counts, cents = values[: len(COUNTS)], values[len(COUNTS) :]
    return [label, *map(str, counts), *(str(Decimal(amount).scaleb(-2)) for amount in cents)]


def read(path: Path) -> pl.DataFrame:
    """The days of a settlement file: day, the COUNTS, and each of AMOUNTS as `..._cents`; SettlementFileError."""
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    if len(lines) < 2 or tuple(lines[0]) != HEADER or lines[-1][:1] != [TOTAL]:
        raise SettlementFileError(f"{path.name}: not a settlement file: the header or the {TOTAL} line is missing")
    parsed = [_parsed(path, number, line) for number, line in enumerate(lines[1:], start=2)]
    names = [*COUNTS, *(f"{name}_cents" for name in AMOUNTS)]
    schema = dict.fromkeys(names, pl.Int64)
    frame = pl.DataFrame([values for _, values in parsed[:-1]], schema=schema, orient="row")
    if frame.sum().row(0) != parsed[-1][1]:
        raise SettlementFileError(f"{path.name}: the {TOTAL} line is not the sum of the days")
    return frame.select(pl.Series("day", [day for day, _ in parsed[:-1]], dtype=pl.Date), *names)


def _parsed(path: Path, number: int, line: list[str]) -> tuple[date | None, tuple[int, ...]]:
    try:
        label, *values = line
        counts = [int(value) for value in values[: len(COUNTS)]]
        cents = [int(Decimal(value).scaleb(2).to_integral_exact()) for value in values[len(COUNTS) :]]
        if len(line) != len(HEADER) or any(Decimal(value).as_tuple().exponent != -2 for value in values[len(COUNTS) :]):
            raise ValueError(line)
        return (None if label == TOTAL else date.fromisoformat(label)), (*counts, *cents)
    except (ValueError, InvalidOperation) as error:
        raise SettlementFileError(f"{path.name}, line {number}: cannot read {','.join(line)!r}") from error


# ---- reconciling -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What the files say beside what gold says; `differences` has a sentence for each disagreement."""

    files: int
    rows: int
    net_cents: int
    differences: tuple[str, ...]

    @property
    def exact(self) -> bool:
        return not self.differences


def reconcile(settlement: pl.DataFrame, covered: Period, folder: Path, paths: Iterable[Path]) -> Reconciliation:
    """Compares the files of a period with gold, every number of every merchant and day.

    A merchant without its file, a file that cannot be read and a file that nobody is due are differences too.
    """
    due = {folder / file_name(merchant, covered): merchant for merchant in merchants_due(settlement, covered)}
    given = set(paths)
    differences = [f"{path.name}: no such file was delivered" for path in sorted(due.keys() - given)]
    differences += [f"{path.name}: nothing is due under this name" for path in sorted(given - due.keys())]
    rows = net_cents = 0
    for path in sorted(due.keys() & given):
        try:
            said = read(path)
        except (OSError, SettlementFileError) as error:
            differences.append(f"{path.name}: {error}")
            continue
        rows += said.height
        net_cents += int(said["net_cents"].sum())
        owed = _within(settlement, covered).filter(pl.col("merchant_id") == due[path]).select(said.columns)
        differences += _differences(path.name, owed, said)
    return Reconciliation(len(given), rows, net_cents, tuple(differences))


def _differences(name: str, owed: pl.DataFrame, said: pl.DataFrame) -> list[str]:
    """Rows of either side that the other does not have exactly so, and rows that the file has more than once."""
    if said.equals(owed.sort("day")):
        return []
    repeated = said.filter(said.is_duplicated()).unique().sort("day")
    wrong = said.join(owed, on=said.columns, how="anti").sort("day")
    missing = owed.join(said, on=owed.columns, how="anti").sort("day")
    told = ((wrong, "is not in gold"), (missing, "of gold is not in the file"), (repeated, "is there more than once"))
    return [f"{name}: {_said(row)} {what}" for frame, what in told for row in frame.iter_rows(named=True)]


def _said(row: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items())
