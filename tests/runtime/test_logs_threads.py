"""Output of attempts that share one process goes to their logs, by context; the rest of the process is left alone."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import io
import logging
import logging.config
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from batuta.runtime.logs import LogLine, ThreadCapture, get_logger, read
from batuta.runtime.masking import forget_secrets, register_secret


class Script:
    """A script with a terminal: its own streams, logging as Python starts with it, and Batuta's capture."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self.out, self.err = (io.TextIOWrapper(io.BytesIO(), encoding, write_through=True) for _ in range(2))
        self.capture = ThreadCapture()
        self.root = logging.getLogger()

    def shown(self) -> tuple[str, str]:
        """What stands on the terminal: stdout and stderr."""
        out, err = self.out.buffer, self.err.buffer
        assert isinstance(out, io.BytesIO)
        assert isinstance(err, io.BytesIO)
        return out.getvalue().decode(), err.getvalue().decode()


@contextlib.contextmanager
def a_script(encoding: str = "utf-8", *, install: bool = True) -> Iterator[Script]:
    """Not a fixture: the test runner puts its own streams and handlers in place between set-up and test."""
    script = Script(encoding)
    root = script.root
    before = (sys.stdout, sys.stderr, root.handlers[:], root.level)
    sys.stdout, sys.stderr, root.handlers[:] = script.out, script.err, []
    root.setLevel(logging.WARNING)
    try:
        if install:
            script.capture.install()
        yield script
    finally:
        script.capture.remove()
        sys.stdout, sys.stderr, root.handlers[:] = before[:3]
        root.setLevel(before[3])


def texts(path: Path) -> list[str]:
    return [line.text for line in read(path)]


def said(path: Path) -> list[tuple[str, str, str]]:
    def told(line: LogLine) -> tuple[str, str, str]:
        return line.level, line.source, line.text

    return [told(line) for line in read(path)]


def test_prints_and_records_go_to_the_attempt_only(tmp_path: Path) -> None:
    with a_script() as script:
        with script.capture.attempt(tmp_path / "a.log") as attempt:
            print("to stdout")
            print("to stderr", file=sys.stderr)
            get_logger().info("from the %s", "task")
            logging.getLogger("etl").warning("careful")
            sys.stdout.buffer.write("bytes ü\n".encode())
        assert script.shown() == ("", "")
    assert attempt.logged
    assert said(tmp_path / "a.log") == [
        ("OUT", "stdout", "to stdout"),
        ("ERR", "stderr", "to stderr"),
        ("INFO", "batuta.task", "from the task"),
        ("WARNING", "etl", "careful"),
        ("OUT", "stdout", "bytes ü"),
    ]


def test_a_silent_attempt_leaves_nothing(tmp_path: Path) -> None:
    with a_script() as script, script.capture.attempt(tmp_path / "logs" / "a.log") as attempt:
        sys.stdout.flush()
        logging.getLogger("etl").info("below the level that is asked for")
    assert not attempt.logged
    assert list(tmp_path.iterdir()) == []


