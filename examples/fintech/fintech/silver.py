"""Silver: typed, de-duplicated, in EUR. Rows that cannot be are kept in quarantine, each with one reason.

The surprising rule: the partition of a day holds what *arrived* that day, and it is made from the bronze of that day
and of the LATE_DAYS_MAX days before it. That window is all it takes to see every copy: a row that happened more than
LATE_DAYS_MAX days before it arrived is refused as late, and a row that is not could not have been sent earlier than
it happened. So days can be made in any order, alone and again, and still no payment is taken twice.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import polars as pl

from fintech.bronze import ORIGIN_COLUMNS, TEXT_COLUMNS

LATE_DAYS_MAX = 5
"""A row is taken when it arrives on the day it happened or up to so many days later."""
MICROS = 1_000_000
KINDS = ("sale", "refund", "chargeback")
REASONS = (
    "missing payment id",
    "unknown kind",
    "unreadable timestamp",
    "happened in the future",
    "arrived too late",
    "missing merchant",
    "unknown merchant",
    "unreadable amount",
    "amount is not positive",
    "unknown currency",
    "no rate for currency",
    "missing original payment",
)
"""Why a row is in quarantine; the first that applies."""


# ---- rates -----------------------------------------------------------------------------------------------------------


def reference_rates(bronze: pl.DataFrame) -> pl.DataFrame:
    """A rate for every calendar day from 1999 and every currency: that of the last day with a publication.

    Columns: day, currency, rate (units for one EUR), rate_micros (the same in millionths, exact), published_on; by
    day and currency. A currency has a row only where that publication has a rate for it, so none outlives its end.
    """
    wide = bronze.drop("source_file", "source_row")
    quoted = (
        wide.lazy()
        .unpivot(index="Date", variable_name="currency", value_name="text")
        .filter(pl.col("text") != "N/A")
        .select(
            pl.col("Date").str.to_date("%Y-%m-%d").alias("published_on"),
            "currency",
            pl.col("text").cast(pl.Float64).alias("rate"),
        )
        .with_columns((pl.col("rate") * MICROS).round().cast(pl.Int64).alias("rate_micros"))
    )
    published = wide.select(pl.col("Date").str.to_date("%Y-%m-%d").alias("published_on")).sort("published_on")
    first, last = published["published_on"][0], published["published_on"][-1]
    calendar = pl.DataFrame({"day": pl.date_range(first, last, eager=True)})
    filled = calendar.lazy().join_asof(published.lazy(), left_on="day", right_on="published_on", coalesce=False)
    columns = ("day", "currency", "rate", "rate_micros", "published_on")
    return filled.join(quoted, on="published_on").select(columns).sort("day", "currency").collect()


def payment_rates(rates: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """The small table that payments are converted with: each day, each currency ever published, and the euro itself.

    Columns: day, currency, rate_micros (null when the currency is known but had no rate), by day and currency.
    Days after the last publication take the last one, as weekends do.
    """
    recent = rates.filter(pl.col("day").is_between(first, last))
    newest = rates["day"].max()
    if isinstance(newest, date) and newest < last:
        frozen = rates.filter(pl.col("day") == newest).drop("day")
        beyond = pl.DataFrame({"day": pl.date_range(max(first, newest + timedelta(1)), last, eager=True)})
        recent = pl.concat([recent, beyond.join(frozen, how="cross").select(recent.columns)])
    calendar = pl.DataFrame({"day": pl.date_range(first, last, eager=True)})
    currencies = rates.select(pl.col("currency").unique())
    quoted = calendar.join(currencies, how="cross").join(
        recent.select("day", "currency", "rate_micros"), on=["day", "currency"], how="left"
    )
    euro = calendar.select("day", pl.lit("EUR").alias("currency"), pl.lit(MICROS, pl.Int64).alias("rate_micros"))
    return pl.concat([quoted, euro]).sort("day", "currency")


# ---- payments --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SilverDay:
    """What became of one day's file: `payments` + `quarantine` + `duplicates` rows are its rows, each once."""

    payments: pl.DataFrame
    quarantine: pl.DataFrame
    duplicates: int


def window_days(day: date) -> tuple[date, ...]:
    """The bronze days that a silver day is made from, oldest first."""
    return tuple(day - timedelta(back) for back in range(LATE_DAYS_MAX, -1, -1))


