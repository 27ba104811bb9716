"""Finding out who sends a request by a plugin's backend, before sessions are looked at and after API tokens.

Surprising: it fails closed. A backend that cannot be loaded keeps the server from starting; one that raises, does not
answer in time, or says what makes no sense, makes of that request one of nobody, whatever else it brings. Why is told
in the log, and to no client.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
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
ASKED_AT_ONCE_MAX = 32
"""How many requests the backend is asked about at a time, those that it never answers among them."""

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
    return ByBackend(config.backend, backend, accounts, config.timeout_s)


class ByBackend:
    """See the module and `accounts.Authenticator`."""

    def __init__(self, name: str, backend: AuthenticationBackend, accounts: Accounts, timeout_s: float = 10.0) -> None:
        self._name = name
        self._backend = backend
        self._accounts = accounts
        self._timeout_s = timeout_s
        self._room = asyncio.Semaphore(ASKED_AT_ONCE_MAX)

    async def in_time(self, headers: Mapping[str, str], client: str = "") -> Principal | None:
        """`authenticate`, which is waited for so long. One that hangs takes no thread from what is not about it."""
        if _has_token(headers):
            return await asyncio.to_thread(self._accounts.authenticate, headers, client)
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._room.acquire()
                return await self._asked(headers, client)
        except TimeoutError:
            told = f"it did not answer within {self._timeout_s:g} s"
            logger.error("the authentication %r refuses a request of %s: %s", self._name, client, told)
            return None

    def _asked(self, headers: Mapping[str, str], client: str) -> asyncio.Future[Principal | None]:
        """The answer, from a thread of its own; it does not keep the process from ending."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Principal | None] = loop.create_future()

        def end(who: Principal | None, error: Exception | None) -> None:
            self._room.release()
            if answer.cancelled():
                return
            if error is None:
                answer.set_result(who)
            else:
                answer.set_exception(error)

        def ask() -> None:
            who, failed = None, None
            try:
                who = self.authenticate(headers, client)
            except Exception as error:
                failed = error
            with contextlib.suppress(RuntimeError):  # the server has ended meanwhile
                loop.call_soon_threadsafe(end, who, failed)

        threading.Thread(target=ask, name="batuta-authentication", daemon=True).start()
        return answer

    def authenticate(self, headers: Mapping[str, str], client: str = "") -> Principal | None:
        """See the port."""
        if _has_token(headers):
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


def _has_token(headers: Mapping[str, str]) -> bool:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and value.strip().startswith(TOKEN_PREFIX)


def _principal(found: Identity) -> Principal:
    """Raises what is wrong with it."""
    if not isinstance(found, Identity):
        raise TypeError(f"it said {type(found).__name__}, not an Identity")
    name, roles = found.name.strip(), {str(location): str(role) for location, role in found.roles.items()}
    if not name or not name.isprintable() or len(name) > NAME_CHARS:
        raise ValueError(f"a name has 1 to {NAME_CHARS} characters that can be printed")
    check_roles(roles)
    return Principal(name=name, roles=roles, method="backend")
