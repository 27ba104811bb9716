"""Medallion layers: which may depend on which.

A lower layer never depends on a higher one, not even through assets without a layer: those are looked through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from batuta.core.errors import LayerError
from batuta.core.graph import Graph, Where
from batuta.core.problems import SHOWN_MAX, Problem, combined
from batuta.core.similar import similar

BELOW_ALL = -1
THROUGH_SHOWN = 5

LayerOf = Callable[[str], str | None]
"""The layer of a key; None or "" where it has none."""


class Layers(msgspec.Struct, frozen=True):
    """The layers of a project, lowest first. Raises LayerError for names that are empty or occur twice."""

    names: tuple[str, ...] = ("bronze", "silver", "gold")

    def __post_init__(self) -> None:
        for i, name in enumerate(self.names):
            if not name.strip() or name in self.names[:i]:
                fault = "occurs twice" if name.strip() else "is empty"
                raise LayerError(
                    f"the layer name {name!r} {fault}", hint='list each layer once, the lowest first: ["raw", "mart"]'
                )

    def __str__(self) -> str:
        return " < ".join(self.names) or "none"

    def check(self, graph: Graph, layer_of: LayerOf, where: Where | None = None) -> None:
        """Refuse a graph in which a lower layer depends on a higher one. Linear in nodes and edges.

        Raises LayerError that names both keys, their layers, what lies between them and the place of the lower one;
        also for a layer that the project does not have.
        """
        ranks = self._ranks(graph, layer_of, where)
        top = _highest_above(graph, ranks)
        wrong = [
            (node, up)
            for node, rank in enumerate(ranks)
            if rank != BELOW_ALL
            for up in graph.upstream_ids[node]
            if _carried(up, ranks, top) > rank
        ]
        if wrong:
            ways = [_way(node, up, graph, ranks, top) for node, up in wrong[:SHOWN_MAX]]
            problems = [self._problem([graph.keys[i] for i in way], layer_of, where) for way in ways]
            raise combined(
                LayerError, problems, count=len(wrong), title=f"dependencies of a lower layer on a higher one ({self})"
            )

    def _ranks(self, graph: Graph, layer_of: LayerOf, where: Where | None) -> list[int]:
        """The rank of each node of `graph`, or BELOW_ALL."""
        rank_of: dict[str | None, int] = {name: rank for rank, name in enumerate(self.names)}
        rank_of[None] = rank_of[""] = BELOW_ALL
        try:
            return [rank_of[layer_of(key)] for key in graph.keys]
        except KeyError:
            unknown = [key for key in graph.keys if layer_of(key) not in rank_of]
            problems = [self._unknown(key, layer_of(key) or "", where) for key in unknown[:SHOWN_MAX]]
            title = f"assets are in layers that this project does not have (it has {self})"
            raise combined(LayerError, problems, count=len(unknown), title=title) from None

    def _unknown(self, key: str, layer: str, where: Where | None) -> Problem:
        return Problem(
            f"{key!r} is in layer {layer!r}, which this project does not have (it has {self})",
            where=where(key) if where else None,
            hint=similar(layer, self.names) or "use one of them, or add it to the project's layers",
        )

    def _problem(self, way: Sequence[str], layer_of: LayerOf, where: Where | None) -> Problem:
        high, *between, low = way
        lower, higher = layer_of(low), layer_of(high)
        nearby = [repr(key) for key in reversed(between)]
        rest = f" and {len(nearby) - THROUGH_SHOWN} more" if len(nearby) > THROUGH_SHOWN else ""
        through = f" through {', '.join(nearby[:THROUGH_SHOWN])}{rest}" if nearby else ""
        return Problem(
            f"{low!r} (layer {lower}) depends on {high!r} (layer {higher}){through}",
            where=where(low) if where else None,
            hint=f"data flows {self}: move {low!r} to {higher} or above, or {high!r} to {lower} or below",
        )


def _highest_above(graph: Graph, ranks: Sequence[int]) -> list[int]:
    """For each node without layer the highest rank above it, seen through others without layer."""
    top = [BELOW_ALL] * len(ranks)
    for node in graph.order_ids:
        if ranks[node] == BELOW_ALL:
            for up in graph.upstream_ids[node]:
                top[node] = max(top[node], _carried(up, ranks, top))
    return top


def _carried(up: int, ranks: Sequence[int], top: Sequence[int]) -> int:
    """The rank that an upstream brings to what depends on it."""
    return ranks[up] if ranks[up] != BELOW_ALL else top[up]


def _way(node: int, up: int, graph: Graph, ranks: Sequence[int], top: Sequence[int]) -> list[int]:
    """The ids from the node of the highest layer that reaches `node` over `up`, down to `node`."""

    def climb() -> Iterator[int]:
        at = up
        while ranks[at] == BELOW_ALL:
            yield at
            at = next(other for other in graph.upstream_ids[at] if _carried(other, ranks, top) == top[at])
        yield at

    return [node, *climb()][::-1]
