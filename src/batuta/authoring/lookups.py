"""Variables, connections and secrets for user code: `Variable.get("x")`, `Connection.get("warehouse")`,
`Secret.get("token")`.

Inside a step the engine that runs it is asked, so that nothing of it needs a store or a key; elsewhere (a script, a
test, a file being loaded) they are looked up here. What is secret is masked in this process from then on.
"""

from __future__ import annotations

import importlib
from typing import Any

from batuta.authoring.context import current_or_none
from batuta.core.connections import Connection as _Connection
from batuta.io import ports as io_ports

_MISSING: Any = object()


class Variable:
    """A setting kept outside of the code: JSON data."""

    @staticmethod
    def get(name: str, default: Any = _MISSING) -> Any:
        """Its value, or `default` where it is nowhere defined. Raises RequestError without a default."""
        text = _text("variable", name, default)
        return default if text is None else _runtime().variable_value(text)


class Secret:
    """A password, token or key: text, encrypted in the store."""

    @staticmethod
    def get(name: str, default: Any = _MISSING) -> str:
        """Its text, or `default` where it is nowhere defined. Raises RequestError without a default."""
        text = _text("secret", name, default)
        return default if text is None else text


class Connection(_Connection, frozen=True, kw_only=True):
    __doc__ = _Connection.__doc__

    @classmethod
    def get(cls, name: str, default: Any = _MISSING) -> Connection:
        """The connection of that name, or `default` where it is nowhere defined. Raises RequestError without one."""
        text = _text("connection", name, default)
        return default if text is None else cls.from_text(text, name=name)


def connection_of(given: Any) -> Any:
    """A connection where its name, its URL or itself is given; anything else is given back as it is."""
    if not isinstance(given, str):
        return given
    return Connection.from_url(given) if "://" in given else Connection.get(given)


io_ports.connection_of = connection_of


def _text(kind: str, name: str, default: Any) -> str | None:
    """What backends say of it; None where none of them knows it and there is a default."""
    context = current_or_none()
    runtime = _runtime()
    if context is None or context.talk is None:
        return _known_here(runtime, kind, name, default)
    answer = context.ask("lookup", kind=kind, name=name, optional=default is not _MISSING)
    text: str | None = answer["text"]
    if text is not None:
        runtime.register(kind, name, text)
    return text


def _known_here(runtime: Any, kind: str, name: str, default: Any) -> str | None:
    try:
        text: str = importlib.import_module("batuta.runtime.vault").lookups().text(kind, name)
        return text
    except runtime.NotDefined:
        if default is _MISSING:
            raise
        return None


def _runtime() -> Any:
    """By name: the runtime stands above this layer."""
    return importlib.import_module("batuta.runtime.lookups")
