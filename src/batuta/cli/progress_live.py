"""Progress drawn in a terminal, eight times a second at most: a line per step, what is running, failures as they come.

As many lines as the terminal has room for: what failed or is running comes first, what is done or waiting is summed up.
"""

from __future__ import annotations

import contextlib
import sys
import termios
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from batuta.cli.formats import duration
from batuta.cli.output import STATE_SIGNS, columns_of, cut
from batuta.cli.progress import Change, Progress, StepProgress
from batuta.cli.progress_plain import end_line
from batuta.core.states import TaskState

if TYPE_CHECKING:
    from batuta.cli.log_tail import Logged

REFRESH_S = 0.125
BAR_COLUMNS = 24
NAME_COLUMNS_MAX = 44
RUNNING_LINES_MAX = 4
RUNNING_AFTER_S = 1.0
"""What runs for less is not worth a line that flickers."""
FAILURES_SHOWN_MAX = 20
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_NAMED = (TaskState.FAILED, TaskState.UPSTREAM_FAILED, TaskState.SKIPPED, TaskState.CANCELLED, TaskState.RETRYING)
_COLORS = {
    TaskState.FAILED: "red",
    TaskState.UPSTREAM_FAILED: "yellow",
    TaskState.SKIPPED: "bright_black",
    TaskState.CANCELLED: "magenta",
    TaskState.RETRYING: "yellow",
}


class LiveView:
    """See the module. `tick` is called about ten times a second and once at the end."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._console = Console(highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, redirect_stdout=True, redirect_stderr=True)
        self._next = 0.0
        self._frame = 0
        self._failures = 0
        self._echo: list[Any] | None = None

    def start(self) -> None:
        """Begin to draw. What is typed meanwhile is not echoed into the picture."""
        self._echo = _echo_off()
        self._live.start()

    def message(self, text: str) -> None:
        """A line from elsewhere, above the picture."""
        self._live.console.print(Text.from_ansi(text))

    def log(self, logged: Logged) -> None:
        """A line that a task wrote."""
        self.message(logged.styled())

    def tick(self, changes: list[Change], final: bool = False) -> None:
        """Tell what failed, and draw if it is time."""
        for change in changes:
            if change.state is TaskState.FAILED:
                self._failure(change)
        now = time.monotonic()
        if now >= self._next or final:
            self._next = now + REFRESH_S
            self._frame += 1
            self._live.update(self._picture(final), refresh=True)

    def stop(self) -> None:
        """Leave the last picture standing."""
        self._live.stop()
        if self._echo is not None:
            termios.tcsetattr(sys.stdin, termios.TCSANOW, self._echo)

    def _failure(self, change: Change) -> None:
        self._failures += 1
        if self._failures <= FAILURES_SHOWN_MAX:
            self.message(end_line(self._progress, change))
        elif self._failures == FAILURES_SHOWN_MAX + 1:
            self.message("more failures are only counted")

    # ---- the picture ----

    def _picture(self, final: bool) -> Text:
        width, height = self._console.size
        room = max(4, height - 4 - RUNNING_LINES_MAX)
        lines = [self._head(final)]
        lines += self._steps(room, width)
        if not final:
            lines += self._running(width)
        return Text("\n").join(lines)

    def _head(self, final: bool) -> Text:
        progress = self._progress
        sign = "" if final else _SPINNER[self._frame % len(_SPINNER)] + " "
        text = Text(sign, style="cyan")
        text.append(f"run {progress.run_id} {progress.job}", style="bold")
        text.append(f"  {progress.state}  {duration(time.time() - progress.began_at)}", style="dim")
        if len(progress.steps) > 1:
            text.append(f"  {progress.done:,}/{progress.total:,}", style="dim")
        return text

    def _steps(self, room: int, width: int) -> list[Text]:
        steps = list(self._progress.steps.values())
        shown = steps if len(steps) <= room else _most_interesting(steps, room - 1)
        if not shown:
            return []
        names = min(max(columns_of(step.name) for step in shown), NAME_COLUMNS_MAX, max(12, width // 3))
        counts = max(len(_count(step)) for step in shown)
        lines = [self._step(step, names, counts) for step in shown]
        hidden = len(steps) - len(shown)
        if hidden:
            done = sum(step.finished for step in steps)
            lines.append(Text(f"  … {hidden:,} more steps, {done:,} of {len(steps):,} done", style="dim"))
        return lines

    def _step(self, step: StepProgress, names: int, counts: int) -> Text:
        sign, style = _sign(step)
        name = cut(step.name, names)
        text = Text.assemble((f"  {sign} ", style), name, " " * (names - columns_of(name)), "  ")
        if step.total > 1:
            text.append_text(_bar(step))
            text.append(f" {_count(step):>{counts}}")
        elif counts:
            text.append(" " * (BAR_COLUMNS + 1 + counts))
        for state in _NAMED:
            count = step.count(state)
            if count:
                label = str(state).replace("_", " ")
                text.append(f"  {count:,} {label}" if step.total > 1 else f"  {label}", style=_COLORS[state])
        if step.running and step.total > 1:
            text.append(f"  {len(step.running):,} running", style="cyan")
        elapsed = _elapsed(step)
        if elapsed is not None:
            text.append(f"  {duration(elapsed)}", style="dim")
        text.truncate(self._console.width - 1, overflow="ellipsis")
        return text

    def _running(self, width: int) -> list[Text]:
        now = time.time()
        busy = [c for c in self._progress.running() if now - c.started_at >= RUNNING_AFTER_S]
        busy = [c for c in busy if self._progress.steps[self._progress.name_of(c)].total > 1]
        lines = [
            Text(cut(f"      {change.task.key}  {duration(now - change.started_at)}", width - 1), style="cyan")
            for change in busy[:RUNNING_LINES_MAX]
        ]
        if len(busy) > RUNNING_LINES_MAX:
            lines[-1] = Text(f"      and {len(busy) - RUNNING_LINES_MAX + 1:,} more", style="cyan")
        return lines


def _echo_off() -> list[Any] | None:
    """The terminal's settings before."""
    with contextlib.suppress(termios.error, OSError, ValueError):
        before: list[Any] = termios.tcgetattr(sys.stdin)
        without = [*before]
        without[3] &= ~termios.ECHO
        termios.tcsetattr(sys.stdin, termios.TCSANOW, without)
        return before
    return None


