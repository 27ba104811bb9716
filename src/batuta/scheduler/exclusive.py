"""One scheduler per SQLite file: a lock beside the file, held by the kernel for as long as the process lives."""

from __future__ import annotations

import contextlib
import fcntl
import os

from batuta.core.errors import RequestError
from batuta.runtime.project import written_in


class Exclusive:
    """The right to schedule on a SQLite file. Raises RequestError where another process has it."""

    def __init__(self, database: str) -> None:
        self._path = f"{database}.scheduler"
        with written_in(os.path.dirname(self._path)):
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(self._fd, 32).decode().strip()
            os.close(self._fd)
            raise RequestError(
                f"another scheduler works on it: process {pid or 'unknown'}",
                where=database,
                hint=f"stop that one (`kill {pid}`), or use PostgreSQL, where any number may work together",
            ) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Give it back. The file stays: a lock on a file that is being removed would be no lock."""
        with contextlib.suppress(OSError):
            os.close(self._fd)
