"""`batuta runs launch`: a run for the service to execute, with its place in the queue."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import click

from batuta.cli import exits
from batuta.cli.output import Output, output_options
from batuta.cli.targets import environment_option, load, parse_pairs, parse_params, project_at, tell_environment
from batuta.core.errors import RequestError, nearest

if TYPE_CHECKING:
    from batuta.engine.workspace import Workspace
    from batuta.runtime.project import Project
    from batuta.store.rows import KeyedRun

WAIT_MAX_S = 86400.0


@click.command()
@click.argument("job", metavar="JOB")
@click.option("-p", "--param", "pairs", multiple=True, metavar="NAME=VALUE", help="A parameter; may be repeated.")
@click.option("--params-json", metavar="JSON", help="Parameters as a JSON object, or @FILE.")
@click.option("--location", default="", metavar="NAME", help="The code location, where several have such a job.")
@click.option("--partitions", metavar="TEXT", help="Which partitions, of a job of assets.")
@click.option("--date", "date_text", metavar="DATE", help="The run's logical date (UTC unless it names a zone).")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag of the run; may be repeated.")
@environment_option
@click.option("--priority", type=int, default=0, show_default=True, help="Higher ones are started first.")
@click.option("--key", default="", metavar="KEY", help="Queue it at most once for this key.")
@click.option("--concurrency-key", default="", metavar="KEY", help="Only one run of a key at a time.")
@click.option("--wait", is_flag=True, help="Wait for its end; the exit code is the run's.")
@output_options
def launch(
    job: str,
    pairs: tuple[str, ...],
    params_json: str | None,
    location: str,
    partitions: str | None,
    date_text: str | None,
    tags: tuple[str, ...],
    environment: str,
    priority: int,
    key: str,
    concurrency_key: str,
    wait: bool,
    out: Output,
) -> int:
    """Queue a run for the service that runs.

    `batuta up` or `batuta scheduler` executes it as soon as the limits allow; without one it waits for it.

    \b
    Examples:
      batuta runs launch nightly
      batuta runs launch refresh -p day=2026-01-31 --priority 5 --wait
      batuta runs launch gold --partitions 2026-01..2026-03
      batuta runs launch nightly --key 2026-01-31         a second time does nothing
    """
    from batuta.cli.formats import parse_date
    from batuta.runtime.people import person
    from batuta.scheduler.launching import RunSpec

    spec = RunSpec(
        job=job,
        location=location,
        params=parse_params(pairs, params_json),
        partition=partitions,
        tags=parse_pairs(tags, "--tag"),
        environment=environment,
        priority=priority,
        key=key or uuid.uuid4().hex,
        concurrency_key=concurrency_key,
        logical_at=None if date_text is None else parse_date(date_text),
        by=person(),
    )
    project = project_at("")
    with _workspace(project, job, location) as workspace:
        tell_environment(workspace, environment, out)
        keyed = _rows(workspace, spec)
        if environment:
            workspace.store.environments.make(environment, by=spec.by, now=time.time())
        ((run_id, is_new),) = workspace.store.create_keyed("manual", [keyed], now=time.time())
        row = workspace.store.run(run_id)
        out.document({"run": run_id, "new": is_new, "state": row.state if row is not None else None})
        out.say(f"run {run_id} of {job} is queued" if is_new else f"run {run_id} had that key already")
        if not any(each.kind in ("up", "scheduler") for each in workspace.store.processes(time.time() - 30)):
            out.note("no scheduler runs here: `batuta up` executes it")
        return _wait_for(workspace, run_id, out) if wait else exits.OK


def _workspace(project: Project, job: str, location: str) -> Workspace:
    """The workspace of the location that has the job."""
    from batuta.engine.workspace import Workspace

    names = [location] if location else [each.name for each in project.locations]
    known: list[str] = []
    for name in names:
        workspace = Workspace(project, location=name)
        try:
            jobs = [each.name for each in load(workspace).jobs]
        except BaseException:
            workspace.close()
            raise
        if job in jobs:
            return workspace
        known += jobs
        workspace.close()
    hint = nearest(job, known) or f"jobs: {', '.join(sorted(known)) or 'none'}"
    raise RequestError(f"there is no job {job!r}", where=project.root, hint=hint)


def _rows(workspace: Workspace, spec: Any) -> KeyedRun:
    from batuta.core import definitions as model
    from batuta.scheduler.launching import plan_of, rows_of

    definitions = workspace.definitions
    job = workspace.job(spec.job)
    plan = plan_of(spec, job, lambda: workspace.assets)
    params = dict(spec.params) if job.plan is None else workspace.validated(job.name, spec.params)
    version = model.content_hash(model.encode(definitions))
    return rows_of(
        spec, job, plan, params, workspace.location, version, project_root=workspace.project.root, now=time.time()
    )


def _wait_for(workspace: Workspace, run_id: int, out: Output) -> int:
    from batuta.cli.live_runs import wait_for
    from batuta.cli.records import run_row
    from batuta.cli.summary import exit_code_of
    from batuta.core.states import RUN_FINAL, RunState

    wait_for(lambda: RunState(run_row(workspace.store, run_id).state) in RUN_FINAL, WAIT_MAX_S)
    row = run_row(workspace.store, run_id)
    out.say(f"run {run_id} has {row.state}" + (f": {row.error}" if row.error else ""))
    return exit_code_of(row.state)
