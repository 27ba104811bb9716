"""What IO managers need of the layers above, set by them when they are loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from batuta.core.connections import Connection
from batuta.core.errors import RequestError


def _given(connection: Any) -> Connection:
    """Without the layers above, only a connection itself is known."""
    if isinstance(connection, Connection):
        return connection
    hint = "import batuta.authoring.lookups, or give a Connection"
    raise RequestError(f"connection {connection!r} cannot be looked up here", hint=hint)


connection_of: Callable[[Any], Connection] = _given
"""A connection by its name, where `Connection.get` can be asked; `authoring.lookups` sets it."""
