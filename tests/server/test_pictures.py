"""Pictures of runs, as pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from batuta.core.plan import Edge, StepSpec
from batuta.server.pictures import FOLD_OVER, folded, graph_of


def _step(key: str, *upstream: str) -> StepSpec:
    return StepSpec(
        key=key, kind="task", task=f"shop:{key}", upstream=tuple(Edge(name, data=True) for name in upstream)
    )


def _flow(calls: int) -> Sequence[StepSpec]:
    loads = [_step(f"load-{i}", f"fetch-{i}", *([f"load-{i - 1}"] if i else [])) for i in range(calls)]
    return [_step("body"), *(_step(f"fetch-{i}") for i in range(calls)), *loads, _step("total-0", f"load-{calls - 1}")]


def test_a_flow_of_few_calls_is_shown_call_by_call() -> None:
    steps = _flow(3)
    assert folded(steps) == (steps, {})


def test_of_very_many_calls_those_of_a_task_are_one_node() -> None:
    calls = FOLD_OVER
    shown, task_of = folded(_flow(calls))
    rows = [
        (1, "load-0", "succeeded", 1, 1.0, 3.0, 0, 1),
        (1, "load-1", "succeeded", 1, 0.5, 2.0, 0, 1),
        (1, "load-2", "failed", 1, 2.0, 4.0, 0, 1),
    ]
    graph = graph_of(shown, complete=False, grid=rows, critical=["load-7"], task_of=task_of)
    nodes = {node.key: node for node in graph.nodes}
    assert list(nodes) == ["body", "fetch", "load", "total"]
    assert {(edge.source, edge.target) for edge in graph.edges} == {("fetch", "load"), ("load", "total")}
    assert [node.level for node in graph.nodes] == [0, 0, 1, 2]
    assert nodes["load"].counts == {"succeeded": 2, "failed": 1}
    begun = nodes["load"].started_at
    assert begun is not None
    assert begun.timestamp() == 0.5
    assert [key for key, node in nodes.items() if node.mapped] == ["fetch", "load"]
    assert [key for key, node in nodes.items() if node.critical] == ["load"]
    assert graph.folded
