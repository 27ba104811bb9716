"""What the code locations define, as the service has recorded it: for commands that need none of the code itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batuta.core.definitions import Definitions
    from batuta.store.store import Store


def recorded(store: Store) -> dict[str, Definitions]:
    """What each location defined when it was loaded last."""
    from batuta.core import definitions as model

    return {row.location: model.decode(row.data) for row in store.definitions() if row.data}
