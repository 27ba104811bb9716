"""What the columns of a Python asset are made from: as its author says, or as the plan of a LazyFrame shows.

`column_lineage={"amount": ["silver.orders.cents"]}` of an asset, or of a result, counts over what is found in a plan.

A source is `asset.column`, or (asset or its key, column), or (asset, column, kind) where more is to be said than that
something is computed of it. The column "" stands for the rows of the asset: its sources decide which there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, get_args

from batuta.authoring.asset_definitions import key_of
from batuta.core.columns import ColumnKind, ColumnLineage, ColumnSource, RowKind
from batuta.core.errors import DefinitionError, RequestError, nearest

_ROWS = ""
_HINT = 'write {"amount": ["silver.orders.cents"], "day": ("silver.orders", "day", "identity")}; "" stands for the rows'


def declared(said: Any, deps: Collection[str] | None, where: str) -> ColumnLineage:
    """What an author said. `deps`: the assets that may be named; None: any. Raises DefinitionError."""
    if isinstance(said, ColumnLineage):
        return said
    if not isinstance(said, Mapping):
        raise DefinitionError(f"column_lineage is {said!r}", where=where, hint=_HINT)
    columns: dict[str, tuple[ColumnSource, ...]] = {}
    rows: tuple[ColumnSource, ...] = ()
    for name, sources in said.items():
        found = tuple(_source(one, deps, name, where) for one in _each(sources))
        if name == _ROWS:
            rows = found
        else:
            columns[str(name)] = found
    return ColumnLineage(columns, rows)


def of_plan(frame: Any, scans: Mapping[str, str]) -> ColumnLineage | None:
    """The lineage of a LazyFrame. `scans`: which asset each file is of. None where nothing of it can be told."""
    from batuta.io.polars_plan import NotReadable, lineage_of_plan

    try:
        return lineage_of_plan(frame, scans)
    except NotReadable as error:
        return ColumnLineage(gaps=(f"{error}",))
    except Exception as error:  # the form of plans is Polars' own, and may be another with the next version
        return ColumnLineage(gaps=(f"its plan cannot be read: {type(error).__name__}",))


def scans_of(frame: Any) -> list[str]:
    """The files that a LazyFrame scans; none where that cannot be told."""
    from batuta.io.polars_plan import scanned

    try:
        return scanned(frame)
    except Exception:
        return []


def _each(sources: Any) -> Iterable[Any]:
    if isinstance(sources, str) or (isinstance(sources, tuple) and len(sources) in (2, 3) and _is_triple(sources)):
        return (sources,)
    return sources if isinstance(sources, Sequence | set | frozenset) else (sources,)


def _is_triple(sources: tuple[Any, ...]) -> bool:
    """Whether a tuple is one source rather than several."""
    if len(sources) == 3:
        return sources[2] in (*get_args(ColumnKind), *get_args(RowKind))
    return not isinstance(sources[0], str) or "." not in str(sources[1])


def _source(given: Any, deps: Collection[str] | None, column: str, where: str) -> ColumnSource:
    kinds = get_args(RowKind) if column == _ROWS else get_args(ColumnKind)
    kind = "filter" if column == _ROWS else "transformed"
    if isinstance(given, str):
        asset, name = _split(given, deps, where)
    elif isinstance(given, tuple) and len(given) in (2, 3):
        asset, name = key_of(given[0], where), str(given[1])
        kind = given[2] if len(given) == 3 else kind
    else:
        raise DefinitionError(f"{given!r} is no source of column {column!r}", where=where, hint=_HINT)
    if kind not in kinds:
        hint = nearest(str(kind), kinds) or f"kinds are {', '.join(kinds)}"
        raise DefinitionError(f"{kind!r} is no kind of source of column {column!r}", where=where, hint=hint)
    if deps is not None and asset not in deps:
        hint = nearest(asset, deps) or f"it depends on {', '.join(deps) or 'nothing'}"
        raise DefinitionError(f"column {column!r} is made from {asset!r}, which is not read", where=where, hint=hint)
    return ColumnSource(asset, name, kind)  # type: ignore[arg-type]


def _split(text: str, deps: Collection[str] | None, where: str) -> tuple[str, str]:
    from batuta.core.column_graph import split_column

    try:
        asset, column = split_column(text, deps or ())
    except RequestError:
        asset, column = text.rpartition(".")[::2]
    if not (asset and column):
        raise DefinitionError(f"{text!r} names no column of an asset", where=where, hint=_HINT)
    return asset, column
