"""The version of the code that makes an asset: of its function, of what that uses of the project, of its config.

Thousands of functions made in a loop share one code object: what it leads to is found out once, and only what each of
them closes over is added.
"""

from __future__ import annotations

import hashlib
import inspect
import types
from collections.abc import Mapping, Sequence
from typing import Any

from batuta.authoring.asset_config import configured
from batuta.authoring.asset_definitions import AssetFunction
from batuta.authoring.code_version import code_version
from batuta.authoring.project_code import source_of, used_by

_by_code: dict[int, tuple[types.CodeType, str]] = {}
"""By the identity of code objects, as equal ones may belong to different modules; kept, so that no id is used again."""


def version_of(definition: AssetFunction[..., Any], settings: Mapping[str, Any] | None) -> str:
    """16 hex digits that change when the function, project code that it uses, or its configured values do."""
    version = function_version(definition.fn)
    if definition.config is None and not settings:
        return version
    return _digest([version, _shown(configured(definition, settings))])


def function_version(function: Any, inside: tuple[int, ...] = ()) -> str:
    """The version of one function with all that it uses of the project. `inside`: functions that close over it."""
    code = getattr(function, "__code__", None)
    if code is None or hasattr(function, "__wrapped__"):
        function = inspect.unwrap(function)
        code = getattr(function, "__code__", None)
        if code is None:
            return code_version(function)
    known = _by_code.get(id(code))
    if known is None:
        known = _by_code[id(code)] = (code, _with_used(function, code))
    if not function.__closure__ and not function.__defaults__:
        return known[1]
    return _digest([known[1], code_version(function), *_closed_over(function, (*inside, id(function)))])


def _with_used(function: Any, code: types.CodeType) -> str:
    own = code_version(types.FunctionType(code, {}, closure=tuple(types.CellType() for _ in code.co_freevars)))
    source = source_of(function.__module__)
    found = source.functions.get(code.co_firstlineno) if source else None
    if source is None or found is None or found.name != code.co_name:
        return own
    used = used_by(function.__module__, source.uses_in(found))
    used.pop((function.__module__, code.co_qualname if hasattr(code, "co_qualname") else code.co_name), None)
    if not used:
        return own
    return _digest([own, *sorted(f"{name}={digest}" for (_, name), digest in used.items())])


def _closed_over(function: Any, inside: tuple[int, ...]) -> list[str]:
    """The versions of functions that it closes over; plain values are part of `code_version`."""
    versions = []
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:  # not filled yet
            continue
        if isinstance(value, types.FunctionType) and id(value) not in inside:
            versions.append(function_version(value, inside))
    return versions


def _shown(config: Any) -> str:
    if hasattr(config, "model_dump_json"):
        return str(config.model_dump_json())
    return repr(sorted(config.items())) if isinstance(config, Mapping) else repr(config)


def _digest(parts: Sequence[str]) -> str:
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()
