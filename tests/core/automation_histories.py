"""Random projects and what happens to them, for tests of automation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar

from msgspec.structs import replace

from batuta.core import conditions as c
from batuta.core import partitions as p
from batuta.core.asset_index import AssetIndex
from batuta.core.automation import Changes, Ended, Judged, Launched, Made, Requested, Targets
from batuta.core.condition_recipes import any_dep_missing, eager, on_cron
from batuta.core.definitions import AssetDep, AssetSpec, CheckSpec
from batuta.core.errors import DefinitionError
from batuta.core.freshness import FreshnessPolicy
from batuta.core.partition_mapping import AllPartitions, LastPartition, TimeWindow, validate_mapping
from tests.core.asset_definitions import definitions

T = TypeVar("T")
START = datetime(2025, 3, 1, 5, 30, tzinfo=UTC)
PARTITIONS: list[p.Partitions | None] = [
    None,
    None,
    p.daily("2025-02-25"),
    p.daily("2025-02-25"),
    p.daily("2025-02-26", end_offset=1),
    p.weekly("2025-02-03"),
    p.static(["eu", "us"]),
    p.dynamic("customers"),
    p.multi(day=p.daily("2025-02-27"), region=p.static(["eu", "us"])),
    p.multi(area=p.static(["x", "y"]), day=p.daily("2025-02-27")),
]
MAPPINGS = [None, None, None, AllPartitions(), LastPartition(), TimeWindow(-1, -1), TimeWindow(-1, 0)]
POLICIES = [
    None,
    FreshnessPolicy(max_age_s=7200.0),
    FreshnessPolicy(max_age_s=2 * 86400.0),
    FreshnessPolicy(cron="0 6 * * *"),
    FreshnessPolicy(cron="0 6 * * *", within_s=3600.0),
]
PAUSES = [
    timedelta(0),
    timedelta(minutes=1),
    timedelta(minutes=31),
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=8),
]
CRONS = ["0 6 * * *", "*/30 * * * *"]
LEAVES: list[c.AnyCondition] = [
    c.Missing(),
    c.Stale(),
    c.CodeChanged(),
    c.InProgress(),
    c.RunFailed(),
    c.CheckFailed(),
    c.CheckFailed(blocking=True),
    c.CheckFailed("good"),
    c.FreshnessOverdue(),
    c.Latest(),
    c.Latest(2),
    c.UpdatedSinceCron(CRONS[0]),
    c.NewlyUpdated(),
    c.NewlyStarted(),
    c.NewlyRequested(),
    c.WillBeRequested(),
    c.CronPassed(CRONS[0]),
    c.CronPassed(CRONS[1]),
    c.Initial(),
    c.AnyDepUpdated(),
    c.AllDepsNewer(),
]
READY: list[c.AnyCondition] = [
    eager(),
    eager(),
    on_cron(CRONS[0]),
    c.Stale() & ~c.InProgress(),
    c.Missing() & ~any_dep_missing(),
    c.FreshnessOverdue(),
    c.AllDepsNewer(),
]


class Dice(Random):
    """Chance that is the same for the same seed. (Drawing each of these from hypothesis costs fifty times as much.)"""

    def one_in(self, count: int) -> bool:
        return self.randrange(count) == 0

    def some(self, of: list[T], most: int = 3) -> list[T]:
        return self.sample(of, self.randint(0, min(most, len(of))))


def condition(dice: Dice, depth: int = 3) -> c.AnyCondition:
    """One that somebody would write, or any."""
    if depth == 3 and dice.one_in(2):
        return dice.choice(READY)
    if depth == 0 or dice.one_in(3):
        return dice.choice(LEAVES)
    one = condition(dice, depth - 1)
    match dice.randrange(7):
        case 0:
            return one & condition(dice, depth - 1)
        case 1:
            return one | condition(dice, depth - 1)
        case 2:
            return one.since(condition(dice, depth - 1))
        case 3:
            return one.newly_true()
        case 4:
            return c.AnyDep(one)
        case 5:
            return c.AllDeps(one)
        case _:
            return ~one


def project(dice: Dice, count: int) -> AssetIndex:
    """Some assets that depend on earlier ones, with conditions, freshness policies and checks."""
    specs: list[AssetSpec] = []
    checks: list[CheckSpec] = []
    together: AssetSpec | None = None
    for number in range(count):
        key = step = f"a{number}"
        partitions = dice.choice(PARTITIONS)
        external = number < 2 and dice.one_in(5)
        if together is not None and not external and dice.one_in(2):
            step, partitions = together.step, together.partitions
        elif not external and dice.one_in(5):
            step = f"several{number}"
        ups = [] if external else [up for up in dice.some(specs) if up.step != step]
        if step != key and any(_reaches(specs, up.key, step) for up in ups):
            step = key
        spec = AssetSpec(
            key=key,
            step="" if external else step,
            deps=tuple(_dep(dice, up, partitions) for up in ups),
            partitions=partitions,
            code_version=dice.choice(["", "1", "1"]),
            external=external,
            automation=None if external or dice.one_in(5) else condition(dice),
            freshness=dice.choice(POLICIES),
        )
        specs.append(spec)
        if step != key and not external:
            together = spec
        names = [("good", True), ("nice", False)]
        checks += [CheckSpec(key, name, f"{key}:{name}", blocking) for name, blocking in names if dice.one_in(4)]
    return AssetIndex(definitions(specs, checks))


def _reaches(specs: list[AssetSpec], asset: str, step: str) -> bool:
    """Whether an asset is made after the step."""
    spec = next(one for one in specs if one.key == asset)
    return spec.step == step or any(_reaches(specs, dep.asset, step) for dep in spec.deps)


def _dep(dice: Dice, up: AssetSpec, partitions: p.Partitions | None) -> AssetDep:
    for mapping in (dice.choice(MAPPINGS), None):
        try:
            validate_mapping(mapping, up.partitions, partitions, "here")
            return AssetDep(up.key, mapping)
        except DefinitionError:
            continue
    return AssetDep(up.key, AllPartitions())


def worked_on(dice: Dice, index: AssetIndex) -> AssetIndex:
    """The project after somebody changed one asset."""
    specs = list(index.assets.values())
    place = dice.randrange(len(specs))
    spec = specs[place]
    what = dice.choice(["code", "condition", "none"])
    if what == "code":
        spec = replace(spec, code_version=dice.choice(["1", "2", "3"]))
    elif not spec.external:
        spec = replace(spec, automation=None if what == "none" else condition(dice))
    specs[place] = spec
    return AssetIndex(definitions(specs, list(index.checks.values())))


@dataclass
class World:
    """What really happens: runs that make things, whoever started them."""

    dice: Dice
    index: AssetIndex
    now: datetime = START
    runs: int = 0
    customers: list[str] = field(default_factory=lambda: ["ann", "bob"])
    open: dict[str, tuple[int, Targets]] = field(default_factory=dict)
    made: dict[tuple[str, str], Made] = field(default_factory=dict)
    judged: dict[tuple[str, str, str], Judged] = field(default_factory=dict)
    done: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    def keys(self, asset: str) -> list[str]:
        """The partitions that exist."""
        partitions = self.index.assets[asset].partitions
        return [""] if partitions is None else p.keys(partitions, self.now, {"customers": self.customers})

    def go_on(self, requested: Sequence[Requested]) -> Changes:
        """What happens until the next tick; what was `requested` becomes runs."""
        dice = self.dice
        self.now += dice.choice(PAUSES)
        launched = [self._launch(request.key, request.targets) for request in requested]
        dynamic = None
        if dice.one_in(6):
            self.customers = dice.some(["ann", "bob", "cy", "dan"])
            dynamic = {"customers": list(self.customers)}
        assets = list(self.index.assets)
        if dice.one_in(4):
            chosen = dice.some(assets, 2)
            launched.append(self._launch(f"hand-{self.runs}", {one: self._some(one) for one in chosen}))
        made: list[Made] = []
        ended: list[Ended] = []
        for key in list(self.open):
            self._work(key, made, ended)
        if dice.one_in(2):
            asset = dice.choice(assets)
            made += [self._make(asset, one, 0) for one in self._some(asset)]
        judged: list[Judged] = []
        if self.index.checks and dice.one_in(2):
            check = dice.choice(list(self.index.checks.values()))
            judged = [Judged(check.asset, check.name, dice.one_in(2), one) for one in self._some(check.asset)]
        self.judged.update({(one.asset, one.check, one.partition): one for one in judged})
        return Changes(launched=launched, made=made, judged=judged, ended=ended, dynamic_keys=dynamic)

    def _some(self, asset: str) -> list[str]:
        keys = self.keys(asset)
        return keys[-1:] if self.dice.one_in(2) else self.dice.some(keys)

    def _launch(self, key: str, targets: Targets) -> Launched:
        self.runs += 1
        self.open[key] = self.runs, targets
        self.done[key] = set()
        return Launched(key, self.runs, {asset: tuple(keys) for asset, keys in targets.items()})

    def _work(self, key: str, made: list[Made], ended: list[Ended]) -> None:
        """One run goes on, or not."""
        run_id, targets = self.open[key]
        what = self.dice.choice(["nothing", "some", "all", "end", "fail"])
        for asset, keys in targets.items():
            wanted = list(keys) if what in ("all", "end") else self.dice.some(list(keys)) if what == "some" else []
            left = [one for one in wanted if (asset, one) not in self.done[key] and asset in self.index.assets]
            self.done[key].update((asset, one) for one in left)
            made += [self._make(asset, one, run_id) for one in left]
        if what in ("end", "fail"):
            ended.append(Ended(key, failed=what == "fail"))
            del self.open[key]

    def _make(self, asset: str, partition: str, run_id: int) -> Made:
        spec = self.index.assets[asset]
        inputs: dict[str, str] = {}
        for dep in spec.deps:
            for key in self.keys(dep.asset):
                up = self.made.get((dep.asset, key))
                if up and not self.dice.one_in(6):
                    inputs[f"{dep.asset}/{key}" if key else dep.asset] = up.data_version
        at = self.now.timestamp() - self.dice.choice([0.0, 0.5, 90.0])
        version = self.dice.choice(["v1", "v2", "v3"])
        made = self.made[asset, partition] = Made(asset, partition, at, run_id, version, spec.code_version, inputs)
        return made
