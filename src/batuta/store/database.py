"""The port to a database: statements by name, connections that write (on SQLite one), a few that read.

Both adapters (`sqlite`, `postgres`) keep their connections in autocommit and send BEGIN themselves, so a read costs one
round trip. Surprising: a read whose connection turns out to be dead is silently done again on a new one; a transaction
never is, but for its BEGIN.
"""

from __future__ import annotations

import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, NamedTuple, Self, TypeVar

from batuta.core.errors import BatutaError, StoreError

Dialect = Literal["sqlite", "postgresql"]
Row = tuple[Any, ...]
C = TypeVar("C")

_IDLE_MAX = 4  # reading connections kept open


class Statement(NamedTuple):
    """A compiled statement and its parameters in the order in which it wants them."""

    text: str
    names: tuple[str, ...]


def load_statements(dialect: Dialect) -> dict[str, Statement]:
    """The texts that `batuta.store.sql.compile` made, by name."""
    statements = {}
    text = (Path(__file__).parent / "sql" / f"{dialect}.sql").read_text(encoding="utf-8")
    for part in text.removeprefix("-- ").split("\n-- "):
        head, _, body = part.partition("\n")
        name, _, names = head.replace("[", "(").rstrip("])").partition("(")
        statements[name] = Statement(body.strip().rstrip(";"), tuple(names.split(", ")) if names else ())
    return statements


def load_schema(dialect: Dialect) -> list[str]:
    """The statements that create the tables."""
    text = (Path(__file__).parent / "sql" / f"{dialect}_schema.sql").read_text(encoding="utf-8")
    return [part.strip() for part in text.split(";\n\n") if part.strip()]


class Transaction(ABC):
    """What can be done between BEGIN and COMMIT. Driver errors pass through; `Database.transaction` translates them.

    What gives nothing back (`put`, `fence`, `lock`, `notify`) may reach the database later; so may its errors.
    """

    @abstractmethod
    def rows(self, name: str, /, **params: Any) -> list[Row]:
        """The rows that a query gives."""

    @abstractmethod
    def last(self, name: str, /, **params: Any) -> list[Row]:
        """`rows`, committed at once: nothing may follow."""

    @abstractmethod
    def look(self, *queries: tuple[str, dict[str, Any]]) -> list[list[Row]]:
        """The rows of several queries, in one go: each begins when the one before it is done."""

    @abstractmethod
    def run(self, name: str, /, **params: Any) -> int:
        """Run a statement; how many rows it touched."""

    @abstractmethod
    def each(self, work: Sequence[tuple[str, Sequence[Row]]]) -> list[int]:
        """Run statements that take rows, in this order, in one go; how many rows each touched."""

    @abstractmethod
    def put(self, work: Sequence[tuple[str, Sequence[Row]]]) -> None:
        """`each`, for one who does not count."""

    @abstractmethod
    def fence(self, name: str, rows: Sequence[Row]) -> None:
        """`put`, and nothing is committed where it touches fewer rows than these: `NotTouched`, now or later."""

    @abstractmethod
    def lock(self, what: str) -> None:
        """Have what follows wait for others that do the same; SQLite has but one writer anyway."""

    @abstractmethod
    def notify(self, topic: str) -> None:
        """Tell other processes that listen (`Database.listen`), once this is committed."""

    @abstractmethod
    def script(self, texts: Sequence[str]) -> None:
        """Run statements that are given as text."""

    @abstractmethod
    def commit(self) -> None:
        """Make it last."""

    @abstractmethod
    def rollback(self) -> None:
        """Undo it, where it is still open."""