def refine(window: pl.DataFrame, day: date, rates: pl.DataFrame, merchants: pl.DataFrame) -> SilverDay:
    """Sorts a day's bronze rows into taken, refused and seen before.

    `window` is the bronze of `window_days(day)` in any order, as far as those days exist; rows of other days are
    ignored. `rates` is `payment_rates` over at least these days; `merchants` is the registry.
    payments: payment_id, kind, original_payment_id (null for sales), merchant_id, card_country, occurred_at (UTC),
    occurred_on, amount_cents (hundredths of the currency), currency, rate_micros, eur_cents, source_file, source_row,
    source_day; by occurred_at and payment_id.
    quarantine: reason, then the bronze columns as they came (null text as empty text); by source_row.
    The first arrival of a payment id wins even when it is refused: what comes later under that id is a duplicate.
    """
    today = window.filter(pl.col("source_day") == day).sort("source_row").with_columns(_empty_for_null())
    fresh = today.filter(_is_first_arrival(window, day))
    # Eager on purpose: a day is small, and planning a lazy query costs more than running it.
    quoted = rates.filter(pl.col("day").is_between(day - timedelta(LATE_DAYS_MAX), day)).rename({"currency": "quoted"})
    is_listed = pl.col("merchant_id").str.strip_chars().is_in(merchants["merchant_id"].implode())
    judged = (
        fresh.with_columns(*_typed(), is_listed.alias("is_listed"))
        .join(quoted, left_on=["at_day", "code"], right_on=["day", "quoted"], how="left", coalesce=False)
        .with_columns(_reason())
    )
    refused = pl.col("reason").is_not_null()
    return SilverDay(
        payments=judged.filter(~refused).select(_taken()).sort("occurred_at", "payment_id"),
        quarantine=judged.filter(refused).select("reason", *TEXT_COLUMNS, *ORIGIN_COLUMNS).sort("source_row"),
        duplicates=today.height - fresh.height,
    )


@cache
def _empty_for_null() -> pl.Expr:
    return pl.col(*TEXT_COLUMNS).fill_null("")


def _is_first_arrival(window: pl.DataFrame, day: date) -> pl.Expr:
    """The first row of its payment id, in this file and the files of the window; rows without an id are all first."""
    earlier = window.filter(pl.col("source_day").is_between(day - timedelta(LATE_DAYS_MAX), day, closed="left"))
    payment_id = pl.col("payment_id")
    first = payment_id.is_first_distinct() & ~payment_id.is_in(earlier["payment_id"].implode())
    return first | (payment_id.str.strip_chars() == "")


@cache
def _typed() -> tuple[pl.Expr, ...]:
    """Beside the text, what it means: null where it means nothing. `code` and `merchant` are tidied text."""
    amount = pl.col("amount").str.strip_chars()
    is_amount = amount.str.contains(r"^-?[0-9]{1,9}(\.[0-9]{1,2})?$")
    at = pl.col("occurred_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", strict=False)
    return (
        pl.when(is_amount).then(amount).cast(pl.Float64).mul(100).round().cast(pl.Int64).alias("cents"),
        pl.col("currency").str.strip_chars().str.to_uppercase().alias("code"),
        pl.col("merchant_id").str.strip_chars().alias("merchant"),
        at.alias("at"),
        at.dt.date().alias("at_day"),
    )


@cache
def _reason() -> pl.Expr:
    """The first of REASONS that applies, or null; `quoted` is null where the currency is in no publication ever."""
    tests = (
        pl.col("payment_id").str.strip_chars() == "",
        ~pl.col("kind").is_in(KINDS),
        pl.col("at").is_null(),
        pl.col("at_day") > pl.col("source_day"),
        pl.col("at_day") < pl.col("source_day") - pl.duration(days=LATE_DAYS_MAX),
        pl.col("merchant") == "",
        ~pl.col("is_listed"),
        pl.col("cents").is_null(),
        pl.col("cents") <= 0,
        pl.col("quoted").is_null(),
        pl.col("rate_micros").is_null(),
        (pl.col("kind") != "sale") & (pl.col("original_payment_id").str.strip_chars() == ""),
    )
    chosen = pl.lit(None, pl.String)
    for test, reason in reversed(list(zip(tests, REASONS, strict=True))):
        chosen = pl.when(test).then(pl.lit(reason)).otherwise(chosen)
    return chosen.alias("reason")


def eur_cents(cents: pl.Expr, rate_micros: pl.Expr) -> pl.Expr:
    """Hundredths of a currency as EUR cents, half a cent up; integers only, so it is exact."""
    return (2 * MICROS * cents + rate_micros) // (2 * rate_micros)


@cache
def _taken() -> tuple[pl.Expr, ...]:
    original = pl.col("original_payment_id").str.strip_chars()
    return (
        pl.col("payment_id", "kind"),
        pl.when(pl.col("kind") == "sale").then(None).otherwise(original).alias("original_payment_id"),
        pl.col("merchant").alias("merchant_id"),
        pl.col("card_country"),
        pl.col("at").dt.replace_time_zone("UTC").alias("occurred_at"),
        pl.col("at_day").alias("occurred_on"),
        pl.col("cents").alias("amount_cents"),
        pl.col("code").alias("currency"),
        pl.col("rate_micros"),
        eur_cents(pl.col("cents"), pl.col("rate_micros")).alias("eur_cents"),
        pl.col(*ORIGIN_COLUMNS),
    )
