"""The base of all operators: a step written as a class, with fields that templates and outputs can fill.

    class CopyFile(Operator):
        template_fields = ("source", "target")

        def __init__(self, *, source, target, **options):
            super().__init__(**options)
            self.source, self.target = source, target

        def execute(self, context):
            shutil.copy(self.source, self.target)

An attempt works on a copy whose fields are filled in. What an expanded argument gets from another step is data: it is
put in as it is, and nothing made of it in `__init__` is rendered.
"""

from __future__ import annotations

import copy
import inspect
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from batuta.authoring import session as where_calls_go
from batuta.authoring.annotations import return_annotation
from batuta.authoring.dag_mapping import MapOver, Mode
from batuta.authoring.dag_nodes import Node, NodeLike
from batuta.authoring.dag_outputs import Output
from batuta.authoring.dag_refs import Ref, Scan
from batuta.authoring.options import Options, make_options
from batuta.authoring.places import user_place
from batuta.authoring.step_version import step_version
from batuta.core.errors import BatutaError, DefinitionError, nearest
from batuta.core.plan import StepKind

if TYPE_CHECKING:
    from batuta.authoring.context import StepContext
    from batuta.authoring.dag_scope import Scope


class OperatorError(BatutaError):
    """What an operator was asked to do failed outside: a command, a query, a request."""


class _OutputOf:
    """`operator.output`; a subclass may keep something else under that name."""

    def __get__(self, instance: Operator | None, owner: type | None = None) -> Any:
        return self if instance is None else Output(instance._point())


class Operator(NodeLike, Ref):
    """Subclass it, keep the arguments as attributes, and write `execute`. `options` are those of `task`.

    `template_fields`: attributes whose texts are Jinja templates, also inside lists, tuples and dicts.
    `template_ext`: a text in them that ends so and has no spaces is a template file beside the DAG's own file.
    Any attribute may be the output of another step.
    """

    template_fields: ClassVar[Sequence[str]] = ()
    template_ext: ClassVar[Sequence[str]] = ()
    output: Any = _OutputOf()
    _node: Node | None = None
    _options: Options = Options()

    def __init__(self, **options: Any) -> None:
        """Makes a step of the DAG being written, if there is one. Raises DefinitionError for an unknown option."""
        place = user_place(self)
        where = f"{place}: {type(self).__name__}"
        if type(self).execute is Operator.execute:
            raise DefinitionError("it does not say what to do", where=where, hint="define execute(self, context)")
        self._options = make_options(None, options, where)
        from batuta.authoring.dag import DAG

        dag = where_calls_go.dag.get()
        if isinstance(dag, DAG):
            own = dag.options_for(self._options, place)
            name = own.name or _default_name(type(self))
            self._node = dag.add(name, OperatorBody(self), own, place=place, exact=bool(own.name))

    def execute(self, context: StepContext) -> Any:
        """Do the work and return the output. Raise SkipTask to be skipped, Defer to be called again later."""
        raise NotImplementedError

    @classmethod
    def partial(cls, **fixed: Any) -> OperatorPartial:
        """Fix arguments and options; then `.expand` or `.expand_zip` over others."""
        return OperatorPartial(cls, fixed)

    @classmethod
    def expand(cls, **mapped: Any) -> Any:
        """One step that runs once per item of each argument (cross product)."""
        return OperatorPartial(cls, {}).expand(**mapped)

    def _point(self) -> Node:
        if self._node is None:
            raise DefinitionError(
                f"{self!r} is not a step of a DAG",
                hint="make it inside `with DAG(...):`, and call super().__init__(**options) in its __init__",
            )
        return self._node

    def _decides(self) -> Callable[..., Any] | None:
        """The function that names what goes on, where it is a branch whose choices can be known ahead."""
        return None

    def upstream(self) -> tuple[Node, ...]:
        return (self._node,) if self._node is not None else ()

    def value(self, scope: Scope) -> Any:
        return scope.load(self._node) if self._node is not None else self

    def expression(self) -> str:
        return f"output({self._point().key!r})"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}{f' {self._node.key}' if self._node is not None else ''}>"