class Listener(ABC):
    """Hears that another process has written. Made by `Database.listen`; used by one thread."""

    @abstractmethod
    def wait(self, timeout_s: float, stop: threading.Event) -> set[str]:
        """The topics that were written about, `{"*"}` where that is not known; empty if nothing was for so long."""

    @abstractmethod
    def close(self) -> None:
        """Hear no more."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Database(ABC, Generic[C]):
    """One database, its connections, and what its driver's errors mean. Safe to use from many threads."""

    dialect: ClassVar[Dialect]
    driver_errors: ClassVar[tuple[type[Exception], ...]]
    writers_max: ClassVar[int]
    """How many transactions may be under way at once."""

    def __init__(self, location: str) -> None:
        self.location = location
        """The file's path, or the URL without its password: what error texts name."""
        self.statements = load_statements(self.dialect)
        self.closed = False
        self._may_write = threading.Semaphore(self.writers_max)
        self._writers: list[C] = []
        self._idle: list[C] = []

    # ---- what an adapter provides ----

    @abstractmethod
    def _connect(self, *, writes: bool) -> C:
        """A new connection, in autocommit; driver errors pass through."""

    @abstractmethod
    def _begin(self, connection: C) -> Transaction:
        """Begin. Raises a driver error where this connection cannot be used any more, as far as is known."""

    @abstractmethod
    def _fetch(self, connection: C, text: str, values: Row) -> list[Row]:
        """Run one query."""

    @abstractmethod
    def _is_lost(self, connection: C) -> bool:
        """Whether this connection can no longer be used."""

    @abstractmethod
    def _discard(self, connection: C) -> None:
        """Close it without a word."""

    @abstractmethod
    def translated(self, error: Exception) -> BatutaError:
        """What one of `driver_errors` means to the caller."""

    @abstractmethod
    def has_table(self, name: str) -> bool:
        """Whether the database has a table of this name."""

    @abstractmethod
    def is_empty(self) -> bool:
        """Whether it has none of our tables, nor any that stand in their way."""

    @abstractmethod
    def size(self) -> int:
        """Bytes on disk."""

    @abstractmethod
    def vacuum(self) -> None:
        """Give the room of deleted rows back."""

    @abstractmethod
    def listen(self) -> Listener:
        """Begin to hear of what others write."""

    @abstractmethod
    def facts(self) -> dict[str, str]:
        """Versions and settings, for people."""

    # ---- reading ----

    def rows(self, name: str, /, **params: Any) -> list[Row]:
        """The rows that a query gives, outside of any transaction."""
        statement = self.statements[name]
        return self.fetch(statement.text, tuple([params[name] for name in statement.names]))

    def fetch(self, text: str, values: Row = ()) -> list[Row]:
        """`rows` for a query given as text."""
        last_try = False
        while True:
            connection = self._reader()
            try:
                rows = self._fetch(connection, text, values)
            except self.driver_errors as error:
                lost = self._is_lost(connection)
                self._give_back(connection)
                if lost and not last_try:
                    last_try = True
                    continue
                raise self.translated(error) from error
            except BaseException:
                self._discard(connection)
                raise
            self._give_back(connection)
            return rows

    def _reader(self) -> C:
        self._check_open()
        try:
            return self._idle.pop()
        except IndexError:
            return self._open(writes=False)

    def _give_back(self, connection: C) -> None:
        if self.closed or len(self._idle) >= _IDLE_MAX or self._is_lost(connection):
            self._discard(connection)
        else:
            self._idle.append(connection)

    def _open(self, *, writes: bool) -> C:
        try:
            return self._connect(writes=writes)
        except self.driver_errors as error:
            raise self.translated(error) from error

    def _check_open(self) -> None:
        if self.closed:
            raise StoreError("the store is closed", where=self.location, hint="open it again")

    # ---- writing ----

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Everything within, or nothing. Waits while too many are under way; not to be nested."""
        with self._may_write:
            transaction, connection = self._begin_or_reconnect()
            try:
                yield transaction
                transaction.commit()
            except self.driver_errors as error:
                # Translated first: a look at who holds a lock must come before ours are gone.
                meaning = self.translated(error)
                self._abandon(connection, transaction)
                raise meaning from error
            except BaseException:
                self._abandon(connection, transaction)
                raise
            self._keep_writer(connection)

    def _begin_or_reconnect(self) -> tuple[Transaction, C]:
        while True:
            connection, is_new = self._take_writer()
            try:
                return self._begin(connection), connection
            except self.driver_errors as error:
                meaning = self.translated(error)
                lost = self._is_lost(connection)
                self._keep_writer(connection)
                if not lost or is_new:
                    raise meaning from error

    def _take_writer(self) -> tuple[C, bool]:
        """A connection that writes and that nobody uses, and whether it is new."""
        self._check_open()
        try:
            return self._writers.pop(), False
        except IndexError:
            return self._open(writes=True), True

    def _keep_writer(self, connection: C) -> None:
        """Keep it for the next, if it can still be used."""
        if self.closed or self._is_lost(connection):
            self._discard(connection)
        else:
            self._writers.append(connection)

    def _abandon(self, connection: C, transaction: Transaction) -> None:
        """Undo what is not committed; a connection that cannot is given up."""
        try:
            transaction.rollback()
        except self.driver_errors:
            self._discard(connection)
        else:
            self._keep_writer(connection)

    def connect(self) -> C:
        """A connection of the caller's own, to be closed by it; for migrations, which bring a driver's setup along."""
        self._check_open()
        return self._open(writes=True)

    @contextlib.contextmanager
    def writer(self) -> Iterator[C]:
        """A writing connection itself, for what cannot run in a transaction."""
        with self._may_write:
            connection, _ = self._take_writer()
            try:
                yield connection
            except self.driver_errors as error:
                raise self.translated(error) from error
            finally:
                self._keep_writer(connection)

    def close(self) -> None:
        """Close all connections. What is written in another thread ends first; so does a query under way."""
        with contextlib.ExitStack() as stack:
            for _ in range(self.writers_max):
                stack.enter_context(self._may_write)
            self.closed = True
            while self._writers:
                self._discard(self._writers.pop())
        while self._idle:
            self._discard(self._idle.pop())
