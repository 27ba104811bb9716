"""One attempt as the body of a node sees it: typed params, outputs of other steps, the item of its map index."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from batuta.authoring.context import StepContext
from batuta.authoring.dag_refs import resolve
from batuta.core.errors import InvariantError

if TYPE_CHECKING:
    from batuta.authoring.dag_nodes import Node


class Scope:
    """Made anew for each attempt."""

    __slots__ = ("_names", "context", "node", "params")

    def __init__(self, node: Node, context: StepContext) -> None:
        self.node = node
        self.context = context
        self.params: Mapping[str, Any] = node.dag.typed_params(context.params)
        self._names: dict[str, Any] | None = None

    def load(self, node: Node) -> Any:
        """The output of another step: of the same index within a mapped group, a list if it is mapped otherwise."""
        return self.context.output_of(node.key)

    def item_sent(self, node: Node) -> tuple[Any, ...]:
        """The one output of a mapped step that this map index stands for, where it came along; else ()."""
        sent = getattr(self.context.load_input, "item", None)
        return sent(node.key) if sent is not None else ()

    def gives_list(self, node: Node) -> bool:
        """Whether `load(node)` is the list of the outputs of a mapped step."""
        return node.mapping is not None and not self.node.aligned_with(node)

    def output(self, name: str) -> Any:
        """For templates: the output of the step called `name` (its key, or its name within the same group)."""
        return self.load(self.node.dag.find(name, self.node.group, where=f"a template of step {self.node.key!r}"))

    def item(self, name: str) -> Any:
        """The item that this attempt's map index stands for, of the mapped argument `name`."""
        if self.node.mapping is None:
            raise InvariantError(f"step {self.node.key!r} asks for an item, but is not mapped")
        return self.node.mapping.item(name, self, self.renderer(name))

    def resolved(self, value: Any, field: str | None) -> Any:
        """`value` with refs resolved; with a `field`, templates rendered too (it names them in errors)."""
        return resolve(value, self, self.renderer(field) if field is not None else None)

    def renderer(self, field: str, file: str = "") -> Callable[[str], Any]:
        """What renders templates of `field`."""
        return lambda text: self.rendered(text, field, file)

    def rendered(self, text: str, field: str, file: str = "") -> str:
        """A template's text. Raises TemplateError."""
        from batuta.authoring import templating

        if self._names is None:
            self._names = templating.names(
                self.context,
                self.params,
                timezone=self.node.dag.timezone,
                output=self.output,
                item=self.item if self.node.mapping is not None else None,
            )
        return templating.render(text, self._names, step=self.context.key, field=field, file=file)
