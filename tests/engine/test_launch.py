"""Steps that start runs of other jobs, on every executor: the engine hears the answers that it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from batuta.core.states import RunState
from batuta.engine.workspace import Workspace
from tests.engine.conftest import row_of, task_of
from tests.engine.projects import error_of, open_project, write_project

WAIT_S = 100
PROJECT = """
from batuta.operators import TriggerJobOperator

@task
def note_day(day: str) -> None:
    note(day)

@flow
def child(day: str, n: int = 1) -> int:
    note_day(day)
    return n

with DAG("grandchild", params={"day": str}) as grandchild:
    note_day(grandchild.params["day"])

with DAG("parent") as parent:
    first = TriggerJobOperator("child", name="first", params={"day": "{{ ds }}", "n": "3"}, poll_s=0.01)
    first >> TriggerJobOperator("grandchild", name="second", params={"day": "x"}, poll_s=0.01)

with DAG("wrong") as wrong:
    TriggerJobOperator("child", name="type", params={"day": "x", "n": "many"})
    TriggerJobOperator("chidl", name="name")

with DAG("many") as many:
    [TriggerJobOperator("child", name=f"start_{i}", params={"day": str(i)}, poll_s=0.01) for i in range(8)]
"""


@pytest.fixture(params=["threads", "processes", "inline"])
def launching(request: pytest.FixtureRequest, tmp_path: Path, trace: Path) -> Iterator[Workspace]:
    """A workspace on the project above."""
    with open_project(write_project(tmp_path / "project", PROJECT), request.param) as workspace:
        yield workspace


def test_a_step_starts_a_flow_and_a_dag(launching: Workspace, trace: Path) -> None:
    handle = launching.start_job("parent", logical_at=0.0)
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, handle.active.error
    assert trace.read_text().split() == ["1970-01-01", "x"]
    rows = launching.store.runs(parent_run=handle.id)
    assert {(row.job, row.state, row.trigger) for row in rows} == {
        ("child", "succeeded", "parent"),
        ("grandchild", "succeeded", "parent"),
    }
    child = next(row for row in rows if row.job == "child")
    assert child.params == {"day": "1970-01-01", "n": 3}
    assert child.parent_task == task_of(handle, "first").no


def test_more_of_them_than_workers(launching: Workspace, trace: Path) -> None:
    handle = launching.start_job("many")
    assert handle.wait(WAIT_S) is RunState.SUCCEEDED, handle.active.error
    assert sorted(trace.read_text().split()) == [str(i) for i in range(8)]
    assert len(launching.store.runs(parent_run=handle.id)) == 8


def test_wrong_parameters_and_names_fail_the_step_that_gave_them(launching: Workspace) -> None:
    handle = launching.start_job("wrong")
    assert handle.wait(WAIT_S) is RunState.FAILED
    assert row_of(launching, handle.id).state == "failed"
    assert "n: expected int" in error_of(handle, "type").message
    assert "there is no job 'chidl'" in error_of(handle, "name").message
    assert launching.store.runs(parent_run=handle.id) == []
