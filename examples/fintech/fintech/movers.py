"""Currencies that moved: finds them, studies each, and writes a report with a plot.

The surprising rule: a change is of the currency's value in EUR, the inverse of its rate, so a fall is negative.
"""

import math
import os
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from itertools import pairwise
from pathlib import Path

import polars as pl

WINDOW_DAYS = 30
THRESHOLD = 0.03
_TRADING_DAYS_A_YEAR = 252


@dataclass(frozen=True, slots=True)
class Move:
    """A currency's change of value in EUR between two days; `change` is a fraction, rates are units for one EUR."""

    currency: str
    from_day: date
    to_day: date
    from_rate: float
    to_rate: float
    change: float


@dataclass(frozen=True, slots=True)
class Study:
    """What happened on the way of a move: values are EUR for 100 units; volatility is yearly, a fraction."""

    move: Move
    published_days: int
    low: float
    low_day: date
    high: float
    high_day: date
    volatility: float


@dataclass(frozen=True, slots=True)
class Report:
    """Where a report was written; the plot is None when nothing moved."""

    markdown: Path
    html: Path
    plot: Path | None


def find(rates: pl.DataFrame, as_of: date, window_days: int = WINDOW_DAYS, threshold: float = THRESHOLD) -> list[Move]:
    """The currencies of silver's reference rates that moved by `threshold` or more, the largest move first.

    A currency counts when it has a rate at both ends. ValueError when there are no rates for either day.
    """
    start = as_of - timedelta(window_days)
    ends = rates.filter(pl.col("day").is_in([start, as_of]))
    for day in (start, as_of):
        if ends.filter(pl.col("day") == day).is_empty():
            raise ValueError(f"no rates for {day}: the rates cover {rates['day'].min()!s} to {rates['day'].max()!s}")
    before = ends.filter(pl.col("day") == start).select("currency", from_rate="rate")
    after = ends.filter(pl.col("day") == as_of).select("currency", to_rate="rate")
    moved = [
        Move(currency, start, as_of, from_rate, to_rate, from_rate / to_rate - 1)
        for currency, from_rate, to_rate in before.join(after, on="currency").iter_rows()
    ]
    large = [move for move in moved if abs(move.change) >= threshold]
    return sorted(large, key=lambda move: (-abs(move.change), move.currency))


def _values(rates: pl.DataFrame, move: Move) -> tuple[list[date], list[float]]:
    """The days of a move on which the currency was published, and EUR for 100 units on each."""
    published = pl.col("day") == pl.col("published_on")
    start = (pl.col("day") == move.from_day) | published
    rows = rates.filter(
        pl.col("day").is_between(move.from_day, move.to_day), pl.col("currency") == move.currency, start
    ).sort("day")
    return rows["day"].to_list(), [100 / rate for rate in rows["rate"]]


def study(rates: pl.DataFrame, move: Move) -> Study:
    """Lows, highs and volatility of one move, from silver's reference rates."""
    days, values = _values(rates, move)
    low_day, low = min(zip(days, values, strict=True), key=lambda point: point[1])
    high_day, high = max(zip(days, values, strict=True), key=lambda point: point[1])
    logs = [math.log(later / sooner) for sooner, later in pairwise(values)]
    mean = math.fsum(logs) / max(len(logs), 1)
    variance = math.fsum((step - mean) ** 2 for step in logs) / max(len(logs) - 1, 1)
    return Study(move, len(days), low, low_day, high, high_day, math.sqrt(variance * _TRADING_DAYS_A_YEAR))


# ---- report ----------------------------------------------------------------------------------------------------------

_HEADINGS = ("currency", "change", "EUR for 100, before", "after", "low", "high", "volatility a year")


def _cells(each: Study) -> tuple[str, ...]:
    before, after = 100 / each.move.from_rate, 100 / each.move.to_rate
    low, high = f"{each.low:.4g} ({each.low_day})", f"{each.high:.4g} ({each.high_day})"
    change, volatility = f"{each.move.change:+.2%}", f"{each.volatility:.1%}"
    return each.move.currency, change, f"{before:.4g}", f"{after:.4g}", low, high, volatility


def markdown(studies: list[Study], as_of: date, window_days: int, threshold: float, plot: str | None) -> str:
    """The report as Markdown; `plot` is the name of the picture beside it."""
    lines = [f"# Currencies that moved, {as_of}", "", _summary(studies, window_days, threshold), ""]
    if studies:
        lines += [f"| {' | '.join(_HEADINGS)} |", f"|{' --- |' * len(_HEADINGS)}"]
        lines += [f"| {' | '.join(_cells(each))} |" for each in studies]
    if plot is not None:
        lines += ["", f"![Value in EUR, first day = 100]({plot})"]
    return "\n".join(lines) + "\n"


def html(studies: list[Study], as_of: date, window_days: int, threshold: float, plot: str | None) -> str:
    """The same report as a page of HTML."""
    title = f"Currencies that moved, {as_of}"
    body = [f"<h1>{title}</h1>", f"<p>{escape(_summary(studies, window_days, threshold))}</p>"]
    if studies:
        rows = [("th", _HEADINGS), *(("td", _cells(each)) for each in studies)]
        lines = ("".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) for tag, cells in rows)
        body.append("<table>" + "".join(f"<tr>{line}</tr>\n" for line in lines) + "</table>")
    if plot is not None:
        body.append(f'<img src="{escape(plot)}" alt="Value in EUR, first day = 100">')
    head = f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>\n'
    return head + "\n".join(body) + "\n</html>\n"


def _summary(studies: list[Study], window_days: int, threshold: float) -> str:
    found = "No currency" if not studies else "1 currency" if len(studies) == 1 else f"{len(studies)} currencies"
    return f"{found} moved by {threshold:.1%} or more against the euro in {window_days} days (ECB reference rates)."


def plot(rates: pl.DataFrame, studies: list[Study], path: Path) -> Path:
    """Draws the value of each currency in EUR, its first day as 100, into a PNG."""
    # Figures are made without pyplot: it keeps global state, and steps may run in threads.
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_prop_cycle(color=colormaps["tab20"](range(20)))
    for each in studies:
        days, values = _values(rates, each.move)
        indexed = [100 * value / values[0] for value in values]
        axes.plot([day.toordinal() - each.move.from_day.toordinal() for day in days], indexed, label=each.move.currency)
    axes.axhline(100, color="grey", linewidth=0.8)
    axes.set_xlabel("days")
    axes.set_ylabel("value in EUR, first day = 100")
    axes.legend(ncols=2)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    FigureCanvasAgg(figure)
    figure.savefig(unfinished, format="png", dpi=100, metadata={"Software": None})
    unfinished.replace(path)
    return path


def write_report(
    folder: Path,
    rates: pl.DataFrame,
    studies: list[Study],
    as_of: date,
    window_days: int = WINDOW_DAYS,
    threshold: float = THRESHOLD,
) -> Report:
    """Writes movers-DAY.md, .html and .png (when anything moved) into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"movers-{as_of.isoformat()}"
    picture = plot(rates, studies, folder / f"{stem}.png") if studies else None
    name = picture.name if picture else None
    report = Report(folder / f"{stem}.md", folder / f"{stem}.html", picture)
    report.markdown.write_text(markdown(studies, as_of, window_days, threshold, name), encoding="utf-8")
    report.html.write_text(html(studies, as_of, window_days, threshold, name), encoding="utf-8")
    return report
