"""`batuta pools`: how many task runs may hold a pool at once."""

from __future__ import annotations

import time
from typing import Any

import click

from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Output, output_options, table
from batuta.cli.targets import open_store, project_at
from batuta.core.errors import RequestError, nearest

POOLS = {
    "list": Lazy("pools:list_pools", "List pools with their slots.", "Look"),
    "set": Lazy("pools:set_pool", "Set how many slots a pool has.", "Do"),
    "delete": Lazy("pools:delete_pool", "Let batuta.toml say again how many slots a pool has.", "Do"),
}


@click.group(cls=LazyGroup, lazy=POOLS)
def pools() -> None:
    """List pools and set their slots."""


@click.command("list")
@output_options
def list_pools(out: Output) -> None:
    """List pools with their slots.

    \b
    Examples:
      batuta pools list
    """
    configured = project_at("").config.pools
    with open_store(must_exist=False) as store:
        stored = {row.name: row for row in store.pools()}
        used = store.pool_use()
    rows: list[dict[str, Any]] = []
    for name in sorted({*configured, *stored}):
        row = stored.get(name)
        rows.append(
            {
                "name": name,
                "slots": row.slots if row else configured[name],
                "used": used.get(name),
                "set_by": row.changed_by if row else "batuta.toml",
                "description": row.description if row else "",
            }
        )
    out.document({"pools": rows})
    if not rows:
        out.note("no pools: [pools] in batuta.toml, or `batuta pools set NAME SLOTS`")
        return
    cells = [
        [
            row["name"],
            str(row["slots"]),
            "-" if row["used"] is None else str(row["used"]),
            row["set_by"] or "a person",
            row["description"],
        ]
        for row in rows
    ]
    out.say(table(["pool", "slots", "used", "set by", ""], cells, right=(1, 2)))


@click.command("set")
@click.argument("name", metavar="NAME")
@click.argument("slots", type=click.IntRange(0, 1_000_000), metavar="SLOTS")
@click.option("--description", default="", metavar="TEXT", help="What it is for.")
@output_options
def set_pool(name: str, slots: int, description: str, out: Output) -> None:
    """Set how many slots a pool has.

    It goes over batuta.toml, and holds for what is started from now on. With 0 slots nothing more is started in it.

    \b
    Examples:
      batuta pools set api 4
      batuta pools set api 0                    close it
    """
    from batuta.runtime.people import person

    with open_store(must_exist=False) as store:
        store.put_pool(name, slots, description, by=person(), now=time.time())
    out.document({"pool": name, "slots": slots})
    out.say(f"pool {name} has {slots} slots")


@click.command("delete")
@click.argument("name", metavar="NAME")
@output_options
def delete_pool(name: str, out: Output) -> None:
    """Let batuta.toml say again how many slots a pool has.

    \b
    Examples:
      batuta pools delete api
    """
    from batuta.runtime.people import person

    with open_store() as store:
        known = [row.name for row in store.pools()]
        if not store.delete_pool(name, by=person(), now=time.time()):
            raise RequestError(f"nobody has set pool {name!r}", where=store.location, hint=nearest(name, known))
    slots = project_at("").config.pools.get(name)
    out.document({"pool": name, "slots": slots})
    out.say(f"pool {name} has {'no limit' if slots is None else f'{slots} slots'}")
