"""Who asks, and what they may: roles by code location, checked before anything is done.

Roles build on each other: a viewer looks; an operator launches, cancels, retries and switches; an editor changes what
runs depend on (variables, connections, pools, partitions); an admin changes who may do what. A handler says which role
its operation takes (`opt={"role": ...}`), everywhere or at the location of what it is about. Surprising: an operation
that says nothing is refused to all, so that a forgotten word closes a door and never opens one.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from batuta.core.errors import InvariantError
from batuta.server.problems import Forbidden, NotFound, Refused

Role = Literal["viewer", "operator", "editor", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
ANYWHERE = "*"
NO_ROLE = "none"
"""At a location where somebody may do nothing, whatever they may elsewhere."""
PUBLIC = "public"
"""In place of a role: for everybody, logged in or not."""
HIDDEN = "hidden"
"""In place of a role: for nobody."""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. `roles`: by code location, `*` for all others.

    `method`: how we know: local, session, token, or backend (of a plugin).
    """

    name: str
    roles: dict[str, str]
    method: str = "local"
    token: int | None = None

    def may(self, role: Role, location: str = ANYWHERE) -> bool:
        """Whether they have at least that role there."""
        own = self.roles.get(location) or self.roles.get(ANYWHERE)
        return own in ROLES and ROLES.index(own) >= ROLES.index(role)

    def may_somewhere(self, role: Role) -> bool:
        """Whether they have at least that role at some location."""
        return any(self.may(role, location) for location in self.roles)

    def need(self, role: Role, location: str, to: str) -> None:
        """Raise Forbidden unless they have at least that role there."""
        if not self.may(role, location):
            where = f" at location {location!r}" if location != ANYWHERE else ""
            raise Forbidden(f"{self.name} may not {to}: that takes the role {role}{where}", hint="ask an admin for it")

    def visible(self, locations: list[str]) -> tuple[str, ...] | None:
        """Those of the locations at which they may look; None where there is nothing to hide from them."""
        if all(role in ROLES for role in self.roles.values()) and ANYWHERE in self.roles:
            return None
        return tuple(name for name in locations if self.may("viewer", name))

    def narrowed(self, locations: list[str], wanted: list[str] | None) -> tuple[str, ...] | None:
        """`visible`, of those that were asked for; None where all were, and may be seen."""
        visible = self.visible(locations)
        if wanted is None:
            return visible
        return tuple(name for name in wanted if visible is None or name in visible)


LOCAL_ROLES = {ANYWHERE: "admin"}


def local_principal(name: str) -> Principal:
    """Whoever sits at this machine, where there are no accounts."""
    return Principal(name=name, roles=LOCAL_ROLES)


async def check_role(connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """The guard of all routes, see the module. Async, as it waits for nothing: others are given a thread for it."""
    wanted = handler.opt.get("role")
    if wanted == PUBLIC:
        return
    if wanted == HIDDEN:
        raise NotFound("there is nothing here")
    who = connection.scope.get("user")
    if not isinstance(who, Principal):
        raise Refused("unauthenticated", 401, "nobody is logged in", hint="log in, or send an API token")
    if wanted not in ROLES:
        raise InvariantError(f"{handler} does not say which role it takes")
    somewhere = bool(handler.opt.get("at_location"))
    allowed = who.may_somewhere(wanted) if somewhere or wanted == "viewer" else who.may(wanted)
    if not allowed:
        who.need(wanted, ANYWHERE, "do that")
