"""The duty that takes on what has changed in batuta.toml while the service runs, see `runtime.config_changes`.

It looks when it is woken, by who watches files, or when somebody asks for a reload.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from batuta.runtime.config_changes import Change, ConfigFile
from batuta.runtime.service_log import set_level
from batuta.store.rows import Leader

if TYPE_CHECKING:
    from batuta.scheduler.service import Service


class ConfigurationDuty:
    """See the module."""

    name = "configuration"
    leads = False

    def __init__(self, service: Service, kind: str) -> None:
        self._service = service
        self.file = ConfigFile(service.project, kind, self._take)

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`."""
        if self._service.project.config.service.watch:
            before = self.file.info()
            self.file.read()
            if self.file.info() != before:
                self._service.wake("heartbeat")  # which says so in the store
        return None

    def _take(self, change: Change) -> None:
        self._service.reconfigure(change.project, change.taken)
        if "log.level" in change.taken:
            set_level(change.project.config.log)
