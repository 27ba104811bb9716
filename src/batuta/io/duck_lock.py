"""A DuckDB file is written by one process at a time: who waits for one says so, and who keeps it open looks.

Advisory, by a lock beside nothing of the user's. Surprising: it keeps nobody out; DuckDB's own lock does. What holds a
file open between two pieces of work (a warm worker) closes it where `is_wanted`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def wanting(database: str) -> Iterator[None]:
    """For as long as somebody waits for the file. Where that cannot be told, nothing is said."""
    try:
        fd = os.open(_place(database), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError:
        yield
        return
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield
    finally:
        os.close(fd)


def is_wanted(database: str) -> bool:
    """Whether somebody waits for the file."""
    try:
        fd = os.open(_place(database), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(fd)


def _place(database: str) -> str:
    name = hashlib.blake2b(os.path.realpath(database).encode(), digest_size=12).hexdigest()
    return os.path.join(tempfile.gettempdir(), f"batuta-{name}.wanted")
