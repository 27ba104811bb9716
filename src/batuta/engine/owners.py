"""Who executes runs: an engine's name, whether it still lives, and whether its processes are really gone.

An engine holds a lock on a file in the home folder; its location host and workers inherit it. A run of a dead engine on
this machine can so be taken over at once, yet not before the last process that could still write is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import time

from batuta.runtime.project import written_in

GONE_S = 5.0
"""How long to wait for the processes of a dead engine; its host kills them as soon as it sees that it is gone."""


class Owner:
    """This process as the owner of runs. `name` is `host:pid:start`; the lock is held until `close`."""

    def __init__(self, home: str) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{_start_of(os.getpid())}-{time.time_ns()}"
        self._path = _lock_path(home, self.name)
        with written_in(home):
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            self.fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self.fd, fcntl.LOCK_EX)

    def close(self) -> None:
        """Give the lock back."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)
            os.close(self.fd)


def is_dead(owner: str) -> bool:
    """Whether that engine was on this machine and its process is gone. Elsewhere only the lease can tell."""
    machine, pid, start = (*owner.rsplit(":", 2), "", "")[:3]
    start = start.partition("-")[0]
    if machine != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _start_of(int(pid)) != start


def wait_until_gone(home: str, owner: str) -> None:
    """Wait until no process of that engine is left, at most `GONE_S`."""
    path = _lock_path(home, owner)
    try:
        fd = os.open(path, os.O_RDWR)
    except OSError:
        return
    try:
        deadline = time.monotonic() + GONE_S
        while time.monotonic() < deadline:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.01)
                continue
            with contextlib.suppress(OSError):
                os.unlink(path)
            return
    finally:
        os.close(fd)


def _lock_path(home: str, owner: str) -> str:
    return os.path.join(home, "engines", owner.replace("/", "_") + ".lock")


def _start_of(pid: int) -> str:
    """When the process started, in clock ticks since boot; "0" where that cannot be known, or it is a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return "0" if fields[0] in (b"Z", b"X") else fields[19].decode()
    except (OSError, IndexError):
        return "0"
