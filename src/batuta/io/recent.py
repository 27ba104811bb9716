"""Frames that this process has read a moment ago, kept for the next step that reads the same file.

A backfill reads the tables without partitions, such as registers and rates, once for each partition. The surprising
rule: a frame is kept from the second time on that its file is read, so that a file that only one step reads costs no
memory. Frames of Polars share what they hold and copy it when it is written to, so nobody sees what others do to it.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

BYTES_MAX = 32 * 1024 * 1024
FILES_MAX = 64


class _Key(NamedTuple):
    """A file as it is now: what replaces it has another inode or time."""

    path: str
    inode: int
    changed_ns: int
    size: int


class Recent:
    """See the module. As many bytes at most as it is told."""

    def __init__(self, bytes_max: int = BYTES_MAX, files_max: int = FILES_MAX) -> None:
        self._bytes_max = bytes_max
        self._files_max = files_max
        self._frames: OrderedDict[_Key, Any] = OrderedDict()  # None: read once
        self._lock = threading.Lock()

    def read(self, path: str, read: Callable[[], Any]) -> Any:
        """The Polars frame in a file: the one that is kept, or what `read` gives."""
        found = os.stat(path)
        key = _Key(path, found.st_ino, found.st_mtime_ns, found.st_size)
        with self._lock:
            known = key in self._frames
            kept = self._frames.get(key)
            if known:
                self._frames.move_to_end(key)
        if kept is not None:
            return kept.clone()
        frame = read()
        with self._lock:
            self._frames[key] = frame.clone() if known and self._fits(frame) else None
            self._drop_oldest()
        return frame

    @property
    def bytes(self) -> int:
        """How much is kept."""
        return sum(_bytes(frame) for frame in self._frames.values())

    def _fits(self, frame: Any) -> bool:
        return _bytes(frame) <= self._bytes_max

    def _drop_oldest(self) -> None:
        while len(self._frames) > self._files_max or self.bytes > self._bytes_max:
            self._frames.popitem(last=False)


def _bytes(frame: Any) -> int:
    return 0 if frame is None else int(frame.estimated_size())


RECENT = Recent()
