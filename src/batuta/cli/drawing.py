"""Graphs as text: levels and trees for the terminal, Mermaid and Graphviz for documents. All of it pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import click

from batuta.cli.output import columns_of


@dataclass
class DrawnNode:
    """A node of a drawing: `note` stands behind its label, `section` above it, `shape` is box, round or dashed."""

    key: str
    label: str
    note: str = ""
    section: str = ""
    shape: str = "box"


@dataclass
class Drawing:
    """A graph to be drawn; nodes with upstreams first, `ups` by key."""

    nodes: list[DrawnNode]
    ups: Mapping[str, Sequence[str]]
    title: str = ""
    sections: Sequence[str] = field(default_factory=tuple)

    @property
    def edges(self) -> list[tuple[str, str]]:
        known = {node.key for node in self.nodes}
        return [(up, node.key) for node in self.nodes for up in self.ups.get(node.key, ()) if up in known]


def levels(keys: Iterable[str], ups: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """How many edges the longest way to each node has. `keys` are in topological order."""
    found: dict[str, int] = {}
    for key in keys:
        found[key] = max((found[up] + 1 for up in ups.get(key, ()) if up in found), default=0)
    return found


def as_levels(drawing: Drawing) -> str:
    """By section, or, without any, by level: each node with what it comes from."""
    labels = {node.key: node.label for node in drawing.nodes}
    lines: list[str] = []
    if any(node.section for node in drawing.nodes):
        groups = [(name, [n for n in drawing.nodes if n.section == name]) for name in drawing.sections]
    else:
        level = levels([node.key for node in drawing.nodes], drawing.ups)
        depth = max(level.values(), default=-1) + 1
        groups = [(str(i + 1), [n for n in drawing.nodes if level[n.key] == i]) for i in range(depth)]
    width = max((columns_of(node.label) for node in drawing.nodes), default=0)
    for name, nodes in groups:
        if nodes:
            lines.append(click.style(name or "others", fg="cyan", bold=True))
            lines += [_level_line(node, drawing, labels, width, last=node is nodes[-1]) for node in nodes]
    return "\n".join(lines)


def _level_line(node: DrawnNode, drawing: Drawing, labels: Mapping[str, str], width: int, *, last: bool) -> str:
    padding = " " * (width - columns_of(node.label))
    above = [labels.get(up, up) for up in drawing.ups.get(node.key, ())]
    from_where = click.style(f"  ← {', '.join(above)}", dim=True) if above else ""
    note = f"  {node.note}" if node.note else ""
    return f"  {'└' if last else '├'} {click.style(node.label, bold=True)}{padding}{note}{from_where}".rstrip()


def as_tree(key: str, neighbours: Mapping[str, Sequence[str]], nodes: Mapping[str, DrawnNode]) -> list[str]:
    """What is reached from `key`, indented; what was shown before is not opened again."""
    lines: list[str] = []
    shown: set[str] = set()

    def walk(key: str, indent: str) -> None:
        below = list(neighbours.get(key, ()))
        for one in below:
            node = nodes[one]
            is_last = one == below[-1]
            again = one in shown and bool(neighbours.get(one))
            note = click.style(f"  {node.note}" if node.note else "", dim=True)
            tail = click.style("  (see above)", dim=True) if again else ""
            lines.append(f"{indent}{'└' if is_last else '├'} {_styled(node)}{note}{tail}")
            if one not in shown:
                shown.add(one)
                walk(one, indent + ("  " if is_last else "│ "))

    walk(key, "  ")
    return lines


def _styled(node: DrawnNode) -> str:
    return click.style(node.label, fg="magenta" if node.shape == "round" else None, bold=node.shape == "box")


# ---- for documents ----

_MERMAID = {"box": ('["', '"]'), "round": ('(["', '"])'), "dashed": ('[/"', '"/]')}


def as_mermaid(drawing: Drawing) -> str:
    """A Mermaid flowchart, which GitHub and many wikis draw."""
    ids = {node.key: f"n{i}" for i, node in enumerate(drawing.nodes)}
    lines = ["flowchart LR"]
    for section in [*drawing.sections, ""] if drawing.sections else [""]:
        nodes = [node for node in drawing.nodes if node.section == section]
        if not nodes:
            continue
        if section:
            lines.append(f'  subgraph {_plain_id(section)}["{_mermaid_text(section)}"]')
        for node in nodes:
            begin, end = _MERMAID[node.shape]
            lines.append(f"  {'  ' if section else ''}{ids[node.key]}{begin}{_mermaid_text(node.label)}{end}")
        if section:
            lines.append("  end")
    lines += [f"  {ids[up]} --> {ids[down]}" for up, down in drawing.edges]
    return "\n".join(lines)


def _plain_id(text: str) -> str:
    return "s_" + re.sub(r"\W", "_", text)


def _mermaid_text(text: str) -> str:
    return text.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")


_DOT = {"box": "box", "round": "ellipse", "dashed": "note"}


def as_dot(drawing: Drawing) -> str:
    """A Graphviz graph: `| dot -Tsvg`."""
    lines = ["digraph batuta {", "  rankdir=LR;", '  node [fontname="Helvetica", shape=box, style=rounded];']
    for i, section in enumerate([*drawing.sections, ""] if drawing.sections else [""]):
        nodes = [node for node in drawing.nodes if node.section == section]
        if section and nodes:
            lines += [f"  subgraph cluster_{i} {{", f"    label={_quoted(section)};"]
        for node in nodes:
            lines.append(f"  {_quoted(node.key)} [label={_quoted(node.label)}, shape={_DOT[node.shape]}];")
        if section and nodes:
            lines.append("  }")
    lines += [f"  {_quoted(up)} -> {_quoted(down)};" for up, down in drawing.edges]
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
