"""What is known of columns, as the server keeps it: read from the store, renewed in part where definitions or runs tell
more. The server reads no SQL: a scheduler (or the command line) has found what queries say."""

from __future__ import annotations

import threading
import time

from batuta.core.external_lineage import External
from batuta.engine.column_lineage import ColumnKnowledge, read
from batuta.engine.external import with_told
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
        self._version: object = None
        self._external: External | None = None
        self._found: ColumnKnowledge | None = None
        self._looked_at = 0.0

    def current(self, catalog: Catalog, external: External) -> ColumnKnowledge:
        """What is known, at most `LOOK_S` old."""
        with self._lock:
            told = self._look()
            if self._found is None or told or self._version != catalog.version or self._is_news(external):
                known = self._known._replace(runs=with_told(self._known.runs, external.told))
                index = external.with_index(catalog.index)
                self._found = ColumnKnowledge(index, known, known.definitions, self._found)
                self._version, self._external = catalog.version, external
            return self._found

    def _is_news(self, external: External) -> bool:
        """Whether what runs elsewhere tells something else of columns than at the last look."""
        known = self._external
        if external is known:
            return False
        if known is None or external.told != known.told or external.assets != known.assets:
            return True
        self._external = external
        return False

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
