"""Priorities within a run that follow the graph: what much depends on goes first, or what is nearest to the end.

The weight of a step is its own priority and one more, summed over what is below it (`downstream`: the work that it
holds up) or above it (`upstream`: what is furthest is finished first). Sets of steps are bits of integers, so that
10,000 steps take a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from batuta.core.plan import StepSpec

Weighting = Literal["own", "downstream", "upstream"]
WEIGHTINGS: tuple[Weighting, ...] = ("own", "downstream", "upstream")


def weighted(steps: Sequence[StepSpec], by: Weighting) -> tuple[StepSpec, ...]:
    """The steps (upstreams first) with priorities that follow the graph."""
    if by == "own":
        return tuple(steps)
    places = {step.key: i for i, step in enumerate(steps)}
    reach = [1 << i for i in range(len(steps))]
    if by == "upstream":
        for i, step in enumerate(steps):
            for edge in step.upstream:
                reach[i] |= reach[places[edge.step]]
    else:
        for i in reversed(range(len(steps))):
            for edge in steps[i].upstream:
                reach[places[edge.step]] |= reach[i]
    own = [step.priority + 1 for step in steps]
    alike = len(set(own)) == 1
    return tuple(
        msgspec.structs.replace(step, priority=_sum(reach[i], own, own[0] if alike else None) - 1)
        for i, step in enumerate(steps)
    )


def _sum(members: int, weights: list[int], each: int | None) -> int:
    """The weights of the members of a set; `each` is what all of them weigh, where that is the same."""
    if each is not None:
        return each * members.bit_count()
    total = 0
    while members:
        lowest = members & -members
        total += weights[lowest.bit_length() - 1]
        members ^= lowest
    return total
