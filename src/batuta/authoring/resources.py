"""Resources: clients, connections, IO managers and settings by name, as assets and checks take them as parameters.

Surprising rule: a resource is set up when a step first needs it, once per process, and torn down when the process ends;
a forked process sets up its own.
"""

from __future__ import annotations

import atexit
import importlib
import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from batuta.authoring.places import user_place
from batuta.core.definitions import Place
from batuta.core.errors import DefinitionError, RequestError, nearest

if TYPE_CHECKING:
    from batuta.authoring.resource import Resource as Resource

__all__ = ["EnvVar", "Resource", "ResourcePool", "Resources", "close_all"]


def __getattr__(name: str) -> Any:
    if name == "Resource":  # pydantic takes 100 ms to import: not before somebody wants it
        return importlib.import_module("batuta.authoring.resource").Resource
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class EnvVar:
    """A value that is read from an environment variable when the resource is set up, in the process that uses it."""

    __slots__ = ("default", "name")

    def __init__(self, name: str, default: str | None = None) -> None:
        self.name = name
        self.default = default

    def get(self, where: str = "") -> str:
        """The value. Raises RequestError where the variable is not set and there is no default."""
        value = os.environ.get(self.name, self.default)
        if value is None:
            raise RequestError(
                f"the environment variable {self.name} is not set", where=where, hint=f"export {self.name}=..."
            )
        return value

    def __repr__(self) -> str:
        return f"EnvVar({self.name!r})"


class Resources:
    """Resources by name: `Resources(db=Warehouse(url=...), io_manager=ParquetIO("lake"))`, anywhere in the project.

    `io_manager` is the one of all assets that name no other. All `Resources` of a location count together.
    """

    def __init__(self, **resources: Any) -> None:
        self.values = resources
        self.place: Place = user_place()

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def __repr__(self) -> str:
        return f"<resources {', '.join(self.values)}>"


class ResourcePool:
    """The resources of a location as they are used in this process: set up once each, when first asked for."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._lock = threading.RLock()
        self._ready: dict[str, Any] = {}
        self._pid = os.getpid()

    def get(self, name: str) -> Any:
        """The resource, set up. Raises DefinitionError for an unknown name, whatever its setup raises otherwise."""
        if self._pid != os.getpid():  # forked: locks and clients of the parent are not ours
            self._lock, self._ready, self._pid = threading.RLock(), {}, os.getpid()
        try:
            return self._ready[name]
        except KeyError:
            pass
        with self._lock:
            if name not in self._ready:
                self._ready[name] = self._set_up(name)
            return self._ready[name]

    def _set_up(self, name: str) -> Any:
        if name not in self._values:
            hint = nearest(name, self._values) or f"resources are: {', '.join(self._values) or 'none'}"
            raise DefinitionError(f"there is no resource {name!r}", hint=hint)
        value = self._values[name]
        if not getattr(type(value), "__batuta_resource__", False):
            return value
        value = value.resolved(name)
        value.setup()
        _remember(self)
        return value

    def close(self) -> None:
        """Tear down what was set up here, the last one first. What fails does not keep the others."""
        if self._pid != os.getpid():
            return
        with self._lock:
            ready, self._ready = self._ready, {}
        failure: BaseException | None = None
        for value in reversed(ready.values()):
            if getattr(type(value), "__batuta_resource__", False):
                try:
                    value.teardown()
                except Exception as error:
                    failure = failure or error
        if failure is not None:
            raise failure


_in_use: dict[int, ResourcePool] = {}
_registered_in = 0


def _remember(pool: ResourcePool) -> None:
    global _registered_in
    if _registered_in != os.getpid():
        _in_use.clear()
        _registered_in = os.getpid()
        atexit.register(close_all)
    _in_use[id(pool)] = pool


def close_all() -> None:
    """Tear down all resources of this process. For the runtime, where a process ends without running exit handlers."""
    if _registered_in != os.getpid():
        return
    pools = list(_in_use.values())
    _in_use.clear()
    for pool in pools:
        pool.close()
