"""Recorded values and logs on their way between a scheduler and a remote worker.

What a message refers to is found by looking for handles in it. Surprising: a path that comes from the other side is
never trusted; it has to lie below the results, or the logs, of the run that it names.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import msgspec

from batuta.core.errors import RequestError, ResultError
from batuta.core.values import Handle
from batuta.executors.remote_protocol import FILE_BYTES_MAX, PIECE_BYTES, File, Log, LogSegments
from batuta.runtime.log_files import log_files, segments_path


def handles_in(message: Any) -> Iterator[Handle]:
    """All handles of a message whose value is in a file below the results."""
    yield from _handles(msgspec.to_builtins(message, builtin_types=(bytes,)))


def _handles(value: Any) -> Iterator[Handle]:
    if isinstance(value, dict):
        path = value.get("path")
        if isinstance(path, str) and path and "size" in value and value.get("codec") in ("m", "p", "c"):
            if "://" not in path and not path.startswith("/"):
                yield Handle(path=path, size=value["size"])
            return
        for each in value.values():
            yield from _handles(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _handles(each)
    elif isinstance(value, str) and value.startswith("pickle:{"):  # how a flow names code that cannot be imported
        yield from _handles(msgspec.json.decode(value.removeprefix("pickle:")))


def checked(path: str) -> str:
    """The path, if it is one of a run's files: `<run>/<name>`. Raises RequestError."""
    parts = PurePosixPath(path).parts
    is_plain = len(parts) >= 2 and parts[0].isdigit() and ".." not in parts and "\x00" not in path
    if not is_plain or "/".join(parts) != path:
        raise RequestError(f"{path!r} is no file of a run")
    return path


class RunFiles:
    """The results and logs below a home folder, as the other side sees them."""

    def __init__(self, results_path: str, logs_path: str) -> None:
        self.results_path = results_path
        self.logs_path = logs_path

    # ---- recorded values ----

    def has(self, handle: Handle) -> bool:
        """Whether the value is there."""
        try:
            return os.stat(os.path.join(self.results_path, checked(handle.path))).st_size == handle.size
        except OSError:
            return False

    def size(self, handle: Handle) -> int:
        """Bytes of the file. Raises OSError."""
        return os.stat(os.path.join(self.results_path, checked(handle.path))).st_size

    def read(self, handle: Handle) -> Iterator[File]:
        """The pieces of a value. Raises ResultError where it is gone or too large."""
        if handle.size > FILE_BYTES_MAX:
            raise ResultError(
                f"a value of {handle.size:,} bytes is too large to be sent to or from a remote worker",
                hint="write it with an IO manager to storage that both reach, and pass its name",
            )
        path = os.path.join(self.results_path, checked(handle.path))
        try:
            with open(path, "rb") as file:
                offset = 0
                while offset < handle.size and (data := file.read(min(PIECE_BYTES, handle.size - offset))):
                    yield File(handle.path, offset, data, offset + len(data) == handle.size)
                    offset += len(data)
        except OSError as error:
            raise ResultError(f"the recorded result {path} is gone: {error.strerror}") from None

    def write(self, piece: File) -> None:
        """Take up a piece; the last one makes the value visible, in one step. The first one begins anew."""
        path = os.path.join(self.results_path, checked(piece.path))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".part", "ab" if piece.offset else "wb") as file:
            file.write(piece.data)
        if piece.last:
            os.replace(path + ".part", path)

    # ---- logs ----

    def write_log(self, piece: Log) -> None:
        """Take up a piece of a log, at its place."""
        path = os.path.join(self.logs_path, checked(piece.path))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(fd, piece.data, piece.offset)
        finally:
            os.close(fd)

    def drop_segments(self, message: LogSegments) -> None:
        """Delete the segments that the other side has deleted."""
        folder = segments_path(os.path.join(self.logs_path, checked(message.path)))
        with contextlib.suppress(FileNotFoundError):
            for name in set(os.listdir(folder)) - set(message.names):
                os.remove(os.path.join(folder, name))


class LogTail:
    """Follows the log of one attempt, and says what is new in it."""

    def __init__(self, logs_path: str, path: str) -> None:
        self._base = logs_path
        self._path = path
        self._sent: dict[str, int] = {}

    def news(self) -> Iterator[Log | LogSegments]:
        """What was written since, in pieces."""
        present = [name for _, name in log_files(self._path)]
        gone = self._sent.keys() - set(present)
        for name in present:
            yield from self._news_of(name)
        if gone:
            self._sent = {name: size for name, size in self._sent.items() if name not in gone}
            segments = tuple(os.path.basename(name) for name in present[1:])
            yield LogSegments(os.path.relpath(self._path, self._base), segments)

    def _news_of(self, name: str) -> Iterator[Log]:
        try:
            fd = os.open(name, os.O_RDONLY)
        except OSError:
            return
        try:
            while data := os.pread(fd, PIECE_BYTES, self._sent.get(name, 0)):
                offset = self._sent.get(name, 0)
                self._sent[name] = offset + len(data)
                yield Log(os.path.relpath(name, self._base), offset, data)
        finally:
            os.close(fd)
