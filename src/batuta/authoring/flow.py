"""`@flow`: a function whose task calls are recorded, and which goes on where it stopped after a crash."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, NoReturn, ParamSpec, TypeVar, overload

from batuta.authoring import asset_triggers
from batuta.authoring import session as where_calls_go
from batuta.authoring.asset_triggers import Trigger
from batuta.authoring.options import Hook, Options, RetryCondition, make_options
from batuta.authoring.own_schedules import own_schedules
from batuta.authoring.task import place_of
from batuta.core.definitions import Place
from batuta.core.errors import DefinitionError, RequestError
from batuta.core.plan import Plan
from batuta.core.retry import Retry
from batuta.core.run_rules import NONE, RunRules, validate

if TYPE_CHECKING:
    from batuta.authoring.schedule import Schedule, When
    from batuta.authoring.timings import Moment

_AT_ONCE = (
    "call it like a function; to have several run at once, make it `async def`, and `await asyncio.gather(...)` them"
)
P = ParamSpec("P")
R = TypeVar("R")


class Flow(Generic[P, R]):
    """A flow. Called, it records a run and returns the value; `.fn` is the plain function."""

    start: Moment | None = None
    """Where its schedules begin that do not say it themselves: see `DAG`."""

    def __init__(
        self,
        fn: Callable[P, R],
        options: Options,
        schedule: Any = None,
        timezone: str = "",
        rules: RunRules = NONE,
    ) -> None:
        self.fn = fn
        self.rules = rules
        self.options = options
        self.name = options.name or getattr(fn, "__name__", type(fn).__name__).replace("_", "-")
        self.timezone = timezone
        schedule, self.triggers = asset_triggers.split(schedule, self.name, place_of(fn))
        self.schedules = own_schedules(schedule, job=self.name, timezone=timezone, start=None, place=place_of(fn))
        self.is_async = inspect.iscoroutinefunction(fn)
        functools.update_wrapper(self, fn)

    @property
    def place(self) -> Place:
        return place_of(self.fn)

    @property
    def code_name(self) -> str:
        """`module:qualname`, by which a worker finds the flow."""
        return f"{getattr(self.fn, '__module__', '')}:{getattr(self.fn, '__qualname__', self.name)}"

    def plan(self) -> Plan:
        """The plan of a run of this flow: just its body; what the body calls is requested while it runs."""
        from batuta.authoring.asset_versions import function_version

        body = self.options.spec(self.name, self.code_name, "flow", code_version=function_version(self.fn))
        return Plan(job=self.name, kind="flow", steps=(body,), outcome="body")

    def bind(self, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a call by parameter name."""
        bound = inspect.signature(self.fn).bind_partial(*args, **kwargs)
        params: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            kind = inspect.signature(self.fn).parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                params.update(value)
            elif kind is inspect.Parameter.VAR_POSITIONAL:
                raise DefinitionError(
                    f"flow {self.name!r} takes *{name}", where=str(self.place), hint="give its parameters names"
                )
            else:
                params[name] = value
        return params

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            params = self.bind(args, kwargs)
        except TypeError as error:
            raise RequestError(f"flow {self.name!r}: {error}", where=str(self.place)) from None
        session = where_calls_go.session.get()
        if session is not None:
            return session.call_flow(self, params)  # type: ignore[no-any-return]
        return where_calls_go.launcher().run_flow(self, params)  # type: ignore[no-any-return]

    def submit(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises RequestError: a nested flow is called, and gives its value."""
        raise RequestError(f"flow {self.name!r} has no .submit and no .map", where=str(self.place), hint=_AT_ONCE)

    map = submit

    def with_options(self, **changes: Any) -> Flow[P, R]:
        """The same flow with other options. The schedule of this one stays with it, unless `schedule=` is given."""
        schedule, timezone = changes.pop("schedule", None), changes.pop("timezone", self.timezone)
        rules = validate(changes.pop("rules", self.rules), f"{self.place}: flow {self.name!r}")
        options = make_options(self.options, changes, f"{self.place}: flow {self.name!r}")
        return Flow(self.fn, options, schedule, timezone, rules)

    def __repr__(self) -> str:
        return f"<flow {self.name}>"


@overload
def flow(fn: Callable[P, R], /) -> Flow[P, R]: ...


@overload
def flow(
    *,
    name: str = ...,
    retries: int = ...,
    retry_delay_s: float = ...,
    retry: Retry = ...,
    retry_if: RetryCondition | None = ...,
    timeout_s: float | None = ...,
    tags: Sequence[str] = ...,
    schedule: When | Schedule | Trigger | Sequence[When | Schedule | Trigger] | None = ...,
    timezone: str = ...,
    rules: RunRules = ...,
    reads: Sequence[Any] = ...,
    writes: Sequence[Any] = ...,
    on_success: Hook | Sequence[Hook] = ...,
    on_failure: Hook | Sequence[Hook] = ...,
    on_retry: Hook | Sequence[Hook] = ...,
    description: str = ...,
) -> Callable[[Callable[P, R]], Flow[P, R]]: ...


def flow(fn: Callable[..., Any] | None = None, /, **given: Any) -> Any:
    """Make a function a flow.

    Its parameters are validated from its type hints. Task calls inside it are recorded as task runs; after a crash
    (`batuta runs resume ID`) the function runs again from the top and finished calls return their recorded results.
    Options are those of `task` that make sense for a whole function, and `schedule`: a cron expression, an interval, a
    `Schedule` or what else that takes, on the clock of `timezone`; or assets, see `on_assets`. `rules`: `RunRules` for
    its runs. Raises DefinitionError for unknown ones.
    """

    def decorate(function: Callable[..., Any]) -> Flow[..., Any]:
        if not callable(function):
            raise DefinitionError(f"@flow needs a function, got {type(function).__name__}")
        schedule, timezone = given.pop("schedule", None), given.pop("timezone", "")
        rules = validate(given.pop("rules", NONE), f"{place_of(function)}: flow")
        return Flow(function, make_options(None, given, f"{place_of(function)}: flow"), schedule, timezone, rules)

    return decorate if fn is None else decorate(fn)


def pause_for_input(prompt: str, type: Any = str, default: Any = ...) -> Any:
    """Stop the flow until a person answers (`batuta runs resume ID --input ...`), and return the answer as `type`.

    The run is shown as paused meanwhile. Called outside a flow it asks on the terminal.
    """
    session = where_calls_go.session.get()
    if session is not None:
        return session.pause(prompt, type, default)
    from batuta.authoring.answers import parse_answer

    return parse_answer(input(f"{prompt}: "), type, prompt)
