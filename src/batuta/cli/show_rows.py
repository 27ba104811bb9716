"""`batuta show ASSET --rows`, `--versions`: what stands in the table of an asset, now or in a version of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from batuta.cli.formats import ago, plural
from batuta.cli.output import Cell, Output, table
from batuta.core.errors import RequestError

if TYPE_CHECKING:
    from batuta.engine.workspace import Workspace
    from batuta.runtime.load import Location

ROWS_SHOWN = 10
VERSIONS_SHOWN = 50
PARTITIONS_SHOWN = 3


def show_rows(
    workspace: Workspace,
    key: str,
    environment: str,
    partition: str,
    version: str,
    run: int | None,
    limit: int | None,
    out: Output,
) -> None:
    """The first rows, as a table."""
    from batuta.engine.table_versions import versions_written
    from batuta.runtime.asset_rows import rows

    asked: dict[str, Any] = {"asset": key, "partition": partition, "version": version, "limit": limit or ROWS_SHOWN}
    asked["environment"] = _made_in(workspace, key, environment)
    if run is not None:
        asked["run"] = run
        asked["environment"], asked["versions"] = versions_written(workspace.store, key, run)
    if not partition and not version and run is None:
        asked["partition"] = _last_partition(workspace, key, asked["environment"])
    found = rows(_location_of(workspace, key), asked)
    out.document(found)
    if out.json:
        return
    told = [found["what"]]
    if found["version"]:
        told.append(f"version {found['version']}")
    if asked["environment"]:
        told.append(f"environment {asked['environment']}")
    out.say(", ".join(told))
    heads = tuple(f"{name} {kind}".strip() for name, kind in zip(found["columns"], found["types"], strict=True))
    if found["rows"]:
        out.say(table(heads, [[Cell(_text(cell)) for cell in row] for row in found["rows"]], indent="  "))
    shown, total = len(found["rows"]), found["rows_total"]
    out.say(plural(total, "row") + (f", the first {shown} shown" if shown < total else ""))


def show_versions(workspace: Workspace, key: str, environment: str, out: Output) -> None:
    """The versions of a table, newest first."""
    from batuta.runtime.asset_rows import versions

    asked = {"asset": key, "environment": _made_in(workspace, key, environment), "limit": VERSIONS_SHOWN}
    found = versions(_location_of(workspace, key), asked)["versions"]
    out.document({"asset": key, "versions": found})
    if out.json:
        return
    if not found:
        out.say(f"{key} has no versions yet")
        return
    now = time.time()
    lines = []
    for one in found:
        partitions = one.get("partitions", ())
        shown = ", ".join(partitions[:PARTITIONS_SHOWN]) + (", ..." if len(partitions) > PARTITIONS_SHOWN else "")
        by = f"run {one['run']}" if one.get("run") else click.style(one.get("by", ""), fg="yellow")
        lines.append(
            (Cell(one["version"], bold=True), ago(one["at"], now), one.get("operation", "").lower(), by, shown)
        )
    out.say(table(("VERSION", "WHEN", "OPERATION", "BY", "PARTITIONS"), lines))


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)


def _made_in(workspace: Workspace, key: str, environment: str) -> str:
    """The environment, if the asset was made there; else production, whose data are read in it."""
    if not environment:
        return ""
    from batuta.engine.environments import require

    require(workspace.store, environment)
    return environment if workspace.store.environments.states(environment, [key]) else ""


def _last_partition(workspace: Workspace, key: str, environment: str) -> str:
    """Of an asset with partitions, the one that was made last."""
    store = workspace.store
    states = store.environments.states(environment, [key]) if environment else store.asset_states([key])
    made = sorted(states.values(), key=lambda row: row.at)
    return made[-1].partition if made else ""


def _location_of(workspace: Workspace, key: str) -> Location:
    """The code in which an asset is defined, loaded in this process. Raises RequestError."""
    from batuta.runtime.load import load_location

    project, names = workspace.project, [""]
    if project.config.locations and not workspace.target:
        names = [workspace.location] if workspace.location else [each.name for each in project.config.locations]
    for name in names:
        location = load_location(workspace.target, project.root, name)
        if key in location.found.assets.makers or key in location.found.assets.quarantines:
            return location
    raise RequestError(
        f"{key!r} is not kept by an IO manager of a Python location, so its rows cannot be shown",
        hint="look where it is kept",
    )
