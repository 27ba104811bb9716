"""Operators that decide what follows, and the one that does nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from batuta.authoring.context import StepContext
from batuta.authoring.dag_nodes import then
from batuta.authoring.dag_roles import chosen, decided
from batuta.authoring.operators.base import Operator

if TYPE_CHECKING:
    from batuta.authoring.dag_nodes import Node


class EmptyOperator(Operator):
    """Does nothing: a place for many steps to meet."""

    def execute(self, context: StepContext) -> None:
        """Nothing."""


class BranchOperator(Operator):
    """`choose()` says which of the steps directly below go on: a key, a group's name, a list of them, or None.

    Give it a function (`BranchOperator(by_size, args=[...])`), or subclass it and write `choose(self, context)`.
    """

    template_fields = ("args", "kwargs")

    def __init__(
        self,
        function: Callable[..., Any] | None = None,
        *,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.function = getattr(function, "fn", function)
        self.args = list(args)
        self.kwargs = dict(kwargs or {})

    def _decides(self) -> Callable[..., Any] | None:
        return self.function if self.function is not None else type(self).choose

    def choose(self, context: StepContext) -> Any:
        """The names of what goes on."""
        if self.function is None:
            raise NotImplementedError(f"{type(self).__name__} has no function and does not define choose()")
        return self.function(*self.args, **self.kwargs)

    def execute(self, context: StepContext) -> Any:
        """Choose. Raises DefinitionError for a choice that is not directly below."""
        node: Node = self._point()
        return then(self.choose(context), lambda value: chosen(value, node, context))


class ShortCircuitOperator(Operator):
    """A falsy value of the function skips everything below; see `short_circuit`."""

    template_fields = ("args", "kwargs")

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        ignore_downstream_trigger_rules: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.function = getattr(function, "fn", function)
        self.args = list(args)
        self.kwargs = dict(kwargs or {})
        self.ignore_downstream_trigger_rules = ignore_downstream_trigger_rules

    def execute(self, context: StepContext) -> Any:
        """Call it and decide."""
        ignore = self.ignore_downstream_trigger_rules
        return then(self.function(*self.args, **self.kwargs), lambda value: decided(value, context, ignore))
