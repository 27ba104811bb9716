"""Assets of the project that the tests of the command line work on."""

from __future__ import annotations

import os

from batuta import StepContext, asset, check, external_asset, partitions

DAYS = partitions.daily("2026-01-01", end="2026-01-06")

feed = external_asset("feed.rates", description="The rates as they are published")


@asset(key="bronze.rates", layer="bronze", group="rates", deps=[feed], partitions=DAYS, owners=["ana@example.com"])
def raw_rates(context: StepContext) -> list[dict[str, object]]:
    """Rates as they came."""
    return [{"day": context.partition, "rate": 1.5}]


@asset(key="bronze.payments", layer="bronze", tags={"pii": "yes"})
def raw_payments() -> list[dict[str, float]]:
    return [{"id": float(i), "amount": i * 1.5} for i in range(20)]


@asset(key="silver.payments", layer="silver", deps=["bronze.rates"], ins={"raw": "bronze.payments"})
def payments(raw: list[dict[str, float]]) -> list[dict[str, float]]:
    """Payments of more than a little."""
    return [row for row in raw if row["amount"] > 3]


@check(payments, blocking=True)
def not_empty(rows: list[dict[str, float]]) -> None:
    assert rows
    assert not os.environ.get("SPOILED"), "the payments are spoiled"


@check(payments)
def few(rows: list[dict[str, float]]) -> None:
    assert len(rows) < 10, f"{len(rows)} rows are more than a few"


@asset(key="gold.revenue", layer="gold", ins={"rows": "silver.payments"})
def revenue(rows: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{"total": sum(row["amount"] for row in rows)}]
