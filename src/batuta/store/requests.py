"""Messages to whichever engine executes a run: stop it, answer it. Any process writes them, that engine takes them.

A request is deleted once what it asks for is recorded as an event of the run, so a crash in between repeats it; all of
them may be repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from batuta.store.claims import no_such_run
from batuta.store.database import Database
from batuta.store.rows import RunRequestRow

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def put(database: Database[Any], run_id: int, kind: str, data: dict[str, Any], *, by: str, now: float) -> None:
    """Leave a request for the engine of a run. Raises RequestError where there is no such run."""
    if not database.rows("run", run_id=run_id):
        raise no_such_run(database, run_id)
    with database.transaction() as transaction:
        transaction.put([("put_run_requests", [(run_id, kind, _encode(data).decode(), by, now)])])
        transaction.notify("requests")


def waiting(database: Database[Any], run_ids: Iterable[int]) -> list[RunRequestRow]:
    """The requests to these runs, oldest first."""
    rows = database.rows("requests_to", ids=json.dumps(sorted(run_ids)))
    return [RunRequestRow(run_id, kind, _decode(data), by, at, number) for number, run_id, kind, data, by, at in rows]


def to_idle(database: Database[Any], now: float) -> list[RunRequestRow]:
    """The requests to runs that no engine executes, oldest first."""
    rows = database.rows("requests_to_idle", now=now)
    return [RunRequestRow(run_id, kind, _decode(data), by, at, number) for number, run_id, kind, data, by, at in rows]


def done(database: Database[Any], ids: Iterable[int]) -> None:
    """Delete requests that have been carried out."""
    with database.transaction() as transaction:
        transaction.run("delete_requests", ids=json.dumps(sorted(ids)))
