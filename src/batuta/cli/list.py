"""`batuta list`: what is defined here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from batuta.cli.formats import ago, number, plural
from batuta.cli.output import Cell, Output, output_options, state_cell, table
from batuta.cli.targets import file_option, load, open_workspace, split_target

if TYPE_CHECKING:
    from batuta.cli.catalog import AssetRow
    from batuta.core.definitions import CheckSpec, JobSpec
    from batuta.engine.workspace import Workspace
    from batuta.store.rows import CheckRow, RunRow

KINDS = ("jobs", "assets", "checks", "external")
VERDICTS = {"passed": "green", "warned": "yellow", "failed": "red"}
ASSET_STATES = {"fresh": "green", "stale": "yellow", "missing": "red", "external": "bright_black"}


@click.command("list")
@click.argument("words", nargs=-1, metavar="[FILE] [jobs|assets|checks|external] [SELECTION]")
@file_option
@output_options
def list_(words: tuple[str, ...], file: str | None, out: Output) -> None:
    """List jobs, assets and checks.

    With a selection, only assets that it selects, and their checks; with `external`, jobs that run elsewhere, of which
    OpenLineage events tell.

    \b
    Examples:
      batuta list
      batuta list jobs
      batuta list assets layer:silver,stale      silver assets that are stale
      batuta list checks failed                  checks of assets with a failed one
      batuta list external                       jobs of Spark, dbt, Airflow, ... elsewhere
      batuta list lake.py
    """
    from batuta.cli.catalog import asset_data, check_spec_data, job_data
    from batuta.cli.external import job_data as external_data
    from batuta.cli.external import job_table as external_table
    from batuta.cli.external import jobs_in
    from batuta.engine.external import rules_of

    target, rest = split_target(words, file)
    kinds, selection = _kinds(rest)
    with open_workspace(target) as workspace:
        load(workspace)
        jobs = _jobs(workspace) if "jobs" in kinds and not selection else []
        assets, checks = _assets(workspace, kinds, selection)
        elsewhere = jobs_in(workspace) if "external" in kinds else []
        now, lost_after_s = time.time(), rules_of(workspace.project).lost_after_s
        data: dict[str, Any] = {}
        if "jobs" in kinds:
            data["jobs"] = [job_data(job, last) for job, last in jobs]
        if "assets" in kinds:
            data["assets"] = [asset_data(row) for row in assets]
        if "checks" in kinds:
            data["checks"] = [check_spec_data(check, verdicts) for check, verdicts in checks]
        if "external" in kinds:
            data["external"] = [external_data(job, lost_after_s, now) for job in elsewhere]
        out.document(data)
        sections = _sections(workspace, jobs, assets, checks, now)
        if elsewhere:
            sections.append(_section("external jobs", len(elsewhere), external_table(elsewhere, lost_after_s, now)))
        if sections:
            out.say("\n\n".join(sections))
        else:
            out.note(f"no {' or '.join(kinds)} here" if len(kinds) < len(KINDS) else "nothing is defined here")


def _kinds(words: Sequence[str]) -> tuple[tuple[str, ...], str]:
    kinds = tuple(word for word in words if word in KINDS)
    selection = " ".join(word for word in words if word not in KINDS)
    return kinds or (KINDS if not selection else ("assets", "checks")), selection


def _jobs(workspace: Workspace) -> list[tuple[JobSpec, RunRow | None]]:
    from batuta.cli.targets import store_if_any

    store = store_if_any(workspace)
    jobs = workspace.definitions.jobs
    last = store.latest_runs([job.name for job in jobs]) if store is not None and jobs else {}
    return [(job, last.get(job.name)) for job in jobs]


def _assets(
    workspace: Workspace, kinds: Sequence[str], selection: str
) -> tuple[list[AssetRow], list[tuple[CheckSpec, list[CheckRow]]]]:
    from batuta.cli.catalog import asset_rows, verdicts_of

    if not workspace.definitions.assets and not selection:
        return [], []
    selected = workspace.assets.select(selection or "*")
    chosen = set(selected)
    checks = [check for check in workspace.definitions.checks if check.asset in chosen]
    verdicts = verdicts_of(checks, workspace.store.checks_current())
    rows = asset_rows(workspace, selected) if "assets" in kinds else []
    return rows, [(check, verdicts[check.key]) for check in checks if "checks" in kinds]


def _sections(
    workspace: Workspace,
    jobs: list[tuple[JobSpec, RunRow | None]],
    assets: list[AssetRow],
    checks: list[tuple[CheckSpec, list[CheckRow]]],
    now: float,
) -> list[str]:
    sections = []
    if jobs:
        sections.append(_section("jobs", len(jobs), job_table(jobs, now)))
    if assets:
        sections.append(_section("assets", len(assets), asset_table(assets, workspace.definitions.layers, now)))
    if checks:
        sections.append(_section("checks", len(checks), check_table(checks, now)))
    return sections


def _section(name: str, count: int, text: str) -> str:
    return f"{click.style(plural(count, name.removesuffix('s')), bold=True)}\n{text}"


def job_table(jobs: list[tuple[JobSpec, RunRow | None]], now: float) -> str:
    """Jobs as a table."""
    rows = []
    for job, last in jobs:
        steps = "" if job.plan is None or job.kind == "flow" else f"{len(job.plan.steps):,}"
        state = state_cell(last.state) if last else Cell("never ran", dim=True)
        seen = f"run {last.id}, {ago(last.created_at, now)}" if last else ""
        rows.append(
            (Cell(job.name, bold=True), job.kind, steps, job.schedule, state, seen, _first_line(job.description))
        )
    return table(("NAME", "KIND", "STEPS", "SCHEDULE", "STATE", "LAST RUN", ""), rows, indent="  ", right=(2,))


def asset_table(assets: list[AssetRow], layers: Sequence[str], now: float) -> str:
    """Assets as a table, by layer and in the order in which they are made."""
    from batuta.cli.catalog import by_layer

    rows = []
    for row in by_layer(assets, layers):
        partitions = "" if row.partitions is None else f"{row.made:,}/{row.partitions:,}"
        last = "" if row.last is None else ago(row.last.at, now)
        count = "" if row.rows is None or row.partitions is not None else number(row.rows)
        cells = (
            Cell(row.spec.key, bold=True),
            row.spec.layer,
            row.spec.group,
            Cell(row.state, ASSET_STATES[row.state]),
            partitions,
            last,
            count,
            checks_cell(row),
        )
        rows.append(cells)
    headers = ("ASSET", "LAYER", "GROUP", "STATE", "PARTITIONS", "MADE", "ROWS", "CHECKS")
    return table(headers, rows, indent="  ", right=(4, 6))


def checks_cell(row: AssetRow) -> Cell:
    """The checks of an asset in a few characters."""
    if not row.checks_run:
        return Cell(f"{row.checks} never ran" if row.checks else "", dim=True)
    if row.checks_failed:
        return Cell(f"✗ {row.checks_failed} of {row.checks} failed", "red")
    return Cell(f"✓ {row.checks_run}" + (f" of {row.checks}" if row.checks_run < row.checks else ""), "green")


def verdict_cell(level: str, times: str = "") -> Cell:
    """How a check came out, in its colour."""
    return Cell(level + times, VERDICTS.get(level), dim=level == "unknown")


def check_table(checks: list[tuple[CheckSpec, list[CheckRow]]], now: float) -> str:
    """Checks with their last results as a table."""
    rows = []
    for check, verdicts in checks:
        failed = [verdict for verdict in verdicts if not verdict.passed]
        if not verdicts:
            state = Cell("never ran", dim=True)
        elif failed:
            word = "warned" if all(verdict.outcome == "warned" for verdict in failed) else "failed"
            state = verdict_cell(word, f" in {len(failed)} of {len(verdicts)}" if len(verdicts) > 1 else "")
        else:
            state = verdict_cell("unknown" if all(verdict.outcome == "unknown" for verdict in verdicts) else "passed")
        at = ago(max(verdict.at for verdict in verdicts), now) if verdicts else ""
        told = failed[0].description if failed else check.description
        kind = "blocking" if check.blocking else "warning"
        rows.append((check.asset, Cell(check.name, bold=True), kind, state, at, _first_line(told)))
    return table(("ASSET", "CHECK", "KIND", "RESULT", "WHEN", ""), rows, indent="  ")


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
