"""From a manifest to definitions: pure, of dbt's JSON alone.

Every model, seed, snapshot and function is an asset with a step of its own; sources and exposures are external ones.
What tests become is in `checks`. Surprising: ephemeral models are assets too, whose steps make nothing: dbt writes them
into what reads them, but lineage and staleness go through them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from batuta.bridges.dbt.checks import Checks
from batuta.bridges.dbt.meta import NOTHING, NodeMeta, freshness_of, meta_of, partitions_of
from batuta.bridges.dbt.naming import exposure_key, layer_of, node_key, source_key
from batuta.bridges.dbt.settings import DbtSettings
from batuta.bridges.dbt.targets import Described, Target
from batuta.bridges.dbt.versions import Versions
from batuta.core.columns import Column, SqlSource
from batuta.core.definitions import AssetDep, AssetSpec, AssetStep, Definitions, Problem
from batuta.core.errors import DefinitionError, LayerError
from batuta.core.freshness import FreshnessPolicy
from batuta.core.glossary import Glossary
from batuta.core.graph import Graph
from batuta.core.layers import Layers
from batuta.core.partitions import Partitions
from batuta.core.place import Place, place_of

HOOKS = ("on-run-start", "on-run-end")
MADE = ("model", "seed", "snapshot", "function")


def describe(
    manifest: Mapping[str, Any],
    settings: DbtSettings,
    variables: Mapping[str, Any],
    compiled: Mapping[str, str],
) -> Described:
    """What a manifest defines. `compiled`: the SQL of nodes by their code version, as far as it is known."""
    return _Describing(manifest, settings, Versions(manifest, variables), compiled).described()


class _Describing:
    def __init__(
        self, manifest: Mapping[str, Any], settings: DbtSettings, versions: Versions, compiled: Mapping[str, str]
    ) -> None:
        self.manifest = manifest
        self.settings = settings
        self.versions = versions
        self.compiled = compiled
        self.dialect = str(manifest["metadata"].get("adapter_type", ""))
        self.keys: dict[str, str] = {}
        """The asset of each node that is one, by dbt's unique id."""
        self.nodes: dict[str, str] = {}
        """The other way round."""
        self.metas: dict[str, NodeMeta] = {}
        self.partitions: dict[str, Partitions | None] = {}
        self.assets: dict[str, AssetSpec] = {}
        self.steps: list[AssetStep] = []
        self.targets: dict[str, Target] = {}
        self.problems: list[Problem] = []

    def described(self) -> Described:
        functions = self.manifest.get("functions") or {}
        made = {
            unique: node
            for unique, node in {**self.manifest["nodes"], **functions}.items()
            if node["resource_type"] in MADE
        }
        for node in self.manifest["sources"].values():
            self._name(node, source_key(node, self._meta(node), self.settings))
        for node in made.values():
            meta = self._meta(node)
            self._name(node, node_key(node, meta, self._layer(node, meta), self.settings))
        for node in self.manifest["exposures"].values():
            self._name(node, exposure_key(node, self._meta(node)))
        for node in self.manifest["sources"].values():
            self._add_external(node, node.get("description") or node.get("source_description") or "", ("source",))
        for node in made.values():
            self._add_made(node)
        for node in self.manifest["exposures"].values():
            self._add_external(node, node.get("description") or node.get("label") or "", ("exposure", node["type"]))
        checks = Checks(self.manifest, self.keys, self.assets, self.place)
        checks.add_all(self.steps, self.targets)
        self._add_hooks()
        self._check_layers(checks.graph)
        self.problems += Glossary(self.settings.glossary).problems(self.assets.values())
        definitions = Definitions(
            location=self.settings.name,
            assets=tuple(self.assets.values()),
            asset_steps=tuple(self.steps),
            checks=tuple(checks.found),
            layers=self.settings.layers,
            problems=tuple(self.problems),
        )
        return Described(definitions, self.targets)

    def _check_layers(self, graph: Graph) -> None:
        """Data flow from lower layers to higher ones."""
        try:
            layers = Layers(self.settings.layers)
            layers.check(graph, lambda key: self.assets[key].layer, lambda key: str(self.assets[key].place))
        except LayerError as error:
            self.problems.append(Problem(error.what, place_of(error.where or ""), error.hint or ""))

    def _add_hooks(self) -> None:
        """The steps that stand before and after all others, where the project has hooks."""
        operations = [node for node in self.manifest["nodes"].values() if node["resource_type"] == "operation"]
        tags = {tag for node in operations for tag in node.get("tags") or ()}
        names = {which: f"{self.settings.name}:{which}" for which in HOOKS if which in tags}
        if names:
            before, after = (names.get(which, "") for which in HOOKS)
            self.steps = [msgspec.structs.replace(step, before=before, after=after) for step in self.steps]
        for which, name in names.items():
            self.steps.append(AssetStep(name, "dbt:operation"))
            self.targets[name] = Target(which)

    # ---- names ----

    def _name(self, node: Mapping[str, Any], key: str) -> None:
        """Two nodes of one key are a problem of the second."""
        other = self.nodes.setdefault(key, node["unique_id"])
        if other != node["unique_id"]:
            hint = "give one another name, or a key: meta: {batuta: {asset: ...}}; `keys` of the location may tell more"
            self._wrong(node, f"{node['unique_id']} and {other} are both the asset {key!r}", hint)
            return
        self.keys[node["unique_id"]] = key

    def _meta(self, node: Mapping[str, Any]) -> NodeMeta:
        unique = node["unique_id"]
        if unique not in self.metas:
            try:
                self.metas[unique] = meta_of(node)
            except DefinitionError as error:
                self._wrong(node, f"{unique}: {error.what}", error.hint or "")
                self.metas[unique] = NOTHING
        return self.metas[unique]

    def _layer(self, node: Mapping[str, Any], meta: NodeMeta) -> str:
        layer = layer_of(node, meta, self.settings)
        if layer and layer not in self.settings.layers:
            hint = f"layers are {', '.join(self.settings.layers)}"
            self._wrong(node, f"{node['unique_id']}: there is no layer {layer!r}", hint)
            return ""
        return layer

    def _wrong(self, node: Mapping[str, Any], what: str, hint: str) -> None:
        self.problems.append(Problem(what, self.place(node), hint))

    def place(self, node: Mapping[str, Any]) -> Place:
        """Where it is written; one that an installed package brings, in the folder of packages."""
        file = str(node["original_file_path"])
        if node["package_name"] != self.manifest["metadata"].get("project_name"):
            return Place(os.path.join(self.settings.root, "dbt_packages", node["package_name"], file), 1)
        return Place(os.path.join(self.settings.root, file), 1)

    # ---- assets ----

    def _add_made(self, node: Mapping[str, Any]) -> None:
        unique = node["unique_id"]
        if unique not in self.keys:
            return
        key, meta = self.keys[unique], self.metas[unique]
        version = self.versions.of(node)
        partitions, policy = self._partitions(node, meta), self._freshness(node, meta)
        deps = self._deps(node, meta)
        config = node.get("config") or {}
        materialized = str(config.get("materialized") or node["resource_type"])
        kinds = ("dbt", self.dialect, materialized if node["resource_type"] == "model" else node["resource_type"])
        self.assets[key] = AssetSpec(
            key=key,
            step=key,
            deps=deps,
            layer=self._layer(node, meta),
            group=meta.group or node.get("group") or "",
            description=node.get("description") or "",
            owners=self._owners(node, meta),
            kinds=(*kinds, *meta.kinds),
            tags={**dict.fromkeys(node.get("tags") or (), ""), **meta.tag_texts},
            metadata=_metadata(node),
            partitions=partitions,
            code_version=version,
            place=self.place(node),
            automation=meta.condition,
            freshness=policy,
            columns=columns_of(node),
            sql=self._sql(node, version),
        )
        self.steps.append(
            AssetStep(
                key,
                f"dbt:{node['resource_type']}",
                retry=meta.retry,
                timeout_s=None if meta.timeout is None else float(meta.timeout),
                pools=meta.pool_slots,
                priority=meta.priority,
                instances_max=1 if partitions is not None else None,
            )
        )
        batches = partitions is not None and meta.partitions == "batches"
        upstream = {dep.asset: self._partitions_of(self.nodes[dep.asset]) for dep in deps}
        self.targets[key] = Target(unique, key, "", meta.vars, batches, partitions, version, deps, upstream)

    def _add_external(self, node: Mapping[str, Any], description: str, kinds: tuple[str, ...]) -> None:
        unique = node["unique_id"]
        if unique not in self.keys:
            return
        meta = self.metas[unique]
        self.assets[self.keys[unique]] = AssetSpec(
            key=self.keys[unique],
            deps=self._deps(node, meta) if "depends_on" in node else (),
            layer=self._layer(node, meta) if meta.layer else "",
            group=meta.group,
            description=description,
            owners=self._owners(node, meta),
            kinds=("dbt", *kinds, *meta.kinds),
            tags={**dict.fromkeys(node.get("tags") or (), ""), **meta.tag_texts},
            metadata=_metadata(node),
            partitions=self._partitions(node, meta),
            external=True,
            place=self.place(node),
            freshness=self._freshness(node, meta),
            columns=columns_of(node),
        )

    def _partitions(self, node: Mapping[str, Any], meta: NodeMeta) -> Partitions | None:
        unique = node["unique_id"]
        if unique not in self.partitions:
            try:
                self.partitions[unique] = partitions_of(meta.partitions, node)
            except DefinitionError as error:
                self._wrong(node, f"{unique}: {error.what}", error.hint or "")
                self.partitions[unique] = None
        return self.partitions[unique]

    def _partitions_of(self, unique: str) -> Partitions | None:
        functions = self.manifest.get("functions") or {}
        node = self.manifest["nodes"].get(unique) or self.manifest["sources"].get(unique) or functions[unique]
        return self._partitions(node, self._meta(node))

    def _freshness(self, node: Mapping[str, Any], meta: NodeMeta) -> FreshnessPolicy | None:
        try:
            return freshness_of(meta.freshness)
        except DefinitionError as error:
            self._wrong(node, f"{node['unique_id']}: {error.what}", error.hint or "")
            return None

    def _deps(self, node: Mapping[str, Any], meta: NodeMeta) -> tuple[AssetDep, ...]:
        """What it reads: for order and lineage, since dbt loads it by itself."""
        keys = dict.fromkeys(self.keys[up] for up in self._upstream(node) if up in self.keys)
        own = self.keys[node["unique_id"]]
        unknown = [asset for asset in meta.mappings if asset not in keys]
        if unknown:
            hint = f"it depends on {', '.join(keys) or 'nothing'}"
            self._wrong(node, f"{node['unique_id']}: meta.batuta.mappings names {unknown[0]!r}", hint)
        return tuple([AssetDep(key, meta.mappings.get(key), loads=False) for key in keys if key != own])

    def _upstream(self, node: Mapping[str, Any]) -> list[str]:
        """The nodes that it reads; with an ephemeral one, which is written into it, those that this reads."""
        found: dict[str, None] = {}
        left = list(reversed(node["depends_on"].get("nodes") or ()))
        while left:
            up = left.pop()
            if up in found:
                continue
            found[up] = None
            above = self.manifest["nodes"].get(up)
            if above is not None and (above.get("config") or {}).get("materialized") == "ephemeral":
                left += reversed(above["depends_on"].get("nodes") or ())
        return list(found)

    def _owners(self, node: Mapping[str, Any], meta: NodeMeta) -> tuple[str, ...]:
        """As its meta says, or it (an exposure) or its group."""
        if meta.owner_names:
            return meta.owner_names
        other = (node.get("config") or {}).get("meta", {}).get("owner") or (node.get("meta") or {}).get("owner")
        owner = node.get("owner") or other
        if owner is None and node.get("group"):
            groups = self.manifest["groups"].values()
            owner = next((group["owner"] for group in groups if group["name"] == node["group"]), None)
        if isinstance(owner, Mapping):
            owner = owner.get("email") or owner.get("name")
        if isinstance(owner, list | tuple):
            return tuple(str(one) for one in owner)
        return (str(owner),) if owner else ()

    def _sql(self, node: Mapping[str, Any], version: str) -> SqlSource | None:
        """The query that makes it, where it is known, with the asset of each table in it."""
        text = self.compiled.get(version)
        if not text or node["resource_type"] not in ("model", "snapshot"):
            return None
        tables: dict[str, str] = {}
        for up in self._upstream(node):
            known = self.manifest["nodes"].get(up) or self.manifest["sources"].get(up)
            if known is None or up not in self.keys or not (relation := known.get("relation_name")):
                continue
            if "(" in relation:  # a source in files, read by a function of the database: it is called by its key
                text, relation = text.replace(relation, f'"{self.keys[up]}"'), self.keys[up]
            tables[_table_name(relation)] = self.keys[up]
        return SqlSource(text, self.dialect, tables)


