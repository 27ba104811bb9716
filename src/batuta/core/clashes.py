"""What two code locations cannot both define: it belongs to the first, and is left out of the other.

That is a name, and the last dependency of a circle through several locations. An asset that one location makes and
another only names (an external one) is no clash: that is lineage across locations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from batuta.core.asset_index import AssetIndex
from batuta.core.definitions import AssetSpec, Definitions, Problem
from batuta.core.errors import CycleError


@dataclass(slots=True)
class Taken:
    """What the locations so far define: by kind, the names with the location that has them; and their assets."""

    names: dict[str, dict[str, str]] = field(default_factory=dict)
    assets: dict[str, AssetSpec] = field(default_factory=dict)


_KINDS = (("job", "jobs", "name"), ("schedule", "schedules", "name"), ("sensor", "sensors", "name"))


def without_taken(definitions: Definitions, taken: Taken) -> tuple[Definitions, tuple[Problem, ...]]:
    """The definitions less what others have, with a problem for each name; what is left is added to `taken`."""
    changes: dict[str, Any] = {}
    problems: list[Problem] = []
    location = definitions.location
    for kind, field_, attribute in _KINDS:
        specs = getattr(definitions, field_, ())
        kept = [
            spec for spec in specs if _is_free(kind, getattr(spec, attribute), spec.place, location, taken, problems)
        ]
        if len(kept) < len(specs):
            changes[field_] = tuple(kept)
    assets = [spec for spec in definitions.assets if not spec.step or _asset_is_free(spec, location, taken, problems)]
    assets = _without_circle(assets, location, taken, problems)
    if len(assets) < len(definitions.assets):
        gone = {spec.key for spec in definitions.assets} - {spec.key for spec in assets}
        changes["assets"] = tuple(assets)
        changes["checks"] = tuple(check for check in definitions.checks if check.asset not in gone)
        steps = {spec.step for spec in assets} | {check.step for check in changes["checks"]}
        changes["asset_steps"] = tuple(step for step in definitions.asset_steps if step.key in steps)
    return (msgspec.structs.replace(definitions, **changes) if changes else definitions), tuple(problems)


def with_assets(known: dict[str, AssetSpec], specs: Iterable[AssetSpec]) -> dict[str, AssetSpec]:
    """The assets of several locations: of one that is made somewhere, what that location says of it."""
    both = dict(known)
    for spec in specs:
        other = both.get(spec.key)
        if other is None or (other.external and not spec.external):
            both[spec.key] = spec
    return both


def _without_circle(assets: list[AssetSpec], location: str, taken: Taken, problems: list[Problem]) -> list[AssetSpec]:
    """The assets, or none where they and those of other locations would depend on each other in a circle."""
    both = with_assets(taken.assets, assets)
    made = {spec.key for spec in assets if spec.step}
    if any(spec.external and spec.key in made for spec in taken.assets.values()):
        try:
            AssetIndex(Definitions(assets=tuple(both.values()))).step_order  # noqa: B018 - it is made when asked for
        except CycleError as error:
            place = next((spec.place for spec in assets if str(spec.place) == error.where), assets[0].place)
            what = f"all assets of location {location!r} are left out: with those of others, {error.what}"
            problems.append(Problem(what, place, error.hint or ""))
            return []
    taken.assets = both
    return assets


def _asset_is_free(spec: AssetSpec, location: str, taken: Taken, problems: list[Problem]) -> bool:
    """Whether its key is, and the name of the step that makes it together with others."""
    if not _is_free("asset", spec.key, spec.place, location, taken, problems):
        return False
    return spec.step == spec.key or _is_free("asset step", spec.step, spec.place, location, taken, problems)


def _is_free(kind: str, name: str, place: Any, location: str, taken: Taken, problems: list[Problem]) -> bool:
    owner = taken.names.setdefault(kind, {}).setdefault(name, location)
    if owner == location:
        return True
    what = f"{kind} {name!r} is left out: location {owner!r} has one of that name"
    problems.append(Problem(what, place, hint="give one of the two another name"))
    return False
