"""The log of one attempt as its writers see it: streams that arrive in pieces, records, bytes; and whose turn it is.

Text is masked a whole line at a time, so that a secret written in pieces is found. The surprising rule: silence is
free. An `AttemptLog` is a few references until the first byte; only then are there a file and buffers.
"""

from __future__ import annotations

import codecs
import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar

from batuta.runtime.log_files import ANOTHER_LINE, LIMIT_BYTES, LINE_GOES_ON, MESSAGE_GOES_ON, LogSink, StrPath, tag
from batuta.runtime.masking import longest_secret, mask

STDOUT = tag("OUT", "stdout")
STDERR = tag("ERR", "stderr")
# What C code and child processes write to the file descriptors 1 and 2, which are one file here.
FD = tag("OUT", "fd")
LAST_WORDS = tag("ERR", "fd")

# A line without an end (a progress bar) is shown all the same after this many ticks of the drainer.
STALE_TICKS = 50
_TRACEBACK = "Traceback (most recent call last):"

_formatter = logging.Formatter("%(message)s")

# Text of a stream, bytes of a stream, or a record's text and time.
_Item = str | bytes | tuple[str, float]


class AttemptLog:
    """Everything one attempt writes. Thread-safe. Each write says whether there was still a log to take it.

    `before_line` is called before a line is taken, for one who has older output to bring in first; whoever does so
    under a lock shares that `lock`, because two would wait for each other when a signal handler prints.
    """

    __slots__ = (
        "_later",
        "_limit_bytes",
        "_lock",
        "_sink",
        "_streams",
        "before_line",
        "busy",
        "closed",
        "echo",
        "epoch",
        "path",
    )

    def __init__(
        self,
        path: StrPath,
        limit_bytes: int = LIMIT_BYTES,
        echo: bool = False,
        before_line: Callable[[], object] | None = None,
        lock: AbstractContextManager[bool] | None = None,
    ) -> None:
        self.path = path
        self.echo = echo
        self.closed = False
        self.before_line = before_line
        self.epoch = _epoch
        self._limit_bytes = limit_bytes
        # Reentrant: a signal handler or a `__del__` that prints may run in the middle of our own code.
        self._lock = threading.RLock() if lock is None else lock
        self._sink: LogSink | None = None
        self._streams: dict[str, StreamLines] | None = None
        self._later: deque[tuple[str, _Item]] = deque()
        self.busy = False

    @property
    def used(self) -> bool:
        """Whether anything was written so far."""
        return self._sink is not None

    def write(self, stream: str, text: str) -> bool:
        """Text for a stream (STDOUT, STDERR); only whole lines reach the file."""
        if self.before_line is not None and "\n" in text:
            self.before_line()
        return self._take(stream, text)

    def write_bytes(self, stream: str, data: bytes) -> bool:
        """As `write`, for UTF-8 that may be cut anywhere; what is no UTF-8 is escaped."""
        return self._take(stream, data)

    def record(self, record: logging.LogRecord) -> bool:
        """A record of `logging`. Never raises: a record that cannot be formatted is logged as such."""
        text = mask(message(record))
        if self.before_line is not None:
            self.before_line()
        return self._take(tag(str(record.levelname), str(record.name)), (text, record.created))

    def flush(self, stream: str) -> None:
        """Show the beginning of a line, where nothing speaks against it."""
        with self._lock:
            if self._streams and not self.busy and not self.closed and (lines := self._streams.get(stream)):
                lines.flush()

    def room(self) -> tuple[int, int]:
        """Bytes until the head is full, and bytes of the end that can be kept."""
        with self._lock:
            sink = self._open_sink()
            return sink.head_room, sink.tail_bytes

    def skip(self, stream: str, count_bytes: int) -> None:
        """Account for bytes of a stream that are more than the log will keep."""
        with self._lock:
            self._lines(stream).finish()
            self._open_sink().skip(count_bytes)

    def tick(self) -> None:
        """Called at intervals by who watches a long attempt: shows lines that have waited long for their end."""
        with self._lock:
            if self._streams and not self.closed:
                for lines in self._streams.values():
                    lines.tick()

    def close(self) -> bool:
        """Write what is left and close the file; says whether the attempt logged anything. Idempotent."""
        with self._lock:
            if self._sink is None:
                self.closed = True
                return False
            for lines in (self._streams or {}).values():
                lines.finish()
            self.closed = True
            self._sink.close()
            return True

    def _take(self, tag: str, item: _Item) -> bool:
        with self._lock:
            if self.closed:
                return False
            if self.busy:
                # A signal handler, or a `__del__`, prints while this very thread is at work below.
                self._later.append((tag, item))
                return True
            self.busy = True
            try:
                self._put(tag, item)
                while self._later:
                    self._put(*self._later.popleft())
            finally:
                self.busy = False
            return True

    def _put(self, tag: str, item: _Item) -> None:
        if isinstance(item, str):
            self._lines(tag).write(item)
        elif isinstance(item, bytes):
            self._lines(tag).write_bytes(item)
        else:
            text, at_s = item
            self._open_sink().write(tag, text, at_s=at_s)

    def _lines(self, stream: str) -> StreamLines:
        if self._streams is None:
            self._streams = {}
        lines = self._streams.get(stream)
        if lines is None:
            lines = self._streams[stream] = StreamLines(self._open_sink(), stream)
        return lines

    def _open_sink(self) -> LogSink:
        if self._sink is None:
            self._sink = LogSink(self.path, self._limit_bytes)
        return self._sink


