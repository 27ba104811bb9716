"""Tasks that decide: `@branch`, `@short_circuit`, `@sensor_task`; and `@setup`, `@teardown`.

Called outside a DAG they are the plain functions that they decorate, as any task.
"""

from __future__ import annotations

import time
import typing
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from batuta.authoring.annotations import return_annotation
from batuta.authoring.context import Defer, SkipTask, StepContext
from batuta.authoring.options import make_options
from batuta.authoring.task import P, R, Task, place_of
from batuta.core.errors import BatutaError, DefinitionError, nearest
from batuta.core.triggers import Trigger

if TYPE_CHECKING:
    from batuta.authoring.dag_nodes import Node
    from batuta.authoring.dag_scope import Scope

SensorMode = Literal["reschedule", "poke"]
Decorated = Task[P, R]
T = TypeVar("T")

LOOK_AGAIN_S = 600.0


class SensorTimeout(BatutaError):
    """What a sensor waited for did not come in time."""


# ---- branches ----


def follow(value: Any, scope: Scope, settings: Mapping[str, Any]) -> Any:
    """Role of branches: the steps and groups named by `value` go on, the others directly below are skipped."""
    return chosen(value, scope.node, scope.context)


def chosen(value: Any, node: Node, context: StepContext) -> Any:
    """Say that of what is directly below `node` only what `value` names goes on. Raises DefinitionError."""
    names = [value] if isinstance(value, str) else list(value or ())
    context.follow = tuple(_target(name, node) for name in names)
    return value


def _target(name: Any, node: Node) -> str:
    """The key or group path that `name` means, which may leave out the branch's own group."""
    if not isinstance(name, str):
        raise DefinitionError(
            f"branch {node.key!r} returned {name!r}",
            where=str(node.place),
            hint="return the key of a step directly below it, a group's name, a list of them, or None",
        )
    targets = branch_targets(node)
    own = f"{node.group.path}." if node.group is not None else ""
    prefix = node.group.prefix if node.group is not None else ""
    for candidate in (name, own + name, prefix + name):
        if candidate in targets:
            return candidate
    hint = nearest(name, targets) or f"directly below it are: {', '.join(targets) or 'no steps'}"
    raise DefinitionError(
        f"branch {node.key!r} chose {name!r}, which is not directly below it", where=str(node.place), hint=hint
    )


def branch_targets(node: Node) -> list[str]:
    """The keys directly below `node`, and the groups that they are in and it is not."""
    targets: dict[str, None] = {}
    for down in node.dag.downstream_of(node):
        targets[down.key] = None
        group = down.group
        while group is not None and not group.holds(node.group):
            targets[group.path] = None
            group = group.parent
    return list(targets)


def check_branch(node: Node, function: Callable[..., Any]) -> None:
    """Where the annotation lists what a branch can return (`Literal["fast", "slow"]`), all of it must exist."""
    for name in _literals(return_annotation(function)):
        _target(name, node)


def _literals(annotation: Any) -> list[str]:
    if typing.get_origin(annotation) is Literal:
        return [name for name in typing.get_args(annotation) if isinstance(name, str)]
    return [name for part in typing.get_args(annotation) for name in _literals(part)]


# ---- short circuits, sensors ----


def go_on(value: Any, scope: Scope, settings: Mapping[str, Any]) -> Any:
    """Role of short circuits: a falsy value skips what is below."""
    return decided(value, scope.context, bool(settings.get("ignore_downstream_trigger_rules", True)))


def decided(value: Any, context: StepContext, ignore_downstream_trigger_rules: bool) -> Any:
    """Say, where `value` is falsy, that nothing below goes on."""
    if not value and ignore_downstream_trigger_rules:
        context.cut = True
    elif not value:
        context.follow = ()
    return value


def arrived(value: Any, scope: Scope, settings: Mapping[str, Any]) -> Any:
    """Role of sensor tasks."""
    return waited(value, scope.context, settings)


def waited(
    value: Any,
    context: StepContext,
    settings: Mapping[str, Any],
    next_at: float | None = None,
    trigger: Trigger | None = None,
) -> Any:
    """The output of a sensor whose probe said `value`; where that is falsy, Defer until the next probe.

    With a `trigger` the engine looks, and the probe itself only now and then: the engine may not see what a worker
    elsewhere sees. Raises SensorTimeout, or SkipTask if it is soft, when it has waited too long.
    """
    if value:
        return None if value is True else value
    now = time.time()
    since = waiting_since(context, now)
    timeout_s = settings.get("timeout_s")
    if timeout_s is not None and now - since >= timeout_s:
        what = f"nothing came within {timeout_s:g} s"
        if settings.get("soft_fail"):
            raise SkipTask(what)
        raise SensorTimeout(what, where=context.key, hint="raise its timeout_s, or look why it does not come")
    poll_s = float(settings.get("poll_s", 60.0))
    until = next_at if next_at is not None else now + (poll_s if trigger is None else max(10 * poll_s, LOOK_AGAIN_S))
    if timeout_s is not None:
        until = min(until, since + timeout_s)
    raise Defer(until, {"since": since}, trigger=trigger)


