"""Counting what happens, for metrics: plain numbers that cost a microsecond to add to, read by whoever wants to tell.

Surprising: labels are bounded. What comes after the first `LABELS_MAX` different ones is counted as `other`, so that
jobs with names made of dates fill nobody's memory. Not locked: written by one thread each; a reader in another one sees
numbers that may be one apart.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

LABELS_MAX = 500
OTHER = "other"

SHORT_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds for what is to be quick: turns, ticks, dispatching."""
LONG_S = (0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0)
"""Bounds for the work of users."""


class Histogram:
    """How often values were at most each bound, and their sum."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    @property
    def count(self) -> int:
        return sum(self.counts)

    def cumulative(self) -> list[tuple[float, int]]:
        """(bound, how many values were at most that); the last bound is infinite."""
        total, found = 0, []
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            total += count
            found.append((bound, total))
        return found


class Labels:
    """Which label values are told apart."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: set[str] = set()

    def __call__(self, value: str) -> str:
        """The value itself, or `other` where there are too many."""
        if value in self._known:
            return value
        if len(self._known) >= LABELS_MAX:
            return OTHER
        self._known.add(value)
        return value


class Counter:
    """Counts by labels."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: dict[tuple[str, ...], float] = {}

    def add(self, *labels: str, by: float = 1.0) -> None:
        """Count one, or so many, with these labels."""
        self.counts[labels] = self.counts.get(labels, 0.0) + by


class Histograms:
    """A histogram by labels."""

    __slots__ = ("_bounds", "by")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.by: dict[tuple[str, ...], Histogram] = {}

    def add(self, value: float, *labels: str) -> None:
        """Count a value with these labels."""
        found = self.by.get(labels)
        if found is None:
            found = self.by[labels] = Histogram(self._bounds)
        found.add(value)
