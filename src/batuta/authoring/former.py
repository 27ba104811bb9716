"""What was recorded before of a number that a rule looks at.

Of a time partition, before means the partitions before it, whenever they were made; of everything else, what was
recorded when the same was made before. So a backfill of old days is compared with days of its own time.
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from batuta.authoring.context import StepContext
from batuta.core.drift import Former
from batuta.core.partitions import MultiPartitions, Partitions, TimePartitions, split_key, window
from batuta.quality.given import History
from batuta.quality.learned_rules import WINDOW, Learned
from batuta.quality.rules import Rule

if TYPE_CHECKING:
    from batuta.authoring.asset_graph import AssetGraph

OTHERS_MAX = 20
"""Of several dimensions so many times as much is asked for, because only what differs in time alone counts."""


def former_values(context: StepContext, graph: AssetGraph, asset: str, rule: Rule) -> History:
    """What was before of what a rule that learns looks at, oldest first."""
    definition = context.partitions
    timed = time_of(definition)
    size = rule.learning.window if isinstance(rule, Learned) else WINDOW
    answer = context.ask(
        "former_values",
        asset=asset,
        check=rule.name,
        metadata=rule.metadata_name if isinstance(rule, Learned) else "",
        partition=context.partition if definition is not None else "",
        by_partition=timed is not None,
        limit=size * (OTHERS_MAX if isinstance(definition, MultiPartitions) else 1),
    )
    values = [(str(key), float(at), float(value)) for key, at, value in answer["values"]]
    if timed is None or definition is None:
        former = [Former(value, datetime.fromtimestamp(at, UTC).weekday()) for _, at, value in values]
        return History(former[:size][::-1], datetime.now(UTC).weekday(), answer["current"])
    same = [one for one in values if _is_alike(definition, one[0], context.partition)]
    former = [Former(value, _season(definition, timed, key)) for key, _, value in same[:size]]
    return History(former[::-1], _season(definition, timed, context.partition), answer["current"])


def time_of(definition: Partitions | None) -> TimePartitions | None:
    """The one definition of time among partitions; None where there is none, or more than one."""
    parts = definition.dimensions.values() if isinstance(definition, MultiPartitions) else (definition,)
    timed = [part for part in parts if isinstance(part, TimePartitions)]
    return timed[0] if len(timed) == 1 else None


def _season(definition: Partitions, timed: TimePartitions, key: str) -> Hashable:
    if timed.cadence == "daily":
        return window(definition, key).start.weekday()
    return window(definition, key).start.hour if timed.cadence == "hourly" else None


def _is_alike(definition: Partitions, key: str, own: str) -> bool:
    """Whether two partitions differ in their time and nothing else."""
    if not isinstance(definition, MultiPartitions):
        return True
    parts, mine = split_key(key), split_key(own)
    others = [name for name, one in definition.dimensions.items() if not isinstance(one, TimePartitions)]
    return all(parts.get(name) == mine.get(name) for name in others)
