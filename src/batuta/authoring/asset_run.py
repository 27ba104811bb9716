"""Running the function of an asset: its inputs are loaded, it is called, what it returns is checked, stored, recorded.

A materialization is recorded once the data are stored, never before. Two surprising rules: where upstream partitions
are simply all of them, those that were never made are left out, with a warning; other mappings want every one. In a
run of what is stale (`config["skip_unchanged"]`), an asset whose inputs turn out the same as last time is not made.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args, get_origin

from batuta.authoring import (
    asset_environments,
    lookups,  # noqa: F401 - IO managers look connections up through it
    ports,
)
from batuta.authoring.annotations import accepts_none, parameter_annotation, return_annotation
from batuta.authoring.asset_binding import Binding
from batuta.authoring.asset_definitions import Asset, AssetFunction, MultiAsset
from batuta.authoring.asset_guard import Guard
from batuta.authoring.asset_places import NO_PLACES, load
from batuta.authoring.asset_values import AssetOut, MaterializeResult, Output
from batuta.authoring.code import CachedResult
from batuta.authoring.column_lineage import declared, of_plan, scans_of
from batuta.authoring.context import StepContext
from batuta.authoring.metadata import normalized, schema
from batuta.authoring.metadata import path as path_metadata
from batuta.authoring.options import Options
from batuta.core.definitions import AssetDep
from batuta.core.environments import stored_key
from batuta.core.errors import RequestError, ResultError
from batuta.core.partition_mapping import AllPartitions, needed
from batuta.core.partitions import DynamicPartitions, MultiPartitions, Partitions
from batuta.core.place import Place
from batuta.core.records import Loaded
from batuta.core.values import NONE
from batuta.io import frames

if TYPE_CHECKING:
    from batuta.authoring.asset_graph import AssetGraph
    from batuta.core.contract import Contract
    from batuta.io.base import Stored


class Inputs:
    """What a function is called with, and the data versions that it is made from."""

    __slots__ = ("args", "keys", "kwargs", "places", "scans", "versions")

    def __init__(self) -> None:
        self.args: list[Any] = []
        self.kwargs: dict[str, Any] = {}
        self.keys: dict[str, list[str] | None] = {}
        """The partitions of each upstream asset that are read; None where it has none."""
        self.versions: dict[str, dict[str, str]] = {}
        """By upstream asset: data versions by asset[/partition]; what has none is not there."""
        self.scans: dict[str, str] = {}
        """Which asset each file is of that a LazyFrame scans."""
        self.places: dict[str, dict[str, str]] = {}
        """Of each upstream asset: in which environment its partitions are."""

    def versions_of(self, deps: tuple[AssetDep, ...]) -> dict[str, str]:
        """Those of some of the upstream assets."""
        return {key: version for dep in deps for key, version in self.versions.get(dep.asset, {}).items()}


class FunctionCode:
    """What running an asset and running a check have in common. See `authoring.code.StepCode`."""

    annotation = None  # values are checked before they are stored, not by the runtime
    counts_reads = False
    """Whether what is loaded counts as used."""

    def __init__(self, graph: AssetGraph, definition: AssetFunction[..., Any], binding: Binding) -> None:
        self.graph = graph
        self.definition = definition
        self.binding = binding
        self.options: Options = definition.options
        self.place: Place = definition.place

    def run(self, context: StepContext) -> Any:
        """Do it. Returns a coroutine where the function is async, else None (CachedResult: nothing had to be done)."""
        context.partitions = self.graph.partitions_of(self.definition)
        inputs = Inputs()
        inputs.keys = {dep.asset: self._upstream_keys(context, dep) for dep in self.binding.deps}
        self._ask_versions(context, inputs)
        if context.config.get("skip_unchanged") and self._is_unchanged(context, inputs):
            return CachedResult(NONE)
        self._fill(context, inputs)
        result = self._called(context, inputs)
        if inspect.iscoroutine(result):
            return self._awaited(context, inputs, result)
        if inspect.isasyncgen(result):
            return self._collected(context, inputs, result)
        self._finish(context, inputs, result)
        return None

    def _called(self, context: StepContext, inputs: Inputs) -> Any:
        return self.definition.fn(*inputs.args, **inputs.kwargs)

    async def _awaited(self, context: StepContext, inputs: Inputs, result: Any) -> None:
        self._finish(context, inputs, await result)

    async def _collected(self, context: StepContext, inputs: Inputs, result: AsyncIterator[Any]) -> None:
        self._finish(context, inputs, (item for item in [item async for item in result]))

    def _finish(self, context: StepContext, inputs: Inputs, result: Any) -> None:
        raise NotImplementedError

    def _is_unchanged(self, context: StepContext, inputs: Inputs) -> bool:
        """Whether doing it again would give what is recorded."""
        return False

    # -- inputs

    def _fill(self, context: StepContext, inputs: Inputs) -> None:
        """Load and look up what the function is called with."""
        for fed in self.binding.fed:
            value: Any
            match fed.kind:
                case "asset":
                    value = self._load(context, fed.parameter, fed.target, inputs)
                    if frames.kind_of(value) == "lazy":
                        inputs.scans |= dict.fromkeys(scans_of(value), fed.target)
                case "resource":
                    value = self.graph.resources.get(fed.target)
                case "context":
                    value = context
                case "config":
                    value = self.graph.config_of(self.definition, context.params.get("config") or {})
                case _:
                    value = None
            if len(inputs.args) < self.binding.positional:
                inputs.args.append(value)
            else:
                inputs.kwargs[fed.parameter] = value

    def _upstream_keys(self, context: StepContext, dep: AssetDep) -> list[str] | None:
        """The partitions of an upstream asset that are read; None where it has none."""
        upstream = self.graph.partitions_of_key(dep.asset)
        if upstream is None:
            return None
        own = context.partitions
        key = None if own is None else context.partition
        now = datetime.fromtimestamp(time.time(), UTC)
        return needed(dep.mapping, upstream, own, key, now, _dynamic_keys(context, upstream, own)).keys

    def _deps_to_ask(self, context: StepContext) -> list[AssetDep]:
        """The upstream assets whose data versions matter."""
        return list(self.binding.deps)

    def _ask_versions(self, context: StepContext, inputs: Inputs) -> None:
        deps = list(self.binding.deps) if context.environment else self._deps_to_ask(context)
        keys = inputs.keys
        wanted = [[dep.asset, key] for dep in deps for key in _each(keys[dep.asset])]
        if not wanted:
            return
        answer = context.ask("asset_versions", wanted=wanted)
        for (asset, key), place in zip(wanted, answer.get("environments", ()), strict=False):
            inputs.places.setdefault(asset, {})[key] = place
        for (asset, key), version in zip(wanted, answer["versions"], strict=True):
            of_asset = inputs.versions.setdefault(asset, {})
            if version:
                of_asset[f"{asset}/{key}" if key else asset] = version
        for dep in deps:
            found = keys[dep.asset]
            if found and takes_what_there_is(dep, context.partitions):
                made = [key for key in found if f"{dep.asset}/{key}" in inputs.versions[dep.asset]]
                if made and len(made) < len(found):
                    context.log.warning(
                        "%s: %d of %d partitions of %s were never made and are left out",
                        context.key,
                        len(found) - len(made),
                        len(found),
                        dep.asset,
                    )
                    keys[dep.asset] = made

    def _load(self, context: StepContext, parameter: str, asset: str, inputs: Inputs) -> Any:
        annotation = parameter_annotation(self.definition.fn, parameter)
        keys = inputs.keys[asset]
        if self.counts_reads:
            context.records.append(Loaded(asset, 1 if keys is None else len(keys)))
        places = inputs.places.get(asset, NO_PLACES)
        value = load(self.graph, asset, keys, annotation, self.definition.step, places)
        if value is None and keys == [] and not accepts_none(annotation):
            raise RequestError(
                f"{context.key} needs {asset!r} as {parameter!r}, but reads none of its partitions",
                where=str(self.definition.place),
                hint=f"where that is as it should be, write `{parameter}: ... | None`; else look at the partitions "
                "of both, and at the mapping between them",
            )
        return value


class AssetCode(FunctionCode):
    """Makes one asset, or those of a multi-asset."""

    definition: Asset[..., Any] | MultiAsset[..., Any]
    counts_reads = True
    is_copied = True
    """Whether its data can be copied from one environment to another."""

    def run(self, context: StepContext) -> Any:
        if asset_environments.has_other_work(context):
            asset_environments.do_other_work(self, context)
            return None
        return super().run(context)

    def _is_unchanged(self, context: StepContext, inputs: Inputs) -> bool:
        outs = (self.definition.out,) if isinstance(self.definition, Asset) else self.definition.outs.values()
        key = context.partition if context.partitions is not None else ""
        recorded = context.ask("asset_records", wanted=[[out.key, key] for out in outs])["records"]
        same = all(
            record is not None
            and record["code_version"] == self.graph.code_version_of(self.definition, out)
            and record["inputs"] == self._versions(inputs, out)
            for out, record in zip(outs, recorded, strict=True)
        )
        return same or (self.is_copied and asset_environments.made_elsewhere(self, context, inputs))

    def _versions(self, inputs: Inputs, out: AssetOut) -> dict[str, str]:
        """The data versions that one asset is made from."""
        return inputs.versions_of(self.graph.deps_of(self.definition, out, self.binding))

    def _finish(self, context: StepContext, inputs: Inputs, result: Any) -> None:
        if isinstance(self.definition, Asset):
            annotation = return_annotation(self.definition.fn)
            self._make(context, inputs, self.definition.out, _single(result), annotation)
            return
        made = set()
        annotations = _annotations(self.definition)
        for name, value in self._named(self.definition, result):
            self._make(context, inputs, self.definition.outs[name], value, annotations.get(name))
            made.add(name)
        if absent := [name for name in self.definition.outs if name not in made]:
            raise ResultError(
                f"{self.definition.step!r} did not give {', '.join(map(repr, absent))}",
                where=str(self.definition.place),
                hint="return or yield every one of its outs",
            )

    def _named(self, definition: MultiAsset[..., Any], result: Any) -> Iterator[tuple[str, Any]]:
        """What a multi-asset gave, with the name of the out it is for."""
        if result is None:
            result = {name: MaterializeResult() for name in definition.outs}
        if isinstance(result, Mapping):
            for name in result:
                self._known(definition, name)
            yield from result.items()
        elif isinstance(result, tuple | list) and len(result) == len(definition.outs):
            yield from zip(definition.outs, result, strict=True)
        elif inspect.isgenerator(result) or (isinstance(result, Output | MaterializeResult) and result.name):
            for item in result if inspect.isgenerator(result) else (result,):
                if not isinstance(item, Output | MaterializeResult):
                    raise self._unnamed(definition, f"yielded a {type(item).__name__}")
                self._known(definition, item.name)
                yield item.name, item
        else:
            count = f" of {len(result)}" if isinstance(result, tuple | list) else ""
            raise self._unnamed(definition, f"returned a {type(result).__name__}{count}")

    def _known(self, definition: MultiAsset[..., Any], name: Any) -> None:
        if name not in definition.outs:
            raise self._unnamed(definition, f"gave {name!r}")

    def _unnamed(self, definition: MultiAsset[..., Any], what: str) -> ResultError:
        return ResultError(
            f"{definition.step!r} {what}, but its outs are {', '.join(definition.outs)}",
            where=str(definition.place),
            hint="return a dict by these names or a tuple in their order, or yield Output(value, name=...)",
        )

    def _make(self, context: StepContext, inputs: Inputs, out: AssetOut, value: Any, annotation: Any) -> None:
        metadata = dict(context.metadata)
        data_version, lineage = "", None
        if isinstance(value, Output | MaterializeResult):
            metadata.update(value.metadata)
            data_version, lineage = value.data_version, value.column_lineage
        if isinstance(value, MaterializeResult):
            value = None
        else:
            value, annotation = (value.value, _inside(annotation)) if isinstance(value, Output) else (value, annotation)
            if annotation is not None and not _is_result(annotation):
                ports.check_value(value, annotation, f"asset {out.key!r}")
        deps = self.graph.deps_of(self.definition, out, self.binding)
        if lineage is not None:
            lineage = declared(lineage, [dep.asset for dep in deps], context.key)
        elif out.column_lineage is None and frames.kind_of(value) == "lazy":
            lineage = of_plan(value, inputs.scans)
        told: dict[str, Any] = {
            "partition": context.partition if context.partitions is not None else "",
            "code_version": self.graph.code_version_of(self.definition, out),
            "inputs": inputs.versions_of(deps),
        }
        code = self.graph.code_teller.of(self.definition, out.key, told["code_version"], context)
        if value is not None:
            guard = Guard(self.graph, context, inputs, out)
            with guard.admitted(value) as admitted:
                stored = self._store(context, out, admitted, annotation, metadata)
            if guard.refused is not None:
                context.materialized(**guard.refused, **told)
            metadata = {**stored_metadata(stored, guard.contract), **metadata}
            data_version = data_version or stored.data_version
        context.materialized(
            out.key,
            metadata=normalized(metadata),
            data_version=data_version,
            column_lineage=lineage,
            code=code,
            **told,
        )

    def _store(
        self, context: StepContext, out: AssetOut, value: Any, annotation: Any, metadata: dict[str, Any]
    ) -> Stored:
        from batuta.io.base import OutputContext

        stored: Stored = self.graph.io_of(out.key).store(
            OutputContext(
                asset=stored_key(out.key, context.environment),
                partitions=context.partition_keys,
                annotation=annotation,
                run_id=str(context.run_id),
                attempt=f"{context.run_id}.{context.key}.{context.attempt}",
                metadata=metadata,
            ),
            value,
        )
        return stored


def _single(result: Any) -> Any:
    """What the function of one asset gave: a generator's only Output, or all its items as a list."""
    if not inspect.isgenerator(result):
        return result
    items = list(result)
    return items[0] if len(items) == 1 and isinstance(items[0], Output | MaterializeResult) else items


