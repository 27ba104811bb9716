"""One tick's view of conditions: for which partitions each node of a condition holds.

Nothing is cut short: every node is evaluated, because some remember and all are explained. The surprising rule: a node
under `any_dep` is evaluated once for each upstream asset, and remembers for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from batuta.core import conditions as c
from batuta.core import subsets
from batuta.core.automation_clocks import Clocks
from batuta.core.automation_facts import Facts
from batuta.core.automation_stale import StaleSets
from batuta.core.automation_watch import Compiled, Dep, Watch
from batuta.core.errors import InvariantError
from batuta.core.freshness import FreshnessPolicy, ended_by, next_time, oldest_allowed
from batuta.core.partition_spaces import NEVER, Space, changes_at

Node = tuple[int, str]
"""The number of a node in its condition, and the asset that it is evaluated for."""


class RootMemory(msgspec.Struct):
    """What is remembered of an automated asset's condition from tick to tick; subsets that are nothing are left out.

    `held`: for these it has held ever since they were requested. `nodes`: what `since` gave and `newly_true` saw.
    """

    signature: str
    code_version: str = ""
    held: int = 0
    nodes: dict[Node, int] = {}


class View:
    """What all conditions of one tick see. `requested` grows as the tick goes on."""

    def __init__(
        self,
        facts: Facts,
        watch: Watch,
        stale: StaleSets,
        clocks: Clocks,
        requested_before: Mapping[str, int],
        now: datetime,
    ) -> None:
        self.facts = facts
        self.watch = watch
        self.stale = stale
        self.clocks = clocks
        self.requested_before = requested_before
        self.now = now
        self.requested: dict[str, int] = {}
        self.due_at: dict[str, float] = {}
        """When an asset's freshness may turn overdue by itself."""
        self._overdue: dict[str, int] = {}
        self._since_cron: dict[tuple[str, str, str], int] = {}

    def overdue(self, asset: str) -> int:
        """What is not as fresh as its policy asks for."""
        found = self._overdue.get(asset)
        if found is None:
            found = self._overdue[asset] = self._find_overdue(asset)
        return found

    def _find_overdue(self, asset: str) -> int:
        policy = self.facts.index.assets[asset].freshness
        if policy is None:
            return subsets.NOTHING
        space, made = self.facts.space[asset], self.facts.made_bits.get(asset, 0)
        if space.timed is not None:
            moment = datetime.fromtimestamp(max(ended_by(policy, self.now), 0.0), self.now.tzinfo)
            self.due_at[asset] = _next_due(policy, space, self.now)
            return space.newest_at(moment) & ~made
        oldest = oldest_allowed(policy, self.now)
        times = {key: one.at for key, one in self.facts.made.get(asset, {}).items()}
        young = [key for key, at in times.items() if at >= oldest]
        if policy.max_age_s is not None:
            self.due_at[asset] = min((times[key] for key in young), default=NEVER) + policy.max_age_s
        else:
            self.due_at[asset] = _next_due(policy, space, self.now)
        return space.full & ~space.bits(young)

    def updated_since_cron(self, asset: str, cron: tuple[str, str]) -> int:
        """What was made since a cron expression fired last."""
        key = (asset, *cron)
        found = self._since_cron.get(key)
        if found is None:
            found = self._since_cron[key] = self.facts.updated_since(asset, self.clocks.last(cron))
        return found


