"""What is sent to us, before anything reads it: its kind, size and depth, and no NUL anywhere.

A body is read whole before a handler sees it, up to a limit, which also counts for what comes out of a compressed one.
Surprising: a NUL is refused even where JSON allows it,
since one database takes it for the end of a text and the other does not take it at all.
"""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from batuta.server.problems import Refused

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]

BODY_BYTES_MAX = 10 << 20
DRAIN_BYTES_MAX = 100 << 20
"""So much of a body that is refused is let go by: a client reads the answer when it has sent all of it."""
DEPTH_MAX = 100


def check_query(query: bytes, path: bytes) -> None:
    """Raise Refused for a NUL."""
    if b"%00" in query or b"%00" in path:
        raise Refused("bad-request", 400, "there is a NUL in it, which no name or text here has")


async def checked_body(receive: Receive, headers: dict[str, str], *, any_kind: bool = False) -> Receive:
    """Read the body; what gives it to the application. `any_kind`: it need not be JSON. Raises Refused."""
    body = _unpacked(await _read(receive, headers), headers.get("content-encoding", ""))
    if body and not any_kind:
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refused(
                "unsupported-media-type", 415, f"{kind or 'what is sent'!r} is not read here", hint="send JSON"
            )
        if b"\\u0000" in body:
            raise Refused("bad-request", 400, "there is a NUL in it, which no name or text here has")
        if _depth(body) > DEPTH_MAX:
            raise Refused("bad-request", 400, f"it is nested more than {DEPTH_MAX} deep")
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _read(receive: Receive, headers: dict[str, str]) -> bytes:
    told = headers.get("content-length", "0")
    if told.isdecimal() and int(told) > DRAIN_BYTES_MAX:
        raise _too_large()
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused("bad-request", 400, "the connection ended before the request did")
        size += len(message.get("body", b""))
        if size > DRAIN_BYTES_MAX:
            raise _too_large()
        if size <= BODY_BYTES_MAX:
            parts.append(message.get("body", b""))
        else:
            parts.clear()
        if not message.get("more_body"):
            if size > BODY_BYTES_MAX:
                raise _too_large()
            return b"".join(parts)


def _unpacked(body: bytes, encoding: str) -> bytes:
    """What was compressed by gzip, as it was before."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise Refused(
            "unsupported-media-type", 415, f"the encoding {encoding[:100]!r} is not read here", hint="gzip is"
        )
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        found = unpacking.decompress(body, BODY_BYTES_MAX + 1)
    except zlib.error as error:
        raise Refused("bad-request", 400, f"it is not what gzip makes: {error}") from None
    if len(found) > BODY_BYTES_MAX:
        raise _too_large()
    if not unpacking.eof:
        raise Refused("bad-request", 400, "it is not what gzip makes: it ends too early")
    return found


def _too_large() -> Refused:
    return Refused("too-large", 413, f"a request has at most {BODY_BYTES_MAX >> 20} MB")


def _depth(body: bytes) -> int:
    """How deep its arrays and objects are nested, as far as that matters."""
    if body.count(b"[") + body.count(b"{") <= DEPTH_MAX:
        return 0
    depth = deepest = 0
    in_text = escaped = False
    for byte in body:
        if in_text:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_text = False
        elif byte == 0x22:
            in_text = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > DEPTH_MAX:
                break
        elif byte in b"]}":
            depth -= 1
    return deepest
