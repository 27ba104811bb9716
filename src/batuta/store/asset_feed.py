"""What happens to assets, for whoever follows it: news in the order in which it was committed, and none is missed.

Surprising: the numbers of runs are in no such order (PostgreSQL gives them out before a commit), so what is being made
is asked for as it stands, and compared with what was known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from batuta.store.database import Database
from batuta.store.queries import check_row, materialization_row, run_row
from batuta.store.rows import CheckRow, MaterializationRow, RunRow, TickRow
from batuta.store.service import tick_row

CHUNK = 5_000


class Read(NamedTuple):
    """How far a reader has read: the last materialization and the last check result that it knows."""

    made: int = 0
    judged: int = 0


class AssetFeed:
    """See the module."""

    def __init__(self, database: Database[Any]) -> None:
        self._database = database

    def newest(self) -> Read:
        """How far one could read now."""
        made, judged = self._database.rows("last_asset_ids")[0]
        return Read(made, judged)

    def made_since(self, after_id: int, limit: int = CHUNK) -> list[tuple[int, MaterializationRow]]:
        """Materializations after the one of that id, oldest first, with their ids."""
        rows = self._database.rows("materializations_since", after_id=after_id, limit=limit)
        return [(row[-1], materialization_row(row)) for row in rows]

    def judged_since(self, after_id: int, limit: int = CHUNK) -> list[tuple[int, CheckRow]]:
        """Check results after the one of that id, oldest first, with their ids."""
        rows = self._database.rows("check_results_since", after_id=after_id, limit=limit)
        return [(row[-1], check_row(row)) for row in rows]

    def unfinished(self) -> dict[int, str]:
        """The runs of assets that have not ended, and the addresses of their plans."""
        rows: list[Any] = self._database.rows("unfinished_asset_runs")
        return dict(rows)

    def runs(self, ids: Iterable[int]) -> dict[int, RunRow]:
        """Runs by id; those that were pruned are left out."""
        listed = json.dumps(list(ids))
        return {row[0]: run_row(row) for row in self._database.rows("runs_listed", ids=listed)}

    def keyed(self, scope: str, keys: Iterable[str]) -> dict[str, int]:
        """The runs that were created under these keys."""
        rows: list[Any] = self._database.rows("keys_taken", scope=scope, keys=json.dumps(list(keys)))
        return dict(rows)

    def switched(self, kind: str) -> dict[tuple[str, str], bool]:
        """The tickers of a kind that a person has turned on or off."""
        return {(at, name): bool(on) for at, name, on in self._database.rows("switched_tickers", kind=kind)}

    def latest_ticks(self, kind: str) -> list[TickRow]:
        """The newest tick of each ticker of a kind."""
        return [tick_row(row) for row in self._database.rows("latest_ticks", kind=kind)]
