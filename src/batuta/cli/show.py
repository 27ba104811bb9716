"""`batuta show`: all about one job, asset or check."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from batuta.cli.formats import ago, number, plural, short_path, size, when
from batuta.cli.output import Cell, Output, output_options, state_cell, styled_state, table
from batuta.cli.targets import (
    environment_option,
    file_option,
    load,
    one_at_most,
    open_workspace,
    split_target,
    store_if_any,
)
from batuta.core.errors import RequestError, nearest

if TYPE_CHECKING:
    from batuta.cli.catalog import AssetRow
    from batuta.core.definitions import CheckSpec, JobSpec
    from batuta.core.schedule_specs import ScheduleSpec
    from batuta.core.staleness import Freshness
    from batuta.engine.workspace import Workspace
    from batuta.server.shapes.base import Link
    from batuta.store.rows import CheckRow, MaterializationRow, RunRow

RUNS_SHOWN = 5
MADE_SHOWN = 5
STALE_SHOWN = 10


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[FILE] NAME")
@click.option("--rows", type=click.IntRange(1, 1000), metavar="N", help="The first rows of an asset's table.")
@click.option("--versions", is_flag=True, help="The versions of its table that can be read.")
@click.option("--version", metavar="VERSION", help="Its rows as they were in a version of its table.")
@click.option("--run", type=click.IntRange(1), metavar="ID", help="Its rows as a run left them.")
@click.option("--partition", metavar="KEY", default="", help="The rows of a partition.")
@environment_option
@file_option
@output_options
def show(
    words: tuple[str, ...],
    rows: int | None,
    versions: bool,
    version: str | None,
    run: int | None,
    partition: str,
    environment: str,
    file: str | None,
    out: Output,
) -> None:
    """Show a job or an asset in full.

    A job with its parameters, steps, schedule and last runs; an asset with its layer, dependencies, checks, last
    materializations, metadata, and why it is stale; a check (asset:check) with its last results. With --rows, --version
    or --run: rows of the asset's table; with --versions: which there are to be read.

    \b
    Examples:
      batuta show nightly
      batuta show gold.revenue
      batuta show gold.revenue:not_empty
      batuta show gold.revenue --rows 20
      batuta show gold.revenue --versions
      batuta show gold.revenue --version 12       what is in it then (DeltaIO, IcebergIO)
      batuta show gold.revenue --run 41           what that run left
    """
    target, rest = split_target(words, file)
    name = one_at_most(rest, "name")
    with open_workspace(target) as workspace:
        definitions = load(workspace)
        jobs = {job.name: job for job in definitions.jobs}
        assets = {asset.key: asset for asset in definitions.assets}
        checks = {check.key: check for check in definitions.checks}
        if versions or rows or version or run is not None or partition or environment:
            from batuta.cli.show_rows import show_rows, show_versions

            if name not in assets:
                hint = nearest(name, assets) or "--rows and the like are of assets; `batuta list assets` shows them"
                raise RequestError(f"there is no asset {name!r}", hint=hint)
            if versions:
                show_versions(workspace, name, environment, out)
            else:
                show_rows(workspace, name, environment, partition, version or "", run, rows, out)
        elif name in jobs:
            _show_job(workspace, jobs[name], [one for one in definitions.schedules if one.job == name], out)
        elif name in assets:
            _show_asset(workspace, name, out)
        elif name in checks:
            _show_check(workspace, checks[name], out)
        else:
            known = [*jobs, *assets, *checks]
            hint = nearest(name, known) or "`batuta list` shows what there is"
            raise RequestError(f"there is no job, asset or check {name!r}", hint=hint)


def pairs(out: Output, rows: Sequence[tuple[str, str]]) -> None:
    """`name  value` lines; those without a value are left out."""
    kept = [(Cell(name, dim=True), Cell(line)) for name, value in rows for line in value.split("\n")[:1] if value]
    if kept:
        out.say(table(("", ""), kept, indent="  "))


def title(out: Output, name: str, kind: str, about: str) -> None:
    """The first lines."""
    out.say(f"{click.style(name, bold=True)}  {click.style(kind, dim=True)}")
    for line in about.strip().splitlines():
        out.say(f"  {line.strip()}")


def heading(out: Output, text: str) -> None:
    out.say(f"\n{click.style(text, bold=True)}")


# ---- jobs ----


def _show_job(workspace: Workspace, job: JobSpec, schedules: Sequence[ScheduleSpec], out: Output) -> None:
    from batuta.cli.catalog import job_data
    from batuta.server.links import Links, job_links

    links = job_links(Links(), _location_of(workspace, job), job)
    store = store_if_any(workspace)
    last = store.runs(job=job.name, limit=RUNS_SHOWN) if store is not None else []
    told = {"runs": [row.id for row in last], "links": _links_data(links)}
    out.document({**job_data(job, last[0] if last else None), **told})
    if out.json:
        return
    title(out, job.name, job.kind, job.description)
    tags = ", ".join(f"{key}={value}" if value else key for key, value in job.tags.items())
    pairs(
        out,
        [
            ("defined at", short_path(str(job.place))),
            *(("schedule", _schedule_text(one)) for one in schedules),
            ("owners", ", ".join(job.owners)),
            ("tags", tags),
            ("selection", job.selection),
            *_link_pairs(links),
        ],
    )
    _show_params(job.params_schema, out)
    if job.plan is not None and job.kind != "flow":
        heading(out, plural(len(job.plan.steps), "step"))
        rows = [(step.key, step.kind, ", ".join(edge.step for edge in step.upstream)) for step in job.plan.steps]
        out.say(table(("STEP", "KIND", "AFTER"), rows, indent="  "))
    if last:
        heading(out, "last runs")
        out.say(run_table(last, time.time()))


def _location_of(workspace: Workspace, job: JobSpec) -> str:
    for one in workspace.each:
        if one.location and any(each.name == job.name for each in one.jobs):
            return one.location
    return workspace.location or workspace.project.name


def _links_data(links: Sequence[Link]) -> list[dict[str, str]]:
    return [{"title": link.title, "url": link.url} for link in links]


def _link_pairs(links: Sequence[Link]) -> list[tuple[str, str]]:
    """The links that plugins bring."""
    return [(link.title, link.url) for link in links]


def _schedule_text(spec: ScheduleSpec) -> str:
    from batuta.core.timetables import describe, text_of

    zone = f" ({spec.timing.timezone})" if spec.timing.timezone != "UTC" else ""
    return f"{text_of(spec.timing)}{zone}: {describe(spec.timing)}"


def _show_params(schema: Mapping[str, Any], out: Output) -> None:
    properties: dict[str, Any] = schema.get("properties", {})
    if not properties:
        return
    required = set(schema.get("required", ()))
    heading(out, "parameters")
    rows = []
    for name, one in properties.items():
        default = "required" if name in required else f"= {msgspec.json.encode(one.get('default')).decode()}"
        rows.append((Cell(name, bold=True), type_text(one), default, str(one.get("description", ""))))
    out.say(table(("", "", "", ""), rows, indent="  "))


def type_text(schema: Mapping[str, Any]) -> str:
    """The type in a JSON schema in a few words."""
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(type_text(one) for one in schema[key])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    kind = str(schema.get("type", "any"))
    if kind == "array" and isinstance(schema.get("items"), dict):
        return f"list of {type_text(schema['items'])}"
    return str(schema.get("format", kind))


def run_table(rows: Sequence[RunRow], now: float) -> str:
    """Runs as a table."""
    from batuta.cli.formats import between, partitions

    cells = []
    for row in rows:
        asked = str(row.params.get("selection", "")) if row.kind == "assets" else ""
        about = (
            row.error.partition("\n")[0] if row.error else " ".join(filter(None, (asked, partitions(row.partition))))
        )
        end = row.finished_at if row.finished_at is not None else now if row.state == "running" else None
        cells.append(
            (
                Cell(str(row.id), bold=True),
                row.job,
                state_cell(row.state),
                when(row.created_at, now),
                between(row.started_at, end),
                row.trigger,
                about,
            )
        )
    return table(("RUN", "JOB", "STATE", "CREATED", "TOOK", "TRIGGER", ""), cells, indent="  ", right=(0, 4))


# ---- assets ----


def _show_asset(workspace: Workspace, key: str, out: Output) -> None:
    from batuta.cli.catalog import asset_data, asset_rows, check_spec_data, verdicts_of
    from batuta.cli.records import materialization_data
    from batuta.server.links import Links, asset_links

    row = asset_rows(workspace, [key])[0]
    place = workspace.joined.locations.get(key) or workspace.location or workspace.project.name
    links = asset_links(Links(), place, row.spec)
    index = workspace.assets.index
    checks = index.checks_of.get(key, [])
    verdicts = verdicts_of(checks, workspace.store.checks_current([key]))
    made = workspace.store.materializations(key, limit=MADE_SHOWN)
    stale = {pair[1]: one for pair, one in workspace.assets.freshness().items() if pair[0] == key and not one.is_fresh}
    below = [spec.key for spec in index.assets.values() if any(dep.asset == key for dep in spec.deps)]
    out.document(
        {
            **asset_data(row),
            "downstream": below,
            "stale": {partition: list(one.reasons) for partition, one in stale.items()},
            "check_results": [check_spec_data(check, verdicts[check.key]) for check in checks],
            "materializations": [materialization_data(one) for one in made],
            "links": _links_data(links),
        }
    )
    if out.json:
        return
    _tell_asset(row, below, links, out)
    _tell_stale(stale, out)
    if checks:
        from batuta.cli.list import check_table

        heading(out, plural(len(checks), "check"))
        out.say(check_table([(check, verdicts[check.key]) for check in checks], time.time()))
    _tell_made(made, out)


def _tell_asset(row: AssetRow, below: Sequence[str], links: Sequence[Link], out: Output) -> None:
    from batuta.cli.catalog import automation_text, partitions_text
    from batuta.cli.list import ASSET_STATES

    spec = row.spec
    title(out, spec.key, "external asset" if spec.external else "asset", spec.description)
    partitions = "" if row.partitions is None else f" ({row.made:,} of {row.partitions:,} made)"
    pairs(
        out,
        [
            ("defined at", short_path(str(spec.place))),
            ("layer", spec.layer),
            ("group", spec.group),
            ("kinds", ", ".join(spec.kinds)),
            ("owners", ", ".join(spec.owners)),
            ("tags", ", ".join(f"{name}={value}" if value else name for name, value in spec.tags.items())),
            ("partitions", partitions_text(spec.partitions) + partitions),
            ("made from", ", ".join(dep.asset for dep in spec.deps)),
            ("needed by", ", ".join(below)),
            ("made by itself", automation_text(spec)),
            ("freshness", "" if spec.freshness is None else str(spec.freshness)),
            ("code version", spec.code_version),
            ("state", click.style(row.state, fg=ASSET_STATES[row.state])),
            *_link_pairs(links),
        ],
    )


def _tell_stale(stale: Mapping[str, Freshness], out: Output) -> None:
    if not stale:
        return
    heading(out, "why it is not fresh")
    rows = [(partition, "; ".join(one.reasons)) for partition, one in stale.items()]
    out.say(table(("", ""), rows[:STALE_SHOWN], indent="  "))
    if len(rows) > STALE_SHOWN:
        out.say(f"  and {plural(len(rows) - STALE_SHOWN, 'more partition')}")


def _tell_made(made: Sequence[MaterializationRow], out: Output) -> None:
    if not made:
        return
    now = time.time()
    heading(out, "last materializations")
    rows = []
    for one in made:
        metadata = msgspec.json.decode(one.metadata or b"{}")
        rows.append((f"run {one.run_id}", one.partition, ago(one.at, now), one.data_version[:12], _numbers(metadata)))
    out.say(table(("RUN", "PARTITION", "WHEN", "DATA VERSION", ""), rows, indent="  "))
    metadata = msgspec.json.decode(made[0].metadata or b"{}")
    if metadata:
        heading(out, "metadata of the last one")
        for name, value in metadata.items():
            for line in metadata_lines(name, value):
                out.say(f"  {line}")


def _numbers(metadata: Mapping[str, Any]) -> str:
    parts = []
    if isinstance(metadata.get("rows"), int):
        parts.append(plural(metadata["rows"], "row"))
    if isinstance(metadata.get("bytes"), int):
        parts.append(size(metadata["bytes"]))
    return ", ".join(parts)


def metadata_lines(name: str, value: Any) -> list[str]:
    """One item of metadata as text."""
    head = click.style(name, dim=True)
    if not isinstance(value, dict) or "type" not in value:
        return [f"{head}  {number(value)}"]
    match value["type"]:
        case "path":
            return [f"{head}  {short_path(str(value.get('path', '')))}"]
        case "link":
            return [f"{head}  {value.get('title', '')} <{value.get('url', '')}>"]
        case "markdown":
            return [head, *(f"  {line}" for line in str(value.get("text", "")).splitlines())]
        case "schema":
            return [f"{head}  " + ", ".join(f"{column} {kind}" for column, kind in value.get("columns", []))]
        case "table":
            body = [[number(cell) for cell in row] for row in value.get("rows", [])[:10]]
            return [head, *table(value.get("columns", []), body, indent="  ").splitlines()]
        case "plot":
            return [f"{head}  a picture{': ' + value['path'] if value.get('path') else ''}"]
    return [f"{head}  {msgspec.json.encode(value.get('value')).decode()[:500]}"]


# ---- checks ----


def _show_check(workspace: Workspace, check: CheckSpec, out: Output) -> None:
    from batuta.cli.list import verdict_cell
    from batuta.cli.records import check_data

    results: list[CheckRow] = workspace.store.check_results(check.asset, check.name, limit=10)
    out.document(
        {
            "check": check.key,
            "blocking": check.blocking,
            "description": check.description,
            "place": str(check.place),
            "results": [check_data(row) for row in results],
        }
    )
    if out.json:
        return
    title(out, check.key, "blocking check" if check.blocking else "check (warning)", check.description)
    pairs(out, [("defined at", short_path(str(check.place))), ("asset", check.asset)])
    if results:
        heading(out, "last results")
        now = time.time()
        rows = [
            (
                f"run {row.run_id}",
                row.partition,
                when(row.at, now),
                verdict_cell(row.level),
                row.description,
            )
            for row in results
        ]
        out.say(table(("RUN", "PARTITION", "WHEN", "RESULT", ""), rows, indent="  "))


__all__ = ["run_table", "show", "styled_state"]