def test_threads_of_a_pool_do_not_mix(tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def task(capture: ThreadCapture, name: str) -> None:
        with capture.attempt(tmp_path / f"{name}.log"):
            together.wait()
            for number in range(300):
                print(name, end=" ")
                print(number)
            logging.getLogger(name).error("done")
            together.wait()

    names = ["a", "b", "c", "d"]
    with a_script() as script, ThreadPoolExecutor(4) as pool:
        list(pool.map(task, [script.capture] * 4, names))
    for name in names:
        assert texts(tmp_path / f"{name}.log") == [*(f"{name} {number}" for number in range(300)), "done"]


def test_threads_that_a_task_starts_belong_to_it_when_they_take_its_context(tmp_path: Path) -> None:
    with a_script() as script, script.capture.attempt(tmp_path / "a.log"):
        thread = threading.Thread(target=contextvars.copy_context().run, args=(print, "from the thread"))
        thread.start()
        thread.join()
    assert texts(tmp_path / "a.log") == ["from the thread"]


def test_async_tasks_do_not_mix(tmp_path: Path) -> None:
    async def task(capture: ThreadCapture, name: str, mine: asyncio.Event, other: asyncio.Event) -> None:
        with capture.attempt(tmp_path / f"{name}.log"):
            for number in range(3):
                print(name, number)
                other.set()
                await mine.wait()
                mine.clear()
            other.set()

    async def both(capture: ThreadCapture) -> None:
        first, second = asyncio.Event(), asyncio.Event()
        await asyncio.gather(task(capture, "a", first, second), task(capture, "b", second, first))

    with a_script() as script:
        asyncio.run(both(script.capture))
    for name in "ab":
        assert texts(tmp_path / f"{name}.log") == [f"{name} {number}" for number in range(3)]


def test_inner_attempts_give_back_to_the_outer(tmp_path: Path) -> None:
    with a_script() as script, script.capture.attempt(tmp_path / "outer.log"):
        print("one")
        with script.capture.attempt(tmp_path / "inner.log"):
            print("two")
        print("three")
    assert texts(tmp_path / "outer.log") == ["one", "three"]
    assert texts(tmp_path / "inner.log") == ["two"]


def test_echo_shows_it_on_the_terminal_as_well(tmp_path: Path) -> None:
    with a_script() as script, script.capture.attempt(tmp_path / "a.log", echo=True):
        print("hello")
        get_logger().info("info")
        assert script.shown() == ("hello\n", "INFO batuta.task | info\n")
    assert texts(tmp_path / "a.log") == ["hello", "info"]


def test_echo_survives_a_terminal_of_few_characters(tmp_path: Path) -> None:
    with a_script("ascii") as script, script.capture.attempt(tmp_path / "a.log", echo=True):
        print("naïve")
        assert script.shown()[0] == "na\\xefve\n"
    assert texts(tmp_path / "a.log") == ["naïve"]


def test_echo_is_masked(tmp_path: Path) -> None:
    register_secret("hunter2")
    with a_script() as script, script.capture.attempt(tmp_path / "a.log", echo=True):
        print("hunter2")
        assert script.shown()[0] == "***\n"
    forget_secrets()


def test_without_an_attempt_the_proxy_is_the_stream() -> None:
    with a_script() as script:
        out: Any = sys.stdout
        assert out is not script.out
        print("plain", end="", flush=True)
        out.buffer.write(b" bytes")
        out.writelines([" and", " lines\n"])
        assert script.shown()[0] == "plain bytes and lines\n"
        assert (out.encoding, out.errors, out.isatty()) == ("utf-8", "strict", False)
        assert (out.writable(), out.readable(), out.closed) == (True, False, False)
        out.reconfigure(errors="replace")
        assert script.out.errors == "replace"
        with pytest.raises(io.UnsupportedOperation):
            out.fileno()
        with pytest.raises(AttributeError):
            _ = out.nothing


def test_the_proxy_of_a_real_file_has_its_descriptor(tmp_path: Path) -> None:
    """What a child process writes there cannot be told apart in threads; it goes where it always went."""
    with a_script(install=False) as script, (tmp_path / "out").open("w") as file:
        sys.stdout = file
        script.capture.install()
        with script.capture.attempt(tmp_path / "a.log") as attempt:
            subprocess.run([sys.executable, "-c", "print('child')"], stdout=sys.stdout, check=True)
        script.capture.remove()
    assert not attempt.logged
    assert (tmp_path / "out").read_text() == "child\n"


def test_install_and_remove_may_be_repeated_and_nested() -> None:
    with a_script(install=False) as script:
        before = (sys.stdout, sys.stderr, logging.Logger.callHandlers)
        first, second = script.capture, ThreadCapture()
        first.install()
        first.install()
        inside = (sys.stdout, sys.stderr, logging.Logger.callHandlers)
        assert not set(map(id, before)) & set(map(id, inside))
        second.install()
        assert (sys.stdout, sys.stderr, logging.Logger.callHandlers) == inside
        first.remove()
        first.remove()
        assert (sys.stdout, sys.stderr, logging.Logger.callHandlers) == inside
        second.remove()
        assert (sys.stdout, sys.stderr, logging.Logger.callHandlers) == before


def test_a_stream_that_user_code_put_in_place_stays(tmp_path: Path) -> None:
    mine = io.StringIO()
    with a_script() as script, script.capture.attempt(tmp_path / "a.log"):
        with contextlib.redirect_stdout(mine):
            print("for me")
        print("for the log")
        sys.stdout = mine
        script.capture.remove()
        assert sys.stdout is mine
    assert mine.getvalue() == "for me\n"
    assert texts(tmp_path / "a.log") == ["for the log"]


def test_closing_the_stream_closes_it_for_nobody(tmp_path: Path) -> None:
    with a_script() as script:
        with script.capture.attempt(tmp_path / "a.log"):
            print("beginning", end="")
            sys.stdout.close()
            sys.stdout.buffer.close()
        with script.capture.attempt(tmp_path / "b.log"):
            print("the next")
    assert texts(tmp_path / "a.log") == ["beginning"]
    assert texts(tmp_path / "b.log") == ["the next"]


def test_late_output_of_a_thread_goes_where_it_would_without_us(tmp_path: Path) -> None:
    with a_script() as script:
        with script.capture.attempt(tmp_path / "a.log"):
            print("in time")
            context = contextvars.copy_context()
        context.run(print, "late")
        assert script.shown()[0] == "late\n"
    assert texts(tmp_path / "a.log") == ["in time"]


def test_the_type_of_what_is_written_is_checked_as_always(tmp_path: Path) -> None:
    with a_script() as script, script.capture.attempt(tmp_path / "a.log"):
        out: Any = sys.stdout
        with pytest.raises(TypeError, match="must be str"):
            out.write(b"bytes")


# logging


@pytest.mark.parametrize("echo", [False, True])
def test_basic_config_of_the_user_works_and_doubles_nothing(tmp_path: Path, echo: bool) -> None:
    with a_script() as script:
        logging.basicConfig(level=logging.DEBUG, format="mine: %(message)s")
        assert script.root.level == logging.DEBUG
        with script.capture.attempt(tmp_path / "a.log", echo=echo):
            logging.getLogger("etl").debug("once")
        assert script.shown() == ("", "mine: once\n" if echo else "")
    assert said(tmp_path / "a.log") == [("DEBUG", "etl", "once")]


def test_a_configuration_that_replaces_all_handlers_takes_nothing_from_the_log(tmp_path: Path) -> None:
    with a_script() as script, script.capture.attempt(tmp_path / "a.log"):
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False, "root": {"level": "INFO"}})
        logging.getLogger("etl").info("still here")
    assert said(tmp_path / "a.log") == [("INFO", "etl", "still here")]


