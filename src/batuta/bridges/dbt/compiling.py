"""Compiling nodes that have not run yet, so that their columns can be traced: without a database.

What asks the database while it compiles (`run_query`, `adapter.get_columns_in_relation`) has no SQL until it has run.
Surprising: tables count as not there, so that incremental models show the query that makes them whole.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import copy
from typing import Any

from batuta.bridges.dbt.invocation import Invocation
from batuta.bridges.dbt.versions import Versions

NODES_MAX = 5_000
"""So many nodes are compiled at a time: what is left is known once it has run."""


def compiled_texts(
    invocation: Invocation, versions: Versions, data: dict[str, Any], known: dict[str, str]
) -> dict[str, str]:
    """The SQL of all models and snapshots by their code version, as far as it can be told."""
    found: dict[str, str] = {}
    wanted: list[tuple[str, str]] = []
    for unique, node in data["nodes"].items():
        if node["resource_type"] in ("model", "snapshot") and node.get("language", "sql") == "sql":
            version = versions.of(node)
            if version in known:
                found[version] = known[version]
            else:
                wanted.append((unique, version))
    if wanted:
        compiler = _Compiler(invocation)
        for unique, version in wanted[:NODES_MAX]:
            text = compiler.compile(unique)
            if text:
                found[version] = text
    return found


class _Compiler:
    def __init__(self, invocation: Invocation) -> None:
        from dbt.compilation import Compiler

        self._manifest = invocation.manifest
        self._compiler = Compiler(invocation.config)
        adapter = invocation.adapter
        schemas = {(node.database, node.schema) for node in self._manifest.nodes.values() if node.is_relational}
        adapter.cache.update_schemas(schemas)

    def compile(self, unique: str) -> str:
        """The SQL of a node; "" where it cannot be told."""
        node = copy.copy(self._manifest.nodes[unique])
        node.extra_ctes, node.extra_ctes_injected = [], False
        try:
            return str(self._compiler.compile_node(node, self._manifest, {}, write=False).compiled_code or "")
        except Exception:  # whatever a macro raises where there is no database
            return ""
