"""dbt's variables from the partition that is made.

Every node of a partitioned asset gets `batuta_partition`, and where that is a time, its start and end; its meta may
name others: `vars: {day: "{key}", from: "{start}", to: "{end}"}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from batuta.authoring.context import StepContext
from batuta.bridges.dbt.targets import Target
from batuta.core.errors import RequestError
from batuta.core.partitions import MultiPartitions, TimePartitions


@dataclass(frozen=True, slots=True)
class Window:
    """A partition in time: from `start` to before `end`, both in UTC and aware."""

    start: datetime
    end: datetime
    local_start: datetime
    local_end: datetime


def window_of(context: StepContext, target: Target) -> Window | None:
    """The time of the step's partition; None where it has none."""
    if not isinstance(target.partitions, TimePartitions):
        return None
    found = context.partition_window
    return Window(found.start.astimezone(UTC), found.end.astimezone(UTC), found.start, found.end)


def variables_of(context: StepContext, target: Target, window: Window | None) -> dict[str, str]:
    """What the node's variables are."""
    if target.partitions is None:
        return {}
    parts = {"key": context.partition}
    if isinstance(target.partitions, MultiPartitions):
        parts |= context.partition_dimensions
    if window is not None:
        parts |= {"start": _text(window.local_start), "end": _text(window.local_end)}
    known = {f"batuta_partition_{name}": value for name, value in parts.items() if name != "key"}
    known["batuta_partition"] = context.partition
    for name, template in target.vars.items():
        try:
            known[name] = template.format(**parts)
        except (KeyError, ValueError, IndexError) as error:
            hint = f"there are {', '.join(f'{{{part}}}' for part in parts)}"
            raise RequestError(f"variable {name!r}: {template!r} cannot be filled in: {error}", hint=hint) from None
    return known


def _text(moment: datetime) -> str:
    """A date, where that is what it is; else a timestamp as databases read it."""
    midnight = moment.timetz().replace(tzinfo=None) == datetime.min.time()
    return moment.strftime("%Y-%m-%d" if midnight else "%Y-%m-%d %H:%M:%S")
