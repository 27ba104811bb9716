"""`batuta signals`: what task runs wait for by name, sent and shown."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from batuta.cli.formats import ago, iso
from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Cell, Output, output_options, table
from batuta.cli.targets import open_store
from batuta.runtime.people import person

SIGNALS = {
    "send": Lazy("signals:send", "Send a signal to all who wait for it."),
    "list": Lazy("signals:list_", "Show the signals of a name."),
}


@click.group(cls=LazyGroup, lazy=SIGNALS)
def signals() -> None:
    """Send signals that task runs wait for, and show them."""


@click.command()
@click.argument("name", metavar="NAME")
@click.option("--data", metavar="JSON", help="What those who wait are given: JSON, or else taken as text.")
@output_options
def send(name: str, data: str | None, out: Output) -> None:
    """Send a signal to all who wait for it.

    Whoever begins to wait later hears it too, if their run is older than the signal.

    \b
    Examples:
      batuta signals send report-approved
      batuta signals send rates-ready --data '{"day": "2026-01-31"}'
    """
    with open_store(must_exist=False) as store:
        number = store.send_signal(name, _parsed(data), by=person(), now=time.time())
    out.document({"id": number, "name": name})
    out.say(f"signal {name} sent")


def _parsed(data: str | None) -> Any:
    if data is None:
        return None
    try:
        return json.loads(data)
    except ValueError:
        return data


@click.command("list")
@click.argument("name", metavar="NAME")
@click.option("--after", type=click.IntRange(0), default=0, metavar="ID", help="Only those after this one.")
@click.option("--limit", type=click.IntRange(1), default=100, metavar="N", help="At most so many, oldest first.")
@output_options
def list_(name: str, after: int, limit: int, out: Output) -> None:
    """Show the signals of a name.

    \b
    Examples:
      batuta signals list report-approved
    """
    with open_store() as store:
        found = store.signals(name, after_id=after, limit=limit)
    out.document(
        {"signals": [{"id": s.id, "name": s.name, "at": iso(s.at), "data": s.data, "by": s.sent_by} for s in found]}
    )
    now = time.time()
    rows = [
        (str(s.id), s.name, json.dumps(s.data, separators=(",", ":"))[:200], s.sent_by, Cell(ago(s.at, now), dim=True))
        for s in found
    ]
    out.say(table(("ID", "NAME", "DATA", "BY", "WHEN"), rows) if rows else f"no signal {name} was sent")
