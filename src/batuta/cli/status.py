"""`batuta status`: how the service does, in a few lines, as its processes have said in the store."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from batuta.cli import exits
from batuta.cli.formats import iso, plural, when
from batuta.cli.output import Cell, Output, output_options, table
from batuta.cli.targets import open_store

if TYPE_CHECKING:
    from batuta.store.rows import ProcessRow

KNOWN_S, ALIVE_S = 86_400.0, 30.0
SCHEDULES = ("up", "scheduler")


@click.command()
@output_options
def status(out: Output) -> int:
    """How the service does: its processes, code locations, queue and alerts.

    Says which changes of batuta.toml wait for a restart. The exit code is 1 where something is wrong: no scheduler
    runs, a location or the configuration is broken.

    \b
    Examples:
      batuta status
      batuta status --json | jq '.processes[].waiting_for_restart'
    """
    now = time.time()
    with open_store() as store:
        rows = store.processes(now - KNOWN_S)
        broken = {row.location: row.error for row in store.definitions() if row.error}
        states = store.reports.run_states(None)
        alerts = len(store.alerts.open())
    processes = [_process(row, now) for row in rows]
    queued = states.pop("queued", 0)
    document = {
        "processes": processes,
        "broken_locations": broken,
        "queued": queued,
        "running": sum(states.values()),
        "open_alerts": alerts,
    }
    out.document(document)
    if rows:
        cells = [_cells(row, one, now) for row, one in zip(rows, processes, strict=True)]
        out.say(table(["process", "machine", "pid", "since", "runs", "address", ""], cells, right=(2, 4)))
    out.say(f"{plural(queued, 'run')} wait, {sum(states.values())} under way; {plural(alerts, 'alert')} open")
    troubles = [*_troubles(processes), *(f"location {name}: {error}" for name, error in broken.items())]
    for text in troubles:
        out.say(click.style(text, fg="red"))
    for one in processes:
        if one["alive"] and one["waiting_for_restart"]:
            names = ", ".join(one["waiting_for_restart"])
            out.say(click.style(f"{one['kind']} {one['pid']} has to be started anew for: {names}", fg="yellow"))
    return exits.FAILED if troubles else exits.OK


def _process(row: ProcessRow, now: float) -> dict[str, Any]:
    configuration = row.info.get("configuration") or {}
    return {
        "id": row.id,
        "kind": row.kind,
        "host": row.host,
        "pid": row.pid,
        "url": row.info.get("url", ""),
        "runs": row.info.get("runs"),
        "started_at": iso(row.started_at),
        "seen_at": iso(row.seen_at),
        "alive": row.seen_at > now - ALIVE_S,
        "waiting_for_restart": configuration.get("waiting", []),
        "configuration_error": configuration.get("error", ""),
    }


def _troubles(processes: list[dict[str, Any]]) -> list[str]:
    found = [] if any(one["alive"] and one["kind"] in SCHEDULES for one in processes) else ["no scheduler runs"]
    for one in processes:
        if not one["alive"]:
            found.append(f"{one['kind']} {one['pid']} on {one['host']} has not been heard of since {one['seen_at']}")
        elif one["configuration_error"]:
            found.append(f"{one['kind']} {one['pid']}: {one['configuration_error']}")
    return list(dict.fromkeys(found))


def _cells(row: ProcessRow, one: dict[str, Any], now: float) -> list[str | Cell]:
    runs = "-" if one["runs"] is None else str(one["runs"])
    gone = "" if one["alive"] else Cell("gone", "red")
    return [row.kind, row.host, str(row.pid), when(row.started_at, now), runs, one["url"] or "-", gone]
