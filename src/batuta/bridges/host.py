"""The location host of a foreign project: `runtime.host`, which loads through the bridge of the location's kind."""

from __future__ import annotations

import importlib

from batuta.bridges.location import BridgedLocation
from batuta.bridges.port import Bridge
from batuta.core.errors import InvariantError
from batuta.runtime import host
from batuta.runtime.project import LocationConfig, Project, find_project

BRIDGES = {"dbt": "batuta.bridges.dbt.bridge:DbtBridge"}
"""By the kind of a location, its bridge: what is called with (project, location) and gives a `Bridge`."""


def load(target: str, project_root: str, location: str) -> BridgedLocation:
    """The project's location of that name; "" where it has just one."""
    project = find_project(project_root or target)
    chosen = next(each for each in project.locations if not location or each.name == location)
    return BridgedLocation(chosen.name, project.at_location(chosen.name), bridge_for(project, chosen))


def bridge_for(project: Project, location: LocationConfig) -> Bridge:
    """The bridge of a location. Raises InvariantError for a kind that has none."""
    kind = project.kind_of(location)
    if kind not in BRIDGES:
        raise InvariantError(f"there is no bridge for {kind!r}")
    module, _, name = BRIDGES[kind].partition(":")
    made: Bridge = getattr(importlib.import_module(module), name)(project, location)
    return made


if __name__ == "__main__":
    host.main(load)
