"""What is made from what, across assets, steps of DAGs, and flows: one graph for all three ways to write.

The function of an asset is the asset itself. A flow is one node, because what passes between its tasks is known to
Python alone. Of a DAG there are the steps that read or write assets and those on the way between them; the surprising
rule: steps of jobs that touch no asset are not there at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import msgspec

from batuta.core.definitions import AssetSpec, Definitions, JobSpec
from batuta.core.errors import RequestError
from batuta.core.plan import StepSpec
from batuta.core.similar import similar

NodeKind = Literal["asset", "step", "flow", "job", "dataset"]


class LineageNode(msgspec.Struct, frozen=True):
    """An asset (`id` is its key), a step of a DAG (`job:step`), or a flow (`job:`); elsewhere a job, or a dataset."""

    id: str
    kind: NodeKind
    label: str
    layer: str = ""
    group: str = ""
    job: str = ""
    external: bool = False
    description: str = ""


class Lineage:
    """Nodes by id, and the edges between them in both directions."""

    def __init__(self, nodes: Iterable[LineageNode], edges: Iterable[tuple[str, str]]) -> None:
        self.nodes = {node.id: node for node in nodes}
        self.ups: dict[str, list[str]] = {key: [] for key in self.nodes}
        self.downs: dict[str, list[str]] = {key: [] for key in self.nodes}
        for up, down in dict.fromkeys(edges):
            self.ups[down].append(up)
            self.downs[up].append(down)

    @property
    def edges(self) -> list[tuple[str, str]]:
        """All edges, upstream first."""
        return [(up, down) for up, downs in self.downs.items() for down in downs]

    def reach(self, starts: Iterable[str], *, upstream: bool, depth: int | None = None) -> list[str]:
        """What is above (or below) the starts, nearest first, without them."""
        neighbours = self.ups if upstream else self.downs
        starts = list(starts)
        seen = dict.fromkeys(starts)
        level = starts
        found: list[str] = []
        while level and depth != 0:
            level = list(dict.fromkeys(n for key in level for n in neighbours[key] if n not in seen))
            seen.update(dict.fromkeys(level))
            found += level
            depth = None if depth is None else depth - 1
        return found

    def only(self, keys: Collection[str]) -> Lineage:
        """These nodes and the edges between them."""
        kept = set(keys)
        nodes = [node for key, node in self.nodes.items() if key in kept]
        return Lineage(nodes, [(up, down) for up, down in self.edges if up in kept and down in kept])

    def find(self, name: str) -> list[str]:
        """The nodes a name stands for: an asset, a step (`job:step`), or all that a job has. Raises RequestError."""
        if name in self.nodes:
            return [name]
        of_job = [node.id for node in self.nodes.values() if node.job == name]
        if of_job:
            return of_job
        names = {*self.nodes, *(node.job for node in self.nodes.values() if node.job)}
        hint = similar(name, names) or "assets, jobs and steps that read or write assets have a lineage"
        raise RequestError(f"{name!r} has no lineage here", hint=hint)


def lineage(definitions: Definitions, seen: Mapping[str, Iterable[StepSpec]] | None = None) -> Lineage:
    """The lineage of a location. `seen`: by flow, the tasks that its runs called, whose reads and writes count too."""
    builder = _Builder(definitions)
    for job in definitions.jobs:
        if job.kind == "flow":
            builder.add_flow(job, (seen or {}).get(job.name, ()))
        elif job.plan is not None:
            builder.add_dag(job)
    made = {down for _, down in builder.edges}
    for key in builder.mentioned & made:
        builder.nodes[key] = msgspec.structs.replace(builder.nodes[key], external=False)
    return Lineage(builder.nodes.values(), builder.edges)


class _Builder:
    def __init__(self, definitions: Definitions) -> None:
        self.nodes: dict[str, LineageNode] = {}
        self.edges: list[tuple[str, str]] = []
        self.mentioned: set[str] = set()
        """Assets that nobody defines; some step reads or writes them."""
        for spec in definitions.assets:
            self.nodes[spec.key] = _asset_node(spec)
        for spec in definitions.assets:
            for dep in spec.deps:
                self._edge(dep.asset, spec.key)

    def _edge(self, up: str, down: str) -> None:
        """Between assets that are defined, or just mentioned."""
        for key in (up, down):
            if key not in self.nodes:
                self.nodes[key] = LineageNode(key, "asset", key, external=True)
                self.mentioned.add(key)
        self.edges.append((up, down))

    def add_flow(self, job: JobSpec, seen: Iterable[StepSpec]) -> None:
        steps = [*(job.plan.steps if job.plan else ()), *seen]
        reads = list(dict.fromkeys(key for step in steps for key in step.reads))
        writes = list(dict.fromkeys(key for step in steps for key in step.writes))
        if not reads and not writes:
            return
        node = LineageNode(f"{job.name}:", "flow", job.name, job=job.name, description=job.description)
        self.nodes[node.id] = node
        for key in reads:
            self._edge(key, node.id)
        for key in writes:
            if key not in reads:
                self._edge(node.id, key)

    def add_dag(self, job: JobSpec) -> None:
        assert job.plan is not None
        steps = {step.key: step for step in job.plan.steps}
        ups = {key: [edge.step for edge in step.upstream] for key, step in steps.items()}
        readers = {key for key, step in steps.items() if step.reads}
        writers = {key for key, step in steps.items() if step.writes}
        between = _closure(readers, _inverse(ups)) & _closure(writers, ups)
        shown = readers | writers | between
        for key in steps:
            if key in shown:
                node = LineageNode(f"{job.name}:{key}", "step", key, group=steps[key].group, job=job.name)
                self.nodes[node.id] = node
        for key in shown:
            step = steps[key]
            for asset in step.reads:
                self._edge(asset, f"{job.name}:{key}")
            for asset in step.writes:
                if asset not in step.reads:
                    self._edge(f"{job.name}:{key}", asset)
            for up in ups[key]:
                if up in shown:
                    self._edge(f"{job.name}:{up}", f"{job.name}:{key}")


def _asset_node(spec: AssetSpec) -> LineageNode:
    return LineageNode(
        spec.key,
        "asset",
        spec.key,
        layer=spec.layer,
        group=spec.group,
        external=spec.external,
        description=spec.description,
    )


def _inverse(ups: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    downs: dict[str, list[str]] = {}
    for key, above in ups.items():
        for up in above:
            downs.setdefault(up, []).append(key)
    return downs


def _closure(starts: Iterable[str], neighbours: Mapping[str, Iterable[str]]) -> set[str]:
    """The starts and all that is reached from them."""
    found = set(starts)
    stack = list(found)
    while stack:
        for key in neighbours.get(stack.pop(), ()):
            if key not in found:
                found.add(key)
                stack.append(key)
    return found
