"""What tasks print, as lines to show while they run: `load[3] | 1,200 rows`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import click

from batuta.cli.output import STATE_COLORS
from batuta.cli.progress import Change
from batuta.core.states import TaskState
from batuta.runtime.log_files import attempt_log_path
from batuta.runtime.log_read import LogLine, read

_COLORS = {"WARNING": "yellow", "ERR": "yellow", "ERROR": "red", "CRITICAL": "red", "DEBUG": "bright_black"}
_Key = tuple[int, int, int]


class Logged(NamedTuple):
    """A line of a log and the task it is of."""

    run_id: int
    task: str
    line: LogLine

    def styled(self) -> str:
        """As text, its further lines set below the first."""
        prefix = click.style(f"{self.task} |", fg=STATE_COLORS["running"])
        text = self.line.text.replace("\n", f"\n{' ' * len(self.task)} | ")
        return f"{prefix} {click.style(text, fg=_COLORS.get(self.line.level))}"


class LogTail:
    """Reads on in the logs of what is running, and reads what has ended to the end."""

    def __init__(self, home: str) -> None:
        self._logs = f"{home}/logs"
        self._open: dict[_Key, tuple[str, str, int]] = {}

    def lines(self, changes: Iterable[Change]) -> Iterator[Logged]:
        """The lines since the last time."""
        for change in changes:
            key = (change.run_id, change.task.no, change.attempt)
            if change.state is TaskState.RUNNING:
                self._open.setdefault(key, (change.task.key, self._path(change), 0))
            elif change.final or change.state in (TaskState.RETRYING, TaskState.DEFERRED):
                name, path, offset = self._open.pop(key, (change.task.key, self._path(change), 0))
                yield from (Logged(key[0], name, line) for line in read(path, offset))
        for key, (name, path, offset) in self._open.items():
            for line in read(path, offset):
                offset = line.end
                yield Logged(key[0], name, line)
            self._open[key] = (name, path, offset)

    def _path(self, change: Change) -> str:
        task = change.task
        step = f"{task.node.spec.key}@{task.label}" if task.label else task.node.spec.key
        index = -1 if task.label else max(task.index, -1)
        return attempt_log_path(self._logs, change.run_id, step, change.attempt, index)
