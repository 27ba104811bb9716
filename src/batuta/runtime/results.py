"""Values between steps: as bytes (`dumps`, `loads`), and recorded (`ResultStore`), small ones inline, others in files.

Plain data goes as msgpack, which the control plane can read without running anybody's code; the rest is pickled. A
surprise: only values that msgpack gives back exactly as they were go that way, so a tuple is pickled.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from batuta.core.errors import ResultError
from batuta.core.values import NONE, Handle
from batuta.io.files import escape, known_files, open_files
from batuta.io.pickling import pickle_value, unpickle
from batuta.runtime.masking import longest_secret, mask, masked, secrets_in
from batuta.runtime.preview import preview
from batuta.runtime.sealing import MARK, sealed, unsealed

Codec = Literal["n", "m", "p", "c"]
"""None; msgpack; pickle; cloudpickle."""

INLINE_MAX = 1024  # bytes; larger values are written to files
CACHE_BYTES_MAX = 64 * 1024 * 1024
_DEPTH_MAX = 32
_SCALARS = frozenset({type(None), bool, int, float, str, bytes})
_ATOMS = _SCALARS - {str, bytes}
_KEYS = frozenset({str})

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class Payload(msgspec.Struct, frozen=True, gc=False):
    """A value as bytes. `length` is the number of items of a list, tuple or dict; `preview` a short text of it."""

    codec: Codec
    data: bytes = b""
    length: int | None = None
    preview: str = "None"


_NONE = Payload("n")


def dumps(value: Any, label: str = "result") -> Payload:
    """The value as bytes; ResultError names the part that cannot be, as a path that starts with `label`."""
    if value is None:
        return _NONE
    kind = type(value)
    if kind in _ATOMS:
        try:
            return _payload("m", _encode(value), None, value)
        except OverflowError:  # an integer of more than 64 bits
            pass
    length = len(value) if isinstance(value, list | tuple | dict) else None
    if _is_plain(value, _DEPTH_MAX):
        try:
            return _payload("m", _encode(value), length, value)
        except (OverflowError, UnicodeEncodeError, ValueError):  # such integers; text that is no UTF-8; over 4 GiB
            pass
    codec, data = pickle_value(value, label)
    return _payload(codec, data, length, value)


def _payload(codec: Codec, data: bytes, length: int | None, value: Any) -> Payload:
    """The preview must not show what is secret, nor a half of it: masked before it is cut."""
    if not longest_secret() or not secrets_in(data):
        return Payload(codec, data, length, mask(preview(value)))
    shown = mask(preview(masked(value))) if codec == "m" else f"<{type(value).__qualname__}> (holds a secret)"
    return Payload(codec, data, length, shown)


def loads(codec: str, data: bytes, where: str = "the result") -> Any:
    """The inverse of `dumps`; ResultError if the bytes cannot be read here, or need a newer version of this package."""
    match codec:
        case "n":
            return None
        case "m":
            try:
                return _decode(data)
            except msgspec.DecodeError as error:
                raise ResultError(f"{where} is damaged: {error}", hint="run the step again") from error
        case "p" | "c":
            return unpickle(data, where)
        case _ if codec.startswith(MARK):
            return loads(codec.removeprefix(MARK), unsealed(data), where)
        case _:
            raise ResultError(
                f"{where} has the unknown codec '{codec}'", hint="a newer Batuta wrote it: upgrade this one"
            )


def _is_plain(value: Any, depth: int) -> bool:
    """Whether msgpack gives it back exactly, judged by exact types: a subclass would come back as its base."""
    kind = type(value)
    if kind in _SCALARS:
        return True
    if not depth:
        return False
    if kind is list:
        items = value
    elif kind is dict:
        if not _KEYS.issuperset(map(type, value)):
            return False
        items = value.values()
    else:
        return False
    if _SCALARS.issuperset(map(type, items)):
        return True
    return all(type(item) in _SCALARS or _is_plain(item, depth - 1) for item in items)


class ResultStore:
    """Recorded values under `base_path` (a directory or an fsspec URL): `<base_path>/<run_id>/<name>.<codec>`.

    A handle's path is relative to the base, so that a project can be moved; values that were saved under another
    base carry their full path. Safe to use from several threads.
    """

    def __init__(self, base_path: str, *, durable: bool = False) -> None:
        self.base_path = base_path
        self.durable = durable
        self._files = open_files(base_path, durable=durable)
        self._cache = _Cache()

    def save(self, value: Any, run_id: str, name: str, *, base_path: str | None = None) -> Handle:
        """Record a value; `name` is unique in the run (step, map index, attempt). `base_path` is that of the task."""
        if value is None:
            return NONE
        return self.save_payload(dumps(value), run_id, name, base_path=base_path)

    def save_payload(self, payload: Payload, run_id: str, name: str, *, base_path: str | None = None) -> Handle:
        """Record bytes: inline up to 1 KiB, else in a file that is replaced in one step. Secrets in them: encrypted."""
        if longest_secret() and (encrypted := sealed(payload.data)) is not None:
            codec: Any = MARK + payload.codec
            payload = Payload(codec, encrypted, payload.length, payload.preview)
        size = len(payload.data)
        if size <= INLINE_MAX:
            return Handle(payload.codec, payload.data, "", size, payload.length, payload.preview)
        path = f"{escape(run_id)}/{escape(name)}.{payload.codec}"
        if base_path is None:
            self._files.write(path, payload.data)
        else:
            files = known_files(base_path, durable=self.durable)
            files.write(path, payload.data)
            path = files.url(path)
        return Handle(payload.codec, b"", path, size, payload.length, payload.preview)

    def load(self, handle: Handle, *, shared: bool = False) -> Any:
        """The value, a new object each time; with `shared` the one object that others get too: do not change it."""
        if not handle.path:
            return loads(handle.codec, handle.data)
        if not shared:
            return loads(handle.codec, self._read(handle), handle.path)
        return self._cache.get(("value", handle.path, handle.size), lambda: self.load(handle))

    def load_item(self, handle: Handle, index: int) -> Any:
        """Item `index` of a recorded list or tuple, or (key, value) of a dict, as dynamic mapping hands them out.

        The collection is decoded once for many items; what could be changed in place is copied.
        """
        if handle.path:
            items = self._cache.get(("items", handle.path, handle.size), lambda: _as_items(self.load(handle)))
        else:
            items = _as_items(self.load(handle))
        if index >= len(items):
            raise ResultError(f"item {index} of a result of {len(items)} items is asked for", hint="run the step again")
        item = items[index]
        if not handle.path or type(item) in _SCALARS:
            return item
        payload = dumps(item, f"item {index}")
        return loads(payload.codec, payload.data)

    def delete_run(self, run_id: str) -> None:
        """Remove the files of a run's results; those under a task's own base path stay."""
        self._files.delete_folder(escape(run_id))

    def _read(self, handle: Handle) -> bytes:
        files, name = self._files, handle.path
        if "://" in name or name.startswith("/"):
            base, _, leaf = name.rpartition("/")
            files, name = known_files(base, durable=self.durable), leaf
        try:
            data = files.read(name)
        except FileNotFoundError as error:
            raise ResultError(
                f"the recorded result {files.url(name)} is gone", hint="run the step again: batuta runs retry"
            ) from error
        if len(data) != handle.size:
            raise ResultError(
                f"the recorded result {files.url(name)} has {len(data)} bytes instead of {handle.size}",
                hint="it is damaged: run the step again: batuta runs retry",
            )
        return data


def _as_items(value: Any) -> list[Any] | tuple[Any, ...]:
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list | tuple):
        return value
    raise ResultError(
        f"a task is mapped over a {type(value).__name__}, which has no items to count",
        hint="return a list, a tuple or a dict from the step that is mapped over",
    )


_CacheKey = tuple[Literal["value", "items"], str, int]  # as what, the path, its size in bytes


class _Cache:
    """Decoded values of files, those used last, up to a total of encoded bytes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: OrderedDict[_CacheKey, Any] = OrderedDict()
        self._size = 0

    def get(self, key: _CacheKey, load: Callable[[], Any]) -> Any:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = load()
        size = key[2]
        if size > CACHE_BYTES_MAX // 2:
            return value
        with self._lock:
            if key not in self._values:
                self._values[key] = value
                self._size += size
                while self._size > CACHE_BYTES_MAX:
                    self._size -= self._values.popitem(last=False)[0][2]
            return self._values.get(key, value)
