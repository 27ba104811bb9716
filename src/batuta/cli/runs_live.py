"""`batuta runs watch` and `cancel`: runs that are executed anywhere, reached through the store."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from batuta.cli import exits
from batuta.cli.output import Output, output_options, print_json
from batuta.cli.targets import open_store, project_at, workspace_of
from batuta.core.states import RUN_FINAL, RunState

if TYPE_CHECKING:
    from batuta.store.rows import RunRow
    from batuta.store.store import Store

CANCEL_WAIT_S = 5.0


@click.command()
@click.argument("run_id", type=int, metavar="[ID]", required=False)
@click.option("--plain", is_flag=True, help="Lines instead of a live picture.")
@output_options
def watch(run_id: int | None, plain: bool, out: Output) -> int:
    """Follow a run that is executed anywhere.

    Without ID, the newest. Ctrl-C stops watching, not the run. The exit code is that of the run.

    \b
    Examples:
      batuta runs watch
      batuta runs watch 42
    """
    from batuta.cli.following import Ticker, make_view
    from batuta.cli.live_runs import POLL_S, Replay, is_executed
    from batuta.cli.progress import Progress
    from batuta.cli.records import run_row
    from batuta.cli.summary import exit_code_of, print_summary, summarize, summary_data

    with open_store() as store:
        row = run_row(store, run_id if run_id is not None else _newest(store))
        progress = Progress()
        replay = Replay(store, row, progress)
        over = replay.advance(news=False)
        ticker = Ticker(progress, make_view(progress, out, plain=plain))
        ticker.start()
        try:
            while not over:
                time.sleep(POLL_S)
                over = replay.advance() or replay.state is RunState.PAUSED
                if not over and not is_executed(row := run_row(store, row.id), time.time()):
                    break
        except KeyboardInterrupt:
            ticker.stop()
            out.note(f"run {row.id} goes on; `batuta runs watch {row.id}` shows it again")
            return exits.OK
        ticker.stop()
        summary = summarize(store, row.id)
        home = project_at("").home
        if out.json:
            print_json({"event": "run_finished", **summary_data(summary, home)})
        else:
            print_summary(out, summary, home)
        if not over:
            out.warn(f"nobody executes run {row.id} now")
        return exit_code_of(summary.row.state)


@click.command()
@click.argument("run_id", type=int, metavar="ID")
@click.option("--hard", is_flag=True, help="End what is running at once, teardowns too.")
@click.option("--no-wait", is_flag=True, help="Ask, and do not wait until it has stopped.")
@output_options
def cancel(run_id: int, hard: bool, no_wait: bool, out: Output) -> int:
    """Ask a run to stop, wherever it is executed.

    Its engine hears of it within a second. What is running is asked to stop; teardowns are still run.

    \b
    Examples:
      batuta runs cancel 42
      batuta runs cancel 42 --hard
    """
    from batuta.cli.live_runs import is_executed, wait_for
    from batuta.cli.records import run_row
    from batuta.core.errors import RequestError
    from batuta.runtime.people import person

    with open_store() as store:
        row = run_row(store, run_id)
        if RunState(row.state) in RUN_FINAL:
            raise RequestError(f"run {run_id} has {row.state} already")
        if not is_executed(row, time.time()):
            return _cancel_abandoned(row, out)
        store.request(run_id, "cancel", {"hard": hard}, by=person(), now=time.time())
        if not no_wait:
            out.note(f"asked run {run_id} to stop; waiting for it")
            wait_for(lambda: _has_stopped(store, run_id), timeout_s=3600.0 if not hard else CANCEL_WAIT_S * 4)
        row = run_row(store, run_id)
    out.document({"run": run_id, "state": row.state})
    out.say(f"run {run_id} is {row.state}")
    return exits.OK


def _has_stopped(store: Store, run_id: int) -> bool:
    from batuta.cli.live_runs import is_executed
    from batuta.cli.records import run_row

    row = run_row(store, run_id)
    return RunState(row.state) in RUN_FINAL or not is_executed(row, time.time())


def _cancel_abandoned(row: RunRow, out: Output) -> int:
    """Nobody executes it: end it here. Its teardowns, if it has any, are run here."""
    from batuta.runtime.people import person

    with workspace_of(row) as workspace:
        handle = workspace.cancel_abandoned(row.id, by=person())
        state = handle.wait()
    out.document({"run": row.id, "state": str(state)})
    out.say(f"nobody executed run {row.id}; it is {state} now")
    return exits.OK


def _newest(store: Store) -> int:
    rows = store.runs(limit=1)
    return rows[0].id if rows else 0
