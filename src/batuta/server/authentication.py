"""Finding out who sends a request by a plugin's backend, before sessions are looked at and after API tokens.

Surprising: it fails closed. A backend that cannot be loaded keeps the server from starting; one that raises, or says
what makes no sense, makes of that request one of nobody, whatever else it brings. Why is told in the log, and to no
client.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType

from batuta import plugins
from batuta.core.errors import BatutaError
from batuta.plugins import PluginError
from batuta.runtime.project import Project
from batuta.server.access import Principal
from batuta.server.accounts import TOKEN_PREFIX, Accounts, Authenticator, check_roles
from batuta.server.identity import AuthenticationBackend, Identity

GROUP = "batuta.authentication"
NAME_CHARS = 200

logger = logging.getLogger("batuta.server")


def authenticator_for(project: Project, accounts: Accounts) -> Authenticator:
    """The accounts, or the backend that the project names before them. Raises PluginError."""
    config = project.config.server.authentication
    if not config.backend:
        return accounts
    where = f"{project.file or project.root}: [server.authentication] backend"
    kind = plugins.load(GROUP, config.backend, where=where)
    try:
        backend: AuthenticationBackend = kind(**config.options)
    except BatutaError:
        raise
    except Exception as error:
        what = f"the authentication {config.backend!r} cannot be made: {type(error).__name__}: {error}"
        raise PluginError(what, where=where, hint="see [server.authentication.options]") from error
    return ByBackend(config.backend, backend, accounts)


class ByBackend:
    """See the module and `accounts.Authenticator`."""

    def __init__(self, name: str, backend: AuthenticationBackend, accounts: Accounts) -> None:
        self._name = name
        self._backend = backend
        self._accounts = accounts

    def authenticate(self, headers: Mapping[str, str], client: str = "") -> Principal | None:
        """See the port."""
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and value.strip().startswith(TOKEN_PREFIX):
            return self._accounts.authenticate(headers, client)
        try:
            found = self._backend.authenticate(MappingProxyType(dict(headers)), client)
            who = None if found is None else _principal(found)
        except (Exception, SystemExit) as error:
            told = f"{type(error).__name__}: {error}"
            logger.error("the authentication %r refuses a request of %s: %s", self._name, client, told, exc_info=True)
            return None
        if who is None:
            return self._accounts.authenticate(headers, client)
        return None if self._accounts.is_disabled(who.name) else who


def _principal(found: Identity) -> Principal:
    """Raises what is wrong with it."""
    if not isinstance(found, Identity):
        raise TypeError(f"it said {type(found).__name__}, not an Identity")
    name, roles = found.name.strip(), {str(location): str(role) for location, role in found.roles.items()}
    if not name or not name.isprintable() or len(name) > NAME_CHARS:
        raise ValueError(f"a name has 1 to {NAME_CHARS} characters that can be printed")
    check_roles(roles)
    return Principal(name=name, roles=roles, method="backend")
