"""How the partitions of a downstream asset depend on those of an upstream one, as plain records that survive JSON.

Surprising rule: every mapping is read from downstream: it answers "which upstream partitions does mine need?".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import force_setattr


class Identity(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="identity"):
    """The upstream partition of the same key."""


class AllPartitions(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="all"):
    """Every upstream partition."""


class LastPartition(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="last"):
    """The last upstream partition there is."""


class SpecificPartitions(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="specific"):
    """Always these upstream partitions."""

    keys: Sequence[str]

    def __post_init__(self) -> None:
        force_setattr(self, "keys", _as_tuple(self.keys))


class TimeWindow(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="time_window"):
    """The upstream partitions whose windows share a moment with mine, which may be of another cadence or zone.

    The offsets first move the start and the end of my window by so many of *my* partitions: `TimeWindow(-1, -1)` is the
    partition before, `TimeWindow(start_offset=-6)` with daily partitions the last seven days.
    """

    start_offset: int = 0
    end_offset: int = 0


class StaticMapping(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="static"):
    """The upstream keys of each downstream key; a key that is not listed depends on nothing."""

    keys: Mapping[str, Sequence[str]]

    def __post_init__(self) -> None:
        force_setattr(self, "keys", {key: _as_tuple(upstream) for key, upstream in self.keys.items()})


def _as_tuple(keys: Sequence[str]) -> tuple[str, ...]:
    return (keys,) if isinstance(keys, str) else tuple(keys)


SingleMapping = Identity | AllPartitions | LastPartition | SpecificPartitions | TimeWindow | StaticMapping
"""Mappings between definitions, or dimensions, of one dimension."""


class MultiToSingle(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="multi_to_single"):
    """One side has several dimensions, the other is like `dimension` of it; `mapping` is between these two.

    Upstream dimensions that are left over mean all of their keys.
    """

    dimension: str
    mapping: SingleMapping | None = None


class MultiMapping(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="multi"):
    """A mapping for each dimension of the upstream definition, by the upstream dimension's name.

    `renamed` gives the downstream dimension where it is called otherwise. A dimension not listed has the default: by
    the dimension of the same name, or all keys where downstream has none.
    """

    dimensions: dict[str, SingleMapping] = {}
    renamed: dict[str, str] = {}


PartitionMapping = (
    Identity
    | AllPartitions
    | LastPartition
    | SpecificPartitions
    | TimeWindow
    | StaticMapping
    | MultiToSingle
    | MultiMapping
)
