"""Bronze: what arrived, as it came. Every column that came is text and untouched; columns of ours say whence it came.

The surprising rule: no clock is read. "When" is the day of the file, so loading a day again makes the same rows.
"""

from datetime import date
from pathlib import Path

import polars as pl

from fintech import rates
from fintech.payments import file_name

TEXT_COLUMNS = (
    "payment_id",
    "kind",
    "original_payment_id",
    "merchant_id",
    "card_country",
    "amount",
    "currency",
    "occurred_at",
)
ORIGIN_COLUMNS = ("source_file", "source_row", "source_day")


def read_file(path: Path) -> pl.DataFrame:
    """A file of payments as it was delivered, all text."""
    return pl.read_csv(path, infer_schema=False).fill_null("")


def payments(raw: pl.DataFrame, day: date) -> pl.DataFrame:
    """The rows of a day's file with their origin: TEXT_COLUMNS, source_file, source_row (from 1) and source_day."""
    return raw.select(
        *TEXT_COLUMNS,
        pl.lit(file_name(day)).alias("source_file"),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("source_row"),
        pl.lit(day).alias("source_day"),
    )


def reference_rates(published: pl.DataFrame) -> pl.DataFrame:
    """The whole history as published (`Date` and a column a currency, all text), with source_file and source_row."""
    return published.with_columns(
        pl.lit(rates.ARCHIVE).alias("source_file"),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("source_row"),
    )
