"""The names of query parameters: one that an operation does not know is refused, for it would be a filter that does
nothing.

Surprising: what others send on to us with names of their own (webhooks, a provider's answer to a log-in) says
`any_query`, and is taken whatever it brings.
"""

from __future__ import annotations

import weakref
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter

from batuta.core.errors import nearest
from batuta.server.problems import FieldProblem, Refused

_known: weakref.WeakKeyDictionary[Any, frozenset[str]] = weakref.WeakKeyDictionary()
"""By the function of a handler: a guard is given a copy of the handler."""


async def check_query_names(connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """The guard of the API's routes, see the module. Raises Refused. Async, as `check_role` is."""
    if not connection.scope["query_string"] or handler.opt.get("any_query"):
        return
    known = _names_of(handler)
    unknown = [name for name in connection.query_params if name not in known]
    if unknown:
        errors = tuple(FieldProblem(pointer=f"query.{name[:200]}", detail=_told(name, known)) for name in unknown[:20])
        told = ", ".join(repr(name[:200]) for name in unknown[:5])
        what = f"there is no query parameter {told} here"
        listed = f"there are {', '.join(sorted(known))}" if known else "there are none"
        raise Refused("bad-request", 400, what, hint=nearest(unknown[0][:200], known) or listed, errors=errors)


def _names_of(handler: BaseRouteHandler) -> frozenset[str]:
    found = _known.get(handler.fn)
    if found is None:
        found = _known[handler.fn] = frozenset(
            field.kwarg_definition.name or name
            for name, field in handler.parsed_fn_signature.parameters.items()
            if isinstance(field.kwarg_definition, QueryParameter)
        )
    return found


def _told(name: str, known: frozenset[str]) -> str:
    return nearest(name[:200], known) or "it is not known here"
