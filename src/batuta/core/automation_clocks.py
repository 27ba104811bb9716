"""The times of all cron expressions that automation looks at: when each fired last, and whether since the tick before.

A tick in which none fires costs one comparison.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from batuta.core.freshness import last_time, next_time

Cron = tuple[str, str]
"""An expression and its time zone."""
NEVER = float("inf")


class Clocks:
    """Times in seconds since the epoch; -inf and inf where there is none."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._last: dict[Cron, float] = {}
        self._next: dict[Cron, float] = {}
        self._soonest = NEVER
        self.passed: set[Cron] = set()

    def watch(self, crons: Iterable[Cron]) -> None:
        """Look at these, and at no others any more."""
        wanted = set(crons)
        for gone in self._last.keys() - wanted:
            del self._last[gone], self._next[gone]
        for cron in sorted(wanted - self._last.keys()):
            self._last[cron] = _seconds(last_time(*cron, self._now), -NEVER)
            self._next[cron] = _seconds(next_time(*cron, self._now), NEVER)
        self._soonest = min(self._next.values(), default=NEVER)

    def go_on(self, now: datetime) -> set[Cron]:
        """Let time pass; which have fired since the time before."""
        self._now = now
        self.passed = set()
        seconds = now.timestamp()
        if seconds < self._soonest:
            return self.passed
        for cron, at in self._next.items():
            if at <= seconds:
                self.passed.add(cron)
                self._last[cron] = _seconds(last_time(*cron, now), at)
        for cron in self.passed:
            self._next[cron] = _seconds(next_time(*cron, now), NEVER)
        self._soonest = min(self._next.values(), default=NEVER)
        return self.passed

    @property
    def next_at(self) -> float:
        """When the next one fires."""
        return self._soonest

    def last(self, cron: Cron) -> float:
        """When it fired last."""
        return self._last[cron]


def _seconds(moment: datetime | None, otherwise: float) -> float:
    return otherwise if moment is None else moment.timestamp()
