"""A table as the kind of frame that somebody's annotation asks for."""

from __future__ import annotations

from typing import Any

from batuta.io import frames


def as_kind(value: Any, annotation: Any) -> Any:
    """The table as Polars, pandas, Arrow, ...: what `annotation` says, or as it is where it says nothing."""
    wanted = frames.wants(annotation).kind
    kind = frames.kind_of(value)
    if kind is None or wanted in ("any", "path", kind):
        return value
    if kind == "polars" and wanted == "lazy":
        return value.lazy()
    if kind == "lazy" and wanted == "polars":
        return value.collect()
    if kind == "rows":
        return frames.convert_rows(value, wanted)
    if kind == "polars" and wanted == "rows":
        return value.to_dicts()
    return frames.from_arrow(frames.to_arrow(value, kind), wanted)
