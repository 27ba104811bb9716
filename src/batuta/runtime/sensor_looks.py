"""Looking at what sensors without code look at: files, rows, answers. In a process of the location, with its libraries.

A look gives what is new as dicts, each with a `key` that stands for it for ever, and the cursor from which the next
look goes on. Surprising: files are told apart by digests in the cursor, not by times, since a file that is moved to its
place keeps its old time.
"""

from __future__ import annotations

import datetime
import glob
import hashlib
import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from batuta.authoring.lookups import Secret, connection_of
from batuta.authoring.operators.sql_connect import connected
from batuta.authoring.operators.sql_text import statements
from batuta.core.errors import RequestError, TransientError
from batuta.core.sensor_specs import Answers, Files, Rows, Source
from batuta.core.triggers import bare_url

FILES_MAX = 7_500
"""Files that one sensor can tell apart: their digests have to fit into a cursor."""
_DIGEST = 8
_SECRET = re.compile(r"\{secret:([^}]+)\}")


class Look(NamedTuple):
    """What is new. `more`: there is more, which the next look gives."""

    events: list[dict[str, Any]]
    cursor: str
    more: bool = False


def look(source: Source, cursor: str, root: str, limit: int) -> Look:
    """What is new since `cursor` (empty: all), at most `limit` of it. Raises RequestError, TransientError."""
    match source:
        case Files():
            return _files(source, cursor, root, limit)
        case Rows():
            return _rows(source, cursor, limit)
        case Answers():
            return _answers(source, cursor)
    raise RequestError(f"{type(source).__name__} is not looked at here")


def bad_cursor(cursor: str, why: str) -> RequestError:
    """The error for a cursor that is not one of ours."""
    shown = cursor if len(cursor) <= 40 else f"{cursor[:40]}..."
    hint = "`batuta sensors reset NAME` begins anew"
    return RequestError(f"the cursor {shown!r} is not one of this sensor: {why}", hint=hint)


# ---- files ----


