"""Layer direction against brute force over all ways, and its messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.errors import LayerError
from batuta.core.graph import Graph
from batuta.core.layers import Layers

NAMES = ("bronze", "silver", "gold")


@st.composite
def layered(draw: st.DrawFn) -> tuple[dict[str, list[str]], dict[str, str | None]]:
    names = [f"n{i}" for i in range(draw(st.integers(0, 8)))]
    upstream = {
        name: draw(st.lists(st.sampled_from(names[:i]), unique=True, max_size=3)) if i else []
        for i, name in enumerate(names)
    }
    return upstream, {name: draw(st.sampled_from((None, "", *NAMES))) for name in names}


def sources(upstream: dict[str, list[str]], layer: dict[str, str | None], node: str) -> set[str]:
    """The nearest nodes with a layer above `node`, over all ways."""
    return {source for up in upstream[node] for source in ([up] if layer[up] else sources(upstream, layer, up))}


@given(layered())
def test_what_is_refused_equals_brute_force(drawn: tuple[dict[str, list[str]], dict[str, str | None]]) -> None:
    upstream, layer = drawn
    rank = {name: i for i, name in enumerate(NAMES)}
    wrong = {
        (node, source)
        for node in upstream
        if layer[node]
        for source in sources(upstream, layer, node)
        if rank[layer[source] or ""] > rank[layer[node] or ""]
    }
    graph = Graph.build(upstream)
    if not wrong:
        Layers().check(graph, layer.get)
        return
    with pytest.raises(LayerError) as caught:
        Layers().check(graph, layer.get)
    text = str(caught.value)
    assert any(f"{n!r} (layer {layer[n]}) depends on {s!r} (layer {layer[s]})" in text for n, s in wrong)
    # each lower key that is listed is really wrong, and (ten are listed) each wrong one is there
    for node in upstream:
        assert (f"{node!r} (layer {layer[node]}) depends on" in text) == any(n == node for n, _ in wrong) or (
            "more" in text
        )


def test_same_layer_and_upwards_are_fine() -> None:
    graph = Graph.build({"b": [], "b2": ["b"], "s": ["b2"], "g": ["s", "b"], "free": ["g"]})
    Layers().check(graph, {"b": "bronze", "b2": "bronze", "s": "silver", "g": "gold"}.get)


def test_the_message_names_keys_layers_place_and_way() -> None:
    graph = Graph.build({"gold.revenue": [], "tmp": ["gold.revenue"], "bronze.raw": ["tmp"]})
    with pytest.raises(LayerError) as caught:
        Layers().check(graph, {"gold.revenue": "gold", "bronze.raw": "bronze"}.get, where=lambda key: f"{key}.py:9")
    assert str(caught.value) == (
        "bronze.raw.py:9: 'bronze.raw' (layer bronze) depends on 'gold.revenue' (layer gold) through 'tmp'\n"
        "  hint: data flows bronze < silver < gold: move 'bronze.raw' to gold or above, "
        "or 'gold.revenue' to bronze or below"
    )


def test_many_faults_come_in_one_error() -> None:
    graph = Graph.build({"g": []} | {f"b{i}": ["g"] for i in range(12)})
    with pytest.raises(LayerError) as caught:
        Layers().check(graph, lambda key: "gold" if key == "g" else "bronze")
    lines = str(caught.value).splitlines()
    assert lines[0] == "12 dependencies of a lower layer on a higher one (bronze < silver < gold):"
    assert len(lines) == 12
    assert lines[-1] == "  and 2 more"


def test_a_long_way_is_abbreviated() -> None:
    upstream: dict[str, list[str]] = (
        {"g": []} | {f"t{i}": [f"t{i - 1}" if i else "g"] for i in range(5_000)} | {"b": ["t4999"]}
    )
    with pytest.raises(LayerError, match=r"through 't4999', 't4998', 't4997', 't4996', 't4995' and 4995 more"):
        Layers().check(Graph.build(upstream), {"g": "gold", "b": "bronze"}.get)


def test_an_unknown_layer_suggests_the_nearest() -> None:
    graph = Graph.build({"a": []})
    with pytest.raises(LayerError, match="did you mean 'silver'"):
        Layers().check(graph, {"a": "sliver"}.get, where=lambda key: "p.py:1")
    with pytest.raises(LayerError, match="add it to the project's layers"):
        Layers().check(graph, {"a": "zzz"}.get)
    with pytest.raises(LayerError, match="it has none"):
        Layers(()).check(graph, {"a": "gold"}.get)


def test_layers_are_configurable() -> None:
    graph = Graph.build({"mart": [], "raw": ["mart"]})
    layers = Layers(("raw", "staging", "mart"))
    with pytest.raises(LayerError, match="'raw' \\(layer raw\\) depends on 'mart' \\(layer mart\\)"):
        layers.check(graph, lambda key: key)
    Layers(("mart", "raw")).check(graph, lambda key: key)


@pytest.mark.parametrize("names", [("bronze", "bronze"), ("bronze", ""), (" ",)])
def test_layer_names_are_checked(names: tuple[str, ...]) -> None:
    with pytest.raises(LayerError, match="list each layer once"):
        Layers(names)
