"""What a person at a terminal sees: the live picture, Ctrl-C, a question. Through a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from batuta.cli import exits
from tests.cli.conftest import WAIT_S, Cli

SIZE = {"COLUMNS": "100", "LINES": "30", "TERM": "xterm"}
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Terminal:
    """A command on a pseudo-terminal."""

    def __init__(self, cli: Cli, *args: str) -> None:
        self.seen = ""
        self._fd, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "batuta.cli.main", *args],
            cwd=cli.folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **SIZE},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)

    def wait_for(self, text: str) -> None:
        """Read until `text` has been shown."""
        deadline = time.monotonic() + WAIT_S
        while text not in self.plain:
            assert time.monotonic() < deadline, f"not seen: {text!r}\n{self.plain}"
            if not self._read():
                raise AssertionError(f"ended without {text!r}\n{self.plain}")

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def end(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        return self._process.wait(WAIT_S)

    @property
    def plain(self) -> str:
        return ESCAPES.sub("", self.seen)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._fd], [], [], WAIT_S)
        try:
            data = os.read(self._fd, 65536) if ready else b""
        except OSError:  # the other end is closed
            data = b""
        self.seen += data.decode(errors="replace")
        return bool(data)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._fd)


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


def test_the_picture_shows_steps_counts_and_failures(cli: Cli, terminals: list[Terminal]) -> None:
    terminals.append(terminal := Terminal(cli, "run", "doubling", "-p", "count=40", "-p", "bad=7"))
    assert terminal.end() == exits.FAILED
    assert "run 1 doubling" in terminal.plain
    assert "40/40" in terminal.plain
    assert "━" in terminal.plain
    assert "✗ double-7" in terminal.plain
    assert "batuta runs retry 1" in terminal.plain
    assert "\x1b[" in terminal.seen


def test_a_picture_of_many_tasks_is_drawn_seldom(cli: Cli, terminals: list[Terminal]) -> None:
    started = time.monotonic()
    terminals.append(terminal := Terminal(cli, "run", "doubling", "-p", "count=2000", "--executor", "threads"))
    assert terminal.end() == exits.OK
    took = time.monotonic() - started
    assert terminal.plain.count("run 1 doubling") <= 10 * took + 4
    assert "2,000/2,000" in terminal.plain


def test_ctrl_c_at_a_terminal(cli: Cli, terminals: list[Terminal]) -> None:
    terminals.append(terminal := Terminal(cli, "run", "waiting"))
    cli.wait_for("w0.running")
    terminal.type("\x03")
    terminal.wait_for("cancelling: waiting for what is running")
    assert terminal.end() == exits.CANCELLED
    assert "Traceback" not in terminal.plain


def test_a_question_is_asked_at_the_terminal(cli: Cli, terminals: list[Terminal]) -> None:
    terminals.append(terminal := Terminal(cli, "run", "asking"))
    terminal.wait_for("? Really publish?:")
    terminal.type("yes\n")
    assert terminal.end() == exits.OK
    assert (cli.folder / "notes").read_text() == "before\npublished True\n"


def test_no_color(cli: Cli, terminals: list[Terminal], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    terminals.append(terminal := Terminal(cli, "list", "jobs"))
    assert terminal.end() == exits.OK
    assert "doubling" in terminal.seen
    assert "\x1b[" not in terminal.seen


def test_ctrl_c_at_a_question_leaves_it_open(cli: Cli, terminals: list[Terminal]) -> None:
    terminals.append(terminal := Terminal(cli, "run", "asking"))
    terminal.wait_for("? Really publish?:")
    terminal.type("\x03")
    assert terminal.end() == exits.PAUSED
    assert "batuta runs resume 1 --input input-0=" in terminal.plain
