"""The graph against brute force, and what it says about cycles and unknown dependencies."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.errors import CycleError, RequestError, UnknownDependencyError
from batuta.core.graph import Graph

Upstream = dict[str, list[str]]


@st.composite
def acyclic(draw: st.DrawFn, nodes_max: int = 9) -> Upstream:
    """Random upstreams without cycles, inserted in random order."""
    names = [f"n{i}" for i in range(draw(st.integers(0, nodes_max)))]
    edges: Upstream = {
        name: draw(st.lists(st.sampled_from(names[:i]), unique=True, max_size=4)) if i else []
        for i, name in enumerate(names)
    }
    return {name: edges[name] for name in draw(st.permutations(names))}


@st.composite
def directed(draw: st.DrawFn) -> Upstream:
    """Random upstreams, cycles included."""
    names = [f"n{i}" for i in range(draw(st.integers(1, 7)))]
    return {name: draw(st.lists(st.sampled_from(names), max_size=3)) for name in names}


def distances(upstream: Mapping[str, Sequence[str]], start: str) -> dict[str, int]:
    """For each ancestor of `start` its least number of edges (>= 1), by relaxation until nothing changes."""
    least: dict[str, int] = {}
    at, step = {start}, 0
    while at:
        step += 1
        at = {up for node in at for up in upstream[node]} - least.keys()
        least.update(dict.fromkeys(at, step))
    return least


def flipped(upstream: Upstream) -> Upstream:
    return {node: [other for other in upstream if node in upstream[other]] for node in upstream}


@given(acyclic())
def test_order_holds_every_key_once_and_respects_every_edge(upstream: Upstream) -> None:
    order = Graph.build(upstream).order
    assert sorted(order) == sorted(upstream)
    assert all(order.index(up) < order.index(node) for node in upstream for up in upstream[node])


@given(acyclic())
def test_order_takes_the_first_inserted_of_what_is_ready(upstream: Upstream) -> None:
    done: list[str] = []
    while len(done) < len(upstream):
        done.append(next(n for n in upstream if n not in done and set(upstream[n]) <= set(done)))
    assert list(Graph.build(upstream).order) == done


@given(acyclic())
def test_levels_are_the_longest_ways_from_a_root(upstream: Upstream) -> None:
    def depth(node: str) -> int:
        return max((depth(up) + 1 for up in upstream[node]), default=0)

    levels = Graph.build(upstream).levels
    assert {node: i for i, level in enumerate(levels) for node in level} == {n: depth(n) for n in upstream}
    assert all(list(level) == [n for n in upstream if n in level] for level in levels)


@given(acyclic(), st.data())
def test_ancestors_and_descendants_are_the_closure(upstream: Upstream, data: st.DataObject) -> None:
    graph = Graph.build(upstream)
    keys = data.draw(st.lists(st.sampled_from(list(upstream)))) if upstream else []
    depth = data.draw(st.none() | st.integers(0, 4))
    for got, edges in ((graph.ancestors(keys, depth), upstream), (graph.descendants(keys, depth), flipped(upstream))):
        expected = {n for key in keys for n, far in distances(edges, key).items() if depth is None or far <= depth}
        assert list(got) == [node for node in graph.order if node in expected]


@given(acyclic())
def test_neighbours_roots_leaves_edges(upstream: Upstream) -> None:
    graph, downs = Graph.build(upstream), flipped(upstream)
    for node in upstream:
        assert list(graph.upstream(node)) == upstream[node]
        assert list(graph.downstream(node)) == downs[node]
    assert list(graph.roots) == [node for node in upstream if not upstream[node]]
    assert list(graph.leaves) == [node for node in upstream if not downs[node]]
    assert sorted(graph.edges()) == sorted((up, node) for node in upstream for up in upstream[node])
    assert len(graph) == len(upstream)
    assert all(node in graph for node in upstream)


@given(acyclic())
def test_between_is_what_lies_on_a_way(upstream: Upstream) -> None:
    graph = Graph.build(upstream)
    above = {node: {node, *distances(upstream, node)} for node in upstream}
    for start, end in itertools.product(upstream, repeat=2):
        expected = [node for node in graph.order if start in above[node] and node in above[end]]
        assert list(graph.between(start, end)) == expected


@given(acyclic(), st.data())
def test_subgraph_keeps_edges_or_all_ways(upstream: Upstream, data: st.DataObject) -> None:
    kept = data.draw(st.sets(st.sampled_from(list(upstream)))) if upstream else set()
    graph = Graph.build(upstream)
    cut = graph.subgraph(kept)
    assert list(cut.keys) == [node for node in upstream if node in kept]
    assert sorted(cut.edges()) == sorted(edge for edge in graph.edges() if set(edge) <= kept)

    through = graph.subgraph(kept, through=True)
    assert list(through.keys) == list(cut.keys)
    assert set(through.edges()) >= set(cut.edges())
    for node in kept:
        assert set(through.ancestors([node])) == set(graph.ancestors([node])) & kept
    for up, node in through.edges():
        assert any(not set(inner) & kept for inner in inner_ways(upstream, up, node))


def inner_ways(upstream: Upstream, start: str, end: str) -> list[list[str]]:
    """What lies between on each way from `start` to `end`."""
    if start in upstream[end]:
        return [[], *(way for up in upstream[end] if up != start for way in extended(upstream, start, up))]
    return [way for up in upstream[end] for way in extended(upstream, start, up)]


def extended(upstream: Upstream, start: str, up: str) -> list[list[str]]:
    return [[*way, up] for way in inner_ways(upstream, start, up)]


def test_through_gives_each_edge_once() -> None:
    graph = Graph.build({"a": [], "x": ["a"], "y": ["a"], "z": ["x", "y"], "b": ["z", "a"]})
    assert list(graph.subgraph(["a", "b"], through=True).edges()) == [("a", "b")]
    assert list(graph.subgraph(["b", "a"]).edges()) == [("a", "b")]


@given(directed())
def test_a_cycle_is_refused_and_the_shortest_is_shown(upstream: Upstream) -> None:
    shortest = min((distances(upstream, node).get(node, 99) for node in upstream), default=99)
    if shortest == 99:
        assert len(Graph.build(upstream)) == len(upstream)
        return
    with pytest.raises(CycleError) as caught:
        Graph.build(upstream)
    shown = caught.value.what.split(": ", 1)[1].split(" -> ")
    assert shown[0] == shown[-1]
    assert len(shown) == shortest + 1
    assert all(up in upstream[node] for up, node in itertools.pairwise(shown))


def test_the_text_of_a_cycle() -> None:
    upstream = {"d": ["c"], "a": ["c"], "b": ["a"], "c": ["b"], "e": []}
    with pytest.raises(CycleError) as caught:
        Graph.build(upstream, where=lambda key: f"{key}.py:1")
    assert str(caught.value) == (
        "a.py:1: a cycle of 3: a -> b -> c -> a\n  a: a.py:1\n  b: b.py:1\n  c: c.py:1\n"
        "  hint: a -> b says that b depends on a; take one of these dependencies away"
    )


def test_a_dependency_on_itself_is_a_cycle() -> None:
    with pytest.raises(CycleError, match="a cycle: a -> a"):
        Graph.build({"b": ["a"], "a": ["b", "a"]})


def test_a_huge_cycle_is_shown_abbreviated() -> None:
    with pytest.raises(CycleError) as caught:
        Graph.build({str(i): [str((i - 1) % 20_000)] for i in range(20_000)})
    assert "0 -> 1 -> 2" in str(caught.value)
    assert "19999 -> 0" in str(caught.value)
    assert "19990 more" in str(caught.value)
    assert len(str(caught.value)) < 400


def test_an_unknown_dependency_names_place_and_nearest() -> None:
    with pytest.raises(UnknownDependencyError) as caught:
        Graph.build({"silver.payments": [], "gold.revenue": ["silver.paymets"]}, where=lambda key: f"{key}.py:7")
    assert str(caught.value) == (
        "gold.revenue.py:7: 'gold.revenue' depends on 'silver.paymets', which does not exist\n"
        "  hint: did you mean 'silver.payments'?"
    )


def test_unknown_dependencies_come_in_one_error_of_ten_lines() -> None:
    with pytest.raises(UnknownDependencyError) as caught:
        Graph.build({f"asset_{i}": ["base", f"missing{i}"] for i in range(7)})
    lines = str(caught.value).splitlines()
    assert lines[0] == "14 dependencies are on what does not exist:"
    assert lines[1].startswith("  - 'asset_0' depends on 'base', which does not exist")
    assert len(lines) == 12
    assert lines[-1] == "  and 4 more"


def test_nearest_names_among_many() -> None:
    upstream: Upstream = {f"layer{i % 9}.table_{i}": [] for i in range(20_000)}
    with pytest.raises(UnknownDependencyError, match=r"did you mean 'layer3\.table_1254'"):
        Graph.build({**upstream, "x": ["layer3.tabel_1254"]})


def test_external_dependencies_are_allowed_and_are_no_nodes() -> None:
    graph = Graph.build({"a": ["other.x"], "b": ["a", "other.x"]}, external={"other.x"})
    assert list(graph.edges()) == [("a", "b")]
    assert "other.x" not in graph


def test_repeated_dependencies_count_once() -> None:
    assert Graph.build({"a": [], "b": ["a", "a"]}).upstream("b") == ("a",)


def test_an_unknown_key_is_an_error_with_a_hint() -> None:
    graph = Graph.build({"alpha": [], "beta": ["alpha"]})
    with pytest.raises(RequestError, match="did you mean 'alpha'"):
        graph.upstream("alpa")
    with pytest.raises(RequestError):
        graph.ancestors(["beta", "gamma"])


def test_a_long_chain_and_a_wide_fan_stay_linear() -> None:
    chain: Upstream = {str(i): [str(i + 1)] for i in range(30_000)} | {"30000": []}
    fan: Upstream = {"hub": []} | {str(i): ["hub"] for i in range(30_000)}
    graph = Graph.build(chain)  # quadratic would take minutes, and run into the time limit of tests
    assert len(graph.levels) == 30_001
    assert len(graph.ancestors(["0"])) == 30_000
    assert list(graph.subgraph(["0", "30000"], through=True).edges()) == [("30000", "0")]
    assert len(Graph.build(fan).descendants(["hub"])) == 30_000
