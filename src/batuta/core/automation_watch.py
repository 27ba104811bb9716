"""Which conditions look at which assets: everything about automation that definitions alone decide.

Made anew for each version of the definitions. Equal conditions are compiled once, however many assets have them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from batuta.core import conditions as c
from batuta.core.asset_index import AssetIndex
from batuta.core.partition_mapping import PartitionMapping
from batuta.core.partition_spaces import Link, Space, Spaces, mapping_name

NO_LOCATIONS: Mapping[str, str] = {}


class Dep(NamedTuple):
    """`owner` reads `asset`; `name` is what its mapping is known by."""

    owner: str
    asset: str
    mapping: PartitionMapping | None
    name: bytes


class Compiled:
    """A condition with its nodes numbered, outermost first."""

    def __init__(self, condition: c.AnyCondition) -> None:
        self.condition = condition
        self.encoded = c.encode(condition)
        self.nodes: list[c.AnyCondition] = []
        self.children: list[tuple[int, ...]] = []
        self.lasting: list[bool] = []
        """Of each node: whether it goes on to hold while nothing changes."""
        self._number(condition)
        self.words = [node.words for node in self.nodes]
        kinds = {type(node) for node in self.nodes}
        self.uses_stale = c.Stale in kinds
        self.crons = {
            (node.cron, node.timezone) for node in self.nodes if isinstance(node, c.CronPassed | c.UpdatedSinceCron)
        }

    def _number(self, condition: c.AnyCondition) -> int:
        number = len(self.nodes)
        self.nodes.append(condition)
        self.children.append(())
        self.lasting.append(True)
        parts = self.children[number] = tuple([self._number(part) for part in condition.parts])
        if not isinstance(condition, c.Since):
            self.lasting[number] = not isinstance(condition, c.Momentary) and all(self.lasting[part] for part in parts)
        return number


class Watch:
    """See the module. `locations`: in which code location each asset is made; those not listed are in one.

    `closed`: nothing can be made in these locations now, so nothing is requested there; what holds is remembered.
    """

    def __init__(
        self,
        index: AssetIndex,
        spaces: Spaces,
        locations: Mapping[str, str] = NO_LOCATIONS,
        closed: Collection[str] = (),
    ) -> None:
        self.index = index
        self._spaces = spaces
        self._locations = locations
        self._closed = frozenset(closed)
        self._deps: dict[str, tuple[Dep, ...]] = {}
        self._below: dict[str, tuple[str, ...]] = {}
        self._names: dict[int, bytes] = {}  # by the mapping's identity
        self._space: dict[str, Space] = {key: spaces.of(spec.partitions) for key, spec in index.assets.items()}
        self.roots: dict[str, Compiled] = {}
        self.watchers: dict[str, list[str]] = {}
        """The automated assets that have to be looked at when something happens to an asset: those whose conditions
        look at it, and those that read it, as what they hold back may be wanted again."""
        self.signatures: dict[str, str] = {}
        """Of each automated asset: what its memory is about. With another one it begins anew."""
        compiled: dict[c.AnyCondition, Compiled] = {}
        for key, spec in index.assets.items():
            if spec.automation is None or not spec.step:
                continue
            known = compiled.get(spec.automation)
            if known is None:
                known = compiled[spec.automation] = Compiled(spec.automation)
            self.roots[key] = known
            self._watch(key)
        self.uses_stale = any(one.uses_stale for one in compiled.values())
        self.by_cron: dict[tuple[str, str], list[str]] = {}
        for key, one in self.roots.items():
            for cron in one.crons:
                self.by_cron.setdefault(cron, []).append(key)

    def _watch(self, root: str) -> None:
        compiled = self.roots[root]
        seen = {root: None, **dict.fromkeys(self._seen(compiled, 0, root))}
        for asset in {**seen, **dict.fromkeys(dep.asset for dep in self.index.assets[root].deps)}:
            self.watchers.setdefault(asset, []).append(root)
        about = [compiled.encoded, *[part for asset in seen for part in (asset.encode(), self._space[asset].name)]]
        self.signatures[root] = hashlib.blake2b(b"\0".join(about), digest_size=8).hexdigest()

    def _seen(self, compiled: Compiled, number: int, asset: str) -> Iterator[str]:
        node = compiled.nodes[number]
        below = [asset]
        if isinstance(node, c.DepCondition):
            below = [dep.asset for dep in self.deps_for(node, asset)]
            yield from below
        for child in compiled.children[number]:
            for one in below:
                yield from self._seen(compiled, child, one)

    def deps(self, asset: str) -> tuple[Dep, ...]:
        """What an asset depends on."""
        found = self._deps.get(asset)
        if found is None:
            found = self._deps[asset] = tuple(
                [Dep(asset, dep.asset, dep.mapping, self._name(dep.mapping)) for dep in self.index.assets[asset].deps]
            )
        return found

    def deps_for(self, node: c.DepCondition, asset: str) -> Sequence[Dep]:
        """Those of an asset's dependencies that a condition is about."""
        deps = self.deps(asset)
        if not node.assets and not node.ignoring:
            return deps
        return [dep for dep in deps if (not node.assets or dep.asset in node.assets) and dep.asset not in node.ignoring]

    def below(self, asset: str) -> tuple[str, ...]:
        """The assets that depend on an asset."""
        found = self._below.get(asset)
        if found is None:
            found = self._below[asset] = self.index.graph.downstream(asset)
        return found

    def link(self, dep: Dep) -> Link:
        """How the partitions of a dependency meet."""
        return self._spaces.link(self._space[dep.asset], self._space[dep.owner], dep.mapping, dep.name)

    def together(self, one: str, other: str) -> bool:
        """Whether a run can make both."""
        return self._locations.get(one, "") == self._locations.get(other, "")

    def is_closed(self, asset: str) -> bool:
        """Whether it cannot be made now."""
        return bool(self._closed) and self.location(asset) in self._closed

    def location(self, asset: str) -> str:
        """Where an asset is made."""
        return self._locations.get(asset, "")

    def _name(self, mapping: PartitionMapping | None) -> bytes:
        found = self._names.get(id(mapping))
        if found is None:
            found = self._names[id(mapping)] = mapping_name(mapping)
        return found
