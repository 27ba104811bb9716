"""Opens the database that a path or a URL names, with the adapter for it. Nothing else knows of both adapters."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from batuta.core.errors import RequestError, StoreError
from batuta.store.database import Database

Durability = Literal["normal", "full"]

_FORMS = "sqlite:///batuta.db, a file's path, or postgresql://user@host/database"


def open_database(
    target: str | os.PathLike[str], *, durable: Durability, read_only: bool, busy_s: float
) -> Database[Any]:
    """The database, not yet connected. Raises what can be seen from outside: no directory, no rights, no driver."""
    if durable not in ("normal", "full"):
        raise RequestError(f"durable is {durable!r}", hint="it is 'normal' or 'full'")
    name = os.fspath(target)
    scheme = name.partition("://")[0] if "://" in name else ""
    match scheme.partition("+")[0]:
        case "" | "sqlite":
            return _open_sqlite(_sqlite_path(name), durable, read_only, busy_s)
        case "postgresql" | "postgres":
            return _open_postgres(name, durable, read_only, busy_s)
        case other:
            raise RequestError(f"a store cannot be on {other!r}", where=_without_password(name), hint=f"give {_FORMS}")


def _sqlite_path(name: str) -> Path:
    """`sqlite:///relative.db`, `sqlite:////absolute.db`, or a path."""
    path = name
    if "://" in name:
        path = unquote(name.partition("://")[2].partition("?")[0]).removeprefix("/")
    if path in ("", ":memory:"):
        raise RequestError(
            "a store needs a file: what is in memory only is lost with the process", hint=f"give {_FORMS}"
        )
    return Path(path).expanduser()


def _open_sqlite(path: Path, durable: Durability, read_only: bool, busy_s: float) -> Database[Any]:
    from batuta.store.sqlite import SqliteDatabase

    database = SqliteDatabase(path, durable=durable, read_only=read_only, busy_s=busy_s)
    refused = database.cannot_open()
    if refused is not None:
        raise refused
    return database


def _open_postgres(url: str, durable: Durability, read_only: bool, busy_s: float) -> Database[Any]:
    location = _without_password(url)
    try:
        from batuta.store.postgres import PostgresDatabase
    except ImportError as error:
        hint = "install it: pip install 'batuta[postgres]'"
        raise StoreError("the driver for PostgreSQL is not installed", where=location, hint=hint) from error
    plain = "postgresql://" + url.partition("://")[2]
    return PostgresDatabase(plain, location, durable=durable, read_only=read_only, busy_s=busy_s)


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    query = "&".join(item for item in parts.query.split("&") if not item.lower().startswith("password="))
    return urlunsplit((parts.scheme, user.partition(":")[0] + at + host, parts.path, query, ""))
