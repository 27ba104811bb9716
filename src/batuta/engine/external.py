"""What runs elsewhere as part of the lineage of a project: read from the store, its datasets named by the rules.

Surprising: nothing of it is decided when an event comes. Which asset a dataset is, is asked whenever the graph is made,
so that rules that change and assets that are defined later count for what was heard before.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from batuta.core.column_facts import Told
from batuta.core.external_lineage import External, Naming, World
from batuta.runtime.project import Project
from batuta.store.rows import MaterializationRow
from batuta.store.store import Store

_metadata = msgspec.json.Decoder(dict[str, Any]).decode

Places = Mapping[tuple[str, str], str]


class Rules(NamedTuple):
    """What of the configuration says how datasets are named."""

    rules: tuple[tuple[str, str, str], ...]
    own: str
    lost_after_s: float


def rules_of(project: Project) -> Rules:
    """As the project is configured."""
    config = project.config.openlineage
    rules = tuple((rule.namespace, rule.name, rule.asset) for rule in config.datasets)
    return Rules(rules, own_namespace(project), float(config.lost_after))


def own_namespace(project: Project) -> str:
    """The namespace of our own jobs and datasets, by which others know them."""
    return project.config.openlineage.namespace or project.name


def places_of(made: Iterable[MaterializationRow]) -> dict[tuple[str, str], str]:
    """By namespace and name as OpenLineage has them, the asset whose file stands there; of a partitioned one also the
    folder of its partitions."""
    found: dict[tuple[str, str], str] = {}
    for row in made:
        path = _metadata(row.metadata).get("path") if row.metadata else None
        if not isinstance(path, str) or not path:
            continue
        for each in (path, os.path.dirname(path)) if row.partition else (path,):
            for place in _names_of(each):
                found.setdefault(place, row.asset)
    return found


def _names_of(path: str) -> list[tuple[str, str]]:
    scheme, separator, rest = path.partition("://")
    if not separator or scheme == "file":
        local = rest if separator else path
        return [("file", local)]
    host, _, name = rest.partition("/")
    return [(f"{scheme}://{host}", name), (f"{scheme}://{host}", f"/{name}")]


def naming_of(rules: Rules, places: Places) -> Naming:
    """The rule by which datasets are assets."""
    return Naming(rules.rules, rules.own, places)


def read_world(store: Store) -> World:
    """All that the store knows of what runs elsewhere."""
    return World(store.external.jobs_since(), store.external.datasets_since(), store.external.edges())


def external_in(project: Project, store: Store | None) -> External:
    """What runs elsewhere as the store has it now; nothing without a store."""
    rules = rules_of(project)
    world = World() if store is None else read_world(store)
    if store is None or not world.datasets:
        return External(world, naming_of(rules, {}))
    return External(world, naming_of(rules, places_of(store.asset_states().values())))


def with_told(own: Mapping[str, Told], external: Mapping[str, Told]) -> dict[str, Told]:
    """What runs told of columns, ours first; what those elsewhere say stands where ours say nothing."""
    found = dict(own)
    for asset, said in external.items():
        known = found.get(asset)
        if known is None:
            found[asset] = said
        else:
            lineage = said.lineage if known.lineage is None else known.lineage
            found[asset] = Told(known.columns or said.columns, lineage)
    return found
