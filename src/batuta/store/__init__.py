"""The database: schema, migrations, group commits and queries, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batuta.store.store import Store as Store

__all__ = ["Store"]


def __getattr__(name: str) -> object:
    if name == "Store":
        from batuta.store.store import Store

        return Store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
