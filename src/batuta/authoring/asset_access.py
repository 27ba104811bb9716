"""Assets in tasks, operators and flows: loading them, and saying what was made of them.

What a step loads is remembered with its data version, and becomes the inputs of whatever the step says it made: so
lineage and freshness run through jobs of every style.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from batuta.authoring.asset_definitions import key_of
from batuta.authoring.asset_places import load
from batuta.authoring.code import CachedResult
from batuta.authoring.context import StepContext
from batuta.authoring.options import Options
from batuta.core.environments import stored_key
from batuta.core.errors import RequestError
from batuta.core.partitions import DynamicPartitions, MultiPartitions, Partitions, keys, select
from batuta.core.records import Loaded, Materialized
from batuta.io.base import InputContext
from batuta.io.versions import Tended, Upkeep, VersionedIO, versioned, written_by

if TYPE_CHECKING:
    from batuta.authoring.asset_graph import AssetGraph

Choice = str | Sequence[str]


class AssetAccess:
    """The assets of a location as one step sees them. See `StepContext.load_asset`."""

    def __init__(self, graph: AssetGraph, context: StepContext) -> None:
        self._graph = graph
        self._context = context

    def load(
        self,
        asset: Any,
        as_: Any,
        partitions: Choice | None,
        *,
        version: int | str | None = None,
        run: int | None = None,
    ) -> Any:
        """The value of an asset; notes the data versions that were read."""
        key = key_of(asset)
        self._graph.out_of(key)
        definition = self._graph.partitions_of_key(key)
        chosen = self._chosen(key, definition, partitions)
        if version is not None or run is not None:
            return self._load_as_of(key, chosen, as_, partitions, "" if version is None else str(version), run)
        versions, places = self._versions(key, chosen)
        if partitions is None and chosen is not None:
            chosen = [one for one in chosen if versions[one]]
        self._context.reads.update(
            {f"{key}/{one}" if one else key: version for one, version in versions.items() if version}
        )
        self._context.records.append(Loaded(key, 1 if chosen is None else len(chosen)))
        return load(self._graph, key, chosen, as_, self._context.key, places)

    def _load_as_of(
        self, key: str, chosen: list[str] | None, as_: Any, partitions: Choice | None, version: str, run: int | None
    ) -> Any:
        """As its table was in a version, or as a run left it; without `partitions` all that it had then."""
        manager = versioned(self._graph.io_of(key), key)
        if run is None:
            _, places = self._versions(key, chosen)
            stored = stored_key(key, next(filter(None, places.values()), ""))
        else:
            answer = self._context.ask("versions_written", asset=key, run=run)
            stored = stored_key(key, answer["environment"])
            found = written_by(manager, stored, run, answer["versions"])
            if version not in ("", found):
                raise RequestError(
                    f"run {run} wrote version {found} of {key!r}, not {version}", hint="name one of them"
                )
            version = found
        if chosen is not None and partitions is None:
            there = manager.partitions(stored, version)
            chosen = [one for one in chosen if one in there]
        self._context.records.append(Loaded(key, 1 if chosen is None else len(chosen)))
        return manager.load(
            InputContext(
                asset=stored,
                partitions=tuple(chosen or ()),
                partitioned=chosen is not None,
                annotation=as_,
                downstream=self._context.key,
                version=version,
            )
        )

    def tables(self, patterns: Sequence[str]) -> list[str]:
        """The assets of these keys and patterns whose tables have versions. Raises RequestError for a key without."""
        graph = self._graph
        known = [*graph.makers, *graph.quarantines]
        found = {key for key in known if isinstance(graph.io_of(key), VersionedIO)}
        for pattern in patterns:
            if not set("*?[") & set(pattern):
                graph.out_of(pattern)
                versioned(graph.io_of(pattern), pattern)
        return sorted(key for key in found if any(fnmatchcase(key, pattern) for pattern in patterns))

    def tend(self, key: str, upkeep: Upkeep) -> Tended | None:
        """Upkeep of the table of an asset where the run is: in its environment, or in production."""
        return versioned(self._graph.io_of(key), key).tend(stored_key(key, self._context.environment), upkeep)

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
