"""Why automation requested something, or did not: the tree of conditions with the partitions each part held for.

Subsets are told as counts and ranges of keys, so that an explanation of 100,000 partitions has a few lines.
"""

from __future__ import annotations

import msgspec

from batuta.core import conditions as c
from batuta.core import subsets
from batuta.core.automation_eval import Evaluation
from batuta.core.partition_spaces import Space

RANGES_MAX = 10


class Told(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A subset of `total` partitions: how many, and the first ranges of keys; `more` ranges are left out.

    An asset without partitions has `total` 0, and `count` 1 where it is in the subset.
    """

    count: int = 0
    total: int = 0
    ranges: tuple[tuple[str, str], ...] = ()
    more: int = 0

    def __str__(self) -> str:
        if not self.total:
            return "yes" if self.count else "no"
        if self.count in (0, self.total):
            return f"{'all' if self.count else 'none'} of {self.total} partitions"
        shown = ", ".join(first if first == last else f"{first}..{last}" for first, last in self.ranges)
        return f"{self.count} of {self.total} partitions: {shown}" + (f" and {self.more} more" if self.more else "")


class Part(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One node of a condition. `asset`: the upstream that it was evaluated for, where it is not the asset itself."""

    words: str
    holds: Told
    label: str = ""
    asset: str = ""
    parts: tuple[Part, ...] = ()


class Explanation(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The evaluation of one asset: where its condition holds, it is requested, in progress, or was requested before."""

    asset: str
    at: float
    requested: Told
    in_progress: Told
    requested_before: Told
    condition: Part


_NO, _YES = Told(), Told(count=1)
Within = int | None
"""The partitions that are asked about; None: all."""


def told(space: Space, bits: int, within: Within = None) -> Told:
    """A subset in few words."""
    if space.definition is None:
        return _YES if bits else _NO
    total = len(space.keys)
    if within is not None:
        bits, total = bits & within, within.bit_count()
    count = bits.bit_count()
    if count in (0, total):
        return Told(count, total)
    ranges: list[tuple[str, str]] = []
    more = 0
    for first, last in subsets.runs(bits):
        if len(ranges) < RANGES_MAX:
            ranges.append((space.keys[first], space.keys[last]))
        else:
            more += 1
    return Told(count, total, tuple(ranges), more)


def explained(evaluation: Evaluation, number: int = 0, asset: str = "", within: Within = None) -> Part:
    """A node of an evaluated condition with its parts; `asset`: of which upstream, where it is not the root's own."""
    own = asset or evaluation.root
    node = evaluation.compiled.nodes[number]
    children = evaluation.compiled.children[number]
    parts: tuple[Part, ...] = ()
    if children and not _says_it_all(evaluation, node, number, own):
        below: dict[str, Within] = {asset: within}
        if isinstance(node, c.AnyDep | c.AllDeps):
            below = _needed(evaluation, node, own, within)
        parts = tuple([explained(evaluation, child, one, asked) for one, asked in below.items() for child in children])
    holds = told(evaluation.view.facts.space[own], evaluation.found[number, own], within)
    return Part(evaluation.compiled.words[number], holds, node.label, asset, parts)


def _says_it_all(evaluation: Evaluation, node: c.AnyCondition, number: int, asset: str) -> bool:
    """Whether there is nothing to be said of single upstreams: no one, or each."""
    bits = evaluation.found[number, asset]
    if isinstance(node, c.AllDeps):
        return bits == evaluation.view.facts.space[asset].full
    return isinstance(node, c.AnyDep) and not bits


def _needed(evaluation: Evaluation, node: c.DepCondition, asset: str, within: Within) -> dict[str, Within]:
    """The upstreams that a condition looks at, and which of their partitions those asked about need."""
    watch = evaluation.view.watch
    found: dict[str, Within] = {}
    for dep in watch.deps_for(node, asset):
        needed: Within = None
        if within is not None:
            link = watch.link(dep)
            needed = subsets.of({up for place in subsets.places(within) for up in link.needs(place)})
            needed |= found.get(dep.asset) or 0
        found[dep.asset] = needed
    return found


def explanation(evaluation: Evaluation, requested: int, held: int, within: Within = None) -> Explanation:
    """An evaluation in words and counts."""
    root, facts = evaluation.root, evaluation.view.facts
    space = facts.space[root]
    in_progress = evaluation.found[0, root] & facts.in_progress(root)
    return Explanation(
        asset=root,
        at=evaluation.view.now.timestamp(),
        requested=told(space, requested, within),
        in_progress=told(space, in_progress, within),
        requested_before=told(space, held & ~requested & ~in_progress, within),
        condition=explained(evaluation, within=within),
    )
