"""The base class of resources, made when somebody first asks for it: it needs pydantic, which is slow to import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batuta.authoring.resources import EnvVar

if TYPE_CHECKING:
    from typing import Self

    from pydantic import BaseModel

    class Resource(BaseModel):
        """For type checkers; `_define` makes it."""

        def resolved(self, name: str = "") -> Self: ...
        def setup(self) -> None: ...
        def teardown(self) -> None: ...


def __getattr__(name: str) -> Any:
    if name != "Resource":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()["Resource"] = _define()
    return made


def _define() -> type:
    from typing import ClassVar

    from pydantic import BaseModel, ConfigDict, PrivateAttr

    class Resource(BaseModel):
        """A pydantic model with a life: `setup` and `teardown` are called once per process, by who first needs it.

        A value may be `EnvVar("NAME")`; it is read, and the model validated, at setup. Keep what setup opens in private
        attributes (`_connection: Any = None`).
        """

        model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

        __batuta_resource__: ClassVar[bool] = True
        _given: dict[str, Any] | None = PrivateAttr(default=None)

        def __init__(self, **values: Any) -> None:
            if not any(map(_has_variable, values.values())):
                super().__init__(**values)
                return
            unset = type(self).model_construct(**values)
            for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__"):
                object.__setattr__(self, name, getattr(unset, name))
            self._given = values

        def resolved(self, name: str = "") -> Any:
            """Itself, or, where values come from the environment, a validated copy with them."""
            if self._given is None:
                return self
            where = f"resource {name!r}" if name else type(self).__name__
            return type(self)(**{key: _read(value, where) for key, value in self._given.items()})

        def setup(self) -> None:
            """Open what is needed."""

        def teardown(self) -> None:
            """Close it again."""

    Resource.__qualname__ = "Resource"
    return Resource


def _has_variable(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_variable, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_has_variable, value))
    return isinstance(value, EnvVar)


def _read(value: Any, where: str) -> Any:
    if isinstance(value, EnvVar):
        return value.get(where)
    if isinstance(value, dict):
        return {key: _read(item, where) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_read(item, where) for item in value)
    return value
