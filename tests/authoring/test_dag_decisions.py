"""Branches, short circuits, trigger rules, setup and teardown, in runs."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from batuta import SkipTask, task
from batuta.authoring.dag import DAG
from batuta.authoring.dag_groups import TaskGroup
from batuta.authoring.dag_outputs import step as step_of
from batuta.authoring.dag_roles import branch, setup, short_circuit, teardown
from batuta.authoring.operators import BranchOperator, EmptyOperator, ShortCircuitOperator
from batuta.core.errors import DefinitionError
from tests.authoring.dag_runs import DagRuns
from tests.authoring.dag_tasks import boom, one

# ---- decisions


def decides(kind: str, value: Any) -> Any:
    if kind == "operator":
        return BranchOperator(lambda: value, name="choose")

    @branch(name="choose")
    def choose() -> Any:
        return value

    return choose()


@pytest.mark.parametrize("kind", ["operator", "task"])
@pytest.mark.parametrize(
    ("value", "ran_keys"),
    [
        ("left", {"left"}),
        (["left", "right"], {"left", "right"}),
        ("group", {"group.a"}),
        ("group.a", {"group.a"}),
        (None, set()),
        ([], set()),
    ],
)
def test_branches_choose_steps_and_groups(runs: DagRuns, kind: str, value: Any, ran_keys: set[str]) -> None:
    with DAG("branching") as d:
        choice = decides(kind, value)
        left, right = EmptyOperator(name="left"), EmptyOperator(name="right")
        with TaskGroup("group") as group:
            EmptyOperator(name="a")
        choice >> [left, right, group]
        [left, right, group] >> EmptyOperator(name="join", trigger_rule="none_failed_min_one_success")
    ran = runs.run(d)
    assert {key for key in ("left", "right", "group.a") if ran.states[key] == "succeeded"} == ran_keys
    assert ran.states["join"] == ("succeeded" if ran_keys else "skipped")
    assert ran.state == "succeeded"


def test_a_branch_inside_a_group_names_its_neighbours_shortly(runs: DagRuns) -> None:
    @branch
    def choose() -> Literal["small", "large"]:
        return "small"

    with DAG("branching") as d, TaskGroup("sizes"):
        step_of(choose()) >> [EmptyOperator(name="small"), EmptyOperator(name="large")]
    ran = runs.run(d)
    assert (ran.states["sizes.small"], ran.states["sizes.large"]) == ("succeeded", "skipped")


@pytest.mark.parametrize("kind", ["operator", "task"])
def test_a_branch_to_nowhere_fails_with_the_nearest_name(runs: DagRuns, kind: str) -> None:
    with DAG("branching") as d:
        decides(kind, "lfet") >> EmptyOperator(name="left")
    ran = runs.run(d)
    assert ran.states == {"choose": "failed", "left": "upstream_failed"}
    assert "'lfet', which is not directly below" in ran.error("choose").message
    assert "'left'" in ran.error("choose").hint


def test_choices_in_the_annotation_are_checked_ahead() -> None:
    @branch
    def choose() -> list[Literal["left", "rigth"]] | None:
        return None

    with pytest.raises(DefinitionError, match="'rigth'") as caught, DAG("branching"):
        step_of(choose()) >> [EmptyOperator(name="left"), EmptyOperator(name="right")]
    assert "'right'" in str(caught.value)


def cuts(kind: str, value: Any, **options: Any) -> Any:
    if kind == "operator":
        return ShortCircuitOperator(lambda: value, name="go", **options)

    @short_circuit(name="go", **options)
    def go() -> Any:
        return value

    return go()


@pytest.mark.parametrize("kind", ["operator", "task"])
@pytest.mark.parametrize(
    ("value", "options", "expected"),
    [
        (True, {}, ("succeeded", "succeeded", "succeeded")),
        (False, {}, ("skipped", "skipped", "succeeded")),
        ([], {}, ("skipped", "skipped", "succeeded")),
        (0, {"ignore_downstream_trigger_rules": False}, ("skipped", "succeeded", "succeeded")),
    ],
)
def test_short_circuits(
    runs: DagRuns, kind: str, value: Any, options: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    with DAG("short") as d:
        begin = EmptyOperator(name="begin").as_setup()
        then, always = EmptyOperator(name="then"), EmptyOperator(name="always", trigger_rule="all_done")
        end = EmptyOperator(name="end").as_teardown(setups=begin)
        begin >> cuts(kind, value, **options) >> then >> always >> end
    ran = runs.run(d)
    assert (ran.states["then"], ran.states["always"], ran.states["end"]) == expected


def test_a_branch_can_be_async_and_cannot_be_cached(runs: DagRuns) -> None:
    @branch
    async def choose() -> str:
        return "left"

    with DAG("branching") as d:
        step_of(choose()) >> [EmptyOperator(name="left"), EmptyOperator(name="right")]
    assert runs.run(d).states == {"choose": "succeeded", "left": "succeeded", "right": "skipped"}
    with pytest.raises(DefinitionError, match="cannot be cached"):
        branch(cache=True)(one.fn)


def test_a_branch_outside_a_dag_is_the_function() -> None:
    @branch
    def choose(n: int) -> str:
        return "small" if n < 10 else "large"

    assert choose(3) == "small"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("all_success", "upstream_failed"),
        ("all_failed", "skipped"),
        ("all_done", "succeeded"),
        ("all_done_min_one_success", "succeeded"),
        ("all_skipped", "skipped"),
        ("one_success", "succeeded"),
        ("one_failed", "succeeded"),
        ("one_done", "succeeded"),
        ("none_failed", "upstream_failed"),
        ("none_failed_min_one_success", "upstream_failed"),
        ("none_skipped", "skipped"),
        ("always", "succeeded"),
    ],
)
def test_trigger_rules(runs: DagRuns, rule: str, expected: str) -> None:
    @task
    def skips() -> None:
        raise SkipTask("nothing")

    with DAG("rules") as d:
        [one(), boom(), skips()] >> EmptyOperator(name="last", trigger_rule=rule)
    assert runs.run(d).states["last"] == expected


# ---- setup and teardown


def test_a_teardown_runs_after_failures_and_does_not_hide_them(runs: DagRuns) -> None:
    with DAG("teardown") as d:
        up = EmptyOperator(name="up")
        down = EmptyOperator(name="down").as_teardown(setups=up)
        up >> boom() >> down
    ran = runs.run(d)
    assert ran.states == {"up": "succeeded", "boom": "failed", "down": "succeeded"}
    assert ran.state == "failed"


def test_a_teardown_without_its_setup_is_not_run(runs: DagRuns) -> None:
    with DAG("teardown") as d:
        up = step_of(boom()).as_setup()
        up >> one() >> EmptyOperator(name="down").as_teardown(setups=up)
    assert runs.run(d).states == {"boom": "failed", "one": "upstream_failed", "down": "upstream_failed"}


@pytest.mark.parametrize(("fails_run", "state"), [(False, "succeeded"), (True, "failed")])
def test_a_failing_teardown_fails_the_run_if_asked(runs: DagRuns, fails_run: bool, state: str) -> None:
    with DAG("teardown") as d:
        step_of(one()) >> step_of(boom()).as_teardown(fails_run=fails_run)
    assert runs.run(d).state == state


def test_steps_in_a_with_block_run_between_setup_and_teardown(runs: DagRuns) -> None:
    order: list[str] = []

    @setup
    def make() -> str:
        order.append("make")
        return "cluster"

    @teardown
    @task(retries=2)
    def drop() -> None:
        order.append("drop")

    @task
    def use(n: int) -> int:
        order.append(f"use {n}")
        return n

    with DAG("with") as d:
        made, dropped = step_of(make()), step_of(drop())
        made >> dropped
        with dropped:
            use(use(1))
    steps = {step.key: step for step in d.plan().steps}
    assert steps["make"].is_setup
    assert steps["drop"].is_teardown
    assert steps["drop"].retry.attempts_max == 3
    assert {edge.step for edge in steps["drop"].upstream} == {"make", "use__1"}
    assert {edge.step for edge in steps["use"].upstream} == {"make"}
    assert runs.run(d).state == "succeeded"
    assert order == ["make", "use 1", "use 1", "drop"]


def test_with_a_plain_step_is_refused() -> None:
    with DAG("with"), pytest.raises(DefinitionError, match="neither a setup nor a teardown"), EmptyOperator(name="a"):
        pass


def test_what_follows_a_group_does_not_wait_for_its_teardown() -> None:
    with DAG("teardown") as d:
        with TaskGroup("group") as group:
            up = EmptyOperator(name="up")
            up >> EmptyOperator(name="work") >> EmptyOperator(name="down").as_teardown(setups=up)
        group >> EmptyOperator(name="after")
    assert [edge.step for edge in d.plan().steps[-1].upstream] == ["group.work"]
