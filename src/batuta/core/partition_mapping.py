"""Partition mappings: which upstream partitions a downstream partition needs, and the other way round.

What other layers import; the parts are in `partition_map_*`. For all keys of a run at once use `edges`.
Surprising rule: upstream partitions that do not exist (before the start, or not ended yet) are left out;
`needed` tells which ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import product
from typing import NamedTuple

from batuta.core import partition_time
from batuta.core.errors import PartitionError
from batuta.core.partition_keys import (
    NO_KEYS,
    check_dimensions,
    contains,
    join_key,
    keys,
    last_key,
    split_key,
)
from batuta.core.partition_map_edges import Aligned, Edges, Every, Explicit, canonical, edges, margins, moved
from batuta.core.partition_map_rules import Rule, resolve, time_sides, validate_mapping
from batuta.core.partition_map_types import (
    AllPartitions,
    Identity,
    LastPartition,
    MultiMapping,
    MultiToSingle,
    PartitionMapping,
    SingleMapping,
    SpecificPartitions,
    StaticMapping,
    TimeWindow,
)
from batuta.core.partition_types import (
    DynamicKeys,
    MultiPartitions,
    Partitions,
    SinglePartitions,
    TimePartitions,
)
from batuta.core.timezones import to_seconds

__all__ = [
    "Aligned",
    "AllPartitions",
    "Edges",
    "Every",
    "Explicit",
    "Identity",
    "LastPartition",
    "MultiMapping",
    "MultiToSingle",
    "Needed",
    "PartitionMapping",
    "SingleMapping",
    "SpecificPartitions",
    "StaticMapping",
    "TimeWindow",
    "downstream_keys",
    "edges",
    "needed",
    "upstream_keys",
    "validate_mapping",
]


class Needed(NamedTuple):
    """The upstream partitions that a mapping asks for: those that exist, and those that do not."""

    keys: list[str]
    missing: list[str]


def upstream_keys(
    mapping: PartitionMapping | None,
    upstream_def: Partitions | None,
    downstream_def: Partitions | None,
    downstream_key: str | None,
    now: datetime,
    dynamic_keys: DynamicKeys = NO_KEYS,
) -> list[str]:
    """The existing upstream partitions that `downstream_key` (None: not partitioned) needs; see `needed`."""
    return needed(mapping, upstream_def, downstream_def, downstream_key, now, dynamic_keys).keys


def needed(
    mapping: PartitionMapping | None,
    upstream_def: Partitions | None,
    downstream_def: Partitions | None,
    downstream_key: str | None,
    now: datetime,
    dynamic_keys: DynamicKeys = NO_KEYS,
) -> Needed:
    """What `downstream_key` needs upstream; nothing where upstream is not partitioned (`upstream_def` is None).

    Raises DefinitionError for a mapping that does not fit, PartitionError for a malformed key.
    """
    if upstream_def is None:
        return Needed([], [])
    own = _parts(downstream_def, downstream_key)
    resolved = resolve(mapping, upstream_def, downstream_def)
    if isinstance(resolved, SpecificPartitions):
        return _split(upstream_def, resolved.keys, now, dynamic_keys)
    if isinstance(resolved, StaticMapping):
        asked = canonical(downstream_def, downstream_key or "")
        wanted = [ups for key, ups in resolved.keys.items() if canonical(downstream_def, key) == asked]
        return _split(upstream_def, wanted[0] if wanted else (), now, dynamic_keys)
    per_rule = [_needed_by(rule, own.get(rule.downstream, ""), now, dynamic_keys) for rule in resolved]
    if not isinstance(upstream_def, MultiPartitions):
        return per_rule[0]
    names = [rule.upstream for rule in resolved]
    found = _joined(names, [each.keys for each in per_rule])
    if not any(each.missing for each in per_rule):
        return Needed(found, [])
    exists = set(found)
    wanted_all = _joined(names, [[*each.missing, *each.keys] for each in per_rule])
    return Needed(found, [key for key in wanted_all if key not in exists])


def _parts(definition: Partitions | None, key: str | None) -> dict[str, str]:
    """The key by dimension ("" for a plain one), its form checked."""
    if definition is None:
        return {}
    if key is None:
        raise PartitionError("a partition key is needed, as the definition is partitioned")
    if isinstance(definition, MultiPartitions):
        parts = split_key(key)
        check_dimensions(definition, parts, key, None)
        singles: dict[str, SinglePartitions] = definition.dimensions
    else:
        parts, singles = {"": key}, {"": definition}
    for name, part in parts.items():
        single = singles[name]
        if isinstance(single, TimePartitions):
            partition_time.find(single, part)
    return parts


def _joined(names: Sequence[str], parts: Sequence[Sequence[str]]) -> list[str]:
    return [join_key(dict(zip(names, each, strict=True))) for each in product(*parts)]


def _split(definition: Partitions, wanted: Iterable[str], now: datetime, dynamic_keys: DynamicKeys) -> Needed:
    """`wanted`, each once, by whether it exists."""
    result = Needed([], [])
    for key in dict.fromkeys(canonical(definition, each) for each in wanted):
        (result.keys if contains(definition, key, now, dynamic_keys) else result.missing).append(key)
    return result


def _needed_by(rule: Rule, part: str, now: datetime, dynamic_keys: DynamicKeys) -> Needed:
    match rule.mapping:
        case AllPartitions():
            return Needed(keys(rule.upstream_def, now, dynamic_keys), [])
        case LastPartition():
            last = last_key(rule.upstream_def, now, dynamic_keys)
            return Needed([] if last is None else [last], [])
        case SpecificPartitions(keys=wanted):
            return _split(rule.upstream_def, wanted, now, dynamic_keys)
        case StaticMapping(keys=by_key):
            return _split(rule.upstream_def, by_key.get(part, ()), now, dynamic_keys)
        case Identity():
            return _split(rule.upstream_def, (part,), now, dynamic_keys)
        case TimeWindow():
            return _needed_by_window(rule.mapping, rule, part, now)


def _needed_by_window(mapping: TimeWindow, rule: Rule, part: str, now: datetime) -> Needed:
    upstream, downstream = time_sides(rule)
    stretch, places = partition_time.locate(downstream, [part], *margins(mapping))
    wanted = partition_time.cells(upstream, *moved(stretch, places[0], mapping))
    low, high = partition_time.extent(upstream, to_seconds(now))
    result = Needed([], [])
    for i, key in enumerate(wanted.keys):
        inside = low <= wanted.bounds[i] and wanted.bounds[i + 1] <= high
        (result.keys if inside else result.missing).append(key)
    return result


def downstream_keys(
    mapping: PartitionMapping | None,
    upstream_def: Partitions | None,
    downstream_def: Partitions | None,
    upstream_key: str | None,
    now: datetime,
    dynamic_keys: DynamicKeys = NO_KEYS,
) -> list[str]:
    """The existing downstream partitions that need `upstream_key` (None: not partitioned), in order.

    Nothing where downstream is not partitioned, or where the upstream partition does not exist.
    """
    if downstream_def is None:
        return []
    if upstream_def is None:
        return keys(downstream_def, now, dynamic_keys)
    own = _parts(upstream_def, upstream_key)
    upstream_key = canonical(upstream_def, upstream_key or "")
    if not contains(upstream_def, upstream_key, now, dynamic_keys):
        return []
    resolved = resolve(mapping, upstream_def, downstream_def)
    if isinstance(resolved, SpecificPartitions | StaticMapping):
        return _needing_whole(resolved, upstream_def, downstream_def, upstream_key, now, dynamic_keys)
    allowed: dict[str, list[str]] = {}
    for rule in resolved:
        if rule.downstream_def is None:
            if own[rule.upstream] not in _needed_by(rule, "", now, dynamic_keys).keys:
                return []
            continue
        parts = _needing(rule, own[rule.upstream], now, dynamic_keys)
        before = allowed.get(rule.downstream)
        allowed[rule.downstream] = parts if before is None else [part for part in before if part in set(parts)]
    if not isinstance(downstream_def, MultiPartitions):
        return allowed[""] if "" in allowed else keys(downstream_def, now, dynamic_keys)
    names = sorted(downstream_def.dimensions)
    every = {n: keys(downstream_def.dimensions[n], now, dynamic_keys) for n in names if n not in allowed}
    return _joined(names, [allowed[name] if name in allowed else every[name] for name in names])


def _needing_whole(
    mapping: SpecificPartitions | StaticMapping,
    upstream_def: Partitions,
    downstream_def: Partitions,
    upstream_key: str,
    now: datetime,
    dynamic_keys: DynamicKeys,
) -> list[str]:
    existing = keys(downstream_def, now, dynamic_keys)
    if isinstance(mapping, SpecificPartitions):
        return existing if upstream_key in {canonical(upstream_def, key) for key in mapping.keys} else []
    needing = {
        canonical(downstream_def, key)
        for key, wanted in mapping.keys.items()
        if upstream_key in {canonical(upstream_def, each) for each in wanted}
    }
    return [key for key in existing if key in needing]


def _needing(rule: Rule, part: str, now: datetime, dynamic_keys: DynamicKeys) -> list[str]:
    """The existing keys of the rule's downstream dimension that need `part`, in order."""
    if rule.downstream_def is None:
        return []
    match rule.mapping:
        case TimeWindow():
            return _needing_window(rule.mapping, rule, part, now)
        case StaticMapping(keys=by_key):
            needing = {key for key, wanted in by_key.items() if part in wanted}
            return [key for key in keys(rule.downstream_def, now, dynamic_keys) if key in needing]
        case _:
            return [part] if contains(rule.downstream_def, part, now, dynamic_keys) else []


def _needing_window(mapping: TimeWindow, rule: Rule, part: str, now: datetime) -> list[str]:
    upstream, downstream = time_sides(rule)
    touched = partition_time.cells(downstream, *partition_time.find(upstream, part)).bounds
    low = partition_time.shift(downstream, touched[0], -mapping.end_offset)
    high = partition_time.shift(downstream, touched[-1], -mapping.start_offset)
    first, last = partition_time.extent(downstream, to_seconds(now))
    low, high = max(low, first), min(high, last)
    return partition_time.cells(downstream, low, high).keys if low < high else []
