"""The time by which leases run: the database's on PostgreSQL, and never that of a clock which somebody may set.

Between two looks at the database it goes on with the machine's steady clock. So schedulers whose clocks differ
by an hour agree on who holds what, and a clock that is set while they run takes nothing from anybody.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from batuta.core.errors import BatutaError
from batuta.store.database import Database

LOOK_S = 60.0


class LeaseClock:
    """Call it for the time: seconds since the epoch. Safe to use from many threads."""

    def __init__(self, database: Database[Any]) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._offset = time.time() - time.monotonic()
        self._look_at = 0.0

    def __call__(self) -> float:
        steady = time.monotonic()
        if self._database.dialect == "postgresql" and steady >= self._look_at:
            self._look(steady)
        return steady + self._offset

    def _look(self, steady: float) -> None:
        with self._lock:
            if steady < self._look_at:
                return
            try:
                told = float(self._database.rows("clock")[0][0])
            except BatutaError:
                return  # it goes on as before
            self._offset = told - time.monotonic()
            self._look_at = steady + LOOK_S
