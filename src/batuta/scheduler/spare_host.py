"""A location host that has begun before it is needed: it has Batuta imported and waits for what to load.

So a change of code costs the import of that code, not the start of an interpreter. Surprising: none of the libraries
that the user's code imports is in it: what that code sets before it imports them (variables, paths) has to count.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from batuta.core.errors import BatutaError
from batuta.executors.host_process import HostProcess


class SpareHost:
    """One host, or none. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[Mapping[str, str], HostProcess] | None = None

    def keep(self, settings: Mapping[str, str], make: Callable[[], HostProcess]) -> None:
        """Have one for these settings from now on."""
        with self._lock:
            if self._kept is not None and self._kept[0] == settings and self._kept[1].is_alive:
                return
            self._drop()
            try:
                self._kept = settings, make()
            except BatutaError:  # its interpreter is gone: whoever loads says so
                return

    def take(self, settings: Mapping[str, str]) -> HostProcess | None:
        """The host, which loads now; None where there is none for these settings."""
        with self._lock:
            if self._kept is None or self._kept[0] != settings or not self._kept[1].is_alive:
                return None
            host, self._kept = self._kept[1], None
        host.load()
        return host

    def close(self) -> None:
        """Have none."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept[1].close()
