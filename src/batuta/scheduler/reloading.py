"""The duty that ends former versions of code locations, tries failed ones again, and hears who asks for a reload.

It also sees to it that a host is ready for the next change, while changes are to be expected.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from batuta.store.rows import Leader

if TYPE_CHECKING:
    from batuta.scheduler.service import Service
    from batuta.store.store import Store

RELOAD_SIGNAL = "batuta/reload"
LOOK_S = 5.0
RETRY_S, RETRY_S_MAX = 10.0, 300.0
SPARE_S = 900.0
"""For how long after the start, or a change of its files, a location has a host ready for the next change."""


def ask_for_reload(store: Store, location: str, *, by: str, now: float) -> None:
    """Ask all schedulers to load a location anew."""
    store.send_signal(RELOAD_SIGNAL, {"location": location}, by=by, now=now)


class LocationDuty:
    """See the module."""

    name = "locations"
    leads = False

    def __init__(self, service: Service) -> None:
        self._service = service
        self._seen = service.store.last_signal_id()
        self._retries: dict[str, tuple[int, float]] = {}
        self._began_at = time.monotonic()

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`."""
        locations = self._service.locations
        for signal in self._service.store.signals(RELOAD_SIGNAL, after_id=self._seen):
            self._seen = signal.id
            self._service.configuration.file.read()
            name = signal.data.get("location", "") if isinstance(signal.data, dict) else ""
            if name in locations:
                locations.reload(name)
        for location in locations:
            if location.current is None and location.trouble is not None:
                self._try_again(location.name, now)
            else:
                self._retries.pop(location.name, None)
        locations.tidy()
        self._prepare()
        return now + LOOK_S

    def _prepare(self) -> None:
        """Have a host ready wherever somebody may be at work on the code."""
        watcher = self._service.watcher
        if watcher is None:
            return
        for location in self._service.locations:
            since = watcher.changed_at.get(location.name, self._began_at)
            if time.monotonic() < since + SPARE_S:
                location.prepare()
            else:
                location.give_up_spare()

    def _try_again(self, name: str, now: float) -> None:
        """What keeps a location from loading may be outside of its files: an environment that is being installed."""
        tries, at = self._retries.get(name, (0, now + RETRY_S))
        if now >= at:
            self._service.locations.reload(name)
            tries, at = tries + 1, now + min(RETRY_S * 2 ** (tries + 1), RETRY_S_MAX)
        self._retries[name] = (tries, at)
