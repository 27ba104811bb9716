"""Partitions for users: `partitions.daily("2025-01-01")`, and the mappings between them."""

from __future__ import annotations

from batuta.core.partition_mapping import (
    AllPartitions,
    Identity,
    LastPartition,
    MultiMapping,
    MultiToSingle,
    PartitionMapping,
    SpecificPartitions,
    StaticMapping,
    TimeWindow,
)
from batuta.core.partitions import (
    DynamicPartitions,
    MultiPartitions,
    Partitions,
    StaticPartitions,
    TimePartitions,
    daily,
    dynamic,
    hourly,
    join_key,
    monthly,
    multi,
    split_key,
    static,
    weekly,
)

__all__ = [
    "AllPartitions",
    "DynamicPartitions",
    "Identity",
    "LastPartition",
    "MultiMapping",
    "MultiPartitions",
    "MultiToSingle",
    "PartitionMapping",
    "Partitions",
    "SpecificPartitions",
    "StaticMapping",
    "StaticPartitions",
    "TimePartitions",
    "TimeWindow",
    "daily",
    "dynamic",
    "hourly",
    "join_key",
    "monthly",
    "multi",
    "split_key",
    "static",
    "weekly",
]
