"""The files that versions of code locations were loaded from: each text once, by its hash, compressed.

A version (a hash of what is defined) stays the same while bodies of functions change, so a file of it may have had
several texts: each is kept with the time at which it was loaded. Pruned with the runs that ran it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from batuta.core.plan import content_hash
from batuta.store.database import Database, Transaction


class Sources:
    """See the module. Made by `Store.sources`; safe to use from many threads."""

    def __init__(self, database: Database[Any]) -> None:
        self._database = database

    def keep(self, location: str, version: str, texts: Mapping[str, str], *, now: float) -> int:
        """Keep what these files said when this version was loaded; how many were not kept so yet."""
        data = {file: text.encode() for file, text in texts.items()}
        hashes = {file: content_hash(text) for file, text in data.items()}
        with self._database.transaction() as transaction:
            transaction.lock("sources")
            known: dict[str, str] = dict(transaction.rows("newest_sources", location=location, version=version))
            new = sorted(file for file, one in hashes.items() if known.get(file) != one)
            if new:
                compressed = {hashes[file]: zlib.compress(data[file]) for file in new}
                for one, text in sorted(compressed.items()):
                    transaction.run("put_source", hash=one, data=text)
                transaction.put(
                    [("put_source_files", [(location, version, file, now, hashes[file]) for file in new])],
                )
        return len(new)

    def text(self, location: str, version: str, file: str, at: float | None = None) -> str | None:
        """What a file of this version said when a run began at that time, or last; None where that was not kept."""
        given = {"location": location, "version": version, "file": file}
        rows = self._database.rows("source_at", at=at, **given) or self._database.rows("first_source", **given)
        return zlib.decompress(bytes(rows[0][0])).decode("utf-8", "replace") if rows else None


def forget_unused(transaction: Transaction, cutoff: float, limit: int) -> int:
    """Forget texts loaded before `cutoff` that no run ran, but for those that serve now."""
    transaction.lock("sources")
    count = transaction.run("delete_source_files", cutoff=cutoff, limit=limit)
    rows = transaction.rows("unused_sources", limit=limit)
    if rows:
        transaction.run("delete_sources", hashes=json.dumps([row[0] for row in rows]))
    return count
