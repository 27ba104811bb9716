"""All edges between the partitions of two assets at once, in time linear in the keys and in the edges there are.

Surprising rule: edges are between the keys that are given (those of a run), whether they exist at `now` or not; only
`LastPartition` looks at `now`, since the last one of a run need not be the last there is.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import product

import msgspec

from batuta.core.partition_keys import NO_KEYS, join_key, last_key, split_key
from batuta.core.partition_map_rules import Rule, resolve, time_sides
from batuta.core.partition_map_types import (
    AllPartitions,
    Identity,
    LastPartition,
    PartitionMapping,
    SpecificPartitions,
    StaticMapping,
    TimeWindow,
)
from batuta.core.partition_time import Cells, locate
from batuta.core.partition_types import DynamicKeys, MultiPartitions, Partitions


class Aligned(msgspec.Struct, frozen=True, tag_field="type", tag="aligned"):
    """Both sides have as many keys, and each downstream key needs the upstream key of the same index."""


class Every(msgspec.Struct, frozen=True, tag_field="type", tag="every"):
    """Each downstream key needs every upstream key."""


class Explicit(msgspec.Struct, frozen=True, tag_field="type", tag="explicit"):
    """`indices[d]`: the upstream indices that the d-th downstream key needs, ascending; may be none."""

    indices: tuple[tuple[int, ...], ...]


Edges = Aligned | Every | Explicit
Row = tuple[int, ...]
Columns = dict[str, list[str]]
"""Keys of several dimensions, split: the part of each key per dimension."""


def edges(
    mapping: PartitionMapping | None,
    upstream_def: Partitions | None,
    upstream_keys: Sequence[str],
    downstream_def: Partitions | None,
    downstream_keys: Sequence[str],
    now: datetime,
    dynamic_keys: DynamicKeys = NO_KEYS,
) -> Edges:
    """Which of `upstream_keys` each of `downstream_keys` needs, by index.

    A side that is not partitioned (definition None, no keys) is one task: upstream it gives `Every`, downstream
    `Every` or an `Explicit` of one row. Raises DefinitionError for a mapping that does not fit, PartitionError for a
    malformed key.
    """
    if upstream_def is None:
        return Every()
    resolved = resolve(mapping, upstream_def, downstream_def)
    if not isinstance(resolved, tuple):
        rows = _rows_of_whole(resolved, upstream_def, upstream_keys, downstream_def, downstream_keys)
    elif all(isinstance(rule.mapping, AllPartitions) for rule in resolved):
        return Every()
    elif upstream_keys == downstream_keys and _is_identity(resolved):
        return Aligned()
    else:
        count = 1 if downstream_def is None else len(downstream_keys)
        columns = _columns(downstream_def, downstream_keys)
        rows = _rows(
            resolved, _columns(upstream_def, upstream_keys), len(upstream_keys), columns, count, now, dynamic_keys
        )
    return _classified(rows, len(upstream_keys), both=downstream_def is not None)


def _is_identity(rules: tuple[Rule, ...]) -> bool:
    return all(isinstance(rule.mapping, Identity) and rule.upstream == rule.downstream for rule in rules)


def _columns(definition: Partitions | None, keys: Sequence[str]) -> Columns:
    if definition is None:
        return {}
    if not isinstance(definition, MultiPartitions):
        return {"": list(keys)}
    split = [split_key(key) for key in keys]
    return {name: [parts[name] for parts in split] for name in definition.dimensions}


def _classified(rows: list[Row], width: int, *, both: bool) -> Edges:
    if both and len(rows) == width and all(len(row) == 1 and row[0] == i for i, row in enumerate(rows)):
        return Aligned()
    return Every() if all(len(row) == width for row in rows) else Explicit(tuple(rows))


def _rows_of_whole(
    mapping: StaticMapping | SpecificPartitions,
    upstream_def: Partitions,
    upstream_keys: Sequence[str],
    downstream_def: Partitions | None,
    downstream_keys: Sequence[str],
) -> list[Row]:
    place = {key: i for i, key in enumerate(upstream_keys)}

    def row(wanted: Iterable[str]) -> Row:
        return tuple(sorted({place[key] for key in (canonical(upstream_def, each) for each in wanted) if key in place}))

    if isinstance(mapping, SpecificPartitions):
        return [row(mapping.keys)] * (1 if downstream_def is None else len(downstream_keys))
    by_key = {canonical(downstream_def, key): row(wanted) for key, wanted in mapping.keys.items()}
    return [by_key.get(key, ()) for key in downstream_keys]


def canonical(definition: Partitions | None, key: str) -> str:
    """The key with its dimensions by name, as it is stored."""
    return join_key(split_key(key)) if isinstance(definition, MultiPartitions) else key


def _rows(
    rules: tuple[Rule, ...],
    upstream: Columns,
    upstream_count: int,
    downstream: Columns,
    downstream_count: int,
    now: datetime,
    dynamic_keys: DynamicKeys,
) -> list[Row]:
    """One row per downstream key: upstream keys, grouped by the dimensions that downstream decides, are looked up."""
    bound = [rule for rule in rules if rule.downstream_def is not None]
    groups = _grouped(upstream, upstream_count, bound, _chosen(rules, now, dynamic_keys))
    needed = [_needed(rule, upstream[rule.upstream], downstream[rule.downstream]) for rule in bound]
    sources = [downstream[rule.downstream] for rule in bound]
    known: dict[tuple[str, ...], Row] = {}
    rows: list[Row] = []
    for own in zip(*sources, strict=True) if bound else ((),) * downstream_count:
        row = known.get(own)
        if row is None:
            wanted = [lists.get(part, ()) for lists, part in zip(needed, own, strict=True)]
            found = [i for combination in product(*wanted) for i in groups.get(combination, ())]
            row = known[own] = tuple(sorted(found))
        rows.append(row)
    return rows


def _chosen(rules: tuple[Rule, ...], now: datetime, dynamic_keys: DynamicKeys) -> dict[str, set[str]]:
    """The keys to which a rule restricts an upstream dimension for all of downstream alike."""
    chosen: dict[str, set[str]] = {}
    for rule in rules:
        if isinstance(rule.mapping, LastPartition):
            last = last_key(rule.upstream_def, now, dynamic_keys)
            chosen[rule.upstream] = {last} if last is not None else set()
        elif isinstance(rule.mapping, SpecificPartitions):
            chosen[rule.upstream] = set(rule.mapping.keys)
    return chosen


def _grouped(
    upstream: Columns, count: int, bound: list[Rule], chosen: dict[str, set[str]]
) -> dict[tuple[str, ...], list[int]]:
    """Upstream indices by the parts that `bound` rules look at, without those that `chosen` leaves out."""
    indices: Iterable[int] = range(count)
    for name, allowed in chosen.items():
        column = upstream[name]
        indices = [i for i in indices if column[i] in allowed]
    if not bound:
        return {(): list(indices)}
    columns = [upstream[rule.upstream] for rule in bound]
    groups: dict[tuple[str, ...], list[int]] = {}
    for i in indices:
        groups.setdefault(tuple(column[i] for column in columns), []).append(i)
    return groups


def _needed(rule: Rule, upstream: list[str], downstream: list[str]) -> dict[str, Sequence[str]]:
    """The upstream parts, of those that there are, that each downstream part needs."""
    have, asked = dict.fromkeys(upstream), dict.fromkeys(downstream)
    match rule.mapping:
        case StaticMapping(keys=keys):
            return {key: [up for up in dict.fromkeys(keys.get(key, ())) if up in have] for key in asked}
        case TimeWindow():
            return _overlapping(rule.mapping, rule, list(have), list(asked))
        case _:
            return {key: (key,) for key in asked if key in have}


def _overlapping(
    mapping: TimeWindow, rule: Rule, upstream: list[str], downstream: list[str]
) -> dict[str, Sequence[str]]:
    upstream_def, downstream_def = time_sides(rule)
    stretch, places = locate(upstream_def, upstream)
    places = sorted(places)
    starts = [stretch.bounds[place] for place in places]
    ends = [stretch.bounds[place + 1] for place in places]
    ordered = [stretch.keys[place] for place in places]
    own, own_places = locate(downstream_def, downstream, *margins(mapping))
    needed: dict[str, Sequence[str]] = {}
    for key, place in zip(downstream, own_places, strict=True):
        low, high = moved(own, place, mapping)
        needed[key] = ordered[bisect_right(ends, low) : bisect_left(starts, high)]
    return needed


def margins(mapping: TimeWindow) -> tuple[int, int]:
    """How many windows before and after its own a downstream partition reaches."""
    return max(-mapping.start_offset, -mapping.end_offset, 0), max(mapping.start_offset, mapping.end_offset, 0)


def moved(stretch: Cells, place: int, mapping: TimeWindow) -> tuple[int, int]:
    """Begin and end of the window at `place` after the mapping's offsets moved them."""
    low = max(place + mapping.start_offset, 0)
    high = max(place + 1 + mapping.end_offset, 0)
    return stretch.bounds[low], stretch.bounds[high]
