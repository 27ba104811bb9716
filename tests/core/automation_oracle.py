"""Automation evaluated the slow way: every asset at every tick, over sets of keys and the whole history.

Shares with the code under test the definitions, the partition functions and `core.staleness`, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from batuta.core import conditions as c
from batuta.core.asset_index import AssetIndex
from batuta.core.automation import Changes, Ended, Launched, Made, Requested
from batuta.core.cron import times
from batuta.core.definitions import AssetDep
from batuta.core.partition_mapping import upstream_keys
from batuta.core.partitions import MultiPartitions, TimePartitions, keys, last_key, split_key
from batuta.core.staleness import Recorded, staleness

Keys = frozenset[str]
NONE: Keys = frozenset()


@dataclass
class Run:
    key: str
    targets: dict[str, list[str]]
    run_id: int = 0
    ended_at: int | None = None
    born: int = 0
    done: set[tuple[str, str]] = field(default_factory=set)


@dataclass
class Oracle:
    """The history so far, and what conditions remember of it."""

    index: AssetIndex
    dynamic_keys: dict[str, list[str]]
    now: datetime
    tick_no: int = 0
    events: list[tuple[int, Made]] = field(default_factory=list)
    verdicts: dict[tuple[str, str, str], bool] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    failed: dict[str, set[str]] = field(default_factory=dict)
    memory: dict[str, dict[tuple[tuple[int, ...], str], Keys]] = field(default_factory=dict)
    held: dict[str, Keys] = field(default_factory=dict)
    known: dict[str, object] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)
    fresh: tuple[Requested, ...] = ()
    requested: dict[str, Keys] = field(default_factory=dict)
    requested_before: dict[str, Keys] = field(default_factory=dict)
    new_roots: set[str] = field(default_factory=set)
    before: datetime | None = None

    # ---- a tick ----

    def tick(self, changes: Changes, now: datetime) -> dict[str, Keys]:
        self.tick_no += 1
        self._existing: dict[str, Keys] = {}
        self._needed: dict[tuple[int, str, str], list[str]] = {}
        self.before, self.now = self.now, now
        if changes.dynamic_keys is not None:
            self.dynamic_keys = {name: list(found) for name, found in changes.dynamic_keys.items()}
        self.failed = {asset: found & self.existing(asset) for asset, found in self.failed.items()}
        for request in self.fresh:
            self._launch(Launched(request.key, 0, request.targets))
        self.requested_before = {}
        for request in self.fresh:
            for asset, found in request.targets.items():
                self.requested_before[asset] = frozenset(found) & self.existing(asset)
        for launched in changes.launched:
            self._launch(launched)
        for made in changes.made:
            self._make(made)
        for verdict in changes.judged:
            self.verdicts[verdict.asset, verdict.check, verdict.partition] = verdict.passed
        for ended in changes.ended:
            self._end(ended)
        self.stale_now = self._stale()
        self.requested = {}
        self._evaluate_all()
        return {asset: found for asset, found in self.requested.items() if found}

    def _launch(self, launched: Launched) -> None:
        run = self.runs.get(launched.key)
        if run is None:
            run = Run(launched.key, {a: list(p) for a, p in launched.targets.items()}, born=self.tick_no)
            self.runs[launched.key] = run
        run.run_id = launched.run_id or run.run_id

    def _make(self, made: Made) -> None:
        self.events.append((self.tick_no, made))
        run = self._run_of(made.run_id)
        if run is not None:
            run.done.add((made.asset, made.partition))
        self.failed.get(made.asset, set()).discard(made.partition)

    def _run_of(self, run_id: int) -> Run | None:
        """The run with that number, unless it had ended before this tick."""
        for run in self.runs.values():
            if run_id and run.run_id == run_id and run.ended_at in (None, self.tick_no):
                return run
        return None

    def _end(self, ended: Ended) -> None:
        run = self.runs.get(ended.key)
        if run is None or run.ended_at is not None:
            return
        run.ended_at = self.tick_no
        if ended.failed:
            for asset, targets in run.targets.items():
                if asset in self.index.assets:
                    left = {key for key in targets if (asset, key) not in run.done}
                    self.failed.setdefault(asset, set()).update(left & self.existing(asset))

    def _evaluate_all(self) -> None:
        index = self.index
        roots = [key for key in index.step_order if index.assets[key].automation is not None and index.assets[key].step]
        self.new_roots = {root for root in roots if self.known.get(root) != self._signature(root)}
        for gone in self.known.keys() - set(roots):
            del self.known[gone]
        done: set[str] = set()
        for root in roots:
            step = index.assets[root].step
            if step not in done:
                done.add(step)
                together = [one for one in roots if index.assets[one].step == step]
                found = frozenset().union(*[self._evaluate_root(one) for one in together])
                if found:
                    for spec in index.made_by(step):
                        self.requested[spec.key] = found

    def _signature(self, root: str) -> object:
        spec = self.index.assets[root]
        assert spec.automation is not None
        return spec.automation, {
            asset: self.index.assets[asset].partitions for asset in self._seen(spec.automation, root)
        }

    def _seen(self, condition: c.AnyCondition, asset: str) -> set[str]:
        below = [asset]
        if isinstance(condition, c.AnyDep | c.AllDeps | c.AnyDepUpdated | c.AllDepsNewer):
            below = [dep.asset for dep in self._deps(condition, asset)]
        found = {asset, *below}
        for part in condition.parts:
            for one in below:
                found |= self._seen(part, one)
        return found

    def _evaluate_root(self, root: str) -> Keys:
        spec = self.index.assets[root]
        assert spec.automation is not None
        if root in self.new_roots:
            self.memory[root], self.held[root], self.code[root] = {}, NONE, spec.code_version
            self.known[root] = self._signature(root)
        before = self.memory[root]
        self.memory[root] = {}
        holds = self._eval(spec.automation, (), root, root, before)
        held = holds & self.held[root]
        if self.code[root] != spec.code_version:
            held = NONE
        self.code[root] = spec.code_version
        held -= self._updated(root)
        for dep in spec.deps:
            held -= self._updated_apart(dep, root, root)
        requests = holds - held - self._in_progress(root)
        self.held[root] = held | requests
        return requests

    # ---- conditions ----

    def _eval(
        self,
        condition: c.AnyCondition,
        path: tuple[int, ...],
        asset: str,
        root: str,
        before: dict[tuple[tuple[int, ...], str], Keys],
    ) -> Keys:
        def part(number: int, on: str = asset) -> Keys:
            return self._eval(condition.parts[number], (*path, number), on, root, before)

        every = self.existing(asset)
        match condition:
            case c.AllOf():
                found = every
                for number in range(len(condition.operands)):
                    found &= part(number)
                return found
            case c.AnyOf():
                return frozenset().union(*[part(number) for number in range(len(condition.operands))])
            case c.Not():
                return every - part(0)
            case c.Since():
                found = ((before.get((path, asset), NONE) & every) - part(1)) | part(0)
                self.memory[root][path, asset] = found
                return found
            case c.NewlyTrue():
                found = part(0)
                self.memory[root][path, asset] = found
                return found - before.get((path, asset), NONE)
            case c.AnyDep():
                return self._over(condition, asset, lambda dep: part(0, dep.asset), any)
            case c.AllDeps():
                return self._over(condition, asset, lambda dep: part(0, dep.asset), all)
            case c.AnyDepUpdated():
                found = self._over(condition, asset, lambda dep: self.requested.get(dep.asset, NONE), any)
                for dep in self._deps(condition, asset):
                    found |= self._updated_apart(dep, asset, root)
                return found
            case c.AllDepsNewer():
                return self._all_newer(condition, asset)
            case _:
                return self._leaf(condition, asset, root)

    def _deps(self, condition: c.DepCondition, asset: str) -> list[AssetDep]:
        deps = self.index.assets[asset].deps
        wanted = [dep for dep in deps if not condition.assets or dep.asset in condition.assets]
        return [dep for dep in wanted if dep.asset not in condition.ignoring]

    def _needs(self, dep: AssetDep, asset: str, key: str) -> list[str]:
        up, down = self.index.assets[dep.asset].partitions, self.index.assets[asset].partitions
        if up is None:
            return [""]
        known = id(dep), asset, key
        if known not in self._needed:
            own = None if down is None else key
            self._needed[known] = upstream_keys(dep.mapping, up, down, own, self.now, self.dynamic_keys)
        return self._needed[known]

    def _over(
        self,
        condition: c.DepCondition,
        asset: str,
        holds: Callable[[AssetDep], Keys],
        how: Callable[[Iterable[bool]], bool],
    ) -> Keys:
        deps = [(dep, holds(dep)) for dep in self._deps(condition, asset)]
        return frozenset(
            key
            for key in self.existing(asset)
            if how(need in found for dep, found in deps for need in self._needs(dep, asset, key))
        )

    def _updated(self, asset: str) -> Keys:
        return frozenset(
            m.partition for at, m in self.events if at == self.tick_no and m.asset == asset
        ) & self.existing(asset)

    def _updated_apart(self, dep: AssetDep, asset: str, root: str) -> Keys:
        found: set[str] = set()
        for at, made in self.events:
            if at == self.tick_no and made.asset == dep.asset and made.partition in self.existing(dep.asset):
                run = self._run_of(made.run_id)
                mine = set() if run is None else set(run.targets.get(asset, ()))
                found |= {
                    key
                    for key in self.existing(asset)
                    if key not in mine and made.partition in self._needs(dep, asset, key)
                }
        return frozenset(found)

    def _all_newer(self, condition: c.AllDepsNewer, asset: str) -> Keys:
        own = self._made(asset)
        found: set[str] = set()
        for key in self.existing(asset):
            at = own[key].at if key in own else float("-inf")
            fits = True
            for dep in self._deps(condition, asset):
                ups = self._made(dep.asset)
                if not ups and self.index.assets[dep.asset].external:
                    continue
                fits = fits and all(need in ups and ups[need].at > at for need in self._needs(dep, asset, key))
            if fits:
                found.add(key)
        return frozenset(found)

    def _leaf(self, condition: c.AnyCondition, asset: str, root: str) -> Keys:
        every, spec, made = self.existing(asset), self.index.assets[asset], self._made(asset)
        match condition:
            case c.Missing():
                return NONE if spec.external else every - set(made)
            case c.Stale():
                return frozenset(key for key in every if (asset, key) in self.stale_now)
            case c.CodeChanged():
                old = {key for key, one in made.items() if one.code_version and one.code_version != spec.code_version}
                return every & old if spec.code_version else NONE
            case c.InProgress():
                return self._in_progress(asset)
            case c.RunFailed():
                return frozenset(self.failed.get(asset, ())) & every
            case c.CheckFailed():
                return self._check_failed(condition, asset)
            case c.FreshnessOverdue():
                return self._overdue(asset)
            case c.Latest():
                return self._latest(asset, condition.count)
            case c.UpdatedSinceCron():
                if spec.external and not made:
                    return every
                fired = _last(condition.cron, condition.timezone, self.now)
                return frozenset(key for key in every if key in made and made[key].at >= fired.timestamp())
            case c.NewlyUpdated():
                return self._updated(asset)
            case c.NewlyStarted():
                born = [run for run in self.runs.values() if run.born == self.tick_no]
                return every & frozenset(key for run in born for key in run.targets.get(asset, ()))
            case c.NewlyRequested():
                return self.requested_before.get(asset, NONE)
            case c.WillBeRequested():
                return self.requested.get(asset, NONE)
            case c.CronPassed():
                assert self.before is not None
                passed = _last(condition.cron, condition.timezone, self.now) > self.before
                return every if passed and root not in self.new_roots else NONE
            case c.Initial():
                return every if root in self.new_roots else NONE
            case _:
                raise AssertionError(condition)

    # ---- facts ----

    def existing(self, asset: str) -> Keys:
        if asset not in self._existing:
            partitions = self.index.assets[asset].partitions
            found = [""] if partitions is None else keys(partitions, self.now, self.dynamic_keys)
            self._existing[asset] = frozenset(found)
        return self._existing[asset]

    def _made(self, asset: str) -> dict[str, Made]:
        return {made.partition: made for _, made in self.events if made.asset == asset}

    def _in_progress(self, asset: str) -> Keys:
        guarded = any(check.blocking for check in self.index.checks_of.get(asset, ()))
        found: set[str] = set()
        for run in self.runs.values():
            if run.ended_at is None:
                found |= {key for key in run.targets.get(asset, ()) if guarded or (asset, key) not in run.done}
        return frozenset(found) & self.existing(asset)

    def _check_failed(self, condition: c.CheckFailed, asset: str) -> Keys:
        found: set[str] = set()
        for (of, name, partition), passed in self.verdicts.items():
            spec = self.index.checks.get(f"{of}:{name}")
            if of != asset or passed or spec is None or condition.check not in ("", name):
                continue
            if condition.blocking and not spec.blocking:
                continue
            found |= self.existing(asset) if partition == "" else {partition}
        return frozenset(found) & self.existing(asset)

    def _stale(self) -> set[tuple[str, str]]:
        recorded = {
            (made.asset, made.partition): Recorded(made.data_version, made.code_version, made.inputs)
            for _, made in self.events
        }
        found = staleness(self.index, recorded, now=self.now, dynamic_keys=self.dynamic_keys)
        return {pair for pair, state in found.items() if state.state == "stale"}

    def _latest(self, asset: str, count: int) -> Keys:
        partitions = self.index.assets[asset].partitions
        every = self.existing(asset)
        if isinstance(partitions, TimePartitions):
            return frozenset(keys(partitions, self.now)[-count:])
        if isinstance(partitions, MultiPartitions):
            for name, each in partitions.dimensions.items():
                if isinstance(each, TimePartitions):
                    last = keys(each, self.now)[-count:]
                    every = frozenset(key for key in every if split_key(key)[name] in last)
        return every

    def _overdue(self, asset: str) -> Keys:
        spec, made, every = self.index.assets[asset], self._made(asset), self.existing(asset)
        policy = spec.freshness
        if policy is None:
            return NONE
        by_age = policy.max_age_s is not None
        due = self.now - timedelta(seconds=policy.max_age_s or 0)
        if not by_age:
            due = _last(policy.cron, policy.timezone, self.now)
        partitions = spec.partitions
        if isinstance(partitions, TimePartitions):
            return every & {last_key(partitions, due)} - set(made)
        if isinstance(partitions, MultiPartitions):
            (name, timed), *_ = [(n, d) for n, d in partitions.dimensions.items() if isinstance(d, TimePartitions)]
            last = last_key(timed, due)
            return frozenset(key for key in every if split_key(key)[name] == last) - set(made)
        oldest = due
        if not by_age and policy.within_s is not None:
            oldest = due - timedelta(seconds=policy.within_s)
        elif not by_age:
            oldest = _last(policy.cron, policy.timezone, due - timedelta(seconds=1))
        return frozenset(key for key in every if key not in made or made[key].at < oldest.timestamp())


def _last(cron: str, timezone: str, now: datetime) -> datetime:
    return list(_until(cron, timezone, now - timedelta(days=3), now))[-1]


def _until(cron: str, timezone: str, after: datetime, now: datetime) -> Iterable[datetime]:
    for moment in times(cron, timezone, after):
        if moment > now:
            return
        yield moment
