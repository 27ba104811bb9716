"""`batuta audit`: who did what."""

from __future__ import annotations

import time

import click

from batuta.cli.formats import iso, parse_age, when
from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Cell, Output, output_options, table
from batuta.cli.targets import open_store

AUDIT = {"list": Lazy("audit:list_audit", "List who did what, newest first.")}


@click.group(cls=LazyGroup, lazy=AUDIT)
def audit() -> None:
    """Look at who did what."""


@click.command("list")
@click.option("--actor", metavar="NAME", help="Only what this person did.")
@click.option(
    "--action", metavar="WORD", help="Only this: set, delete, rotate, launch, cancel, retry, answer, prune, ..."
)
@click.option(
    "--kind", metavar="KIND", help="Only what was done to this: run, variable, connection, secret, schedule, ..."
)
@click.option("--name", metavar="NAME", help="Only what was done to the one of this name or number.")
@click.option("--since", metavar="AGE", help="Only of the last 30d, 12h, 45m.")
@click.option("--before", type=int, metavar="ID", help="Only entries before this one: the next page.")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@output_options
def list_audit(
    actor: str | None,
    action: str | None,
    kind: str | None,
    name: str | None,
    since: str | None,
    before: int | None,
    limit: int,
    out: Output,
) -> None:
    """List who did what, newest first.

    \b
    Examples:
      batuta audit list
      batuta audit list --kind secret --since 30d
      batuta audit list --actor ann --action cancel --json
    """
    now = time.time()
    since_at = 0.0 if since is None else now - parse_age(since)
    filters = {"actor": actor, "action": action, "object_kind": kind, "object_name": name}
    with open_store() as store:
        found = store.audit_entries(since=since_at, before=before, limit=limit + 1, **filters)
    more, entries = len(found) > limit, found[:limit]
    fields = ("id", "actor", "action", "kind", "name", "data")
    out.document({"entries": [{"at": iso(e.at), **{field: getattr(e, field) for field in fields}} for e in entries]})
    if not entries:
        out.note("nothing was done that is recorded here")
        return
    rows = [
        (
            when(entry.at, now),
            Cell(entry.actor, bold=True),
            entry.action,
            f"{entry.kind} {entry.name}".rstrip(),
            ", ".join(f"{key}={value}" for key, value in entry.data.items()),
        )
        for entry in entries
    ]
    out.say(table(("WHEN", "WHO", "DID", "TO", ""), rows))
    if more:
        out.note(f"  older ones: --before {entries[-1].id}")
