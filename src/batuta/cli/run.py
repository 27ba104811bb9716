"""`batuta run`: start a flow or a DAG and stay with it until it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from batuta.cli import exits
from batuta.cli.output import Output, output_options, print_json
from batuta.cli.targets import (
    environment_option,
    execution_options,
    file_option,
    load,
    one_at_most,
    open_workspace,
    parse_pairs,
    parse_params,
    split_target,
    tell_environment,
)
from batuta.core.errors import LoadError, RequestError

if TYPE_CHECKING:
    from batuta.core.definitions import Definitions
    from batuta.engine.workspace import Workspace


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE] [JOB]")
@click.option("-p", "--param", "pairs", multiple=True, metavar="NAME=VALUE", help="A parameter; may be repeated.")
@click.option("--params-json", metavar="JSON", help="Parameters as a JSON object, or @FILE.")
@click.option("--date", "date_text", metavar="DATE", help="The run's logical date (UTC unless it names a zone).")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag of the run; may be repeated.")
@environment_option
@click.option("--if-changed", is_flag=True, help="Only if its code, its parameters or what it read have changed.")
@file_option
@execution_options
@output_options
def run(
    words: tuple[str, ...],
    pairs: tuple[str, ...],
    params_json: str | None,
    date_text: str | None,
    tags: tuple[str, ...],
    environment: str,
    if_changed: bool,
    file: str | None,
    executor: str | None,
    workers: int | None,
    show_logs: bool,
    plain: bool,
    out: Output,
) -> int:
    """Run a flow or a DAG.

    FILE is a Python file or a folder; in a project it may be left out. JOB may be left out where there is only one.
    The command ends when the run does. Ctrl-C asks it to stop, twice ends it. With --if-changed nothing runs where the
    last run that succeeded read the same data with the same code and parameters.

    \b
    Examples:
      batuta run pipeline.py
      batuta run pipeline.py refresh -p day=2026-01-31 -p full=true
      batuta run nightly --date 2026-01-31 --workers 8
      batuta run report --if-changed             only if the assets that it read have changed
      batuta run nightly --executor inline       one step at a time, for a debugger
      batuta run nightly --json | jq -c .        progress as JSON lines
    """
    from batuta.cli.attending import attend
    from batuta.cli.formats import parse_date

    target, rest = split_target(words, file)
    params = parse_params(pairs, params_json)
    run_tags = parse_pairs(tags, "--tag")
    logical_at = None if date_text is None else parse_date(date_text)
    with open_workspace(target, executor=executor, workers=workers) as workspace:
        definitions = load(workspace)
        tell_environment(workspace, environment, out)
        name = _chosen(workspace, definitions, one_at_most(rest, "job"))
        if if_changed and not is_changed(workspace, name, params, logical_at, out):
            return exits.OK
        return attend(
            workspace,
            lambda: workspace.start_job(name, params, logical_at=logical_at, tags=run_tags, environment=environment),
            out,
            plain=plain,
            show_logs=show_logs,
        )


def is_changed(
    workspace: Workspace, name: str, params: Mapping[str, Any], logical_at: float | None, out: Output
) -> bool:
    """Whether a job has a reason to run; tells either the reasons or that there is none."""
    found = workspace.freshness(name, params, logical_at=logical_at)
    if found.is_fresh:
        assert found.run is not None
        if out.json:
            print_json({"event": "run_skipped", "job": name, "fresh_since_run": found.run.id})
        elif not out.quiet:
            out.say(
                click.style("✓", fg="green") + f" {name} is fresh: nothing that run {found.run.id} read has changed"
            )
        return False
    if not out.quiet and not out.json:
        out.say(click.style(f"{name} runs: {'; '.join(found.reasons)}", dim=True))
    return True


def _chosen(workspace: Workspace, definitions: Definitions, name: str) -> str:
    """The job that is meant. Raises RequestError, or LoadError where the job may be in a file that cannot be loaded."""
    jobs = {job.name: job for job in definitions.jobs if job.plan is not None}
    if name and name not in jobs and definitions.problems:
        raise LoadError(
            f"there is no job {name!r} in what could be loaded",
            hint="mend the problems above: it may be in there",
        )
    if name:
        return workspace.job(name).name
    if len(jobs) == 1:
        return next(iter(jobs))
    where = workspace.target or workspace.project.root
    if jobs:
        listed = "\n".join(f"    {job.name}  ({job.kind}, {job.place})" for job in jobs.values())
        raise RequestError(f"there are {len(jobs)} jobs, say which:\n{listed}", where=where)
    if definitions.assets:
        hint = "they are made by `batuta materialize`"
        raise RequestError(f"there is no job, but there are {len(definitions.assets)} assets", where=where, hint=hint)
    hint = "decorate a function with @flow, or write `with DAG(...)` at the top of the file"
    raise RequestError("there is nothing to run", where=where, hint=hint)
