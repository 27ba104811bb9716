"""Worker processes: whatever an attempt writes, by whatever means, ends in its log, also when the worker dies of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from batuta.runtime.log_attempt import FD, AttemptLog
from batuta.runtime.log_files import log_files
from batuta.runtime.log_spool import Spool
from batuta.runtime.logs import LogLine, WorkerCapture, follow, read, recover_spool, remove_spool

MIB = 1 << 20
# `BATUTA_TEST_LOG_BYTES=1073741824` for the full promise.
FLOOD_BYTES = int(os.environ.get("BATUTA_TEST_LOG_BYTES", 200 * MIB))

WORKER = """
import ctypes, json, logging, os, subprocess, sys, threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads, which tests do on purpose
from batuta.runtime.logs import WorkerCapture, get_logger
from batuta.runtime.masking import register_secret
logs, told, limit_bytes = sys.argv[1], sys.argv[2], int(sys.argv[3])
capture = WorkerCapture(os.path.join(logs, "spool"), limit_bytes, tick_s=0.02)

def tell(value):
    with open(told, "w") as file:
        json.dump(value, file)

def log(name):
    return os.path.join(logs, name + ".log")

"""


class Worker:
    """Runs code in a process whose output is captured; `capture` is there, but not yet installed."""

    def __init__(self, folder: Path, limit_bytes: int = 32 * MIB) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self.told = folder / "told.json"

    def start(self, code: str) -> subprocess.Popen[bytes]:
        arguments = [str(self.folder), str(self.told), str(self.limit_bytes)]
        return subprocess.Popen(
            [sys.executable, "-c", WORKER + code, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, code: str) -> None:
        """To its end, which must be a good one; nothing may escape to the worker's own stdout or stderr."""
        process = self.start(code)
        out, err = process.communicate()
        assert (process.returncode, out, err) == (0, b"", b"")

    def attempt(self, code: str, name: str = "a") -> None:
        """One attempt that runs the code."""
        self.run(f"capture.install()\ncapture.begin(log({name!r}))\n{code}\ncapture.end()\n")

    def crash(self, code: str) -> int:
        """One attempt that the worker does not survive; its exit status."""
        process = self.start(f"capture.install()\ncapture.begin(log('a'))\n{code}\ncapture.end()\n")
        process.communicate()
        return process.returncode

    def log(self, name: str = "a") -> Path:
        return self.folder / f"{name}.log"

    def lines(self, name: str = "a") -> list[LogLine]:
        return list(read(self.log(name)))

    def texts(self, name: str = "a") -> list[str]:
        return [line.text for line in self.lines(name)]


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    return Worker(tmp_path)


def said(lines: Sequence[LogLine]) -> set[tuple[str, str, str]]:
    return {(line.level, line.source, line.text) for line in lines}


def disk_bytes(path: Path) -> int:
    return sum(os.path.getsize(name) for _, name in log_files(path))


def test_every_kind_of_output_ends_in_the_log(worker: Worker) -> None:
    worker.attempt("""
print("print")
print("error", file=sys.stderr)
sys.__stdout__.write("original\\n")
sys.stdout.buffer.write(b"buffer\\n")
get_logger().info("task")
logging.getLogger("etl").info("info")
thread = threading.Thread(target=print, args=("thread",))
thread.start(); thread.join()
os.write(1, b"written\\n")
ctypes.CDLL(None).printf(b"printf\\n")
subprocess.run(["sh", "-c", "echo shell; echo complaint >&2"])
subprocess.run([sys.executable, "-c", "print('python')"], stdout=sys.stdout)
ctypes.CDLL(None).printf(b"printf without an end")
""")
    expected = {
        ("OUT", "stdout", "print"),
        ("ERR", "stderr", "error"),
        ("OUT", "stdout", "original"),
        ("OUT", "stdout", "buffer"),
        ("INFO", "batuta.task", "task"),
        ("INFO", "etl", "info"),
        ("OUT", "stdout", "thread"),
        ("OUT", "fd", "written"),
        ("OUT", "fd", "printf"),
        ("OUT", "fd", "printf without an end"),
        ("OUT", "fd", "shell"),
        ("OUT", "fd", "complaint"),
        ("OUT", "fd", "python"),
    }
    assert said(worker.lines()) == expected
    assert len(worker.lines()) == len(expected)


