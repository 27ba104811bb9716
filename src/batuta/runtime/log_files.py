"""The file an attempt logs to: its name, its format, and how it stays below a limit.

    2026-01-31T12:00:00.123Z INFO  etl.load | 1,200 rows     time, level, logger or stream, text
    | second line of the same message                        a record with several lines: a traceback
    + another line                                           another record of the same time, level and source
    > the rest                                               the same line goes on: very long, or written in parts

Levels are those of `logging`, plus OUT and ERR for what was written to a stream. A file starts its life with the first
line; an attempt that says nothing leaves none. The surprising rule: of a log above the limit the first quarter stays in
`<path>` and the last part in segments `<path>.more/<offset>.log`, named by where they would start had nothing been
dropped. So offsets never move, and what was dropped is the gap between two files.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import time

StrPath = str | os.PathLike[str]

LIMIT_BYTES = 160 << 20
LIMIT_BYTES_MIN = 16 << 10
# The limit in eighths: two for the head, six for segments of the tail, of which the oldest goes when a seventh begins.
SEGMENTS = 6
PIECE_CHARS_MAX = 256 << 10
NAME_BYTES_MAX = 120
WORD_CHARS_MAX = 100
HEADER_BYTES_MAX = 1024
RETRY_AFTER_S = 1.0

MESSAGE_GOES_ON = "| "
ANOTHER_LINE = "+ "
LINE_GOES_ON = "> "

_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*").fullmatch
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")


def attempt_log_path(logs_path: StrPath, run_id: int | str, step: str, attempt: int, index: int = -1) -> str:
    """`<logs>/<run>/<step>[<index>].<attempt>.log`, with names escaped and long ones shortened; creates nothing."""
    mapped = f"[{index}]" if index >= 0 else ""
    return f"{os.fspath(logs_path)}/{_escaped(str(run_id))}/{_escaped(step)}{mapped}.{attempt}.log"


@functools.lru_cache(maxsize=4096)
def _escaped(name: str) -> str:
    """The name as one path component; different names stay different."""
    if len(name) <= NAME_BYTES_MAX and _PLAIN(name):
        return name
    safe = "".join(c if c in _SAFE else "".join(f"%{b:02X}" for b in c.encode("utf-8", "surrogatepass")) for c in name)
    if not safe or safe.startswith("."):
        safe = "%2E" + safe[1:] if safe else "%"
    if len(safe) > NAME_BYTES_MAX:
        import hashlib

        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        safe = f"{safe[: NAME_BYTES_MAX - 17]}~{digest}"
    return safe


@functools.lru_cache(maxsize=1024)
def tag(level: str, source: str) -> str:
    """What stands between the time and the text of a line. `source` is a logger's name or a stream's."""
    return f"{_one_word(level):<5} {_one_word(source)} | "


def _one_word(text: str) -> str:
    return "_".join(text.replace("|", "_").split())[:WORD_CHARS_MAX] or "-"


_second: tuple[int, str] = (-1, "")


def stamp(at_s: float) -> str:
    """A Unix time as in the log: UTC with milliseconds."""
    global _second
    whole = int(at_s)
    known, text = _second
    if whole != known:
        text = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(whole))
        _second = (whole, text)
    return f"{text}{int((at_s - whole) * 1000):03d}Z"


def segments_path(path: str) -> str:
    """The directory of the segments that follow the head."""
    return path + ".more"


def log_files(path: StrPath) -> list[tuple[int, str]]:
    """The files of a log in order: where each begins, had nothing been dropped, and its path."""
    path = os.fspath(path)
    files = [(0, path)]
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        folder = segments_path(path)
        names = sorted(name for name in os.listdir(folder) if name.endswith(".log") and name[:-4].isdigit())
        files += [(int(name[:-4]), os.path.join(folder, name)) for name in names]
    return files


def remove_log(path: StrPath) -> None:
    """Delete a log with its segments; nothing happens where there is none."""
    for _, name in reversed(log_files(path)):
        with contextlib.suppress(FileNotFoundError):
            os.remove(name)
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        os.rmdir(segments_path(os.fspath(path)))


class LogSink:
    """Appends to one log and keeps it below `limit_bytes`. Opened by the first write; not thread-safe.

    Nothing here raises for a disk that is full or gone: lines are counted as lost, the next try comes a second later,
    and the first line that can be written again is one that says what was lost.
    """

    def __init__(self, path: StrPath, limit_bytes: int = LIMIT_BYTES, retry_after_s: float = RETRY_AFTER_S) -> None:
        limit_bytes = max(limit_bytes, LIMIT_BYTES_MIN)
        self.path = os.fspath(path)
        self.lost_lines = 0
        self.lost_bytes = 0
        self._head_bytes = limit_bytes // 8 * 2
        self._segment_bytes = limit_bytes // 8
        # A character takes up to six bytes (an escaped surrogate); a piece has to fit into a segment with its header.
        self.piece_chars = min(PIECE_CHARS_MAX, (self._segment_bytes - HEADER_BYTES_MAX) // 6)
        self._retry_after_s = retry_after_s
        self._retry_at_s = 0.0
        self._reason = ""
        self._fd = -1
        self._start = 0
        self._size = 0
        self._capacity = 0
        self._skipped = 0
        self._segments: list[int] = []
        self._last_tag = ""

    @property
    def tail_bytes(self) -> int:
        """How much of the end is kept, at most."""
        return self._segment_bytes * SEGMENTS

    @property
    def head_room(self) -> int:
        """Bytes until the head is full; 0 from then on."""
        if self._fd < 0 and not self._open():
            return 0
        return 0 if self._segments else max(0, self._capacity - self._size)

    def write_line(self, level: str, source: str, text: str, at_s: float | None = None) -> None:
        """Append one record; the lines of a multi-line `text` stay together."""
        self.write(tag(level, source), text, at_s=at_s)

    def write(
        self, tag: str, text: str, *, inner: str = MESSAGE_GOES_ON, first: str = "", at_s: float | None = None
    ) -> None:
        """Append `text`, its newlines marked by `inner`. With `first` it continues the record before, if it can."""
        if self._fd < 0 and not self._open():
            self._lose(text.count("\n") + 1, len(text) + 1)
            return
        if len(text) > self.piece_chars:
            text = f"{text[: self.piece_chars - 64]}… [{len(text) - self.piece_chars + 64:,} more characters cut]"
        if "\n" in text:
            text = text.replace("\n", "\n" + inner)
        begin = first if first and self._last_tag == tag else _header(tag, at_s)
        data = f"{begin}{text}\n".encode("utf-8", "backslashreplace")
        if self._size + len(data) > self._capacity:
            if not self._next_segment():
                self._lose(data.count(b"\n"), len(data))
                return
            data = f"{_header(tag, at_s)}{text}\n".encode("utf-8", "backslashreplace")
        if self._append(data):
            self._last_tag = tag

    def skip(self, count_bytes: int) -> None:
        """Account for bytes that would have been dropped soon anyway and are not even written."""
        self._skipped += count_bytes
        self._capacity = 0

    def close(self) -> None:
        """Close the file; idempotent. A later write opens it again."""
        if self.lost_lines:
            self._retry_at_s = 0.0
            if self._fd < 0:
                self._open()
        self._drop_fd()

    def _append(self, data: bytes) -> bool:
        try:
            written = os.write(self._fd, data)
            while written < len(data):
                written += os.write(self._fd, data[written:])
        except OSError as error:
            self._fail(error)
            self._lose(data.count(b"\n"), len(data))
            return False
        self._size += len(data)
        return True

    def _open(self) -> bool:
        if self._retry_at_s and time.monotonic() < self._retry_at_s:
            return False
        try:
            self._open_end()
        except OSError as error:
            self._fail(error)
            return False
        self._retry_at_s = 0.0
        return self._confess() if self.lost_lines else True

    def _open_end(self) -> None:
        """Open the newest file of this log, which may have been begun by another process."""
        self._fd = _open_append(self.path)
        self._size = os.fstat(self._fd).st_size
        self._start, self._capacity, self._segments = 0, self._head_bytes, []
        self._last_tag = ""
        if self._size:
            self._segments = [start for start, _ in log_files(self.path)[1:]]
            if self._segments:
                self._drop_fd()
                self._start, self._capacity = self._segments[-1], self._segment_bytes
                self._fd = _open_append(self._segment(self._start))
                self._size = os.fstat(self._fd).st_size
            if not _ends_a_line(self._segment(self._start)):
                # The writer before us was killed, or the disk was full, in the middle of a line.
                self._size += os.write(self._fd, b"\n")
        if self._skipped:
            self._capacity = 0

    def _next_segment(self) -> bool:
        start = self._start + self._size + self._skipped
        self._drop_fd()
        self._last_tag = ""
        try:
            while len(self._segments) >= SEGMENTS:
                with contextlib.suppress(FileNotFoundError):
                    os.remove(self._segment(self._segments[0]))
                del self._segments[0]
            self._fd = _open_append(self._segment(start))
        except OSError as error:
            self._fail(error)
            return False
        self._segments.append(start)
        self._start, self._size, self._capacity, self._skipped = start, 0, self._segment_bytes, 0
        return True

    def _segment(self, start: int) -> str:
        return os.path.join(segments_path(self.path), f"{start:015d}.log") if start else self.path

    def _confess(self) -> bool:
        lines, size, self.lost_lines, self.lost_bytes = self.lost_lines, self.lost_bytes, 0, 0
        self.write_line(
            "WARNING", "batuta.logs", f"{lines:,} lines ({size:,} bytes) of this log are lost: {self._reason}"
        )
        if self.lost_lines:
            self.lost_lines, self.lost_bytes = lines, size
        return self._fd >= 0

    def _lose(self, lines: int, size: int) -> None:
        self.lost_lines += lines
        self.lost_bytes += size

    def _fail(self, error: OSError) -> None:
        self._reason = error.strerror or type(error).__name__
        self._retry_at_s = time.monotonic() + self._retry_after_s
        self._drop_fd()

    def _drop_fd(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with contextlib.suppress(OSError):
                os.close(fd)


def _header(tag: str, at_s: float | None) -> str:
    return f"{stamp(time.time() if at_s is None else at_s)} {tag}"


def _open_append(path: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o644)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        return os.open(path, flags, 0o644)


def _ends_a_line(path: str) -> bool:
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return True
        file.seek(size - 1)
        return file.read(1) == b"\n"
