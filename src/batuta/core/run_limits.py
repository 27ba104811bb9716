"""How much a run may be given: its parameters and tags are in its row, and are read with every list of runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

CONFIG_BYTES_MAX = 256 * 1024
"""The parameters and tags of one run, as JSON."""


def size_of(params: Mapping[str, Any], tags: Mapping[str, Any]) -> int:
    """Bytes of what the run would be given."""
    return len(msgspec.json.encode((params, tags), enc_hook=str))


def oversized(params: Mapping[str, Any], tags: Mapping[str, Any], what: str = "the run") -> str:
    """Why it is too much; empty if it is not."""
    size = size_of(params, tags)
    if size <= CONFIG_BYTES_MAX:
        return ""
    return (
        f"the parameters and tags of {what} have {size:,} bytes, at most {CONFIG_BYTES_MAX:,} are kept: "
        "put them in a file or table, and pass where that is"
    )
