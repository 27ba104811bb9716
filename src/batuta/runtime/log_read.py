"""Reading the log of an attempt, at rest or as it grows. The format is that of `log_files`.

The surprising rule: an offset counts what was ever written, not what is still there. It stays valid when the middle of
a log is dropped; reading from inside the gap begins with the notice that says how much is missing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO, NamedTuple

from batuta.runtime.log_files import ANOTHER_LINE, LINE_GOES_ON, MESSAGE_GOES_ON, StrPath, log_files

POLL_S = 0.1
RECORD_CHARS_MAX = 1 << 20
_LOOK_BACK_BYTES = 64 << 10
_LEVELS = {"DEBUG": 10, "INFO": 20, "OUT": 20, "WARNING": 30, "WARN": 30, "ERR": 30, "ERROR": 40, "CRITICAL": 50}
_GAP_SOURCE = "batuta.logs"
_EPOCH = datetime.fromtimestamp(0, UTC)
_HEADER = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ +\S+ \| ")


class LogLine(NamedTuple):
    """One record. `source` is a logger's name, or stdout, stderr, fd (C code and child processes, both streams).

    `offset` is where it begins and `end` where the next one does: read on with `offset=line.end`.
    """

    at: datetime
    level: str
    source: str
    text: str
    offset: int
    end: int


def read(
    path: StrPath, offset: int = 0, limit: int | None = None, level: str | None = None, grep: str | None = None
) -> Iterator[LogLine]:
    """The records from `offset` on, at most `limit`, of at least `level`, whose text matches the pattern `grep`.

    OUT counts as INFO and ERR as WARNING. A log that does not exist (yet) has no lines. Where the middle was dropped
    stands a WARNING of `batuta.logs`, whatever the filters. A pattern or level that makes no sense is a RequestError.
    """
    wanted = line_filter(level, grep)
    return _read(path, offset, limit, wanted)


def follow(
    path: StrPath,
    stop: Callable[[], bool],
    offset: int = 0,
    level: str | None = None,
    grep: str | None = None,
    poll_s: float = POLL_S,
) -> Iterator[LogLine]:
    """The records as they are written; ends once `stop()` is true and all that stood there by then was given.

    The file need not exist yet. Filters are those of `read`.
    """
    wanted = line_filter(level, grep)
    return _follow(path, stop, offset, wanted, poll_s)


def _read(path: StrPath, offset: int, limit: int | None, wanted: Callable[[LogLine], bool]) -> Iterator[LogLine]:
    if limit is not None and limit <= 0:
        return
    count = 0
    for line in _Reader(path, offset).lines(finished=True):
        if wanted(line):
            yield line
            count += 1
            if count == limit:
                return


def _follow(
    path: StrPath, stop: Callable[[], bool], offset: int, wanted: Callable[[LogLine], bool], poll_s: float
) -> Iterator[LogLine]:
    reader = _Reader(path, offset)
    while True:
        # Asked before reading: what was written before the end is read after it.
        stopping = stop()
        before = reader.position
        for line in reader.lines(finished=stopping):
            if wanted(line):
                yield line
        if stopping:
            return
        if reader.position == before:
            # Nothing came for one interval, so the last record is whole, as far as one can know.
            line_held = reader.release()
            if line_held and wanted(line_held):
                yield line_held
            time.sleep(poll_s)


class _Reader:
    """Walks over the files of a log and puts records together; remembers where it stopped."""

    def __init__(self, path: StrPath, offset: int) -> None:
        self.position = offset
        self._path = path
        self._at = _EPOCH
        self._level = "OUT"
        self._source = "-"
        self._offset = offset
        self._parts: list[str] = []
        self._chars = 0
        self._aligned = offset == 0

    def lines(self, *, finished: bool) -> Iterator[LogLine]:
        """All records from the position to the end. The last one is held back unless the log is `finished`."""
        for start, name in log_files(self._path):
            try:
                file = open(name, "rb")  # noqa: SIM115 - closed below; a `with` cannot tell its own error from ours
            except (FileNotFoundError, NotADirectoryError):
                continue  # dropped since it was listed, or not yet begun
            with file:
                if self.position < start:
                    yield from self._gap(start)
                yield from self._file(file, start, finished)
        if finished and (line := self.release()):
            yield line

    def release(self) -> LogLine | None:
        """The record under construction, if there is one."""
        if not self._parts:
            return None
        text = "".join(self._parts)
        self._parts, self._chars = [], 0
        return LogLine(self._at, self._level, self._source, text, self._offset, self.position)

    def _gap(self, start: int) -> Iterator[LogLine]:
        if line := self.release():
            yield line
        missing = start - self.position
        text = f"{missing:,} bytes are dropped here: of a log above its limit the first and the last part are kept"
        yield LogLine(self._at, "WARNING", _GAP_SOURCE, text, self.position, start)
        self.position, self._aligned = start, True

    def _file(self, file: BinaryIO, start: int, finished: bool) -> Iterator[LogLine]:
        if not self._aligned:
            if file.seek(0, 2) <= self.position - start:
                return
            self._align(file, start)
        file.seek(self.position - start)
        for raw in file:
            if not raw.endswith(b"\n") and not finished:
                return
            yield from self._feed(raw)
            self.position += len(raw)

    def _feed(self, raw: bytes) -> Iterator[LogLine]:
        content = raw.rstrip(b"\n").decode("utf-8", "backslashreplace")
        mark = content[:2]
        if mark in (MESSAGE_GOES_ON, LINE_GOES_ON) and self._parts and self._chars < RECORD_CHARS_MAX:
            self._parts.append("\n" + content[2:] if mark == MESSAGE_GOES_ON else content[2:])
            self._chars += len(content)
            return
        if line := self.release():
            yield line
        self._offset = self.position
        if mark in (ANOTHER_LINE, MESSAGE_GOES_ON, LINE_GOES_ON):
            content = content[2:]
        elif header := _parse(content):
            self._at, self._level, self._source, content = header
        self._parts = [content]
        self._chars = len(content)

    def _align(self, file: BinaryIO, start: int) -> None:
        """Move to the start of a line and learn its time, level and source, which may stand far above it."""
        self._aligned = True
        place = max(0, self.position - start)
        if place:
            file.seek(place - 1)
            if file.read(1) != b"\n":
                place += len(file.readline())
        self.position = start + place
        file.seek(place)
        if _HEADER.match(file.readline()):
            return
        end = place
        rest = b""
        while end > 0:
            begin = max(0, end - _LOOK_BACK_BYTES)
            file.seek(begin)
            lines = (file.read(end - begin) + rest).split(b"\n")
            for raw in reversed(lines if begin == 0 else lines[1:]):
                if _HEADER.match(raw) and (header := _parse(raw.decode("utf-8", "backslashreplace"))):
                    self._at, self._level, self._source, _ = header
                    return
            # A header longer than what is kept here would be one of ours that nobody wrote.
            end, rest = begin, lines[0][:1024]


def _parse(line: str) -> tuple[datetime, str, str, str] | None:
    head, separator, text = line.partition(" | ")
    words = head.split()
    if not separator or len(words) != 3:
        return None
    try:
        return datetime.fromisoformat(words[0]), words[1], words[2], text
    except ValueError:
        return None


def line_filter(level: str | None, grep: str | None) -> Callable[[LogLine], bool]:
    """Which records are of at least that level, and match the pattern. A notice of what was dropped always is."""
    least = 0 if level is None else _rank_asked(level)
    pattern = None if grep is None else _pattern(grep)

    def wanted(line: LogLine) -> bool:
        if line.source == _GAP_SOURCE:
            return True
        return _rank(line.level) >= least and (pattern is None or pattern.search(line.text) is not None)

    return wanted


def _rank(level: str) -> int:
    """Severity as in `logging`; a level of somebody's own counts as INFO unless it says its number (`Level 25`)."""
    known = _LEVELS.get(level)
    if known is not None:
        return known
    digits = level.removeprefix("Level_")
    return int(digits) if digits.isdecimal() else 20


def _rank_asked(level: str) -> int:
    name = level.upper()
    if name in _LEVELS:
        return _LEVELS[name]
    if name.isdecimal():
        return int(name)
    from batuta.core.errors import RequestError

    raise RequestError(f"{level!r} is not a log level", hint=f"one of {', '.join(_LEVELS).lower()}")


def _pattern(grep: str) -> re.Pattern[str]:
    try:
        return re.compile(grep)
    except re.error as error:
        from batuta.core.errors import RequestError

        raise RequestError(
            f"{grep!r} is not a pattern: {error}",
            hint="it is a regular expression: put \\ before . * + ? ( [ to mean them",
        ) from None