def _most_interesting(steps: Iterable[StepProgress], room: int) -> list[StepProgress]:
    """At most `room` of them, in their order: failed and running ones first, then what waits, then what is done."""
    numbered = list(enumerate(steps))

    def rank(item: tuple[int, StepProgress]) -> tuple[int, int]:
        number, step = item
        if step.failed:
            return 0, number
        if step.running or 0 < step.done < step.total:
            return 1, number
        return (3, -number) if step.finished else (2, number)

    chosen = sorted(sorted(numbered, key=rank)[:room], key=lambda item: item[0])
    return [step for _, step in chosen]


def _sign(step: StepProgress) -> tuple[str, str]:
    if step.failed:
        return STATE_SIGNS["failed"], "red"
    if step.finished:
        if step.count(TaskState.UPSTREAM_FAILED, TaskState.CANCELLED):
            return STATE_SIGNS["cancelled"], "yellow"
        if step.count(TaskState.SUCCEEDED):
            return STATE_SIGNS["succeeded"], "green"
        return STATE_SIGNS["skipped"], "bright_black"
    if step.count(TaskState.PAUSED):
        return STATE_SIGNS["paused"], "yellow"
    if step.count(TaskState.RETRYING):
        return STATE_SIGNS["retrying"], "yellow"
    return ("●", "cyan") if step.running or step.done else ("·", "bright_black")


def _bar(step: StepProgress) -> Text:
    good = step.count(TaskState.SUCCEEDED, TaskState.SKIPPED)
    filled = min(BAR_COLUMNS, step.done * BAR_COLUMNS // max(step.total, 1))
    green = min(filled, good * BAR_COLUMNS // max(step.total, 1))
    return Text.assemble(
        ("━" * green, "green"), ("━" * (filled - green), "red"), ("─" * (BAR_COLUMNS - filled), "bright_black")
    )


def _count(step: StepProgress) -> str:
    return f"{step.done:,}/{step.total:,}{'+' if step.open_ended else ''}" if step.total > 1 else ""


def _elapsed(step: StepProgress) -> float | None:
    if step.began_at is None:
        return None
    end = step.ended_at if step.finished and step.ended_at else time.time()
    return end - step.began_at
