"""`batuta graph`: the steps of a job, or assets, as a drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from batuta.cli.drawing import Drawing, DrawnNode, as_dot, as_levels, as_mermaid
from batuta.cli.formats import plural
from batuta.cli.output import Output, output_options
from batuta.cli.targets import file_option, load, open_workspace, split_target

if TYPE_CHECKING:
    from batuta.core.definitions import JobSpec
    from batuta.core.plan import StepSpec
    from batuta.engine.workspace import Workspace

FORMATS = ("tree", "mermaid", "dot", "json", "svg")


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE] [JOB|SELECTION]")
@click.option("--format", "form", type=click.Choice(FORMATS), default="tree", show_default=True)
@click.option("-o", "--output", "file_out", type=click.Path(dir_okay=False, writable=True), help="Write to a file.")
@file_option
@output_options
def graph(words: tuple[str, ...], form: str, file_out: str | None, file: str | None, out: Output) -> None:
    """Draw the steps of a job, or assets.

    Assets are drawn by layer, steps by level. Without a name: all assets, or the only job.

    \b
    Examples:
      batuta graph
      batuta graph nightly
      batuta graph '+gold.revenue'
      batuta graph --format mermaid > lineage.mmd
      batuta graph nightly --format dot | dot -Tsvg > nightly.svg
    """
    target, rest = split_target(words, file)
    name = " ".join(rest)
    with open_workspace(target) as workspace:
        definitions = load(workspace)
        jobs = {job.name: job for job in definitions.jobs}
        if name in jobs:
            drawing = job_drawing(jobs[name])
        elif name and not definitions.assets:
            drawing = job_drawing(workspace.job(name))  # which says that there is none
        elif not name and not definitions.assets and len(jobs) == 1:
            drawing = job_drawing(next(iter(jobs.values())))
        else:
            drawing = asset_drawing(workspace, name or "*")
        if out.json or form == "json":
            text = _json(drawing)
        elif form == "svg":
            from batuta.cli.lineage_picture import svg_of_drawing

            text = svg_of_drawing(drawing)
        else:
            text = {"tree": _tree, "mermaid": as_mermaid, "dot": as_dot}[form](drawing)
    write(text, file_out, out)


def write(text: str, file_out: str | None, out: Output) -> None:
    """To a file or to standard output."""
    if file_out is None:
        from batuta.cli.output import print_text

        print_text(text)
        return
    with open(file_out, "w", encoding="utf-8") as stream:
        stream.write(text + "\n")
    out.note(f"wrote {file_out}")


def _tree(drawing: Drawing) -> str:
    head = f"{click.style(drawing.title, bold=True)}  {plural(len(drawing.nodes), 'node')}"
    return f"{head}\n{as_levels(drawing)}"


def _json(drawing: Drawing) -> str:
    import msgspec

    nodes: list[dict[str, Any]] = [
        {"id": node.key, "label": node.label, "section": node.section, "note": node.note} for node in drawing.nodes
    ]
    edges = [{"from": up, "to": down} for up, down in drawing.edges]
    return msgspec.json.encode({"title": drawing.title, "nodes": nodes, "edges": edges}).decode()


def job_drawing(job: JobSpec) -> Drawing:
    """The steps of a job. Those of a flow are known only as it runs."""
    steps = job.plan.steps if job.plan is not None else ()
    nodes = [
        DrawnNode(step.key, step.key, _note(step), shape="round" if step.kind == "flow" else "box") for step in steps
    ]
    ups = {step.key: list(dict.fromkeys(edge.step for edge in step.upstream)) for step in steps}
    title = f"{job.name} ({job.kind}{'; its tasks are known as it runs' if job.kind == 'flow' else ''})"
    return Drawing(nodes, ups, title)


def _note(step: StepSpec) -> str:
    parts = []
    if step.expansion is not None:
        parts.append("mapped")
    if step.trigger_rule != "all_success":
        parts.append(str(step.trigger_rule))
    if step.is_setup or step.is_teardown:
        parts.append("setup" if step.is_setup else "teardown")
    if step.reads:
        parts.append(f"reads {', '.join(step.reads)}")
    if step.writes:
        parts.append(f"writes {', '.join(step.writes)}")
    return click.style(f"({'; '.join(parts)})", fg="yellow") if parts else ""


def asset_drawing(workspace: Workspace, selection: str) -> Drawing:
    """Selected assets by layer."""
    from batuta.cli.catalog import partitions_text

    index = workspace.assets.index
    selected = workspace.assets.select(selection)
    layers = workspace.definitions.layers
    nodes = []
    for key in selected:
        spec = index.assets[key]
        about = "external" if spec.external else partitions_text(spec.partitions)
        section = spec.layer or ("sources" if not spec.deps else "others")
        nodes.append(DrawnNode(key, key, f"({about})" if about else "", section, "dashed" if spec.external else "box"))
    chosen = set(selected)
    ups = {key: [dep.asset for dep in index.assets[key].deps if dep.asset in chosen] for key in selected}
    others = sorted({node.section for node in nodes} - {*layers, "sources"})
    return Drawing(nodes, ups, workspace.project.name, ("sources", *layers, *others))
