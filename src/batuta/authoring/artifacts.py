"""What a step leaves to be looked at, while it runs: texts, tables, pictures, links, files, and how far it is.

Each is recorded at once, and shown on the page of its run. A later one of the same name takes the place of the former.
Surprising: outside of a run nothing is recorded and nothing fails, so that a function that leaves artifacts can be
called plainly, in a test for one.
"""

from __future__ import annotations

import json as _json
import math
import mimetypes
import os
import time
from collections.abc import Iterable, Iterator, Sequence, Sized
from pathlib import Path
from typing import Any, TypeVar

from batuta.authoring import metadata, ports
from batuta.authoring import session as where_calls_go
from batuta.authoring.context import StepContext, current_or_none
from batuta.core.artifacts import CONTENT_BYTES_MAX, COUNT_MAX, NAME_CHARS_MAX, TITLE_CHARS_MAX, ArtifactKind
from batuta.core.errors import RequestError

MARKDOWN_CHARS_MAX = 1_000_000
TABLE_ROWS_MAX = 1_000
IMAGE_BYTES_MAX = 16 << 20
PROGRESS_EACH_S = 1.0
"""How often progress is told at most; its end always is."""

T = TypeVar("T")

_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


def markdown(text: str, name: str = "", *, title: str = "") -> None:
    """A text that is shown as Markdown."""
    if len(text) > MARKDOWN_CHARS_MAX:
        text = f"{text[:MARKDOWN_CHARS_MAX]}\n\n({len(text):,} characters in all)"
    _leave("markdown", name, title, "text/markdown", _masked(text).encode("utf-8", "replace"))


def table(rows: Any, name: str = "", *, title: str = "", columns: Sequence[str] | None = None) -> None:
    """A table: a list of dicts or of sequences, or a frame (Polars, pandas, Arrow); 1,000 rows of it are kept."""
    made = metadata.table_of(rows, columns, TABLE_ROWS_MAX)
    _leave("table", name, title, "application/json", _data(made))


def image(picture: Any, name: str = "", *, title: str = "") -> None:
    """A picture: a Matplotlib figure (or axes), a PIL image, the bytes of a PNG, JPEG, GIF, WebP or SVG, or the path of
    such a file. Raises RequestError for anything else, or more than 16 MB."""
    data = _picture(picture)
    media_type = _media_type_of(data)
    if media_type is None:
        told = type(picture).__name__ if not isinstance(picture, str | Path) else str(picture)
        hint = "give a Matplotlib figure, or the bytes or the path of a PNG, JPEG, GIF, WebP or SVG"
        raise RequestError(f"{told} is no picture", where=name or None, hint=hint)
    if len(data) > IMAGE_BYTES_MAX:
        raise RequestError(
            f"a picture of {len(data) >> 20} MB is too large: at most {IMAGE_BYTES_MAX >> 20} MB", where=name or None
        )
    _leave("image", name, title, media_type, data)


def link(url: str, name: str = "", *, title: str = "") -> None:
    """A link; only http(s) and mailto links can be followed, others are shown as text."""
    _leave("link", name, title or url[:TITLE_CHARS_MAX], "application/json", _data(metadata.link(url, title)))


def json(value: Any, name: str = "", *, title: str = "") -> None:
    """Nested data."""
    _leave("json", name, title, "application/json", _data(metadata.json(value)))


def file(source: str | Path | bytes, name: str = "", *, title: str = "", media_type: str = "") -> None:
    """A file to be downloaded: its path, or its bytes. It is copied. Raises RequestError where it is over 64 MB, or
    cannot be read."""
    if isinstance(source, bytes):
        data = source
    else:
        data = _read(source, CONTENT_BYTES_MAX)
        name = name or os.path.basename(os.fspath(source))
    if len(data) > CONTENT_BYTES_MAX:
        raise RequestError(
            f"a file of {len(data) >> 20} MB is too large to be an artifact: at most {CONTENT_BYTES_MAX >> 20} MB",
            where=name or None,
            hint="write it where it belongs, and leave a link to it",
        )
    guessed = media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
    _leave("file", name, title, guessed, data)


