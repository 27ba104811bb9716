"""Bad input, as a person would give it: one clear error with a place and a hint, an exit code, no traceback of ours."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import batuta
from batuta.cli import exits
from tests.cli.bad_projects import CONFIGURATIONS, DEFINITIONS, REQUESTS, TASKS, Mistake
from tests.cli.conftest import Cli, Said

OURS = os.path.dirname(os.path.abspath(batuta.__file__))

GOOD = """\
from batuta import flow, task

@task
def add(a: int, b: int) -> int:
    return a + b

@flow
def adding() -> int:
    return add(1, 2)
"""

LARGE = """\
from batuta import asset, io, flow, task

@asset(io_manager=io.PickleIO("LAKE"))
def large() -> bytes:
    return b"x" * 8_000_000

@task
def make() -> bytes:
    return b"x" * 8_000_000

@flow
def making() -> None:
    make()
"""


def clear(said: Said, *told: str, hint: str) -> None:
    """It says all that, with a hint, and nothing of our insides."""
    for words in told:
        assert words in said.text, said.text
    assert any(hint in line for line in said.text.splitlines()), said.text
    assert "bug in Batuta" not in said.text
    ours = re.findall(rf'File "{re.escape(OURS)}[^"]*"', said.text)
    assert not ours, said.text
    assert "<frozen" not in said.text
    if "Traceback" in said.text:
        assert re.search(r'File "[^"]*/p\.py"|File "[^"]*/pipelines/', said.text), said.text


def has_hint(said: Said) -> None:
    assert re.search(r"^\s*hint ", said.text, re.MULTILINE), said.text


# ---- definitions and requests ----


@pytest.mark.parametrize("mistake", [*DEFINITIONS, *REQUESTS, *TASKS], ids=lambda mistake: mistake.name)
def test_a_mistake(bare: Cli, mistake: Mistake) -> None:
    (bare.folder / "p.py").write_text(mistake.code)
    said = bare(*mistake.command, code=mistake.exit_code)
    clear(said, *mistake.told, hint=mistake.hint)
    has_hint(said)
    if mistake not in TASKS and "import" not in said.err.lower() and "Module" not in said.err:
        assert "Traceback" not in said.text


@pytest.mark.parametrize("mistake", [DEFINITIONS[0], REQUESTS[0]], ids=lambda mistake: mistake.name)
def test_a_mistake_as_json(bare: Cli, mistake: Mistake) -> None:
    (bare.folder / "p.py").write_text(mistake.code)
    document = bare(*mistake.command, "--json", code=mistake.exit_code).json
    assert document["exit_code"] == mistake.exit_code
    assert document["error"]["what"]
    assert "p.py:3" in document["error"]["where"]
    assert mistake.hint in document["error"]["hint"]


@pytest.mark.parametrize(("text", "what", "where", "hint"), CONFIGURATIONS)
def test_a_configuration_with_a_mistake(bare: Cli, text: str, what: str, where: str, hint: str) -> None:
    (bare.folder / "pipelines").mkdir()
    (bare.folder / "batuta.toml").write_text(text)
    for command in (("run",), ("list",)):
        said = bare(*command, code=exits.UNLOADABLE)
        clear(said, what, where, hint=hint)
        assert "Traceback" not in said.text


def test_good_files_load_and_run_beside_broken_ones(bare: Cli) -> None:
    folder = bare.folder / "pipelines"
    folder.mkdir()
    (bare.folder / "batuta.toml").write_text('code = ["pipelines"]\n')
    (folder / "good.py").write_text(GOOD)
    (folder / "broken.py").write_text("import batuta\n\ndef half(:\n    pass\n")
    (folder / "lacking.py").write_text("import no_such_library\n")
    (folder / "raising.py").write_text("\n\nraise ValueError('no settings')\n")
    for command in (("run", "adding"), ("list",)):
        said = bare(*command)
        clear(said, "adding", "pipelines/broken.py:3", "syntax error", "pipelines/lacking.py:1", hint="install no_such")
        assert "pipelines/raising.py:3" in said.text
        assert "ValueError: no settings" in said.text


@pytest.mark.parametrize("command", ["runs show 7", "runs resume 7", "runs retry 7", "runs cancel 7", "logs 7"])
def test_a_run_that_there_is_not(bare: Cli, command: str) -> None:
    (bare.folder / "p.py").write_text(GOOD)
    said = bare(*command.split(), code=exits.STORE)
    clear(said, "there is no store yet", "batuta.db", hint="`batuta run` makes one")
    bare("run", "p.py", "-q")
    said = bare(*command.split(), code=exits.USAGE)
    clear(said, "there is no run 7", hint="1")
    has_hint(said)


# ---- the store ----


@pytest.fixture
def good(bare: Cli) -> Cli:
    """`batuta` in a folder with a flow that runs."""
    (bare.folder / "p.py").write_text(GOOD)
    return bare


def test_a_corrupt_store(good: Cli, batuta_home: Path) -> None:
    batuta_home.mkdir()
    (batuta_home / "batuta.db").write_bytes(os.urandom(20_000))
    for command in (("run", "p.py"), ("runs", "list")):
        said = good(*command, code=exits.STORE)
        clear(said, "not a database", str(batuta_home / "batuta.db"), hint="move it away")
        assert "Traceback" not in said.text


def test_a_damaged_store(good: Cli, batuta_home: Path) -> None:
    good("run", "p.py", "-q")
    path = batuta_home / "batuta.db"
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))
    said = good("run", "p.py", code=exits.STORE)
    clear(said, "damaged", str(path), hint="backup")
    assert "Traceback" not in said.text


def test_a_store_of_a_newer_version(good: Cli, batuta_home: Path) -> None:
    good("run", "p.py", "-q")
    with sqlite3.connect(batuta_home / "batuta.db") as database:
        database.execute("UPDATE batuta_revision SET version_num = '9999_later'")
    database.close()
    for command in (("run", "p.py"), ("runs", "list"), ("db", "upgrade")):
        said = good(*command, code=exits.STORE)
        clear(said, "9999_later", str(batuta_home / "batuta.db"), hint="upgrade")
        has_hint(said)
        assert "Traceback" not in said.text


@pytest.mark.parametrize("command", [("run", "p.py"), ("runs", "list")])
def test_a_server_that_cannot_be_reached(good: Cli, command: tuple[str, ...]) -> None:
    said = good(*command, code=exits.STORE, BATUTA_STORE_URL="postgresql://me:secret@127.0.0.1:1/batuta")
    clear(said, "cannot be reached: ", "127.0.0.1:1/batuta", hint="check that the server runs")
    assert "secret" not in said.text
    assert "Traceback" not in said.text


class Disk:
    """A small file system of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read_only(self) -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(self.folder)], check=True)

    def fill(self, but_bytes: int = 0) -> Path:
        """Write until there is no room; then leave so much."""
        filler = self.folder / "filler"
        size = 0
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    size += file.write(b"x" * 4096)
            except OSError:
                pass
            file.truncate(max(0, size - but_bytes))
        return filler


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or sys.platform != "linux" or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("needs root on Linux: it mounts a file system of 4 MB, to fill it and to make it read-only")
    yield Disk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("room_bytes", [0, 48 * 1024], ids=["no room", "little room"])
