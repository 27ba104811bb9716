"""Numbers that were recorded of an asset before: among the metadata of its materializations, or by its checks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from batuta.store.store import Store

VALUE = "value"
"""What a check calls the number that it looks at."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode

Values = list[list[Any]]


def former(
    store: Store, asset: str, *, check: str, metadata: str, partition: str, by_partition: bool, limit: int
) -> dict[str, Any]:
    """`values`: [partition, at, number], nearest first; `current`: the number as it is recorded now, or None.

    They are looked for among the `metadata` of that name; where there are none, in what `check` recorded. With
    `by_partition` they are those of the partitions before, else those of the same partition before it was made last.
    """
    state = store.asset_states([asset]).get((asset, partition)) if not by_partition else None
    values: Values = []
    current = None
    if metadata and by_partition:
        rows = store.usage.metadata_before(asset, partition, limit)
        values = _numbers(((row.partition, row.at, row.metadata) for row in rows), metadata)
    elif metadata:
        made = store.materializations(asset, partition, limit=limit + 1)
        values = _numbers(((row.partition, row.at, row.metadata) for row in made[1:]), metadata)
    if metadata:
        newest = store.materializations(asset, partition, limit=1)
        current = number(_decode(newest[0].metadata).get(metadata)) if newest else None
    if not values and by_partition:
        rows = store.usage.verdicts_before(asset, check, partition, limit)
        values = _numbers(((row.partition, row.at, row.metadata) for row in rows), VALUE)
    elif not values:
        verdicts = store.check_results(asset, check, partition, limit=limit + 1)
        before = [row for row in verdicts if state is None or row.at < state.at]  # later ones are of what is there now
        values = _numbers(((row.partition, row.at, row.metadata) for row in before), VALUE)
    return {"values": values[:limit], "current": current}


def number(value: Any) -> float | None:
    """A number, or what wraps one."""
    if isinstance(value, dict):
        value = value.get(VALUE)
    return None if isinstance(value, bool) or not isinstance(value, int | float) else float(value)


def _numbers(rows: Iterable[tuple[str, float, bytes]], name: str) -> Values:
    found = []
    for partition, at, told in rows:
        value = number(_decode(told or b"{}").get(name))
        if value is not None:
            found.append([partition, at, value])
    return found
