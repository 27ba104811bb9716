"""The IO manager of assets that name none: Parquet for tables, pickle for everything else, below one folder.

Surprising rule: which of the two holds an asset is decided by its value each time it is stored; the other's file, of a
time when the asset was something else, is removed afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from batuta.io import frames
from batuta.io.base import InputContext, IOManager, OutputContext, Stored, split_partitions
from batuta.io.file_io import FileIO, nothing
from batuta.io.parquet import ParquetIO
from batuta.io.values import PickleIO

if TYPE_CHECKING:
    from batuta.io.scan import Scan


class DefaultIO(IOManager):
    """See the module. `base_path` is a folder or an fsspec URL."""

    def __init__(self, base_path: str | os.PathLike[str]) -> None:
        self._tables = ParquetIO(base_path)
        self._values = PickleIO(base_path)
        self.base_path = os.fspath(base_path)

    def __repr__(self) -> str:
        return f"DefaultIO({self.base_path!r})"

    def store(self, context: OutputContext, value: Any) -> Stored:
        sample = value
        if len(context.partitions) > 1:
            parts = split_partitions(context, value)
            sample = next(iter(parts.values()))
        is_table = frames.kind_of(sample) not in (None, "rows")
        to, other = (self._tables, self._values) if is_table else (self._values, self._tables)
        stored = to.store(context, value)
        other.delete(context)
        return stored

    def load(self, context: InputContext) -> Any:
        if context.partitioned and not context.partitions:
            return nothing(frames.wants(context.annotation))
        asked = OutputContext(asset=context.asset, partitions=context.partitions[:1])
        return (self._values if self._values.exists(asked) else self._tables).load(context)

    @contextmanager
    def scan(self, context: InputContext) -> Iterator[Scan]:
        asked = OutputContext(asset=context.asset, partitions=context.partitions[:1])
        with (self._values if self._values.exists(asked) else self._tables).scan(context) as found:
            yield found

    def copy(self, source: OutputContext, target: OutputContext) -> Stored:
        holder = self._holder(OutputContext(asset=source.asset, partitions=source.partitions[:1]))
        stored = holder.copy(source, target)
        (self._tables if holder is self._values else self._values).delete(target)
        return stored

    def exists(self, context: OutputContext) -> bool:
        return self._holder(context).exists(context)

    def delete(self, context: OutputContext) -> None:
        self._tables.delete(context)
        self._values.delete(context)

    def version(self, context: OutputContext) -> str | None:
        return self._holder(context).version(context)

    def _holder(self, context: OutputContext) -> FileIO:
        return self._values if self._values.exists(context) else self._tables
