"""`batuta lineage`: what an asset is made from, and what is made from it, across assets, DAGs and flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from batuta.cli.drawing import DrawnNode, as_tree
from batuta.cli.external import external_in
from batuta.cli.lineage_columns import known_of, print_columns, print_impact
from batuta.cli.output import Output, output_options
from batuta.cli.targets import file_option, load, one_at_most, open_workspace, split_target, store_if_any
from batuta.core.errors import RequestError

if TYPE_CHECKING:
    from batuta.core.external_lineage import External
    from batuta.core.lineage import Lineage, LineageNode
    from batuta.core.plan import StepSpec
    from batuta.engine.workspace import Workspace


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE] [NAME]")
@click.option("--upstream", is_flag=True, help="Only what it is made from.")
@click.option("--downstream", is_flag=True, help="Only what is made from it.")
@click.option("--impact", is_flag=True, help="Of a column: all that a change of it, or its end, would affect.")
@click.option("--rows", is_flag=True, help="Of a column: also what decides which rows there are (filters, joins).")
@click.option("--depth", type=click.IntRange(1), metavar="N", help="At most N steps away.")
@click.option("--html", "html_file", type=click.Path(dir_okay=False), metavar="FILE", help="Write a page to look at.")
@click.option("--svg", "svg_file", type=click.Path(dir_okay=False), metavar="FILE", help="Write a picture.")
@file_option
@output_options
def lineage(
    words: tuple[str, ...],
    upstream: bool,
    downstream: bool,
    impact: bool,
    rows: bool,
    depth: int | None,
    html_file: str | None,
    svg_file: str | None,
    file: str | None,
    out: Output,
) -> None:
    """What an asset is made from, and what is made from it.

    One graph over assets, steps of DAGs, flows, and what runs elsewhere. NAME is an asset, a column of one
    (asset.column), a job, or a step (job:step); elsewhere a job or dataset (NAMESPACE/NAME). Without it, all.

    \b
    Examples:
      batuta lineage gold.revenue
      batuta lineage gold.revenue.amount --upstream    a column, across tools
      batuta lineage bronze.payments.cents --impact    what is affected where it changes
      batuta lineage bronze.payments --downstream
      batuta lineage spark/load_orders           a job elsewhere, as OpenLineage events tell
      batuta lineage --html lineage.html         the whole picture, in a browser
      batuta lineage gold.revenue --svg revenue.svg
    """
    from batuta.core.lineage import lineage as lineage_of

    target, rest = split_target(words, file)
    name = one_at_most(rest, "name")
    with open_workspace(target) as workspace:
        definitions, external = load(workspace), external_in(workspace)
        whole = external.with_lineage(lineage_of(definitions, _seen(workspace)))
        if column := _column(workspace, external, whole, name, impact):
            if impact:
                print_impact(workspace, external, *column, out)
            else:
                up, down = upstream or not downstream, downstream or not upstream
                known = known_of(workspace, external)
                print_columns(known, *column, out, up=up, down=down, depth=depth, rows=rows)
            return
        starts = whole.find(name) if name else []
        if name:
            above = whole.reach(starts, upstream=True, depth=depth) if upstream or not downstream else []
            below = whole.reach(starts, upstream=False, depth=depth) if downstream or not upstream else []
            part = whole.only([*starts, *above, *below])
        else:
            part = whole
        if html_file or svg_file:
            _write_pictures(workspace, part, name, html_file, svg_file, out)
        if out.json:
            out.document(_data(part))
        elif not (html_file or svg_file):
            _print(workspace, part, starts, out, up=upstream or not downstream, down=downstream or not upstream)


def _column(
    workspace: Workspace, external: External, whole: Lineage, name: str, impact: bool
) -> tuple[str, str] | None:
    """The asset and the column that a name says; None where it is something else. Raises RequestError."""
    from batuta.core.column_graph import split_column

    keys = external.with_index(workspace.assets.index).assets
    if name and name not in whole.nodes and any(name.startswith(f"{key}.") for key in _heads(name) if key in keys):
        return split_column(name, keys)
    if impact:
        what = f"{name!r} is no column" if name else "of which column?"
        raise RequestError(what, hint="write batuta lineage ASSET.COLUMN --impact")
    return None


def _heads(name: str) -> list[str]:
    """`a` and `a.b` of `a.b.c`."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def write_page(workspace: Workspace, path: str) -> None:
    """The whole lineage of a workspace as a page to look at."""
    from batuta.core.lineage import lineage as lineage_of

    whole = external_in(workspace).with_lineage(lineage_of(workspace.definitions, _seen(workspace)))
    _write_pictures(workspace, whole, "", path, None, Output(quiet=True))


