"""From a selection of assets and partitions to the plan of a run: one step per function, then its checks.

Partitions are labels of a step, not steps: 365 days of eight assets are eight steps. What depends on an asset waits for
the asset's blocking checks too. An asset outside the selection is no step: what is stored of it is read as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace

from batuta.core.asset_index import AssetIndex
from batuta.core.asset_partitions import Asked, choose_partitions
from batuta.core.definitions import AssetDep, AssetSpec, AssetStep, CheckSpec, Definitions
from batuta.core.errors import RequestError
from batuta.core.graph import Graph
from batuta.core.partition_mapping import Aligned, Every, edges
from batuta.core.partitions import DynamicKeys, Partitions, keys
from batuta.core.plan import Edge, LabelExpansion, Mapping, Plan, StepKind, StepSpec
from batuta.core.trigger_rules import TriggerRule

__all__ = ["Asked", "plan_assets"]

NO_KEYS: DynamicKeys = {}


def plan_assets(
    definitions: Definitions | AssetIndex,
    keys: Iterable[str],
    *,
    now: datetime,
    partitions: Asked = None,
    only: Collection[tuple[str, str]] | None = None,
    unproven: Iterable[tuple[str, str]] = (),
    dynamic_keys: DynamicKeys = NO_KEYS,
    assets: bool = True,
    checks: bool = True,
    job: str = "materialize",
    fail_fast: bool = False,
    parallelism_max: int | None = None,
) -> Plan:
    """The plan that makes the assets `keys` and evaluates their checks.

    `partitions`: see `asset_partitions`. `only`: nothing but these (asset, partition) pairs ("" where the asset has no
    partitions), such as `staleness.to_make` gives; the plan may then be without steps. `assets=False`: just the checks.
    `unproven`: (check, partition) pairs of blocking checks that have not passed since their asset was made (see
    `staleness.unproven_checks`): those of what this run reads are evaluated first, and hold it back until they pass.
    `dynamic_keys`: the keys of each dynamic partitions definition. `now` (aware) decides which time partitions exist.
    Raises RequestError for an unknown asset or where there is nothing to make, PartitionError for partitions that do
    not exist.
    """
    index = definitions if isinstance(definitions, AssetIndex) else AssetIndex(definitions)
    found = [index.asset(key) for key in dict.fromkeys(keys)]
    rank = index.rank
    selected = sorted((spec.key for spec in found if spec.step or not assets), key=rank.__getitem__)
    if found and not selected:
        shown = ", ".join(spec.key for spec in found[:3])
        raise RequestError(f"nothing to make: {shown} is made elsewhere", hint="select assets that have a function")
    chosen = choose_partitions(index, selected, partitions, now, dynamic_keys)
    planner = _Planner(index, now, dynamic_keys, unproven)
    for key in selected:
        planner.select(index.assets[key], chosen.get(key), only)
    if not planner.labels and only is None and selected:
        raise RequestError(
            f"nothing to make: there is no partition of {', '.join(selected[:3])} yet",
            hint="the first one exists once its time is over, or once its key is added",
        )
    return Plan(
        job=job,
        kind="assets",
        steps=planner.steps(assets, checks),
        outcome="any",
        fail_fast=fail_fast,
        parallelism_max=parallelism_max,
    )


class _Planner:
    """Collects what is selected by step; then makes the steps."""

    def __init__(
        self, index: AssetIndex, now: datetime, dynamic_keys: DynamicKeys, unproven: Iterable[tuple[str, str]]
    ) -> None:
        self.index = index
        self.now = now
        self.dynamic_keys = dynamic_keys
        self.labels: dict[str, tuple[str, ...] | None] = {}
        """Of each step to be run (or external asset to be checked): its partitions, None where it has none."""
        self.selected: list[AssetSpec] = []
        self.check_labels: dict[str, tuple[str, ...] | None] = {}
        """Of each step that evaluates checks: the partitions."""
        self.unproven: dict[str, set[str]] = {}
        for check, partition in unproven:
            self.unproven.setdefault(check, set()).add(partition)
        self.interned: dict[tuple[str, ...], tuple[str, ...]] = {}  # equal labels are one object: see `_mapping`
        self.memo: dict[tuple[int, int, int, int, int], Mapping | None] = {}

    def select(self, spec: AssetSpec, chosen: list[str] | None, only: Collection[tuple[str, str]] | None) -> None:
        """Take an asset with its partitions, less those that are not in `only`."""
        step = spec.step or spec.key
        if chosen is None:
            if only is None or (spec.key, "") in only:
                self.labels[step] = None
                self.selected.append(spec)
            return
        wanted = chosen if only is None else [key for key in chosen if (spec.key, key) in only]
        if wanted:
            before = self.labels.get(step) or ()
            labels = tuple(dict.fromkeys((*before, *wanted))) if before else tuple(wanted)
            self.labels[step] = self.interned.setdefault(labels, labels)
            self.selected.append(spec)

    def steps(self, assets: bool, checks: bool) -> tuple[StepSpec, ...]:
        """The steps, upstreams first."""
        made = list(dict.fromkeys(self._all_made() if assets else [spec.key for spec in self.selected]))
        if checks:
            for key in made:
                spec = self.index.assets[key]
                for check in self.index.checks_of.get(key, ()):
                    if not check.at_write:
                        self.check_labels[check.step] = self.labels[spec.step or key]
        if assets and self.unproven:
            self._guard()
        steps: dict[str, StepSpec] = {}
        for key in made if assets else ():
            spec = self.index.assets[key]
            if spec.step not in steps:
                steps[spec.step] = self._asset_step(spec)
        for key, labels in self.check_labels.items():
            steps[key] = self._check_step(self.index.checks_at[key], labels, assets)
        self._frame(steps)
        upstream = {key: [edge.step for edge in step.upstream] for key, step in steps.items()}
        return tuple([steps[key] for key in Graph.build(upstream).order])

    def _frame(self, steps: dict[str, StepSpec]) -> None:
        """Add what comes before and after the steps of this run that say so."""
        before: dict[str, list[str]] = {}
        after: dict[str, list[str]] = {}
        for key in steps:
            of = self.index.steps.get(key)
            if of is not None and of.before:
                before.setdefault(of.before, []).append(key)
            if of is not None and of.after:
                after.setdefault(of.after, []).append(key)
        for name, keys_ in before.items():
            steps[name] = self._step(self.index.steps[name], "task", upstream=(), labels=None, reads=())
            for key in keys_:
                steps[key] = replace(steps[key], upstream=(Edge(name), *steps[key].upstream))
        for name, keys_ in after.items():
            step = self._step(self.index.steps[name], "task", upstream=tuple(map(Edge, keys_)), labels=None, reads=())
            steps[name] = replace(step, trigger_rule=TriggerRule.ALL_DONE)

    def _all_made(self) -> Iterator[str]:
        """The selected assets, and those that are made together with one."""
        for spec in self.selected:
            yield from [one.key for one in self.index.made_by(spec.step)]

    def _guard(self) -> None:
        """Add the blocking checks of what is read but not made here, where they have not passed yet."""
        extra: dict[str, dict[str, None]] = {}
        for step, labels in self.labels.items():
            for dep in self._deps_of(step):
                spec = self.index.assets[dep.asset]
                for check in self._holding(dep.asset):
                    waiting = self.unproven.get(check.key)
                    if waiting is None:
                        continue
                    if spec.partitions is None:
                        if spec.step not in self.labels:
                            self.check_labels.setdefault(check.step, None)
                        continue
                    own = self.index.made_by(step)[0].partitions
                    made = set(self.labels.get(spec.step) or ())
                    read = self._read(dep, spec.partitions, waiting, own, labels)
                    extra.setdefault(check.step, {}).update(dict.fromkeys(key for key in read if key not in made))
        for key, keys_ in extra.items():
            if keys_:
                known = self.check_labels.get(key) or ()
                labels = (*known, *[one for one in keys_ if one not in known])
                self.check_labels[key] = self.interned.setdefault(labels, labels)

    def _holding(self, asset: str) -> Iterator[CheckSpec]:
        """The checks that hold back what reads an asset until they have passed."""
        for check in self.index.checks_of.get(asset, ()):
            if check.blocking and not check.before and not check.at_write:
                yield check

    def _read(
        self,
        dep: AssetDep,
        up: Partitions,
        candidates: Collection[str],
        own: Partitions | None,
        labels: tuple[str, ...] | None,
    ) -> list[str]:
        """Those of `candidates` that one of `labels` needs."""
        existing = [key for key in keys(up, self.now, self.dynamic_keys) if key in candidates]
        if not existing:
            return []
        found = edges(dep.mapping, up, existing, own, labels or (), self.now, self.dynamic_keys)
        if isinstance(found, Aligned | Every):
            return existing
        return [existing[i] for i in sorted({i for row in found.indices for i in row})]

    def _deps_of(self, step: str) -> tuple[AssetDep, ...]:
        together = self.index.made_by(step)
        return together[0].deps if len(together) == 1 else _united(one.deps for one in together)

    def _asset_step(self, spec: AssetSpec) -> StepSpec:
        deps, labels = self._deps_of(spec.step), self.labels[spec.step]
        edges_ = self._edges(deps, spec.partitions, spec.step, labels, with_checks=True)
        return self._step(
            self.index.steps[spec.step],
            "asset",
            upstream=(*edges_, *self._edges_before(spec.step, labels)),
            labels=labels,
            reads=tuple([dep.asset for dep in deps]),
            writes=tuple([one.key for one in self.index.made_by(spec.step)]),
            code_version=spec.code_version,
        )

    def _edges_before(self, step: str, labels: tuple[str, ...] | None) -> Iterator[Edge]:
        """To the checks that are evaluated before the step's assets are made, and hold them back."""
        for spec in self.index.made_by(step):
            for check in self.index.checks_of.get(spec.key, ()):
                if check.before and check.blocking and check.step in self.check_labels:
                    yield Edge(check.step, _same_labels(self.check_labels[check.step], labels))

    def _check_step(self, checks: Sequence[CheckSpec], labels: tuple[str, ...] | None, assets: bool) -> StepSpec:
        """The checks of one step are of one asset. They wait for that and for the others that they read, not for the
        checks of those; what is evaluated before the asset is made, for what that waits for."""
        check = checks[0]
        spec = self.index.assets[check.asset]
        read = check.deps if len(checks) == 1 else _united(one.deps for one in checks)
        upstream: tuple[Edge, ...] = ()
        if assets and check.before:
            upstream = self._edges(self._deps_of(spec.step), spec.partitions, spec.step, labels, with_checks=True)
        elif assets:
            others = tuple([dep for dep in read if dep.asset != spec.key])
            upstream = self._edges(others, spec.partitions, spec.step, labels, with_checks=False)
            if spec.step in self.labels:
                upstream = (Edge(spec.step, _same_labels(self.labels[spec.step], labels)), *upstream)
        return self._step(
            self.index.steps[check.step],
            "check",
            upstream=upstream,
            labels=labels,
            reads=tuple(dict.fromkeys([spec.key, *[dep.asset for dep in read]])),
            checks=tuple([one.key for one in checks]),
        )

    def _step(
        self,
        step: AssetStep,
        kind: StepKind,
        *,
        upstream: tuple[Edge, ...],
        labels: tuple[str, ...] | None,
        reads: tuple[str, ...],
        writes: tuple[str, ...] = (),
        checks: tuple[str, ...] = (),
        code_version: str = "",
    ) -> StepSpec:
        return StepSpec(
            key=step.key,
            task=step.task,
            kind=kind,
            upstream=upstream,
            retry=step.retry,
            timeout_s=step.timeout_s,
            pools=step.pools,
            priority=step.priority,
            instances_max=step.instances_max,
            expansion=None if labels is None else LabelExpansion(labels),
            isolated=step.isolated,
            reads=reads,
            writes=writes,
            checks=checks,
            code_version=code_version,
            tags=step.tags,
            location=step.location,
        )

    # -- edges

    def _edges(
        self,
        deps: Sequence[AssetDep],
        own: Partitions | None,
        step: str,
        labels: tuple[str, ...] | None,
        *,
        with_checks: bool,
    ) -> tuple[Edge, ...]:
        """What a step waits for: the steps of its upstream assets that are run too, and their blocking checks."""
        found: dict[str, Mapping] = {}
        for dep in deps:
            spec = self.index.assets[dep.asset]
            if spec.step == step:
                continue
            waits = {spec.step: self.labels[spec.step]} if spec.step in self.labels else {}
            if with_checks:
                for check in self._holding(dep.asset):
                    if check.step in self.check_labels:
                        waits[check.step] = self.check_labels[check.step]
            for above, above_labels in waits.items():
                mapping = self._mapping(dep, spec, above_labels, own, labels)
                if mapping is not None:
                    known = found.get(above)
                    found[above] = mapping if known in (None, mapping) else _merged(known, mapping, labels)
        return tuple([Edge(above, mapping) for above, mapping in found.items()])

    def _mapping(
        self,
        dep: AssetDep,
        spec: AssetSpec,
        above: tuple[str, ...] | None,
        own: Partitions | None,
        labels: tuple[str, ...] | None,
    ) -> Mapping | None:
        """How partitions meet; None where no two of this run do. Many pairs share their answer, so it is kept."""
        if above is None:
            return "every"
        memo = (id(dep.mapping), id(spec.partitions), id(above), id(own), id(labels))
        if memo not in self.memo:
            found = edges(dep.mapping, spec.partitions, above, own, labels or (), self.now, self.dynamic_keys)
            match found:
                case Aligned():
                    self.memo[memo] = "aligned"
                case Every():
                    self.memo[memo] = "every"
                case _:
                    self.memo[memo] = found.indices if any(found.indices) else None
        return self.memo[memo]


def _same_labels(labels: tuple[str, ...] | None, of_check: tuple[str, ...] | None) -> Mapping:
    """How a check meets its asset: by the same partition; one that is only checked waits for nothing."""
    if labels is None or of_check is None:
        return "every"
    if labels == of_check:
        return "aligned"
    place = {label: i for i, label in enumerate(labels)}
    return tuple([(place[label],) if label in place else () for label in of_check])


def _united(groups: Iterable[tuple[AssetDep, ...]]) -> tuple[AssetDep, ...]:
    found: dict[tuple[str, bool], AssetDep] = {}
    for deps in groups:
        for dep in deps:
            found.setdefault((dep.asset, dep.mapping is None), dep)
    return tuple(found.values())


def _merged(first: Mapping, second: Mapping, labels: tuple[str, ...] | None) -> Mapping:
    """The edges of both: a step that depends on several assets of one step."""
    if "every" in (first, second):
        return "every"
    rows: list[tuple[int, ...]] = []
    for i in range(1 if labels is None else len(labels)):
        row = {up for one in (first, second) for up in ((i,) if one == "aligned" else one[i])}
        rows.append(tuple(sorted(int(up) for up in row)))
    return tuple(rows)
