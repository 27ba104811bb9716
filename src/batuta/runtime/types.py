"""Whether a value is what its annotation promises: pydantic, pandera, dataclasses, builtins, predicates, frames.

An annotation that says nothing of data, or nothing that is understood, is not checked. A surprise: a checked value is
never changed, so text that could be read as a number is not one.
"""

from __future__ import annotations

import collections.abc
import functools
import numbers
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from batuta.authoring.signature import parameter_schema, type_text, validate_arguments
from batuta.core.errors import TypeViolation
from batuta.runtime.preview import preview
from batuta.runtime.type_schemas import (
    SHOWN_MAX,
    Checker,
    Problem,
    first_problems,
    has_schema,
    holds_frames,
    is_pandera,
    pandera_checker,
    pandera_schema,
    pydantic_checker,
)

__all__ = ["check", "parameter_schema", "type_text", "validate_arguments"]


def check(value: Any, annotation: Any, where: str) -> None:
    """Raise TypeViolation, with the first five offending rows or items, where the value is not what is promised."""
    if annotation is None:
        return
    try:
        checker = _cached(annotation)
    except TypeError:  # an annotation that cannot be hashed
        checker = _build(annotation)
    if checker is None:
        return
    problems = checker(value, "")
    if problems:
        raise _violation(problems, annotation, where)


def _violation(problems: list[Problem], annotation: Any, where: str) -> TypeViolation:
    shown = [str(problem) for problem in problems[:SHOWN_MAX]]
    more = ["…"] if len(problems) > SHOWN_MAX else []
    return TypeViolation(
        "\n  ".join([f"the result is not {type_text(_base(annotation))}:", *shown, *more]),
        where=where,
        hint="return what the annotation promises (reject or repair what does not fit), or change the annotation",
    )


