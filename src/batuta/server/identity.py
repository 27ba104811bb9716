"""Who sends a request, as an authentication backend of a plugin says: what such a plugin imports, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    """`roles`: by code location, `*` for all others, as those of an account; without any they may do nothing."""

    name: str
    roles: Mapping[str, str] = field(default_factory=dict)


class AuthenticationBackend(Protocol):
    """Made once when the server starts, with `[server.authentication.options]`. Asked from several threads at once."""

    def authenticate(self, headers: Mapping[str, str], client: str) -> Identity | None:
        """Who it is; None where it cannot tell: then a session may. Whatever it raises refuses the request.

        `headers`: by name in lower case. `client`: the address that the connection comes from, the proxy's behind one.
        Asked with every request that brings no API token, and waited for: it has to be quick, so it keeps what it has
        asked elsewhere.
        """
