"""A call of a task as a node's body, and what the special kinds of tasks do with their value.

`role` says the kind: a branch's value names the steps that go on, a short circuit's says whether any do, a sensor's
whether what it waits for is there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from batuta.authoring.annotations import return_annotation
from batuta.authoring.code import Call
from batuta.authoring.dag_mapping import MapOver
from batuta.authoring.dag_nodes import then
from batuta.authoring.dag_refs import Ref, Scan
from batuta.authoring.options import Options
from batuta.authoring.step_version import step_version
from batuta.core.errors import DefinitionError, nearest
from batuta.core.plan import StepKind

if TYPE_CHECKING:
    from batuta.authoring.dag_scope import Scope
    from batuta.authoring.task import Task

Role = Callable[[Any, "Scope", Mapping[str, Any]], Any]
"""Turns the value of the function into the output of the step; may say what follows, skip or defer."""


class TaskCall:
    """The task, and what it is called with."""

    __slots__ = ("_args", "_dynamic", "_kwargs", "_mapping", "_refs", "_role", "_texts", "options", "task")

    kind: StepKind = "task"

    def __init__(
        self,
        task: Task[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: Options,
        mapping: MapOver | None = None,
    ) -> None:
        self.task = task
        self.options = options
        self._args = args
        self._kwargs = kwargs
        self._mapping = mapping
        self._role: Role | None = options.extra.get("role")
        scan = Scan()
        for value in args:
            scan.look(value, text=True)
        for value in kwargs.values():
            scan.look(value, text=True)
        self._refs, self._texts, self._dynamic = scan.refs, scan.texts, scan.dynamic

    @property
    def code_name(self) -> str:
        return self.task.code_name

    @property
    def annotation(self) -> Any:
        return None if self._role is not None else return_annotation(self.task.fn)

    def code_version(self) -> str:
        mapped = {} if self._mapping is None else self._mapping.literals()
        return step_version(self.task.fn, self._args, self._kwargs, mapped)

    def decides(self) -> Callable[..., Any] | None:
        return self.task.fn if self.options.extra.get("branch") else None

    def refs(self) -> Iterable[Ref]:
        if self._mapping is None:
            return self._refs
        return [*self._refs, *(ref for name in self._mapping.names for ref in self._mapping.refs(name))]

    def texts(self) -> Iterable[str]:
        if self._mapping is None:
            return self._texts
        return [*self._texts, *(text for name in self._mapping.names for text in self._mapping.texts(name))]

    def run(self, scope: Scope) -> Any:
        args, kwargs = self._args, self._kwargs
        if self._dynamic:
            args = [scope.resolved(value, f"argument {i + 1}") for i, value in enumerate(args)]
            kwargs = {name: scope.resolved(value, name) for name, value in kwargs.items()}
        if self._mapping is not None:
            kwargs = {**kwargs, **{name: scope.item(name) for name in self._mapping.names}}
        role = self._role
        if role is None:
            return Call(self.task.fn, self.options).run(scope.context, args, kwargs)
        settings = self.options.extra
        return then(self.task.fn(*args, **kwargs), lambda value: role(value, scope, settings))


class Signatures:
    """Checks calls against the signatures of their functions, each looked up once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, inspect.Signature | None]] = {}

    def check(self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], where: Any) -> None:
        """Raise DefinitionError where the function cannot be called so."""
        known = self._known.get(id(task))
        if known is None:
            known = self._known[id(task)] = (task, _signature(task.fn))
        if known[1] is None:
            return
        try:
            known[1].bind(*args, **kwargs)
        except TypeError as error:
            what, hint = str(error), f"it is defined at {task.place}"
            unknown = _unknown(known[1], kwargs)
            if unknown:
                what = f"it has no parameter {unknown!r}"
                hint = f"{nearest(unknown, known[1].parameters) or f'it takes {known[1]}'} ({task.place})"
            raise DefinitionError(f"task {task.name!r}: {what}", where=str(where), hint=hint) from None


def _unknown(signature: inspect.Signature, kwargs: Mapping[str, Any]) -> str | None:
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in signature.parameters.values()):
        return None
    return next((name for name in kwargs if name not in signature.parameters), None)


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):  # written in C
        return None
