"""Values that are known only when a run gets there, wherever they stand in the arguments of a step.

A `Ref` put into text becomes a template expression, so that f-strings do what they seem to say. What a ref turns out
to be is data: it is never rendered as a template itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from batuta.authoring.places import user_place
from batuta.core.errors import DefinitionError

if TYPE_CHECKING:
    from batuta.authoring.dag_nodes import Node
    from batuta.authoring.dag_scope import Scope


class Ref:
    """Something that stands for a value of the run."""

    __slots__ = ()

    def upstream(self) -> tuple[Node, ...]:
        """The nodes whose outputs it is made of."""
        return ()

    def value(self, scope: Scope) -> Any:
        """What it is in this attempt."""
        raise NotImplementedError

    def expression(self) -> str:
        """The same as a template expression."""
        raise NotImplementedError

    def __str__(self) -> str:
        return f"{{{{ {self.expression()} }}}}"

    def __format__(self, spec: str) -> str:
        if spec:
            self._refuse(f"formatted with {spec!r}", "format it inside a task, or use a template filter")
        return str(self)

    def __bool__(self) -> bool:
        self._refuse("used as a truth value", "decide inside a task, or with @branch or @short_circuit")

    def __iter__(self) -> Any:
        self._refuse("iterated over", "use .expand(...) to run a step per item, or output[0] for one item")

    def __len__(self) -> int:
        self._refuse("asked for its length", "use .expand(...) to run a step per item")

    def _refuse(self, how: str, hint: str) -> NoReturn:
        raise DefinitionError(
            f"{self!r} was {how} while the DAG is written, but is known only when it runs",
            where=str(user_place()),
            hint=hint,
        )


class ParamRef(Ref):
    """A parameter of the run."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def value(self, scope: Scope) -> Any:
        return scope.params[self.name]

    def expression(self) -> str:
        return f"params.{self.name}"

    def __repr__(self) -> str:
        return f"<param {self.name}>"


class Literal:
    """Text that is passed as it is, whatever braces it has."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def literal(value: Any) -> Any:
    """Pass `value` to a step as it is: nothing in it is rendered as a template."""
    return Literal(value)


def is_template(text: str) -> bool:
    """Whether there is anything to render in `text`."""
    return "{{" in text or "{%" in text or "{#" in text


_PLAIN = (int, float, bool, bytes, type(None))


class Scan:
    """What was found in arguments: refs, and texts to render."""

    __slots__ = ("dynamic", "refs", "texts")

    def __init__(self) -> None:
        self.refs: list[Ref] = []
        self.texts: list[str] = []
        self.dynamic = False

    def look(self, value: Any, text: bool) -> None:
        """Look through `value` and the lists, tuples, sets and dicts in it; at texts only if `text`."""
        if isinstance(value, _PLAIN):
            return
        if isinstance(value, str):
            if text and is_template(value):
                self.texts.append(value)
                self.dynamic = True
        elif isinstance(value, Ref):
            self.refs.append(value)
            self.dynamic = True
        elif isinstance(value, Literal):
            self.dynamic = True
        elif isinstance(value, dict):
            for item in value.values():
                self.look(item, text)
        elif isinstance(value, (list, tuple, set, frozenset)):
            for item in value:
                self.look(item, text)


def resolve(value: Any, scope: Scope, render: Callable[[str], Any] | None) -> Any:
    """`value` with refs replaced by what they stand for, and, given `render`, templates rendered."""
    kind = type(value)
    if kind is str:
        return render(value) if render is not None and is_template(value) else value
    if isinstance(value, Ref):
        return value.value(scope)
    if kind is Literal:
        return value.value
    if kind is dict:
        return {key: resolve(item, scope, render) for key, item in value.items()}
    if kind is list or kind is tuple or kind is set or kind is frozenset:
        return kind([resolve(item, scope, render) for item in value])
    return value
