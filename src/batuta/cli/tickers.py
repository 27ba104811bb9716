"""Schedules as the service has them: turned on and off, and what became of each time. `schedules` is their group.

`switch` and `show_ticks` serve the other things that tick, too.
"""

from __future__ import annotations

import time

import click

from batuta.cli.defined import location_option, named
from batuta.cli.formats import iso, when
from batuta.cli.output import Cell, Output, output_options, table
from batuta.cli.targets import open_store

OUTCOME_COLORS = {"launched": "green", "skipped": "bright_black", "failed": "red"}


def switch(kind: str, name: str, location: str, enabled: bool | None, out: Output) -> None:
    """Turn something that ticks on or off; None: as its definition says."""
    from batuta.runtime.people import person

    with open_store(must_exist=False) as store:
        one = named(store, kind, name, location)
        store.switch(kind, one.location, one.spec.name, enabled, now=time.time(), by=person())
    is_on = one.spec.enabled if enabled is None else enabled
    out.document({kind: one.spec.name, "location": one.location, "on": is_on})
    out.say(f"{kind} {one.spec.name} is {'on' if is_on else 'off'}")


def show_ticks(kind: str, name: str, location: str, outcome: str | None, limit: int, out: Output) -> None:
    """What became of its evaluations, newest first."""
    now = time.time()
    with open_store() as store:
        one = named(store, kind, name, location)
        found = store.ticks(kind=kind, location=one.location, name=one.spec.name, outcome=outcome, limit=limit)
    data = [
        {
            "at": iso(tick.at),
            "logical_at": iso(tick.logical_at),
            "outcome": tick.outcome,
            "runs": tick.runs,
            "reason": tick.reason,
            "data": tick.data,
        }
        for tick in found
    ]
    out.document({"ticks": data})
    if not found:
        out.note("no ticks yet" if outcome is None else "no such ticks")
        return
    cells: list[list[str | Cell]] = [
        [
            when(tick.at, now),
            when(tick.logical_at, now) if tick.logical_at is not None else "-",
            Cell(tick.outcome, OUTCOME_COLORS.get(tick.outcome)),
            ", ".join(f"run {run}" for run in tick.runs) or tick.reason,
        ]
        for tick in found
    ]
    out.say(table(["tick", "logical time", "outcome", ""], cells))


@click.command("ticks")
@click.argument("name", metavar="NAME")
@location_option
@click.option("--outcome", type=click.Choice(["launched", "skipped", "failed"]), help="Only these.")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@output_options
def schedule_ticks(name: str, location: str, outcome: str | None, limit: int, out: Output) -> None:
    """What a schedule started, and what it did not, and why.

    \b
    Examples:
      batuta schedules ticks nightly
      batuta schedules ticks nightly --outcome skipped
    """
    show_ticks("schedule", name, location, outcome, limit, out)


@click.command("on")
@click.argument("name", metavar="NAME")
@location_option
@output_options
def schedule_on(name: str, location: str, out: Output) -> None:
    """Turn a schedule on.

    What passed while it was off is not caught up.

    \b
    Examples:
      batuta schedules on nightly
    """
    switch("schedule", name, location, True, out)


@click.command("off")
@click.argument("name", metavar="NAME")
@location_option
@output_options
def schedule_off(name: str, location: str, out: Output) -> None:
    """Turn a schedule off.

    Runs that it has started go on.

    \b
    Examples:
      batuta schedules off nightly
    """
    switch("schedule", name, location, False, out)


@click.command("reset")
@click.argument("name", metavar="NAME")
@location_option
@output_options
def schedule_reset(name: str, location: str, out: Output) -> None:
    """Let a schedule be on or off as its definition says.

    \b
    Examples:
      batuta schedules reset nightly
    """
    switch("schedule", name, location, None, out)
