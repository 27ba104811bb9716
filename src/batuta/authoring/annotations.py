"""Return annotations as objects, also where they were written as text (`from __future__ import annotations`)."""

from __future__ import annotations

import functools
import inspect
import sys
import types
import typing
from collections.abc import Callable
from typing import Any


@functools.lru_cache(maxsize=65536)
def return_annotation(function: Callable[..., Any]) -> Any:
    """What the function says it returns; None where it says nothing, or something that cannot be found."""
    function = inspect.unwrap(function)
    if isinstance(function, functools.partial):
        return return_annotation(function.func)
    found = _written(function).get("return")
    if found is None or not isinstance(found, str):
        return found
    if found in ("None", "Any", "object"):
        return None
    return _resolved(function, "return", found)


def parameter_annotation(function: Callable[..., Any], name: str) -> Any:
    """The annotation of a parameter, or None."""
    function = inspect.unwrap(function)
    found = _written(function).get(name)
    return _resolved(function, name, found) if isinstance(found, str) else found


def accepts_none(annotation: Any) -> bool:
    """Whether a parameter with this annotation may be given None; unknown annotations may."""
    if annotation in (None, Any, object) or isinstance(annotation, str | typing.TypeVar):
        return True
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return accepts_none(typing.get_args(annotation)[0])
    return origin in (typing.Union, types.UnionType) and type(None) in typing.get_args(annotation)


def _written(function: Callable[..., Any]) -> dict[str, Any]:
    """As they stand there. From Python 3.14 on they are evaluated only now: those with names that are not there are
    left out."""
    if sys.version_info >= (3, 14):
        import annotationlib

        try:
            found = annotationlib.get_annotations(function, format=annotationlib.Format.FORWARDREF)
        except Exception:
            return {}
        return {name: each for name, each in found.items() if not isinstance(each, typing.ForwardRef)}
    found = getattr(function, "__annotations__", {})
    return found


def _resolved(function: Callable[..., Any], name: str, text: str) -> Any:
    try:
        return typing.get_type_hints(function, include_extras=True).get(name)
    except Exception:
        try:
            return eval(text, getattr(function, "__globals__", {}))
        except Exception:
            return None
