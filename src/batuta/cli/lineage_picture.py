"""The lineage as a picture: SVG written by hand, lanes by layer, and a page around it. Needs nothing from outside.

All texts come from users' definitions and are escaped. Light and dark follow the reader's system.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from batuta.cli.output import cut
from batuta.cli.picture_layout import Lane, Layout, Sizes, lay_out
from batuta.cli.picture_style import PAGE, STYLE

if TYPE_CHECKING:
    from batuta.cli.drawing import Drawing
    from batuta.core.lineage import Lineage, LineageNode

SIZES = Sizes()
LABEL_COLUMNS = 25
NOTE_COLUMNS = 30
STROKES = ("#3b82f6", "#a855f7", "#ec4899", "#14b8a6", "#f97316", "#0ea5e9", "#8b5cf6", "#84cc16")
DATA = ("asset", "dataset")
"""Kinds of nodes that are data; the others are what makes it."""
Facts = Mapping[str, tuple[str, str]]
"""Of an asset its state (fresh, stale, missing, external) and a line about it."""


def svg_of_lineage(lineage: Lineage, layers: Sequence[str], facts: Facts) -> str:
    """A picture of a lineage."""
    layout = lay_out(lanes_of(lineage, layers), lineage.ups, SIZES)
    jobs = sorted({node.job for node in lineage.nodes.values() if node.job})
    strokes = {job: STROKES[i % len(STROKES)] for i, job in enumerate(jobs)}
    parts = [_lane(lane, layout, i, layers) for i, lane in enumerate(layout.lanes)]
    parts += [_edge(layout, up, down) for up, down in lineage.edges]
    parts += [_node(node, layout.places[key], facts, strokes) for key, node in lineage.nodes.items()]
    return _svg(layout, parts)


def lanes_of(lineage: Lineage, layers: Sequence[str]) -> list[Lane]:
    """Sources, the layers in their order, and what comes after them: jobs and what they export.

    What a job makes and no layer needs stands with the job, even if it says that it is of a layer.
    """
    lanes = {name: Lane(name, []) for name in ("Sources", *layers, "Jobs and exports")}
    exports = {key for key, node in lineage.nodes.items() if node.external and lineage.ups[key]}
    layered = [key for key, node in lineage.nodes.items() if node.layer and key not in exports]
    feeding = set(lineage.reach(layered, upstream=True))
    after = set(lineage.reach(layered, upstream=False))
    for key, node in lineage.nodes.items():
        if node.layer in lanes and (key not in exports or key in feeding):
            lanes[node.layer].keys.append(key)
            continue
        first = key not in after and (key in feeding or (node.kind in DATA and not lineage.ups[key]))
        lanes["Sources" if first else "Jobs and exports"].keys.append(key)
    return list(lanes.values())


def svg_of_drawing(drawing: Drawing) -> str:
    """A picture of any drawing; sections are lanes."""
    from batuta.core.lineage import Lineage, LineageNode

    nodes = [
        LineageNode(node.key, "flow" if node.shape == "round" else "asset", node.label, layer=node.section)
        for node in drawing.nodes
    ]
    lineage = Lineage(nodes, drawing.edges)
    sections = list(drawing.sections) or [""]
    lanes = [Lane(name, [node.key for node in drawing.nodes if node.section == name]) for name in sections]
    layout = lay_out(lanes, lineage.ups, SIZES)
    parts = [_lane(lane, layout, i, sections) for i, lane in enumerate(layout.lanes)]
    parts += [_edge(layout, up, down) for up, down in lineage.edges]
    parts += [_node(node, layout.places[key], {}, {}) for key, node in lineage.nodes.items()]
    return _svg(layout, parts)


def html_page(title: str, lineage: Lineage, layers: Sequence[str], facts: Facts) -> str:
    """A page with the picture, a search, and highlighting of what is upstream and downstream."""
    assets = sum(node.kind in DATA for node in lineage.nodes.values())
    jobs = len({node.job for node in lineage.nodes.values() if node.job})
    told = f"{assets} assets, {jobs} jobs, {len(lineage.edges)} dependencies"
    picture = svg_of_lineage(lineage, layers, facts)
    return PAGE.replace("{title}", escape(title)).replace("{told}", escape(told)).replace("{picture}", picture)


def _svg(layout: Layout, parts: Sequence[str]) -> str:
    width, height = round(layout.width), round(layout.height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" font-family="ui-sans-serif, system-ui, Helvetica, Arial, sans-serif">'
    )
    marker = (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="head" d="M0 0.6 L7.4 4 L0 7.4 z"/></marker></defs>'
    )
    paper = f'<rect class="paper" width="{width}" height="{height}"/>'
    return "\n".join([head, f"<style>{STYLE}</style>", marker, paper, *parts, "</svg>"])


def _lane(lane: Lane, layout: Layout, number: int, layers: Sequence[str]) -> str:
    known = {"bronze", "silver", "gold"}
    name = lane.name.lower()
    kind = name if name in known else f"layer{list(layers).index(lane.name) % 3}" if lane.name in layers else "outside"
    x, width, height = lane.x, lane.width, layout.height - 24
    text = (
        f'<text class="lane-name" x="{x + 18:.0f}" y="38">{escape(lane.name[:1].upper() + lane.name[1:] or "Steps")}'
        f'<tspan class="count" dx="8">{len(lane.keys)}</tspan></text>'
    )
    return (
        f'<g class="lane {kind}"><rect x="{x:.0f}" y="12" width="{width:.0f}" height="{height:.0f}" rx="14"/>'
        f'<rect class="bar" x="{x:.0f}" y="12" width="{width:.0f}" height="5" rx="2.5"/>{text}</g>'
    )


def _edge(layout: Layout, up: str, down: str) -> str:
    """A curve from node to node, straight through its way points."""
    (x1, y1), (x2, y2) = layout.places[up], layout.places[down]
    x, y = x1 + SIZES.node_width, y1 + SIZES.node_height / 2
    path = f"M{x:.0f} {y:.0f}"
    for way_x, way_y in layout.ways.get((up, down), ()):
        path += f"{_curve(x, y, way_x, way_y)} H{way_x + SIZES.node_width:.0f}"
        x, y = way_x + SIZES.node_width, way_y
    path += _curve(x, y, x2 - 2, y2 + SIZES.node_height / 2)
    return f'<path class="edge" data-from="{escape(up)}" data-to="{escape(down)}" d="{path}" marker-end="url(#arrow)"/>'


def _curve(x1: float, y1: float, x2: float, y2: float) -> str:
    bend = max(24.0, (x2 - x1) * 0.5) if x2 >= x1 else 80.0
    return f" C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"


def _node(node: LineageNode, place: tuple[float, float], facts: Facts, strokes: Mapping[str, str]) -> str:
    x, y = place
    state, told = facts.get(node.id, ("", ""))
    state = "external" if node.external else state
    kind = f"asset {state}" if node.kind in DATA else f"flow {state}" if node.kind == "job" else node.kind
    note = told or _note(node)
    radius = 9 if node.kind in DATA else 25
    stroke = f' style="stroke:{strokes[node.job]}"' if node.job in strokes else ""
    dot = f'<circle class="state" cx="{SIZES.node_width - 15:.0f}" cy="15" r="4.5"/>' if state else ""
    left = 14 if node.kind in DATA else 22
    tooltip = "\n".join(part for part in (node.id.rstrip(":"), state, note, node.description) if part)
    size = f'width="{SIZES.node_width:.0f}" height="{SIZES.node_height:.0f}"'
    lines = [
        f'<g class="node {kind}" data-id="{escape(node.id)}" transform="translate({x:.0f} {y:.0f})">',
        f"<title>{escape(tooltip)}</title>",
        f'<rect class="card" {size} rx="{radius}"{stroke}/>{dot}',
        f'<text class="label" x="{left}" y="{22 if note else 30}">{escape(cut(node.label, LABEL_COLUMNS))}</text>',
        f'<text class="note" x="{left}" y="38">{escape(cut(note, NOTE_COLUMNS))}</text>' if note else "",
        "</g>",
    ]
    return "".join(lines)


def _note(node: LineageNode) -> str:
    if node.kind == "flow":
        return "flow"
    if node.kind == "step":
        return f"step of {node.job}"
    if node.kind == "job":
        return f"job of {node.group}"
    return " · ".join(part for part in (node.layer if node.external else "", node.group) if part) or (
        "external" if node.external else ""
    )
