"""Pictures for the metadata of assets. Figures are made without pyplot: it keeps global state."""

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def revenue_by_month(revenue: pl.DataFrame) -> "Figure":
    """A bar a month, in thousands of EUR."""
    from matplotlib.figure import Figure

    months = revenue.group_by("month").agg(pl.col("revenue_cents").sum()).sort("month")
    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.add_subplot()
    axes.bar(
        months["month"].dt.strftime("%b").to_list(), (months["revenue_cents"] / 100_000).to_list(), color="#3b6ea5"
    )
    axes.set_ylabel("revenue, thousand EUR")
    return figure
