"""The heat map of an asset's partitions: never more cells than asked for, however many partitions there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from batuta.core.definitions import AssetSpec
from batuta.core.partitions import MultiPartitions, split_key
from batuta.server.asset_states import AssetStates
from batuta.server.shapes.assets import PartitionCell, PartitionMap

FAILED = "failed"
"""A partition of which a check did not pass, whatever else it is."""


def partition_map(found: AssetStates, spec: AssetSpec, cells_max: int) -> PartitionMap:
    """Partitions in their order, neighbours put together. Of two dimensions the second is the rows."""
    keys = found.partition_keys(spec)
    states = partition_states(found, spec, keys)
    total: dict[str, int] = {}
    for state in states.values():
        total[state] = total.get(state, 0) + 1
    dimensions = sorted(spec.partitions.dimensions) if isinstance(spec.partitions, MultiPartitions) else []
    if len(dimensions) != 2:
        rows = {"": keys}
        dimensions = []
    else:
        rows = {}
        small = _smaller(keys, dimensions)
        dimensions.sort(key=lambda name: name == small)
        for key in keys:
            rows.setdefault(split_key(key)[small], []).append(key)
    width = max(cells_max // max(len(rows), 1), 1)
    cells = [_cells(row, states, width) for row in rows.values()]
    return PartitionMap(total=len(keys), counts=total, rows=list(rows), cells=cells, dimensions=dimensions)


def partition_states(found: AssetStates, spec: AssetSpec, keys: Sequence[str]) -> dict[str, str]:
    """The state of each partition: fresh, stale, missing, or failed."""
    failed = found.failed_of.get(spec.key, {})
    states = {}
    for key in keys:
        one = found.freshness.get((spec.key, key))
        states[key] = FAILED if key in failed else "external" if one is None else one.state
    return states


def _smaller(keys: Sequence[str], dimensions: Sequence[str]) -> str:
    """The dimension with fewer keys."""
    seen: dict[str, set[str]] = {name: set() for name in dimensions}
    for key in keys:
        for name, part in split_key(key).items():
            seen[name].add(part)
    return min(dimensions, key=lambda name: len(seen[name]))


def _cells(keys: Sequence[str], states: Mapping[str, str], width: int) -> list[PartitionCell]:
    size = -(-len(keys) // width) if keys else 1
    cells = []
    for begin in range(0, len(keys), size):
        part = keys[begin : begin + size]
        counts: dict[str, int] = {}
        for key in part:
            counts[states[key]] = counts.get(states[key], 0) + 1
        cells.append(PartitionCell(first=part[0], last=part[-1], count=len(part), counts=counts))
    return cells
