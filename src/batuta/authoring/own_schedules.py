"""The schedules of a job, for what it says in `schedule=`.

What computes with times is imported only where something is said: most flows in a script have no schedule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from batuta.core.place import Place

if TYPE_CHECKING:
    from batuta.authoring.schedule import Schedule
    from batuta.authoring.timings import Moment


def own_schedules(given: Any, *, job: str, timezone: str, start: Moment | None, place: Place) -> tuple[Schedule, ...]:
    """See `authoring.schedule.schedules_of`. Raises DefinitionError."""
    if given is None and timezone in ("", "UTC"):
        return ()
    from batuta.authoring.schedule import schedules_of

    return schedules_of(given, job=job, timezone=timezone, start=start, place=place)


def own_text(schedules: Sequence[Schedule]) -> str:
    """The schedules in a few characters."""
    if not schedules:
        return ""
    from batuta.authoring.schedule import schedule_text

    return schedule_text(schedules)