def waiting_since(context: StepContext, now: float) -> float:
    """When the sensor first looked, in this try."""
    state = context.state
    return float(state["since"]) if isinstance(state, dict) and "since" in state else now


# ---- decorators ----


def _decorator(given: Mapping[str, Any], extra: dict[str, Any], what: str) -> Callable[..., Any]:
    def decorate(given_function: Any) -> Task[..., Any]:
        known = isinstance(given_function, Task)
        function = given_function.fn if known else given_function
        options = given_function.options if known else None
        if not callable(function):
            raise DefinitionError(f"@{what} needs a function, got {type(function).__name__}")
        where = f"{place_of(function)}: {what}"
        made = make_options(options, {**given, "extra": {**(options.extra if options else {}), **extra}}, where)
        if made.cache is not None and "role" in made.extra:
            raise DefinitionError("a task that decides cannot be cached", where=where, hint="drop cache=")
        return Task(function, made)

    return decorate


@overload
def branch(fn: Callable[P, R], /) -> Task[P, R]: ...


@overload
def branch(**options: Any) -> Callable[[Callable[P, R]], Task[P, R]]: ...


def branch(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """A task that returns which of the steps directly below it go on: a key, a group's name, a list, or None.

    The others are skipped, unless a chosen one leads to them. Annotated with `Literal[...]`, what it can return is
    checked when the DAG is defined. Options are those of `task`.
    """
    decorate = _decorator(options, {"role": follow, "branch": True}, "branch")
    return decorate if fn is None else decorate(fn)


@overload
def short_circuit(fn: Callable[P, R], /) -> Task[P, R]: ...


@overload
def short_circuit(
    *, ignore_downstream_trigger_rules: bool = ..., **options: Any
) -> Callable[[Callable[P, R]], Task[P, R]]: ...


def short_circuit(
    fn: Callable[..., Any] | None = None, /, *, ignore_downstream_trigger_rules: bool = True, **options: Any
) -> Any:
    """A task whose falsy value skips everything below it; teardowns are run all the same.

    With `ignore_downstream_trigger_rules=False` only the steps directly below are skipped, and the trigger rules of
    those further down decide about them.
    """
    extra = {"role": go_on, "ignore_downstream_trigger_rules": ignore_downstream_trigger_rules}
    decorate = _decorator(options, extra, "short_circuit")
    return decorate if fn is None else decorate(fn)


def sensor_task(
    *, poll_s: float = 60.0, timeout_s: float | None = 7 * 86400.0, soft_fail: bool = False, **options: Any
) -> Callable[[Callable[P, R]], Task[P, R]]:
    """A task that is called every `poll_s` seconds until its value is truthy; the value is the output (None for True).

    It holds no worker in between. After `timeout_s` seconds it fails, or, with `soft_fail`, is skipped.
    """
    extra = {"role": arrived, "poll_s": poll_s, "timeout_s": timeout_s, "soft_fail": soft_fail}
    return _decorator(options, extra, "sensor_task")


@overload
def setup(fn: Callable[P, R], /) -> Task[P, R]: ...


@overload
def setup(**options: Any) -> Callable[[Callable[P, R]], Task[P, R]]: ...


def setup(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """A task that sets up what others need; see `.as_setup()`. May stand above `@task`."""
    decorate = _decorator(options, {"setup": True}, "setup")
    return decorate if fn is None else decorate(fn)


@overload
def teardown(fn: Callable[P, R], /) -> Task[P, R]: ...


@overload
def teardown(*, fails_run: bool = ..., **options: Any) -> Callable[[Callable[P, R]], Task[P, R]]: ...


def teardown(fn: Callable[..., Any] | None = None, /, *, fails_run: bool = False, **options: Any) -> Any:
    """A task that takes down what setups made, whatever happened in between; see `.as_teardown()`."""
    decorate = _decorator(options, {"teardown": True, "fails_run": fails_run}, "teardown")
    return decorate if fn is None else decorate(fn)
