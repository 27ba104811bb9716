"""What is asked of runs that nobody executes is done by the scheduler that has their code."""

from __future__ import annotations

import time
from pathlib import Path

from batuta.core.states import RUN_FINAL, RunState
from batuta.scheduler.launching import RunSpec
from batuta.store import Store
from tests.engine.projects import until, write_project
from tests.scheduler.conftest import Open, ended

STEPS = """
@task
def first() -> None:
    note("first")

@task
def second() -> None:
    note("second")
    if not Path(os.environ["BATUTA_TEST_TRACE"] + ".mended").exists():
        raise ValueError("not yet")

with DAG("two"):
    first() >> second()

@task
def third() -> None:
    note("third")

@task
def endless() -> None:
    note("endless")
    while True:
        context().check_cancelled()
        time.sleep(0.01)

with DAG("held"):
    first()

with DAG("marked"):
    second() >> third()

with DAG("long"):
    endless() >> third()
"""


def test_a_run_that_failed_is_repeated_where_its_code_is(
    tmp_path: Path, trace: Path, on_store: str, open_service: Open
) -> None:
    service = open_service(write_project(tmp_path / "asked", STEPS))
    run_id = service.launch(RunSpec(job="two"))[0]
    assert ended(service, run_id).state == "failed"
    trace.with_suffix(".mended").touch()
    with Store.open(on_store) as other:
        other.request(run_id, "retry", {"tasks": None}, by="ada", now=time.time())
        until(lambda: _state(other, run_id) == "succeeded", "it is not repeated")
        assert trace.read_text().split() == ["first", "second", "second"]
        other.request(run_id, "retry", {"tasks": ["first"]}, by="ada", now=time.time())
        until(lambda: trace.read_text().split()[3:] == ["first", "second"], "what is named is not repeated")
        until(lambda: not other.requests([run_id]), "the request stays")
        other.request(run_id, "retry", {"tasks": ["third"]}, by="ada", now=time.time())
        until(lambda: not other.requests([run_id]), "a request for nothing stays")


def test_a_run_that_waits_is_stopped(tmp_path: Path, trace: Path, on_store: str, open_service: Open) -> None:
    settings = "[queue.jobs]\nheld = 0\n"
    service = open_service(write_project(tmp_path / "asked", STEPS, settings))
    run_id = service.launch(RunSpec(job="held"))[0]
    with Store.open(on_store) as other:
        other.request(run_id, "cancel", {"hard": False}, by="ada", now=time.time())
        until(lambda: RunState(_state(other, run_id)) in RUN_FINAL, "it is not stopped")
        assert _state(other, run_id) == "cancelled"
    assert trace.read_text() == ""


def test_marks_are_carried_out_by_whoever_has_the_run(
    tmp_path: Path, trace: Path, on_store: str, open_service: Open
) -> None:
    service = open_service(write_project(tmp_path / "asked", STEPS))
    run_id = service.launch(RunSpec(job="marked"))[0]
    assert ended(service, run_id).state == "failed"
    with Store.open(on_store) as other:
        said = {"state": "succeeded", "tasks": ["second"], "note": "by hand"}
        other.request(run_id, "mark", said, by="ada", now=time.time())
        until(lambda: _state(other, run_id) == "succeeded", "it does not go on")
        assert trace.read_text().split() == ["second", "third"]
        row = other.run(run_id)
        assert row is not None
        assert row.error == ""
        other.request(
            run_id, "mark", {"state": "failed", "tasks": None, "note": "wrong day"}, by="ada", now=time.time()
        )
        until(lambda: _state(other, run_id) == "failed", "the run is not marked")
        row = other.run(run_id)
        assert row is not None
        assert row.error == "marked as failed by ada: wrong day"
        (whole, one) = other.audit_entries(action="mark")
        assert (whole.actor, whole.data) == ("ada", {"job": "marked", "as": "failed", "note": "wrong day"})
        assert one.data["tasks"] == ["second"]

        long_id = service.launch(RunSpec(job="long"))[0]
        until(lambda: "endless" in trace.read_text(), "it does not begin")
        other.request(
            long_id, "mark", {"state": "skipped", "tasks": ["endless"], "note": ""}, by="bob", now=time.time()
        )
        until(lambda: _state(other, long_id) == "succeeded", "what runs is not stopped")
        states = {task.step: (task.state, task.reason) for task in other.task_runs(long_id)}
        assert states == {"endless": ("skipped", "marked as skipped by bob"), "third": ("skipped", "")}


def _state(store: Store, run_id: int) -> str:
    row = store.run(run_id)
    assert row is not None
    return row.state
