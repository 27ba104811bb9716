"""What asset and check functions are declared with and return: inputs, outputs, results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from batuta.core.partition_mapping import PartitionMapping

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AssetIn:
    """An upstream asset: its key (or the asset object), which partitions of it, and whether its value is loaded.

    `loads=False`: order and lineage only; the parameter, where there is one, gets None.
    """

    key: Any
    mapping: PartitionMapping | None = None
    loads: bool = True


class AssetOut(msgspec.Struct, frozen=True, gc=False):
    """One asset of a `multi_asset`. `key` empty: the name in `outs`. `deps` None: all that the function depends on."""

    key: str = ""
    deps: Sequence[Any] | None = None
    layer: str = ""
    group: str = ""
    description: str = ""
    owners: Sequence[str] = ()
    kinds: Sequence[str] = ()
    tags: Mapping[str, str] | Sequence[str] = ()
    metadata: Mapping[str, Any] | None = None
    code_version: str = ""
    io_manager: Any = None
    annotation: Any = None
    automation: Any = None
    freshness: Any = None
    column_lineage: Any = None
    schema: Any = None
    evolution: str = "exact"
    checks: Sequence[Any] = ()


@dataclass(slots=True)
class Output(Generic[T]):
    """A value to be stored, with metadata. `name` is which of a multi-asset's outs it is.

    `data_version`: what the data count as; by default the hash that the IO manager makes of what it stored.
    `column_lineage`: what its columns were made from, see `asset`.
    """

    value: T
    name: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    data_version: str = ""
    column_lineage: Any = None


@dataclass(slots=True)
class MaterializeResult:
    """Returned by an asset that has written its data by itself: nothing is stored, the asset counts as made.

    Without a `data_version` the data count as new each time. `name` is which of a multi-asset's outs it is.
    `column_lineage`: what its columns were made from, see `asset`.
    """

    name: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    data_version: str = ""
    column_lineage: Any = None


@dataclass(slots=True)
class CheckResult:
    """The verdict of a check, with what it found."""

    passed: bool
    metadata: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
