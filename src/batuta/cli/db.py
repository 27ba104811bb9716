"""`batuta db`: care for the store."""

from __future__ import annotations

import os
import time

import click

from batuta.cli.formats import number, parse_age, plural, short_path, size
from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Cell, Output, output_options, table
from batuta.cli.targets import open_store, project_at

DB = {
    "upgrade": Lazy("db:upgrade", "Make the store, or bring its schema up to date."),
    "prune": Lazy(
        "db:prune", "Forget old runs, with their logs and results, and what else [retention] of batuta.toml says."
    ),
    "info": Lazy("db:info", "Say where the store is and how much is in it."),
}


@click.group(cls=LazyGroup, lazy=DB)
def db() -> None:
    """Upgrade, prune and describe the store."""


@click.command()
@output_options
def upgrade(out: Output) -> None:
    """Make the store, or bring its schema up to date.

    Commands do so by themselves; this is for doing it at a time of your own.

    \b
    Examples:
      batuta db upgrade
      BATUTA_STORE_URL=postgresql://me@host/batuta batuta db upgrade
    """
    with open_store(must_exist=False) as store:
        info = store.info()
        out.document({"location": store.location, "done": store.opened, "revision": info.revision})
        done = {"existing": "is up to date", "created": "is made", "upgraded": "is brought up to date"}
        out.say(f"{short_path(store.location)} {done[store.opened]} (schema {info.revision})")


@click.command()
@click.option("--older-than", metavar="AGE", help="How long ago a run has finished: 30d, 12h, 2w; else [retention].")
@click.option("--keep", type=click.IntRange(0), metavar="N", help="But never the newest N of each job.")
@click.option("--vacuum", is_flag=True, help="Give the room back to the disk; others wait meanwhile on SQLite.")
@output_options
def prune(older_than: str | None, keep: int | None, vacuum: bool, out: Output) -> None:
    """Forget old runs, with their logs and results, and what else [retention] of batuta.toml says.

    What exists (assets, last materializations, last check results) stays known. The service does the same every hour;
    others can write meanwhile.

    \b
    Examples:
      batuta db prune
      batuta db prune --older-than 30d
      batuta db prune --older-than 7d --keep 20 --vacuum
    """
    import msgspec

    from batuta.core.durations import Seconds
    from batuta.runtime.people import person
    from batuta.scheduler.retention import forget

    project = project_at("")
    config = project.config.retention
    if older_than is not None:
        config = msgspec.structs.replace(config, runs=Seconds(parse_age(older_than)))
    if keep is not None:
        config = msgspec.structs.replace(config, keep_runs=keep)
    with open_store() as store:
        before = store.size()
        pruned = forget(store, project.home, config, time.time(), by=person())
        if vacuum:
            store.vacuum()
        after = store.size()
    out.document({"runs": pruned.runs, "rows": pruned.rows, "size_before": before, "size_after": after})
    out.say(f"forgot {plural(len(pruned.runs), 'run')}; the store has {size(after)} (before: {size(before)})")
    if config.runs is None:
        out.note("  runs are kept for ever: give --older-than, or set retention.runs in batuta.toml")
    if pruned.runs and not vacuum:
        out.note("  --vacuum gives the room back to the disk")


@click.command()
@output_options
def info(out: Output) -> None:
    """Say where the store is and how much is in it.

    \b
    Examples:
      batuta db info
    """
    home = project_at("").home
    with open_store() as store:
        found = store.info()
    folders = {name: folder_size(os.path.join(home, name)) for name in ("logs", "results")}
    out.document(
        {
            "dialect": found.dialect,
            "location": found.location,
            "revision": found.revision,
            "size": found.size,
            "counts": found.counts,
            "facts": found.facts,
            "folders": folders,
        }
    )
    rows = [
        ("location", short_path(found.location)),
        ("database", found.dialect),
        ("schema", found.revision),
        ("size", size(found.size)),
        *((name, size(count)) for name, count in folders.items()),
    ]
    out.say(table(("", ""), [(Cell(name, dim=True), value) for name, value in rows]))
    out.say("")
    out.say(table(("ROWS", ""), [(name, number(count)) for name, count in found.counts.items()], right=(1,)))
    out.say("")
    out.say(table(("", ""), [(Cell(name, dim=True), value) for name, value in found.facts.items()]))


def folder_size(path: str) -> int:
    """Bytes in a folder and below."""
    total = 0
    for folder, _, files in os.walk(path):
        for name in files:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                continue
    return total