class Evaluation:
    """The evaluation of one automated asset's condition. `found` has the subset of every node afterwards."""

    def __init__(self, view: View, root: str, compiled: Compiled, memory: RootMemory, *, is_new: bool) -> None:
        self.view = view
        self.root = root
        self.compiled = compiled
        self.is_new = is_new
        self.found: dict[Node, int] = {}
        self.nodes: dict[Node, int] = {}
        """What is to be remembered; of nothing, nothing."""
        self.is_restless = False
        """Whether something held that will not at the next tick by itself."""
        self._memory = memory

    def run(self) -> int:
        """Where the condition holds."""
        return self._of(0, self.root)

    def _of(self, number: int, asset: str) -> int:
        node = (number, asset)
        found = self.found.get(node)
        if found is None:
            found = self.found[node] = self._evaluate(number, asset)
        return found

    def _evaluate(self, number: int, asset: str) -> int:
        condition = self.compiled.nodes[number]
        rule = _RULES.get(type(condition))
        if rule is None:
            raise InvariantError(f"automation of {self.root}: no rule evaluates {condition!r}")
        bits = rule(self, condition, number, asset)
        if bits and isinstance(condition, c.Momentary):
            self.is_restless = True
        return bits

    def _parts(self, number: int, asset: str) -> list[int]:
        return [self._of(child, asset) for child in self.compiled.children[number]]

    # ---- of other conditions ----

    def _all(self, _: c.AllOf, number: int, asset: str) -> int:
        bits = self.view.facts.space[asset].full
        for part in self._parts(number, asset):
            bits &= part
        return bits

    def _any(self, _: c.AnyOf, number: int, asset: str) -> int:
        bits = subsets.NOTHING
        for part in self._parts(number, asset):
            bits |= part
        return bits

    def _not(self, _: c.Not, number: int, asset: str) -> int:
        return self.view.facts.space[asset].full & ~self._parts(number, asset)[0]

    def _since(self, _: c.Since, number: int, asset: str) -> int:
        trigger, reset = self._parts(number, asset)
        return self._remembered(number, asset, (self._memory.nodes.get((number, asset), 0) & ~reset) | trigger)

    def _newly_true(self, _: c.NewlyTrue, number: int, asset: str) -> int:
        now = self._remembered(number, asset, self._parts(number, asset)[0])
        return now & ~self._memory.nodes.get((number, asset), 0)

    def _remembered(self, number: int, asset: str, bits: int) -> int:
        if bits:
            self.nodes[number, asset] = bits
        return bits

    # ---- about the asset itself ----

    def _missing(self, _: c.Missing, number: int, asset: str) -> int:
        return self.view.facts.missing(asset)

    def _stale(self, _: c.Stale, number: int, asset: str) -> int:
        return self.view.stale.stale.get(asset, 0)

    def _code_changed(self, _: c.CodeChanged, number: int, asset: str) -> int:
        return self.view.facts.code_changed(asset)

    def _in_progress(self, _: c.InProgress, number: int, asset: str) -> int:
        return self.view.facts.in_progress(asset)

    def _run_failed(self, _: c.RunFailed, number: int, asset: str) -> int:
        return self.view.facts.failed.get(asset, 0)

    def _check_failed(self, condition: c.CheckFailed, number: int, asset: str) -> int:
        return self.view.facts.check_failed(asset, condition.check, condition.blocking)

    def _overdue(self, _: c.FreshnessOverdue, number: int, asset: str) -> int:
        return self.view.overdue(asset)

    def _latest(self, condition: c.Latest, number: int, asset: str) -> int:
        return self.view.facts.space[asset].latest(condition.count)

    def _since_cron(self, condition: c.UpdatedSinceCron, number: int, asset: str) -> int:
        return self.view.updated_since_cron(asset, (condition.cron, condition.timezone))

    # ---- true for one tick ----

    def _newly_updated(self, _: c.NewlyUpdated, number: int, asset: str) -> int:
        return self.view.facts.updated.get(asset, 0)

    def _newly_started(self, _: c.NewlyStarted, number: int, asset: str) -> int:
        return self.view.facts.started.get(asset, 0)

    def _newly_requested(self, _: c.NewlyRequested, number: int, asset: str) -> int:
        return self.view.requested_before.get(asset, 0)

    def _wanted(self, _: c.WillBeRequested, number: int, asset: str) -> int:
        return self._will_be_requested(asset)

    def _cron_passed(self, condition: c.CronPassed, number: int, asset: str) -> int:
        passed = (condition.cron, condition.timezone) in self.view.clocks.passed and not self.is_new
        return self.view.facts.space[asset].full if passed else subsets.NOTHING

    def _initial(self, _: c.Initial, number: int, asset: str) -> int:
        return self.view.facts.space[asset].full if self.is_new else subsets.NOTHING

    def _will_be_requested(self, asset: str) -> int:
        if not self.view.watch.together(asset, self.root):
            return subsets.NOTHING
        return self.view.requested.get(asset, 0)

    # ---- upstreams ----

    def _any_dep(self, condition: c.AnyDep, number: int, asset: str) -> int:
        watch, (child,) = self.view.watch, self.compiled.children[number]
        bits = subsets.NOTHING
        for dep in watch.deps_for(condition, asset):
            if holds := self._of(child, dep.asset):
                bits |= watch.link(dep).any(holds)
        return bits

    def _all_deps(self, condition: c.AllDeps, number: int, asset: str) -> int:
        watch, (child,) = self.view.watch, self.compiled.children[number]
        bits = self.view.facts.space[asset].full
        for dep in watch.deps_for(condition, asset):
            bits &= watch.link(dep).all(self._of(child, dep.asset))
        return bits

    def _any_dep_updated(self, condition: c.AnyDepUpdated, number: int, asset: str) -> int:
        bits = subsets.NOTHING
        for dep in self.view.watch.deps_for(condition, asset):
            bits |= self._dep_updated(dep, asset)
        return bits

    def _dep_updated(self, dep: Dep, asset: str) -> int:
        bits = self.updated_apart(dep, asset)
        requested = self._will_be_requested(dep.asset)
        return bits | self.view.watch.link(dep).any(requested) if requested else bits

    def updated_apart(self, dep: Dep, asset: str) -> int:
        """What reads a partition that was newly made by a run that is not to make it too."""
        facts = self.view.facts
        bits = subsets.NOTHING
        for key, made in facts.updated_by.get(dep.asset, {}).items():
            met = self.view.watch.link(dep).any(made)
            run = facts.runs.get(key)
            bits |= met if run is None else met & ~run.bits.get(asset, 0)
        return bits

    def _all_newer(self, condition: c.AllDepsNewer, number: int, asset: str) -> int:
        facts = self.view.facts
        space = facts.space[asset]
        own = facts.made.get(asset, {})
        ages = [own[key].at if key in own else -NEVER for key in space.keys]
        bits = space.full
        for dep in self.view.watch.deps_for(condition, asset):
            link = self.view.watch.link(dep)
            ups = facts.made.get(dep.asset, {})
            if not ups and facts.index.assets[dep.asset].external:
                continue
            times = [ups[key].at if key in ups else -NEVER for key in facts.space[dep.asset].keys]
            bits &= subsets.of(
                place for place, at in enumerate(ages) if all(times[up] > at for up in link.needs(place))
            )
        return bits