def _base(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _wrong(value: Any, annotation: Any, path: str) -> list[Problem]:
    return [Problem(path, f"expected {type_text(annotation)}, got {type_text(type(value))} {preview(value)}")]


def _build(annotation: Any) -> Checker | None:
    """The checker of an annotation; None if there is nothing to check."""
    origin = get_origin(annotation)
    if isinstance(annotation, typing.NewType):
        return _build(annotation.__supertype__)
    if hasattr(annotation, "__value__") and not isinstance(annotation, type):  # type X = ...
        return _build(annotation.__value__)
    if origin is Annotated:
        return _annotated(annotation)
    if origin in (Union, types.UnionType):
        return _union(annotation)
    if origin is Literal:
        return _literal(annotation)
    schema = pandera_schema(annotation)
    if schema is not None:
        return pandera_checker(schema, origin)
    if has_schema(annotation):
        return pydantic_checker(annotation)
    cls = origin or annotation
    if not isinstance(cls, type) or cls in (object, types.NoneType) or cls.__module__.partition(".")[0] == "batuta":
        return None
    if cls in _NUMBERS:
        return _number(cls)
    if typing.is_typeddict(cls):
        return _typed_dict(cls)
    if issubclass(cls, collections.abc.Mapping):
        return _mapping(annotation, cls, get_args(annotation))
    if issubclass(cls, tuple) and get_args(annotation) and get_args(annotation)[-1:] != (...,):
        return _fixed_tuple(annotation, get_args(annotation))
    if _is_collection(cls):
        return _collection(annotation, cls, get_args(annotation))
    return _instance(annotation, cls)


_cached = functools.lru_cache(maxsize=4096)(_build)


# ---- builtins and classes

_NUMBERS: dict[type, type] = {int: numbers.Integral, float: numbers.Real, complex: numbers.Complex}


def _number(cls: type) -> Checker:
    wider = _NUMBERS[cls]  # numpy's numbers are registered as these

    def checker(value: Any, path: str) -> list[Problem]:
        return [] if type(value) is cls or isinstance(value, wider) else _wrong(value, cls, path)

    return checker


def _instance(annotation: Any, cls: type) -> Checker | None:
    if getattr(cls, "_is_protocol", False) or cls.__module__ in ("typing", "collections.abc", "_collections_abc"):
        return None
    is_bool = cls is bool

    def checker(value: Any, path: str) -> list[Problem]:
        if isinstance(value, cls) or (is_bool and type(value).__module__ == "numpy" and value.dtype == bool):
            return []
        return _wrong(value, annotation, path)

    return checker


def _literal(annotation: Any) -> Checker:
    allowed = get_args(annotation)

    def checker(value: Any, path: str) -> list[Problem]:
        fits = any(type(value) is type(one) and value == one for one in allowed)
        return [] if fits else _wrong(value, annotation, path)

    return checker


def _union(annotation: Any) -> Checker | None:
    args = get_args(annotation)
    others = [arg for arg in args if arg is not types.NoneType]
    optional = len(others) < len(args)
    checkers = [_build(arg) for arg in others]
    known = [checker for checker in checkers if checker is not None]
    if len(known) < len(checkers):
        return None

    def checker(value: Any, path: str) -> list[Problem]:
        if value is None and optional:
            return []
        tried = [one(value, path) for one in known]
        if not all(tried):
            return []
        return tried[0] if len(tried) == 1 else _wrong(value, annotation, path)

    return checker


# ---- containers


def _is_collection(cls: type) -> bool:
    if issubclass(cls, str | bytes | bytearray | collections.abc.Iterator):
        return False
    return cls is collections.abc.Iterable or (cls.__module__ in _PLAIN and issubclass(cls, collections.abc.Collection))


_PLAIN = frozenset({"builtins", "collections", "collections.abc", "_collections_abc"})


def _collection(annotation: Any, cls: type, args: tuple[Any, ...]) -> Checker:
    item = _build(args[0]) if args else None
    exact = args[0] if args and args[0] in (int, float, str, bool, bytes) else None

    def checker(value: Any, path: str) -> list[Problem]:
        if isinstance(value, str) or not isinstance(value, cls):  # text is a sequence of texts, and never meant so
            return _wrong(value, annotation, path)
        if item is None or not isinstance(value, collections.abc.Collection):  # nor is a generator used up
            return []
        if exact is not None and all(kind is exact for kind in set(map(type, value))):
            return []
        return first_problems(item(one, f"{path}[{index}]") for index, one in enumerate(value))

    return checker


def _fixed_tuple(annotation: Any, args: tuple[Any, ...]) -> Checker:
    items = [_build(arg) for arg in args]

    def checker(value: Any, path: str) -> list[Problem]:
        if not isinstance(value, tuple) or len(value) != len(items):
            return _wrong(value, annotation, path)
        pairs = enumerate(zip(items, value, strict=True))
        return first_problems(item(one, f"{path}[{index}]") for index, (item, one) in pairs if item)

    return checker


def _mapping(annotation: Any, cls: Any, args: tuple[Any, ...]) -> Checker:
    key_check = _build(args[0]) if len(args) == 2 else None
    item_check = _build(args[1]) if len(args) == 2 else None

    def checker(value: Any, path: str) -> list[Problem]:
        if not isinstance(value, cls):
            return _wrong(value, annotation, path)
        found = first_problems(key_check(key, f"{path}.keys()") for key in value) if key_check else []
        if item_check:
            found += first_problems(item_check(one, f"{path}[{key!r:.60}]") for key, one in value.items())
        return found

    return checker


def _typed_dict(cls: Any) -> Checker | None:
    try:
        hints = typing.get_type_hints(cls)
    except Exception:  # a name that is not defined
        return None
    items = {key: _build(hint) for key, hint in hints.items()}

    def checker(value: Any, path: str) -> list[Problem]:
        if not isinstance(value, dict):
            return _wrong(value, cls, path)
        missing = [Problem(path, f"'{key}' is missing", preview(value)) for key in cls.__required_keys__ - value.keys()]
        unknown = [Problem(path, f"'{key}' is unknown", preview(value)) for key in value.keys() - items.keys()]
        pairs = ((key, item) for key, item in items.items() if item and key in value)
        wrong = first_problems(item(value[key], f"{path}['{key}']") for key, item in pairs)
        return [
            *sorted(missing + unknown),
            *(problem._replace(part=problem.part or preview(value)) for problem in wrong),
        ]

    return checker


# ---- Annotated


def _annotated(annotation: Any) -> Checker | None:
    base, *extras = get_args(annotation)
    of_pydantic = [one for one in extras if type(one).__module__.partition(".")[0] in ("annotated_types", "pydantic")]
    checkers = [pydantic_checker(annotation) if of_pydantic and not holds_frames(base) else _build(base)]
    for extra in extras:
        if extra in of_pydantic:
            continue
        if is_pandera(extra):
            checkers.append(pandera_checker(extra, None))
        elif callable(extra) and not isinstance(extra, type):
            checkers.append(_predicate(extra))
    known = [checker for checker in checkers if checker is not None]
    if not known:
        return None

    def checker(value: Any, path: str) -> list[Problem]:
        return next((problems for one in known if (problems := one(value, path))), [])

    return checker


def _predicate(function: Callable[[Any], Any]) -> Checker:
    name = getattr(function, "__qualname__", type_text(type(function)))

    def checker(value: Any, path: str) -> list[Problem]:
        try:
            result = function(value)
        except (AssertionError, ValueError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            return [Problem(path, f"{name} says: {reason}", preview(value))]
        fits = result is None or bool(result)
        return [] if fits else [Problem(path, f"{name} says no", preview(value))]

    return checker
