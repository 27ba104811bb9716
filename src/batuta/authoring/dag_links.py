"""`>>`, `<<`, `chain` and `cross_downstream`: order between steps, groups and lists of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar, Union

from batuta.core.errors import DefinitionError

if TYPE_CHECKING:
    from batuta.authoring.dag_groups import TaskGroup
    from batuta.authoring.dag_nodes import Node

T = TypeVar("T")
Point = Union["Node", "TaskGroup"]


class Linked:
    """What can stand on either side of `>>` and `<<`; the other side may also be a list."""

    __slots__ = ()

    def _point(self) -> Point:
        """The node or group that it stands for."""
        raise NotImplementedError

    def __rshift__(self, other: T) -> T:
        link(self, other)
        return other

    def __lshift__(self, other: T) -> T:
        link(other, self)
        return other

    def __rrshift__(self, other: Any) -> Any:
        link(other, self)
        return self

    def __rlshift__(self, other: Any) -> Any:
        link(self, other)
        return self


def points(value: Any) -> list[Point]:
    """The nodes and groups that `value` (one of them, or a list) stands for."""
    if isinstance(value, Linked):
        return [value._point()]
    if isinstance(value, (list, tuple)):
        return [point for item in value for point in points(item)]
    from batuta.authoring.places import user_place
    from batuta.authoring.task import Task

    what = f"{value!r} cannot have a place in the order of steps"
    hint = "give steps, task groups, or lists of them"
    if isinstance(value, Task):
        what, hint = f"task {value.name!r} is used without being called", f"write {value.name}()"
    raise DefinitionError(what, where=str(user_place()), hint=hint)


def link(upstream: Any, downstream: Any) -> None:
    """Make all of `downstream` wait for all of `upstream`. Raises DefinitionError across DAGs."""
    ups = points(upstream)
    for down in points(downstream):
        for up in ups:
            down.dag.link(up, down)


def chain(*elements: Any) -> None:
    """`chain(a, [b, c], [d, e], f)` is `a >> [b, c]`, `b >> d`, `c >> e`, `[d, e] >> f`.

    Two lists in a row are linked pair by pair; raises DefinitionError where their lengths differ.
    """
    for left, right in pairwise(elements):
        if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
            if len(left) != len(right):
                from batuta.authoring.places import user_place

                raise DefinitionError(
                    f"chain got lists of {len(left)} and {len(right)} steps in a row",
                    where=str(user_place()),
                    hint="lists in a row are linked pair by pair; cross_downstream links all with all",
                )
            for one, other in zip(left, right, strict=True):
                link(one, other)
        else:
            link(left, right)


def cross_downstream(upstream: Sequence[Any], downstream: Sequence[Any]) -> None:
    """Make each of `downstream` wait for each of `upstream`."""
    link(list(upstream), list(downstream))
