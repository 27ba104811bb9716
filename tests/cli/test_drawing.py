"""Drawings as text, and where the nodes of pictures stand."""

from __future__ import annotations

from itertools import pairwise

import click
from hypothesis import given
from hypothesis import strategies as st

from batuta.cli.drawing import Drawing, DrawnNode, as_dot, as_levels, as_mermaid, as_tree, levels
from batuta.cli.picture_layout import Lane, Sizes, lay_out

UPS = {"b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d"]}
NODES = [DrawnNode(key, key) for key in "abcde"]
SIZES = Sizes()


def test_levels_are_longest_ways() -> None:
    assert levels("abcde", UPS) == {"a": 0, "b": 1, "c": 1, "d": 2, "e": 3}


def test_levels_are_drawn_with_what_they_come_from() -> None:
    text = click.unstyle(as_levels(Drawing(NODES, UPS)))
    assert text == "1\n  └ a\n2\n  ├ b  ← a\n  └ c  ← a\n3\n  └ d  ← b, c\n4\n  └ e  ← d"


def test_a_tree_opens_each_node_once() -> None:
    downs = {"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": ["e"]}
    lines = [click.unstyle(line) for line in as_tree("a", downs, {node.key: node for node in NODES})]
    assert lines == ["  ├ b", "  │ └ d", "  │   └ e", "  └ c", "    └ d  (see above)"]


def test_texts_are_escaped_for_documents() -> None:
    drawing = Drawing([DrawnNode('a"b', 'a"<b>'), DrawnNode("c\\", "c")], {"c\\": ['a"b']})
    assert 'n0["a#quot;#lt;b#gt;"]' in as_mermaid(drawing)
    assert '"a\\"b" -> "c\\\\";' in as_dot(drawing)


@st.composite
def pictures(draw: st.DrawFn) -> tuple[list[Lane], dict[str, list[str]]]:
    """Lanes of nodes with edges anywhere, backwards too."""
    count = draw(st.integers(1, 25))
    keys = [f"n{i}" for i in range(count)]
    lanes = [Lane(str(i), []) for i in range(3)]
    for key in keys:
        lanes[draw(st.integers(0, 2))].keys.append(key)
    pairs = draw(st.lists(st.tuples(st.sampled_from(keys), st.sampled_from(keys)), max_size=60))
    ups: dict[str, list[str]] = {}
    for up, down in dict.fromkeys(pairs):
        if up != down:
            ups.setdefault(down, []).append(up)
    return lanes, ups


@given(pictures())
def test_no_two_nodes_overlap_and_lanes_stand_side_by_side(picture: tuple[list[Lane], dict[str, list[str]]]) -> None:
    lanes, ups = picture
    layout = lay_out(lanes, ups, SIZES)
    assert set(layout.places) == {key for lane in lanes for key in lane.keys}
    by_column: dict[float, list[float]] = {}
    for x, y in layout.places.values():
        by_column.setdefault(x, []).append(y)
        assert SIZES.head <= y + 0.01
        assert y + SIZES.node_height <= layout.height
    for column in by_column.values():
        column.sort()
        assert all(b - a >= SIZES.node_height for a, b in pairwise(column))
    for left, right in pairwise(layout.lanes):
        assert left.x + left.width < right.x
    for lane in layout.lanes:
        for key in lane.keys:
            assert lane.x < layout.places[key][0] < lane.x + lane.width


@given(pictures())
def test_no_edge_runs_behind_a_node(picture: tuple[list[Lane], dict[str, list[str]]]) -> None:
    layout = lay_out(*picture, SIZES)
    for points in layout.ways.values():
        for way_x, way_y in points:
            for x, y in layout.places.values():
                assert not (x == way_x and y < way_y < y + SIZES.node_height)


def test_a_chain_is_straight() -> None:
    layout = lay_out(
        [Lane("bronze", ["a"]), Lane("silver", ["b"]), Lane("gold", ["c"])], {"b": ["a"], "c": ["b"]}, SIZES
    )
    assert len({y for _, y in layout.places.values()}) == 1
    xs = [layout.places[key][0] for key in "abc"]
    assert xs == sorted(xs)
