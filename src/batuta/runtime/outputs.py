"""Recording values that pass between steps of a run, over `results.ResultStore`: outputs, arguments, code.

Outputs are named after the task run and the attempt, so that a superseded attempt never overwrites the one that counts.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.authoring.references import collecting
from batuta.core.errors import ParameterError, ResultError
from batuta.core.values import Handle
from batuta.runtime.masking import longest_secret, masked

if TYPE_CHECKING:
    from batuta.authoring.task import Task
    from batuta.runtime.protocol import RunInfo, StepRequest
    from batuta.runtime.results import ResultStore

_code: dict[str, Any] = {}


@functools.lru_cache(maxsize=16)
def store_at(base: str) -> ResultStore:
    """The results under `base`; one per process, since it keeps what is read often."""
    from batuta.runtime.results import ResultStore

    return ResultStore(base)


def save(value: Any, info: RunInfo, request: StepRequest, base: str | None = None) -> Handle:
    """Record the output of an attempt. Raises ResultError where it cannot be serialized."""
    name = f"{request.task}.{request.attempt}"
    return store_at(info.results_path).save(value, str(info.run_id), name, base_path=base)


def save_as(value: Any, info: RunInfo, name: str) -> Handle:
    """Record a value of a run under a name of its own."""
    return store_at(info.results_path).save(value, str(info.run_id), name)


def save_content(info: RunInfo, request: StepRequest, data: bytes, name: str) -> dict[str, Any]:
    """Record what an attempt leaves to be looked at; its handle as plain data, to be told to the engine."""
    handle = save_as(data, info, f"artifact.{request.task}.{request.attempt}.{name}")
    found: dict[str, Any] = msgspec.to_builtins(handle, builtin_types=(bytes,))
    return found


def load(handle: Handle, info: RunInfo) -> Any:
    """The value. What is large comes from a cache: treat it as read-only. Raises ResultError."""
    if handle.codec == "n":
        return None
    if handle.codec == "gone":
        raise ResultError("the result was not recorded (persist=False)", hint="drop persist=False, or use it in memory")
    return store_at(info.results_path).load(handle, shared=True)


def length_of(value: Any) -> int | None:
    """The number of items of a list, tuple or dict, else None."""
    return len(value) if isinstance(value, (list, tuple, dict)) else None


def save_arguments(
    args: Sequence[Any], kwargs: Mapping[str, Any], info: RunInfo, key: str, where: str
) -> tuple[Handle, tuple[str, ...]]:
    """The arguments of a flow's call, and the keys of the futures among them. Raises ResultError."""
    with collecting() as found:
        codec, data = _pickled((tuple(args), dict(kwargs)), where)
    return _write(codec, data, info, f"args.{key}"), tuple(found)


def load_arguments(handle: Handle, info: RunInfo) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The inverse; call it within `references.resolving`."""
    args, kwargs = store_at(info.results_path).load(handle)
    return args, kwargs


def save_code(task: Task[..., Any], info: RunInfo) -> str:
    """How a worker finds a task: its importable name, or where its pickled self is recorded."""
    name = task.code_name
    bound = isinstance(task.fn, functools.partial)  # to an object, as a method
    if "<" not in name and not name.startswith("__main__:") and not bound:
        return name
    codec, data = _pickled(task, f"{task.place}: task {task.name!r}")
    digest = hashlib.blake2b(data, digest_size=8).hexdigest()
    handle = _write(codec, data, info, f"code.{task.name}.{digest}")
    return "pickle:" + msgspec.json.encode(handle).decode()


def load_code(code: str, info: RunInfo) -> Any:
    """The inverse of `save_code` for pickled tasks."""
    if code not in _code:
        handle = msgspec.json.decode(code.removeprefix("pickle:"), type=Handle)
        _code[code] = store_at(info.results_path).load(handle)
    return _code[code]


def shown_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as plain JSON data, for people to see; what has no JSON form is shown by its repr."""

    def text(value: Any) -> Any:
        dump = getattr(value, "model_dump", None)
        return dump(mode="json") if dump is not None else repr(value)[:200]

    shown: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(dict(params), enc_hook=text))
    return shown


def refuse_secrets(params: Mapping[str, Any], what: str) -> None:
    """Parameters are recorded, and needed as they are, so a secret among them would stand there in clear.

    Raises ParameterError.
    """
    for name, value in params.items() if longest_secret() else ():
        if masked(value) != value:
            raise ParameterError(
                f"the parameter {name!r} holds a secret, and parameters are recorded",
                where=what,
                hint="pass the secret's name, and look it up where it is needed: Secret.get(name)",
            )


def _pickled(value: Any, where: str) -> tuple[Any, bytes]:
    from batuta.io.pickling import pickle_value

    try:
        return "p", pickle.dumps(value, 5)
    except Exception:
        try:
            return pickle_value(value, "arguments")
        except ResultError as error:
            raise ResultError(
                f"an argument cannot be sent to a worker process: {error.what}",
                where=where,
                hint="pass data (paths, ids, frames) and open connections inside the task; or run it in threads",
            ) from None


def _write(codec: Any, data: bytes, info: RunInfo, name: str) -> Handle:
    from batuta.runtime.results import Payload

    payload = Payload(codec, data, None, "")
    return store_at(info.results_path).save_payload(payload, str(info.run_id), name)