def test_each_attempt_has_its_own_log_and_a_silent_one_has_none(worker: Worker) -> None:
    worker.run("""
capture.install()
logged = []
for name in ("a", "silent", "b"):
    capture.begin(log(name))
    if name != "silent":
        print("print", name)
        os.write(1, f"write {name}\\n".encode())
    logged.append(capture.end())
tell(logged + [capture.end()])
""")
    assert json.loads(worker.told.read_text()) == [True, False, True, False]
    assert worker.texts("a") == ["print a", "write a"]
    assert worker.texts("b") == ["print b", "write b"]
    assert not worker.log("silent").exists()


def test_streams_made_of_the_buffer_are_heard(worker: Worker) -> None:
    worker.run("""
import codecs, io
capture.install()
capture.begin(log("a"))
codecs.getwriter("utf-8")(sys.stdout.buffer).write("one ü\\n")
sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")
print("two")
capture.end()
capture.begin(log("b"))
print("three")
capture.end()
""")
    assert worker.texts("a") == ["one ü", "two"]
    assert worker.texts("b") == ["three"]


def test_output_between_attempts_goes_to_the_next(worker: Worker) -> None:
    worker.run("""
capture.install()
print("at import")
capture.begin(log("a"))
capture.end()
""")
    assert said(worker.lines()) == {("OUT", "fd", "at import")}


def test_output_stands_in_the_order_of_writing(worker: Worker) -> None:
    worker.attempt("""
for number in range(0, 400, 4):
    print(number)
    os.write(1, f"{number + 1}\\n".encode())
    get_logger().info("%d", number + 2)
    ctypes.CDLL(None).printf(f"{number + 3}\\n".encode())
""")
    assert worker.texts() == [str(number) for number in range(400)]


def test_forked_children_are_heard(worker: Worker) -> None:
    worker.attempt("""
print("parent")
child = os.fork()
if not child:
    print("child")
    get_logger().info("record of the child")
    os._exit(0)
os.waitpid(child, 0)
""")
    assert said(worker.lines()) == {
        ("OUT", "stdout", "parent"),
        ("OUT", "fd", "child"),
        ("OUT", "fd", "INFO batuta.task | record of the child"),
    }


def test_a_child_of_a_process_that_captures_installs_anew(worker: Worker) -> None:
    """As one that forks a child per step; each has a spool of its own."""
    worker.run("""
capture.install()
for name in ("a", "b"):
    child = os.fork()
    if not child:
        mine = WorkerCapture(os.path.join(logs, name + ".spool"))
        mine.install()
        mine.begin(log(name))
        print("print", name)
        logging.getLogger("etl").info("record")
        os.write(2, b"written\\n")
        mine.end()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
""")
    for name in ("a", "b"):
        assert worker.texts(name) == [f"print {name}", "record", "written"]


# logging


