"""The duty that keeps the slots of pools as people set them, and gives back what the dead have held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batuta.store.rows import Leader

if TYPE_CHECKING:
    from batuta.runtime.project import Project
    from batuta.scheduler.service import Service
    from batuta.store.store import Store

LOOK_S = 10.0


def effective_pools(project: Project, store: Store) -> dict[str, int]:
    """Slots by pool: those of the configuration, and over them what people have set in the store."""
    return {**project.config.pools, **{row.name: row.slots for row in store.pools()}}


class PoolDuty:
    """See the module."""

    name = "pools"
    leads = False

    def __init__(self, service: Service) -> None:
        self.pools = dict(service.project.config.pools)
        self._service = service
        self._shared = service.store.dialect == "postgresql"

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`."""
        service = self._service
        found = effective_pools(service.project, service.store)
        if found != self.pools:
            self.pools = found
            service.engine.set_pools(found)
        elif self._shared:
            service.engine.pools_freed()
        if self._shared:
            service.store.forget_left_slots()
        return now + LOOK_S
