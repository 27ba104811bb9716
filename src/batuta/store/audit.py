"""The audit log: who did what to what, when. Appended in the transaction of what it records, and never changed.

Its details (`data`) are for names and numbers. What is secret has no business there: nothing here masks it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from batuta.store.database import Database, Row, Transaction
from batuta.store.queries import numbered
from batuta.store.rows import Audit, AuditRow

_encode = msgspec.json.Encoder(enc_hook=str).encode
_decode = msgspec.json.Decoder().decode


def row_of(entry: Audit, now: float) -> Row:
    """As `put_audit` takes it."""
    return entry.at or now, entry.actor, entry.action, entry.kind, entry.name, _encode(entry.data).decode()


def append(transaction: Transaction, entries: Iterable[Audit], now: float) -> None:
    """Record entries as part of a transaction."""
    rows = [row_of(entry, now) for entry in entries]
    if rows:
        transaction.put([("put_audit", rows)])


def entries(
    database: Database[Any],
    *,
    actor: str | None = None,
    action: str | None = None,
    object_kind: str | None = None,
    object_name: str | None = None,
    since: float = 0.0,
    text: str = "",
    limit: int = 100,
    **page: Any,
) -> list[AuditRow]:
    """A page of entries, see `queries.numbered`. `text` is looked for in all that they say."""
    wanted: dict[str, Any] = {"actor": actor, "action": action, "object_kind": object_kind, "object_name": object_name}
    rows = numbered(database, "audit_entries", since=since, text=text, limit=limit, **page, **wanted)
    return [
        AuditRow(actor, action, kind, name, _decode(data), at, number)
        for number, at, actor, action, kind, name, data in rows
    ]
