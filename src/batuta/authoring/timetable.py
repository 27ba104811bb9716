"""`@timetable`: when something fires as a pure function of the user's, for what no cron or rule can say.

It is called where the location's code is, not in the scheduler. Surprising rule: it may be asked about any time, past
ones too and in any order, so it must answer from its argument alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, overload

from batuta.authoring.task import place_of
from batuta.core.errors import BatutaError, DefinitionError
from batuta.core.timezones import spans, to_datetime, to_seconds

Answering = Callable[[datetime], datetime | None]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


class Timetable:
    """A function of the time after which it is asked: the first time that follows. Called, it is the function."""

    def __init__(self, fn: Answering, name: str) -> None:
        self.fn = fn
        self.name = name
        self.place = place_of(fn)
        self.__doc__ = fn.__doc__
        self.__wrapped__ = fn

    def __call__(self, after: datetime) -> datetime | None:
        return self.fn(after)

    def next_after(self, after: float, timezone: str) -> float | None:
        """The first time after `after` (seconds since 1970 UTC), asked for on the clock of the zone.

        A wall time that the clock skips counts as the instant at which it jumped. Raises DefinitionError where the
        function fails, or answers with something else than a later time.
        """
        where = f"{self.place}: timetable {self.name!r}"
        asked = to_datetime(int(after // 1), timezone)
        try:
            answer: Any = self.fn(asked)
        except BatutaError:
            raise
        except Exception as error:
            what = f"it failed for {asked.isoformat()}: {type(error).__name__}: {error}"
            raise DefinitionError(what, where=where, hint="it is called with times past and to come") from error
        if answer is None:
            return None
        if not isinstance(answer, datetime) or answer.tzinfo is None:
            what = f"it answered {answer!r}, which is not a time with a zone"
            raise DefinitionError(what, where=where, hint="return a time computed from `after`, or None")
        found = _instant(answer, timezone)
        if found <= int(after // 1):
            what = f"it answered {answer.isoformat()}, which is not later than {asked.isoformat()}"
            raise DefinitionError(what, where=where, hint="return the first time after `after`, in whole seconds")
        return float(found)

    def __repr__(self) -> str:
        return f"<timetable {self.name}>"


def _instant(answer: datetime, timezone: str) -> int:
    """The whole second of the answer. Only on the clock that was given can it be a time that the clock skips."""
    at = to_seconds(answer)
    if answer.tzinfo is None or answer.tzinfo != to_datetime(at, timezone).tzinfo:
        return at
    wall = int((answer.replace(tzinfo=None, microsecond=0) - _EPOCH).total_seconds())
    near = spans(timezone, answer.year - 1, answer.year + 1)
    return at if near.wall(at) == wall else near.instant(wall)


@overload
def timetable(fn: Answering, /) -> Timetable: ...


@overload
def timetable(*, name: str = ...) -> Callable[[Answering], Timetable]: ...


def timetable(fn: Answering | None = None, /, *, name: str = "") -> Any:
    """Make a function a timetable: `Schedule(it, job=...)` fires whenever it says.

    It takes a time on the schedule's clock and returns the first time after it, or None where there is none. Raises
    DefinitionError for what is not a function.
    """

    def decorate(function: Answering) -> Timetable:
        if not callable(function):
            raise DefinitionError(f"@timetable needs a function, got {type(function).__name__}")
        return Timetable(function, name or getattr(function, "__name__", "timetable").replace("_", "-"))

    return decorate if fn is None else decorate(fn)