def test_the_disk_of_the_store_is_full(good: Cli, disk: Disk, room_bytes: int) -> None:
    filler = disk.fill(but_bytes=room_bytes)
    home = str(disk.folder / "home")
    said = good("run", "p.py", code=exits.STORE, BATUTA_HOME=home)
    clear(said, "full", str(disk.folder), hint="free some room")
    assert "Traceback" not in said.text
    filler.unlink()
    assert "succeeded" in good("run", "p.py", BATUTA_HOME=home).out


def test_the_disk_of_the_store_fills_up_during_a_run(good: Cli, disk: Disk) -> None:
    (good.folder / "p.py").write_text(FILLING.replace("DISK", str(disk.folder)))
    home = str(disk.folder / "home")
    said = good("run", "p.py", code=exits.STORE, BATUTA_HOME=home)
    clear(said, "full", hint="free some room")
    assert "Traceback" not in said.text
    (disk.folder / "filler").unlink()
    assert "succeeded" in good("runs", "resume", "1", BATUTA_HOME=home).out


FILLING = """\
import os
from batuta import flow, task

@task
def fill() -> int:
    if os.path.exists("filled"):
        return 0
    open("filled", "w").close()
    with open("DISK/filler", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return 1

@task
def work(number: int) -> str:
    return "x" * 900

@flow
def filling() -> int:
    fill()
    return len([future.result() for future in work.map(range(400))])
"""


