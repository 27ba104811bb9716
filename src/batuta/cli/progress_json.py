"""Progress as JSON lines: `run_started`, `task` for each start, retry and end, and at last `run_finished`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from batuta.cli.formats import iso
from batuta.cli.output import print_json
from batuta.cli.progress import Change, Progress
from batuta.core.values import ErrorInfo

if TYPE_CHECKING:
    from batuta.cli.log_tail import Logged


class JsonView:
    """See the module."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def start(self) -> None:
        """Begin."""
        progress = self._progress
        print_json({"event": "run_started", "run": progress.run_id, "job": progress.job, "at": iso(progress.began_at)})

    def message(self, text: str) -> None:
        """A line from elsewhere."""
        print_json({"event": "message", "text": click.unstyle(text)})

    def log(self, logged: Logged) -> None:
        """A line that a task wrote."""
        line = logged.line
        print_json(
            {
                "event": "log",
                "run": logged.run_id,
                "task": logged.task,
                "at": iso(line.at.timestamp()),
                "level": line.level,
                "source": line.source,
                "text": line.text,
            }
        )

    def tick(self, changes: list[Change], final: bool = False) -> None:
        """Print what is new."""
        for change in changes:
            print_json(event_of(change))

    def stop(self) -> None:
        """The end; the summary follows as `run_finished`."""


def event_of(change: Change) -> dict[str, Any]:
    """A change as JSON data."""
    data: dict[str, Any] = {
        "event": "task",
        "run": change.run_id,
        "task": change.task.key,
        "step": change.task.node.spec.key,
        "state": str(change.state),
        "attempt": change.attempt,
        "at": iso(change.at),
    }
    if change.duration_s is not None:
        data["duration_s"] = round(change.duration_s, 6)
    if change.task.reason and change.final:
        data["reason"] = change.task.reason
    if change.error is not None:
        data["error"] = error_of(change.error)
    return data


def error_of(error: ErrorInfo) -> dict[str, Any]:
    """A recorded failure as JSON data."""
    return {
        "kind": error.kind,
        "type": error.type,
        "message": error.message,
        "file": error.file,
        "line": error.line,
        "hint": error.hint,
        "traceback": error.traceback,
    }


class QuietView:
    """No progress at all."""

    def start(self) -> None:
        """Begin."""

    def message(self, text: str) -> None:
        """Not shown."""

    def log(self, logged: Logged) -> None:
        """Not shown."""

    def tick(self, changes: list[Change], final: bool = False) -> None:
        """Not shown."""

    def stop(self) -> None:
        """The end."""
