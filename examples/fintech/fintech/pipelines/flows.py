"""Ad-hoc automation as a flow: which currencies moved, a study of each, a report with a plot.

A flow is plain Python, so what it does may depend on what it finds: how many currencies it fans out over is known only
once they are found. The surprising rule: the window of the report is a nested flow, a run of its own, so that a window
that fails can be looked at and run again alone.
"""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from batuta import Schedule, context, external_asset, flow, get_logger, metadata, on_assets, task
from batuta.schedules import calendar, every
from fintech import movers, payments
from fintech.movers import Move, Report, Study
from fintech.pipelines.assets import FINANCE, reference_rates
from fintech.pipelines.storage import OUT, UNATTENDED, content_version

BANK_DAYS = calendar(
    weekdays=["mon", "tue", "wed", "thu", "fri"],
    exclude=[
        *("01-01", "05-01", "12-25", "12-26"),
        *("2026-04-03", "2026-04-06", "2027-03-26", "2027-03-29", "2028-04-14", "2028-04-17"),
        *("2029-03-30", "2029-04-02", "2030-04-19", "2030-04-22"),
    ],
)
"""The days on which the ECB publishes rates: those of TARGET, with Good Fridays and Easter Mondays up to 2030. (With
`pip install "batuta[holidays]"`, `business_days("ECB")` says the same for ever.)"""
NEWEST = {"as_of": None}
REPORTED: list[Any] = [
    Schedule("30 16 * * *", timezone="Europe/Berlin", calendar=BANK_DAYS, params=NEWEST),
    on_assets(reference_rates, params=NEWEST),
]
"""When the report is written: half an hour after the ECB's publication, and whenever there are new rates."""
if UNATTENDED.report_s:
    often = every(seconds=UNATTENDED.report_s)
    REPORTED.append(Schedule(often, name="currency-movers-often", overlap="skip", params=NEWEST))

report_asset = external_asset(
    "reports.currency_movers",
    layer="gold",
    group="treasury",
    kinds=["markdown", "html"],
    owners=[FINANCE],
    description="Which currencies moved by more than a threshold, with a plot: made by the flow `currency-movers`.",
)


def _rates() -> pl.DataFrame:
    rates = context().load_asset(reference_rates, pl.DataFrame)
    assert isinstance(rates, pl.DataFrame)
    return rates


@task(retries=2, retry_delay_s=1.0)
def newest_day() -> date:
    """The last day that there are rates of."""
    newest = _rates()["day"].max()
    assert isinstance(newest, date)
    return newest


@task(retries=2, retry_delay_s=1.0, retry_backoff="exponential")
def find_movers(as_of: date, window_days: int, threshold: float) -> list[Move]:
    """The currencies that moved by `threshold` or more, the largest move first."""
    found = movers.find(_rates(), as_of, window_days, threshold)
    get_logger().info("%d currencies moved by %.1f %% in %d days", len(found), 100 * threshold, window_days)
    return found


@task(retries=2, retry_delay_s=1.0)
def study(move: Move) -> Study:
    """What happened on the way of one move."""
    return movers.study(_rates(), move)


@task
def write_report(studies: list[Study], as_of: date, window_days: int, threshold: float) -> Report:
    """The report of one window, as Markdown and HTML with a plot."""
    folder = OUT / "currency-movers" / f"{window_days}-days"
    return movers.write_report(folder, _rates(), studies, as_of, window_days, threshold)


@flow(name="movers-of-a-window", reads=[reference_rates])
def movers_of_a_window(as_of: date, window_days: int, threshold: float) -> Report:
    """Finds the movers of one window, studies all of them at once, and reports."""
    moves = find_movers(as_of, window_days, threshold)
    studies = study.map(moves).result() if moves else []
    return write_report(studies, as_of, window_days, threshold)


@task(reads=[reference_rates], writes=[report_asset])
def publish(reports: list[Report]) -> Path:
    """Says that the asset was made, with the first report and its plot to look at."""
    files = [file for report in reports for file in (report.markdown, report.html, report.plot) if file is not None]
    first = reports[0]
    shown = {"report": metadata.markdown(first.markdown.read_text(encoding="utf-8")), "files": len(files)}
    if first.plot is not None:
        shown["plot"] = metadata.plot(first.plot, "Value in EUR, first day = 100")
    context().add_metadata(shown)
    context().materialized(report_asset, data_version=content_version(files))
    return first.html


@flow(name="currency-movers", reads=[reference_rates], writes=[report_asset], tags=["treasury"], schedule=REPORTED)
def currency_movers(
    as_of: date | None = payments.LAST_DAY,
    windows: tuple[int, ...] = (30, 365),
    threshold: float = movers.THRESHOLD,
) -> Path:
    """Reports the currencies that moved by `threshold` or more, over each of `windows` (days) up to `as_of` (None: the
    newest rates)."""
    until = newest_day() if as_of is None else as_of
    return publish([movers_of_a_window(until, window_days, threshold) for window_days in windows])
