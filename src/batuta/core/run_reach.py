"""What lies downstream in a run's graph, down to single map indexes and partitions, and what follows from that: cycles,
and the scopes of setups.

A place is a step with an index, or with None for all of its task runs; a step without expansion is always None.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from batuta.core.errors import CycleError
from batuta.core.plan import MapExpansion
from batuta.core.run_graph import Listed, RunGraph, StepNode, TaskRun

Place = tuple[StepNode, int | None]


class Reach:
    """A set of places."""

    __slots__ = ("some", "whole")

    def __init__(self) -> None:
        self.whole: dict[StepNode, None] = {}
        self.some: dict[StepNode, dict[int, None]] = {}

    def __contains__(self, place: Place) -> bool:
        node, index = place
        return node in self.whole or (index is not None and index in self.some.get(node, ()))

    def __iter__(self) -> Iterator[Place]:
        for node in self.whole:
            yield node, None
        for node, indexes in self.some.items():
            for index in indexes:
                yield node, index

    def add(self, place: Place) -> Place | None:
        """Add a place; returns it if it is new, as the whole step where that is complete now."""
        node, index = place
        if place in self:
            return None
        if index is not None:
            some = self.some.setdefault(node, {})
            some[index] = None
            if not node.expanded or len(some) < len(node.runs):
                return place
        self.whole[node] = None
        self.some.pop(node, None)
        return node, None

    def task_runs(self) -> Iterator[TaskRun]:
        """All task runs in it that there are now."""
        for node, index in self:
            if index is None:
                yield from node.runs
            elif index < len(node.runs):
                yield node.runs[index]


def place_of(task: TaskRun) -> Place:
    """Where `task` is."""
    return task.node, task.index if len(task.node.runs) > 1 else None


def direct(place: Place) -> Iterator[Place]:
    """The places right below."""
    node, index = place
    for down in node.every_downs:
        yield down, None
    for down in node.aligned_downs:
        yield down, None if down.placeholder is not None else index
    for listed in node.listed_downs:
        yield from _listed(listed, index)
    for down in node.map_downs:
        yield down, None


def _listed(listed: Listed, index: int | None) -> Iterator[Place]:
    ups = listed.inverse if index is None else listed.inverse[index : index + 1]
    single = listed.node.spec.expansion is None
    for downs in ups:
        for down in downs:
            yield listed.node, None if single else down


def below(places: Iterable[Place]) -> Reach:
    """Everything downstream of `places`, without them unless they are below one another."""
    reach = Reach()
    stack = [down for place in places for down in direct(place)]
    while stack:
        place = reach.add(stack.pop())
        if place is not None:
            stack.extend(direct(place))
    return reach


def refuse_cycles(graph: RunGraph) -> None:
    """Raise CycleError if steps wait for each other in a circle, or a partition for itself."""
    for node in graph.nodes:
        for listed in node.listed_downs:
            if listed.node is node and _is_circular(listed):
                raise CycleError(f"partitions of {node.spec.key!r} wait for each other in a circle")
    if all(down.pos > node.pos for node in graph.nodes for down in node.downs()):
        return
    waits = dict.fromkeys(graph.nodes, 0)
    for node in graph.nodes:
        for down in node.downs():
            waits[down] += 1
    free = [node for node, count in waits.items() if not count]
    while free:
        node = free.pop()
        del waits[node]
        for down in node.downs():
            waits[down] -= 1
            if not waits[down]:
                free.append(down)
    if waits:
        raise CycleError("steps wait for each other in a circle: " + ", ".join(node.spec.key for node in waits))


def _is_circular(listed: Listed) -> bool:
    steps = {down - up for up, downs in enumerate(listed.inverse) for down in downs}
    return bool(steps) and min(steps) <= 0 <= max(steps)


def mark_scopes(graph: RunGraph) -> None:
    """Tell each step which setups it needs: those above it whose teardown is below it, or that have none."""
    for setup in graph.nodes:
        if not setup.spec.is_setup:
            continue
        inside = dict.fromkeys(node for node, _index in below([(setup, None)]) if not node.spec.is_teardown)
        teardowns = teardowns_of(setup)
        if teardowns:
            above = _above(graph, teardowns)
            inside = {node: None for node in inside if node in above}
        for node in inside:
            node.scope = (*node.scope, setup)
            node.gates += 1
            setup.scope_downs += (node,)


def teardowns_of(setup: StepNode) -> list[StepNode]:
    """The steps that undo `setup`."""
    return [down for down in dict.fromkeys(setup.downs()) if down.spec.is_teardown]


def _above(graph: RunGraph, nodes: list[StepNode]) -> set[StepNode]:
    seen: set[StepNode] = set()
    stack = list(nodes)
    while stack:
        spec = stack.pop().spec
        keys = [edge.step for edge in spec.upstream]
        if isinstance(spec.expansion, MapExpansion):
            keys += [source.step for source in spec.expansion.sources if source.step]
        for key in keys:
            up = graph.by_key[key]
            if up not in seen:
                seen.add(up)
                stack.append(up)
    return seen
