"""Progress as lines of text, for pipes and CI: one for each end in small runs, one a second in large ones.

Failures and retries always get a line of their own, up to a limit.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from batuta.cli.formats import clock, duration
from batuta.cli.output import STATE_COLORS, STATE_SIGNS
from batuta.cli.progress import Change, Progress
from batuta.core.states import TaskState

if TYPE_CHECKING:
    from batuta.cli.log_tail import Logged

LINES_MAX = 100
FAILURE_LINES_MAX = 50
EVERY_S = 1.0


class PlainView:
    """See the module. `tick` is called about ten times a second and once at the end."""

    def __init__(self, progress: Progress, *, to_stderr: bool = False) -> None:
        self._progress = progress
        self._err = to_stderr
        self._lines = 0
        self._failure_lines = 0
        self._next_count = 0.0
        self._last_count = ""

    def start(self) -> None:
        """Begin."""

    def message(self, text: str) -> None:
        """A line from elsewhere."""
        click.echo(f"{click.style(clock(time.time()), dim=True)} {text}", err=self._err)

    def log(self, logged: Logged) -> None:
        """A line that a task wrote."""
        self.message(logged.styled())

    def tick(self, changes: list[Change], final: bool = False) -> None:
        """Print what is new."""
        counting = self._progress.total > LINES_MAX or self._lines + len(changes) > LINES_MAX
        for change in changes:
            if change.state in (TaskState.FAILED, TaskState.RETRYING):
                self._failure(change)
            elif change.state is TaskState.PAUSED:
                self.message(end_line(self._progress, change))
            elif not counting and change.final:
                self._lines += 1
                self.message(end_line(self._progress, change))
        if counting:
            self._count(final)

    def _failure(self, change: Change) -> None:
        self._failure_lines += 1
        if self._failure_lines <= FAILURE_LINES_MAX:
            self.message(end_line(self._progress, change))
        elif self._failure_lines == FAILURE_LINES_MAX + 1:
            self.message("more failures are only counted")

    def _count(self, final: bool) -> None:
        now = time.monotonic()
        if now < self._next_count and not final:
            return
        self._next_count = now + EVERY_S
        text = count_line(self._progress)
        if text != self._last_count:
            self._last_count = text
            self.message(text)

    def stop(self) -> None:
        """The end; everything has been printed."""


def end_line(progress: Progress, change: Change) -> str:
    """`✓ load[3]  1.2 s`, `✗ load[4]  0.3 s  ValueError: ... (pipeline.py:12)`."""
    sign = click.style(STATE_SIGNS.get(change.state, "·"), fg=STATE_COLORS.get(change.state))
    name = change.task.key if change.run_id == progress.run_id else f"{change.job} › {change.task.key}"
    parts = [f"{sign} {name}"]
    if change.duration_s is not None:
        parts.append(click.style(duration(change.duration_s), dim=True))
    if change.state is TaskState.RETRYING:
        parts.append(f"attempt {change.attempt} failed, trying again")
    elif change.state is TaskState.UPSTREAM_FAILED:
        parts.append("not run: something it needs failed")
    elif change.state in (TaskState.SKIPPED, TaskState.CANCELLED):
        parts.append(change.task.reason or str(change.state))
    elif change.state is TaskState.SUCCEEDED and change.task.reason:
        parts.append(click.style(change.task.reason, dim=True))
    elif change.state is TaskState.PAUSED:
        parts.append(f"waits for an answer: {change.task.node.spec.task}")
    if change.error is not None and change.state in (TaskState.FAILED, TaskState.RETRYING):
        parts.append(change.error.headline())
    return "  ".join(parts)


def count_line(progress: Progress) -> str:
    """`1,250/10,000 done, 2 failed, 4 running`."""
    parts = [f"{progress.done:,}/{progress.total:,} done"]
    for state in (TaskState.FAILED, TaskState.RETRYING, TaskState.RUNNING):
        count = progress.count(state)
        if count:
            parts.append(click.style(f"{count:,} {state}", fg=STATE_COLORS.get(state)))
    return ", ".join(parts)
