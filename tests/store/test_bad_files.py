"""Files that cannot be used, and disks that are full: one clear error each, with what to do about it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from batuta.store import Store
from batuta.store.errors import (
    NotAStore,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreMissing,
    StoreReadOnly,
)
from tests.store.committer import PATHS
from tests.store.samples import create, reread, task_ends

NOBODY = 65_534


@contextmanager
def as_nobody() -> Iterator[None]:
    """Drop root's right to write everywhere. Tests that run as an ordinary user need nothing."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """A directory that any user may enter."""
    folder = tmp_path
    while folder.name and folder != Path("/tmp"):
        folder.chmod(0o755)
        folder = folder.parent
    return tmp_path


def _filled(path: Path, tasks: int = 200) -> None:
    with Store.open(path) as store:
        store.commit(task_ends(create(store), 1, tasks))


# ---- places ----


def test_a_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match="there is no directory") as caught:
        Store.open(tmp_path / "nowhere" / "store.db")
    assert caught.value.where == str(tmp_path / "nowhere" / "store.db")
    assert f"mkdir -p {tmp_path / 'nowhere'}" in str(caught.value.hint)
    assert not (tmp_path / "nowhere").exists()


def test_a_directory_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match="that is a directory"):
        Store.open(tmp_path)


def test_a_missing_file_to_read_from(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match="does not exist"):
        Store.open(tmp_path / "store.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_file(public: Path) -> None:
    path = public / "store.db"
    _filled(path)
    path.chmod(0o444)
    with as_nobody(), pytest.raises(StoreReadOnly, match="may not be written") as caught:
        Store.open(path)
    assert "it can be read as it is" in str(caught.value.hint)


def test_a_read_only_directory(public: Path) -> None:
    path = public / "store.db"
    _filled(path)
    path.chmod(0o666)
    public.chmod(0o555)
    try:
        with as_nobody(), pytest.raises(StoreReadOnly, match=f"nothing may be written in its directory {public}"):
            Store.open(path)
        with as_nobody(), pytest.raises(StoreReadOnly, match="nothing may be written"):
            Store.open(public / "new.db")
    finally:
        public.chmod(0o755)


def test_a_file_that_may_not_even_be_read(public: Path) -> None:
    path = public / "store.db"
    _filled(path)
    path.chmod(0o000)
    with as_nobody(), pytest.raises(StoreMissing, match="may not be read by this user"):
        Store.open(path, read_only=True)


def test_a_file_that_becomes_read_only_while_it_is_open(public: Path) -> None:
    with Store.open(public / "store.db") as store:
        run = create(store)
        with store._database.writer() as connection:
            connection.execute("PRAGMA query_only = ON")  # what SQLite answers on a file system that turned read-only
        with pytest.raises(StoreReadOnly):
            store.commit(task_ends(run, 1, 1))
        assert reread(store, run).seq == 0


# ---- contents ----


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_text("not a database\n" * 500)
    with pytest.raises(StoreCorrupt, match="is not a database") as caught:
        Store.open(path)
    assert "move it away" in str(caught.value.hint)
    assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)
    assert path.read_text().startswith("not a database")


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.touch()
    with Store.open(path) as store:
        assert store.opened == "created"


def test_a_database_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE customers (name TEXT)")
    other.close()
    with pytest.raises(NotAStore, match="not a store's"):
        Store.open(path)


def test_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    _filled(path, 2_000)
    size = path.stat().st_size
    with path.open("r+b") as file:
        for offset in range(4_096 * 3, size, 4_096):
            file.seek(offset)
            file.write(b"\xde\xad\xbe\xef" * 256)

    def use() -> None:
        with Store.open(path) as store:
            list(store.events(1))
            store.task_runs(1)
            create(store)

    with pytest.raises(StoreCorrupt, match="damaged") as caught:
        use()
    assert "restore it from a backup" in str(caught.value.hint)


# ---- a full disk ----


