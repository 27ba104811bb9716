"""SQLite: one file in WAL mode: reading never waits for writing; of many processes one writes at a time.

Every write begins with BEGIN IMMEDIATE: it waits for its turn at the start (`busy_s`), and cannot fail for it later.
Surprising: it asks for its turn again every few milliseconds. SQLite itself waits longer each time, up to 0.1 s, and so
comes too late for the moments in which the lock is free between the transactions of somebody who writes a lot.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from batuta.core.errors import BatutaError, StoreError
from batuta.store.database import Database, Dialect, Listener, Row, Statement, Transaction
from batuta.store.errors import (
    UNSTORABLE_HINT,
    Duplicate,
    NotTouched,
    StoreCorrupt,
    StoreFull,
    StoreLocked,
    StoreMissing,
    StoreReadOnly,
    UnstorableText,
)

Durability = Literal["normal", "full"]

_WRITE_LOCK_BYTE = 120  # of the -shm file, see "WAL-mode file format" in SQLite's documentation
_CACHE_KIB = 16 * 1024
_ASK_AGAIN_MS = 8
"""So long SQLite waits for its turn by itself (1, 2, and 5 ms) before it is asked anew."""
_WAL_KEPT_BYTES = 64 * 1024 * 1024


class SqliteTransaction(Transaction):
    """Statements on the writing connection."""

    __slots__ = ("_connection", "_statements")

    def __init__(self, connection: sqlite3.Connection, statements: dict[str, Statement]) -> None:
        self._connection = connection
        self._statements = statements

    def rows(self, name: str, /, **params: Any) -> list[Row]:
        statement = self._statements[name]
        return self._connection.execute(statement.text, [params[name] for name in statement.names]).fetchall()

    def run(self, name: str, /, **params: Any) -> int:
        statement = self._statements[name]
        return self._connection.execute(statement.text, [params[name] for name in statement.names]).rowcount

    def last(self, name: str, /, **params: Any) -> list[Row]:
        found = self.rows(name, **params)
        self.commit()
        return found

    def look(self, *queries: tuple[str, dict[str, Any]]) -> list[list[Row]]:
        return [self.rows(name, **params) for name, params in queries]

    def each(self, work: Sequence[tuple[str, Sequence[Row]]]) -> list[int]:
        return [self._connection.executemany(self._statements[name].text, rows).rowcount for name, rows in work]

    def put(self, work: Sequence[tuple[str, Sequence[Row]]]) -> None:
        self.each(work)

    def fence(self, name: str, rows: Sequence[Row]) -> None:
        if self.each([(name, rows)]) != [len(rows)]:
            raise NotTouched(f"{name} has not touched all of {len(rows)} rows")

    def lock(self, what: str) -> None:
        """BEGIN IMMEDIATE has done it."""

    def notify(self, topic: str) -> None:
        """They notice by themselves."""

    def script(self, texts: Sequence[str]) -> None:
        for text in texts:
            self._connection.execute(text)

    def commit(self) -> None:
        self._end("COMMIT")

    def rollback(self) -> None:
        self._end("ROLLBACK")

    def _end(self, word: str) -> None:
        if self._connection.in_transaction:  # a full disk has rolled back by itself
            self._connection.execute(word)


class SqliteListener(Listener):
    """Looks at a number that changes with the commits of other connections than the one that writes for us."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._seen = self._version()

    def wait(self, timeout_s: float, stop: threading.Event) -> set[str]:
        stop.wait(timeout_s)
        version = self._version()
        if version == self._seen:
            return set()
        self._seen = version
        return {"*"}

    def close(self) -> None:
        """There is nothing to close."""

    def _version(self) -> tuple[int, int]:
        with self._database.writer() as connection:
            return id(connection), int(self._database.patiently(connection, "PRAGMA data_version").fetchone()[0])


