"""What tests become: data tests checks of an asset, unit tests checks that come before it is made, and the freshness of
a source a check of that.

A test of several assets is one of the asset that it was written for, unless it reads one that is made later: then of
that one, since a check may not wait for what it holds back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import msgspec

from batuta.bridges.dbt.targets import Target
from batuta.core.definitions import AssetDep, AssetSpec, AssetStep, CheckSpec
from batuta.core.graph import Graph
from batuta.core.place import Place

FRESHNESS = "freshness"
_QUOTED = re.compile(r"""['"]([^'"]+)['"]""")
_KINDS = ("not_null", "unique", "accepted_values", "relationships")


class Checks:
    """Collects the checks of a manifest. `keys`: the asset of each node. Raises CycleError: dbt does only later."""

    def __init__(
        self,
        manifest: Mapping[str, Any],
        keys: Mapping[str, str],
        assets: Mapping[str, AssetSpec],
        place: Callable[[Mapping[str, Any]], Place],
    ) -> None:
        self.found: list[CheckSpec] = []
        self._manifest = manifest
        self._keys = keys
        self._assets = assets
        self._place = place
        self._names: set[str] = set()
        self._below: dict[str, set[str]] = {}

    @cached_property
    def graph(self) -> Graph:
        """All assets."""
        upstream = {key: [dep.asset for dep in spec.deps] for key, spec in self._assets.items()}
        return Graph.build(upstream, lambda key: str(self._assets[key].place))

    @cached_property
    def _rank(self) -> dict[str, int]:
        """The place of each asset in topological order."""
        return {key: place for place, key in enumerate(self.graph.order)}

    def add_all(self, steps: list[AssetStep], targets: dict[str, Target]) -> None:
        """Find all; their steps and targets are added to those of the assets."""
        nodes = self._manifest["nodes"].values()
        for node in nodes:
            if node["resource_type"] == "test":
                self._add_test(node, steps, targets)
        for node in self._manifest.get("unit_tests", {}).values():
            self._add_unit_test(node, steps, targets)
        for node in self._manifest["sources"].values():
            if _is_watched(node):
                self._add_freshness(node, steps, targets)

    def _add_test(self, node: Mapping[str, Any], steps: list[AssetStep], targets: dict[str, Target]) -> None:
        tested = list(dict.fromkeys(self._keys[up] for up in node["depends_on"]["nodes"] if up in self._keys))
        if not tested:
            return
        own = self._keys.get(node.get("attached_node") or "", "")
        last = max(tested, key=self._rank.__getitem__)
        asset = last if not own or self._reads_below(own, tested) else own
        metadata = node.get("test_metadata") or {}
        severity = str(node["config"].get("severity") or "ERROR").lower()
        column = node.get("column_name")
        check = CheckSpec(
            asset,
            self._free_name(asset, node["name"]),
            "",
            blocking=severity == "error",
            description=node.get("description") or _told(metadata, column),
            deps=tuple(AssetDep(key, loads=False) for key in (asset, *(one for one in tested if one != asset))),
            place=self._place(node),
            kind=metadata.get("name", "") if metadata.get("name") in _KINDS else "",
            columns=(str(column),) if column else (),
            severity="error" if severity == "error" else "warn",
        )
        self._add(check, node["unique_id"], "test", steps, targets)

    def _reads_below(self, own: str, tested: list[str]) -> bool:
        """Whether something of what is tested is made from `own`."""
        later = [one for one in tested if self._rank[one] > self._rank[own]]
        if later and own not in self._below:
            self._below[own] = set(self.graph.descendants([own]))
        return any(one in self._below[own] for one in later)

    def _add_unit_test(self, node: Mapping[str, Any], steps: list[AssetStep], targets: dict[str, Target]) -> None:
        model = next((self._keys[up] for up in node["depends_on"]["nodes"] if up in self._keys), "")
        if model:
            description = node.get("description") or f"the SQL of {node['model']} on given rows"
            check = CheckSpec(
                model,
                self._free_name(model, node["name"]),
                "",
                blocking=True,
                description=description,
                place=self._place(node),
                before=True,
                severity="error",
            )
            self._add(check, node["unique_id"], "unit_test", steps, targets)

    def _add_freshness(self, node: Mapping[str, Any], steps: list[AssetStep], targets: dict[str, Target]) -> None:
        asset = self._keys.get(node["unique_id"])
        if asset:
            check = CheckSpec(
                asset,
                self._free_name(asset, FRESHNESS),
                "",
                description=f"rows are not too old, by {node.get('loaded_at_field') or 'what the database knows'}",
                deps=(AssetDep(asset, loads=False),),
                place=self._place(node),
                severity="error" if (node["freshness"].get("error_after") or {}).get("count") else "warn",
            )
            self._add(check, node["unique_id"], FRESHNESS, steps, targets)

    def _add(
        self, check: CheckSpec, unique: str, kind: str, steps: list[AssetStep], targets: dict[str, Target]
    ) -> None:
        check = msgspec.structs.replace(check, step=check.key)
        self.found.append(check)
        steps.append(AssetStep(check.key, f"dbt:{kind}"))
        partitions = self._assets[check.asset].partitions
        targets[check.key] = Target(
            unique, check.asset, check.name, partitions=partitions, blocking=check.blocking, deps=check.deps
        )

    def _free_name(self, asset: str, name: str) -> str:
        """Its name, or with a number where the asset has a check of that name already."""
        free, number = name, 1
        while f"{asset}:{free}" in self._names:
            number += 1
            free = f"{name}_{number}"
        self._names.add(f"{asset}:{free}")
        return free


def _is_watched(node: Mapping[str, Any]) -> bool:
    """Whether its freshness can be looked at, and is to be."""
    limits = node.get("freshness") or {}
    told = any((limits.get(name) or {}).get("count") for name in ("warn_after", "error_after"))
    return bool(told and (node.get("loaded_at_field") or node.get("loaded_at_query")))


def _told(metadata: Mapping[str, Any], column: Any) -> str:
    """A test in a few words, from how it is written."""
    name = str(metadata.get("name") or "").replace("_", " ")
    kwargs = metadata.get("kwargs") or {}
    match metadata.get("name"):
        case "not_null" | "unique":
            return f"{column} is {name}"
        case "accepted_values":
            return f"{column} is one of {', '.join(map(str, kwargs.get('values') or ()))}"
        case "relationships":
            of = ".".join(_QUOTED.findall(str(kwargs.get("to")))) or kwargs.get("to")
            return f"{column} is in {kwargs.get('field')} of {of}"
    return f"{name} of {column}" if name and column else name
