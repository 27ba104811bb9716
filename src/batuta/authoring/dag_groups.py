"""Task groups: a name space for steps, one side of `>>`, and, mapped, a small graph that is run once per item."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from batuta.authoring import session as where_calls_go
from batuta.authoring.dag_links import Linked
from batuta.authoring.dag_mapping import GroupItem, MapOver, Mode
from batuta.authoring.places import user_place
from batuta.authoring.task import place_of
from batuta.core.definitions import Place
from batuta.core.errors import DefinitionError

if TYPE_CHECKING:
    from batuta.authoring.dag import DAG
    from batuta.authoring.dag_nodes import Node

P = ParamSpec("P")
R = TypeVar("R")


class TaskGroup(Linked):
    """Steps made in `with TaskGroup("load"):` have keys `load.NAME`; with `prefix=False`, just `NAME`.

    `group >> step` waits for the group's last steps (not for its teardowns); `step >> group` holds back its first.
    `default_args` are options for the steps in it, on top of those of the DAG.
    """

    def __init__(
        self,
        name: str,
        *,
        prefix: bool = True,
        description: str = "",
        default_args: Mapping[str, Any] | None = None,
    ) -> None:
        """Raises DefinitionError outside a DAG, DuplicateKeyError where the DAG has such a group or step."""
        self._set_up(name, prefix, description, default_args, None, exact=True)

    def _set_up(
        self,
        name: str,
        prefix: bool,
        description: str,
        default_args: Mapping[str, Any] | None,
        mapping: MapOver | None,
        exact: bool,
    ) -> None:
        self.place: Place = user_place()
        self.dag: DAG = current_dag(f"task group {name!r}", self.place)
        self.description = description
        self.default_args = dict(default_args or {})
        self.mapping = mapping
        self.parent = self.dag.open_group
        if mapping is not None and self.parent is not None and self.parent.region is not None:
            raise DefinitionError(
                f"mapped group {name!r} is inside a mapped group",
                where=str(self.place),
                hint="only one level can be mapped: make the pairs before it and expand over them",
            )
        self.nodes: list[Node] = []
        self.path = self.dag.add_group(self, name, exact)
        """Its name with those of the groups that it is in: what branches return to choose it."""
        above: str = self.parent.prefix if self.parent is not None else ""
        self.prefix: str = f"{above}{self.path.rpartition('.')[2]}." if prefix else above

    @classmethod
    def made(cls, name: str, options: Mapping[str, Any], mapping: MapOver | None) -> TaskGroup:
        """For `@task_group`: a group whose name gets a number where it is taken."""
        group = cls.__new__(cls)
        prefix, description = options.get("prefix", True), options.get("description", "")
        group._set_up(name, prefix, description, options.get("default_args"), mapping, exact=False)
        return group

    @property
    def region(self) -> TaskGroup | None:
        """The mapped group that it is or is in."""
        group: TaskGroup | None = self
        while group is not None and group.mapping is None:
            group = group.parent
        return group

    def _point(self) -> TaskGroup:
        return self

    @property
    def depth(self) -> int:
        """1 for a group that is in no other."""
        return self.path.count(".") + 1

    def holds(self, group: TaskGroup | None) -> bool:
        """Whether `group` is this one or in it."""
        while group is not None and group is not self:
            group = group.parent
        return group is self

    def __enter__(self) -> TaskGroup:
        self.dag.enter_group(self)
        return self

    def __exit__(self, *error: object) -> None:
        self.dag.leave_group()

    def __repr__(self) -> str:
        return f"<task group {self.path} of {self.dag.name}>"


def current_dag(what: str, place: Place) -> DAG:
    """The DAG being written. Raises DefinitionError."""
    from batuta.authoring.dag import DAG

    dag = where_calls_go.dag.get()
    if not isinstance(dag, DAG):
        raise DefinitionError(
            f"{what} is made outside a DAG", where=str(place), hint="make it inside `with DAG(...):` or a @dag function"
        )
    return dag


class GroupFunction(Generic[P, R]):
    """A function that makes a task group of what is called in it; outside a DAG it is the plain function."""

    def __init__(self, fn: Callable[P, R], options: Mapping[str, Any]) -> None:
        self.fn = fn
        self.options = dict(options)
        self.name = str(self.options.get("name") or getattr(fn, "__name__", "group"))
        functools.update_wrapper(self, fn)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Make the group; returns what the function returns, or the group where that is None."""
        if where_calls_go.dag.get() is None:
            return self.fn(*args, **kwargs)
        return self._made(None, args, kwargs)  # type: ignore[no-any-return]

    def expand(self, **mapped: Any) -> Any:
        """Run the whole group once per item of each argument (cross product)."""
        return self._expanded({}, mapped, "product")

    def expand_zip(self, **mapped: Any) -> Any:
        """Run the whole group once per position of the arguments, which must be equally long at run time."""
        return self._expanded({}, mapped, "zip")

    def partial(self, **fixed: Any) -> GroupPartial:
        """Fix some arguments; then `.expand` or `.expand_zip` over others."""
        return GroupPartial(self, fixed)

    def with_options(self, **changes: Any) -> GroupFunction[P, R]:
        """The same with another name, prefix, description or default_args."""
        _check_options(changes, self.fn)
        return GroupFunction(self.fn, {**self.options, **changes})

    def _expanded(self, fixed: dict[str, Any], mapped: dict[str, Any], mode: Mode) -> Any:
        where = str(user_place())
        current_dag(f"mapped group {self.name!r}", user_place())
        both = fixed.keys() & mapped.keys()
        if both:
            raise DefinitionError(f"arguments are fixed and mapped: {', '.join(sorted(both))}", where=where)
        mapping = MapOver(mapped, mode, where)
        items = {name: GroupItem(name, mapping) for name in mapped}
        return self._made(mapping, (), {**fixed, **items})

    def _made(self, mapping: MapOver | None, args: Any, kwargs: Any) -> Any:
        import inspect

        group = TaskGroup.made(self.name, self.options, mapping)
        try:
            inspect.signature(self.fn).bind(*args, **kwargs)
        except TypeError as error:
            raise DefinitionError(
                f"task group {self.name!r}: {error}",
                where=str(group.place),
                hint=f"it is defined at {place_of(self.fn)}",
            ) from None
        with group:
            value = self.fn(*args, **kwargs)
        return group if value is None else value

    def __repr__(self) -> str:
        return f"<task group function {self.name}>"


