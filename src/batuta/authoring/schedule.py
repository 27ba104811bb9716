"""`Schedule`: when a job is run, or assets are made, and under which rules.

It stands for itself (`Schedule("0 2 * * *", job=nightly)`), or is given to the job (`@flow(schedule=...)`,
`DAG(schedule=...)`). Surprising rule: one that is given to a job takes its name, zone and start from the job where it
has none of its own, so that one object may serve several jobs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from batuta.authoring import registry, timings
from batuta.authoring.asset_definitions import key_of
from batuta.authoring.places import importing_module, user_place
from batuta.authoring.timetable import Timetable
from batuta.authoring.timings import Moment
from batuta.core import schedules
from batuta.core.definitions import Place
from batuta.core.errors import DefinitionError
from batuta.core.partitions import Partitions
from batuta.core.schedule_specs import (
    Calendar,
    CatchUp,
    Cron,
    Custom,
    Interval,
    Overlap,
    Rrule,
    ScheduleSpec,
    TickPartition,
    Timing,
)
from batuta.core.timetables import text_of

When = str | timedelta | Timing | Timetable | Sequence[str]
"""A cron expression or several, `@daily`, an RRULE, an interval, a timing, or a timetable."""
Which = str | int | Mapping[str, str]
"""Which partition: a key; how many windows after the last one that has ended; or the keys of other dimensions."""

_NAME = re.compile(r"[\w.-]+")
_RULE = re.compile(r"\s*(RRULE|RDATE|EXDATE)[:;]|\s*FREQ=", re.IGNORECASE)


class Schedule:
    """A schedule. See `docs/schedules.md`."""

    def __init__(
        self,
        when: When,
        *,
        job: Any = None,
        assets: Any = None,
        name: str = "",
        timezone: str = "",
        calendar: Calendar | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        jitter_s: float | timedelta = 0.0,
        catch_up: CatchUp | str = "latest",
        overlap: Overlap = "queue",
        enabled: bool = True,
        params: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | None = None,
        tags: Sequence[str] | Mapping[str, str] = (),
        priority: int = 0,
        partition: Which | None = None,
        partitions: Partitions | None = None,
        description: str = "",
        place: Place | None = None,
    ) -> None:
        """`job`: a flow, a DAG or a name; `assets`: a selection such as "layer:gold", or assets. `start` and `end`
        bound the logical times, both included. `catch_up`: "latest", "all", "none", or a `CatchUp`. `params` may hold
        `{interval_start:%Y-%m-%d}` and the like. `partition` says which one is made, of `partitions` (those of the
        assets, where nothing is said). Raises DefinitionError.
        """
        self.place = place or user_place(self)
        self.when = when
        self.job = job
        self.selection = _selection(assets, str(self.place))
        self.timezone = timezone
        self.timetable = when if isinstance(when, Timetable) else None
        self.job_name = job if isinstance(job, str) else "" if job is None else str(getattr(job, "name", ""))
        self.name = name or self.job_name or re.sub(r"[^\w.]+", "-", self.selection).strip("-.")
        self._given_name = name
        self.bound = False
        """Whether a job has it: then it stands for nothing by itself."""
        self.partition = partition
        self.partitions = partitions
        self._start, self._end = start, end
        self._more: dict[str, Any] = {
            "calendar": calendar,
            "jitter_s": jitter_s.total_seconds() if isinstance(jitter_s, timedelta) else jitter_s,
            "catch_up": CatchUp(catch_up) if isinstance(catch_up, str) else catch_up,  # type: ignore[arg-type]
            "overlap": overlap,
            "enabled": enabled,
            "params": dict(params or {}),
            "config": dict(config or {}),
            "tags": _tags(tags),
            "priority": priority,
            "description": description,
        }
        if job is not None and not self.job_name:
            raise DefinitionError(f"{job!r} is not a job", where=str(self.place), hint="give a flow, a DAG or its name")
        where = f"{self.place}: schedule {self.name!r}" if self.name else f"{self.place}: schedule"
        schedules.validate(self.spec(job=self.job_name or ("" if self.selection else "job")), where)
        if place is None:
            registry.register(self, importing_module())

    def spec(self, *, job: str = "", timezone: str = "", start: Moment | None = None) -> ScheduleSpec:
        """In the neutral model, as one of `job`, whose zone and start it takes where it has none. Without what only the
        definitions around it tell: see `schedule_binding`. Raises DefinitionError."""
        name = self._given_name or job or self.name
        where = f"{self.place}: schedule {name!r}"
        if not _NAME.fullmatch(name):
            hint = "give it a name= of letters, digits, '_', '-' and '.'"
            raise DefinitionError(f"a schedule cannot be called {name!r}", where=str(self.place), hint=hint)
        start = self._start if self._start is not None else start
        timing = timing_of(self.when, self.timezone or timezone, start, where)
        return ScheduleSpec(
            name=name,
            timing=timing,
            job=job or self.job_name,
            selection=self.selection,
            start_at=None if start is None else timings.instant(start, timing.timezone, where),
            end_at=None if self._end is None else timings.instant(self._end, timing.timezone, where, end=True),
            partition=self._rule(where),
            place=self.place,
            **self._more,
        )

    def _rule(self, where: str) -> TickPartition | None:
        """What is said here of the partition."""
        which = self.partition
        if isinstance(which, str):
            return TickPartition(key=which)
        if which is None and self.partitions is None:
            return None
        if isinstance(which, Mapping):
            return TickPartition(self.partitions, fixed=dict(which))
        if which is not None and type(which) is not int:
            hint = "give a key, a number of windows, or the keys of other dimensions"
            raise DefinitionError(f"partition is {which!r}", where=where, hint=hint)
        return TickPartition(self.partitions, offset=which or 0)

    def __repr__(self) -> str:
        return f"<schedule {self.name or self.job_name or self.selection}>"


def timing_of(when: Any, timezone: str, start: Moment | None, where: str) -> Timing:
    """What was given as a timing, on the clock of `timezone` ("": its own, else UTC). Raises DefinitionError."""
    zone = timezone or "UTC"
    if isinstance(when, Timetable):
        return Custom(when.name, zone)
    if isinstance(when, Cron | Interval | Rrule | Custom):
        return _in_zone(when, timezone, where)
    if isinstance(when, timedelta):
        anchor = 0 if start is None else int(timings.instant(start, zone, where))
        return Interval(timings.whole_seconds(when, where), anchor, zone)
    if isinstance(when, str):
        if _RULE.match(when):
            return timings.rrule(when, start, timezone=zone)
        return Cron((when,), zone)
    if isinstance(when, Sequence) and when and all(isinstance(one, str) for one in when):
        return Cron(tuple(when), zone)
    hint = "give a cron expression, a list of them, a timedelta, or what batuta.schedules makes"
    raise DefinitionError(f"{when!r} is not a timing", where=where, hint=hint)


def _in_zone(timing: Timing, timezone: str, where: str) -> Timing:
    if not timezone or timing.timezone == timezone:
        return timing
    if timing.timezone != "UTC":
        what = f"the timing is in {timing.timezone}, the schedule in {timezone}"
        raise DefinitionError(what, where=where, hint="say the time zone once")
    from msgspec.structs import replace

    return replace(timing, timezone=timezone)


def schedules_of(given: Any, *, job: str, timezone: str, start: Moment | None, place: Place) -> tuple[Schedule, ...]:
    """What `schedule=` of a job says, checked with the job's zone and start. Raises DefinitionError."""
    if given is None or given == "":
        if timezone not in ("", "UTC"):
            from batuta.core.timezones import validate_zone

            validate_zone(timezone, f"{place}: {job!r}")
        return ()
    several = isinstance(given, (list, tuple)) and any(isinstance(one, Schedule) for one in given)
    found: list[Schedule] = []
    for one in given if several else (given,):
        if not isinstance(one, Schedule):
            schedule = Schedule(one, job=job, timezone=timezone, start=start, place=place)
        else:
            schedule = one
            if schedule.selection or schedule.job_name not in ("", job):
                what = f"the schedule of {job!r} is one of {schedule.job_name or schedule.selection!r}"
                raise DefinitionError(what, where=str(place), hint="leave out job= and assets= in it")
            schedules.validate(schedule.spec(job=job, timezone=timezone, start=start))
        schedule.bound = True
        found.append(schedule)
    return tuple(found)


def schedule_text(found: Sequence[Schedule]) -> str:
    """The schedules of a job in a few characters."""
    return " | ".join(dict.fromkeys(text_of(timing_of(one.when, "", None, str(one.place))) for one in found))


def _tags(tags: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    if isinstance(tags, Mapping):
        return {str(name): str(value) for name, value in tags.items()}
    return dict.fromkeys([tags] if isinstance(tags, str) else tags, "")


def _selection(assets: Any, where: str) -> str:
    if assets is None:
        return ""
    if isinstance(assets, str):
        return assets.strip()
    items = assets if isinstance(assets, (list, tuple)) else [assets]
    return " ".join(key_of(item, where) for item in items)
