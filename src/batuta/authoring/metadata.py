"""Metadata of assets and checks: numbers, texts, links, tables, markdown, plots, in a form that is JSON.

A value in its JSON form is a number, text, bool or null, or an object whose `type` is one of markdown, link, path,
table, schema, plot, json. The surprising rule: what is too large is cut, and says so, rather than refused, because
metadata must never fail the work that they describe.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

TEXT_CHARS_MAX = 20_000
TABLE_ROWS_MAX = 100
TABLE_COLUMNS_MAX = 50
CELL_CHARS_MAX = 500
PLOT_BYTES_MAX = 512 * 1024
ITEMS_MAX = 200
DEPTH_MAX = 6
PLOT_DPIS = (100, 60, 40)

_PNG = b"\x89PNG\r\n\x1a\n"


class Metadata(dict[str, Any]):
    """A value in its JSON form, made by one of the functions below."""


def markdown(text: str) -> Metadata:
    """Text that is shown as Markdown."""
    return Metadata(type="markdown", text=_text(text))


def link(url: str, title: str = "") -> Metadata:
    """A link; only http(s) and mailto links can be followed, others are shown as text."""
    return Metadata(type="link", url=_text(url), title=_text(title or url))


def path(where: str | Path) -> Metadata:
    """A file or folder."""
    return Metadata(type="path", path=_text(str(where)))


def table(rows: Any, columns: Sequence[str] | None = None) -> Metadata:
    """A small table: a list of dicts or of sequences, or a frame (Polars, pandas, Arrow); 100 rows of it are kept."""
    return table_of(rows, columns, TABLE_ROWS_MAX)


def table_of(rows: Any, columns: Sequence[str] | None, rows_max: int) -> Metadata:
    """`table` with so many rows."""
    names, body, total = _rows_of(rows, columns, rows_max)
    shown = [[_cell(value) for value in row[:TABLE_COLUMNS_MAX]] for row in body[:rows_max]]
    made = Metadata(type="table", columns=[_text(str(name)) for name in names[:TABLE_COLUMNS_MAX]], rows=shown)
    if total > len(shown):
        made["rows_total"] = total
    if len(names) > TABLE_COLUMNS_MAX:
        made["columns_total"] = len(names)
    return made


def schema(columns: Iterable[tuple[str, str]], not_null: Iterable[str] = ()) -> Metadata:
    """The columns of a table with their types, and those that are never null."""
    made = Metadata(type="schema", columns=[[str(name), str(kind)] for name, kind in columns])
    if never := [str(name) for name in not_null]:
        made["not_null"] = never
    return made


def plot(figure: Any, title: str = "") -> Metadata:
    """A plot: a Matplotlib figure (or axes), PNG bytes, or the path of an image file.

    A file is referred to, not copied. A picture over 512 KB is left out with a note; figures are drawn coarser first.
    """
    if isinstance(figure, str | Path):
        return Metadata(type="plot", path=str(figure), title=title)
    data = bytes(figure) if isinstance(figure, bytes | bytearray | memoryview) else drawn(figure)
    if data is None or not data.startswith(_PNG):
        return markdown(f"(no plot: {type(figure).__name__} is neither a figure nor a PNG)")
    if len(data) > PLOT_BYTES_MAX:
        return markdown(f"(a plot of {len(data) // 1024} KB was left out: save it, and give `plot` its path)")
    import base64

    return Metadata(type="plot", png=base64.b64encode(data).decode(), title=title)


def json(value: Any) -> Metadata:
    """Nested data."""
    return Metadata(type="json", value=_plain(value, 0))


def normalized(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Any metadata in their JSON form. Never fails: what cannot be shown is named by its type."""
    done: dict[str, Any] = {}
    for key, value in values.items():
        if len(done) == ITEMS_MAX:
            done["..."] = f"{len(values) - ITEMS_MAX} more were left out"
            break
        done[_text(str(key))] = normal(value)
    return done


def normal(value: Any) -> Any:
    """One value in its JSON form."""
    if isinstance(value, Metadata):
        return dict(value)
    try:
        return _normal(value)
    except Exception as error:  # whatever a foreign object's conversion raises
        return f"({type(value).__name__} cannot be shown: {error})"[:CELL_CHARS_MAX]


