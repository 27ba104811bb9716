"""`batuta lineage ASSET.COLUMN`: what a column is made from, what is made from it, and what a change of it affects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from batuta.cli.drawing import DrawnNode, as_tree
from batuta.cli.formats import plural
from batuta.cli.output import Output
from batuta.cli.targets import store_if_any

if TYPE_CHECKING:
    from batuta.core.column_graph import ColumnGraph, ColumnRef, ColumnTrace
    from batuta.core.column_impact import AffectedAsset, Impact
    from batuta.core.definitions import AssetSpec
    from batuta.core.external_lineage import External
    from batuta.engine.column_lineage import ColumnKnowledge
    from batuta.engine.workspace import Workspace

_KINDS = {"identity": "", "transformed": "computed", "aggregated": "aggregated", "rows": "of its rows"}
_TELLERS = {"declared": "declared", "definition": "found in the query", "run": "reported by the last run"}
SHOWN_MAX = 20


def known_of(workspace: Workspace, external: External | None = None) -> ColumnKnowledge:
    """What is known of the columns of all assets of a workspace, and of datasets elsewhere."""
    from batuta.engine.column_lineage import knowledge

    return knowledge(workspace.assets.index, store_if_any(workspace), external)


def print_columns(
    known: ColumnKnowledge, asset: str, column: str, out: Output, *, up: bool, down: bool, depth: int | None, rows: bool
) -> None:
    """The lineage of one column. Raises RequestError where there is no such column."""
    ref = known.graph.find(asset, column)
    above = known.graph.upstream(ref, depth=depth, rows=rows) if up else None
    below = known.graph.downstream(ref, depth=depth, rows=rows) if down else None
    if out.json:
        out.document(_data(known, ref, above, below))
        return
    specs = known.index.assets
    out.say(f"{click.style(str(ref), bold=True)}  {click.style(_told(known, ref), dim=True)}")
    for title, trace, upward in ((" made from", above, True), (" needed by", below, False)):
        if trace is not None and trace.sources:
            out.say(click.style(title, fg="cyan"))
            out.say("\n".join(_tree(trace, specs, upward)))
    if above is not None and not above.sources:
        out.say(_from_nothing(known, ref))
    for key in dict.fromkeys(each.asset for trace in (above, below) if trace for each in trace.columns):
        for gap in known.graph.gaps(key):
            out.note(f"{key}: {gap}")


def _told(known: ColumnKnowledge, ref: ColumnRef) -> str:
    facts = known.facts.get(ref.asset)
    if facts is None:
        return ""
    column = next((one for one in facts.columns if one.name == ref.column), None)
    told = [column.type, column.description] if column else []
    return " · ".join(part for part in (*told[:1], _TELLERS.get(facts.teller, ""), *told[1:]) if part)


def _from_nothing(known: ColumnKnowledge, ref: ColumnRef) -> str:
    if known.graph.is_known(ref.asset):
        return " made from no column: a constant, a clock, or what cannot be told"
    spec = known.index.assets.get(ref.asset)
    if spec is not None and spec.external:
        return " it comes from outside"
    return " what it is made from is not known: declare it (column_lineage=), or return a LazyFrame"


def _tree(trace: ColumnTrace, specs: dict[str, AssetSpec], upward: bool) -> list[str]:
    names = [str(ref) for ref in trace.columns]
    neighbours: dict[str, list[str]] = {}
    kinds: dict[str, list[str]] = {}
    for source, target, kind in zip(trace.sources, trace.targets, trace.kinds, strict=True):
        here, there = (target, source) if upward else (source, target)
        neighbours.setdefault(names[here], []).append(names[there])
        kinds.setdefault(names[there], []).append(_KINDS.get(kind, kind))
    nodes = {}
    for ref, name in zip(trace.columns, names, strict=True):
        spec = specs.get(ref.asset)
        layer = "" if spec is None else spec.layer or ("external" if spec.external else "")
        told = [layer, *dict.fromkeys(filter(None, kinds.get(name, ())))]
        label = name if ref.column else f"rows of {ref.asset}"
        nodes[name] = DrawnNode(name, label, ", ".join(filter(None, told)))
    return as_tree(names[0], neighbours, nodes)


def _data(
    known: ColumnKnowledge, ref: ColumnRef, above: ColumnTrace | None, below: ColumnTrace | None
) -> dict[str, Any]:
    nodes: dict[ColumnRef, int] = {}
    edges = []
    for trace in (above, below):
        if trace is None:
            continue
        for each, distance in zip(trace.columns, trace.distances, strict=True):
            nodes.setdefault(each, distance)
        edges += [
            {"from": _named(trace.columns[source]), "to": _named(trace.columns[target]), "kind": kind}
            for source, target, kind in zip(trace.sources, trace.targets, trace.kinds, strict=True)
        ]
    gaps = {key: list(known.graph.gaps(key)) for key in dict.fromkeys(each.asset for each in nodes)}
    return {
        "column": _named(ref),
        "nodes": [{**_named(each), "distance": distance} for each, distance in nodes.items()],
        "edges": edges,
        "gaps": {key: found for key, found in gaps.items() if found},
    }


def _named(ref: ColumnRef) -> dict[str, str]:
    return {"asset": ref.asset, "column": ref.column}


def print_impact(workspace: Workspace, external: External, asset: str, column: str, out: Output) -> None:
    """What a change of a column, or its end, affects. Raises RequestError where there is no such column."""
    from batuta.core.column_impact import impact, jobs_of

    known = known_of(workspace, external)
    graph: ColumnGraph = known.graph
    jobs = jobs_of(workspace.definitions, known.index)
    found = impact(graph, known.index, graph.find(asset, column), jobs, external.made_from)
    if out.json:
        out.document(found)
        return
    out.say(f"a change of {click.style(f'{found.asset}.{found.column}', bold=True)} affects {_summary(found)}")
    for title, how in (
        ("values that come from it", "values"),
        ("rows that it decides", "rows"),
        ("perhaps, as their columns are not known", "unknown"),
    ):
        _say_assets(out, title, [one for one in found.assets if one.how == how])
    _say_assets(out, "exposures", list(found.exposures))
    _say_names(out, "checks", found.checks)
    _say_names(out, "jobs", found.jobs)


def _summary(found: Impact) -> str:
    certain = sum(one.how != "unknown" for one in found.assets)
    perhaps = len(found.assets) - certain
    parts = [plural(certain, "asset")]
    if perhaps:
        parts.append(f"perhaps {perhaps} more")
    for count, word in ((len(found.exposures), "exposure"), (len(found.checks), "check"), (len(found.jobs), "job")):
        if count:
            parts.append(plural(count, word))
    return ", ".join(parts)


def _say_assets(out: Output, title: str, assets: list[AffectedAsset]) -> None:
    if assets:
        out.say(click.style(f" {title}", fg="cyan"))
    for one in assets:
        shown = ", ".join(one.columns[:8]) + (", ..." if len(one.columns) > 8 else "")
        out.say(f"  {click.style(one.key, bold=True)}  {shown or 'by way of ' + ', '.join(one.via)}")


def _say_names(out: Output, title: str, names: tuple[str, ...]) -> None:
    if names:
        out.say(click.style(f" {title}", fg="cyan"))
        more = f", and {len(names) - SHOWN_MAX} more" if len(names) > SHOWN_MAX else ""
        out.say(f"  {', '.join(names[:SHOWN_MAX])}{more}")
