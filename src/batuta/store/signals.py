"""Signals: what anybody sends by name, kept until it is old, for task runs that wait and sensors that read.

A signal is not taken away by who hears it. Ids are in the order in which signals became visible, so a reader that
remembers the last one it has seen misses none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from batuta.core.errors import RequestError
from batuta.core.triggers import NAME_CHARS_MAX
from batuta.store.database import Database, Row
from batuta.store.rows import SignalRow

DATA_BYTES_MAX = 1 << 20
_AT_A_TIME = 5_000
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def send(database: Database[Any], name: str, data: Any, *, by: str, now: float) -> int:
    """Send a signal; its id. Raises RequestError for a name or data that cannot be kept."""
    if not name or len(name) > NAME_CHARS_MAX:
        raise RequestError(f"a signal's name has 1 to {NAME_CHARS_MAX} characters, not {len(name)}", where=name[:40])
    try:
        text = _encode(data)
    except (TypeError, ValueError, OverflowError) as error:
        raise RequestError(f"the data of signal {name!r} are not JSON: {error}") from None
    if len(text) > DATA_BYTES_MAX:
        raise RequestError(
            f"the data of signal {name!r} have {len(text):,} bytes, at most {DATA_BYTES_MAX:,} are kept",
            hint="put them in a file or table, and send where that is",
        )
    with database.transaction() as transaction:
        transaction.lock("signals")
        transaction.put([("put_signals", [(name, now, text.decode(), by)])])
        transaction.notify("signals")
        return int(transaction.rows("last_signal_id")[0][0])


def after(database: Database[Any], name: str, after_id: int, limit: int) -> list[SignalRow]:
    """The signals of a name after the one with that id, oldest first."""
    return [_row(row) for row in database.rows("signals_after", name=name, after_id=after_id, limit=limit)]


def among(database: Database[Any], names: Iterable[str], sent_after: float) -> list[SignalRow]:
    """The signals of these names that were sent later than that, oldest first, so many as fit in one answer."""
    listed = json.dumps(sorted(set(names)))
    return [_row(row) for row in database.rows("signals_among", keys=listed, after=sent_after, limit=_AT_A_TIME)]


def _row(row: Row) -> SignalRow:
    number, name, at, data, by = row
    return SignalRow(id=number, name=name, at=at, data=_decode(data), sent_by=by)
