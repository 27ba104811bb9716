"""Sensors: steps that wait for something outside, without holding a worker while they wait.

A sensor is called, looks, and defers itself until it should look again (`mode="reschedule"`); with `mode="poke"` it
stays on its worker and looks from there, which is for waits of seconds.
"""

from __future__ import annotations

import glob
import os
import time
from datetime import datetime, timedelta
from datetime import time as time_of_day
from typing import Any

from batuta.authoring import ports
from batuta.authoring.context import StepContext
from batuta.authoring.dag_roles import SensorMode, waited
from batuta.authoring.lookups import connection_of
from batuta.authoring.operators.base import Operator, pause
from batuta.core.errors import DefinitionError
from batuta.core.triggers import POLL_S_MIN, FileArrives, Trigger

WAIT_S_MAX = 7 * 86400.0
"""How long a sensor waits where nothing else is said: a week."""


class Sensor(Operator):
    """Subclass it and write `poke(self, context)`: a truthy value ends the wait and is the output (None for True).

    It looks every `poll_s` seconds. After `timeout_s` seconds it fails with SensorTimeout, or, with `soft_fail`, is
    skipped; None waits for ever. The wait starts anew when the step is retried.
    """

    def __init__(
        self,
        *,
        poll_s: float = 60.0,
        timeout_s: float | None = WAIT_S_MAX,
        soft_fail: bool = False,
        mode: SensorMode = "reschedule",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if mode not in ("reschedule", "poke"):
            raise DefinitionError(f"mode is {mode!r}", where=repr(self), hint="use 'reschedule' or 'poke'")
        if poll_s <= 0:
            raise DefinitionError(f"poll_s is {poll_s}", where=repr(self), hint="give seconds above 0")
        self.poll_s = poll_s
        self.timeout_s = timeout_s
        self.soft_fail = soft_fail
        self.mode = mode

    def poke(self, context: StepContext) -> Any:
        """Look once."""
        raise NotImplementedError(f"{type(self).__name__} does not define poke(self, context)")

    def next_poke_at(self, context: StepContext) -> float | None:
        """When to look again (seconds since the epoch), where that is known better than by `poll_s`."""
        return None

    def trigger(self, context: StepContext) -> Trigger | None:
        """What the engine can look for in its place between two looks, without a worker; None: nothing."""
        return None

    def execute(self, context: StepContext) -> Any:
        """Look; wait. Raises Defer, SensorTimeout, SkipTask."""
        settings = {"poll_s": self.poll_s, "timeout_s": self.timeout_s, "soft_fail": self.soft_fail}
        if self.mode == "reschedule":
            value = self.poke(context)
            if value:
                return waited(value, context, settings)
            return waited(value, context, settings, self.next_poke_at(context), self.trigger(context))
        since = time.time()
        while not (value := self.poke(context)):
            left = None if self.timeout_s is None else since + self.timeout_s - time.time()
            if left is not None and left <= 0:
                context.state = {"since": since}
                break
            pause(context, self.poll_s if left is None else min(self.poll_s, left))
        return waited(value, context, settings)


class FileSensor(Sensor):
    """Waits for a file: a path, a pattern such as `in/*.csv`, or a URL that fsspec reads (`s3://bucket/key`).

    The output is the path, or the sorted list of those that match a pattern. Those below `bytes_min` do not count.
    `connection` is the name of one (S3, SFTP, ...) with the log-in; `path` is then below it.
    """

    template_fields = ("path", "connection")

    def __init__(
        self, path: str | os.PathLike[str], *, bytes_min: int = 0, connection: Any = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self.connection = connection
        self.path = path if not isinstance(path, os.PathLike) else os.fspath(path)
        self.bytes_min = bytes_min

    def poke(self, context: StepContext) -> Any:
        """Whether it is there."""
        if self.connection is not None:
            known = connection_of(self.connection)
            path = self.path if "://" in self.path else f"{known.path.rstrip('/')}/{self.path.removeprefix('/')}"
            return self._remote(path, known.storage_options)
        if "://" in self.path:
            return self._remote(self.path, {})
        if glob.has_magic(self.path) and not os.path.exists(self.path):
            return sorted(path for path in glob.glob(self.path, recursive=True) if self._is_large(path)) or False
        return self.path if os.path.exists(self.path) and self._is_large(self.path) else False

    def trigger(self, context: StepContext) -> Trigger | None:
        """The file itself, unless a log-in is needed to look, or a subclass looks in its own way."""
        if type(self).poke is not FileSensor.poke or self.connection is not None or ports.has_secret(self.path):
            return None
        return FileArrives(self.path, self.bytes_min, max(self.poll_s, POLL_S_MIN))

    def _is_large(self, path: str) -> bool:
        return not self.bytes_min or os.path.getsize(path) >= self.bytes_min

    def _remote(self, url: str, storage_options: dict[str, Any]) -> Any:
        import fsspec

        files, path = fsspec.core.url_to_fs(url, **storage_options)
        files.invalidate_cache()
        if glob.has_magic(path):
            found = files.glob(path, detail=True)
            return sorted(name for name, info in found.items() if (info["size"] or 0) >= self.bytes_min) or False
        return url if files.exists(path) and (files.info(path)["size"] or 0) >= self.bytes_min else False


class TimeSensor(Sensor):
    """Waits until a moment: a datetime, or a time of day on the run's logical date, in the DAG's time zone.

    A text is read as ISO 8601 (`"{{ ds }}T18:00"`, `"18:00"`).
    """

    template_fields = ("until",)

    def __init__(self, until: datetime | time_of_day | str, **options: Any) -> None:
        super().__init__(**options)
        self.until = until

    def poke(self, context: StepContext) -> bool:
        """Whether it has come."""
        return time.time() >= self.moment(context).timestamp()

    def next_poke_at(self, context: StepContext) -> float:
        """At that moment."""
        return self.moment(context).timestamp()

    def moment(self, context: StepContext) -> datetime:
        """The moment, aware. Raises DefinitionError for a text that is no time."""
        from batuta.core.timezones import zone

        until: Any = self.until
        if isinstance(until, str):
            until = _read_time(until, context)
        tz = zone(self._node.dag.timezone if self._node is not None else "UTC")
        if isinstance(until, time_of_day):
            until = datetime.combine(context.logical_date.astimezone(tz).date(), until)
        moment: datetime = until if until.tzinfo is not None else until.replace(tzinfo=tz)
        return moment


def _read_time(text: str, context: StepContext) -> datetime | time_of_day:
    try:
        return time_of_day.fromisoformat(text.strip())
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        pass
    raise DefinitionError(
        f"until is {text!r}, which is no time", where=context.key, hint="write 18:00 or 2026-01-31T18:00:00+01:00"
    )


class TimeDeltaSensor(Sensor):
    """Waits until `delta` (a timedelta, or seconds) has passed since the end of the run's data interval."""

    def __init__(self, delta: timedelta | float, **options: Any) -> None:
        super().__init__(**options)
        self.delta = delta if isinstance(delta, timedelta) else timedelta(seconds=delta)

    def poke(self, context: StepContext) -> bool:
        """Whether it has passed."""
        return time.time() >= self.next_poke_at(context)

    def next_poke_at(self, context: StepContext) -> float:
        """When it has."""
        return (context.data_interval[1] + self.delta).timestamp()
