"""News of all runs, and which lists have changed, read from the store once for all who listen.

A listener names the last event that it has seen and gets all later ones, none left out: from memory where they are
recent, else from the store. Surprising: nothing is read while nobody listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from batuta.core.errors import StoreError
from batuta.server.changes import LOOK_S, Mark, Seen, look, missed
from batuta.store.rows import EventRow
from batuta.store.store import Store

POLL_S = 0.2
QUIET_S = 15.0
"""After so long without news a listener hears that there are none, which keeps proxies from closing the connection."""
KEPT_MAX = 5_000
CHUNK = 500


@dataclass(frozen=True, slots=True)
class News:
    """What a listener hears at a time; nothing at all where nothing has happened for a while."""

    rows: list[EventRow]
    topics: set[str]
    """What has changed, see `changes`; empty for those who did not ask for it."""
    mark: Mark
    """Where it is then."""


class Feed:
    """See the module. All in the server's event loop, but for `close`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: deque[EventRow] = deque(maxlen=KEPT_MAX)
        self._position = 0
        self._seen: Seen | None = None
        self._listeners = 0
        self._watchers = 0
        self._changed = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.closed = False

    async def now(self, *, changes: bool = False) -> Mark:
        """Where a listener begins who wants to hear nothing that has been."""
        position = await asyncio.to_thread(self._store.last_event_id)
        return (await asyncio.to_thread(look, self._store)).mark(position) if changes else Mark(position)

    async def listen(self, after: Mark, *, changes: bool = False) -> AsyncIterator[News]:
        """The events after that one, some at a time; with `changes` also what else has changed."""
        self._loop = asyncio.get_running_loop()
        self._listeners += 1
        self._watchers += changes
        try:
            await self._begin(changes)
            position = after.event
            seen = self._seen if changes else None
            if seen is not None:
                yield News([], await asyncio.to_thread(missed, self._store, after, seen), seen.mark(position))
            while not self.closed:
                rows = await self._after(position, seen)
                position = rows[-1].id if rows else position
                topics: set[str] = set()
                if seen is not None and self._seen is not None:
                    topics, seen = self._seen.since(seen), self._seen
                yield News(rows, topics, Mark(position) if seen is None else seen.mark(position))
        finally:
            self._listeners -= 1
            self._watchers -= changes
            if not self._watchers:
                self._seen = None

    async def _begin(self, changes: bool) -> None:
        """Have the reader read, from now on where it did not."""
        if self._reader is None or self._reader.done():
            self._kept.clear()
            self._seen = None
            self._position = await asyncio.to_thread(self._store.last_event_id)
            if self._reader is None or self._reader.done():
                self._reader = asyncio.create_task(self._read())
        if changes and self._seen is None:
            self._seen = await asyncio.to_thread(look, self._store)

    async def _after(self, position: int, seen: Seen | None) -> list[EventRow]:
        """The events after that one; waits for some, or for a change of what was seen."""
        if position < self._position:
            first = self._kept[0].id if self._kept else self._position + 1
            if position < first - 1:
                return await asyncio.to_thread(self._store.events_since, position, CHUNK)
            return [row for row in self._kept if row.id > position]
        async with self._changed:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait_for(lambda: self._is_news(position, seen)), QUIET_S)
        return [row for row in self._kept if row.id > position]

    def _is_news(self, position: int, seen: Seen | None) -> bool:
        is_changed = seen is not None and self._seen is not None and bool(self._seen.since(seen))
        return self._position > position or is_changed or self.closed

    async def _read(self) -> None:
        """Read on while there are listeners."""
        looked_at = 0.0
        while self._listeners and not self.closed:
            try:
                rows = await asyncio.to_thread(self._store.events_since, self._position, CHUNK)
                seen = self._seen
                if seen is not None and self._watchers and time.monotonic() - looked_at >= LOOK_S:
                    seen = await asyncio.to_thread(look, self._store, seen)
                    looked_at = time.monotonic()
            except StoreError:
                rows, seen = [], self._seen  # it may come back; listeners stay
            await self._tell(rows, seen)
            if len(rows) < CHUNK:
                await asyncio.sleep(POLL_S)

    async def _tell(self, rows: list[EventRow], seen: Seen | None) -> None:
        """Wake the listeners where there is something to hear."""
        if not rows and seen is self._seen:
            return
        async with self._changed:
            self._kept.extend(rows)
            self._position = rows[-1].id if rows else self._position
            base = seen or self._seen  # somebody may have begun to look meanwhile
            self._seen = None if base is None else base.after(rows)
            self._changed.notify_all()

    async def end(self) -> None:
        """Let all listeners go."""
        self.closed = True
        async with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """`end`, from any thread."""
        self.closed = True
        if self._loop is not None and self._loop.is_running():
            asyncio.run_coroutine_threadsafe(self.end(), self._loop)
