"""How often and how long after a failure a task is tried again. Jitter is drawn from a seed, never from a clock."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from batuta.core.errors import DefinitionError

_MASK = (1 << 64) - 1


class Retry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A retry policy. `attempts_max` counts every try, the first included; `jitter` is a share of the delay, 0 to 1.

    `delay_max_s` limits exponential delays, jitter included; a fixed delay is meant as it is written.
    """

    attempts_max: int = 1
    delay_s: float = 0.0
    backoff: Literal["fixed", "exponential"] = "fixed"
    factor: float = 2.0
    delay_max_s: float = 3600.0
    jitter: float = 0.0

    def validate(self, where: str) -> None:
        """Raise DefinitionError where a number makes no sense."""
        for name in ("delay_s", "delay_max_s", "jitter", "factor"):
            value = getattr(self, name)
            if not math.isfinite(value):
                raise DefinitionError(f"retry {name} is {value}", where=where, hint="give a finite number")
            if value < 0:
                raise DefinitionError(f"retry {name} is negative: {value}", where=where)
        if self.attempts_max < 1:
            raise DefinitionError(
                f"retries is negative: {self.attempts_max - 1}", where=where, hint="use retries=0 for a single try"
            )
        if self.jitter > 1:
            raise DefinitionError(f"retry jitter is {self.jitter}", where=where, hint="give a share from 0 to 1")
        if self.factor < 1:
            raise DefinitionError(
                f"retry factor is {self.factor}", where=where, hint="delays grow by it: give 1 or more"
            )

    def delay(self, failures: int, seed: int) -> float:
        """Seconds to wait after the `failures`-th failure (1 for the first)."""
        delay = self.delay_s
        exponential = self.backoff == "exponential"
        if exponential:
            for _ in range(failures - 1):  # not a power: that overflows
                if not 0 < delay < self.delay_max_s:
                    break
                delay *= self.factor
            delay = min(delay, self.delay_max_s)
        if self.jitter:
            delay += delay * self.jitter * (2.0 * uniform(seed) - 1.0)
        return min(delay, self.delay_max_s) if exponential else delay


def uniform(seed: int) -> float:
    """A number from 0 to 1 that depends on `seed` alone (splitmix64's finalizer)."""
    z = (seed + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((z ^ (z >> 31)) >> 11) / (1 << 53)
