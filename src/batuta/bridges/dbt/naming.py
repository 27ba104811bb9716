"""How the nodes of a dbt project are called as assets, and which layer they are in."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from batuta.bridges.dbt.meta import NodeMeta
from batuta.bridges.dbt.settings import DbtSettings

_ODD = re.compile(r"[^\w-]+")


def layer_of(node: Mapping[str, Any], meta: NodeMeta, settings: DbtSettings) -> str:
    """As its meta says; else the tag, else the innermost folder, that is called like a layer or stands for one."""
    if meta.layer:
        return meta.layer
    for tag in node.get("tags") or ():
        if tag in settings.layers:
            return str(tag)
    for folder in reversed(os.path.dirname(node["path"]).split("/")):
        if folder in settings.folders:
            return settings.folders[folder]
        if folder in settings.layers:
            return str(folder)
    folder = str(node["original_file_path"]).partition("/")[0]  # that of all seeds, of all snapshots
    return settings.folders.get(folder, "")


def node_key(node: Mapping[str, Any], meta: NodeMeta, layer: str, settings: DbtSettings) -> str:
    """The key of a model, seed, snapshot or function."""
    version = node.get("version")
    name = f"{node['name']}_v{version}" if version else node["name"]
    return meta.asset or _filled(
        settings.keys,
        layer=layer,
        schema=node.get("schema"),
        name=name,
        alias=node.get("alias"),
        database=node.get("database"),
        package=node["package_name"],
        folder=os.path.basename(os.path.dirname(node["path"])),
        type=node["resource_type"],
    )


def source_key(node: Mapping[str, Any], meta: NodeMeta, settings: DbtSettings) -> str:
    """The key of a table of a source."""
    return meta.asset or _filled(
        settings.source_keys,
        source=node["source_name"],
        name=node["name"],
        identifier=node.get("identifier"),
        schema=node.get("schema"),
        database=node.get("database"),
        package=node["package_name"],
    )


def exposure_key(node: Mapping[str, Any], meta: NodeMeta) -> str:
    """The key of an exposure."""
    return meta.asset or _filled("exposures.{name}", name=node["name"])


def _filled(template: str, **parts: Any) -> str:
    """The template, with each part made fit for a key; parts that are empty leave no dots behind."""
    filled = template.format(**{name: _ODD.sub("_", str(part or "")) for name, part in parts.items()})
    return ".".join(filter(None, filled.split(".")))
