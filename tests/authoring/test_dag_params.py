"""Params, lineage, retries, sensors and the size of DAGs, in runs."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from batuta import context, task
from batuta.authoring.dag import DAG, dag
from batuta.authoring.dag_params import Param
from batuta.authoring.dag_roles import sensor_task
from batuta.authoring.operators import EmptyOperator, PythonOperator
from batuta.core.errors import DefinitionError, ParameterError
from tests.authoring.dag_runs import DagRuns
from tests.authoring.dag_tasks import add, numbers, one, same, total


def test_params_are_typed_and_reach_steps_every_way(runs: DagRuns) -> None:
    @task
    def from_context() -> tuple[str, int]:
        params = context().params
        return params["day"].strftime("%d.%m.%Y"), params["limit"]

    @dag
    def typed(day: date, limit: int = Param(3, ge=1)) -> None:  # type: ignore[assignment]
        same(day)
        same(f"limit {limit} on {day}")
        from_context()
        add(limit)

    ran = runs.run(typed, {"day": "2026-01-31"})
    assert ran.output("same") == date(2026, 1, 31)
    assert ran.output("same__1") == "limit 3 on 2026-01-31"
    assert ran.output("from_context") == ("31.01.2026", 3)
    assert ran.output("add") == 4


def test_a_function_says_its_params_itself() -> None:
    options: Any = {"params": {"limit": 3}}
    with pytest.raises(DefinitionError, match="those of its function") as caught:
        dag(name="twice", **options)(lambda limit: None)
    assert "def twice(limit: int = Param(3, ge=1))" in str(caught.value)


def test_params_of_a_dict_can_be_referred_to(runs: DagRuns) -> None:
    with DAG("params", params={"limit": 5}) as d:
        add(d.params["limit"])
        with pytest.raises(DefinitionError, match="no parameter 'limti'"):
            d.params["limti"]
    assert runs.run(d, {"limit": 7}).output("add") == 8


def test_wrong_params_are_all_told() -> None:
    with DAG("params", params={"day": date, "limit": Param(5, ge=1), "mode": Param("a", choices=["a", "b"])}) as d:
        one()
    with pytest.raises(ParameterError) as caught:
        d.validate_params({"limit": 0, "mode": "c", "lmit": 3})
    text = str(caught.value)
    for said in ("limit:", "greater than or equal to 1", "mode:", "lmit: there is no such parameter", "day: missing"):
        assert said in text
    assert d.validate_params({"day": "2026-01-31", "limit": "9"}, from_text=True) == {
        "day": date(2026, 1, 31),
        "limit": 9,
        "mode": "a",
    }


def test_params_as_a_pydantic_model(runs: DagRuns) -> None:
    import pydantic

    class Wanted(pydantic.BaseModel):
        day: date
        names: list[str] = ["x"]

        @pydantic.field_validator("names")
        @classmethod
        def some(cls, names: list[str]) -> list[str]:
            if not names:
                raise ValueError("name at least one")
            return names

    with DAG("model", params=Wanted) as d:
        same(d.params["names"])
    assert d.spec().params_schema["required"] == ["day"]
    assert runs.run(d, {"day": "2026-01-31", "names": ["a", "b"]}).output("same") == ["a", "b"]
    with pytest.raises(ParameterError, match="name at least one"):
        d.validate_params({"day": "2026-01-31", "names": "[]"}, from_text=True)
    with pytest.raises(ParameterError, match="'names'"):
        d.validate_params({"day": "2026-01-31", "nams": []})


def test_the_schema_of_params_is_a_form() -> None:
    with DAG("params", params={"limit": Param(5, ge=1, description="how many")}) as d:
        one()
    assert d.spec().params_schema["properties"]["limit"] == {
        "type": "integer",
        "minimum": 1,
        "description": "how many",
        "default": 5,
    }


def test_writes_become_materializations(runs: DagRuns) -> None:
    @task(reads="bronze.raw", writes=["silver.rates", "silver.rejects"])
    def load() -> int:
        context().add_metadata(rows=3)
        context().materialized("silver.rejects", metadata={"rows": 1}, data_version="v1")
        return 3

    @task(writes="gold.never")
    def fails() -> None:
        raise ValueError("no")

    with DAG("lineage") as d:
        load()
        fails()
    ran = runs.run(d)
    states = runs.store.asset_states(["silver.rates", "silver.rejects", "gold.never"])
    assert set(states) == {("silver.rates", ""), ("silver.rejects", "")}
    assert states[("silver.rejects", "")].data_version == "v1"
    assert states[("silver.rates", "")].run_id == ran.id
    again = runs.run(d)
    assert again.id != ran.id
    newer = runs.store.asset_states(["silver.rates"])[("silver.rates", "")]
    assert newer.data_version != states[("silver.rates", "")].data_version


def test_outputs_of_other_steps_can_be_asked_for(runs: DagRuns) -> None:
    @task
    def asks() -> Any:
        return context().output_of("one"), context().output_of("add")

    with DAG("asking") as d:
        [one(), add.expand(a=[1, 2])] >> asks()
    assert runs.run(d).output("asks") == (1, [2, 3])


def test_retries_and_hooks_of_steps(runs: DagRuns) -> None:
    seen: list[str] = []

    def flaky() -> str:
        if context().attempt < 3:
            raise OSError("again")
        return "done"

    with DAG("retries", default_args={"retries": 2}) as d:
        PythonOperator(
            flaky,
            name="flaky",
            on_retry=lambda c, e: seen.append(f"retry {c.attempt}"),
            on_success=lambda c: seen.append("success"),
        )
    ran = runs.run(d)
    assert ran.output("flaky") == "done"
    assert seen == ["retry 1", "retry 2", "success"]


def test_sensor_tasks_wait_without_a_worker(runs: DagRuns) -> None:
    looks: list[int] = []

    @sensor_task(poll_s=0.01, timeout_s=30)
    def ready(value: int) -> Any:
        looks.append(value)
        return {"found": value} if len(looks) >= 3 else None

    @sensor_task(poll_s=0.01, timeout_s=0.02)
    def never() -> bool:
        return False

    @sensor_task(poll_s=0.01, timeout_s=0.02, soft_fail=True)
    def softly() -> bool:
        return False

    with DAG("sensing") as d:
        same(ready(one()))
        never()
        softly()
    ran = runs.run(d)
    assert ran.output("same") == {"found": 1}
    assert looks == [1, 1, 1]
    assert ran.states["never"] == "failed"
    assert "nothing came within 0.02 s" in ran.error("never").message
    assert ran.states["softly"] == "skipped"


def test_a_cancelled_run_tears_down(runs: DagRuns) -> None:
    import threading

    started = threading.Event()

    @task
    def works() -> None:
        started.set()
        while True:
            context().check_cancelled()

    with DAG("cancelled") as d:
        up = EmptyOperator(name="up")
        up >> works() >> EmptyOperator(name="down").as_teardown(setups=up)
    ran = runs.start(d)
    assert started.wait(30)
    ran.cancel()
    ran.wait()
    assert ran.state == "cancelled"
    assert ran.states == {"up": "succeeded", "works": "cancelled", "down": "succeeded"}


def test_five_hundred_mapped_steps(runs: DagRuns) -> None:
    with DAG("wide") as d:
        total(add.expand(a=numbers(500)))
    assert runs.run(d).output("total") == sum(range(1, 501))
