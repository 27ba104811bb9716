"""Slots of pools that several engines share: taken in the store before an attempt is dispatched, given back after it.

Used on PostgreSQL only, and only by attempts that name a pool. Everything is called in the engine's thread.
"""

from __future__ import annotations

from batuta.core.admission import Entry
from batuta.store.errors import StoreUnavailable
from batuta.store.store import Store

RETRY_S = 0.25
"""How long until a pool that others have filled is asked again, where nobody says that it has room."""


class SharedPools:
    """The slots of one engine. `limits` are those of all engines together."""

    def __init__(self, store: Store, owner: str, limits: dict[str, int]) -> None:
        self.limits = limits
        self._store = store
        self._owner = owner
        self._ended: list[tuple[int, int]] = []

    def take(self, entry: Entry) -> bool:
        """Whether the attempt has its slots; False where others have filled a pool, or the store cannot be asked."""
        wanted = pools_of(entry)
        if not wanted:
            return True
        self.flush()
        try:
            return bool(self._store.take_slots(self._owner, [(entry.run_id, entry.task, wanted)], self.limits))
        except StoreUnavailable:
            return False

    def release(self, entry: Entry) -> None:
        """The attempt has ended, which is being recorded."""
        if pools_of(entry):
            self._ended.append((entry.run_id, entry.task))

    def flush(self) -> None:
        """Give back what has ended, now that it is recorded."""
        if self._ended:
            try:
                self._store.release_slots(self._owner, self._ended)
            except StoreUnavailable:
                return
            self._ended = []


def pools_of(entry: Entry) -> tuple[tuple[str, int], ...]:
    """The (pool, slots) that an attempt takes."""
    return tuple((name, slots) for name, slots, maximum in entry.limits if maximum is None)
