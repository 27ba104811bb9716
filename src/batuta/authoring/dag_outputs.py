"""`Output`: what a step will return, to be passed to other steps.

`output["key"]` and `output.map(fn)` are worked out by the step that uses them and cost no step of their own; `zip`,
`concat`, and an `output["key"]` that is expanded over, become small steps, because their length must be recorded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from batuta.authoring.dag_nodes import Node, NodeLike
from batuta.authoring.dag_refs import Ref
from batuta.authoring.options import Options
from batuta.authoring.places import user_place
from batuta.core.errors import DefinitionError, RequestError
from batuta.core.plan import StepKind

if TYPE_CHECKING:
    from batuta.authoring.dag_scope import Scope

_NOTHING = object()


class Output(NodeLike, Ref):
    """The output of a step. Passed as an argument it makes the other step wait for it and get the value."""

    __slots__ = ("_steps", "node")

    def __init__(self, node: Node, steps: tuple[Any, ...] = ()) -> None:
        self.node = node
        self._steps = steps  # keys to index with and functions to map, in order

    def _point(self) -> Node:
        return self.node

    @property
    def key(self) -> str:
        """The key of its step."""
        return self.node.key

    def __getitem__(self, key: str | int) -> Output:
        """One part of the value. Of a mapped step, a text key picks from each of its outputs."""
        return Output(self.node, (*self._steps, _Key(key)))

    def map(self, function: Callable[[Any], Any]) -> Output:
        """`function` of each item of the value; raise SkipTask in it to skip what is expanded over that item."""
        if not callable(function):
            raise DefinitionError(
                f".map of {self!r} got {function!r}", where=str(user_place()), hint="give it a function of one item"
            )
        return Output(self.node, (*self._steps, getattr(function, "fn", function)))

    def zip(self, *others: Any, fillvalue: Any = _NOTHING) -> Output:
        """A list of tuples of the items of this and others (outputs, lists); as long as the shortest, or, with a
        `fillvalue`, the longest."""
        return _derived("zip", _Zip((self, *others), fillvalue), (self, *others))

    def concat(self, *others: Any) -> Output:
        """The items of this and of others, one after the other."""
        return _derived("concat", _Concat((self, *others)), (self, *others))

    def upstream(self) -> tuple[Node, ...]:
        return (self.node,)

    def value(self, scope: Scope) -> Any:
        value = scope.load(self.node)
        if not self._steps:
            return value
        mapped = scope.gives_list(self.node)
        for step in self._steps:
            if not isinstance(step, _Key):
                value, mapped = [step(item) for item in items_of(value, self.key)], True
            elif mapped and isinstance(step.key, str):
                value = [_part(item, step.key, self.key) for item in value]
            else:
                value = _part(value, step.key, self.key)
        return value

    @property
    def keeps_length(self) -> bool:
        """Whether it has as many items as the recorded output."""
        return not any(isinstance(step, _Key) for step in self._steps)

    def item(self, position: int, scope: Scope) -> Any:
        """One item of an output that keeps its length."""
        return self.changed(items_of(scope.load(self.node), self.key)[position])

    def changed(self, item: Any) -> Any:
        """An item of the recorded output as `.map` makes it."""
        for function in self._steps:
            item = function(item)
        return item

    def as_source(self) -> Output:
        """The same as an output whose length is recorded, so that it can be expanded over."""
        if self.keeps_length:
            return self
        name = "_".join(str(step.key) for step in self._steps if isinstance(step, _Key))
        return _derived(f"{self.node.options.name or self.node.key.rpartition('.')[2]}_{name}", _Same(self), (self,))

    def expression(self) -> str:
        parts = [step for step in self._steps if isinstance(step, _Key)]
        if len(parts) < len(self._steps):
            what, hint = f"{self!r}.map(...) was put into text", "pass it as an argument, or call a task that makes it"
            raise DefinitionError(what, where=str(user_place()), hint=hint)
        return f"output({self.key!r})" + "".join(f"[{part.key!r}]" for part in parts)

    def __repr__(self) -> str:
        return f"<output of {self.node.key}>"


def step(value: Any) -> Output:
    """The step that a call of a task in a DAG made, for type checkers: to them `load()` is what `load` returns.

    `step(extract()) >> step(load())`. Raises DefinitionError for what is no step.
    """
    if isinstance(value, Output):
        return value
    if isinstance(value, NodeLike):
        return Output(value._point())
    raise DefinitionError(
        f"{value!r} is not a step", where=str(user_place()), hint="call the task inside `with DAG(...):`"
    )


class _Key:
    __slots__ = ("key",)

    def __init__(self, key: str | int) -> None:
        if not isinstance(key, (str, int)):
            raise DefinitionError(
                f"an output was indexed with {key!r}", where=str(user_place()), hint="use a text or a number"
            )
        self.key = key


def items_of(value: Any, key: str) -> Sequence[Any]:
    """What is ranged over: items of a list or tuple, (key, value) pairs of a dict. Raises RequestError for others."""
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, (list, tuple)):
        return value
    raise RequestError(
        f"the output of step {key!r} is a {type(value).__name__}, which has no items",
        hint="return a list, a tuple or a dict from it",
    )


def _part(value: Any, key: str | int, step: str) -> Any:
    try:
        return value[key]
    except (KeyError, IndexError, TypeError) as error:
        has = f"its keys are {', '.join(map(repr, list(value)[:10]))}" if isinstance(value, Mapping) else None
        if isinstance(value, (list, tuple)):
            has = f"it has {len(value)} items"
        raise RequestError(
            f"the output of step {step!r}, a {type(value).__name__}, has no [{key!r}]", hint=has
        ) from error


class _Same:
    def __init__(self, output: Output) -> None:
        self.arguments: tuple[Any, ...] = (output,)

    def combine(self, value: Any) -> Any:
        return value


class _Zip:
    def __init__(self, arguments: tuple[Any, ...], fillvalue: Any) -> None:
        self.arguments = arguments
        self.fillvalue = fillvalue

    def combine(self, *values: Any) -> Any:
        columns = [items_of(value, "zip") for value in values]
        if self.fillvalue is _NOTHING:
            return list(zip(*columns, strict=False))
        return list(zip_longest(*columns, fillvalue=self.fillvalue))


class _Concat:
    def __init__(self, arguments: tuple[Any, ...]) -> None:
        self.arguments = arguments

    def combine(self, *values: Any) -> Any:
        return [item for value in values for item in items_of(value, "concat")]


class Derived:
    """The body of a small step that puts outputs together."""

    kind: StepKind = "task"
    annotation: Any = None

    def __init__(self, name: str, way: _Same | _Zip | _Concat) -> None:
        self._name = name
        self._way = way

    @property
    def code_name(self) -> str:
        return f"batuta:{self._name}"

    def code_version(self) -> str:
        return ""

    def decides(self) -> Callable[..., Any] | None:
        return None

    def refs(self) -> Iterable[Ref]:
        return [value for value in self._way.arguments if isinstance(value, Ref)]

    def texts(self) -> Iterable[str]:
        return ()

    def run(self, scope: Scope) -> Any:
        return self._way.combine(*scope.resolved(self._way.arguments, None))


def _derived(name: str, way: _Same | _Zip | _Concat, arguments: tuple[Any, ...]) -> Output:
    for value in arguments:
        if not isinstance(value, (Ref, list, tuple, Mapping)):
            raise DefinitionError(
                f"{name} got a {type(value).__name__}", where=str(user_place()), hint="give it outputs or lists"
            )
    dag = arguments[0].node.dag
    kind = {_Zip: "zip", _Concat: "concat", _Same: "part"}[type(way)]
    body = Derived(kind, way)
    return Output(dag.add(re.sub(r"[^\w-]", "_", name), body, Options(), place=user_place()))
