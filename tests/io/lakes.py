"""What the tests of Delta and Iceberg tables share."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa
from deltalake import write_deltalake

from batuta.io import (
    DeltaIO,
    IcebergIO,
    InputContext,
    OutputContext,
    Stored,
)
from batuta.io.lake import LakeIO

FORMATS: dict[str, type[DeltaIO] | type[IcebergIO]] = {"delta": DeltaIO, "iceberg": IcebergIO}


def out(asset: str = "gold.revenue", *partitions: str, run: int = 7) -> OutputContext:
    return OutputContext(asset=asset, partitions=partitions, run_id=str(run), attempt=f"{run}.x.1")


def as_of(version: str, asset: str = "gold.revenue", *partitions: str, annotation: Any = None) -> InputContext:
    return InputContext(
        asset=asset, partitions=partitions, partitioned=bool(partitions), annotation=annotation, version=version
    )


def version_of(stored: Stored) -> str:
    return str(stored.metadata["table_version"])


def n(*values: int) -> pl.DataFrame:
    return pl.DataFrame({"n": values}, schema={"n": pl.Int64})


def sorted_n(io: LakeIO, *partitions: str, asset: str = "silver.x", version: str = "") -> list[int]:
    return sorted(io.load(as_of(version, asset, *partitions))["n"])


def append(io: LakeIO, table: pa.Table, asset: str = "silver.x") -> None:
    """As another program does."""
    if isinstance(io, IcebergIO):
        io.catalog.load_table(tuple(asset.split("."))).append(table)
    else:
        write_deltalake(io.place_of(asset), table, mode="append")
