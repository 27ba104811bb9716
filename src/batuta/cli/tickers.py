"""Schedules as the service has them: turned on and off, and what became of each time. `schedules` is their group.

`switch` and `show_ticks` serve the other things that tick, too.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from batuta.cli.formats import iso, when
from batuta.cli.output import Cell, Output, output_options, table
from batuta.cli.targets import open_store
from batuta.core.errors import RequestError, nearest

if TYPE_CHECKING:
    from batuta.store.store import Store

OUTCOME_COLORS = {"launched": "green", "skipped": "bright_black", "failed": "red"}

location_option = click.option(
    "--location", default="", metavar="NAME", help="Its code location, where several have one of that name."
)


def place_of(store: Store, kind: str, name: str, location: str) -> tuple[str, bool]:
    """The location that defines it, and whether it is on by definition. Raises RequestError."""
    from batuta.cli.defined import recorded

    known = [
        (place, spec.name, bool(getattr(spec, "enabled", True)))
        for place, definitions in recorded(store).items()
        for spec in getattr(definitions, f"{kind}s", ())
    ]
    found = [each for each in known if each[1] == name and location in ("", each[0])]
    if not found:
        names = sorted({each[1] for each in known})
        hint = nearest(name, names) or (f"{kind}s: {', '.join(names[:20])}" if names else "`batuta up` loads them")
        raise RequestError(f"there is no {kind} {name!r}", where=store.location, hint=hint)
    if len(found) > 1:
        places = ", ".join(each[0] for each in found)
        raise RequestError(f"several locations have a {kind} {name!r}: {places}", hint="say which: --location NAME")
    return found[0][0], found[0][2]


def switch(kind: str, name: str, location: str, enabled: bool | None, out: Output) -> None:
    """Turn something that ticks on or off; None: as its definition says."""
    from batuta.runtime.people import person

    with open_store() as store:
        place, by_definition = place_of(store, kind, name, location)
        store.switch(kind, place, name, enabled, now=time.time(), by=person())
    is_on = by_definition if enabled is None else enabled
    out.document({kind: name, "location": place, "on": is_on})
    out.say(f"{kind} {name} is {'on' if is_on else 'off'}")


def show_ticks(kind: str, name: str, location: str, outcome: str | None, limit: int, out: Output) -> None:
    """What became of its evaluations, newest first."""
    now = time.time()
    with open_store() as store:
        place, _ = place_of(store, kind, name, location)
        found = store.ticks(kind=kind, location=place, name=name, outcome=outcome, limit=limit)
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
