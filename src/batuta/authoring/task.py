"""`@task`: a function that stays a function, and becomes a recorded unit of work inside flows and DAGs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Generic, ParamSpec, TypeVar, overload

from batuta.authoring import session as where_calls_go
from batuta.authoring.futures import Future, FutureList
from batuta.authoring.options import Cache, Hook, Options, RetryCondition, make_options
from batuta.core.definitions import Place
from batuta.core.errors import DefinitionError, ParameterError, RequestError
from batuta.core.retry import Retry
from batuta.core.trigger_rules import TriggerRule

P = ParamSpec("P")
R = TypeVar("R")


class Unmapped:
    """An argument of `.map` that is passed whole to every call."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def unmapped(value: Any) -> Any:
    """Pass `value` as it is to every call of `.map`, even if it is a list."""
    return Unmapped(value)


def place_of(function: Callable[..., Any]) -> Place:
    """Where a function is defined."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return Place(code.co_filename, code.co_firstlineno) if code else Place()


class Task(Generic[P, R]):
    """A function with options. Called outside a flow or DAG it is the plain function (also as `.fn`)."""

    def __init__(self, fn: Callable[P, R], options: Options) -> None:
        self.fn = fn
        self.options = options
        self.name = options.name or getattr(fn, "__name__", type(fn).__name__)
        self.is_async = inspect.iscoroutinefunction(fn)
        self.is_generator = inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn)
        functools.update_wrapper(self, fn)

    @property
    def place(self) -> Place:
        return place_of(self.fn)

    @property
    def code_name(self) -> str:
        """`module:qualname`, by which a worker finds the task."""
        return f"{getattr(self.fn, '__module__', '')}:{getattr(self.fn, '__qualname__', self.name)}"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        block = where_calls_go.dag.get()
        if block is not None:
            return block.add_call(self, args, kwargs, self.options)  # type: ignore[no-any-return]
        session = where_calls_go.session.get()
        if session is None:
            return self.fn(*args, **kwargs)
        if self.is_async:
            return session.submit(self, args, kwargs)  # type: ignore[return-value]
        return session.call(self, args, kwargs)  # type: ignore[no-any-return]

    def submit(self, *args: Any, wait_for: Sequence[Future[Any]] = (), **kwargs: Any) -> Future[R]:
        """Start the task in the running flow without waiting; futures among the arguments become dependencies."""
        return self._session(".submit").submit(self, args, kwargs, tuple(wait_for))

    def map(self, *args: Any, **kwargs: Any) -> FutureList[R]:
        """Start the task once per item of its iterable arguments (all of the same length).

        Strings, bytes, dicts and `unmapped(...)` values are passed whole. A future is waited for and then mapped over.
        """
        session = self._session(".map")
        calls = _map_calls(self.name, args, kwargs)
        return FutureList(session.submit_many(self, calls))

    def expand(self, **mapped: Any) -> Any:
        """In a DAG: run once per item of each argument, known only when the run gets there (cross product)."""
        return self._block(".expand").add_mapped(self, {}, mapped, "product", self.options)

    def expand_zip(self, **mapped: Any) -> Any:
        """In a DAG: run once per position of the arguments, which must have the same length at run time."""
        return self._block(".expand_zip").add_mapped(self, {}, mapped, "zip", self.options)

    def partial(self, **fixed: Any) -> Partial[P, R]:
        """Fix some arguments; then `.expand`, `.expand_zip` or `.map` over others."""
        return Partial(self, fixed)

    def with_options(self, **changes: Any) -> Task[P, R]:
        """The same task with other options, for example `fetch.with_options(retries=5)`."""
        return Task(self.fn, make_options(self.options, changes, f"{self.place}: task {self.name!r}"))

    def _session(self, what: str) -> where_calls_go.Session:
        session = where_calls_go.session.get()
        if session is None:
            raise RequestError(
                f"{self.name}{what} was called outside a flow",
                where=str(self.place),
                hint=f"call it inside a function decorated with @flow, or call {self.name}(...) for a plain call",
            )
        return session

    def _block(self, what: str) -> where_calls_go.DagBlock:
        block = where_calls_go.dag.get()
        if block is None:
            raise DefinitionError(
                f"{self.name}{what} was called outside a DAG",
                where=str(self.place),
                hint=f"use it inside `with DAG(...)`, or {self.name}.map(...) inside a flow",
            )
        return block

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        return Task(functools.partial(self.fn, instance), replace(self.options, name=self.name))

    def __repr__(self) -> str:
        return f"<task {self.name}>"


class Partial(Generic[P, R]):
    """A task with some arguments fixed."""

    def __init__(self, task: Task[P, R], fixed: dict[str, Any]) -> None:
        self._task = task
        self._fixed = fixed

    def expand(self, **mapped: Any) -> Any:
        """See `Task.expand`."""
        return self._task._block(".partial").add_mapped(self._task, self._fixed, mapped, "product", self._task.options)

    def expand_zip(self, **mapped: Any) -> Any:
        """See `Task.expand_zip`."""
        return self._task._block(".partial").add_mapped(self._task, self._fixed, mapped, "zip", self._task.options)

    def map(self, *args: Any, **kwargs: Any) -> FutureList[R]:
        """See `Task.map`."""
        return self._task.map(*args, **kwargs, **{name: Unmapped(value) for name, value in self._fixed.items()})


def _is_mappable(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, dict, Unmapped))


def _map_calls(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    def ready(value: Any) -> Any:
        if isinstance(value, Future):
            value = value.result()
        return list(value) if _is_mappable(value) else value

    args = [ready(value) for value in args]
    kwargs = {key: ready(value) for key, value in kwargs.items()}
    named = {**{f"argument {i + 1}": v for i, v in enumerate(args)}, **kwargs}
    lengths = {key: len(value) for key, value in named.items() if isinstance(value, list)}
    if not lengths:
        raise ParameterError(
            f"{name}.map got nothing to map over", hint="pass at least one list, or call the task with .submit"
        )
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{key} has {length}" for key, length in lengths.items())
        raise ParameterError(
            f"{name}.map got iterables of different lengths: {told}", hint="wrap what is not mapped in unmapped(...)"
        )

    def pick(value: Any, i: int) -> Any:
        if isinstance(value, list):
            return value[i]
        return value.value if isinstance(value, Unmapped) else value

    count = next(iter(lengths.values()))
    return [(tuple(pick(v, i) for v in args), {k: pick(v, i) for k, v in kwargs.items()}) for i in range(count)]


@overload
def task(fn: Callable[P, R], /) -> Task[P, R]: ...


@overload
def task(
    *,
    name: str = ...,
    retries: int = ...,
    retry_delay_s: float = ...,
    retry_backoff: str = ...,
    retry_jitter: float = ...,
    retry_delay_max_s: float = ...,
    retry: Retry = ...,
    retry_if: RetryCondition | None = ...,
    timeout_s: float | None = ...,
    cache: Cache | str | bool | None = ...,
    pool: str = ...,
    pools: Any = ...,
    priority: int = ...,
    concurrency_max: int | None = ...,
    isolated: bool = ...,
    persist: bool = ...,
    result_storage: str | None = ...,
    tags: Sequence[str] = ...,
    reads: Sequence[Any] = ...,
    writes: Sequence[Any] = ...,
    on_success: Hook | Sequence[Hook] = ...,
    on_failure: Hook | Sequence[Hook] = ...,
    on_retry: Hook | Sequence[Hook] = ...,
    description: str = ...,
    trigger_rule: TriggerRule | str = ...,
) -> Callable[[Callable[P, R]], Task[P, R]]: ...


def task(fn: Callable[..., Any] | None = None, /, **given: Any) -> Any:
    """Make a function a task.

    - `retries`, `retry_delay_s`, `retry_backoff` ("fixed" or "exponential"), `retry_jitter` (share of the delay),
      `retry_if` (exception types, or a function of the exception): when and how it is tried again.
    - `timeout_s`: seconds after which an attempt is ended; in worker processes truly, in threads at the next bytecode.
    - `cache`: `True`, "inputs", or a `Cache`: use a recorded result of the same call again.
    - `pool`, `pools` (name -> slots), `concurrency_max`, `priority`: what it shares, and who goes first.
    - `isolated`: run each attempt in a process of its own. `persist=False`: do not record the result; a resumed flow
      runs the task again. `result_storage`: an fsspec path for its results.
    - `reads`, `writes`: assets it uses and makes, for lineage.
    - `trigger_rule`: in a DAG, how the ends of what it waits for decide about it ("all_success", "all_done", ...).
    - `on_success(context)`, `on_failure(context, error)`, `on_retry(context, error)`: called where the task ran.

    Raises DefinitionError for an unknown option or a value that makes no sense.
    """

    def decorate(function: Callable[..., Any]) -> Task[..., Any]:
        if not callable(function):
            raise DefinitionError(f"@task needs a function, got {type(function).__name__}")
        return Task(function, make_options(None, given, f"{place_of(function)}: task"))

    return decorate if fn is None else decorate(fn)
