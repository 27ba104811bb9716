"""The assets of all code locations as one graph, for automation: who makes what, and which conditions are on.

Surprising: an asset that one location makes and another only reads (`external_asset`) is one asset. What two locations
claim to make belongs to the first, as everywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from batuta.core.asset_index import AssetIndex
from batuta.core.asset_triggers import AssetTriggerSpec
from batuta.core.automation import Targets
from batuta.core.definitions import AssetSpec, CheckSpec, Definitions
from batuta.core.errors import BatutaError
from batuta.core.partitions import DynamicPartitions, MultiPartitions, Partitions
from batuta.core.plan import LabelExpansion, Plan

logger = logging.getLogger("batuta.scheduler")

Name = tuple[str, str]
"""A code location, and what is turned on or off in it: an asset, or `job:` and the name of a job."""


@dataclass(slots=True)
class World:
    """See the module. `locations`: where each asset is made; `triggers`: of the jobs that are on, by location and job.

    `closed`: locations that are known, but not loaded: nothing of them is started, and nothing forgotten.
    """

    index: AssetIndex
    locations: dict[str, str] = field(default_factory=dict)
    triggers: dict[Name, AssetTriggerSpec] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()

    @property
    def is_automated(self) -> bool:
        """Whether there is anything to be evaluated."""
        return bool(self.triggers) or any(spec.automation is not None for spec in self.index.assets.values())

    @property
    def dynamic_names(self) -> list[str]:
        """The dynamic partitions in use."""
        names: set[str] = set()
        for spec in self.index.assets.values():
            _collect(spec.partitions, names)
        return sorted(names)


def trigger_name(job: str) -> str:
    """The name under which what starts a job is turned on and off, and its ticks are kept."""
    return f"job:{job}"


def world_of(
    locations: Sequence[tuple[str, Definitions]], switched: Mapping[Name, bool], closed: Iterable[str] = ()
) -> World:
    """Put the definitions together. `switched`: what a person has turned on or off."""
    assets: dict[str, AssetSpec] = {}
    checks: dict[str, CheckSpec] = {}
    makers: dict[str, str] = {}
    world = World(AssetIndex(Definitions()), closed=frozenset(closed))
    for location, definitions in locations:
        mine = dict(assets)
        for spec in definitions.assets:
            known = mine.get(spec.key)
            if known is None or (known.external and not spec.external):
                mine[spec.key] = _seen_in(spec, location, switched)
                if spec.step:
                    makers[spec.key] = location
        if _refused(mine, location):
            continue
        assets = mine
        for check in definitions.checks:
            checks.setdefault(check.key, check)
        for trigger in definitions.asset_triggers:
            if switched.get((location, trigger_name(trigger.job)), trigger.enabled):
                world.triggers[location, trigger.job] = trigger
    world.index = AssetIndex(Definitions(assets=tuple(assets.values()), checks=tuple(checks.values())))
    world.locations = {key: makers[key] for key in assets if key in makers}
    return world


def _seen_in(spec: AssetSpec, location: str, switched: Mapping[Name, bool]) -> AssetSpec:
    """An asset beside those of other locations: steps of the same name are not the same."""
    if spec.step and spec.step != spec.key:
        spec = replace(spec, step=f"{location}/{spec.step}")
    if spec.automation is not None and not switched.get((location, spec.key), True):
        spec = replace(spec, automation=None)
    return spec


def _refused(assets: Mapping[str, AssetSpec], location: str) -> bool:
    """Whether the assets would depend on each other in a circle, through several locations."""
    try:
        AssetIndex(Definitions(assets=tuple(assets.values()))).step_order  # noqa: B018 - it is made when asked for
    except BatutaError as error:
        logger.error("automation leaves out location %s: %s", location, error)
        return True
    return False


def targets_of(plan: Plan) -> Targets:
    """What a run of assets is to make."""
    targets: dict[str, tuple[str, ...]] = {}
    for step in plan.steps:
        if step.kind == "asset":
            labels = step.expansion.labels if isinstance(step.expansion, LabelExpansion) else ("",)
            targets.update(dict.fromkeys(step.writes, labels))
    return targets


def _collect(partitions: Partitions | None, names: set[str]) -> None:
    if isinstance(partitions, DynamicPartitions):
        names.add(partitions.name)
    elif isinstance(partitions, MultiPartitions):
        for dimension in partitions.dimensions.values():
            _collect(dimension, names)
