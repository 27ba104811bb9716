"""From what was written to a plan: group links become edges, refs and templates become data edges, cycles are refused.

The graph that was written is not changed: compiling it again after more was added gives the plan of all of it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from batuta.authoring.dag_nodes import Node
from batuta.authoring.dag_roles import check_branch
from batuta.core.errors import DefinitionError
from batuta.core.graph import Graph
from batuta.core.plan import Edge, Plan, StepSpec
from batuta.core.priority_weights import weighted

if TYPE_CHECKING:
    from batuta.authoring.dag import DAG
    from batuta.authoring.dag_groups import TaskGroup
    from batuta.authoring.dag_links import Point

_OUTPUT_NAMES = re.compile(r"""\b(?:output|xcom_pull)\(\s*(?:r?'([^'\\]+)'|r?"([^"\\]+)")""")

Upstreams = dict[Node, dict[Node, bool]]


class Compiled:
    """The plan of a DAG, and who stands directly below whom."""

    def __init__(self, dag: DAG) -> None:
        """Raises DefinitionError: CycleError, UnknownDependencyError and the like."""
        self._dag = dag
        self.upstreams = self._upstreams()
        self.downstreams: dict[Node, list[Node]] = {}
        for node, ups in self.upstreams.items():
            for up in ups:
                self.downstreams.setdefault(up, []).append(node)
        order = self._order()
        self.plan = Plan(
            job=dag.name,
            kind="dag",
            steps=weighted(tuple(self._steps(order)), dag.priority_weight),
            outcome="leaves",
            fail_fast=dag.fail_fast,
            parallelism_max=dag.parallelism_max,
        )

    # ---- edges ----

    def _upstreams(self) -> Upstreams:
        """What each node waits for directly, and whether for its data."""
        found: Upstreams = {}
        for node in self._dag.nodes.values():
            ups = found[node] = dict(node.upstream)
            for ref in node.body.refs():
                for up in ref.upstream():
                    self._check_same_dag(up, node)
                    ups[up] = True
            for text in node.body.texts():
                for name in _named_outputs(text):
                    up = self._dag.find(name, node.group, where=f"{node.place}: a template of step {node.key!r}")
                    if up is not node:
                        ups[up] = True
        if self._dag.group_links:
            _GroupLinks(self._dag, found).resolve()
        return found

    def _check_same_dag(self, up: Node, node: Node) -> None:
        if up.dag is not self._dag:
            raise DefinitionError(
                f"step {node.key!r} of DAG {self._dag.name!r} uses the output of {up.key!r} of DAG {up.dag.name!r}",
                where=str(node.place),
                hint="pass data between DAGs through an asset or a file, and start one from the other",
            )

    def _order(self) -> list[Node]:
        nodes = self._dag.nodes
        keys: dict[str, list[str]] = {}
        for node, ups in self.upstreams.items():
            keys[node.key] = [up.key for up in ups]
            if node.mapping is not None:
                keys[node.key] += [up.key for up in node.mapping.nodes() if up not in ups]
        graph = Graph.build(keys, where=lambda key: str(nodes[key].place))
        return [nodes[key] for key in graph.order]

    # ---- steps ----

    def _steps(self, order: list[Node]) -> Iterable[StepSpec]:
        edges: dict[tuple[str, bool, bool], Edge] = {}
        for node in order:
            upstream = []
            for up, data in self.upstreams[node].items():
                aligned = node.aligned_with(up)
                edge = edges.get((up.key, aligned, data))
                if edge is None:
                    edge = Edge(up.key, "aligned" if aligned else "every", data)
                    edges[(up.key, aligned, data)] = edge
                upstream.append(edge)
            yield node.options.spec(
                node.key,
                node.body.code_name,
                node.body.kind,
                upstream=tuple(upstream),
                trigger_rule=node.trigger_rule,
                expansion=node.mapping.expansion() if node.mapping is not None else None,
                group=node.group.path if node.group is not None else "",
                is_setup=node.is_setup,
                is_teardown=node.is_teardown,
                fails_run=node.fails_run,
                code_version=node.body.code_version(),
            )

    def check_branches(self) -> None:
        """Raise DefinitionError where a branch says that it can choose what there is not."""
        for node in self._dag.nodes.values():
            function = node.body.decides()
            if function is not None:
                check_branch(node, function)


def _named_outputs(text: str) -> list[str]:
    return [single or double for single, double in _OUTPUT_NAMES.findall(text)]


class _GroupLinks:
    """Turns `a >> group` and `group >> b` into edges of the group's first and last steps."""

    def __init__(self, dag: DAG, upstreams: Upstreams) -> None:
        self._upstreams = upstreams
        self._links = _without_empty_groups(dag.group_links)

    def resolve(self) -> None:
        """Add the edges. Links inside a group come before links of the group, whose ends they decide."""
        for up, down in sorted(self._links, key=_depth, reverse=True):
            ups = self._last(up)
            for node in self._first(down):
                for before in ups:
                    self._upstreams[node].setdefault(before, False)

    def _first(self, point: Point) -> list[Node]:
        if isinstance(point, Node):
            return [point]
        members = dict.fromkeys(point.nodes)
        return [node for node in members if not any(up in members for up in self._upstreams[node])]

    def _last(self, point: Point) -> list[Node]:
        if isinstance(point, Node):
            return [point]
        members = [node for node in point.nodes if not node.is_teardown] or point.nodes
        kept = set(members)
        followed = {up for node in members for up in self._upstreams[node] if up in kept}
        return [node for node in members if node not in followed]


def _depth(link: tuple[Point, Point]) -> int:
    return min((point.depth for point in link if not isinstance(point, Node)), default=sys.maxsize)


def _without_empty_groups(links: list[tuple[Point, Point]]) -> list[tuple[Point, Point]]:
    """`a >> empty >> b` is `a >> b`."""
    links = list(dict.fromkeys(links))
    empty: list[TaskGroup] = []
    for link in links:
        for point in link:
            if not isinstance(point, Node) and not point.nodes and point not in empty:
                empty.append(point)
    for group in empty:
        before = [up for up, down in links if down is group]
        after = [down for up, down in links if up is group]
        links = [link for link in links if group not in link]
        links += [(up, down) for up in before for down in after]
    return links
