"""The fintech's whole job up to a day of January, as the process that is killed runs it.

`python -m tests.chaos.fintech_job ROOT LAST_DAY [--rerun]` goes on with the runs that a killed engine left (with
`--rerun`: cancels them instead), makes what is stale, then runs the flow and the DAG if what they read has changed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from batuta.core.states import RUN_FINAL, RunState
from batuta.engine.workspace import RunHandle, Workspace
from batuta.runtime.project import find_project

UNFINISHED = [str(state) for state in RunState if state not in RUN_FINAL]


def main(root: str, last_day: str, rerun: bool) -> None:
    """Raises RuntimeError where a run does not succeed."""
    jobs: Mapping[str, Mapping[str, str]] = {"currency-movers": {}, "settlement-export": {"day": last_day}}
    with Workspace(find_project(root), workers=2) as workspace:
        for row in reversed(workspace.store.runs(states=UNFINISHED, roots_only=True)):
            if rerun or row.state == RunState.CANCELLING:
                assert workspace.cancel_abandoned(row.id).wait() in (RunState.CANCELLED, RunState.SUCCEEDED)
            else:
                succeed(workspace.resume(row.id))
        made = workspace.assets.plan("*", mode="stale", partitions=f"2025-01-01..{last_day}")
        if made.plan.steps:
            succeed(workspace.start_plan(made.plan, skip_unchanged=True))
        for job, params in jobs.items():
            if not workspace.freshness(job, params).is_fresh:
                succeed(workspace.start_job(job, params))


def succeed(handle: RunHandle) -> None:
    """Waits for a run to succeed."""
    if handle.wait() is not RunState.SUCCEEDED:
        errors = [task.error.headline() for task in handle.active.run.graph.runs if task.error is not None]
        raise RuntimeError(f"run {handle.id} of {handle.active.plan.job} {handle.state}: {'; '.join(errors[:3])}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "--rerun" in sys.argv)
