"""The definitions of a location in the neutral model, checked against each other: 100,000 of them in a second.

Checked here is what no definition can know alone: dependencies, cycles, layers, partition mappings, names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.authoring.asset_binding import Binding, Unbound, bind
from batuta.authoring.asset_definitions import Asset, AssetFunction, Check, MultiAsset
from batuta.authoring.asset_rules import check_specs, rule_sets
from batuta.authoring.asset_values import AssetOut
from batuta.authoring.automation import checked_condition, checked_policy, validate_automation
from batuta.authoring.column_lineage import declared
from batuta.authoring.metadata import normalized
from batuta.authoring.sql_asset import SqlAsset
from batuta.authoring.sql_binding import bind_tables, source_of
from batuta.core.columns import Column, ColumnLineage
from batuta.core.definitions import AssetDep, AssetSpec, AssetStep, CheckSpec
from batuta.core.errors import DefinitionError, DuplicateKeyError, UnknownDependencyError
from batuta.core.graph import Graph
from batuta.core.layers import Layers
from batuta.core.partition_mapping import PartitionMapping, validate_mapping
from batuta.core.partitions import Partitions, validate
from batuta.core.problems import SHOWN_MAX, Problem, combined
from batuta.core.similar import similar

if TYPE_CHECKING:
    from batuta.authoring.asset_graph import AssetGraph

Specs = tuple[tuple[AssetSpec, ...], tuple[AssetStep, ...], tuple[CheckSpec, ...]]


def build_specs(graph: AssetGraph, layers: Sequence[str]) -> Specs:
    """See `AssetGraph.specs`."""
    bindings = _bindings(graph)
    assets: list[AssetSpec] = []
    steps: list[AssetStep] = []
    for key, maker in graph.makers.items():
        if type(maker) is MultiAsset:
            out = graph.out_of(key)
            deps = graph.deps_of(maker, out, bindings[maker.step])
            assets.append(_asset_spec(graph, maker, out, deps, out.description))
        elif key in graph.quarantines:
            out = graph.quarantines[key]
            assets.append(_asset_spec(graph, maker, out, bindings[maker.step].deps, out.description))
        else:
            assert isinstance(maker, Asset)
            assets.append(_asset_spec(graph, maker, maker.out, bindings[key].deps, maker.description))
            if not maker.external:
                steps.append(_step(maker))
    steps += [_step(multi) for multi in graph.multi.values()]
    checks = [_check_spec(check, bindings[check.key]) for check in graph.checks.values()]
    steps += [_step(check) for check in graph.checks.values()]
    for asset, placed in graph.rules.items():
        checks += check_specs(asset, placed, graph.makers[asset].step if asset in graph.makers else asset)
        steps += [_step(rules) for rules in rule_sets(asset, placed)]
    _refuse_step_clashes(graph)
    _validate(graph, assets, checks, layers)
    return tuple(assets), tuple(steps), tuple(checks)


def _bindings(graph: AssetGraph) -> dict[str, Binding]:
    """How each step's function is fed. Raises UnknownDependencyError for all parameters that nothing feeds, at once."""
    names = graph.names
    found: dict[str, Binding] = {}
    unbound: list[Problem] = []

    def bind_all(definitions: Iterable[AssetFunction[..., Any]]) -> None:
        for definition in definitions:
            try:
                if isinstance(definition, SqlAsset):
                    tables = bind_tables(definition, names, graph.sql_facts)
                    found[definition.step] = graph.with_reads(definition, tables)
                else:
                    found[definition.step] = graph.with_reads(definition, bind(definition, names))
            except Unbound as error:
                unbound.append(error.problem)

    bind_all(maker for maker in graph.makers.values() if type(maker) is not MultiAsset)
    bind_all(graph.multi.values())
    bind_all(graph.checks.values())
    if unbound:
        title = "parameters are neither assets nor resources"
        raise combined(UnknownDependencyError, unbound, count=len(unbound), title=title)
    return found


