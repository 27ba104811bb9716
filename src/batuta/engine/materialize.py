"""From what a person says about assets (a selection, partitions, only what is stale) to the plan of a run."""

from __future__ import annotations

import copy
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Literal

import msgspec

from batuta.core.asset_index import AssetIndex
from batuta.core.asset_plan import Asked, plan_assets
from batuta.core.definitions import Definitions
from batuta.core.joined import Joined
from batuta.core.partitions import DynamicPartitions, MultiPartitions, Partitions
from batuta.core.plan import LabelExpansion, Plan
from batuta.core.selector import Selector
from batuta.core.staleness import Freshness, Pair, Recorded, staleness, to_make, unproven_checks
from batuta.store.rows import CheckRow, MaterializationRow
from batuta.store.store import Store

Mode = Literal["all", "stale", "missing"]
_inputs = msgspec.json.Decoder(dict[str, str])


@dataclass(slots=True)
class Materialization:
    """What a run would make. `fresh` counts the (asset, partition) pairs that are left out; `why` says why the others
    are not, where that was asked."""

    plan: Plan
    keys: tuple[str, ...]
    why: dict[Pair, Freshness]
    fresh: int

    @property
    def count(self) -> int:
        """How many task runs it has, checks included."""
        return sum(
            len(step.expansion.labels) if isinstance(step.expansion, LabelExpansion) else 1 for step in self.plan.steps
        )


class Assets:
    """The assets of a location, or of all of them, with what the store knows of them.

    `environment`: as they are there, which is as in production wherever it has nothing of its own.
    """

    def __init__(self, definitions: Definitions | Joined, store: Store, environment: str = "") -> None:
        self.environment = environment
        self.index = definitions.index() if isinstance(definitions, Joined) else AssetIndex(definitions)
        self._store = store
        self._selector = Selector(self.index)

    def within(self, environment: str) -> Assets:
        """The same as they are in an environment; itself where that is the one."""
        if environment == self.environment:
            return self
        made = copy.copy(self)
        made.environment = environment
        return made

    def select(self, selection: str) -> tuple[str, ...]:
        """The assets that a selection stands for. Raises SelectionError."""
        return self._selector.select(selection, states=self._in_state)

    def _in_state(self, state: str) -> list[str]:
        found = self.freshness()
        wanted = {"stale": ("stale", "missing"), "changed": ("stale",), "missing": ("missing",), "fresh": ("fresh",)}
        if state == "failed":
            return [asset for (asset, _, _), row in self.verdicts().items() if not row.passed]
        return [asset for (asset, _), freshness in found.items() if freshness.state in wanted.get(state, ())]

    def recorded(self) -> dict[Pair, Recorded]:
        """The current materialization of every (asset, partition)."""
        return {
            pair: Recorded(row.data_version, row.code_version, _inputs.decode(row.inputs))
            for pair, row in self.states().items()
        }

    def states(self, assets: Collection[str] | None = None) -> dict[Pair, MaterializationRow]:
        """The current materialization of every (asset, partition), or of those of `assets`, as recorded."""
        states = self._store.asset_states(assets)
        return states | self._store.environments.states(self.environment, assets) if self.environment else states

    def verdicts(self) -> dict[tuple[str, str, str], CheckRow]:
        """The last verdict of every check, by asset, check and partition."""
        verdicts = self._store.checks_current()
        if not self.environment:
            return verdicts
        made = self._store.environments.states(self.environment)
        ours = {name: one for name, one in verdicts.items() if (name[0], name[2]) not in made}
        return ours | self._store.environments.verdicts(self.environment)

    def unproven(self) -> set[tuple[str, str]]:
        """The (check, partition) pairs of blocking checks that have not passed since their asset was made."""
        if not any(check.blocking for check in self.index.checks.values()):
            return set()
        made_at = {pair: row.at for pair, row in self.states().items()}
        return unproven_checks(self.index, made_at, self.verdicts())

    def dynamic_keys(self) -> Mapping[str, list[str]]:
        """The keys of all dynamic partitions definitions in use."""
        return {name: self._store.dynamic_partitions(name) for name in self._dynamic_names}

    @cached_property
    def _dynamic_names(self) -> list[str]:
        names: set[str] = set()
        for spec in self.index.assets.values():
            if spec.partitions is not None:
                _collect_names(spec.partitions, names)
        return sorted(names)

    def freshness(self) -> dict[Pair, Freshness]:
        """The state of everything that has a function, and why."""
        return staleness(self.index, self.recorded(), now=_now(), dynamic_keys=self.dynamic_keys())

    def plan(
        self,
        selection: str,
        *,
        mode: Mode = "all",
        partitions: Asked = None,
        fail_fast: bool = False,
        checks_only: bool = False,
        job: str = "materialize",
    ) -> Materialization:
        """The plan to make a selection. With `mode` "stale" or "missing" only what is; its plan may have no steps.

        Raises SelectionError, PartitionError, RequestError.
        """
        keys = self.select(selection)
        dynamic = self.dynamic_keys()
        now = _now()
        if mode == "all":
            plan = plan_assets(
                self.index,
                keys,
                now=now,
                partitions=partitions,
                unproven=self.unproven(),
                dynamic_keys=dynamic,
                assets=not checks_only,
                fail_fast=fail_fast,
                job=job,
            )
            return Materialization(plan, keys, {}, 0)
        recorded = self.recorded()
        why = to_make(self.index, recorded, keys, now=now, dynamic_keys=dynamic, partitions=partitions)
        if mode == "missing":
            why = {pair: freshness for pair, freshness in why.items() if freshness.state == "missing"}
        made = [key for key in keys if not self.index.assets[key].external]
        plan = plan_assets(
            self.index,
            made,
            now=now,
            partitions=partitions,
            only=set(why),
            unproven=self.unproven(),
            dynamic_keys=dynamic,
            fail_fast=fail_fast,
            job=job,
        )
        chosen = set(keys)
        fresh = sum(pair[0] in chosen and pair not in why for pair in recorded)
        return Materialization(plan, keys, why, fresh)

    def check_plan(self) -> Plan:
        """The plan that evaluates the checks of all that is made, and of external assets; it may have no steps."""
        made = set(self.recorded())
        made |= {(spec.key, "") for spec in self.index.assets.values() if spec.external}
        known = {asset for asset, _ in made}
        return plan_assets(
            self.index,
            [key for key in self.index.checks_of if key in known],
            now=_now(),
            only=made,
            dynamic_keys=self.dynamic_keys(),
            assets=False,
            job="checks",
        )


def _collect_names(partitions: Partitions | None, names: set[str]) -> None:
    if isinstance(partitions, DynamicPartitions):
        names.add(partitions.name)
    elif isinstance(partitions, MultiPartitions):
        for dimension in partitions.dimensions.values():
            _collect_names(dimension, names)


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)