def _annotations(definition: MultiAsset[..., Any]) -> dict[str, Any]:
    """What each out is checked against: what it says itself, else its place in a returned tuple."""
    found = {name: out.annotation for name, out in definition.outs.items() if out.annotation is not None}
    returned = return_annotation(definition.fn)
    if get_origin(returned) is tuple and len(get_args(returned)) == len(definition.outs):
        for name, annotation in zip(definition.outs, get_args(returned), strict=True):
            found.setdefault(name, None if annotation is Any else annotation)
    return found


def _inside(annotation: Any) -> Any:
    """`T` of `Output[T]`."""
    if get_origin(annotation) is Output:
        return get_args(annotation)[0]
    return None if annotation is Output else annotation


def _is_result(annotation: Any) -> bool:
    return annotation is MaterializeResult or annotation is Output or get_origin(annotation) is Output


def stored_metadata(stored: Stored, contract: Contract | None = None) -> dict[str, Any]:
    """What an IO manager tells of what it stored; which columns are never null, a contract tells."""
    known: dict[str, Any] = {"rows": stored.rows, "bytes": stored.bytes}
    known = {name: value for name, value in known.items() if value is not None}
    if stored.columns is not None:
        known["columns"] = schema(stored.columns, () if contract is None else contract.not_null)
    if stored.path:
        known["path"] = path_metadata(stored.path)
    return {**known, **stored.metadata}


def takes_what_there_is(dep: AssetDep, own: Partitions | None) -> bool:
    return isinstance(dep.mapping, AllPartitions) or (own is None and dep.mapping is None)


def _each(keys: list[str] | None) -> Sequence[str]:
    """The partitions as records name them: an asset without any has one called ""."""
    return ("",) if keys is None else keys


def _dynamic_keys(context: StepContext, *definitions: Partitions | None) -> dict[str, list[str]]:
    names: set[str] = set()
    for definition in definitions:
        parts = definition.dimensions.values() if isinstance(definition, MultiPartitions) else (definition,)
        names.update(part.name for part in parts if isinstance(part, DynamicPartitions))
    return {name: context.dynamic_partitions(name) for name in sorted(names)}
