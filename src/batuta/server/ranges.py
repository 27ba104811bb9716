"""Parts of a file over HTTP (RFC 9110): which bytes a `Range` header asks for, and the answer that gives them.

One range at a time; what asks for several, or is not understood, gets all of it, as the standard allows.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from litestar import Response
from litestar.response import Stream

from batuta.server.problems import Refused

PIECE_BYTES = 256 << 10
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def wanted_range(header: str, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last of what is asked for; None: all of it. Raises Refused."""
    found = _RANGE.fullmatch(header.strip())
    if found is None or header.strip() == "bytes=-":
        return None
    first, last = found.groups()
    begin = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    if first and last and int(last) < int(first):
        return None
    if begin >= size or begin >= end:
        headers = {"Content-Range": f"bytes */{size}"}
        raise Refused("range", 416, f"it has {size:,} bytes", hint="ask for some of those", headers=headers)
    return begin, end


def answer(
    content: bytes | tuple[str, int], size: int, asked: Mapping[str, str], headers: dict[str, str]
) -> Response[Any]:
    """The content, or the range of it that is asked for. `content`: bytes, or a file and where in it they begin."""
    tag = headers.get("ETag", "")
    if tag and tag in [one.strip().removeprefix("W/") for one in asked.get("if-none-match", "").split(",")]:
        return Response(None, status_code=304, headers=headers)
    span = wanted_range(asked.get("range", ""), size)
    if span is not None and asked.get("if-range", tag) != tag:
        span = None
    begin, end = span or (0, size)
    more = {"Accept-Ranges": "bytes", "Content-Length": str(end - begin)}
    if span is not None:
        more["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
    kind = headers.pop("Content-Type", "application/octet-stream")
    return Stream(
        _pieces(content, begin, end),
        status_code=200 if span is None else 206,
        headers={**headers, **more},
        media_type=kind,
    )


def _pieces(content: bytes | tuple[str, int], begin: int, end: int) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content[begin:end]
        return
    path, start = content
    with open(path, "rb") as file:
        file.seek(start + begin)
        left = end - begin
        while left and (piece := file.read(min(PIECE_BYTES, left))):
            left -= len(piece)
            yield piece
        if left:
            raise OSError(f"{os.path.basename(path)} has become shorter")