class SqliteDatabase(Database[sqlite3.Connection]):
    """The file at `path`. It is created where it is missing, unless `read_only`; its directory is not."""

    dialect: ClassVar[Dialect] = "sqlite"
    driver_errors = (sqlite3.Error, UnicodeEncodeError)
    writers_max = 1

    def __init__(self, path: Path, *, durable: Durability, read_only: bool, busy_s: float) -> None:
        super().__init__(str(path))
        self.path = path
        self._durable = durable
        self._read_only = read_only
        self._busy_s = busy_s

    # ---- connections ----

    def _connect(self, *, writes: bool) -> sqlite3.Connection:
        mode = "rwc"
        if self._read_only:
            mode = "ro&immutable=1" if self._cannot_change() else "ro"
        target = f"{self.path.absolute().as_uri()}?mode={mode}"
        connection = sqlite3.connect(
            target, uri=True, timeout=self._busy_s, isolation_level=None, check_same_thread=False
        )
        try:
            if writes and not self._read_only:
                self._set_up_writer(connection)
            else:
                connection.execute("PRAGMA query_only = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _cannot_change(self) -> bool:
        """Whether nobody has it open, nor could: reading a file in WAL mode needs to write beside it otherwise."""
        return not _may(self.path.absolute().parent, os.W_OK) and not os.path.exists(f"{self.path}-wal")

    def _set_up_writer(self, connection: sqlite3.Connection) -> None:
        deadline = time.monotonic() + self._busy_s
        while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                break  # a file system without shared memory stays as it is, and works more slowly
            except sqlite3.OperationalError as error:
                # Another process is doing the same; this one statement does not wait by itself.
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.005)
        if connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
            connection.execute(f"PRAGMA busy_timeout = {_ASK_AGAIN_MS}")
        connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable == 'full' else 'NORMAL'}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT_BYTES}")

    def _begin(self, connection: sqlite3.Connection) -> SqliteTransaction:
        if connection.in_transaction:  # left by an interrupt between two statements
            connection.execute("ROLLBACK")
        self.patiently(connection, "BEGIN IMMEDIATE")
        return SqliteTransaction(connection, self.statements)

    def patiently(self, connection: sqlite3.Connection, statement: str) -> sqlite3.Cursor:
        """Execute it, waiting at most `busy_s` for its turn where another process is in the way."""
        deadline = 0.0
        while True:
            try:
                return connection.execute(statement)
            except sqlite3.OperationalError as error:
                now = time.monotonic()
                deadline = deadline or now + self._busy_s
                if _code(error) != sqlite3.SQLITE_BUSY or now >= deadline:
                    raise

    def _fetch(self, connection: sqlite3.Connection, text: str, values: Row) -> list[Row]:
        return connection.execute(text, values).fetchall()

    def _is_lost(self, connection: sqlite3.Connection) -> bool:
        return False

    def _discard(self, connection: sqlite3.Connection) -> None:
        connection.close()

    # ---- questions ----

    def has_table(self, name: str) -> bool:
        return bool(self.fetch("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)))

    def is_empty(self) -> bool:
        return not self.fetch("SELECT 1 FROM sqlite_master LIMIT 1")

    def size(self) -> int:
        files = (Path(f"{self.path}{suffix}") for suffix in ("", "-wal", "-shm"))
        return sum(file.stat().st_size for file in files if file.exists())

    def vacuum(self) -> None:
        with self.writer() as connection:
            connection.execute(f"PRAGMA busy_timeout = {int(self._busy_s * 1000)}")
            try:
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                connection.execute(f"PRAGMA busy_timeout = {_ASK_AGAIN_MS}")

    def listen(self) -> Listener:
        return SqliteListener(self)

    def facts(self) -> dict[str, str]:
        levels = {0: "off", 1: "normal", 2: "full", 3: "extra"}
        with self.writer() as connection:
            synchronous = connection.execute("PRAGMA synchronous").fetchone()[0]
            journal = connection.execute("PRAGMA journal_mode").fetchone()[0]
        return {"sqlite": sqlite3.sqlite_version, "journal": journal, "synchronous": levels[synchronous]}

    # ---- errors ----

    def translated(self, error: Exception) -> BatutaError:
        code, text, where = _code(error), str(error), self.location
        match code:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return self._locked()
            case sqlite3.SQLITE_FULL:
                return _full(where, text)
            case sqlite3.SQLITE_IOERR if _has_no_room(self.path):
                return _full(where, text)
            case sqlite3.SQLITE_IOERR:
                hint = "look at the disk and the system's log; the store is as it was before"
                return StoreError(f"reading or writing the file failed: {text}", where=where, hint=hint)
            case sqlite3.SQLITE_READONLY:
                return read_only(where)
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                what = "the file is not a database" if code == sqlite3.SQLITE_NOTADB else f"the file is damaged: {text}"
                hint = "restore it from a backup, or move it away: a new store is made in its place"
                return StoreCorrupt(what, where=where, hint=hint)
            case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                return self.cannot_open() or StoreMissing(
                    f"the file cannot be opened: {text}",
                    where=where,
                    hint="SQLite also needs to write beside it (-wal, -shm)",
                )
            case sqlite3.SQLITE_CONSTRAINT if "UNIQUE" in text:
                return Duplicate(text, where=where)
            case _ if isinstance(error, UnicodeEncodeError):
                return UnstorableText(text, where=where, hint=UNSTORABLE_HINT)
            case _:
                return StoreError(text, where=where, hint="`batuta doctor` tells more about the store")

    def cannot_open(self) -> BatutaError | None:
        """Why the file cannot be opened as asked, where that can be seen from outside."""
        folder, where = self.path.absolute().parent, self.location
        if not folder.is_dir():
            return StoreMissing(
                f"there is no directory {folder}", where=where, hint=f"make it (`mkdir -p {folder}`), or give another"
            )
        if self.path.is_dir():
            return StoreMissing("that is a directory", where=where, hint="name a file in it, for example batuta.db")
        if self._read_only:
            if self.path.exists() and _may(self.path, os.R_OK):
                return None
            reason = "may not be read by this user" if self.path.exists() else "does not exist"
            return StoreMissing(f"the file {reason}", where=where, hint="check the path, and who owns the file")
        if self.path.exists() and not _may(self.path, os.R_OK | os.W_OK):
            return read_only(where)
        if not _may(folder, os.W_OK | os.X_OK):
            return read_only(where, f"nothing may be written in its directory {folder}")
        return None

    def _locked(self) -> StoreLocked:
        pid = writing_process(self.path)
        who = "another process" if pid is None else f"process {pid}"
        if pid == os.getpid():
            who = f"this process ({pid}), through another opening of the store,"
        hint = "let it finish, or end it" if pid is None else f"let it finish, or end it (`ps {pid}` shows what it is)"
        locked = StoreLocked(
            f"{who} has held the write lock for more than {self._busy_s:g} s", where=self.location, hint=hint
        )
        locked.pid = pid
        return locked


def read_only(where: str, what: str = "the file may not be written") -> StoreReadOnly:
    """The error for a store that can only be read."""
    hint = "make it writable for this user (`ls -l` shows whose it is); it can be read as it is"
    return StoreReadOnly(what, where=where, hint=hint)


def writing_process(path: Path) -> int | None:
    """The process that holds the write lock of a WAL database, as Linux tells; None where nobody does or is known.

    Only /proc is read: opening and closing the file itself would drop this process's own locks on it.
    """
    try:
        inode = os.stat(f"{path}-shm").st_ino
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        fields = line.split()  # 1: POSIX ADVISORY WRITE 12826 fe:00:2203673 120 120
        if len(fields) < 8 or fields[3] != "WRITE" or fields[5].rpartition(":")[2] != str(inode):
            continue
        last = _WRITE_LOCK_BYTE if fields[7] == "EOF" else int(fields[7])
        if int(fields[6]) <= _WRITE_LOCK_BYTE <= last:
            return int(fields[4])
    return None


def _code(error: Exception) -> int:
    """SQLite's primary result code, or 0 where Python's module itself complains."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _full(where: str, text: str) -> StoreFull:
    hint = "free some room (`batuta db prune` needs a little itself); nothing recorded is lost, and work can go on then"
    return StoreFull(f"the disk is full: {text}", where=where, hint=hint)


def _has_no_room(path: Path) -> bool:
    try:
        disk = os.statvfs(path.absolute().parent)
    except (OSError, AttributeError):
        return False
    return disk.f_bavail * disk.f_frsize < 64 * 1024


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)
