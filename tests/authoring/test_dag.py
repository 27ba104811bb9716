"""DAGs: order, keys, options, places; what is refused, and how that is said."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from batuta import task
from batuta.authoring.dag import DAG, dag
from batuta.authoring.dag_groups import TaskGroup, task_group
from batuta.authoring.dag_links import chain, cross_downstream
from batuta.authoring.dag_outputs import step as step_of
from batuta.authoring.operators import EmptyOperator, ShellOperator
from batuta.core import plan as plans
from batuta.core.errors import (
    BatutaError,
    CycleError,
    DefinitionError,
    DuplicateKeyError,
    UnknownDependencyError,
)
from batuta.core.plan import Plan
from batuta.core.trigger_rules import TriggerRule

HERE = __file__


@task
def one() -> int:
    return 1


@task
def double(value: int) -> int:
    return value * 2


@task
def collect(*values: int) -> list[int]:
    return list(values)


def edges(dag: DAG) -> set[tuple[str, str]]:
    return {(edge.step, step.key) for step in dag.plan().steps for edge in step.upstream}


def keys(plan: Plan) -> list[str]:
    return [step.key for step in plan.steps]


# ---- order


def test_shifts_link_steps_lists_and_outputs() -> None:
    with DAG("order") as d:
        a, b, c, e = (EmptyOperator(name=name) for name in "abce")
        a >> [b, c] >> e
        one() >> a
        e << double(1)
    assert edges(d) == {("a", "b"), ("a", "c"), ("b", "e"), ("c", "e"), ("one", "a"), ("double", "e")}


def test_lists_can_stand_on_the_left() -> None:
    with DAG("order") as d:
        a, b, c = (EmptyOperator(name=name) for name in "abc")
        [a, b] >> c
        [a] << b
    assert edges(d) == {("a", "c"), ("b", "c"), ("b", "a")}


def test_chain_links_lists_pair_by_pair() -> None:
    with DAG("order") as d:
        a, b, c, e, f, g = (EmptyOperator(name=name) for name in "abcefg")
        chain(a, [b, c], [e, f], g)
    assert edges(d) == {("a", "b"), ("a", "c"), ("b", "e"), ("c", "f"), ("e", "g"), ("f", "g")}


def test_chain_refuses_lists_of_different_length() -> None:
    with DAG("order"):
        a, b, c = (EmptyOperator(name=name) for name in "abc")
        with pytest.raises(DefinitionError, match="lists of 2 and 1") as caught:
            chain([a, b], [c])
    assert "cross_downstream" in str(caught.value)


def test_cross_downstream_links_all_with_all() -> None:
    with DAG("order") as d:
        a, b, c, e = (EmptyOperator(name=name) for name in "abce")
        cross_downstream([a, b], [c, e])
    assert edges(d) == {("a", "c"), ("a", "e"), ("b", "c"), ("b", "e")}


def test_the_plan_is_in_topological_order() -> None:
    with DAG("order") as d:
        last, first = EmptyOperator(name="last"), EmptyOperator(name="first")
        first >> last
    assert keys(d.plan()) == ["first", "last"]


def test_links_made_after_the_block_count() -> None:
    with DAG("order") as d:
        a, b = EmptyOperator(name="a"), EmptyOperator(name="b")
    assert edges(d) == set()
    a >> b
    assert edges(d) == {("a", "b")}


def test_a_linked_twice_step_has_one_edge_and_data_wins() -> None:
    with DAG("order") as d:
        value = one()
        result = double(value)
        value >> result
    (edge,) = d.plan().steps[1].upstream
    assert edge == plans.Edge("one", "every", data=True)


# ---- keys


def test_repeated_calls_get_numbers() -> None:
    with DAG("keys") as d:
        for _ in range(3):
            one()
        one.with_options(name="one__1")()
    assert keys(d.plan()) == ["one", "one__1", "one__2", "one__1__1"]


def test_two_operators_of_one_name_are_refused_with_both_places() -> None:
    with DAG("keys"):
        EmptyOperator(name="same")
        with pytest.raises(DuplicateKeyError) as caught:
            EmptyOperator(name="same")
    text = str(caught.value)
    assert text.count(HERE) == 2
    assert "'same'" in text


def test_operators_without_a_name_are_named_after_their_class() -> None:
    with DAG("keys") as d:
        ShellOperator("true")
        ShellOperator("true")
        EmptyOperator()
    assert keys(d.plan()) == ["shell", "shell__1", "empty"]


def test_a_group_and_a_step_cannot_share_a_name() -> None:
    with DAG("keys"):
        EmptyOperator(name="load")
        with pytest.raises(DuplicateKeyError, match="'load'"):
            TaskGroup("load")


@pytest.mark.parametrize("name", ["a.b", "", "a b", "x/y", "../up", "a[0]"])
def test_names_with_other_characters_are_refused(name: str) -> None:
    with DAG("keys"), pytest.raises(DefinitionError, match="cannot be called"):
        TaskGroup(name)


def test_letters_of_all_languages_are_letters() -> None:
    with DAG("señal") as d:
        EmptyOperator(name="größe")
    assert keys(d.plan()) == ["größe"]


# ---- what is refused


def test_a_cycle_is_shown_with_places() -> None:
    def circle() -> None:
        with DAG("circle"):
            a, b, c = (EmptyOperator(name=name) for name in "abc")
            a >> b >> c >> a

    with pytest.raises(CycleError) as caught:
        circle()
    text = str(caught.value)
    assert "a -> b -> c -> a" in text
    assert f"{HERE}:" in text


def test_a_step_of_another_dag_cannot_be_linked() -> None:
    with DAG("first"):
        a = EmptyOperator(name="a")
    with DAG("second"), pytest.raises(DefinitionError, match="different DAGs") as caught:
        a >> EmptyOperator(name="b")
    assert "TriggerJobOperator" in str(caught.value)


def test_the_output_of_another_dag_cannot_be_used() -> None:
    with DAG("first"):
        value = one()
    with pytest.raises(DefinitionError, match="uses the output of 'one' of DAG 'first'"), DAG("second"):
        double(value)


def test_a_task_that_was_not_called_is_named() -> None:
    with DAG("calls"), pytest.raises(DefinitionError, match=r"'one' is used without being called") as caught:
        one >> EmptyOperator(name="b")
    assert "one()" in str(caught.value)


def test_a_call_that_does_not_fit_the_function_is_refused_where_it_stands() -> None:
    with DAG("calls"), pytest.raises(DefinitionError, match=r"task 'double'.*missing") as caught:
        double()  # type: ignore[call-arg]
    assert str(caught.value).count(HERE) == 2  # the call, and the definition


@pytest.mark.parametrize("use", [bool, list, len])
def test_an_output_is_no_value_yet(use: type) -> None:
    with DAG("values"), pytest.raises(DefinitionError, match="known only when it runs"):
        use(one())


def test_an_operator_outside_a_dag_has_no_place_in_an_order() -> None:
    with pytest.raises(DefinitionError, match="not a step of a DAG"):
        EmptyOperator(name="a") >> EmptyOperator(name="b")


def test_a_group_outside_a_dag_is_refused() -> None:
    with pytest.raises(DefinitionError, match="outside a DAG") as caught:
        TaskGroup("load")
    assert f"{HERE}:" in str(caught.value)


def test_expand_outside_a_dag_is_refused() -> None:
    with pytest.raises(DefinitionError, match="outside a DAG"):
        double.expand(value=[1])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"schedule": "61 * * * *"}, "minute"),
        ({"schedule": "* * *"}, "3 fields"),
        ({"schedule": "0 0 30 2 *"}, "never fires"),
        ({"schedule": "@daly"}, "@daily"),
        ({"schedule": "@daily", "timezone": "Europe/Madird"}, "Europe/Madrid"),
        ({"timezone": "CEST"}, "Europe/Berlin"),
        ({"default_args": {"retires": 3}}, "retries"),
        ({"parallelism_max": 0}, "parallelism_max is 0"),
        ({"params": ["day"]}, "params is a list"),
        ({"params": {"the day": 1}}, "'the day'"),
        ({"start": "soon"}, "'soon' is not a time"),
    ],
)
def test_wrong_settings_are_told_with_place_and_hint(given: dict[str, object], said: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        DAG("wrong", **given)  # type: ignore[arg-type]
    assert said in str(caught.value)
    assert f"{HERE}:" in str(caught.value)
    assert caught.value.hint


def test_a_name_that_files_cannot_have_is_refused() -> None:
    with pytest.raises(DefinitionError, match="cannot be called"):
        DAG("../secrets")


@pytest.mark.parametrize("rule", list(TriggerRule))
def test_every_trigger_rule_can_be_given_by_name_or_value(rule: TriggerRule) -> None:
    with DAG("rules") as d:
        EmptyOperator(name="a", trigger_rule=str(rule))
        one.with_options(trigger_rule=rule)()
    assert {step.trigger_rule for step in d.plan().steps} == {rule}


def test_an_unknown_trigger_rule_names_the_nearest() -> None:
    with DAG("rules"), pytest.raises(DefinitionError, match="'all_dnoe'") as caught:
        EmptyOperator(name="a", trigger_rule="all_dnoe")
    assert "'all_done'" in str(caught.value)


def test_an_unknown_name_in_a_template_names_the_nearest_step() -> None:
    def misspelt() -> None:
        with DAG("names"):
            EmptyOperator(name="extract")
            ShellOperator("echo {{ output('extarct') }}", name="load")

    with pytest.raises(UnknownDependencyError, match="no step 'extarct'") as caught:
        misspelt()
    assert "'extract'" in str(caught.value)


def test_leaving_without_entering_is_told() -> None:
    with pytest.raises(DefinitionError, match="without having been entered"):
        DAG("odd").__exit__(None, None, None)


# ---- options


def test_defaults_go_below_what_is_said() -> None:
    @task(retries=0, retry_delay_s=7)
    def careful() -> None: ...

    with DAG("defaults", default_args={"retries": 3, "pool": "db", "retry_delay_s": 1.0}) as d:
        careful()
        EmptyOperator(name="plain")
        with TaskGroup("group", default_args={"retries": 5}):
            EmptyOperator(name="inner")
            EmptyOperator(name="own", retries=1)
    steps = {step.key: step for step in d.plan().steps}
    tries = {key: (step.retry.attempts_max, step.retry.delay_s) for key, step in steps.items()}
    assert tries == {"careful": (1, 7.0), "plain": (4, 1.0), "group.inner": (6, 1.0), "group.own": (2, 1.0)}
    assert {step.pools for step in d.plan().steps} == {(("db", 1),)}


def test_options_of_steps_reach_the_plan() -> None:
    with DAG("options", fail_fast=True, parallelism_max=3) as d:
        EmptyOperator(
            name="a",
            priority=5,
            timeout_s=30,
            pools={"db": 2},
            concurrency_max=1,
            isolated=True,
            tags=["x"],
            reads=["bronze.rates"],
            writes="silver.rates",
        )
    (step,) = d.plan().steps
    assert (step.priority, step.timeout_s, step.pools, step.instances_max) == (5, 30, (("db", 2),), 1)
    assert (step.isolated, step.tags, step.reads, step.writes) == (True, ("x",), ("bronze.rates",), ("silver.rates",))
    assert (d.plan().fail_fast, d.plan().parallelism_max, d.plan().outcome) == (True, 3, "leaves")


def test_assets_can_be_named_by_objects_with_a_key() -> None:
    class Rates:
        key = "silver.rates"

    with DAG("assets") as d:
        EmptyOperator(name="a", reads=Rates(), writes=[Rates(), "gold.x"])
    (step,) = d.plan().steps
    assert (step.reads, step.writes) == (("silver.rates",), ("silver.rates", "gold.x"))


# ---- the job


def test_the_spec_says_all_of_the_job() -> None:
    with DAG(
        "nightly",
        description="  Loads.\n  All of it.",
        schedule="0 6 * * *",
        timezone="Europe/Madrid",
        start=date(2026, 1, 1),
        tags=["finance"],
        owners="team-a",
    ) as d:
        one()
    spec = d.spec()
    assert (spec.name, spec.kind, spec.schedule, spec.timezone) == ("nightly", "dag", "0 6 * * *", "Europe/Madrid")
    assert (spec.tags, spec.owners) == ({"finance": ""}, ("team-a",))
    assert spec.description == "Loads.\nAll of it."
    assert d.start == datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Madrid"))
    assert spec.place.file == HERE
    assert Path(HERE).read_text().splitlines()[spec.place.line - 1].strip() == "with DAG("
    assert spec.plan is not None
    assert plans.decode(plans.encode(spec.plan)) == spec.plan


def test_the_same_dag_has_the_same_plan() -> None:
    def made() -> bytes:
        with DAG("same") as d:
            double(one()) >> EmptyOperator(name="end")
        return plans.encode(d.plan())

    assert made() == made()


def test_a_start_without_zone_is_on_the_dags_clock() -> None:
    d = DAG("start", timezone="Asia/Tokyo", start=datetime(2026, 1, 1, 12))  # noqa: DTZ001
    assert d.start is not None
    assert d.start.astimezone(UTC) == datetime(2026, 1, 1, 3, tzinfo=UTC)


def test_the_decorator_makes_the_dag_at_once() -> None:
    @dag(schedule="@daily")
    def nightly(day: date, limit: int = 10) -> None:
        """Loads the day."""
        double(limit)

    assert isinstance(nightly, DAG)
    assert nightly() is nightly
    assert (nightly.name, nightly.description, nightly.schedule) == ("nightly", "Loads the day.", "@daily")
    assert list(nightly.params) == ["day", "limit"]
    assert keys(nightly.plan()) == ["double"]
    assert nightly.place.file == HERE


def test_the_decorator_without_options() -> None:
    @dag
    def plain() -> None:
        one()

    assert keys(plain.plan()) == ["one"]


def test_a_failing_body_leaves_no_block_open() -> None:
    with pytest.raises(ZeroDivisionError):

        @dag
        def broken() -> None:
            one()
            _ = 1 / 0

    assert one() == 1  # a plain call again


def test_tasks_are_plain_functions_outside() -> None:
    with DAG("inside"):
        assert repr(one()) == "<output of one>"
    assert (one(), double(4)) == (1, 8)

    @task_group
    def both(x: int) -> int:
        return double(double(x))

    assert both(3) == 12


def test_dags_made_by_an_import_are_known_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    from batuta.authoring.registry import made_by

    (tmp_path / "nameless_dags.py").write_text(
        "from batuta.authoring.dag import DAG\n"
        "from batuta.authoring.operators import EmptyOperator\n"
        "for name in ('a', 'b'):\n"
        "    with DAG(name):\n"
        "        EmptyOperator(name='x')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("nameless_dags")
    assert [d.name for d in made_by("nameless_dags")] == ["a", "b"]
    importlib.reload(module)
    assert [d.name for d in made_by("nameless_dags")] == ["a", "b"]


def test_every_error_has_a_hint() -> None:
    with pytest.raises(BatutaError) as caught:
        DAG("x", params=3)
    assert caught.value.hint


# ---- size


def test_building_and_compiling_take_time_in_proportion_to_the_steps() -> None:
    def took(count: int) -> tuple[float, float]:
        started = time.process_time()
        with DAG("wide") as d:
            step_of(one()) >> [double.with_options(name="wide")(i) for i in range(3)] >> EmptyOperator(name="few")
            source, end = EmptyOperator(name="source"), EmptyOperator(name="end")
            source >> [double(i) for i in range(count)] >> end
        built = time.process_time()
        plan = d.plan()
        assert (len(plan.steps), len(plan.steps[-1].upstream)) == (count + 7, count)
        return built - started, time.process_time() - built

    few = [min(times) for times in zip(*(took(1_000) for _ in range(3)), strict=True)]
    many = [min(times) for times in zip(*(took(10_000) for _ in range(3)), strict=True)]
    assert [ten / one < 40 for one, ten in zip(few, many, strict=True)] == [True, True], (few, many)
