"""`batuta logs`: what a run's tasks logged."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from batuta.cli.formats import iso
from batuta.cli.output import Output, output_options, print_json
from batuta.cli.targets import open_store, project_at
from batuta.core.errors import RequestError, nearest
from batuta.core.states import RUN_FINAL, TASK_FINAL, RunState

if TYPE_CHECKING:
    from batuta.runtime.log_read import LogLine
    from batuta.store.rows import TaskRunRow
    from batuta.store.store import Store

POLL_S = 0.2
_COLORS = {"WARNING": "yellow", "ERR": "yellow", "ERROR": "red", "CRITICAL": "red", "DEBUG": "bright_black"}


@click.command()
@click.argument("run_id", type=int, metavar="RUN")
@click.argument("task", required=False, metavar="[TASK]")
@click.option("--attempt", type=click.IntRange(1), metavar="N", help="That attempt instead of the last.")
@click.option("-F", "--follow", is_flag=True, help="Go on while the run does.")
@click.option("--level", metavar="LEVEL", help="At least this level: debug, info, warning, error.")
@click.option("--grep", metavar="PATTERN", help="Only lines that match a regular expression.")
@click.option("-n", "--tail", type=click.IntRange(0), metavar="N", help="Only the last N lines.")
@output_options
def logs(
    run_id: int,
    task: str | None,
    attempt: int | None,
    follow: bool,
    level: str | None,
    grep: str | None,
    tail: int | None,
    out: Output,
) -> int:
    """Show what a run's tasks logged.

    Prints, `logging`, and what C code and child processes write. TASK is a task run, or a step with all its task runs.

    \b
    Examples:
      batuta logs 42
      batuta logs 42 'load[3]' --attempt 1
      batuta logs 42 --level warning --grep 'timeout|refused'
      batuta logs 42 load --follow
    """
    with open_store() as store:
        reader = _Reader(store, run_id, task, attempt, level, grep)
        lines = reader.follow() if follow else reader.all()
        if tail is not None and not follow:
            lines = iter(deque(lines, maxlen=tail))
        elif tail is not None:
            lines = _skip_to_tail(reader, tail)
        return _print(lines, reader, out)


class _Reader:
    """The logs of the task runs that are asked for."""

    def __init__(
        self, store: Store, run_id: int, task: str | None, attempt: int | None, level: str | None, grep: str | None
    ) -> None:
        from batuta.cli.records import run_row

        self._has_ended = RunState(run_row(store, run_id).state) in RUN_FINAL
        self._store = store
        self._run_id = run_id
        self._task = task
        self._attempt = attempt
        self._level = level
        self._grep = grep
        self._home = project_at("").home
        self._read_to: dict[tuple[int, int], int] = {}
        self.many = len(self._tasks()) != 1
        """Whether lines have to say which task run they are of."""

    def _tasks(self) -> list[TaskRunRow]:
        if self._task is None:
            return self._store.task_runs(self._run_id)
        one = self._store.task_run(self._run_id, self._task)
        found = [one] if one is not None and one.index < 0 else self._store.task_runs(self._run_id, step=self._task)
        if not found and one is not None:
            found = [one]
        if not found:
            from batuta.cli.records import task_key

            known = [task_key(row) for row in self._store.task_runs(self._run_id, limit=10_000)]
            hint = nearest(self._task, known) or f"`batuta runs show {self._run_id}` lists them"
            yet = "" if self._has_ended else " yet"
            raise RequestError(f"run {self._run_id} has no task run {self._task!r}{yet}", hint=hint)
        return found

    def all(self) -> Iterator[tuple[TaskRunRow, LogLine]]:
        """All lines, by task run."""
        for task in sorted(self._tasks(), key=lambda row: row.started_at or 0.0):
            yield from self._news(task)

    def follow(self) -> Iterator[tuple[TaskRunRow, LogLine]]:
        """All lines as they come, until the run, or what was asked for, is over."""
        while True:
            over = RunState(self._row().state) in RUN_FINAL
            tasks = self._tasks()
            if self._task is not None and all(task.state in TASK_FINAL for task in tasks):
                over = True
            for task in tasks:
                yield from self._news(task)
            if over:
                return
            time.sleep(POLL_S)

    def _row(self) -> Any:
        from batuta.cli.records import run_row

        return run_row(self._store, self._run_id)

    def _news(self, task: TaskRunRow) -> Iterator[tuple[TaskRunRow, LogLine]]:
        from batuta.cli.records import log_path
        from batuta.runtime.log_read import read

        for attempt in [self._attempt] if self._attempt else range(1, task.attempt + 1):
            if self._attempt is None and attempt < task.attempt and task.state in TASK_FINAL:
                continue
            path = log_path(self._home, task, attempt)
            if not os.path.exists(path):
                continue
            key = (task.no, attempt or 0)
            for line in read(path, self._read_to.get(key, 0), level=self._level, grep=self._grep):
                self._read_to[key] = line.end
                yield task, line


def _skip_to_tail(reader: _Reader, tail: int) -> Iterator[tuple[TaskRunRow, LogLine]]:
    yield from deque(reader.all(), maxlen=tail)
    yield from reader.follow()


def _print(lines: Iterable[tuple[TaskRunRow, LogLine]], reader: _Reader, out: Output) -> int:
    from batuta.cli.records import task_key

    count = 0
    try:
        for task, line in lines:
            count += 1
            if out.json:
                print_json(_data(task, line))
                continue
            prefix = f"{click.style(task_key(task), fg='cyan')} " if reader.many else ""
            at = click.style(line.at.astimezone().strftime("%H:%M:%S.%f")[:-3], dim=True)
            level = click.style(f"{line.level:<7}", fg=_COLORS.get(line.level), dim=line.level in ("OUT", "INFO"))
            out.say(f"{prefix}{at} {level} {line.text}")
    except KeyboardInterrupt:
        return 0
    if not count:
        out.note("nothing was logged")
    return 0


def _data(task: TaskRunRow, line: LogLine) -> dict[str, Any]:
    from batuta.cli.records import task_key

    return {
        "task": task_key(task),
        "at": iso(line.at.timestamp()),
        "level": line.level,
        "source": line.source,
        "text": line.text,
    }
