"""The arguments of a flow's call as short texts by name, recorded with it: what people see in place of the values.

The values themselves are pickled for the worker, and never read by anything but user code. Surprising: a future shows
as the key of the call that it stands for, which is not the result that the call will get.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from batuta.authoring.futures import Future
from batuta.runtime.masking import longest_secret, mask, masked
from batuta.runtime.preview import preview

SHOWN_MAX = 20
"""So many arguments are shown."""
CHARS_MAX = 100
_PLAIN = frozenset((int, float, bool, type(None)))


def names_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the parameters that may be given by place; `*args` come after them by number."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(one.name for one in parameters if one.kind in by_place)


def shown_arguments(names: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, str]:
    """By name. Never fails."""
    shown: dict[str, str] = {}
    for place, value in enumerate(args[:SHOWN_MAX]):
        shown[names[place] if place < len(names) else f"[{place}]"] = _text(value)
    for name, value in kwargs.items():
        if len(shown) >= SHOWN_MAX:
            break
        shown[name[:CHARS_MAX]] = _text(value)
    return shown


def _text(value: Any) -> str:
    if isinstance(value, Future):
        return value.key
    if longest_secret():
        text = mask(preview(masked(value)))
    else:
        text = repr(value) if type(value) in _PLAIN else preview(value)
    return text if len(text) <= CHARS_MAX else text[: CHARS_MAX - 1] + "…"
