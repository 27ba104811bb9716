"""A function's parameters: checked and coerced by its type hints, and described as a JSON schema for launch forms.

pydantic does the work, and is imported only where a value is not already exactly what its hint says.
"""

from __future__ import annotations

import collections.abc
import datetime
import inspect
import json
import reprlib
import sys
import types
import typing
import weakref
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from batuta.core.errors import ParameterError, nearest

_EMPTY = inspect.Parameter.empty
_NAMED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_LISTS = (list, tuple, set, frozenset, collections.abc.Sequence, collections.abc.Collection, collections.abc.Set)
_UNTOUCHED = (collections.abc.Iterator, collections.abc.Iterable, collections.abc.Generator, collections.abc.Callable)


class Parameter(NamedTuple):
    """One parameter; `annotation` is `inspect.Parameter.empty` where there is none that can be understood."""

    name: str
    annotation: Any
    default: Any
    positional: bool

    def __str__(self) -> str:
        text = self.name if self.annotation is _EMPTY else f"{self.name}: {type_text(self.annotation)}"
        return text if self.default is _EMPTY else f"{text} = {reprlib.repr(self.default)}"


class Signature(NamedTuple):
    """A function's parameters; `rest` and `others` are the names of *args and **kwargs, if it takes any."""

    parameters: dict[str, Parameter]
    rest: str | None
    others: str | None
    adapters: dict[str, Any]  # made when first needed

    def __str__(self) -> str:
        return ", ".join(map(str, self.parameters.values())) or "none"


_signatures: weakref.WeakKeyDictionary[Callable[..., Any], Signature] = weakref.WeakKeyDictionary()


def validate_arguments(
    function: Callable[..., Any],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    where: str | None = None,
    from_text: bool = False,
    ignore: Container[str] = (),
) -> dict[str, Any]:
    """All parameters by name, as the type hints want them, with the defaults of those not given.

    `from_text`: values come from a command line or a form, so that text is also read as JSON, and `a,b` as a list.
    `ignore`: names that somebody else fills in. Raises one ParameterError that lists everything that is wrong.
    """
    signature = signature_of(function)
    given, problems = _bind(signature, args, kwargs or {})
    values: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        if name in given:
            value = given.pop(name)
            if name in ignore or type(value) is parameter.annotation:
                values[name] = value
                continue
            try:
                values[name] = _coerce(signature, parameter, value, from_text)
            except ValueError as error:
                problems.append(f"{name}: {_told(value, parameter.annotation, error)}")
        elif parameter.default is not _EMPTY:
            values[name] = parameter.default
        elif name not in ignore:
            problems.append(f"{name}: missing" + _of_type(parameter))
    values.update(given)
    if problems:
        text = problems[0] if len(problems) == 1 else "\n  ".join([f"{len(problems)} wrong parameters:", *problems])
        raise ParameterError(text, where=where, hint=f"the parameters are: {signature}")
    return values


def signature_of(function: Callable[..., Any]) -> Signature:
    """The parameters of a function, remembered for as long as it lives."""
    try:
        return _signatures[function]
    except (KeyError, TypeError):
        pass
    hints = _hints(function)
    parameters: dict[str, Parameter] = {}
    rest = others = None
    for name, found in _inspected(function).parameters.items():
        if found.kind in _NAMED:
            positional = found.kind is not inspect.Parameter.KEYWORD_ONLY
            parameters[name] = Parameter(name, hints.get(name, _EMPTY), found.default, positional)
        elif found.kind is inspect.Parameter.VAR_POSITIONAL:
            rest = name
        else:
            others = name
    signature = Signature(parameters, rest, others, {})
    with suppress(TypeError):  # a callable that takes no weak references
        _signatures[function] = signature
    return signature


def type_text(annotation: Any) -> str:
    """A type as one writes it: `int`, `list[str]`, `datetime.date`."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return inspect.formatannotation(annotation).replace("typing.", "").replace("collections.abc.", "")


def _bind(signature: Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Values by name, the extra ones of *args and **kwargs included, and what is wrong with the names."""
    names = [name for name, parameter in signature.parameters.items() if parameter.positional]
    given = dict(zip(names, args, strict=False))
    problems = []
    if signature.rest:
        given[signature.rest] = tuple(args[len(names) :])
    elif len(args) > len(names):
        problems.append(f"{len(args)} values are given by position, but it takes {len(names)}")
    for name, value in kwargs.items():
        if name in given:
            problems.append(f"{name}: given twice, by position and by name")
        elif name in signature.parameters or signature.others:
            given[name] = value
        else:
            known = [key for key in signature.parameters if key not in kwargs]
            close = nearest(name, known, 1)
            problems.append(f"{name}: there is no such parameter" + (f"; {close}" if close else ""))
    return given, problems


def _coerce(signature: Signature, parameter: Parameter, value: Any, from_text: bool) -> Any:
    annotation = parameter.annotation
    textual = from_text and isinstance(value, str)
    if annotation is _EMPTY and textual and type(parameter.default) in (bool, int, float, str):
        annotation = type(parameter.default)
    if annotation is _EMPTY or annotation is Any:
        return _read_json(value) if textual else value
    if (annotation is str and textual) or get_origin(annotation) in _UNTOUCHED or annotation in _UNTOUCHED:
        return value
    adapter = _adapter(signature, parameter.name, annotation)
    if adapter is None:
        return value
    try:
        return adapter.validate_python(value)
    except ValueError as error:
        if not textual:
            raise
        return _coerce_text(adapter, annotation, value, error)


