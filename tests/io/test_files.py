"""Where files go and how they are replaced: names, temporary files, full disks, fsspec."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given
from hypothesis import strategies as st

from batuta.io.file_io import file_name
from batuta.io.files import LEFTOVER_AGE_S, TEMP, LocalFiles, RemoteFiles, StorageError, escape, open_files

AWKWARD = ["", ".", "..", "../../etc/passwd", "/abs", "a/b", "a\\b", "\0", "é", "\udc80", "x" * 1000, "~", "%", "a\nb"]


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    return LocalFiles(str(tmp_path))


@pytest.fixture
def memory() -> Iterator[RemoteFiles]:
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
    found = open_files("memory://lake")
    assert isinstance(found, RemoteFiles)
    yield found
    MemoryFileSystem.store.clear()


@given(st.text(max_size=300))
def test_escaped_names_are_plain_file_names(name: str) -> None:
    escaped = escape(name)
    assert escaped
    assert not escaped.startswith(".")
    assert "/" not in escaped
    assert escaped.isascii()
    assert len(escaped) <= 200


@given(st.lists(st.text(max_size=8) | st.sampled_from(AWKWARD), unique=True, max_size=30))
def test_different_names_stay_different(names: list[str]) -> None:
    assert len({escape(name) for name in names}) == len(names)


def test_usual_keys_are_written_as_they_are() -> None:
    assert file_name("gold.revenue", None, ".parquet") == "gold/revenue.parquet"
    assert file_name("silver.rates", "2026-01-01", ".parquet") == "silver/rates/2026-01-01.parquet"


keys = st.lists(
    st.text(alphabet="ab0@%_", min_size=1, max_size=4) | st.sampled_from([a for a in AWKWARD if "." not in a]),
    min_size=1,
    max_size=3,
).map(".".join)
places = st.tuples(keys, st.none() | st.text(alphabet="ab0@%_.", min_size=1, max_size=4) | st.sampled_from(AWKWARD[1:]))


@given(st.lists(places, unique=True, max_size=20))
def test_no_two_assets_or_partitions_share_a_file(found: list[tuple[str, str | None]]) -> None:
    assert len({file_name(asset, partition, ".json") for asset, partition in found}) == len(found)


@given(places)
def test_no_file_leaves_the_base(place: tuple[str, str | None]) -> None:
    path = os.path.normpath(os.path.join("/lake", file_name(*place, ".json")))
    assert path.startswith("/lake/")
    assert TEMP not in path


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names_work_on_a_real_file_system(files: LocalFiles, name: str) -> None:
    target = file_name("bronze.x", name or None, ".json")
    files.write(target, b"1")
    assert files.read(target) == b"1"
    assert Path(files.base, "bronze").exists()


def test_a_write_replaces_the_whole_file_and_leaves_nothing_else(files: LocalFiles) -> None:
    files.write("a/b.json", b"long content")
    files.write("a/b.json", b"new")
    assert files.read("a/b.json") == b"new"
    assert os.listdir(os.path.join(files.base, TEMP)) == []


def test_an_error_while_writing_leaves_the_previous_version(files: LocalFiles) -> None:
    files.write("a.json", b"old")

    def write_half() -> None:
        with files.replacing("a.json") as draft:
            Path(draft).write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert files.read("a.json") == b"old"
    assert os.listdir(os.path.join(files.base, TEMP)) == []


HOLD = """
import sys, os
from batuta.io.files import LocalFiles
with LocalFiles(sys.argv[1]).replacing("a.json") as draft:
    open(draft, "wb").write(b"half")
    print("writing", flush=True)
    sys.stdin.read()
"""


def _writer(base: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, base], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "writing\n"
    return child


def test_leftovers_of_a_killed_writer_go_with_the_next_write_and_those_of_a_live_one_stay(files: LocalFiles) -> None:
    files.write("a.json", b"old")
    temp = os.path.join(files.base, TEMP)
    with _writer(files.base) as killed, _writer(files.base) as alive:
        assert len(os.listdir(temp)) == 2
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        files.write("b.json", b"other")
        assert len(os.listdir(temp)) == 1
        assert files.read("a.json") == b"old"
        alive.communicate()
    assert alive.returncode == 0
    assert files.read("a.json") == b"half"
    assert os.listdir(temp) == []


MANY = """
import sys
from batuta.io.files import LocalFiles
files, name = LocalFiles(sys.argv[1], durable=False), sys.argv[2]
for number in range(100):
    files.write(f"x/{name}-{number}.json", f"{name}{number}".encode())