class GroupPartial:
    """A group function with some arguments fixed."""

    def __init__(self, function: GroupFunction[..., Any], fixed: dict[str, Any]) -> None:
        self._function = function
        self._fixed = fixed

    def expand(self, **mapped: Any) -> Any:
        """See `GroupFunction.expand`."""
        return self._function._expanded(self._fixed, mapped, "product")

    def expand_zip(self, **mapped: Any) -> Any:
        """See `GroupFunction.expand_zip`."""
        return self._function._expanded(self._fixed, mapped, "zip")


@overload
def task_group(fn: Callable[P, R], /) -> GroupFunction[P, R]: ...


@overload
def task_group(
    *, name: str = ..., prefix: bool = ..., description: str = ..., default_args: Mapping[str, Any] = ...
) -> Callable[[Callable[P, R]], GroupFunction[P, R]]: ...


def task_group(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a task group: each call in a DAG makes one (`load`, `load__1`, ...) of the tasks called in it."""

    def decorate(function: Callable[..., Any]) -> GroupFunction[..., Any]:
        if not callable(function):
            raise DefinitionError(f"@task_group needs a function, got {type(function).__name__}")
        _check_options(options, function)
        return GroupFunction(function, options)

    return decorate if fn is None else decorate(fn)


_OPTIONS = ("name", "prefix", "description", "default_args")


def _check_options(options: Mapping[str, Any], function: Callable[..., Any]) -> None:
    from batuta.core.errors import nearest

    for name in options:
        if name not in _OPTIONS:
            hint = nearest(name, _OPTIONS) or f"options are {', '.join(_OPTIONS)}"
            raise DefinitionError(f"unknown option {name!r} of a task group", where=str(place_of(function)), hint=hint)
