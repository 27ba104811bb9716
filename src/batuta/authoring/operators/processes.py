"""Running a command inside a step: its lines go to the attempt's log as they come, and it ends when the step does.

The command leads a process group of its own, so that cancelling ends its children too. A watcher process waits at the
end of a pipe: when the process that runs the step is killed, the pipe closes and the watcher kills the group.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

from batuta.authoring.context import StepContext
from batuta.authoring.operators.base import OperatorError

GRACE_S = 5.0
"""How long a command that is to end has between SIGTERM and SIGKILL."""
_LINE_CHARS_MAX = 64 * 1024
_POLL_S = 0.2
_WATCH = 'read -r _ && exit; kill -s KILL -- "-$1"'

Hear = Callable[[str], None]
"""Called with each line, its end included."""


def run(
    argv: Sequence[str],
    *,
    context: StepContext,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    on_stdout: Hear | None = None,
    on_stderr: Hear | None = None,
) -> int:
    """Run a command to its end; returns its exit code, negative for a signal. Raises OperatorError if it is not there.

    Its lines are printed, and told to `on_stdout` and `on_stderr`.
    """
    process: subprocess.Popen[bytes] | None = None
    watch: _Watch | None = None
    try:
        with context.uninterrupted():  # what has been started is known here, and is ended below
            process = _started(argv, context, cwd, env)
            watch = _Watch(process.pid)
        _pump(process, context, on_stdout, on_stderr)
        while process.poll() is None:
            context.check_cancelled()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_POLL_S)
    finally:
        if process is not None:
            if process.poll() is None:
                _end(process)
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        if watch is not None:
            watch.close()
    return process.returncode


def _started(
    argv: Sequence[str], context: StepContext, cwd: str | None, env: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env) if env is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )
    except OSError as error:
        missing = cwd if cwd and not os.path.isdir(cwd) else argv[0]
        hint = "there is no such folder" if missing == cwd else "is it installed, and on the PATH of the worker?"
        raise OperatorError(f"{missing!r}: {error.strerror}", where=context.key, hint=hint) from None


def described(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


class _Watch:
    """The watcher of a process group, until it is closed."""

    def __init__(self, pid: int) -> None:
        read, self._write = os.pipe()
        try:
            self._watcher = subprocess.Popen(
                ["/bin/sh", "-c", _WATCH, "sh", str(pid)],
                stdin=read,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,
            )
        except BaseException:
            os.close(self._write)
            raise
        finally:
            os.close(read)

    def close(self) -> None:
        """There is nothing to be killed any more."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._write, b"\n")
        os.close(self._write)
        self._watcher.wait()


def _pump(
    process: subprocess.Popen[bytes], context: StepContext, on_stdout: Hear | None, on_stderr: Hear | None
) -> None:
    """Pass lines on until both pipes are closed, or the command is gone (what it left behind may hold them open)."""
    assert process.stdout is not None
    assert process.stderr is not None
    out = _Lines(lambda: sys.stdout, on_stdout)
    err = _Lines(lambda: sys.stderr, on_stderr)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, out)
        selector.register(process.stderr, selectors.EVENT_READ, err)
        while selector.get_map():
            context.check_cancelled()
            ended = process.poll() is not None
            ready = selector.select(0 if ended else _POLL_S)
            for key, _events in ready:
                data = os.read(key.fd, 1 << 16)
                if data:
                    key.data.feed(data)
                else:
                    selector.unregister(key.fileobj)
            if ended and not ready:
                break
    out.finish()
    err.finish()


class _Lines:
    """Cuts bytes into lines; very long ones come in pieces."""

    def __init__(self, target: Callable[[], object], hear: Hear | None) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._target = target
        self._hear = hear
        self._rest = ""

    def feed(self, data: bytes, final: bool = False) -> None:
        lines = (self._rest + self._decoder.decode(data, final)).splitlines(keepends=True)
        self._rest = ""
        if lines and not final and not lines[-1].endswith("\n") and len(lines[-1]) < _LINE_CHARS_MAX:
            self._rest = lines.pop()
        for line in lines:
            self._target().write(line)  # type: ignore[attr-defined]
            if self._hear is not None:
                self._hear(line)
        if lines:
            self._target().flush()  # type: ignore[attr-defined]

    def finish(self) -> None:
        self.feed(b"", final=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command's whole group: first asked, then killed."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
