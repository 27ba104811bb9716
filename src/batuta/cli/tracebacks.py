"""Why a task run failed, for its author: their own frames stand out, those of libraries are summed up."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import click

from batuta.cli.formats import between, plural, short_path
from batuta.cli.records import error_info, log_path, task_key

if TYPE_CHECKING:
    from batuta.store.rows import TaskRunRow

LAST_WORDS = 8
"""Lines of its log that are shown of a task run whose process died."""
LAST_LINES = 100
_MACHINERY = re.compile(
    r'\s*File "([^"]*/(batuta/(runtime|executors|authoring)|lib/python\d[.\d]*)/|<frozen )|Thread 0x|Extension modules:'
)
_LIBRARY = re.compile(r'  File "[^"]*(?:/site-packages/|/lib/python\d|<frozen )([^/"]*)')


def failure_lines(task: TaskRunRow, home: str) -> list[str]:
    """A failed task run: what, where, the user's own frames, and the log."""
    error = error_info(task)
    tries = f" (attempt {task.attempt})" if task.attempt > 1 else ""
    took = between(task.started_at, task.finished_at)
    name = click.style(task_key(task), bold=True)
    head = f"{click.style('✗', fg='red')} {name} failed{f' after {took}' if took else ''}"
    lines = [head + tries]
    if error.file:
        lines.append(f"    at {short_path(error.file)}:{error.line}")
    traceback = error.traceback.removeprefix("Traceback (most recent call last):\n")
    body = own_frames(traceback) or [f"{error.type}: {error.message}" if error.type else error.message]
    lines += [f"    {line}" for text in body for line in text.splitlines()]
    if error.hint:
        lines.append(f"    {click.style('hint', fg='cyan')} {error.hint}")
    path = log_path(home, task)
    if os.path.exists(path):
        if error.kind in ("crash", "killed"):
            lines += [click.style(f"    | {line}", dim=True) for line in _last_words(path)]
        lines.append(f"    log {short_path(path)}")
    return lines


def _last_words(path: str) -> list[str]:
    """The end of a log, without frames that are not the user's."""
    from collections import deque

    from batuta.runtime.log_read import read

    lines = "\n".join(line.text for line in deque(read(path), maxlen=LAST_LINES)).splitlines()
    return [line for line in lines if line.strip() and not _MACHINERY.match(line)][-LAST_WORDS:]


def own_frames(traceback: str) -> list[str]:
    """The lines of a traceback, with those of libraries summed up: the reader's own code is what stands out."""
    lines: list[str] = []
    skipped: list[str] = []

    def sum_up() -> None:
        if skipped:
            names = ", ".join(dict.fromkeys(skipped))
            lines.append(click.style(f"  … {plural(len(skipped), 'frame')} in {names}", dim=True))
            skipped.clear()

    in_library = False
    for line in traceback.rstrip().splitlines():
        if line.startswith('  File "'):
            found = _LIBRARY.match(line)
            in_library = found is not None
            if found is not None:
                skipped.append(found[1].removesuffix(".py") or "Python")
                continue
            sum_up()
        elif in_library and line.startswith("    "):
            continue
        else:
            in_library = False
            sum_up()
        lines.append(line)
    sum_up()
    return lines
