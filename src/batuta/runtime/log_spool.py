"""The spool of a worker: the file that its file descriptors 1 and 2 append to, and what becomes of its contents.

A file, not a pipe: it never makes the writer wait, so C code that prints with the GIL held cannot deadlock, and it is
still there when the worker is not. The surprising rules:

- It is bounded by the drainer's pace, not by a quota: it takes the disk space of what can be written in a few tenths of
  a second, and of all that C code writes without releasing the GIL.
- What was moved is punched out as a hole, so its size grows while its disk space does not. Where files cannot have
  holes (not Linux) it is truncated, and bytes written at that very moment are lost.
- A program that opens /dev/stdout to truncate it (`echo x > /dev/stdout`) empties it of what was not moved yet.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import Any

from batuta.runtime.log_attempt import LAST_WORDS, AttemptLog
from batuta.runtime.log_files import LIMIT_BYTES, StrPath
from batuta.runtime.masking import longest_secret

_READ_BYTES = 256 << 10
# Disk space is given back in steps of this size.
RELEASE_BYTES = 1 << 20
# Low numbers are where user code's own files go when it closes 0, 1 or 2.
_FD_MIN = 10


class Descriptors:
    """File descriptors 1 and 2, which append to the spool, also those of child processes; as long as it is entered."""

    def __init__(self, path: str) -> None:
        self._target = _open_high(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._saved: dict[int, int] = {}

    def __enter__(self) -> Descriptors:
        for fd in (1, 2):
            with contextlib.suppress(OSError):  # a process may have been started without them
                self._saved[fd] = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _FD_MIN)
            os.dup2(self._target, fd)
        return self

    def __exit__(self, *_: object) -> None:
        for fd, original in self._saved.items():
            os.dup2(original, fd)
            os.close(original)
        os.close(self._target)

    def all_at(self, position: int) -> bool:
        """Whether both lead to a file of this size: to the spool, and it has not grown."""
        try:
            return os.lseek(1, 0, os.SEEK_END) == position == os.lseek(2, 0, os.SEEK_END)
        except OSError:
            return False

    def mend(self) -> None:
        """Put back what user code has closed or led elsewhere: its next `open` would get the number, and our output."""
        spool = os.fstat(self._target)
        for fd in (1, 2):
            try:
                intact = os.path.samestat(os.fstat(fd), spool)
            except OSError:
                intact = False
            if not intact:
                os.dup2(self._target, fd)


class Spool:
    """What was written to a worker's file descriptors, and how far it was moved into logs.

    The position stands in a file beside it (`<path>.read`), for the one who comes after a crash. Not thread-safe.
    `holes`: whether its file system can free the beginning of a file; tried, and given up where it cannot.
    """

    def __init__(self, path: str, *, fresh: bool, holes: bool = True) -> None:
        flags = os.O_RDWR | os.O_CLOEXEC
        if fresh:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        self._fd = _open_high(path, flags | os.O_CREAT | os.O_TRUNC if fresh else flags)
        self._mark_fd = _open_high(path + ".read", flags | os.O_CREAT | (os.O_TRUNC if fresh else 0))
        self.position = int.from_bytes(os.pread(self._mark_fd, 8, 0), "little")
        self._released = 0
        self._holes = holes
        if fresh:
            # Never as empty as /dev/null, so that its size tells it from other files.
            self.position = os.write(self._fd, b"\n")
            self._mark()

    def grown(self) -> bool:
        """Whether there is something to move. One system call."""
        return os.lseek(self._fd, 0, os.SEEK_END) != self.position

    def backlog(self) -> int:
        """Bytes that wait to be moved."""
        return os.lseek(self._fd, 0, os.SEEK_END) - self.position

    def pour(self, log: AttemptLog, stream: str) -> int:
        """Move what is new into the log; bytes that went by. What the log's limit would drop is not even read."""
        size = os.lseek(self._fd, 0, os.SEEK_END)
        if size < self.position:
            self.position = self._released = 0  # truncated by a program
        begin = self.position
        if size - begin > RELEASE_BYTES:
            head_bytes, tail_bytes = log.room()
            if size - begin > head_bytes + tail_bytes:
                self._copy(begin + head_bytes, log, stream)
                log.skip(stream, size - tail_bytes - self.position)
                self.position = size - tail_bytes
                self._skip_rest_of_line()
                self._punch()  # at once: the disk should not wait for the rest to be copied
        self._copy(size, log, stream)
        moved = self.position - begin
        self._release()
        self._mark()
        return moved

    def _mark(self) -> None:
        with contextlib.suppress(OSError):
            os.pwrite(self._mark_fd, self.position.to_bytes(8, "little"), 0)

    def close(self) -> None:
        os.close(self._fd)
        os.close(self._mark_fd)

    def _copy(self, end: int, log: AttemptLog, stream: str) -> None:
        while self.position < end:
            data = os.pread(self._fd, min(_READ_BYTES, end - self.position), self.position)
            if not data:
                return
            log.write_bytes(stream, data)
            self.position += len(data)

    def _skip_rest_of_line(self) -> None:
        """Half a line might hold half a secret, which nobody would know to mask."""
        data = os.pread(self._fd, _READ_BYTES, self.position)
        self.position += data.find(b"\n") + 1

    def _release(self) -> None:
        """Give back the disk space of what was moved, if that is worth a system call, or it may hold secrets."""
        worth_it = 0 if longest_secret() else RELEASE_BYTES - 1
        if self.position - self._released > worth_it and not self._punch():
            # Where files cannot have holes, bytes written at this very moment are lost.
            os.ftruncate(self._fd, 0)
            self.position = self._released = 0

    def _punch(self) -> bool:
        """Free the disk space without a race against those who go on writing: the size stays. False if impossible."""
        self._holes = self._holes and _punch_hole(self._fd, self.position)
        if self._holes:
            self._released = self.position
        return self._holes


def recover_spool(spool_path: StrPath, attempt_log_path: StrPath, limit_bytes: int = LIMIT_BYTES) -> int:
    """Move the last words of a worker that died into the log of its attempt; how many bytes they were.

    Call it from the parent after the worker is gone. Calling it again moves nothing; without a spool there is nothing.
    Only secrets that the parent knows are masked.
    """
    try:
        spool = Spool(os.fspath(spool_path), fresh=False)
    except FileNotFoundError:
        return 0
    log = AttemptLog(attempt_log_path, limit_bytes)
    try:
        return spool.pour(log, LAST_WORDS) if spool.grown() else 0
    finally:
        log.close()
        spool.close()


def remove_spool(spool_path: StrPath) -> None:
    """Delete the spool of a worker that is gone; nothing happens where there is none."""
    path = os.fspath(spool_path)
    for name in (path, path + ".read"):
        with contextlib.suppress(FileNotFoundError):
            os.remove(name)


def _open_high(path: str, flags: int) -> int:
    fd = os.open(path, flags, 0o600)
    high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _FD_MIN)
    os.close(fd)
    return high


def load_libc() -> Any:
    """The C library of this process, or None where Python cannot call it."""
    try:
        import ctypes

        return ctypes.CDLL(None, use_errno=True)
    except (ImportError, OSError):
        return None


def _punch_hole(fd: int, end: int) -> bool:
    """Free the blocks below `end` of a file without changing its size (Linux)."""
    libc = load_libc()
    if libc is None or not hasattr(libc, "fallocate"):
        return False
    import ctypes

    keep_size_and_punch = 0x01 | 0x02
    return bool(libc.fallocate(fd, keep_size_and_punch, ctypes.c_int64(0), ctypes.c_int64(end)) == 0)
