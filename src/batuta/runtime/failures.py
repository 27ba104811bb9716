"""Turning what user code raises into an ErrorInfo: the user's frames first, ours left out.

Never fails, whatever the exception is like: its texts are cut to a length and made storable, and what cannot be said
about it is left out.
"""

from __future__ import annotations

import os
import pickle
import re
import traceback
from collections.abc import Iterator
from typing import Any

from batuta.core.errors import BatutaError, TypeViolation
from batuta.core.values import ErrorInfo
from batuta.runtime.masking import longest_secret, mask, secrets_in

_OUR_MODULES = re.compile(r"^batuta(?:\.\w+)+\.(?=[A-Z]\w*(?::|$))", re.MULTILINE)
"""Where our own errors stand in a traceback: a reader is told their names."""
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
MESSAGE_CHARS_MAX = 4_000
_TRACEBACK_CHARS_MAX = 20_000
_PICKLE_BYTES_MAX = 16_384


class TaskTimeout(BaseException):
    """Raised inside a task that took too long; like KeyboardInterrupt it passes `except Exception`."""


class TaskFailed(BatutaError):
    """Raised where the result of a failed task run is asked for. `info` says why it failed."""

    info: ErrorInfo = ErrorInfo()


class FlowTimeout(TaskFailed):
    """Raised where a flow is called that takes longer than its `timeout_s`. `run_id` is its run."""

    run_id = 0


class FlowCancelled(BatutaError):
    """Raised where a flow is called whose run alone was cancelled, which is `run_id`."""

    run_id = 0


def error_info(error: BaseException, kind: str = "") -> ErrorInfo:
    """What is recorded about an exception."""
    frames = traceback.extract_tb(error.__traceback__)
    users = [frame for frame in frames if not frame.filename.startswith(_OURS) and "<frozen" not in frame.filename]
    last = users[-1] if users else None
    where = _deepest_own(users) or (None if isinstance(error, BatutaError) else last)
    if not kind:
        kind = "type" if isinstance(error, TypeViolation) else "error"
    return ErrorInfo(
        kind=kind,
        type=storable(_name(error)),
        message=storable(_text(error)),
        file=storable(where.filename) if where else "",
        line=(where.lineno or 0) if where else 0,
        traceback=_formatted(error) if where or not isinstance(error, BatutaError) else "",
        hint=storable(_hint(error)),
        pickled=_pickled(error),
    )


def timeout_info(timeout_s: float | None, error: BaseException) -> ErrorInfo:
    """What is recorded about an attempt that took too long."""
    told = "it did not end in time" if timeout_s is None else f"it did not end within {timeout_s:g} s"
    return ErrorInfo(
        kind="timeout",
        type="TaskTimeout",
        message=told,
        traceback=error_info(error).traceback,
        hint="raise its timeout_s, or give it less to do at a time",
    )


def storable(text: str) -> str:
    """The text masked, cut where it is very long, without what is no Unicode (file names may have that)."""
    text = mask(text)
    if len(text) > MESSAGE_CHARS_MAX:
        text = f"{text[:MESSAGE_CHARS_MAX]}… ({len(text):,} characters)"
    return text.encode("utf-8", "backslashreplace").decode()


def _pickled(error: BaseException) -> bytes:
    """The exception as bytes, if it comes back from them as what it was, is not large, and holds no secret."""
    for whole in (error, _Bare(error)):
        try:
            data = pickle.dumps(whole, 5)
            if longest_secret() and secrets_in(data):
                return b""
            if len(data) <= _PICKLE_BYTES_MAX and type(pickle.loads(data)) is type(error):
                return data
        except Exception:
            continue
    return b""


class _Bare:
    """Pickles as the exception without calling its `__init__`, which may want other arguments than `args`."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __reduce__(self) -> Any:
        return _made_bare, (type(self._error), self._error.args, self._error.__dict__)


def _made_bare(kind: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> BaseException:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


def _deepest_own(frames: list[traceback.FrameSummary]) -> traceback.FrameSummary | None:
    """The deepest frame that is not in an installed library: the line the user would look at."""
    own = [frame for frame in frames if "site-packages" not in frame.filename and "/lib/python" not in frame.filename]
    return own[-1] if own else None


def _name(error: BaseException) -> str:
    """The type's name; with its module where that is not Python's own, the script's, or one of ours."""
    kind = type(error)
    if kind.__module__ in ("builtins", "__main__") or kind.__module__.startswith("batuta."):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _text(error: BaseException) -> str:
    try:
        if isinstance(error, BatutaError):
            return f"{error.where}: {error.what}" if error.where else error.what
        return str(error)
    except Exception:
        return "(its text cannot be made)"


def _hint(error: BaseException) -> str:
    """Only ours: what other exceptions call `hint` may be anything."""
    return (error.hint or "") if isinstance(error, BatutaError) else ""


def _formatted(error: BaseException) -> str:
    """The traceback of the error and its causes without frames of this package."""
    try:
        exception = traceback.TracebackException.from_exception(error, compact=True)
        for part in _parts(exception):
            kept = [frame for frame in part.stack if not frame.filename.startswith(_OURS)]
            part.stack = traceback.StackSummary.from_list(kept)
            if isinstance(said := getattr(part, "_str", None), str):
                part._str = storable(said)  # type: ignore[attr-defined]
        if isinstance(error, BatutaError):
            exception._str = storable(_text(error))  # type: ignore[attr-defined]  # its hint is told beside
        text = _OUR_MODULES.sub("", "".join(exception.format()))
    except Exception:  # of an exception whose parts cannot be looked at
        return ""
    text = mask(text).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _TRACEBACK_CHARS_MAX else f"...\n{text[-_TRACEBACK_CHARS_MAX:]}"


def _parts(exception: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    """The exception, its causes, and the members of groups; each once."""
    queue: list[traceback.TracebackException | None] = [exception]
    while queue:
        part = queue.pop()
        if part is not None:
            yield part
            queue.append(part.__cause__ or (None if part.__suppress_context__ else part.__context__))
            queue += getattr(part, "exceptions", None) or ()


def to_exception(info: ErrorInfo, key: str) -> BaseException:
    """The failure recorded in `info` as an exception: the user's own where it was recorded, else TaskFailed."""
    if info.pickled:
        try:
            error = pickle.loads(info.pickled)
        except Exception:
            error = None
        if isinstance(error, Exception):
            error.add_note(f"(raised in task run {key!r}, {info.file}:{info.line})")
            return error
    failed = TaskFailed(f"task run {key!r} failed: {info.headline()}", hint=info.hint or None)
    failed.info = info
    return failed
