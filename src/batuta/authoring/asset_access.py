"""Assets in tasks, operators and flows: loading them, and saying what was made of them.

What a step loads is remembered with its data version, and becomes the inputs of whatever the step says it made: so
lineage and freshness run through jobs of every style.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from batuta.authoring.asset_definitions import key_of
from batuta.authoring.asset_places import load
from batuta.authoring.code import CachedResult
from batuta.authoring.context import StepContext
from batuta.authoring.options import Options
from batuta.core.errors import RequestError
from batuta.core.partitions import DynamicPartitions, MultiPartitions, Partitions, keys, select
from batuta.core.records import Loaded, Materialized

if TYPE_CHECKING:
    from batuta.authoring.asset_graph import AssetGraph

Choice = str | Sequence[str]


class AssetAccess:
    """The assets of a location as one step sees them. See `StepContext.load_asset`."""

    def __init__(self, graph: AssetGraph, context: StepContext) -> None:
        self._graph = graph
        self._context = context

    def load(self, asset: Any, as_: Any, partitions: Choice | None) -> Any:
        """The value of an asset; notes the data versions that were read."""
        key = key_of(asset)
        self._graph.out_of(key)
        definition = self._graph.partitions_of_key(key)
        chosen = self._chosen(key, definition, partitions)
        versions, places = self._versions(key, chosen)
        if partitions is None and chosen is not None:
            chosen = [one for one in chosen if versions[one]]
        self._context.reads.update(
            {f"{key}/{one}" if one else key: version for one, version in versions.items() if version}
        )
        self._context.records.append(Loaded(key, 1 if chosen is None else len(chosen)))
        return load(self._graph, key, chosen, as_, self._context.key, places)

    def _chosen(self, key: str, definition: Partitions | None, partitions: Choice | None) -> list[str] | None:
        if definition is None:
            if partitions is not None:
                raise RequestError(f"asset {key!r} has no partitions", hint="leave partitions= out")
            return None
        names = _dynamic_names(definition)
        dynamic = {name: self._context.dynamic_partitions(name) for name in names}
        now = datetime.fromtimestamp(time.time(), UTC)
        if partitions is None:
            return keys(definition, now, dynamic)
        return select(definition, partitions, now, dynamic, f"asset {key!r}")

    def _versions(self, key: str, chosen: list[str] | None) -> tuple[dict[str, str], dict[str, str]]:
        """The data version of each partition, and in which environment it is."""
        wanted = [[key, one] for one in (("",) if chosen is None else chosen)]
        answer = self._context.ask("asset_versions", wanted=wanted)
        versions = {one: version for (_, one), version in zip(wanted, answer["versions"], strict=True)}
        places = {one: place for (_, one), place in zip(wanted, answer.get("environments", ()), strict=False)}
        return versions, places


def _dynamic_names(definition: Partitions) -> list[str]:
    parts = definition.dimensions.values() if isinstance(definition, MultiPartitions) else (definition,)
    return [part.name for part in parts if isinstance(part, DynamicPartitions)]


def report_written(value: Any, options: Options, context: StepContext, code_version: str) -> Any:
    """Tell of each asset that a task says it `writes` and has not told of itself; complete what it told of the others.

    Returns `value`.
    """
    if isinstance(value, CachedResult):
        return value
    told = {record.asset: record for record in context.records if isinstance(record, Materialized)}
    for asset in options.writes:
        if asset not in told:
            context.materialized(asset)
    declared = _versions_declared(options.reads, context)
    for record in context.records:
        if isinstance(record, Materialized) and record.asset in options.writes:
            record.inputs = {**declared, **record.inputs}
            record.code_version = record.code_version or code_version
    return value


def _versions_declared(reads: Sequence[str], context: StepContext) -> dict[str, str]:
    reads = [asset for asset in reads if not any(label.partition("/")[0] == asset for label in context.reads)]
    if not reads or context.talk is None:
        return {}
    found = context.ask("asset_versions", wanted=[[asset, context.partition] for asset in reads])
    return {asset: version for asset, version in zip(reads, found["versions"], strict=True) if version}
