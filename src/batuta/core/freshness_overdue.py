"""Which partitions of one asset are not as fresh as its policy asks for: the same answer as automation gives for all.

For whoever looks at a few assets now and then; `automation_eval` keeps count of all of them between looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from batuta.core.freshness import FreshnessPolicy, ended_by, oldest_allowed
from batuta.core.partition_keys import last_key
from batuta.core.partition_spaces import Space
from batuta.core.partition_types import DynamicKeys, Partitions, TimePartitions


def overdue(
    policy: FreshnessPolicy,
    definition: Partitions | None,
    made: Mapping[str, float],
    now: datetime,
    dynamic_keys: DynamicKeys,
) -> list[str]:
    """The keys that are overdue; "" is the whole of an asset without partitions. `made`: when each was made last."""
    moment = datetime.fromtimestamp(max(ended_by(policy, now), 0.0), now.tzinfo)
    if isinstance(definition, TimePartitions):
        newest = last_key(definition, moment)
        return [newest] if newest is not None and newest not in made else []
    space = Space(b"", definition, now, dynamic_keys)
    if space.timed is not None:
        return [key for key in space.keys_of(space.newest_at(moment)) if key not in made]
    oldest = oldest_allowed(policy, now)
    return [key for key in space.keys if made.get(key, float("-inf")) < oldest]