def progress(done: float, text: str = "", name: str = "progress") -> None:
    """How far it is, from 0 to 1, and what it is at. Told at most once a second, so it may be called as often as one
    likes; 1 is always told. Raises RequestError for what is no such number."""
    if not 0 <= done <= 1 or math.isnan(done):
        raise RequestError(f"progress is a number from 0 to 1, not {done!r}", hint="divide what is done by all of it")
    context = current_or_none()
    if context is None or context.talk is None:
        return
    now, run_id = time.monotonic(), _run_of(context)
    told_at = context.artifacts.get((run_id, name))
    if done < 1 and told_at is not None and now - told_at < PROGRESS_EACH_S:
        return
    _tell(context, run_id, "progress", _checked(name, context), _masked(text)[:TITLE_CHARS_MAX], progress=float(done))
    context.artifacts[run_id, name] = now


def track(items: Iterable[T], text: str = "", *, total: int | None = None, name: str = "progress") -> Iterator[T]:
    """The items, telling how far it is after each. `total` is how many there are, where `len` cannot say."""
    count = total if total is not None else len(items) if isinstance(items, Sized) else 0
    for number, item in enumerate(items):
        if count:
            told = f"{text}: " if text else ""
            progress(min(number / count, 1.0), f"{told}{number:,} of {count:,}", name)
        yield item
    progress(1.0, text, name)


# ---- leaving it ----


def _leave(kind: ArtifactKind, name: str, title: str, media_type: str, data: bytes) -> None:
    context = current_or_none()
    if context is None or context.talk is None:
        return
    run_id = _run_of(context)
    wanted = _checked(name or _own_name(kind, run_id, context), context)
    content = None if context.save_content is None else context.save_content(data, f"{run_id}.{wanted}")
    shown = _masked(title)[:TITLE_CHARS_MAX]
    _tell(context, run_id, kind, wanted, shown, media_type=media_type, size=len(data), content=content)


def _run_of(context: StepContext) -> int:
    """The run that it belongs to: the body of a nested flow runs within the step of its parent."""
    session = where_calls_go.session.get()
    return context.run_id if session is None else session.run_id


def _tell(context: StepContext, run_id: int, kind: str, name: str, title: str, **more: Any) -> None:
    given = {"name": name, "kind": kind, "title": title, "attempt": context.attempt, "run_id": run_id}
    context.ask("artifact", **given, **more)
    context.artifacts.setdefault((run_id, name), 0.0)


def _own_name(kind: str, run_id: int, context: StepContext) -> str:
    """A name of its own for what is given none: `table`, `table-2`, ..."""
    names = (kind, *(f"{kind}-{n}" for n in range(2, COUNT_MAX + 2)))
    return next(name for name in names if (run_id, name) not in context.artifacts)


def _checked(name: str, context: StepContext) -> str:
    name = _masked(name)
    if not name.strip() or len(name) > NAME_CHARS_MAX or not name.isprintable():
        hint = f"1 to {NAME_CHARS_MAX} characters that can be printed"
        raise RequestError(f"{name[:NAME_CHARS_MAX]!r} is no name for an artifact", where=context.key, hint=hint)
    return name


def _masked(text: str) -> str:
    return ports.mask(str(text).replace("\x00", "\ufffd"))


def _data(value: metadata.Metadata) -> bytes:
    return _masked(_json.dumps(value, ensure_ascii=False, allow_nan=False)).encode("utf-8", "replace")


# ---- pictures ----


def _picture(picture: Any) -> bytes:
    if isinstance(picture, bytes | bytearray | memoryview):
        return bytes(picture)
    if isinstance(picture, str | Path):
        return _read(picture, IMAGE_BYTES_MAX)
    if hasattr(picture, "savefig") or hasattr(getattr(picture, "figure", None), "savefig"):
        return metadata.drawn(picture, IMAGE_BYTES_MAX) or b""
    if type(picture).__module__.partition(".")[0] == "PIL":
        import io

        buffer = io.BytesIO()
        picture.save(buffer, format="PNG")
        return buffer.getvalue()
    return b""


def _media_type_of(data: bytes) -> str | None:
    """By its first bytes, whatever its name is."""
    for start, media_type in _IMAGES:
        if data.startswith(start):
            return media_type
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    head = data[:1000].lstrip(b"\xef\xbb\xbf \r\n\t")
    if head.startswith(b"<svg") or (head.startswith((b"<?xml", b"<!--", b"<!DOCTYPE svg")) and b"<svg" in head):
        return "image/svg+xml"
    return None


def _read(where: str | Path, bytes_max: int) -> bytes:
    try:
        with open(where, "rb") as found:
            return found.read(bytes_max + 1)
    except OSError as error:
        raise RequestError(
            f"the file cannot be read: {(error.strerror or str(error)).lower()}", where=os.fspath(where)
        ) from None
