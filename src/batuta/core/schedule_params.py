"""What the run of a logical time is given: its partition, and parameters with the values of that time filled in.

In texts of `params`, at any depth, `{logical_time}`, `{interval_start}`, `{interval_end}` and `{partition}` are
replaced; the times as ISO on the clock of the schedule's zone, or as the strftime format after a colon says:
`{interval_start:%Y-%m-%d}`. Surprising rule: any other braces are left as they are, templates of others included.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from batuta.core import partition_time
from batuta.core.errors import DefinitionError, PartitionError, nearest
from batuta.core.partitions import MultiPartitions, TimePartitions, join_key, key_at
from batuta.core.schedule_specs import ScheduleSpec, TickPartition
from batuta.core.timezones import to_datetime

_FIELD = re.compile(r"(?<!\{)\{(logical_time|interval_start|interval_end|partition)(?::([^{}]+))?\}(?!\})")


def render(spec: ScheduleSpec, logical_at: int, interval_start: int, partition: str) -> dict[str, Any]:
    """The parameters of the run."""
    if not spec.params:
        return {}
    zone = spec.timing.timezone
    values: dict[str, datetime | str] = {
        "logical_time": to_datetime(logical_at, zone),
        "interval_start": to_datetime(interval_start, zone),
        "interval_end": to_datetime(logical_at, zone),
        "partition": partition,
    }
    return {name: _rendered(value, values) for name, value in spec.params.items()}


def _rendered(value: Any, values: dict[str, datetime | str]) -> Any:
    if isinstance(value, str):
        return _FIELD.sub(lambda match: _text(values[match[1]], match[2]), value) if "{" in value else value
    if isinstance(value, dict):
        return {name: _rendered(one, values) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rendered(one, values) for one in value]
    return value


def _text(value: datetime | str, form: str | None) -> str:
    if isinstance(value, str):
        return value
    return value.strftime(form) if form else value.isoformat()


def partition_key(spec: ScheduleSpec, logical_at: int) -> str:
    """The partition that the run makes, "" for none; of several dimensions those that the rule says, the others being
    open: a choice as `asset_plan.plan_assets` takes it. Raises PartitionError where there is none at that time."""
    rule = spec.partition
    if rule is None:
        return ""
    if rule.key or rule.definition is None:
        return rule.key
    if isinstance(rule.definition, MultiPartitions):
        name, timed = time_dimension(rule)
        return join_key({**rule.fixed, name: _window(timed, rule.offset, logical_at)})
    if isinstance(rule.definition, TimePartitions):
        return _window(rule.definition, rule.offset, logical_at)
    raise PartitionError("the partitions are not of time", hint="name the key in the schedule")


def time_dimension(rule: TickPartition, where: str | None = None) -> tuple[str, TimePartitions]:
    """The dimension that follows the clock. DefinitionError where there is none that is not fixed, or several."""
    assert isinstance(rule.definition, MultiPartitions)
    dimensions = rule.definition.dimensions
    unknown = [name for name in rule.fixed if name not in dimensions]
    if unknown:
        hint = nearest(unknown[0], dimensions) or f"its dimensions are {', '.join(dimensions)}"
        raise DefinitionError(f"the partitions have no dimension {unknown[0]!r}", where=where, hint=hint)
    timed = [
        (name, one) for name, one in dimensions.items() if name not in rule.fixed and isinstance(one, TimePartitions)
    ]
    if len(timed) == 1:
        return timed[0]
    what = f"the partitions have {len(timed) or 'no'} dimensions of time that are not fixed"
    raise DefinitionError(what, where=where, hint="fix all but one with partition={name: key}")


def _window(definition: TimePartitions, offset: int, logical_at: int) -> str:
    """The last window that has ended at `logical_at`, `offset` windows later."""
    begin = partition_time.cells(definition, logical_at, logical_at + 1).bounds[0]
    begin = partition_time.shift(definition, begin, offset - 1)
    key = key_at(definition, to_datetime(begin, definition.timezone))
    low, high = partition_time.limits(definition)
    if not low <= begin < high:
        side = "before the first" if begin < low else "after the last"
        raise PartitionError(f"partition {key!r} is {side} of its definition")
    return key
