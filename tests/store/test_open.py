"""Opening a store: new, existing, from many places at once; and what it costs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from batuta.core.errors import RequestError
from batuta.store import Store
from batuta.store.errors import NotAStore, StoreError, StoreMissing, StoreReadOnly, StoreTooNew, StoreTooOld
from batuta.store.revisions import NEWEST
from batuta.store.rows import Batch
from tests.store.committer import PATHS
from tests.store.samples import create, progress, task_ends


def test_a_new_store_is_made_and_found_again(empty_store_url: str) -> None:
    with Store.open(empty_store_url) as store:
        assert store.opened == "created"
        run = create(store)
    with Store.open(empty_store_url) as store:
        assert store.opened == "existing"
        assert store.run(run.id) == run


def test_a_closed_store_says_so(empty_store_url: str) -> None:
    store = Store.open(empty_store_url)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        store.runs()
    with pytest.raises(StoreError, match="is closed"):
        create(store)


def test_info_says_what_a_person_wants_to_know(store: Store) -> None:
    store.commit(task_ends(create(store), 1, 3))
    info = store.info()
    assert info.dialect == store.dialect
    assert info.location == store.location
    assert info.revision == info.newest_revision == NEWEST
    assert info.size == store.size() > 0
    assert (info.counts["runs"], info.counts["events"], info.counts["task_runs"]) == (1, 3, 3)
    assert info.facts[store.dialect]


def test_many_may_open_a_new_store_at_the_same_time(empty_store_url: str) -> None:
    barrier, opened, failed = threading.Barrier(6), [], []

    def open_and_write() -> None:
        barrier.wait()
        try:
            with Store.open(empty_store_url) as store:
                opened.append(store.opened)
                create(store)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=open_and_write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert sorted(opened) == ["created"] + ["existing"] * 5
    with Store.open(empty_store_url) as store:
        assert len(store.runs()) == 6


def test_many_threads_share_one_store(store: Store) -> None:
    run = create(store)
    failed: list[Exception] = []

    def read() -> None:
        try:
            for _ in range(20):
                seqs = [event.seq for event in store.events(run.id)]
                assert seqs == list(range(1, len(seqs) + 1))
                assert len(store.task_runs(run.id)) >= len(seqs)
        except Exception as error:
            failed.append(error)

    def write() -> None:
        try:
            for _ in range(20):
                create(store)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for work in [read] * 4 + [write] * 2]
    for thread in threads:
        thread.start()
    for first in range(1, 201, 5):
        store.commit(task_ends(run, first, 5))
    for thread in threads:
        thread.join()
    assert not failed
    assert len(store.runs(limit=100)) == 41


# ---- read-only ----


def test_a_read_only_store_can_be_read_while_another_writes(empty_store_url: str) -> None:
    with Store.open(empty_store_url) as store, Store.open(empty_store_url, read_only=True) as reader:
        run = create(store)
        assert reader.run(run.id) == run
        with pytest.raises(StoreReadOnly):
            create(reader)
        with pytest.raises(StoreReadOnly):
            reader.commit(Batch(runs=[progress(run, 1)]))
        assert reader.info().counts["runs"] == 1


def test_a_store_is_not_made_where_only_reading_or_looking_was_asked_for(empty_store_url: str) -> None:
    with pytest.raises(StoreMissing):
        Store.open(empty_store_url, read_only=True)
    with pytest.raises(StoreMissing, match="no store in it yet") as caught:
        Store.open(empty_store_url, upgrade=False)
    assert "batuta db upgrade" in str(caught.value)


# ---- revisions ----


def _stamp(empty_store_url: str, revision: str) -> None:
    with Store.open(empty_store_url) as store, store._database.transaction() as transaction:
        transaction.script([f"UPDATE batuta_revision SET version_num = '{revision}'"])


def test_a_store_of_a_newer_batuta_is_left_alone(empty_store_url: str) -> None:
    _stamp(empty_store_url, "9999")
    for upgrade in (True, False):
        with pytest.raises(StoreTooNew, match="made by a newer Batuta") as caught:
            Store.open(empty_store_url, upgrade=upgrade)
        assert "upgrade the package" in str(caught.value)


def test_an_older_store_is_not_upgraded_unasked(empty_store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(empty_store_url):
        pass
    monkeypatch.setattr("batuta.store.revisions.REVISIONS", (NEWEST, "next"))
    monkeypatch.setattr("batuta.store.revisions.NEWEST", "next")
    for options in ({"upgrade": False}, {"read_only": True}):
        with pytest.raises(StoreTooOld, match="needs next") as caught:
            Store.open(empty_store_url, **options)  # type: ignore[arg-type]
        assert "batuta db upgrade" in str(caught.value)


def test_a_database_of_something_else_is_left_alone(empty_store_url: str) -> None:
    with Store.open(empty_store_url) as store, store._database.transaction() as transaction:
        transaction.script(["DROP TABLE batuta_revision"])
    with pytest.raises(NotAStore, match="not a store's"):
        Store.open(empty_store_url)


# ---- names ----


def test_a_file_can_be_named_in_several_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    strange = "a b%20c?#ä.db"
    for target in (strange, Path(strange), tmp_path / strange, f"sqlite:///{tmp_path}/a%20b%2520c%3F%23ä.db"):
        with Store.open(target) as store:
            create(store)
    with Store.open("sqlite:///" + strange.replace("%", "%25").replace("?", "%3F")) as store:
        assert len(store.runs()) == 4
    assert [path.name for path in tmp_path.iterdir()] == [strange]


@pytest.mark.parametrize("target", ["", ":memory:", "sqlite://", "sqlite:///:memory:", "mysql://root:secret@host/db"])
def test_a_target_that_cannot_be_a_store_is_refused(target: str) -> None:
    with pytest.raises(RequestError) as caught:
        Store.open(target)
    assert "postgresql://" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_durability_is_a_choice_of_two(empty_store_url: str) -> None:
    with pytest.raises(RequestError, match="'normal' or 'full'"):
        Store.open(empty_store_url, durable="fast")  # type: ignore[arg-type]
    with Store.open(empty_store_url, durable="full") as store:
        facts = store.info().facts
        assert facts["synchronous" if store.dialect == "sqlite" else "synchronous_commit"] in ("full", "on")
        store.commit(task_ends(create(store), 1, 3))


# ---- cost ----


def test_sqlite_needs_no_heavy_import(tmp_path: Path) -> None:
    script = """
import sys
from batuta.store import Store
from batuta.store.rows import NewRun
with Store.open(sys.argv[1]) as store:
    store.create_run(NewRun(job="j", kind="dag", plan_hash="h"), b"{}", owner="me", lease_s=1.0, now=1.0)
    assert len(store.runs()) == 1
heavy = {"sqlalchemy", "alembic", "psycopg", "asyncio", "pydantic"} & set(sys.modules)
assert not heavy, heavy
"""
    environment = {**os.environ, "PYTHONPATH": PATHS}
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "store.db")], check=True, env=environment)
