"""`@sensor`: a function that looks at something outside now and then, and says which runs to start because of it.

It is called in a process of its location, never in the scheduler, with a time limit. Surprising rule: what it asks for,
its cursor and the tick are recorded together, after it has returned; a crash before that means that it is called again
from the former cursor, so looking must change nothing.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, overload

from batuta.authoring import registry
from batuta.authoring.asset_definitions import key_of
from batuta.authoring.places import importing_module, user_place
from batuta.core import sensors
from batuta.core.definitions import Place
from batuta.core.errors import DefinitionError, RequestError
from batuta.core.sensor_specs import SensorSpec, Source

_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """A run to be started: of `job` (a flow, DAG or name; by default the sensor's), or of its assets.

    `run_key`: however often it is asked for, one run is started for it. `logical_at` is a datetime or seconds.
    """

    run_key: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    partition: str = ""
    job: Any = None
    assets: Any = None
    logical_at: datetime | float | None = None
    priority: int = 0


@dataclass(frozen=True)
class Skip:
    """Nothing is to be started now, and why."""

    reason: str = ""


@dataclass(slots=True, kw_only=True)
class SensorContext:
    """What a sensor's function knows. `cursor` is what it wanted to remember: text, empty at the very first call."""

    name: str
    job: str = ""
    now: datetime = _EPOCH
    last_tick: datetime | None = None
    events: Sequence[Mapping[str, Any]] = ()
    """What the sensor's source has seen, all of them."""
    _cursor: str = ""
    _start: str = field(init=False, default="")
    _own: bool = True

    def __post_init__(self) -> None:
        self._start = self._cursor

    @property
    def cursor(self) -> str:
        return self._cursor

    @cursor.setter
    def cursor(self, value: str) -> None:
        if not self._own:
            what = f"the cursor of {self.name!r} is what its source has seen, and not to be set"
            raise RequestError(what, hint="write a plain @sensor to keep one of your own")
        self._cursor = sensors.checked_cursor(value)

    @property
    def moved(self) -> bool:
        """Whether the cursor was set to something else in this call."""
        return self._cursor != self._start


class SensorCode:
    """A sensor: what it looks at, the function if it has one, and what it starts. Called, it is the function."""

    def __init__(
        self,
        fn: Callable[..., Any] | None = None,
        *,
        job: Any = None,
        assets: Any = None,
        name: str = "",
        source: Source | None = None,
        every_s: float = 30.0,
        timeout_s: float = 60.0,
        enabled: bool = True,
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        partition: str = "",
        priority: int = 0,
        description: str = "",
    ) -> None:
        self.fn = fn
        self.source = source
        self.place: Place = user_place(self)
        self.name = name or ("" if fn is None else _name_of(fn))
        self._job, self._assets = job, assets
        self._more: dict[str, Any] = {
            "interval_s": every_s,
            "timeout_s": timeout_s,
            "enabled": enabled,
            "params": dict(params or {}),
            "tags": {str(key): str(value) for key, value in (tags or {}).items()},
            "partition": partition,
            "priority": priority,
            "description": description,
        }
        if fn is None:
            registry.register(self, importing_module())
        else:
            self._decorates(fn)

    def _decorates(self, fn: Callable[..., Any]) -> None:
        if not callable(fn):
            raise DefinitionError(f"a sensor needs a function, got {type(fn).__name__}", where=str(self.place))
        self.__doc__ = fn.__doc__
        self.__wrapped__ = fn
        code = getattr(inspect.unwrap(fn), "__code__", None)
        if code is not None:
            self.place = Place(code.co_filename, code.co_firstlineno)
        self.spec()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function's own call; of a source without a function, `@source` makes one of what stands below it."""
        if self.fn is not None:
            return self.fn(*args, **kwargs)
        if len(args) == 1 and callable(args[0]) and not kwargs:
            self.fn = args[0]
            self.name = self.name or _name_of(self.fn)
            self._decorates(self.fn)
            return self
        raise DefinitionError(
            f"{self!r} has no function", where=str(self.place), hint="put it above one: @file_sensor(..)"
        )

    def spec(self) -> SensorSpec:
        """In the neutral model. Raises DefinitionError."""
        where = f"{self.place}: sensor {self.name!r}" if self.name else f"{self.place}: sensor"
        if not self.name:
            raise DefinitionError(
                "the sensor has no name", where=where, hint="give it name=, or put it above a function"
            )
        doc = (inspect.getdoc(self.fn) or "").partition("\n\n")[0] if self.fn is not None else ""
        more = {**self._more, "description": self._more["description"] or doc}
        spec = SensorSpec(
            name=self.name,
            job=job_name(self._job, where),
            selection=selection_of(self._assets, where),
            source=self.source,
            has_function=self.fn is not None,
            place=self.place,
            **more,
        )
        sensors.validate(spec, where)
        return spec

    def __repr__(self) -> str:
        return f"<sensor {self.name}>"


def job_name(job: Any, where: str) -> str:
    """The name of a job that is given as such or as itself. Raises DefinitionError."""
    name = job if isinstance(job, str) else "" if job is None else getattr(job, "name", None)
    if not isinstance(name, str) or (job is not None and not name):
        raise DefinitionError(f"{job!r} is not a job", where=where, hint="give a flow, a DAG or its name")
    return name


def selection_of(assets: Any, where: str) -> str:
    """A selection that is given as text or as assets."""
    if assets is None:
        return ""
    if isinstance(assets, str):
        return assets.strip()
    items = assets if isinstance(assets, (list, tuple)) else [assets]
    return " ".join(key_of(item, where) for item in items)


def _name_of(fn: Callable[..., Any]) -> str:
    return re.sub(r"[^\w.]+", "-", getattr(fn, "__name__", "sensor"))


@overload
def sensor(fn: Callable[..., Any], /) -> SensorCode: ...
@overload
def sensor(**options: Any) -> Callable[[Callable[..., Any]], SensorCode]: ...
def sensor(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a sensor: it takes nothing or a `SensorContext`, and gives `RunRequest`s, or a `Skip`.

    `job`: what is started (a flow, a DAG, a name), or `assets`: a selection; `every_s`, `timeout_s`: how often it is
    called, and for how long at most; `name`, `enabled`, `tags` and `priority` of the runs, `description`. May be async.
    Raises DefinitionError.
    """
    known = {"job", "assets", "name", "every_s", "timeout_s", "enabled", "tags", "priority", "description"}
    unknown = sorted(options.keys() - known)
    if unknown:
        raise DefinitionError(
            f"unknown option {unknown[0]!r} of @sensor", hint=f"options are {', '.join(sorted(known))}"
        )

    def decorate(function: Callable[..., Any]) -> SensorCode:
        if not callable(function):
            raise DefinitionError(f"@sensor needs a function, got {type(function).__name__}")
        return SensorCode(function, **options)

    return decorate if fn is None else decorate(fn)
