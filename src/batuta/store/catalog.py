"""Writing what code locations define, and the keys of dynamic partitions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from batuta.store.database import Database


def save_definitions(
    database: Database[Any],
    location: str,
    content_hash: str,
    data: bytes,
    assets: Iterable[tuple[str, bytes]],
    now: float,
) -> bool:
    """Replace what a code location defines; False where nothing had changed. Only assets that differ are written."""
    found = database.rows("definitions_at", location=location)
    with database.transaction() as transaction:
        if found and found[0][1] == content_hash:
            transaction.run("touch_definitions", of_location=location, at=now, new_error="", new_problems="[]")
            return False
        wanted = {key: asset.decode() for key, asset in assets}
        known = {row[0]: row[2] for row in transaction.rows("assets_defined", location=location)}
        row = {
            "location": location,
            "hash": content_hash,
            "data": data,
            "loaded_at": now,
            "error": "",
            "problems": "[]",
        }
        transaction.run("put_definitions", **row)
        gone = sorted(known.keys() - wanted.keys())
        if gone:
            transaction.run("delete_asset_definitions", location=location, keys=json.dumps(gone))
        new = [(key, location, asset) for key, asset in sorted(wanted.items()) if known.get(key) != asset]
        if new:
            transaction.put([("put_asset_definitions", new)])
    return True


def fail_definitions(database: Database[Any], location: str, error: str, problems: str, now: float) -> None:
    """Record that a code location cannot be loaded; what it defined before stays."""
    with database.transaction() as transaction:
        told = {"new_error": error, "new_problems": problems}
        if not transaction.run("touch_definitions", of_location=location, at=now, **told):
            row = {
                "location": location,
                "hash": "",
                "data": b"",
                "loaded_at": now,
                "error": error,
                "problems": problems,
            }
            transaction.run("put_definitions", **row)


def delete_definitions(database: Database[Any], location: str) -> bool:
    """Forget a code location; False where it was not known. What its jobs did stays."""
    with database.transaction() as transaction:
        return transaction.run("delete_definitions", location=location) > 0


def add_dynamic_partitions(database: Database[Any], name: str, keys: Iterable[str], now: float) -> int:
    """Add keys; how many of them are new."""
    rows = [(name, key, now) for key in dict.fromkeys(keys)]
    if not rows:
        return 0
    with database.transaction() as transaction:
        return transaction.each([("put_dynamic_partitions", rows)])[0]


def delete_dynamic_partitions(database: Database[Any], name: str, keys: Iterable[str]) -> int:
    """Delete keys; how many there were. Materializations of those partitions stay."""
    with database.transaction() as transaction:
        return transaction.run("delete_partitions", name=name, keys=json.dumps([*keys]))
