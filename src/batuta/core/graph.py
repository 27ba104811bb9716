"""A directed graph without cycles over string keys, for 100,000 nodes and more: sort, reach, cut.

Nodes have dense ids in the order of insertion and edges are lists of ids; keys are looked up at the door only. The
surprising rule: the order of a graph whose nodes were inserted upstream first is the order of insertion.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain

from batuta.core.errors import CycleError, RequestError, UnknownDependencyError
from batuta.core.problems import SHOWN_MAX, Problem, combined
from batuta.core.similar import similar

CYCLE_SEARCH_EDGES = 1_000_000
"""After so many edges the search for a shorter cycle ends with the shortest so far."""
CYCLE_SHOWN = 12

Where = Callable[[str], str]
"""The place (file and line) at which a key is defined."""
Adjacency = Sequence[Sequence[int]]


class Graph:
    """An immutable directed acyclic graph; an edge leads from an upstream to what depends on it.

    Whatever returns several keys returns them in topological order, except where it says otherwise.
    """

    def __init__(self, keys: Iterable[str], upstream_ids: Adjacency, where: Where | None = None) -> None:
        """Of `keys` and, in the same order, the ids (positions) of their upstreams, each once; see `build`."""
        self.keys: tuple[str, ...] = tuple(keys)
        self.upstream_ids = upstream_ids
        self.order_ids = self._sorted(where)

    @classmethod
    def build(
        cls,
        upstream: Mapping[str, Sequence[str]],
        where: Where | None = None,
        external: Container[str] = (),
    ) -> Graph:
        """The graph in which each key depends on the listed ones; repeated dependencies count once.

        Keys of `external` are known elsewhere: depending on them is no error, and they are no nodes.
        Raises UnknownDependencyError (all of them in one) and CycleError (the shortest cycle found).
        """
        ids = {key: i for i, key in enumerate(upstream)}
        rows: list[tuple[int, ...]] = []
        unknown: list[tuple[str, str]] = []
        for key, names in upstream.items():
            try:
                row = tuple([ids[name] for name in names])
            except KeyError:
                row = tuple([ids[name] for name in names if name in ids])
                unknown.extend((key, name) for name in names if name not in ids and name not in external)
            if len(row) > 1 and len(set(row)) != len(row):
                row = tuple(dict.fromkeys(row))
            rows.append(row)
        if unknown:
            raise _unknown_dependencies(list(dict.fromkeys(unknown)), ids, where)
        return cls(ids, rows, where)

    # -- nodes

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """The id of each key: its position in `keys`."""
        return {key: i for i, key in enumerate(self.keys)}

    @cached_property
    def downstream_ids(self) -> Adjacency:
        """For each id the ids of what depends on it, ascending."""
        return _reversed(self.upstream_ids)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """All keys, upstreams first; of those that could be next, the one inserted first."""
        return self._keys(self.order_ids)

    @cached_property
    def levels(self) -> tuple[tuple[str, ...], ...]:
        """All keys by the length of their longest way from a root; what is in one level can run at once."""
        depth = [0] * len(self.keys)
        for node in self.order_ids:
            if ups := self.upstream_ids[node]:
                depth[node] = 1 + max([depth[up] for up in ups])
        levels: list[list[str]] = [[] for _ in range(max(depth, default=-1) + 1)]
        for key, level in zip(self.keys, depth, strict=True):
            levels[level].append(key)
        return tuple(map(tuple, levels))

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """Keys without upstream, in order of insertion."""
        return tuple(key for key, ups in zip(self.keys, self.upstream_ids, strict=True) if not ups)

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """Keys on which nothing depends, in order of insertion."""
        return tuple(key for key, downs in zip(self.keys, self.downstream_ids, strict=True) if not downs)

    def __len__(self) -> int:
        return len(self.keys)

    def __contains__(self, key: object) -> bool:
        return key in self.ids

    def __repr__(self) -> str:
        return f"<Graph of {len(self)} nodes, {sum(map(len, self.upstream_ids))} edges>"

    # -- edges

    def upstream(self, key: str) -> tuple[str, ...]:
        """What `key` depends on directly, in the order in which it was given."""
        return self._keys(self.upstream_ids[self._id(key)])

    def downstream(self, key: str) -> tuple[str, ...]:
        """What depends on `key` directly, in order of insertion."""
        return self._keys(self.downstream_ids[self._id(key)])

    def edges(self) -> Iterator[tuple[str, str]]:
        """All (upstream, downstream) pairs."""
        for key, ups in zip(self.keys, self.upstream_ids, strict=True):
            for up in ups:
                yield self.keys[up], key

    # -- reach

    def ancestors(self, keys: Iterable[str], depth: int | None = None) -> tuple[str, ...]:
        """What `keys` depend on, at most `depth` edges away (None: any).

        A key of `keys` is among them only where it is upstream of another.
        """
        return self._ordered(self.reach_ids(self._id_list(keys), upstream=True, depth=depth))

    def descendants(self, keys: Iterable[str], depth: int | None = None) -> tuple[str, ...]:
        """What depends on `keys`, at most `depth` edges away (None: any); otherwise as `ancestors`."""
        return self._ordered(self.reach_ids(self._id_list(keys), upstream=False, depth=depth))

    def between(self, start: str, end: str) -> tuple[str, ...]:
        """All keys on the ways from `start` down to `end`, with both; empty where there is no way."""
        first, last = self._id(start), self._id(end)
        below = {first} | self.reach_ids((first,), upstream=False)
        above = {last} | self.reach_ids((last,), upstream=True)
        return self._ordered(below & above)

    def reach_ids(self, ids: Collection[int], *, upstream: bool, depth: int | None = None) -> set[int]:
        """The ids that can be reached from `ids` over at least one and at most `depth` edges."""
        edges = self.upstream_ids if upstream else self.downstream_ids
        seeds = set(ids)
        found: set[int] = set()
        frontier = seeds
        left = -1 if depth is None else depth
        while frontier and left:
            # `-`, not `-=`: the latter costs as much as `found` is large, which makes long chains quadratic
            fresh = set[int]().union(*[edges[node] for node in frontier]) - found
            found |= fresh
            frontier = fresh - seeds
            left -= 1
        return found

    # -- cuts

    def subgraph(self, keys: Iterable[str], *, through: bool = False) -> Graph:
        """The graph of `keys` and the edges between them.

        With `through`, ways over left-out nodes become edges, so that who reaches whom among `keys` stays the same;
        a left-out node between 1,000 and 1,000 kept ones then becomes a million edges.
        """
        kept = sorted(set(self._id_list(keys)))
        rows = self._rows_through(kept) if through else None
        renumbered = {node: i for i, node in enumerate(kept)}
        cut = [
            [renumbered[up] for up in (rows[node] if rows else self.upstream_ids[node]) if up in renumbered]
            for node in kept
        ]
        return Graph(self._keys(kept), cut)

    def _rows_through(self, kept: list[int]) -> dict[int, tuple[int, ...]]:
        """For each node that leads to a kept one, the kept nodes nearest above it."""
        chosen = set(kept)
        relevant = chosen | self.reach_ids(kept, upstream=True)
        rows: dict[int, tuple[int, ...]] = {}
        for node in self.order_ids:
            if node in relevant:
                near = [(up,) if up in chosen else rows[up] for up in self.upstream_ids[node]]
                # one way in: share the row, so that long chains of left-out nodes cost nothing
                rows[node] = near[0] if len(near) == 1 else tuple(dict.fromkeys(chain.from_iterable(near)))
        return rows

    # -- inside

    def _sorted(self, where: Where | None) -> Sequence[int]:
        ups = self.upstream_ids
        if all(not row or max(row) < node for node, row in enumerate(ups)):
            return range(len(ups))
        downs = self.downstream_ids
        waiting = list(map(len, ups))
        ready = [node for node, count in enumerate(waiting) if not count]
        order: list[int] = []
        while ready:
            node = heapq.heappop(ready)
            order.append(node)
            for down in downs[node]:
                waiting[down] -= 1
                if not waiting[down]:
                    heapq.heappush(ready, down)
        if len(order) < len(ups):
            stuck = {node for node, count in enumerate(waiting) if count}
            raise _cycle_error(self._keys(_short_cycle(ups, stuck)), where)
        return order

    @cached_property
    def _rank(self) -> Sequence[int]:
        if isinstance(self.order_ids, range):
            return self.order_ids
        rank = [0] * len(self.keys)
        for place, node in enumerate(self.order_ids):
            rank[node] = place
        return rank

    def _ordered(self, ids: Iterable[int]) -> tuple[str, ...]:
        return self._keys(sorted(ids, key=self._rank.__getitem__))

    def _keys(self, ids: Iterable[int]) -> tuple[str, ...]:
        keys = self.keys
        return tuple([keys[i] for i in ids])

    def _id(self, key: str) -> int:
        try:
            return self.ids[key]
        except KeyError:
            raise RequestError(f"there is no {key!r} in this graph", hint=similar(key, self.keys)) from None

    def _id_list(self, keys: Iterable[str]) -> list[int]:
        if isinstance(keys, str):
            return [self._id(keys)]
        return [self._id(key) for key in keys]


def _reversed(ups: Adjacency) -> Adjacency:
    downs: list[list[int]] = [[] for _ in ups]
    for node, row in enumerate(ups):
        for up in row:
            downs[up].append(node)
    return downs


def _unknown_dependencies(
    unknown: list[tuple[str, str]], known: Collection[str], where: Where | None
) -> UnknownDependencyError:
    problems = [
        Problem(
            f"{key!r} depends on {name!r}, which does not exist",
            where=where(key) if where else None,
            hint=similar(name, known) or "define it, or correct the name",
        )
        for key, name in unknown[:SHOWN_MAX]
    ]
    return combined(
        UnknownDependencyError, problems, count=len(unknown), title="dependencies are on what does not exist"
    )


def _short_cycle(ups: Adjacency, stuck: set[int]) -> list[int]:
    """A short cycle among the nodes that could not be sorted, in the direction of the data."""
    best = _some_cycle(ups, stuck)
    budget = CYCLE_SEARCH_EDGES
    for start in chain(list(best), sorted(stuck)):
        if budget <= 0 or len(best) == 1:
            break
        cycle, visited = _cycle_through(start, ups, stuck, shorter_than=len(best))
        budget -= visited
        best = cycle or best
    first = best.index(min(best))
    return best[first:] + best[:first]


def _some_cycle(ups: Adjacency, stuck: set[int]) -> list[int]:
    """Any cycle: each stuck node has a stuck upstream, so going up ends where it has been."""
    node = min(stuck)
    seen: dict[int, int] = {}
    while node not in seen:
        seen[node] = len(seen)
        node = next(up for up in ups[node] if up in stuck)
    return list(seen)[seen[node] :][::-1]


def _cycle_through(start: int, ups: Adjacency, stuck: set[int], shorter_than: int) -> tuple[list[int], int]:
    """The shortest cycle through `start` (empty: none below the limit), and how many edges were looked at."""
    towards: dict[int, int] = {}
    frontier, visited, length = [start], 0, 1
    while frontier and length < shorter_than:
        following: list[int] = []
        for node in frontier:
            visited += len(ups[node])
            if start in ups[node]:
                cycle = [start, node]
                while cycle[-1] != start:
                    cycle.append(towards[cycle[-1]])
                return cycle[:-1], visited
            for up in ups[node]:
                if up in stuck and up not in towards:
                    towards[up] = node
                    following.append(up)
        frontier, length = following, length + 1
    return [], visited


def _cycle_error(cycle: Sequence[str], where: Where | None) -> CycleError:
    shown = [*cycle, cycle[0]]
    if len(shown) > CYCLE_SHOWN:
        shown = [*shown[: CYCLE_SHOWN - 3], f"... {len(shown) - CYCLE_SHOWN + 1} more ...", *shown[-2:]]
    place = where(cycle[0]) if where else None
    if len(cycle) == 1:
        return CycleError(
            f"a cycle: {cycle[0]} -> {cycle[0]}", where=place, hint="it depends on itself; take that away"
        )
    what = f"a cycle of {len(cycle)}: {' -> '.join(shown)}"
    if where:
        what += "".join(f"\n  {key}: {where(key)}" for key in cycle[:SHOWN_MAX])
    hint = f"{cycle[0]} -> {cycle[1]} says that {cycle[1]} depends on {cycle[0]}; take one of these dependencies away"
    return CycleError(what, where=place, hint=hint)
