"""What is known of columns, as the server keeps it: read from the store, renewed in part where definitions or runs tell
more. The server reads no SQL: a scheduler (or the command line) has found what queries say."""

from __future__ import annotations

import threading
import time

from batuta.engine.column_lineage import ColumnKnowledge, read
from batuta.server.catalog import Catalog
from batuta.store.rows import ColumnsRow
from batuta.store.store import Store

LOOK_S = 1.0
OVERLAP_S = 300.0
"""By so much clocks of those who write may differ."""


class ColumnsKeeper:
    """Gives what is known now. Safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._hashes: dict[tuple[str, str], str] = {}
        self._newest = (0.0, 0)
        self._known = read(())
        self._catalog: object = None
        self._found: ColumnKnowledge | None = None
        self._looked_at = 0.0

    def current(self, catalog: Catalog) -> ColumnKnowledge:
        """What is known, at most `LOOK_S` old."""
        with self._lock:
            told = self._look()
            if self._found is None or told or self._catalog != catalog.version:
                self._found = ColumnKnowledge(catalog.index, self._known, self._known.definitions, self._found)
                self._catalog = catalog.version
            return self._found

    def _look(self) -> bool:
        """Whether the store knows more than at the last look."""
        if self._found is not None and time.monotonic() - self._looked_at < LOOK_S:
            return False
        self._looked_at = time.monotonic()
        newest = self._store.columns.newest()
        if newest == self._newest:
            return False
        new = [row for row in self._store.columns.since(self._newest[0] - OVERLAP_S) if self._is_new(row)]
        self._newest = newest
        told = read(new)
        self._known.runs.update(told.runs)
        self._known.definitions.update(told.definitions)
        return bool(new)

    def _is_new(self, row: ColumnsRow) -> bool:
        key = row.asset, row.source
        if self._hashes.get(key) == row.hash:
            return False
        self._hashes[key] = row.hash
        return True
