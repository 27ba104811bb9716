"""Gold: what is owed to each merchant, how risky each is, which currencies the money is in, and what the fintech earns.

All money is whole EUR cents, so every sum is exact and a year reconciles to the cent.
The surprising rule: a payment belongs to the day on which it arrived (`source_day`), because a day that was settled is
never opened again; only its exchange rate is of the day it happened. So each table of a whole year is the tables of
its days (or months) one after the other, and can be made whole or in partitions.
"""

from functools import cache

import polars as pl

from fintech.merchants import CHARGEBACK_FEE_CENTS, FIXED_FEE_CENTS

CHARGEBACK_LIMIT_BASIS_POINTS = 100
"""From so many chargebacks per 10,000 sales, the card schemes put a merchant under watch."""
CHARGEBACKS_MIN = 2
"""A month with fewer chargebacks than this says nothing."""


@cache
def _booked() -> tuple[pl.Expr, ...]:
    """What one row of silver adds to its merchant's day."""
    kind, cents = pl.col("kind"), pl.col("eur_cents")
    percentage = (cents * pl.col("fee_basis_points") + 5_000) // 10_000
    chargeback_fee = pl.when(kind == "chargeback").then(CHARGEBACK_FEE_CENTS).otherwise(0)
    fee = pl.when(kind == "sale").then(percentage + FIXED_FEE_CENTS).otherwise(chargeback_fee)
    kinds = {"sale": ("sales", "gross_cents"), "refund": ("refunds", "refund_cents")}
    kinds["chargeback"] = ("chargebacks", "chargeback_cents")
    counts = [(kind == name).sum().cast(pl.Int64).alias(count) for name, (count, _) in kinds.items()]
    sums = [cents.filter(kind == name).sum().alias(total) for name, (_, total) in kinds.items()]
    return (*counts, *sums, fee.cast(pl.Int64).sum().alias("fee_cents"))


def settlement(payments: pl.DataFrame, merchants: pl.DataFrame) -> pl.DataFrame:
    """What each merchant gets for each day on which something of it arrived; by day and merchant.

    Columns: day, merchant_id, merchant, country, sales, refunds, chargebacks (counts), gross_cents, refund_cents,
    chargeback_cents, fee_cents, net_cents (what is paid out; below zero is owed to us), all EUR cents, Int64.
    """
    named = merchants.lazy().select("merchant_id", pl.col("name").alias("merchant"), "country", "fee_basis_points")
    return (
        payments.lazy()
        .select("source_day", "merchant_id", "kind", "eur_cents")
        .join(named, on="merchant_id", how="left")
        .group_by(pl.col("source_day").alias("day"), "merchant_id", "merchant", "country")
        .agg(_booked())
        .with_columns(
            (pl.col("gross_cents") - pl.sum_horizontal("refund_cents", "chargeback_cents", "fee_cents")).alias(
                "net_cents"
            )
        )
        .sort("day", "merchant_id")
        .collect()
    )


def currency_exposure(payments: pl.DataFrame) -> pl.DataFrame:
    """In which currencies the money of each day is; by day and currency.

    Columns: day, currency, sales (count), gross_cents (hundredths of the currency), gross_eur_cents, net_eur_cents
    (gross less refunds and chargebacks), share (of the day's gross in EUR, 0 to 1, six digits).
    """
    is_sale, eur = pl.col("kind") == "sale", pl.col("eur_cents")
    part, whole = pl.col("gross_eur_cents"), pl.col("gross_eur_cents").sum().over("day")
    # Rounded as integers: Polars divides floats differently when a frame holds one day and when it holds many.
    share = ((2_000_000 * part + whole) // (2 * whole)) / 1_000_000
    return (
        payments.lazy()
        .group_by(pl.col("source_day").alias("day"), "currency")
        .agg(
            is_sale.sum().cast(pl.Int64).alias("sales"),
            pl.col("amount_cents").filter(is_sale).sum().alias("gross_cents"),
            eur.filter(is_sale).sum().alias("gross_eur_cents"),
            (eur.filter(is_sale).sum() - eur.filter(~is_sale).sum()).alias("net_eur_cents"),
        )
        .with_columns(pl.when(whole > 0).then(share).otherwise(0.0).alias("share"))
        .sort("day", "currency")
        .collect()
    )


CHARGEBACK_RATE_SQL = """
select
    cast(date_trunc('month', day) as date) as month,
    merchant_id,
    merchant,
    cast(sum(sales) as bigint) as sales,
    cast(sum(chargebacks) as bigint) as chargebacks,
    cast(sum(chargeback_cents) as bigint) as chargeback_cents,
    sum(chargebacks) * 10000.0 / nullif(sum(sales), 0) as basis_points,
    sum(chargebacks) >= $chargebacks_min and sum(chargebacks) * 10000 >= $limit_basis_points * sum(sales) as watched
from settlement
group by all
order by month, merchant_id
"""

MONTHLY_REVENUE_SQL = """
select
    cast(date_trunc('month', day) as date) as month,
    country,
    cast(count(distinct merchant_id) as bigint) as merchants,
    cast(sum(sales) as bigint) as sales,
    cast(sum(gross_cents) as bigint) as gross_cents,
    cast(sum(fee_cents) as bigint) as revenue_cents,
    sum(fee_cents) * 10000.0 / nullif(sum(gross_cents), 0) as take_basis_points,
    through
from (select *, max(day) over (partition by date_trunc('month', day)) as through from settlement)
group by all
order by month, country
"""


def chargeback_rate(settlement: pl.DataFrame) -> pl.DataFrame:
    """How often each merchant's sales are disputed, month by month (DuckDB); by month and merchant.

    Columns: month (its first day), merchant_id, merchant, sales, chargebacks, chargeback_cents, basis_points
    (chargebacks per 10,000 sales; null without sales), watched (CHARGEBACKS_MIN or more, and at or above the limit).
    """
    parameters = {"chargebacks_min": CHARGEBACKS_MIN, "limit_basis_points": CHARGEBACK_LIMIT_BASIS_POINTS}
    return _queried(CHARGEBACK_RATE_SQL, settlement, parameters)


def monthly_revenue(settlement: pl.DataFrame) -> pl.DataFrame:
    """What the fintech earns in each country, month by month (DuckDB); by month and country.

    Columns: month (its first day), country, merchants (that had any), sales, gross_cents, revenue_cents (the fees),
    take_basis_points (revenue per 10,000 of gross; null without gross), through (the last day of the month that is in
    it: while days are still settled, a month is not whole).
    """
    return _queried(MONTHLY_REVENUE_SQL, settlement, {})


def _queried(sql: str, settlement: pl.DataFrame, parameters: dict[str, int]) -> pl.DataFrame:
    import duckdb

    with duckdb.connect() as connection:
        connection.register("settlement", settlement.to_arrow())
        answer = pl.from_arrow(connection.sql(sql, params=parameters).to_arrow_table())
    assert isinstance(answer, pl.DataFrame)
    return answer
