"""Whether a connection works: it is really connected and logged in to, and nothing is changed there."""

from __future__ import annotations

import os
from typing import Any

from batuta.authoring.operators.sql_connect import connected, transaction
from batuta.core.connections import FILES, Connection
from batuta.core.errors import BatutaError, DefinitionError, RequestError, TransientError

TIMEOUT_S = 10.0


def try_connection(connection: Connection) -> str:
    """What answered, in a few words. Raises TransientError where nothing does, RequestError where it is refused."""
    where = f"connection {connection.name!r}"
    match connection.family:
        case "http" | "https":
            return _http(connection, where)
        case "smtp" | "smtps":
            return _smtp(connection, where)
        case "postgresql" | "mysql" | "mariadb" | "mssql" | "oracle" | "sqlite" | "duckdb":
            return _database(connection, where)
    return _files(connection, where)


def _database(connection: Connection, where: str) -> str:
    if connection.family in FILES and connection.database and not os.path.exists(connection.database):
        raise RequestError(f"there is no file {connection.database}", where=where, hint="the first write makes it")
    with connected(connection, where) as (opened, dialect), transaction(opened, dialect) as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchall()
    return f"{connection.family} answers"


def _http(connection: Connection, where: str) -> str:
    try:
        import httpx
    except ModuleNotFoundError:
        hint = 'install the extra: pip install "batuta[http]"'
        raise DefinitionError("httpx is not installed", where=where, hint=hint) from None
    try:
        answer = httpx.get(
            connection.base_url,
            headers=connection.headers,
            auth=connection.auth,
            timeout=TIMEOUT_S,
            follow_redirects=True,
        )
    except httpx.HTTPError as error:
        raise TransientError(f"no answer: {type(error).__name__}: {error}", where=where) from None
    if answer.status_code in (401, 403, 407):
        raise RequestError(f"it is refused with status {answer.status_code}", where=where, hint="see its log-in")
    if answer.status_code >= 500:
        raise TransientError(f"the server answers with status {answer.status_code}", where=where)
    return f"the server answers with status {answer.status_code}"


def _smtp(connection: Connection, where: str) -> str:
    import smtplib

    from batuta.authoring.operators.email import log_in, server_at

    try:
        with server_at(connection.url, TIMEOUT_S) as server:
            log_in(server, connection.url)
            server.noop()
    except smtplib.SMTPAuthenticationError as error:
        raise RequestError(f"the log-in is refused with code {error.smtp_code}", where=where) from None
    except (smtplib.SMTPException, OSError) as error:
        raise TransientError(f"the mail server failed: {error}", where=where) from None
    return "the mail server answers"


def _files(connection: Connection, where: str) -> str:
    import fsspec

    try:
        files, path = fsspec.core.url_to_fs(connection.path, **connection.storage_options)
        files.invalidate_cache()
        found: list[Any] = files.ls(path, detail=False)
    except (ImportError, ValueError) as error:
        hint = "its kind is one of fsspec's protocols, and its library has to be installed"
        raise DefinitionError(f"{connection.kind} cannot be tried: {error}", where=where, hint=hint) from None
    except FileNotFoundError:
        raise RequestError(
            f"there is nothing at {connection.path}", where=where, hint="see host and database"
        ) from None
    except PermissionError as error:
        raise RequestError(f"it is refused: {error}", where=where, hint="see its log-in") from None
    except BatutaError:
        raise
    except Exception as error:
        raise TransientError(f"{type(error).__name__}: {error}", where=where) from None
    return f"{len(found)} entries at {connection.path}"
