"""What runs elsewhere, for people: jobs that events of OpenLineage tell of, and `batuta runs external`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from batuta.cli.formats import ago, between, plural, when
from batuta.cli.output import Cell, Output, output_options, state_cell, table
from batuta.cli.targets import open_store, project_at, store_if_any
from batuta.core.errors import RequestError

if TYPE_CHECKING:
    from batuta.core.external_jobs import ExternalJob, ExternalRun
    from batuta.core.external_lineage import External
    from batuta.engine.workspace import Workspace


def external_in(workspace: Workspace) -> External:
    """What the store of a workspace knows of what runs elsewhere."""
    from batuta.engine.external import external_in as found_in

    return found_in(workspace.project, store_if_any(workspace))


def jobs_in(workspace: Workspace) -> list[ExternalJob]:
    """The jobs elsewhere, by namespace and name."""
    store = store_if_any(workspace)
    found = {} if store is None else store.external.jobs_since()
    return sorted(found.values(), key=lambda job: (job.namespace, job.name))


def job_data(job: ExternalJob, lost_after_s: float, now: float) -> dict[str, Any]:
    """A job elsewhere as JSON."""
    newest = job.newest
    return {
        "namespace": job.namespace,
        "name": job.name,
        "producer": job.producer.value,
        "state": job.state_at(now, lost_after_s),
        "run": None if newest is None else newest.run,
        "began_at": None if newest is None else newest.began_at,
        "last_at": job.last_at,
    }


def job_table(jobs: Iterable[ExternalJob], lost_after_s: float, now: float) -> str:
    """Jobs elsewhere as a table."""
    rows = []
    for job in jobs:
        state = job.state_at(now, lost_after_s)
        seen = "" if job.newest is None else ago(job.newest.began_at, now)
        shown = state_cell(state) if state else Cell("never ran", dim=True)
        rows.append((Cell(job.name, bold=True), job.namespace, shown, seen, Cell(job.producer.value, dim=True)))
    return table(("NAME", "NAMESPACE", "STATE", "LAST RUN", "PRODUCER"), rows, indent="  ")


@click.command("external")
@click.argument("job", required=False, metavar="[NAMESPACE/NAME]")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@output_options
def runs_external(job: str | None, limit: int, out: Output) -> None:
    """List runs elsewhere, those first that began last.

    Others (Spark, dbt, Airflow, ...) tell of them by OpenLineage; `batuta list external` lists their jobs.

    \b
    Examples:
      batuta runs external
      batuta runs external spark/load_orders -n 100
    """
    from batuta.engine.external import rules_of

    now, lost_after_s = time.time(), rules_of(project_at("")).lost_after_s
    with open_store() as store:
        jobs = store.external.jobs_since()
        rows = store.external.runs(job=_key_of(jobs, job), limit=limit)
        names = {key: f"{one.namespace}/{one.name}" for key, one in jobs.items()}
        out.document({"runs": [_run_data(row, names, lost_after_s, now) for row in rows]})
        if rows:
            out.say(_run_table(rows, names, lost_after_s, now))
        else:
            out.note("nobody has told of runs elsewhere" if not jobs else "no runs")


def _key_of(jobs: dict[str, ExternalJob], name: str | None) -> str | None:
    """The key of a job by its name, with or without its namespace. Raises RequestError."""
    if name is None:
        return None
    from batuta.core.similar import similar

    found = [key for key, one in jobs.items() if name in (f"{one.namespace}/{one.name}", one.name)]
    if len(found) == 1:
        return found[0]
    whole = [f"{one.namespace}/{one.name}" for one in jobs.values()]
    if found:
        named = ", ".join(f"{jobs[key].namespace}/{name}" for key in found)
        raise RequestError(f"there are {plural(len(found), 'job')} called {name!r}", hint=f"say which: {named}")
    hint = similar(name, whole) or "`batuta list external` lists them"
    raise RequestError(f"nobody has told of a job {name!r}", hint=hint)


def _run_data(run: ExternalRun, names: dict[str, str], lost_after_s: float, now: float) -> dict[str, Any]:
    return {
        "id": run.id,
        "job": names.get(run.job, ""),
        "state": run.state_at(now, lost_after_s),
        "began_at": run.began_at,
        "ended_at": run.ended_at,
        "last_at": run.last_at,
        "parent": run.parent or None,
        "producer": run.producer.value,
    }


def _run_table(runs: list[ExternalRun], names: dict[str, str], lost_after_s: float, now: float) -> str:
    rows = [
        (
            Cell(run.id, dim=True),
            Cell(names.get(run.job, ""), bold=True),
            state_cell(run.state_at(now, lost_after_s)),
            when(run.began_at, now),
            "" if run.ended_at == run.began_at else between(run.began_at, run.ended_at),
        )
        for run in runs
    ]
    return table(("RUN", "JOB", "STATE", "BEGAN", "TOOK"), rows)
