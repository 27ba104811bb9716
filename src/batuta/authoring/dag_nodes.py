"""A node of a DAG: its key, place and options, what it waits for, and the body that does the work.

A node is the code of its step (`authoring.code.StepCode`): the runtime calls `run`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from batuta.authoring.asset_access import report_written
from batuta.authoring.code import then as then
from batuta.authoring.context import StepContext
from batuta.authoring.dag_links import Linked, link
from batuta.authoring.dag_refs import Ref
from batuta.authoring.options import Options
from batuta.core.definitions import Place
from batuta.core.errors import DefinitionError
from batuta.core.plan import StepKind
from batuta.core.trigger_rules import TriggerRule

if TYPE_CHECKING:
    from batuta.authoring.dag import DAG
    from batuta.authoring.dag_groups import TaskGroup
    from batuta.authoring.dag_mapping import MapOver
    from batuta.authoring.dag_scope import Scope

Self = TypeVar("Self", bound="NodeLike")


class Body(Protocol):
    """What a node does."""

    kind: StepKind

    @property
    def code_name(self) -> str:
        """`module:qualname` of what it runs."""

    @property
    def annotation(self) -> Any:
        """What its value is checked against, or None."""

    def code_version(self) -> str:
        """A hash of what it runs."""

    def decides(self) -> Callable[..., Any] | None:
        """The function whose annotation may list the names that a branch can return; None for what is no branch."""

    def refs(self) -> Iterable[Ref]:
        """All refs in its arguments."""

    def texts(self) -> Iterable[str]:
        """All templates in its arguments."""

    def run(self, scope: Scope) -> Any:
        """Do the work."""


class NodeLike(Linked):
    """A node, or what stands for one: a call's output, an operator."""

    __slots__ = ()

    def _point(self) -> Node:
        raise NotImplementedError

    def as_setup(self: Self) -> Self:
        """What is set up for others; its teardown runs even where they fail."""
        node = self._point()
        node.is_setup = True
        node.dag.changed()
        return self

    def as_teardown(self: Self, setups: Any = None, *, fails_run: bool = False) -> Self:
        """Run after all it waits for has ended, if its `setups` succeeded. Its failure fails the run if `fails_run`."""
        node = self._point()
        node.is_teardown = True
        node.fails_run = fails_run
        if node.options.trigger_rule is None:
            node.trigger_rule = TriggerRule.ALL_DONE_SETUP_SUCCESS
        for setup in _list(setups):
            setup.as_setup()
            link(setup, self)
        node.dag.changed()
        return self

    def __enter__(self: Self) -> Self:
        """Steps made in the block run between this setup (or the setups of this teardown) and its teardown."""
        node = self._point()
        if not node.is_setup and not node.is_teardown:
            raise DefinitionError(
                f"step {node.key!r} is used in `with`, but is neither a setup nor a teardown",
                where=str(node.place),
                hint="call .as_setup() or .as_teardown(setups=...) on it",
            )
        node.dag.open_blocks.append(len(node.dag.nodes))
        return self

    def __exit__(self, *error: object) -> None:
        node = self._point()
        start = node.dag.open_blocks.pop()
        if error[0] is None:
            _enclose(node, list(node.dag.nodes.values())[start:])


class Node(NodeLike):
    """One step of a DAG."""

    __slots__ = (
        "body",
        "dag",
        "fails_run",
        "group",
        "is_setup",
        "is_teardown",
        "key",
        "mapping",
        "name",
        "options",
        "place",
        "region",
        "trigger_rule",
        "upstream",
    )

    def __init__(
        self,
        dag: DAG,
        key: str,
        group: TaskGroup | None,
        body: Body,
        options: Options,
        place: Place,
        mapping: MapOver | None,
    ) -> None:
        self.dag = dag
        self.key = key
        self.group = group
        self.body = body
        self.options = options
        self.place = place
        self.region: TaskGroup | None = group.region if group is not None else None
        self.mapping = mapping if self.region is None else self.region.mapping
        self.upstream: dict[Node, bool] = {}
        """What it waits for, and whether for its data."""
        self.trigger_rule = options.trigger_rule or TriggerRule.ALL_SUCCESS
        self.is_setup = False
        self.is_teardown = False
        self.fails_run = True

    def _point(self) -> Node:
        return self

    @property
    def annotation(self) -> Any:
        """See `StepCode`."""
        return self.body.annotation

    def run(self, context: StepContext) -> Any:
        """See `StepCode`: do the work, and report what it wrote."""
        from batuta.authoring.dag_scope import Scope

        scope = Scope(self, context)
        context.params = scope.params
        value = self.body.run(scope)
        if not self.options.writes:
            return value
        return then(value, lambda made: report_written(made, self.options, context, self.body.code_version()))

    def aligned_with(self, other: Node) -> bool:
        """Whether both are members of one mapped group, so that they meet index by index."""
        return self.region is not None and self.region is other.region

    def __repr__(self) -> str:
        return f"<step {self.key} of {self.dag.name}>"


def _enclose(node: Node, inner: list[Node]) -> None:
    """Put `inner` between the setups and the teardowns that belong to `node`."""
    nodes = node.dag.nodes.values()
    teardowns = [node] if node.is_teardown else [n for n in nodes if n.is_teardown and node in n.upstream]
    setups = [node] if node.is_setup else [up for up in node.upstream if up.is_setup]
    inner = [n for n in inner if n not in setups and n not in teardowns]
    within = set(inner)
    upstream = {n: {*n.upstream, *(up for ref in n.body.refs() for up in ref.upstream())} for n in inner}
    followed = set[Node]().union(*upstream.values())
    for n in inner:
        if not within & upstream[n]:
            link(setups, n)
        if n not in followed:
            link(n, teardowns)


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
