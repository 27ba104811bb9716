"""Pools: set while the service runs, closed, and shared by schedulers."""

from __future__ import annotations

from pathlib import Path

import pytest

from batuta.core.errors import RequestError
from batuta.scheduler.launching import RunSpec
from batuta.store import Store
from tests.engine.projects import until, write_project
from tests.scheduler.conftest import Open, ended

TEXT = """
@task(pool="narrow")
def hold(name: str) -> None:
    note(f"{name} in")
    while not Path(os.environ["BATUTA_TEST_TRACE"] + ".go").exists():
        time.sleep(0.01)
    note(f"{name} out")

with DAG("holding", params={"name": str}) as dag:
    hold(dag.params["name"])
"""


@pytest.fixture
def holding(tmp_path: Path, trace: Path) -> Path:
    return write_project(tmp_path / "holding", TEXT, "[pools]\nnarrow = 1\n[executor]\nworkers = 4\n")


def test_slots_are_set_in_the_store_while_it_runs(
    on_store: str, holding: Path, open_service: Open, trace: Path
) -> None:
    service = open_service(holding)
    ids = [service.launch(RunSpec(job="holding", params={"name": name}))[0] for name in "abc"]
    until(lambda: trace.read_text().count("in") == 1)
    assert service.engine.call(lambda: service.engine.acting.slots_used) == {"narrow": 1}
    service.store.put_pool("narrow", 3, by="ana", now=1.0)
    service.wake("pools")
    until(lambda: trace.read_text().count("in") == 3)
    Path(f"{trace}.go").touch()
    assert [ended(service, run_id).state for run_id in ids] == ["succeeded"] * 3
    until(lambda: not service.store.pool_use())


def test_a_pool_without_slots_is_closed_until_it_is_opened(holding: Path, open_service: Open, trace: Path) -> None:
    Path(f"{trace}.go").touch()
    service = open_service(holding)
    service.store.put_pool("narrow", 0, now=1.0)
    service.wake("pools")
    until(lambda: service.pools.pools == {"narrow": 0})
    run_id, _ = service.launch(RunSpec(job="holding", params={"name": "a"}))
    until(lambda: run_id in service.engine.run_ids)
    service.store.delete_pool("narrow", now=2.0)
    service.wake("pools")
    assert ended(service, run_id).state == "succeeded"


def test_two_schedulers_share_the_slots(
    postgres_url: str, holding: Path, open_service: Open, trace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATUTA_STORE_URL", postgres_url)
    one, two = open_service(holding), open_service(holding)
    ids = [one.launch(RunSpec(job="holding", params={"name": f"{n}"}))[0] for n in range(4)]
    until(lambda: len(one.engine.run_ids) + len(two.engine.run_ids) == 4)
    until(lambda: one.store.pool_use() == {"narrow": 1})
    Path(f"{trace}.go").touch()
    assert [ended(one, run_id).state for run_id in ids] == ["succeeded"] * 4
    lines = [line.split()[1] for line in trace.read_text().splitlines()]
    assert lines == ["in", "out"] * 4


def test_slots_are_taken_in_order_and_given_back(store_url: str) -> None:
    with Store.open(store_url) as store:
        wanted = [(1, 1, (("a", 1),)), (1, 2, (("a", 1), ("b", 2))), (2, 1, (("b", 3),)), (2, 2, (("c", 9),))]
        assert store.take_slots("me", wanted, {"a": 1, "b": 2}) == {(1, 1), (2, 1), (2, 2)}
        assert store.pool_use() == {"a": 1, "b": 3, "c": 9}
        store.release_slots("you", [(1, 1)])
        assert store.pool_use()["a"] == 1
        store.release_slots("me", [(1, 1), (2, 1)])
        assert store.pool_use() == {"c": 9}
        assert store.forget_left_slots() == 1
        with pytest.raises(RequestError):
            store.put_pool("a", -1, now=1.0)
        store.put_pool("a", 5, "about", by="ana", now=1.0)
        assert [(row.name, row.slots, row.changed_by) for row in store.pools()] == [("a", 5, "ana")]
        assert (store.delete_pool("a", now=1.0), store.delete_pool("a", now=1.0)) == (True, False)
