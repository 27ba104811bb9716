"""News of all runs, read from the store once for all who listen, and kept for those who come back.

A listener names the last event that it has seen and gets all later ones, none left out: from memory where they are
recent, else from the store. Surprising: nothing is read while nobody listens.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator

from batuta.core.errors import StoreError
from batuta.store.rows import EventRow
from batuta.store.store import Store

POLL_S = 0.2
QUIET_S = 15.0
"""After so long without news a listener hears that there are none, which keeps proxies from closing the connection."""
KEPT_MAX = 5_000
CHUNK = 500


class Feed:
    """See the module. All in the server's event loop, but for `close`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: deque[EventRow] = deque(maxlen=KEPT_MAX)
        self._position = 0
        self._listeners = 0
        self._changed = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.closed = False

    async def listen(self, after: int | None) -> AsyncIterator[list[EventRow]]:
        """The events after that one (None: from now on), some at a time; an empty list where nothing happens."""
        self._loop = asyncio.get_running_loop()
        self._listeners += 1
        try:
            if self._reader is None or self._reader.done():
                self._kept.clear()
                self._position = await asyncio.to_thread(self._store.last_event_id)
                if self._reader is None or self._reader.done():
                    self._reader = asyncio.create_task(self._read())
            position = self._position if after is None else after
            while not self.closed:
                rows = await self._after(position)
                if rows:
                    position = rows[-1].id
                yield rows
        finally:
            self._listeners -= 1

    async def _after(self, position: int) -> list[EventRow]:
        """The events after that one; waits for some."""
        if position < self._position:
            first = self._kept[0].id if self._kept else self._position + 1
            if position < first - 1:
                return await asyncio.to_thread(self._store.events_since, position, CHUNK)
            return [row for row in self._kept if row.id > position]
        async with self._changed:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(
                    self._changed.wait_for(lambda: self._position > position or self.closed), QUIET_S
                )
        return [row for row in self._kept if row.id > position]

    async def _read(self) -> None:
        """Read on while there are listeners."""
        while self._listeners and not self.closed:
            try:
                rows = await asyncio.to_thread(self._store.events_since, self._position, CHUNK)
            except StoreError:
                rows = []  # it may come back; listeners stay
            if rows:
                async with self._changed:
                    self._kept.extend(rows)
                    self._position = rows[-1].id
                    self._changed.notify_all()
            if len(rows) < CHUNK:
                await asyncio.sleep(POLL_S)

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
