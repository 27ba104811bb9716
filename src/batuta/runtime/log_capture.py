"""What user code prints and logs finds its way to the attempt it belongs to; without an attempt nothing changes.

`sys.stdout` and `sys.stderr` become proxies, and `logging.Logger.callHandlers` is wrapped. The surprising rule is the
latter: a handler on the root logger would make the user's `logging.basicConfig` do nothing, and their `dictConfig`
would remove it. What the user's own handlers write to our streams while they handle a record is left out, for the
record stands in the log already; what they write elsewhere is theirs.

In threads, output follows the context: user code that starts threads of its own runs them in a copy of its context
(`contextvars.copy_context().run`; Python 3.14 free-threaded builds do so by themselves), or their output goes where it
would go without Batuta. Output of C code and of child processes cannot be told apart in threads and goes to the
terminal; workers (`log_worker`) catch it.
"""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterable
from contextvars import Token
from types import TracebackType
from typing import Any, BinaryIO, TextIO, cast

from batuta.runtime.log_attempt import (
    STDERR,
    STDOUT,
    AttemptLog,
    context_log,
    current_log,
    forked_inside_attempt,
    message,
)
from batuta.runtime.log_files import LIMIT_BYTES, StrPath
from batuta.runtime.masking import mask


class _Handled(threading.local):
    """The record that the user's handlers see in this thread: it is logged already, so what they print is left out."""

    record: logging.LogRecord | None = None


_handled = _Handled()


