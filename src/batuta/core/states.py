"""The states of runs and task runs, and which of them are final."""

from __future__ import annotations

from enum import StrEnum


class TaskState(StrEnum):
    """Where a task run stands."""

    WAITING = "waiting"  # its upstreams are not done
    QUEUED = "queued"  # ready; waits for a slot
    RUNNING = "running"
    RETRYING = "retrying"  # failed; waits for its next attempt
    DEFERRED = "deferred"  # waits for a time without holding a worker
    PAUSED = "paused"  # waits for a person's answer
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    UPSTREAM_FAILED = "upstream_failed"
    CANCELLED = "cancelled"


TASK_FINAL: frozenset[TaskState] = frozenset(
    (
        TaskState.SUCCEEDED,
        TaskState.FAILED,
        TaskState.SKIPPED,
        TaskState.UPSTREAM_FAILED,
        TaskState.CANCELLED,
    )
)


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"  # nothing can go on until a person answers
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


RUN_FINAL: frozenset[RunState] = frozenset((RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED))
