"""The processes of the service, as they say in the store that they live."""

from __future__ import annotations

from typing import Any

from batuta.server.backend import Backend
from batuta.server.routes.health import ALIVE_S
from batuta.server.shapes.base import at
from batuta.server.shapes.health import Process
from batuta.store.rows import ProcessRow

KNOWN_S = 86_400.0


def alive_processes(backend: Backend, *, since_s: float = KNOWN_S) -> list[Process]:
    """Those that were seen within a day, oldest first; one that ended as it should is forgotten at once."""
    now = backend.clock()
    return [
        Process(
            id=row.id,
            kind=row.kind,
            host=row.host,
            pid=row.pid,
            started_at=at(row.started_at),
            seen_at=at(row.seen_at),
            alive=row.seen_at > now - ALIVE_S,
            waiting_for_restart=_configuration(row).get("waiting", []),
            configuration_error=_configuration(row).get("error", ""),
        )
        for row in backend.store.processes(now - since_s)
    ]


def _configuration(row: ProcessRow) -> dict[str, Any]:
    return row.info.get("configuration") or {}
