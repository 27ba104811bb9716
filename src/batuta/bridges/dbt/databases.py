"""Database files that one process writes at a time: opened when nobody has them, closed when somebody wants them.

dbt keeps a DuckDB file open for as long as it runs. A warm worker may not: it closes the file when it has nothing to
do, before steps of other locations go on, and after any node while somebody waits. Servers need nothing of this.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
from typing import Any

from batuta.core.errors import TransientError
from batuta.io.duck_lock import is_wanted, wanting

LOCK_TIMEOUT_S = 60.0
RETRY_FIRST_S = 0.01
RETRY_MAX_S = 0.25
_BUSY = ("Could not set lock", "Conflicting lock is held")


def database_file(credentials: Any) -> str | None:
    """The file of a DuckDB database, "" for one in memory; None for a server, which any number may use."""
    if credentials.type != "duckdb" or getattr(credentials, "is_motherduck", False):
        return None
    path = str(credentials.path)
    return "" if path == ":memory:" else os.path.abspath(path)


class Database:
    """The database of a worker, as far as it is a file."""

    def __init__(self, adapter: Any, credentials: Any) -> None:
        self.path = database_file(credentials)
        self.is_open = False
        self._adapter = adapter
        if self.path is not None:
            credentials.keep_open = True  # between nodes; here it is said when not

    @property
    def is_shared(self) -> bool:
        """Whether other processes may change it while this one has it open."""
        return self.path is None

    def open(self) -> bool:
        """Be ready to run nodes; whether it was not before. Raises TransientError where others keep the file."""
        if self.is_open:
            return False
        if self.path:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            self._open_file(self.path)
        self.is_open = True
        return True

    def _open_file(self, path: str) -> None:
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        pause_s = RETRY_FIRST_S
        with contextlib.ExitStack() as waiting:
            while True:
                try:
                    with self._adapter.connection_named("batuta"):
                        handle = self._adapter.connections.get_thread_connection().handle
                        handle.cursor()
                    return
                except Exception as error:
                    self._forget()
                    if not any(told in str(error) for told in _BUSY):
                        raise
                    if time.monotonic() + pause_s > deadline:
                        hint = "close other connections to it: of a database tool, or of another dbt"
                        what = f"it was in use for {LOCK_TIMEOUT_S:g} s: {str(error).splitlines()[0]}"
                        raise TransientError(what, where=path, hint=hint) from None
                    if pause_s == RETRY_FIRST_S:
                        waiting.enter_context(wanting(path))
                time.sleep(pause_s * random.uniform(0.5, 1.0))
                pause_s = min(2 * pause_s, RETRY_MAX_S)

    def between_nodes(self) -> None:
        """A node has ended: let go where somebody waits."""
        if self.is_open and self.path and is_wanted(self.path):
            self.close()

    def close(self) -> None:
        """Let go of the file, until `open`."""
        if self.is_open and self.path:
            self._forget()
            self.is_open = False

    def _forget(self) -> None:
        """Close all that the adapter has open."""
        connections = self._adapter.connections
        environment = getattr(type(connections), "_ENV", None)
        with contextlib.suppress(Exception):
            self._adapter.cleanup_connections()
        with contextlib.suppress(Exception):
            connections.close_all_connections()
        if environment is not None:
            with contextlib.suppress(Exception):
                environment.close()
