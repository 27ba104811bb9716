"""The port between what people write and what runs it: every step of every style is a `StepCode`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from batuta.authoring.context import StepContext
from batuta.authoring.options import Options
from batuta.core.definitions import JobSpec
from batuta.core.place import Place
from batuta.core.values import Handle


class StepCode(Protocol):
    """Runs one step. `annotation` is what its value is checked against (None: nothing)."""

    options: Options

    @property
    def annotation(self) -> Any:
        """The return annotation."""

    @property
    def place(self) -> Place | None:
        """Where it is written: told of failures that no line of the user's code stands for."""

    def run(self, context: StepContext) -> Any:
        """Do the work and return the output; a coroutine is awaited, a generator is collected into a list."""


class JobCode(Protocol):
    """A job with code: a flow, a DAG, or the assets of a location."""

    name: str

    def spec(self) -> JobSpec:
        """The job in the neutral model."""

    def code(self, step: str) -> StepCode:
        """The code of one of its steps. Raises InvariantError for an unknown one."""

    def validate_params(self, given: Mapping[str, Any], from_text: bool) -> dict[str, Any]:
        """The parameters of a run, completed and converted. Raises ParameterError."""


class CachedResult:
    """Returned by code that found its result recorded."""

    __slots__ = ("output",)

    def __init__(self, output: Handle) -> None:
        self.output = output


class Call:
    """A call of a function with its arguments at hand, through the task's cache."""

    def __init__(self, function: Callable[..., Any], options: Options) -> None:
        self.function = function
        self.options = options

    def run(self, context: StepContext, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Call it, or return the CachedResult."""
        cache = self.options.cache
        if cache is not None:
            from batuta.authoring.code_version import call_key

            key = call_key(self.function, cache, context, args, kwargs)
            found = context.ask("cache", key=key)
            context.config = {**context.config, "cache_key": key, "cache_ttl_s": cache.ttl_s}
            if found.get("output"):
                return CachedResult(Handle(**found["output"]))
        return self.function(*args, **kwargs)


def then(value: Any, follow_up: Callable[[Any], Any]) -> Any:
    """`follow_up(value)`; for coroutines and generators, of what they come to."""
    if inspect.iscoroutine(value) or inspect.isasyncgen(value):
        return _awaited(value, follow_up)
    if inspect.isgenerator(value):
        value = list(value)
    return follow_up(value)


async def _awaited(value: Any, follow_up: Callable[[Any], Any]) -> Any:
    if hasattr(value, "__aiter__"):
        return follow_up([item async for item in value])
    return follow_up(await value)
