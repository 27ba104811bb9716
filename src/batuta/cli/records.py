"""Rows of the store as JSON data, and the names and files that belong to them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.cli.formats import iso
from batuta.core.errors import RequestError
from batuta.core.values import ErrorInfo

if TYPE_CHECKING:
    from batuta.store.rows import CheckRow, MaterializationRow, RunRow, TaskRunRow
    from batuta.store.store import Store


def run_row(store: Store, run_id: int) -> RunRow:
    """The run with this number. Raises RequestError."""
    row = store.run(run_id)
    if row is None:
        newest = store.runs(limit=1)
        hint = f"the newest is {newest[0].id}; `batuta runs list` shows them" if newest else "there are no runs yet"
        raise RequestError(f"there is no run {run_id}", where=store.location, hint=hint)
    return row


def error_info(task: TaskRunRow) -> ErrorInfo:
    """The recorded failure of a task run."""
    return msgspec.json.decode(task.error, type=ErrorInfo) if task.error else ErrorInfo(message=task.reason)


def task_key(task: TaskRunRow) -> str:
    """`step`, `step[3]`, `step[2026-01-31]`."""
    if task.label:
        return f"{task.step}[{task.label}]"
    return f"{task.step}[{task.index}]" if task.index >= 0 else task.step


def log_path(home: str, task: TaskRunRow, attempt: int | None = None) -> str:
    """The file that an attempt (by default the last) logged to; it may not be there."""
    from batuta.runtime.log_files import attempt_log_path

    step = f"{task.step}@{task.label}" if task.label else task.step
    index = -1 if task.label else max(task.index, -1)
    return attempt_log_path(os.path.join(home, "logs"), task.run_id, step, attempt or task.attempt, index)


def run_data(row: RunRow) -> dict[str, Any]:
    """A run as JSON data."""
    return {
        "id": row.id,
        "job": row.job,
        "kind": row.kind,
        "state": row.state,
        "trigger": row.trigger,
        "params": row.params,
        "tags": row.tags,
        "partition": row.partition,
        "location": row.location,
        "created_at": iso(row.created_at),
        "started_at": iso(row.started_at),
        "finished_at": iso(row.finished_at),
        "duration_s": None if None in (row.started_at, row.finished_at) else row.finished_at - row.started_at,  # type: ignore[operator]
        "logical_at": iso(row.logical_at),
        "parent_run": row.parent_run,
        "error": row.error,
        "owner": row.owner,
    }


def task_data(task: TaskRunRow, home: str) -> dict[str, Any]:
    """A task run as JSON data."""
    from batuta.cli.progress_json import error_of

    data: dict[str, Any] = {
        "task": task_key(task),
        "no": task.no,
        "step": task.step,
        "kind": task.kind,
        "state": task.state,
        "attempt": task.attempt,
        "started_at": iso(task.started_at),
        "finished_at": iso(task.finished_at),
        "reason": task.reason,
        "log": log_path(home, task) if task.logged else None,
    }
    if task.error:
        data["error"] = error_of(error_info(task))
    return data


def materialization_data(row: MaterializationRow) -> dict[str, Any]:
    """A materialization as JSON data."""
    return {
        "asset": row.asset,
        "partition": row.partition,
        "run": row.run_id,
        "at": iso(row.at),
        "data_version": row.data_version,
        "code_version": row.code_version,
        "inputs": msgspec.json.decode(row.inputs or b"{}"),
        "metadata": msgspec.json.decode(row.metadata or b"{}"),
    }


def check_data(row: CheckRow) -> dict[str, Any]:
    """A check's result as JSON data."""
    return {
        "asset": row.asset,
        "check": row.check,
        "partition": row.partition,
        "passed": row.passed,
        "outcome": row.level,
        "blocking": row.blocking,
        "description": row.description,
        "run": row.run_id,
        "at": iso(row.at),
        "metadata": msgspec.json.decode(row.metadata or b"{}"),
    }
