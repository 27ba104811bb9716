"""The content of artifacts, read where results are recorded, without running anybody's code.

A path comes from whoever ran the step and is not trusted: what lies outside of the project's results is not there.
Surprising: a file of results has a head of two to five bytes before the content (msgpack), which is skipped rather than
the whole of it decoded.
"""

from __future__ import annotations

import os

import msgspec

from batuta.core.errors import RequestError
from batuta.core.values import Handle

Content = bytes | tuple[str, int]
"""The bytes, or a file and where in it they begin."""

_handle = msgspec.json.Decoder(Handle).decode
_bytes = msgspec.msgpack.Decoder(bytes).decode
_HEADS = {0xC4: 2, 0xC5: 3, 0xC6: 5}


def result_path(home: str, path: str) -> str | None:
    """Where the file of a result is; None where that would be outside of the results."""
    base = os.path.realpath(os.path.join(home, "results"))
    if "\x00" in path:
        return None
    real = os.path.realpath(os.path.join(base, path))
    return real if real.startswith(base + os.sep) else None


def content_of(home: str, handle: bytes | None, size: int, where: str) -> Content:
    """Where the content of an artifact is, from its handle (JSON). Raises RequestError where it cannot be given."""
    if handle is None:
        raise RequestError("it has no content", where=where, hint="it is progress: a number and a text")
    found = _handle(handle)
    if found.codec != "m":
        raise RequestError("its content is encrypted: there are secrets in it", where=where)
    if not found.path:
        return _bytes(found.data)
    path = result_path(home, found.path)
    head = _head(path) if path is not None else None
    if path is None or head is None or os.path.getsize(path) != size + head:
        raise RequestError("its file is not here", where=where, hint="files are deleted with their run")
    return path, head


def _head(path: str) -> int | None:
    try:
        with open(path, "rb") as file:
            return _HEADS.get((file.read(1) or b"\0")[0])
    except OSError:
        return None


def read_content(content: Content) -> bytes:
    """All of it."""
    if isinstance(content, bytes):
        return content
    path, start = content
    with open(path, "rb") as file:
        file.seek(start)
        return file.read()
