"""What each code location defines: as its code says now, or as the service has recorded it; and who defines a name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from batuta.core.errors import RequestError, nearest

if TYPE_CHECKING:
    from batuta.core.definitions import Definitions
    from batuta.engine.workspace import Workspace
    from batuta.store.store import Store

location_option = click.option(
    "--location", default="", metavar="NAME", help="Its code location, where several have one of that name."
)


class Known(NamedTuple):
    """A schedule or sensor, and the location that defines it."""

    location: str
    spec: Any


def recorded(store: Store) -> dict[str, Definitions]:
    """What each location defined when it was loaded last."""
    from batuta.core import definitions as model

    return {row.location: model.decode(row.data) for row in store.definitions() if row.data}


def defined(workspace: Workspace) -> dict[str, Definitions]:
    """What each location of the workspace defines now; files that cannot be loaded are told of on standard error.

    One whose code is with remote workers, or cannot be loaded at all: what it defined when it was loaded last.
    """
    from batuta.cli.targets import load, store_if_any

    project, wanted = workspace.project, workspace.location
    if workspace.target or not project.config.locations:
        return {project.name: load(workspace)}
    found: dict[str, Definitions] = {}
    if wanted or not all(one.remote for one in project.locations):
        load(workspace)
        found = {one.location or workspace.location: one for one in workspace.each}
    names = [wanted] if wanted else [one.name for one in project.locations]
    lacking = [name for name in names if name not in found or _is_broken(found[name])]
    store = store_if_any(workspace) if lacking else None
    former = recorded(store) if store is not None else {}
    every = {**found, **{name: former[name] for name in lacking if name in former}}
    return {name: every[name] for name in names if name in every}


def _is_broken(one: Definitions) -> bool:
    return bool(one.problems) and not (one.jobs or one.assets or one.schedules or one.sensors)


def known(each: Mapping[str, Definitions], kind: str) -> list[Known]:
    """Everything of a kind (schedule, sensor), location by location."""
    return [Known(location, spec) for location, one in each.items() for spec in getattr(one, f"{kind}s")]


def chosen(every: Iterable[Known], kind: str, name: str, location: str = "") -> Known:
    """The one that is called `NAME` or `LOCATION/NAME`. Raises RequestError."""
    every = list(every)
    found = _matching(every, name, location)
    if not found and not location and "/" in name:
        place, _, bare = name.partition("/")
        found = _matching(every, bare, place)
    if len(found) > 1:
        several = ", ".join(f"{one.location}/{name}" for one in found)
        raise RequestError(f"several locations have a {kind} {name!r}", hint=f"say which: {several}")
    if not found:
        hint = nearest(name, [one.spec.name for one in every]) or f"`batuta {kind}s list` shows those there are"
        raise RequestError(f"there is no {kind} {name!r}", where=location or None, hint=hint)
    return found[0]


def _matching(every: Iterable[Known], name: str, location: str) -> list[Known]:
    return [one for one in every if one.spec.name == name and location in ("", one.location)]


def named(store: Store, kind: str, name: str, location: str = "") -> Known:
    """The same among what the service has recorded, or else what the code says now. Raises RequestError."""
    from batuta.cli.targets import open_workspace

    try:
        return chosen(known(recorded(store), kind), kind, name, location)
    except RequestError:
        with open_workspace("") as workspace:  # written since the service was last started, if it ever was
            every = known(defined(workspace), kind)
        return chosen(every, kind, name, location)