def _files(source: Files, cursor: str, root: str, limit: int) -> Look:
    if len(cursor) % _DIGEST or not cursor.isascii():
        raise bad_cursor(cursor, "it does not hold digests of files")
    seen = {cursor[i : i + _DIGEST] for i in range(0, len(cursor), _DIGEST)}
    now = time.time()
    kept: list[str] = []
    events: list[dict[str, Any]] = []
    more = False
    for count, (path, size, modified_at) in enumerate(_found(source.path, root)):
        if count >= FILES_MAX:
            raise RequestError(
                f"more than {FILES_MAX:,} files match {source.path}",
                hint="move those that are done away, or name fewer: in/2026-*/*.csv",
            )
        version = f"{path}@{size}:{modified_at}" if source.changes else path
        digest = hashlib.blake2b(version.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
        if digest in seen:
            kept.append(digest)
        elif size < source.bytes_min or now - modified_at < source.settled_s:
            continue
        elif len(events) >= limit:
            more = True
        else:
            kept.append(digest)
            name = os.path.basename(path)
            event = {"key": version, "path": path, "name": name, "size": size, "modified_at": modified_at}
            events.append(event)
    return Look(events, "".join(kept), more)


def _found(path: str, root: str) -> Iterator[tuple[str, int, float]]:
    """Path, size and time of the files, sorted by path."""
    if "://" in path:
        yield from _found_remotely(path)
        return
    path = os.path.join(root, path)
    for one in sorted(glob.glob(path, recursive=True)) if glob.has_magic(path) else [path]:
        try:
            status = os.stat(one)
        except FileNotFoundError:
            continue
        if not os.path.isdir(one):
            yield one, status.st_size, status.st_mtime


def _found_remotely(url: str) -> Iterator[tuple[str, int, float]]:
    import fsspec

    try:
        files, path = fsspec.core.url_to_fs(url)
    except (ValueError, ImportError) as error:
        raise RequestError(f"{url!r} cannot be read: {error}", hint="see the protocols of fsspec") from None
    files.invalidate_cache()
    scheme = url.partition("://")[0]
    if glob.has_magic(path):
        found = files.glob(path, detail=True)
    else:
        found = {path: files.info(path)} if files.exists(path) else {}
    for name, info in sorted(found.items()):
        if info.get("type") != "directory":
            yield (
                f"{scheme}://{name.lstrip('/') if scheme != 'file' else name}",
                int(info.get("size") or 0),
                _time(info),
            )


def _time(info: dict[str, Any]) -> float:
    """When an object was last written, however its file system calls that; its tag where it has no times."""
    for name in ("mtime", "LastModified", "last_modified", "modified", "updated", "created"):
        value = info.get(name)
        if isinstance(value, datetime.datetime):
            return value.timestamp()
        if isinstance(value, (int, float)):
            return float(value)
    tag = str(info.get("ETag") or info.get("etag") or "")
    return float(int(hashlib.blake2b(tag.encode(), digest_size=4).hexdigest(), 16)) if tag else 0.0


# ---- rows ----


def _rows(source: Rows, cursor: str, limit: int) -> Look:
    try:
        last = json.loads(cursor) if cursor else source.start
    except ValueError:
        raise bad_cursor(cursor, "it is not JSON") from None
    with connected(connection_of(source.connection), "sql_sensor") as (connection, dialect):
        each = list(statements(source.sql, dialect.placeholder, dialect.percent))
        if len(each) != 1:
            raise RequestError(f"the query of a sensor is one statement, not {len(each)}")
        names = each[0].names
        unknown = [name for name in names if name != "cursor"]
        if unknown or not names:
            what = f"the query names :{unknown[0]}" if unknown else "the query does not name :cursor"
            raise RequestError(what, hint="compare the key with it: WHERE id > :cursor ORDER BY id")
        query = connection.cursor()
        query.execute(each[0].text, {"cursor": last} if dialect.named else [last] * len(names))
        columns = [column[0] for column in query.description]
        if source.key not in columns:
            raise RequestError(f"the query has no column {source.key!r}", hint=f"it has: {', '.join(columns)}")
        found = query.fetchmany(limit + 1)
    rows = [dict(zip(columns, map(plain, row), strict=True)) for row in found]
    events = [{**row, "key": str(row[source.key])} for row in rows[:limit]]
    keys = [row[source.key] for row in rows[:limit]]
    if any(key is None for key in keys):
        raise RequestError(f"the column {source.key!r} is NULL in a row", hint="leave such rows out")
    if not keys:
        return Look([], cursor)
    if keys != sorted(keys):
        raise RequestError(f"the rows are not in the order of {source.key!r}", hint=f"add ORDER BY {source.key}")
    return Look(events, json.dumps(keys[-1]), len(rows) > limit)


def plain(value: Any) -> Any:
    """A value of a database as JSON data."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return (
        msgspec.to_builtins(value, enc_hook=str) if not isinstance(value, (bytes, memoryview)) else bytes(value).hex()
    )


# ---- answers ----


def _answers(source: Answers, cursor: str) -> Look:
    headers = {"User-Agent": "batuta", **{name: _with_secrets(value) for name, value in source.headers.items()}}
    request = urllib.request.Request(source.url, method=source.method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=source.timeout_s) as answer:
            status, body, kind = answer.status, answer.read(), answer.headers.get_content_type()
    except urllib.error.HTTPError as answer:
        with answer:
            status, body, kind = answer.code, answer.read(), answer.headers.get_content_type()
    except OSError as error:
        raise TransientError(f"{bare_url(source.url)} does not answer: {error}") from None
    if status not in source.statuses if source.statuses else status >= 400:
        return Look([], cursor)
    digest = hashlib.blake2b(body, digest_size=16).hexdigest()
    if digest == cursor:
        return Look([], cursor)
    text = body.decode("utf-8", "replace")
    event = {"key": digest, "url": bare_url(source.url), "status": status, "body": _parsed(text, kind)}
    return Look([event], digest)


def _parsed(text: str, kind: str) -> Any:
    if "json" in kind:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _with_secrets(value: str) -> str:
    return _SECRET.sub(lambda found: Secret.get(found[1]), value)
