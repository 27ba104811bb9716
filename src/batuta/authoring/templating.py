"""Jinja templates in the arguments of steps, rendered in a sandbox just before the step runs.

Only text that stands in the code is rendered; values that get into it (params, outputs) are never rendered again.
Dates are on the clock of the DAG's time zone, so that `ds` is the day that people there mean.
"""

from __future__ import annotations

import functools
import json
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batuta.core.errors import BatutaError, DefinitionError, nearest

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import SandboxedEnvironment

    from batuta.authoring.context import StepContext

_FILE = "<template>"


class TemplateError(DefinitionError):
    """A template is malformed, names something that there is not, or reaches for what it may not have."""


def render(text: str, names: Mapping[str, Any], *, step: str, field: str, file: str = "") -> str:
    """`text` with `names` put in. Raises TemplateError naming step, field, line and the nearest known name."""
    import jinja2
    from jinja2.exceptions import SecurityError

    def failed(what: str, error: BaseException, hint: str | None) -> TemplateError:
        line = getattr(error, "lineno", None) or _line(error)
        place = f"step {step!r}, field {field!r}" + (f", {file}" if file else "") + (f", line {line}" if line else "")
        shown = _excerpt(text, line)
        return TemplateError(f"{what} in `{shown}`", where=place, hint=hint)

    try:
        template = _template(text)
        return template.render(names)
    except jinja2.TemplateSyntaxError as error:
        raise failed(f"the template is malformed: {error.message}", error, "see the Jinja documentation") from None
    except _Missing as error:
        raise failed(error.told(), error, error.hint(names)) from None
    except SecurityError as error:
        raise failed(
            f"not allowed in a template: {error}", error, "work it out in a task and pass its output"
        ) from None
    except jinja2.TemplateError as error:
        raise failed(f"the template fails: {error}", error, None) from None
    except BatutaError:
        raise
    except Exception as error:
        raise failed(f"the template fails: {type(error).__name__}: {error}", error, None) from error


def read_file(name: str, folder: str, *, step: str, field: str) -> tuple[str, str]:
    """The text of a template file beside the DAG's own file, and its path. Raises TemplateError."""
    path = Path(folder) / name
    try:
        return path.read_text(encoding="utf-8"), str(path)
    except (OSError, UnicodeDecodeError) as error:
        what = f"the template file {name!r} cannot be read: {error}"
        hint = "paths are relative to the DAG's file; text that is no file name has a space in it or another ending"
        raise TemplateError(what, where=f"step {step!r}, field {field!r}", hint=hint) from None


def names(
    context: StepContext,
    params: Mapping[str, Any],
    *,
    timezone: str,
    output: Callable[[str], Any],
    item: Callable[[str], Any] | None,
) -> dict[str, Any]:
    """What a template can name."""
    from batuta.authoring import lookups
    from batuta.core.timezones import zone

    tz: tzinfo = UTC if timezone == "UTC" else zone(timezone)
    logical_date = context.logical_date.astimezone(tz)
    start, end = context.data_interval
    known: dict[str, Any] = {
        "params": Names(params),
        "logical_date": logical_date,
        "ds": logical_date.strftime("%Y-%m-%d"),
        "ds_nodash": logical_date.strftime("%Y%m%d"),
        "ts": logical_date.isoformat(),
        "ts_nodash": logical_date.strftime("%Y%m%dT%H%M%S"),
        "data_interval_start": start.astimezone(tz),
        "data_interval_end": end.astimezone(tz),
        "run_id": context.run_id,
        "job": context.job,
        "step": context.step,
        "attempt": context.attempt,
        "partition": context.partition,
        "map_index": context.index,
        "macros": MACROS,
        "var": lookups.Variable.get,
        "conn": lookups.Connection.get,
        "secret": lookups.Secret.get,
        "output": output,
        "xcom_pull": output,
    }
    if item is not None:
        known["item"] = item
    return known


class Names(Mapping[str, Any]):
    """A mapping whose items templates read as attributes; a key called `items` or `values` goes before the method."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _ds_add(ds: str, days: int) -> str:
    return (date.fromisoformat(ds) + timedelta(days=days)).isoformat()


def _ds_format(ds: str, old: str, new: str) -> str:
    return datetime.strptime(ds, old).replace(tzinfo=UTC).strftime(new)


MACROS = Names(
    {
        "date": date,
        "datetime": datetime,
        "timedelta": timedelta,
        "ds_add": _ds_add,
        "ds_format": _ds_format,
        "json": Names({"dumps": json.dumps, "loads": json.loads}),
    }
)
"""`macros.ds_add(ds, -7)`, `macros.ds_format(ds, "%Y-%m-%d", "%d.%m.%y")`, `macros.timedelta(hours=1)`."""


@functools.lru_cache(maxsize=512)
def _template(text: str) -> Template:
    """Compiled once, which takes milliseconds: the same text is rendered again and again."""
    return _environment().from_string(text)


@functools.cache
def _environment() -> SandboxedEnvironment:
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Environment(ImmutableSandboxedEnvironment):
        """Where a mapping has such a key, `mapping.items` is its value."""

        def getattr(self, obj: Any, attribute: str) -> Any:
            if isinstance(obj, Names) and attribute in obj:
                return obj[attribute]
            return super().getattr(obj, attribute)

    class Undefined(jinja2.StrictUndefined):
        """Remembers what was asked of what, so that the error can name the nearest."""

        def __init__(self, hint: Any = None, obj: Any = jinja2.utils.missing, name: Any = None, exc: Any = None):
            if exc is None or exc is jinja2.UndefinedError:
                exc = functools.partial(_Missing, obj, name)
            super().__init__(hint, obj, name, exc)

    environment = Environment(undefined=Undefined, keep_trailing_newline=True, autoescape=False, cache_size=400)
    environment.filters["quote"] = lambda value: shlex.quote(str(value))
    environment.filters["json"] = json.dumps
    environment.filters["ds"] = lambda value: value.strftime("%Y-%m-%d")
    environment.filters["ds_nodash"] = lambda value: value.strftime("%Y%m%d")
    environment.filters["ts"] = lambda value: value.isoformat()
    environment.globals.pop("lipsum", None)
    return environment


class _Missing(Exception):
    """A template named what there is not."""

    def __init__(self, obj: Any, name: Any, message: str) -> None:
        super().__init__(message)
        self._obj = obj
        self._name = name

    def told(self) -> str:
        if isinstance(self._obj, Names):
            return f"there is no {self._name!r}"
        return str(self)

    def hint(self, known: Mapping[str, Any]) -> str | None:
        from jinja2.utils import missing

        if isinstance(self._obj, Mapping):
            among: Collection[str] = [str(key) for key in self._obj]
        elif self._obj is missing:
            among = [*known, *_environment().globals]
        else:
            among = [name for name in dir(self._obj) if not name.startswith("_")]
        near = nearest(str(self._name), among)
        return near or (f"there are {', '.join(sorted(among)[:20])}" if among else None)


def _line(error: BaseException) -> int | None:
    """The line of the template that raised `error`."""
    found = None
    frame = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == _FILE:
            found = frame.tb_lineno
        frame = frame.tb_next
    return found


def _excerpt(text: str, line: int | None) -> str:
    lines = text.splitlines() or [""]
    shown = lines[min((line or 1) - 1, len(lines) - 1)].strip()
    return shown if len(shown) <= 100 else f"{shown[:97]}..."
