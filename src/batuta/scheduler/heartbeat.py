"""The duty that says in the store that this process lives, and looks after what has no duty of its own."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

from batuta.store.rows import Leader, ProcessRow

if TYPE_CHECKING:
    from batuta.scheduler.service import Service

BEAT_S = 5.0


class HeartbeatDuty:
    """See the module."""

    name = "heartbeat"
    leads = False

    def __init__(self, service: Service, kind: str) -> None:
        self._service = service
        self._kind = kind

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`."""
        service = self._service
        row = ProcessRow(
            id=service.process_id,
            kind=self._kind,
            host=socket.gethostname(),
            pid=os.getpid(),
            started_at=service.started_at,
            seen_at=now,
            info=self._info(),
        )
        service.store.put_process(row)
        return now + BEAT_S

    def _info(self) -> dict[str, Any]:
        service = self._service
        return {
            "project": service.project.root,
            "url": service.url,
            "runs": len(service.engine.run_ids),
            "configuration": service.configuration.file.info(),
            "locations": {
                each.name: {
                    "version": each.current.hash if each.current is not None else "",
                    "trouble": str(each.trouble) if each.trouble is not None else "",
                }
                for each in service.locations
            },
            "duties": {
                name: {"failures": thread.failures, "ran_at": thread.ran_at, "took_s": thread.took_s}
                for name, thread in service.duties.items()
            },
        }
