"""`batuta queue`: the runs that wait for their turn, and what holds them back."""

from __future__ import annotations

import time

import click

from batuta.cli.formats import iso, plural, when
from batuta.cli.output import Output, output_options, table
from batuta.cli.targets import open_store, project_at


@click.command()
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@output_options
def queue(limit: int, out: Output) -> None:
    """What waits to run, and why.

    In the order in which the runs would be started. Limits are those of `[queue]` in batuta.toml.

    \b
    Examples:
      batuta queue
      batuta queue --json | jq '.runs[].why'
    """
    from batuta.cli.defined import recorded
    from batuta.scheduler.queueing import limits_of, preview, with_rules

    now = time.time()
    project = project_at("")
    with open_store() as store:
        waiting = preview(store, with_rules(limits_of(project), recorded(store)), now, limit)
        running = len(store.open_runs())
        alive = any(each.kind in ("up", "scheduler") for each in store.processes(now - 30))
    out.document(
        {
            "running": running,
            "scheduler": alive,
            "runs": [
                {"id": row.id, "job": row.job, "priority": row.priority, "created_at": iso(row.created_at), "why": why}
                for row, why in waiting
            ],
        }
    )
    if not alive:
        out.note("no scheduler runs here: `batuta up` starts what waits")
    if not waiting:
        out.say(f"nothing waits; {plural(running, 'run')} under way")
        return
    cells = [
        [str(row.id), row.job, str(row.priority), when(row.created_at, now), why or "is started next"]
        for row, why in waiting
    ]
    out.say(table(["run", "job", "priority", "queued", "why"], cells, right=(0, 2)))
