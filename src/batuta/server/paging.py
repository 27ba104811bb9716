"""Pages by key: a cursor says where the next page begins, whatever was added meanwhile.

A cursor is opaque to whoever gets it. It carries what the page was sorted by, so that one that was made for another
order is refused rather than taken to mean something else.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence
from typing import Annotated as A
from typing import Any, Literal, Protocol, TypeVar

import msgspec
from litestar.params import QueryParameter

from batuta.server.problems import FieldProblem, Refused
from batuta.store import Store

LIMIT, LIMIT_MAX = 50, 1000
STRETCH = 5_000
LOOKING_S = 0.015

Limit = A[int, QueryParameter(ge=1, le=LIMIT_MAX, description="At most so many items.")]
Cursor = A[
    str | None,
    QueryParameter(max_length=2000, description="Where the page begins: `next` of the page before."),
]

ByNumber = A[Literal["-id", "id"], QueryParameter(description="`-id`: newest first; `id`: oldest first.")]


class HasNumber(Protocol):
    """A row that the database has numbered."""

    id: int


T = TypeVar("T")
Numbered = TypeVar("Numbered", bound=HasNumber)
Key = str | int | float | None


class _Position(msgspec.Struct, array_like=True):
    order: str
    key: list[str | int | float | None]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Position).decode


def cursor_of(order: str, *key: Key) -> str:
    """The cursor of the page after the item with this key."""
    return base64.urlsafe_b64encode(_encode(_Position(order, list(key)))).decode().rstrip("=")


def position(cursor: str | None, order: str, *kinds: type) -> tuple[Any, ...] | None:
    """The key that a cursor carries; None for the first page. Raises Refused for what is no such cursor."""
    if cursor is None:
        return None
    try:
        found = _decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, msgspec.DecodeError):
        raise _no_cursor("it is no cursor of this API") from None
    if found.order != order:
        raise _no_cursor(f"it is of a list in the order {found.order!r}, not {order!r}")
    fits = len(found.key) == len(kinds) and all(map(isinstance, found.key, kinds))
    if not fits or any(isinstance(part, int) and abs(part) >= 2**63 for part in found.key):
        raise _no_cursor("it is of another list")
    return tuple(found.key)


def number_at(cursor: str | None, order: str) -> int | None:
    """The number that a cursor carries."""
    found = position(cursor, order, int)
    return None if found is None else int(found[0])


def _no_cursor(why: str) -> Refused:
    errors = (FieldProblem(pointer="query.cursor", detail=why),)
    return Refused("bad-request", 400, f"the cursor cannot be used: {why}", hint="begin without one", errors=errors)


def cut(rows: Sequence[T], limit: int, order: str, key: Callable[[T], Key]) -> tuple[list[T], str | None]:
    """Of up to `limit` + 1 rows those of the page, and the cursor of the next one if there is any."""
    page = list(rows[:limit])
    more = len(rows) > limit and bool(page)
    return page, cursor_of(order, key(page[-1])) if more else None


def by_number(
    store: Store, table: str, sort: str, cursor: str | None, limit: int, fetch: Callable[..., Sequence[Numbered]]
) -> tuple[list[Numbered], str | None]:
    """A page of a table that is listed by number, from either end: `fetch` takes what `store.queries.numbered` does.

    What is rare, or not there, would be looked for in every row. So rows are looked through a stretch at a time, and
    once that has taken LOOKING_S, the page is what was found, with a cursor to go on from there.
    """
    order = f"{table} {sort}"
    start, last = number_at(cursor, order), store.last_number(table)
    newest_first = sort.startswith("-")
    at = (start or 0) if not newest_first else last + 1 if start is None else min(start, last + 1)
    found: list[Numbered] = []
    stretch, began = STRETCH, time.monotonic()
    while len(found) <= limit and (at > 1 if newest_first else at < last):
        after, before = (max(at - stretch, 1) - 1, at) if newest_first else (at, at + stretch + 1)
        asked = time.monotonic()
        found += fetch(before=before, after=after, newest_first=newest_first, limit=limit + 1 - len(found))
        at = after + 1 if newest_first else before - 1
        now = time.monotonic()
        if now - began > LOOKING_S and len(found) <= limit:
            more = at > 1 if newest_first else at < last
            return found, cursor_of(order, at) if more else None
        if now - asked < LOOKING_S / 5:
            stretch *= 2
    return cut(found, limit, order, lambda row: row.id)


def has_text(text: str, *texts: str) -> bool:
    """Whether one of them has the text in it, whatever its case: what the store's lists find, of what is in memory."""
    lowered = text.lower()
    return any(lowered in one.lower() for one in texts)


def page_of(
    items: Sequence[T],
    sort_key: Callable[[T], Any],
    name: Callable[[T], str],
    order: str,
    cursor: str | None,
    limit: int,
) -> tuple[list[T], str | None]:
    """A page of what is all in memory, sorted by `sort_key`, then name; `-` before the `order` turns it round."""
    ranked = sorted(items, key=lambda item: (*_comparable(sort_key(item)), name(item)), reverse=order.startswith("-"))
    begin = 0
    found = position(cursor, order, str)
    if found is not None:
        names = [name(item) for item in ranked]
        begin = names.index(found[0]) + 1 if found[0] in names else 0
    page = ranked[begin : begin + limit]
    more = begin + limit < len(ranked)
    return page, cursor_of(order, name(page[-1])) if more and page else None


def _comparable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)
