"""What a number may be expected to be, learned from what it was: a robust mean and how far off it was.

The scale is learned from the errors that the same guess would have made on each of the former values (each guessed from
the others), so it is honest about few values. The surprising rule: weekdays are told apart only where that made the
guesses better by a fifth; otherwise one median stands for all days.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from statistics import fmean, median
from typing import Literal, NamedTuple

Direction = Literal["both", "up", "down"]

NORMAL = 1.4826
"""The standard deviation over the median absolute error, of a normal distribution."""
NORMAL_MEAN = 1.2533
"""The same over the mean absolute error."""
SEASON_MIN = 3
"""So many former values of a season (a weekday) are needed before it is looked at by itself."""
BETTER = 0.8


class Former(NamedTuple):
    """A value of before. `season` tells apart what differs regularly, such as the weekday; None: nothing does."""

    value: float
    season: Hashable = None


class Expected(NamedTuple):
    """What a value should be. Outside of `low` and `high` it has drifted."""

    value: float
    low: float
    high: float
    scale: float
    known: int
    seasonal: bool

    def score(self, value: float) -> float:
        """How many scales away a value is; 0 where it is as expected, infinite where there was never any change."""
        if value == self.value:
            return 0.0
        return (value - self.value) / self.scale if self.scale else math.copysign(math.inf, value - self.value)


def expect(
    history: Sequence[Former],
    season: Hashable = None,
    *,
    history_min: int = 7,
    sensitivity: float = 4.0,
    change_min: float = 0.05,
    seasonal: bool = True,
    direction: Direction = "both",
) -> Expected | None:
    """What comes next after `history`, in any order; None where it has fewer than `history_min` values.

    `sensitivity`: how many scales off still count as usual. `change_min`: a change by no more than this share of what
    is expected always does. Values that are not finite are left out.
    """
    known = [one for one in history if math.isfinite(one.value)]
    if len(known) < max(history_min, 2):
        return None
    plain = _errors([one.value for one in known])
    center, scale, is_seasonal = median(one.value for one in known), _scale(plain), False
    if seasonal and season is not None:
        found = _by_season(known, season)
        if found is not None and found[1] < BETTER * scale:
            (center, scale), is_seasonal = found, True
    reach = max(sensitivity * scale, change_min * abs(center))
    low = -math.inf if direction == "up" else center - reach
    high = math.inf if direction == "down" else center + reach
    return Expected(center, low, high, scale, len(known), is_seasonal)


def _by_season(known: Sequence[Former], season: Hashable) -> tuple[float, float] | None:
    """Center and scale, each value guessed from those of its own season; None where there are too few."""
    groups: dict[Hashable, list[float]] = {}
    for one in known:
        groups.setdefault(one.season, []).append(one.value)
    own = groups.get(season, [])
    if len(own) < SEASON_MIN:
        return None
    errors = [error for group in groups.values() if len(group) >= SEASON_MIN for error in _errors(group)]
    return median(own), _scale(errors)


def _errors(values: Sequence[float]) -> list[float]:
    """How far each value is from the median of the others."""
    ordered = sorted(values)
    count = len(ordered)
    middle = (count - 1) // 2  # of the others there are count - 1
    found = []
    for i, value in enumerate(ordered):
        # The others are `ordered` without i: from i on, its next element stands in the place.
        at = ordered[middle + (middle >= i)]
        if count % 2:  # an even number of others: between two of them
            before = middle - 1
            at = (at + ordered[before + (before >= i)]) / 2
        found.append(abs(value - at))
    return found


def _scale(errors: Sequence[float]) -> float:
    """As a standard deviation. Where more than half of the guesses were right, by the mean of all errors."""
    middle = median(errors)
    return NORMAL * middle if middle else NORMAL_MEAN * fmean(errors)
