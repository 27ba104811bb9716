"""Starting a run, following it and telling how it ended: what `run`, `materialize`, `resume` and `retry` share."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

from batuta.cli.formats import short_path
from batuta.cli.output import Output, print_json
from batuta.cli.summary import print_summary, summarize, summary_data

if TYPE_CHECKING:
    from batuta.cli.following import Following
    from batuta.engine.workspace import RunHandle, Workspace
    from batuta.runtime.project import Project


def attend(
    workspace: Workspace,
    start: Callable[[], RunHandle],
    out: Output,
    *,
    plain: bool = False,
    show_logs: bool = False,
) -> int:
    """Start a run, show its progress, wait for its end and sum it up. The exit code."""
    from batuta.cli.following import Follower

    tail = None
    if show_logs:
        from batuta.cli.log_tail import LogTail

        tail = LogTail(workspace.project.home)
    follower = Follower(workspace, out, plain=plain, tail=tail)
    handle = start()
    ended = follower.follow(handle)
    return conclude(workspace, handle.id, ended, out)


def command_for(project: Project) -> str:
    """`batuta`, or `batuta -C folder` where from here another project's runs would be seen."""
    from batuta.cli.targets import project_at

    if project_at("").home == project.home:
        return "batuta"
    return f"batuta -C {shlex.quote(short_path(project.root))}"


def conclude(workspace: Workspace, run_id: int, ended: Following, out: Output) -> int:
    """Tell how a run that was followed ended. The exit code."""
    summary = summarize(workspace.store, run_id)
    summary.command = command_for(workspace.project)
    if out.json:
        print_json({"event": "run_finished", **summary_data(summary, workspace.project.home)})
    else:
        print_summary(out, summary, workspace.project.home, interrupted=ended.interrupted_by)
    return ended.exit_code
