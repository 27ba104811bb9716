"""The files of the web UI, as the build leaves them beside this module in `static/`: read once, given from memory.

What a request names is looked up among the files that were there at the start, so it leads to no other. Every other
path that is none of the API is the UI's own (`index.html`): its pages have URLs. Files below `_app/` have their hash in
their name and may be kept for ever. Surprising: the UI itself needs no login, as there is nothing in it to hide; what
it shows it has to ask the API for.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "static"
NOT_OURS = ("/api/", "/health", "/ready", "/metrics", "/-/")
INDEX = "/index.html"
HASHED = "_app"
FOR_EVER = b"public, max-age=31536000, immutable"
GZIP_BYTES_MIN = 1_000
ABSENT = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Batuta</title>
<h1>Batuta</h1><p>The UI is not part of this installation: when that was made, its packages could not be fetched, or
BATUTA_SKIP_UI was set. In a checkout, <code>make ui</code> builds it and says what is missing; start again then.</p>
<p>The API is described at <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p></html>
"""


@dataclass(frozen=True, slots=True)
class File:
    """A file to be given."""

    body: bytes
    zipped: bytes
    kind: bytes
    tag: bytes
    kept: bool


class StaticUi:
    """See the module."""

    def __init__(self, folder: Path = FOLDER) -> None:
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file()] if folder.is_dir() else []
        self.files = {f"/{path.relative_to(folder).as_posix()}": _file(path, folder) for path in paths}
        if INDEX not in self.files:
            self.files[INDEX] = _made(ABSENT, b"text/html; charset=utf-8", kept=False)

    def find(self, path: str) -> File | None:
        """The file for a path; None where the path is the API's."""
        plain = re.sub("/+", "/", path).lower()  # however it is spelled, what looks like the API is not the UI
        if plain in ("/api", *NOT_OURS) or plain.startswith(NOT_OURS):
            return None
        found = self.files.get(path)
        if found is None and path.startswith(f"/{HASHED}/"):
            return None  # a file of another version of the UI: better missing than the wrong kind
        return found or self.files[INDEX]

    async def give(self, file: File, headers: dict[str, str], send: Any) -> None:
        """Answer with a file."""
        answer = [
            (b"content-type", file.kind),
            (b"etag", file.tag),
            (b"cache-control", FOR_EVER if file.kept else b"no-cache"),
            (b"vary", b"accept-encoding"),
        ]
        if headers.get("if-none-match", "").encode() == file.tag:
            await send({"type": "http.response.start", "status": 304, "headers": answer})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        body = file.body
        if file.zipped and "gzip" in headers.get("accept-encoding", ""):
            body = file.zipped
            answer.append((b"content-encoding", b"gzip"))
        answer.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": answer})
        await send({"type": "http.response.body", "body": body, "more_body": False})


def _file(path: Path, folder: Path) -> File:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if kind.startswith("text/") or kind in ("application/javascript", "image/svg+xml"):
        kind = f"{kind}; charset=utf-8"
    return _made(path.read_bytes(), kind.encode(), kept=path.relative_to(folder).parts[0] == HASHED)


def _made(body: bytes, kind: bytes, *, kept: bool) -> File:
    zipped = gzip.compress(body, 6, mtime=0) if len(body) >= GZIP_BYTES_MIN else b""
    if len(zipped) >= len(body):
        zipped = b""
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'.encode()
    return File(body, zipped, kind, tag, kept)