class AttemptStream(io.TextIOBase):
    """Stands for `sys.stdout` or `sys.stderr`: text goes to the current attempt, all else to the stream behind it.

    Closing it closes nothing: the next attempt prints as well. `behind` is None where the process has no such stream.
    """

    def __init__(self, behind: TextIO | None, stream: str, name: str) -> None:
        self.behind = behind
        self.stream = stream
        self.name = name
        self._buffer = _AttemptBuffer(self)

    def write(self, text: str) -> int:
        log = current_log()
        if log is None:
            return self.behind.write(text) if self.behind is not None else len(text)
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        taken = _handled.record is not None or log.write(self.stream, text)
        if log.echo or not taken:
            self.echo(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:  # type: ignore[override]
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        log = current_log()
        if log is not None:
            log.flush(self.stream)
            if not log.echo:
                return
        if self.behind is not None:
            self.behind.flush()

    def echo(self, text: str) -> None:
        """Write to the stream behind, in whatever characters it has; a terminal that is gone is no error."""
        if self.behind is None:
            return
        text = mask(text)
        try:
            self.behind.write(text)
        except UnicodeEncodeError:
            encoding = self.behind.encoding or "ascii"
            self.behind.write(text.encode(encoding, "backslashreplace").decode(encoding))
        except (OSError, ValueError):
            pass

    def close(self) -> None:
        self.flush()

    def __del__(self) -> None:
        """Not that of the base class, which closes."""

    @property
    def closed(self) -> bool:
        return False

    @property
    def buffer(self) -> BinaryIO:
        return cast(BinaryIO, self._buffer)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self.behind, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        return getattr(self.behind, "errors", None) or "backslashreplace"

    @property
    def newlines(self) -> Any:  # type: ignore[override]
        return getattr(self.behind, "newlines", None)

    @property
    def mode(self) -> str:
        return "w"

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def isatty(self) -> bool:
        log = current_log()
        return (log is None or log.echo) and self.behind is not None and self.behind.isatty()

    def fileno(self) -> int:
        if self.behind is None:
            raise io.UnsupportedOperation("fileno")
        return self.behind.fileno()

    def reconfigure(self, **options: Any) -> None:
        """Passed on to the stream behind, if it can; the log is UTF-8 whatever it says."""
        reconfigure = getattr(self.behind, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(**options)

    def __getattr__(self, name: str) -> Any:
        # Asked only for what is not defined here.
        return getattr(self.__dict__["behind"], name)

    def __repr__(self) -> str:
        return f"<AttemptStream {self.name!r} before {self.behind!r}>"


class _AttemptBuffer:
    """Stands for `sys.stdout.buffer`."""

    def __init__(self, stream: AttemptStream) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        stream = self._stream
        log = current_log()
        if log is not None:
            data = bytes(data)
            taken = _handled.record is not None or log.write_bytes(stream.stream, data)
            if log.echo or not taken:
                stream.echo(data.decode("utf-8", "backslashreplace"))
            return len(data)
        behind = getattr(stream.behind, "buffer", None)
        if behind is not None:
            return int(behind.write(data))
        if stream.behind is not None:
            stream.behind.write(bytes(data).decode("utf-8", "backslashreplace"))
        return len(data)

    def writelines(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        self._stream.flush()

    @property
    def closed(self) -> bool:
        return False

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_stream"].behind.buffer, name)


class _Interception:
    """The one installation of proxies and hook in this process, however many ask for it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._users = 0
        self._call_handlers: Any = None
        self.stdout: AttemptStream | None = None
        self.stderr: AttemptStream | None = None

    def install(self) -> None:
        with self._lock:
            self._users += 1
            if self._users > 1:
                return
            self.stdout = AttemptStream(sys.stdout, STDOUT, "<stdout>")
            self.stderr = AttemptStream(sys.stderr, STDERR, "<stderr>")
            sys.stdout, sys.stderr = cast(TextIO, self.stdout), cast(TextIO, self.stderr)
            if self._call_handlers is None:
                self._call_handlers = logging.Logger.callHandlers
                logging.Logger.callHandlers = _hook(self._call_handlers)  # type: ignore[method-assign]

    def restore(self) -> None:
        """Go in front again of a stream that somebody else put into place since (a notebook, a test's capture)."""
        if sys.stdout is self.stdout and sys.stderr is self.stderr:
            return
        with self._lock:
            if self._users and sys.stdout is not self.stdout:
                self.stdout = AttemptStream(sys.stdout, STDOUT, "<stdout>")
                sys.stdout = cast(TextIO, self.stdout)
            if self._users and sys.stderr is not self.stderr:
                self.stderr = AttemptStream(sys.stderr, STDERR, "<stderr>")
                sys.stderr = cast(TextIO, self.stderr)

    def remove(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users:
                return
            # Who replaced a stream after us keeps it; ours behind it passes everything through.
            if sys.stdout is self.stdout:
                sys.stdout = self.stdout.behind
            if sys.stderr is self.stderr:
                sys.stderr = self.stderr.behind
            if getattr(logging.Logger.callHandlers, "batuta", False):
                logging.Logger.callHandlers = self._call_handlers  # type: ignore[method-assign]
                self._call_handlers = None


interception = _Interception()


def _hook(call_handlers: Any) -> Any:
    """`Logger.callHandlers` that gives a record to the current attempt before the user's handlers see it."""

    def call_handlers_and_attempt(logger: logging.Logger, record: logging.LogRecord) -> None:
        log = current_log()
        if log is None and forked_inside_attempt() and not logger.hasHandlers():
            # What a child of a worker's attempt writes here reaches the log through the file descriptor.
            _show(record)
            return
        outer = _handled.record
        if log is None or outer is record:
            call_handlers(logger, record)
            return
        if not _is_silenced(logger):
            log.record(record)
        _handled.record = record
        try:
            if logger.hasHandlers():
                call_handlers(logger, record)
            elif log.echo:
                _show(record)
        finally:
            _handled.record = outer

    call_handlers_and_attempt.batuta = True  # type: ignore[attr-defined]
    return call_handlers_and_attempt


def _show(record: logging.LogRecord) -> None:
    if interception.stderr is not None:
        interception.stderr.echo(f"{record.levelname} {record.name} | {message(record)}\n")


def _is_silenced(logger: logging.Logger) -> bool:
    """Whether the user cut this logger off: nothing goes up to the root and nobody listens below."""
    listened = False
    while True:
        listened = listened or any(not isinstance(handler, logging.NullHandler) for handler in logger.handlers)
        if logger.parent is None:
            return False
        if not logger.propagate:
            return not listened
        logger = logger.parent


class ThreadCapture:
    """Routes output to attempts that run in threads (or tasks) of this process. Idempotent, and may be nested."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._installed = False

    def install(self) -> None:
        """Put the proxies in place; outside `attempt` they change nothing."""
        if not self._installed:
            self._installed = True
            interception.install()

    def remove(self) -> None:
        """Take them away, unless another capture needs them."""
        if self._installed:
            self._installed = False
            interception.remove()

    def attempt(self, path: StrPath, echo: bool = False) -> ThreadAttempt:
        """`with` it around the attempt, in the thread that runs it; `echo` shows output on the terminal as well."""
        return ThreadAttempt(path, self._limit_bytes, echo)


class ThreadAttempt:
    """The time during which output of this context belongs to one attempt."""

    __slots__ = ("_token", "log", "logged")

    def __init__(self, path: StrPath, limit_bytes: int, echo: bool) -> None:
        self.log = AttemptLog(path, limit_bytes, echo)
        self.logged = False
        self._token: Token[AttemptLog | None] | None = None

    def __enter__(self) -> ThreadAttempt:
        interception.restore()
        self._token = context_log.set(self.log)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            context_log.reset(self._token)
        self.logged = self.log.close()
