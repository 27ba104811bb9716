"""What passes between the steps of a DAG: outputs, their parts, and mapping over them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from batuta import SkipTask, task
from batuta.authoring.dag import DAG
from batuta.authoring.dag_outputs import step as step_of
from batuta.authoring.dag_refs import literal
from batuta.authoring.operators import PythonOperator
from batuta.core.errors import DefinitionError
from batuta.core.plan import Edge, MapExpansion, MapSource
from tests.authoring.dag_runs import DagRuns
from tests.authoring.dag_tasks import add, boom, numbers, one, pair, same, total, words

# ---- data


def test_outputs_pass_between_steps(runs: DagRuns) -> None:
    with DAG("data") as d:
        first = one()
        total([first, add(first), add(first, b=add(first))])
    ran = runs.run(d)
    assert ran.state == "succeeded"
    assert ran.output("total") == 1 + 2 + 3


def test_outputs_may_stand_anywhere_in_the_arguments(runs: DagRuns) -> None:
    with DAG("data") as d:
        same({"a": [one(), (one(), 5)], "b": {"c": one()}})
    assert runs.run(d).output("same") == {"a": [1, (1, 5)], "b": {"c": 1}}


def test_parts_of_outputs_and_functions_of_their_items(runs: DagRuns) -> None:
    with DAG("data") as d:
        source = words()
        same(source["names"])
        same(source["sizes"]["y"])
        same(source["names"][1])
        same(source["names"].map(str.upper))
        same(source["sizes"].map(lambda item: item[1] * 10))
    ran = runs.run(d)
    assert [ran.output(key) for key in ("same", "same__1", "same__2", "same__3", "same__4")] == [
        ["x", "y"],
        2,
        "y",
        ["X", "Y"],
        [10, 20],
    ]


def test_a_part_that_is_not_there_fails_the_step_that_asks(runs: DagRuns) -> None:
    with DAG("data") as d:
        same(words()["nmaes"])
    ran = runs.run(d)
    assert ran.states == {"words": "succeeded", "same": "failed"}
    assert "no ['nmaes']" in ran.error("same").message
    assert "'names'" in ran.error("same").hint


def test_zip_and_concat_of_outputs(runs: DagRuns) -> None:
    with DAG("data") as d:
        same(step_of(numbers(3)).zip(["a", "b"]))
        same(step_of(numbers(3)).zip(["a", "b"], fillvalue="-"))
        same(step_of(numbers(2)).concat(numbers(3), [7]))
    ran = runs.run(d)
    assert ran.output("same") == [(0, "a"), (1, "b")]
    assert ran.output("same__1") == [(0, "a"), (1, "b"), (2, "-")]
    assert ran.output("same__2") == [0, 1, 0, 1, 2, 7]


def test_an_output_in_text_becomes_a_template(runs: DagRuns) -> None:
    with DAG("data") as d:
        source = words()
        same(f"first {source['names'][0]}, size {source['sizes']['y']}")
    ran = runs.run(d)
    assert ran.output("same") == "first x, size 2"
    assert d.plan().steps[1].upstream == (Edge("words", "every", data=True),)


def test_texts_in_arguments_are_templates_and_data_is_not(runs: DagRuns) -> None:
    with DAG("data") as d:
        same({"day": "{{ ds }}", "plain": literal("{{ ds }}"), "data": same("{{ '{{ ds' }} }}")})
    ran = runs.run(d, logical_at=datetime(2026, 1, 31, tzinfo=UTC).timestamp())
    assert ran.output("same__1" if "same__1" in ran.tasks else "same") is not None
    values = [ran.output(key) for key in ran.tasks]
    assert "{{ ds }}" in values
    assert {"day": "2026-01-31", "plain": "{{ ds }}", "data": "{{ ds }}"} in values


def test_async_and_generator_tasks(runs: DagRuns) -> None:
    @task
    async def later(value: int) -> int:
        return value + 1

    @task(writes="gold.counted")
    def counted(n: int) -> Any:
        yield from range(n)

    with DAG("kinds") as d:
        counted(later(2))  # type: ignore[arg-type]
    assert runs.run(d).output("counted") == [0, 1, 2]


def test_the_cache_of_a_task_counts_in_dags_too(runs: DagRuns) -> None:
    calls = []

    @task(cache=True)
    def slow(value: int) -> int:
        calls.append(value)
        return value

    with DAG("cached") as d:
        slow(1) >> slow(1)
    ran = runs.run(d)
    assert (calls, ran.output("slow"), ran.output("slow__1")) == ([1], 1, 1)


def test_return_annotations_are_checked(runs: DagRuns) -> None:
    @task
    def wrong() -> list[int]:
        return ["a"]  # type: ignore[list-item]

    with DAG("typed") as d:
        wrong()
    assert runs.run(d).error("wrong").kind == "type"


def test_a_failed_step_keeps_the_next_from_running(runs: DagRuns) -> None:
    with DAG("failing") as d:
        step_of(boom()) >> one()
    ran = runs.run(d)
    assert ran.state == "failed"
    assert ran.states == {"boom": "failed", "one": "upstream_failed"}


# ---- mapping


def test_expand_over_an_output_and_collect(runs: DagRuns) -> None:
    with DAG("mapped") as d:
        total(add.partial(b=10).expand(a=numbers(4)))
    ran = runs.run(d)
    assert ran.outputs("add") == [10, 11, 12, 13]
    assert ran.output("total") == 46
    step = d.plan().steps[1]
    assert step.expansion == MapExpansion((MapSource("numbers"),))
    assert step.upstream == (Edge("numbers", "every", data=True),)


def test_a_cross_product_counts_the_last_argument_fastest(runs: DagRuns) -> None:
    with DAG("mapped") as d:
        pair.expand(a=numbers(2), b=["x", "y", "z"])
    assert runs.run(d).outputs("pair") == [(0, "x"), (0, "y"), (0, "z"), (1, "x"), (1, "y"), (1, "z")]


def test_three_arguments(runs: DagRuns) -> None:
    @task
    def three(a: int, b: int, c: int) -> tuple[int, int, int]:
        return a, b, c

    with DAG("mapped") as d:
        three.expand(c=[1, 2], a=numbers(2), b=range(2))
    expected = [(a, b, c) for c in (1, 2) for a in (0, 1) for b in (0, 1)]
    assert runs.run(d).outputs("three") == expected


def test_zip_expands_position_by_position(runs: DagRuns) -> None:
    with DAG("mapped") as d:
        pair.expand_zip(a=numbers(3), b=["x", "y", "z"])
        pair.expand_zip(a=numbers(2), b=["x", "y", "z"])
    ran = runs.run(d)
    assert ran.outputs("pair") == [(0, "x"), (1, "y"), (2, "z")]
    assert "lengths" in ran.error("pair__1").message


def test_dicts_expand_to_pairs_and_maps_change_items(runs: DagRuns) -> None:
    with DAG("mapped") as d:
        same.expand(value={"a": 1, "b": 2})
        same.expand(value=words()["sizes"])
        same.expand(value=step_of(numbers(3)).map(lambda n: n * n))
    ran = runs.run(d)
    assert ran.outputs("same") == [("a", 1), ("b", 2)]
    assert ran.outputs("same__1") == [("x", 1), ("y", 2)]
    assert ran.outputs("same__2") == [0, 1, 4]


def test_a_map_that_skips_skips_that_index(runs: DagRuns) -> None:
    def even(n: int) -> int:
        if n % 2:
            raise SkipTask("odd")
        return n

    with DAG("mapped") as d:
        total.with_options(trigger_rule="none_failed")(same.expand(value=step_of(numbers(4)).map(even)))
    ran = runs.run(d)
    assert [ran.states[f"same[{i}]"] for i in range(4)] == ["succeeded", "skipped", "succeeded", "skipped"]
    assert ran.output("total") == 2


def test_mapped_over_mapped(runs: DagRuns) -> None:
    with DAG("mapped") as d:
        first = add.expand(a=numbers(3))
        add.expand(a=first.map(lambda n: n * 100))
    assert runs.run(d).outputs("add__1") == [101, 201, 301]


def test_parts_of_the_outputs_of_a_mapped_step(runs: DagRuns) -> None:
    @task
    def record(n: int) -> dict[str, int]:
        return {"n": n, "square": n * n}

    with DAG("mapped") as d:
        made = record.expand(n=[1, 2, 3])
        total(made["square"])
        same(made[0])
    ran = runs.run(d)
    assert ran.output("total") == 14
    assert ran.output("same") == {"n": 1, "square": 1}


def test_outputs_may_be_items_of_an_expanded_list(runs: DagRuns) -> None:
    with DAG("mapped") as d:
        same.expand(value=[one(), "{{ ds }}", 3])
    ran = runs.run(d, logical_at=datetime(2026, 1, 31, tzinfo=UTC).timestamp())
    assert ran.outputs("same") == [1, "2026-01-31", 3]


def test_nothing_to_map_over_is_a_skip(runs: DagRuns) -> None:
    with DAG("mapped") as d:
        add.expand(a=numbers(0)) >> one()
    ran = runs.run(d)
    assert (ran.states["add"], ran.states["one"], ran.state) == ("skipped", "skipped", "succeeded")


def test_operators_can_be_expanded(runs: DagRuns) -> None:
    with DAG("mapped") as d:
        made = PythonOperator.partial(name="times", function=lambda a, b: a * b).expand(args=[[2, 3], [4, 5]])
        total(made)
    assert runs.run(d).output("total") == 26


@pytest.mark.parametrize(
    ("mapped", "said"),
    [
        ({"a": 5}, "a int"),
        ({"a": "text"}, "a str"),
        ({"a": {1, 2}}, "a set"),
        ({"c": [1]}, "it has no parameter 'c'"),
        ({}, "nothing to map over"),
    ],
)
def test_what_cannot_be_expanded_is_told(mapped: dict[str, Any], said: str) -> None:
    with DAG("mapped"), pytest.raises(DefinitionError) as caught:
        add.partial(b=1).expand(**mapped) if mapped else add.partial(a=1).expand()
    assert said in str(caught.value)
    assert caught.value.hint


def test_an_argument_is_fixed_or_mapped() -> None:
    with DAG("mapped"), pytest.raises(DefinitionError, match="fixed and mapped: a"):
        add.partial(a=1).expand(a=[1])


def test_mapping_over_a_mapped_step_leaves_out_what_was_skipped(runs: DagRuns) -> None:
    @task
    def odd(n: int) -> int:
        if n % 2 == 0:
            raise SkipTask("even")
        return n

    with DAG("mapped") as d:
        made = odd.expand(n=range(6))
        pair.with_options(trigger_rule="none_failed").partial(b="x").expand(a=made)
        pair.with_options(trigger_rule="none_failed").expand(a=made, b=["x", "y"])
    ran = runs.run(d)
    assert [value for value in ran.outputs("pair__1") if value] == [(n, b) for n in (1, 3, 5) for b in "xy"]
    assert ran.outputs("pair") == [None, (1, "x"), None, (3, "x"), None, (5, "x")]
    assert [ran.states[f"pair[{i}]"] for i in range(2)] == ["skipped", "succeeded"]