_RULES: dict[type[c.Condition], Callable[[Evaluation, Any, int, str], int]] = {
    c.AllOf: Evaluation._all,
    c.AnyOf: Evaluation._any,
    c.Not: Evaluation._not,
    c.Since: Evaluation._since,
    c.NewlyTrue: Evaluation._newly_true,
    c.Missing: Evaluation._missing,
    c.Stale: Evaluation._stale,
    c.CodeChanged: Evaluation._code_changed,
    c.InProgress: Evaluation._in_progress,
    c.RunFailed: Evaluation._run_failed,
    c.CheckFailed: Evaluation._check_failed,
    c.FreshnessOverdue: Evaluation._overdue,
    c.Latest: Evaluation._latest,
    c.UpdatedSinceCron: Evaluation._since_cron,
    c.NewlyUpdated: Evaluation._newly_updated,
    c.NewlyStarted: Evaluation._newly_started,
    c.NewlyRequested: Evaluation._newly_requested,
    c.WillBeRequested: Evaluation._wanted,
    c.CronPassed: Evaluation._cron_passed,
    c.Initial: Evaluation._initial,
    c.AnyDep: Evaluation._any_dep,
    c.AllDeps: Evaluation._all_deps,
    c.AnyDepUpdated: Evaluation._any_dep_updated,
    c.AllDepsNewer: Evaluation._all_newer,
}


def _next_due(policy: FreshnessPolicy, space: Space, now: datetime) -> float:
    """When the next partition, or the next time of the policy, is due."""
    if policy.max_age_s is None:
        moment = next_time(policy.cron, policy.timezone, now)
        return NEVER if moment is None else moment.timestamp()
    return changes_at(space.timed, now - timedelta(seconds=policy.max_age_s)) + policy.max_age_s
