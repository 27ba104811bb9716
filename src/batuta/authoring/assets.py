"""`@asset`, `@multi_asset`, `@check`, `external_asset`: functions that make data, and what is said about them.

What they depend on is found out when all definitions of a location are together (`asset_graph`), not here: decorating
a function costs microseconds and imports nothing.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from batuta.authoring.asset_definitions import (
    DEFAULT_OPTIONS,
    Asset,
    AssetFunction,
    Check,
    ExternalAsset,
    MultiAsset,
    key_of,
)
from batuta.authoring.asset_values import AssetIn, AssetOut, CheckResult, MaterializeResult, Output
from batuta.authoring.options import Options, make_options
from batuta.authoring.places import user_place
from batuta.core.definitions import Place
from batuta.core.errors import DefinitionError, nearest
from batuta.core.partition_mapping import PartitionMapping
from batuta.core.partitions import Partitions

if TYPE_CHECKING:
    from batuta.authoring.automation import Freshness
    from batuta.core.conditions import Condition
    from batuta.core.contract import Evolution

__all__ = [
    "Asset",
    "AssetFunction",
    "AssetIn",
    "AssetOut",
    "Check",
    "CheckResult",
    "MaterializeResult",
    "MultiAsset",
    "Output",
    "asset",
    "check",
    "external_asset",
    "key_of",
    "multi_asset",
]

P = ParamSpec("P")
R = TypeVar("R")

_KEY = re.compile(r"[\w-]+(?:\.[\w-]+)*")
_NOT_FOR_ASSETS = {
    "cache": "what is fresh is skipped by `batuta materialize --stale`",
    "persist": "an asset is kept by its IO manager",
    "result_storage": "an asset is kept by its IO manager: use io_manager=",
    "reads": "use deps=",
    "writes": "use multi_asset(outs=...)",
    "trigger_rule": "an asset is made when all it depends on has been",
    "name": "use key=",
}


def function_place(fn: Any) -> Place:
    """Where a function is written."""
    code = getattr(fn, "__code__", None) or getattr(inspect.unwrap(fn), "__code__", None)
    return Place(code.co_filename, code.co_firstlineno) if code is not None else user_place()


def is_key(text: str) -> bool:
    """Whether a text can be the key of an asset."""
    return all(map(str.isidentifier, text.split("."))) or _KEY.fullmatch(text) is not None


def checked_key(key: Any, where: str) -> str:
    """The key of an asset, if it can be one. Raises DefinitionError."""
    if type(key) is not str or not is_key(key):
        raise DefinitionError(
            f"{key!r} cannot be an asset's key",
            where=where,
            hint="write parts of letters, digits, _ and - with dots between them, like 'silver.payments'",
        )
    return key


def options_of(given: dict[str, Any], place: Place, what: str, names: Sequence[str]) -> Options:
    """The options about running among keyword arguments; `names` are what else may be said. Raises DefinitionError."""
    if not given:
        return DEFAULT_OPTIONS
    where = f"{place}: {what}"
    for name in given:
        if name in _NOT_FOR_ASSETS:
            raise DefinitionError(f"{name}= is not for assets", where=where, hint=_NOT_FOR_ASSETS[name])
        if name not in Options.__dataclass_fields__ and name not in names and (hint := nearest(name, names)):
            raise DefinitionError(f"unknown option {name!r}", where=where, hint=hint)
    return make_options(None, given, where)


_ASSET_NAMES = [
    *("key", "deps", "ins", "layer", "group", "description", "owners", "kinds", "tags", "metadata", "partitions"),
    *(
        "partition_mappings",
        "code_version",
        "io_manager",
        "checks",
        "config",
        "automation",
        "freshness",
        "column_lineage",
        "schema",
        "evolution",
        "retries",
        "retry_delay_s",
        "retry_if",
    ),
    *("timeout_s", "pool", "pools", "priority", "isolated"),
]


@overload
def asset(fn: Callable[P, R], /) -> Asset[P, R]: ...


@overload
def asset(
    key: str | None = None,
    *,
    deps: Sequence[Any] = ...,
    ins: Mapping[str, Any] | None = ...,
    layer: str = ...,
    group: str = ...,
    description: str = ...,
    owners: Sequence[str] | str = ...,
    kinds: Sequence[str] | str = ...,
    tags: Mapping[str, str] | Sequence[str] = ...,
    metadata: Mapping[str, Any] | None = ...,
    partitions: Partitions | None = ...,
    partition_mappings: Mapping[Any, PartitionMapping] | None = ...,
    code_version: str = ...,
    io_manager: Any = ...,
    checks: Sequence[Any] = ...,
    config: Any = ...,
    automation: Condition | None = ...,
    freshness: Freshness | None = ...,
    column_lineage: Any = ...,
    schema: Any = ...,
    evolution: Evolution = ...,
    **options: Any,
) -> Callable[[Callable[P, R]], Asset[P, R]]: ...


def asset(
    key: Any = None,
    *,
    deps: Sequence[Any] = (),
    ins: Mapping[str, Any] | None = None,
    layer: str = "",
    group: str = "",
    description: str = "",
    owners: Sequence[str] | str = (),
    kinds: Sequence[str] | str = (),
    tags: Mapping[str, str] | Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
    partitions: Partitions | None = None,
    partition_mappings: Mapping[Any, PartitionMapping] | None = None,
    code_version: str = "",
    io_manager: Any = None,
    checks: Sequence[Any] = (),
    config: Any = None,
    automation: Condition | None = None,
    freshness: Freshness | None = None,
    column_lineage: Any = None,
    schema: Any = None,
    evolution: Evolution = "exact",
    **options: Any,
) -> Any:
    """Make a function an asset: what it returns is stored by the IO manager and recorded as a materialization.

    - `key`: dotted, like "silver.payments"; by default the function's name.
    - Parameters are fed by name: `payments` gets the asset of that key, or the only one whose key ends in `.payments`;
      `silver__payments` gets `silver.payments`; `ins={"payments": "bronze.payments"}` says so outright. `context` gets
      the StepContext, the names in `Resources(...)` those, `config` the pydantic model that it is annotated with.
    - `deps`: assets it depends on without loading them. `partition_mappings`: which partitions of a dependency.
    - `io_manager`: an IO manager, or the name of one in `Resources(...)`; by default `io_manager` of those, else files
      below the project's data folder (Parquet for tables, pickle for the rest).
    - `checks`: rules of `batuta.checks`, functions of the asset's value, or checks made with `@check()`; see `check`.
    - `schema`: the columns that it promises, `{"id": "int64 not null"}`, a pydantic model, a schema of Polars, Arrow or
      pandera. A table that has others is not written. `evolution="additive"`: it may have more than these.
    - `code_version`: what counts as the version of the code; by default a hash of the function and of what it uses of
      the project's own code.
    - `column_lineage`: what its columns are made from: `{"amount": ["silver.orders.cents"]}`; the column "" stands for
      what decides which rows there are. Of a LazyFrame it is read off its plan.
    - `automation`: made by itself where it holds, like `Automation.eager()`; `freshness`: how fresh it has to be.
    - Options of `task` about running: retries, retry_delay_s, timeout_s, pool, priority, isolated, hooks, ...

    Raises DefinitionError for a bad key or option.
    """

    def decorate(fn: Callable[..., Any]) -> Asset[..., Any]:
        if not callable(fn):
            raise DefinitionError(f"@asset needs a function, got {type(fn).__name__}", where=str(user_place()))
        place = function_place(fn)
        name = key if key is not None and key is not fn else getattr(fn, "__name__", "")
        if type(name) is not str or not name.isidentifier():
            name = checked_key(name, str(place))
        made = Asset(
            fn,
            AssetOut(
                *(name, None, layer, group, description, owners, kinds, tags, metadata, code_version, io_manager, None),
                *(automation, freshness, column_lineage, schema, evolution, checks),
            ),
            options_of(options, place, f"asset {name!r}", _ASSET_NAMES),
            place,
        )
        made.feed(deps, ins, partition_mappings)
        made.partitions = partitions
        made.config = config
        return made

    return decorate(key) if key is not None and callable(key) else decorate


def multi_asset(
    outs: Mapping[str, AssetOut | str | None] | Sequence[str],
    *,
    name: str = "",
    deps: Sequence[Any] = (),
    ins: Mapping[str, Any] | None = None,
    layer: str = "",
    group: str = "",
    partitions: Partitions | None = None,
    partition_mappings: Mapping[Any, PartitionMapping] | None = None,
    code_version: str = "",
    io_manager: Any = None,
    config: Any = None,
    automation: Condition | None = None,
    freshness: Freshness | None = None,
    **options: Any,
) -> Callable[[Callable[P, R]], MultiAsset[P, R]]:
    """Make a function that makes several assets at once.

    It returns a dict by name, a tuple in the order of `outs`, or yields `Output(value, name=...)`. `layer`, `group`,
    `io_manager`, `automation` and `freshness` are for the outs that say nothing else. All have the same partitions. A
    run makes all of them, also where only one is selected.
    """

    def decorate(fn: Callable[P, R]) -> MultiAsset[P, R]:
        place = function_place(fn)
        given = outs if isinstance(outs, Mapping) else dict.fromkeys(outs)
        step = name or getattr(fn, "__name__", "")
        if not given:
            raise DefinitionError(f"multi_asset {step!r} has no outs", where=str(place), hint="name at least one asset")
        made = MultiAsset(
            fn,
            checked_key(step, str(place)),
            {
                out: _completed(out, one, (layer, group, code_version, io_manager, automation, freshness), str(place))
                for out, one in given.items()
            },
            options_of(options, place, f"multi_asset {step!r}", [*_ASSET_NAMES, "outs", "name"]),
            place,
        )
        made.feed(deps, ins, partition_mappings)
        made.partitions = partitions
        made.config = config
        return made

    return decorate


def _completed(
    name: str, given: AssetOut | str | None, defaults: tuple[str, str, str, Any, Any, Any], where: str
) -> AssetOut:
    out = given if isinstance(given, AssetOut) else AssetOut(given or name)
    layer, group, code_version, io_manager, automation, freshness = defaults
    return AssetOut(
        checked_key(out.key or name, where),
        out.deps,
        out.layer or layer,
        out.group or group,
        out.description,
        out.owners,
        out.kinds,
        out.tags,
        out.metadata,
        out.code_version or code_version,
        io_manager if out.io_manager is None else out.io_manager,
        out.annotation,
        automation if out.automation is None else out.automation,
        freshness if out.freshness is None else out.freshness,
        *(out.column_lineage, out.schema, out.evolution, out.checks),
    )


def external_asset(
    key: str,
    *,
    layer: str = "",
    group: str = "",
    description: str = "",
    owners: Sequence[str] | str = (),
    kinds: Sequence[str] | str = (),
    tags: Mapping[str, str] | Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
    partitions: Partitions | None = None,
    io_manager: Any = None,
    freshness: Freshness | None = None,
    schema: Any = None,
    evolution: Evolution = "exact",
    checks: Sequence[Any] = (),
) -> Asset[..., Any]:
    """An asset that something else makes: a source table, a file of another team.

    Others can depend on it (`deps=`), load it where it has an `io_manager`, and check it. Its `schema` is a check.
    """
    place = user_place()
    checked_key(key, str(place))
    out = AssetOut(
        *(key, None, layer, group, description, owners, kinds, tags, metadata, "", io_manager, None),
        *(None, freshness, None, schema, evolution, checks),
    )
    made = ExternalAsset(out, place)
    made.partitions = partitions
    return made


def check(
    asset: Any = "",
    *,
    name: str = "",
    blocking: bool = False,
    description: str = "",
    deps: Sequence[Any] = (),
    ins: Mapping[str, Any] | None = None,
    partition_mappings: Mapping[Any, PartitionMapping] | None = None,
    config: Any = None,
    **options: Any,
) -> Callable[[Callable[P, R]], Check[P, R]]:
    """Make a function a check of `asset` (its key, or the object), evaluated whenever the asset is made.

    Without an asset it is a check to be listed in `checks=` of any number of them.

    The first parameter that is fed by nothing else gets the asset's value, others get other assets, resources, the
    context. It returns a bool or a `CheckResult`; an AssertionError is a failed check too, and returning nothing a
    passed one. A failed blocking check holds back what depends on the asset; any other is recorded and warned of.
    """
    if callable(asset) and not isinstance(asset, AssetFunction):
        raise DefinitionError(
            "@check was used without parentheses", where=str(function_place(asset)), hint="write @check()"
        )

    def decorate(fn: Callable[P, R]) -> Check[P, R]:
        place = function_place(fn)
        title = name or getattr(fn, "__name__", "")
        if not title.isidentifier():
            raise DefinitionError(f"{title!r} cannot be a check's name", where=str(place), hint="use an identifier")
        key = key_of(asset, str(place))
        made = Check(
            fn,
            key,
            title,
            blocking,
            description,
            options_of(options, place, f"check {key}:{title}", [*_ASSET_NAMES, "name", "blocking"]),
            place,
        )
        made.feed(deps, ins, partition_mappings)
        made.config = config
        return made

    return decorate
