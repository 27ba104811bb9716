"""Connections to databases, by name, URL or resource: which driver, how it writes parameters, how it is let go.

duckdb, sqlite and postgresql have drivers of their own here; other URLs go through SQLAlchemy and its dialects.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from batuta.authoring.lookups import connection_of
from batuta.core.connections import Connection
from batuta.core.errors import BatutaError, DefinitionError, TransientError

PASSWORD_SHOWN = "***"


@dataclass(frozen=True)
class Dialect:
    """How a driver writes things. `named`: it takes its parameters as a dict, else as a list. `begins`: a transaction
    has to be begun by a statement."""

    placeholder: Callable[[str], str]
    named: bool = False
    percent: str = "%"
    begins: bool = False


_QMARK = Dialect(lambda name: "?")
_BEGINNING = Dialect(lambda name: "?", begins=True)
_FORMAT = Dialect(lambda name: "%s", percent="%%")


def dialect_of(connection: Any) -> Dialect:
    """By the module of the connection's class; what is not known is taken to write `?`."""
    module = type(connection).__module__
    if module.startswith(("psycopg", "pymysql", "MySQLdb")):
        return _FORMAT
    return _BEGINNING if module.startswith(("sqlite3", "duckdb", "_duckdb")) else _QMARK


@contextlib.contextmanager
def connected(target: Any, where: str) -> Iterator[tuple[Any, Dialect]]:
    """A DBAPI connection to `target`: a `Connection`, a URL, one that is open, an object with `.connect()`, or a
    function that gives one.

    What was opened here is closed. Raises DefinitionError for a target that is none of these, TransientError where the
    database cannot be reached.
    """
    if isinstance(target, Connection):
        target = target.database_url
    if isinstance(target, str):
        try:
            connection, dialect = _by_url(target, where)
        except BatutaError:
            raise
        except Exception as error:
            what = f"{shown(target)} cannot be opened: {type(error).__name__}: {str(error).strip()}"
            raise TransientError(what, where=where) from None
    elif hasattr(target, "cursor"):
        yield target, dialect_of(target)
        return
    elif hasattr(target, "connect"):
        connection = target.connect()
        dialect = dialect_of(connection)
    elif callable(target):
        connection = target()
        dialect = dialect_of(connection)
    else:
        raise DefinitionError(
            f"{type(target).__name__} is no database",
            where=where,
            hint="give a URL (duckdb:///file.db, sqlite:///file.db, postgresql://host/db) or a resource",
        )
    if hasattr(connection, "__enter__") and not hasattr(connection, "cursor"):
        with connection as entered:  # a resource whose connect() is a context manager
            yield entered, dialect_of(entered)
        return
    try:
        yield connection, dialect
    finally:
        connection.close()


def database_of(database: Any, connection: Any, where: str) -> Any:
    """What an operator is to connect to: its `database`, or the connection of that name. Raises DefinitionError."""
    if (database is None) == (connection is None):
        what = "it has both database= and connection=" if database is not None else "it has no database"
        raise DefinitionError(what, where=where, hint="give connection= (the name of one), or database=")
    return database if connection is None else connection_of(connection)


@contextlib.contextmanager
def transaction(connection: Any, dialect: Dialect) -> Iterator[Any]:
    """A cursor whose statements are kept all together, or not at all."""
    cursor = connection.cursor()  # DuckDB's is a connection of its own, so it has to begin and end by itself
    try:
        if dialect.begins:
            cursor.execute("BEGIN")
        try:
            yield cursor
        except BaseException:
            with contextlib.suppress(Exception):
                _ = cursor.execute("ROLLBACK") if dialect.begins else connection.rollback()
            raise
        _ = cursor.execute("COMMIT") if dialect.begins else connection.commit()
    finally:
        cursor.close()


@contextlib.contextmanager
def looking(connection: Any, dialect: Dialect) -> Iterator[Any]:
    """A cursor, of whose statements nothing is kept."""
    cursor = connection.cursor()
    try:
        if dialect.begins:
            cursor.execute("BEGIN")
        try:
            yield cursor
        finally:
            with contextlib.suppress(Exception):
                _ = cursor.execute("ROLLBACK") if dialect.begins else connection.rollback()
    finally:
        cursor.close()


@contextlib.contextmanager
def autocommit(connection: Any, dialect: Dialect) -> Iterator[Any]:
    """A cursor each of whose statements is kept by itself: for VACUUM and the like."""
    if not dialect.begins and hasattr(connection, "autocommit"):
        connection.autocommit = True
    cursor = connection.cursor()
    try:
        yield cursor
        if not dialect.begins and not getattr(connection, "autocommit", False):
            connection.commit()
    finally:
        cursor.close()


def _by_url(url: str, where: str) -> tuple[Any, Dialect]:
    scheme = url.partition(":")[0]
    if "://" not in url:
        hint = "write duckdb:///file.db, sqlite:///file.db or postgresql://user:password@host/name"
        raise DefinitionError(f"{url!r} is no database URL", where=where, hint=hint)
    if scheme == "sqlite":
        import sqlite3

        return sqlite3.connect(_path(url) or ":memory:", isolation_level=None), _BEGINNING
    if scheme == "duckdb":
        duckdb = _driver("duckdb", "duckdb", where)
        from batuta.io.duck import CONNECTING

        with CONNECTING:
            return duckdb.connect(_path(url) or ":memory:"), _BEGINNING
    if scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        psycopg = _driver("psycopg", "postgres", where)
        plain = "postgresql" + url[url.index("://") :]
        return psycopg.connect(plain), _FORMAT
    return _by_sqlalchemy(url, where)


def _by_sqlalchemy(url: str, where: str) -> tuple[Any, Dialect]:
    import sqlalchemy

    try:
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    except (sqlalchemy.exc.ArgumentError, ModuleNotFoundError) as error:
        hint = "install SQLAlchemy's dialect for it, or give a resource with connect()"
        raise DefinitionError(f"no driver for {shown(url)}: {error}", where=where, hint=hint) from None
    style = engine.dialect.paramstyle
    writers: Mapping[str, Dialect] = {
        "qmark": _QMARK,
        "format": _FORMAT,
        "pyformat": Dialect(lambda name: f"%({name})s", named=True, percent="%%"),
        "named": Dialect(lambda name: f":{name}", named=True),
    }
    if style not in writers:
        raise DefinitionError(f"the driver for {shown(url)} writes parameters in the style {style!r}", where=where)
    return engine.raw_connection(), writers[style]


def _driver(module: str, extra: str, where: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        hint = f'install the extra: pip install "batuta[{extra}]"'
        raise DefinitionError(f"{module} is not installed", where=where, hint=hint) from None


def _path(url: str) -> str:
    """The file of `sqlite:///relative.db` and `sqlite:////absolute.db`; "" for none."""
    return unquote(url.partition("://")[2].partition("?")[0].removeprefix("/"))


def shown(target: Any) -> str:
    """The target for messages, without its password."""
    if not isinstance(target, str):
        return type(target).__name__
    parts = urlsplit(target)
    if parts.password is None:
        return target
    return target.replace(f":{parts.password}@", f":{PASSWORD_SHOWN}@", 1)