"""


def test_writers_at_once_do_not_disturb_each_other(files: LocalFiles) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", MANY, files.base, name]) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    written = [(name, number) for name in "abc" for number in range(100)]
    assert all(files.read(f"x/{name}-{number}.json") == f"{name}{number}".encode() for name, number in written)
    assert os.listdir(os.path.join(files.base, TEMP)) == []


def _limit_file_size() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))


FILL = """
import sys
from batuta.io.files import LocalFiles, StorageError
files = LocalFiles(sys.argv[1])
try:
    files.write("a.json", b"x" * 1_000_000)
except StorageError as error:
    print(error)
"""


def test_a_full_disk_is_told_with_the_path_and_changes_nothing(files: LocalFiles) -> None:
    files.write("a.json", b"old")
    run = subprocess.run(
        [sys.executable, "-c", FILL, files.base],
        capture_output=True,
        text=True,
        preexec_fn=_limit_file_size,
        check=True,
    )
    assert "no space left to write" in run.stdout
    assert f"{files.base}/a.json" in run.stdout
    assert "hint: free space" in run.stdout
    assert files.read("a.json") == b"old"
    assert os.listdir(os.path.join(files.base, TEMP)) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    files = LocalFiles(str(tmp_path / "file"))
    with pytest.raises(StorageError, match="cannot be written: File exists"):
        files.write("a.json", b"1")


def test_files_are_as_readable_as_the_umask_says(files: LocalFiles) -> None:
    files.write("a.json", b"1")
    umask = os.umask(0o022)
    os.umask(umask)
    assert stat.S_IMODE(os.stat(files.url("a.json")).st_mode) == 0o666 & ~umask


def test_paths_with_a_scheme_are_remote_and_others_local(tmp_path: Path) -> None:
    assert isinstance(open_files("s3://bucket/lake"), RemoteFiles)
    assert isinstance(open_files("~/lake"), LocalFiles)
    local = open_files(f"file://{tmp_path}")
    assert isinstance(local, LocalFiles)
    assert local.base == str(tmp_path)


def test_memory_files(memory: RemoteFiles) -> None:
    memory.write("a/b.json", b"1")
    memory.write("a/b.json", b"2")
    assert memory.read("a/b.json") == b"2"
    assert memory.exists("a/b.json")
    assert memory.url("a/b.json") == "memory://lake/a/b.json"
    memory.delete("a/b.json")
    memory.delete("a/b.json")
    assert not memory.exists("a/b.json")
    with pytest.raises(FileNotFoundError):
        memory.read("a/b.json")
    assert [path for path in MemoryFileSystem.store if TEMP in path] == []


def test_old_remote_leftovers_are_removed_and_young_ones_kept(memory: RemoteFiles) -> None:
    fs: Any = fsspec.filesystem("memory")
    now = int(time.time())
    old, young = (f"/lake/{TEMP}/{at:x}-abc" for at in (now - LEFTOVER_AGE_S - 60, now))
    for path in (old, young):
        fs.pipe_file(path, b"half")
    memory.write("a.json", b"1")
    assert not fs.exists(old)
    assert fs.exists(young)


class FullFileSystem(MemoryFileSystem):  # type: ignore[misc]
    """A store in which no upload fits any more."""

    protocol = "full"

    def put_file(self, lpath: str, rpath: str, *args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_remote_store_is_told(memory: RemoteFiles) -> None:
    fsspec.register_implementation("full", FullFileSystem, clobber=True)
    files = open_files("full://lake")
    with pytest.raises(StorageError, match=r"no space left to write full://lake/a\.json"):
        files.write("a.json", b"1")
    assert not files.exists("a.json")
