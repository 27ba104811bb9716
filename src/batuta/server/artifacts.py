"""The content of artifacts, as it may be given to a browser.

What users' code leaves is never trusted: but for pictures all of it is given as a download, and nothing of it can run
here, whatever it calls itself.
"""

from __future__ import annotations

import mimetypes
from typing import Any
from urllib.parse import quote

import msgspec

from batuta.core.errors import RequestError
from batuta.runtime.artifact_files import Content, content_of, read_content
from batuta.server.backend import Backend
from batuta.server.problems import NotFound
from batuta.store.rows import ArtifactRow

SHOWN_MAX = 8 << 20
"""So many bytes of text or data are given to be drawn; more are only a download."""
INLINE = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"))
CSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
"""A picture in SVG may hold scripts: nothing in it runs, nothing is fetched, even where it is opened by itself."""
_json = msgspec.json.Decoder().decode


def content(backend: Backend, row: ArtifactRow) -> Content:
    """Where the content is. Raises NotFound where there is none, or it cannot be given."""
    try:
        return content_of(backend.home, row.content, row.size, f"artifact {row.id}")
    except RequestError as error:
        raise NotFound(f"artifact {row.id}: {error.what}", hint=error.hint) from None


def shown_content(backend: Backend, row: ArtifactRow) -> tuple[str, Any, str]:
    """Text and data of what is drawn from them, and why they cannot be shown."""
    if row.content is None or row.kind in ("image", "file"):
        return "", None, ""
    try:
        data = b"" if row.size > SHOWN_MAX else read_content(content(backend, row))
    except NotFound as error:
        return "", None, error.what
    if row.size > SHOWN_MAX:
        return "", None, f"it is too large to be shown: {row.size:,} bytes"
    if row.kind == "markdown":
        return data.decode("utf-8", "replace"), None, ""
    try:
        return "", _json(data), ""
    except (msgspec.DecodeError, RecursionError):
        return "", None, "it is damaged"


def headers_of(row: ArtifactRow, *, download: bool) -> dict[str, str]:
    """How a browser is to take it."""
    inline = row.media_type in INLINE and not download
    return {
        "Content-Type": row.media_type if inline else "application/octet-stream",
        "Content-Disposition": "inline"
        if inline
        else f"attachment; filename*=UTF-8''{quote(_file_name(row), safe='')}",
        "Content-Security-Policy": CSP,
        "ETag": f'"{row.id}-{row.attempt}-{int(row.at * 1e6):x}"',
        "Cache-Control": "private, no-cache",
    }


def _file_name(row: ArtifactRow) -> str:
    """Its name as that of a file, with an ending that says what it is."""
    plain = "".join(char if char.isalnum() or char in "-_. " else "_" for char in row.name).strip(". ") or "artifact"
    ending = {"text/markdown": ".md"}.get(row.media_type) or mimetypes.guess_extension(row.media_type) or ""
    return plain if row.kind == "file" or plain.endswith(ending) else plain + ending
