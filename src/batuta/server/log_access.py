"""Reading logs for the API: a range, the end, or on and on as they grow.

The file is found from the rows of the store alone (the names of steps are escaped), so nothing in a request can lead
out of the folder of logs. Text is searched for literally: a pattern from outside could take for ever to match.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Annotated as A
from urllib.parse import quote

import msgspec

from batuta.core.states import TASK_FINAL
from batuta.runtime.log_files import attempt_log_path, log_files
from batuta.runtime.log_read import LogLine, line_filter, read
from batuta.server.backend import Backend
from batuta.server.paging import cursor_of
from batuta.server.problems import NotFound
from batuta.server.shapes.base import doc
from batuta.server.shapes.runs import LogRange, RunLogLine, RunLogPage, log_entry, run_log_line, task_key
from batuta.store.rows import TaskRunRow

BYTES_PER_LINE = 160
"""A guess, from which the search for the last lines begins."""
SCANNED_BYTES = 8 << 20
"""So much of a log is looked through for one answer; whoever asks goes on at `next`."""
RUN_SCANNED_BYTES, FILE_COST_BYTES = 8 << 20, 4 << 10
"""The same for a whole run, and what opening a file counts for."""
CHUNK = 500
PIECE_BYTES = 256 << 10
RUN_ORDER = "run log"


class LogFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which records of a log."""

    level: A[str | None, doc("At least this level.")] = None
    text: A[str, doc("With this text in it.")] = ""

    @property
    def pattern(self) -> str | None:
        """As `read` takes it."""
        return f"(?i){re.escape(self.text)}" if self.text else None


def log_path(logs: str, task: TaskRunRow, attempt: int) -> str:
    """The file that an attempt logged to; it may not be there."""
    step = f"{task.step}@{task.label}" if task.label else task.step
    return attempt_log_path(logs, task.run_id, step, attempt, -1 if task.label else max(task.index, -1))


def attempt_of(task: TaskRunRow, attempt: int | None) -> int:
    """The attempt that is asked for, by default the last. Raises NotFound."""
    if attempt is None:
        return max(task.attempt, 1)
    if attempt > max(task.attempt, 1):
        raise NotFound(f"there was no attempt {attempt}", hint=f"the last one is {task.attempt}")
    return attempt


def size_of(path: str) -> int:
    """How long a log is, counted in offsets."""
    for start, name in reversed(log_files(path)):
        try:
            return start + os.stat(name).st_size
        except OSError:
            continue
    return 0


def log_range(path: str, task: TaskRunRow, attempt: int, wanted: LogFilter, offset: int, limit: int) -> LogRange:
    """The records from `offset` on; fewer than there are where that takes too much reading, see `SCANNED_BYTES`."""
    lines, following = scan(path, wanted, offset, limit, SCANNED_BYTES)
    return _range(path, task, attempt, lines, following)


def scan(path: str, wanted: LogFilter, offset: int, limit: int, bytes_max: int) -> tuple[list[LogLine], int]:
    """Up to `limit` records among the next so many bytes, and where to read on."""
    fits = line_filter(wanted.level, wanted.pattern)
    lines: list[LogLine] = []
    following = offset
    for line in read(path, offset):
        if line.offset >= offset + bytes_max:
            break
        following = line.end
        if fits(line):
            lines.append(line)
            if len(lines) == limit:
                break
    return lines, following


def log_tail(path: str, task: TaskRunRow, attempt: int, wanted: LogFilter, count: int) -> LogRange:
    """The last records: looked for from ever further before the end."""
    size = size_of(path)
    window = count * BYTES_PER_LINE
    while True:
        start = max(size - window, 0)
        lines: deque[LogLine] = deque(maxlen=count)
        found = 0
        for line in read(path, start, None, wanted.level, wanted.pattern):
            lines.append(line)
            found += 1
        if found > count or start == 0:
            return _range(path, task, attempt, list(lines), size)
        window *= 4


def _range(path: str, task: TaskRunRow, attempt: int, lines: list[LogLine], following: int) -> LogRange:
    return LogRange(
        task=task_key(task.step, task.index, task.label),
        attempt=attempt,
        lines=[log_entry(line) for line in lines],
        next=following,
        size=max(size_of(path), following),
        finished=attempt < task.attempt or task.state in TASK_FINAL,
    )


# ---- as files ----


def log_text(path: str, wanted: LogFilter) -> Iterator[bytes]:
    """The records as text, a line each and more where they have several."""
    for line in read(path, 0, None, wanted.level, wanted.pattern):
        at = line.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        yield f"{at} {line.level:<5} {line.source} | {line.text}\n".encode("utf-8", "backslashreplace")


def run_text(logs: str, tasks: Iterable[TaskRunRow], wanted: LogFilter) -> Iterator[bytes]:
    """The last attempts' logs of many task runs, one after the other, each under a line with its name."""
    for task in tasks:
        lines = log_text(log_path(logs, task, max(task.attempt, 1)), wanted)
        first = next(lines, None)
        if first is not None:
            yield f"==== {task_key(task.step, task.index, task.label)}, attempt {task.attempt}\n".encode()
            yield first
            yield from lines


def batched(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The same in pieces of some size: each is a way between threads."""
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


def download_headers(name: str) -> dict[str, str]:
    """Of text to be saved under a name: nothing in it is looked at by a browser."""
    plain = "".join(char if char.isalnum() or char in "-_." else "_" for char in name)
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(plain, safe='')}.log",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }


# ---- a whole run ----


def search_run(backend: Backend, run_id: int, wanted: LogFilter, at: tuple[int, int], limit: int) -> RunLogPage:
    """Records of all task runs of a run, by number; from a task run's number and a place in its log on."""
    no, offset = at
    items: list[RunLogLine] = []
    budget = RUN_SCANNED_BYTES
    for task in logged_tasks(backend, run_id, no):
        start = offset if task.no == no else 0
        attempt = max(task.attempt, 1)
        path = log_path(backend.logs_path(), task, attempt)
        lines, following = scan(path, wanted, start, limit - len(items), budget)
        items += [run_log_line(task, attempt, line) for line in lines]
        budget -= following - start + FILE_COST_BYTES
        if len(items) == limit or budget <= 0:
            return RunLogPage(items=items, next=cursor_of(RUN_ORDER, task.no, following))
    return RunLogPage(items=items, next=None)


def logged_tasks(backend: Backend, run_id: int, first_no: int = 0) -> Iterator[TaskRunRow]:
    """The task runs that have said something, or may do so yet, by number."""
    after = first_no - 1
    while rows := backend.store.reports.logged_tasks(run_id, after_no=after, limit=CHUNK):
        yield from rows
        after = rows[-1].no
