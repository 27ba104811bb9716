"""IO managers for values that need not be tables: in memory, pickled, as JSON."""

from __future__ import annotations

import io
import pickle
import secrets
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from batuta.core.errors import ResultError
from batuta.io import frames
from batuta.io.base import InputContext, IOManager, OutputContext, Stored, combine, describe, missing, split_partitions
from batuta.io.file_io import FileIO, Source, Written, by_partition, nothing, unreadable
from batuta.io.frames import wants
from batuta.io.pickling import pickle_value, type_name, unpickle


class MemoryIO(IOManager):
    """Keeps values in this object, for tests and for runs in one process. They are not copied: do not change them."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], tuple[Any, str]] = {}

    def store(self, context: OutputContext, value: Any) -> Stored:
        if len(context.partitions) < 2:
            return self._store_one(context.asset, context.partitions[0] if context.partitions else "", value)
        parts = {key: self._store_one(context.asset, key, one) for key, one in split_partitions(context, value).items()}
        return combine(f"memory:{context.asset}", parts)

    def _store_one(self, asset: str, key: str, value: Any) -> Stored:
        version = _memory_version(value)
        self._values[asset, key] = (value, version)
        kind = frames.kind_of(value)
        rows = len(value) if kind in ("polars", "pandas", "arrow", "rows") else None
        path = f"memory:{asset}/{key}" if key else f"memory:{asset}"
        return Stored(path=path, rows=rows, data_version=version)

    def load(self, context: InputContext) -> Any:
        wanted = wants(context.annotation)
        if context.partitioned and not context.partitions:
            return nothing(wanted)
        keys = context.partitions or ("",)
        if absent := [key for key in keys if (context.asset, key) not in self._values]:
            hint = (
                f"materialize '{context.asset}' in the same run and process: MemoryIO keeps values in one process only"
            )
            raise missing(context.asset, filter(None, absent), context.downstream, "memory", hint)
        values = {key: self._values[context.asset, key][0] for key in keys}
        return values if wanted.by_partition else by_partition(values, context.annotation)

    def exists(self, context: OutputContext) -> bool:
        return all((context.asset, key) in self._values for key in context.partitions or ("",))

    def delete(self, context: OutputContext) -> None:
        for key in context.partitions or ("",):
            self._values.pop((context.asset, key), None)

    def version(self, context: OutputContext) -> str | None:
        if not self.exists(context):
            return None
        parts = {key: Stored(data_version=self._values[context.asset, key][1]) for key in context.partitions or ("",)}
        return next(iter(parts.values())).data_version if len(parts) == 1 else combine("", parts).data_version


class _Hashing(io.RawIOBase):
    """A file that keeps nothing but the hash of what is written to it."""

    def __init__(self) -> None:
        self.digest = blake2b(digest_size=16)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.digest.update(data)
        return memoryview(data).nbytes


def _memory_version(value: Any) -> str:
    """The hash of the pickled value; a value that cannot be pickled is a new version each time."""
    file = _Hashing()
    try:
        pickle.dump(value, file, 5)
    except MemoryError:
        raise
    except Exception:
        return secrets.token_hex(16)
    return file.digest.hexdigest()


class PickleIO(FileIO):
    """Stores anything that pickle or cloudpickle takes. Several partitions load as a dict by partition key."""

    extension = ".pickle"

    def write(self, path: str, value: Any, context: OutputContext) -> Written:
        Path(path).write_bytes(pickle_value(value, f"asset '{context.asset}'")[1])
        return Written(rows=len(value) if isinstance(value, list) else None)

    def read(self, sources: dict[str, Source], context: InputContext) -> Any:
        values = {
            key: unpickle(_content(source), describe(context.asset, [key] if key else ()))
            for key, source in sources.items()
        }
        return values if wants(context.annotation).by_partition else by_partition(values, context.annotation)


class JSONIO(FileIO):
    """Stores plain data, dataclasses, msgspec Structs and pydantic models as JSON.

    Loads plain data, or the dataclass, Struct, model or frame that the consumer is annotated with.
    """

    extension = ".json"

    def write(self, path: str, value: Any, context: OutputContext) -> Written:
        try:
            data = msgspec.json.encode(value, enc_hook=_plain)
        except (TypeError, ValueError, RecursionError) as error:
            raise ResultError(
                f"{describe(context.asset, context.partitions)} cannot be written as JSON: {error}",
                hint="return numbers, text, dates, lists, dicts with text keys or models of those, or use PickleIO",
            ) from error
        Path(path).write_bytes(data)
        return Written(rows=len(value) if isinstance(value, list) else None)

    def read(self, sources: dict[str, Source], context: InputContext) -> Any:
        wanted = wants(context.annotation)
        if wanted.kind in ("any", "rows"):
            annotation = context.annotation if len(sources) == 1 else None
            values = {key: self._decode(source, annotation, context) for key, source in sources.items()}
            return values if wanted.by_partition else by_partition(values, context.annotation)
        tables = {key: self._decode(source, list[dict[str, Any]], context) for key, source in sources.items()}
        if wanted.by_partition:
            return {key: frames.convert_rows(rows, wanted.kind) for key, rows in tables.items()}
        return frames.convert_rows([row for rows in tables.values() for row in rows], wanted.kind)

    def _decode(self, source: Source, annotation: Any, context: InputContext) -> Any:
        data = _content(source)
        try:
            return _decode_json(data, annotation)
        except ValueError as error:  # msgspec's and pydantic's are both of it
            place = source if isinstance(source, str) else describe(context.asset, context.partitions)
            kind = getattr(annotation, "__name__", str(annotation)) if annotation is not None else ""
            raise unreadable(place, f"JSON of {kind}" if kind else "JSON", error) from error


def _content(source: Source) -> bytes:
    return Path(source).read_bytes() if isinstance(source, str) else source.getvalue()


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):  # pydantic
        return value.model_dump()
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist") and type(value).__module__ == "numpy":
        return value.tolist()
    if frames.kind_of(value) in ("polars", "pandas", "arrow"):
        raise TypeError(f"{type_name(value)} is a table: ParquetIO stores those")
    raise TypeError(f"it holds a {type_name(value)}")


def _decode_json(data: bytes, annotation: Any) -> Any:
    if annotation is None or annotation is Any:
        return msgspec.json.decode(data)
    try:
        return msgspec.json.decode(data, type=annotation, dec_hook=_build)
    except TypeError:  # an annotation that is no type of data: a name not resolved, a union of models
        return msgspec.json.decode(data)


def _build(kind: type, value: Any) -> Any:
    """What msgspec itself does not build; where this gives no instance of `kind`, msgspec says so."""
    if hasattr(kind, "model_validate"):  # pydantic
        return kind.model_validate(value)
    return Path(value) if issubclass(kind, Path) else value