@pytest.mark.parametrize("executor", ["processes", "threads"])
def test_the_disk_of_the_data_is_full(bare: Cli, disk: Disk, executor: str) -> None:
    (bare.folder / "p.py").write_text(LARGE.replace("LAKE", str(disk.folder)))
    said = bare("materialize", "p.py", "large", "--executor", executor, code=exits.FAILED)
    clear(said, "no space left to write", "large.pickle", hint="free space")
    has_hint(said)
    assert [path for path in disk.folder.rglob("*") if path.is_file()] == [], "what was half written is gone"


def test_the_disk_of_the_results_is_full(bare: Cli, disk: Disk) -> None:
    (bare.folder / "p.py").write_text(LARGE)
    said = bare("run", "p.py", "making", code=exits.FAILED, BATUTA_HOME=str(disk.folder / "home"))
    clear(said, "no space left to write", "make-0", hint="free space")


def test_a_read_only_store(good: Cli, disk: Disk) -> None:
    home = str(disk.folder / "home")
    good("run", "p.py", "-q", BATUTA_HOME=home)
    disk.read_only()
    said = good("run", "p.py", code=exits.STORE, BATUTA_HOME=home)
    clear(said, "home", hint="read-only")
    has_hint(said)
    assert "Traceback" not in said.text
    assert "succeeded" in good("runs", "list", BATUTA_HOME=home).out, "it can still be looked at"
    pruned = good("db", "prune", "--older-than", "1d", code=exits.STORE, BATUTA_HOME=home)
    clear(pruned, "may not be written", hint="make it writable")


def test_a_place_where_no_store_can_be_made(good: Cli, disk: Disk) -> None:
    disk.read_only()
    said = good("run", "p.py", code=exits.STORE, BATUTA_HOME=str(disk.folder / "home"))
    clear(said, str(disk.folder / "home"), hint="BATUTA_HOME")
    has_hint(said)
    assert "Traceback" not in said.text


# ---- two at once ----


def test_two_processes_run_on_one_file(good: Cli) -> None:
    both = [good.start("run", "p.py", "--json") for _ in range(2)]
    said = [good.end(process) for process in both]
    assert [one.code for one in said] == [0, 0], said
    assert {one.lines[-1]["run"]["id"] for one in said} == {1, 2}
    listed = good("runs", "list", "--json").json
    assert [run["state"] for run in listed["runs"]] == ["succeeded", "succeeded"]


def test_a_run_that_lives_is_not_resumed(cli: Cli) -> None:
    process = cli.start("run", "waiting")
    cli.wait_for("w0.running")
    for verb, told, hint in (
        ("resume", "run 1 is being executed by", "wait for it"),
        ("retry", "run 1 is running", "batuta runs resume 1"),
    ):
        said = cli("runs", verb, "1", code=exits.USAGE)
        clear(said, told, hint=hint)
        has_hint(said)
        assert "Traceback" not in said.text
    cli.touch("go")
    assert cli.end(process).code == exits.OK
