"""Lineage of 10,000 tables with 20 columns each: read from the store, asked for both ways, renewed in part.

    python bench/column_lineage.py [tables] [columns]

The tables stand in ten rows; each is made by a query over three of the row above, which computes half of its columns
and aggregates one. A sample of the queries is read by sqlglot, and has to give what the generator knows. Prints one
figure a line, and JSON. Questions are asked as the API does, from the text of the name to the bytes of the answer.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from batuta.core import definitions as model
from batuta.core.columns import ColumnKind, ColumnLineage, ColumnSource, SqlSource, encode_lineage
from batuta.core.definitions import AssetDep, AssetSpec, Definitions
from batuta.engine.column_lineage import ColumnKnowledge, read
from batuta.runtime.project import Config, Project
from batuta.server.backend import Backend
from batuta.server.column_views import graph_of, impact_of
from batuta.sql.deriving import Query, Work, derive_all
from batuta.store import Store
from batuta.store.columns import DEFINITION, RUN
from batuta.store.rows import ColumnsRow

ROWS = 10
SAMPLE = 100
QUESTIONS = 1_000


def key(number: int, width: int) -> str:
    """The key of a table."""
    return f"{('bronze', 'silver', 'gold')[min(number // width * 3 // ROWS, 2)]}.table_{number}"


class Table:
    """One table: its query, and what that makes its columns of."""

    def __init__(self, number: int, width: int, columns: int) -> None:
        row, place = divmod(number, width)
        self.key = key(number, width)
        self.names = [f"c{n}" for n in range(columns)]
        self.ups = [key((row - 1) * width + (place + shift) % width, width) for shift in (0, 1, 7)] if row else []
        self.lineage = ColumnLineage(dict.fromkeys(self.names, ()))
        self.text = ""
        if self.ups:
            self._query()

    def _query(self) -> None:
        first, second, third = self.ups
        sources: dict[str, tuple[ColumnSource, ...]] = {}
        parts = []
        for place, name in enumerate(self.names):
            kind: ColumnKind = "identity"
            if place == len(self.names) - 1:
                kind, text = "aggregated", f"sum(b.{name})"
                sources[name] = (ColumnSource(second, name, kind),)
            elif place % 2:
                kind, text = "transformed", f"a.{name} + b.{name} * 2"
                sources[name] = (ColumnSource(first, name, kind), ColumnSource(second, name, kind))
            else:
                text = f"{'abc'[place % 3]}.{name}"
                sources[name] = (ColumnSource(self.ups[place % 3], name, kind),)
            parts.append(f"{text} as {name}")
        self.text = (
            f"select {', '.join(parts)} from {first} a join {second} b on a.c0 = b.c0 join {third} c on c.c0 = a.c0 "
            "where a.c1 > 0 group by all"
        )
        filtered = ColumnSource(first, "c1", "filter")
        joined = [ColumnSource(up, "c0", "join") for up in (first, second, third)]
        self.lineage = ColumnLineage(sources, (filtered, *joined))

    @property
    def spec(self) -> AssetSpec:
        """The asset."""
        source = SqlSource(self.text, "duckdb", {up: up for up in self.ups}) if self.text else None
        return AssetSpec(self.key, step=self.key, deps=tuple(map(AssetDep, self.ups)), sql=source)


def filled(store: Store, tables: list[Table]) -> None:
    """Put all into a store, as a scheduler and runs do."""
    definitions = Definitions(location="bench", assets=tuple(table.spec for table in tables))
    data = model.encode(definitions)
    assets = [(spec.key, msgspec.json.encode(spec)) for spec in definitions.assets]
    store.save_definitions("bench", model.content_hash(data), data, assets, now=1.0)
    rows = []
    for table in tables:
        schema = msgspec.json.encode([(name, "int64") for name in table.names])
        rows.append(ColumnsRow(table.key, RUN, "1", schema, b"{}", 1, 1.0))
        if table.text:
            rows.append(ColumnsRow(table.key, DEFINITION, "1", schema, encode_lineage(table.lineage), 0, 1.0))
    store.columns.put(rows)


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def asked(questions: list[Callable[[], object]]) -> dict[str, float]:
    """Milliseconds of questions."""
    each = sorted(timed(question) * 1e3 for question in questions)
    return {"median": statistics.median(each), "p99": each[int(len(each) * 0.99) - 1], "max": each[-1]}


def measure(count: int, columns: int, folder: str) -> dict[str, object]:
    """All figures."""
    width = max(count // ROWS, 8)
    tables = [Table(number, width, columns) for number in range(count)]
    figures: dict[str, object] = {"tables": count, "columns": count * columns}

    sample = [table for table in tables if table.text][:SAMPLE]
    known = {table.key: tuple(table.names) for table in tables}
    work = Work(tuple(Query(one.key, one.spec.sql) for one in sample if one.spec.sql is not None), known)
    derive_all(Work(work.queries[:1], known))
    figures["ms a query read by sqlglot"] = timed(lambda: derive_all(work)) / len(sample) * 1e3
    found = derive_all(work)
    wrong = [one.key for one in sample if set(found[one.key].lineage.rows) != set(one.lineage.rows)]
    wrong += [one.key for one in sample if found[one.key].lineage.columns != one.lineage.columns]
    if wrong:
        raise SystemExit(f"sqlglot and the generator do not agree on {wrong[0]}: {found[wrong[0]].lineage}")
    figures["ms a query that has not changed"] = (
        timed(lambda: derive_all(Work(work.queries, known, found))) / len(sample) * 1e3
    )

    with Store.open(Path(folder, "batuta.db")) as store:
        filled(store, tables)
        backend = Backend(store, Project(folder, Config()))
        _ = backend.catalog.index.graph
        figures["s from the store to the graph, once"] = timed(backend.columns)
        random.seed(1)
        some = [random.choice(tables) for _ in range(QUESTIONS)]
        refs = [f"{table.key}.{random.choice(table.names)}" for table in some]

        each = iter(refs)

        def question(ref: str, up: bool, rows: bool = False) -> Callable[[], object]:
            return lambda: msgspec.json.encode(
                graph_of(backend, ref, upstream=up, downstream=not up, depth=None, rows=rows, locations=None)
            )

        figures["ms upstream"] = asked([question(ref, True) for ref in refs])
        figures["ms downstream"] = asked([question(ref, False) for ref in refs])
        figures["ms upstream, with what decides the rows"] = asked(
            [question(ref, True, rows=True) for ref in refs[:200]]
        )
        figures["ms impact"] = asked([lambda: msgspec.json.encode(impact_of(backend, next(each), None))] * 500)
        deepest = f"{tables[-1].key}.c1"
        whole = graph_of(backend, deepest, upstream=True, downstream=False, depth=None, rows=True, locations=None)
        figures["columns upstream of the last table, with what decides the rows"] = len(whole.nodes)
        before = backend.columns()
        changed = read([ColumnsRow(tables[-1].key, DEFINITION, "2", b"[]", encode_lineage(tables[0].lineage), 0, 2.0)])
        told = read(store.columns.since())
        derived = {**told.definitions, **changed.definitions}
        figures["ms to renew it after one table has changed"] = (
            timed(lambda: ColumnKnowledge(before.index, told, derived, before)) * 1e3
        )
    return figures


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    columns = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(count, columns, folder)
    for name, figure in figures.items():
        shown = ", ".join(f"{k} {v:.2f}" for k, v in figure.items()) if isinstance(figure, dict) else figure
        print(f"{name}: {shown:.3f}" if isinstance(shown, float) else f"{name}: {shown}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
