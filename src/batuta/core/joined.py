"""The definitions of several code locations as one: one graph of assets, whoever makes them.

An asset that one location makes and others only name is one asset. Surprising: what a location says of an asset that it
does not make (a description, columns, checks) stands where its maker says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from batuta.core.asset_index import AssetIndex
from batuta.core.clashes import with_assets
from batuta.core.definitions import AssetSpec, AssetStep, CheckSpec, Definitions


class Joined(msgspec.Struct, frozen=True):
    """See the module. `locations`: the one that makes (or else first names) each asset."""

    definitions: Definitions
    locations: dict[str, str] = {}

    def index(self) -> AssetIndex:
        """A new index of all assets."""
        return AssetIndex(self.definitions, self.locations)


def named(definitions: Definitions, location: str) -> Definitions:
    """With the name of their location, by which steps are told apart."""
    return definitions if definitions.location == location else msgspec.structs.replace(definitions, location=location)


def joined(each: Iterable[Definitions]) -> Joined:
    """Put together what locations define, which `clashes.without_taken` has made free of clashes."""
    each = list(each)
    if len(each) == 1:
        return Joined(each[0], {spec.key: each[0].location for spec in each[0].assets})
    assets: dict[str, AssetSpec] = {}
    locations: dict[str, str] = {}
    steps: dict[str, AssetStep] = {}
    checks: dict[str, CheckSpec] = {}
    for one in each:
        for spec in one.assets:
            if spec.key not in assets or (assets[spec.key].external and not spec.external):
                locations[spec.key] = one.location
        assets = with_assets(assets, one.assets)
        for step in one.asset_steps:
            steps.setdefault(step.key, msgspec.structs.replace(step, location=one.location))
        for check in one.checks:
            checks.setdefault(check.key, check)
    for one in each:
        for spec in one.assets:
            if spec.external and spec is not assets[spec.key]:
                assets[spec.key] = _told(assets[spec.key], spec)
    return Joined(
        Definitions(
            jobs=tuple(job for one in each for job in one.jobs),
            assets=tuple(assets.values()),
            asset_steps=tuple(steps.values()),
            checks=tuple(checks.values()),
            schedules=tuple(schedule for one in each for schedule in one.schedules),
            sensors=tuple(sensor for one in each for sensor in one.sensors),
            asset_triggers=tuple(trigger for one in each for trigger in one.asset_triggers),
            layers=tuple(dict.fromkeys(layer for one in each for layer in one.layers)) or Definitions().layers,
            problems=tuple(problem for one in each for problem in one.problems),
        ),
        locations,
    )


def _told(maker: AssetSpec, other: AssetSpec) -> AssetSpec:
    """What its maker says of an asset, and beyond that what somebody says who only reads it."""
    changes = {
        name: getattr(other, name)
        for name in ("layer", "description", "columns")
        if getattr(other, name) and not getattr(maker, name)
    }
    return msgspec.structs.replace(maker, **changes) if changes else maker
