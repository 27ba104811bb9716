"""Authentication: `authenticate` says who sends a request, here by headers that a reverse proxy sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from batuta.server.identity import Identity


class ProxyHeader:
    """Believes a proxy, and nobody else, whose name and groups it sends along.

    What it is made with stands in `[server.authentication.options]` of batuta.toml. The proxy has to take both headers
    out of what its own clients send. `roles`: by group, what its members may where.
    """

    def __init__(
        self,
        proxies: Sequence[str],
        roles: Mapping[str, Mapping[str, str]],
        name_header: str = "x-remote-user",
        groups_header: str = "x-remote-groups",
    ) -> None:
        self._proxies = frozenset(proxies)
        self._roles = roles
        self._name_header = name_header
        self._groups_header = groups_header

    def authenticate(self, headers: Mapping[str, str], client: str) -> Identity | None:
        """`headers` by name in lower case; `client` is the address that the connection comes from."""
        name = headers.get(self._name_header, "")
        if client not in self._proxies or not name:
            return None
        roles: dict[str, str] = {}
        for group in headers.get(self._groups_header, "").split(","):
            roles.update(self._roles.get(group.strip(), {}))
        return Identity(name, roles)
