"""What a task run may leave to be looked at: the summary that travels with its content, and its limits.

Content is a recorded value: bytes of a file, or JSON data of what is drawn from data (tables, links, progress).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from batuta.core.values import Handle

ArtifactKind = Literal["markdown", "table", "image", "link", "json", "file", "progress"]

NAME_CHARS_MAX = 200
TITLE_CHARS_MAX = 500
MEDIA_TYPE_CHARS_MAX = 100
CONTENT_BYTES_MAX = 64 << 20
COUNT_MAX = 1_000
"""So many names a task run may use."""


class ArtifactGiven(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An artifact as a step hands it to the engine. `run_id` is its own run: that of a nested flow has its own."""

    run_id: int
    attempt: int
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_CHARS_MAX)]
    kind: ArtifactKind
    title: Annotated[str, msgspec.Meta(max_length=TITLE_CHARS_MAX)] = ""
    media_type: Annotated[
        str, msgspec.Meta(max_length=MEDIA_TYPE_CHARS_MAX, pattern=r"^([a-z]+/[a-zA-Z0-9.+-]+)?$")
    ] = ""
    size: Annotated[int, msgspec.Meta(ge=0, le=CONTENT_BYTES_MAX)] = 0
    progress: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    content: Handle | None = None
