"""Output of a worker process, which runs one attempt at a time: prints, `logging`, C code and child processes.

Python's own streams write to the attempt's log at once; the file descriptors 1 and 2 lead to a spool (`log_spool`),
whose contents a thread moves to the log ten times a second while an attempt lasts. The surprising rules: what is
written between two attempts (by an import, a thread, a child that was left behind) goes to the next one; and a line of
Python first brings in what came through the descriptors, so that the log stands in the order of writing.

A process that forks its workers installs in the child, not before: a fork carries over no thread.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, TextIO, cast

from batuta.runtime.log_attempt import FD, AttemptLog, set_process_log
from batuta.runtime.log_capture import interception
from batuta.runtime.log_files import LIMIT_BYTES, StrPath
from batuta.runtime.log_spool import RELEASE_BYTES, Descriptors, Spool, load_libc

TICK_S = 0.1


class WorkerCapture:
    """Installed once, then `begin` and `end` around each attempt. One spool path per worker process."""

    def __init__(self, spool_path: StrPath, limit_bytes: int = LIMIT_BYTES, tick_s: float = TICK_S) -> None:
        self._spool_path = os.fspath(spool_path)
        self._limit_bytes = limit_bytes
        self._tick_s = tick_s
        # Who holds it may move what the spool holds and write the log.
        self._lock = threading.RLock()
        self._pouring = False
        self._log: AttemptLog | None = None
        self._installed = False
        self._parked = False
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._restore = contextlib.ExitStack()

    def install(self, root_level: int | None = logging.INFO) -> None:
        """Take over the streams of this process. `root_level` is set where the root logger still has its default."""
        if self._installed:
            return
        self._installed = True
        _flush(sys.stdout, sys.stderr)
        with contextlib.ExitStack() as stack:
            self._spool = Spool(self._spool_path, fresh=True)
            stack.callback(self._spool.close)
            self._descriptors = stack.enter_context(Descriptors(self._spool_path))
            stack.enter_context(_streams_to_attempts())
            stack.enter_context(_fault_handler())
            self._stdout, self._stderr = sys.stdout, sys.stderr
            self._c_flush = _c_stdout_by_lines()
            root = logging.getLogger()
            if root_level is not None and root.level == logging.WARNING:
                root.setLevel(root_level)
                stack.callback(root.setLevel, logging.WARNING)
            self._stop.clear()
            self._drainer = threading.Thread(target=self._watch, name="batuta-logs", daemon=True)
            self._drainer.start()
            self._restore = stack.pop_all()

    def remove(self) -> None:
        """Give the streams back. For processes that go on as something else than a worker."""
        if not self._installed:
            return
        self.end()
        self._stop.set()
        self._wake.set()
        self._drainer.join()
        self._restore.close()
        self._installed = False

    def begin(self, path: StrPath) -> None:
        """From here on output belongs to the attempt that logs to `path`."""
        if self._log is not None:
            self.end()
        if sys.stdout is not self._stdout or sys.stderr is not self._stderr:
            self._retake_streams()
        log = AttemptLog(path, self._limit_bytes, before_line=self._pour, lock=self._lock)
        set_process_log(log)
        self._log = log
        if self._parked:
            self._wake.set()

    def end(self) -> bool:
        """The attempt is over; says whether it logged anything. A silent one has cost microseconds and no file."""
        with self._lock:
            log = self._log
            if log is None:
                return False
            if sys.stdout is not self._stdout or sys.stderr is not self._stderr:
                self._retake_streams()
            set_process_log(None)
            if self._c_flush is not None:
                self._c_flush()
            if not self._descriptors.all_at(self._spool.position):
                self._pour()
                self._descriptors.mend()
            self._log = None
            return log.close()

    def _retake_streams(self) -> None:
        """User code put its own in their place. What those still hold belongs to what ran until now."""
        _flush(sys.stdout, sys.stderr)
        sys.stdout, sys.stderr = self._stdout, self._stderr

    def _pour(self) -> int:
        """Move what came in through the descriptors: what is written next comes after it. Bytes that were moved."""
        if not self._spool.grown():
            return 0
        with self._lock:
            if self._pouring or self._log is None or self._log.busy:
                return 0
            self._pouring = True
            try:
                return self._spool.pour(self._log, FD)
            finally:
                self._pouring = False

    def _watch(self) -> None:
        seen: AttemptLog | None = None
        while not self._stop.wait(self._tick_s):
            log = self._log
            if log is None:
                self._park()
            elif log is seen or self._spool.backlog() > RELEASE_BYTES:
                self._pour_live(log)
            seen = log

    def _park(self) -> None:
        """Nothing runs: sleep until something does, rather than look again and again."""
        self._wake.clear()
        self._parked = True
        if self._log is None and not self._stop.is_set():
            self._wake.wait()
        self._parked = False

    def _pour_live(self, log: AttemptLog) -> None:
        moved = RELEASE_BYTES
        while moved >= RELEASE_BYTES:
            with self._lock:
                if self._log is not log:
                    return
                if self._c_flush is not None:
                    self._c_flush()
                moved = self._pour()
        log.tick()


@contextlib.contextmanager
def _streams_to_attempts() -> Iterator[None]:
    """The proxies, before streams that write lines to the descriptors at once and cannot close them."""
    originals = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    # Behind the proxies: what is printed between attempts. Nobody can close the descriptors through them.
    behind_out = open(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    behind_err = open(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.stdout, sys.stderr = behind_out, behind_err
    interception.install()
    out, err = interception.stdout, interception.stderr
    assert out is not None
    assert err is not None
    # They may have been there before (a fork of a process that has them).
    out.behind, err.behind = behind_out, behind_err
    proxies = (cast(TextIO, out), cast(TextIO, err))
    sys.stdout, sys.stderr = proxies
    sys.__stdout__, sys.__stderr__ = proxies  # type: ignore[assignment,misc]
    for handler in _stream_handlers():
        if handler.stream in originals:
            # Made before us: its lines would come in through the descriptor, a second time.
            handler.setStream(out if handler.stream in (originals[0], originals[2]) else err)
    try:
        yield
    finally:
        interception.remove()
        sys.stdout, sys.stderr = originals[:2]
        sys.__stdout__, sys.__stderr__ = originals[2:]  # type: ignore[misc]
        behind_out.close()
        behind_err.close()


def _stream_handlers() -> list[logging.StreamHandler[Any]]:
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    handlers = [handler for logger in loggers if isinstance(logger, logging.Logger) for handler in logger.handlers]
    return [handler for handler in handlers if isinstance(handler, logging.StreamHandler)]


@contextlib.contextmanager
def _fault_handler() -> Iterator[None]:
    """The stack of a segmentation fault goes to descriptor 2."""
    before = faulthandler.is_enabled()
    faulthandler.enable(file=2, all_threads=True)
    try:
        yield
    finally:
        if not before:
            faulthandler.disable()


def _flush(*streams: TextIO | None) -> None:
    for stream in streams:
        with contextlib.suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()


def _c_stdout_by_lines() -> Callable[[], object] | None:
    """Make `printf` write at the end of each line, as on a terminal; returns what flushes the rest, if possible."""
    libc = load_libc()
    if libc is None:
        return None
    import ctypes
    from functools import partial

    for symbol in ("stdout", "__stdoutp"):
        with contextlib.suppress(ValueError):
            stdout = ctypes.c_void_p.in_dll(libc, symbol)
            libc.fflush(stdout)
            libc.setvbuf(stdout, None, 1, ctypes.c_size_t(0))
            return partial(libc.fflush, stdout)
    return None
