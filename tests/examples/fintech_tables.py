"""The tables of the fintech example that its tests look at: 100 days of the demo, built once for a process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from functools import cache

import polars as pl

from fintech import bronze, gold, payments, rates, silver
from fintech.merchants import merchants

DAYS = payments.days()[:100]
SUNDAY = date(2025, 3, 9)


@dataclass(frozen=True)
class Lakehouse:
    """100 days of the demo, day by day and as wholes."""

    bronze: dict[date, pl.DataFrame]
    windows: dict[date, pl.DataFrame]
    silver: dict[date, silver.SilverDay]
    payments: pl.DataFrame
    quarantine: pl.DataFrame
    settlement: pl.DataFrame
    exposure: pl.DataFrame
    chargeback_rate: pl.DataFrame
    revenue: pl.DataFrame


@cache
def published() -> pl.DataFrame:
    return bronze.reference_rates(rates.published())


@cache
def reference_rates() -> pl.DataFrame:
    return silver.reference_rates(published())


@cache
def payment_rates() -> pl.DataFrame:
    return silver.payment_rates(reference_rates(), date(2024, 12, 27), payments.LAST_DAY)


@cache
def lakehouse() -> Lakehouse:
    files = {day: bronze.payments(payments.file_of(day), day) for day in DAYS}
    windows = {
        day: pl.concat([files[earlier] for earlier in silver.window_days(day) if earlier in files]) for day in DAYS
    }
    refined = {day: silver.refine(windows[day], day, payment_rates(), merchants()) for day in DAYS}
    taken = pl.concat([each.payments for each in refined.values()])
    settled = gold.settlement(taken, merchants())
    return Lakehouse(
        bronze=files,
        windows=windows,
        silver=refined,
        payments=taken,
        quarantine=pl.concat([each.quarantine for each in refined.values()]),
        settlement=settled,
        exposure=gold.currency_exposure(taken),
        chargeback_rate=gold.chargeback_rate(settled),
        revenue=gold.monthly_revenue(settled),
    )


def fingerprint(*frames: pl.DataFrame) -> str:
    """Of schema and content, rows in their order."""
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(repr([(name, str(kind)) for name, kind in frame.schema.items()]).encode())
        digest.update(repr(frame.rows()).encode())
    return digest.hexdigest()
