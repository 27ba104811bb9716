"""Assets, multi-assets and checks as objects: a function that stays a function, and what is said about it."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, ParamSpec, TypeVar

from batuta.authoring.asset_values import AssetIn, AssetOut
from batuta.authoring.options import Options
from batuta.core.asset_triggers import OnAll, OnAny, OnAsset
from batuta.core.definitions import Place
from batuta.core.errors import DefinitionError, RequestError, nearest
from batuta.core.partition_mapping import PartitionMapping
from batuta.core.partitions import Partitions

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT_OPTIONS = Options()
_NOTHING: Mapping[Any, Any] = {}


class AssetFunction(Generic[P, R]):
    """What assets and checks have in common: the function, what feeds its parameters, and how it is run."""

    fn: Callable[P, R]
    options: Options
    place: Place
    deps: Sequence[Any] = ()
    ins: Mapping[str, Any] = _NOTHING
    mappings: Mapping[Any, PartitionMapping] = _NOTHING
    partitions: Partitions | None = None
    config: Any = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.fn(*args, **kwargs)

    @property
    def code_name(self) -> str:
        """`module:qualname` of the function."""
        return f"{getattr(self.fn, '__module__', '')}:{getattr(self.fn, '__qualname__', '')}"

    @property
    def step(self) -> str:
        """The key of the step that runs it."""
        raise NotImplementedError

    def feed(self, deps: Sequence[Any], ins: Mapping[str, Any] | None, mappings: Mapping[Any, Any] | None) -> None:
        """Say what it depends on beyond its parameters."""
        if deps:
            if isinstance(deps, str) or not isinstance(deps, Sequence):
                raise DefinitionError(f"deps= is {deps!r}", where=str(self.place), hint="give a list of assets")
            self.deps = deps
        if ins:
            self.ins = ins
        if mappings:
            self.mappings = mappings

    def _take(self, fn: Callable[P, R], options: Options, place: Place) -> None:
        """Look like the function (`functools.update_wrapper` costs four times as much)."""
        self.fn = fn
        self.options = options
        self.place = place
        self.__wrapped__ = fn
        self.__doc__ = fn.__doc__
        self.__name__ = getattr(fn, "__name__", "")
        self.__module__ = getattr(fn, "__module__", "")


class Asset(AssetFunction[P, R]):
    """One asset and the function that makes it. Called plainly, it is the function."""

    external = False

    def __init__(self, fn: Callable[P, R], out: AssetOut, options: Options, place: Place) -> None:
        self._take(fn, options, place)
        self.out = out
        self.key = out.key

    @property
    def step(self) -> str:
        return self.key

    @property
    def description(self) -> str:
        """What is said about it, else the function's docstring."""
        return self.out.description or self.options.description or _cleaned(self.fn.__doc__)

    def __and__(self, other: Any) -> OnAll:
        """Both were made: for `schedule=orders & rates` of a job."""
        both: OnAll = OnAsset(self.key) & other
        return both

    def __or__(self, other: Any) -> OnAny:
        """One of them was made."""
        either: OnAny = OnAsset(self.key) | other
        return either

    def __repr__(self) -> str:
        return f"<asset {self.key}>"


class ExternalAsset(Asset[..., Any]):
    """An asset that something else makes: it can be depended on, loaded and checked, not materialized."""

    external = True

    def __init__(self, out: AssetOut, place: Place) -> None:
        self.out = out
        self.key = out.key
        self.options = DEFAULT_OPTIONS
        self.place = place
        self.fn = self._refuse

    @property
    def description(self) -> str:
        return self.out.description

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise RequestError(f"asset {self.key!r} is external: there is no function that makes it", where=str(self.place))


class MultiAsset(AssetFunction[P, R]):
    """Several assets that one function makes together. `multi["name"]` is the key of one of them."""

    def __init__(
        self, fn: Callable[P, R], name: str, outs: Mapping[str, AssetOut], options: Options, place: Place
    ) -> None:
        self._take(fn, options, place)
        self.name = name
        self.outs = dict(outs)

    @property
    def step(self) -> str:
        return self.name

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its assets, in the order of `outs`."""
        return tuple([out.key for out in self.outs.values()])

    def __getitem__(self, name: str) -> str:
        try:
            return self.outs[name].key
        except KeyError:
            hint = nearest(name, self.outs) or f"its outs are {', '.join(self.outs)}"
            raise DefinitionError(f"{self.name!r} has no out {name!r}", where=str(self.place), hint=hint) from None

    def __repr__(self) -> str:
        return f"<multi-asset {self.name}: {', '.join(self.keys)}>"


class Check(AssetFunction[P, R]):
    """An assertion about an asset. Called plainly, it is the function."""

    def __init__(
        self,
        fn: Callable[P, R],
        asset: str,
        name: str,
        blocking: bool,
        description: str,
        options: Options,
        place: Place,
    ) -> None:
        self._take(fn, options, place)
        self.asset = asset
        self.name = name
        self.blocking = blocking
        self.description = description or options.description or _cleaned(fn.__doc__)

    @property
    def key(self) -> str:
        """`asset:check`"""
        return f"{self.asset}:{self.name}"

    def of(self, asset: str) -> Check[P, R]:
        """The same check of another asset."""
        made = copy.copy(self)
        made.asset = asset
        return made

    @property
    def step(self) -> str:
        return self.key

    def __repr__(self) -> str:
        return f"<check {self.key}>"


def key_of(what: Any, where: str = "") -> str:
    """The key of an asset given as text or as the object. Raises DefinitionError for anything else."""
    if type(what) is str:
        return what
    if isinstance(what, Asset):
        return what.key
    if isinstance(what, AssetIn):
        return key_of(what.key, where)
    if isinstance(what, MultiAsset):
        if len(what.outs) == 1:
            return what.keys[0]
        raise DefinitionError(
            f"{what.name!r} makes several assets",
            where=where,
            hint=f"say which: {what.name}[{next(iter(what.outs))!r}]",
        )
    raise DefinitionError(f"{what!r} is not an asset", where=where, hint="give an asset's key, or the asset itself")


def _cleaned(doc: str | None) -> str:
    if not doc:
        return ""
    return inspect.cleandoc(doc) if "\n" in doc else doc.strip()
