"""Which task runs a run's duration hangs on: from the one that ended last, back over whatever each waited for longest.

Known only of what has run: it is read off the times, not estimated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec


class Timed(msgspec.Struct, frozen=True, gc=False):
    """A task run with its times. `lane`: its map index or partition, which aligned steps share."""

    no: int
    step: str
    lane: str
    started_at: float
    finished_at: float


def critical_path(tasks: Sequence[Timed], upstream: Mapping[str, Sequence[str]]) -> list[int]:
    """The numbers of the task runs on the path, first to last. `upstream`: the steps that each step waits for.

    Of an upstream step that has a task run in the same lane, that one is meant; else the one that ended last. One that
    ended after its downstream began was not waited for. Linear in the task runs and edges on the path.
    """
    if not tasks:
        return []
    last: dict[str, Timed] = {}
    lanes: dict[tuple[str, str], Timed] = {}
    for task in tasks:
        if task.step not in last or task.finished_at > last[task.step].finished_at:
            last[task.step] = task
        if task.lane:
            lanes[task.step, task.lane] = task
    at: Timed | None = max(tasks, key=lambda task: task.finished_at)
    path: list[int] = []
    seen: set[int] = set()
    while at is not None and at.no not in seen:
        path.append(at.no)
        seen.add(at.no)
        waited = [lanes.get((step, at.lane)) or last.get(step) for step in upstream.get(at.step, ())]
        ended = [task for task in waited if task is not None and task.finished_at <= at.started_at + _SLACK_S]
        at = max(ended, key=lambda task: task.finished_at, default=None)
    return path[::-1]


_SLACK_S = 0.005
"""By how much a begin may be recorded before the end that it waited for: the clocks are of different processes."""
