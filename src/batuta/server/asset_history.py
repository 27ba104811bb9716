"""What was reported of an asset over time: numbers as series, changes of its columns, rows as a preview."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from batuta.core.columns import Column, described_columns
from batuta.core.contract import ColumnChange, changes
from batuta.server.shapes.assets import (
    AssetPreview,
    AssetReader,
    AssetUsage,
    MetadataSeries,
    SchemaChange,
    SeriesPoint,
    UsageDay,
    materialization_of,
)
from batuta.server.shapes.base import at
from batuta.store.rows import MaterializationRow
from batuta.store.usage import DAY_S, Reader

PREVIEW_ROWS_MAX = 200
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def series_of(rows: Iterable[MaterializationRow], names: Sequence[str] | None) -> MetadataSeries:
    """Numbers of the metadata by name; `rows` newest first."""
    series: dict[str, list[SeriesPoint]] = {}
    for row in rows:
        for name, value in _decode(row.metadata or b"{}").items():
            number = number_of(value)
            if number is not None and (not names or name in names):
                point = SeriesPoint(at=at(row.at), run=row.run_id, partition=row.partition, value=number)
                series.setdefault(name, []).append(point)
    return MetadataSeries(series={name: points[::-1] for name, points in sorted(series.items())})


def number_of(value: Any) -> float | None:
    """A number, or what wraps one."""
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def schema_changes(rows: Sequence[MaterializationRow]) -> list[SchemaChange]:
    """How the columns changed; `rows` newest first, the answer too."""
    found = []
    before: list[Column] = []
    for row in reversed(rows):
        columns = described_columns(_decode(row.metadata or b"{}"))
        if not columns:
            continue
        if before and (differing := changes(before, columns)):
            found.append(_change(row, differing))
        before = columns
    return found[::-1]


def _change(row: MaterializationRow, differing: Sequence[ColumnChange]) -> SchemaChange:
    return SchemaChange(
        at=at(row.at),
        run=row.run_id,
        added=[[one.column, one.after] for one in differing if one.kind == "added"],
        removed=[[one.column, one.before] for one in differing if one.kind == "removed"],
        changed=[[one.column, one.before, one.after] for one in differing if one.kind == "type"],
        breaking=[one.text for one in differing if one.breaking],
    )


def usage_of(readers: Sequence[Reader], days: Sequence[tuple[int, int]]) -> AssetUsage:
    """How often an asset was read, and by whom."""
    last = max((one.last_at for one in readers), default=None)
    return AssetUsage(
        reads=sum(one.reads for one in readers),
        last_at=None if last is None else at(last),
        readers=[
            AssetReader(
                kind=one.kind,  # type: ignore[arg-type]
                reader=one.reader,
                reads=one.reads,
                last_at=at(one.last_at),
                last_run=one.last_run or None,
            )
            for one in readers
        ],
        days=[UsageDay(day=at(day * DAY_S).date().isoformat(), reads=reads) for day, reads in days],
    )


def preview_of(row: MaterializationRow | None) -> AssetPreview:
    """The first table among the metadata of a materialization."""
    if row is None:
        return AssetPreview(materialization=None, columns=[], rows=[], total=None)
    shown = materialization_of(row)
    for value in _decode(row.metadata or b"{}").values():
        if isinstance(value, dict) and value.get("type") == "table":
            columns = [str(name) for name in value.get("columns", [])]
            rows = [list(each) for each in value.get("rows", [])[:PREVIEW_ROWS_MAX]]
            return AssetPreview(materialization=shown, columns=columns, rows=rows, total=shown.rows)
    return AssetPreview(materialization=shown, columns=[], rows=[], total=shown.rows)
