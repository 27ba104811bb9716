"""PostgreSQL through psycopg 3. A transaction is one pipeline: it waits for answers, not for each statement.

Rows travel as one JSON document per table. Events are inserted under a lock that is held to the end of the transaction:
the database numbers them when they are inserted, not when they are committed, and a reader that goes by the numbers
would miss those that are committed out of turn.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from batuta.core.errors import BatutaError, StoreError
from batuta.store.database import Database, Dialect, Listener, Row, Statement, Transaction, load_schema
from batuta.store.errors import (
    UNSTORABLE_HINT,
    Duplicate,
    NotTouched,
    StoreCorrupt,
    StoreFull,
    StoreMissing,
    StoreReadOnly,
    StoreUnavailable,
    UnstorableText,
)

Connection = psycopg.Connection[Row]
Durability = Literal["normal", "full"]

CHANNEL = "batuta"
"""What is notified and listened to; the payload is the topic."""

_TRUSTED_S = 1.0
"""For how long after a transaction the connection is believed to be there."""

PLANS_S = 10.0
"""For how long a connection goes by plans once made. The server makes them for the tables as they are at the time, and
anew only when it next analyzes a table: with those of an empty store a commit reads all of the runs, however many they
have become in the minutes until then."""

_DEFAULTS = {"application_name": "batuta", "connect_timeout": 10, "keepalives_idle": 30}

_encode = msgspec.json.Encoder().encode


class _Unsent(NamedTuple):
    """A statement to be sent. `prepare` None: once it has been seen a few times."""

    text: bytes
    values: Row = ()
    prepare: bool | None = None


_BEGIN, _COMMIT = _Unsent(b"BEGIN", prepare=False), _Unsent(b"COMMIT", prepare=False)
_PLAN_ANEW = _Unsent(b"DISCARD PLANS", prepare=False)


class PostgresTransaction(Transaction):
    """Statements on the writing connection. They are sent, in one pipeline, when somebody wants an answer; so BEGIN and
    what nobody waits for cost no round trip of their own."""

    __slots__ = ("_connection", "_statements", "_unsent")

    def __init__(self, connection: Connection, statements: dict[str, Statement], first: list[_Unsent]) -> None:
        self._connection = connection
        self._statements = statements
        self._unsent = first

    def _send(self) -> list[psycopg.Cursor[Row]]:
        """Send all that is unsent and wait for it; what each came to."""
        unsent, self._unsent = self._unsent, []
        with self._connection.pipeline():
            return [self._connection.execute(text, values, prepare=prepare) for text, values, prepare in unsent]

    def _add(self, name: str, params: dict[str, Any]) -> None:
        statement = self._statements[name]
        values = tuple([params[name] for name in statement.names])
        self._unsent.append(_Unsent(statement.text.encode(), values))

    def rows(self, name: str, /, **params: Any) -> list[Row]:
        self._add(name, params)
        return self._send()[-1].fetchall()

    def last(self, name: str, /, **params: Any) -> list[Row]:
        self._add(name, params)
        self._unsent.append(_COMMIT)
        return self._send()[-2].fetchall()

    def look(self, *queries: tuple[str, dict[str, Any]]) -> list[list[Row]]:
        for name, params in queries:
            self._add(name, params)
        return [cursor.fetchall() for cursor in self._send()[-len(queries) :]]

    def run(self, name: str, /, **params: Any) -> int:
        self._add(name, params)
        return self._send()[-1].rowcount

    def each(self, work: Sequence[tuple[str, Sequence[Row]]]) -> list[int]:
        places = self._put(work)
        cursors = self._send()
        return [cursors[place].rowcount for place in places]

    def put(self, work: Sequence[tuple[str, Sequence[Row]]]) -> None:
        self._put(work)

    def _put(self, work: Sequence[tuple[str, Sequence[Row]]]) -> list[int]:
        """Where they are among what is unsent."""
        places = []
        for name, rows in work:
            if name in _NUMBERED:
                self.lock("events")
            text, names = self._statements[name]
            document = _encode([dict(zip(names, row, strict=True)) for row in rows]).decode()
            places.append(len(self._unsent))
            self._unsent.append(_Unsent(text.encode(), (document,), prepare=True))
        return places

    def fence(self, name: str, rows: Sequence[Row]) -> None:
        self._put([(name, rows)])  # the statement itself fails

    def lock(self, what: str) -> None:
        self._add(f"lock_{what}", {})

    def notify(self, topic: str) -> None:
        self._add("notify", {"topic": topic})

    def script(self, texts: Sequence[str]) -> None:
        self._unsent += [_Unsent(text.encode(), prepare=False) for text in texts]
        self._send()

    def commit(self) -> None:
        if self._unsent and self._unsent[-1] is _BEGIN:  # nothing came after it
            self._unsent = []
        elif self._unsent or self._connection.info.transaction_status is not TransactionStatus.IDLE:
            self._unsent.append(_COMMIT)
            self._send()

    def rollback(self) -> None:
        self._unsent = []
        if self._connection.info.transaction_status is not TransactionStatus.IDLE:
            self._connection.rollback()  # psycopg then forgets what it believes to be prepared


_NUMBERED = ("put_materializations", "put_check_results", "put_events")
"""Whoever reads these by number must miss none: they are numbered in the order of their commits."""


class PostgresListener(Listener):
    """A connection that is told by whoever writes."""

    def __init__(self, database: PostgresDatabase, connection: Connection) -> None:
        self._database = database
        self._connection = connection

    def wait(self, timeout_s: float, stop: threading.Event) -> set[str]:
        if stop.is_set():
            return set()
        try:
            told = self._connection.notifies(timeout=timeout_s, stop_after=1)
            return {each.payload for each in told if not self._database.is_ours(each.pid)}
        except psycopg.Error as error:
            raise self._database.translated(error) from error

    def close(self) -> None:
        self._connection.close()


class PostgresDatabase(Database[Connection]):
    """The database that `url` names, in the schema that its search path begins with."""

    dialect: ClassVar[Dialect] = "postgresql"
    driver_errors = (psycopg.Error, UnicodeEncodeError)
    writers_max = 3
    """The engine's commits, those of launches, and those of what is done unattended share the waits for the disk."""

    def __init__(self, url: str, location: str, *, durable: Durability, read_only: bool, busy_s: float) -> None:
        super().__init__(location)
        self._settings: dict[str, Any] = {**_DEFAULTS, **conninfo_to_dict(url)}
        self._durable = durable
        self._read_only = read_only
        self._busy_s = busy_s
        self._begun: dict[Connection, float] = {}
        """When the last transaction of each writing connection began, by the steady clock."""
        self._pids: dict[Connection, int] = {}
        self._planned: dict[Connection, float] = {}
        """Since when each connection makes its plans, by the steady clock."""

    # ---- connections ----

    def _connect(self, *, writes: bool) -> Connection:
        connection = psycopg.connect(**self._settings, autocommit=True)
        try:
            if self._read_only or not writes:
                connection.execute("SET default_transaction_read_only = on")
            else:
                connection.execute(f"SET lock_timeout = {int(self._busy_s * 1000)}".encode())
                if self._durable == "full":
                    connection.execute("SET synchronous_commit = on")
        except BaseException:
            connection.close()
            raise
        return connection

    def _begin(self, connection: Connection) -> PostgresTransaction:
        """BEGIN travels with the first statement, where the connection was used a moment ago and is not known to be
        closed; otherwise its answer is waited for, so that a dead connection shows while another can take its place.
        """
        if connection.info.transaction_status is not TransactionStatus.IDLE:  # left by an interrupt
            connection.rollback()
        for _ in range(2):  # the server's last words, and its end
            connection.pgconn.consume_input()
        now = time.monotonic()
        fresh, self._begun[connection] = now < self._begun.get(connection, -math.inf) + _TRUSTED_S, now
        first = [_PLAN_ANEW] if self._has_old_plans(connection) else []
        if fresh:
            first.append(_BEGIN)
        else:
            connection.execute(b"BEGIN")
            self._pids[connection] = connection.info.backend_pid
        return PostgresTransaction(connection, self.statements, first)

    def _fetch(self, connection: Connection, text: str, values: Row) -> list[Row]:
        if self._has_old_plans(connection):
            connection.execute(_PLAN_ANEW.text, prepare=False)
        return connection.execute(text.encode(), values).fetchall()

    def _has_old_plans(self, connection: Connection) -> bool:
        """Whether they are to be forgotten now."""
        now = time.monotonic()
        is_old = now >= self._planned.setdefault(connection, now) + PLANS_S
        if is_old:
            self._planned[connection] = now
        return is_old

    def _is_lost(self, connection: Connection) -> bool:
        return bool(connection.closed or connection.broken)

    def _discard(self, connection: Connection) -> None:
        self._begun.pop(connection, None)
        self._pids.pop(connection, None)
        self._planned.pop(connection, None)
        connection.close()

    def is_ours(self, pid: int) -> bool:
        """Whether that process of the server writes for us: what it notifies of is no news."""
        return pid in list(self._pids.values())

    # ---- questions ----

    def has_table(self, name: str) -> bool:
        return self.fetch("SELECT to_regclass(%s) IS NOT NULL", (name,)) == [(True,)]

    def is_empty(self) -> bool:
        return not any(self.has_table(name) for name in _own_tables())

    def size(self) -> int:
        sizes = "SELECT sum(pg_total_relation_size(name::regclass))::bigint FROM unnest(%s::text[]) AS name"
        return int(self.fetch(sizes, (_own_tables(),))[0][0])

    def vacuum(self) -> None:
        with self.writer() as connection:
            for table in _own_tables():
                connection.execute(f"VACUUM (ANALYZE) {table}".encode())

    def listen(self) -> Listener:
        try:
            connection = self._connect(writes=False)
            connection.execute(f"LISTEN {CHANNEL}".encode())
        except self.driver_errors as error:
            raise self.translated(error) from error
        return PostgresListener(self, connection)

    def facts(self) -> dict[str, str]:
        settings = "SELECT current_setting('server_version'), current_setting('synchronous_commit')"
        version, synchronous = self.fetch(settings)[0]
        return {"postgresql": str(version), "synchronous_commit": str(synchronous)}

    # ---- errors ----

    def translated(self, error: Exception) -> BatutaError:
        state, where = str(getattr(error, "sqlstate", None) or ""), self.location
        text = str(error).strip() or type(error).__name__
        match state:
            case "53100":
                hint = "free room on the server; nothing recorded is lost, and work can go on then"
                return StoreFull(f"the server's disk is full: {text}", where=where, hint=hint)
            case "25006":
                hint = "connect to the primary server, or open the store read-only"
                return StoreReadOnly(f"the database may only be read: {text}", where=where, hint=hint)
            case "42501":
                hint = "grant the user CREATE on the schema, and all on the tables in it"
                return StoreReadOnly(f"the user may not do that: {text}", where=where, hint=hint)
            case "3D000":
                return _no_database(text, where)
            case "XX001" | "XX002":
                return StoreCorrupt(f"the server reports damage: {text}", where=where, hint="restore from a backup")
            case "23505":
                return Duplicate(text, where=where)
            case "22P05" | "22021":
                return UnstorableText(text, where=where, hint=UNSTORABLE_HINT)
            case "22012":
                return NotTouched(text, where=where)
            case "40001" | "40P01" | "55P03" | "57014":
                hint = "nothing was recorded; the same can be tried again"
                return StoreUnavailable(f"others were in the way: {text}", where=where, hint=hint)
        if isinstance(error, UnicodeEncodeError) or "NUL (0x00)" in text:
            return UnstorableText(text, where=where, hint=UNSTORABLE_HINT)
        if state.startswith(("08", "53", "57")) or isinstance(error, psycopg.OperationalError):
            return _unreachable(text, where)
        return StoreError(text, where=where, hint="`batuta doctor` tells more about the store")


