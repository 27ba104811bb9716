"""A short text of any value, for logs and screens: never an error, never the whole of something large.

A user's own `__repr__` is not called: it may be slow, large or ask a database. Objects with fields show those instead.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import itertools
import math
import pathlib
import types
import uuid
from collections.abc import Iterable
from typing import Any

PREVIEW_MAX = 200
ITEMS_MAX = 8
DEPTH_MAX = 3
_TEXT_MAX = 100
_INT_BITS_MAX = 256

_SHAPED = frozenset({"polars", "pandas", "pyarrow", "numpy", "geopandas", "torch", "jax", "cupy"})
_SHORT = (
    float,
    complex,
    type(None),
    type(Ellipsis),
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
    uuid.UUID,
    pathlib.PurePath,
    range,
)
_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}


def preview(value: Any) -> str:
    """At most 200 characters on one line."""
    try:
        text = _render(value, DEPTH_MAX)
    except Exception:  # a broken object of a user's: its type is all that can be told
        text = f"<{type(value).__qualname__}>"
    return text if len(text) <= PREVIEW_MAX else text[: PREVIEW_MAX - 1] + "…"


def _render(value: Any, depth: int) -> str:
    kind = type(value)
    if kind is str or kind is bytes:
        return repr(value) if len(value) <= _TEXT_MAX else f"{value[:_TEXT_MAX]!r}… ({len(value):,} long)"
    if kind is bool:
        return repr(value)
    if kind is int:
        bits = value.bit_length()
        return repr(value) if bits <= _INT_BITS_MAX else f"<int of about {int(bits * math.log10(2)) + 1} digits>"
    if kind in _BRACKETS:
        opening, closing = _BRACKETS[kind]
        items = _items((lambda item=item: _render(item, depth - 1) for item in value), len(value), depth)
        return f"{opening}{items}{',' if kind is tuple and len(value) == 1 else ''}{closing}" if value else repr(value)
    if kind is dict:
        pairs = (
            lambda key=key, item=item: f"{_render(key, depth - 1)}: {_render(item, depth - 1)}"
            for key, item in value.items()
        )
        return f"{{{_items(pairs, len(value), depth)}}}"
    return _render_object(value, kind, depth)


def _items(renderers: Iterable[Any], count: int, depth: int) -> str:
    if depth <= 0:
        return "…" if count else ""
    shown = [render() for render in itertools.islice(renderers, ITEMS_MAX)]
    if count > ITEMS_MAX:
        shown.append(f"… {count - ITEMS_MAX:,} more")
    return ", ".join(shown)


def _render_object(value: Any, kind: type, depth: int) -> str:
    module = kind.__module__.partition(".")[0]
    if isinstance(value, enum.Enum):
        return f"{kind.__qualname__}.{value.name}"
    if kind.__repr__ in _SHORT_REPRS:
        return repr(value)
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        return f"<{'class' if isinstance(value, type) else 'function'} {value.__module__}.{value.__qualname__}>"
    if isinstance(value, types.ModuleType):
        return f"<module {value.__name__}>"
    if isinstance(value, BaseException):
        args = (lambda arg=arg: _render(arg, depth - 1) for arg in value.args)
        return f"{kind.__qualname__}({_items(args, len(value.args), depth)})"
    if module in _SHAPED:
        shape = None if kind.__name__ == "LazyFrame" else getattr(value, "shape", None)
        if module == "numpy" and shape == ():
            return f"{value.item()!r:.{_TEXT_MAX}}"
        return f"<{module}.{kind.__name__}{f' {tuple(shape)}' if shape is not None else ''}>"
    names = _fields(kind)
    if names is None:
        return f"<{kind.__module__}.{kind.__qualname__}>"
    pairs = (lambda name=name: f"{name}={_render(getattr(value, name), depth - 1)}" for name in names)
    return f"{kind.__qualname__}({_items(pairs, len(names), depth)})"


_SHORT_REPRS = frozenset(kind.__repr__ for kind in _SHORT)


def _fields(kind: type) -> list[str] | None:
    """The fields of a dataclass, Struct, attrs class, pydantic model or named tuple; not those with `repr=False`."""
    for attribute in ("__dataclass_fields__", "__struct_fields__", "model_fields", "_fields"):
        fields = getattr(kind, attribute, None)
        if isinstance(fields, tuple):
            return [name for name in fields if isinstance(name, str)]
        if isinstance(fields, dict):
            return [name for name, field in fields.items() if getattr(field, "repr", True)]
    attrs = getattr(kind, "__attrs_attrs__", None)
    return [field.name for field in attrs if field.repr] if attrs is not None else None