def _normal(value: Any) -> Any:
    scalar = _scalar(value)
    if scalar is not _NOT_SCALAR:
        return scalar
    if isinstance(value, Path):
        return dict(path(value))
    if isinstance(value, bytes | bytearray):
        return dict(plot(bytes(value))) if value.startswith(_PNG) else f"({len(value)} bytes)"
    if _is_frame(value):
        return dict(table(value))
    if hasattr(value, "savefig") or (hasattr(value, "figure") and hasattr(value.figure, "savefig")):
        return dict(plot(value))
    return dict(json(value))


_NOT_SCALAR = object()


def _scalar(value: Any) -> Any:
    """A JSON scalar for what is one in spirit; _NOT_SCALAR for everything else."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return _scalar(value.value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return int(value) if -(1 << 63) <= value < 1 << 63 else str(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, timedelta | Decimal):
        return str(value)
    if type(value).__module__.partition(".")[0] == "numpy" and getattr(value, "ndim", None) == 0:
        return _scalar(value.item())
    return _NOT_SCALAR


def _text(value: str) -> str:
    value = str(value)
    if len(value) > TEXT_CHARS_MAX:
        value = f"{value[:TEXT_CHARS_MAX]}... ({len(value)} characters)"
    return value.encode("utf-8", "replace").decode()  # a lone surrogate cannot be written as JSON


def _cell(value: Any) -> Any:
    scalar = _scalar(value)
    if scalar is _NOT_SCALAR:
        scalar = str(value)
    if isinstance(scalar, str) and len(scalar) > CELL_CHARS_MAX:
        return f"{scalar[:CELL_CHARS_MAX]}..."
    return _text(scalar) if isinstance(scalar, str) else scalar


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, Metadata):
        return dict(value)
    scalar = _scalar(value)
    if scalar is not _NOT_SCALAR:
        return scalar
    if depth >= DEPTH_MAX:
        return _cell(value)
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    if hasattr(value, "tolist") and type(value).__module__ == "numpy":
        value = value.tolist()
    if isinstance(value, Mapping):
        items = list(value.items())[:ITEMS_MAX]
        return {_text(str(key)): _plain(item, depth + 1) for key, item in items}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray):
        return [_plain(item, depth + 1) for item in list(value)[:ITEMS_MAX]]
    return _cell(value)


def _is_frame(value: Any) -> bool:
    from batuta.io.frames import kind_of

    return not isinstance(value, list) and kind_of(value) is not None


def _rows_of(rows: Any, columns: Sequence[str] | None, rows_max: int) -> tuple[list[str], list[list[Any]], int]:
    """Column names, the rows that may be shown, and how many there are in all (as far as that is known)."""
    if _is_frame(rows):
        rows, total = _head(rows, rows_max)
    else:
        rows = list(rows)
        total = len(rows)
    rows = rows[:rows_max]
    if all(isinstance(row, Mapping) for row in rows):
        names = list(columns or dict.fromkeys(name for row in rows for name in row))
        return names, [[row.get(name) for name in names] for row in rows], total
    body = [list(row) if isinstance(row, Sequence) and not isinstance(row, str) else [row] for row in rows]
    width = max(map(len, body), default=0)
    return list(columns or [f"column {i + 1}" for i in range(width)]), body, total


def _head(frame: Any, rows_max: int) -> tuple[list[dict[str, Any]], int]:
    """The first rows of a frame as dicts, and its length."""
    from batuta.io import frames

    kind = frames.kind_of(frame)
    if kind == "polars":
        return frame.head(rows_max).to_dicts(), frame.height
    if kind == "pandas":
        return frame.head(rows_max).to_dict("records"), len(frame)
    if kind == "arrow":
        return frame.slice(0, rows_max).to_pylist(), frame.num_rows
    if kind == "lazy":
        found = frame.head(rows_max).collect().to_dicts()
        return found, len(found)
    if kind == "duckdb":
        found = frame.limit(rows_max).to_arrow_table().to_pylist()
        return found, len(found)
    return _head(frames.to_arrow(frame, kind or "stream"), rows_max)


def drawn(figure: Any, bytes_max: int = PLOT_BYTES_MAX) -> bytes | None:
    """A Matplotlib figure (or axes) as PNG, coarser where it would be larger than that; None where it is none."""
    import io

    figure = getattr(figure, "figure", figure)
    if not hasattr(figure, "savefig"):
        return None
    data = b""
    for dpi in PLOT_DPIS:
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight")
        data = buffer.getvalue()
        if len(data) <= bytes_max:
            break
    return data