def _unreachable(text: str, where: str) -> StoreError:
    """Errors of connecting carry no code, only the server's words."""
    if "password authentication failed" in text or "no password supplied" in text:
        hint = "check user and password in the URL, or put the password into ~/.pgpass"
        return StoreError(f"the server refused the password: {_last_line(text)}", where=where, hint=hint)
    if "does not exist" in text and "database" in text:
        return _no_database(_last_line(text), where)
    if "does not exist" in text or "pg_hba.conf" in text:
        hint = "check the user in the URL, and the server's pg_hba.conf"
        return StoreError(f"the server refused the user: {_last_line(text)}", where=where, hint=hint)
    hint = "check that the server runs and that host and port are right; it is tried again with the next call"
    return StoreUnavailable(f"the server cannot be reached: {_reason(text)}", where=where, hint=hint)


def _no_database(text: str, where: str) -> StoreMissing:
    return StoreMissing(text, where=where, hint="create it: `createdb NAME`")


def _reason(text: str) -> str:
    """The line that says why a connection failed; what follows it is the driver's advice."""
    failed = [line.strip() for line in text.splitlines() if "failed:" in line]
    return failed[-1].rpartition("failed:")[2].strip() if failed else _last_line(text)


def _last_line(text: str) -> str:
    return text.splitlines()[-1].strip()


def _own_tables() -> list[str]:
    words = (text.split() for text in load_schema("postgresql"))
    return [word[2] for word in words if word[:2] == ["CREATE", "TABLE"]]