class StreamLines:
    """Makes lines of what arrives in pieces; not thread-safe.

    Of a line that was redrawn (`\\r`) the last state counts. A traceback becomes one record. Lines that arrive together
    share their time.
    """

    __slots__ = (
        "_decoder",
        "_in_traceback",
        "_pending",
        "_pending_chars",
        "_shown",
        "_sink",
        "_step",
        "_tag",
        "_ticks",
    )

    def __init__(self, sink: LogSink, stream: str) -> None:
        self._sink = sink
        self._tag = stream
        self._step = sink.piece_chars // 2
        self._pending: list[str] = []
        self._pending_chars = 0
        self._shown = False  # the beginning of the pending line stands in the file already
        self._in_traceback = False
        self._ticks = 0
        self._decoder: codecs.IncrementalDecoder | None = None

    def write_bytes(self, data: bytes) -> None:
        if self._decoder is None:
            self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self.write(self._decoder.decode(data))

    def write(self, text: str) -> None:
        if len(text) <= self._step:
            self._write(text)
            return
        for start in range(0, len(text), self._step):
            self._write(text[start : start + self._step])

    def flush(self) -> None:
        # Not a progress bar, which would become a line per step; and a secret may be in the middle of being written.
        if self._pending and not longest_secret() and not any("\r" in piece for piece in self._pending):
            self._emit_part("".join(self._pending))
            self._keep("")

    def tick(self) -> None:
        if not self._pending:
            self._ticks = 0
            return
        self._ticks += 1
        if self._ticks >= STALE_TICKS:
            self.finish()

    def finish(self) -> None:
        """The pending line ends here."""
        if self._decoder is not None:
            rest = self._decoder.decode(b"", True)
            self._decoder.reset()
            if rest:
                self._write(rest)
        if self._pending:
            text = "".join(self._pending)
            self._keep("")
            self._emit(text)
        self._shown = False

    def _write(self, text: str) -> None:
        head, newline, rest = text.rpartition("\n")
        if not newline:
            if text:
                self._append(text)
            return
        if self._pending:
            head = "".join(self._pending) + head
        self._keep(rest)
        self._emit(head)

    def _append(self, text: str) -> None:
        if "\r" in text:
            text = _last_state("".join(self._pending) + text)
            self._keep(text)
        else:
            self._pending.append(text)
            self._pending_chars += len(text)
        if self._pending_chars > self._step:
            self._emit_beginning()

    def _keep(self, text: str) -> None:
        self._pending = [text] if text else []
        self._pending_chars = len(text)
        self._ticks = 0

    def _emit_beginning(self) -> None:
        """The pending line has become too long to keep: write all but what might be the beginning of a secret."""
        text = mask("".join(self._pending))
        cut = len(text) - max(0, longest_secret() - 1)
        if cut > 0:
            self._emit_part(text[:cut])
            self._keep(text[cut:])

    def _emit_part(self, text: str) -> None:
        self._sink.write(self._tag, text, first=LINE_GOES_ON if self._shown else "")
        self._shown = True

    def _emit(self, block: str) -> None:
        """Write one or more whole lines."""
        text = mask(block)
        if "\r" in text:
            text = "\n".join(map(_final_state, text.split("\n")))
        if self._shown:
            # The rest of a line whose beginning was written before.
            self._shown = False
            rest, newline, text = text.partition("\n")
            if rest:
                self._sink.write(self._tag, rest, first=LINE_GOES_ON)
            if not newline:
                return
        if self._in_traceback or _TRACEBACK in text:
            self._emit_traceback(text)
        else:
            self._sink.write(self._tag, text, inner=ANOTHER_LINE)

    def _emit_traceback(self, text: str) -> None:
        """Lines with a traceback among them, which arrives frame by frame and ends with a line that is not indented."""
        for line in text.split("\n"):
            if self._in_traceback:
                self._sink.write(self._tag, line, first=MESSAGE_GOES_ON)
                self._in_traceback = line.startswith(" ")
            else:
                self._sink.write(self._tag, line)
                self._in_traceback = line.startswith(_TRACEBACK)


def _last_state(text: str) -> str:
    """What is worth keeping of an unfinished line that is redrawn."""
    stripped = text.rstrip("\r")
    return stripped[stripped.rfind("\r") + 1 :] + ("\r" if len(stripped) < len(text) else "")


def _final_state(line: str) -> str:
    stripped = line.rstrip("\r")
    return stripped[stripped.rfind("\r") + 1 :]


def message(record: logging.LogRecord) -> str:
    try:
        return _formatter.format(record) if record.exc_info or record.stack_info else record.getMessage()
    except Exception as error:
        return f"{_shown(record.msg)} (this record could not be formatted: {type(error).__name__}: {_shown(error)})"


def _shown(value: object) -> str:
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"


# The attempt of this thread or async task (executors with threads), or else of the whole process (workers).
context_log: ContextVar[AttemptLog | None] = ContextVar("batuta_attempt_log", default=None)
_process_log: AttemptLog | None = None
_epoch = 0
_orphaned = False


def current_log() -> AttemptLog | None:
    """The log that output belongs to at this moment, here."""
    log = context_log.get()
    if log is not None and log.epoch == _epoch and not log.closed:
        return log
    log = _process_log
    return log if log is not None and log.epoch == _epoch and not log.closed else None


def set_process_log(log: AttemptLog | None) -> None:
    """Send what no context claims to this log."""
    global _process_log
    _process_log = log


def forked_inside_attempt() -> bool:
    """Whether this process is a child that an attempt forked."""
    return _orphaned


def _after_fork() -> None:
    """The files stay the parent's: two writers would both believe to know their size. A child writes to fd 1 and 2."""
    global _epoch, _orphaned
    _orphaned = _orphaned or current_log() is not None
    _epoch += 1


os.register_at_fork(after_in_child=_after_fork)