def _default_name(kind: type) -> str:
    """`ShellOperator` makes steps called `shell`, `FileSensor` `file_sensor`."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind.__name__.removesuffix("Operator"))
    return name.lower() or "operator"


def _code_name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _fields(operator: Operator) -> Iterable[tuple[str, Any]]:
    """The attributes that may hold refs: all but our own."""
    return [(name, value) for name, value in vars(operator).items() if name not in ("_node", "_options")]


class OperatorBody:
    """An operator as the body of a node."""

    kind: StepKind = "operator"

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    @property
    def code_name(self) -> str:
        return _code_name(type(self._operator))

    @property
    def annotation(self) -> Any:
        return return_annotation(type(self._operator).execute)

    def code_version(self) -> str:
        return step_version(type(self._operator).execute, dict(_fields(self._operator)))

    def decides(self) -> Callable[..., Any] | None:
        return self._operator._decides()

    def refs(self) -> Iterable[Ref]:
        scan = Scan()
        for _name, value in _fields(self._operator):
            scan.look(value, text=False)
        return scan.refs

    def texts(self) -> Iterable[str]:
        operator = self._operator
        missing = [name for name in operator.template_fields if not hasattr(operator, name)]
        if missing:
            known = [name for name, _value in _fields(operator)]
            raise DefinitionError(
                f"template_fields of {type(operator).__name__} names {missing[0]!r}, which it does not have",
                where=str(operator._point().place),
                hint=nearest(missing[0], known) or f"set self.{missing[0]} in its __init__",
            )
        scan = Scan()
        for name in operator.template_fields:
            scan.look(getattr(operator, name), text=True)
        return scan.texts

    def run(self, scope: Scope) -> Any:
        operator = copy.copy(self._operator)
        fields = operator.template_fields
        for name, value in _fields(self._operator):
            if name not in fields and _holds_refs(value):
                setattr(operator, name, scope.resolved(value, None))
        for name in fields:
            setattr(operator, name, _with_files(getattr(operator, name), name, type(operator), scope))
        return operator.execute(scope.context)


def _holds_refs(value: Any) -> bool:
    scan = Scan()
    scan.look(value, text=False)
    return scan.dynamic


def _with_files(value: Any, field: str, kind: type[Operator], scope: Scope) -> Any:
    """`value` rendered; a text that names a template file is the file, rendered."""
    if isinstance(value, str) and kind.template_ext and _is_file_name(value, kind.template_ext):
        from batuta.authoring import templating

        folder = os.path.dirname(scope.node.dag.place.file)
        name = scope.rendered(value, field) if "{" in value else value
        text, path = templating.read_file(name, folder, step=scope.context.key, field=field)
        return scope.rendered(text, field, path)
    return scope.resolved(value, field)


def _is_file_name(text: str, endings: Sequence[str]) -> bool:
    return text.endswith(tuple(endings)) and not re.search(r"\s", re.sub(r"\{\{.*?\}\}", "", text))


class OperatorPartial:
    """An operator class with some arguments fixed."""

    def __init__(self, kind: type[Operator], fixed: Mapping[str, Any]) -> None:
        self._kind = kind
        self._fixed = dict(fixed)

    def expand(self, **mapped: Any) -> Any:
        """See `Operator.expand`."""
        return self._expanded(mapped, "product")

    def expand_zip(self, **mapped: Any) -> Any:
        """One step that runs once per position of the arguments, which must be equally long at run time."""
        return self._expanded(mapped, "zip")

    def _expanded(self, mapped: dict[str, Any], mode: Mode) -> Output:
        from batuta.authoring.dag_groups import current_dag

        place = user_place()
        where = f"{place}: {self._kind.__name__}"
        dag = current_dag(f"a mapped {self._kind.__name__}", place)
        both = self._fixed.keys() & mapped.keys()
        if both:
            raise DefinitionError(f"arguments are fixed and mapped: {', '.join(sorted(both))}", where=where)
        own, required = _own_arguments(self._kind)
        missing = [name for name in required if name not in self._fixed and name not in mapped]
        if missing:
            raise DefinitionError(
                f"it needs {', '.join(missing)}", where=where, hint="name each in .partial or .expand"
            )
        given = {name: value for name, value in self._fixed.items() if name not in own}
        unknown = [name for name in mapped if name not in own]
        if unknown:
            hint = nearest(unknown[0], own) or f"its arguments are {', '.join(own)}"
            raise DefinitionError(f"it cannot be expanded over {unknown[0]!r}", where=where, hint=hint)
        options = dag.options_for(make_options(None, given, where), place)
        mapping = dag.mapping(mapped, mode, where)
        body = MappedOperator(self._kind, {n: v for n, v in self._fixed.items() if n in own}, mapping)
        name = options.name or _default_name(self._kind)
        return Output(dag.add(name, body, options, place=place, mapping=mapping, exact=bool(options.name)))


def _own_arguments(kind: type[Operator]) -> tuple[list[str], list[str]]:
    """The arguments that the class and its bases name themselves, and those of them that are required."""
    own: dict[str, None] = {}
    required: list[str] = []
    for base in kind.__mro__:
        if base is Operator:
            break
        if "__init__" not in vars(base):
            continue
        open_ended = False
        given_below = base is not kind and "__init__" in vars(kind)  # perhaps by the subclass itself
        for name, parameter in list(inspect.signature(vars(base)["__init__"]).parameters.items())[1:]:
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                open_ended = True
            elif parameter.kind is not inspect.Parameter.VAR_POSITIONAL:
                own[name] = None
                if parameter.default is inspect.Parameter.empty and not given_below:
                    required.append(name)
        if not open_ended:
            break
    return list(own), required


class MappedOperator:
    """An operator that is made anew for each item, as the body of a node."""

    kind: StepKind = "operator"

    def __init__(self, kind: type[Operator], fixed: Mapping[str, Any], mapping: MapOver) -> None:
        self._kind = kind
        self._fixed = fixed
        self._mapping = mapping

    @property
    def code_name(self) -> str:
        return _code_name(self._kind)

    @property
    def annotation(self) -> Any:
        return return_annotation(self._kind.execute)

    def code_version(self) -> str:
        return step_version(self._kind.execute, self._fixed, self._mapping.literals())

    def decides(self) -> Callable[..., Any] | None:
        return None

    def refs(self) -> Iterable[Ref]:
        scan = Scan()
        for value in self._fixed.values():
            scan.look(value, text=False)
        return [*scan.refs, *(ref for name in self._mapping.names for ref in self._mapping.refs(name))]

    def texts(self) -> Iterable[str]:
        scan = Scan()
        for name in self._kind.template_fields:
            scan.look(self._fixed.get(name), text=True)
        names = [name for name in self._mapping.names if name in self._kind.template_fields]
        return [*scan.texts, *(text for name in names for text in self._mapping.texts(name))]

    def run(self, scope: Scope) -> Any:
        arguments: dict[str, Any] = {}
        for name, value in self._fixed.items():
            templated = name in self._kind.template_fields
            arguments[name] = _with_files(value, name, self._kind, scope) if templated else scope.resolved(value, None)
        for name in self._mapping.names:
            render = scope.renderer(name) if name in self._kind.template_fields else None
            arguments[name] = self._mapping.item(name, scope, render)
        operator = self._kind(**arguments)
        operator._node = scope.node
        return operator.execute(scope.context)


def pause(context: StepContext, seconds: float, until: Callable[[], bool] | None = None) -> None:
    """Sleep inside a step, so that a cancel or a timeout gets through; ends early when `until()` is true."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not (until is not None and until()):
        context.check_cancelled()
        time.sleep(min(left, 0.2))
