"""What feeds the parameters of an asset's or check's function: assets, resources, the context, config.

A parameter named like an asset's last part gets that asset, if there is just one; the asset itself never counts, so
that `silver.payments` may take a parameter `payments` for `bronze.payments`. The first parameter of a check gets the
asset that it checks, whatever its name.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from batuta.authoring.annotations import parameter_annotation
from batuta.authoring.asset_definitions import AssetFunction, Check, MultiAsset, key_of
from batuta.authoring.asset_values import AssetIn
from batuta.authoring.context import StepContext
from batuta.core.definitions import AssetDep
from batuta.core.errors import DefinitionError, UnknownDependencyError, nearest
from batuta.core.problems import Problem
from batuta.core.similar import similar

_VARARGS, _VARKEYWORDS = 4, 8


class Fed(NamedTuple):
    """One parameter and what it gets. `kind` is asset, nothing, resource, context or config; `target` its name."""

    parameter: str
    kind: str
    target: str = ""


class Binding(NamedTuple):
    """How one function is fed, and what it depends on."""

    fed: tuple[Fed, ...] = ()
    deps: tuple[AssetDep, ...] = ()
    positional: int = 0  # so many of the first parameters have no name to be called by


class Parameters(NamedTuple):
    """The parameters of a function as its code object has them: no default is looked at before it matters."""

    names: tuple[str, ...]
    positional: int
    extra: bool


_NONE = Parameters((), 0, False)
UNBOUND = Binding()


def parameters_of(fn: Any) -> Parameters:
    """The named parameters, how many of them are positional only, and whether it takes **keywords."""
    code = getattr(fn, "__code__", None)
    if code is not None and not hasattr(fn, "__wrapped__") and not inspect.ismethod(fn):
        count = code.co_argcount + code.co_kwonlyargcount
        if not count and not code.co_flags & _VARKEYWORDS:
            return _NONE
        return Parameters(code.co_varnames[:count], code.co_posonlyargcount, bool(code.co_flags & _VARKEYWORDS))
    try:
        found = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return _NONE
    named = [p for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return Parameters(
        tuple(p.name for p in named),
        sum(p.kind is p.POSITIONAL_ONLY for p in named),
        any(p.kind is p.VAR_KEYWORD for p in found),
    )


def _with_defaults(fn: Any) -> set[str]:
    try:
        return {name for name, p in inspect.signature(fn).parameters.items() if p.default is not p.empty}
    except (TypeError, ValueError):
        return set()


class Names:
    """The names that parameters are looked up in: keys of assets, and of resources."""

    def __init__(self, keys: Collection[str], resources: Mapping[str, Any]) -> None:
        self.keys = keys
        self.resources = resources
        self._last: dict[str, list[str]] | None = None
        self._last_lower: dict[str, list[str]] | None = None

    def ending_in(self, part: str) -> list[str]:
        """The keys whose last part it is."""
        if self._last is None:
            last: dict[str, list[str]] = {}
            for key in self.keys:
                _, dot, end = key.rpartition(".")
                if dot:
                    last.setdefault(end, []).append(key)
            self._last = last
        return self._last.get(part, [])

    @cached_property
    def in_lower_case(self) -> dict[str, str]:
        """The keys by how SQL compares names; of several that differ in case alone, the first."""
        found: dict[str, str] = {}
        for key in self.keys:
            found.setdefault(key.lower(), key)
        return found

    def ending_in_lower_case(self, part: str) -> list[str]:
        """The keys whose last part it is, in whatever case; `part` is in lower case."""
        if self._last_lower is None:
            last: dict[str, list[str]] = {}
            for key in self.keys:
                last.setdefault(key.rpartition(".")[2].lower(), []).append(key)
            self._last_lower = last
        return self._last_lower.get(part, [])


class Unbound(Exception):
    """A parameter that nothing feeds. For `asset_graph`, which tells all of them in one error."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem

    def as_error(self) -> UnknownDependencyError:
        """It alone as an error."""
        return UnknownDependencyError(self.problem.what, where=self.problem.where, hint=self.problem.hint)


def bind(definition: AssetFunction[..., Any], names: Names) -> Binding:
    """Find what feeds each parameter. Raises Unbound, and DefinitionError for what contradicts itself."""
    parameters = parameters_of(definition.fn)
    if not (parameters.names or definition.ins or definition.mappings or isinstance(definition, Check)):
        if not definition.deps:
            return UNBOUND
        deps = [_dep(dep, definition) for dep in _flat(definition.deps)]
        if len(deps) == 1 or len({dep.asset for dep in deps}) == len(deps):
            return Binding((), tuple(deps))
    return _Binder(definition, names, parameters).bind()


def _flat(deps: Iterable[Any]) -> Iterable[Any]:
    for dep in deps:
        if isinstance(dep, MultiAsset):
            yield from dep.keys
        else:
            yield dep


def _dep(dep: Any, definition: AssetFunction[..., Any]) -> AssetDep:
    """An item of `deps=`."""
    if type(dep) is str:
        return AssetDep(dep, None, False)
    mapping = dep.mapping if isinstance(dep, AssetIn) else None
    return AssetDep(key_of(dep, str(definition.place)), mapping, False)


