"""The service in process: what is queued is run, once, by somebody who may; what is stopped is handed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from batuta.core.errors import ParameterError, RequestError
from batuta.runtime.project import find_project
from batuta.scheduler.launching import RunSpec
from batuta.scheduler.queueing import preview
from batuta.scheduler.service import Service
from batuta.store import Store
from tests.engine.projects import until, write_project
from tests.scheduler.conftest import Open, ended


def test_what_is_queued_is_run(on_store: str, open_service: Open, trace: Path) -> None:
    service = open_service()
    run_id, is_new = service.launch(RunSpec(job="one", params={"name": "flow"}))
    assert is_new
    row = ended(service, run_id)
    assert (row.state, row.location, row.params) == ("succeeded", "project", {"name": "flow"})
    assert service.store.definitions_kept("project", row.version)
    assert ended(service, service.launch(RunSpec(job="fixed"))[0]).state == "succeeded"
    assert trace.read_text().split() == ["flow", "fixed"]


def test_a_key_is_run_once(open_service: Open) -> None:
    service = open_service()
    first = service.launch(RunSpec(job="fixed", key="monday"), scope="api")
    assert service.launch(RunSpec(job="fixed", key="monday"), scope="api") == (first[0], False)


def test_wrong_requests_are_refused(open_service: Open) -> None:
    service = open_service()
    with pytest.raises(RequestError, match="did you mean 'fixed'"):
        service.launch(RunSpec(job="fixd"))
    with pytest.raises(ParameterError, match="nam"):
        service.launch(RunSpec(job="one", params={"nam": 1}))
    with pytest.raises(RequestError, match="300,016 bytes, at most 262,144 are kept"):
        service.launch(RunSpec(job="one", params={"name": "x" * 300_000}))
    with pytest.raises(RequestError, match="there is no code location 'shop'"):
        service.launch(RunSpec(job="one", location="shop"))


def test_what_another_process_queues_is_run(on_store: str, open_service: Open) -> None:
    service = open_service()
    keyed = service.run_from(RunSpec(job="fixed", key="1"))
    with Store.open(on_store) as other:
        ((run_id, _),) = other.create_keyed("api", [keyed], now=1.0)
    assert ended(service, run_id).state == "succeeded"


def test_a_second_scheduler_is_refused_on_sqlite(open_service: Open, root: Path) -> None:
    open_service()
    with pytest.raises(RequestError, match=r"another scheduler works on it: process \d+"):
        Service(find_project(str(root)))


def test_limits_hold_runs_back(tmp_path: Path, trace: Path, open_service: Open) -> None:
    text = "@task\ndef step(n: int) -> None: ...\n\nwith DAG('fixed', params={'n': int}): step(1)\n"
    service = open_service(write_project(tmp_path / "limited", text, "[queue]\njobs.fixed = 1\n"))
    most = 0

    def watch(*_: object) -> None:
        nonlocal most
        most = max(most, len(service.engine.run_ids))

    service.add_observer(watch)
    ids = [service.launch(RunSpec(job="fixed", params={"n": n}))[0] for n in range(5)]
    assert [ended(service, run_id).state for run_id in ids] == ["succeeded"] * 5
    assert most == 1


RATED = """
@task
def step(n: int) -> None: ...

with DAG("fixed", params={"n": int}):
    step(1)
"""


def _begun(store: Store) -> list[int]:
    return sorted(run.id for run in store.runs(limit=100) if run.started_at is not None)


def test_schedulers_share_the_starts_that_a_rate_allows(
    tmp_path: Path, trace: Path, open_service: Open, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATUTA_STORE_URL", postgres_url)
    folder = write_project(tmp_path / "rated", RATED, '[queue.rates]\n"job:fixed" = "3/hour"\n')
    services = [open_service(folder), open_service(folder)]
    ids = [services[n % 2].launch(RunSpec(job="fixed", params={"n": n}))[0] for n in range(8)]
    for run_id in ids[:3]:
        ended(services[0], run_id)
    why = dict.fromkeys(ids[3:], "rate of job:fixed: 3 in 3600 s")
    for service in services:
        service.wake("queue")
        until(lambda service=service: service.queue.choice.held == why)  # type: ignore[misc]
    assert _begun(services[0].store) == ids[:3]


def test_a_rate_outlives_its_scheduler(tmp_path: Path, trace: Path, open_service: Open) -> None:
    folder = write_project(tmp_path / "rated", RATED, '[queue.rates]\nall = "2/hour"\n')
    service = open_service(folder)
    ids = [service.launch(RunSpec(job="fixed", params={"n": n}))[0] for n in range(3)]
    assert [ended(service, run_id).state for run_id in ids[:2]] == ["succeeded"] * 2
    service.stop(0.0)
    again = open_service(folder)
    until(lambda: again.queue.choice.held == {ids[2]: "rate of all: 2 in 3600 s"})
    shown = preview(again.store, again.queue.limits, again.clock(), 10)
    assert [(row.id, why) for row, why in shown] == [(ids[2], "rate of all: 2 in 3600 s")]


def test_what_was_running_at_a_stop_goes_on_at_the_next_start(tmp_path: Path, trace: Path, open_service: Open) -> None:
    text = """
@task
def first() -> None:
    note("first")

@task(retries=0)
def second() -> None:
    note("second")
    while not Path(os.environ["BATUTA_TEST_TRACE"] + ".go").exists():
        time.sleep(0.01)

with DAG("pair"):
    first() >> second()
"""
    folder = write_project(tmp_path / "pair", text)
    service = open_service(folder)
    run_id, _ = service.launch(RunSpec(job="pair"))
    until(lambda: "second" in trace.read_text())
    service.stop(0.0)
    Path(f"{trace}.go").touch()
    again = open_service(folder)
    assert ended(again, run_id).state == "succeeded"
    assert trace.read_text().split() == ["first", "second", "second"]


def test_a_queued_run_is_cancelled_without_having_begun(open_service: Open, trace: Path) -> None:
    service = open_service()
    service.queue.draining = True
    run_id, _ = service.launch(RunSpec(job="fixed"))
    service.cancel(run_id, "ana")
    row = ended(service, run_id)
    assert row.state == "cancelled"
    assert trace.read_text() == ""
    with pytest.raises(RequestError, match="has cancelled already"):
        service.cancel(run_id, "ana")
