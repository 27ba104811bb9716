"""IO managers that keep one file per asset and partition.

Layout: `<base>/gold/revenue.parquet`, or `<base>/silver/rates/2026-01-01.parquet` for a partition. A partition key that
does not start with a digit is written `@EUR.parquet`: it can never be the file of another asset, `silver.rates.EUR`.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from batuta.core.errors import DefinitionError, ResultError
from batuta.io import frames, ports
from batuta.io.base import InputContext, IOManager, OutputContext, Stored, combine, missing, split_partitions
from batuta.io.files import Files, escape, hash_bytes, hash_file, open_files
from batuta.io.frames import Columns, Wanted, wants

Source = str | io.BytesIO
"""A local path, or the content of a remote file."""


class Written(NamedTuple):
    """What a manager knows of the file it wrote."""

    rows: int | None = None
    columns: Columns | None = None


def file_name(asset: str, partition: str | None, extension: str) -> str:
    """The path under the base: one to one, and never outside it whatever the key holds."""
    *folders, leaf = asset.split(".")
    parts = [escape(folder) for folder in folders]
    if partition is None:
        name = escape(leaf)
        parts.append(f"%{ord(name[0]):02X}{name[1:]}" if name[0].isdigit() else name)
    else:
        key = escape(partition)
        parts += [escape(leaf), key if key[0].isdigit() else f"@{key}"]
    return "/".join(parts) + extension


class FileIO(IOManager):
    """Base of managers with one file per asset and partition: a subclass says how a file is written and read.

    `base_path` is a local directory or an fsspec URL (`s3://bucket/lake`), `storage_options` what fsspec needs for it.
    `connection` is the name of one that says both; it is looked up where data are first read or written, and
    `base_path` is then a folder in it.
    """

    extension = ""

    def __init__(
        self,
        base_path: str | os.PathLike[str] = "",
        *,
        storage_options: Mapping[str, Any] | None = None,
        connection: Any = None,
    ) -> None:
        if not os.fspath(base_path) and connection is None:
            hint = "give a folder, an fsspec URL, or connection="
            raise DefinitionError(f"{type(self).__name__} is not told where to keep data", hint=hint)
        self._place = (os.fspath(base_path), dict(storage_options or {}), connection)
        if connection is None:
            self.files = open_files(base_path, storage_options)

    @cached_property
    def files(self) -> Files:
        """Where data are kept."""
        base, options, connection = self._place
        known = ports.connection_of(connection)
        path = "/".join(part for part in (known.path.rstrip("/"), base.strip("/")) if part)
        return open_files(path, {**known.storage_options, **options} if "://" in path else None)

    def __repr__(self) -> str:
        base, _, connection = self._place
        if connection is None:
            return f"{type(self).__name__}({self.files.base!r})"
        return f"{type(self).__name__}({base!r}, connection={connection!r})"

    def __getstate__(self) -> dict[str, Any]:
        """Without what was looked up: whoever gets it looks it up again."""
        state = dict(self.__dict__)
        if self._place[2] is not None:
            state.pop("files", None)
        return state

    def write(self, path: str, value: Any, context: OutputContext) -> Written:
        """Write one value to a local path."""
        raise NotImplementedError

    def read(self, sources: dict[str, Source], context: InputContext) -> Any:
        """One value of the files of all partitions asked for (the key is '' for an unpartitioned asset)."""
        raise NotImplementedError

    def store(self, context: OutputContext, value: Any) -> Stored:
        if len(context.partitions) < 2:
            return self._store_one(context, value, context.partitions[0] if context.partitions else "")
        values = split_partitions(context, value)
        parts = {key: self._store_one(context, one, key) for key, one in values.items()}
        return combine(os.path.dirname(next(iter(parts.values())).path), parts)

    def _store_one(self, context: OutputContext, value: Any, key: str) -> Stored:
        name = self._name(context.asset, key)
        with self.files.replacing(name) as draft:
            written = self.write(draft, value, context)
            size, version = hash_file(draft)
        return Stored(
            path=self.files.url(name), rows=written.rows, bytes=size, columns=written.columns, data_version=version
        )

    def load(self, context: InputContext) -> Any:
        wanted = wants(context.annotation)
        if context.partitioned and not context.partitions:
            return nothing(wanted)
        names = {key: self._name(context.asset, key) for key in context.partitions or ("",)}
        sources = self._sources(names, context)
        return self._paths(sources, context, wanted) if wanted.kind == "path" else self.read(sources, context)

    def _sources(self, names: dict[str, str], context: InputContext) -> dict[str, Source]:
        sources: dict[str, Source] = {}
        absent = []
        for key, name in names.items():
            local = self.files.local_path(name)
            try:
                if local is None:
                    sources[key] = io.BytesIO(self.files.read(name))
                elif os.path.isfile(local):
                    sources[key] = local
                else:
                    absent.append(key)
            except FileNotFoundError:
                absent.append(key)
        if absent:
            place = self.files.url(names[absent[0]])
            raise missing(context.asset, [key for key in absent if key], context.downstream, place)
        return sources

    def _paths(self, sources: dict[str, Source], context: InputContext, wanted: Wanted) -> Any:
        paths = {key: Path(source) for key, source in sources.items() if isinstance(source, str)}
        if len(paths) < len(sources):
            raise DefinitionError(
                f"'{context.downstream}' wants asset '{context.asset}' as a Path, but it is kept at {self.files.base}",
                hint="annotate the parameter with a frame, list or dict, or keep the asset on local disk",
            )
        if wanted.by_partition:
            return paths
        return next(iter(paths.values())) if len(paths) == 1 and not wanted.many else list(paths.values())

    def copy(self, source: OutputContext, target: OutputContext) -> Stored:
        """File by file as they are: all are there before the first takes its place."""
        parts: dict[str, Stored] = {}
        with ExitStack() as stack:
            for key in source.partitions or ("",):
                name = self._name(target.asset, key)
                draft = stack.enter_context(self.files.replacing(name))
                try:
                    data = self.files.read(self._name(source.asset, key))
                except FileNotFoundError:
                    place = self.files.url(self._name(source.asset, key))
                    raise missing(source.asset, [key] if key else [], target.asset, place) from None
                Path(draft).write_bytes(data)
                parts[key] = Stored(path=self.files.url(name), bytes=len(data), data_version=hash_bytes(data))
        return parts[""] if "" in parts else combine(os.path.dirname(next(iter(parts.values())).path), parts)

    def exists(self, context: OutputContext) -> bool:
        return all(self.files.exists(self._name(context.asset, key)) for key in context.partitions or ("",))

    def delete(self, context: OutputContext) -> None:
        for key in context.partitions or ("",):
            self.files.delete(self._name(context.asset, key))

    def version(self, context: OutputContext) -> str | None:
        try:
            parts = {
                key: Stored(data_version=hash_bytes(self.files.read(self._name(context.asset, key))))
                for key in context.partitions or ("",)
            }
        except FileNotFoundError:
            return None
        return next(iter(parts.values())).data_version if len(parts) == 1 else combine("", parts).data_version

    def _name(self, asset: str, key: str) -> str:
        return file_name(asset, key or None, self.extension)


def nothing(wanted: Wanted) -> Any:
    """What a consumer gets where the partition mapping gives it no upstream partition."""
    return {} if wanted.mapping else [] if wanted.kind == "rows" or wanted.many else None


def wants_frame(context: InputContext, manager: IOManager) -> Wanted:
    """What a consumer wants of a table that is in no file; where it says nothing, the default frame."""
    wanted = wants(context.annotation)
    if wanted.kind == "path":
        raise DefinitionError(
            f"'{context.downstream}' wants asset '{context.asset}' as a Path, but it is a table in {manager!r}",
            hint="annotate the parameter with a frame type",
        )
    return wanted._replace(kind=frames.default_kind()) if wanted.kind == "any" else wanted


def by_partition(values: dict[str, Any], annotation: Any) -> Any:
    """How values that are no tables are handed over: one as it is, several in a dict by partition key.

    Several for a consumer of a list are one list: the items of all, or the values where they are no lists.
    """
    if len(values) == 1:
        return next(iter(values.values()))
    if wants(annotation).kind != "rows":
        return values
    if all(isinstance(value, list) for value in values.values()):
        return [item for value in values.values() for item in value]
    return list(values.values())


def unreadable(place: str, format_name: str, error: Exception) -> ResultError:
    """The error for a file that is damaged or was written by something else."""
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return ResultError(
        f"{place} cannot be read as {format_name}: {reason}",
        hint="it is damaged or not ours: materialize the asset again",
    )