def _seen(workspace: Workspace) -> dict[str, list[StepSpec]]:
    """Of each flow, the tasks that its last run called: what they read and write is known only then."""
    from batuta.core import events as ev

    store = store_if_any(workspace)
    flows = [job.name for job in workspace.definitions.jobs if job.kind == "flow"]
    if store is None or not flows:
        return {}
    found: dict[str, list[StepSpec]] = {}
    for name, row in store.latest_runs(flows).items():
        specs = found.setdefault(name, [])
        for recorded in store.events(row.id):
            if recorded.kind == "tasks_requested":
                event = ev.decode(recorded.data)
                if isinstance(event, ev.TasksRequested) and (event.spec.reads or event.spec.writes):
                    specs.append(event.spec)
    return found


def _write_pictures(
    workspace: Workspace, part: Lineage, name: str, html_file: str | None, svg_file: str | None, out: Output
) -> None:
    from batuta.cli.lineage_picture import html_page, svg_of_lineage

    title = f"{workspace.project.name}: {name}" if name else workspace.project.name
    facts = _facts(workspace, part)
    for path, text in (
        (svg_file, svg_of_lineage(part, workspace.definitions.layers, facts) if svg_file else ""),
        (html_file, html_page(title, part, workspace.definitions.layers, facts) if html_file else ""),
    ):
        if path:
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text)
            out.note(f"wrote {path}")


def _facts(workspace: Workspace, part: Lineage) -> dict[str, tuple[str, str]]:
    """Of each asset its state and a line about it, where the store knows."""
    from batuta.cli.catalog import asset_rows
    from batuta.cli.formats import plural

    if store_if_any(workspace) is None:
        return {}
    known = [key for key in workspace.assets.index.assets if key in part.nodes]
    facts = {}
    for row in asset_rows(workspace, known):
        told = []
        if row.partitions is not None:
            told.append(f"{row.made:,}/{row.partitions:,} partitions")
        elif row.rows is not None:
            told.append(plural(row.rows, "row"))
        if row.checks_failed:
            told.append(f"✗ {plural(row.checks_failed, 'check')} failed")
        elif row.checks_run:
            told.append(f"✓ {plural(row.checks_run, 'check')}")
        facts[row.spec.key] = (row.state, " · ".join(told))
    return facts


def _print(workspace: Workspace, part: Lineage, starts: list[str], out: Output, *, up: bool, down: bool) -> None:
    nodes = {key: _drawn(node) for key, node in part.nodes.items()}
    if not starts:
        starts = [key for key in part.nodes if not part.ups[key]]
        up = False
    for key in starts:
        out.say(f"{click.style(nodes[key].label, bold=True)}  {click.style(nodes[key].note, dim=True)}")
        if up and part.ups[key]:
            out.say(click.style(" made from", fg="cyan"))
            out.say("\n".join(as_tree(key, part.ups, nodes)))
        if down and part.downs[key]:
            out.say(click.style(" needed by", fg="cyan"))
            out.say("\n".join(as_tree(key, part.downs, nodes)))
    if not part.nodes:
        out.note("nothing here reads or writes assets")


def _drawn(node: LineageNode) -> DrawnNode:
    if node.kind in ("asset", "dataset"):
        return DrawnNode(node.id, node.id, node.layer or ("external" if node.external else ""))
    if node.kind == "job":
        return DrawnNode(node.id, node.label, f"job of {node.group}", shape="round")
    label = node.label if node.kind == "flow" else f"{node.job}:{node.label}"
    return DrawnNode(node.id, label, "flow" if node.kind == "flow" else "step", shape="round")


def _data(part: Lineage) -> dict[str, object]:
    return {
        "nodes": list(part.nodes.values()),
        "edges": [{"from": up, "to": down} for up, down in part.edges],
    }
