"""The duty that finds what columns are made from in queries that have changed, and keeps it for whoever asks.

It looks at definitions that were loaded anew, and at columns that runs have told; where neither has changed it does
nothing. Many queries are read in a process of their own, so that the engine beside it is not held up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from batuta.core.errors import BatutaError, DefinitionError
from batuta.engine.column_lineage import derive, read, rows_of
from batuta.store.rows import Leader

if TYPE_CHECKING:
    from batuta.scheduler.service import Service

LOOK_S = 15.0


class ColumnDuty:
    """See the module."""

    name = "column_lineage"
    leads = True

    def __init__(self, service: Service) -> None:
        self._service = service
        self._seen: object = None

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`."""
        service = self._service
        try:
            index = service.locations.assets_for().index
        except BatutaError:  # the only location does not load
            return now + LOOK_S
        if not any(spec.sql is not None for spec in index.assets.values()):
            return now + LOOK_S
        newest = service.store.columns.newest()
        if (index, newest) == self._seen:
            return now + LOOK_S
        known = read(service.store.columns.since())
        try:
            rows = rows_of(derive(index, known), known, now)
        except DefinitionError:  # no sqlglot here: what others have found is what there is
            rows = []
        service.store.columns.put(rows)
        self._seen = index, service.store.columns.newest() if rows else newest
        return now + LOOK_S
