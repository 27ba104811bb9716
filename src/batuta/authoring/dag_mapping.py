"""What a mapped step or group ranges over, and which items an index stands for.

Cross products count like an odometer: in the order of the arguments, the last one fastest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from batuta.authoring.dag_nodes import NodeLike
from batuta.authoring.dag_outputs import Output
from batuta.authoring.dag_refs import Ref, Scan, resolve
from batuta.core.errors import DefinitionError, InvariantError
from batuta.core.plan import MapExpansion, MapSource

if TYPE_CHECKING:
    from batuta.authoring.dag_nodes import Node
    from batuta.authoring.dag_scope import Scope

Render = Callable[[str], Any]
Mode = Literal["product", "zip"]


class Listed:
    """An argument that ranges over a list in the code (refs may stand in it)."""

    __slots__ = ("items",)

    def __init__(self, items: Sequence[Any]) -> None:
        self.items = items

    def source(self) -> MapSource:
        return MapSource(length=len(self.items))

    def length(self, scope: Scope) -> int:
        return len(self.items)

    def pick(self, position: int, scope: Scope, render: Render | None) -> Any:
        return resolve(self.items[position], scope, render)


class Produced:
    """An argument that ranges over the output of a step."""

    __slots__ = ("output",)

    def __init__(self, output: Output) -> None:
        self.output = output

    def source(self) -> MapSource:
        return MapSource(step=self.output.key)

    def length(self, scope: Scope) -> int:
        return len(scope.load(self.output.node))

    def pick(self, position: int, scope: Scope, render: Render | None) -> Any:
        if scope.gives_list(self.output.node):  # one output of a mapped step: that of the same index
            return self.output.changed(scope.context.output_of(self.output.key, position))
        return self.output.item(position, scope)


class MapOver:
    """The expanded arguments of a mapped step or group."""

    __slots__ = ("_sources", "mode")

    def __init__(self, mapped: Mapping[str, Any], mode: Mode, where: str) -> None:
        """Raises DefinitionError for what cannot be ranged over."""
        if not mapped:
            raise DefinitionError(
                "expand got nothing to map over", where=where, hint="name an argument: .expand(day=days)"
            )
        self.mode: Mode = mode
        self._sources = {name: _source(name, value, where) for name, value in mapped.items()}
        lengths = {name: len(s.items) for name, s in self._sources.items() if isinstance(s, Listed)}
        if mode == "zip" and len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            raise DefinitionError(
                f"expand_zip got lists of different lengths: {told}", where=where, hint="make them equally long"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The mapped arguments, in order."""
        return tuple(self._sources)

    def literals(self) -> dict[str, Sequence[Any]]:
        """The arguments that range over lists in the code."""
        return {name: source.items for name, source in self._sources.items() if isinstance(source, Listed)}

    def expansion(self) -> MapExpansion:
        """The same for the state machine."""
        return MapExpansion(tuple(source.source() for source in self._sources.values()), self.mode)

    def nodes(self) -> list[Node]:
        """The steps whose outputs it ranges over, which therefore have to end first."""
        return [source.output.node for source in self._sources.values() if isinstance(source, Produced)]

    def refs(self, name: str) -> Iterable[Ref]:
        """The refs that one argument is made of."""
        source = self._sources[name]
        if isinstance(source, Produced):
            return (source.output,)
        scan = Scan()
        scan.look(source.items, text=False)
        return scan.refs

    def texts(self, name: str) -> Iterable[str]:
        """The templates in one argument."""
        source = self._sources[name]
        if isinstance(source, Produced):
            return ()
        scan = Scan()
        scan.look(source.items, text=True)
        return scan.texts

    def item(self, name: str, scope: Scope, render: Render | None) -> Any:
        """The item of argument `name` for the map index of this attempt."""
        index = scope.context.index
        if index < 0:
            raise InvariantError(f"step {scope.node.key!r} is mapped, but came without a map index")
        source = self._sources[name]
        if isinstance(source, Produced) and (sent := scope.item_sent(source.output.node)):
            return source.output.changed(sent[0])
        if scope.context.items:
            return source.pick(scope.context.items[self.names.index(name)], scope, render)
        if self.mode == "zip" or len(self._sources) == 1:
            return source.pick(index, scope, render)
        for other in reversed(self._sources):
            if other == name and other == next(iter(self._sources)):
                return source.pick(index, scope, render)
            index, position = divmod(index, self._sources[other].length(scope))
            if other == name:
                return source.pick(position, scope, render)
        raise InvariantError(f"step {scope.node.key!r} is not mapped over {name!r}")


class GroupItem(Ref):
    """Inside a mapped group: the item that each of its task runs gets for an argument."""

    __slots__ = ("_keys", "_mapping", "name")

    def __init__(self, name: str, mapping: MapOver, keys: tuple[str | int, ...] = ()) -> None:
        self.name = name
        self._mapping = mapping
        self._keys = keys

    def __getitem__(self, key: str | int) -> GroupItem:
        return GroupItem(self.name, self._mapping, (*self._keys, key))

    def upstream(self) -> tuple[Node, ...]:
        return tuple(node for ref in self._mapping.refs(self.name) for node in ref.upstream())

    def value(self, scope: Scope) -> Any:
        value = scope.item(self.name)
        for key in self._keys:
            value = value[key]
        return value

    def expression(self) -> str:
        return f"item({self.name!r})" + "".join(f"[{key!r}]" for key in self._keys)

    def __repr__(self) -> str:
        return f"<item {self.name} of a mapped group>"


def _source(name: str, value: Any, where: str) -> Listed | Produced:
    if isinstance(value, Output):
        return Produced(value.as_source())
    if isinstance(value, NodeLike):
        return Produced(Output(value._point()))
    if isinstance(value, GroupItem):
        raise DefinitionError(
            f"argument {name!r} is expanded inside a mapped group",
            where=where,
            hint="a mapped group cannot be mapped again inside: make the pairs before it, or loop in the task",
        )
    if isinstance(value, Mapping):
        return Listed(list(value.items()))
    if isinstance(value, (list, tuple, range)):
        return Listed(value)
    kind = type(value).__name__
    raise DefinitionError(
        f"argument {name!r} of expand is a {kind}, which has no known order of items",
        where=where,
        hint="give a list, a tuple, a dict, a range or the output of a step; fix other arguments with .partial(...)",
    )
