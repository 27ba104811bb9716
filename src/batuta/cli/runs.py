"""`batuta runs`: the group; and what looks at runs: `list` and `show`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from batuta.cli.formats import between, clock, parse_age, partitions, plural, when
from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Cell, Output, output_options, state_cell, table
from batuta.cli.targets import open_store, parse_pairs, project_at
from batuta.core.environments import TAG
from batuta.core.states import RunState

if TYPE_CHECKING:
    from batuta.cli.summary import RunSummary
    from batuta.store.rows import TaskRunRow
    from batuta.store.store import Store

TASKS_SHOWN = 50

RUNS = {
    "list": Lazy("runs:list_runs", "List runs, newest first.", "Look"),
    "show": Lazy("runs:show_run", "Show a run: its task runs, what it made, what failed.", "Look"),
    "external": Lazy("external:runs_external", "List runs elsewhere, those first that began last.", "Look"),
    "artifacts": Lazy("artifacts:artifacts", "List what a run left to be looked at, or show one of it.", "Look"),
    "launch": Lazy("runs_launch:launch", "Queue a run for the service that runs.", "Do"),
    "watch": Lazy("runs_live:watch", "Follow a run that is executed anywhere.", "Look"),
    "cancel": Lazy("runs_live:cancel", "Ask a run to stop, wherever it is executed.", "Do"),
    "resume": Lazy("runs_again:resume", "Go on with a run that was interrupted or waits for an answer.", "Do"),
    "retry": Lazy("runs_again:retry", "Run again what failed in a run.", "Do"),
    "mark": Lazy("runs_again:mark", "Say how task runs, or a run, have ended.", "Do"),
}


@click.group(cls=LazyGroup, lazy=RUNS)
def runs() -> None:
    """List, show, launch, watch, cancel, resume, retry and mark runs."""


@click.command("list")
@click.option("--state", "states", multiple=True, type=click.Choice([state.value for state in RunState]))
@click.option("--job", metavar="NAME", help="Only runs of this job.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Only runs with this tag; may be repeated.")
@click.option("--env", "environment", metavar="NAME", help="Only runs in this environment.")
@click.option("--since", metavar="AGE", help="Only runs of the last 30d, 12h, 45m.")
@click.option("--before", type=int, metavar="ID", help="Only runs before this one: the next page.")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@output_options
def list_runs(
    states: tuple[str, ...],
    job: str | None,
    tags: tuple[str, ...],
    environment: str | None,
    since: str | None,
    before: int | None,
    limit: int,
    out: Output,
) -> None:
    """List runs, newest first.

    \b
    Examples:
      batuta runs list
      batuta runs list --state failed --since 7d
      batuta runs list --job nightly -n 100 --json | jq '.runs[].state'
    """
    from batuta.cli.live_runs import is_executed
    from batuta.cli.records import run_data
    from batuta.cli.show import run_table

    wanted = parse_pairs(tags, "--tag")
    if environment:
        wanted[TAG] = environment
    now = time.time()
    with open_store() as store:
        rows = store.runs(
            job=job,
            states=list(states) or None,
            tags=wanted or None,
            since=None if since is None else now - parse_age(since),
            before=before,
            limit=limit + 1,
        )
        more, rows = len(rows) > limit, rows[:limit]
        out.document({"runs": [run_data(row) for row in rows]})
        if rows:
            out.say(run_table(rows, now))
            if more:
                out.note(f"  older ones: --before {rows[-1].id}")
            for row in rows:
                if row.state in ("running", "cancelling") and not is_executed(row, now):
                    out.note(f"  nobody executes run {row.id} now: `batuta runs resume {row.id}` goes on with it")
        else:
            out.note("no runs" if not (states or job or wanted or since) else "no such runs")


@click.command("show")
@click.argument("run_id", type=int, metavar="ID")
@click.option("--all", "everything", is_flag=True, help=f"All task runs, not just {TASKS_SHOWN}.")
@click.option("--state", "states", multiple=True, metavar="STATE", help="Only task runs in this state.")
@output_options
def show_run(run_id: int, everything: bool, states: tuple[str, ...], out: Output) -> None:
    """Show a run: its task runs, what it made, what failed.

    \b
    Examples:
      batuta runs show 42
      batuta runs show 42 --state failed --all
    """
    from batuta.cli.records import task_data
    from batuta.cli.summary import print_summary, summarize, summary_data
    from batuta.server.links import Links, run_links

    with open_store() as store:
        home = project_at("").home
        summary = summarize(store, run_id)
        tasks = store.task_runs(run_id, states=list(states) or None)
        if summary.row.kind == "flow":
            tasks = [task for task in tasks if task.kind != "flow"]
        links = run_links(Links(), summary.row)
        if out.json:
            said = [{"title": link.title, "url": link.url} for link in links]
            tasks_data = [task_data(task, home) for task in tasks]
            out.document({**summary_data(summary, home), "tasks": tasks_data, "links": said})
            return
        _tell_run(summary, store, out)
        for link in links:
            out.say(f"  {link.title}  {link.url}")
        if tasks:
            out.say(task_table(tasks if everything else tasks[:TASKS_SHOWN]))
            if len(tasks) > TASKS_SHOWN and not everything:
                out.say(f"  and {plural(len(tasks) - TASKS_SHOWN, 'more task run')} (--all)")
        print_summary(out, summary, home)


def _tell_run(summary: RunSummary, store: Store, out: Output) -> None:
    from batuta.cli.show import pairs

    row, now = summary.row, time.time()
    children = store.runs(parent_run=row.id, limit=100)
    params = ", ".join(f"{name}={value}" for name, value in row.params.items())
    rows: list[tuple[str, str]] = [
        ("job", f"{row.job} ({row.kind})"),
        ("code", row.location),
        ("started", when(row.started_at, now)),
        ("finished", when(row.finished_at, now)),
        ("trigger", row.trigger + (f" of run {row.parent_run}" if row.parent_run else "")),
        ("parameters", params),
        ("partition", partitions(row.partition)),
        ("tags", ", ".join(f"{key}={value}" for key, value in row.tags.items())),
        ("started runs", ", ".join(f"{child.id} ({child.job}, {child.state})" for child in children)),
        ("executed by", row.owner if row.finished_at is None else ""),
    ]
    pairs(out, rows)


def task_table(tasks: list[TaskRunRow]) -> str:
    """Task runs as a table."""
    from batuta.cli.records import error_info, task_key

    rows: list[Any] = []
    for task in tasks:
        told = error_info(task).headline() if task.error and task.state in ("failed", "retrying") else task.reason
        attempt = str(task.attempt) if task.attempt > 1 else ""
        started = clock(task.started_at) if task.started_at else ""
        took = between(task.started_at, task.finished_at)
        rows.append((Cell(task_key(task), bold=True), state_cell(task.state), started, took, attempt, told))
    return table(("TASK RUN", "STATE", "STARTED", "TOOK", "TRY", ""), rows, indent="  ", right=(3, 4))
