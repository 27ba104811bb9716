"""The audit log: who did what to what, when. Appended in the transaction of what it records, and never changed.

Its details (`data`) are for names and numbers. What is secret has no business there: nothing here masks it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from batuta.store.database import Database, Row, Transaction
from batuta.store.rows import Audit, AuditRow

_encode = msgspec.json.Encoder(enc_hook=str).encode
_decode = msgspec.json.Decoder().decode
NEWEST = 2**63 - 1


def row_of(entry: Audit, now: float) -> Row:
    """As `put_audit` takes it."""
    return entry.at or now, entry.actor, entry.action, entry.kind, entry.name, _encode(entry.data).decode()


def append(transaction: Transaction, entries: Iterable[Audit], now: float) -> None:
    """Record entries as part of a transaction."""
    rows = [row_of(entry, now) for entry in entries]
    if rows:
        transaction.put([("put_audit", rows)])


def entries(
    database: Database[Any], *, since: float = 0.0, before: int | None = None, limit: int = 100, **filters: str | None
) -> list[AuditRow]:
    """Entries, newest first. Filters: actor, action, object_kind, object_name."""
    given = dict.fromkeys(("actor", "action", "object_kind", "object_name")) | filters
    rows = database.rows("audit_entries", since=since, before=before or NEWEST, limit=limit, **given)
    return [
        AuditRow(actor, action, kind, name, _decode(data), at, number)
        for number, at, actor, action, kind, name, data in rows
    ]
