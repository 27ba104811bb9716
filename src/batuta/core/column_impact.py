"""What would be affected by a change of a column, or by its end: columns, assets, checks, exposures, jobs.

Told apart are columns whose values come from it, assets of which it decides the rows, and assets that read something
affected and of whose columns too little is known to say more: those *may* be affected, and are never left out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from batuta.core.asset_index import AssetIndex
from batuta.core.column_graph import ROWS, ColumnGraph, ColumnRef
from batuta.core.definitions import Definitions, JobSpec
from batuta.core.errors import SelectionError

How = Literal["values", "rows", "unknown"]
EXPOSURE = "exposure"


class AffectedAsset(msgspec.Struct, frozen=True):
    """An asset, how it is affected at the most, and which of its columns are; `via`: what it reads that is affected."""

    key: str
    how: How
    columns: tuple[str, ...] = ()
    via: tuple[str, ...] = ()


class Impact(msgspec.Struct, frozen=True):
    """What a change of a column would affect; `assets` nearest first, exposures apart from them."""

    asset: str
    column: str
    assets: tuple[AffectedAsset, ...] = ()
    exposures: tuple[AffectedAsset, ...] = ()
    checks: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()


def impact(
    graph: ColumnGraph,
    index: AssetIndex,
    ref: ColumnRef,
    jobs: Mapping[str, Iterable[str]] | None = None,
    elsewhere: Mapping[str, Iterable[str]] | None = None,
) -> Impact:
    """What a column affects. `jobs`: by asset, those that read or write it, or whose selection has it; `elsewhere`: by
    asset, what jobs outside of the index make from it."""
    elsewhere = elsewhere or {}
    values = _by_asset(graph.downstream(ref).columns)
    rows = _by_asset(graph.downstream(ref, rows=True).columns)
    values.pop(ref.asset, None)
    rows.pop(ref.asset, None)
    found = {key: "values" if key in values else "rows" for key in rows}
    _add_unknown(graph, index, ref, found, elsewhere)
    affected = [
        AffectedAsset(
            key,
            how,  # type: ignore[arg-type]
            tuple(values.get(key, ()) if how == "values" else [name for name in rows.get(key, ()) if name]),
            tuple(up for up in _above(index, key, elsewhere) if up == ref.asset or up in found),
        )
        for key, how in found.items()
    ]
    keys = [ref.asset, *found]
    told = dict.fromkeys(name for key in keys for name in (jobs or {}).get(key, ()))
    return Impact(
        ref.asset,
        ref.column,
        tuple(one for one in affected if not _is_exposure(index, one.key)),
        tuple(one for one in affected if _is_exposure(index, one.key)),
        tuple(check.key for key in keys for check in index.checks_of.get(key, ())),
        tuple(told),
    )


def _by_asset(refs: Iterable[ColumnRef]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for ref in refs:
        columns = found.setdefault(ref.asset, [])
        if ref.column != ROWS:
            columns.append(ref.column)
    return found


def _add_unknown(
    graph: ColumnGraph, index: AssetIndex, ref: ColumnRef, found: dict[str, str], elsewhere: Mapping[str, Iterable[str]]
) -> None:
    """Add the assets that read what is affected, and of whose columns nothing, or not all, is known."""
    waiting = [ref.asset, *found]
    seen = set(waiting)
    while waiting:
        key = waiting.pop(0)
        if key not in index.assets:
            continue
        certain = key == ref.asset or found.get(key) != "unknown"
        for down in (*index.graph.downstream(key), *elsewhere.get(key, ())):
            if down in seen or down not in index.assets:
                continue
            if certain and graph.is_known(down) and not graph.gaps(down):
                continue  # it is known what it is made from, and that is nothing of this
            seen.add(down)
            found[down] = "unknown"
            waiting.append(down)


def _above(index: AssetIndex, key: str, elsewhere: Mapping[str, Iterable[str]]) -> Iterable[str]:
    spec = index.assets.get(key)
    own = () if spec is None else [dep.asset for dep in spec.deps]
    return dict.fromkeys([*own, *(up for up, downs in elsewhere.items() if key in downs)])


def _is_exposure(index: AssetIndex, key: str) -> bool:
    spec = index.assets.get(key)
    return spec is not None and EXPOSURE in spec.kinds


def jobs_of(definitions: Definitions, index: AssetIndex) -> dict[str, list[str]]:
    """The jobs that read or write each asset, or whose selection has it."""
    found: dict[str, dict[str, None]] = {}
    for job in definitions.jobs:
        for key in _touched(job, index):
            found.setdefault(key, {})[job.name] = None
    return {key: list(names) for key, names in found.items()}


def _touched(job: JobSpec, index: AssetIndex) -> list[str]:
    keys = [key for step in (job.plan.steps if job.plan else ()) for key in (*step.reads, *step.writes)]
    if job.plan is None and job.selection:
        with contextlib.suppress(SelectionError):
            keys += index.select(job.selection, lambda state: [])
    return keys
