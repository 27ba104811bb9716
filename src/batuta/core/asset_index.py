"""The assets of `Definitions` by key, step and check, as a graph, and as what selections are about.

Everything beyond the lookups is made when first asked for and kept: make one index per version of the definitions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from batuta.core.definitions import AssetSpec, AssetStep, CheckSpec, Definitions
from batuta.core.errors import RequestError
from batuta.core.graph import Graph
from batuta.core.selector import Selector, States
from batuta.core.similar import similar


class AssetAttributes:
    """What selections can ask of an asset. See `core.selector.Attributes`."""

    __slots__ = ("_location", "_spec")
    jobs: tuple[str, ...] = ()

    def __init__(self, spec: AssetSpec, location: str) -> None:
        self._spec = spec
        self._location = location

    @property
    def tags(self) -> dict[str, str]:
        return self._spec.tags

    @property
    def layer(self) -> str:
        return self._spec.layer

    @property
    def group(self) -> str:
        return self._spec.group

    @property
    def kinds(self) -> tuple[str, ...]:
        return self._spec.kinds

    @property
    def owners(self) -> tuple[str, ...]:
        return self._spec.owners

    @property
    def location(self) -> str:
        return self._location

    @property
    def path(self) -> str:
        return self._spec.place.file


class AssetIndex:
    """See the module. `assets` by key, in the order of their definition."""

    def __init__(self, definitions: Definitions, locations: Mapping[str, str] | None = None) -> None:
        """`locations`: where each asset is defined, where the definitions are of several."""
        self.location = definitions.location
        self.locations = locations or {}
        self.assets: dict[str, AssetSpec] = {spec.key: spec for spec in definitions.assets}
        self.checks: dict[str, CheckSpec] = {check.key: check for check in definitions.checks}
        self._steps = definitions.asset_steps

    @cached_property
    def steps(self) -> dict[str, AssetStep]:
        """How each step is run."""
        return {step.key: step for step in self._steps}

    @cached_property
    def checks_of(self) -> dict[str, list[CheckSpec]]:
        """The checks of each asset that has any."""
        found: dict[str, list[CheckSpec]] = {}
        for check in self.checks.values():
            found.setdefault(check.asset, []).append(check)
        return found

    @cached_property
    def checks_at(self) -> dict[str, list[CheckSpec]]:
        """The checks that each step evaluates, but for those that the step of their asset does as it writes."""
        found: dict[str, list[CheckSpec]] = {}
        for check in self.checks.values():
            if not check.at_write:
                found.setdefault(check.step, []).append(check)
        return found

    @cached_property
    def together(self) -> dict[str, list[AssetSpec]]:
        """The assets of each step that makes several."""
        found: dict[str, list[AssetSpec]] = {}
        for spec in self.assets.values():
            if spec.step and spec.step != spec.key:
                found.setdefault(spec.step, []).append(spec)
        for step, others in found.items():
            own = self.assets.get(step)
            if own is not None and own.step == step:  # an asset by whose step others are made, such as its quarantine
                others.insert(0, own)
        return found

    @cached_property
    def graph(self) -> Graph:
        """Assets and their dependencies."""
        return Graph.build(
            {key: tuple([dep.asset for dep in spec.deps]) for key, spec in self.assets.items()},
            lambda key: str(self.assets[key].place),
        )

    @cached_property
    def rank(self) -> dict[str, int]:
        """The place of each asset in topological order."""
        return {key: place for place, key in enumerate(self.graph.order)}

    @cached_property
    def step_order(self) -> Sequence[str]:
        """All assets, those first whose steps come first; those of one step follow each other."""
        if not self.together:
            return self.graph.order
        upstream: dict[str, list[str]] = {}
        members: dict[str, list[str]] = {}
        for key, spec in self.assets.items():
            step = spec.step or key
            members.setdefault(step, []).append(key)
            above = [self.assets[dep.asset].step or dep.asset for dep in spec.deps]
            upstream.setdefault(step, []).extend(one for one in above if one != step)
        return [key for step in Graph.build(upstream).order for key in members[step]]

    @cached_property
    def step_rank(self) -> dict[str, int]:
        """The place of each asset in `step_order`."""
        return {key: place for place, key in enumerate(self.step_order)}

    @cached_property
    def selector(self) -> Selector:
        """Selections over all assets."""
        return Selector(self)

    @property
    def keys(self) -> Sequence[str]:
        """All keys, in topological order."""
        return self.graph.order

    def attributes(self, key: str) -> AssetAttributes:
        """What selections can ask of an asset."""
        return AssetAttributes(self.assets[key], self.locations.get(key, self.location))

    def select(self, selection: str, states: States | None = None) -> tuple[str, ...]:
        """The keys that a selection stands for, in topological order. Raises SelectionError."""
        return self.selector.select(selection, states=states)

    def asset(self, key: str) -> AssetSpec:
        """One asset. Raises RequestError with the nearest key."""
        spec = self.assets.get(key)
        if spec is None:
            raise RequestError(f"there is no asset {key!r}", hint=similar(key, self.assets.keys()))
        return spec

    def made_by(self, step: str) -> list[AssetSpec]:
        """The assets that a step makes."""
        return self.together[step] if step in self.together else [self.assets[step]]
