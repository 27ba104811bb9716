"""What can go wrong with the database, split by what the caller can do about it.

`LeaseLost`: drop those runs, commit the rest. `StoreUnavailable` and `StoreLocked`: do the same again, later; a commit
is safe to repeat. `StoreFull`: the same, once there is room. All others need a person. The drivers' own errors become
these in the two adapters (`sqlite`, `postgres`), with the original as `__cause__`.
"""

from __future__ import annotations

from collections.abc import Iterable

from batuta.core.errors import StoreError, TransientError

__all__ = [
    "UNSTORABLE_HINT",
    "Duplicate",
    "KeyUnusable",
    "LeadLost",
    "LeaseLost",
    "NotAStore",
    "NotTouched",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreLocked",
    "StoreMissing",
    "StoreReadOnly",
    "StoreTooNew",
    "StoreTooOld",
    "StoreUnavailable",
    "UnstorableText",
    "WrongKey",
]


class LeaseLost(StoreError):
    """Another has claimed these runs since; nothing of the batch was recorded. `run_ids` says which."""

    def __init__(self, run_ids: Iterable[int], *, where: str | None = None) -> None:
        self.run_ids = tuple(sorted(run_ids))
        names = ", ".join(str(run_id) for run_id in self.run_ids)
        what = f"{'run' if len(self.run_ids) == 1 else 'runs'} {names} belong to another engine now"
        super().__init__(what, where=where, hint="whoever claimed them last goes on with them; this engine must let go")


class StoreUnavailable(StoreError, TransientError):
    """The database cannot be reached just now, or broke off. Whether a commit was applied shows when it is repeated."""


class StoreLocked(StoreUnavailable):
    """Another process held the write lock for longer than the busy timeout. `pid` is its process, where known."""

    pid: int | None = None


class StoreFull(StoreError):
    """The disk, or what may be used of it, is full. Nothing of the batch was recorded."""


class StoreMissing(StoreError):
    """There is nothing at that place: no directory, no file, no such database."""


class StoreReadOnly(StoreError):
    """The database may be read but not written."""


class StoreCorrupt(StoreError):
    """The file is damaged, or no database at all."""


class NotAStore(StoreError):
    """A database, but of something else."""


class StoreTooNew(StoreError):
    """Made by a newer Batuta than this one."""


class StoreTooOld(StoreError):
    """Its schema is older than this code, and upgrading it was not asked for."""


class LeadLost(StoreError):
    """Another scheduler leads now: what was decided under the former lead is not written."""


class Duplicate(StoreError):
    """A row with that key is there already. `commit` looks whether the batch had been applied before."""


class NotTouched(StoreError):
    """A fenced statement found fewer rows than it was given: `commit` looks who has claimed them."""


class UnstorableText(StoreError):
    """A text with a NUL or with half a surrogate pair. `commit` replaces those characters."""


class KeyUnusable(StoreError):
    """There is no key to encrypt with, or what should be one is none."""


class WrongKey(StoreError):
    """What is encrypted in the store was encrypted with a key that is not here."""


UNSTORABLE_HINT = "it has a NUL character, or one that is not Unicode: remove it"