def _coerce_text(adapter: Any, annotation: Any, text: str, error: ValueError) -> Any:
    try:
        return adapter.validate_json(text)
    except ValueError as as_json:
        if text.lstrip()[:1] in ("{", "["):  # meant as JSON, so that its error tells more
            raise as_json from None
    if any(_is_list(part) for part in (annotation, *get_args(annotation))):
        return adapter.validate_python([item.strip() for item in text.split(",") if item.strip()])
    raise error


def _is_list(annotation: Any) -> bool:
    return (get_origin(annotation) or annotation) in _LISTS


def _read_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _adapter(signature: Signature, name: str, annotation: Any) -> Any:
    """pydantic's validator of an annotation; None where it has none."""
    if name in signature.adapters:
        return signature.adapters[name]
    adapter = _make_adapter(annotation)
    signature.adapters[name] = adapter
    return adapter


def _make_adapter(annotation: Any) -> Any:
    import pydantic

    try:
        return pydantic.TypeAdapter(annotation, config=pydantic.ConfigDict(arbitrary_types_allowed=True))
    except pydantic.PydanticUserError:  # models, dataclasses and typed dicts bring their own configuration
        try:
            return pydantic.TypeAdapter(annotation)
        except pydantic.PydanticUserError:
            return None


def _told(value: Any, annotation: Any, error: ValueError) -> str:
    """What is wrong with a value, on one line."""
    given = f"{reprlib.repr(value)} ({type_text(type(value))})"
    errors = error.errors(include_url=False) if hasattr(error, "errors") else []
    told = []
    for one in errors[:3]:
        place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in one["loc"]).lstrip(".")
        told.append(f"{place}: {one['msg']}" if place else one["msg"])
    return f"expected {type_text(annotation)}, got {given}: {'; '.join(told) or error}"


def _of_type(parameter: Parameter) -> str:
    return "" if parameter.annotation is _EMPTY else f" ({type_text(parameter.annotation)})"


def _inspected(function: Callable[..., Any]) -> inspect.Signature:
    if sys.version_info >= (3, 14):
        import annotationlib

        return inspect.signature(function, annotation_format=annotationlib.Format.FORWARDREF)
    return inspect.signature(function)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The type hints that can be understood, each on its own where some cannot."""
    function = inspect.unwrap(function)
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:  # a name that is not defined, or that is defined in a function's body
        found: dict[str, Any] = {}
    scope = getattr(function, "__globals__", {})
    for name, parameter in _inspected(function).parameters.items():
        annotation = parameter.annotation
        if isinstance(annotation, str):
            try:
                annotation = eval(annotation, scope)
            except Exception:
                continue
        if annotation is not _EMPTY and not isinstance(annotation, typing.ForwardRef):
            found[name] = annotation
    return found


# ---- JSON schema

_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    list: {"type": "array"},
    dict: {"type": "object"},
    datetime.date: {"type": "string", "format": "date"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    types.NoneType: {"type": "null"},
    None: {"type": "null"},
    Any: {},
    _EMPTY: {},
}


def parameter_schema(function: Callable[..., Any]) -> dict[str, Any]:
    """A JSON schema (2020-12) of the parameters as one object, with defaults; `{}` for a type that JSON cannot say."""
    signature = signature_of(function)
    properties: dict[str, dict[str, Any]] = {}
    definitions: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        schema = _plain_schema(parameter.annotation)
        if schema is None:
            schema = _pydantic_schema(signature, parameter)
            definitions.update(schema.pop("$defs", {}))
        if parameter.default is not _EMPTY:
            schema = {**schema, **_default(parameter.default)}
        properties[name] = schema
    required = [name for name, parameter in signature.parameters.items() if parameter.default is _EMPTY]
    whole: dict[str, Any] = {"type": "object", "properties": properties, "required": required}
    whole["additionalProperties"] = signature.others is not None
    return {**whole, "$defs": definitions} if definitions else whole


def _plain_schema(annotation: Any) -> dict[str, Any] | None:
    """The schema of the usual types, without pydantic; None for others."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is None:
        try:
            return _PLAIN.get(annotation)
        except TypeError:
            return None
    if origin is Literal:
        return {"enum": list(args)} if all(isinstance(one, str | int | None) for one in args) else None
    inner = [_plain_schema(arg) for arg in args]
    if any(schema is None for schema in inner):
        return None
    if origin in (Union, types.UnionType):
        return {"anyOf": inner}
    if origin is list:
        return {"type": "array", "items": inner[0]}
    if origin is dict and args[0] is str:
        return {"type": "object", "additionalProperties": inner[1]}
    return None


def _pydantic_schema(signature: Signature, parameter: Parameter) -> dict[str, Any]:
    import pydantic

    adapter = _adapter(signature, parameter.name, parameter.annotation)
    if adapter is None:
        return {}
    try:
        schema: dict[str, Any] = adapter.json_schema(ref_template="#/$defs/{model}")
    except pydantic.PydanticUserError:  # a frame, a connection: nothing to fill into a form
        return {}
    return schema


def _default(value: Any) -> dict[str, Any]:
    """`default` as JSON data, or nothing for a value that JSON cannot say."""
    if value is None or isinstance(value, str | int | float | bool):
        return {"default": value}
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    try:
        return {"default": to_jsonable_python(value)}
    except PydanticSerializationError:
        return {}