@pytest.mark.parametrize(
    "configuration",
    [
        "",
        "logging.basicConfig(level=logging.INFO)",
        "logging.basicConfig(level=logging.INFO, stream=sys.stdout)",
        "logging.config.dictConfig({'version': 1, 'handlers': {'h': {'class': 'logging.StreamHandler'}},"
        " 'root': {'handlers': ['h'], 'level': 'INFO'}, 'disable_existing_loggers': False})",
        "import rich.logging; logging.getLogger().addHandler(rich.logging.RichHandler())",
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_record_is_logged_once_however_logging_is_configured(worker: Worker, configuration: str, when: str) -> None:
    before, after = (configuration, "") if when == "before" else ("", configuration)
    worker.run(f"""
import logging.config
{before}
capture.install()
{after}
capture.begin(log("a"))
logging.getLogger("etl").info("once")
capture.end()
""")
    assert [line[1:4] for line in worker.lines()] == [("INFO", "etl", "once")]


def test_the_level_that_the_user_sets_holds(worker: Worker) -> None:
    worker.run("""
logging.getLogger().setLevel(logging.ERROR)
capture.install()
capture.begin(log("a"))
logging.getLogger("etl").info("not asked for")
logging.basicConfig(level=logging.DEBUG)
logging.getLogger("etl").debug("asked for")
capture.end()
""")
    assert worker.texts() == ["asked for"]


def test_secrets_are_masked_however_they_are_written(worker: Worker) -> None:
    worker.attempt("""
register_secret("hunter2")
print("hunter2")
sys.stdout.write("hun"); sys.stdout.flush(); sys.stdout.write("ter2\\n")
logging.getLogger("etl").info("%s", "hunter2")
subprocess.run(["printf", "hun"]); subprocess.run(["echo", "ter2"])
""")
    assert worker.texts() == ["***"] * 4
    assert b"hunter2" not in worker.log().read_bytes()


def test_a_signal_handler_that_prints_disturbs_nothing(worker: Worker) -> None:
    """It runs in the middle of whatever the main thread does, our own code included, while the drainer is at work."""
    worker.attempt("""
import itertools, signal
counter, ticks = itertools.count(1), []
def tick(*_):
    mine = next(counter)
    get_logger().info("tick %d", mine)
    ticks.append(mine)
signal.signal(signal.SIGALRM, tick)
child = subprocess.Popen(["seq", "1000000", "1200000"])
signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
number = 0
while number < 10_000 or len(ticks) < 100:
    number += 1
    sys.stdout.write(f"{number}\\n")
signal.setitimer(signal.ITIMER_REAL, 0)
child.wait()
tell([number, len(ticks)])
""")
    count, ticks = json.loads(worker.told.read_text())
    lines = worker.lines()
    numbers = {
        source: [int(line.text.split()[-1]) for line in lines if line.source == source]
        for source in ("stdout", "fd", "batuta.task")
    }
    assert numbers["stdout"] == list(range(1, count + 1))
    assert numbers["fd"] == list(range(1_000_000, 1_200_001))
    # The handler may be interrupted by itself before it logs.
    assert sorted(numbers["batuta.task"]) == list(range(1, ticks + 1))


# A task that damages its process


def test_a_task_that_closes_or_replaces_the_streams_harms_no_other(worker: Worker) -> None:
    worker.run("""
capture.install()
kept = []
for number, damage in enumerate([
    lambda: sys.stdout.close(),
    lambda: sys.__stdout__.close(),
    lambda: setattr(sys, "stdout", open(os.devnull, "w")),
    lambda: setattr(sys, "stderr", None),
    lambda: sys.stdout.buffer.close(),
    lambda: os.close(1),
    lambda: (os.close(2), kept.append(open(log("data"), "w"))),
    lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 1),
]):
    capture.begin(log(f"damage{number}"))
    damage()
    capture.end()
    capture.begin(log(str(number)))
    print("print")
    print("error", file=sys.stderr)
    os.write(1, b"written\\n")
    os.write(2, b"written\\n")
    capture.end()
""")
    for number in range(8):
        assert worker.texts(str(number)) == ["print", "error", "written", "written"]
    assert worker.log("data").read_bytes() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_fails_no_task(worker: Worker) -> None:
    worker.log().symlink_to("/dev/full")
    worker.attempt("""
print("lost")
os.write(1, b"lost as well\\n")
logging.getLogger("etl").info("and this")
""")


@pytest.mark.parametrize(
    ("death", "status", "words"),
    [
        ("ctypes.string_at(0)", -signal.SIGSEGV, "Fatal Python error: Segmentation fault"),
        ("os.abort()", -signal.SIGABRT, "Fatal Python error: Aborted"),
        ("os._exit(3)", 3, ""),
        ("os.kill(os.getpid(), 9)", -signal.SIGKILL, ""),
    ],
)
def test_the_last_words_of_a_worker_are_saved(worker: Worker, death: str, status: int, words: str) -> None:
    assert worker.crash(f"print('last print')\nos.write(1, b'last words\\n')\n{death}") == status
    spool = worker.folder / "spool"
    assert recover_spool(spool, worker.log()) > 0
    lines = worker.lines()
    assert [line[1:4] for line in lines[:2]] == [("OUT", "stdout", "last print"), ("ERR", "fd", "last words")]
    assert any(line.text == words for line in lines) == bool(words)
    if words:
        assert any('File "<string>"' in line.text for line in lines)
    assert recover_spool(spool, worker.log()) == 0
    assert worker.lines() == lines
    remove_spool(spool)
    assert recover_spool(spool, worker.log()) == 0


def test_what_was_moved_before_the_crash_is_not_moved_again(worker: Worker) -> None:
    process = worker.start("""
capture.install()
capture.begin(log("a"))
os.write(1, b"early\\n")
sys.stdin.readline()
with capture._lock: pass  # the drainer has finished its round
os.write(1, b"late\\n")
os._exit(1)
""")
    await_line(worker, process, "early")
    process.communicate(b"\n")
    assert recover_spool(worker.folder / "spool", worker.log()) == len(b"late\n")
    assert [line[1:4] for line in worker.lines()] == [("OUT", "fd", "early"), ("ERR", "fd", "late")]


# Live


def await_line(worker: Worker, process: subprocess.Popen[bytes], text: str) -> None:
    """Follow the log until the line is there, and see it while the process still runs."""
    found = threading.Event()
    for line in follow(worker.log(), lambda: found.is_set() or process.poll() is not None, poll_s=0.005):
        if line.text == text:
            found.set()
    assert found.is_set()
    assert process.poll() is None


@pytest.mark.parametrize(
    "code",
    [
        "print('here')",
        "print('here', end='', flush=True)",
        "print('\\rhere', end='')",
        "os.write(1, b'here\\n')",
        "ctypes.CDLL(None).printf(b'here')",
        "logging.getLogger('etl').info('here')",
        "subprocess.run(['echo', 'here'])",
    ],
)
def test_output_is_seen_while_the_attempt_runs(worker: Worker, code: str) -> None:
    """The attempt goes on only when its output was seen. A line without an end is seen a little later."""
    process = worker.start(f"capture.install()\ncapture.begin(log('a'))\n{code}\nsys.stdin.readline()\ncapture.end()\n")
    await_line(worker, process, "here")
    assert process.communicate(b"\n") == (b"", b"")
    assert worker.texts() == ["here"]


def test_an_attempt_after_a_pause_is_live_again(worker: Worker) -> None:
    """Without an attempt the drainer sleeps until the next one wakes it."""
    process = worker.start("""
capture.install()
capture.begin(log("first")); capture.end()
while not capture._parked: pass
capture.begin(log("a"))
os.write(1, b"here\\n")
sys.stdin.readline()
capture.end()
""")
    await_line(worker, process, "here")
    process.communicate(b"\n")
    assert process.returncode == 0


def test_no_line_of_a_child_process_is_lost_while_it_is_drained(worker: Worker) -> None:
    """30 MB, so that disk space of the spool is given back many times under the writer's hands."""
    worker.limit_bytes = 256 * MIB
    worker.attempt("subprocess.run(['seq', '-f', 'line %.0f of a text that takes some space', '600000'], check=True)")
    numbers = [int(line.text.split()[1]) for line in worker.lines()]
    assert numbers == list(range(1, 600_001))


@pytest.mark.parametrize("holes", [True, False])
def test_the_spool_gives_back_its_space(tmp_path: Path, holes: bool) -> None:
    path = tmp_path / "spool"
    spool = Spool(str(path), fresh=True, holes=holes)
    log = AttemptLog(tmp_path / "a.log")
    lines = [f"{number} {'x' * 61}" for number in range(5)]
    for line in lines:
        with path.open("a") as file:
            file.write(f"{line}\n" * (MIB // 32))
        assert spool.pour(log, FD) == 2 * MIB
        assert path.stat().st_blocks * 512 < MIB
        assert not spool.grown()
    spool.close()
    log.close()
    assert [line.text for line in read(tmp_path / "a.log")] == [line for line in lines for _ in range(MIB // 32)]


def test_a_program_that_truncates_the_spool_is_heard(worker: Worker) -> None:
    worker.attempt("""
os.write(1, b"a long line before\\n")
print("in between")
subprocess.run(["sh", "-c", "echo short > /dev/stdout"])
print("at last")
""")
    assert worker.texts() == ["a long line before", "in between", "short", "at last"]


# The bound

FLOODS = {
    "prints": "line = 'x' * 99\nfor _ in range(size // 100): print(line)",
    "large prints": "text = ('x' * 99 + '\\n') * 10_000\nfor _ in range(size // len(text)): sys.stdout.write(text)",
    "one line": "text = 'x' * MIB\nfor _ in range(size // MIB): sys.stdout.write(text)",
    "child": "subprocess.run(f'yes a line of a child | head -c {size // 18 * 18}', shell=True)",
    "C": "text = b'x' * 99 + b'\\n'\nfor _ in range(size // MIB): os.write(1, text * (MIB // 100))",
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_stays_within_its_limit(worker: Worker, flood: str) -> None:
    worker.limit_bytes = 8 * MIB
    size = FLOOD_BYTES // 8 if flood == "prints" and "BATUTA_TEST_LOG_BYTES" not in os.environ else FLOOD_BYTES
    worker.run(f"""
import resource
MIB, size = 1 << 20, {size}
capture.install()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
capture.begin(log("a"))
print("first")
{FLOODS[flood]}
print()
logging.getLogger("etl").info("last")
capture.end()
memory_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
tell([memory_kib, os.stat(os.path.join(logs, "spool")).st_blocks * 512])
""")
    memory_kib, spool_bytes = json.loads(worker.told.read_text())
    assert memory_kib < 30 * 1024
    assert spool_bytes <= 2 * MIB
    assert 6 * MIB < disk_bytes(worker.log()) <= 8 * MIB
    lines = worker.lines()
    assert lines[0].text == "first"
    assert lines[-1].text == "last"
    gaps = [line for line in lines if line.source == "batuta.logs"]
    assert sum(gap.end - gap.offset for gap in gaps) > size - 16 * MIB


def test_an_attempt_after_a_flood_is_as_good_as_any(worker: Worker) -> None:
    worker.limit_bytes = 1 * MIB
    worker.run("""
capture.install()
capture.begin(log("flood"))
subprocess.run("yes | head -c 20000000", shell=True)
capture.end()
capture.begin(log("a"))
subprocess.run(["echo", "here"])
capture.end()
capture.begin(log("silent"))
tell(capture.end())
""")
    assert worker.texts() == ["here"]
    assert json.loads(worker.told.read_text()) is False


# Costs


def test_a_silent_attempt_makes_no_file_and_no_thread(worker: Worker) -> None:
    worker.run("""
capture.install()
path = log("a")
threads = threading.active_count()
for _ in range(1000):
    capture.begin(path)
    capture.end()
tell(threading.active_count() - threads)
""")
    assert json.loads(worker.told.read_text()) == 0
    assert not worker.log().exists()


def test_removing_gives_the_streams_back(worker: Worker) -> None:
    process = worker.start("""
before = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__, logging.Logger.callHandlers)
for _ in range(2):
    capture.install()
    capture.install()
    capture.begin(log("a"))
    print("captured")
    capture.remove()
    capture.remove()
    assert before == (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__, logging.Logger.callHandlers)
print("free")
os.write(2, b"free as well\\n")
assert threading.active_count() == 1
""")
    assert process.communicate() == (b"free\n", b"free as well\n")
    assert process.returncode == 0
    assert worker.texts() == ["captured", "captured"]


def test_a_worker_that_was_never_installed_has_nothing_to_remove(tmp_path: Path) -> None:
    WorkerCapture(tmp_path / "spool").remove()
    assert list(tmp_path.iterdir()) == []
