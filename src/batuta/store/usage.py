"""How often assets are read and by whom, by day; and what was recorded of an asset before.

Surprising: reads are counted in the commit that records them, so a step that is run again after a crash counts again
only where it read again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from batuta.store.database import Database, Row
from batuta.store.rows import UsageRow

DAY_S = 86_400
KEPT_DAYS = 400
"""How long it is remembered who read what."""
READERS_MAX = 1_000


class Usage(NamedTuple):
    """How often an asset was read, by how many readers, and when last (seconds since the epoch)."""

    reads: int
    readers: int
    last_at: float


class Reader(NamedTuple):
    """Who read an asset: `kind` and `reader` as in `UsageRow`; `last_run` is 0 where none was involved."""

    kind: str
    reader: str
    reads: int
    last_at: float
    last_run: int


class Before(NamedTuple):
    """What was recorded of one partition, or at one time: its metadata as JSON."""

    partition: str
    at: float
    metadata: bytes


class UsageBook:
    """See the module."""

    def __init__(self, database: Database[Any]) -> None:
        self._database = database

    def add(self, rows: Iterable[UsageRow]) -> None:
        """Count reads that no run recorded, such as a look at some rows."""
        found = used_rows(rows)
        if found:
            with self._database.transaction() as transaction:
                transaction.each([("put_asset_usage", found)])

    def totals(self, since_day: int, assets: Iterable[str] | None = None) -> dict[str, Usage]:
        """Of each asset (or of these) that was read since a day."""
        listed = None if assets is None else json.dumps([*assets])
        rows = self._database.rows("usage_totals", since=since_day, assets=listed)
        return {row[0]: Usage(int(row[1]), int(row[2]), row[3]) for row in rows}

    def readers(self, asset: str, since_day: int) -> list[Reader]:
        """Who read an asset since a day, most reads first."""
        rows = self._database.rows("usage_readers", asset=asset, since=since_day, limit=READERS_MAX)
        return [Reader(row[0], row[1], int(row[2]), row[3], row[4]) for row in rows]

    def days(self, asset: str, since_day: int) -> list[tuple[int, int]]:
        """On which days (since 1970, UTC) an asset was read how often."""
        return [(row[0], int(row[1])) for row in self._database.rows("usage_days", asset=asset, since=since_day)]

    # ---- what was before ----

    def metadata_before(self, asset: str, partition: str, limit: int) -> list[Before]:
        """What is recorded of the partitions before one in the order of their keys, the nearest first."""
        return self._before("metadata_before", asset=asset, partition=partition, limit=limit)

    def verdicts_before(self, asset: str, check: str, partition: str, limit: int) -> list[Before]:
        """The same of the verdicts of a check."""
        return self._before("verdicts_before", asset=asset, check=check, partition=partition, limit=limit)

    def _before(self, name: str, **params: Any) -> list[Before]:
        return [Before(row[0], row[1], row[2].encode()) for row in self._database.rows(name, **params)]


def used_rows(rows: Iterable[UsageRow]) -> list[Row]:
    """The rows of a commit: one for each key, in one order, so that two commits never wait for each other."""
    found: dict[tuple[str, str, str, int], list[Any]] = {}
    for row in rows:
        one = found.setdefault((row.asset, row.kind, row.reader, row.day), [0, 0.0, 0])
        one[0] += row.reads
        one[1:] = max(one[1], row.last_at), row.last_run
    return [(*key, *one) for key, one in sorted(found.items())]
