"""Task groups: names, links by their ends, and groups that are mapped."""

from __future__ import annotations

from typing import Any

import pytest

from batuta import task
from batuta.authoring.dag import DAG
from batuta.authoring.dag_groups import TaskGroup, task_group
from batuta.authoring.operators import EmptyOperator
from batuta.core.errors import DefinitionError
from batuta.core.plan import Edge, MapExpansion, MapSource
from tests.authoring.dag_runs import DagRuns
from tests.authoring.dag_tasks import add, numbers, one, pair, same, total


def test_groups_prefix_their_steps_and_link_by_their_ends(runs: DagRuns) -> None:
    with DAG("groups") as d:
        start, end = EmptyOperator(name="start"), EmptyOperator(name="end")
        with TaskGroup("load") as load:
            first = one()
            with TaskGroup("inner", prefix=False):
                add(first)
            with TaskGroup("deep"):
                EmptyOperator(name="alone")
        start >> load >> end
    steps = {step.key: step for step in d.plan().steps}
    assert {key: step.group for key, step in steps.items()} == {
        "start": "",
        "end": "",
        "load.one": "load",
        "load.add": "load.inner",
        "load.deep.alone": "load.deep",
    }
    assert {edge.step for edge in steps["end"].upstream} == {"load.add", "load.deep.alone"}
    assert {key for key, step in steps.items() if any(e.step == "start" for e in step.upstream)} == {
        "load.one",
        "load.deep.alone",
    }
    assert runs.run(d).state == "succeeded"


def test_links_between_groups_inside_a_group_decide_its_ends() -> None:
    with DAG("groups") as d:
        start, end = EmptyOperator(name="start"), EmptyOperator(name="end")
        with TaskGroup("outer") as outer:
            with TaskGroup("a") as a:
                EmptyOperator(name="x")
            with TaskGroup("b") as b:
                EmptyOperator(name="x")
            a >> b
        start >> outer >> end
    upstream = {step.key: [edge.step for edge in step.upstream] for step in d.plan().steps}
    assert upstream == {"start": [], "outer.a.x": ["start"], "outer.b.x": ["outer.a.x"], "end": ["outer.b.x"]}


def test_an_empty_group_passes_order_on() -> None:
    with DAG("groups") as d:
        a, b = EmptyOperator(name="a"), EmptyOperator(name="b")
        with TaskGroup("first") as first:
            pass
        with TaskGroup("second") as second:
            pass
        a >> first >> second >> b
    assert {step.key: [edge.step for edge in step.upstream] for step in d.plan().steps} == {"a": [], "b": ["a"]}


def test_group_functions_make_a_group_per_call(runs: DagRuns) -> None:
    @task_group
    def twice(value: int) -> int:
        return add(add(value))

    with DAG("groups") as d:
        total([twice(1), twice(twice(5))])
    ran = runs.run(d)
    assert {step.group for step in d.plan().steps} == {"", "twice", "twice__1", "twice__2"}
    assert ran.output("total") == 3 + 9


def test_a_mapped_group_runs_once_per_item(runs: DagRuns) -> None:
    @task
    def fetch(name: str) -> dict[str, Any]:
        return {"name": name, "rows": len(name)}

    @task
    def clean(found: dict[str, Any], factor: int) -> int:
        return int(found["rows"]) * factor

    @task_group
    def per_name(name: str, factor: int) -> Any:
        found = fetch(name)
        note = same("{{ item('name') }}!")
        found >> note
        return clean(found, factor)

    with DAG("groups") as d:
        start, end = EmptyOperator(name="start"), EmptyOperator(name="end")
        sums = per_name.partial(factor=10).expand(name=same(["a", "bb", "ccc"]))
        total(sums)
        start >> [sums] >> end
    steps = {step.key: step for step in d.plan().steps}
    assert steps["per_name.clean"].expansion == steps["per_name.fetch"].expansion == MapExpansion((MapSource("same"),))
    assert Edge("per_name.fetch", "aligned", data=True) in steps["per_name.clean"].upstream
    assert Edge("per_name.fetch", "aligned") in steps["per_name.same"].upstream
    assert Edge("per_name.clean", "every", data=True) in steps["total"].upstream
    ran = runs.run(d)
    assert ran.state == "succeeded", ran.states
    assert ran.outputs("per_name.clean") == [10, 20, 30]
    assert ran.outputs("per_name.same") == ["a!", "bb!", "ccc!"]
    assert ran.output("total") == 60


def test_a_mapped_group_of_a_cross_product_uses_one_argument_per_step(runs: DagRuns) -> None:
    @task_group
    def cell(row: str, column: int) -> Any:
        return pair(same(row), same(column))

    with DAG("groups") as d:
        cell.expand(row=["a", "b"], column=numbers(2))
    ran = runs.run(d)
    assert ran.outputs("cell.pair") == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]


def test_failures_stay_in_their_index(runs: DagRuns) -> None:
    @task
    def picky(n: int) -> int:
        if n == 1:
            raise ValueError("not one")
        return n

    @task_group
    def steps(n: int) -> Any:
        return add(picky(n))

    with DAG("groups") as d:
        total.with_options(trigger_rule="all_done")(steps.expand(n=[0, 1, 2]))
    ran = runs.run(d)
    assert [ran.states[f"steps.add[{i}]"] for i in range(3)] == ["succeeded", "upstream_failed", "succeeded"]
    assert ran.output("total") == 4


def test_mapping_inside_a_mapped_group_is_refused() -> None:
    @task_group
    def inner(n: int) -> Any:
        return add.expand(a=[n, n])

    @task_group
    def outer(n: int) -> Any:
        return inner(n)

    with DAG("groups"), pytest.raises(DefinitionError, match="inside the mapped group 'outer'") as caught:
        outer.expand(n=[1])
    assert "pairs" in str(caught.value)

    @task_group
    def nested(n: int) -> Any:
        return plain.expand(m=[1])

    @task_group
    def plain(m: int) -> Any:
        return one()

    with DAG("groups"), pytest.raises(DefinitionError, match="inside a mapped group"):
        nested.expand(n=[1])


def test_arguments_of_a_group_are_checked_where_it_is_called() -> None:
    @task_group
    def needs(value: int) -> Any:
        return add(value)

    with DAG("groups"), pytest.raises(DefinitionError, match="task group 'needs'"):
        needs()  # type: ignore[call-arg]
