"""dbt in an environment of ours: what it makes goes into a schema beside production's, and it reads what is there.

`analytics` is `analytics__dev_anna` there, as the schema of an IO manager is. While a node runs, the manifest says of
it, and of what it reads and was made there, that other schema; of all else production's. Surprising: an incremental
model, and a snapshot, begins with a copy of what production has, so that all of it is in one table.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from batuta.authoring.context import StepContext
from batuta.core.environments import stored_key
from batuta.core.errors import RequestError

MADE = ("model", "seed", "snapshot", "test")
ACCUMULATING = ("incremental", "snapshot")


class Elsewhere:
    """See the module. Of one worker, which runs one node at a time."""

    def __init__(self, config: Any, manifest: Any, adapter: Any, assets: Mapping[str, str]) -> None:
        """`assets`: the key of each node that is one, by dbt's unique id."""
        self._config = config
        self._manifest = manifest
        self._adapter = adapter
        self._assets = assets

    @contextmanager
    def within(self, context: StepContext, node: Any) -> Iterator[Any]:
        """Meanwhile the node, a copy of that in the manifest, and the manifest are as in the run's environment.

        Gives what the node makes in production, where it is in an environment and makes a table or view.
        """
        if not context.environment:
            yield None
            return
        production = self.relation(node) if node.resource_type in MADE else None
        moved = [(one, one.schema, one.relation_name) for one in self._moving(context, node)]
        for one, schema, _ in moved:
            one.schema = stored_key(schema, context.environment)
            if one.relation_name is not None:
                one.relation_name = str(self.relation(one))
        try:
            yield production
        finally:
            for one, schema, name in moved:
                one.schema, one.relation_name = schema, name

    def _moving(self, context: StepContext, node: Any) -> list[Any]:
        """The nodes that are in the environment while this one runs: itself, where it makes something, and others."""
        found = [node] if node.resource_type in MADE else []
        own = self._manifest.nodes.get(node.unique_id)
        if found and own is not None:
            found.append(own)
        reads = {key: unique for unique in self._reads(node) if (key := self._assets.get(unique))}
        if not reads:
            return found
        places = context.ask("versions_made", assets=sorted(reads))["environments"]
        for key, unique in reads.items():
            there = set(places.get(key, {}).values())
            if context.environment not in there or unique == node.unique_id:
                continue
            source = self._manifest.sources.get(unique)
            if source is not None:
                self._check(context, key, there, source)
            found.append(source or self._manifest.nodes[unique])
        return found

    def _reads(self, node: Any) -> list[str]:
        """What the node reads, and what the ephemeral models read that are written into it."""
        found: dict[str, None] = {}
        left = [node.unique_id] if node.resource_type == "source" else list(node.depends_on.nodes)
        while left:
            unique = left.pop()
            if unique in found:
                continue
            found[unique] = None
            one = self._manifest.nodes.get(unique)
            if one is not None and one.is_ephemeral_model:
                left += one.depends_on.nodes
        return list(found)

    def _check(self, context: StepContext, asset: str, there: set[str], source: Any) -> None:
        """A source that others make: dbt reads one table of it. Raises RequestError."""
        if "external_location" in {**(source.meta or {}), **(getattr(source, "source_meta", None) or {})}:
            raise RequestError(
                f"{context.key} reads {asset!r}, which is a file, and another one in {context.environment!r}",
                hint="keep it in the database that dbt works in, or make it in production",
            )
        if len(there) > 1:
            raise RequestError(
                f"{context.key} reads {asset!r}, of which only some partitions were made in {context.environment!r}",
                hint=f"make all of them there: batuta materialize {asset} --env {context.environment}",
            )

    # ---- tables ----

    def relation(self, node: Any) -> Any:
        """The table or view of a node, as dbt names it."""
        return self._adapter.Relation.create_from(self._config, node)

    def begin(self, node: Any, production: Any) -> None:
        """Let an accumulating node of an environment begin with what production has. Within `within`."""
        if node.config.materialized not in ACCUMULATING:
            return
        own = self.relation(node)
        with self._adapter.connection_named("batuta"):
            there = self._known(production)
            if there is None or self._known(own) is not None:
                return
            self._adapter.execute(f"create table {own} as select * from {there}", auto_begin=True)
            self._adapter.commit_if_has_connection()
            self._adapter.cache_added(own.incorporate(type="table"))

    def clear(self, node: Any) -> None:
        """Drop what a node has made in the environment. Within `within`."""
        with self._adapter.connection_named("batuta"):
            there = self._known(self.relation(node))
            if there is not None:
                connections = self._adapter.connections
                if not connections.get_thread_connection().transaction_open:  # to look it up may have begun one
                    connections.begin()
                self._adapter.drop_relation(there)
                self._adapter.commit_if_has_connection()

    def _known(self, relation: Any) -> Any:
        return self._adapter.get_relation(relation.database, relation.schema, relation.identifier)
