"""Any Python value as bytes: pickle, or cloudpickle for what only that can do; where neither can, what is to blame.

A surprise: what refers to `__main__` goes to cloudpickle though pickle would take it: `__main__` of another process is
another module.
"""

from __future__ import annotations

import inspect
import io
import os
import pickle
import re
import types
from collections.abc import Iterator
from typing import Any, Literal

from batuta.core.errors import ResultError

DEPTH_MAX = 40
CHILDREN_MAX = 100_000

PickleCodec = Literal["p", "c"]


def pickle_value(value: Any, label: str = "result") -> tuple[PickleCodec, bytes]:
    """The bytes and which pickler made them ('p' pickle, 'c' cloudpickle); `pickle.loads` reads both.

    Raises ResultError that names the part to blame, as a path that starts with `label`.
    """
    try:
        data = pickle.dumps(value, 5)
        if b"__main__" not in data:
            return "p", data
    except MemoryError:
        raise
    except Exception:  # a lambda, a local class, or something that cannot be pickled at all
        pass
    try:
        return "c", _cloudpickle(value)
    except MemoryError:
        raise
    except Exception as error:
        said = re.match(r"can(no|')t pickle", str(error)) is not None  # the same, in the pickler's words
        raise _refusal(value, label, error) from (None if said else error)


def unpickle(data: bytes, where: str) -> Any:
    """The value; ResultError if its classes are gone or changed, or the bytes are damaged."""
    try:
        return pickle.loads(data)
    except MemoryError:
        raise
    except Exception as error:
        raise ResultError(
            f"{where} cannot be read back: {type(error).__name__}: {error}",
            hint="a class in it was moved, renamed or changed, or is not installed here; run again what made it",
        ) from error


def _cloudpickle(value: Any) -> bytes:
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        """Refuses open files, whose content cloudpickle would read and put in their place."""

        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, io.IOBase) and not isinstance(obj, io.BytesIO | io.StringIO):
                raise pickle.PicklingError("an open file")
            return super().reducer_override(obj)

    buffer = io.BytesIO()
    Pickler(buffer, protocol=5).dump(value)
    return buffer.getvalue()


def _pickles(value: Any) -> bool:
    try:
        pickle_value_or_raise(value)
    except MemoryError:
        raise
    except Exception:
        return False
    return True


def pickle_value_or_raise(value: Any) -> None:
    """Raise whatever the picklers raise."""
    try:
        pickle.dumps(value, 5)
    except MemoryError:
        raise
    except Exception:
        _cloudpickle(value)


def _refusal(value: Any, label: str, error: Exception) -> ResultError:
    if isinstance(error, RecursionError) or "recursion" in str(error):  # cloudpickle wraps it
        return ResultError(
            f"{label} is nested too deeply to be recorded", hint="flatten it, or write it with an IO manager"
        )
    path, culprit = _culprit(value, label)
    name = type_name(culprit)
    return ResultError(f"{path}: {name} cannot be recorded and passed between steps", hint=_advice(culprit))


def type_name(value: Any) -> str:
    """The type's full name, without `builtins.`; `module x` and `function x` for those."""
    if isinstance(value, types.ModuleType):
        return f"module {value.__name__}"
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _advice(culprit: Any) -> str:
    if inspect.isgenerator(culprit) or (isinstance(culprit, Iterator) and not isinstance(culprit, io.IOBase)):
        return "return what it yields instead: list(...) of it"
    if inspect.iscoroutine(culprit) or inspect.isasyncgen(culprit):
        return "await it, and return what it gives"
    if isinstance(culprit, io.IOBase):
        return "return the file's path, or what is in it"
    if inspect.isfunction(culprit):
        return "define the function at the top of a module, or return data instead"
    return (
        "return data instead (rows, ids, a path) and open locks, connections and clients where they are used, "
        "or give the asset an IO manager that can store it"
    )


def _culprit(value: Any, label: str) -> tuple[str, Any]:
    """The innermost part that cannot be pickled while all parts inside it can."""
    path, seen = label, {id(value)}
    for _ in range(DEPTH_MAX):
        for step, child in _children(value):
            if id(child) not in seen and not _pickles(child):
                path, value = path + step, child
                seen.add(id(child))
                break
        else:
            return path, value
    return path, value


def _children(value: Any) -> Iterator[tuple[str, Any]]:
    try:
        for count, item in enumerate(_all_children(value)):
            if count >= CHILDREN_MAX:
                return
            yield item
    except Exception:  # an object of a user's that cannot be looked into: it is itself to blame
        return


def _all_children(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"[{key!r:.60}]", item
            yield f".keys()[{key!r:.60}]", key
    elif isinstance(value, list | tuple):
        yield from ((f"[{index}]", item) for index, item in enumerate(value))
    elif isinstance(value, set | frozenset):
        yield from (("{...}", item) for item in value)
    elif isinstance(value, types.FunctionType):
        for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=False):
            yield f".<closure {name}>", cell.cell_contents
    elif isinstance(value, types.MethodType):
        yield ".__self__", value.__self__
    elif not isinstance(value, type | types.ModuleType | io.IOBase | os.PathLike):
        for name, item in (getattr(value, "__dict__", None) or {}).items():
            yield f".{name}", item
        for cls in type(value).__mro__:
            for name in _slots(cls):
                if hasattr(value, name):
                    yield f".{name}", getattr(value, name)


def _slots(cls: type) -> list[str]:
    slots = cls.__dict__.get("__slots__", ())
    names = [slots] if isinstance(slots, str) else list(slots)
    return [name for name in names if not name.startswith("__")]
