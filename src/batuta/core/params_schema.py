"""Parameters held against a job's JSON schema: what a face can say at once, before any of the user's code runs.

The part of JSON Schema that typed Python signatures lead to: types, enums, lengths and bounds, arrays, objects,
`anyOf`, `$ref`, and the formats `date` and `date-time`. What it does not know it lets pass: the code validates again
when it runs. Text from forms and command lines counts as the number or truth value that it spells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from batuta.core.errors import ParameterError, nearest

_DEPTH_MAX = 50


def completed(schema: Mapping[str, Any], params: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The parameters with the defaults of those that are missing. Raises ParameterError for the first that is wrong."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    for name in params:
        if name not in properties and schema.get("additionalProperties") is False:
            known = ", ".join(properties) or "none"
            hint = nearest(name, properties) or f"parameters: {known}"
            raise ParameterError(f"there is no parameter {name!r}", where=where, hint=hint)
    found: dict[str, Any] = {}
    for name, one in properties.items():
        if name in params:
            found[name] = _checked(one, params[name], schema, f"{where}, parameter {name!r}", 0)
        elif name in schema.get("required", ()):
            raise ParameterError(f"the parameter {name!r} is missing", where=where, hint=_hint(one))
        elif "default" in one:
            found[name] = one["default"]
    return {**{name: value for name, value in params.items() if name not in properties}, **found}


def wrong(schema: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with each parameter, by name: those given, and those that are missing."""
    found: dict[str, str] = {}
    properties: Mapping[str, Any] = schema.get("properties", {})
    for name in [*properties, *(name for name in params if name not in properties)]:
        one = {**schema, "properties": {key: each for key, each in properties.items() if key == name}}
        one["required"] = [key for key in schema.get("required", ()) if key == name]
        try:
            completed(one, {key: value for key, value in params.items() if key == name}, "")
        except ParameterError as error:
            close = nearest(name, properties) if name not in properties else None
            found[name] = error.what + (f"; {close}" if close else "")
    return found


def _hint(schema: Mapping[str, Any]) -> str:
    about = str(schema.get("description", ""))
    return f"it is a {_kind(schema)}{': ' + about if about else ''}"


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return f"one of {', '.join(map(repr, schema['enum']))}"
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(_kind(one) for one in schema[several])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    return str(schema.get("format", schema.get("type", "value")))


def _checked(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any], where: str, depth: int) -> Any:
    if depth > _DEPTH_MAX:
        raise ParameterError("it is nested too deeply", where=where)
    if "$ref" in schema:
        target = root.get("$defs", {}).get(str(schema["$ref"]).rpartition("/")[2])
        return value if target is None else _checked(target, value, root, where, depth + 1)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return _any_of(schema[several], value, root, where, depth)
    if "enum" in schema:
        if value not in schema["enum"]:
            raise _wrong(schema, value, where)
        return value
    if "const" in schema and value != schema["const"]:
        raise ParameterError(f"{value!r} is not {schema['const']!r}", where=where)
    value = _typed(schema, value, where)
    _check_bounds(schema, value, where)
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        return [_checked(schema["items"], one, root, f"{where}[{i}]", depth + 1) for i, one in enumerate(value)]
    if isinstance(value, dict):
        return _object(schema, value, root, where, depth)
    return value


def _any_of(choices: Any, value: Any, root: Mapping[str, Any], where: str, depth: int) -> Any:
    first: ParameterError | None = None
    for strict in (True, False):  # a text that spells a number is that text where a text is allowed
        for choice in choices:
            try:
                found = _checked(choice, value, root, where, depth + 1)
            except ParameterError as error:
                first = first or error
                continue
            if not strict or type(found) is type(value):
                return found
    raise first or ParameterError(f"{value!r} is none of what it may be", where=where)


def _object(schema: Mapping[str, Any], value: dict[str, Any], root: Mapping[str, Any], where: str, depth: int) -> Any:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            raise ParameterError(f"{name!r} is missing in it", where=where)
    others = schema.get("additionalProperties")
    found = {}
    for name, one in value.items():
        inner = properties.get(name, others)
        if inner is False:
            raise ParameterError(f"there is no {name!r} in it", where=where, hint=nearest(name, properties))
        found[name] = _checked(inner, one, root, f"{where}.{name}", depth + 1) if isinstance(inner, Mapping) else one
    return found


def _typed(schema: Mapping[str, Any], value: Any, where: str) -> Any:
    kinds = schema.get("type")
    if kinds is None:
        return value
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        found, fits = _as_kind(kind, value)
        if fits:
            return _with_format(schema, found, where)
    raise _wrong(schema, value, where)


def _as_kind(kind: str, value: Any) -> tuple[Any, bool]:
    """The value as this type, and whether it is one."""
    match kind:
        case "string":
            return value, isinstance(value, str)
        case "boolean":
            spelled = {"true": True, "false": False}
            if isinstance(value, str) and value.lower() in spelled:
                return spelled[value.lower()], True
            return value, isinstance(value, bool)
        case "integer" | "number":
            return _number(kind, value)
        case "array":
            return value, isinstance(value, list)
        case "object":
            return value, isinstance(value, dict)
        case "null":
            return None, value is None
    return value, True


def _number(kind: str, value: Any) -> tuple[Any, bool]:
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            try:
                value = float(value)
            except ValueError:
                return value, False
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value, False
    if kind == "integer" and isinstance(value, float):
        return (int(value), True) if value.is_integer() else (value, False)
    return value, True


def _with_format(schema: Mapping[str, Any], value: Any, where: str) -> Any:
    parse = {"date": date.fromisoformat, "date-time": datetime.fromisoformat}.get(str(schema.get("format")))
    if parse is not None and isinstance(value, str):
        try:
            parse(value)
        except ValueError:
            raise _wrong(schema, value, where) from None
    return value


def _check_bounds(schema: Mapping[str, Any], value: Any, where: str) -> None:
    size = len(value) if isinstance(value, str | list | dict) else None
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    limits: tuple[tuple[str, Any, Callable[[Any, Any], bool], str], ...] = (
        ("minimum", number, lambda have, limit: have >= limit, "at least"),
        ("maximum", number, lambda have, limit: have <= limit, "at most"),
        ("exclusiveMinimum", number, lambda have, limit: have > limit, "more than"),
        ("exclusiveMaximum", number, lambda have, limit: have < limit, "less than"),
        ("minLength", size, lambda have, limit: have >= limit, "of a length of at least"),
        ("maxLength", size, lambda have, limit: have <= limit, "of a length of at most"),
        ("minItems", size, lambda have, limit: have >= limit, "of at least so many items:"),
        ("maxItems", size, lambda have, limit: have <= limit, "of at most so many items:"),
    )
    for name, have, holds, words in limits:
        if have is not None and name in schema and not holds(have, schema[name]):
            raise ParameterError(f"{value!r} is not {words} {schema[name]}", where=where, hint=_hint(schema))
    pattern = schema.get("pattern")
    if pattern is not None and isinstance(value, str) and not re.search(pattern, value):
        raise ParameterError(f"{value!r} does not match {pattern!r}", where=where, hint=_hint(schema))


def _wrong(schema: Mapping[str, Any], value: Any, where: str) -> ParameterError:
    shown = repr(value)
    return ParameterError(
        f"{shown[:100]} is no {_kind(schema)}" if "enum" not in schema else f"{shown[:100]} is not {_kind(schema)}",
        where=where,
        hint=str(schema.get("description")) if schema.get("description") else None,
    )
