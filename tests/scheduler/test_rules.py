"""Rules of jobs for their runs, as the service keeps them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from batuta.scheduler.launching import RunSpec
from tests.engine.projects import until, write_project
from tests.scheduler.conftest import Open, ended

TEXT = """
from batuta import RunRules

@task
def held(name: str) -> None:
    note(f"{name} in")
    while not Path(os.environ["BATUTA_TEST_TRACE"] + ".go").exists():
        time.sleep(0.01)
    note(f"{name} out")

with DAG("one-at-a-time", params={"name": str}, rules=RunRules(runs_max=1)) as one:
    held(one.params["name"])

with DAG("short", rules=RunRules(timeout_s=0.2)):
    held("short")

@flow(rules=RunRules(concurrency_key="c-{name}", priority=3))
def keyed(name: str) -> None:
    held(name)
"""


@pytest.fixture
def ruled(tmp_path: Path, trace: Path) -> Path:
    return write_project(tmp_path / "ruled", TEXT, "[executor]\nworkers = 4\n")


def test_a_run_that_takes_too_long_fails_and_may_be_restarted(
    on_store: str, ruled: Path, trace: Path, open_service: Open
) -> None:
    service = open_service(ruled)
    row = ended(service, service.launch(RunSpec(job="short"))[0])
    assert (row.state, row.error) == ("failed", "it did not end within 0.2 s")


def test_a_deadline_ends_what_runs_and_what_waits(ruled: Path, trace: Path, open_service: Open) -> None:
    service = open_service(ruled)
    first, _ = service.launch(RunSpec(job="one-at-a-time", params={"name": "a"}, deadline_at=time.time() + 3600))
    until(lambda: "a in" in trace.read_text())
    second, _ = service.launch(RunSpec(job="one-at-a-time", params={"name": "b"}, deadline_at=time.time() + 0.1))
    row = ended(service, second)
    assert (row.state, row.error) == ("failed", "its deadline passed before it began")
    third, _ = service.launch(RunSpec(job="keyed", params={"name": "c"}, deadline_at=time.time() + 0.5))
    assert (ended(service, third).state, ended(service, third).error.startswith("its deadline")) == ("failed", True)
    service.cancel(first, "ana")
    assert ended(service, first).state == "cancelled"


def test_a_job_says_how_many_of_its_runs_at_a_time_and_which_exclude_each_other(
    ruled: Path, trace: Path, open_service: Open
) -> None:
    service = open_service(ruled)
    runs = [service.launch(RunSpec(job="one-at-a-time", params={"name": name}))[0] for name in "ab"]
    runs += [service.launch(RunSpec(job="keyed", params={"name": name}))[0] for name in "xxy"]
    until(lambda: trace.read_text().count("in") == 3)
    until(lambda: len(service.queue.choice.held) == 2)
    assert sorted(service.queue.choice.held.values()) == [
        "limit of concurrency key c-x: 1 at a time",
        "limit of job one-at-a-time: 1 at a time",
    ]
    Path(f"{trace}.go").touch()
    rows = [ended(service, run) for run in runs]
    assert {row.state for row in rows} == {"succeeded"}
    assert (rows[2].priority, rows[2].concurrency_key) == (3, "c-x")