def _fill_up(store: Store) -> int:
    """Commit until there is no room; how many task ends are recorded."""
    run = create(store)
    done = 0
    while True:
        batch = task_ends(run, done + 1, 50)
        for row in batch.task_runs:
            row.output = b'"' + b"x" * 500 + b'"'
        try:
            store.commit(batch)
        except StoreFull as error:
            full = error
            break
        done += 50
    assert "disk is full" in str(full)
    assert "free some room" in str(full.hint)
    assert done, "there was no room at all"
    found = reread(store, run)
    assert [event.seq for event in store.events(run.id)] == list(range(1, done + 1))
    assert (found.seq, len(store.task_runs(run.id))) == (done, done)
    return done


def test_a_full_database_goes_on_once_there_is_room(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.db") as store:
        with store._database.writer() as connection:
            connection.execute("PRAGMA max_page_count = 400")
        done = _fill_up(store)
        with store._database.writer() as connection:
            connection.execute("PRAGMA max_page_count = 1000000")
        run = store.runs()[0]
        store.commit(task_ends(run, done + 1, 50))
        assert reread(store, run).seq == done + 50


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or sys.platform != "linux" or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root may mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    other = small_disk / "other"
    other.write_bytes(b"x" * 1_000_000)
    with Store.open(small_disk / "store.db") as store:
        done = _fill_up(store)
        other.unlink()
        run = store.runs()[0]
        store.commit(task_ends(run, done + 1, 50))
        assert reread(store, run).seq == done + 50
    with Store.open(small_disk / "store.db") as store:
        assert len(list(store.events(run.id))) == done + 50


def test_a_disk_that_is_full_from_the_start(small_disk: Path) -> None:
    with (small_disk / "other").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4_096)
    with pytest.raises(StoreFull):
        Store.open(small_disk / "store.db")


# ---- others ----

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
connection.close()
"""


@contextmanager
def _held_by_another(path: Path) -> Iterator[int]:
    """Another process that holds the write lock."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdin is not None
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    try:
        yield other.pid
    finally:
        other.stdin.close()
        other.wait()
        other.stdout.close()


def test_a_file_that_another_process_is_writing_to_for_too_long(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Store.open(path, busy_s=0.05) as store:
        run = create(store)
        batch = task_ends(run, 1, 3)
        with _held_by_another(path) as pid:
            with pytest.raises(StoreLocked, match=r"has held the write lock for more than 0\.05 s") as caught:
                store.commit(batch)
            assert reread(store, run).seq == 0, "reading goes on"
        if sys.platform == "linux":
            assert caught.value.pid == pid
            assert f"process {pid}" in str(caught.value)
            assert f"ps {pid}" in str(caught.value.hint)
        store.commit(batch)
        assert reread(store, run).seq == 3


def test_a_file_that_this_process_is_writing_to_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Store.open(path) as one, Store.open(path, busy_s=0.05) as other:
        with one._database.transaction(), pytest.raises(StoreLocked) as caught:
            create(other)
        if sys.platform == "linux":
            assert caught.value.pid == os.getpid()
            assert "this process" in str(caught.value)


def test_waiting_for_another_process_is_not_an_error(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    Store.open(path).close()
    command, environment = [sys.executable, "-c", CREATE, str(path)], {**os.environ, "PYTHONPATH": PATHS}
    with _held_by_another(path):
        other = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert other.stdout is not None
        said = other.stdout.readline()
    said += other.communicate()[0]
    assert (said, other.returncode) == ("open\ncreated\n", 0)


CREATE = """
import sys
from batuta.store import Store
from batuta.store.rows import NewRun
with Store.open(sys.argv[1], busy_s=30.0) as store:
    print("open", flush=True)
    store.create_run(NewRun(job="j", kind="dag", plan_hash="h"), b"{}", owner="me", lease_s=1.0, now=1.0)
    print("created", flush=True)
"""


def test_errors_can_be_pickled() -> None:
    import pickle

    locked = StoreLocked("held", where="store.db", hint="wait")
    locked.pid = 7
    again = pickle.loads(pickle.dumps(locked))
    assert (str(again), again.pid) == (str(locked), 7)
    assert isinstance(again, StoreError)
