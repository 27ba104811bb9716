"""Why automation makes an asset, or does not, as the API tells it: the condition as a list of parts with their depths.

Surprising: the whole of automation is thought through for it, as at a tick, since what one asset waits for may be what
another is about to have made.
"""

from __future__ import annotations

from collections.abc import Iterator

from batuta.core.definitions import AssetSpec
from batuta.core.explanations import Part
from batuta.scheduler.automation_explain import explain_now
from batuta.server.backend import Backend
from batuta.server.shapes.assets import AutomationNow, ConditionPart
from batuta.server.shapes.base import at

PARTS_MAX = 500


def automation_now(backend: Backend, spec: AssetSpec, partition: str | None) -> AutomationNow:
    """Of an asset, or one partition of it. Raises RequestError where it is not automated, PartitionError."""
    locations = [(name, entry.definitions) for name, entry in backend.catalog.locations.items()]
    found = explain_now(locations, backend.store, spec.key, partition, backend.clock())
    return AutomationNow(
        asset=spec.key,
        partition=partition or "",
        at=at(found.at),
        requested=str(found.requested),
        in_progress=str(found.in_progress),
        requested_before=str(found.requested_before),
        condition=list(_parts(found.condition, 0))[:PARTS_MAX],
    )


def _parts(part: Part, depth: int) -> Iterator[ConditionPart]:
    holds = part.holds
    yield ConditionPart(
        words=part.words,
        label=part.label,
        asset=part.asset,
        count=holds.count,
        total=holds.total,
        ranges=[list(one) for one in holds.ranges],
        more=holds.more,
        depth=depth,
    )
    for one in part.parts:
        yield from _parts(one, depth + 1)
