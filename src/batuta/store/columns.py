"""What is known of the columns of assets: found in their definitions, and reported by the runs that made them.

Both are kept, one beside the other, as rows of `asset_columns`: by `source`, "definition" or "run". Each is replaced
as a whole by what is told later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from batuta.store.database import Database, Row
from batuta.store.rows import ColumnsRow

DEFINITION = "definition"
RUN = "run"


class ColumnsBook:
    """See the module."""

    def __init__(self, database: Database[Any]) -> None:
        self._database = database

    def put(self, rows: Iterable[ColumnsRow]) -> None:
        """Keep what was found; of several rows of one asset and source the last counts."""
        found = columns_rows(rows)
        if found:
            with self._database.transaction() as transaction:
                transaction.put([("put_asset_columns", found)])

    def forget(self, source: str, assets: Iterable[str]) -> None:
        """Forget what a source told of these assets."""
        with self._database.transaction() as transaction:
            transaction.run("delete_asset_columns", source=source, assets=json.dumps([*assets]))

    def since(self, at: float = 0.0) -> list[ColumnsRow]:
        """All that was told since a time (seconds since the epoch)."""
        return [_row(row) for row in self._database.rows("asset_columns_since", since=at)]

    def of(self, assets: Iterable[str]) -> list[ColumnsRow]:
        """What is known of these assets."""
        return [_row(row) for row in self._database.rows("asset_columns_of", assets=json.dumps([*assets]))]

    def newest(self) -> tuple[float, int]:
        """When something was told last, and how many rows there are: changes with all that is told."""
        ((at, count),) = self._database.rows("asset_columns_newest")
        return float(at), int(count)


def columns_rows(rows: Iterable[ColumnsRow]) -> list[Row]:
    """The rows of a commit: one for each key, in one order, so that two commits never wait for each other."""
    last = {(row.asset, row.source): row for row in rows}
    return [
        (row.asset, row.source, row.hash, row.columns.decode(), row.lineage.decode(), row.run_id, row.at)
        for _, row in sorted(last.items())
    ]


def _row(row: Row) -> ColumnsRow:
    asset, source, digest, columns, lineage, run_id, at = row
    return ColumnsRow(asset, source, digest, columns.encode(), lineage.encode(), run_id, at)
