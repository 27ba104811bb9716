"""What is known of the columns of assets, put together from three tellers: declared, found in SQL, reported by runs.

What is declared counts over all else. Of a query, what was found in its text counts, unless that has gaps that a run,
which saw the columns that were there, had not. Surprising: known columns are those that a run has seen, even where the
definition has changed since; those that only the definition names come after them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from batuta.core.columns import ANY_COLUMN, Column, ColumnLineage
from batuta.core.definitions import AssetSpec

Teller = Literal["declared", "definition", "run", ""]


class Told(NamedTuple):
    """What one source tells of an asset: its columns with types, and what they are made from."""

    columns: tuple[tuple[str, str], ...] = ()
    lineage: ColumnLineage | None = None


class ColumnFacts(NamedTuple):
    """What is known of one asset. `teller`: who told its lineage; "": nobody."""

    columns: tuple[Column, ...]
    lineage: ColumnLineage | None
    teller: Teller


NOTHING = Told()


def facts_of(spec: AssetSpec, definition: Told = NOTHING, run: Told = NOTHING) -> ColumnFacts:
    """What is known of an asset. `definition`: found in its query; `run`: reported when it was made last."""
    lineage, teller = _lineage(spec, definition.lineage, run.lineage)
    return ColumnFacts(_columns(spec, definition.lineage, run.columns), lineage, teller)


def _lineage(
    spec: AssetSpec, definition: ColumnLineage | None, run: ColumnLineage | None
) -> tuple[ColumnLineage | None, Teller]:
    if spec.column_lineage is not None:
        return spec.column_lineage, "declared"
    if spec.sql is not None and definition is not None:
        if definition.gaps and run is not None and not run.gaps:
            return run, "run"
        return definition, "definition"
    return run, "run" if run is not None else ""


def _columns(spec: AssetSpec, definition: ColumnLineage | None, seen: Iterable[tuple[str, str]]) -> tuple[Column, ...]:
    declared = {column.name.casefold(): column for column in spec.columns}
    found: dict[str, Column] = {}
    for name, kind in seen:
        said = declared.get(name.casefold())
        found[name.casefold()] = Column(name, kind, said.description if said else "", said.tags if said else ())
    named = [column.name for column in spec.columns]
    named += [name for name in (definition.columns if definition is not None else ()) if name != ANY_COLUMN]
    for name in named:
        if name.casefold() not in found:
            found[name.casefold()] = declared.get(name.casefold()) or Column(name)
    return tuple(found.values())


def known_names(spec: AssetSpec, run: Told) -> tuple[str, ...]:
    """The columns of an asset for queries that read it: as it was made last, else as they are declared.

    Of an asset that has a query they are those that this gives.
    """
    if run.columns:
        return tuple(name for name, _ in run.columns)
    return tuple(column.name for column in spec.columns)


def readers_order(specs: Mapping[str, AssetSpec], order: Iterable[str]) -> list[AssetSpec]:
    """The assets that have a query, those first that others read. `order`: all keys, upstream first."""
    return [specs[key] for key in order if key in specs and specs[key].sql is not None]
