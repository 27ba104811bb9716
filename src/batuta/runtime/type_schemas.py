"""Checks by the schemas of other libraries: pydantic's models, which dataclasses are too; pandera's for frames.

The libraries are imported only once an annotation came from them. Problems are listed by row or item, the first few.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import inspect
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple, get_args, get_origin

from batuta.authoring.signature import type_text
from batuta.io.frames import class_kind
from batuta.runtime.preview import preview

SHOWN_MAX = 5
_CHUNK_ITEMS = 10_000


class Problem(NamedTuple):
    """Something wrong at a path inside the value (`[3].amount`); `part` is the item or row it is in."""

    path: str
    told: str
    part: str = ""

    def __str__(self) -> str:
        text = f"{self.path}: {self.told}" if self.path else self.told
        return f"{text}, in {self.part}" if self.part else text


Checker = Callable[[Any, str], list[Problem]]
"""Takes a value and its path; gives the first problems, none if all is well."""


def first_problems(found: Iterable[list[Problem]]) -> list[Problem]:
    """The first problems, and one more to tell that there are more."""
    return list(itertools.islice(itertools.chain.from_iterable(found), SHOWN_MAX + 1))


# ---- pydantic


def has_schema(annotation: Any) -> bool:
    """Whether it is, or holds, something whose fields pydantic knows how to check; not where it holds frames too."""
    return _any_part(annotation, _has_fields) and not holds_frames(annotation)


def _has_fields(part: Any) -> bool:
    if not isinstance(part, type):
        return False
    return dataclasses.is_dataclass(part) or hasattr(part, "__pydantic_core_schema__")


def holds_frames(annotation: Any) -> bool:
    return _any_part(annotation, lambda part: class_kind(part) is not None or is_pandera(part))


def _any_part(annotation: Any, test: Callable[[Any], bool]) -> bool:
    origin = get_origin(annotation)
    if origin is Literal or origin is collections.abc.Callable:
        return False
    if test(origin or annotation):
        return True
    return any(_any_part(arg, test) for arg in get_args(annotation))


def pydantic_checker(annotation: Any) -> Checker | None:
    import pydantic

    try:
        # In a tuple, because dataclasses are looked into only by a configuration, which they themselves do not take.
        config = pydantic.ConfigDict(arbitrary_types_allowed=True, revalidate_instances="always")
        adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(tuple[annotation], config=config)
    except Exception:  # a type that pydantic cannot describe, or a name that is not defined
        return None
    is_list = get_origin(annotation) is list

    def checker(value: Any, path: str) -> list[Problem]:
        if inspect.isgenerator(value) or isinstance(value, collections.abc.Iterator):
            return []
        chunks = range(0, len(value), _CHUNK_ITEMS) if is_list and isinstance(value, list) else ()
        if len(chunks) < 2:
            return _pydantic_problems(adapter, value, path, 0)
        return first_problems(_pydantic_problems(adapter, value[at : at + _CHUNK_ITEMS], path, at) for at in chunks)

    return checker


def _pydantic_problems(adapter: Any, value: Any, path: str, offset: int) -> list[Problem]:
    import pydantic

    try:
        adapter.validate_python((value,), strict=True)
    except pydantic.ValidationError as error:
        found = error.errors(include_url=False, include_context=False)[: SHOWN_MAX + 1]
        return [_pydantic_problem(one, value, path, offset) for one in found]
    return []


def _pydantic_problem(error: Any, value: Any, path: str, offset: int) -> Problem:
    location = list(error["loc"][1:])
    part = ""
    if location and isinstance(value, list | tuple | Mapping):
        try:
            part = preview(value[location[0]])
        except (KeyError, IndexError, TypeError):  # the error is of a key, or of the length
            part = preview(value)
        if isinstance(value, list) and isinstance(location[0], int):
            location[0] += offset
    elif location:
        part = preview(value)
    told = error["msg"] if error["type"] == "missing" else f"{error['msg']}, not {preview(error['input'])}"
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return Problem(f"{path}{''.join(steps)}".lstrip("."), told, part)


# ---- pandera


def is_pandera(part: Any) -> bool:
    """A DataFrameModel, or a DataFrameSchema object."""
    cls = part if isinstance(part, type) else type(part)
    if not any(base.__module__.partition(".")[0] == "pandera" for base in cls.__mro__):
        return False
    return hasattr(part, "validate") and (hasattr(part, "to_schema") or not isinstance(part, type))


def pandera_schema(annotation: Any) -> Any:
    if is_pandera(annotation):
        return annotation
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is not None and class_kind(origin) and len(args) == 1 and is_pandera(args[0]):
        return args[0]
    return None


def pandera_checker(schema: Any, frame_class: Any) -> Checker:
    expected = getattr(schema, "__name__", None) or getattr(schema, "name", None) or "the schema"
    built: Any = schema.to_schema() if hasattr(schema, "to_schema") else schema
    library = type(built).__module__.split(".")[2] if type(built).__module__.startswith("pandera.api.") else ""
    lazy_wanted = class_kind(frame_class) == "lazy"

    def checker(value: Any, path: str) -> list[Problem]:
        kind = class_kind(type(value))
        library_of_value = "polars" if kind == "lazy" else kind
        if (library in ("polars", "pandas") and library_of_value != library) or (lazy_wanted and kind != "lazy"):
            wanted = f"{library}.{'LazyFrame' if lazy_wanted else 'DataFrame'}"
            return [Problem(path, f"expected a {wanted} for {expected}, got {type_text(type(value))}")]
        from pandera.errors import SchemaError, SchemaErrors

        try:
            built.validate(value, lazy=True)
        except (SchemaError, SchemaErrors) as error:
            return _pandera_problems(error, value, path, kind)
        return []

    return checker


def _pandera_problems(error: Any, frame: Any, path: str, kind: str | None) -> list[Problem]:
    cases: Any = getattr(error, "failure_cases", None)
    if not hasattr(cases, "head"):
        return [Problem(path, str(error))]
    first = cases.head(SHOWN_MAX + 1)
    rows = first.to_dicts() if hasattr(first, "to_dicts") else first.to_dict("records")
    return [_pandera_problem(row, frame, path, kind) for row in rows]


def _pandera_problem(case: dict[str, Any], frame: Any, path: str, kind: str | None) -> Problem:
    column, rule, found = case.get("column"), str(case.get("check")), case.get("failure_case")
    index = case.get("index")
    if rule == "column_in_dataframe":
        return Problem(path, f"column '{found}' is missing")
    if rule == "column_in_schema":
        return Problem(path, f"column '{found}' is not in the schema")
    if rule.startswith("dtype("):
        return Problem(path, f"column '{column}' has type {found}, not {rule[6:-1].strip(chr(39))}")
    if index is None or index != index:  # of the whole frame
        return Problem(path, f"{rule} fails: {found}")
    whole = case.get("schema_context") == "DataFrameSchema"
    told = f"{rule} fails" if whole else f"column '{column}' is {found}, which fails {rule}"
    return Problem(f"{path}row {index}", told, _row(frame, index, kind))


def _row(frame: Any, index: Any, kind: str | None) -> str:
    try:
        row = frame.row(int(index), named=True) if kind == "polars" else frame.loc[index].to_dict()
    except Exception:  # rows of a lazy frame, or an index with doubles: the value itself has been told
        return ""
    return ", ".join(f"{name}={preview(item)}" for name, item in itertools.islice(row.items(), 8))