def _asset_spec(
    graph: AssetGraph,
    maker: Asset[..., Any] | MultiAsset[..., Any],
    out: AssetOut,
    deps: tuple[AssetDep, ...],
    text: str,
) -> AssetSpec:
    external = isinstance(maker, Asset) and maker.external
    sql = maker if isinstance(maker, SqlAsset) and maker.out is out else None
    return AssetSpec(
        out.key,
        "" if external else maker.step,
        deps,
        out.layer,
        out.group,
        text,
        _strings(out.owners) if out.owners else (),
        _strings(out.kinds) if out.kinds else (),
        _tags(out.tags) if out.tags else {},
        normalized(out.metadata) if out.metadata else {},
        maker.partitions,
        "" if external else graph.code_version_of(maker, out),
        external,
        maker.place,
        None if out.automation is None else checked_condition(out.automation, f"{maker.place}: asset {out.key!r}"),
        None if out.freshness is None else checked_policy(out.freshness, f"{maker.place}: asset {out.key!r}"),
        _columns(graph, out.key, sql),
        None if sql is None else source_of(sql, graph),
        None if out.column_lineage is None else _declared_lineage(maker, out, deps),
        graph.contracts[out.key].evolution if out.key in graph.contracts else "",
    )


def _columns(graph: AssetGraph, key: str, sql: SqlAsset | None) -> tuple[Column, ...]:
    """What is said of the columns: by the contract, and by those of a query, which describe them."""
    told = () if sql is None else sql.columns
    contract = graph.contracts.get(key)
    if contract is None:
        return told
    described = {column.name: column for column in told}
    return tuple(
        [
            one
            if one.description or one.name not in described
            else msgspec.structs.replace(one, description=described[one.name].description)
            for one in contract.columns
        ]
    )


def _declared_lineage(
    maker: Asset[..., Any] | MultiAsset[..., Any], out: AssetOut, deps: Sequence[AssetDep]
) -> ColumnLineage:
    """What the author of an asset said its columns are made from. Raises DefinitionError."""
    return declared(out.column_lineage, [dep.asset for dep in deps], f"{maker.place}: asset {out.key!r}")


def _step(definition: AssetFunction[..., Any]) -> AssetStep:
    options = definition.options
    return AssetStep(
        definition.step,
        definition.code_name,
        options.retry,
        options.timeout_s,
        options.pools,
        options.priority,
        options.concurrency_max,
        options.isolated,
        options.tags,
    )


def _check_spec(check: Check[..., Any], binding: Binding) -> CheckSpec:
    return CheckSpec(check.asset, check.name, check.step, check.blocking, check.description, binding.deps, check.place)


def _strings(value: Sequence[str] | str) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _tags(value: Mapping[str, str] | Sequence[str] | str) -> dict[str, str]:
    if isinstance(value, Mapping):
        return {str(name): str(text) for name, text in value.items()}
    return dict.fromkeys(_strings(value), "")


def _refuse_step_clashes(graph: AssetGraph) -> None:
    """The name of a multi-asset's step may not be another step's."""
    for name, multi in graph.multi.items():
        other = graph.makers.get(name)
        if other is not None and other is not multi:
            raise DuplicateKeyError(
                f"the multi-asset {name!r} is called like an asset, at {other.place}",
                where=str(multi.place),
                hint="give it a name=",
            )


def _validate(graph: AssetGraph, assets: list[AssetSpec], checks: list[CheckSpec], layers: Sequence[str]) -> None:
    specs = {spec.key: spec for spec in assets}

    def where(key: str) -> str:
        return str(specs[key].place)

    order = Graph.build({spec.key: tuple([dep.asset for dep in spec.deps]) for spec in assets}, where)
    Layers(tuple(layers)).check(order, lambda key: specs[key].layer, where)
    _validate_checks(specs, checks)
    if graph.multi or any(check.blocking for check in checks):
        _validate_steps(specs, checks)
    if any(spec.partitions is not None for spec in assets):
        _validate_partitions(specs)
    if any(spec.automation is not None for spec in assets):
        validate_automation(assets, checks)
    _validate_io(graph)


