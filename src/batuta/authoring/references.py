"""Futures inside the arguments of a call: how they are found when pickled and replaced by values when unpickled.

A future pickles as a reference to its key and tells the collector of the current thread; unpickling a reference looks
its value up in the table of the current thread. So futures may be anywhere inside the arguments, at no cost for
arguments without them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from batuta.core.errors import ResultError

if TYPE_CHECKING:
    from batuta.authoring.futures import Future


class _Local(threading.local):
    found: dict[str, None] | None = None
    values: Callable[[str], Any] | None = None


_local = _Local()


@contextmanager
def collecting() -> Iterator[dict[str, None]]:
    """The keys of the futures pickled in this block, in order."""
    found: dict[str, None] = {}
    _local.found = found
    try:
        yield found
    finally:
        _local.found = None


@contextmanager
def resolving(value_of: Callable[[str], Any]) -> Iterator[None]:
    """References unpickled in this block become `value_of(key)`."""
    _local.values = value_of
    try:
        yield
    finally:
        _local.values = None


def reference(future: Future[Any]) -> tuple[Callable[[str], Any], tuple[str]]:
    """How a future pickles."""
    if _local.found is None:
        raise ResultError(
            f"the future of {future.key!r} cannot be stored", hint="return its value: call .result() on it first"
        )
    _local.found[future.key] = None
    return _resolve, (future.key,)


def _resolve(key: str) -> Any:
    if _local.values is None:
        raise ResultError(f"the value of {key!r} is asked for outside a task run")
    return _local.values(key)


_WITHOUT = frozenset((int, float, str, bytes, bool, type(None)))


def has_futures(value: Any) -> bool:
    """Whether there is a future in `value` or in lists, tuples, sets and dicts in it."""
    if type(value) in _WITHOUT:
        return False
    from batuta.authoring.futures import Future

    if isinstance(value, Future):
        return True
    if isinstance(value, Mapping):
        return any(has_futures(item) for item in value.values())
    return isinstance(value, (list, tuple, set, frozenset)) and any(has_futures(item) for item in value)


def replaced(value: Any, change: Callable[[Future[Any]], Any]) -> Any:
    """`value` with each future in it (or in lists, tuples, sets and dicts in it) replaced by `change(future)`."""
    from batuta.authoring.futures import Future, FutureList

    if isinstance(value, Future):
        return change(value)
    if type(value) is dict:
        return {key: replaced(item, change) for key, item in value.items()}
    if type(value) in (list, FutureList):
        return [replaced(item, change) for item in value]
    if type(value) in (tuple, set, frozenset):
        return type(value)(replaced(item, change) for item in value)
    if isinstance(value, tuple) and hasattr(value, "_make"):  # a named tuple
        return value._make(replaced(item, change) for item in value)
    return value