class _Binder:
    """The work of `bind` for one function."""

    def __init__(self, definition: AssetFunction[..., Any], names: Names, parameters: Parameters) -> None:
        self.definition = definition
        self.names = names
        self.parameters = parameters
        self.where = str(definition.place)
        self.own = _own_keys(definition)
        self.deps: dict[str, AssetDep] = {}
        self.by_parameter: dict[str, str] = {}
        self.fed: list[Fed] = []
        self.defaults: set[str] | None = None

    def bind(self) -> Binding:
        definition, parameters = self.definition, self.parameters
        for name in definition.ins:
            if name not in parameters.names and not parameters.extra:
                hint = nearest(name, parameters.names) or f"its parameters are {', '.join(parameters.names) or 'none'}"
                raise DefinitionError(f"{self._title} has no parameter {name!r} for ins=", where=self.where, hint=hint)
        if isinstance(definition, Check):
            self.deps[definition.asset] = AssetDep(definition.asset)
        for name in parameters.names:
            if name not in definition.ins:
                self._feed(name)
        for name, given in definition.ins.items():
            self._feed_asset(name, given)
        for dep in (_dep(one, definition) for one in _flat(definition.deps)):
            self.deps.setdefault(dep.asset, dep)
        if definition.mappings:
            self._map()
        order = {name: place for place, name in enumerate(parameters.names)}
        self.fed.sort(key=lambda fed: order.get(fed.parameter, len(order)))
        return Binding(tuple(self.fed), tuple(self.deps.values()), parameters.positional)

    @property
    def _title(self) -> str:
        return f"check {self.definition.key!r}" if isinstance(self.definition, Check) else repr(self.definition.step)

    def _feed(self, name: str) -> None:
        if name == "context":
            self.fed.append(Fed(name, "context"))
        elif name == "config" and (self.definition.config is not None or self._annotation(name) is not None):
            self.fed.append(Fed(name, "config"))
        elif name in self.names.resources:
            if name in self.names.keys and name not in self.own:
                raise DefinitionError(
                    f"{self._title}: parameter {name!r} is the name of an asset and of a resource",
                    where=self.where,
                    hint=f"say ins={{{name!r}: {name!r}}} for the asset, or rename the resource",
                )
            self.fed.append(Fed(name, "resource", name))
        elif isinstance(self.definition, Check) and self.definition.asset not in self.by_parameter.values():
            if not self._feed_by_annotation(name):
                self._feed_asset(name, self.definition.asset)
        elif key := self._asset_named(name):
            self._feed_asset(name, key)
        elif not self._feed_by_annotation(name) and not self._has_default(name):
            raise Unbound(self._unknown(name))

    def _asset_named(self, name: str) -> str:
        keys = self.names.keys
        if name in keys and name not in self.own:
            return name
        dotted = name.replace("__", ".")
        if dotted != name and dotted in keys and dotted not in self.own:
            return dotted
        found = [key for key in self.names.ending_in(name) if key not in self.own]
        if len(found) > 1:
            if self._has_default(name):
                return ""
            shown = ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
            raise DefinitionError(
                f"{self._title}: parameter {name!r} could be any of {len(found)} assets: {shown}",
                where=self.where,
                hint=f"say which: ins={{{name!r}: {found[0]!r}}}",
            )
        return found[0] if found else ""

    def _feed_by_annotation(self, name: str) -> bool:
        annotation = self._annotation(name)
        if not isinstance(annotation, type):
            return False
        if issubclass(annotation, StepContext):
            self.fed.append(Fed(name, "context"))
            return True
        if not getattr(annotation, "__batuta_resource__", False):
            return False
        found = [key for key, value in self.names.resources.items() if isinstance(value, annotation)]
        if len(found) != 1:
            what = f"{len(found)} resources are" if found else "no resource is"
            raise DefinitionError(
                f"{self._title}: parameter {name!r} wants a {annotation.__name__}, but {what} one",
                where=self.where,
                hint=f"name the parameter after one of {', '.join(found)}"
                if found
                else f"write Resources({name}={annotation.__name__}(...)) in a module of the project",
            )
        self.fed.append(Fed(name, "resource", found[0]))
        return True

    def _feed_asset(self, name: str, given: Any) -> None:
        given = given if isinstance(given, AssetIn) else AssetIn(given)
        key = key_of(given.key, self.where)
        self.fed.append(Fed(name, "asset" if given.loads else "nothing", key))
        self.by_parameter[name] = key
        before = self.deps.get(key)
        mapping = given.mapping or (before.mapping if before else None)
        self.deps[key] = AssetDep(key, mapping, given.loads or (before is not None and before.loads))

    def _map(self) -> None:
        """Put the partition mappings, by key, asset or parameter, to their dependencies."""
        for what, mapping in self.definition.mappings.items():
            key = self.by_parameter.get(what) if isinstance(what, str) else None
            key = key or key_of(what, self.where)
            if key not in self.deps:
                hint = nearest(key, self.deps) or f"it depends on {', '.join(self.deps) or 'nothing'}"
                raise DefinitionError(
                    f"{self._title} has a partition mapping for {key!r}, on which it does not depend",
                    where=self.where,
                    hint=hint,
                )
            self.deps[key] = AssetDep(key, mapping, self.deps[key].loads)

    def _annotation(self, name: str) -> Any:
        return parameter_annotation(self.definition.fn, name)

    def _has_default(self, name: str) -> bool:
        if self.defaults is None:
            self.defaults = _with_defaults(self.definition.fn)
        return name in self.defaults

    def _unknown(self, name: str) -> Problem:
        known = self.names
        ends = [key.rpartition(".")[2] for key in known.keys] if len(known.keys) < 20_000 else []
        resources = ", ".join(known.resources) or "none"
        return Problem(
            f"{self._title} has a parameter {name!r}, which is no asset, no resource and not `context`",
            where=self.where,
            hint=similar(name, {*known.keys, *ends, *known.resources} - self.own)
            or f"say ins={{{name!r}: '...'}}, or give it a default; resources are: {resources}",
        )


def _own_keys(definition: AssetFunction[..., Any]) -> frozenset[str]:
    if isinstance(definition, Check):
        return frozenset()
    if isinstance(definition, MultiAsset):
        return frozenset(definition.keys)
    return frozenset((definition.step,))
