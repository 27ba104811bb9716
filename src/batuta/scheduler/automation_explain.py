"""Why automation makes an asset, or does not, as things stand now: what a tick would find, with nothing of it kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from batuta.core.definitions import Definitions
from batuta.core.errors import RequestError
from batuta.core.explanations import Explanation
from batuta.scheduler.automation_memory import Loaded
from batuta.scheduler.automation_world import world_of
from batuta.store.store import Store


def explain_now(
    locations: Sequence[tuple[str, Definitions]], store: Store, asset: str, partition: str | None, now: float
) -> Explanation:
    """Of an asset with automation, or one partition of it. Raises RequestError where it has none, PartitionError."""
    world = world_of(locations, {})
    loaded = Loaded(store, world, now)
    changes = loaded.news.look(world.dynamic_names)
    decision = loaded.automation.tick(changes, datetime.fromtimestamp(now, UTC))
    if partition is None:
        for why in decision.explanations:
            if why.asset == asset:
                return why
    found = loaded.automation.explain(asset, partition)
    if found is None:
        raise RequestError(f"{asset!r} is not automated", hint="give it automation=..., see docs/automation.md")
    return found
