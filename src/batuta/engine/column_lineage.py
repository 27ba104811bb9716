"""Lineage of columns of a location: derived from its queries where they have changed, kept in the store, as one graph.

Queries are read by sqlglot in this process where they are few, and in one of their own where they are many. Where
sqlglot is not installed, or the store may only be read, what is known already is what there is.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from batuta.core.asset_index import AssetIndex
from batuta.core.column_facts import NOTHING, ColumnFacts, Told, facts_of, known_names, readers_order
from batuta.core.column_graph import ColumnGraph
from batuta.core.columns import ColumnLineage, decode_lineage, encode_lineage
from batuta.core.errors import DefinitionError, StoreError
from batuta.core.external_lineage import External
from batuta.engine.external import with_told
from batuta.sql.deriving import Derived, Query, Work, derive_all
from batuta.store.columns import DEFINITION, RUN
from batuta.store.rows import ColumnsRow
from batuta.store.store import Store

FEW = 25
"""So many queries are read where they are asked for; more have a process of their own."""
_columns = msgspec.json.Decoder(tuple[tuple[str, str], ...])


class Known(NamedTuple):
    """What the store knows of columns: by asset, what runs told, and what was found in definitions."""

    runs: dict[str, Told]
    definitions: dict[str, Derived]


def read(rows: Iterable[ColumnsRow]) -> Known:
    """Rows of the store as what they say."""
    known = Known({}, {})
    for row in rows:
        lineage = decode_lineage(row.lineage) if row.lineage != b"{}" else None
        if row.source == RUN:
            known.runs[row.asset] = Told(_columns.decode(row.columns), lineage)
        elif row.source == DEFINITION:
            known.definitions[row.asset] = Derived(row.hash, lineage or ColumnLineage())
    return known


def derive(index: AssetIndex, known: Known, *, apart: bool = True) -> dict[str, Derived]:
    """The lineage of all queries, of which only those are read that have changed.

    `apart`: many in a process of their own. Raises DefinitionError where sqlglot is not there.
    """
    specs = readers_order(index.assets, index.graph.order)
    queries = tuple(Query(spec.key, spec.sql) for spec in specs if spec.sql is not None)
    if not queries:
        return {}
    read_too = {key for query in queries for key in query.source.tables.values()}
    names = {
        key: known_names(index.assets[key], known.runs.get(key, NOTHING)) for key in read_too if key in index.assets
    }
    work = Work(queries, {key: found for key, found in names.items() if found}, known.definitions)
    new = sum(query.asset not in known.definitions for query in queries)
    return _apart(work) if apart and new > FEW else derive_all(work)


def _apart(work: Work) -> dict[str, Derived]:
    """In a process of its own, which is nice to others."""
    command = [sys.executable, "-m", "batuta.sql.deriving"]
    path = os.pathsep.join(each for each in sys.path if each)
    try:
        made = subprocess.run(
            command, input=msgspec.msgpack.encode(work), capture_output=True, env={**os.environ, "PYTHONPATH": path}
        )
        if made.returncode == 0:
            return msgspec.msgpack.decode(made.stdout, type=dict[str, Derived])
    except (OSError, msgspec.DecodeError):
        pass
    return derive_all(work)  # where processes cannot be started; else it says what is wrong


def rows_of(derived: Mapping[str, Derived], known: Known, now: float) -> list[ColumnsRow]:
    """What is new among what was derived, as rows for the store."""
    return [
        ColumnsRow(asset, DEFINITION, one.hash, _names(one.lineage), encode_lineage(one.lineage), 0, now)
        for asset, one in derived.items()
        if (before := known.definitions.get(asset)) is None or before.hash != one.hash
    ]


def _names(lineage: ColumnLineage) -> bytes:
    return msgspec.json.encode([(name, "") for name in lineage.columns])


class ColumnKnowledge:
    """What is known of the columns of all assets of an index, at one time.

    `before`: what was known until then, of which all that is still so is kept.
    """

    def __init__(
        self,
        index: AssetIndex,
        known: Known,
        derived: Mapping[str, Derived],
        before: ColumnKnowledge | None = None,
    ) -> None:
        self.index = index
        self.facts: dict[str, ColumnFacts] = {}
        earlier = before.facts if before is not None else {}
        for key, spec in index.assets.items():
            found = derived.get(key)
            definition = NOTHING if found is None else Told((), found.lineage)
            facts = facts_of(spec, definition, known.runs.get(key, NOTHING))
            if facts.columns or facts.lineage is not None:
                was = earlier.get(key)
                self.facts[key] = was if was == facts and was is not None else facts
        self.graph: ColumnGraph = ColumnGraph() if before is None else before.graph
        changed = {key: one for key, one in self.facts.items() if earlier.get(key) is not one}
        gone = [key for key in earlier if key not in self.facts or (key in changed and changed[key].lineage is None)]
        if gone:
            self.graph = self.graph.updated({}, gone=gone)
        if changed:
            lineages = {key: one.lineage for key, one in changed.items() if one.lineage is not None}
            names = {key: [column.name for column in one.columns] for key, one in changed.items()}
            self.graph = self.graph.updated(lineages, names)


def knowledge(index: AssetIndex, store: Store | None, external: External | None = None) -> ColumnKnowledge:
    """What is known, derived anew where queries have changed, and kept where the store can be written."""
    known = read(store.columns.since()) if store is not None else Known({}, {})
    try:
        derived = derive(index, known)
    except DefinitionError:  # sqlglot is not there: what others have found
        derived = known.definitions
    if store is not None and (rows := rows_of(derived, known, time.time())):
        with contextlib.suppress(StoreError):  # it may only be read
            store.columns.put(rows)
    if external is not None:
        index, known = external.with_index(index), known._replace(runs=with_told(known.runs, external.told))
    return ColumnKnowledge(index, known, derived)