def columns_of(node: Mapping[str, Any]) -> tuple[Column, ...]:
    """The columns that its YAML tells of."""
    return tuple(
        Column(
            str(one["name"]),
            str(one.get("data_type") or ""),
            str(one.get("description") or ""),
            tuple(str(tag) for tag in one.get("tags") or ()),
        )
        for one in (node.get("columns") or {}).values()
    )


def _metadata(node: Mapping[str, Any]) -> dict[str, Any]:
    """What catalogs show of it besides."""
    config = node.get("config") or {}
    own = {**(node.get("meta") or {}), **(config.get("meta") or {})}
    own.pop("batuta", None)
    told = {
        "dbt_node": node["unique_id"],
        "relation": _unquoted(node.get("relation_name") or ""),
        "materialized": config.get("materialized"),
        "unique_key": config.get("unique_key"),
        "url": node.get("url"),
        "maturity": node.get("maturity"),
        "meta": own,
    }
    return {name: value for name, value in told.items() if value}


def _table_name(relation: str) -> str:
    """As `SqlSource.tables` wants it: without quotes, in lower case."""
    return _unquoted(relation).lower()


def _unquoted(relation: str) -> str:
    for quote in ('"', "`", "[", "]"):
        relation = relation.replace(quote, "")
    return relation
