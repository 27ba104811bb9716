"""The version of a step of a DAG or of a flow's body: of its function, of what that uses of the project, and of the
arguments that stand in the code.

Two runs of one job whose plans have the same versions did the same thing, but for parameters and data.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from batuta.authoring.asset_versions import function_version
from batuta.authoring.code_version import code_version

_SIMPLE = (str, int, float, bool, bytes, type(None))
_DEPTH_MAX = 8


def step_version(function: Any, *arguments: Any) -> str:
    """16 hex digits. Arguments count by value where they are plain, functions by their code, the rest by its type."""
    parts: list[str] = [_of_function(function)]
    for argument in arguments:
        _describe(argument, parts, 0)
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()


def _of_function(function: Any) -> str:
    return function_version(function) if inspect.isfunction(function) else code_version(function)


def _describe(value: Any, parts: list[str], depth: int) -> None:
    if isinstance(value, _SIMPLE):
        parts.append(repr(value))
    elif depth >= _DEPTH_MAX:
        parts.append(type(value).__qualname__)
    elif isinstance(value, Mapping):
        parts.append("{")
        for key, item in value.items():
            _describe(key, parts, depth + 1)
            _describe(item, parts, depth + 1)
        parts.append("}")
    elif isinstance(value, (list, tuple, set, frozenset)):
        parts.append("[")
        items: Iterable[Any] = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
        for item in items:
            _describe(item, parts, depth + 1)
        parts.append("]")
    elif inspect.isfunction(function := getattr(value, "fn", value)):
        parts.append(_of_function(function))
    else:
        parts.append(type(value).__qualname__)