def _validate_checks(specs: Mapping[str, AssetSpec], checks: list[CheckSpec]) -> None:
    problems = [
        Problem(
            f"check {check.name!r} is of {dep.asset!r}, which does not exist"
            if dep.asset == check.asset
            else f"check {check.key!r} depends on {dep.asset!r}, which does not exist",
            where=str(check.place),
            hint=similar(dep.asset, specs.keys()) or "define it, or correct the name",
        )
        for check in checks
        for dep in check.deps
        if dep.asset not in specs
    ]
    if problems:
        title = "checks are of what does not exist"
        raise combined(UnknownDependencyError, problems[:SHOWN_MAX], count=len(problems), title=title)


def _validate_steps(specs: Mapping[str, AssetSpec], checks: list[CheckSpec]) -> None:
    """Refuse cycles that only steps have: through multi-assets, and through what blocking checks wait for."""
    blocking: dict[str, list[str]] = {}
    for check in checks:
        if check.blocking and not check.at_write:
            blocking.setdefault(check.asset, []).append(check.step)
    places = {check.step: str(check.place) for check in checks}
    upstream: dict[str, list[str]] = {}
    for key, spec in specs.items():
        step = spec.step or key
        places.setdefault(step, str(spec.place))
        ups = upstream.setdefault(step, [])
        for dep in spec.deps:
            above = specs[dep.asset].step or dep.asset
            ups += [above, *blocking.get(dep.asset, ())] if above != step else []
    for check in checks:
        if check.blocking and not check.at_write:
            ups = upstream.setdefault(check.step, [])
            ups += [specs[dep.asset].step or dep.asset for dep in check.deps]
    Graph.build(upstream, places.__getitem__)


def _validate_partitions(specs: Mapping[str, AssetSpec]) -> None:
    """Check each definition of partitions, and each pair of them with its mapping, once."""
    seen: set[int] = set()
    pairs: set[tuple[int, int, int]] = set()
    for spec in specs.values():
        if spec.partitions is not None and id(spec.partitions) not in seen:
            validate(spec.partitions, f"{spec.place}: partitions of {spec.key!r}")
            seen.add(id(spec.partitions))
    for spec in specs.values():
        for dep in spec.deps:
            up = specs[dep.asset].partitions
            if up is None and dep.mapping is None:
                continue
            pair = (id(dep.mapping), id(up), id(spec.partitions))
            if pair not in pairs:
                _validate_pair(dep.mapping, up, spec, dep.asset)
                pairs.add(pair)


def _validate_pair(mapping: PartitionMapping | None, up: Partitions | None, spec: AssetSpec, dep: str) -> None:
    validate_mapping(mapping, up, spec.partitions, f"{spec.place}: {spec.key!r} on {dep!r}")


def _validate_io(graph: AssetGraph) -> None:
    """Every IO manager that is named has to be there."""
    resources = graph.names.resources
    known: set[Any] = {None, *resources}
    for key, maker in graph.makers.items():
        outs = (maker.out,) if isinstance(maker, Asset) else maker.outs.values()
        for out in outs:
            given = out.io_manager
            if given is None or (isinstance(given, str) and given in known):
                continue
            if isinstance(given, str) and given != "io_manager":
                raise DefinitionError(
                    f"asset {key!r} wants the IO manager {given!r}, which is no resource",
                    where=str(maker.place),
                    hint=similar(given, resources.keys()) or f"write Resources({given}=...) in a module of the project",
                )
            if not isinstance(given, str) and not callable(getattr(given, "store", None)):
                raise DefinitionError(
                    f"io_manager= of asset {key!r} is {given!r}, which cannot store anything",
                    where=str(maker.place),
                    hint="give an IOManager, or the name of one in Resources(...)",
                )