def test_handlers_that_write_elsewhere_go_on(tmp_path: Path) -> None:
    with a_script() as script:
        handler = logging.FileHandler(tmp_path / "mine.txt")
        script.root.addHandler(handler)
        with script.capture.attempt(tmp_path / "a.log"):
            logging.getLogger("etl").error("both")
        handler.close()
    assert (tmp_path / "mine.txt").read_text() == "both\n"
    assert texts(tmp_path / "a.log") == ["both"]


def test_a_handler_before_us_shows_records_on_the_terminal_as_before(tmp_path: Path) -> None:
    with a_script(install=False) as script:
        logging.basicConfig(format="%(message)s")
        script.capture.install()
        with script.capture.attempt(tmp_path / "a.log"):
            logging.getLogger("etl").error("both")
        logging.getLogger("etl").error("terminal")
        assert script.shown() == ("", "both\nterminal\n")
    assert texts(tmp_path / "a.log") == ["both"]


def test_a_logger_that_was_silenced_stays_silent(tmp_path: Path) -> None:
    silenced, apart = logging.getLogger("test_logs.silenced"), logging.getLogger("test_logs.apart")
    silenced.propagate = apart.propagate = False
    silenced.addHandler(logging.NullHandler())
    apart.addHandler(logging.StreamHandler(io.StringIO()))
    with a_script() as script, script.capture.attempt(tmp_path / "a.log"):
        silenced.error("nobody")
        apart.error("somebody")
    assert texts(tmp_path / "a.log") == ["somebody"]


def test_a_handler_that_logs_or_passes_records_on_loses_and_doubles_nothing(tmp_path: Path) -> None:
    class Chatty(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name == "etl":
                logging.getLogger("other").handle(record)
                logging.getLogger("chatty").error("saw %s", record.getMessage())

    with a_script() as script, script.capture.attempt(tmp_path / "a.log"):
        logging.getLogger("etl").addHandler(Chatty())
        logging.getLogger("etl").error("once")
        logging.getLogger("etl").handlers.clear()
    assert texts(tmp_path / "a.log") == ["once", "saw once"]


def test_tracebacks_and_broken_records_are_logged(tmp_path: Path) -> None:
    with a_script() as script, script.capture.attempt(tmp_path / "a.log"):
        try:
            raise ValueError("two\nlines")
        except ValueError:
            logging.getLogger("etl").exception("failed")
        logging.getLogger("etl").error("%d rows", "many")
    failed, broken = texts(tmp_path / "a.log")
    assert failed.startswith("failed\nTraceback (most recent call last):\n")
    assert failed.endswith("ValueError: two\nlines")
    assert broken.startswith("%d rows (this record could not be formatted: TypeError")


def test_get_logger_shows_info_unless_configured() -> None:
    with a_script():
        assert get_logger("test_logs.fresh").isEnabledFor(logging.INFO)
        logging.getLogger("test_logs.quiet").setLevel(logging.ERROR)
        assert not get_logger("test_logs.quiet").isEnabledFor(logging.INFO)


def test_a_forked_child_does_not_write_into_the_attempt(tmp_path: Path) -> None:
    """Two writers would each believe to know the size of the file."""
    script = """
import os, sys
from batuta.runtime.logs import ThreadCapture
capture = ThreadCapture()
capture.install()
with capture.attempt(sys.argv[1]):
    print("parent")
    child = os.fork()
    if not child:
        print("child", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""
    path = tmp_path / "a.log"
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "child\n"
    assert texts(path) == ["parent"]
