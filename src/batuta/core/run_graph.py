"""The graph of one run: step nodes, their task runs, and the tallies by which the end of one moves the next.

Two levels keep wide graphs linear: an edge `every` is counted once per step (a step mapped 10,000 times that feeds
another costs 20,000 counts, not 100 million); only `aligned` and listed edges are counted per task run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from batuta.core.errors import InvariantError
from batuta.core.plan import Edge, Expansion, LabelExpansion, MapExpansion, MapSource, StepSpec
from batuta.core.states import TASK_FINAL, TaskState
from batuta.core.trigger_rules import EARLY_ON, Tally
from batuta.core.triggers import Wait
from batuta.core.values import ErrorInfo, Handle

PLACEHOLDER = -2
"""Index of the single task run of an expanded step that has none of its own: nothing to map over, or never mapped."""
SINGLE = -1


class TaskRun:
    """One execution of a step (of one map index or partition) in a run. Only the state machine writes it."""

    __slots__ = (
        "asked",
        "attempt",
        "cut",
        "dropped",
        "error",
        "failures",
        "fingerprint",
        "fired",
        "follow",
        "halted",
        "index",
        "label",
        "losses",
        "mark",
        "no",
        "node",
        "output",
        "own",
        "own_pending",
        "reason",
        "started_at",
        "state",
        "stop",
        "told",
        "tries",
        "until",
        "wait",
    )

    def __init__(self, no: int, node: StepNode, index: int, label: str = "") -> None:
        self.no = no
        self.node = node
        self.index = index
        self.label = label
        self.state = TaskState.WAITING
        self.attempt = 0  # the fence: every dispatch has its own
        self.tries = 0  # how many times it began anew: losses and deferrals go on with the same try
        self.failures = 0
        self.losses = 0
        self.own: Tally | None = None  # ends of aligned and listed upstreams
        self.own_pending = 0
        self.output: Handle | None = None  # its value; before it has one, what it remembers while deferred
        self.error: ErrorInfo | None = None
        self.reason = ""
        self.fingerprint = ""
        self.asked = 0  # in which of its tries the flow last asked for it
        self.started_at = 0.0
        self.until = 0.0
        self.wait: Wait | None = None  # what it is deferred for, besides the time
        self.fired: Handle | None = None  # what its last wait has found
        self.stop: bool | None = None  # asked to stop; True: hard
        self.follow: tuple[str, ...] | None = None  # what it decided as a branch
        self.cut = False
        self.mark: tuple[TaskState, str] | None = None  # how it ends once its attempt is over, and why
        self.halted = False  # it ended because the run stopped, not by a decision
        self.told = False  # its end has been counted downstream
        self.dropped = False  # its step has fewer items than before

    @property
    def key(self) -> str:
        """`step`, `step[3]` or `step[2026-01-31]`."""
        if self.label:
            return f"{self.node.spec.key}[{self.label}]"
        return f"{self.node.spec.key}[{self.index}]" if self.index >= 0 else self.node.spec.key

    @property
    def final(self) -> bool:
        return self.state in TASK_FINAL

    def renew(self) -> None:
        """Forget how it ended, with a fresh retry budget; attempts and tries go on counting."""
        self.failures = self.losses = 0
        self.output = self.error = self.follow = self.wait = self.fired = None
        self.reason = ""
        self.until = 0.0
        self.cut = self.halted = self.told = self.dropped = False

    def __repr__(self) -> str:
        return f"<{self.no} {self.key} {self.state} attempt {self.attempt}>"


class Listed:
    """A listed edge: which task runs of `node` wait for the i-th task run of the upstream."""

    __slots__ = ("inverse", "node")

    def __init__(self, node: StepNode, forward: tuple[tuple[int, ...], ...], width: int) -> None:
        self.node = node
        self.inverse: list[list[int]] = [[] for _ in range(width)]
        for down, ups in enumerate(forward):
            for up in ups:
                if not 0 <= up < width:
                    raise InvariantError(f"step {node.spec.key!r} waits for task run {up} of a step that has {width}")
                self.inverse[up].append(down)


class MapItem(NamedTuple):
    """What one source gives one task run of a mapped step.

    `task` has it: its whole output if `item` is -1, else item `item` of its output. `task` is None for a literal.
    """

    source: MapSource
    task: TaskRun | None
    item: int


class StepNode:
    """One step of the run and what its neighbours count about it.

    What few steps have is a tuple or None until they do: containers cost the garbage collector, and steps are many.
    """

    __slots__ = (
        "aligned",
        "aligned_downs",
        "decided",
        "early_on",
        "every",
        "every_downs",
        "every_pending",
        "expanded",
        "gates",
        "has_own_edges",
        "items_sure",
        "left_out",
        "lengths",
        "listed_downs",
        "map_downs",
        "open",
        "pos",
        "runs",
        "scope",
        "scope_downs",
        "settled",
        "spare",
        "spec",
        "tally",
    )

    def __init__(self, pos: int, spec: StepSpec) -> None:
        self.pos = pos
        self.spec = spec
        self.runs: list[TaskRun] = []
        self.spare: Sequence[TaskRun] = ()  # task runs of an earlier, longer expansion
        self.expanded = False
        self.settled = False
        self.open = 0
        self.lengths: tuple[int, ...] = ()  # of the map sources, when it was expanded
        self.items_sure = False  # every source had an item for each task run, and none has been rewound since
        self.left_out: dict[int, str] | None = None  # indexes not chosen before it was expanded, and why
        self.early_on = EARLY_ON[spec.trigger_rule]
        self.decided = False  # its verdict fell early and has been carried out
        self.tally = Tally()
        self.every = Tally()
        self.every_pending = 0
        self.gates = 0  # map sources, and setups of the scopes it is in, that have not settled
        self.has_own_edges = any(edge.mapping != "every" for edge in spec.upstream)
        self.scope: tuple[StepNode, ...] = ()  # setups that must have succeeded, directly upstream or not
        self.aligned: list[StepNode] | None = None  # all that aligned edges join, one list for all of them
        self.every_downs: list[StepNode] = []
        self.aligned_downs: tuple[StepNode, ...] = ()
        self.listed_downs: tuple[Listed, ...] = ()
        self.map_downs: tuple[StepNode, ...] = ()
        self.scope_downs: tuple[StepNode, ...] = ()

    @property
    def is_mapped(self) -> bool:
        return type(self.spec.expansion) is MapExpansion

    @property
    def placeholder(self) -> TaskRun | None:
        """The task run that stands for a step that has none of its own."""
        return self.runs[0] if self.expanded and self.runs[0].index == PLACEHOLDER else None

    def downs(self) -> list[StepNode]:
        """All direct downstream nodes; one may be there twice."""
        listed = [edge.node for edge in self.listed_downs if edge.node is not self]
        return [*self.every_downs, *self.aligned_downs, *listed, *self.map_downs]

    def __repr__(self) -> str:
        return f"<step {self.spec.key} {len(self.runs)} runs, {self.open} open>"


class RunGraph:
    """All step nodes of a run by key and all its task runs by number."""

    def __init__(self, steps: tuple[StepSpec, ...]) -> None:
        self.nodes: list[StepNode] = []
        self.by_key: dict[str, StepNode] = {}
        self.groups: set[str] = set()
        self.runs: list[TaskRun] = []
        for spec in steps:
            self.add(spec)
        for node in self.nodes:
            self.wire(node)

    def add(self, spec: StepSpec) -> StepNode:
        """A new node, not yet wired."""
        if spec.key in self.by_key:
            raise InvariantError(f"two steps have the key {spec.key!r} in one run")
        node = StepNode(len(self.nodes), spec)
        self.nodes.append(node)
        self.by_key[spec.key] = node
        group = spec.group
        while group and group not in self.groups:
            self.groups.add(group)
            group = group.rpartition(".")[0]
        return node

    def wire(self, node: StepNode) -> None:
        """Make the upstreams of `node` know it; counts what has already ended there."""
        for edge in node.spec.upstream:
            up = self._upstream(node, edge.step)
            if edge.mapping == "every":
                up.every_downs.append(node)
                node.every.add(up.tally)
                node.every_pending += not up.settled
            elif edge.mapping == "aligned":
                if not _same_shape(up.spec.expansion, node.spec.expansion):
                    raise InvariantError(f"{edge.step!r} and {node.spec.key!r} are aligned but differ in expansion")
                up.aligned_downs += (node,)
                _join(up, node)
            else:
                up.listed_downs += (self._listed(node, up, edge),)
        expansion = node.spec.expansion
        if isinstance(expansion, MapExpansion):
            for source in expansion.sources:
                if source.step:
                    up = self._upstream(node, source.step)
                    up.map_downs += (node,)
                    node.gates += not up.settled

    def _upstream(self, node: StepNode, key: str) -> StepNode:
        up = self.by_key.get(key)
        if up is None:
            raise InvariantError(f"step {node.spec.key!r} waits for {key!r}, which the plan does not have")
        return up

    def _listed(self, node: StepNode, up: StepNode, edge: Edge) -> Listed:
        assert isinstance(edge.mapping, tuple)
        if node.is_mapped or up.is_mapped or len(edge.mapping) != _width(node.spec):
            raise InvariantError(f"the edge {edge.step!r} -> {node.spec.key!r} does not list each of its task runs")
        return Listed(node, edge.mapping, _width(up.spec))

    def new_run(self, node: StepNode, index: int, label: str = "") -> TaskRun:
        """A new task run of `node`."""
        task = TaskRun(len(self.runs), node, index, label)
        self.runs.append(task)
        node.runs.append(task)
        return task

    def fit(self, node: StepNode, count: int, labels: tuple[str, ...] = (), first: int = 0) -> None:
        """Give `node` just `count` task runs, indexed from `first`: those it had before, then new ones.

        What it had beyond them becomes spare, and is the first to be taken when there are to be more again.
        """
        had = [*node.runs, *node.spare]
        node.runs, node.spare = had[:count], tuple(had[count:])
        for index, task in enumerate(node.runs, first):
            task.index = index
        for index in range(first + len(node.runs), first + count):
            self.new_run(node, index, labels[index] if labels else "")
        node.open = count
        node.expanded = True
        if node.has_own_edges:
            self.recount_own(node)

    def recount_own(self, node: StepNode) -> None:
        """Count anew, for each task run of `node`, the ends of its aligned and listed upstreams."""
        for task in node.runs:
            task.own = Tally()
            task.own_pending = 0
        for edge in node.spec.upstream:
            up = self.by_key[edge.step]
            if edge.mapping == "every":
                continue
            if edge.mapping == "aligned" and up.expanded and up.placeholder is None:
                for task, above in zip(node.runs, up.runs, strict=False):
                    _count_end(task, above)
                continue
            for task in node.runs:
                if task.index != PLACEHOLDER:
                    for other in self.upstream_runs(task, edge):
                        _count_end(task, other)

    def upstream_runs(self, task: TaskRun, edge: Edge) -> Iterator[TaskRun | None]:
        """The task runs that `task` waits for by an aligned or listed edge; None stands for one yet to come."""
        up = self.by_key[edge.step]
        index = max(task.index, 0)
        if not up.expanded:
            yield from (None for _ in range(1 if edge.mapping == "aligned" else len(edge.mapping[index])))
        elif edge.mapping == "aligned":
            yield up.placeholder or up.runs[index]
        else:
            yield from (up.runs[int(i)] for i in edge.mapping[index])

    def map_items(self, task: TaskRun) -> tuple[MapItem, ...]:
        """What each source of its mapped step gives `task`. Of a product, the last source varies fastest."""
        expansion = task.node.spec.expansion
        assert isinstance(expansion, MapExpansion)
        items = []
        rest = task.index
        for source, length in zip(reversed(expansion.sources), reversed(task.node.lengths), strict=True):
            item = task.index
            if expansion.mode == "product":
                rest, item = divmod(rest, length)
            up = self.by_key[source.step] if source.step else None
            if up is None:
                items.append(MapItem(source, None, item))
            elif up.spec.expansion is None:
                items.append(MapItem(source, up.runs[0], item))
            else:
                items.append(MapItem(source, up.runs[item if item < len(up.runs) else 0], -1))
        return tuple(reversed(items))


def _join(a: StepNode, b: StepNode) -> None:
    together = a.aligned or [a]
    others = b.aligned or [b]
    if together is not others:
        together += others
        for node in together:
            node.aligned = together


def _count_end(task: TaskRun, up: TaskRun | None) -> None:
    if up is None or not up.told:
        task.own_pending += 1
    elif task.own is not None:
        task.own.count(up.state)


def _width(spec: StepSpec) -> int:
    return len(spec.expansion.labels) if isinstance(spec.expansion, LabelExpansion) else 1


def _same_shape(a: Expansion | None, b: Expansion | None) -> bool:
    if isinstance(a, LabelExpansion) and isinstance(b, LabelExpansion):
        return len(a.labels) == len(b.labels)
    return a == b
